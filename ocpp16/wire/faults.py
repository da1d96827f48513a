"""What goes wrong on a wire, how often and in which direction: data, read from a table or from words.

    {"latency": 0.2, "drop": {"probability": 0.01, "direction": "in"}, "cut": {"every": 60}}
    latency=0.2,jitter=0.1   drop=0.01,direction=in   cut,every=60

A new word is a member of `Word`, a row of `_MEMBERS`, and what it does in `lane` or `disturbed`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Any, Final, Self, TypeVar

from ocpp16.errors import ConfigurationError
from ocpp16.spelling import did_you_mean
from ocpp16.texts import shown
from ocpp16.values import finite, is_a, items, member, pairs, text, whole

T = TypeVar("T")

LONGEST_DELAY: Final = 3_600.0
"""Seconds."""
LONGEST_PERIOD: Final = 31 * 86_400.0
SHORTEST_PERIOD: Final = 0.01
MOST_TEXTS: Final = 1_000
LONGEST_TEXT: Final = 1 << 20
"""Characters of one raw text."""


class Word(StrEnum):
    """What can go wrong."""

    LATENCY = "latency"
    """All that passes comes `seconds` later, in its order."""
    JITTER = "jitter"
    """Each message comes up to `seconds` later still; none overtakes another."""
    SLOW_HANDSHAKE = "slow_handshake"
    """The connection is there, and nothing is said on it for `seconds`."""
    REFUSE = "refuse"
    """No connection comes about: with `status` as a server refuses, without it as a machine that is not there."""
    CUT = "cut"
    """The connection breaks, in the place of a message; TCP is reset."""
    HALF_OPEN = "half_open"
    """From here on all bytes are swallowed, and no end is seen."""
    DROP = "drop"
    """A message is not there."""
    DUPLICATE = "duplicate"
    """A message comes twice."""
    GARBAGE = "garbage"
    """Behind a message comes something that is none: see `Junk`."""
    RAW = "raw"
    """Behind a message comes one of `texts`, by turns."""


class Way(StrEnum):
    """Which messages are met, seen from the charge point."""

    OUT = "out"
    """To the Central System."""
    IN = "in"
    """From the Central System."""
    BOTH = "both"
    """Either."""


class Junk(StrEnum):
    """What garbage is made of."""

    TEXT = "text"
    """A text frame with letters by chance."""
    JSON = "json"
    """A text frame with JSON that breaks off."""
    UTF8 = "utf8"
    """A text frame that is no UTF-8: the peer has to close with 1007."""
    BYTES = "bytes"
    """Bytes that are no WebSocket frame: the peer has to close with 1002."""
    ANY = "any"
    """One of these, by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong.

    probability: of each message, or each handshake. every: seconds between two, in the mean, instead; each wait is
    between half and one and a half times as long. seconds: of a delay. texts: of RAW. is_once: each of them once in a
    connection. junk: of GARBAGE. status: of REFUSE, HTTP; 0: none is answered.
    """

    word: Word
    way: Way = Way.BOTH
    probability: float = 0.0
    every: float = 0.0
    seconds: float = 0.0
    texts: tuple[str, ...] = ()
    is_once: bool = False
    junk: Junk = Junk.ANY
    status: int = 0

    def meets(self, way: Way) -> bool:
        """Is it about messages that go this way?"""
        return self.way is way or self.way is Way.BOTH


@dataclass(frozen=True, slots=True)
class WireFaults:
    """All that goes wrong, in an order that says who is asked first."""

    faults: tuple[Fault, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.faults)

    def of(self, word: Word) -> Iterator[Fault]:
        """The faults of this word."""
        return (fault for fault in self.faults if fault.word is word)

    def beside(self, other: "WireFaults") -> "WireFaults":
        """Both at once."""
        return WireFaults(self.faults + other.faults)

    @classmethod
    def load(cls, given: Mapping[str, Any]) -> Self:
        """Of a table of words. A value is a table of members, or what the word needs alone: seconds of a delay, a
        probability, a list of raw texts. `direction` beside the words is that of all that have none of their own.

        Raises ConfigurationError, whose problems name the field.
        """
        problems: list[str] = []
        faults: list[Fault] = []
        usual: Way | None = None
        try:
            table = pairs(given, "faults")
        except ValueError as error:
            raise ConfigurationError([shown(error)]) from None
        for name, value in table:
            if name == "direction":
                usual = _checked(problems, partial(member, Way, value, "faults.direction"))
        for name, value in table:
            if name == "direction":
                continue
            if not is_a(name, str) or name not in _MEMBERS:
                known = did_you_mean(name, _MEMBERS)
                problems.append(f"faults: no word {shown(name, 64)}{known}; there are {', '.join(_MEMBERS)}")
                continue
            found = _checked(problems, partial(_fault, Word(name), value, usual))
            if found is not None:
                faults.append(found)
        if problems:
            raise ConfigurationError(problems)
        return cls(tuple(faults))

    @classmethod
    def read(cls, groups: Iterable[str]) -> Self:
        """Of words as a command line has them, each text a group: `drop=0.01,direction=in`. Members (direction, every,
        kind, …) are of all words of their group; `raw=` takes all the rest of it. Raises ConfigurationError."""
        found = cls()
        for group in groups:
            found = cls(found.faults + cls.load(_table(group)).faults)
        return found


def _checked(problems: list[str], check: Callable[[], T]) -> T | None:
    try:
        return check()
    except ValueError as error:
        problems.append(shown(error))
        return None


def _between(low: float, high: float, what: str) -> Callable[[Any, str], float]:
    def check(value: Any, name: str) -> float:
        number = finite(value, name)
        if not low <= number <= high:
            raise ValueError(f"{name} must be {what} from {low:g} to {high:g}, not {number:g}")
        return number

    return check


def _texts(value: Any, name: str) -> tuple[str, ...]:
    found = tuple(text(one, f"{name}[{place}]", LONGEST_TEXT) for place, one in enumerate(items(value, name, "texts")))
    if not 1 <= len(found) <= MOST_TEXTS:
        raise ValueError(f"{name} must have 1 to {MOST_TEXTS:,} texts, not {len(found):,}")
    return found


_CHECKS: Final[Mapping[str, Callable[[Any, str], Any]]] = MappingProxyType(
    {
        "direction": lambda value, name: member(Way, value, name),
        "probability": _between(0.0, 1.0, "a probability"),
        "every": _between(SHORTEST_PERIOD, LONGEST_PERIOD, "seconds"),
        "seconds": _between(0.0, LONGEST_DELAY, "seconds"),
        "texts": _texts,
        "kind": lambda value, name: member(Junk, value, name),
        "status": lambda value, name: whole(value, name, 300, 599),
    }
)
_FIELDS: Final = {"direction": "way", "kind": "junk"}
"""Members that have another name in `Fault`."""
_DELAY: Final = ("seconds", "direction")
_CHANCE: Final = ("probability", "every", "direction")
_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        Word.LATENCY: _DELAY,
        Word.JITTER: _DELAY,
        Word.SLOW_HANDSHAKE: ("seconds",),
        Word.REFUSE: ("probability", "status"),
        Word.CUT: _CHANCE,
        Word.HALF_OPEN: _CHANCE,
        Word.DROP: _CHANCE,
        Word.DUPLICATE: _CHANCE,
        Word.GARBAGE: (*_CHANCE, "kind"),
        Word.RAW: ("texts", "probability", "every", "direction"),
    }
)
"""Word → what may stand in its table; the first is meant where the value is no table."""
_SENT_BY_US: Final = (Word.GARBAGE, Word.RAW)
"""Words whose direction is "out" where none is said."""


def _fault(word: Word, value: Any, usual: Way | None) -> Fault:
    """Raises ValueError."""
    known, place = _MEMBERS[word], f"faults.{word}"
    table = pairs(value, place) if is_a(value, (Mapping,)) else [(known[0], value)]
    found: dict[str, Any] = {"way": usual or (Way.OUT if word in _SENT_BY_US else Way.BOTH)}
    for name, held in table:
        if not is_a(name, str) or name not in known:
            close = did_you_mean(name, known)
            raise ValueError(f"{place}: no member {shown(name, 64)}{close}; there are {', '.join(known)}")
        found[_FIELDS.get(name, name)] = _CHECKS[name](held, f"{place}.{name}" if len(table) > 1 else place)
    if "probability" in found and "every" in found:
        raise ValueError(f"{place}: either probability or every, not both")
    if word is Word.RAW:
        found["is_once"] = "probability" not in found and "every" not in found
        found.setdefault("probability", 0.0 if "every" in found else 1.0)
    if known[0] not in found and "every" not in found:
        raise ValueError(f"{place} needs {known[0]}" + (" or every" if "every" in known else ""))
    return Fault(word=word, **found)


def _table(group: str) -> dict[str, Any]:
    """Raises ConfigurationError for a word without a value that needs one, and for members of no word."""
    words: dict[str, Any] = {}
    members: dict[str, Any] = {}
    rest = group
    while rest:
        if rest.startswith("raw="):
            words["raw"], rest = {"texts": [rest[4:]]}, ""
            break
        part, _, rest = rest.partition(",")
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if name in _CHECKS and name != "texts":
            members[name] = _value(value)
        elif name:
            words[name] = {_MEMBERS[name][0]: _value(value)} if equals and name in _MEMBERS else {}
    if not words:
        raise ConfigurationError([f"faults: {shown(group, 64)} has no word; there are {', '.join(_MEMBERS)}"])
    for name, table in words.items():
        table.update((one, value) for one, value in members.items() if one in _MEMBERS.get(name, ()))
    for one in members:
        if not any(one in table for table in words.values()):
            raise ConfigurationError([f"faults: {one} means nothing to {', '.join(words)}"])
    return words


def _value(written: str) -> Any:
    """Numbers as such, all else as text."""
    for kind in (int, float):
        try:
            return kind(written)
        except ValueError:
            pass
    return written
