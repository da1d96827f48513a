"""The section Custom: text without a schema, typed keys with Custom.json."""

import json
from pathlib import Path
from typing import Any

import pytest

from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.custom_keys import CustomKeys
from ocpp16.errors import ConfigurationError

IDENTITY = {"ChargePointId": "c", "CentralSystemURI": "u", "ChargePointModel": "m", "ChargePointVendor": "v"}
SCHEMA: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "definitions": {"percent": {"type": "integer", "minimum": 0, "maximum": 100}},
    "required": ["Site"],
    "properties": {
        "Site": {"type": "string", "readOnly": True, "maxLength": 10},
        "Fan": {"$ref": "#/definitions/percent"},
        "Level": {"type": "integer", "minimum": 0, "maximum": 10, "default": 3},
        "Factor": {"type": "number", "exclusiveMinimum": 0},
        "Quiet": {"type": "boolean"},
        "Colour": {"type": "string", "enum": ["red", "green"]},
        "Times": {"type": "array", "items": {"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}$"}},
        "Menu": {"type": "object", "required": ["title"]},
        "Pin": {"type": "string", "writeOnly": True, "minLength": 4},
    },
}
CUSTOM = {
    "Site": "north",
    "Fan": 5,
    "Factor": 1.5,
    "Quiet": False,
    "Colour": "red",
    "Times": ["08:00"],
    "Menu": {"title": "a", "x": {"y": 1}},
    "Pin": "0000",
    "Note": "free",
}


def load(schema: Any, custom: Any, overlay: Any = None) -> Configuration:
    document = {"Internal": IDENTITY, "Custom": custom}
    return Configuration.load(document, overlay={"Custom": overlay} if overlay else {}, custom=CustomKeys(schema))


def value(config: Configuration, name: str) -> str | None:
    found, _ = config.report([name])
    return found[0].get("value") if found else None


# key, text, accepted, reported afterwards
CHANGES = [
    ("Fan", "100", True, "100"),
    ("fan", "101", False, "5"),
    ("Fan", "x", False, "5"),
    ("Level", "10", True, "10"),
    ("Level", "11", False, "3"),
    ("Level", "1.5", False, "3"),
    ("Factor", "0.25", True, "0.25"),
    ("Factor", "0", False, "1.5"),
    ("Quiet", "TRUE", True, "true"),
    ("Quiet", "yes", False, "false"),
    ("Colour", "green", True, "green"),
    ("Colour", "blue", False, "red"),
    ("Times", '["09:30","10:00"]', True, '["09:30","10:00"]'),
    ("Times", '["9:30"]', False, '["08:00"]'),
    ("Times", "09:30", False, '["08:00"]'),
    ("Menu", '{"title":"b"}', True, '{"title":"b"}'),
    ("Menu", "{}", False, '{"title":"a","x":{"y":1}}'),
    ("Site", "south", False, "north"),
    ("Note", "anything", True, "anything"),
    ("Pin", "1234", True, None),
    ("Pin", "1", False, None),
]


@pytest.mark.parametrize(("name", "text", "accepted", "reported"), CHANGES)
def test_a_schema_gives_types_and_limits(name: str, text: str, accepted: bool, reported: str | None) -> None:
    config = load(SCHEMA, CUSTOM)
    change = config.change(name, text)
    assert change.is_accepted is accepted
    assert value(config, name) == reported
    secrets = config.secrets.get("Custom", {})
    assert bool(secrets) == (name == "Pin" and accepted)
    again = load(SCHEMA, CUSTOM, {**config.overrides.get("Custom", {}), **secrets})
    assert again.warnings == []
    assert again.report() == config.report()


def test_declared_keys_without_value_have_their_default_or_are_unknown() -> None:
    config = load(SCHEMA, {"Site": "north"})
    assert value(config, "level") == "3"
    assert config.report(["Fan"])[1] == ["Fan"]
    assert config.change("Fan", "5").status == "NotSupported"


def test_problems_name_the_key() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(SCHEMA, {"Site": "north", "Fan": 101, "Pin": "1", "Colour": 5})
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "Custom.Fan = 101",
        "Custom.Pin = (secret)",
        "Custom.Colour = 5",
    ]
    with pytest.raises(ConfigurationError, match=r"Custom: does not fit required"):
        load(SCHEMA, {"Fan": 5})


def test_a_closed_schema_refuses_other_keys_with_a_hint() -> None:
    closed = {**SCHEMA, "additionalProperties": False}
    with pytest.raises(ConfigurationError, match=r"Custom\.Sites: is not declared; did you mean Site\?"):
        load(closed, {"Site": "north", "Sites": "x"})
    config = load(closed, {"Site": "north"}, {"Note": "x"})
    assert len(config.warnings) == 1


def test_rules_over_the_whole_section_hold_for_changes_and_overlay() -> None:
    schema = {
        "properties": {"A": {"type": "integer"}, "B": {"type": "integer"}},
        "not": {"properties": {"A": {"const": 9}}},
    }
    config = load(schema, {"A": 1, "B": 2})
    assert config.change("A", "9").status == "Rejected"
    assert value(config, "A") == "1"
    assert config.change("B", "9").is_accepted
    bad = load(schema, {"A": 1, "B": 2}, {"A": 9, "B": 3})
    assert value(bad, "A") == "1"
    assert len(bad.warnings) == 1


def test_what_the_overlay_cannot_say_the_host_cannot_set() -> None:
    """A null in an object removes what has its name: it would be gone after the next start."""
    config = load(SCHEMA, CUSTOM)
    key = config.lookup("Menu")
    assert key is not None
    assert config.set(key, {"title": "b", "x": {"y": None}}).reason == "must not hold null"
    assert config.set(key, {"title": "b", "x": [None]}).is_accepted
    later = load(SCHEMA, CUSTOM, config.overrides["Custom"])
    assert value(later, "Menu") == '{"title":"b","x":[null]}'


@pytest.mark.parametrize(("number", "is_kept"), [(2**63 - 1, True), (2**63, False), (-(2**63), True), (10**400, False)])
def test_what_the_file_of_changes_cannot_hold_is_not_accepted(number: int, is_kept: bool) -> None:
    config = load(SCHEMA, CUSTOM)
    assert config.change("Menu", f'{{"title":"a","x":[{number}]}}').is_accepted is is_kept
    assert load({"properties": {"Any": {}}}, {"Any": 1}).change("Any", str(number)).is_accepted is is_kept
    free = load({"properties": {"Count": {"type": "integer"}}}, {"Count": 1})
    key = free.lookup("Count")
    assert key is not None
    assert free.set(key, number).is_accepted is is_kept


def test_without_a_schema_keys_are_text_readable_and_writable() -> None:
    config = load(None, {"Mine": "x", "Number": 5})
    assert config.report(["mine"])[0] == [{"key": "Mine", "readonly": False, "value": "x"}]
    assert config.change("MINE", "anything").value == "anything"
    assert config.change("Number", "not a number").is_accepted
    assert config.overrides == {"Custom": {"Mine": "anything", "Number": "not a number"}}
    again = load(None, {"Mine": "x"}, {**config.overrides["Custom"], "Added": "y"})
    assert value(again, "Added") == "y"
    assert again.lookup("added") is not None


def test_names_that_cannot_be_told_apart() -> None:
    with pytest.raises(ConfigurationError, match="differs from Mine in upper and lower case only"):
        load(None, {"Mine": "x", "mINE": "y"})
    with pytest.raises(ConfigurationError, match="has 51 characters"):
        load(None, {"x" * 51: "y"})
    config = load(None, {"heartbeatinterval": "x"})
    assert value(config, "HeartbeatInterval") == "86400"
    assert len(config.warnings) == 1


def test_the_schema_is_found_in_the_share_path(tmp_path: Path) -> None:
    document = {"Internal": IDENTITY, "Custom": {"Fan": 500}}
    assert value(Configuration.load(document, share_path=tmp_path), "Fan") == "500"
    (tmp_path / "profile_schemas").mkdir()
    file = tmp_path / "profile_schemas" / "Custom.json"
    file.write_text(json.dumps({"properties": {"Fan": {"type": "integer", "maximum": 100}}}))
    with pytest.raises(ConfigurationError, match=r"Custom\.Fan = 500"):
        Configuration.load(document, share_path=tmp_path)
    file.write_text("{")
    with pytest.raises(ConfigurationError, match=r"Custom\.json:1:2: not JSON"):
        Configuration.load(document, share_path=tmp_path)


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"A": {"type": "strange"}}},
        {"properties": {"A": 5}},
        {"properties": []},
        {"properties": {"A": {"type": "integer", "default": "x"}}},
        {"properties": {"A": {"$ref": "#/definitions/none"}}},
    ],
)
def test_an_unusable_schema_is_named(schema: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^Custom\.json: "):
        CustomKeys(schema)


def test_the_schema_may_lie_elsewhere(tmp_path: Path) -> None:
    document = {"Internal": IDENTITY, "Custom": {"Fan": 500}}
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"properties": {"Fan": {"type": "integer", "maximum": 100}}}))
    with pytest.raises(ConfigurationError, match=r"Custom\.Fan = 500"):
        Configuration.load(document, custom_schema_path=file)
    assert CustomKeys.load(schema_path=file).declared.keys() == {"Fan"}
    with pytest.raises(ConfigurationError, match=r"none\.json: cannot be read"):
        CustomKeys.load(schema_path=tmp_path / "none.json")


@pytest.mark.parametrize("name", ["", " a", "a\nb", "\u202e", "x" * 51])
def test_a_declared_name_that_cannot_be_told(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        CustomKeys({"properties": {name: {"type": "integer", "default": 5}}})
    assert caught.value.problems[0].startswith("Custom.json: ")
    assert caught.value.problems[0].isprintable()


def test_declared_names_that_cannot_be_told_apart_or_hide_one_of_ours() -> None:
    with pytest.raises(ConfigurationError, match=r"(fan|Fan): differs from another"):
        CustomKeys({"properties": {"Fan": {}, "fan": {}}})
    config = load({"properties": {"HeartbeatInterval": {"type": "string", "default": "x"}}}, {})
    rows = [row for row in config.report()[0] if row["key"] == "HeartbeatInterval"]
    assert [row.get("value") for row in rows] == ["86400"]


def test_a_value_that_its_schema_cannot_be_asked_about_is_refused() -> None:
    schema = {"properties": {"Factor": {"type": "number", "multipleOf": 0.1}}}
    with pytest.raises(ConfigurationError, match=r"Custom\.Factor"):
        load(schema, {"Factor": 10**400})


def test_what_was_given_is_not_shared() -> None:
    given = {"any": [1, {"a": 2}]}
    config = load({"properties": {"any": {"type": ["array", "null"]}}}, given)
    given["any"].append(3)
    assert value(config, "any") == '[1,{"a":2}]'


# --- checks of the host


def refuses(value: Any) -> None:
    if value % 2:
        raise ValueError(f"{value} is odd")


@pytest.mark.parametrize("declared", [True, False])
def test_a_check_of_the_host_has_its_say_in_file_overlay_and_changes(declared: bool) -> None:
    schema = {"properties": {"Fan": {"type": "integer", "default": 4}}} if declared else None
    keys = CustomKeys(schema, checks={"Fan": lambda value: refuses(int(value))})
    with pytest.raises(ConfigurationError) as wrong:
        Configuration.load({"Internal": IDENTITY, "Custom": {"Fan": 3}}, custom=keys)
    assert list(wrong.value.problems) == ["Custom.Fan = 3: is refused: 3 is odd"]
    config = Configuration.load(
        {"Internal": IDENTITY, "Custom": {"Fan": 2}}, overlay={"Custom": {"Fan": 5}}, custom=keys
    )
    assert (config.text("Fan"), len(config.warnings)) == ("2", 1)
    assert config.change("Fan", "7").reason == "is refused: 7 is odd"
    assert config.change("Fan", "6").is_accepted
    assert config.text("Fan") == "6"


def test_whatever_a_check_does_is_a_refusal_and_harms_nothing() -> None:
    def careless(value: Any) -> None:
        value["x"]["y"] = 99
        raise BaseExceptionGroup("g", [RuntimeError("\x1b[2J"), ValueError("b")])

    def exits(value: Any) -> None:
        raise KeyboardInterrupt

    keys = CustomKeys({"properties": {"Menu": {"type": "object"}, "Fan": {}}}, checks={"Menu": careless, "Fan": exits})
    config = Configuration.load({"Internal": IDENTITY}, custom=keys)
    menu = {"x": {"y": 1}}
    change = config.set(keys.declared["Menu"], menu)
    assert not change.is_accepted
    assert change.reason.isprintable()
    assert menu == {"x": {"y": 1}}
    with pytest.raises(KeyboardInterrupt):
        config.set(keys.declared["Fan"], 1)


def test_the_reason_of_a_secret_is_not_shown() -> None:
    def tells(value: str) -> None:
        raise ValueError(f"{value} is too easy")

    keys = CustomKeys({"properties": {"Pin": {"type": "string", "writeOnly": True}}}, checks={"Pin": tells})
    with pytest.raises(ConfigurationError) as wrong:
        Configuration.load({"Internal": IDENTITY, "Custom": {"Pin": "0000"}}, custom=keys)
    assert list(wrong.value.problems) == ["Custom.Pin = (secret): is refused by its check"]
    config = Configuration.load({"Internal": IDENTITY}, custom=keys)
    assert config.change("Pin", "0000").reason == "is refused by its check"


def test_checks_are_functions() -> None:
    async def later(value: Any) -> None: ...

    with pytest.raises(ConfigurationError) as wrong:
        CustomKeys(None, checks={"A": later, "B": 5})  # type: ignore[dict-item]
    assert len(wrong.value.problems) == 2


def test_a_check_of_a_key_that_is_not_declared_is_misspelt() -> None:
    with pytest.raises(ConfigurationError, match="checks: FanSped: is not declared; did you mean FanSpeed"):
        CustomKeys({"properties": {"FanSpeed": {"type": "integer"}}}, checks={"FanSped": refuses})
