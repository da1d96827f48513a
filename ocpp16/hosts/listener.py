"""What thousands of calls and frames are told to, on its way from trio's thread to a function of the host.

Rules of this file:
1. All is told in order, in the host's world, and nothing in trio's thread waits for it.
2. What a host that is too slow has not been told is bounded by its size, and what was left out is counted and said.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from ocpp16.charge_point.station_check import is_async_function
from ocpp16.hosts.station import World, called
from ocpp16.values import described

LISTENERS: Final = ("calls", "frames", "links", "violations")
"""As of `ChargePoints.open`."""
MOST_UNTOLD: Final = 20_000_000
"""Characters that wait for one listener, about."""
_EACH: Final = 200
"""Of what is told, beside its texts."""
PORTION: Final = 1_000
"""Told in one piece of work, so that others have their turn in the host's world."""


def function_problem(name: str, function: object) -> str:
    """Why the argument `name` cannot be called in the host's world at once; "" if it can, or is None."""
    if function is None or (callable(function) and not is_async_function(function)):
        return ""
    return f"{name} must be a function that is not async, not {described(function)}"


class Listener:
    """What `calls`, `frames`, `links` or `violations` is told, on its way to the function of the host."""

    def __init__(self, world: World, function: Callable[..., object], name: str) -> None:
        self._world = world
        self._function = function
        self._name = name
        self._waiting: deque[tuple[Any, ...]] = deque()
        self._size = 0
        self._left_out = 0
        self._is_told = False
        self._lock = threading.Lock()

    def __call__(self, *told: Any) -> None:
        """In trio's thread."""
        size = _size(told)
        with self._lock:
            if self._size + size > MOST_UNTOLD:
                self._left_out += 1
                return
            self._waiting.append(told)
            self._size += size
            begins, self._is_told = not self._is_told, True
        if begins:
            self._world.tell(self, self._tell)

    def _tell(self) -> None:
        """In the host's world."""
        for _ in range(PORTION):
            with self._lock:
                left_out, self._left_out = self._left_out, 0
                told = self._waiting.popleft() if self._waiting else None
                if told is None:
                    self._is_told = False
                else:
                    self._size -= _size(told)
            if left_out:
                self._world.log.error("%s of the host is too slow: %d were left out", self._name, left_out)
            if told is None:
                return
            try:
                called(self._world.log, self._function, *told)
            except BaseException:  # an exit: it ends the host, or nothing, and the rest is told all the same
                self._world.tell(self, self._tell)
                raise
        self._world.tell(self, self._tell)


def _size(told: tuple[Any, ...]) -> int:
    return _EACH + sum(len(one) for one in told if isinstance(one, str))
