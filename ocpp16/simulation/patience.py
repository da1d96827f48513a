"""How long a card waits for a car, and a car for a card: ConnectionTimeOut seconds, as the key is by then."""

from collections.abc import Callable
from typing import Protocol

from ocpp16.charge_point.station_door import StationDoor
from ocpp16.state.timers import Timer


class Wait:
    """One that waits; made by `Patience.wait`."""

    __slots__ = ("_expired", "_patience", "since", "timer")

    def __init__(self, patience: "Patience", since: float, expired: Callable[[], None]) -> None:
        self._patience = patience
        self._expired = expired
        self.since: float = since
        """Monotonic seconds."""
        self.timer: Timer | None = None

    def cancel(self) -> None:
        """It has come, or nobody waits for it any more."""
        self._patience.arm(self, 0)
        self._patience.waits.pop(self, None)

    def expire(self) -> None:
        self.cancel()
        self._expired()


class Attached(Protocol):
    """A station; its door has the clock and the timers of the present start."""

    door: StationDoor


class Patience:
    """Of one station."""

    __slots__ = ("_seconds", "_station", "waits")

    def __init__(self, station: Attached) -> None:
        self._station = station
        self._seconds = 0
        self.waits: dict[Wait, None] = {}

    def wait(self, expired: Callable[[], None]) -> Wait:
        """Call `expired` in ConnectionTimeOut seconds; never while that is 0."""
        made = Wait(self, self._station.door.clock.monotonic(), expired)
        self.waits[made] = None
        self.arm(made, self._seconds)
        return made

    def set_timeout(self, seconds: int) -> None:
        """ConnectionTimeOut: it holds for those that wait, too, from when they began."""
        if seconds != self._seconds:
            self._seconds = seconds
            for waiting in self.waits:
                self.arm(waiting, seconds)

    def arm(self, waiting: Wait, seconds: int) -> None:
        """Let it wait so many seconds from its begin; 0: without an end."""
        if waiting.timer is not None:
            waiting.timer.cancel()
            waiting.timer = None
        if seconds:
            waiting.timer = self._station.door.timers.at(waiting.since + seconds, waiting.expire)
