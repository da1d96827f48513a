"""The kinds of arguments that commands take: what is allowed, as JSON gives it and as a typed word gives it.

An `ArgumentKind` turns a JSON value into what the handler gets, or raises ValueError with a sentence; `from_word` turns
one word of the console into a JSON value first. `connectors` is the number of the station's connectors.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ocpp16.simulation import checks
from ocpp16.simulation.car import CABLE_RATING, LONGEST_WAIT
from ocpp16.simulation.checks import is_whole
from ocpp16.values import no_json_number
from ocpp16.values import text as utf8

MOST_SHOWN = 1_000
"""Entries of a list, a cache or a queue in one answer."""

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


def _as_is(word: str) -> Any:
    return word


def _as_number(word: str) -> Any:
    try:
        return int(word)
    except ValueError:
        try:
            return float(word)
        except ValueError:
            return word


def _as_flag(word: str) -> Any:
    folded = word.casefold()
    return True if folded in _TRUE else False if folded in _FALSE else word


def from_json(word: str) -> Any:
    """JSON as it was typed. Raises ValueError saying what is wrong, and where."""
    try:
        return json.loads(word, parse_constant=no_json_number)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg.lower()} at character {error.pos + 1}") from None
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _as_json(word: str) -> Any:
    try:
        return from_json(word)
    except ValueError:
        return word


def _as_list(read: Callable[[str], Any]) -> Callable[[str], Any]:
    def from_word(word: str) -> Any:
        listed = _as_json(word) if word.startswith("[") else None
        return listed if isinstance(listed, list) else [read(part) for part in word.split(",") if part]

    return from_word


@dataclass(frozen=True, slots=True)
class ArgumentKind:
    """A kind of argument: its name in the help, its check, and how a word becomes JSON."""

    name: str
    check: Callable[[Any, int], Any]
    from_word: Callable[[str], Any] = _as_is
    is_text: bool = False
    """May any word at all be meant, also one with an equals sign?"""
    is_json: bool = False
    """Is it written as JSON?"""
    choices: tuple[str, ...] = ()
    """The words that are meant, where there are few; none: any that the check lets through."""
    limits: tuple[float, float] | None = None
    """Of a number, the lowest and the highest."""


REQUIRED: Any = object()
"""The default of an argument that must be given."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a command. With the default None, null is allowed too, and the handler gets None."""

    name: str
    kind: ArgumentKind
    default: Any = REQUIRED
    is_default_handed: bool = True
    """Does the handler get the default where the argument is not given? Else it gets None, and the default is what it
    then takes, as far as nothing else says otherwise."""

    def check(self, value: Any, connectors: int) -> Any:
        """What the handler gets. Raises ValueError."""
        if value is None and self.default is None:
            return None
        return self.kind.check(value, connectors)

    @property
    def absent(self) -> Any:
        """What the handler gets where it is not given."""
        return self.default if self.is_default_handed else None

    def described(self) -> dict[str, Any]:
        """As the help has it."""
        description = {"name": self.name, "type": self.kind.name}
        return description if self.default is REQUIRED else {**description, "default": self.default}


def _connector(lowest: int) -> Callable[[Any, int], int]:
    def check(value: Any, connectors: int) -> int:
        if not is_whole(value):
            raise ValueError("must be the number of a connector")
        if not lowest <= value <= connectors:
            raise ValueError(f"no connector {value}: this station has {lowest}..{connectors}")
        number: int = value
        return number

    return check


def _connectors(value: Any, connectors: int) -> list[int]:
    if not isinstance(value, list) or not value:
        raise ValueError("must be a list of connectors")
    check = _connector(1)
    return list(dict.fromkeys(check(one, connectors) for one in value))


def _numbers(value: Any, connectors: int) -> list[int]:
    if not isinstance(value, list) or not all(is_whole(one) and 0 <= one < 2**63 for one in value):
        raise ValueError("must be a list of whole numbers")
    return value


def number(name: str, lowest: float, highest: float) -> ArgumentKind:
    """A number within limits."""
    return ArgumentKind(name, _anywhere(checks.number(lowest, highest)), _as_number, limits=(lowest, highest))


def whole(name: str, lowest: int, highest: int) -> ArgumentKind:
    """A whole number within limits."""
    return ArgumentKind(name, _anywhere(checks.whole(lowest, highest)), _as_number, limits=(lowest, highest))


def text(longest: int, shortest: int = 0) -> ArgumentKind:
    """A text of so many characters."""

    def check(value: Any, connectors: int) -> str:
        if not isinstance(value, str) or not shortest <= len(value) <= longest:
            raise ValueError(f"must be a text of {shortest} to {longest} characters")
        return utf8(value, "it")

    return ArgumentKind("text", check, is_text=True)


def one_of(values: type[StrEnum], *but: str) -> ArgumentKind:
    """One of the values of an enumeration, spelt as on the wire."""
    allowed = tuple(str(value) for value in values if value not in but)
    return ArgumentKind(values.__name__, _anywhere(checks.one_of(values, *but)), choices=allowed)


def _anywhere(check: checks.Check) -> Callable[[Any, int], Any]:
    """A check that is the same for any number of connectors."""
    return lambda value, connectors: check(value)


def _texts(value: Any, connectors: int) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError("must be a list of texts")
    return value


def _object(value: Any, connectors: int) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError('must be an object of JSON, as {"chargingProfileId": 1, …}')
    return value


def _car(value: Any, connectors: int) -> Any:
    if not isinstance(value, str | dict):
        raise ValueError('must be the name of a kind of car, or an object of JSON, as {"model": "compact", …}')
    return value


def _anything(value: Any, connectors: int) -> Any:
    return value


CONNECTOR = ArgumentKind("connector", _connector(1), _as_number)
CONNECTOR_OR_ZERO = ArgumentKind("connector or 0", _connector(0), _as_number)
CONNECTORS = ArgumentKind("list of connectors", _connectors, _as_list(_as_number))
SECONDS = number("seconds", 0, LONGEST_WAIT)
AMPERES = number("amperes", 0, CABLE_RATING)
PHASES = whole("phases", 1, 3)
FLAG = ArgumentKind("flag", _anywhere(checks.flag), _as_flag, choices=("true", "false"))
ID_TAG = text(20, 1)
SEQUENCES = ArgumentKind("list of numbers", _numbers, _as_list(_as_number))
TEXTS = ArgumentKind("list of texts", _texts, _as_list(_as_is))
OBJECT = ArgumentKind("object", _object, _as_json, is_json=True)
PERCENT = number("percent", 0, 100)
CAR = ArgumentKind("car", _car, _as_json, is_json=True)
ANYTHING = ArgumentKind("anything", _anything, _as_json, is_json=True)
