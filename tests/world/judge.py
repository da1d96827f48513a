"""Whether a message of a charge point is one: by the schemas of the package `ocpp`, and the package `jsonschema`."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema


@cache
def validator(name: str) -> Any:
    """What judges payloads by the schema file of this name."""
    found = find_spec("ocpp.v16")
    assert found is not None
    assert found.origin is not None
    schema = json.loads((Path(found.origin).parent / "schemas" / f"{name}.json").read_text(encoding="utf-8-sig"))
    return jsonschema.validators.validator_for(schema)(schema)


def check_message(frame: list[Any], asked: Mapping[str, str]) -> None:
    """Hold a message of the charge point against its schema; `asked`: the actions of the calls to it, by message id.

    Raises AssertionError or jsonschema.ValidationError.
    """
    kind, unique_id, *rest = frame
    if kind == 2:
        assert len(frame) == 4, frame
        validator(rest[0]).validate(rest[1])
    elif kind == 3:
        assert len(frame) == 3, frame
        validator(f"{asked[unique_id]}Response").validate(rest[0])
    else:
        assert kind == 4, frame
        assert len(frame) == 5, frame
        code, description, details = rest
        assert code in ERROR_CODES, frame
        assert isinstance(description, str), frame
        assert len(description) <= 255, frame
        assert isinstance(details, dict), frame


ERROR_CODES = (
    "NotImplemented",
    "NotSupported",
    "InternalError",
    "ProtocolError",
    "SecurityError",
    "FormationViolation",
    "PropertyConstraintViolation",
    "OccurenceConstraintViolation",
    "TypeConstraintViolation",
    "GenericError",
)
"""OCPP-J 1.6 §4.2.3, with its spelling."""
