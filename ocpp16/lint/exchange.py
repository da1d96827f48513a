"""Who asked what, and what answers it: the rules about CALLs and their answers (OCPP-J 1.6 §4).

Rules of this file:
1. Ids are those of the side that asks. The trace may begin in the middle, so the first answer to what nobody asked is
   passed over as long as its asker was not heard to ask. So is one after a gap, or after what was hidden.
2. Where nobody tells when connections begin and end, a CALL without an answer may be one that was lost with its
   connection. Then a second CALL before the answer is told only when that answer comes after all.
3. Who says nothing any more may be cut off, without anybody having noticed. So that a CALL was never answered is told
   when its other side is heard again on the same connection, or is connected still at the end.
4. Everything that is kept has an end: `MOST_OPEN`, and the number of ids that the linter gives.
"""

from collections.abc import Iterator
from typing import Any, Final

from ocpp16.enums import ErrorCode
from ocpp16.lint.bounds import forget_oldest
from ocpp16.lint.docket import SECOND, Docket
from ocpp16.lint.finding import CENTRAL_SYSTEM, CHARGE_POINT, Side, other, sender
from ocpp16.lint.frame import CALL, CALLERROR, FROM_CHARGE_POINT, Frame
from ocpp16.texts import shown

MOST_OPEN: Final = 20
"""CALLs of one side that an answer may still come to; beyond that the oldest is forgotten."""
PATIENCE: Final = 3 * SECOND // 2
"""Before this nobody gives up waiting for an answer: a second CALL comes too early."""
LATE: Final = 30 * SECOND
NEVER: Final = 60 * SECOND
"""Then an answer will not come any more."""
LEFT_ALONE: Final = 3
"""Times without an answer, where nobody tells of connections."""
_SOON: Final = 10 * SECOND
"""Within this an id that comes again is taken to be on the same connection, where nobody tells of connections."""
CODES: Final = frozenset(map(str, ErrorCode)) | {"OccurrenceConstraintViolation"}
"""Of CALLERRORs; one is also seen in the spelling that the specification meant."""
ABOUT_NO_CALL: Final = frozenset({"-1", "", "None"})
"""Ids of CALLERRORs about what has none."""


class Asked:
    """A CALL as it was seen. at: µs since 1970, None if nobody knows; payload: {} for what is no object."""

    __slots__ = ("action", "at", "frame", "is_heard", "is_in_vain", "is_triggered", "overtaken", "payload")

    def __init__(self, frame: Frame, at: int | None) -> None:
        self.frame: Frame = frame
        self.at: int | None = at
        self.action: str = frame.action
        self.payload: dict[str, Any] = frame.payload if isinstance(frame.payload, dict) else {}
        self.overtaken: Frame | None = None
        """The next CALL of this side, if that came too early."""
        self.is_heard: bool = False
        """Was the other side heard since, whatever it said?"""
        self.is_triggered: bool = False
        """Did the Central System ask for it?"""
        self.is_in_vain: bool = False
        """Is the charge point Rejected, which answers nothing (OCPP 1.6 §4.2)?"""

    def is_like(self, frame: Frame) -> bool:
        return self.action == frame.action and bool(self.frame.payload == frame.payload)

    def is_awaited(self, at: int | None) -> bool:
        """Is it so new that nobody has given up waiting for its answer?"""
        return at is not None and self.at is not None and at - self.at < PATIENCE

    def is_repeated_by(self, frame: Frame) -> bool:
        """Under a new id; every Heartbeat is like the one before, and repeats none."""
        return bool(frame.payload) and frame.message_id != self.frame.message_id and self.is_like(frame)


class Asker:
    """What is known of the CALLs of one side."""

    __slots__ = (
        *("answered", "given_up", "has_asked", "has_flooded", "has_heard"),
        *("in_silence", "is_excused", "open", "unanswered", "used"),
    )

    def __init__(self) -> None:
        self.has_asked: bool = False
        self.is_excused: bool = False
        self.has_heard: bool = False
        """Was the other side ever heard?"""
        self.has_flooded: bool = False
        """Were more CALLs open than are remembered? Then answers to nothing may answer those."""
        self.open: dict[str, Asked] = {}
        self.answered: dict[str, None] = {}
        self.given_up: dict[str, Asked] = {}
        self.in_silence: dict[str, Asked] = {}
        """Those of `given_up` since which the other side was not heard."""
        self.used: dict[int, int | None] = {}
        """Hash of an id of this connection → when it was used last."""
        self.unanswered: dict[str, int] = {}
        """Action → how often it had no answer since it last had one."""

    def is_left_alone(self, asked: Asked) -> bool:
        """Has nobody answered this action for so often that it cannot be the connection's fault?"""
        action = asked.action[:40]
        if action in self.unanswered or len(self.unanswered) < MOST_OPEN:
            self.unanswered[action] = self.unanswered.get(action, 0) + 1
        return self.unanswered.get(action, 0) >= LEFT_ALONE

    def give_up_repeated(self, frame: Frame, at: int | None) -> None:
        """What is sent once more was lost with its connection, or given up; not at once."""
        for message_id, asked in [*self.open.items()]:
            if not asked.is_repeated_by(frame) or asked.is_awaited(at):
                continue
            self.given_up[message_id] = self.open.pop(message_id)
            forget_oldest(self.given_up, MOST_OPEN)

    def reconnected(self, docket: Docket) -> list[Asked]:
        """Nothing is outstanding on a new connection; gives what was."""
        for asked in {asked.action: asked for asked in self.in_silence.values()}.values():
            if self.is_left_alone(asked):
                _tell_unanswered(docket, asked)
        self.in_silence.clear()
        lost = list(self.open.values())
        self.open.clear()
        self.used.clear()
        for asked in lost:
            self.given_up[asked.frame.message_id] = asked
        forget_oldest(self.given_up, MOST_OPEN)
        return lost


class Exchange:
    """Both sides of one charge point's traffic."""

    __slots__ = ("_askers", "_broken", "_most_ids")

    def __init__(self, most_ids: int) -> None:
        self._askers: dict[Side, Asker] = {CHARGE_POINT: Asker(), CENTRAL_SYSTEM: Asker()}
        self._most_ids = most_ids
        self._broken: Side | None = None
        """Who sent the last frame that cannot be read, until something answers it."""

    def reconnected(self, docket: Docket) -> list[Asked]:
        return [asked for asker in self._askers.values() for asked in asker.reconnected(docket)]

    def heard(self, docket: Docket, frame: Frame) -> None:
        """Any message: whoever sent it is there, and has left unanswered what it was asked long before."""
        asker = self._askers[other(sender(frame))]
        asker.has_heard = True
        for asked in asker.open.values():
            asked.is_heard = True
        if asker.in_silence:
            if frame.kind != CALL:
                asker.in_silence.pop(frame.message_id, None)
            self.ended(docket, asker)

    def ended(self, docket: Docket, *askers: Asker) -> None:
        """What was asked in a silence, by these or by both sides, has no answer."""
        for asker in askers or self._askers.values():
            for asked in asker.in_silence.values():
                _tell_unanswered(docket, asked)
            asker.in_silence.clear()

    def clock_was_set(self) -> None:
        for asker in self._askers.values():
            for asked in asker.open.values():
                asked.at = None
            for key in asker.used:
                asker.used[key] = None

    def called(self, docket: Docket, frame: Frame, at: int | None) -> Asked:
        side = sender(frame)
        asker = self._askers[side]
        asked = Asked(frame, at)
        if frame.action == "BootNotification" and docket.is_connected is None:
            asker.used.clear()  # a start is on a connection of its own
        self._check_id(docket, asker, frame, at)
        if asker.open:
            if docket.is_connected is None:
                asker.give_up_repeated(frame, at)
            for before in reversed(asker.open.values()):
                self._second_call(docket, before, frame, at)
                break
        asker.has_asked = True
        asker.open[frame.message_id] = asked
        if len(asker.open) > MOST_OPEN:
            del asker.open[next(iter(asker.open))]
            asker.has_flooded = True
        if frame.fault:
            self._broken = side
        return asked

    def _check_id(self, docket: Docket, asker: Asker, frame: Frame, at: int | None) -> None:
        key = hash(frame.message_id)
        used = asker.used
        if key in used:
            before = used.pop(key)
            is_known = docket.is_connected is not None
            if is_known or (before is not None and at is not None and at - before < _SOON):
                earlier = asker.open.get(frame.message_id)
                if is_known or earlier is None or not earlier.is_like(frame):
                    docket.tell("id-reused", f"the id {shown(frame.message_id, 40)} was used before", frame)
        used[key] = at
        if len(used) > self._most_ids:
            del used[next(iter(used))]

    def _second_call(self, docket: Docket, before: Asked, frame: Frame, at: int | None) -> None:
        if at is not None and before.at is not None and not before.is_awaited(at):
            return  # it may have given up
        if docket.is_connected and at is not None:
            docket.tell("one-call", _overtaken(before, frame), frame)
        elif before.overtaken is None:
            before.overtaken = frame

    def answered(self, docket: Docket, frame: Frame, at: int | None) -> Asked | None:
        """The CALL that it answers, None if there is none."""
        side = sender(frame)
        asker = self._askers[other(side)]
        asked = asker.open.pop(frame.message_id, None)
        if frame.kind == CALLERROR and frame.code not in CODES and not frame.fault:
            docket.tell("error-code", f"{shown(frame.code, 60) or 'no text'} is no code of a CALLERROR", frame)
        if asked is None:
            late = asker.given_up.pop(frame.message_id, None)
            if late is None:
                self._answers_nothing(docket, asker, self._askers[side], frame)
            else:
                docket.tell("late-answer", f"{_named(late)} is answered when it is too late", frame)
            return late
        if asked.overtaken is not None:
            overtaken = asked.overtaken
            docket.tell("one-call", _overtaken(asked, overtaken), overtaken)
        if at is not None and asked.at is not None and at - asked.at > LATE:
            docket.tell("late-answer", f"{_named(asked)} is answered after {(at - asked.at) // SECOND} s", frame)
        asker.unanswered.pop(asked.action[:40], None)
        asker.answered[frame.message_id] = None
        forget_oldest(asker.answered, MOST_OPEN)
        return asked

    def _answers_nothing(self, docket: Docket, asker: Asker, own: Asker, frame: Frame) -> None:
        message_id = frame.message_id
        if message_id in asker.answered:
            docket.tell("answered-twice", f"{shown(message_id, 40)} was answered before", frame)
        elif frame.kind == CALLERROR and (message_id in own.answered or message_id in own.open):
            docket.tell(
                "error-to-answer", f"{shown(message_id, 40)} is an id of its own, whose answer it refuses", frame
            )
        elif frame.kind == CALLERROR and (message_id in ABOUT_NO_CALL or self._broken == other(sender(frame))):
            self._broken = None
        elif not asker.has_asked and not asker.is_excused:
            asker.is_excused = True
        elif asker.has_flooded:
            pass
        else:
            docket.tell("answers-nothing", f"nobody asked {shown(message_id, 40)}", frame)

    def unreadable(self, frame: Frame) -> None:
        self._broken = sender(frame)

    def missed(self, *sides: Side) -> None:
        """What these sides said last is not in the traffic: it may be the CALL that is answered next."""
        for side in sides:
            asker = self._askers[side]
            asker.has_asked = asker.is_excused = False

    def overdue(self, docket: Docket, now: int) -> Iterator[Asked]:
        """Those whose answer will not come any more."""
        for asker in self._askers.values():
            # Of one without a time, as after the clock was set, nobody knows how long it waits: others count still.
            for message_id, asked in [*asker.open.items()] if asker.open else ():
                if asked.at is None or now - asked.at <= NEVER:
                    continue
                del asker.open[message_id]
                asker.given_up[message_id] = asked
                forget_oldest(asker.given_up, MOST_OPEN)
                if not asked.is_in_vain:
                    self._is_overdue(docket, asker, asked)
                yield asked

    def _is_overdue(self, docket: Docket, asker: Asker, asked: Asked) -> None:
        if docket.is_connected and not asked.is_heard:
            asker.in_silence[asked.frame.message_id] = asked
            forget_oldest(asker.in_silence, MOST_OPEN)
        elif docket.is_connected or ((asked.is_heard or not asker.has_heard) and asker.is_left_alone(asked)):
            _tell_unanswered(docket, asked)


def _tell_unanswered(docket: Docket, asked: Asked) -> None:
    docket.tell("unanswered", f"{_named(asked)} was never answered", asked.frame, other(sender(asked.frame)))


def _named(asked: Asked) -> str:
    who = "the charge point" if asked.frame.direction == FROM_CHARGE_POINT else "the Central System"
    return f"{shown(asked.action, 40) or CALL} of {who}"


def _overtaken(before: Asked, frame: Frame) -> str:
    where = f" of line {before.frame.line}" if before.frame.line else ""
    return f"{shown(frame.action, 40)} is sent while {shown(before.action, 40)}{where} has no answer yet"
