"""Frozen dataclasses as documents of JSON, and back: what is read is checked by the types of the fields.

Only what results are made of is known: text, numbers, flags, None, tuples of one kind, mappings by text, dataclasses.
"""

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from math import isfinite
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from ocpp16.texts import shown
from ocpp16.values import flag, text, whole

MOST_MEMBERS: Final = 100_000
"""Of a list or mapping of a document."""
LONGEST_TEXT: Final = 1_000_000
_MOST: Final = 2**53
"""Beyond it JSON's numbers are not exact everywhere."""

T = TypeVar("T")


class DocumentError(ValueError):
    """A document that cannot be used. Its text names the member."""


def document(value: object) -> Any:
    """`value` as JSON has it; floats have six digits after the point, for microseconds."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: document(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {name: document(member) for name, member in value.items()}
    if isinstance(value, tuple):
        return [document(member) for member in value]
    return round(value, 6) if isinstance(value, float) else value


def read(kind: type[T], value: object) -> T:
    """The dataclass that this document describes. Raises DocumentError."""
    try:
        made: T = _read(kind, value, "")
    except ValueError as error:
        raise DocumentError(str(error)) from None
    return made


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(kind: Any, value: object, place: str) -> Any:
    if is_dataclass(kind):
        return _made(kind, value, place)
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):  # only with None
        return None if value is None else _read(get_args(kind)[0], value, place)
    if origin is tuple:
        members = _listed(value, place)
        return tuple(_read(get_args(kind)[0], member, f"{place}[{index}]") for index, member in enumerate(members))
    if origin is Mapping:
        found = _mapped(value, place)
        return {name: _read(get_args(kind)[1], member, f"{place}.{shown(name)}") for name, member in found.items()}
    return _READERS[kind](value, place)


def _made(kind: Any, value: object, place: str) -> Any:
    found = _mapped(value, place)
    hints = _hints(kind)
    prefix = f"{place}." if place else ""
    members = {}
    for field in fields(kind):
        if field.name in found:
            members[field.name] = _read(hints[field.name], found[field.name], f"{prefix}{field.name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            raise DocumentError(f"{prefix}{field.name}: is missing")
    return kind(**members)  # members that are not known are of a newer version, and say nothing here


def _listed(value: object, place: str) -> list[Any]:
    if not isinstance(value, list) or len(value) > MOST_MEMBERS:
        raise DocumentError(f"{place} must be a list of at most {MOST_MEMBERS:,} members, not {shown(value, 64)}")
    return value


def _mapped(value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > MOST_MEMBERS:
        raise DocumentError(f"{place or 'the document'} must be an object, not {shown(value, 64)}")
    return value


def _number(value: object, place: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
        return float(value)
    raise DocumentError(f"{place} must be a number, not {shown(value, 64)}")


_READERS: Final[dict[Any, Any]] = {
    Any: lambda value, place: value,
    str: lambda value, place: text(value, place, LONGEST_TEXT),
    int: lambda value, place: whole(value, place, -_MOST, _MOST),
    bool: flag,
    float: _number,
}
