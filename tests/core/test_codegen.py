"""The generator of the validators refuses what it has no code for, and the schemas are schemas to others too."""

import json
from importlib import import_module, resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

CODEGEN = "codegen"
CORE = Path(__file__).parents[2] / "ocpp16" / "_core"


@pytest.fixture(autouse=True)
def as_the_build_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """The generator is not installed; the build imports it from the source folder."""
    monkeypatch.syspath_prepend(CORE)


def generate(member: dict[str, Any]) -> str:
    """Code for a closed object with one member."""
    schema = {"type": "object", "properties": {"a": member}, "additionalProperties": False}
    code: str = import_module(f"{CODEGEN}.validators").CythonGenerator({"X": schema}, ["X"], {}).func_code
    return code


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        ({"type": "string", "pattern": "x"}, "no code for keyword 'pattern'"),
        ({"type": "string", "x-other": 1}, "no code for keyword 'x-other'"),
        ({"anyOf": [{"type": "string"}]}, "no code for keyword 'anyOf'"),
        ({"type": ["string", "null"]}, "one type is needed"),
        ({"maxLength": 5}, "one type is needed"),
        ({"type": "string", "maxLength": "20"}, "maxLength is '20'"),
        ({"type": "string", "format": "uri"}, "no code for format 'uri'"),
        ({"type": "string", "enum": ["a", 1]}, "ASCII texts expected"),
        ({"type": "string", "enum": ["é"]}, "ASCII texts expected"),
        ({"type": "number", "multipleOf": 0.01}, "multipleOf other than 0.1"),
        ({"type": "object", "properties": {"b": {"type": "string"}}}, "not closed"),
        ({"type": "object", "properties": {}, "required": ["c"], "additionalProperties": False}, "not described"),
    ],
)
def test_refused(member: dict[str, Any], reason: str) -> None:
    from fastjsonschema import JsonSchemaDefinitionException

    with pytest.raises(JsonSchemaDefinitionException, match=reason):
        generate(member)


def test_arrays_deeper_than_paths_can_tell() -> None:
    from fastjsonschema import JsonSchemaDefinitionException

    member: dict[str, Any] = {"type": "string"}
    for _ in range(3):
        member = {"type": "array", "items": member}
    assert "data__a_item" not in generate(member)
    with pytest.raises(JsonSchemaDefinitionException, match="nested deeper"):
        generate({"type": "array", "items": member})


def test_keywords_about_other_types_say_nothing() -> None:
    assert generate({"type": "string", "maximum": 5, "minItems": 1}) == generate({"type": "string"})


def test_a_name_defined_twice_is_refused() -> None:
    schemas = import_module(f"{CODEGEN}.schemas")
    document = schemas.Document("one", "Core", {"X": {"type": "string"}})
    with pytest.raises(ValueError, match="defined in another document"):
        schemas.merge([document, document._replace(stem="two")])


def test_limits_for_sending_make_variants_of_all_that_refer_to_them() -> None:
    schemas = import_module(f"{CODEGEN}.schemas")
    definitions = {
        "Level": {"type": "integer", "x-sending": {"minimum": 0}},
        "Profile": {"type": "object", "properties": {"level": {"$ref": "#/definitions/Level"}}},
        "Request": {"type": "object", "properties": {"profile": {"$ref": "other.json#/definitions/Profile"}}},
        "Response": {"type": "object", "properties": {}},
    }
    merged = schemas.merge([schemas.Document("one", "Core", definitions)])
    assert set(merged) == {*definitions, "Level/sending", "Profile/sending", "Request/sending"}
    assert "minimum" not in merged["Level"]
    assert (merged["Level/sending"]["minimum"], merged["Level/sending"]["maximum"]) == (0, 2**31 - 1)
    assert merged["Request"]["properties"]["profile"] == {"$ref": "#/definitions/Profile"}
    assert merged["Request/sending"]["properties"]["profile"] == {"$ref": "#/definitions/Profile~1sending"}


def test_integers_have_32_bits_when_sent_unless_it_is_said() -> None:
    schemas = import_module(f"{CODEGEN}.schemas")
    definitions = {
        "Request": {
            "type": "object",
            "properties": {"id": {"type": "integer", "x-bits": 64}, "n": {"type": "integer"}, "x": {"type": "number"}},
        },
        "Response": {"type": "object", "properties": {"id": {"type": "integer", "x-bits": 64}}},
    }
    merged = schemas.merge([schemas.Document("one", "Core", definitions)])
    assert set(merged) == {*definitions, "Request/sending"}
    sent = merged["Request/sending"]["properties"]
    assert (sent["n"]["minimum"], sent["n"]["maximum"]) == (-(2**31), 2**31 - 1)
    assert "maximum" not in sent["id"]
    assert "maximum" not in sent["x"]


def test_documents_are_plain_draft_4() -> None:
    for file in (resources.files("ocpp16.share") / "message_schemas").iterdir():
        if file.name.endswith(".json"):
            jsonschema.Draft4Validator.check_schema(json.loads(file.read_text(encoding="utf-8")))


def test_what_is_left_of_a_schema_that_is_gone_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = import_module(f"{CODEGEN}.outputs")
    folder = tmp_path / "messages"
    texts = {folder / "core.py": "# generated by ocpp16/_core/codegen, do not edit\n", folder / "new.py": ""}
    monkeypatch.setattr(outputs, "outputs", lambda root, *, built: texts)
    assert outputs.stale(tmp_path) == list(texts)
    folder.mkdir()
    gone = folder / "gone.py"
    gone.write_text(texts[folder / "core.py"])
    (folder / "by_hand.py").write_text("")
    assert outputs.stale(tmp_path) == [*texts, gone]
    assert outputs.write(tmp_path, built=False) == [*texts, gone]
    assert sorted(path.name for path in folder.iterdir()) == ["by_hand.py", "core.py", "new.py"]
    assert outputs.stale(tmp_path) == []
