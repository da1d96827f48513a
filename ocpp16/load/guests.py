"""Charge points that come and go one by one, as a process of Locust wants them, and each CALL of theirs told.

Each boots, sends heartbeats, and charges one car after another: a user of Locust is one charge point with its drivers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType
from typing import Any, Final

import trio

from ocpp16.charge_point.connectivity import StreamOpener
from ocpp16.errors import Ocpp16Error
from ocpp16.faults import sentence
from ocpp16.fleet import CallEnded, Fleet, Member, open_fleet
from ocpp16.fleet.blueprint import USUAL
from ocpp16.fleet.names import LONGEST_ID_TAG
from ocpp16.load.documents import DocumentError, read
from ocpp16.load.job import DONE, Played
from ocpp16.log import log
from ocpp16.simulation import CarPlan
from ocpp16.texts import shown

TELL_EVERY: Final = 0.2
"""Seconds between two lines with calls."""
MOST_WAITING: Final = 10_000
"""Orders that wait to be carried out; a parent that sends more is mad."""
CHARGING: Final = (30.0, 90.0)
"""Seconds that a car charges."""
PAUSE: Final = (5.0, 30.0)
"""Seconds between two cars."""

_NO_KEYS: Mapping[str, Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    csms: str
    blueprint: str = USUAL
    keys: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: _NO_KEYS)
    seed: int = 0
    certificates: str | None = None
    source_addresses: tuple[str, ...] = ()


class Guests:
    """Made by `from_json`. `tell` is given calls that ended, as lists of action, seconds from when it was due, outcome
    and code."""

    def __init__(self, wish: _Wish, tell: Callable[[list[list[Any]]], None], connector: StreamOpener | None) -> None:
        self._wish = wish
        self._tell = tell
        self._connector = connector
        self._calls: list[list[Any]] = []
        self._orders, self._waiting = trio.open_memory_channel[tuple[str, str]](MOST_WAITING)
        self._is_over = trio.Event()
        self._going: dict[str, trio.Event] = {}
        """Of those that were removed and are not yet gone."""
        self._notes: list[str] = []

    @classmethod
    def from_json(
        cls, message: object, tell: Callable[[list[list[Any]]], None], connector: StreamOpener | None = None
    ) -> "Guests":
        """Raises DocumentError that names the member that is wrong."""
        return cls(read(_Wish, message), tell, connector)

    def stop(self) -> None:
        """All go, in order."""
        self._is_over.set()

    def order(self, message: Mapping[str, Any]) -> None:
        """Add one, or remove one. Raises DocumentError for what is neither."""
        what, identity = message.get("do"), message.get("charge_point")
        if what not in ("add", "remove"):
            raise DocumentError(f"do must be add, remove or stop, not {shown(what, 64)}")
        if not isinstance(identity, str) or not identity:
            raise DocumentError(f"charge_point must be the id of one, not {shown(identity, 64)}")
        try:
            self._orders.send_nowait((what, identity))
        except trio.WouldBlock:
            raise DocumentError("too many orders wait to be carried out") from None

    async def run(self) -> Played:
        """Until `stop`."""
        wish = self._wish
        async with (
            open_fleet(
                wish.csms,
                wish.blueprint,
                keys=wish.keys,
                source_addresses=wish.source_addresses,
                connector=self._connector,
                certificates_path=wish.certificates,
                calls=self._note,
            ) as fleet,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(self._serve, fleet, nursery)
            nursery.start_soon(self._tell_now_and_then)
            await self._is_over.wait()
            nursery.cancel_scope.cancel()
        self._tell_all()
        return Played(True, DONE, notes=tuple(self._notes))

    def _note(self, ended: CallEnded) -> None:
        self._calls.append([ended.action, max(0.0, ended.ended - ended.due), ended.outcome, ended.code])

    async def _tell_now_and_then(self) -> None:
        due = trio.current_time()
        while True:
            due = max(due + TELL_EVERY, trio.current_time())
            await trio.sleep_until(due)
            self._tell_all()

    def _tell_all(self) -> None:
        calls, self._calls = self._calls, []
        if calls:
            self._tell(calls)

    async def _serve(self, fleet: Fleet, nursery: trio.Nursery) -> None:
        """One order after another: who removes one that is just being added waits for it."""
        async for what, identity in self._waiting:
            try:
                if what == "remove":
                    self._going[identity] = gone = trio.Event()
                    nursery.start_soon(self._remove, fleet, identity, gone)
                else:
                    if identity in self._going:  # the id of one that goes is free for one that comes
                        await self._going[identity].wait()
                    nursery.start_soon(self._charge, await fleet.add(identity))
            except (Ocpp16Error, ValueError) as error:
                text = f"{shown(identity, 64)} could not come: {sentence(error)}"
                log.warning("%s", text)
                self._notes = [*self._notes, text][:20]

    async def _remove(self, fleet: Fleet, identity: str, gone: trio.Event) -> None:
        try:
            await fleet.remove(identity)
        finally:
            gone.set()
            if self._going.get(identity) is gone:
                del self._going[identity]

    async def _charge(self, member: Member) -> None:
        """One car after another, until it goes."""
        chance = Random(f"{self._wish.seed} {member.identity} cars")  # noqa: S311 - repeatable, not secret
        while not member.is_over.is_set():
            with trio.move_on_after(chance.uniform(*PAUSE)):
                await member.is_over.wait()
                return
            draws = chance.uniform(*CHARGING)
            try:
                member.station.plug_in(1, CarPlan(draw_for=draws, plug_after=0.0))
                member.station.present_id_tag(member.identity[-LONGEST_ID_TAG:], [1])
            except (Ocpp16Error, ValueError) as error:  # it is between two starts, or its connector is not free
                log.debug("%s: no car comes: %s", member.identity, sentence(error))
            with trio.move_on_after(draws + 10.0):
                await member.is_over.wait()
                return
