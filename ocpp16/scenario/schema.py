"""The JSON Schema of scenarios, made of the tables that the loader reads by; `share/scenario.schema.json` is it."""

import json
from collections import Counter
from typing import Any, Final

from ocpp16.scenario.vocabulary import FAULTS, FLEET, LISTS, TEXT, VALUES

SHARED_FROM: Final = 120
"""Characters of a part that is written once."""
ADDRESS: Final = "https://ocpp16.readthedocs.io/scenario.schema.json"
_TOLD: Final = {
    "drivers": "Who comes, when, and what they do.",
    "stage": "The parts of the story, one after another.",
    "step": "The script of each charge point.",
    "expect": "What is expected of the Central System.",
}


def schema() -> dict[str, Any]:
    """Of a whole scenario, as TOML gives it."""
    properties: dict[str, Any] = {
        TEXT.name: TEXT.schema,
        "values": {**VALUES.schema, "description": "What ${name} stands for in texts."},
        "fleet": {**FLEET.schema, "description": "What charge points are made of."},
        "faults": {**FAULTS.schema, "description": "Faults of the wire, all the time."},
    }
    for name, kind in LISTS.items():
        properties[name] = {"type": "array", "items": kind.schema, "maxItems": 10_000, "description": _TOLD[name]}
    whole: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ADDRESS,
        "title": "A scenario of ocpp16",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    return _with_definitions(whole)


def _with_definitions(whole: dict[str, Any]) -> dict[str, Any]:
    """The same with what is there several times written once, below `$defs`."""
    counts: Counter[str] = Counter()
    _count(whole, counts)
    names = {text: f"shared-{number}" for number, text in enumerate(_repeated(counts), 1)}
    definitions = {name: _referring(json.loads(text), names, is_definition=True) for text, name in names.items()}
    return {**_referring(whole, names), "$defs": definitions}


def _repeated(counts: Counter[str]) -> list[str]:
    return [text for text, count in counts.items() if count > 1 and len(text) > SHARED_FROM]


def _count(part: Any, counts: Counter[str]) -> None:
    if isinstance(part, dict):
        text = _text(part)
        counts[text] += 1
        if counts[text] > 1 and len(text) > SHARED_FROM:
            return  # what is within it is there once more only through it
        for key, one in part.items():
            for each in one.values() if key == "properties" else (one,):
                _count(each, counts)
    elif isinstance(part, list):
        for one in part:
            _count(one, counts)


def _referring(part: Any, names: dict[str, str], *, is_definition: bool = False) -> Any:
    if isinstance(part, list):
        return [_referring(one, names) for one in part]
    if not isinstance(part, dict):
        return part
    name = names.get(_text(part))
    if name is not None and not is_definition:
        return {"$ref": f"#/$defs/{name}"}
    return {
        key: {inner: _referring(each, names) for inner, each in one.items()}
        if key == "properties"
        else _referring(one, names)
        for key, one in part.items()
    }


def _text(part: Any) -> str:
    return json.dumps(part, ensure_ascii=False)
