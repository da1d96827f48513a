"""Stored reservations that are over by a clock that may be wrong: they are not, until somebody knows the time.

Nothing here reads a clock.
"""

from collections.abc import Iterable
from math import inf

from ocpp16.models import Reservation
from ocpp16.state.clock import IN_DOUBT

_NONE: frozenset[int] = frozenset()


class Doubt:
    """Reservations that are over only if a clock is right that nobody has set yet: they are kept for a while."""

    __slots__ = ("_ids", "until")

    def __init__(self) -> None:
        self._ids = _NONE
        self.until: float = inf
        """By the monotonic clock; inf: there is none."""

    def begin(self, over: Iterable[Reservation], now: float) -> None:
        self._ids = frozenset(one.reservation_id for one in over)
        self.until = now + IN_DOUBT if self._ids else inf

    def lift(self) -> None:
        self._ids, self.until = _NONE, inf

    def forget(self, reservation: Reservation) -> None:
        """Another one has its id now."""
        self._ids -= {reservation.reservation_id}

    def certain(self, reservations: Iterable[Reservation], now: float) -> list[Reservation]:
        """Those that there is no doubt about, at this time of the monotonic clock."""
        if now >= self.until:
            self.lift()
        return [one for one in reservations if one.reservation_id not in self._ids]
