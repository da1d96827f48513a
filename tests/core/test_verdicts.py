"""The compiled validators against two others, over payloads that are broken in every place in many ways.

Stock fastjsonschema validates by our own schemas, jsonschema by those that the package `ocpp` ships. Verdicts may
differ only where the published documents differ: each such case has an id and says what it allows.
"""

import json
from collections.abc import Callable
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any, Protocol

import fastjsonschema
import jsonschema
import ocpp
import pytest

from ocpp16 import codec

KINDS: tuple[codec.Kind, ...] = ("request", "response")
NATIVE = [(action, kind) for action in codec.ACTIONS for kind in KINDS]
ALL = [(action, kind) for action in (*codec.ACTIONS, *codec.CARRIED) for kind in KINDS]


class Catalogue(Protocol):
    def standard(self, action: str, kind: str) -> dict[str, Any]: ...
    def mutations(self, action: str, kind: str, pairs: int) -> Any: ...


class Case:
    """Two verdicts on one payload: our violation or None, the rule that theirs names or None."""

    def __init__(self, action: str, payload: Any, ours: codec.Violation | None, theirs: str | None) -> None:
        self.action, self.payload, self.ours, self.theirs = action, payload, ours, theirs

    def our_value(self) -> Any:
        value = self.payload
        for step in self.ours.path if self.ours else ():
            value = value[step]
        return value


DISCREPANCIES: dict[str, tuple[str, Callable[[Case], bool]]] = {
    "D05": (
        "MeterValues: at least one element in the written specification, no limit in the official schemas",
        lambda case: case.ours is None and case.theirs == "minItems" and case.action == "MeterValues",
    ),
    "D08": (
        "MeterValues: Hertz as unit is in some schema sets only",
        lambda case: case.theirs is None and case.action == "MeterValues" and case.our_value() == "Hertz",
    ),
    "D25": (
        "date-times: many validators do not check them, or allow other forms than RFC 3339",
        lambda case: (case.ours is not None and case.ours.rule == "format") or case.theirs == "format",
    ),
}


def explain(case: Case) -> str | None:
    if (case.ours is None) == (case.theirs is None):
        return None
    for name, (_, allows) in DISCREPANCIES.items():
        if allows(case):
            return name
    place = case.ours.path if case.ours else ""
    pytest.fail(f"{case.action}: ours {case.ours!r} {place}, theirs {case.theirs!r}: {json.dumps(case.payload)[:400]}")


def test_stock_fastjsonschema(catalogue: Catalogue) -> None:
    seen, count = set(), 0
    for action, kind in ALL:
        stock = fastjsonschema.compile(catalogue.standard(action, kind))
        for payload in catalogue.mutations(action, kind, pairs=2000):
            theirs = None
            try:
                stock(payload)
            except fastjsonschema.JsonSchemaValueException as error:
                theirs = error.rule
            seen.add(explain(Case(action, payload, codec.check(action, kind, payload), theirs)))
            count += 1
    assert seen == {None, "D25"}
    assert count > 200_000


def decimals(value: Any) -> Any:
    """Floats as Decimal, or jsonschema finds 3.3 no multiple of 0.1."""
    if isinstance(value, dict):
        return {key: decimals(member) for key, member in value.items()}
    if isinstance(value, list):
        return [decimals(element) for element in value]
    return Decimal(repr(value)) if isinstance(value, float) else value


def test_jsonschema_with_the_schemas_of_ocpp(catalogue: Catalogue) -> None:
    folder = Path(ocpp.__file__).parent / "v16" / "schemas"
    seen = set()
    for action, kind in NATIVE:
        file = folder / f"{action}{'Response' if kind == 'response' else ''}.json"
        schema = json.loads(file.read_text(encoding="utf-8-sig"), parse_float=Decimal)
        validator = jsonschema.Draft4Validator(schema)
        for payload in catalogue.mutations(action, kind, pairs=1500):
            with localcontext(prec=400):  # 1e300 has so many digits
                error = next(validator.iter_errors(decimals(payload)), None)
            theirs = None if error is None else str(error.validator)
            seen.add(explain(Case(action, payload, codec.check(action, kind, payload), theirs)))
    assert seen == {None, *DISCREPANCIES}
