"""What comes from EVerest, read once where it enters: JSON objects, member by member.

What is missing or wrong is warned of with its place and its value, and is None; all else of the object counts.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

from ocpp16.log import FoldingLog
from ocpp16.values import aware, described, finite, flag, items, member, text, whole

__all__ = ["Part", "rfc3339"]

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

LONGEST: Final = 1_000_000
"""Characters of a text: a contract chain has a few thousand."""
MOST: Final = 1_000
"""Members of a list: more than anything here has."""


def rfc3339(at: datetime) -> str:
    """A time as EVerest writes it: UTC, milliseconds, Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Part:
    """An object at `place`. What is no object at all is warned of, and is as good as an empty one.

    `is_needed` of a member: that it is missing is warned of, too. A member that is null is missing.
    """

    __slots__ = ("log", "members", "place")

    def __init__(self, value: Any, place: str, log: FoldingLog) -> None:
        self.place: str = place
        self.log: FoldingLog = log
        self.members: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
        if not isinstance(value, Mapping):
            self._warn(place, f"must be an object, not {described(value)}")

    def has(self, name: str) -> bool:
        return self.members.get(name) is not None

    def text(self, name: str, most: int = LONGEST, least: int = 0, *, is_needed: bool = False) -> str | None:
        return self._read(name, lambda value, place: text(value, place, most, least), is_needed)

    def number(self, name: str, *, is_needed: bool = False) -> float | None:
        return self._read(name, finite, is_needed)

    def whole(self, name: str, low: int = -(2**31), high: int = 2**31 - 1, *, is_needed: bool = False) -> int | None:
        return self._read(name, lambda value, place: whole(value, place, low, high), is_needed)

    def flag(self, name: str, *, is_needed: bool = False) -> bool | None:
        return self._read(name, flag, is_needed)

    def word(self, kind: type[E], name: str, *, is_needed: bool = False) -> E | None:
        """A text that is one of an enumeration."""
        return self._read(name, lambda value, place: member(kind, value, place), is_needed)

    def time(self, name: str, *, is_needed: bool = False) -> datetime | None:
        """An RFC 3339 time."""
        return self._read(name, _time, is_needed)

    def of(self, read: Callable[[Any, str], T], name: str, *, is_needed: bool = False) -> T | None:
        """What `read(value, place)` makes of it, which raises ValueError that names the place."""
        return self._read(name, read, is_needed)

    def part(self, name: str, *, is_needed: bool = False) -> "Part | None":
        """The object behind a member; None where there is none."""
        value = self.members.get(name)
        if isinstance(value, Mapping):
            return Part(value, self._at(name), self.log)
        if value is not None:
            self._warn(self._at(name), f"must be an object, not {described(value)}")
        elif is_needed:
            self._warn(self._at(name), "is missing")
        return None

    def parts(self, name: str, *, is_needed: bool = False) -> list["Part"]:
        """The objects of a list."""
        return [Part(value, place, self.log) for value, place in self._each(name, is_needed) if value is not None]

    def texts(self, name: str, most: int = LONGEST, *, is_needed: bool = False) -> list[str]:
        """The texts of a list; what is none is warned of, and left out."""
        found = []
        for value, place in self._each(name, is_needed):
            try:
                found.append(text(value, place, most))
            except ValueError as error:
                self._tell(place, str(error))
        return found

    def _each(self, name: str, is_needed: bool) -> list[tuple[Any, str]]:
        listed = self._read(name, _list, is_needed)
        return [(value, f"{self._at(name)}[{index}]") for index, value in enumerate(listed or ())]

    def _at(self, name: str) -> str:
        return f"{self.place}.{name}"

    def _read(self, name: str, read: Callable[[Any, str], T], is_needed: bool) -> T | None:
        value = self.members.get(name)
        if value is None:
            if is_needed:
                self._warn(self._at(name), "is missing")
            return None
        try:
            return read(value, self._at(name))
        except ValueError as error:
            self._tell(self._at(name), str(error))
            return None

    def _warn(self, place: str, what: str) -> None:
        self._tell(place, f"{place} {what}")

    def _tell(self, place: str, sentence: str) -> None:
        self.log.warning("from EVerest: %s", sentence, about=place)


def _list(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{place} must be a list, not {described(value)}")
    found = items(value, place, "values")
    if len(found) > MOST:
        raise ValueError(f"{place} must have {MOST} members at most, not {len(found)}")
    return found


def _time(value: Any, place: str) -> datetime:
    stamp = text(value, place, 64)
    try:
        return aware(datetime.fromisoformat(stamp), place)
    except ValueError:
        raise ValueError(f"{place} must be an RFC 3339 time, not {described(stamp)}") from None
