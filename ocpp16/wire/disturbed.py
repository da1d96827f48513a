"""A stream on which things go wrong, and the opener that gives such streams.

It lies between the WebSocket and whatever carries it: over TLS, which sees a connection without faults.

Rules of this file:
1. No task of its own while nothing is late: what comes in is late while its reader waits, and only what goes out late
   is written by a task, which ends when all is written.
2. What waits is bounded: a writer waits for room, and nothing is read that nobody takes.
3. Reading may be cancelled without losing anything, closing is bounded.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from math import inf
from operator import index
from random import Random
from typing import Final

import trio

from ocpp16.charge_point.connectivity import StreamOpener
from ocpp16.charge_point.dialing import Detour, Dialer
from ocpp16.errors import ConfigurationError, ConnectionFailed, HandshakeRefused
from ocpp16.faults import obey
from ocpp16.transport.dial import Endpoint
from ocpp16.transport.streams import close_at_once, close_forcefully
from ocpp16.transport.tls_stream import TlsStream
from ocpp16.wire.faults import Fault, Way, WireFaults, Word
from ocpp16.wire.lane import Lane

MOST_QUEUED: Final = 1 << 20
"""Bytes of one direction that are late, beyond which nobody writes or reads more."""
LOOK: Final = 2.0
"""Seconds after which faults that may change are asked for again where nothing passes."""
CLOSE_TIMEOUT: Final = 5.0
"""Seconds that closing waits for what is late."""
_READ_SIZE: Final = 1 << 16
_LINGER_RESET: Final = b"\x01\0\0\0\0\0\0\0"
"""struct linger: on, 0 s. TCP is reset when the socket is closed."""
_ON_A_STREAM: Final = frozenset(Word) - {Word.REFUSE, Word.SLOW_HANDSHAKE}

Faults = WireFaults | Callable[[], WireFaults | None]
"""What is wrong all the time, or a function that says what is now."""


def disturbed(
    opener: StreamOpener | None,
    faults: Faults,
    random: Random,
    now: Callable[[], float] = trio.current_time,
) -> "Disturbed":
    """An opener of streams on which `faults` happen, for `open_charge_point(connector=…)` and `open_fleet`.

    opener: opens the streams; None: the charge point's own way, with its TLS, proxy and interface. faults: what goes
    wrong; a function of them is asked anew at each connection and each message, and may say None. random: decides; the
    same seed and the same traffic give the same faults, whatever the pieces in which bytes come. now: seconds, of what
    is late.
    """
    return Disturbed(opener, faults, random, now)


class Disturbed(Detour):
    """Made by `disturbed`. counts: how often each word happened, over all connections."""

    def __init__(self, opener: StreamOpener | None, faults: Faults, random: Random, now: Callable[[], float]) -> None:
        self._opener = opener
        self._faults = faults
        self._random = random
        self._now = now
        self.counts: Counter[Word] = Counter()

    def by(self, own: Callable[[Endpoint], Awaitable[trio.abc.Stream]]) -> StreamOpener:
        """The same by way of `own`, if it was made without an opener."""
        if self._opener is not None:
            return self
        made = Disturbed(own, self._faults, self._random, self._now)
        made.counts = self.counts
        return made

    def refused(self) -> None:
        """The Central System refused the last attempt: perhaps the client certificate."""
        if isinstance(self._opener, Dialer):
            self._opener.refused()

    async def __call__(self, endpoint: Endpoint) -> trio.abc.Stream:
        """Raises what the opener raises, ConnectionFailed and HandshakeRefused of the word `refuse`."""
        if self._opener is None:
            raise ConfigurationError(["disturbed: without an opener it is for the connector of a charge point"])
        chance = Random(self._random.getrandbits(64))  # noqa: S311 - repeatable, not secret
        found = self._ask() or WireFaults()
        for fault in found.of(Word.REFUSE):
            if chance.random() < fault.probability:
                self.counts[Word.REFUSE] += 1
                await trio.lowlevel.checkpoint()
                raise _refusal(fault, endpoint)
        stream = await self._opener(endpoint)
        try:
            for fault in found.of(Word.SLOW_HANDSHAKE):
                self.counts[Word.SLOW_HANDSHAKE] += 1
                await trio.sleep_until(trio.current_time() + fault.seconds)
        except BaseException:
            await close_forcefully(stream)
            raise
        if self._faults is found and not any(fault.word in _ON_A_STREAM for fault in found.faults):
            return stream
        return DisturbedStream(stream, self._faults, chance, self.counts, self._now)

    def _ask(self) -> WireFaults | None:
        return self._faults() if callable(self._faults) else self._faults


def _refusal(fault: Fault, endpoint: Endpoint) -> ConnectionFailed:
    if fault.status:
        return HandshakeRefused(fault.status, reason="a wire fault")
    return ConnectionFailed(f"TCP: cannot connect to {endpoint.authority}: refused by a wire fault")


class DisturbedStream(trio.abc.Stream):
    """Of a client: what is sent goes `out`. Parameters as of `disturbed`; `counts` is added to.

    is_silent: what comes is swallowed; nobody will hear an answer, or an end.
    """

    __slots__ = (
        "_carrier",
        "_counts",
        "_end",
        "_in",
        "_is_broken",
        "_is_closed",
        "_is_reading",
        "_is_sending",
        "_is_writing",
        "_moved",
        "_now",
        "_out",
        "_reading",
        "_recheck",
        "_send_failure",
        "_writing",
        "is_silent",
    )

    def __init__(
        self,
        carrier: trio.abc.Stream,
        faults: Faults,
        chance: Random,
        counts: "Counter[Word]",
        now: Callable[[], float] = trio.current_time,
    ) -> None:
        def ask() -> WireFaults | None:
            return faults() if callable(faults) else faults

        self._carrier = carrier
        self._now = now
        self._recheck = LOOK if callable(faults) else inf
        self._out = Lane(Way.OUT, ask, Random(chance.getrandbits(64)), counts, now())  # noqa: S311
        self._in = Lane(Way.IN, ask, Random(chance.getrandbits(64)), counts, now())  # noqa: S311
        self._counts = counts
        self._end: Exception | bytes | None = None
        """What the carrier said last: its end, or why it broke."""
        self._is_broken = self._is_closed = False
        self._is_reading = self._is_sending = self._is_writing = False
        self._send_failure: Exception | None = None
        self._reading: trio.CancelScope | None = None
        self._writing: trio.CancelScope | None = None
        """Of the task that writes what is late."""
        self._moved = trio.Event()
        """Something was written."""
        self.is_silent: bool = False

    # In

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        if self._is_reading:
            raise trio.BusyResourceError("another task is receiving")
        if max_bytes is not None and index(max_bytes) < 1:
            raise ValueError("max_bytes must be at least 1")
        self._is_reading = True
        try:
            await trio.lowlevel.checkpoint_if_cancelled()
            has_yielded = False
            while True:
                found = self._received(max_bytes) if has_yielded else None
                if found is not None:
                    return found
                await self._wait_for_more(is_short=not has_yielded and self._has_something())
                has_yielded = True
        finally:
            self._is_reading = False

    def _has_something(self) -> bool:
        """Is there an answer without waiting? Others run first in any case."""
        is_due = bool(self._in.queue) and self._in.queue[0][0] <= self._now()
        return is_due or self._is_broken or self._is_closed or (self._end is not None and not self._in.queue)

    def _received(self, most: int | None) -> bytes | None:
        """What the reader gets now; None: it has to wait."""
        now = self._now()
        self._tick(now)
        while not self._is_broken and not self._is_closed:
            found = self._in.take(now, most)
            if not isinstance(found, Fault):
                if found:
                    return found
                break
            self._meet(found)
        self._check()
        if self._in.queue or self._end is None or self.is_silent:
            return None
        if isinstance(self._end, Exception):
            raise trio.BrokenResourceError(str(self._end)) from self._end
        return self._end

    async def _wait_for_more(self, *, is_short: bool) -> None:
        """Until something comes, is due, or happens."""
        if is_short:
            await trio.lowlevel.checkpoint()
            return
        now = self._now()
        due = self._in.queue[0][0] if self._in.queue else inf
        wake = min(due, self._out.next_tick(), self._in.next_tick(), now + self._recheck)
        with trio.CancelScope(deadline=trio.current_time() + max(wake - now, 0.0)) as self._reading:
            if self._end is not None or (self._in.size >= MOST_QUEUED and not self.is_silent):
                await trio.sleep_forever()
            try:
                data = await self._carrier.receive_some(_READ_SIZE)
            except Exception as exc:
                self._end = exc
                return
            if data:
                self._in.feed(bytes(data), self._now())
            else:
                self._end = b""

    def _tick(self, now: float) -> None:
        self._in.tick(now)
        self._out.tick(now)
        if self._out.queue and not self._is_writing:
            self._begin_writing()

    # Out

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        if self._is_sending:
            raise trio.BusyResourceError("another task is sending")
        self._is_sending = True
        try:
            await trio.lowlevel.checkpoint_if_cancelled()
            self._check_sending()
            self._out.feed(bytes(data), self._now())
            if not self._is_writing:
                self._is_writing = True
                try:
                    await self._write_due()
                finally:
                    self._is_writing = False
                if self._out.queue:
                    self._begin_writing()
            await trio.lowlevel.cancel_shielded_checkpoint()
            while self._out.size > MOST_QUEUED and not self._is_broken and not self._is_closed:
                await self._moved.wait()
            self._check_sending()
        finally:
            self._is_sending = False

    async def wait_send_all_might_not_block(self) -> None:
        if self._is_sending:
            raise trio.BusyResourceError("another task is sending")
        self._check_sending()
        await trio.lowlevel.checkpoint()

    async def _write_due(self) -> None:
        """Write what is due, for the one that writes. Raises BrokenResourceError."""
        try:
            while not self._is_broken and not self._is_closed:
                found = self._out.take(self._now())
                if isinstance(found, Fault):
                    self._meet(found)
                elif found:
                    await self._carrier.send_all(found)
                else:
                    break
        except trio.ClosedResourceError as exc:
            self._check()
            raise trio.BrokenResourceError("the carrier was closed") from exc
        finally:
            self._has_moved()

    def _begin_writing(self) -> None:
        self._is_writing = True
        self._writing = trio.CancelScope()
        trio.lowlevel.spawn_system_task(self._write_late, self._writing)

    async def _write_late(self, scope: trio.CancelScope) -> None:
        try:
            with scope:
                while self._out.queue and not self._is_broken and not self._is_closed:
                    now = self._now()
                    wait = self._out.queue[0][0] - now
                    if wait > 0:
                        await trio.sleep_until(trio.current_time() + wait)
                    await self._write_due()
        except BaseException as exc:
            obey(exc)
            self._send_failure = exc if isinstance(exc, Exception) else trio.BrokenResourceError(repr(exc))
            self._out.silence()
        finally:
            self._is_writing = False
            self._writing = None
            self._has_moved()

    def _has_moved(self) -> None:
        moved, self._moved = self._moved, trio.Event()
        moved.set()

    def _check_sending(self) -> None:
        self._check()
        if self._send_failure is not None:
            raise trio.BrokenResourceError("what was late could not be written") from self._send_failure

    # Ends

    def _check(self) -> None:
        if self._is_closed:
            raise trio.ClosedResourceError("this stream was closed")
        if self._is_broken:
            raise trio.BrokenResourceError("cut by a wire fault")

    def _meet(self, fault: Fault) -> None:
        """A fault of the connection as a whole is due."""
        self._counts[fault.word] += 1
        if fault.word is Word.CUT:
            self._is_broken = True
            _reset(self._carrier)
            self._stop()
            return
        if fault.meets(Way.IN):
            self._in.silence()
            self.is_silent = True
        if fault.meets(Way.OUT):
            self._out.silence()

    def _stop(self) -> None:
        """Nobody waits here any longer, and nothing is carried."""
        for scope in (self._reading, self._writing):
            if scope is not None:
                scope.cancel()
        self._out.silence()
        self._has_moved()
        close_at_once(self._carrier)

    def close(self) -> None:
        """As `aclose`, at once: what is late is lost."""
        self._is_closed = True
        self._stop()

    async def aclose(self) -> None:
        is_sound = not self._is_broken and not self._is_closed and not self._out.is_over
        try:
            if is_sound:
                with trio.move_on_after(CLOSE_TIMEOUT):
                    while self._out.queue and not self._is_broken and self._is_writing:
                        await self._moved.wait()
                    self._is_closed = True
                    await self._carrier.aclose()
        finally:
            self.close()
        await trio.lowlevel.checkpoint()


def _reset(stream: trio.abc.Stream) -> None:
    """Let TCP, where there is any, end with a reset."""
    while isinstance(stream, trio.SSLStream):
        stream = stream.transport_stream
    if isinstance(stream, trio.SocketStream | TlsStream):
        with suppress(OSError):
            stream.socket.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, _LINGER_RESET)
