"""One process of a load test at work: the scenario is played, and each second is told what happened in it."""

from collections.abc import Callable
from dataclasses import replace
from math import floor
from pathlib import Path
from typing import Any, Final

import trio

from ocpp16.charge_point.connectivity import StreamOpener
from ocpp16.enums import RegistrationStatus
from ocpp16.fleet import Member
from ocpp16.garbage import new_objects, settle_memory
from ocpp16.load.beats import Beats
from ocpp16.load.job import DONE, INTERRUPTED, LOST, Job, Played
from ocpp16.load.portion import Portion, Standing
from ocpp16.load.probe import Probe
from ocpp16.load.recorder import Recorder, Watcher
from ocpp16.load.trace import TraceFile, sampled
from ocpp16.scenario import Progress, Scenario, run_scenario

OFFENDERS_EVERY: Final = 5
"""Seconds between two words on who fares worst."""
MANY_NEW: Final = 10_000
"""Objects that are new, before memory is settled again (see `settle_memory`): what charge points that begin to work
make is there for long, and left to the collector it is looked at all together: at 10,000 the loop stood for 0.3 s."""
MOST_LOST: Final = 0.01
"""Share of the charge points that may lose their connection before that is done no more: what a connection leaves is
found only where it was not settled."""
Tell = Callable[[Portion], None]


class Driver:
    """Parameters: `tell` is given what happened in each second, also in the last. `wall` tells seconds since 1970,
    `cpu` those of the processor that this process used. `connector` opens streams instead of TCP. Raises OSError for a
    trace that cannot be written.
    """

    def __init__(
        self,
        job: Job,
        scenario: Scenario,
        tell: Tell,
        *,
        wall: Callable[[], float],
        cpu: Callable[[], float],
        connector: StreamOpener | None = None,
    ) -> None:
        self._job = job
        self._scenario = scenario
        self._tell = tell
        self._connector = connector
        self._began = trio.current_time()
        self._trace: TraceFile | None = None
        if job.trace is not None:
            self._trace = TraceFile(Path(job.trace), wall, trio.current_time, job.trace_size)
        self._recorder = Recorder(
            job.ids,
            trio.current_time,
            speed=job.speed,
            seed=job.seed,
            trace=self._trace,
            traced=sampled(job.ids, job.traced, job.seed) if self._trace is not None else (),
        )
        self.members: dict[str, Member] = {}
        """Those that were added so far, by id."""
        self._recorder.is_accepted = self._is_accepted
        self._probe = Probe(trio.current_time, cpu, job.speed)
        self._beats = None
        if job.rate is not None:
            self._beats = self._recorder.beats = Beats(len(job.ids), job.rate / job.speed, trio.current_time)
        self._standing = Standing()
        self._second = 0
        self._alone = self._connected = 0
        self._is_stopping = trio.Event()
        self._why = DONE

    def stop(self, why: str = INTERRUPTED) -> None:
        """End the story in order, now."""
        if not self._is_stopping.is_set():
            self._why = why
            self._recorder.is_interrupted = True
            self._is_stopping.set()

    def watch(self, identity: str, watcher: Watcher | None) -> None:
        """Tell `watcher` the frames and connections of this charge point; with None nobody any more."""
        if watcher is None:
            self._recorder.watchers.pop(identity, None)
        else:
            self._recorder.watchers[identity] = watcher

    async def run(self) -> Played:
        """From the first connection to the last. Raises what `run_scenario` raises."""
        failure: Exception | None = None
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._probe.run)
                nursery.start_soon(self._cut_each_second)
                try:
                    outcome = await self._play()
                except Exception as error:
                    failure = error
                nursery.cancel_scope.cancel()
            if failure is not None:
                raise failure  # by itself, and not as one of a group
            passed = self._passed()
            self._cut(max(self._second, floor(passed)) + 1, has_offenders=True, ended=passed)
        finally:
            if self._trace is not None:
                self._trace.close()
        trace = self._trace
        notes, failure_of_trace = ((), "") if trace is None else (trace.notes(), trace.failure)
        return Played.of(outcome, self._why, self._job.speed, notes, failure_of_trace)

    async def _play(self) -> Any:
        job, recorder = self._job, self._recorder
        options: dict[str, Any] = {
            "frames": recorder.frame,
            "links": recorder.link,
            "source_addresses": job.source_addresses,
        }
        if job.certificates is not None:
            options["certificates_path"] = job.certificates
        return await run_scenario(
            self._scenario,
            job.csms,
            ids=job.ids,
            first_number=job.first_number,
            of_all=job.of_all,
            blueprint=job.blueprint,
            connectors=job.connectors,
            keys=job.keys,
            seed=job.seed,
            duration=None if job.duration is None else job.duration * job.speed,
            rate=None if job.arrivals is None else job.arrivals / job.speed,
            calls=recorder.call,
            violations=recorder.violation,
            connector=self._connector,
            progress=self._note_progress,
            speed=job.speed,
            is_stopping=self._is_stopping,
            added=self._note_added,
            **options,
        )

    def _note_added(self, member: Member) -> None:
        self.members[member.identity] = member
        self._probe.added(member)
        if self._beats is not None:
            self._beats.added(member)

    def _is_accepted(self, identity: str) -> bool:
        member = self.members.get(identity)
        return member is not None and member.charge_point.connection.registration is RegistrationStatus.ACCEPTED

    def _note_progress(self, progress: Progress) -> None:
        self._standing = Standing(stage=progress.stage, charge_points=progress.charge_points, waiting=progress.waiting)

    def _passed(self) -> float:
        """Real seconds since the begin."""
        return (trio.current_time() - self._began) / self._job.speed

    async def _cut_each_second(self) -> None:
        while True:
            await trio.sleep_until(self._began + (self._second + 1) * self._job.speed)
            self._cut(max(self._second + 1, floor(self._passed())), has_offenders=self._second % OFFENDERS_EVERY == 0)
            self._look_for_the_central_system()
            self._settle()

    def _settle(self) -> None:
        """Where much is new; but not what was made to go."""
        before, self._connected = self._connected, self._recorder.connected
        is_steady = self._connected >= before and self._recorder.lost <= MOST_LOST * len(self._job.ids)
        if is_steady and new_objects() > MANY_NEW:
            settle_memory()

    def _cut(self, second: int, *, has_offenders: bool, ended: float | None = None) -> None:
        delay, cpu = self._probe.cut()
        portion = self._recorder.cut(second, self._standing, has_offenders=has_offenders)
        due, missed = (0, 0) if self._beats is None else (self._beats.due(), self._beats.missed())
        self._tell(replace(portion, ended=ended, loop_delay=delay, cpu=cpu, due_calls=due, missed_calls=missed))
        self._second = second

    def _look_for_the_central_system(self) -> None:
        """Nobody is connected, and who tries is refused: for how long?"""
        is_alone = not self._recorder.connected and self._recorder.failed_attempts and not self._scenario.is_disturbed
        self._alone = self._alone + 1 if is_alone else 0
        if self._alone >= self._job.give_up:
            self.stop(LOST)
