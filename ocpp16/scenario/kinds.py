"""The kinds of values that a scenario is made of: how each is read, and what a JSON Schema says of it.

Rules of this file:
1. One table of fields makes both the loader and the published schema: what one knows the other knows.
2. A value is checked once, here, and what is wrong is a `ScenarioError` that names file, table and key.
3. What cannot be said in a schema (a pattern that makes no id, a regular expression that is none) is checked by the
   loader alone: it may refuse what the schema lets pass, never the other way round.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from ocpp16.errors import ConfigurationError
from ocpp16.scenario.problems import Place
from ocpp16.spelling import did_you_mean
from ocpp16.texts import shown
from ocpp16.values import described, finite, flag, text, whole

LONGEST_TIME: Final = 1e9
"""Seconds."""
MOST_ITEMS: Final = 10_000


class Kind(Protocol):
    """One kind of value."""

    def read(self, value: Any, place: Place) -> Any:
        """What the scenario keeps of it. Raises ScenarioError."""
        ...

    @property
    def schema(self) -> dict[str, Any]:
        """What JSON Schema says of it."""
        ...


def _checked(check: Callable[[], Any], place: Place) -> Any:
    try:
        return check()
    except ConfigurationError as error:
        raise place.wrong(shown("; ".join(error.problems), 1_000)) from None
    except ValueError as error:
        raise place.wrong(shown(error)) from None


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number within limits, both included."""

    low: float = 0.0
    high: float = LONGEST_TIME
    what: str = "a number"

    def read(self, value: Any, place: Place) -> float:
        number: float = _checked(lambda: finite(value, "it"), place)
        if not self.low <= number <= self.high:
            raise place.wrong(f"it must be {self.what} from {self.low:g} to {self.high:g}, not {number:g}")
        return float(number)

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within limits, both included."""

    low: int = 0
    high: int = 1_000_000

    def read(self, value: Any, place: Place) -> int:
        number: int = _checked(lambda: whole(value, "it", self.low, self.high), place)
        return number

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class Text:
    """A text; `words`: one of these."""

    longest: int = 1_000
    words: tuple[str, ...] = ()
    check: Callable[[str], object] | None = None
    """Raises ValueError for what the schema cannot say."""

    def read(self, value: Any, place: Place) -> str:
        found: str = _checked(lambda: text(value, "it", self.longest, 1), place)
        if self.words and found not in self.words:
            raise place.wrong(f"{described(found)} is none of {', '.join(self.words)}{did_you_mean(found, self.words)}")
        if self.check is not None:
            check = self.check
            _checked(lambda: check(found), place)
        return found

    @property
    def schema(self) -> dict[str, Any]:
        if self.words:
            return {"anyOf": [{"enum": list(self.words)}, {"type": "string", "pattern": r"\$\{[^{}]*\}"}]}
        return {"type": "string", "minLength": 1, "maxLength": self.longest}


@dataclass(frozen=True, slots=True)
class Word:
    """A member of an enumeration, by its text."""

    of: type[StrEnum]

    def read(self, value: Any, place: Place) -> StrEnum:
        return self.of(Text(words=tuple(map(str, self.of))).read(value, place))

    @property
    def schema(self) -> dict[str, Any]:
        return Text(words=tuple(map(str, self.of))).schema


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def read(self, value: Any, place: Place) -> bool:
        found: bool = _checked(lambda: flag(value, "it"), place)
        return found

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Anything:
    """What JSON can say. It is checked where it is used."""

    def read(self, value: Any, place: Place) -> Any:
        return value

    @property
    def schema(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True, slots=True)
class Checked:
    """What another part of the library reads: `check` makes it, and raises ValueError that says what is wrong."""

    check: Callable[[Any], Any]
    shape: Mapping[str, Any]

    def read(self, value: Any, place: Place) -> Any:
        return _checked(lambda: self.check(value), place)

    @property
    def schema(self) -> dict[str, Any]:
        return dict(self.shape)


@dataclass(frozen=True, slots=True)
class Many:
    """A list of one kind."""

    of: Kind
    least: int = 0
    most: int = MOST_ITEMS

    def read(self, value: Any, place: Place) -> tuple[Any, ...]:
        if not isinstance(value, list) or not self.least <= len(value) <= self.most:
            raise place.wrong(f"it must be a list of {self.least} to {self.most:,} members, not {_brief(value)}")
        return tuple(self.of.read(one, place.at(str(number))) for number, one in enumerate(value, 1))

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.of.schema, "minItems": self.least, "maxItems": self.most}


@dataclass(frozen=True, slots=True)
class Names:
    """A table whose keys are names of the writer's own."""

    of: Kind
    known: tuple[str, ...] = ()
    """If any, no other."""
    least: int = 0

    def read(self, value: Any, place: Place) -> dict[str, Any]:
        table = table_of(value, place)
        if not self.least <= len(table) <= MOST_ITEMS:
            raise place.wrong(f"it must have {self.least} to {MOST_ITEMS:,} members, not {len(table)}")
        for name in table:
            if self.known and name not in self.known:
                raise place.wrong(unknown(name, self.known))
        return {name: self.of.read(held, place.at(name)) for name, held in table.items()}

    @property
    def schema(self) -> dict[str, Any]:
        if self.known:
            properties = dict.fromkeys(self.known, self.of.schema)
            found: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
        else:
            found = {"type": "object", "additionalProperties": self.of.schema}
        return {**found, "minProperties": self.least} if self.least else found


@dataclass(frozen=True, slots=True)
class Either:
    """A value that is one kind, or where it is a table another."""

    plain: Kind
    table: Kind

    def read(self, value: Any, place: Place) -> Any:
        return (self.table if isinstance(value, Mapping) else self.plain).read(value, place)

    @property
    def schema(self) -> dict[str, Any]:
        return {"if": {"type": "object"}, "then": self.table.schema, "else": self.plain.schema}


REQUIRED: Final[Any] = object()
"""The default of a field that must be there."""


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a table."""

    name: str
    kind: Kind
    default: Any = REQUIRED
    text: str = ""
    """What it is, for people."""

    @property
    def schema(self) -> dict[str, Any]:
        return {**self.kind.schema, "description": self.text} if self.text else self.kind.schema


@dataclass(frozen=True, slots=True)
class Record:
    """A table of fields, of which something is made; `make` gets those that are given, and defaults that are not None,
    by name. It raises ValueError for what does not go together. `ignored`: a key that others look at."""

    fields: tuple[Field, ...]
    make: Callable[..., Any]
    ignored: str = ""
    one_of: tuple[str, ...] = ()
    """Exactly one of these keys must be there."""

    def read(self, value: Any, place: Place) -> Any:
        table = table_of(value, place)
        known = {field.name for field in self.fields}
        for name in table:
            if name not in known and name != self.ignored:
                raise place.wrong(unknown(name, [*known]))
        given = {}
        for field in self.fields:
            if field.name in table:
                given[field.name] = field.kind.read(table[field.name], place.at(field.name))
            elif field.default is REQUIRED:
                raise place.wrong(f"it needs {field.name}")
            elif field.default is not None:
                given[field.name] = field.default
        if self.one_of and sum(name in table for name in self.one_of) != 1:
            raise place.wrong(f"it needs one of {', '.join(self.one_of)}, and not more")
        return _checked(lambda: self.make(**given), place)

    @property
    def schema(self) -> dict[str, Any]:
        properties = {field.name: field.schema for field in self.fields}
        if self.ignored:
            properties[self.ignored] = {}
        found: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
        required = [field.name for field in self.fields if field.default is REQUIRED]
        if required:
            found["required"] = required
        if self.one_of:
            found["oneOf"] = [{"required": [name]} for name in self.one_of]
        return found


@dataclass(frozen=True, slots=True)
class Tagged:
    """A table of which the key `tag` says what others there are."""

    tag: str
    records: Mapping[str, Record]

    def read(self, value: Any, place: Place) -> Any:
        table = table_of(value, place)
        if self.tag not in table:
            raise place.wrong(f"it needs {self.tag}: one of {', '.join(self.records)}")
        name = table[self.tag]
        if not isinstance(name, str) or name not in self.records:
            raise place.at(self.tag).wrong(
                f"{described(name)} is none of {', '.join(self.records)}{did_you_mean(name, self.records)}"
            )
        return self.records[name].read(table, place)

    @property
    def schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "required": [self.tag],
            "properties": {self.tag: {"enum": list(self.records)}},
            "allOf": [
                {
                    "if": {"properties": {self.tag: {"const": name}}, "required": [self.tag]},
                    "then": record.schema,
                }
                for name, record in self.records.items()
            ],
        }


def table_of(value: Any, place: Place) -> Mapping[str, Any]:
    """The table that `value` is. Raises ScenarioError."""
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise place.wrong(f"it must be a table, not {_brief(value)}")
    return value


def unknown(name: str, known: "tuple[str, ...] | list[str]") -> str:
    """What is wrong with a key that is none."""
    names = sorted(known)
    return f"no key {shown(name, 64)}{did_you_mean(name, names)}; there are {', '.join(names)}"


def _brief(value: Any) -> str:
    return f"a list of {len(value):,}" if isinstance(value, list) else described(value)
