"""TLS over one socket, without waiting: records that the kernel has become bytes, and bytes records that it takes.

Here a message passes, in and out, as in `plain_socket`. It must not know who waits: see `tls_stream`.

Rules of this file:
1. OpenSSL is given a piece at a time, and asked for one: its buffers stay as large as the most that ever was in them,
   so one large message would make each connection of thousands larger for good.
2. What came before the end counts: bytes in front of a farewell (close_notify) or an alert are returned before it is
   told. What is behind is not read.
3. What OpenSSL has to say itself, an alert or its part of another handshake, goes out in its place, by whoever reads.
4. Where the kernel takes no more, no more becomes records.
"""

import os
import ssl
from collections.abc import Callable
from contextlib import suppress

import trio

READ_SIZE = 1 << 16
PIECE = 1 << 11
"""Bytes for OpenSSL at a time, either way; all but long messages are shorter."""
MOST_UNSENT = 1 << 13
"""Bytes of records that wait for the kernel, above which none are made: a part, as `websocket` has it."""
_MOST_READS = 64
"""Reads in which an alert is looked for behind what else came."""


class TlsRecords:
    """The client's end of TLS on `socket`, which does not block; `ssl_object` is OpenSSL's part, made by `context`.

    Attributes: `is_over`, nothing more will be read than waits here; `failure`, why, where it was no farewell and no
    end of the stream: an alert, or records that OpenSSL does not take; `on_read`, called once when more was read, or
    never will be.
    Raises ValueError or TypeError for a `server_hostname` that TLS cannot ask for.
    """

    __slots__ = (
        "_incoming",
        "_is_up",
        "_outgoing",
        "_plain",
        "_raw",
        "_unsent",
        "failure",
        "is_over",
        "on_read",
        "socket",
        "ssl_object",
    )

    def __init__(self, socket: trio.socket.SocketType, context: ssl.SSLContext, server_hostname: str) -> None:
        self.socket: trio.socket.SocketType = socket
        self._incoming: ssl.MemoryBIO = ssl.MemoryBIO()
        self._outgoing: ssl.MemoryBIO = ssl.MemoryBIO()
        self.ssl_object: ssl.SSLObject = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=server_hostname
        )
        self._is_up = False
        self._raw = b""
        """Of the handshake: read, and not given to OpenSSL yet."""
        self._plain = b""
        """Read and not returned yet."""
        self._unsent = bytearray()
        """Records that the kernel has not taken yet."""
        self.failure: OSError | None = None
        self.is_over: bool = False
        self.on_read: Callable[[], None] | None = None

    # Handshake

    def shake(self) -> bool:
        """Go on with the handshake as far as what was fetched will do; True: it is done.

        Raises ssl.SSLError; the alert that tells the server why is on its way then.
        """
        while not self._is_up:
            try:
                self.ssl_object.do_handshake()
                self._is_up = True
            except ssl.SSLWantReadError:
                if not self._raw:
                    break
                self._incoming.write(self._raw[:PIECE])
                self._raw = self._raw[PIECE:]
            except OSError:
                with suppress(OSError):
                    self.push()
                raise
        self.push()
        if self._is_up:  # more may have come with the end of the handshake
            raw, self._raw = self._raw, b""
            self._plain += self._opened(raw)
        return self._is_up

    def fetch(self) -> None:
        """Read something of the server's part of the handshake. Raises BlockingIOError, and what the socket raises."""
        self._raw = os.read(self.socket.fileno(), READ_SIZE)
        if not self._raw:
            self._incoming.write_eof()

    # What comes in

    @property
    def waits(self) -> bool:
        """Has `read_now` something to return or to raise, whatever the kernel has?"""
        return bool(self._plain) or self.is_over

    def read_now(self) -> bytes:
        """The bytes of one read; none where records came that hold none, or parts of one, and where `is_over`.

        Raises BlockingIOError where there is nothing to read, what the socket raises, and `failure`.
        """
        if self._plain:
            plain, self._plain = self._plain, b""
            return plain
        plain = b""
        if not self.is_over:
            raw = os.read(self.socket.fileno(), READ_SIZE)
            self.is_over = not raw
            plain = self._opened(raw)
        if self.failure is not None and not plain:
            raise self.failure
        return plain

    def put_back(self, plain: bytes) -> None:
        """`read_now` returns it first."""
        self._plain = plain + self._plain

    def _opened(self, raw: bytes) -> bytes:
        """What is in the records; what they ask OpenSSL for is on its way."""
        incoming, ssl_object = self._incoming, self.ssl_object
        found: list[bytes] = []
        try:
            for begin in range(0, len(raw) or 1, PIECE):
                incoming.write(raw[begin : begin + PIECE])
                with suppress(ssl.SSLWantReadError):
                    while incoming.pending or ssl_object.pending():
                        plain = ssl_object.read(PIECE)
                        if not plain:
                            self.is_over = True
                            break
                        found.append(plain)
                if self.is_over:
                    break
        except OSError as failure:
            self.is_over, self.failure = True, failure
        with suppress(OSError):  # the next read or write meets it, too
            self.push()
        self._tell_of_read()
        return found[0] if len(found) == 1 else b"".join(found)

    def _tell_of_read(self) -> None:
        if self.on_read is not None:
            on_read, self.on_read = self.on_read, None
            on_read()

    # What goes out

    @property
    def unsent(self) -> int:
        """Bytes of records that the kernel has not taken yet."""
        return len(self._unsent)

    def write_now(self, data: bytes | bytearray) -> int:
        """Make records and have the kernel take them; returns how many bytes of `data` need not be given again.

        Less than all: the kernel takes no more (`unsent` is above 0), or OpenSSL makes no record before it has read
        more of another handshake. Raises what the socket and OpenSSL raise.
        """
        taken, size = 0, len(data)
        while True:
            is_held = False
            while taken < size and len(self._unsent) < MOST_UNSENT:
                try:
                    taken += self.ssl_object.write(data[taken : taken + PIECE])
                except ssl.SSLWantReadError:
                    is_held = True
                    break
                self._unsent += self._outgoing.read()
            if not self.push() or taken == size or is_held:
                return taken

    def push(self) -> bool:
        """Have the kernel take what it takes of the records that are made; True when none is left."""
        if self._outgoing.pending:
            self._unsent += self._outgoing.read()
        if self._unsent:
            try:
                sent = os.write(self.socket.fileno(), self._unsent)
            except BlockingIOError:
                return False
            del self._unsent[:sent]
        return not self._unsent

    # The end

    def reason(self, error: OSError) -> OSError:
        """Why `error` came of a write: what the server said by an alert that may lie unread, or `error`."""
        if isinstance(error, ssl.SSLError):
            return error
        unread: list[bytes] = []
        try:
            for _ in range(_MOST_READS):
                if self.is_over:
                    break
                if self._is_up:
                    unread.append(self.read_now())
                else:
                    self.fetch()
                    self.shake()
        except ssl.SSLError as alert:
            return alert
        except OSError:
            pass
        finally:
            self.put_back(b"".join(unread))
        return self.failure or error

    def say_farewell(self) -> None:
        """Tell the server that this is the end (close_notify), if it takes it at once. Raises nothing."""
        if self._is_up and self.failure is None and not self._unsent:
            with suppress(OSError):
                self.ssl_object.unwrap()
            with suppress(OSError):
                self.push()
        self._is_up = False

    def close(self) -> None:
        """The socket, at once, and without a farewell."""
        self.socket.close()
        self._is_up, self.is_over = False, True
        self._plain = self._raw = b""
        self._unsent.clear()
        self._tell_of_read()
