"""Ending a stream where waiting is not possible: in a cancelled write, or in a callback."""

import trio

__all__ = ["close_at_once"]


def close_at_once(stream: trio.abc.AsyncResource) -> None:
    """Close, without TLS's farewell, so that a task that reads or writes there fails at once. May be repeated.

    Sockets, TLS over them and memory streams are closed when this returns; another stream that has no synchronous
    `close` a moment later.
    """
    if isinstance(stream, trio.SocketStream):
        stream.socket.close()
    elif isinstance(stream, trio.SSLStream):
        close_at_once(stream.transport_stream)
    elif isinstance(stream, trio.StapledStream):
        close_at_once(stream.send_stream)
        close_at_once(stream.receive_stream)
    elif callable(close := getattr(stream, "close", None)):
        close()
    else:
        trio.lowlevel.spawn_system_task(trio.aclose_forcefully, stream)
