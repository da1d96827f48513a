"""Configuration files: JSON text with a readable error, and the overlay rule of RFC 7396 (JSON Merge Patch)."""

import json
from collections.abc import Iterable, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, NoReturn

from ocpp16.errors import ConfigurationError
from ocpp16.regular_file import read_regular

DEEPEST_FILE: Final = 64
"""Levels of objects and arrays in a file: whatever works on one by recursion is far from its end."""


def read_json_object(path: str | Path | Traversable) -> dict[str, Any]:
    """Content of a JSON file whose first level is an object.

    ConfigurationError with one line that names the file, and for a syntax error line and column. A name that occurs
    twice in one object is an error, because one of the two would be lost silently. A byte order mark is ignored.
    """
    file: Traversable = Path(path) if isinstance(path, str) else path
    try:
        content = read_regular(file) if isinstance(file, Path) else file.read_bytes()
        document = json.loads(
            content.decode("utf-8-sig"), object_pairs_hook=_without_repeats, parse_constant=_no_constant
        )
    except OSError as error:
        raise ConfigurationError([f"{path}: cannot be read: {error.strerror or error}"]) from error
    except json.JSONDecodeError as error:
        raise ConfigurationError([f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError([f"{path}: not UTF-8 at byte {error.start}"]) from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError([f"{path}: {error}"]) from error
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
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_same_json(member, other[name]) for name, member in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(is_same_json, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in result if names.count(name) > 1)
        raise ValueError(f"{repeated} is there twice")
    return result


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
