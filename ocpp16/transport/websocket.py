"""One WebSocket connection over any trio stream, as client or as server (RFC 6455).

Text messages in, text messages out, and the control frames about them. It must not know what a message means, when to
ping, or whether to connect again.

Rules:
- One task reads (`receive`). Whatever has to be said in answer (pong, close) is only queued, and `on_unsent` tells.
- One writer at a time: `send_…` only queue; `flush_now` and `flush` write, and while a `flush` is under way
  `flush_now` leaves everything to it.
- A write that is cut short leaves half a frame, so it ends the connection (`abort`). Only the reader learns of an end,
  as `ConnectionClosed`; writing to a broken stream raises nothing.
- The work of one turn is bounded in frames and in bytes, whatever one read brings: what is left waits in the buffer
  while other tasks run.
- Whatever a stream or the frame machine raises is the end of this connection and of nothing else.
"""

import os
from collections.abc import Callable, Sequence
from typing import Self

import trio
from wsproto.connection import Connection, ConnectionState
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage
from wsproto.utilities import LocalProtocolError

from ocpp16.errors import ConnectionClosed, ConnectionFailed, HandshakeRefused
from ocpp16.faults import end_in, obey
from ocpp16.transport.assembly import Assembly, Unacceptable
from ocpp16.transport.compression import BoundedDeflate
from ocpp16.transport.handshake import Accept, Reject, UpgradeRequest, answer_upgrade, request_upgrade
from ocpp16.transport.streams import close, close_at_once, close_forcefully, said, yields

__all__ = ["Accept", "Reject", "UpgradeRequest", "WebSocket"]

MAX_MESSAGE_SIZE = 1 << 20  # bytes; no OCPP 1.6 message has a limit, yet something has to
HANDSHAKE_TIMEOUT = 30.0  # seconds
CLOSE_TIMEOUT = 3.0  # seconds for the closing handshake, TLS included
DRAIN_TIMEOUT = 1.0  # seconds to let a peer read why we close; closing with unread data would reset the connection
PONG_LIMIT = 1 << 14  # unsent bytes above which pings get no pong: the peer does not read (RFC 6455 §5.5.3 allows it)
READ_SIZE = 1 << 16
FRAMES_PER_TURN = 64  # some 10 µs each, and what the receiver makes of them
BYTES_PER_TURN = 1 << 16  # of messages, after inflation
MAX_PING = 125  # bytes (RFC 6455 §5.5)


class WebSocket:
    """An open connection; made by `connect` or `accept`.

    Attributes: `subprotocol` agreed on, or None; `request` the client's upgrade request (server role only);
    `on_binary`, called when a binary message was taken as text (None: the connection is closed with 1003);
    `on_pong` and `on_ping`, called with the payload when one arrives; `on_unsent`, called when `receive` queued a
    frame of its own; `answers_pings`, True unless a test wants a deaf peer.
    """

    __slots__ = (
        "_assembly",
        "_cause",
        "_closing",
        "_connection",
        "_ended",
        "_flushing",
        "_idle",
        "_is_foreign",
        "_limit",
        "_must_drain",
        "_outgoing",
        "_reading",
        "_ready",
        "_socket",
        "_stream",
        "_unabsorbed",
        "_unfed",
        "_writing",
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
        self._is_foreign = not yields(stream)
        self._connection = connection
        self._limit = max_message_size
        self._assembly: Assembly | None = None  # of a message that comes in parts
        self._outgoing = bytearray()
        self._writing = 0  # bytes that a `flush` has handed to the stream
        self._flushing = False
        self._idle: trio.Event | None = None  # set when that `flush` is over
        self._reading = False
        self._unfed: memoryview | None = None  # read, and more than the frame machine gets at once
        self._unabsorbed = True  # the frame machine may have frames: those that came in one packet with the handshake
        self._ready: list[str] = []
        self._ended: tuple[int, str] | None = None  # what `receive` raises once `_ready` is empty
        self._cause: BaseException | None = None  # of that
        self._must_drain = False
        self._closing = False  # `aclose` has taken over the writing

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
        now: Callable[[], float] | None = None,
        timeout: float = HANDSHAKE_TIMEOUT,
    ) -> Self:
        """Open a connection as client over a stream that is ready for it (OCPP-J 1.6 §3.1).

        Parameters: `host` value of the Host header, with the port unless it is the default one; `target` path and
        query, percent-encoded; `headers` additional ones, as Authorization; `max_message_size` in bytes; `compression`
        offers permessage-deflate; `require_subprotocol` False keeps a connection whose server chose none; `now` the
        time in seconds since 1970, for a Retry-After that is a date; `timeout` in seconds.

        Raises `HandshakeRefused` with status and body when the server did not upgrade, or agreed on no subprotocol;
        `ConnectionFailed` otherwise, whatever the stream raised. The stream is closed then, and also when this is
        cancelled.
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
                    now=now,
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
        except BaseException as exc:
            await close_forcefully(stream)
            if isinstance(exc, ConnectionFailed):
                raise
            obey(exc)
            raise ConnectionFailed(f"WebSocket handshake: {said(exc)}") from exc

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

        Raises `HandshakeRefused` after a refusal was sent (400 for a malformed request, 500 for a `decide` that
        raised, which is its cause), `ConnectionFailed` when the client gave none; the stream is closed then.
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
        except BaseException as exc:
            await close_forcefully(stream)
            if isinstance(exc, ConnectionFailed):
                raise
            obey(exc)
            raise ConnectionFailed(f"WebSocket handshake: {said(exc)}") from exc

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
        """Bytes that were queued and that the stream has not taken yet: a peer that does not read shows in them."""
        return self._writing + len(self._outgoing)

    async def receive(self) -> list[str]:
        """Wait for text and return messages that one read completed, at least one and at most `FRAMES_PER_TURN`.

        What the read brought beyond that comes with the next calls, each after a turn of the other tasks.

        Raises `ConnectionClosed`, again and again, once the connection has ended: by the peer's close frame (its code),
        by a frame that is not allowed (the code we queued: 1002, 1003 binary, 1007 no UTF-8, 1008 too many fragments,
        1009 too big), or 1006, with what the stream raised as its cause. May be cancelled without losing anything.
        """
        if self._reading:
            raise trio.BusyResourceError("another task is receiving")
        self._reading = True
        try:
            while not self._ready:
                if self._ended is not None:
                    raise ConnectionClosed(*self._ended) from self._cause
                if self._unabsorbed or self._unfed is not None:
                    await trio.lowlevel.checkpoint()
                else:
                    self._feed(await self._read())
                if self._ended is None:
                    self._absorb()
        finally:
            self._reading = False
        messages, self._ready = self._ready, []
        return messages

    async def _read(self) -> bytes:
        """What there is to read; b"" if there is nothing, or no more (then `_ended` says why)."""
        try:
            if self._socket is None:
                if self._is_foreign:
                    await trio.lowlevel.checkpoint()  # before, since what was read must not be lost to a cancellation
                data = await self._stream.receive_some(READ_SIZE)
                if type(data) is not bytes:
                    data = _as_bytes(data)
            else:
                # Waiting first saves the attempt to read that nearly always finds nothing.
                await trio.lowlevel.wait_readable(self._socket)
                try:
                    data = os.read(self._socket.fileno(), READ_SIZE)
                except BlockingIOError:
                    return b""
        except BaseException as exc:
            obey(exc)
            self._end(1006, f"connection broken: {said(exc)}", exc)
            return b""
        if not data:
            self._end(1006, "the peer closed the connection without a close frame")
        return data

    def _feed(self, data: bytes) -> None:
        if not data or self._ended is not None:
            return
        if len(data) > READ_SIZE:  # a stream that gives more than it is asked for
            self._unfed, data = memoryview(data)[READ_SIZE:], data[:READ_SIZE]
        try:
            self._connection.receive_data(data)
        except Exception as exc:
            self._break(exc)
        self._unabsorbed = True

    def _absorb(self) -> None:
        """Take frames out of the frame machine: as many as one turn may have."""
        if not self._unabsorbed and self._unfed is not None:
            piece, rest = self._unfed[:READ_SIZE], self._unfed[READ_SIZE:]
            self._unfed = rest or None
            self._feed(bytes(piece))
        queued = len(self._outgoing)
        frames, size = FRAMES_PER_TURN, BYTES_PER_TURN
        events = self._connection.events()
        self._unabsorbed = True
        while frames > 0 and size > 0 and self._ended is None:
            try:
                event = next(events, None)
            except Exception as exc:
                self._break(exc)
                break
            if event is None:
                self._unabsorbed = False
                break
            frames -= 1
            if type(event) is TextMessage or type(event) is BytesMessage:
                size -= len(event.data)
                if type(event) is TextMessage and event.message_finished and self._assembly is None:
                    self._take_whole(event.data)
                else:
                    self._take_part(event)
            else:
                self._take_control(event)
        if len(self._outgoing) > queued and self.on_unsent is not None:
            self.on_unsent()

    def _take_whole(self, text: str) -> None:
        """A message that came in one piece, as nearly all do."""
        # ASCII is told from a flag of the string.
        if (len(text) if text.isascii() else len(text.encode())) > self._limit:
            self._fail(1009, f"message larger than {self._limit} bytes")
        else:
            self._ready.append(text)

    def _take_part(self, event: TextMessage | BytesMessage) -> None:
        # A binary message is none of OCPP-J; where `on_binary` is set it is taken as the text that it holds.
        is_binary = type(event) is BytesMessage
        if is_binary and self.on_binary is None:
            self._fail(1003, "binary message")
            return
        if self._assembly is None:
            self._assembly = Assembly(self._limit)
        try:
            text = self._assembly.take(event)
        except Unacceptable as exc:
            self._fail(exc.code, exc.reason)
            return
        if text is not None:
            self._assembly = None
            self._ready.append(text)
            if is_binary and self.on_binary is not None:
                self.on_binary()

    def _take_control(self, event: Event) -> None:
        if type(event) is Ping:
            if self.answers_pings and len(self._outgoing) < PONG_LIMIT and self.is_open:
                self._outgoing += self._connection.send(event.response())
            if self.on_ping is not None:
                self.on_ping(bytes(event.payload))
        elif type(event) is Pong:
            if self.on_pong is not None:
                self.on_pong(bytes(event.payload))
        elif type(event) is CloseConnection:
            self._take_close(event)

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

    def _break(self, exc: Exception) -> None:
        """The frame machine raised: bytes that it was not made for, or a fault of it. Nothing further can be read."""
        self._end(1006, f"unreadable frames: {said(exc)}", exc)

    def _end(self, code: int, reason: str, cause: BaseException | None = None) -> None:
        if self._ended is None:
            self._ended, self._cause = (code, reason), cause

    def send_text(self, data: bytes | str) -> None:
        """Queue one text message. Raises `ConnectionClosed` when not `is_open`, ValueError for what is no UTF-8."""
        try:
            self._queue(TextMessage(data=data if isinstance(data, str) else data.decode()))
        except UnicodeError as exc:
            raise ValueError("data: is no text that UTF-8 can carry") from exc

    def send_ping(self, payload: bytes = b"") -> None:
        """Queue a ping with at most 125 bytes; `on_pong` gets them back. Raises `ConnectionClosed`, ValueError."""
        if len(payload) > MAX_PING:
            raise ValueError(f"payload: longer than {MAX_PING} bytes")
        self._queue(Ping(payload=payload))

    def send_close(self, code: int = 1000, reason: str = "") -> None:
        """Queue a close frame; nothing if one was sent or received before.

        Of a reason, which may be what somebody else said, 123 bytes are sent, and `?` for what is no character. Raises
        ValueError for a code outside 1000 to 4999 (RFC 6455 §7.4).
        """
        if not 1000 <= code <= 4999:
            raise ValueError(f"code: {code} is no close code, they are from 1000 to 4999")
        if self.is_open:
            text = reason.encode("utf-8", "replace").decode()
            self._queue(CloseConnection(code=code, reason=text or None))

    def _queue(self, event: Event) -> None:
        if self._ended is not None:
            raise ConnectionClosed(*self._ended) from self._cause
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
            self._give_up(exc)
            return True
        del self._outgoing[:sent]
        return not self._outgoing

    async def flush(self) -> None:
        """Write everything queued, also what is queued meanwhile. The caller sets the deadline.

        Cancelled or timed out, it aborts the connection: the peer may have half a frame. A broken stream is no error
        here, whatever it raises; `receive` reports it.
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
                self._writing = len(data)
                await self._stream.send_all(data)
                self._writing = 0
        except BaseException as exc:
            if end_in(exc) is None:
                self._give_up(exc)
            else:
                self.abort("a write was given up")
            obey(exc)
        finally:
            self._flushing = False
            self._writing = 0
            if self._idle is not None:
                self._idle.set()

    async def aclose(self, code: int = 1000, reason: str = "") -> None:
        """Close in the regular way, within a few seconds, and then in any case. For the task that receives.

        Called while another task is in `flush`, the close frame goes out behind what that task is writing. Called while
        another is in `receive`, it does not wait for the peer's own close frame. From here on other tasks have nothing
        to write. Whatever the stream raises, this does not; ValueError for a code that is none. A stream that shields
        its own `send_all` or `aclose` from cancellation is waited for as long as it takes: nobody can bound that.
        """
        self._closing = True
        try:
            with trio.move_on_after(CLOSE_TIMEOUT):
                self.send_close(code, reason)
                if self._flushing:
                    self._idle = trio.Event()
                    await self._idle.wait()
                await self._write_all()
                if not self._reading:
                    await self._await_end()
                await close(self._stream)
        finally:
            self.abort("closed")
            await close_forcefully(self._stream)

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

    def _give_up(self, exc: BaseException) -> None:
        """A write failed."""
        self._end(1006, f"connection broken: {said(exc)}", exc)
        self.abort()


def _as_bytes(data: object) -> bytes:
    """What a stream read, if it is bytes of another kind. Raises TypeError."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"the stream read {type(data).__name__}, which is no bytes")
    return bytes(data)
