"""One WebSocket connection over any trio stream, as client or as server (RFC 6455).

What `frames` says about bytes, done with a stream. It must not know what a message means, when to ping, or whether to
connect again.

Rules:
- One task reads (`receive` or `read_now`). Whatever has to be said in answer (pong, close) is only queued, and
  `on_unsent` tells.
- One writer at a time: `send_…` only queue; `flush_now` and `flush` write, and while a `flush` is under way
  `flush_now` leaves everything to it.
- A write that is cut short leaves half a frame, so it ends the connection (`abort`). Only the reader learns of an end,
  as `ConnectionClosed`; writing to a broken stream raises nothing.
- One read for each time that there is something to read, and no further one before all of it is taken: what exceeds
  one turn waits in the buffer while other tasks run.
- Whatever a stream raises is the end of this connection and of nothing else.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Self

import trio

from ocpp16.errors import ConnectionClosed, ConnectionFailed, HandshakeRefused
from ocpp16.faults import end_in, obey, obey_exit
from ocpp16.patience import of_others
from ocpp16.redaction import without_password
from ocpp16.transport.compression import BoundedDeflate
from ocpp16.transport.dial_failures import late_refusal
from ocpp16.transport.frames import NOTHING
from ocpp16.transport.handshake import (
    Accept,
    Decision,
    Reject,
    Upgraded,
    UpgradeRequest,
    answer_upgrade,
    request_upgrade,
)
from ocpp16.transport.plain_socket import READ_SIZE, PlainSocket
from ocpp16.transport.streams import close, close_at_once, close_forcefully, said, yields
from ocpp16.transport.tls_stream import TlsStream

__all__ = ["Accept", "Reject", "UpgradeRequest", "WebSocket"]

MAX_MESSAGE_SIZE = 1 << 20  # bytes; no OCPP 1.6 message has a limit, yet something has to
HANDSHAKE_TIMEOUT = 30.0  # seconds
CLOSE_TIMEOUT = 3.0  # seconds for the closing handshake, TLS included
PART = 1 << 13  # bytes that are handed to a stream at a time, so that a narrow band is told from a peer that is stuck
DRAIN_TIMEOUT = 1.0  # seconds to let a peer read why we close; closing with unread data would reset the connection


class WebSocket(PlainSocket):
    """An open connection; made by `connect` or `accept`.

    Attributes: `subprotocol` agreed on, or None; `request` the client's upgrade request (server role only); `socket`
    the socket below, for `read_now`, or None (memory, streams of others);
    `on_binary`, called when a binary message was taken as text (None: the connection is closed with 1003), and
    `keeps_bytes`: bytes of one that are no UTF-8 are kept as surrogates (False: the connection is closed with 1007);
    `on_pong` and `on_ping`, called with the payload when one arrives; `on_unsent`, called when `receive` queued a
    frame of its own; `on_end`, called once when the connection is over, before its socket is closed; `answers_pings`,
    True unless a test wants a deaf peer.
    """

    __slots__ = (
        "_idle",
        "_is_foreign",
        "_stream",
        "_wait",
        "request",
        "subprotocol",
    )

    def __init__(
        self,
        stream: trio.abc.Stream,
        upgraded: Upgraded,
        *,
        request: UpgradeRequest | None,
        max_message_size: int,
    ) -> None:
        super().__init__(
            stream.socket if isinstance(stream, trio.SocketStream | TlsStream) else None,
            stream.records if isinstance(stream, TlsStream) else None,
            is_client=request is None,
            machine=upgraded.machine,
            trailing=upgraded.trailing,
            limit=max_message_size,
        )
        self.subprotocol: str | None = upgraded.subprotocol
        self.request: UpgradeRequest | None = request
        self._stream = stream
        self._is_foreign = not yields(stream)
        self._idle: trio.Event | None = None  # set when that `flush` is over
        self._wait: trio.CancelScope | None = None  # of a read of a stream of others

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
        time in seconds since 1970, for a Retry-After that is a date; `timeout` in seconds of
        the world.

        Raises `HandshakeRefused` with status and body when the server did not upgrade, or agreed on no subprotocol;
        `ConnectionFailed` otherwise, whatever the stream raised. The stream is closed then, and also when this is
        cancelled.
        """
        extensions = [BoundedDeflate(max_message_size)] if compression else []
        try:
            with trio.move_on_after(of_others(timeout)) as scope:
                upgraded = await request_upgrade(
                    stream,
                    host=host,
                    target=target,
                    headers=headers,
                    subprotocols=subprotocols,
                    extensions=extensions,
                    now=now,
                )
                opened = cls(stream, upgraded, request=None, max_message_size=max_message_size)
                if upgraded.subprotocol is not None or not require_subprotocol or not subprotocols:
                    return opened
                opened.send_close(1002, "no subprotocol agreed")
                await opened.flush()
                raise HandshakeRefused(101, reason=f"the server chose no subprotocol of {', '.join(subprotocols)}")
            assert scope.cancelled_caught
            raise ConnectionFailed(f"WebSocket handshake: no answer within {timeout:g} s")
        except BaseException as exc:
            refusal = late_refusal(exc)
            await close_forcefully(stream)
            if isinstance(exc, HandshakeRefused) and headers:
                raise _without_passwords(exc, headers) from exc.__cause__
            if isinstance(exc, ConnectionFailed):
                raise
            obey(exc)
            if refusal is not None:
                raise refusal from exc
            raise ConnectionFailed(f"WebSocket handshake: {said(exc)}") from exc

    @classmethod
    async def accept(
        cls,
        stream: trio.abc.Stream,
        *,
        decide: Callable[[UpgradeRequest], Decision | Awaitable[Decision]],
        max_message_size: int = MAX_MESSAGE_SIZE,
        compression: bool = False,
        timeout: float = HANDSHAKE_TIMEOUT,
    ) -> Self:
        """Open a connection as server. `decide` looks at the request and chooses, at once or when awaited;
        `compression` accepts an offer.

        Raises `HandshakeRefused` after a refusal was sent (400 for a malformed request, 500 for a `decide` that
        raised, which is its cause), `ConnectionFailed` when the client gave none; the stream is closed then.
        """
        extensions = [BoundedDeflate(max_message_size)] if compression else []
        try:
            with trio.move_on_after(timeout) as scope:
                upgraded, request = await answer_upgrade(stream, decide=decide, extensions=extensions)
                return cls(stream, upgraded, request=request, max_message_size=max_message_size)
            assert scope.cancelled_caught
            raise ConnectionFailed(f"WebSocket handshake: no request within {timeout:g} s")
        except BaseException as exc:
            await close_forcefully(stream)
            if isinstance(exc, ConnectionFailed):
                raise
            obey(exc)
            raise ConnectionFailed(f"WebSocket handshake: {said(exc)}") from exc

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
            while not (self._ready or self._ended):
                if self._waits():
                    await trio.lowlevel.checkpoint()
                else:
                    self._reader.feed(await self._read())
                self._turn()
        finally:
            self._reading = False
        return self._taken()

    async def _read(self) -> bytes:
        """What there is to read; b"" if there is nothing, or no more (then `_ended` says why)."""
        try:
            if self.socket is None:
                if self._is_foreign:
                    await trio.lowlevel.checkpoint()  # before, since what was read must not be lost to a cancellation
                    if self._ended is not None:
                        return b""  # aborted meanwhile, when there was no read to cancel
                    with trio.CancelScope() as self._wait:
                        data = await self._stream.receive_some(READ_SIZE)
                    if self._wait.cancelled_caught:
                        return b""
                else:
                    data = await self._stream.receive_some(READ_SIZE)
                if type(data) is not bytes:
                    data = _as_bytes(data)
            else:
                # Waiting first saves the attempt to read that nearly always finds nothing.
                if self._may_be_read():
                    await trio.lowlevel.checkpoint()
                else:
                    await trio.lowlevel.wait_readable(self.socket)
                return self._read_socket()
        except BaseException as exc:
            obey(exc)
            self._break_off(exc)
            return b""
        if not data:
            self._end_without_close()
        return data

    def _send_now(self) -> bool:
        # Of the class: what wraps a stream and hands on all that it lacks would be gone round.
        send_now = getattr(type(self._stream), "send_now", None)
        if send_now is None:
            return False
        try:
            sent = send_now(self._stream, bytes(self._outgoing))
            if type(sent) is not int or not 0 <= sent <= len(self._outgoing):
                raise TypeError("send_now: what it returned is not how many of the bytes it took")
        except BaseException as exc:
            obey_exit(exc)
            self._give_up(exc)
            return True
        del self._outgoing[:sent]
        return not self._outgoing

    async def flush(self, taken: Callable[[], None] | None = None) -> None:
        """Write everything queued, also what is queued meanwhile. The caller sets the deadline; `taken` is called each
        time that the stream has taken a part (`PART` bytes at most), for a deadline that follows.

        Cancelled or timed out, it aborts the connection: the peer may have half a frame. A broken stream is no error
        here, whatever it raises; `receive` reports it.
        """
        if self._closing:
            return await trio.lowlevel.checkpoint()
        if self._flushing:
            raise trio.BusyResourceError("another task is flushing")
        return await self._write_all(taken)

    async def _write_all(self, taken: Callable[[], None] | None = None) -> None:
        self._flushing = True
        try:
            while self._outgoing or self._is_held_up():
                data, self._outgoing = self._outgoing, NOTHING
                self._writing = len(data)
                if self._is_held_up():
                    await self._stream.send_all(b"")  # records, a part by themselves
                    if taken is not None:
                        taken()
                for begin in range(0, len(data), PART):
                    part = data[begin : begin + PART]
                    await self._stream.send_all(part)
                    self._writing -= len(part)
                    if taken is not None:
                        taken()
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

    async def aclose(
        self, code: int = 1000, reason: str = "", *, on_text: Callable[[str], object] | None = None
    ) -> None:
        """Close in the regular way, within a few seconds, and then in any case. For the task that receives.

        Called while another task is in `flush`, the close frame goes out behind what that task is writing. Called while
        another is in `receive`, it does not wait for the peer's own close frame. From here on other tasks have nothing
        to write. `on_text` is told each message that comes before the peer's own close frame. Whatever the stream
        raises, this does not; ValueError for a code that is none. A stream that shields its own `send_all` or `aclose`
        from cancellation is waited for as long as it takes: nobody can bound that.
        """
        self._closing = True
        try:
            with trio.move_on_after(of_others(CLOSE_TIMEOUT)):
                self.send_close(code, reason)
                if self._flushing:
                    self._idle = trio.Event()
                    await self._idle.wait()
                await self._write_all()
                if not self._reading:
                    await self._await_end(on_text)
                await close(self._stream)
        finally:
            self.abort("closed")
            await close_forcefully(self._stream)

    async def _await_end(self, on_text: Callable[[str], object] | None) -> None:
        if self._must_drain:
            with trio.move_on_after(of_others(DRAIN_TIMEOUT)):
                while await self._read() or self._is_in_a_record():
                    pass
        while self._ended is None:
            try:
                texts = await self.receive()
            except ConnectionClosed:
                break
            if on_text is not None:
                for text in texts:
                    on_text(text)
        await self._write_all()

    def abort(self, reason: str = "aborted") -> None:
        """End it at once, without a close frame. A `receive` under way raises `ConnectionClosed` with 1006."""
        super().abort(reason)
        close_at_once(self._stream)
        if self._wait is not None:  # whether a stream of others ends its reads when it is closed, nobody knows
            self._wait.cancel()


def _as_bytes(data: object) -> bytes:
    """What a stream read, if it is bytes of another kind. Raises TypeError."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"the stream read {type(data).__name__}, which is no bytes")
    return bytes(data)


def _without_passwords(refused: HandshakeRefused, headers: Iterable[tuple[str, str]]) -> HandshakeRefused:
    """Some servers say back what they were told."""
    body, reason = refused.body, refused.reason
    for name, value in headers:
        if name.lower() == "authorization":
            body, reason = without_password(body, value), without_password(reason, value)
    return HandshakeRefused(refused.status, body, reason, refused.retry_after)
