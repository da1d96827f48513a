"""Reads `share/message_schemas`: JSON Schema (draft 4), one document per feature profile, a definition per payload.

What the schemas say beyond JSON Schema stands in members that no validator looks at:

- `x-profile` (document): name of the feature profile;
- `x-message` (a definition `<name>Request`): action, initiator, transactionRelated; vendorId and messageId where the
  payload travels inside DataTransfer. `<name>Response` is its confirmation;
- `x-sending`: limits of the written specification that the official schemas lack. They are kept when sending and
  never held against a peer;
- `x-bits` (an integer): 64 where a peer may choose it, as a transaction id. All other integers are sent within 32 bits:
  OCPP names no width, and peers have no more;
- `x-tolerated` (an enumeration): what peers write in place of a value, and which value that is (null: leave it out);
- `x-unit`, `x-case-insensitive`: for people.

Documents refer to each other by `<file>.json#/definitions/<name>`. Names are unique over all documents, so that
`merge` can make one document of them.
"""

import copy
import json
from pathlib import Path
from typing import Any, NamedTuple

Schema = dict[str, Any]
ANNOTATIONS = frozenset(
    {"x-message", "x-sending", "x-bits", "x-tolerated", "x-unit", "x-case-insensitive", "description", "default"}
)
NARROW = {"minimum": -(2**31), "maximum": 2**31 - 1}
"""What an integer is held to when it is sent."""
SENDING = "/sending"
"""Ends the name of the variant of a definition that has the limits for sending."""


class Message(NamedTuple):
    """One payload: `kind` is "request" or "response"; `facts` is the `x-message` of its request."""

    action: str
    kind: str
    definition: str
    facts: dict[str, Any]


class Document(NamedTuple):
    """One file: its name without `.json`, its feature profile, its definitions in order."""

    stem: str
    profile: str
    definitions: dict[str, Schema]

    @property
    def messages(self) -> list[Message]:
        found = []
        for name, schema in self.definitions.items():
            facts = schema.get("x-message")
            if facts is not None:
                found.append(Message(facts["action"], "request", name, facts))
                found.append(Message(facts["action"], "response", name.removesuffix("Request") + "Response", facts))
        return found


def load(folder: Path) -> list[Document]:
    """All documents of a folder in the order of their names."""
    documents = []
    for file in sorted(folder.glob("*.json")):
        document = json.loads(file.read_text(encoding="utf-8"))
        documents.append(Document(file.stem, document["x-profile"], document["definitions"]))
    return documents


def target(reference: str) -> str:
    """Name of the definition that a `$ref` leads to."""
    return reference.rpartition("#/definitions/")[2]


def references(schema: Any) -> set[str]:
    """Names of the definitions that a schema refers to, directly."""
    if isinstance(schema, list):
        return set().union(*map(references, schema)) if schema else set()
    if not isinstance(schema, dict):
        return set()
    found = {target(schema["$ref"])} if isinstance(schema.get("$ref"), str) else set()
    return found.union(*map(references, schema.values())) if schema else found


def merge(documents: list[Document]) -> dict[str, Schema]:
    """The definitions of all documents as one, with a variant `<name>/sending` where limits for sending apply.

    A `/` in the name keeps the variants apart from whatever the documents may call theirs; it is written `~1` in a
    JSON pointer.
    """
    merged: dict[str, Schema] = {}
    for document in documents:
        for name, schema in document.definitions.items():
            if name in merged:
                raise ValueError(f"{document.stem}.json: {name} is defined in another document too")
            merged[name] = _rewritten(schema, frozenset())
    limited = _limited(merged)
    for name in sorted(limited):
        merged[name + SENDING] = _rewritten(merged[name], limited)
    return merged


def _limited(definitions: dict[str, Schema]) -> frozenset[str]:
    """Names of the definitions that have limits for sending, in themselves or in what they refer to."""
    limited = {name for name, schema in definitions.items() if _has_limits(schema)}
    while True:
        more = {name for name, schema in definitions.items() if references(schema) & limited} - limited
        if not more:
            return frozenset(limited)
        limited |= more


def _has_limits(schema: Any) -> bool:
    if isinstance(schema, list):
        return any(map(_has_limits, schema))
    if not isinstance(schema, dict):
        return False
    return "x-sending" in schema or _is_narrow(schema) or any(map(_has_limits, schema.values()))


def _is_narrow(schema: Schema) -> bool:
    """An integer of 32 bits, where one is sent."""
    return schema.get("type") == "integer" and "x-bits" not in schema


def _rewritten(schema: Any, limited: frozenset[str]) -> Any:
    """A copy with references inside one document; if `limited` is not empty, as it holds for sending."""
    if isinstance(schema, list):
        return [_rewritten(item, limited) for item in schema]
    if not isinstance(schema, dict):
        return copy.copy(schema)
    if isinstance(schema.get("$ref"), str):
        name = target(schema["$ref"])
        return {"$ref": "#/definitions/" + name + ("~1sending" if name in limited else "")}
    result = {keyword: _rewritten(value, limited) for keyword, value in schema.items()}
    if limited and _is_narrow(schema):
        result = {**NARROW, **result}
    if limited and isinstance(schema.get("x-sending"), dict):
        result.update(copy.deepcopy(schema["x-sending"]))
    return result
