"""The observer's queue: events in order, each no earlier than the change it tells of is on disk.

An event that tells of something not stored yet holds up those behind it, so the observer sees what happened in the
order in which it happened. The queue is bounded: a slow observer loses the oldest events, which are counted.
"""

from collections import deque
from collections.abc import Callable

import trio

from ocpp16.models import Counters
from ocpp16.observer import Observer, ObserverEvent
from ocpp16.profiles.base import log

LIMIT = 10_000
"""Events that may wait."""


class ObserverFeed:
    """Between one charge point and its observer. `durable` tells the highest journal number on disk."""

    __slots__ = ("_counters", "_durable", "_observer", "_waiting", "_wakeup")

    def __init__(self, observer: Observer, counters: Counters, durable: Callable[[], int]) -> None:
        self._observer = observer
        self._counters = counters
        self._durable = durable
        self._waiting: deque[tuple[int, ObserverEvent]] = deque()
        self._wakeup = trio.Event()

    def tell(self, event: ObserverEvent, number: int) -> None:
        """Queue an event; `number` is the journal number it waits for, 0 for none. Never waits."""
        if len(self._waiting) >= LIMIT:
            self._waiting.popleft()
            self._counters.observer_events_dropped += 1
        self._waiting.append((number, event))
        self._wakeup.set()

    def tell_now(self, event: ObserverEvent) -> None:
        """Queue an event ahead of those that wait for the store: it says why they wait."""
        self._waiting.appendleft((0, event))
        self._wakeup.set()

    def kick(self) -> None:
        """More is on disk now."""
        self._wakeup.set()

    @property
    def is_empty(self) -> bool:
        return not self._waiting

    async def run(self) -> None:
        while True:
            self._wakeup = trio.Event()
            await self.drain()
            await self._wakeup.wait()

    async def drain(self) -> None:
        """Tell what may be told. An observer that raises is logged and goes on: it is not part of the charge point."""
        while self._waiting and self._waiting[0][0] <= self._durable():
            _, event = self._waiting.popleft()
            try:
                await self._observer.notify(event)
            except Exception:
                log.exception("the observer failed at %r", event)
