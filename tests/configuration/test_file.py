"""Configuration files: errors that name file and line, and the files this project ships."""

import configparser
import importlib.util
import json
import logging.config
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.custom_keys import CustomKeys
from ocpp16.configuration.file import read_json_object
from ocpp16.configuration.keys import BY_NAME, SECTIONS
from ocpp16.configuration.keys.core import NUMBER_OF_CONNECTORS
from ocpp16.configuration.keys.internal import CENTRAL_SYSTEM_URI, CHARGE_POINT_ID, ENABLE_TLS_KEYLOG
from ocpp16.configuration.keys.security import SECURITY_PROFILE
from ocpp16.configuration.rules import RULES
from ocpp16.errors import ConfigurationError

PROJECT = Path(__file__).parents[2]
SHARE = PROJECT / "share"
SCHEMAS = SHARE / "profile_schemas"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{\n  "a": 1\n  "b": 2}', ":3:3: not JSON: "),
        (b"", ":1:1: not JSON: "),
        (b"[]", ": must hold a JSON object"),
        (b'{"a": NaN}', ": a = NaN is no JSON"),
        (b'{"a": {"b": 1, "c": 2, "b": 3}}', ": b is there twice"),
        (b'{"a": "\xff"}', ": not UTF-8 at byte 7"),
        (b"[" * 100_000, ": "),
        (b'{"a":' * 65 + b"1" + b"}" * 65, ": is nested deeper than 64 levels"),
        (b'{"a":' * 600 + b"1" + b"}" * 600, ": is nested deeper than 64 levels"),
        (b'{"a": ' + b"9" * 5000 + b"}", ": "),
    ],
)
def test_one_line_names_file_and_place(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "config.json"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        read_json_object(file)
    (problem,) = caught.value.problems
    assert problem.startswith(f"{file}{message}")
    assert "\n" not in problem


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.json: cannot be read: No such file"):
        read_json_object(str(tmp_path / "none.json"))


def test_the_deepest_that_is_read(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_bytes(b'{"a":' * 64 + b"1" + b"}" * 64)
    assert list(read_json_object(file)) == ["a"]


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read_json_object(file) == {"a": 1}


@pytest.mark.parametrize(
    ("name", "profile"), [("config.json", 0), ("config-docker.json", 1), ("config-docker-tls.json", 2)]
)
def test_shipped_configurations(name: str, profile: int) -> None:
    config = Configuration.load(read_json_object(SHARE / name), custom=CustomKeys())
    assert config.warnings == []
    assert config[SECURITY_PROFILE] == profile
    assert config[CHARGE_POINT_ID] == "cp001"
    assert config[NUMBER_OF_CONNECTORS] == 2
    assert config[ENABLE_TLS_KEYLOG] is False
    if name == "config.json":
        assert config[CENTRAL_SYSTEM_URI] == "ws://127.0.0.1:9000/ocpp/"


def test_the_full_configuration_is_what_holds_without_it() -> None:
    """A template: each key that has a value is there, once, and none of them changes anything."""
    document = read_json_object(SHARE / "config-full.json")
    full = Configuration.load(document, custom=CustomKeys())
    identity = {name: document["Internal"][name] for name in IDENTITY}
    bare = Configuration.load({"Internal": identity}, custom=CustomKeys())
    assert full.warnings == []
    assert {key.name: full[key] for key in BY_NAME.values()} == {key.name: bare[key] for key in BY_NAME.values()}
    named = [name for section in document.values() for name in section]
    assert sorted(named) == sorted({*named})
    assert list(document) == [
        "Internal",
        "Core",
        "FirmwareManagement",
        "LocalAuthListManagement",
        "Reservation",
        "SmartCharging",
        "Security",
    ]
    built = [key for key in BY_NAME.values() if key.is_built and key.section in document]
    assert {key.name for key in built if bare[key] is not None} == set(named)


def test_shipped_log_settings_are_usable() -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(SHARE / "logging.ini")
    assert parser["handler_stderr"]["args"] == "(sys.stderr,)"
    # Raises KeyError if a section that another one names is missing; nothing is installed.
    formatters = logging.config._create_formatters(parser)  # type: ignore[attr-defined]
    assert list(formatters) == ["line"]


# --- the schemas, read by a stranger


def schema_of(name: str) -> dict[str, Any]:
    return read_json_object(SCHEMAS / name)


def validator() -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    root = schema_of("Config.json")
    for name, row in root["properties"].items():
        if "$ref" in row:
            root["properties"][name] = schema_of(row["$ref"])
    jsonschema.Draft7Validator.check_schema(root)
    return jsonschema.Draft7Validator(root)


@pytest.mark.parametrize("name", ["config.json", "config-docker.json", "config-docker-tls.json", "config-full.json"])
def test_an_independent_validator_agrees_about_the_shipped_files(name: str) -> None:
    assert list(validator().iter_errors(read_json_object(SHARE / name))) == []


IDENTITY = {"ChargePointId": "c", "CentralSystemURI": "u", "ChargePointModel": "m", "ChargePointVendor": "v"}


@pytest.mark.parametrize("key", BY_NAME.values(), ids=lambda key: key.name)
def test_an_independent_validator_agrees_about_single_values(key: Any) -> None:
    """Types, limits and choices; what JSON Schema cannot say of a text (items of a list) only we refuse."""
    check = validator()
    natives = [True, 0, 1, -1, 2.5, 3.0, 86400, 10**6, "", "ab", "x" * 30, "x" * 2000, [], ["a"], ["html"], {}, None]
    for native in natives:
        document: dict[str, Any] = {"Internal": dict(IDENTITY)}
        document.setdefault(key.section, {})[key.name] = native
        is_valid = check.is_valid(document)
        try:
            Configuration.load(document, custom=CustomKeys())
        except ConfigurationError:
            if is_valid:
                row = schema_of(f"{key.section}.json")["properties"][key.name]
                ruled = {rule.key for rule in RULES if rule.is_firm}
                assert "format" in row or "items" in row or key in ruled, (key.name, native)
        else:
            row = schema_of(f"{key.section}.json")["properties"][key.name]
            assert is_valid or row.get("x-unknownItems") == "skip", (key.name, native)


def generator() -> ModuleType:
    """The generator as the build sees it: without anything of ocpp16."""
    spec = importlib.util.spec_from_file_location("keys", PROJECT / "ocpp16" / "_core" / "codegen" / "keys.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_keys_and_documentation_are_fresh() -> None:
    outputs = generator().outputs(PROJECT)
    assert len(outputs) == len(SECTIONS) + 3
    for path, text in outputs.items():
        assert path.read_text(encoding="utf-8") == text, f"run python ocpp16/_core/codegen: {path}"


def test_constants_are_named_after_their_keys() -> None:
    name = generator().constant_name
    assert name("HeartbeatInterval") == "HEARTBEAT_INTERVAL"
    assert name("ConnectionTimeOut") == "CONNECTION_TIME_OUT"
    assert name("StopTransactionOnEVSideDisconnect") == "STOP_TRANSACTION_ON_EV_SIDE_DISCONNECT"
    assert name("ISO15118PnCEnabled") == "ISO15118_PNC_ENABLED"
    assert name("ConnectorEvseIds") == "CONNECTOR_EVSE_IDS"
    assert name("IFace") == "IFACE"


def test_rows_refer_to_keys_that_exist_and_secrets_are_not_readable() -> None:
    for key in BY_NAME.values():
        for other in (key.subset_of, key.limited_by):
            assert other is None or other.lower() in BY_NAME
        assert key.description
        assert not (key.is_secret and key.access in ("RO", "RW"))
        assert len(key.name) <= 50
    assert json.dumps([section.name for section in SECTIONS.values()]) == json.dumps(
        [name for name in schema_of("Config.json")["properties"] if name != "Custom"]
    )
