"""What the Central System does against OCPP-J and the schemas, as a charge point sees it: told to whoever measures.

A charge point lives with all of these: it counts them (`Counters`), answers with a CALLERROR, mends, or drops. Who
tests a Central System wants to know. Rules are named as `ocpp16 lint` names them.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from ocpp16.enums import ErrorCode, RegistrationStatus
from ocpp16.messages.actions import ACTIONS
from ocpp16.rpc.repairs import Repair
from ocpp16.texts import shown

__all__ = ["ProtocolViolation", "ViolationListener", "ViolationWatch"]

FRAME: Final = "frame"
SCHEMA: Final = "schema"
TIME_FORM: Final = "time-form"
ERROR_CODE: Final = "error-code"
ID_REUSED: Final = "id-reused"
ACTION: Final = "action"
DIRECTION: Final = "direction"
ASKED_REJECTED: Final = "asked-rejected"
ANSWERED_TWICE: Final = "answered-twice"
LATE_ANSWER: Final = "late-answer"
ANSWERS_NOTHING: Final = "answers-nothing"
RULES: Final = (
    FRAME,
    ID_REUSED,
    ANSWERS_NOTHING,
    ANSWERED_TWICE,
    LATE_ANSWER,
    ERROR_CODE,
    ACTION,
    DIRECTION,
    SCHEMA,
    TIME_FORM,
    ASKED_REJECTED,
)
MILD: Final = frozenset({LATE_ANSWER, TIME_FORM})
"""Those that are warnings to `ocpp16 lint`; the others are errors."""
REMEMBERED: Final = 4
"""Ids of CALLs of ours that were answered, kept to say what another answer is. There are thousands of charge points,
and one is seldom later."""
REMEMBERED_UNANSWERED: Final = 64
"""The same of the others, of which most charge points have none: who is slow may answer half an hour late."""
_KNOWN_CODES: Final = frozenset(map(str, ErrorCode)) | {"OccurrenceConstraintViolation"}
"""One is also seen in the spelling that the specification meant."""


class ProtocolViolation(NamedTuple):
    """One message of the Central System that is not as OCPP-J, or a schema, says.

    rule: as `ocpp16 lint` names it, one of `RULES`. action: of the CALL, "" where nobody knows. why: in words, without
    values of the message. is_mended: the charge point has used the message all the same (`Tolerance`)."""

    charge_point: str
    rule: str
    action: str
    why: str
    is_mended: bool = False


ViolationListener = Callable[[ProtocolViolation], None]
"""Told synchronously: it must not block. What it raises is logged, and ends nothing."""


class ViolationWatch:
    """Of one start of a charge point; `tell` raises nothing."""

    __slots__ = ("_answered", "_charge_point", "_given_up", "_tell")

    def __init__(self, charge_point: str, tell: ViolationListener) -> None:
        self._charge_point = charge_point
        self._tell = tell
        self._answered: tuple[int, ...] = ()
        """Hashes: an id is ten times as large."""
        self._given_up: tuple[int, ...] = ()

    def ended(self, unique_id: str, outcome: str) -> None:
        """A CALL of ours is over."""
        key = hash(unique_id)
        if outcome in ("result", "error"):
            self._answered = (*self._answered[1 - REMEMBERED :], key)
        else:
            self._given_up = (*self._given_up[1 - REMEMBERED_UNANSWERED :], key)

    def tell(self, rule: str, action: str, why: str, *, is_mended: bool = False) -> None:
        """One of those that need no more than that."""
        self._tell(ProtocolViolation(self._charge_point, rule, shown(action, 50), shown(why, 300), is_mended))

    def unasked(self, unique_id: str) -> None:
        """An answer came that nobody waits for."""
        key, name = hash(unique_id), shown(unique_id, 40)
        if key in self._answered:
            self.tell(ANSWERED_TWICE, "", f"{name} was answered before")
        elif key in self._given_up:
            self.tell(LATE_ANSWER, "", f"{name} is answered when nobody waits any more")
        else:
            self.tell(ANSWERS_NOTHING, "", f"nobody asked {name}")

    def asked(self, action: str, registration: RegistrationStatus | None, *, is_repeat: bool) -> None:
        """A CALL came: is it one that a Central System may make?"""
        known = ACTIONS.get(action)
        if known is None:
            self.tell(ACTION, action, f"{shown(action, 50) or 'no text'} is no action of OCPP 1.6")
        elif known.initiator == "ChargePoint":
            self.tell(DIRECTION, action, f"{action} is not for the Central System to ask")
        if registration is RegistrationStatus.REJECTED:
            self.tell(ASKED_REJECTED, action, "a charge point that is Rejected is asked nothing")
        elif is_repeat:
            self.tell(ID_REUSED, action, "a CALL has the id of one that is not answered yet")

    def refused(self, code: str, action: str) -> None:
        """A CALLERROR came, with this code."""
        if code not in _KNOWN_CODES:
            self.tell(ERROR_CODE, action, f"{shown(code, 60) or 'no text'} is no code of a CALLERROR")

    def mended(self, repairs: tuple[str, ...], rule: str, action: str, what: str) -> None:
        """These repairs had to be made of `what`, which was used then."""
        if repairs:
            found = TIME_FORM if rule == SCHEMA and set(repairs) == {Repair.DATE_TIMES} else rule
            self.tell(found, action, f"{what} had to be mended: {', '.join(repairs)}", is_mended=True)
