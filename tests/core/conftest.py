"""Payloads made from the message schemas, read here by other code than the generator of the validators."""

import copy
import json
import random
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest

Schema = dict[str, Any]

TEXTS = ["", "x", "x" * 21, "é" * 20, "x" * 10001, "null", "30", "Accepted", "accepted", "Hertz", "\x00"]
TIMES = [
    "2026-03-01T12:00:00Z",
    "2026-03-01t12:00:00.1z",
    "2026-03-01T12:00:00.1234567+02:00",
    "2026-03-01T12:00:60Z",
    "2026-03-01T12:00:00+0200",
    "2026-03-01T12:00:00+02",
    "2026-03-01T12:00:00",
    "2026-03-01 12:00:00Z",
    "2026-03-01T12:00:00,5Z",
    "2026-03-01T12:00:00.Z",
    "2026-02-29T12:00:00Z",
    "2024-02-29T12:00:00Z",
    "2026-13-01T12:00:00Z",
    "2026-03-01T24:00:00Z",
    "2026-03-01",
]
NUMBERS = [0, 1, -1, 2**31, 2**70, 30.0, 8.1, 3.3, -0.1, 8.15, 16.05, 8.1000001, 1e6, 1e300]
FOREIGN: list[Any] = [None, True, False, [], {}, [{}], [None], {"x": 1}, "x", 1, 1.5]


class Catalogue:
    """The inlined schema of every payload, and payloads that keep or break it."""

    def __init__(self) -> None:
        folder = resources.files("ocpp16.share") / "message_schemas"
        self._documents = {
            file.name: json.loads(file.read_text(encoding="utf-8"))
            for file in folder.iterdir()
            if file.name.endswith(".json")
        }
        self.schemas: dict[tuple[str, str], Schema] = {}
        for name, document in self._documents.items():
            for definition, schema in document["definitions"].items():
                if "x-message" in schema:
                    action = schema["x-message"]["action"]
                    answer = definition.removesuffix("Request") + "Response"
                    self.schemas[action, "request"] = self._inlined(schema, name)
                    self.schemas[action, "response"] = self._inlined(document["definitions"][answer], name)

    def _inlined(self, schema: Any, here: str) -> Any:
        if isinstance(schema, list):
            return [self._inlined(item, here) for item in schema]
        if not isinstance(schema, dict):
            return schema
        if "$ref" in schema:
            file, _, name = schema["$ref"].partition("#/definitions/")
            return self._inlined(self._documents[file or here]["definitions"][name], file or here)
        return {key: self._inlined(value, here) for key, value in schema.items()}

    @property
    def enumerations(self) -> dict[str, list[str]]:
        """Name of every enumeration of every document → its values."""
        return {
            name: schema["enum"]
            for document in self._documents.values()
            for name, schema in document["definitions"].items()
            if "enum" in schema
        }

    def standard(self, action: str, kind: str) -> Schema:
        """The schema as plain draft 4, without our annotations."""

        def plain(schema: Any) -> Any:
            if isinstance(schema, list):
                return [plain(item) for item in schema]
            if not isinstance(schema, dict):
                return schema
            return {k: plain(v) for k, v in schema.items() if not k.startswith("x-")}

        return {"$schema": "http://json-schema.org/draft-04/schema#", **plain(self.schemas[action, kind])}

    def minimal(self, action: str, kind: str) -> dict[str, Any]:
        """Required members only."""
        payload: dict[str, Any] = _example(self.schemas[action, kind], is_full=False)
        return payload

    def full(self, action: str, kind: str) -> dict[str, Any]:
        """Every member, texts as long as they may be."""
        payload: dict[str, Any] = _example(self.schemas[action, kind], is_full=True)
        return payload

    def mutations(self, action: str, kind: str, pairs: int) -> Iterator[Any]:
        """Each change of one place of the full payload, then `pairs` times two changes at random but fixed places."""
        yield from FOREIGN
        full = self.full(action, kind)
        schema = self.schemas[action, kind]
        changes = list(_changes(full, schema, ()))
        for change in changes:
            yield _changed(full, change)
        generator = random.Random(f"{action} {kind}")
        for _ in range(pairs if len(changes) > 1 else 0):
            first, second = generator.sample(changes, 2)
            once = _changed(full, first)
            try:
                yield _changed(once, second)
            except (KeyError, IndexError, TypeError):  # the first change took away the place of the second
                continue


def _example(schema: Schema, *, is_full: bool) -> Any:
    kind = schema["type"]
    if "enum" in schema:
        return schema["enum"][0]
    if kind == "object":
        required = schema.get("required", ())
        members = schema["properties"].items()
        return {name: _example(member, is_full=is_full) for name, member in members if is_full or name in required}
    if kind == "array":
        return [_example(schema["items"], is_full=is_full)]
    if schema.get("format") == "date-time":
        return "2026-03-01T12:00:00.250Z"
    return {
        "string": "x" * (schema.get("maxLength", 40) if is_full else 1),
        "integer": 7,
        "number": 8.1,
        "boolean": True,
    }[kind]


_GONE = object()


def _changes(value: Any, schema: Schema, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """(path, new value) of every change of one place; _GONE takes a member away."""
    if path:
        yield from ((path, other) for other in FOREIGN)
        if isinstance(path[-1], str):
            yield path, _GONE
    kind = schema["type"]
    if kind == "object":
        for key in ("customData", "x", "Status"):
            yield (*path, key), "x"
        for name, member in value.items():
            yield from _changes(member, schema["properties"][name], (*path, name))
    elif kind == "array":
        for size in (0, 2, 5):
            yield path, value * size
        yield from _changes(value[0], schema["items"], (*path, 0))
    elif kind in ("integer", "number"):
        yield from ((path, number) for number in NUMBERS)
    elif kind == "string":
        yield from ((path, text) for text in TEXTS)
        if "enum" in schema:
            yield from ((path, text) for text in (*schema["enum"], schema["enum"][0].lower(), schema["enum"][0] + " "))
        elif schema.get("format") == "date-time":
            yield from ((path, text) for text in TIMES)
        elif "maxLength" in schema:
            yield from ((path, "é" * (schema["maxLength"] + more)) for more in (0, 1))


def _changed(payload: Any, change: tuple[tuple[Any, ...], Any]) -> Any:
    path, value = change
    result = copy.deepcopy(payload)
    holder = result
    for step in path[:-1]:
        holder = holder[step]
    if value is _GONE:
        del holder[path[-1]]
    else:
        holder[path[-1]] = copy.deepcopy(value)
    return result


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue()
