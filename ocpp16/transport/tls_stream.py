"""TLS as a stream: the client's end on a socket, and what of it waits. What does not is `tls_records`.

trio's own stream of TLS knows no read or write without a task that waits, which costs each message a task; sends no
alert; keeps the buffers that one large message needs; and is a circle, which keeps OpenSSL's until the collector comes.
"""

from collections.abc import Awaitable, Callable
from ssl import SSLContext

import trio

from ocpp16.transport.tls_records import TlsRecords

__all__ = ["TlsStream"]

_RECEIVED = 1 << 16
"""Bytes that `receive_some` returns at most where nobody says how many."""


class TlsStream(trio.abc.Stream):
    """The client's end on the socket of `tcp`, which is not used any more. `do_handshake` comes first.

    One task may send and one receive at a time, and `records` may be used instead between their calls.
    Raises ValueError or TypeError for a `server_hostname` that TLS cannot ask for.
    """

    __slots__ = ("__weakref__", "records")

    def __init__(self, tcp: trio.SocketStream, context: SSLContext, server_hostname: str) -> None:
        self.records: TlsRecords = TlsRecords(tcp.socket, context, server_hostname)

    @property
    def socket(self) -> trio.socket.SocketType:
        """The one below."""
        return self.records.socket

    async def do_handshake(self, others_first: Callable[[], Awaitable[None]] | None = None) -> None:
        """Raises trio.BrokenResourceError, whose cause is what OpenSSL or the socket raised.

        others_first: waits until other tasks had their turn: a step takes a millisecond, and where a Central System
        comes back those of hundreds have theirs at a time.
        """
        records = self.records
        try:
            while True:
                if others_first is not None:
                    await others_first()
                is_done = records.shake()
                await self._push()
                if is_done:
                    await trio.lowlevel.checkpoint()
                    return
                await trio.lowlevel.wait_readable(records.socket)
                try:
                    records.fetch()
                except BlockingIOError:
                    continue
        except OSError as error:  # of OpenSSL, too
            raise trio.BrokenResourceError from records.reason(error)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """As of any stream. Records that hold no bytes are no end."""
        records, limit = self.records, max_bytes or _RECEIVED
        while True:
            socket = self._open_socket()
            if records.waits:
                await trio.lowlevel.checkpoint()
            else:
                await trio.lowlevel.wait_readable(socket)
            try:
                data = records.read_now()
            except BlockingIOError:
                continue
            except OSError as error:
                raise trio.BrokenResourceError from error
            if len(data) > limit:
                records.put_back(data[limit:])
                data = data[:limit]
            if data or records.is_over:
                return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """As of any stream; also what waits of records."""
        await trio.lowlevel.checkpoint()
        records, rest = self.records, bytes(data)
        self._open_socket()
        try:
            while rest or records.unsent:
                rest = rest[records.write_now(rest) :]
                if records.unsent:
                    await self._push()
                elif rest:
                    await self._read_by_others()
        except OSError as error:
            raise trio.BrokenResourceError from records.reason(error)

    async def wait_send_all_might_not_block(self) -> None:
        """As of any stream."""
        await trio.lowlevel.wait_writable(self._open_socket())

    async def aclose(self) -> None:
        """Close, with a farewell that nobody waits for."""
        self.records.say_farewell()
        self.close()
        await trio.lowlevel.checkpoint()

    def close(self) -> None:
        """The same at once, without a farewell."""
        self.records.close()

    async def _push(self) -> None:
        while not self.records.push():
            await trio.lowlevel.wait_writable(self.records.socket)

    async def _read_by_others(self) -> None:
        """Until whoever receives has read more: in the middle of another handshake nothing can be written."""
        read = trio.Event()
        self.records.on_read = read.set
        await read.wait()
        if self.records.is_over:
            raise trio.BrokenResourceError

    def _open_socket(self) -> trio.socket.SocketType:
        if self.records.socket.fileno() < 0:
            raise trio.ClosedResourceError("this stream is closed")
        return self.records.socket
