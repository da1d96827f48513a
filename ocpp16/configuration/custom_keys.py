"""The user's own configuration keys: section Custom of the configuration, and its optional schema Custom.json.

Without a schema every key of the section is text, readable and writable. With `profile_schemas/Custom.json` in the
share folder a declared key has the type and limits of its JSON Schema (draft-04 to draft-07); `readOnly` true makes
it read-only, `writeOnly` true write-only, and a `default` is reported when the configuration has no value. A key
the schema does not declare is text as before, or refused if the schema says `additionalProperties: false`.

`CustomKeys` is immutable and may be shared by any number of configurations. fastjsonschema is imported only when
there is a schema.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from inspect import iscoroutinefunction
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

from ocpp16.configuration.documents import Document, FreeText, check_json, compact_json, native_of
from ocpp16.configuration.file import read_json_object
from ocpp16.configuration.key import WIRE_NAME_LIMIT, Access, Key
from ocpp16.configuration.values import Boolean, Integer, Number, Text, ValueKind
from ocpp16.errors import ConfigurationError
from ocpp16.faults import obey_exit, sentence, text_of
from ocpp16.spelling import did_you_mean
from ocpp16.texts import shown

CUSTOM: Final = "Custom"

Validate = Callable[[Any], None]
"""Raises ValueError with the reason."""
_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Checked(ValueKind):
    """A kind plus the limits a JSON Schema puts on the native form."""

    kind: Any
    validate: Validate

    def from_json(self, native: object) -> Any:
        self.validate(native)
        return self.kind.from_json(native)

    def to_json(self, value: Any) -> Any:
        return self.kind.to_json(value)

    def from_text(self, text: str) -> Any:
        return self.from_json(self.kind.to_json(self.kind.from_text(text)))

    def to_text(self, value: Any) -> str:
        text: str = self.kind.to_text(value)
        return text

    def shortened(self, value: Any, limit: int) -> str | None:
        text: str | None = self.kind.shortened(value, limit)
        return text


@dataclass(frozen=True, slots=True)
class AnyJson(ValueKind):
    """Whatever JSON there is, for arrays and for keys declared with several types; on the wire its JSON text."""

    def from_json(self, native: object) -> Any:
        check_json(native)
        return deepcopy(native)

    def from_text(self, text: str) -> Any:
        return self.from_json(native_of(text))

    def to_text(self, value: Any) -> str:
        return compact_json(value)

    def shortened(self, value: Any, limit: int) -> None:
        return


_KINDS: Final[Mapping[str, ValueKind]] = {
    "boolean": Boolean(),
    "integer": Integer(),
    "number": Number(),
    "string": Text(),
    "object": Document({}),
}


class CustomKeys:
    """The keys that Custom.json declares, and its check of the section as a whole."""

    __slots__ = ("_checks", "_validate", "declared", "is_open")

    def __init__(
        self, schema: Mapping[str, Any] | None = None, *, checks: Mapping[str, Callable[[Any], object]] = _NONE
    ) -> None:
        """`schema`: the JSON Schema of the section; None: there is none. `checks`: by the exact name of a key, a
        function of the host that is given a value in its native form, of the right type and within its limits, and
        raises ValueError with the reason if it is not to be taken; whatever else it raises counts as that. It is called
        for the file, for what was changed in earlier runs, and in the middle of each change: it must return at once.

        Raises ConfigurationError if the schema is not usable, or a check is no function, or of a key that a schema does
        not declare.
        """
        self.declared: Mapping[str, Key[Any]] = {}
        self.is_open: bool = True
        self._validate: Validate | None = None
        self._checks = dict(checks)
        wrong = [shown(name) for name, check in checks.items() if not callable(check) or iscoroutinefunction(check)]
        if wrong:
            raise ConfigurationError([f"checks: {name}: must be a function that is not async" for name in wrong])
        if schema is None:
            return
        try:
            self._validate = _compiled(schema)
            self.declared = {
                name: _row(name, row, schema, self._checks.get(name))
                for name, row in schema.get("properties", {}).items()
            }
        except (AttributeError, TypeError, ValueError) as reason:
            raise ConfigurationError([f"Custom.json: {shown(reason)}"]) from reason
        twins = [name for name in self.declared if [one.lower() for one in self.declared].count(name.lower()) > 1]
        if twins:
            raise ConfigurationError(
                [f"Custom.json: {shown(twins[0])}: differs from another in upper and lower case only"]
            )
        self.is_open = schema.get("additionalProperties", True) is not False
        stray = [name for name in checks if name not in self.declared]
        if stray:
            raise ConfigurationError(
                [f"checks: {shown(name)}: is not declared{did_you_mean(name, self.declared)}" for name in stray]
            )

    @classmethod
    def load(cls, share_path: str | Path | None = None, *, schema_path: str | Path | None = None) -> Self:
        """Read the schema, if there is one; ConfigurationError if it is not usable.

        schema_path: the file itself, which must be there. share_path: otherwise `profile_schemas/Custom.json` below
        this folder; None: below the share folder of the package.
        """
        if schema_path is not None:
            return cls(read_json_object(schema_path))
        if share_path is None:
            return cls._packaged()
        return cls._of(Path(share_path))

    @classmethod
    @cache
    def _packaged(cls) -> Self:
        """Of the package's share folder, which does not change: once for all charge points."""
        return cls._of(_packaged_share())

    @classmethod
    def _of(cls, folder: Traversable | None) -> Self:
        file = folder.joinpath("profile_schemas", "Custom.json") if folder is not None else None
        if file is None or not file.is_file():
            return cls()
        return cls(read_json_object(file))

    def key(self, name: str) -> Key[Any] | None:
        """The key of that exact name: declared, or text; None if the schema does not allow it."""
        if name in self.declared:
            return self.declared[name]
        if not self.is_open:
            return None
        kind: Any = FreeText()
        if name in self._checks:
            kind = Checked(kind, _of_the_host(self._checks[name]))
        return Key(name, CUSTOM, kind, is_optional=True)

    def check_section(self, section: Mapping[str, Any]) -> None:
        """Check all native values together. ValueError with the reason."""
        if self._validate is not None:
            self._validate(dict(section))


def name_fault(name: str) -> str:
    """Why this cannot be the name of a key on the wire (OCPP 1.6 ed. 2 §7.29, CiString50); "" if it can."""
    if not name or not name.isprintable() or name != name.strip():
        return "is no name: it must be printable, without blanks at the ends"
    return f"has {len(name)} characters, a key name may have {WIRE_NAME_LIMIT}" if len(name) > WIRE_NAME_LIMIT else ""


def section_of(keys: Iterable[Key[Any]], get: Callable[[Key[Any]], Any]) -> dict[str, Any]:
    """Native form of the section Custom: the keys that have a value or a default."""
    values = ((key, get(key)) for key in keys)
    return {key.name: key.to_json(value) for key, value in values if value is not None}


@cache
def _packaged_share() -> Traversable | None:
    try:
        return files("ocpp16.share")
    except ModuleNotFoundError:
        return None


def _row(
    name: str, schema: Mapping[str, Any], whole: Mapping[str, Any], check: Callable[[Any], object] | None
) -> Key[Any]:
    if not isinstance(schema, Mapping):
        raise ValueError(f"{name}: must be an object")
    if name_fault(name):
        raise ValueError(f"{name}: {name_fault(name)}")
    declared = schema.get("type")
    kind: ValueKind = _KINDS.get(declared, AnyJson()) if isinstance(declared, str) else AnyJson()
    # References of the form #/definitions/… must still lead somewhere when the property is compiled on its own.
    shared = {part: whole[part] for part in ("$schema", "definitions", "$defs") if part in whole}
    access = Access.RO if schema.get("readOnly") is True else Access.RW
    if schema.get("writeOnly") is True:
        access = Access.WO
    by_schema = _compiled({**shared, **schema})
    checked = Checked(
        kind, by_schema if check is None else _both(by_schema, _of_the_host(check, is_secret=access is Access.WO))
    )
    default = checked.from_json(schema["default"]) if "default" in schema else None
    return Key(
        name,
        CUSTOM,
        checked,
        default,
        access,
        is_optional="default" not in schema,
        is_secret=access is Access.WO,
        description=str(schema.get("description", "")),
    )


def _of_the_host(check: Callable[[Any], object], *, is_secret: bool = False) -> Validate:
    """`is_secret`: the host's own words may have the value in them."""

    def validate(native: Any) -> None:
        try:
            check(deepcopy(native))
        except BaseException as error:
            obey_exit(error)
            if is_secret:
                raise ValueError("is refused by its check") from None
            reason = shown(text_of(error)) if issubclass(type(error), ValueError) else sentence(error)
            raise ValueError(f"is refused: {reason}") from None

    return validate


def _both(first: Validate, second: Validate) -> Validate:
    def validate(native: Any) -> None:
        first(native)
        second(native)

    return validate


def _compiled(schema: Mapping[str, Any]) -> Validate:
    import fastjsonschema

    try:
        # The library fills defaults into what it checks unless told not to; it must not touch our values.
        check = fastjsonschema.compile(json.loads(json.dumps(schema)), use_default=False)
    except (fastjsonschema.JsonSchemaDefinitionException, RecursionError) as reason:
        raise ValueError(f"is not a usable JSON Schema: {reason}") from reason

    def validate(native: Any) -> None:
        try:
            check(native)
        except fastjsonschema.JsonSchemaValueException as violation:
            # Its own message may quote the value, which may be a secret.
            raise ValueError(f"does not fit {violation.rule} = {violation.rule_definition}") from None
        except (ArithmeticError, RecursionError, TypeError) as reason:  # as 1e400 of multipleOf
            raise ValueError("cannot be checked against its schema") from reason

    return validate
