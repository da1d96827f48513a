"""What happens in one process, counted as it happens: each CALL, each frame, each connection.

Rules of this file:
1. Its listeners are called for every call and frame of thousands of charge points: they append and count, and leave the
   rest to `cut`, once a second.
2. Frames are kept of few: of a sample, and of those that erred from then on. What is kept has no secrets.
3. All that grows with what a Central System answers has a bound.
"""

from collections import Counter, deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from itertools import chain
from random import Random
from typing import Final, Protocol

from ocpp16.fleet import CallEnded, ProtocolViolation, ViolationTally
from ocpp16.load.beats import Beats
from ocpp16.load.latency import counted
from ocpp16.load.links import LOST, STOPPED, LostCalls, attempt
from ocpp16.load.portion import ActionPortion, Portion, Standing
from ocpp16.load.results import Attempts, ErrorCount, Offender
from ocpp16.redaction import redacted
from ocpp16.scenario.judge import DUE
from ocpp16.scenario.watch import BY_US
from ocpp16.texts import shown

MOST_KINDS: Final = 200
"""Kinds of errors; the others are counted together."""
MOST_OFFENDERS: Final = 20
MOST_TRACED: Final = 64
"""Charge points whose last frames are kept because they erred."""
SAMPLED: Final = 8
"""Charge points whose last frames are kept from the start."""
LAST_FRAMES: Final = 12
LONGEST_FRAME: Final = 2_000
"""Characters of a frame that is kept."""
OTHERS: Final = "others"


class FrameSink(Protocol):
    """Takes the frames of some charge points, and where their connections begin: `trace.TraceFile`."""

    def connected(self, charge_point: str) -> None: ...

    def take(self, charge_point: str, direction: str, text: str) -> None: ...


class Watcher(Protocol):
    """Is told the frames and connections of one charge point, as `FrameListener` and `LinkListener` are."""

    def frame(self, charge_point: str, direction: str, text: str) -> None: ...

    def link(self, charge_point: str, is_connected: bool, reason: str) -> None: ...


class _Action:
    __slots__ = ("due", "outcomes", "sent")

    def __init__(self) -> None:
        self.due: list[float] = []
        self.sent: list[float] = []
        self.outcomes = {"result": 0, "error": 0, "timeout": 0, "lost": 0}


class _Actions(dict[str, _Action]):
    def __missing__(self, action: str) -> _Action:
        made = self[action] = _Action()
        return made


class Recorder:
    """Parameters: `ids` of the charge points of this process; `now` is trio's time, which passes `speed` times faster
    than in reality: latencies are real. `seed` chooses the sample; `trace` takes the frames of those in `traced`.
    """

    def __init__(
        self,
        ids: Sequence[str],
        now: Callable[[], float],
        *,
        speed: float = 1.0,
        seed: int = 0,
        trace: FrameSink | None = None,
        traced: Collection[str] = (),
    ) -> None:
        self._now = now
        self._began = now()
        self._speed = speed
        self._actions = _Actions()
        self._lost = LostCalls(speed)
        self.is_interrupted: bool = False
        """What is open when a test ends before its end is lost: no verdict rests on that, and all is told."""
        self.beats: Beats | None = None
        """Of an open model."""
        self._sent = 0
        self._open = 0
        self._errors: Counter[tuple[str, str]] = Counter()
        self._kinds: set[tuple[str, str]] = set()
        self._violations = ViolationTally()
        self._erred: Counter[str] = Counter()
        self._slowest: dict[str, float] = {}
        self._slow = 0.0
        """Trio's seconds that a call has to take to be one of the slowest."""
        self._connected: set[str] = set()
        self.failed_attempts: int = 0
        """To connect, since one succeeded, and since the last connection ended: in a blackout nobody tries."""
        self.lost: int = 0
        """Connections, so far, but for those that were ended in order."""
        self._refused = 0
        """The same, since they were told."""
        self._reason = ""
        self.watchers: dict[str, Watcher] = {}
        """Of the few charge points that somebody looks at."""
        self.is_accepted: Callable[[str], bool] = lambda identity: False
        """By the Central System, as the charge point knows."""
        self._registered: set[str] = set()
        """Of those that have a connection."""
        self._undecided: set[str] = set()
        self._looked_at: set[str] = set()
        self._trace = trace
        self._traced = frozenset(traced)
        chance = Random(f"{seed} sample")  # noqa: S311 - repeatable, not secret
        sample = chance.sample(list(ids), min(SAMPLED, len(ids)))
        self._frames: dict[str, deque[tuple[float, str, str]]] = {one: deque(maxlen=LAST_FRAMES) for one in sample}

    @property
    def connected(self) -> int:
        """Charge points that have a connection."""
        return len(self._connected)

    # Listeners of the fleet

    def call(self, ended: CallEnded) -> None:
        """Of `open_fleet(calls=…)`."""
        self._open -= 1
        if ended.action == "BootNotification":
            self._undecided.add(ended.charge_point)
        if ended.outcome == "lost" and ended.charge_point in self._connected:
            self._lost.add(ended)
        else:
            self._ended(ended)

    def _ended(self, ended: CallEnded) -> None:
        action = self._actions[ended.action]
        outcome = ended.outcome
        action.outcomes[outcome] += 1
        if self.beats is not None and ended.action == "Heartbeat" and outcome != "lost":
            action.due += self.beats.ended(ended)
        if outcome != "lost":
            latency = ended.ended - ended.due
            action.due.append(latency)
            action.sent.append(ended.ended - ended.sent)
            if latency > self._slow:
                self._note_slow(ended.charge_point, latency)
        if outcome != "result":
            self._note_error(ended)

    def frame(self, charge_point: str, direction: str, text: str) -> None:
        """Of `open_fleet(frames=…)`."""
        if direction == "sent" and text.startswith("[2,"):
            self._sent += 1
            self._open += 1
        last = self._frames.get(charge_point)
        if last is not None:
            last.append((self._now(), direction, text))
        if self._trace is not None and charge_point in self._traced:
            self._trace.take(charge_point, direction, text)
        if self.watchers and (watcher := self.watchers.get(charge_point)) is not None:
            watcher.frame(charge_point, direction, text)

    def link(self, charge_point: str, is_connected: bool, reason: str) -> None:
        """Of `open_fleet(links=…)`."""
        if self.watchers and (watcher := self.watchers.get(charge_point)) is not None:
            watcher.link(charge_point, is_connected, reason)
        if is_connected:
            self._connected.add(charge_point)
            if self._trace is not None and charge_point in self._traced:
                self._trace.connected(charge_point)
            self._undecided.add(charge_point)
            self.failed_attempts = 0
        elif charge_point in self._connected:
            self._connected.discard(charge_point)
            self._registered.discard(charge_point)
            self._cut_off(charge_point, reason)
            if not self._connected:
                self.failed_attempts = 0
            if reason != STOPPED:
                self.lost += 1
                self._count(LOST, "")
                self._erred[charge_point] += 1
        elif reason != STOPPED:
            self.failed_attempts += 1
            self._refused += 1
            self._reason = attempt(reason)
            self._count(self._reason, "")
            self._note_erred(charge_point, f"not connected: {reason}")

    def _cut_off(self, charge_point: str, reason: str) -> None:
        """A connection ended."""
        why = "interrupted" if self.is_interrupted else reason
        if (ended := self._lost.settled(charge_point, why)) is not None:
            self._ended(ended)
        if self.beats is None:
            return
        if reason in BY_US:
            waited = self.beats.stopped(charge_point, DUE * self._speed)
        else:
            waited = self.beats.lost(charge_point)
        if waited:
            self._actions["Heartbeat"].due += waited

    def violation(self, violation: ProtocolViolation) -> None:
        """Of `open_fleet(violations=…)`."""
        self._violations(violation)
        if not violation.is_mended:
            self._note_erred(violation.charge_point, f"{violation.rule}: {violation.why}")

    # What goes wrong

    def _note_error(self, ended: CallEnded) -> None:
        match ended.outcome:
            case "error":
                code = "unreadable answer" if ended.code == "unreadable" else f"CALLERROR {shown(ended.code, 40)}"
            case "timeout":
                code = "timeout"
            case _:
                code = LOST
        self._count(code, ended.action)
        self._note_erred(ended.charge_point, f"{ended.action}: {code}")

    def _note_erred(self, charge_point: str, text: str) -> None:
        self._erred[charge_point] += 1
        last = self._frames.get(charge_point)
        if last is None:
            if len(self._frames) >= MOST_TRACED + SAMPLED:
                return
            last = self._frames[charge_point] = deque(maxlen=LAST_FRAMES)
        last.append((self._now(), "noted", text))

    def _count(self, kind: str, action: str) -> None:
        key = (kind, action)
        if key not in self._kinds:
            if len(self._kinds) >= MOST_KINDS:
                key = (OTHERS, "")
            else:
                self._kinds.add(key)
        self._errors[key] += 1

    def _note_slow(self, charge_point: str, latency: float) -> None:
        slowest = self._slowest
        if latency > slowest.get(charge_point, 0.0):
            slowest[charge_point] = latency
            if len(slowest) >= 2 * MOST_OFFENDERS:
                kept = sorted(slowest, key=slowest.__getitem__, reverse=True)[:MOST_OFFENDERS]
                self._slowest = {one: slowest[one] for one in kept}
                self._slow = slowest[kept[-1]]

    # Told

    def cut(self, second: int, standing: Standing, *, has_offenders: bool) -> Portion:
        """Everything since the last time."""
        actions, self._actions = self._actions, _Actions()
        errors, self._errors = self._errors, Counter()
        sent, self._sent = self._sent, 0
        violations, self._violations = self._violations, ViolationTally()
        attempts, self._refused, self._reason = Attempts(self._refused, self._reason), 0, ""
        self._look_who_is_registered()
        return Portion(
            second=second,
            standing=replace(
                standing,
                connected=self.connected,
                registered=len(self._registered),
                open_calls=max(0, self._open),
            ),
            sent=sent,
            actions={name: self._portion(action) for name, action in actions.items()},
            errors=tuple(ErrorCount(kind, action, count) for (kind, action), count in errors.items()),
            offenders=self._offenders() if has_offenders else None,
            attempts=attempts,
            violations=violations.counts(),
        )

    def _look_who_is_registered(self) -> None:
        """Only at those of whom that may have changed; and once more in a second, for an answer is told before the
        charge point has drawn its conclusions from it."""
        for identity in self._undecided | self._looked_at:
            if identity in self._connected and self.is_accepted(identity):
                self._registered.add(identity)
            else:
                self._registered.discard(identity)
        self._looked_at, self._undecided = self._undecided, set()

    def _portion(self, action: _Action) -> ActionPortion:
        each = 1e6 / self._speed
        pairs = [tuple(chain(*counted(measured, each).items())) for measured in (action.due, action.sent)]
        outcomes = action.outcomes
        return ActionPortion(outcomes["result"], outcomes["error"], outcomes["timeout"], outcomes["lost"], *pairs)

    def _offenders(self) -> tuple[Offender, ...]:
        """Those with the most errors, then those with the slowest calls."""
        worst = {one for one, _ in self._erred.most_common(MOST_OFFENDERS)} | set(self._slowest)
        found = [
            Offender(
                one,
                self._erred[one],
                self._slowest.get(one, 0.0) / self._speed,
                tuple(self._line(*frame) for frame in self._frames.get(one, ())),
            )
            for one in worst
        ]
        return worst_of(found)

    def _line(self, at: float, direction: str, text: str) -> str:
        harmless = redacted(text) if direction != "noted" else text
        return f"{at - self._began:.3f} {direction} {shown(harmless, LONGEST_FRAME)}"


def worst_of(offenders: Collection[Offender]) -> tuple[Offender, ...]:
    """The first of them, the worst first."""
    return tuple(sorted(offenders, key=lambda one: (-one.errors, -one.slowest, one.charge_point))[:MOST_OFFENDERS])
