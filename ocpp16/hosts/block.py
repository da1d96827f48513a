"""What a block of a host without trio opens in trio's thread, whichever way the host enters and leaves it."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, NoReturn, Self

import trio

from ocpp16.charge_point import open as doors
from ocpp16.errors import ConfigurationError
from ocpp16.hosts.face import House, Waits, arguments_for, many
from ocpp16.hosts.station import World
from ocpp16.hosts.trio_thread import Gone, TrioThread
from ocpp16.values import described, finite

METER_INTERVAL = 1.0
"""Seconds between two readings of a meter while a transaction runs."""
SHORTEST_METER_INTERVAL = 0.01
"""A meter that is read faster leaves no time for anything else."""
LAST_WORDS = 5.0
"""Seconds that a host may take, at the end, for what it was not told yet."""


class Block:
    """Of one charge point or of many; each kind of host has a subclass, which enters and leaves it."""

    _wait: Waits
    """How this kind of host waits."""
    _word: str
    """How it is entered."""
    _thread: TrioThread | None = None
    """Since it is entered."""

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
        self._problems: Callable[[], list[str]] = list
        """What is wrong with other arguments that are the host's own."""

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

    @classmethod
    def of_fleet(cls, csms: str, made_of: Any, world: World, arguments: Mapping[str, Any]) -> Self:
        """For what `ocpp16.fleet.open_fleet` opens."""
        from ocpp16.hosts.fleets import HostedFleet  # firmware has no simulated stations to load

        hosted = HostedFleet(csms, made_of, world, arguments)
        block = cls(hosted.make, world, METER_INTERVAL, hosted.face)
        block._problems = hosted.problems
        return block

    def _must_be_entered(self) -> str:
        return f"this block is entered by `{self._word} … as …:`, and left with that"

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"no {name} yet: {self._must_be_entered()}")

    def _enter(self, gone: Gone) -> TrioThread:
        """The thread that is to begin. Raises ConfigurationError for arguments of ours that cannot be meant, and
        RuntimeError for a block that was entered before."""
        if self._thread is not None:
            raise RuntimeError("this block was entered before; each one is opened once")
        problems = [*self._world.problems(), *self._problems()]
        try:
            if finite(self._meter_interval, "meter_interval") < SHORTEST_METER_INTERVAL:
                least = f"at least {SHORTEST_METER_INTERVAL} s"
                problems.append(f"meter_interval must be {least}, not {described(self._meter_interval)}")
        except ValueError as error:
            problems.append(str(error))
        if problems:
            raise ConfigurationError(problems)
        self._thread = TrioThread(partial(_told_all, self._make, self._world, gone), gone)
        return self._thread

    def _opened(self, thread: TrioThread, value: Any) -> Any:
        """What the host gets of what was opened."""
        return self._faced(value, House(thread, self._world, self._wait, self._meter_interval))


@asynccontextmanager
async def _told_all(
    make: Callable[[], AbstractAsyncContextManager[Any]], world: World, gone: Gone
) -> AsyncIterator[Any]:
    """The block that `make` gives, which is left when the host was told all there is: none of its functions is called
    later on."""
    try:
        async with make() as value:
            yield value
    finally:
        with trio.CancelScope(shield=True), trio.move_on_after(LAST_WORDS):
            while world.is_telling and not gone():  # noqa: ASYNC110 - another thread tells
                await trio.sleep(0.005)
