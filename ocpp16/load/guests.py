"""Charge points that come and go one by one, as a process of Locust wants them, and what becomes of each CALL and each
connection of theirs.

Each boots, sends heartbeats, and charges one car after another, or plays a scenario: a user of Locust is one charge
point with its drivers.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType
from typing import Any, Final

import trio

from ocpp16.charge_point.connectivity import StreamOpener
from ocpp16.errors import Ocpp16Error
from ocpp16.faults import sentence
from ocpp16.fleet import CallEnded, Fleet, Member, ProtocolViolation, ViolationTally, open_fleet
from ocpp16.fleet.blueprint import USUAL
from ocpp16.fleet.names import LONGEST_ID_TAG
from ocpp16.load.documents import DocumentError, read
from ocpp16.load.guest_story import GuestStory
from ocpp16.load.job import DONE, Played
from ocpp16.load.links import LOST, STOPPED, LostCalls, attempt
from ocpp16.log import log
from ocpp16.scenario import Scenario, load_scenario
from ocpp16.simulation import CarPlan
from ocpp16.texts import shown

TELL_EVERY: Final = 0.2
"""Seconds between two lines with calls."""
MOST_WAITING: Final = 200_000
"""Orders that wait to be carried out: all that a process of Locust may have come and go at once. A parent that sends
more is mad."""
CHARGING: Final = (30.0, 90.0)
"""Seconds that a car charges."""
PAUSE: Final = (5.0, 30.0)
"""Seconds between two cars."""
HIGHEST_NUMBER: Final = 1_000_000_000
"""Of a charge point: of 10,000 processes with 100,000 each."""
MOST_REASONS: Final = 200
"""Why there is no connection; the others are counted together, as `OTHERS`."""
OTHERS: Final = "others"
LONGEST_REASON: Final = 160
MOST_SCENARIOS: Final = 100
"""That are kept after they were read."""
LAST_STORIES: Final = 10.0
"""Seconds that stories may take to end in order."""

_NO_KEYS: Mapping[str, Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    csms: str
    blueprint: str | None = None
    keys: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: _NO_KEYS)
    seed: int = 0
    certificates: str | None = None
    source_addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """scenario: "": none. number: of the charge point, among all of the test."""

    do: str = ""
    charge_point: str = ""
    number: int = 1
    scenario: str = ""
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class Guests:
    """Made by `from_json`. `tell` is given what is to be told: calls that ended, as lists of action, seconds from when
    it was due, outcome and code; links, as lists of why there is no connection, "" where there is one, and how often;
    violations of the protocol that are errors, as lists of rule, the first in words, and how many; stories, as lists of
    what `guest_story.Played` has."""

    def __init__(self, wish: _Wish, tell: Callable[[dict[str, Any]], None], connector: StreamOpener | None) -> None:
        self._wish = wish
        self._tell = tell
        self._connector = connector
        self._calls: list[list[Any]] = []
        self._links: Counter[str] = Counter()
        self._violations = ViolationTally()
        self._lost = LostCalls()
        self._connected: set[str] = set()
        self._reasons: set[str] = set()
        self._orders, self._waiting = trio.open_memory_channel[tuple[_Order, Scenario | None]](MOST_WAITING)
        self._scenarios: dict[str, Scenario] = {}
        self._stories: dict[str, GuestStory] = {}
        """Of those that are there."""
        self._is_over = trio.Event()
        self._going: dict[str, trio.Event] = {}
        """Of those that were removed and are not yet gone."""
        self._notes: list[str] = []
        self._story_ended = trio.Event()

    @classmethod
    def from_json(
        cls, message: object, tell: Callable[[dict[str, Any]], None], connector: StreamOpener | None = None
    ) -> "Guests":
        """Raises DocumentError that names the member that is wrong."""
        return cls(read(_Wish, message), tell, connector)

    def stop(self) -> None:
        """All go, in order."""
        self._is_over.set()

    def order(self, message: Mapping[str, Any]) -> None:
        """Add one, or remove one. Raises DocumentError for what is neither, and ScenarioError for a scenario that
        cannot be played."""
        order = read(_Order, message)
        if order.do not in ("add", "remove"):
            raise DocumentError(f"do must be add, remove or stop, not {shown(order.do, 64)}")
        if not order.charge_point:
            raise DocumentError("charge_point must be the id of one, and is empty")
        if not 1 <= order.number <= HIGHEST_NUMBER:
            raise DocumentError(f"number must be from 1 to {HIGHEST_NUMBER:,}, not {order.number}")
        scenario = self._scenario(order) if order.do == "add" and order.scenario else None
        try:
            self._orders.send_nowait((order, scenario))
        except trio.WouldBlock:
            raise DocumentError("too many orders wait to be carried out") from None

    def _scenario(self, order: _Order) -> Scenario:
        """Read once for all that play it."""
        asked = repr((order.scenario, sorted(order.values.items())))
        if asked not in self._scenarios:
            if len(self._scenarios) >= MOST_SCENARIOS:
                del self._scenarios[next(iter(self._scenarios))]
            self._scenarios[asked] = load_scenario(order.scenario, order.values)
        return self._scenarios[asked]

    async def run(self) -> Played:
        """Until `stop`."""
        wish = self._wish
        async with (
            open_fleet(
                wish.csms,
                wish.blueprint or USUAL,
                keys=wish.keys,
                source_addresses=wish.source_addresses,
                connector=self._connector,
                certificates_path=wish.certificates,
                calls=self._note,
                links=self._note_link,
                violations=self._note_violation,
            ) as fleet,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(self._serve, fleet, nursery)
            nursery.start_soon(self._tell_now_and_then)
            await self._is_over.wait()
            for story in self._stories.values():
                story.go()
            with trio.move_on_after(LAST_STORIES):
                while self._stories:
                    await self._story_ended.wait()
            nursery.cancel_scope.cancel()
        self._tell_all()
        return Played(True, DONE, notes=tuple(self._notes))

    def _note(self, ended: CallEnded) -> None:
        if ended.outcome == "lost" and ended.charge_point in self._connected:
            self._lost.add(ended)
        else:
            self._count_call(ended)

    def _count_call(self, ended: CallEnded) -> None:
        self._calls.append([ended.action, max(0.0, ended.ended - ended.due), ended.outcome, ended.code])

    def _note_violation(self, violation: ProtocolViolation) -> None:
        self._violations(violation)

    def _note_link_of_story(self, charge_point: str, is_connected: bool, reason: str) -> None:
        """That it is lost may be what the scenario wanted."""
        self._settle(charge_point, is_connected, reason)
        self._note_link(charge_point, is_connected, STOPPED if charge_point in self._connected else reason)

    def _settle(self, charge_point: str, is_connected: bool, reason: str) -> None:
        ended = None if is_connected else self._lost.settled(charge_point, reason)
        if ended is not None:
            self._count_call(ended)

    def _note_link(self, charge_point: str, is_connected: bool, reason: str) -> None:
        self._settle(charge_point, is_connected, reason)
        why = ""
        if is_connected:
            self._connected.add(charge_point)
        elif charge_point in self._connected:
            self._connected.discard(charge_point)
            why = LOST
        else:
            why = attempt(reason)
        if reason != STOPPED:
            self._count_link(why)

    def _count_link(self, why: str) -> None:
        if why not in self._reasons:
            if len(self._reasons) < MOST_REASONS:
                self._reasons.add(why)
            else:
                why = OTHERS
        self._links[why] += 1

    async def _tell_now_and_then(self) -> None:
        due = trio.current_time()
        while True:
            due = max(due + TELL_EVERY, trio.current_time())
            await trio.sleep_until(due)
            self._tell_all()

    def _tell_all(self) -> None:
        calls, self._calls = self._calls, []
        links, self._links = self._links, Counter()
        violations, self._violations = self._violations.counts(), ViolationTally()
        told = {
            "calls": calls,
            "links": [list(one) for one in links.items()],
            "violations": [
                [one.rule, f"{one.action} {one.why}".strip(), one.count] for one in violations if one.is_grave
            ],
        }
        if any(told.values()):
            self._tell({name: value for name, value in told.items() if value})

    async def _serve(self, fleet: Fleet, nursery: trio.Nursery) -> None:
        """One order after another: who removes one that is just being added waits for it."""
        async for order, scenario in self._waiting:
            identity = order.charge_point
            try:
                if order.do == "remove":
                    self._going[identity] = gone = trio.Event()
                    nursery.start_soon(self._remove, fleet, identity, gone)
                    continue
                if identity in self._going:  # the id of one that goes is free for one that comes
                    await self._going[identity].wait()
                if scenario is None:
                    nursery.start_soon(self._charge, await fleet.add(identity))
                elif identity in self._stories:
                    raise ValueError("it is there already")
                else:
                    self._stories[identity] = story = self._story(order, scenario)
                    nursery.start_soon(self._play, identity, story)
            except (Ocpp16Error, ValueError) as error:
                why = sentence(error)
                text = f"{shown(identity, 64)} could not come: {why}"
                log.warning("%s", text)
                self._count_link(f"could not come: {shown(why, LONGEST_REASON)}")
                self._notes = [*self._notes, text][:20]

    def _story(self, order: _Order, scenario: Scenario) -> GuestStory:
        return GuestStory(
            scenario,
            order.charge_point,
            order.number,
            self._wish,
            calls=self._note,
            links=self._note_link_of_story,
            violations=self._note_violation,
            tell=lambda played: self._tell({"stories": [list(played)]}),
            connector=self._connector,
        )

    async def _play(self, identity: str, story: GuestStory) -> None:
        try:
            await story.run()
        finally:
            if self._stories.get(identity) is story:
                del self._stories[identity]
            ended, self._story_ended = self._story_ended, trio.Event()
            ended.set()

    async def _remove(self, fleet: Fleet, identity: str, gone: trio.Event) -> None:
        story = self._stories.get(identity)
        try:
            if story is None:
                await fleet.remove(identity)
                return
            story.go()
            while self._stories.get(identity) is story:
                await self._story_ended.wait()
        finally:
            gone.set()
            if self._going.get(identity) is gone:
                del self._going[identity]

    async def _charge(self, member: Member) -> None:
        """One car after another, until it goes."""
        chance = Random(f"{self._wish.seed} {member.identity} cars")  # noqa: S311 - repeatable, not secret
        while not member.is_over:
            with trio.move_on_after(chance.uniform(*PAUSE)):
                await member.wait_over()
                return
            draws = chance.uniform(*CHARGING)
            try:
                member.station.plug_in(1, CarPlan(draw_for=draws, plug_after=0.0))
                member.station.present_id_tag(member.identity[-LONGEST_ID_TAG:], [1])
            except (Ocpp16Error, ValueError) as error:  # it is between two starts, or its connector is not free
                log.debug("%s: no car comes: %s", member.identity, sentence(error))
            with trio.move_on_after(draws + 10.0):
                await member.wait_over()
                return
