"""The server's side of a TLS handshake: the other side learns why it fails."""

from contextlib import suppress
from typing import Any

import trio

from ocpp16.errors import ConnectionFailed
from ocpp16.security.tls import SSLContext

HANDSHAKE_TIMEOUT = 30.0
ALERT_TIMEOUT = 1.0


async def accept_tls(tcp: trio.SocketStream, context: SSLContext) -> "trio.SSLStream[trio.SocketStream]":
    """A stream that is ready. Raises ConnectionFailed; then TCP is closed."""
    stream = trio.SSLStream(tcp, context, server_side=True, https_compatible=True)
    try:
        with trio.fail_after(HANDSHAKE_TIMEOUT):
            await stream.do_handshake()
    except (trio.BrokenResourceError, trio.TooSlowError) as error:
        await _say_why(stream, tcp)
        raise ConnectionFailed(f"TLS: {error.__cause__ or 'no handshake in time'}") from error
    return stream


async def _say_why(stream: Any, tcp: trio.SocketStream) -> None:
    """Send the alert of a handshake that failed, which trio leaves where it is, and end the connection."""
    try:
        with suppress(Exception), trio.move_on_after(ALERT_TIMEOUT):
            if alert := stream._outgoing.read():
                await tcp.send_all(alert)
                await tcp.send_eof()
                while await tcp.receive_some():  # closing with unread bytes would reset it, and the alert be lost
                    pass
    finally:
        await trio.aclose_forcefully(tcp)
