"""The keys are those that charge point software of the field has, with their type, access, range and default.

`expected_keys.csv` says what is expected of each; where a key is another here on purpose, `DIFFERENT` has the reason.
"""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from ocpp16.configuration.key import Key
from ocpp16.configuration.keys import BY_NAME, SECTIONS, signed_meter_values

_TABLE = Path(__file__).with_name("expected_keys.csv").read_text(encoding="utf-8")
EXPECTED = {row["key"]: row for row in csv.DictReader(_TABLE.splitlines())}

OURS = {
    "AuthorizationKeyForm",
    "CentralSystemName",
    "FallbackAttempts",
    "FallbackCentralSystems",
    "FallbackReturnInterval",
    "HttpProxy",
    "FreeVendActive",
    "FreeVendIdTag",
    "KeyAccess",
    *signed_meter_values.KEYS,
    "PreviousAuthorizationKey",
    "PreviousSecurityProfile",
    "SignedFirmwareRequired",
    "Tolerances",
    "VolatileChargingProfilePurposes",
}
"""Keys that others do not have."""

TYPES = {
    "string": {
        "Text",
        "Identity",
        "Address",
        "Header",
        "TimeOffset",
        "DateTimeText",
        "AuthorizationKey",
        "CountryCode",
    },
    "integer": {"Integer"},
    "number": {"Number", "Integer"},
    "boolean": {"Boolean"},
    "CSL": {"TextList", "Measurands", "PhaseRotations"},
    "array<string>": {"TextList"},
    "object": {"Document"},
}

NEEDED = "four keys are enough to start; all else that OCPP requires has a default"
FALLBACK = "used while the key is absent, and not reported then"
LOGGED_NOWHERE = "whoever turns the key log on says where to; nobody finds one in /tmp"

DIFFERENT: dict[tuple[str, str], tuple[Any, str]] = {
    **{
        (name, "access"): ("RO", "writable, but every change refused: it is what it does; KeyAccess opens it")
        for name in ("RetryBackoffRandomRange", "RetryBackoffRepeatTimes", "RetryBackoffWaitMinimum")
    },
    ("SupplyVoltage", "min"): ("1", "power is divided by it"),
    ("ChargingScheduleMaxPeriods", "min"): ("1", "a schedule without a period is none (OCPP 1.6 ed. 2 §7.13)"),
    ("SeccLeafSubjectCountry", "default"): ("DE", FALLBACK),
    ("TLSKeylogFile", "default"): ("", LOGGED_NOWHERE),
    ("AuthorizationKey", "min_length"): (
        "",
        "8 bytes, by its own kind: characters of hexadecimal digits are twice as many",
    ),
    ("CpoName", "max_length"): ("64", "as long as the organization in a certificate may be (X.520)"),
    ("ConnectorEvseIds", "min_length"): ("0", "an empty list is how a station says that it has none"),
}
"""(key, column) -> what it is here, and why. Of a column without an expectation ours is free, `required` apart."""


def is_here(key: Key[Any]) -> dict[str, str]:
    """The columns of a key as it is."""
    kind: Any = key.kind
    default = "" if key.default is None or key.is_secret else key.to_json(key.default)

    def told(value: Any) -> str:
        return "" if value is None else str(value)

    return {
        "section": key.section,
        "access": str(key.access),
        "default": default if isinstance(default, str) else json.dumps(default),
        "min": told(getattr(kind, "minimum", None)),
        "max": told(getattr(kind, "maximum", None)),
        "min_length": told(getattr(kind, "minimum_length", None)),
        "max_length": told(getattr(kind, "maximum_length", None)),
    }


def test_all_keys_are_expected_or_ours() -> None:
    assert {key.name for key in BY_NAME.values()} == EXPECTED.keys() | OURS
    assert not EXPECTED.keys() & OURS


@pytest.mark.parametrize("name", EXPECTED)
def test_a_key_is_as_expected(name: str) -> None:
    key, expected = BY_NAME[name.lower()], EXPECTED[name]
    assert key.name == name
    assert type(key.kind).__name__ in TYPES[expected["type"]]
    for column, here in is_here(key).items():
        if (name, column) in DIFFERENT:
            assert here == DIFFERENT[name, column][0] != expected[column], column
        elif expected[column] != "":
            assert here == expected[column], column


@pytest.mark.parametrize("name", [name for name, row in EXPECTED.items() if row["required"] == "yes"])
def test_what_others_require_is_required_or_has_a_default(name: str) -> None:
    """NEEDED is the reason."""
    key = BY_NAME[name.lower()]
    absent_is_an_answer = {"ChargeBoxSerialNumber", "FirmwareVersion"}  # optional in BootNotification.req (§6.3)
    assert key.is_required or key.default is not None or name in absent_is_an_answer, NEEDED


def test_only_four_keys_are_required() -> None:
    required = {key.name for key in BY_NAME.values() if key.is_required}
    assert required == {"ChargePointId", "CentralSystemURI", "ChargePointModel", "ChargePointVendor"}


def test_differences_are_of_keys_and_columns_that_there_are() -> None:
    assert {name for name, _ in DIFFERENT} <= EXPECTED.keys()
    assert all(why for _, why in DIFFERENT.values())


def test_every_section_has_keys_that_are_expected() -> None:
    ours = {"SignedMeterValues"}
    assert {row["section"] for row in EXPECTED.values()} == SECTIONS.keys() - ours
