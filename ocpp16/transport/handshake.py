"""The HTTP upgrade at the beginning of a WebSocket connection, in both roles.

Ends with wsproto's frame machine or with an error that says what the other side did. wsproto's handshake objects (and
h11's below them) are some 6 KiB; they do not outlive the functions here. It must not know what OCPP does with the
connection; which subprotocols are good is told by the caller.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import trio
from wsproto.connection import Connection, ConnectionType
from wsproto.events import AcceptConnection, Event, RejectConnection, RejectData, Request
from wsproto.extensions import Extension
from wsproto.handshake import H11Handshake
from wsproto.utilities import RemoteProtocolError

from ocpp16.errors import ConnectionFailed, HandshakeRefused

__all__ = ["Accept", "Reject", "UpgradeRequest", "answer_upgrade", "request_upgrade"]

BODY_LIMIT = 1024  # of a refusal's body: enough for the sentence that says why, not for a page of HTML
BODY_TIMEOUT = 2.0  # a refusal whose body does not come is still a refusal
READ_SIZE = 4096
_BROKEN = (trio.BrokenResourceError, trio.ClosedResourceError)


class UpgradeRequest(NamedTuple):
    """What a client asked for: `target` with path and query, still percent-encoded; header names in lower-case."""

    target: str
    host: str
    headers: tuple[tuple[str, str], ...]
    subprotocols: tuple[str, ...]

    def header(self, name: str) -> str | None:
        """The first value of a header, its name in lower-case."""
        return next((value for key, value in self.headers if key == name), None)


class Accept(NamedTuple):
    """Complete the upgrade. `subprotocol` must be one of those asked for; None sends no such header."""

    subprotocol: str | None


class Reject(NamedTuple):
    """Answer with an HTTP status instead."""

    status: int
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()


async def request_upgrade(
    stream: trio.abc.Stream,
    *,
    host: str,
    target: str,
    headers: Sequence[tuple[str, str]],
    subprotocols: Sequence[str],
    extensions: Sequence[Extension],
) -> tuple[Connection, str | None]:
    """Ask for the upgrade as a client and return the frame machine with the subprotocol the server chose.

    Raises `HandshakeRefused` for any HTTP answer that is no valid upgrade, `ConnectionFailed` for an answer that is
    no HTTP, or none. The stream is left to the caller (RFC 6455 §4.1).
    """
    handshake = H11Handshake(ConnectionType.CLIENT)
    request = Request(
        host=host,
        target=target,
        extensions=list(extensions),
        extra_headers=[(name.encode("ascii"), value.encode()) for name, value in headers],
        subprotocols=list(subprotocols),
    )
    try:
        await stream.send_all(handshake.send(request))
        return await _read_answer(stream, handshake)
    except _BROKEN as exc:
        raise ConnectionFailed(f"WebSocket handshake: connection broken: {exc.__cause__ or exc}") from exc


async def _read_answer(stream: trio.abc.Stream, handshake: H11Handshake) -> tuple[Connection, str | None]:
    beginning = b""
    while True:
        data = bytes(await stream.receive_some(READ_SIZE))
        if not data:
            how = f"in the middle of an answer that began with {beginning!r}" if beginning else "without an answer"
            raise ConnectionFailed(f"WebSocket handshake: the server closed the connection {how}")
        beginning = beginning or data[:24]
        if beginning.startswith(b"\x15\x03"):
            raise ConnectionFailed("WebSocket handshake: the server speaks TLS on this port; use wss://")
        events = _feed_answer(handshake, data)
        for position, event in enumerate(events, 1):
            if isinstance(event, AcceptConnection):
                assert handshake.connection is not None
                return handshake.connection, event.subprotocol
            if isinstance(event, RejectConnection):
                raise await _refusal(stream, handshake, event, events[position:])


def _feed_answer(handshake: H11Handshake, data: bytes) -> list[Event]:
    try:
        handshake.receive_data(data)
    except RemoteProtocolError as exc:
        if str(exc) == "Bad HTTP message":
            raise ConnectionFailed("WebSocket handshake: the answer is not HTTP") from exc
        raise HandshakeRefused(101, reason=str(exc)) from exc
    except (ValueError, IndexError) as exc:  # names and extension parameters that wsproto takes on trust
        raise HandshakeRefused(101, reason=f"unreadable header ({exc})") from exc
    return list(handshake.events())


async def _refusal(
    stream: trio.abc.Stream, handshake: H11Handshake, answer: RejectConnection, events: list[Event]
) -> HandshakeRefused:
    body = bytearray()
    finished = not answer.has_body
    with trio.move_on_after(BODY_TIMEOUT):
        while True:
            for event in events:
                if isinstance(event, RejectData):
                    body += event.data
                    finished = finished or event.body_finished
            if finished or len(body) >= BODY_LIMIT:
                break
            try:
                data = await stream.receive_some(READ_SIZE)
                handshake.receive_data(bytes(data))
            except (*_BROKEN, RemoteProtocolError):
                break
            events = list(handshake.events())
            finished = not data
    location = next((value.decode("latin-1") for name, value in answer.headers if name.lower() == b"location"), "")
    return HandshakeRefused(
        answer.status_code,
        body[:BODY_LIMIT].decode("utf-8", "replace").strip(),
        f"redirects to {location}, which is not followed" if location else "",
    )


async def answer_upgrade(
    stream: trio.abc.Stream,
    *,
    decide: Callable[[UpgradeRequest], Accept | Reject],
    extensions: Sequence[Extension],
) -> tuple[Connection, UpgradeRequest, str | None]:
    """Read a client's request as a server, have `decide` look at it, and answer.

    Raises `HandshakeRefused` after a refusal was sent (ours, or that of a malformed request), `ConnectionFailed` when
    the client went away. The stream is left to the caller (RFC 6455 §4.2).
    """
    handshake = H11Handshake(ConnectionType.SERVER)
    try:
        request = await _read_request(stream, handshake)
        verdict = decide(request)
        if isinstance(verdict, Reject):
            await _send_refusal(stream, handshake, verdict)
            raise HandshakeRefused(verdict.status, verdict.body)
        await stream.send_all(
            handshake.send(AcceptConnection(subprotocol=verdict.subprotocol, extensions=list(extensions)))
        )
    except _BROKEN as exc:
        raise ConnectionFailed(f"WebSocket handshake: the client is gone: {exc}") from exc
    assert handshake.connection is not None
    return handshake.connection, request, verdict.subprotocol


async def _read_request(stream: trio.abc.Stream, handshake: H11Handshake) -> UpgradeRequest:
    while True:
        data = await stream.receive_some(READ_SIZE)
        if not data:
            raise ConnectionFailed("WebSocket handshake: the client sent no request")
        try:
            handshake.receive_data(bytes(data))
        except (RemoteProtocolError, UnicodeError) as exc:
            hint = getattr(exc, "event_hint", None) or RejectConnection(status_code=400)
            verdict = Reject(hint.status_code, str(exc), tuple((k.decode(), v.decode()) for k, v in hint.headers))
            await _send_refusal(stream, handshake, verdict)
            raise HandshakeRefused(verdict.status, verdict.body) from exc
        for event in handshake.events():
            assert isinstance(event, Request)
            return UpgradeRequest(
                event.target,
                event.host,
                tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in event.extra_headers),
                tuple(str(name) for name in event.subprotocols),
            )


async def _send_refusal(stream: trio.abc.Stream, handshake: H11Handshake, verdict: Reject) -> None:
    body = verdict.body.encode()
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in verdict.headers]
    headers += [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    await stream.send_all(
        handshake.send(RejectConnection(status_code=verdict.status, headers=headers, has_body=True))
        + handshake.send(RejectData(data=body, body_finished=True))
    )
