"""What a load test found, as data: the one source of every report, and its form as JSON.

Rules of this file:
1. Seconds are seconds since the test began, latencies are seconds.
2. What was not measured is None, never 0.
3. Every list is bounded; what was left out of one is counted where it would matter (`ErrorCount` of kind "others").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from ocpp16.durable_file import write_whole
from ocpp16.fleet import ViolationCount
from ocpp16.load.documents import DocumentError, document, read
from ocpp16.regular_file import read_regular

__all__ = [
    "FORMAT",
    "ActionResult",
    "Attempts",
    "DocumentError",
    "ErrorCount",
    "ExpectationFailure",
    "ExpectationResult",
    "Latencies",
    "Limit",
    "Offender",
    "ProcessResult",
    "Results",
    "Second",
    "StageSpan",
    "ThresholdResult",
    "Transactions",
    "ViolationCount",
]

FORMAT: Final = "ocpp16-load-1"


@dataclass(frozen=True, slots=True)
class Latencies:
    """How long calls took. Without any, all but `histogram` are None.

    histogram: HdrHistogram of microseconds, 1 µs to 1 h, three digits, as its V2 text in base64.
    """

    histogram: str = ""
    min: float | None = None
    mean: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    p999: float | None = None
    max: float | None = None


@dataclass(frozen=True, slots=True)
class ActionResult:
    """All calls of one action that came to an end.

    count: all; results: answered by a CALLRESULT; errors: by a CALLERROR or by what cannot be read; timeouts: not in
    time; lost: ended with their connection. due: from when the call was due, sent: from when it was written, both to
    the end; of those that were answered and of timeouts, which have lasted at least so long. due has more than was sent
    where heartbeats of a rate waited for the answer to another.
    """

    count: int
    results: int
    errors: int
    timeouts: int
    lost: int
    due: Latencies
    sent: Latencies


@dataclass(frozen=True, slots=True)
class Second:
    """One second of the test, or `span` of them where a long test had its neighbours put together.

    at: when it ended. connected, registered, in_flight: at its end; the others within it. p50 to max: of the calls
    that ended in it, from when they were due. loop_delay: how late a task of this process woke up, or a
    charge point had its turn, at worst.
    cpu: share of one core that the busiest process took. is_late: the tool itself was behind, so that latencies of
    this second are in part its own.
    """

    at: float
    connected: int
    registered: int
    sent: int
    answered: int
    errors: int
    timeouts: int
    lost: int
    in_flight: int
    loop_delay: float
    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None
    is_late: bool
    span: float = 1.0
    cpu: float = 0.0


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """kind: "CALLERROR InternalError", "timeout", "connection lost", "handshake 401", "not connected", …"""

    kind: str
    action: str
    count: int


@dataclass(frozen=True, slots=True)
class Attempts:
    """To connect. failed: how many, also those that the Central System refused; last: why the last of them did, as the
    kind of an error, "" if none did."""

    failed: int = 0
    last: str = ""


@dataclass(frozen=True, slots=True)
class Offender:
    """One of the charge points that fared worst. slowest: latency of its slowest call. trace: its last frames, the
    newest last, each "seconds direction text" with secrets taken out."""

    charge_point: str
    errors: int
    slowest: float
    trace: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Transactions:
    """Calls StartTransaction and StopTransaction that were answered."""

    started: int
    stopped: int


@dataclass(frozen=True, slots=True)
class ThresholdResult:
    """text: as it was given. value: what was measured, None if nothing was. limit: what it was compared with."""

    text: str
    value: float | None
    limit: float
    is_met: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class ExpectationFailure:
    charge_point: str
    at: float
    why: str


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """An expectation of the scenario. checked: how many times it was looked at; met: how many of these it was so;
    failures: the first of the others. unseen: at how many charge points it was not looked at, for the scenario was cut
    short, and it had not come to that: with these alone it is neither met nor not, and `is_met` is True."""

    name: str
    is_met: bool
    checked: int
    met: int
    failures: tuple[ExpectationFailure, ...] = ()
    unseen: int = 0

    @property
    def failed(self) -> int:
        """How many times it was not so; `failures` tells of the first of them."""
        return self.checked - self.met

    @property
    def is_judged(self) -> bool:
        """Was it looked at anywhere?"""
        return self.checked > 0 or not self.unseen


@dataclass(frozen=True, slots=True)
class StageSpan:
    name: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """One process of the test. ended: how, "" while it is alive; is_alive False is one that ended too early."""

    number: int
    charge_points: int
    is_alive: bool
    ended: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """Was the tool itself at its limit? seconds: indices into `Results.seconds`. why: in words, "" if it was not."""

    is_reached: bool
    seconds: tuple[int, ...]
    worst_loop_delay: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """Of one load test, running or over.

    is_complete: it came to its planned end with all its processes. why_ended: "done", "running", "interrupted",
    "central system lost", "process lost", "failed: …". is_passed: complete, every threshold and expectation is met, and
    there is no breach. notes: what a reader should know of the figures, in sentences. violations: what the Central
    System did against the protocol; breach: what of these alone makes the test fail, in words, "" if nothing does:
    where a threshold is about them, it decides. again: the command that makes a test of the same kind, without secrets,
    "" where it was no command that made it.
    """

    version: str
    scenario: str
    csms: str
    seed: int
    speed: float
    began: str
    ended: str
    is_complete: bool
    why_ended: str
    charge_points: int
    connectors: int
    processes: tuple[ProcessResult, ...]
    stages: tuple[StageSpan, ...]
    seconds: tuple[Second, ...]
    actions: Mapping[str, ActionResult]
    errors: tuple[ErrorCount, ...]
    offenders: tuple[Offender, ...]
    transactions: Transactions
    thresholds: tuple[ThresholdResult, ...]
    expectations: tuple[ExpectationResult, ...]
    limit: Limit
    is_passed: bool
    notes: tuple[str, ...] = ()
    attempts: Attempts = Attempts()
    violations: tuple[ViolationCount, ...] = ()
    breach: str = ""
    again: str = ""
    format: str = FORMAT

    def to_json(self) -> dict[str, Any]:
        """The document, made of what JSON has."""
        made = document(self)
        assert isinstance(made, dict)
        return made

    @classmethod
    def from_json(cls, value: object) -> "Results":
        """Raises DocumentError that names the member that is wrong."""
        found = value.get("format") if isinstance(value, dict) else None
        if found != FORMAT:
            raise DocumentError(f"format: must be {FORMAT!r}: this is no document of results of ocpp16 load")
        results = read(cls, value)
        if any(not 0 <= index < len(results.seconds) for index in results.limit.seconds):
            raise DocumentError("limit.seconds: must be indices of seconds")
        return results

    @classmethod
    def load(cls, path: str | Path) -> "Results":
        """Read a file that `save` has written. Raises OSError, and DocumentError that names what is wrong."""
        content = read_regular(path)
        try:
            value = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise DocumentError(f"{path}: is no JSON: {error}") from None
        try:
            return cls.from_json(value)
        except DocumentError as error:
            raise DocumentError(f"{path}: {error}") from None

    def save(self, path: str | Path) -> None:
        """Write it as a file that is whole at any moment: the one before, or this one. Blocks. Raises OSError."""
        content = orjson.dumps(self.to_json(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        write_whole(Path(path), content)
