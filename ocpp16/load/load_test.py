"""A load test as a whole: its processes, what they told, and the verdict.

Rules of this file:
1. What is told is true at every moment: results may be asked for while it runs, and say then that it is not complete.
2. It passes only when it came to its end with all its processes, and each threshold and expectation was met. One that
   has neither, or only thresholds about violations, passes only when something was answered. Where nothing is expected
   each charge point is to be accepted all the same; but where none was, other thresholds may have wanted that.
3. A Central System that breaks the protocol has not passed, whatever was asked of it: a test that lets that pass is
   believed to have seen that there is none. Where a threshold is about violations that decides, and where the scenario
   disturbs the wire nobody is blamed: answers to what was sent twice, or not by the charge point, look the same.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Final

from ocpp16._version import __version__
from ocpp16.address import without_credentials
from ocpp16.charge_point.connectivity import StreamOpener
from ocpp16.fleet import Member, breach
from ocpp16.load.crew import Crew
from ocpp16.load.driver import Driver
from ocpp16.load.job import DONE, MOST_FAILURES, Job, Played, as_result, shared
from ocpp16.load.portion import Portion
from ocpp16.load.recorder import Watcher
from ocpp16.load.results import ExpectationResult, ProcessResult, Results, StageSpan
from ocpp16.load.tally import Tally
from ocpp16.load.thresholds import Measured, Threshold
from ocpp16.message_log.words import time_text
from ocpp16.scenario import Scenario
from ocpp16.scenario.judge import are_enough, needs_one_eye
from ocpp16.scenario.judge import of_fleet as fleet_result
from ocpp16.scenario.model import Per
from ocpp16.scenario.run import ACCEPTED
from ocpp16.texts import shown

__all__ = ["LoadTest", "View"]

RUNNING: Final = "running"
PROCESS_LOST: Final = "process lost"
MOST_STAGES: Final = 1_000
FOR_NOTHING: Final = "the Central System has answered nothing, so the test has not passed"
TOO_SHORT: Final = "the test came to nothing of what is expected, so it has not passed"
FEW: Final = 0.99
"""Part of the heartbeats of an open model, below which it is said that some were folded."""


@dataclass(frozen=True, slots=True)
class View:
    """Everything about a test at one moment; `results` may be asked for in any thread."""

    job: Job
    again: str
    scenario: Scenario
    thresholds: tuple[Threshold, ...]
    connectors: int
    began: str
    ended: str
    tally: Tally
    processes: tuple[ProcessResult, ...]
    played: Mapping[int, Played]
    is_over: bool

    def results(self, *, has_histograms: bool = True) -> Results:
        """With the verdict so far. has_histograms: False leaves their texts empty, which is ten times quicker."""
        measured = self.tally.measured()
        together = Measured.together(self.tally.passed, measured)
        thresholds = tuple(one.judged(measured, together) for one in self.thresholds)
        why = self._why()
        is_complete = why == DONE
        violations = self.tally.violations()
        is_left = self.scenario.is_disturbed or any(one.is_of_violations for one in self.thresholds)
        broken = "" if is_left else breach(violations)
        in_vain = ""
        asks_little = all(one.is_of_violations for one in self.thresholds)  # who answers nothing breaks nothing
        is_answered = any(one.results for one in measured.values())
        expectations = tuple(
            self._of_all(one)
            for one in _together(self.scenario, list(self.played.values()))
            if one.name != ACCEPTED or one.failed < len(self.job.ids) or (asks_little and is_answered)
        )
        is_met = all(one.is_met for one in thresholds) and all(one.is_met for one in expectations)
        if asks_little and not expectations and not is_answered:
            in_vain = FOR_NOTHING
        elif asks_little and expectations and not any(one.is_judged for one in expectations):
            in_vain = TOO_SHORT
        return Results(
            version=__version__,
            scenario=self.scenario.name,
            csms=without_credentials(self.job.csms),
            seed=self.job.seed,
            speed=self.job.speed,
            began=self.began,
            ended=self.ended,
            is_complete=is_complete,
            why_ended=why,
            charge_points=len(self.job.ids),
            connectors=self.connectors,
            processes=self.processes,
            stages=self._stages(),
            seconds=self.tally.seconds,
            actions=self.tally.actions(has_histograms=has_histograms),
            errors=self.tally.errors(),
            offenders=self.tally.offenders(),
            transactions=self.tally.transactions(),
            thresholds=thresholds,
            expectations=expectations,
            limit=self.tally.limit(),
            is_passed=is_complete and is_met and not in_vain and not broken,
            notes=(*([in_vain] if is_complete and in_vain else []), *self._notes(measured)),
            attempts=self.tally.attempts,
            violations=violations,
            breach=broken,
            again=self.again,
        )

    def _of_all(self, one: ExpectationResult) -> ExpectationResult:
        """Who was not accepted is told only by processes that have one; the others have looked at theirs, too."""
        if one.name != ACCEPTED:
            return one
        whole = {number for number, played in self.played.items() if played.is_complete}
        checked = sum(process.charge_points for process in self.processes if process.number in whole)
        return replace(one, checked=checked, met=checked - one.failed)

    def _why(self) -> str:
        if not self.is_over:
            return RUNNING
        if any(not one.is_alive for one in self.processes):
            return PROCESS_LOST
        whys = [one.why for one in self.played.values()]
        early = [why for why in whys if why != DONE]
        if early or not all(one.is_complete for one in self.played.values()):
            return early[0] if early else "ended before its end"
        return DONE

    def _stages(self) -> tuple[StageSpan, ...]:
        """Of the process that has told the most of them; while it runs, the one it is in."""
        told = max((one.stages for one in self.played.values()), key=len, default=())
        if not told and self.tally.stage:
            told = (StageSpan(self.tally.stage, 0.0, self.tally.passed),)
        return told[:MOST_STAGES]

    def _notes(self, measured: Mapping[str, Measured]) -> tuple[str, ...]:
        notes = [note for one in self.played.values() for note in one.notes]
        notes += self.tally.notes()
        notes += [f"process {one.number} {one.ended}" for one in self.processes if not one.is_alive]
        due, beats = self.tally.due_calls, measured.get("Heartbeat")
        sent = beats.count if beats is not None else 0
        if sent + self.tally.open_calls < due * FEW:
            missed = self.tally.missed_calls
            for_nobody = f"; {missed} fell in times without a connection or a registration" if missed else ""
            others = "; others waited for an answer in vain, or for that to another: the latencies have them"
            waited = others if sent + missed < due else ""
            notes.append(f"{due} heartbeats were due by the rate, and {sent} were sent{for_nobody}{waited}")
        return tuple(dict.fromkeys(notes))


class LoadTest:
    """Parameters: `thresholds` decide with the expectations of the scenario; `wall` and `cpu` as of `Driver`. `command`
    begins a child, where there is more than one process; `connector` opens streams instead of TCP, where there is one.
    `again` is the command that makes the test, as reports are to tell it, without secrets. Raises ValueError for more
    processes than charge points, and for an expectation that several processes cannot judge.
    """

    def __init__(
        self,
        job: Job,
        scenario: Scenario,
        thresholds: Sequence[Threshold] = (),
        *,
        processes: int = 1,
        command: Sequence[str] = (),
        wall: Callable[[], float],
        cpu: Callable[[], float],
        connector: StreamOpener | None = None,
        again: str = "",
    ) -> None:
        self._job = job
        self._again = again
        self._scenario = scenario
        self._thresholds = tuple(thresholds)
        self._jobs = shared(job, processes)
        if why := indivisible(scenario, processes):
            raise ValueError(why)
        self._wall = wall
        self._cpu = cpu
        self._command = command
        self._connector = connector
        self._began = self._time()
        self._ended = ""
        self.tally: Tally = Tally(processes)
        self.on_second: Callable[[], None] = lambda: None
        """Called when there is something new to show."""
        self._played: dict[int, Played] = {}
        self._driver: Driver | None = None
        self._crew: Crew | None = None
        self._is_over = False
        self._is_stopped = False

    def _time(self) -> str:
        return time_text(round(self._wall() * 1e6))

    def stop(self) -> None:
        """End it in order: what was measured so far is the result."""
        self._is_stopped = True
        for one in (self._driver, self._crew):
            if one is not None:
                one.stop()

    async def run(self) -> None:
        """To its end. Raises what playing the scenario raises, and OSError for a trace that cannot be written; of
        several processes ValueError, where none of them can be at work."""
        try:
            if len(self._jobs) > 1:
                self._crew = Crew(self._command, self._jobs, self._take, self.tally.gone)
                if self._is_stopped:
                    self._crew.stop()
                self._played = self._crew.played
                await self._crew.run()
                if len(self._crew.failures) == len(self._jobs) and not self.tally.passed:
                    raise ValueError(self._crew.failures[0])
            else:
                self._driver = Driver(
                    self._job,
                    self._scenario,
                    lambda portion: self._take(0, portion),
                    wall=self._wall,
                    cpu=self._cpu,
                    connector=self._connector,
                )
                if self._is_stopped:
                    self._driver.stop()
                self._played = {0: await self._driver.run()}
        finally:
            self._is_over = bool(self._played) or self._crew is not None
            self._ended = self._time()

    def _take(self, number: int, portion: Portion) -> None:
        self.tally.add(number, portion)
        self.on_second()

    @property
    def trace_failures(self) -> list[str]:
        """Why the disk did not take the trace, once the test is over."""
        return list(dict.fromkeys(one.trace_failure for one in self._played.values() if one.trace_failure))

    def member(self, identity: str) -> Member | None:
        """The charge point of this id, if it was added already, and is in this process."""
        return None if self._driver is None else self._driver.members.get(identity)

    def watch(self, identity: str, watcher: Watcher | None) -> None:
        """Tell `watcher` the frames and connections of one in this process; with None nobody any more."""
        if self._driver is not None:
            self._driver.watch(identity, watcher)

    def view(self) -> View:
        """As it is now, to be looked at by another thread."""
        processes = (ProcessResult(0, len(self._job.ids), True),) if self._crew is None else self._crew.processes()
        return View(
            self._job,
            self._again,
            self._scenario,
            self._thresholds,
            self._job.connectors or self._scenario.fleet.connectors or 1,
            self._began,
            self._ended or self._time(),
            self.tally.copied(),
            processes,
            dict(self._played),
            self._is_over,
        )

    def results(self) -> Results:
        """As they are now."""
        return self.view().results()


def indivisible(scenario: Scenario, processes: int) -> str:
    """Why so many processes cannot judge it; "" if they can. None of them sees what came first in all of them."""
    name = needs_one_eye(scenario)
    if processes < 2 or not name:
        return ""
    return f"{processes} processes cannot see the order of calls of the whole fleet, which {shown(name, 200)!r} expects"


def _together(scenario: Scenario, played: Sequence[Played]) -> tuple[ExpectationResult, ...]:
    """What came of all expectations: what the processes counted is added up, and then judged, once. The steps of a
    script, and what else is not of the scenario, come before its expectations, of which each process tells all."""
    count = len(scenario.expectations)
    parts = [(one.expectations[: len(one.expectations) - count], one.expectations[-count:]) for one in played if count]
    if not parts:
        return _of_steps([one.expectations for one in played])
    found = []
    of_fleet = 0
    for number, expected in enumerate(scenario.expectations):
        if expected.per is Per.FLEET:
            one = fleet_result(expected, [each.fleet[of_fleet] for each in played if each.fleet])
            found.append(as_result(one))
            of_fleet += 1
        else:
            added = reduce(_added, (own[number] for _, own in parts))
            is_met = are_enough(expected, added.checked, added.met, added.unseen)
            found.append(replace(added, is_met=is_met))
    return (*_of_steps([steps for steps, _ in parts]), *found)


def _of_steps(parts: Sequence[tuple[ExpectationResult, ...]]) -> tuple[ExpectationResult, ...]:
    """Two may have one name, and a process has no steps that none of its charge points came to: the same is the one of
    this name that stands in the same place among those of it. All that came to a step must have done it."""
    found: dict[tuple[str, int], ExpectationResult] = {}
    for part in parts:
        seen: Counter[str] = Counter()
        for one in part:
            seen[one.name] += 1
            place = one.name, seen[one.name]
            found[place] = _added(found[place], one) if place in found else one
    return tuple(found.values())


def _added(one: ExpectationResult, other: ExpectationResult) -> ExpectationResult:
    return ExpectationResult(
        one.name,
        one.is_met and other.is_met,
        one.checked + other.checked,
        one.met + other.met,
        (*one.failures, *other.failures)[:MOST_FAILURES],
        one.unseen + other.unseen,
    )
