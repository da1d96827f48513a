"""All that the processes of a load test told, added up: the figures of the test so far.

Rules of this file:
1. A second is added to the series when each process that is alive has told it; one that is slow is waited for
   `PATIENCE` seconds, and what it tells later counts in the second in which it comes.
2. The test ends in the middle of a second: rates are by the time that it took. What comes when nobody's time goes on
   counts in the second that was told last.
3. What a process told before it died counts. Whoever looks after it says that it did.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from ocpp16.fleet import ViolationCount, ViolationTally, by_rule
from ocpp16.load import probe
from ocpp16.load.latency import Counts, latencies
from ocpp16.load.portion import ActionPortion, Portion, Standing
from ocpp16.load.recorder import MOST_KINDS, OTHERS, worst_of
from ocpp16.load.results import ActionResult, Attempts, ErrorCount, Limit, Offender, Second, Transactions
from ocpp16.load.series import MOST_SECONDS, Latencies, Series
from ocpp16.load.thresholds import Measured

PATIENCE: Final = 3
"""Seconds that the slowest process may be behind before the others are told without it."""


WHOLE_SECONDS: Final = 2.0
"""From so many on an entry of the series is more than a second with the rest at the end."""


class _Total:
    """Of one action."""

    __slots__ = ("due", "errors", "lost", "results", "sent", "timeouts")

    def __init__(self) -> None:
        self.results = self.errors = self.timeouts = self.lost = 0
        self.due: Counts = Counter()
        self.sent: Counts = Counter()

    def copied(self) -> "_Total":
        made = _Total()
        made.results, made.errors, made.timeouts, made.lost = self.results, self.errors, self.timeouts, self.lost
        made.due, made.sent = self.due.copy(), self.sent.copy()
        return made

    def add(self, part: ActionPortion) -> None:
        self.results += part.results
        self.errors += part.errors
        self.timeouts += part.timeouts
        self.lost += part.lost
        _add_pairs(self.due, part.due)
        _add_pairs(self.sent, part.sent)


class Tally:
    """Parameters: `processes` that tell, by their numbers from 0 on; `most_seconds` entries of the series."""

    def __init__(self, processes: int = 1, most_seconds: int = MOST_SECONDS) -> None:
        self._actions: dict[str, _Total] = {}
        self._errors: Counter[tuple[str, str]] = Counter()
        self._offenders: dict[int, tuple[Offender, ...]] = {}
        self._series = Series(most_seconds)
        self._rows: dict[int, list[tuple[int, Portion]]] = {}
        self._latest = dict.fromkeys(range(processes), 0)
        """The last second that each process has told, of those that are alive."""
        self._standing: dict[int, Standing] = {}
        self._told = 0
        self._ended = 0.0
        """Seconds since the begin until which it was told; with the last second a part of one."""
        self._worst_delay = self._worst_cpu = 0.0
        self._late_seconds = 0.0
        self.due_calls: int = 0
        """Calls of an open model that were due so far."""
        self.missed_calls: int = 0
        """Those among them that fell in times in which nobody was there to answer."""
        self.attempts: Attempts = Attempts()
        """To connect that failed so far."""
        self._violations = ViolationTally()

    def add(self, number: int, portion: Portion) -> None:
        """What process `number` tells of a second."""
        for name, part in portion.actions.items():
            if name not in self._actions:
                self._actions[name] = _Total()
            self._actions[name].add(part)
        for error in portion.errors:
            key = (error.kind, error.action)
            is_known = key in self._errors or len(self._errors) < MOST_KINDS
            self._errors[key if is_known else (OTHERS, "")] += error.count
        if portion.offenders is not None:
            self._offenders[number] = portion.offenders
        self._violations.add_all(portion.violations)
        self.due_calls += portion.due_calls
        self.missed_calls += portion.missed_calls
        if portion.attempts.failed:
            self.attempts = Attempts(self.attempts.failed + portion.attempts.failed, portion.attempts.last)
        second = max(portion.second, self._told + 1)
        self._rows.setdefault(second, []).append((number, portion))
        if number in self._latest:
            self._latest[number] = max(self._latest[number], second)
        self._advance()

    def gone(self, number: int) -> None:
        """Process `number` tells no more."""
        self._latest.pop(number, None)
        self._standing.pop(number, None)
        self._advance()

    def copied(self) -> "Tally":
        """The figures as they are now, for another thread."""
        made = Tally(0)
        made._actions = {name: total.copied() for name, total in self._actions.items()}
        made._errors = self._errors.copy()
        made._violations = ViolationTally(self._violations.counts())
        made._offenders = dict(self._offenders)
        made._standing = dict(self._standing)
        made._series = self._series.copied()
        made._told, made._ended = self._told, self._ended
        made._late_seconds, made.due_calls = self._late_seconds, self.due_calls
        made._worst_delay, made._worst_cpu = self._worst_delay, self._worst_cpu
        made.attempts, made.missed_calls = self.attempts, self.missed_calls
        return made

    def _advance(self) -> None:
        while self._rows:
            following = min(self._rows)
            reached = min(self._latest.values(), default=following)
            if following > reached and following > max(self._rows) - PATIENCE:
                return
            self._close(following, self._rows.pop(following))

    def _close(self, second: int, row: list[tuple[int, Portion]]) -> None:
        # What one that is gone told last counts, but nobody of it is connected.
        self._standing.update((number, portion.standing) for number, portion in row if number in self._latest)
        standing = list(self._standing.values())
        parts = [part for _, portion in row for part in portion.actions.values()]
        counts: dict[str, Counts] = {}
        for _, portion in row:
            for name, part in portion.actions.items():
                _add_pairs(counts.setdefault(name, Counter()), part.due)
        delay = max(portion.loop_delay for _, portion in row)
        cpu = max(portion.cpu for _, portion in row)
        is_late = probe.is_late(delay, cpu)
        ended = max(self._ended, *(_end(portion, second) for _, portion in row))
        span = ended - self._ended
        self._told, self._ended = second, ended
        self._worst_delay, self._worst_cpu = max(self._worst_delay, delay), max(self._worst_cpu, cpu)
        self._late_seconds += span if is_late else 0
        self._series.add(
            Second(
                at=ended,
                connected=sum(one.connected for one in standing),
                registered=sum(one.registered for one in standing),
                sent=sum(portion.sent for _, portion in row),
                answered=sum(part.results + part.errors for part in parts),
                errors=sum(part.errors for part in parts),
                timeouts=sum(part.timeouts for part in parts),
                lost=sum(part.lost for part in parts),
                in_flight=self.open_calls,
                loop_delay=delay,
                p50=None,
                p95=None,
                p99=None,
                max=None,
                is_late=is_late,
                span=span,
                cpu=cpu,
            ),
            counts,
        )

    # So far

    @property
    def seconds(self) -> tuple[Second, ...]:
        return self._series.seconds()

    def latencies(self) -> list[Latencies]:
        """Of each of the seconds."""
        return self._series.latencies()

    @property
    def passed(self) -> float:
        """Seconds that were told."""
        return self._ended

    @property
    def connected(self) -> int:
        """Charge points that had a connection at the end of the last second."""
        return sum(one.connected for one in self._standing.values())

    @property
    def open_calls(self) -> int:
        """Calls that waited for their answer at the end of the last second."""
        return sum(one.open_calls for one in self._standing.values())

    @property
    def stage(self) -> str:
        """The stage that most processes are in."""
        found = Counter(one.stage for one in self._standing.values()).most_common(1)
        return found[0][0] if found else ""

    @property
    def waiting(self) -> str:
        """What the scenario waits for, in one of the processes."""
        return next((one.waiting for one in self._standing.values() if one.waiting), "")

    def measured(self) -> dict[str, Measured]:
        """By action, for thresholds; "" is what belongs to none, and only breaks the protocol."""
        violations: dict[str, list[ViolationCount]] = {}
        for violation in self._violations.counts():
            violations.setdefault(violation.action, []).append(violation)
        none = _Total()
        found = {}
        for name in (*self._actions, *(violations.keys() - self._actions.keys())):
            one = self._actions.get(name, none)
            found[name] = Measured(
                self._ended,
                one.results,
                one.errors,
                one.timeouts,
                one.lost,
                one.due,
                one.sent,
                by_rule(violations.get(name, ())),
            )
        return found

    def actions(self, *, has_histograms: bool = True) -> Mapping[str, ActionResult]:
        """As results have them, the most frequent first."""
        found = {
            name: ActionResult(
                count=one.results + one.errors + one.timeouts + one.lost,
                results=one.results,
                errors=one.errors,
                timeouts=one.timeouts,
                lost=one.lost,
                due=latencies(one.due, has_histogram=has_histograms),
                sent=latencies(one.sent, has_histogram=has_histograms),
            )
            for name, one in self._actions.items()
        }
        return dict(sorted(found.items(), key=lambda item: (-item[1].count, item[0])))

    def errors(self) -> tuple[ErrorCount, ...]:
        """By kind and action, the most frequent first."""
        return tuple(ErrorCount(kind, action, count) for (kind, action), count in self._errors.most_common())

    def violations(self) -> tuple[ViolationCount, ...]:
        """Of the protocol, the most frequent first."""
        return self._violations.counts()

    def offenders(self) -> tuple[Offender, ...]:
        """Of all processes, the worst first."""
        return worst_of([one for told in self._offenders.values() for one in told])

    def transactions(self) -> Transactions:
        """Starts and stops that were answered."""
        started, stopped = (self._actions.get(name) for name in ("StartTransaction", "StopTransaction"))
        return Transactions(started.results if started else 0, stopped.results if stopped else 0)

    def limit(self) -> Limit:
        """Was the tool itself behind?"""
        late = tuple(index for index, second in enumerate(self.seconds) if second.is_late)
        text = probe.why(self._late_seconds, self._worst_delay, self._worst_cpu)
        return Limit(bool(late), late, self._worst_delay, text)

    def notes(self) -> list[str]:
        """What a reader of the figures should know, in sentences."""
        span = self._series.longest_span
        if span < WHOLE_SECONDS:
            return []
        return [f"an entry of the seconds tells of up to {span:g} s: the test was long, or its process came too late"]


def _end(portion: Portion, second: int) -> float:
    """Seconds since the begin until which it tells, where it is added to this second."""
    whole = float(min(portion.second, second))
    return whole if portion.ended is None else min(whole, portion.ended)


def _add_pairs(counts: Counts, pairs: tuple[int, ...]) -> None:
    for value, count in _pairs(pairs):
        counts[value] += count


def _pairs(flat: tuple[int, ...]) -> Iterable[tuple[int, int]]:
    return zip(flat[::2], flat[1::2], strict=False)
