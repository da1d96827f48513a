"""OCPP-J as a machine without input or output: what to send, what an answer belongs to, what is mended.

It must not know trio, sockets, clocks or SQL: it is handed text and monotonic time and hands out text and deadlines.
"""
