"""One run of a scenario: its charge points, what is seen of them, the time of the story, and what it has come to."""

from collections import Counter
from collections.abc import Callable, Sequence
from math import floor
from random import Random
from typing import Final

import trio

from ocpp16.charge_point.connectivity import StreamOpener
from ocpp16.enums import RegistrationStatus
from ocpp16.faults import sentence
from ocpp16.fleet import Blueprint, CallEnded, Fleet, Member, ViolationTally, breach
from ocpp16.log import log
from ocpp16.observer import Observer
from ocpp16.scenario.agenda import Agenda
from ocpp16.scenario.attempt import Attempts
from ocpp16.scenario.judge import Judge
from ocpp16.scenario.model import Scenario, Stage
from ocpp16.scenario.outcome import MOST_FAILURES, ExpectationResult, Failure, Outcome, Progress, StageRun
from ocpp16.scenario.pace import pace_of, stretch_of
from ocpp16.scenario.step_words import asked_for
from ocpp16.scenario.watch import Watch
from ocpp16.texts import shown
from ocpp16.wire import WireFaults, disturbed

MOST_NOTES: Final = 50
ALL_OF_IT: Final = 1 - 1e-9
"""Part of a story from which on it was not cut short: numbers of seconds and drivers are divided by each other."""
ANSWERED: Final = "the Central System is there"
"""What is expected where nothing is; it is told only where it was not so."""
ACCEPTED: Final = "the Central System accepts each charge point"
"""The same where it is there."""
SEEN: Final = "all that happened was looked at"
"""What a verdict rests on; it is told only where it was not so."""
DONE: Final = "all that drivers were to do was done"
"""The same of the story itself."""
LATE: Final = 1.0
"""Real seconds that a charge point may come late without a word: it takes a moment to make one."""
LOOKED_AT: Final = 200
"""Charge points in one step of the loop: that takes a millisecond."""


class Run:
    """One scenario, while it is played. `began`: trio's time of its begin; `pace`: how many times more drivers come
    than is written; `stretch`: the same of how long it holds."""

    def __init__(
        self,
        scenario: Scenario,
        ids: Sequence[str],
        seed: int,
        rate: float | None,
        duration: float | None,
        first_number: int = 1,
        of_all: int | None = None,
        speed: float = 1.0,
    ) -> None:
        self.scenario = scenario
        self.ids: tuple[str, ...] = tuple(ids)
        self.numbers: dict[str, int] = {identity: number for number, identity in enumerate(self.ids, first_number)}
        self.first_number: int = first_number
        self.of_all: int | None = of_all
        self.seed = seed
        self.began: float = trio.current_time()
        self.agenda: Agenda = Agenda(self._failed)
        self.judge: Judge = Judge(scenario.expectations, speed)
        self.members: dict[str, Member] = {}
        self.watches: dict[str, Watch] = {}
        self._asked = asked_for(scenario.steps) if scenario.steps else None
        self.counts: Counter[str] = Counter()
        self.violations: ViolationTally = ViolationTally()
        self.attempts: Attempts = Attempts(None, None)
        """Those that scripts make; whoever runs this gives others."""
        self.taken: set[tuple[str, int]] = set()
        """Connectors that a driver is at, or about to be."""
        self.waiting: dict[str, str] = {}
        self._unaccepted: dict[str, Failure] = {}
        """Of those that have gone."""
        self._undone: dict[str, Failure] = {}
        """The first that went wrong of what drivers were to do, by charge point; "": nobody knows at which."""
        self.is_answered: bool | None = None
        """Has the Central System answered anything? None: nobody looks."""
        self.stage: str = ""
        self.faults: WireFaults | None = None
        """Of the wire, now."""
        self.stages: list[StageRun] = []
        self.notes: list[str] = []
        self.speed: float = speed
        """How many times faster than in the world time passes."""
        self.rate: float | None = None if scenario.drivers else rate
        """Charge points a second, of ramps and restarts; None: as they say."""
        self.pace: float = pace_of(scenario, len(self.ids), of_all or len(self.ids), rate)
        self.stretch: float = stretch_of(scenario, duration)
        self._fleet: Fleet | None = None
        self._nursery: trio.Nursery | None = None
        self._mix: list[tuple[float, Blueprint]] = []
        self.on_added: Callable[[Member, float], None] = lambda member, late: None
        """Is told of each that comes, and how late: seconds of the story after it was due, 0 if that is less than
        `late_from`."""
        self.late_from: float = LATE * max(1.0, speed)
        self._latest = 0.0
        self.told_added: Callable[[Member], None] | None = None
        """And so is whoever plays it, where he wants to know."""
        self._never = trio.Event()
        self._going: set[str] = set()
        """Those on their way out: each is in the fleet until it is closed."""
        self._removed = trio.Event()

    def open(self, fleet: Fleet, nursery: trio.Nursery, mix: list[tuple[float, Blueprint]]) -> None:
        """The fleet that charge points come to, what they are made of, and who goes on with what takes longer."""
        self._fleet, self._nursery, self._mix = fleet, nursery, mix

    @property
    def now(self) -> float:
        """Seconds of the story."""
        return trio.current_time() - self.began

    def note_call(self, ended: CallEnded) -> None:
        """A CALL of a charge point ended."""
        self.is_answered = self.is_answered or ended.outcome == "result"

    def note(self, text: str) -> None:
        """What whoever reads the outcome should know."""
        if len(self.notes) < MOST_NOTES and text not in self.notes:
            self.notes.append(text)

    def _failed(self, error: BaseException) -> None:
        self.not_done("", f"a step of the story: {sentence(error)}")

    def not_done(self, identity: str, why: str) -> None:
        """A driver could not do what was to be done: what the Central System made of the story is not known then."""
        self.counts["failed steps"] += 1
        log.error("%s: %s", shown(identity, 64) or "scenario", why)
        self._undone.setdefault(identity, Failure(identity, self.now, why))

    async def pause(self, seconds: float) -> None:
        """So many seconds of the story; a checkpoint where there are none."""
        with trio.move_on_after(max(0.0, seconds)):
            await self._never.wait()

    def paced(self, count: int, chance: Random) -> int:
        """So many drivers at the pace of this run, in the mean."""
        return count if self.pace == 1.0 else floor(count * self.pace + chance.random())

    def is_ours(self, chance: Random) -> bool:
        """Does who comes to any charge point of a fleet that several play come to one of these here? They all draw the
        same."""
        if self.of_all is None:
            return True
        return 0 <= chance.randrange(self.of_all) - (self.first_number - 1) < len(self.ids)

    # Charge points

    def is_there(self, identity: str) -> bool:
        """Is it in the fleet?"""
        return self._fleet is not None and identity in self._fleet

    def stays(self, identity: str) -> bool:
        """Is it in the fleet, and not on its way out? Else nobody comes to it, and whoever is there does no more."""
        return self.is_there(identity) and identity not in self._going

    def is_registered(self, member: Member) -> bool:
        """Is it accepted, and connected?"""
        connection = member.charge_point.connection
        return connection.is_connected and connection.registration is RegistrationStatus.ACCEPTED

    def observer_of(self, identity: str) -> Observer | None:
        """What a charge point tells; None where nobody wants to know."""
        if not self.scenario.is_watched:
            return None
        if identity not in self.watches:
            self.watches[identity] = Watch(
                identity, self.judge, self.began, self._asked, is_disturbed=self.scenario.is_disturbed
            )
        return self.watches[identity]

    def connector_of(self, connector: StreamOpener | None) -> Callable[[str], StreamOpener | None] | None:
        """What opens streams on which the faults of the moment happen; None where nothing ever goes wrong."""
        if not self.scenario.is_disturbed:
            return None

        def made(identity: str) -> StreamOpener:
            chance = Random(f"{self.seed} {identity} wire")  # noqa: S311 - repeatable, not secret
            return disturbed(connector, lambda: self.faults, chance)

        return made

    def begin_stage(self, stage: Stage) -> float:
        """From here on it is this stage. Returns the second of the story."""
        self.stage = stage.name
        found = [faults for faults in (self.scenario.faults, stage.faults) if faults]
        self.faults = found[0].beside(found[1]) if len(found) > 1 else found[0] if found else None
        self.judge.stage_begins(stage.name, self.now)
        return self.now

    async def add(self, identity: str, due: float) -> None:
        """One more charge point, `due` at this second of the story; its drivers begin to come."""
        assert self._fleet is not None
        member = await self._fleet.add(identity, self._made_of(identity))
        self.members[identity] = member
        late = self.now - due
        self._latest = max(self._latest, late)
        self.on_added(member, late if late >= self.late_from else 0.0)

    async def remove(self, identity: str) -> None:
        """It goes, in order; that goes on when this returns."""
        assert self._nursery is not None
        if self.stays(identity):
            self._note_unaccepted(identity, self.members[identity])
            self._going.add(identity)
            self._nursery.start_soon(self._remove, identity)

    async def _remove(self, identity: str) -> None:
        assert self._fleet is not None
        try:
            await self._fleet.remove(identity)
        finally:
            self._going.discard(identity)
            self._removed.set()

    async def wait_removed(self) -> None:
        """Until all that were removed are gone."""
        while self._going:
            self._removed = trio.Event()
            await self._removed.wait()

    def _made_of(self, identity: str) -> Blueprint:
        mix = self._mix
        if len(mix) == 1:
            return mix[0][1]
        random = Random(f"{self.seed} {identity} blueprint")  # noqa: S311 - repeatable, not secret
        return random.choices([one for _, one in mix], [share for share, _ in mix])[0]

    async def progress(self) -> Progress:
        """How far it is. Others have their turn meanwhile: thousands are looked at."""
        connected = registered = in_flight = there = 0
        for number, (identity, member) in enumerate(list(self.members.items()), 1):
            if number % LOOKED_AT == 0:
                await trio.lowlevel.checkpoint()
            if self.is_there(identity):
                there += 1
                connection = member.charge_point.connection
                is_connected = connection.is_connected
                connected += is_connected
                registered += is_connected and connection.registration is RegistrationStatus.ACCEPTED
                in_flight += connection.queue_depth
        return Progress(self.now, self.stage, connected, there, registered, in_flight, self._waits_for)

    @property
    def _waits_for(self) -> str:
        """What most scripts wait for; empty where none does."""
        waiting = Counter(self.waiting.values()).most_common(1)
        return f"{waiting[0][1]} × {waiting[0][0]}" if waiting else ""

    def outcome(self, steps: list[ExpectationResult], *, is_complete: bool) -> Outcome:
        """What came of it; `steps` of the script are told first."""
        if is_complete:
            for watch in self.watches.values():
                watch.give_up()
        parties = {identity: watch.party for identity, watch in self.watches.items()}
        is_cut_short = not is_complete or min(self.stretch, self.pace) < ALL_OF_IT
        judged = self.judge.results(parties, self.now, is_cut_short=is_cut_short)
        expectations = [*self._what_was_missed(), *self._what_was_not_done(), *steps, *judged]
        if is_complete and not expectations and self.is_answered is False:
            expectations = [
                ExpectationResult(ANSWERED, False, 1, 0, [Failure("", self.now, "it has answered nothing")])
            ]
        elif is_complete and not self._is_anything_expected and not self.scenario.is_disturbed:
            expectations += self._who_was_not_accepted()
        counts = {"charge points": len(self.members), **self.counts}
        if self.watches:
            counts["transactions started"] = sum(watch.started for watch in self.watches.values())
            counts["transactions stopped"] = sum(watch.stopped for watch in self.watches.values())
        failed = [member for member in self.members.values() if member.failures]
        if failed:
            counts["failed starts"] = sum(member.failures for member in failed)
            self.note(f"{failed[0].identity} could not start: {failed[0].failure}")
        if self._latest >= self.late_from and self.scenario.drivers:
            self.note(
                f"charge points came up to {self._latest:.0f} s later than they were due, and their drivers with them"
            )
        if self.speed > 1.0 and not all(one.is_met for one in expectations):
            self.note(
                f"time passed {self.speed:g} times faster than in reality, but not for the Central System: an answer"
                f" within 30 s came within {30 * self.speed:g} s of the story; a lower speed tells whether that is why"
            )
        self._note_the_unconnected()
        if is_complete and any(one.unseen for one in judged):
            self.note(
                "there was less time, or there were fewer drivers, than the scenario says: what charge points did not"
                " come to is not judged"
            )
        if not is_complete:
            if self._waits_for:
                self.note(f"in the end: {self._waits_for}")
            self.note("the scenario was ended before its end: what is missing may only not have come yet")
        violations = self.violations.counts()
        return Outcome(
            scenario=self.scenario.name,
            is_complete=is_complete,
            stages=self.stages,
            expectations=expectations,
            counts=counts,
            notes=self.notes,
            violations=violations,
            breach="" if self.scenario.is_disturbed else breach(violations),
            fleet=tuple(self.judge.fleet_counts(parties, self.now, is_cut_short=is_cut_short)),
        )

    def _what_was_missed(self) -> list[ExpectationResult]:
        """Who has not seen all that happened at a charge point knows neither what was wrong nor what was missing there:
        then nothing has passed."""
        failures = []
        for identity, watch in self.watches.items():
            member = self.members.get(identity)
            dropped = 0 if member is None else member.charge_point.counters.observer_events_dropped
            why = f"{dropped} events were lost before: the process had too much to do" if dropped else watch.failure
            if why:
                failures.append(Failure(identity, self.now, why))
        if not failures:
            return []
        checked = len(self.watches)
        return [ExpectationResult(SEEN, False, checked, checked - len(failures), failures[:MOST_FAILURES])]

    @property
    def _is_anything_expected(self) -> bool:
        scenario = self.scenario
        return bool(scenario.expectations or scenario.steps) or scenario.play is not None

    def _who_was_not_accepted(self) -> list[ExpectationResult]:
        """Where nothing is expected: figures of those that were let in say nothing of the others."""
        for identity, member in self.members.items():
            if self.is_there(identity):
                self._note_unaccepted(identity, member)
        failures = [self._unaccepted[one] for one in self.members if one in self._unaccepted]
        if not failures:
            return []
        checked = len(self.members)
        return [ExpectationResult(ACCEPTED, False, checked, checked - len(failures), failures[:MOST_FAILURES])]

    def _note_unaccepted(self, identity: str, member: Member) -> None:
        connection = member.charge_point.connection
        status = connection.registration
        if status is RegistrationStatus.ACCEPTED:
            return
        if member.failures:
            why = f"it could not start: {shown(member.failure, 200)}"
        elif not connection.is_connected:
            why = "it was not connected in the end"
        else:
            why = "its BootNotification was not answered" if status is None else f"it was {status} in the end"
        self._unaccepted[identity] = Failure(identity, self.now, why)

    def _what_was_not_done(self) -> list[ExpectationResult]:
        """Where drivers failed, the Central System was not asked what it was to be asked."""
        failures = list(self._undone.values())
        if not failures:
            return []
        checked = max(len(self.members), len(failures))
        return [ExpectationResult(DONE, False, checked, checked - len(failures), failures[:MOST_FAILURES])]

    def _note_the_unconnected(self) -> None:
        there = {one: member for one, member in self.members.items() if self.is_there(one) and not member.failures}
        missing = [one for one, member in there.items() if not member.charge_point.connection.is_connected]
        if missing:
            first = min(missing)
            reason = self.watches[first].reason if first in self.watches else ""
            counters = there[first].charge_point.counters
            if not counters.connects and not counters.connection_failures:
                reason = "its first attempt was not answered yet"
            why = f"; {first}: {shown(reason, 200)}" if reason else ""
            self.note(f"{len(missing)} of {len(there)} charge points were not connected in the end{why}")
