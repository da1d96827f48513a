"""What a payload is to be like: dotted names of members, each with what is asked of it.

{"idTagInfo.status" = "Accepted", "transactionId" = {gt = 0}, "meterValue.0.sampledValue" = {exists = true}}
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from ocpp16.scenario.kinds import Many, Number, Text, table_of, unknown
from ocpp16.scenario.problems import Place
from ocpp16.texts import shown

LONGEST_PATTERN: Final = 200
LONGEST_SEARCHED: Final = 4_000
"""Characters of a value that a regular expression is tried on."""
_ABSENT: Final = object()
_COMPARED: Final = Number(-1e300, 1e300)


def _ordered(compare: Callable[[float, float], bool]) -> Callable[[Any, Any], bool]:
    def is_so(found: Any, asked: Any) -> bool:
        number, other = _number(found), _number(asked)
        return number is not None and other is not None and compare(number, other)

    return is_so


def _number(value: Any) -> float | None:
    """Values of meters are texts on the wire."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _matches(found: Any, pattern: Any) -> bool:
    return isinstance(found, str) and re.search(pattern, found[:LONGEST_SEARCHED]) is not None


_COMPARATORS: Final[Mapping[str, tuple[str, Callable[[Any, Any], bool]]]] = {
    "eq": ("", lambda found, asked: found is not _ABSENT and bool(found == asked)),
    "ne": ("anything but ", lambda found, asked: found is not _ABSENT and bool(found != asked)),
    "lt": ("less than ", _ordered(lambda found, asked: found < asked)),
    "le": ("at most ", _ordered(lambda found, asked: found <= asked)),
    "gt": ("more than ", _ordered(lambda found, asked: found > asked)),
    "ge": ("at least ", _ordered(lambda found, asked: found >= asked)),
    "in": ("one of ", lambda found, asked: found in asked),
    "regex": ("like ", _matches),
    "exists": ("", lambda found, asked: (found is not _ABSENT) is asked),
}
"""Name → how it is said, and what it asks."""
COMPARATORS: Final = tuple(_COMPARATORS)


class Condition(NamedTuple):
    """One thing that is asked of one member."""

    path: tuple[str, ...]
    comparator: str
    asked: Any

    def wrong(self, payload: Any) -> str:
        """Why it does not hold; empty if it does."""
        found = _member(payload, self.path)
        said, holds = _COMPARATORS[self.comparator]
        if holds(found, self.asked):
            return ""
        name = ".".join(self.path)
        if self.comparator == "exists":
            return f"{name} is {'missing' if self.asked else 'there'}"
        there = "missing" if found is _ABSENT else shown(repr(found), 80)
        asked = self.asked.pattern if isinstance(self.asked, re.Pattern) else self.asked
        return f"{name} is {there}, not {said}{shown(repr(asked), 80)}"


class Pattern(NamedTuple):
    """All that is asked of a payload; nothing is asked of every one."""

    conditions: tuple[Condition, ...] = ()

    def wrong(self, payload: Any) -> str:
        """Why the payload is not so, the first reason; empty if it is."""
        for condition in self.conditions:
            why = condition.wrong(payload)
            if why:
                return why
        return ""

    def fits(self, payload: Any) -> bool:
        """Is it so?"""
        return not self.conditions or not self.wrong(payload)


ANY: Final = Pattern()


_OF_ID_TAGS: Final = ("Authorize", "StartTransaction", "StopTransaction")


def answered(action: str, answer: Pattern | None, status: str | None) -> Pattern:
    """What an answer is to be like: `status` is that of the id tag where the answer has one."""
    conditions = (answer or ANY).conditions
    if status is None:
        return Pattern(conditions)
    path = ("idTagInfo", "status") if action in _OF_ID_TAGS else ("status",)
    return Pattern((*conditions, Condition(path, "eq", status)))


def _member(payload: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if isinstance(payload, dict) and name in payload:
            payload = payload[name]
        elif isinstance(payload, list) and name.isdecimal() and int(name) < len(payload):
            payload = payload[int(name)]
        else:
            return _ABSENT
    return payload


class PatternKind:
    """The kind of a table of conditions."""

    def read(self, value: Any, place: Place) -> Pattern:
        found: list[Condition] = []
        for name, asked in table_of(value, place).items():
            here = place.at(name)
            path = tuple(name.split("."))
            if not all(path):
                raise here.wrong("it must be the dotted name of a member, as idTagInfo.status")
            if not isinstance(asked, Mapping):
                found.append(Condition(path, "eq", _plain(asked, here)))
                continue
            if not asked:
                raise here.wrong(f"it needs one of {', '.join(COMPARATORS)}")
            for comparator, operand in asked.items():
                if comparator not in _COMPARATORS:
                    raise here.wrong(unknown(str(comparator), COMPARATORS))
                found.append(Condition(path, comparator, _operand(comparator, operand, here.at(comparator))))
        return Pattern(tuple(found))

    @property
    def schema(self) -> dict[str, Any]:
        plain = {"type": ["string", "number", "boolean"]}
        operands: dict[str, Any] = dict.fromkeys(("eq", "ne"), plain)
        operands |= {name: {"type": "number"} for name in ("lt", "le", "gt", "ge")}
        operands["in"] = {"type": "array", "items": plain, "minItems": 1, "maxItems": 1_000}
        operands["regex"] = Text(LONGEST_PATTERN).schema
        operands["exists"] = {"type": "boolean"}
        return {
            "type": "object",
            "additionalProperties": {
                "if": {"type": "object"},
                "then": {"properties": operands, "additionalProperties": False, "minProperties": 1},
                "else": plain,
            },
        }


class _Plain:
    """A value that stands for itself."""

    def read(self, value: Any, place: Place) -> Any:
        return _plain(value, place)

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": ["string", "number", "boolean"]}


def _plain(value: Any, place: Place) -> Any:
    if not isinstance(value, (str, int, float, bool)):
        raise place.wrong("it must be a text, a number, or true or false")
    return value


def _operand(comparator: str, value: Any, place: Place) -> Any:
    if comparator == "exists":
        if not isinstance(value, bool):
            raise place.wrong("it must be true or false")
        return value
    if comparator == "in":
        return Many(_Plain(), 1, 1_000).read(value, place)
    if comparator == "regex":
        written = Text(LONGEST_PATTERN).read(value, place)
        try:
            return re.compile(written)
        except re.error as error:
            raise place.wrong(f"it is no regular expression: {error}") from None
    if comparator in ("eq", "ne"):
        return _plain(value, place)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise place.wrong("it must be a number")
    _COMPARED.read(value, place)
    return value
