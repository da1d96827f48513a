"""EVerest's interface and type files, as judges of what crosses: arguments, results and variables.

They are EVerest's own data, and not part of this project: found in the folder that OCPP16_EVEREST names, else beside
the project, in shared/reference/everest. Where they are not, what needs them is skipped.
"""

import os
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PLACES = (os.environ.get("OCPP16_EVEREST"), ROOT.parent / "shared/reference/everest")


def folder() -> Path | None:
    for place in PLACES:
        if place and (Path(place) / "interfaces").is_dir():
            return Path(place)
    return None


needs_interfaces = pytest.mark.skipif(
    folder() is None, reason="EVerest's interfaces/ and types/ are not here: OCPP16_EVEREST names their folder"
)


class Violation(AssertionError):
    """What crossed is not what the files say."""


class Interfaces:
    def __init__(self, place: Path) -> None:
        self._definitions: dict[str, Any] = {}
        for path in sorted((place / "types").glob("*.yaml")):
            for name, definition in _read(path)["types"].items():
                self._definitions[f"{path.stem}.{name}"] = _rewritten(definition)
        self.interfaces = {path.stem: _read(path) for path in sorted((place / "interfaces").glob("*.yaml"))}
        self._validators: dict[str, Any] = {}

    def commands(self, interface: str) -> Mapping[str, Any]:
        return self.interfaces[interface].get("cmds") or {}

    def variables(self, interface: str) -> Mapping[str, Any]:
        return self.interfaces[interface].get("vars") or {}

    def check_arguments(self, interface: str, command: str, value: Any) -> None:
        arguments = self._command(interface, command).get("arguments") or {}
        schema = {
            "type": "object",
            "properties": arguments,
            "required": list(arguments),
            "additionalProperties": False,
        }
        self._check(f"{interface}.{command} arguments", schema, value)

    def check_result(self, interface: str, command: str, value: Any) -> None:
        result = self._command(interface, command).get("result")
        if result is None:
            if value is not None:
                raise Violation(f"{interface}.{command} has no result, and gives {value!r}")
            return
        self._check(f"{interface}.{command} result", result, value)

    def check_variable(self, interface: str, variable: str, value: Any) -> None:
        if variable not in self.variables(interface):
            raise Violation(f"{interface} has no variable {variable}")
        self._check(f"{interface}.{variable}", self.variables(interface)[variable], value)

    def _command(self, interface: str, command: str) -> Mapping[str, Any]:
        if command not in self.commands(interface):
            raise Violation(f"{interface} has no command {command}")
        found: Mapping[str, Any] = self.commands(interface)[command]
        return found

    def _check(self, name: str, schema: Any, value: Any) -> None:
        if name not in self._validators:
            whole = {**_rewritten(schema), "$defs": self._definitions}
            self._validators[name] = jsonschema.Draft202012Validator(whole, format_checker=_FORMATS)
        problems = sorted(self._validators[name].iter_errors(value), key=str)
        if problems:
            raise Violation(f"{name}: {problems[0].json_path}: {problems[0].message}")


def _read(path: Path) -> Any:
    return yaml.load(path.read_text(), yaml.CSafeLoader)


def _rewritten(schema: Any) -> Any:
    """References as JSON Schema has them. What stands beside one is left out: of an enumeration the files call it an
    object."""
    if isinstance(schema, list):
        return [_rewritten(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(schema.get("$ref"), str) and schema["$ref"].startswith("/"):
        file, _, name = schema["$ref"].removeprefix("/").partition("#/")
        return {"$ref": f"#/$defs/{file}.{name}"}
    return {name: _rewritten(one) for name, one in schema.items() if name != "description" or isinstance(one, dict)}


_FORMATS = jsonschema.FormatChecker(formats=())


def _is_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


_FORMATS.checks("date-time", raises=ValueError)(_is_time)


@cache
def interfaces() -> Interfaces:
    place = folder()
    assert place is not None
    return Interfaces(place)
