"""What of a WebSocket connection is done without waiting: the kernel is asked, and gives or takes what it can at once.

Here a message passes, in and out. It must not know a stream, nor who waits: see `websocket`, whose rules it keeps.
"""

import os

import trio
from wsproto.connection import Connection

from ocpp16._core.websocket_frames import give_back
from ocpp16.transport.frames import NOTHING, Frames
from ocpp16.transport.streams import said
from ocpp16.transport.tls_records import TlsRecords

READ_SIZE = 1 << 16


class PlainSocket(Frames):
    """`socket`: the socket that carries the frames; None: there is none that could be asked (memory, streams of
    others). `tls`: what makes records of them, and frames of records; None: nothing is between.

    The other parameters are those of `Frames`.
    """

    __slots__ = ("_closing", "_flushing", "_reading", "_tls", "socket")

    def __init__(
        self,
        socket: trio.socket.SocketType | None,
        tls: TlsRecords | None = None,
        *,
        is_client: bool,
        machine: Connection | None,
        trailing: bytes,
        limit: int,
    ) -> None:
        super().__init__(is_client=is_client, machine=machine, trailing=trailing, limit=limit)
        self.socket: trio.socket.SocketType | None = socket
        self._tls = tls
        self._reading = False
        self._flushing = False
        self._closing = False  # `aclose` has taken over the writing

    @property
    def unsent(self) -> bool:
        """Is there anything for `flush_now` or `flush` to do, or a `flush` under way?"""
        return not self._closing and (self._flushing or bool(self._outgoing) or self._is_held_up())

    def _is_held_up(self) -> bool:
        """Are there records that the kernel has not taken?"""
        return self._tls is not None and self._tls.unsent > 0

    @property
    def waits(self) -> bool:
        """Has `read_now` something to return or to raise without waiting until the socket is readable?"""
        return self._ended is not None or self._waits() or self._may_be_read()

    def _may_be_read(self) -> bool:
        """Has TLS something for a read, whatever the kernel has?"""
        return self._tls is not None and self._tls.waits

    def _is_in_a_record(self) -> bool:
        """May a read that brought nothing have been a part of something, since TLS is spoken?"""
        return self._tls is not None and not self._tls.is_over

    def read_now(self) -> list[str]:
        """The messages of one turn, possibly none, at most `FRAMES_PER_TURN`: of what waits here, else of one read.

        For the task that receives, when `socket` is readable or `waits` is true. Never waits itself; where `waits` is
        true afterwards, other tasks are to run before it is called again. Raises `ConnectionClosed` as `receive` does.
        """
        if self._reading:
            raise trio.BusyResourceError("another task is receiving")
        assert self.socket is not None, "only sockets can be read without waiting"
        if self._ended is None and not self._waits():
            self._reader.feed(self._read_socket())
        self._turn()
        return self._taken()

    def _taken(self) -> list[str]:
        """The messages that are ready. Raises `ConnectionClosed` where there are none and never will be."""
        messages, self._ready = self._ready, None
        if not messages and self._ended is not None:
            raise self._closed()
        return messages or []

    def _read_socket(self) -> bytes:
        """One read, without another that would find nothing; as `_read`."""
        assert self.socket is not None
        tls = self._tls
        try:
            data = os.read(self.socket.fileno(), READ_SIZE) if tls is None else tls.read_now()
        except BlockingIOError:
            return b""
        except OSError as exc:
            self._break_off(exc)
            return b""
        if not data and (tls is None or tls.is_over):
            self._end_without_close()
        return data

    def _end_without_close(self) -> None:
        self._end(1006, "the peer closed the connection without a close frame")

    def _break_off(self, exc: BaseException) -> None:
        self._end(1006, f"connection broken: {said(exc)}", exc)

    def flush_now(self) -> bool:
        """Write what the kernel takes at once; True when nothing is left unsent. Never waits, never raises.

        Streams of others know no such write: False then, and `flush` has to do it; but for one with a
        `send_now(data)` (as `testing.memory_stream`), which returns how many bytes it took.
        """
        if self._flushing:
            return self._closing
        if self._closing or not (self._outgoing or self._is_held_up()):
            return True
        if self.socket is None:
            return self._send_now()
        tls = self._tls
        try:
            if tls is None:
                sent = os.write(self.socket.fileno(), self._outgoing)
            else:
                sent = tls.write_now(self._outgoing)
                self._writing = tls.unsent
        except BlockingIOError:
            return False
        except OSError as exc:
            self._give_up(exc if tls is None else tls.reason(exc))
            return True
        if sent < len(self._outgoing):
            del self._outgoing[:sent]
            return False
        written, self._outgoing = self._outgoing, NOTHING
        if written:
            give_back(written)
        return not self._writing

    def _send_now(self) -> bool:
        """`flush_now` of what is no socket."""
        return False

    def abort(self, reason: str = "aborted") -> None:
        """Nothing is read or written any more."""
        self._end(1006, reason)
        self._outgoing = NOTHING

    def _give_up(self, exc: BaseException) -> None:
        """A write failed."""
        self._break_off(exc)
        self.abort()
