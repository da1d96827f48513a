"""A connection to a server of files: name, TCP and TLS, and what their failures are called."""

import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress

import trio

from ocpp16.texts import shown
from ocpp16.transfer.failures import TransferError, TransferFailure

__all__ = ["TlsContext", "close", "open_tcp", "receive", "start_tls"]

TlsContext = Callable[[], Awaitable[ssl.SSLContext]]
"""Makes the context when one is needed."""

_NO_NEWS = "the connection was cut off"


def system_context() -> ssl.SSLContext:
    """Trusts the CAs of the operating system, TLS 1.2 at least."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def open_tcp(host: str, port: int) -> trio.SocketStream:
    """Raises TransferError with UNREACHABLE."""
    try:
        return await trio.open_tcp_stream(host, port)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name with a label that is too long
        reason = _reason(error)
    raise TransferError(TransferFailure.UNREACHABLE, f"cannot connect to {shown(host)}:{port}: {reason}")


def _reason(error: OSError | UnicodeError) -> str:
    if isinstance(error, socket.gaierror):
        return "there is no such name, or nobody who knows it"
    if isinstance(error, UnicodeError):
        return "it is no name of a host"
    cause = error.__cause__  # of one address or of several
    found = cause.exceptions if isinstance(cause, BaseExceptionGroup) else [cause or error]
    numbers = {number for one in found if (number := getattr(one, "errno", None))}
    return "; ".join(sorted(map(os.strerror, numbers))) or "no connection"


async def start_tls(
    stream: trio.SocketStream,
    context: ssl.SSLContext,
    host: str,
    *,
    is_end_told: bool = True,
    session: ssl.SSLSession | None = None,
) -> "trio.SSLStream[trio.SocketStream]":
    """TLS over a connection, which is closed if it fails.

    Parameters: `is_end_told` an end without TLS's own farewell is a cut and no end; `session` is resumed, as servers of
    FTPS demand for connections of data. Raises TransferError with CERTIFICATE, TLS or CUT_OFF.
    """
    failure = None
    try:
        secured = trio.SSLStream(stream, context, server_hostname=host, https_compatible=not is_end_told)
        if session is not None:
            secured.session = session
        await secured.do_handshake()
        return secured
    except (trio.BrokenResourceError, ssl.SSLError, ValueError) as error:
        failure = _tls_failure(error, host)
    except BaseException:
        await close(stream)
        raise
    await close(stream)
    raise failure


def _tls_failure(error: Exception, host: str) -> TransferError:
    cause = error if isinstance(error, ssl.SSLError) else error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return TransferError(
            TransferFailure.CERTIFICATE, f"the certificate of {shown(host)} is refused: {shown(cause.verify_message)}"
        )
    if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
        reason = shown(cause.reason or "no reason is given").replace("_", " ").lower()
        return TransferError(TransferFailure.TLS, f"no TLS with {shown(host)}: {reason}")
    return TransferError(TransferFailure.CUT_OFF, f"{_NO_NEWS} by {shown(host)} in the TLS handshake")


async def receive(stream: trio.abc.ReceiveStream, most: int = 64 * 1024) -> bytes:
    """What came next, b"" at the end. Raises TransferError with CUT_OFF."""
    try:
        return bytes(await stream.receive_some(most))
    except trio.BrokenResourceError:
        pass
    raise TransferError(TransferFailure.CUT_OFF, _NO_NEWS)


async def send(stream: trio.abc.SendStream, data: bytes) -> None:
    """Raises TransferError with CUT_OFF."""
    try:
        return await stream.send_all(data)
    except trio.BrokenResourceError:
        pass
    raise TransferError(TransferFailure.CUT_OFF, _NO_NEWS)


async def close(stream: trio.abc.AsyncResource) -> None:
    """At once, whoever is cancelled, and whatever it says."""
    with trio.CancelScope(shield=True), suppress(trio.BrokenResourceError, OSError):
        await trio.aclose_forcefully(stream)
