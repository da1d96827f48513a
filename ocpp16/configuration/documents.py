"""Configuration values that are JSON objects, and values of the user's own keys that have no schema.

The objects of our own keys are checked against the fragment of their schema by the few keywords those fragments use.
Text on the wire is compact JSON, so that it stays below the 500 characters of a value as long as it can.
"""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ocpp16.configuration.file import is_deeper
from ocpp16.configuration.values import ValueKind, checked_text, is_kept
from ocpp16.texts import shown
from ocpp16.values import no_json_number

DEEPEST = 32
"""Levels of objects and arrays in a value: far more than anything means, far less than any reader takes."""

_MOST_FAULTS = 20
"""Of one value that are told."""


def compact_json(native: Any) -> str:
    """JSON text without white space. ValueError if it cannot be written as JSON in UTF-8."""
    try:
        return checked_text(json.dumps(native, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
    except (TypeError, ValueError, RecursionError):
        raise ValueError("cannot be written as JSON") from None


def check_json(native: Any) -> None:
    """ValueError if a native value cannot be kept as JSON in UTF-8, or is nested deeper than DEEPEST levels."""
    if is_deeper(native, DEEPEST):
        raise ValueError(f"is nested deeper than {DEEPEST} levels")
    if _has_strange_names(native):
        raise ValueError("has a name that is no text")
    if _has_long_numbers(native):
        raise ValueError("has a whole number of more than 64 bits")
    compact_json(native)


def _has_strange_names(native: Any) -> bool:
    """JSON names members by texts; Python's mappings, and its writer of JSON, are less strict."""
    if isinstance(native, dict):
        return any(not isinstance(name, str) or _has_strange_names(value) for name, value in native.items())
    return isinstance(native, list | tuple) and any(map(_has_strange_names, native))


def _has_long_numbers(native: Any) -> bool:
    """Python has no end of them; the file of changes has."""
    if isinstance(native, dict):
        return any(map(_has_long_numbers, native.values()))
    if isinstance(native, list | tuple):
        return any(map(_has_long_numbers, native))
    return isinstance(native, int) and not is_kept(native)


def native_of(text: str) -> Any:
    """Native form of JSON text. ValueError with the reason.

    NaN and Infinity are no JSON; null is refused where the overlay, a JSON Merge Patch, would read it as "remove".
    """
    try:
        native = json.loads(text, parse_constant=no_json_number)
    except (ValueError, RecursionError):
        raise ValueError("must be JSON text") from None
    check_no_null(native)
    return native


def check_no_null(native: Any) -> None:
    """ValueError if the overlay, a JSON Merge Patch, would read a null of it as "remove"."""
    if _removes(native):
        raise ValueError("must not hold null")


def _removes(native: Any) -> bool:
    if isinstance(native, dict):
        return any(_removes(member) for member in native.values())
    return native is None


@dataclass(frozen=True, slots=True, eq=False)
class Document(ValueKind):
    """dict with JSON content, by `schema`.

    Of JSON Schema it may use type, required, properties, additionalProperties, items, minLength, maxLength and enum.
    """

    schema: Mapping[str, Any]

    def from_json(self, native: object) -> dict[str, Any]:
        if not isinstance(native, dict):
            raise ValueError("must be an object")
        check_json(native)
        found = islice(_faults(native, self.schema, ""), _MOST_FAULTS)
        faults = [f"{shown(path.removeprefix('.'))} {reason}" if path else reason for path, reason in found]
        if faults:
            raise ValueError("; ".join(faults))
        return deepcopy(native)

    def to_json(self, value: dict[str, Any]) -> dict[str, Any]:
        return deepcopy(value)

    def from_text(self, text: str) -> dict[str, Any]:
        return self.from_json(native_of(text))

    def to_text(self, value: dict[str, Any]) -> str:
        return compact_json(value)

    def shortened(self, value: dict[str, Any], limit: int) -> None:
        """No text at all: a part of JSON text is none."""
        return


@dataclass(frozen=True, slots=True)
class FreeText(ValueKind):
    """str of any content; for the user's keys without a schema. Other native values stand for their JSON text."""

    def from_json(self, native: object) -> str:
        if isinstance(native, str):
            return checked_text(native)
        check_json(native)
        return compact_json(native)

    def from_text(self, text: str) -> str:
        return checked_text(text)


_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
}


def _faults(native: Any, schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    kind = schema.get("type")
    if kind is not None and (not isinstance(native, _TYPES[kind]) or isinstance(native, bool)):
        yield path, f"must be of the JSON type {kind}"
        return
    if "enum" in schema and native not in schema["enum"]:
        yield path, f"must be one of {', '.join(schema['enum'])}"
    if isinstance(native, str) and len(native) < schema.get("minLength", 0):
        yield path, f"must have at least {schema['minLength']} characters"
    if isinstance(native, str) and len(native) > schema.get("maxLength", len(native)):
        yield path, f"must have at most {schema['maxLength']} characters"
    if isinstance(native, list):
        for number, item in enumerate(native):
            yield from _faults(item, schema.get("items", {}), f"{path}[{number}]")
    if isinstance(native, dict):
        for name in schema.get("required", ()):
            if name not in native:
                yield f"{path}.{name}", "is missing"
        for name, member in native.items():
            inner = schema.get("properties", {}).get(name, schema.get("additionalProperties", {}))
            yield from _faults(member, inner, f"{path}.{name}")
