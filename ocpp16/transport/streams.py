"""Streams of others' making: ended where waiting is not possible, and taken for what they are.

A stream may be a socket, TLS over one, or whatever a host hands in: a tunnel, a modem, a fault of a test. What such a
stream raises is a broken connection and nothing else; only the cancellation of the present task passes.
"""

from inspect import iscoroutine

import trio

from ocpp16.faults import obey, obey_exit, text_of

__all__ = ["close", "close_at_once", "close_forcefully", "said", "yields"]


def close_at_once(stream: trio.abc.AsyncResource) -> None:
    """Close, without TLS's farewell, so that a task that reads or writes there fails at once. May be repeated.

    Sockets, TLS over them and memory streams are closed when this returns; another stream that has no synchronous
    `close` a moment later. Never raises.
    """
    if isinstance(stream, trio.SSLStream):
        close_at_once(stream.transport_stream)
    elif isinstance(stream, trio.StapledStream):
        close_at_once(stream.send_stream)
        close_at_once(stream.receive_stream)
    elif not _is_closed_at_once(stream):
        trio.lowlevel.spawn_system_task(close_forcefully, stream)


def _is_closed_at_once(stream: trio.abc.AsyncResource) -> bool:
    try:
        close = stream.socket.close if isinstance(stream, trio.SocketStream) else getattr(stream, "close", None)
        if callable(close):
            result = close()
            if not iscoroutine(result):
                return True
            result.close()  # it would have to be waited for
    except BaseException as fault:  # it changes nothing: the stream is not used again
        obey_exit(fault)
    return False


async def close(stream: trio.abc.AsyncResource) -> None:
    """Close in the stream's own way. Never raises but when cancelled."""
    try:
        await stream.aclose()
    except BaseException as fault:
        obey(fault)


async def close_forcefully(stream: trio.abc.AsyncResource) -> None:
    """Close without waiting for the other side. Never raises but when cancelled.

    A stream whose `aclose` shields itself from cancellation is waited for as long as it takes.
    """
    try:
        await trio.aclose_forcefully(stream)
    except BaseException as fault:
        obey(fault)
    if isinstance(stream, trio.SSLStream):
        _part(stream)


def _part(stream: "trio.SSLStream[trio.abc.Stream]") -> None:
    """Undo the circle that a stream of TLS makes: one of its parts holds a method of it, for the handshake.

    A closed one would keep OpenSSL's 30 KiB until the collector comes, which in a process of thousands is seldom.
    """
    for part in vars(stream).values():
        for name in (*getattr(part, "__dict__", ()), *getattr(type(part), "__slots__", ())):
            if getattr(getattr(part, name, None), "__self__", None) is stream:
                setattr(part, name, None)


def yields(stream: trio.abc.AsyncResource) -> bool:
    """Is it known that each read of this stream lets other tasks run, and ends when it is closed? Of trio's own and of
    ours it is, but for what they carry over a stream of others."""
    while isinstance(stream, trio.StapledStream | trio.SSLStream):
        stream = stream.receive_stream if isinstance(stream, trio.StapledStream) else stream.transport_stream
    return type(stream).__module__.partition(".")[0] in {"trio", "ocpp16"}


def said(error: BaseException) -> str:
    """What an exception of a stream tells, or the one behind it; its type where it tells nothing."""
    cause = error.__cause__ or error
    return text_of(cause) or type(cause).__name__
