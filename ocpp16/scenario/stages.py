"""What each stage does to the fleet. Each charge point's part in it is drawn from the seed, its id and the stage."""

from collections.abc import Awaitable, Callable, Iterable
from random import Random
from typing import Final

import trio

from ocpp16.enums import BootReason, ConfigurationStatus, ResetType
from ocpp16.errors import Ocpp16Error
from ocpp16.fleet import Member
from ocpp16.scenario.model import Stage, StageKind
from ocpp16.scenario.run import LOOKED_AT, Run
from ocpp16.scenario.script import Script
from ocpp16.texts import shown

Moments = list[tuple[float, str]]


class Acting:
    """One stage of a run. number: its place, from 1."""

    def __init__(self, run: Run, stage: Stage, number: int, script: Script) -> None:
        self._run = run
        self._script = script
        self._stage = stage
        self._number = number

    async def play(self) -> None:
        """From its begin to its end."""
        await self._set_keys()
        await _ACTS[self._stage.kind](self)

    def _draw(self, identity: str, what: str) -> float:
        return Random(f"{self._run.seed} {identity} stage {self._number} {what}").random()  # noqa: S311

    async def _moments(self, ids: Iterable[str], over: float) -> Moments:
        """When each is due, in seconds from now, the earliest first."""
        found: Moments = []
        for identity in list(ids):
            if len(found) % LOOKED_AT == LOOKED_AT - 1:
                await trio.lowlevel.checkpoint()
            found.append((over * self._draw(identity, "moment"), identity))
        return sorted(found)

    def _some(self) -> list[Member]:
        """Those that this stage is about."""
        return [
            member
            for identity, member in self._run.members.items()
            if self._run.is_there(identity)
            and (self._stage.share >= 1.0 or self._draw(identity, "share") < self._stage.share)
        ]

    async def _each(self, moments: Moments, act: Callable[[str], Awaitable[None]]) -> None:
        began = self._run.now
        for moment, identity in moments:
            await self._run.pause(began + moment - self._run.now)
            await act(identity)
        await self._run.pause(0.0)

    async def _set_keys(self) -> None:
        for key, value in self._stage.keys.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            for member in list(self._run.members.values()):
                try:
                    status = await member.charge_point.configuration.set(key, text)
                except (Ocpp16Error, ValueError) as error:
                    self._run.note(f"{self._stage.name}: the key {key} could not be set: {shown(error)}")
                else:
                    if status not in (ConfigurationStatus.ACCEPTED, ConfigurationStatus.REBOOT_REQUIRED):
                        self._run.note(f"{self._stage.name}: the key {key} = {shown(text, 64)} was {status}")

    async def _settle(self) -> None:
        """Until all are registered, as long as that may take."""
        run = self._run
        with trio.move_on_after(self._stage.settle):
            while not all(run.is_registered(member) for member in run.members.values()):
                await run.pause(min(1.0, self._stage.settle / 10))

    # The kinds of stages

    async def ramp(self) -> None:
        run = self._run
        coming = [one for one in run.ids if one not in run.members]
        over = self._stage.over if run.rate is None else len(coming) / run.rate
        moments = await self._moments(coming, over)
        began = run.now
        due = {identity: began + moment for moment, identity in moments}
        await self._each(moments, lambda identity: run.add(identity, due[identity]))
        await self._settle()

    async def hold(self) -> None:
        await self._run.pause(self._stage.duration * self._run.stretch)

    async def storm(self) -> None:
        for time in range(self._stage.times):
            if time:
                await self._run.pause(self._stage.pause)
            await self._each(await self._moments((one.identity for one in self._some()), self._stage.over), self._cut)
            await self._settle()

    async def _cut(self, identity: str) -> None:
        """Break the connection, and have it come again at once."""
        try:
            door = self._run.members[identity].charge_point.connection
            door.drop()
            door.connect()
        except Ocpp16Error:  # it is between two starts, and comes by itself
            return

    async def restart(self) -> None:
        order = await self._moments((one.identity for one in self._some()), 1.0)
        rate = self._run.rate or self._stage.rate
        await self._each([(number / rate, identity) for number, (_, identity) in enumerate(order)], self._reset)
        await self._run.pause(1.0)  # it takes a moment until the last one is off
        await self._settle()

    async def _reset(self, identity: str) -> None:
        self._run.members[identity].station.reboot(ResetType(self._stage.reset), BootReason.LOCAL_RESET)

    async def blackout(self) -> None:
        run, some = self._run, self._some()
        back = await self._moments((one.identity for one in some), self._stage.over)
        duration = self._stage.duration
        if self._stage.power:
            for moment, identity in back:
                if not run.members[identity].cut_power(duration + moment):
                    run.note(f"{self._stage.name}: {identity} was just restarting, and kept its power")
        else:
            for member in some:
                self._lose_network(member)
        await run.pause(duration)
        if self._stage.power:
            await run.pause(self._stage.over)
        else:
            await self._each(back, self._find_network)
        await self._settle()

    def _lose_network(self, member: Member) -> None:
        try:
            door = member.charge_point.connection
            door.drop()
            door.disconnect()
        except Ocpp16Error:  # between two starts
            self._run.note(f"{self._stage.name}: {member.identity} was just restarting, and kept its network")

    async def _find_network(self, identity: str) -> None:
        try:
            self._run.members[identity].charge_point.connection.connect()
        except Ocpp16Error:  # it was reset meanwhile, and is coming
            return

    async def steps(self) -> None:
        run = self._run
        async with trio.open_nursery() as nursery:
            for member in list(run.members.values()):
                nursery.start_soon(self._script.play, member, self._stage.within)

    async def stop(self) -> None:
        await self._each(await self._moments(self._run.members, self._stage.over), self._run.remove)
        await self._run.wait_removed()


_ACTS: Final[dict[StageKind, Callable[[Acting], Awaitable[None]]]] = {
    StageKind.RAMP: Acting.ramp,
    StageKind.HOLD: Acting.hold,
    StageKind.STORM: Acting.storm,
    StageKind.RESTART: Acting.restart,
    StageKind.BLACKOUT: Acting.blackout,
    StageKind.STEPS: Acting.steps,
    StageKind.STOP: Acting.stop,
}
