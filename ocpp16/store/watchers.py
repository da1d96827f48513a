"""Who is told what the store does: outages, what was left out, and that more is stored.

Rules of this file:
1. An outage concerns everybody; what was left out concerns its charge point, and whoever watches all.
2. A callback that raises is logged, repeats folded: it is no part of the store.
3. A commit concerns those whose changes it held, and nobody else.
"""

import heapq
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

import trio

from ocpp16.faults import obey_exit, sentence
from ocpp16.log import FoldingLog


class Watcher(NamedTuple):
    """Callbacks, each may be missing. They are called in the trio thread."""

    on_failing: Callable[[str], None] | None = None
    """(reason), once when an outage begins."""
    on_recovered: Callable[[], None] | None = None
    """Once when it ends."""
    on_internal_error: Callable[[str, BaseException], None] | None = None
    """(place, error), when something was left out or a callback failed."""


class Owner(Protocol):
    """What is watched; it has callbacks of its own, which may change."""

    on_failing: Callable[[str], None] | None
    on_recovered: Callable[[], None] | None
    on_internal_error: Callable[[str, BaseException], None] | None

    @property
    def store(self) -> object: ...

    @property
    def outage(self) -> str: ...


class Watchers:
    """By charge point; None watches all. The owner's own callbacks are called first."""

    __slots__ = ("_detail", "_log", "_owner", "_watchers")

    def __init__(self, owner: Owner, log: FoldingLog) -> None:
        self._owner = owner
        self._log = log
        self._watchers: dict[str | None, list[Watcher]] = {}
        self._detail = self._present_detail()

    def add(self, charge_point_id: str | None, watcher: Watcher) -> Callable[[], None]:
        """Returns what ends it; a second call of that does nothing."""
        self._watchers.setdefault(charge_point_id, []).append(watcher)

        def end() -> None:
            watchers = self._watchers.get(charge_point_id, [])
            watchers[:] = [other for other in watchers if other is not watcher]
            if not watchers:
                self._watchers.pop(charge_point_id, None)

        return end

    def failing(self, reason: str) -> None:
        for watcher in self._all():
            if watcher.on_failing is not None:
                _call(self._log, watcher.on_failing, reason)

    def repaired(self) -> None:
        """Look whether the store has found its file damaged, and put that right, where no commit had failed."""
        if self._present_detail() != self._detail and not self._owner.outage:
            self.recovered()

    def _present_detail(self) -> object:
        return getattr(self._owner.store, "detail", "")

    def recovered(self) -> None:
        self._detail = self._present_detail()
        for watcher in self._all():
            if watcher.on_recovered is not None:
                _call(self._log, watcher.on_recovered)

    def internal_error(self, charge_point_id: str, place: str, error: BaseException) -> None:
        concerned = (self._own(), *self._watchers.get(charge_point_id, ()), *self._watchers.get(None, ()))
        for watcher in concerned:
            if watcher.on_internal_error is not None:
                _call(self._log, watcher.on_internal_error, place, error)

    def _own(self) -> Watcher:
        return Watcher(self._owner.on_failing, self._owner.on_recovered, self._owner.on_internal_error)

    def _all(self) -> list[Watcher]:
        return [self._own(), *(watcher for watchers in self._watchers.values() for watcher in watchers)]


def _call(log: FoldingLog, callback: Callable[..., None], *arguments: object) -> None:
    try:
        callback(*arguments)
    except BaseException as error:
        obey_exit(error)
        log.error("a callback of the store failed: %s", sentence(error), error=error)


class Waiters:
    """Tasks that wait for a number. Those of higher numbers are not woken, however many there are.

    A number that nobody waits for any more is forgotten: on a disk that stays full tasks give up, and others come.
    """

    __slots__ = ("_events", "_numbers")

    def __init__(self) -> None:
        self._events: dict[int, trio.Event] = {}
        self._numbers: list[int] = []
        """Those of `_events`, and some that were given up."""

    def __len__(self) -> int:
        """How many numbers are kept."""
        return len(self._numbers)

    async def wait(self, number: int) -> None:
        """Until `wake` was called with this number or a higher one."""
        event = self._events.get(number)
        if event is None:
            event = self._events[number] = trio.Event()
            heapq.heappush(self._numbers, number)
        try:
            await event.wait()
        finally:
            if self._events.get(number) is event and event.statistics().tasks_waiting == 0:
                self._forget(number)

    def wake(self, number: int) -> None:
        while self._numbers and self._numbers[0] <= number:
            event = self._events.pop(heapq.heappop(self._numbers), None)
            if event is not None:
                event.set()

    def _forget(self, number: int) -> None:
        del self._events[number]
        if len(self._numbers) > 64 + 2 * len(self._events):
            self._numbers = sorted(self._events)


class Subscribers:
    """Callbacks that are called when more is stored."""

    __slots__ = ("_by_charge_point", "_log", "of_all")

    def __init__(self, log: FoldingLog) -> None:
        self._log = log
        self.of_all: list[Callable[[], None]] = []
        """Of whom every commit concerns."""
        self._by_charge_point: dict[str, list[Callable[[], None]]] = {}

    def add(self, charge_point_id: str | None, kick: Callable[[], None]) -> Callable[[], None]:
        """Without `charge_point_id`, of all. Returns what ends it; a second call of that does nothing."""
        kicks = self.of_all if charge_point_id is None else self._by_charge_point.setdefault(charge_point_id, [])
        kicks.append(kick)

        def end() -> None:
            if kick in kicks:
                kicks.remove(kick)
                if charge_point_id is not None and not kicks and self._by_charge_point.get(charge_point_id) is kicks:
                    del self._by_charge_point[charge_point_id]

        return end

    def kick_all(self) -> None:
        for kick in tuple(self.of_all):
            _call(self._log, kick)

    def kick(self, charge_points: Iterable[str]) -> None:
        """Those of these charge points, and of all."""
        self.kick_all()
        for charge_point_id in charge_points:
            for kick in tuple(self._by_charge_point.get(charge_point_id, ())):
                _call(self._log, kick)
