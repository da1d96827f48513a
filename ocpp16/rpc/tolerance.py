"""Named repairs of received frames and payloads, each a switch.

Strict in what is sent, lenient in what is received, and open about the difference: a repair is tried only when the
strict check objects, has one plausible meaning, has a name that is counted, and its result passes the strict check.
Nothing here is used on what we send. The default set is what a charge point needs to live with real Central Systems;
the rest is for users of the codec, as Central Systems, and is switched on by name.

A repair is made at every place that the same rule may be broken at in the same way (all elements of a list), so that
the work grows with the size of the payload and not with its square.
"""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Final

from ocpp16._core import (
    Call,
    CallError,
    CallResult,
    EchoedId,
    FramingError,
    Kind,
    ValidationError,
    check,
    parse,
    without_byte_order_mark,
)
from ocpp16.enums import ErrorCode
from ocpp16.rpc.repairs import PAYLOAD_REPAIRS, Place, Repair
from ocpp16.texts import shown

__all__ = ["Repair", "Tolerance", "repair_code", "repair_frame", "repair_payload"]

Frame = Call | CallResult | CallError


class Tolerance:
    """An immutable set of repairs that may be made.

    names: members of `Repair` or their texts; ValueError for a text that names none. `Tolerance(*Tolerance.DEFAULT,
    "number_text")` is the default and one more.
    """

    __slots__ = ("_repairs",)
    DEFAULT: ClassVar["Tolerance"]
    """What is made unless another one is given: the first eleven of `Repair`."""
    STRICT: ClassVar["Tolerance"]
    """Without any repair: what is wrong is refused."""

    def __init__(self, *names: str) -> None:
        self._repairs = frozenset(map(Repair, names))

    @classmethod
    def parse(cls, names: Iterable[str]) -> "Tolerance":
        """What a user names: `default` or `strict` first, if any, then `+name` (or `name`) and `-name`.

        Without either of the two the default set is where it begins; the last word on a repair holds. A text is a list
        separated by commas. Raises ValueError that names what is no repair.
        """
        if isinstance(names, str):
            words = names.split(",") if names.strip() else []
        else:
            words = list(names)
        repairs = set(cls.DEFAULT)
        for position, item in enumerate(words):
            name = item.strip() if isinstance(item, str) else ""
            if position == 0 and name in ("default", "strict"):
                if name == "strict":
                    repairs.clear()
                continue
            try:
                repair = Repair(name[1:] if name[:1] in ("+", "-") else name)
            except ValueError:
                known = ", ".join(Repair)
                meant = shown(repr(item) if isinstance(item, str) else type(item).__name__, 60)
                raise ValueError(f"no repair {meant}: default or strict first, then of {known}") from None
            if name.startswith("-"):
                repairs.discard(repair)
            else:
                repairs.add(repair)
        return cls(*repairs)

    def __contains__(self, repair: object) -> bool:
        return repair in self._repairs

    def __iter__(self) -> Iterator[Repair]:
        return (repair for repair in Repair if repair in self._repairs)

    def __eq__(self, other: object) -> bool:
        return self._repairs == other._repairs if isinstance(other, Tolerance) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._repairs)

    def __repr__(self) -> str:
        return f"Tolerance({', '.join(map(repr, map(str, self)))})"


Tolerance.DEFAULT = Tolerance(*list(Repair)[:11])
Tolerance.STRICT = Tolerance()


# Frames -------------------------------------------------------------------------------------------------------------

_CODES: Final = {code.casefold(): str(code) for code in ErrorCode} | {
    # What later versions of OCPP and some libraries call them.
    "occurrenceconstraintviolation": str(ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION),
    "formatviolation": str(ErrorCode.FORMATION_VIOLATION),
    "messagetypenotsupported": str(ErrorCode.GENERIC_ERROR),
    "rpcframeworkerror": str(ErrorCode.GENERIC_ERROR),
}


def repair_frame(
    text: str | bytes | bytearray | memoryview, tolerance: Tolerance = Tolerance.DEFAULT
) -> tuple[Frame, tuple[str, ...]]:
    """Read one frame and mend what `tolerance` allows.

    Returns the frame and the names of the repairs made. A message id that is none by OCPP-J becomes an `EchoedId`. A
    code of a CALLERROR that is not known at all stays as it is. Raises FramingError, that of the strict parser, when
    something is left.
    """
    try:
        return _with_known_code(parse(text), tolerance, [])
    except FramingError as error:
        return mend_frame(text, error, tolerance)


def mend_frame(
    text: str | bytes | bytearray | memoryview, error: FramingError, tolerance: Tolerance
) -> tuple[Frame, tuple[str, ...]]:
    """`repair_frame` of a text of which the strict parser has said that it is none: long ones are not read again."""
    repairs: list[str] = []
    frame: Frame | None = None
    if Repair.BYTE_ORDER_MARK in tolerance and (rest := without_byte_order_mark(text)) is not None:
        repairs.append(Repair.BYTE_ORDER_MARK)
        try:
            frame = parse(rest)
        except FramingError as left:
            error = left
    if frame is None:
        frame = _mended(error, tolerance, repairs)
        if frame is None:
            raise error
    return _with_known_code(frame, tolerance, repairs)


def _with_known_code(frame: Frame, tolerance: Tolerance, repairs: list[str]) -> tuple[Frame, tuple[str, ...]]:
    if isinstance(frame, CallError):
        code = repair_code(frame.code, tolerance)
        if code is not None:
            frame = CallError(frame.unique_id, code, frame.description, frame.details)
            repairs.append(Repair.CALL_ERRORS)
    return frame, tuple(dict.fromkeys(repairs))


def repair_code(code: str, tolerance: Tolerance) -> str | None:
    """What OCPP 1.6 calls this code of a CALLERROR; None if it calls it so, does not know it, or may not be asked."""
    known = _CODES.get(code.casefold(), code) if Repair.CALL_ERRORS in tolerance else code
    return None if known == code else known


def _mended(error: FramingError, tolerance: Tolerance, repairs: list[str]) -> Frame | None:
    elements = error.frame
    if elements is None or error.kind is None or len(elements) < 2:
        return None
    unique_id = _mended_id(elements[1], tolerance, repairs)
    if unique_id is None:
        return None
    if error.kind == 4:
        return _mended_call_error(unique_id, elements, tolerance, repairs)
    place = 3 if error.kind == 2 else 2
    payload = elements[place] if len(elements) > place else None
    if payload is None:
        repair = Repair.NULL_PAYLOAD if len(elements) > place else Repair.ABSENT_PAYLOAD
        if repair not in tolerance or (error.kind == 2 and len(elements) <= place):
            return None
        repairs.append(repair)
        payload = {}
    if type(payload) is not dict:
        return None
    if error.kind == 3:
        return CallResult(unique_id, payload)
    return Call(unique_id, elements[2], payload) if type(elements[2]) is str else None


def _mended_id(raw: Any, tolerance: Tolerance, repairs: list[str]) -> str | None:
    if type(raw) is str and 0 < len(raw) <= 36:
        return raw
    repair = Repair.EMPTY_IDS if raw == "" else Repair.MESSAGE_IDS
    if type(raw) not in (str, int) or repair not in tolerance:
        return None
    repairs.append(repair)
    return EchoedId(raw)


def _mended_call_error(
    unique_id: str, elements: list[Any], tolerance: Tolerance, repairs: list[str]
) -> CallError | None:
    code, description, details = [*elements[2:5], None, None, None][:3]
    if type(code) is not str:
        return None
    if type(description) is not str or type(details) is not dict:
        if Repair.CALL_ERRORS not in tolerance:
            return None
        repairs.append(Repair.CALL_ERRORS)
        description = description if type(description) is str else ""
        details = details if type(details) is dict else {}
    return CallError(unique_id, code, description, details)


# Payloads -----------------------------------------------------------------------------------------------------------


def repair_payload(
    action: str, kind: Kind, payload: Any, tolerance: Tolerance = Tolerance.DEFAULT
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Mend a payload in place as far as `tolerance` allows.

    Returns the payload, which passes the strict check ({} for a payload of null), and the names of the repairs made.
    Raises ValidationError of the first rule that stays broken; the payload may then be half mended.
    """
    repairs: list[str] = []
    if payload is None and Repair.NULL_PAYLOAD in tolerance:
        payload = {}
        repairs.append(Repair.NULL_PAYLOAD)
    while (violation := check(action, kind, payload)) is not None:
        places = [Place(holder, key, violation.limit, action) for holder, key in _places(payload, violation.path)]
        for repair, mend in PAYLOAD_REPAIRS.get(violation.rule, ()):
            if repair in tolerance and sum(map(mend, places)):
                repairs.append(repair)
                break
        else:
            raise ValidationError(action, kind, violation)
    return payload, tuple(dict.fromkeys(repairs))


def _places(payload: Any, path: tuple[str | int, ...]) -> Iterable[tuple[Any, Any]]:
    """Holder and key of every place that `path` leads to when its indices stand for any index."""
    if not path:
        return
    holders = [payload]
    for step in path[:-1]:
        if isinstance(step, int):
            holders = [element for holder in holders if isinstance(holder, list) for element in holder]
        else:
            holders = [holder[step] for holder in holders if isinstance(holder, dict) and step in holder]
    last = path[-1]
    for holder in holders:
        if not isinstance(last, int):
            if isinstance(holder, dict):
                yield holder, last
        elif isinstance(holder, list):
            for index in range(len(holder)):
                yield holder, index
