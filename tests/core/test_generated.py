"""What is generated is fresh, and the tables and types agree with the schemas and with `ocpp16.enums`."""

import importlib
import subprocess
import sys
import typing
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import pytest

from ocpp16 import codec, enums, messages
from ocpp16.messages.actions import TOLERATED_VALUES

ROOT = Path(__file__).resolve().parents[2]
CODEGEN = ROOT / "ocpp16" / "_core" / "codegen"
KINDS: tuple[codec.Kind, ...] = ("request", "response")
ALL = [(action, kind) for action in (*codec.ACTIONS, *codec.CARRIED) for kind in KINDS]


class Catalogue(Protocol):
    schemas: dict[tuple[str, str], dict[str, Any]]
    enumerations: dict[str, list[str]]


def test_committed_files_are_fresh() -> None:
    result = subprocess.run([sys.executable, str(CODEGEN), "--check"], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_usage() -> None:
    result = subprocess.run([sys.executable, str(CODEGEN), "--help"], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "--check" in result.stderr


def class_of(action: str, kind: str) -> Any:
    return getattr(messages, action.replace(".", "") + kind.capitalize())


@pytest.mark.parametrize(("action", "kind"), ALL)
def test_typed_dicts_have_the_members_of_the_schema(catalogue: Catalogue, action: str, kind: str) -> None:
    schema = catalogue.schemas[action, kind]
    payload_class = class_of(action, kind)
    assert set(typing.get_type_hints(payload_class)) == set(schema["properties"])
    assert payload_class.__required_keys__ == set(schema.get("required", ()))


def test_every_name_of_the_package_can_be_imported() -> None:
    for name in messages.__all__:
        assert getattr(messages, name).__name__ == name
    assert dir(messages) == messages.__all__
    with pytest.raises(AttributeError):
        messages.NoSuchRequest  # noqa: B018
    module = importlib.import_module("ocpp16.messages.core")
    assert module.BootNotificationRequest is messages.BootNotificationRequest


def test_every_schema_has_a_row(catalogue: Catalogue) -> None:
    assert {action for action, _ in catalogue.schemas} == {*codec.ACTIONS, *codec.CARRIED}
    for action, kind in ALL:
        assert codec.check(action, kind, None) == codec.Violation("type", (), "object")


def test_actions() -> None:
    related = {name for name, action in codec.ACTIONS.items() if action.transaction_related}
    assert related == {"StartTransaction", "StopTransaction", "MeterValues"}
    assert {name for name, action in codec.ACTIONS.items() if action.initiator == "both"} == {"DataTransfer"}
    by_us = {name for name, action in codec.ACTIONS.items() if action.initiator == "ChargePoint"}
    assert len(by_us) == 13
    assert codec.ACTIONS["SendLocalList"].profile == "LocalAuthListManagement"
    with pytest.raises(TypeError):
        codec.ACTIONS["X"] = codec.ACTIONS["Reset"]  # type: ignore[index]


def test_enumerations_are_those_of_the_schemas(catalogue: Catalogue) -> None:
    """Every enumeration of a schema that `ocpp16.enums` has a class for has the same values, whatever their order."""
    classes = {
        name: value
        for name, value in vars(enums).items()
        if isinstance(value, type) and issubclass(value, StrEnum) and value is not StrEnum
    }
    shared = set(classes) & set(catalogue.enumerations)
    for name in shared:
        assert {str(member) for member in classes[name]} == set(catalogue.enumerations[name]), name
    ours = {"ErrorCode", "BootReason", "SessionStartedReason", "ReservationCheckStatus", "ReservationEndReason"}
    assert set(classes) - shared <= ours
    assert len(shared) >= 30


def test_tolerated_names_lead_to_values(catalogue: Catalogue) -> None:
    known = {tuple(values) for values in catalogue.enumerations.values()}
    for values, replacements in TOLERATED_VALUES.items():
        assert values in known
        for name, value in replacements.items():
            assert name not in values
            assert value is None or value in values
