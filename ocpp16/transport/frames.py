"""The frames of one WebSocket connection, both ways, without the stream that carries them (RFC 6455 §5 to §7).

Bytes in, texts out; texts in, bytes out; and the control frames about them. It must not know when to read, to write or
to ping, nor what a text means.

Rules:
- A text frame that is a whole message is read and written by `ocpp16._core`. All others are the frame machine's
  (wsproto's Connection): control frames, fragments, binary messages, frames that break a rule, and every frame where
  compression is agreed on. It is given them one by one, so that what it says of one comes in its place; a connection
  that meets none has no frame machine.
- The work of one turn is bounded in frames and in bytes, whatever was fed: what is left waits for the next.
- Once the connection has ended nothing is read; from the first close frame in either direction on nothing is sent but
  the answer to it.
- Whatever the frame machine raises is the end of this connection and of nothing else.
"""

from collections.abc import Callable

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage
from wsproto.utilities import LocalProtocolError

from ocpp16._core.websocket_frames import FrameReader, FrameTooLarge, append_text_frame, text_frame
from ocpp16.errors import ConnectionClosed
from ocpp16.transport.assembly import Assembly, Unacceptable
from ocpp16.transport.streams import said

__all__ = ["BYTES_PER_TURN", "FRAMES_PER_TURN", "NOTHING", "Frames"]

PONG_LIMIT = 1 << 14  # unsent bytes above which pings get no pong: the peer does not read (RFC 6455 §5.5.3 allows it)
FRAMES_PER_TURN = 64  # what the receiver makes of them costs more than they do
BYTES_PER_TURN = 1 << 16  # of messages, after inflation
MAX_PING = 125  # bytes (RFC 6455 §5.5)
NOTHING = bytearray()
"""What is unsent where nothing is: of all connections. It stays empty: whoever has something takes a buffer for it."""


class Frames:
    """One connection after its handshake, in one of the two roles.

    Parameters: `machine` is the frame machine where an extension transforms frames, else None; `trailing` what was read
    behind the handshake; `limit` the size of the largest message in bytes. Attributes: see `WebSocket`.
    """

    __slots__ = (
        "_absorbs",
        "_assembly",
        "_cause",
        "_ended",
        "_is_client",
        "_is_plain",
        "_limit",
        "_machine",
        "_must_drain",
        "_outgoing",
        "_reader",
        "_ready",
        "_writing",
        "answers_pings",
        "keeps_bytes",
        "on_binary",
        "on_end",
        "on_ping",
        "on_pong",
        "on_unsent",
    )

    def __init__(self, *, is_client: bool, machine: Connection | None, trailing: bytes, limit: int) -> None:
        self.on_pong: Callable[[bytes], None] | None = None
        self.on_binary: Callable[[], None] | None = None
        self.on_ping: Callable[[bytes], None] | None = None
        self.on_unsent: Callable[[], None] | None = None
        self.on_end: Callable[[], None] | None = None
        self.answers_pings: bool = True
        self.keeps_bytes: bool = False
        self._is_client = is_client
        self._is_plain = machine is None
        self._limit = limit
        self._machine = machine
        self._absorbs = False  # the frame machine may have more to tell of what it was given
        self._reader = FrameReader(is_client, limit, self._is_plain)
        self._reader.feed(trailing)
        self._assembly: Assembly | None = None  # of a message that comes in parts
        self._outgoing: bytearray = NOTHING
        self._writing = 0  # bytes of `_outgoing` that are handed to the stream
        self._ready: list[str] | None = None  # what came and was not received yet; None: nothing
        self._ended: tuple[int, str] | None = None  # what is told once `_ready` is empty
        self._cause: BaseException | None = None  # of that
        self._must_drain = False

    @property
    def is_open(self) -> bool:
        """May messages still be sent? False from the first close frame in either direction on."""
        return self._takes_messages()

    def _takes_messages(self) -> bool:
        return self._ended is None and (self._machine is None or self._machine.state is ConnectionState.OPEN)

    @property
    def unsent_bytes(self) -> int:
        """Bytes that were queued and that the stream has not taken yet: a peer that does not read shows in them."""
        return self._writing + len(self._outgoing)

    @property
    def ready(self) -> int:
        """Messages that came and were not received yet: in `on_binary` the last of them is the one that it is about."""
        return len(self._ready or ())

    def takes(self, limit: int) -> bool:
        """May a message be sent, and are fewer than `limit` bytes unsent?"""
        return self._takes_messages() and self._writing + len(self._outgoing) < limit

    @property
    def is_ended(self) -> bool:
        """Will nothing more be received but what is ready already?"""
        return self._ended is not None

    # What comes in

    def _waits(self) -> bool:
        """Is there something for `_turn` to do before more is fed?"""
        return self._absorbs or self._reader.waits

    def _turn(self) -> None:
        """Take frames out of what was fed: as many as one turn may have."""
        queued = len(self._outgoing)
        frames, size = FRAMES_PER_TURN, BYTES_PER_TURN
        ready = self._ready
        if ready is None:
            ready = self._ready = []
        while frames > 0 and size > 0 and self._ended is None:
            try:
                if not self._absorbs:
                    known = len(ready)
                    given, size = self._reader.take(ready, frames, size)
                    frames -= len(ready) - known
                    if given is None:
                        break
                    self._frame_machine().receive_data(given)
                    self._absorbs = True
                event = next(self._frame_machine().events(), None)
            except FrameTooLarge:
                self._fail(1009, f"message larger than {self._limit} bytes")
                break
            except Exception as exc:
                self._break(exc)
                break
            if event is None:
                self._absorbs = False
                continue
            frames -= 1
            if type(event) is TextMessage or type(event) is BytesMessage:
                size -= len(event.data)
                self._take_message(event)
            else:
                self._take_control(event)
        if not ready:
            self._ready = None
        if len(self._outgoing) > queued and self.on_unsent is not None:
            self.on_unsent()

    def _frame_machine(self) -> Connection:
        if self._machine is None:
            self._machine = Connection(ConnectionType.CLIENT if self._is_client else ConnectionType.SERVER)
        return self._machine

    def _take_message(self, event: TextMessage | BytesMessage) -> None:
        """A message, or a part of one: a fragment, or what one read brought of it."""
        # A binary message is none of OCPP-J; where `on_binary` is set it is taken as the text that it holds.
        is_binary = type(event) is BytesMessage
        if is_binary and self.on_binary is None:
            self._fail(1003, "binary message")
            return
        if self._assembly is None:
            self._assembly = Assembly(self._limit, keeps_bytes=self.keeps_bytes)
        try:
            text = self._assembly.take(event)
        except Unacceptable as exc:
            self._fail(exc.code, exc.reason)
            return
        if text is not None:
            self._assembly = None
            assert self._ready is not None, "there is a turn"
            self._ready.append(text)
            if is_binary and self.on_binary is not None:
                self.on_binary()

    def _take_control(self, event: Event) -> None:
        if type(event) is Ping:
            if self.answers_pings and len(self._outgoing) < PONG_LIMIT and self.is_open:
                self._add(self._frame_machine().send(event.response()))
            if self.on_ping is not None:
                self.on_ping(bytes(event.payload))
        elif type(event) is Pong:
            if self.on_pong is not None:
                self.on_pong(bytes(event.payload))
        elif type(event) is CloseConnection:
            self._take_close(event)

    def _take_close(self, event: CloseConnection) -> None:
        state = self._frame_machine().state
        if state is ConnectionState.REMOTE_CLOSING:
            self._add(self._frame_machine().send(event.response()))
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
            if self.on_end is not None:
                self.on_end()

    # What goes out

    def send_text(self, data: bytes | str) -> None:
        """Queue one text message. Raises `ConnectionClosed` when not `is_open`, ValueError for what is no UTF-8."""
        if not self._takes_messages():
            raise self._closed()
        try:
            if not self._is_plain:
                self._queue(TextMessage(data=data if isinstance(data, str) else data.decode()))
            elif self._outgoing:
                append_text_frame(self._outgoing, data, self._is_client)
            else:
                self._outgoing = text_frame(data, self._is_client)
        except UnicodeError as exc:
            raise ValueError("data: is no text that UTF-8 can carry") from exc

    def send_binary(self, text: str) -> None:
        """The same as a binary message, which OCPP-J does not have: for whoever passes one on as it came; bytes
        that were kept (`keeps_bytes`) are written as they were."""
        try:
            self._queue(BytesMessage(data=text.encode(errors="surrogateescape")))
        except UnicodeError as exc:
            raise ValueError("text: is no text that UTF-8 can carry") from exc

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
            raise self._closed()
        try:
            self._add(self._frame_machine().send(event))
        except LocalProtocolError:
            raise self._closed() from None

    def _add(self, data: bytes) -> None:
        if self._outgoing:
            self._outgoing += data
        else:
            self._outgoing = bytearray(data)

    def _closed(self) -> ConnectionClosed:
        """What says that nothing can be sent or received any more."""
        if self._ended is None:
            return ConnectionClosed(1006, "the connection is closing")
        closed = ConnectionClosed(*self._ended)
        closed.__cause__ = self._cause
        return closed
