"""What is to happen when, for a whole fleet: one heap, and one task that sleeps until the next moment."""

import heapq
from collections.abc import Callable
from math import inf
from typing import Final

import trio

from ocpp16.faults import obey_exit

MOST_AT_ONCE: Final = 100
"""Entries after which others have their turn, where many are due."""
Failed = Callable[[BaseException], None]


class Agenda:
    """Entries are called in the order of their moments, those of the same moment in the order of their making. What one
    raises goes to `failed`, and the next has its turn. Moments are trio's time."""

    def __init__(self, failed: Failed) -> None:
        self._failed = failed
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._made = 0
        self._earlier = trio.Event()

    def __len__(self) -> int:
        return len(self._heap)

    def at(self, when: float, call: Callable[[], None]) -> None:
        """Call once, at this moment, or soon if that is past."""
        if not self._heap or when < self._heap[0][0]:
            self._earlier.set()
        self._made += 1
        heapq.heappush(self._heap, (when, self._made, call))

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Call once, in so many seconds."""
        self.at(trio.current_time() + seconds, call)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._earlier = trio.Event()
            due = self._heap[0][0] if self._heap else inf
            with trio.move_on_after(max(0.0, due - trio.current_time())):
                await self._earlier.wait()
            self._call_what_is_due()

    def _call_what_is_due(self) -> None:
        now = trio.current_time()
        for _ in range(MOST_AT_ONCE):
            if not self._heap or self._heap[0][0] > now:
                return
            _, _, call = heapq.heappop(self._heap)
            try:
                call()
            except BaseException as error:
                obey_exit(error)
                self._failed(error)
