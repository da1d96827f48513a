"""Every key has a reader, or is the host's, or is marked as not built: the table and the code say the same.

OCPP 1.6 ed. 2 §9.1: a key that is reported promises its feature.
"""

import ast
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from ocpp16.codec import Repair
from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.custom_keys import CustomKeys
from ocpp16.configuration.key import Key
from ocpp16.configuration.keys import BY_NAME, SECTIONS, core, internal
from ocpp16.configuration.keys.core import SUPPORTED_FEATURE_PROFILES
from ocpp16.configuration.lists import Measurands, TextList
from ocpp16.configuration.values import Integer, Number
from ocpp16.enums import ConfigurationStatus
from ocpp16.state import measurands

PROJECT = Path(__file__).parents[2]
PACKAGE = PROJECT / "ocpp16"
IDENTITY = {"ChargePointId": "c", "CentralSystemURI": "u", "ChargePointModel": "m", "ChargePointVendor": "v"}

# Not read in this folder of the project yet; whoever builds their readers takes them out.


def constants() -> dict[str, Key[Any]]:
    """Name of the constant -> key, of all sections."""
    found: dict[str, Key[Any]] = {}
    for section in SECTIONS.values():
        module = import_module(f"ocpp16.configuration.keys.{_module(section.name)}")
        found |= {name: row for name, row in vars(module).items() if isinstance(row, Key)}
    return found


def _module(section: str) -> str:
    names = {path.stem: path for path in (PACKAGE / "configuration" / "keys").glob("*.py")}
    return next(name for name in names if name.replace("_", "") == section.lower())


def names_in(paths: list[Path]) -> set[str]:
    """Every name that is used (not only imported) in these files, alone or as an attribute."""
    found = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, ast.Attribute):
                found.add(node.attr)
    return found


def is_of_the_configuration(path: Path) -> bool:
    return path.is_relative_to(PACKAGE / "configuration")


# The simulated station is a host like any other: what it acts on is the host's.
NOT_OF_THE_LIBRARY = (PACKAGE / "_core", PACKAGE / "simulation")
FILES = [path for path in PACKAGE.rglob("*.py") if not any(path.is_relative_to(one) for one in NOT_OF_THE_LIBRARY)]
READ = names_in([path for path in FILES if not is_of_the_configuration(path)])
READ_HERE = names_in([path for path in FILES if is_of_the_configuration(path) and path.parent.name != "keys"])
CONSTANTS = constants()


@pytest.mark.parametrize("name", sorted(CONSTANTS))
def test_every_key_has_the_reader_it_says(name: str) -> None:
    key = CONSTANTS[name]
    file = json.loads((PROJECT / "share" / "profile_schemas" / f"{key.section}.json").read_text())
    is_built = key.is_built and file["properties"][key.name].get("x-built", file.get("x-built", True))
    if not is_built:
        assert name not in READ, "has a reader, so it is built"
        assert key.reader == ""
    elif key.reader == "host":
        assert name not in READ, "the library reads it, so it is not the host's alone"
    elif key.reader == "configuration":
        uses = {other.limited_by for other in BY_NAME.values()} | {other.subset_of for other in BY_NAME.values()}
        assert name in READ_HERE or key.name in uses
    else:
        assert key.reader == ""
        assert name in READ, "nobody reads it"


def test_the_constants_are_all_keys() -> None:
    assert set(CONSTANTS.values()) == set(BY_NAME.values())


# --- what is not built


UNBUILT = [key for key in BY_NAME.values() if not key.is_built]


def load(**sections: dict[str, Any]) -> Configuration:
    internal_section = {**IDENTITY, **sections.pop("Internal", {})}
    return Configuration.load({"Internal": internal_section, **sections}, custom=CustomKeys())


def a_value(key: Key[Any]) -> Any:
    if key.default is not None:
        return key.to_json(key.default)
    return 5 if isinstance(key.kind, Integer) else "Authority"


@pytest.mark.parametrize("key", UNBUILT, ids=lambda key: key.name)
def test_what_is_not_built_is_taken_in_a_file_and_nothing_else(key: Key[Any]) -> None:
    plain = load()
    config = load(**{key.section: {key.name: a_value(key)}})
    assert config.warnings == [f"not built yet, so without effect and not reported: {key.section}.{key.name}"]
    assert config[key] == key.parse_json(a_value(key))
    for one in (plain, config):
        assert one.report([key.name]) == ([], [key.name])
        assert key.name not in {row["key"] for row in one.report()[0]}
        assert not one.is_present(key)
        assert one.text(key.name) is None
        change = one.change(key.name, "true")
        assert (change.status, change.reason) == (ConfigurationStatus.NOT_SUPPORTED, "is not built yet")
        assert one.set(key, one[key] if one[key] is not None else a_value(key)).reason == "is not built yet"


def test_one_warning_names_all_that_is_not_built() -> None:
    document = {
        "Internal": IDENTITY,
        "Core": {"HeartbeatInterval": 5},
    }
    overlay = {"Internal": {"TransactionRetentionDays": 20}}
    config = Configuration.load(document, overlay=overlay, custom=CustomKeys())
    names = "Internal.TransactionRetentionDays"
    assert config.warnings == [f"not built yet, so without effect and not reported: {names}"]
    assert config.overrides == overlay  # for the day on which it is built


def test_the_file_of_another_charge_point_is_taken() -> None:
    """All keys of the reference may stand in a file; nothing of it is refused because it is not built."""
    sections: dict[str, dict[str, Any]] = {}
    for key in UNBUILT:
        sections.setdefault(key.section, {})[key.name] = a_value(key)
    assert len(load(**sections).warnings) == 1


# --- numbers have ends


@pytest.mark.parametrize(
    "key", [key for key in BY_NAME.values() if isinstance(key.kind, Integer | Number)], ids=lambda key: key.name
)
def test_every_number_has_ends(key: Key[Any]) -> None:
    kind = key.kind
    assert isinstance(kind, Integer | Number)
    assert kind.minimum is not None
    assert kind.maximum is not None
    assert kind.minimum < kind.maximum
    for limit, beyond in ((kind.minimum, kind.minimum - 1), (kind.maximum, kind.maximum + 1)):
        assert key.parse_json(limit) == limit
        with pytest.raises(ValueError, match=rf"must be at (least|most) {limit}$"):
            key.parse_json(beyond)
    if key.unit == "s" and kind.maximum > 31_536_000:
        # Rare is as good as never for these; nothing waits for them.
        assert key in (core.HEARTBEAT_INTERVAL, core.METER_VALUE_SAMPLE_INTERVAL, core.CLOCK_ALIGNED_DATA_INTERVAL)
    if key.name.startswith("RetryBackoff"):
        assert kind.maximum <= 86_400
    if key.name.endswith("Timeout") and key.unit == "s":
        assert kind.maximum <= 3600


# --- lists that are tied to what the library can do


def test_measurands_are_those_that_can_be_produced() -> None:
    for key in BY_NAME.values():
        if isinstance(key.kind, Measurands):
            assert set(key.kind.choices) == {str(name) for name in measurands.TABLE}
            assert set(key.default or ()) <= set(key.kind.choices)


def test_a_measurand_that_cannot_be_produced_is_told_apart() -> None:
    kind = Measurands(choices=("Voltage",))
    with pytest.raises(ValueError, match="item 2 is a measurand that cannot be produced here"):
        kind.from_json("Voltage,RPM")
    with pytest.raises(ValueError, match="item 1 is not a measurand"):
        kind.from_json("Volts")


def test_tolerances_are_the_repairs_there_are() -> None:
    kind = internal.TOLERANCES.kind
    assert isinstance(kind, TextList)
    # The last two are made below the session, by the transport.
    assert {repair.value for repair in Repair} | {"byte_order_mark", "binary_frames"} == set(kind.choices)


def test_profiles_that_can_be_listed_are_those_with_keys_or_messages() -> None:
    kind = SUPPORTED_FEATURE_PROFILES.kind
    assert isinstance(kind, TextList)
    no_profiles = {"SignedMeterValues"}  # keys of a paper that has no messages
    assert set(kind.choices) == {*SECTIONS, "RemoteTrigger", "Custom"} - no_profiles
