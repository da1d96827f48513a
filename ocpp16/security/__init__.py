"""Cryptography and TLS: what proves who we are, and whom we believe.

`ssl` and `cryptography` are used here (and `ssl` where connections are dialled). Nothing here knows a message or a
connection.
"""
