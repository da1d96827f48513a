"""Configuration files: JSON text with a readable error, and the overlay rule of RFC 7396 (JSON Merge Patch)."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, NamedTuple

from ocpp16.errors import ConfigurationError
from ocpp16.regular_file import read_regular
from ocpp16.texts import shown

DEEPEST_FILE: Final = 64
"""Levels of objects and arrays in a file: whatever works on one by recursion is far from its end."""

_MOST_DIGITS: Final = 400
"""Of a whole number: more than any double has, and few enough to be read at once."""
_MOST_TOLD: Final = 200
_SHOWN: Final = 80
_SIMPLE: Final = (str, int, bool, float)


def read_json_object(path: str | Path | Traversable) -> dict[str, Any]:
    """Content of a JSON file whose first level is an object.

    ConfigurationError names the file, and for a syntax error line and column; of what JSON does not allow although it
    can be read, everything: numbers that are none, and names that occur twice in one object, because one of the two
    would be lost silently. A byte order mark is ignored.
    """
    reading = _Reading()
    file: Traversable = Path(path) if isinstance(path, str) else path
    try:
        content = read_regular(file) if isinstance(file, Path) else file.read_bytes()
        document = json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=reading.members,
            parse_constant=reading.constant,
            parse_int=reading.integer,
            parse_float=reading.number,
        )
    except OSError as error:
        raise ConfigurationError([f"{path}: cannot be read: {error.strerror or error}"]) from error
    except json.JSONDecodeError as error:
        raise ConfigurationError([f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError([f"{path}: not UTF-8 at byte {error.start}"]) from error
    except RecursionError as error:
        raise ConfigurationError([f"{path}: is nested deeper than {DEEPEST_FILE} levels"]) from error
    if reading.problems:
        raise ConfigurationError([f"{path}: {problem}" for problem in reading.problems])
    if not isinstance(document, dict):
        raise ConfigurationError([f"{path}: must hold a JSON object"])
    if is_deeper(document, DEEPEST_FILE):
        raise ConfigurationError([f"{path}: is nested deeper than {DEEPEST_FILE} levels"])
    return document


def is_deeper(native: Any, levels: int) -> bool:
    """Whether objects and arrays are nested in one another more often than that. Looks no further."""
    level = [native]
    for _ in range(levels + 1):
        level = [inner for value in level for inner in _inner(value)]
        if not level:
            return False
    return True


def _inner(value: Any) -> Iterable[Any]:
    """What is in an object or array; something, if it is empty, because it is a level all the same."""
    if isinstance(value, Mapping):
        return value.values() or (None,)
    return (value or (None,)) if isinstance(value, list | tuple) else ()


def merged(main: Any, patch: Any) -> Any:
    """`main` after the JSON Merge Patch `patch`: objects are merged, null removes, all else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(main) if isinstance(main, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def difference(main: Any, wanted: Any) -> Any:
    """The JSON Merge Patch that makes `wanted` of `main`; there must be no null in their objects: none can say that."""
    if not (isinstance(main, Mapping) and isinstance(wanted, Mapping)):
        return wanted
    patch: dict[str, Any] = {name: None for name in main if name not in wanted}
    for name, value in wanted.items():
        if name not in main:
            patch[name] = value
        elif not is_same_json(main[name], value):
            patch[name] = difference(main[name], value)
    return patch


def is_same_json(one: Any, other: Any) -> bool:
    """Whether two native values are the same JSON. Python has 1 and True for equal; 1 and 1.0 are one number."""
    if type(one) is type(other) and type(one) in _SIMPLE:
        return bool(one == other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_same_json(member, other[name]) for name, member in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(is_same_json, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


class _Reading:
    """What `json` reads, and what is wrong with it. Where a bad number is the value of a member, its name is told."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}
        self._unplaced: list[str] = []
        """Bad numbers since the last member: the next object to end has them, or something in it."""

    @property
    def problems(self) -> list[str]:
        found = [*self._found, *self._unplaced]
        return found[:_MOST_TOLD] + ["and more that is not told"] * (len(found) > _MOST_TOLD)

    def members(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for name, value in pairs:
            if isinstance(value, _Bad):
                self._unplaced.remove(value.reason)
                self._found[f"{shown(name, _SHOWN)} = {value.reason}"] = None
        result = dict(pairs)
        if len(result) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            for name, count in counts.items():
                if count > 1:
                    times = "twice" if count == 2 else f"{count} times"
                    self._found[f"{shown(name, _SHOWN)} is there {times}"] = None
        return result

    def constant(self, text: str) -> Any:
        return self._bad(f"{text} is no JSON")

    def integer(self, text: str) -> Any:
        return int(text) if len(text) <= _MOST_DIGITS else self._bad(f"a number of {len(text)} digits is too large")

    def number(self, text: str) -> Any:
        value = float(text)
        return value if math.isfinite(value) else self._bad(f"{shown(text, _SHOWN)} is too large a number")

    def _bad(self, reason: str) -> "_Bad":
        self._unplaced.append(reason)
        return _Bad(reason)


class _Bad(NamedTuple):
    reason: str
