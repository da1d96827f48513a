"""The HTTP upgrade at the beginning of a WebSocket connection, in both roles.

Ends with what was agreed on, or with an error that says what the other side did. wsproto's handshake objects (and h11's
below them) are some 6 KiB; they do not outlive the functions here. Bytes behind the head of a request or an answer are
not given to them: they are frames. It must not know what OCPP does with the connection; which subprotocols are good is
told by the caller.

Those two take much on trust (parameters of extensions, letters of names). So whatever they raise at bytes of the other
side is an answer that cannot be read, and whatever they raise at what we are to write is said of that.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple, Self

import trio
from wsproto.connection import Connection, ConnectionType
from wsproto.events import AcceptConnection, Event, RejectConnection, RejectData, Request
from wsproto.extensions import Extension
from wsproto.handshake import H11Handshake
from wsproto.utilities import RemoteProtocolError

from ocpp16.errors import ConnectionFailed, HandshakeRefused
from ocpp16.faults import obey
from ocpp16.patience import of_others
from ocpp16.texts import shown
from ocpp16.transport.retry_after import seconds_to_wait
from ocpp16.transport.streams import said

__all__ = ["Accept", "Decision", "Reject", "UpgradeRequest", "Upgraded", "answer_upgrade", "request_upgrade"]

BODY_LIMIT = 1024  # of a refusal's body: enough for the sentence that says why, not for a page of HTML
BODY_TIMEOUT = 2.0  # a refusal whose body does not come is still a refusal
READ_SIZE = 4096

# What may be written in a header (RFC 9110 §5.5, §5.6.2): above all no line end, behind which another would begin.
_HEADER_NAME = re.compile(rb"[-!#$%&'*+.^_`|~0-9a-zA-Z]+")
_HEADER_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_BLANK_LINE = re.compile(rb"\n\r?\n")  # as h11 finds it


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


Decision = Accept | Reject


class Upgraded(NamedTuple):
    """What was agreed on.

    `subprotocol`, or None; `machine` the frame machine where an extension transforms frames, else None; `trailing` the
    bytes of frames that came with the head.
    """

    subprotocol: str | None
    machine: Connection | None
    trailing: bytes

    @classmethod
    def by(
        cls, handshake: H11Handshake, subprotocol: str | None, extensions: Sequence[Extension], trailing: bytes
    ) -> Self:
        is_plain = not any(extension.enabled() for extension in extensions)
        return cls(subprotocol, None if is_plain else handshake.connection, trailing)


class _Host(str):
    """A Host header. wsproto takes the port for a part of the last label, which may then seem to be too long."""

    def encode(self, encoding: str = "ascii", errors: str = "strict") -> bytes:
        return super().encode("ascii")


async def request_upgrade(
    stream: trio.abc.Stream,
    *,
    host: str,
    target: str,
    headers: Sequence[tuple[str, str]],
    subprotocols: Sequence[str],
    extensions: Sequence[Extension],
    now: Callable[[], float] | None = None,
) -> Upgraded:
    """Ask for the upgrade as a client.

    Parameters: `now` the time in seconds since 1970, for a server that says by a date when to come again.

    Raises `HandshakeRefused` for any HTTP answer that is no valid upgrade, `ConnectionFailed` for an answer that is
    no HTTP, or none, and for a header that cannot be written (it is named, without its value). Of none, and of an
    alert of TLS, a ConnectionError is the cause. What the stream raises passes. The stream is left to the caller (RFC
    6455 §4.1).
    """
    handshake = H11Handshake(ConnectionType.CLIENT)
    extra_headers = [_header(name, value) for name, value in headers]
    try:
        request = handshake.send(
            Request(
                host=_Host(_in_ascii(host)),
                target=target,
                extensions=list(extensions),
                extra_headers=extra_headers,
                subprotocols=list(subprotocols),
            )
        )
    except Exception as exc:
        raise ConnectionFailed("WebSocket handshake: host, target or subprotocol cannot stand in a request") from exc
    await stream.send_all(request)
    answer, trailing = await _read_answer(stream, handshake, now)
    return Upgraded.by(handshake, answer.subprotocol, extensions, trailing)


def _in_ascii(host: str) -> str:
    """The host as DNS has it; the port is no part of its last label."""
    if host.isascii():
        return host
    name, colon, port = host.partition(":")
    return f"{name.encode('idna').decode()}{colon}{port}"


def _header(name: str, value: str) -> tuple[bytes, bytes]:
    """One header as bytes. Raises `ConnectionFailed` without the value: it may be a password."""
    try:
        raw = name.encode("ascii"), value.strip(" \t").encode()
    except UnicodeEncodeError:
        raw = b"", b""
    if not _HEADER_NAME.fullmatch(raw[0]) or not _HEADER_VALUE.fullmatch(raw[1]):
        raise ConnectionFailed(
            f"WebSocket handshake: header {shown(name, 40)} cannot be sent: a line end, or a character that headers "
            "do not have"
        )
    return raw


async def _read_answer(
    stream: trio.abc.Stream, handshake: H11Handshake, now: Callable[[], float] | None
) -> tuple[AcceptConnection, bytes]:
    """The server's consent, and what came behind it."""
    beginning = before = b""
    while True:
        data = await _read(stream)
        if not data:
            if not beginning:
                raise ConnectionFailed(
                    "WebSocket handshake: the server closed the connection without an answer"
                ) from ConnectionResetError()
            how = f"in the middle of an answer that began with {beginning!r}"
            raise ConnectionFailed(f"WebSocket handshake: the server closed the connection {how}")
        beginning = beginning or data[:24]
        if beginning.startswith(b"\x15\x03"):
            tls = "WebSocket handshake: the server speaks TLS on this port; use wss://"
            raise ConnectionFailed(tls) from ConnectionRefusedError()
        head = _head(before, data)
        before = (before + data)[-2:]
        events = _feed_answer(handshake, head)
        for position, event in enumerate(events, 1):
            if isinstance(event, AcceptConnection):
                return event, data[len(head) :]
            if isinstance(event, RejectConnection):
                body = await _read_body(stream, handshake, event, events[position:], data[len(head) :])
                raise _refusal(event, body, now)


def _head(before: bytes, data: bytes) -> bytes:
    """What of the data belongs to the head that began with it, or before: `before` are the last bytes of that."""
    blank_line = _BLANK_LINE.search(before + data)
    return data if blank_line is None else data[: blank_line.end() - len(before)]


async def _read(stream: trio.abc.Stream) -> bytes:
    data: object = await stream.receive_some(READ_SIZE)
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"the stream read {type(data).__name__}, which is no bytes")
    return bytes(data)


def _feed_answer(handshake: H11Handshake, data: bytes) -> list[Event]:
    try:
        handshake.receive_data(data)
        return list(handshake.events())
    except RemoteProtocolError as exc:
        if str(exc) == "Bad HTTP message":
            raise ConnectionFailed("WebSocket handshake: the answer is not HTTP") from exc
        raise HandshakeRefused(101, reason=str(exc)) from exc
    except Exception as exc:  # names and parameters of extensions that wsproto takes on trust
        raise HandshakeRefused(101, reason=f"unreadable header ({said(exc)})") from exc


async def _read_body(
    stream: trio.abc.Stream, handshake: H11Handshake, answer: RejectConnection, events: list[Event], rest: bytes
) -> bytes:
    """The beginning of a refusal's body, of which `rest` was read; what goes wrong on the way is its end."""
    body = bytearray()
    finished = not answer.has_body
    with trio.move_on_after(of_others(BODY_TIMEOUT)):
        while True:
            for event in events:
                if isinstance(event, RejectData):
                    body += event.data
                    finished = finished or event.body_finished
            if finished or len(body) >= BODY_LIMIT:
                break
            try:
                data = rest or await _read(stream)
                rest = b""
                handshake.receive_data(data)
                events = list(handshake.events())
            except BaseException as exc:
                obey(exc)
                break
            finished = not data
    return bytes(body[:BODY_LIMIT])


def _refusal(answer: RejectConnection, body: bytes, now: Callable[[], float] | None) -> HandshakeRefused:
    location = _value(answer.headers, b"location")
    return HandshakeRefused(
        answer.status_code,
        body.decode("utf-8", "replace").strip(),
        f"redirects to {location}, which is not followed" if location else "",
        seconds_to_wait(_value(answer.headers, b"retry-after"), _value(answer.headers, b"date"), now),
    )


def _value(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in headers if name.lower() == wanted), "")


async def answer_upgrade(
    stream: trio.abc.Stream,
    *,
    decide: Callable[[UpgradeRequest], Decision | Awaitable[Decision]],
    extensions: Sequence[Extension],
) -> tuple[Upgraded, UpgradeRequest]:
    """Read a client's request as a server, have `decide` look at it, which may take its time, and answer.

    Raises `HandshakeRefused` after a refusal was sent: ours, that of a malformed request (400, 426), or 500 where
    `decide` raised or chose what cannot be written, which is the cause then. `ConnectionFailed` when the client sent
    nothing. What the stream raises passes. The stream is left to the caller (RFC 6455 §4.2).
    """
    handshake = H11Handshake(ConnectionType.SERVER)
    request, trailing = await _read_request(stream, handshake)
    try:
        verdict = decide(request)
        if not isinstance(verdict, Accept | Reject):
            verdict = await verdict
        if isinstance(verdict, Accept):
            answer = handshake.send(AcceptConnection(subprotocol=verdict.subprotocol, extensions=list(extensions)))
        else:
            answer = _written(handshake, verdict)
    except BaseException as exc:
        obey(exc)
        raise await _refused(stream, handshake, Reject(500), "the answer could not be decided or written") from exc
    await stream.send_all(answer)
    if isinstance(verdict, Reject):
        raise HandshakeRefused(verdict.status, verdict.body)
    return Upgraded.by(handshake, verdict.subprotocol, extensions, trailing), request


async def _read_request(stream: trio.abc.Stream, handshake: H11Handshake) -> tuple[UpgradeRequest, bytes]:
    """A client's request, and what came behind it."""
    before = b""
    while True:
        data = await _read(stream)
        if not data:
            raise ConnectionFailed("WebSocket handshake: the client sent no request")
        head = _head(before, data)
        before = (before + data)[-2:]
        try:
            handshake.receive_data(head)
            for event in handshake.events():
                assert isinstance(event, Request)
                request = UpgradeRequest(
                    event.target,
                    event.host,
                    tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in event.extra_headers),
                    tuple(str(name) for name in event.subprotocols),
                )
                return request, data[len(head) :]
        except Exception as exc:  # of wsproto, which takes letters of names and values on trust
            hint = getattr(exc, "event_hint", None) or RejectConnection(status_code=400)
            headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in hint.headers)
            raise await _refused(stream, handshake, Reject(hint.status_code, said(exc), headers), "") from exc


async def _refused(stream: trio.abc.Stream, handshake: H11Handshake, verdict: Reject, reason: str) -> HandshakeRefused:
    """Send a refusal and return it as an exception. One that cannot be written, or sent, is one all the same."""
    try:
        await stream.send_all(_written(handshake, verdict))
    except BaseException as exc:
        obey(exc)
        reason = reason or f"no answer was sent: {said(exc)}"
    return HandshakeRefused(verdict.status, verdict.body, reason)


def _written(handshake: H11Handshake, verdict: Reject) -> bytes:
    body = verdict.body.encode("utf-8", "replace")
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in verdict.headers]
    headers += [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    return handshake.send(
        RejectConnection(status_code=verdict.status, headers=headers, has_body=True)
    ) + handshake.send(RejectData(data=body, body_finished=True))
