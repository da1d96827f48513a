"""What a block of a host without trio opens in trio's thread, whichever way the host enters and leaves it."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Self

from ocpp16.charge_point import open as doors
from ocpp16.hosts.face import House, Waits, arguments_for, many
from ocpp16.hosts.station import World
from ocpp16.hosts.trio_thread import TrioThread

METER_INTERVAL = 1.0
"""Seconds between two readings of a meter while a transaction runs."""


class Block:
    """Of one charge point or of many; each kind of host has a subclass, which enters and leaves it."""

    _wait: Waits
    """How this kind of host waits."""
    _thread: TrioThread
    """Since it was entered."""

    def __init__(
        self,
        make: Callable[[], AbstractAsyncContextManager[Any]],
        world: World,
        meter_interval: float,
        faced: Callable[[Any, House], Any],
    ) -> None:
        self._make = make
        self._world = world
        self._meter_interval = meter_interval
        self._faced = faced

    @classmethod
    def of_one(
        cls, config: Any, station: Any, world: World, meter_interval: float, arguments: Mapping[str, Any]
    ) -> Self:
        """For what `ocpp16.open_charge_point` opens."""

        def make() -> AbstractAsyncContextManager[Any]:
            asked, given = arguments_for(station, world, dict(arguments))
            return doors.open_charge_point(config, asked, **given)

        return cls(make, world, meter_interval, lambda value, house: house.charge_point(value, station))

    @classmethod
    def of_many(cls, world: World, meter_interval: float, arguments: Mapping[str, Any]) -> Self:
        """For what `ocpp16.open_charge_points` opens."""
        return cls(partial(doors.open_charge_points, **arguments), world, meter_interval, many)

    def _face(self, value: Any) -> Any:
        """What the host gets of what was opened."""
        return self._faced(value, House(self._thread, self._world, self._wait, self._meter_interval))
