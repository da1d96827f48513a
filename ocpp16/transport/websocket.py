"""One WebSocket connection over any trio stream, as client or as server (RFC 6455).

Text messages in, text messages out, and the control frames about them. It must not know what a message means, when to
ping, or whether to connect again.

Rules:
- One task reads (`receive`). Whatever has to be said in answer (pong, close) is only queued, and `on_unsent` tells.
- One writer at a time: `send_…` only queue; `flush_now` and `flush` write, and while a `flush` is under way
  `flush_now` leaves everything to it.
- A write that is cut short leaves half a frame, so it ends the connection (`abort`). Only the reader learns of an end,
  as `ConnectionClosed`; writing to a broken stream raises nothing.
"""

import os
from collections.abc import Callable, Sequence
from typing import Self

import trio
from wsproto.connection import Connection, ConnectionState
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage
from wsproto.utilities import LocalProtocolError

from ocpp16.errors import ConnectionClosed, ConnectionFailed, HandshakeRefused
from ocpp16.transport.compression import BoundedDeflate
from ocpp16.transport.handshake import Accept, Reject, UpgradeRequest, answer_upgrade, request_upgrade
from ocpp16.transport.streams import close_at_once

__all__ = ["Accept", "Reject", "UpgradeRequest", "WebSocket"]

MAX_MESSAGE_SIZE = 1 << 20  # bytes; no OCPP 1.6 message has a limit, yet something has to
HANDSHAKE_TIMEOUT = 30.0  # seconds
CLOSE_TIMEOUT = 3.0  # seconds for the closing handshake, TLS included
DRAIN_TIMEOUT = 1.0  # seconds to let a peer read why we close; closing with unread data would reset the connection
PONG_LIMIT = 1 << 14  # unsent bytes above which pings get no pong: the peer does not read (RFC 6455 §5.5.3 allows it)
READ_SIZE = 1 << 16


class WebSocket:
    """An open connection; made by `connect` or `accept`.

    Attributes: `subprotocol` agreed on, or None; `request` the client's upgrade request (server role only);
    `on_binary`, called when a binary message was taken as text (None: the connection is closed with 1003);
    `on_pong` and `on_ping`, called with the payload when one arrives; `on_unsent`, called when `receive` queued a
    frame of its own; `answers_pings`, True unless a test wants a deaf peer.
    """

    __slots__ = (
        "_closing",
        "_connection",
        "_ended",
        "_flushing",
        "_limit",
        "_must_drain",
        "_outgoing",
        "_parts",
        "_reading",
        "_ready",
        "_size",
        "_socket",
        "_stream",
        "answers_pings",
        "on_binary",
        "on_ping",
        "on_pong",
        "on_unsent",
        "request",
        "subprotocol",
    )

    def __init__(
        self,
        stream: trio.abc.Stream,
        connection: Connection,
        *,
        subprotocol: str | None,
        request: UpgradeRequest | None,
        max_message_size: int,
    ) -> None:
        self.subprotocol = subprotocol
        self.request = request
        self.on_pong: Callable[[bytes], None] | None = None
        self.on_binary: Callable[[], None] | None = None
        self.on_ping: Callable[[bytes], None] | None = None
        self.on_unsent: Callable[[], None] | None = None
        self.answers_pings = True
        self._stream = stream
        self._socket = stream.socket if isinstance(stream, trio.SocketStream) else None
        self._connection = connection
        self._limit = max_message_size
        self._outgoing = bytearray()
        self._flushing = False
        self._reading = False
        self._parts: list[str] = []  # of the message that is arriving
        self._size = 0  # bytes in it so far
        self._ready: list[str] = []
        self._ended: tuple[int, str] | None = None  # what `receive` raises once `_ready` is empty
        self._must_drain = False
        self._closing = False  # `aclose` has taken over the writing
        self._absorb()  # frames that came in one packet with the handshake

    @classmethod
    async def connect(
        cls,
        stream: trio.abc.Stream,
        *,
        host: str,
        target: str,
        headers: Sequence[tuple[str, str]] = (),
        subprotocols: Sequence[str] = ("ocpp1.6",),
        max_message_size: int = MAX_MESSAGE_SIZE,
        compression: bool = False,
        require_subprotocol: bool = True,
        timeout: float = HANDSHAKE_TIMEOUT,
    ) -> Self:
        """Open a connection as client over a stream that is ready for it (OCPP-J 1.6 §3.1).

        Parameters: `host` value of the Host header, with the port unless it is the default one; `target` path and
        query, percent-encoded; `headers` additional ones, as Authorization; `max_message_size` in bytes; `compression`
        offers permessage-deflate; `require_subprotocol` False keeps a connection whose server chose none;
        `timeout` in seconds.

        Raises `HandshakeRefused` with status and body when the server did not upgrade, or agreed on no subprotocol;
        `ConnectionFailed` otherwise. The stream is closed then, and also when this is cancelled.
        """
        extensions = [BoundedDeflate(max_message_size)] if compression else []
        try:
            with trio.move_on_after(timeout) as scope:
                connection, subprotocol = await request_upgrade(
                    stream,
                    host=host,
                    target=target,
                    headers=headers,
                    subprotocols=subprotocols,
                    extensions=extensions,
                )
                opened = cls(
                    stream, connection, subprotocol=subprotocol, request=None, max_message_size=max_message_size
                )
                if subprotocol is not None or not require_subprotocol or not subprotocols:
                    return opened
                opened.send_close(1002, "no subprotocol agreed")
                await opened.flush()
                raise HandshakeRefused(101, reason=f"the server chose no subprotocol of {', '.join(subprotocols)}")
            assert scope.cancelled_caught
            raise ConnectionFailed(f"WebSocket handshake: no answer within {timeout:g} s")
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise

    @classmethod
    async def accept(
        cls,
        stream: trio.abc.Stream,
        *,
        decide: Callable[[UpgradeRequest], Accept | Reject],
        max_message_size: int = MAX_MESSAGE_SIZE,
        compression: bool = False,
        timeout: float = HANDSHAKE_TIMEOUT,
    ) -> Self:
        """Open a connection as server. `decide` looks at the request and chooses; `compression` accepts an offer.

        Raises `HandshakeRefused` after a refusal was sent, `ConnectionFailed` when the client gave none or a broken
        request; the stream is closed then.
        """
        extensions = [BoundedDeflate(max_message_size)] if compression else []
        try:
            with trio.move_on_after(timeout) as scope:
                connection, request, subprotocol = await answer_upgrade(stream, decide=decide, extensions=extensions)
                return cls(
                    stream, connection, subprotocol=subprotocol, request=request, max_message_size=max_message_size
                )
            assert scope.cancelled_caught
            raise ConnectionFailed(f"WebSocket handshake: no request within {timeout:g} s")
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise

    @property
    def is_open(self) -> bool:
        """May messages still be sent? False from the first close frame in either direction on."""
        return self._ended is None and self._connection.state is ConnectionState.OPEN

    @property
    def unsent(self) -> bool:
        """Is there anything for `flush_now` or `flush` to do, or a `flush` under way?"""
        return not self._closing and (self._flushing or bool(self._outgoing))

    @property
    def unsent_bytes(self) -> int:
        """Bytes queued that no write has taken yet."""
        return len(self._outgoing)

    async def receive(self) -> list[str]:
        """Wait for text and return all messages that one read completed, at least one.

        Raises `ConnectionClosed`, again and again, once the connection has ended: by the peer's close frame (its code),
        by a frame that is not allowed (the code we queued: 1002, 1003 binary, 1007 no UTF-8, 1009 too big), or 1006.
        May be cancelled without losing anything.
        """
        if self._reading:
            raise trio.BusyResourceError("another task is receiving")
        self._reading = True
        try:
            while not self._ready:
                if self._ended is not None:
                    raise ConnectionClosed(*self._ended)
                data = await self._read()
                if data and self._ended is None:
                    self._connection.receive_data(data)
                    self._absorb()
        finally:
            self._reading = False
        messages, self._ready = self._ready, []
        return messages

    async def _read(self) -> bytes:
        try:
            if self._socket is None:
                data = bytes(await self._stream.receive_some(READ_SIZE))
            else:
                # Waiting first saves the attempt to read that nearly always finds nothing.
                await trio.lowlevel.wait_readable(self._socket)
                data = os.read(self._socket.fileno(), READ_SIZE)
        except BlockingIOError:
            return b""
        except (trio.BrokenResourceError, trio.ClosedResourceError, OSError) as exc:
            self._end(1006, f"connection broken: {exc.__cause__ or exc}")
            return b""
        if not data:
            self._end(1006, "the peer closed the connection without a close frame")
        return data

    def _absorb(self) -> None:
        queued = len(self._outgoing)
        for event in self._connection.events():
            if type(event) is TextMessage:
                if not self._take_text(event):
                    break
            elif type(event) is Ping:
                if self.answers_pings and len(self._outgoing) < PONG_LIMIT and self.is_open:
                    self._outgoing += self._connection.send(event.response())
                if self.on_ping is not None:
                    self.on_ping(bytes(event.payload))
            elif type(event) is Pong:
                if self.on_pong is not None:
                    self.on_pong(bytes(event.payload))
            elif type(event) is CloseConnection:
                self._take_close(event)
                break
            elif type(event) is BytesMessage and not self._take_bytes(event):
                break
        if len(self._outgoing) > queued and self.on_unsent is not None:
            self.on_unsent()

    def _take_text(self, event: TextMessage) -> bool:
        part = event.data
        # A part is what one read or one fragment brought; ASCII is told from a flag of the string.
        self._size += len(part) if part.isascii() else len(part.encode())
        if self._size > self._limit:
            self._fail(1009, f"message larger than {self._limit} bytes")
            return False
        if not event.message_finished:
            if part:
                self._parts.append(part)
            return True
        self._size = 0
        if self._parts:
            self._parts.append(part)
            part = "".join(self._parts)
            self._parts.clear()
        self._ready.append(part)
        return True

    def _take_bytes(self, event: BytesMessage) -> bool:
        """A binary message is none of OCPP-J; where `on_binary` is set it is taken as the text that it holds."""
        if self.on_binary is None:
            self._fail(1003, "binary message")
            return False
        self._size += len(event.data)
        if self._size > self._limit:
            self._fail(1009, f"message larger than {self._limit} bytes")
            return False
        self._parts.append(event.data.decode("latin-1"))  # a character for each byte: it may end within one of UTF-8
        if not event.message_finished:
            return True
        whole = "".join(self._parts).encode("latin-1")
        self._size = 0
        self._parts.clear()
        try:
            self._ready.append(whole.decode())
        except UnicodeDecodeError:
            self._fail(1007, "binary message that is no UTF-8")
            return False
        self.on_binary()
        return True

    def _take_close(self, event: CloseConnection) -> None:
        state = self._connection.state
        if state is ConnectionState.REMOTE_CLOSING:
            self._outgoing += self._connection.send(event.response())
            self._end(int(event.code), event.reason or "")
        elif state is ConnectionState.CLOSED:
            self._end(int(event.code), event.reason or "")
        else:  # no close frame at all: this is how wsproto reports a frame that breaks the protocol
            self._fail(int(event.code), event.reason or "protocol error")

    def _fail(self, code: int, reason: str) -> None:
        self._must_drain = True
        self.send_close(code, reason)
        self._end(code, reason)

    def _end(self, code: int, reason: str) -> None:
        if self._ended is None:
            self._ended = (code, reason)

    def send_text(self, data: bytes | str) -> None:
        """Queue one text message. Raises `ConnectionClosed` when not `is_open`."""
        self._queue(TextMessage(data=data if isinstance(data, str) else data.decode()))

    def send_ping(self, payload: bytes = b"") -> None:
        """Queue a ping with at most 125 bytes; `on_pong` gets them back. Raises `ConnectionClosed`."""
        self._queue(Ping(payload=payload))

    def send_close(self, code: int = 1000, reason: str = "") -> None:
        """Queue a close frame; nothing if one was sent or received before. A reason above 123 bytes is cut."""
        if self.is_open:
            self._queue(CloseConnection(code=code, reason=reason or None))

    def _queue(self, event: Event) -> None:
        if self._ended is not None:
            raise ConnectionClosed(*self._ended)
        try:
            self._outgoing += self._connection.send(event)
        except LocalProtocolError:
            raise ConnectionClosed(1006, "the connection is closing") from None

    def flush_now(self) -> bool:
        """Write what the kernel takes at once; True when nothing is left unsent. Never waits, never raises.

        Streams other than plain sockets (TLS, memory) know no such write: False then, and `flush` has to do it.
        """
        if not self.unsent:
            return True
        if self._flushing:
            return False
        if self._socket is None:
            return False
        try:
            sent = os.write(self._socket.fileno(), self._outgoing)
        except BlockingIOError:
            return False
        except OSError as exc:
            self.abort(f"connection broken: {exc}")
            return True
        del self._outgoing[:sent]
        return not self._outgoing

    async def flush(self) -> None:
        """Write everything queued, also what is queued meanwhile. The caller sets the deadline.

        Cancelled or timed out, it aborts the connection: the peer may have half a frame. A broken stream is no error
        here; `receive` reports it.
        """
        if self._closing:
            return await trio.lowlevel.checkpoint()
        if self._flushing:
            raise trio.BusyResourceError("another task is flushing")
        return await self._write_all()

    async def _write_all(self) -> None:
        self._flushing = True
        try:
            while self._outgoing:
                data, self._outgoing = self._outgoing, bytearray()
                await self._stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as exc:
            self.abort(f"connection broken: {exc.__cause__ or exc}")
        except BaseException:
            self.abort("a write was given up")
            raise
        finally:
            self._flushing = False

    async def aclose(self, code: int = 1000, reason: str = "") -> None:
        """Close in the regular way, within a few seconds, and then in any case. For the task that receives.

        Called while another task is in `receive` or `flush`, it does not wait for either. From here on other tasks have
        nothing to write.
        """
        self._closing = True
        try:
            with trio.move_on_after(CLOSE_TIMEOUT):
                if not self._flushing:
                    self.send_close(code, reason)
                    await self._write_all()
                    if not self._reading:
                        await self._await_end()
                    await self._stream.aclose()
        finally:
            self.abort("closed")
            await trio.aclose_forcefully(self._stream)

    async def _await_end(self) -> None:
        if self._must_drain:
            with trio.move_on_after(DRAIN_TIMEOUT):
                while await self._read():
                    pass
        while self._ended is None:
            try:
                await self.receive()
            except ConnectionClosed:
                break
        await self._write_all()

    def abort(self, reason: str = "aborted") -> None:
        """End it at once, without a close frame. A `receive` under way raises `ConnectionClosed` with 1006."""
        self._end(1006, reason)
        self._outgoing.clear()
        close_at_once(self._stream)
