"""One charge point of a fleet with its station, and who looks after it: what fails is told, and begun again later.

A member that runs has no task of its own: one is there while it starts, is reset, or waits to be begun again.
"""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from functools import partial
from random import Random

import trio

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.charge_point.charge_points import ChargePoints
from ocpp16.enums import ResetType
from ocpp16.faults import obey, sentence
from ocpp16.fleet.blueprint import Blueprint
from ocpp16.log import log
from ocpp16.simulation import CommandError, Commands, Operation, SimulatedStation
from ocpp16.simulation.options import AfterReset
from ocpp16.values import finite

RESTART_AFTER = 1.0
"""Seconds until a charge point that failed is begun again; each time twice as long."""
LONGEST_WAIT = 200.0
"""In the mean: with what chance adds it is five minutes at most."""
SWITCHED_ON_AFTER = 10.0
"""Seconds that a station stays off whose option `after_reset` is "exit"."""


class MemberState(StrEnum):
    """What a member of a fleet is doing."""

    RUNNING = "running"
    """Its charge point works, connected or not."""
    OFF = "off"
    """It is about to start: for the first time, after a Reset, or after it failed."""
    GONE = "gone"
    """It was removed."""


class Member:
    """Made by `Fleet.add`. Station and charge point are others after a failure, and after a Reset that switches it off.

    `failures`: how often it could not start, or be reset; `failure`: the last reason, in words. `is_over`: it was
    removed, and is closed.
    """

    __slots__ = (
        "_charge_points",
        "_news",
        "_nursery",
        "_open",
        "_random",
        "_scope",
        "blueprint",
        "charge_point",
        "failure",
        "failures",
        "identity",
        "is_over",
        "on_open",
        "operation",
        "state",
        "station",
    )

    identity: str
    """Its ChargePointId, by which the fleet knows it."""
    blueprint: Blueprint
    state: MemberState
    failures: int
    failure: str
    is_over: bool
    charge_point: ChargePoint
    station: SimulatedStation
    operation: Operation

    def __init__(
        self,
        identity: str,
        made_of: Blueprint,
        open_one: Callable[["Member", SimulatedStation], Awaitable[ChargePoint]],
        charge_points: ChargePoints,
        nursery: trio.Nursery,
        random: Random,
    ) -> None:
        self.identity: str = identity
        self.blueprint: Blueprint = made_of
        self.state: MemberState = MemberState.OFF
        self.failures: int = 0
        self.failure: str = ""
        self.is_over: bool = False
        self.on_open: Callable[[Member], object] | None = None
        """Is told when station and charge point are others."""
        self._open = open_one
        self._charge_points = charge_points
        self._nursery = nursery
        self._random = random
        self._scope: trio.CancelScope | None = None
        self._news: trio.Event | None = None
        """Where somebody waits for it: the next change of its state."""

    def __repr__(self) -> str:
        return f"<Member {self.identity} ({self.blueprint.name}): {self.state}>"

    @property
    def commands(self) -> Commands:
        """What a person could do in front of it; see `ocpp16.simulation.Commands`."""
        return Commands(self.station, self.charge_point, self.operation, power_off=_power_off)

    async def open(self, station: SimulatedStation | None = None) -> None:
        """station: None: a new one. Raises what opening a charge point raises."""
        if station is None:
            station = SimulatedStation(self.blueprint.station_options, random=self._random)
        self.charge_point = charge_point = await self._open(self, station)
        self.station = station
        self.operation = Operation(station, charge_point)
        station.on_reset = self._note_reset
        if self.on_open is not None:
            self.on_open(self)

    def cut_power(self, seconds: float) -> bool:
        """The power fails, and comes back after so many seconds: nothing is ended in order, nothing more is sent, and
        the cars stay where they are. False where it is not running. Raises ValueError for what is no time."""
        seconds = finite(seconds, "seconds")
        if seconds < 0:
            raise ValueError(f"seconds must be 0 s or more, not {seconds:g}")
        if self._scope is not None or self.state is not MemberState.RUNNING:
            return False
        self._become(MemberState.OFF)
        self._nursery.start_soon(self._until_it_runs, partial(self._without_power, seconds))
        return True

    def begin(self, after: float) -> None:
        """Start it `after` so many seconds; it was opened before."""
        self._nursery.start_soon(self._until_it_runs, partial(self._start, after))

    async def end(self) -> None:
        """Stop it in order, and let go of it. Who is cancelled leaves it going on."""
        if self.state is not MemberState.GONE:
            self._become(MemberState.GONE)
            if self._scope is not None:
                self._scope.cancel()
            self._nursery.start_soon(self._close)
        await self.wait_over()

    def left(self) -> None:
        """The block of the fleet is left, and closed it."""
        self.is_over = True
        self._become(MemberState.GONE)

    async def wait_over(self) -> None:
        """Until it was removed, and is closed."""
        while not self.is_over:
            await self.wait_for_news()

    async def wait_for_news(self) -> None:
        """Until its state changes."""
        if self._news is None:
            self._news = trio.Event()
        await self._news.wait()

    def _become(self, state: MemberState) -> None:
        self.state = state
        news, self._news = self._news, None
        if news is not None:
            news.set()

    def _note_reset(self, kind: ResetType) -> None:
        if self._scope is None and self.state is MemberState.RUNNING:
            self._become(MemberState.OFF)
            self._nursery.start_soon(self._until_it_runs, self._reset)

    async def _until_it_runs(self, step: Callable[[], Awaitable[None]]) -> None:
        """Take a step that ends with a charge point that runs; where it fails, begin anew, and again."""
        with trio.CancelScope() as self._scope:
            wait = RESTART_AFTER
            while self.state is not MemberState.GONE:
                try:
                    await step()
                    self._become(MemberState.RUNNING)
                    break
                except BaseException as error:
                    obey(error)
                    self.failures += 1
                    self.failure = sentence(error)
                pause = wait * (0.5 + self._random.random())
                wait = min(2 * wait, LONGEST_WAIT)
                log.error("%s ended: %s; it is begun again in %.1f s", self.identity, self.failure, pause)
                step = partial(self._begin_anew, pause)
        self._scope = None

    async def _start(self, after: float) -> None:
        await trio.sleep(after)
        await self.operation.start()

    async def _reset(self) -> None:
        await self.operation.stop()
        if self.station.options.after_reset is AfterReset.EXIT:
            await self._begin_anew(SWITCHED_ON_AFTER)
        else:
            await self.operation.restart(self.station.boot_reason)

    async def _without_power(self, seconds: float) -> None:
        self.charge_point.abandon()
        self.station.power_down()
        await self._begin_anew(seconds, self.station)

    async def _begin_anew(self, after: float, station: SimulatedStation | None = None) -> None:
        await self._charge_points.close(self.charge_point)
        await trio.sleep(after)
        await self.open(station)
        await self.operation.start()

    async def _close(self) -> None:
        try:
            await self._charge_points.close(self.charge_point)
        finally:
            self.is_over = True
            self._become(MemberState.GONE)  # once more: somebody waits for its end


def _power_off() -> None:
    raise CommandError("refused", "power_off is for a process of its own: in a fleet use remove and add")
