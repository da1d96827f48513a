"""The observer's queue: events in order, each no earlier than the change it tells of is on disk.

An event that tells of something not stored yet holds up those behind it, so the observer sees what happened in the
order in which it happened. What waits for no disk, since it says why others do, goes ahead of all that, in its own
order. The queue is bounded in events and in bytes: a slow observer loses the oldest, which are counted, and of what
says why only when nothing else is left.
"""

from collections import deque
from collections.abc import Callable

import trio

from ocpp16.faults import obey, sentence
from ocpp16.log import FoldingLog
from ocpp16.models import Counters
from ocpp16.observer import MessageExchanged, Observer, ObserverEvent

LIMIT = 10_000
"""Events that may wait."""
BYTES_LIMIT = 4 * 1024 * 1024
"""Bytes of the frames among them: one frame may be a megabyte."""


class ObserverFeed:
    """Between one charge point and its observer.

    Parameters: `durable` tells the highest journal number on disk; `log` is that of the charge point.
    """

    __slots__ = (
        "_bytes",
        "_counters",
        "_durable",
        "_is_running",
        "_is_told",
        "_log",
        "_observer",
        "_urgent",
        "_waiting",
        "_wakeup",
    )

    def __init__(
        self, observer: Observer, counters: Counters, durable: Callable[[], int], log: FoldingLog | None = None
    ) -> None:
        self._log = log or FoldingLog("", trio.current_time)
        self._observer = observer
        self._counters = counters
        self._durable = durable
        self._waiting: deque[tuple[int, ObserverEvent]] = deque()
        self._urgent: deque[ObserverEvent] | None = None
        """What goes ahead; None until there was something."""
        self._bytes = 0
        self._wakeup = trio.Event()
        self._is_running = False
        self._is_told: trio.Event | None = None
        """Of whoever waits in `finish`."""

    def tell(self, event: ObserverEvent, number: int) -> None:
        """Queue an event; `number` is the journal number it waits for, 0 for none. Never waits."""
        self._waiting.append((number, event))
        self._grown(event)

    def tell_now(self, event: ObserverEvent) -> None:
        """Queue an event ahead of those that wait for the store: it says why they wait."""
        if self._urgent is None:
            self._urgent = deque()
        self._urgent.append(event)
        self._grown(event)

    def _grown(self, event: ObserverEvent) -> None:
        self._bytes += _size(event)
        while self._depth > LIMIT or self._bytes > BYTES_LIMIT:
            self._take(is_urgent=not self._waiting)
            self._counters.observer_events_dropped += 1
        self._wakeup.set()

    @property
    def _depth(self) -> int:
        return len(self._waiting) + (len(self._urgent) if self._urgent else 0)

    def _take(self, *, is_urgent: bool) -> ObserverEvent:
        if is_urgent:
            assert self._urgent is not None
            event = self._urgent.popleft()
        else:
            _, event = self._waiting.popleft()
        self._bytes -= _size(event)
        return event

    def kick(self) -> None:
        """More is on disk now."""
        self._wakeup.set()

    async def run(self) -> None:
        """Until cancelled."""
        self._is_running = True
        while True:
            self._wakeup = trio.Event()
            await self.drain()
            if self._is_told is not None:
                self._is_told.set()
            await self._wakeup.wait()

    async def finish(self) -> None:
        """Wait until `run`, if it was begun, has told what may be told, one event after another as ever."""
        if not self._is_running:
            return
        self._is_told = trio.Event()
        self._wakeup.set()
        await self._is_told.wait()

    async def drain(self) -> None:
        """Tell what may be told. An observer that raises is logged and goes on: it is not part of the charge point."""
        while self._urgent or (self._waiting and self._waiting[0][0] <= self._durable()):
            event = self._take(is_urgent=bool(self._urgent))
            try:
                await self._observer.notify(event)
            except BaseException as error:
                obey(error)
                self._counters.internal_errors += 1
                # Not told to the observer: it would fail at that, too.
                self._log.error("the observer failed at %s: %s", type(event).__name__, sentence(error), error=error)


def _size(event: ObserverEvent) -> int:
    return len(event.text) if isinstance(event, MessageExchanged) else 0
