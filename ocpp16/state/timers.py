"""All timers of one charge point: a heap of deadlines with callbacks, told the time from outside.

Rules of this file:
1. Due means `when <= now`. `run_due` runs what is due in the order of `when`, equal ones in the order of their making.
2. A callback is synchronous and short; it may add and cancel timers, itself included. What it raises goes to `on_error`
   if there is one, and the next timer has its turn; without, it passes through `run_due`. Either way the other timers
   stay as they are, and a repeated one goes on.
3. `every` keeps its phase: beats lie at first + n x interval. Beats missed in a long pause are made up by one call.
4. Cancelling only marks; the heap is rebuilt when more than half of it is marked, so that it cannot grow by cancelling.
5. Callbacks should be bound methods: a closure per timer costs a fleet more than the timer itself.
6. A storm of timers does not hold the loop: what `run_due` does at once is bounded in number and, by a clock, in time.
   Work on many things of a kind is a chain of timers that are due at once, one for each thing.
"""

import heapq
from collections.abc import Callable
from math import floor, inf, isnan, nan

from ocpp16.faults import obey_exit

_COMPACTION_FLOOR = 16
"""Below this number of cancelled entries a rebuild is not worth its time."""
SHORTEST_INTERVAL = 0.001
"""Seconds between two beats: shorter ones would leave no time for anything else."""
_MOST_BEATS = 2.0**53
"""Beats behind, from which on a float cannot tell where the grid lies."""
LONGEST_RUN = 0.002
"""Seconds after which `run_due` begins no other callback."""


class Timer:
    """One entry of `Timers`; made by `Timers.at` and `Timers.every`."""

    __slots__ = ("_callback", "_interval", "_timers", "when")

    def __init__(self, timers: "Timers", when: float, callback: Callable[[], None], interval: float) -> None:
        self._timers = timers
        self._callback: Callable[[], None] | None = callback
        self._interval = interval
        self.when: float = when
        """Monotonic seconds of the next (or last) call."""

    @property
    def is_active(self) -> bool:
        """Will it call yet? False once cancelled, and for `at` once it has been called."""
        return self._callback is not None

    def cancel(self) -> None:
        """Do not call any more. Harmless if there is nothing left to cancel."""
        if self._callback is not None:
            self._callback = None
            self._timers._count_cancelled(self.when)


class Timers:
    """The timers of one charge point.

    `on_earlier`, if set, is called with the new deadline when a timer is added that is due before all others: whoever
    sleeps until `deadline()` must then sleep less.
    """

    __slots__ = ("_cancelled", "_heap", "_is_known", "_next", "_sequence", "on_earlier", "on_error", "running_due")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._next = inf
        """When the first one is due, if that `_is_known`: it is asked for far more often than it changes."""
        self._is_known = True
        self._sequence = 0
        self._cancelled = 0
        self.on_earlier: Callable[[float], None] | None = None
        self.on_error: Callable[[str, BaseException], None] | None = None
        """Is given the place ("timer") and the exception of a callback that raised."""
        self.running_due: float = inf
        """When the timer was due whose callback runs; inf while none does."""

    def __len__(self) -> int:
        """Number of active timers."""
        return len(self._heap) - self._cancelled

    def at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call once, at monotonic second `when` (at the next `run_due` if that is past).

        Raises ValueError for what is no time.
        """
        return self._add(Timer(self, _second(when), callback, 0.0))

    def every(self, interval: float, callback: Callable[[], None], first: float) -> Timer:
        """Call at `first` and then each `interval` seconds until cancelled. Raises ValueError for no time, and for an
        interval that is none or below `SHORTEST_INTERVAL`."""
        if not SHORTEST_INTERVAL <= interval < inf:
            raise ValueError(f"interval must be a number of seconds from {SHORTEST_INTERVAL}, not {interval}")
        return self._add(Timer(self, _second(first), callback, _second(interval)))

    def deadline(self) -> float:
        """Monotonic seconds of the next timer, `inf` without any."""
        if not self._is_known:
            heap = self._heap
            while heap and heap[0][2]._callback is None:
                heapq.heappop(heap)
                self._cancelled -= 1
            self._next = heap[0][0] if heap else inf
            self._is_known = True
        return self._next

    def run_due(self, now: float, limit: int = 64, clock: Callable[[], float] | None = None) -> int:
        """Call what is due at `now`, at most `limit` callbacks and, by `clock` (monotonic seconds, as `now`), for about
        `LONGEST_RUN`, so that one storm of timers does not starve the rest.

        Returns how many were called. Timers that a callback adds and that are due already count among them.
        """
        called = 0
        while called < limit and self.deadline() <= now:
            if called and clock is not None and clock() - now >= LONGEST_RUN:
                break
            self._is_known = False
            timer = heapq.heappop(self._heap)[2]
            callback = timer._callback
            assert callback is not None, "deadline() leaves an active timer on top"
            self.running_due = timer.when
            if timer._interval:
                timer.when = _next_beat(timer.when, timer._interval, now)
                self._push(timer)
            else:
                timer._callback = None
            called += 1
            try:
                callback()
            except BaseException as error:
                if self.on_error is None:
                    raise
                obey_exit(error)
                self.on_error("timer", error)
            finally:
                self.running_due = inf
        return called

    def _add(self, timer: Timer) -> Timer:
        before = self.deadline()
        self._push(timer)
        if timer.when < before and self.on_earlier is not None:
            self.on_earlier(timer.when)
        return timer

    def _push(self, timer: Timer) -> None:
        heapq.heappush(self._heap, (timer.when, self._sequence, timer))
        self._sequence += 1
        if timer.when < self._next:
            self._next = timer.when

    def _count_cancelled(self, when: float) -> None:
        self._cancelled += 1
        if when <= self._next:
            self._is_known = False
        if self._cancelled > max(_COMPACTION_FLOOR, len(self._heap) // 2):
            self._heap = [entry for entry in self._heap if entry[2]._callback is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0


def _second(value: float) -> float:
    """Of an int as the float that it is. Raises ValueError for what is no time, and for what no float can hold."""
    try:
        seconds = value + 0.0
    except OverflowError:
        seconds = nan
    if isnan(seconds):
        raise ValueError("a timer needs a time")
    return seconds


def _next_beat(last: float, interval: float, now: float) -> float:
    """The first beat of the grid after `now`; without a pause this is last + interval."""
    behind = (now - last) / interval
    following = last + max(1, floor(behind) + 1) * interval if behind < _MOST_BEATS else now + interval
    return following if following > now else following + interval
