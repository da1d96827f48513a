"""What one process of a load test is to do, and what came of it; both go over a pipe where it is a child."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from ocpp16.load.documents import document, read
from ocpp16.load.results import ExpectationFailure, ExpectationResult, StageSpan
from ocpp16.load.trace import LARGEST, part_of
from ocpp16.scenario import ExpectationResult as Expected
from ocpp16.scenario import Outcome
from ocpp16.scenario.outcome import FleetCount

__all__ = ["DONE", "GIVE_UP", "INTERRUPTED", "LOST", "USUAL", "Job", "Played", "shared"]

USUAL: Final = "usual"
"""The scenario where none is named."""
GIVE_UP: Final = 60.0
"""Real seconds without any connection, while attempts fail, after which the Central System is lost."""
MOST_FAILURES: Final = 20
"""Of one expectation, that are told."""

DONE: Final = "done"
INTERRUPTED: Final = "interrupted"
LOST: Final = "central system lost"

_NO_VALUES: Mapping[str, str] = MappingProxyType({})
_NO_KEYS: Mapping[str, Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """ids: of the charge points; first_number and of_all: as of `run_scenario`. scenario: its name or file; values:
    what `${NAME}` stands for in it. blueprint, connectors, keys: instead of, or over, those of the scenario. duration:
    real seconds that the stages that hold take in all. rate: heartbeats a second, of all together, besides what the
    scenario does. arrivals: drivers a second. speed: how many times faster than in reality time passes. certificates:
    folder whose `ca/csms` is trusted. trace: file for the frames of at most `traced` charge points, of at most
    `trace_size` bytes. give_up: see `GIVE_UP`.
    """

    csms: str
    ids: tuple[str, ...]
    first_number: int = 1
    of_all: int | None = None
    scenario: str = USUAL
    values: Mapping[str, str] = field(default_factory=lambda: _NO_VALUES)
    blueprint: str | None = None
    connectors: int | None = None
    keys: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: _NO_KEYS)
    seed: int = 0
    duration: float | None = None
    rate: float | None = None
    arrivals: float | None = None
    speed: float = 1.0
    certificates: str | None = None
    source_addresses: tuple[str, ...] = ()
    trace: str | None = None
    traced: int = 100
    trace_size: int = LARGEST
    give_up: float = GIVE_UP

    def to_json(self) -> Any:
        """As a child is told it."""
        return document(self)

    @classmethod
    def from_json(cls, value: object) -> "Job":
        """Raises DocumentError that names the member that is wrong."""
        return read(cls, value)


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it. why: `DONE`, `INTERRUPTED`, `LOST`, or "failed: …" with a sentence. trace_failure: why the disk
    did not take the trace. fleet: what expectations that are counted over the whole fleet are judged by, when all
    processes have told it."""

    is_complete: bool
    why: str
    stages: tuple[StageSpan, ...] = ()
    expectations: tuple[ExpectationResult, ...] = ()
    notes: tuple[str, ...] = ()
    trace_failure: str = ""
    fleet: tuple[FleetCount, ...] = ()

    @classmethod
    def of(
        cls,
        outcome: Outcome,
        why: str,
        speed: float = 1.0,
        notes: Sequence[str] = (),
        trace_failure: str = "",
    ) -> "Played":
        """As the scenario says it, whose seconds are `speed` times as many as real ones."""
        return cls(
            outcome.is_complete,
            why,
            tuple(StageSpan(one.name, one.begin / speed, one.end / speed) for one in outcome.stages),
            tuple(as_result(one, speed) for one in outcome.expectations),
            (*outcome.notes, *notes),
            trace_failure,
            tuple(replace(one, at=one.at / speed, now=one.now / speed) for one in outcome.fleet),
        )

    def to_json(self) -> Any:
        """As a child tells it."""
        return document(self)

    @classmethod
    def from_json(cls, value: object) -> "Played":
        """Raises DocumentError that names the member that is wrong."""
        return read(cls, value)


def as_result(one: Expected, speed: float = 1.0) -> ExpectationResult:
    """The same as results have it."""
    failures = tuple(
        ExpectationFailure(failure.charge_point, failure.at / speed, failure.why)
        for failure in one.failures[:MOST_FAILURES]
    )
    return ExpectationResult(one.name, one.is_met, one.checked, one.met, failures, one.unseen)


def shared(job: Job, processes: int) -> list[Job]:
    """The same as one job for each process, of its part of the charge points. Raises ValueError for too many."""
    if processes > len(job.ids):
        raise ValueError(f"{processes} processes are too many for {len(job.ids)} charge points")
    if processes == 1:
        return [job]
    jobs = []
    for number in range(processes):
        begin = number * len(job.ids) // processes
        ids = job.ids[begin : (number + 1) * len(job.ids) // processes]
        share = len(ids) / len(job.ids)
        jobs.append(
            replace(
                job,
                ids=ids,
                first_number=job.first_number + begin,
                of_all=len(job.ids),
                rate=None if job.rate is None else job.rate * share,
                arrivals=None if job.arrivals is None else job.arrivals * share,
                trace=None if job.trace is None else str(part_of(Path(job.trace), number)),
                traced=min(len(ids), max(1, round(job.traced * share))),
                trace_size=job.trace_size // processes,
            )
        )
    return jobs
