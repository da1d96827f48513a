"""Bytes to and from the Central System: dialling, WebSocket, waiting between attempts.

Knows streams, sockets and frames, and nothing of OCPP messages: a text frame is opaque here. `wsproto` is used nowhere
else. What TLS trusts is decided elsewhere; `dial` is handed a ready context.
"""
