"""The configuration of one charge point: read, report, change.

Three layers: the defaults (shared by all), the main configuration (written by the integrator), the changes (overlay
of an earlier run, then what changed at run time). An object holds only what differs from the layer below it, so
that ten thousand of them are cheap. Everything is synchronous and in memory: callers persist a `Change`, announce
it and act on it.

Where this differs from other charge point software (docs/configuration.md has the whole list):

- booleans and integers are strict; lists are trimmed and checked against SupportedMeasurands and the `*MaxLength` keys;
- key names are compared without regard to case, answers have the canonical spelling;
- a request that names more than GetConfigurationMaxKeys keys is answered for the first that many; the rest is neither
  found nor unknown. A full read is never cut;
- a value of more than 500 characters never breaks the answer: lists lose items at the end, texts are cut, JSON
  objects are reported without value.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self, TypedDict, TypeVar

from ocpp16.enums import ConfigurationStatus
from ocpp16.state import key_families
from ocpp16.state.configuration_file import difference
from ocpp16.state.configuration_loading import ABSENT, Loaded, load, parsed, value_of
from ocpp16.state.configuration_rules import violations
from ocpp16.state.configuration_values import AuthorizationKey
from ocpp16.state.custom_keys import CUSTOM, CustomKeys, section_of
from ocpp16.state.key import WIRE_TEXT_LIMIT, Access, Change, Key, Known
from ocpp16.state.keys import BY_NAME, SECTIONS
from ocpp16.state.keys.core import GET_CONFIGURATION_MAX_KEYS, NUMBER_OF_CONNECTORS, SUPPORTED_FEATURE_PROFILES
from ocpp16.state.keys.internal import AUTHORIZE_CONNECTOR_ZERO_ON_CONNECTOR_ONE, KEY_ACCESS
from ocpp16.state.keys.security import AUTHORIZATION_KEY, AUTHORIZATION_KEY_FORM, SECURITY_PROFILE

__all__ = ["Access", "Change", "Configuration", "Key", "KeyValue"]

T = TypeVar("T")

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_NOT_FEATURES: Final = frozenset({"Internal", "Security", CUSTOM})
_SHORTEST_GOOD_KEY: Final = 16

_UNKNOWN: Final = Change(ConfigurationStatus.NOT_SUPPORTED, reason="unknown key")


class _KeyValueName(TypedDict):
    key: str
    readonly: bool


class KeyValue(_KeyValueName, total=False):
    """OCPP 1.6 ed. 2 §7.29, as on the wire. Without `value`: known but without one, or too long for the wire."""

    value: str


class Configuration:
    """Values of one charge point. Not thread-safe; `config[KEY]` has the type of the key."""

    __slots__ = (
        "_built",
        "_changed",
        "_custom",
        "_main",
        "_main_sections",
        "_overlaid",
        "_schema",
        "_sections",
        "warnings",
    )

    def __init__(self, loaded: Loaded, schema: CustomKeys) -> None:
        """For `load`."""
        self._main = loaded.main
        self._changed = loaded.overlay
        self._overlaid = frozenset(loaded.overlay)
        self._custom = loaded.custom or _NOTHING
        self._main_sections = loaded.main_sections
        self._sections = loaded.sections
        self._schema = schema
        self._built: frozenset[str] | None = None
        self.warnings: list[str] = loaded.warnings

    @classmethod
    def load(
        cls,
        document: Mapping[str, Any],
        *,
        overlay: Mapping[str, Any] = _NOTHING,
        share_path: str | Path | None = None,
        custom: CustomKeys | None = None,
    ) -> Self:
        """Check and take a configuration.

        - `document`: main configuration, section -> key -> native JSON value. It is not changed nor kept.
        - `overlay`: JSON Merge Patch of it (RFC 7396), secrets included. Bad entries are ignored, see `warnings`.
        - `share_path`: share folder whose `profile_schemas/Custom.json`, if any, describes the section Custom;
          None: the one of the package. Whoever loads many configurations gives the result of `CustomKeys.load` as
          `custom` instead.

        ConfigurationError names every problem of `document` with section, key, value and reason.
        """
        schema = custom if custom is not None else CustomKeys.load(share_path)
        made = cls(load(document, overlay, schema), schema)
        made._warn_of_values()
        return made

    def __repr__(self) -> str:
        return f"<Configuration of {self._main.get(BY_NAME['chargepointid'])!r}>"

    # --- reading

    def __getitem__(self, key: Key[T]) -> T:
        """The value in force, else the default or fallback of the key."""
        value: T = value_of(key, self._main, self._changed)
        return value

    def lookup(self, name: str) -> Key[Any] | None:
        """The key of that name in any case, whatever its access.

        MeterPublicKey<n> and DefaultPriceText,<language> give the key that holds them all.
        """
        key = BY_NAME.get(name.lower()) or self._custom.get(name.lower())
        if key is None:
            key = next((family.key for family in key_families.FAMILIES if family.matches(name)), None)
        return key

    def is_present(self, key: Key[Any]) -> bool:
        """Whether the key exists here: it has a value or a default, and its feature is on. Access does not matter."""
        return self._is_known(key) and self._has_value(key)

    def access(self, key: Key[Any]) -> Access:
        """What the Central System may do with it in this deployment (key KeyAccess)."""
        replaced = self[KEY_ACCESS].get(key.name)
        if replaced is None or (key.is_secret and replaced in (Access.RO, Access.RW)):
            return key.access
        return Access(replaced)

    def origin(self, name: str) -> str:
        """Where the value in force comes from: "default", "main", "overlay" of an earlier run, or "runtime".

        It is "default" also when the main configuration gives the same value. KeyError for an unknown name.
        """
        key = self.lookup(name)
        if key is None:
            raise KeyError(name)
        if key in self._changed:
            return "overlay" if key in self._overlaid else "runtime"
        return "main" if key in self._main else "default"

    def report(self, names: Sequence[str] | None = None) -> tuple[list[KeyValue], list[str]]:
        """GetConfiguration (OCPP 1.6 ed. 2 §5.8): key values and unknown names. No names: all keys, section by section.

        Found keys are in the order of the request, repeats included. See the head of the module for limits.
        """
        if not names:
            return list(self._all()), []
        found: list[KeyValue] = []
        unknown: list[str] = []
        for name in names[: self[GET_CONFIGURATION_MAX_KEYS] or None]:
            row = self._row(name)
            if row is None:
                unknown.append(name)
            else:
                found.append(row)
        return found, unknown

    @property
    def active_profiles(self) -> tuple[str, ...]:
        """What SupportedFeatureProfiles lists and the charge point was built with, in the order listed."""
        return tuple(name for name in self[SUPPORTED_FEATURE_PROFILES] if self._is_built(name))

    @property
    def built_profiles(self) -> frozenset[str] | None:
        """Names of the feature profiles (also PnC, CostAndPrice) that the charge point was built with; None: all."""
        return self._built

    @built_profiles.setter
    def built_profiles(self, names: frozenset[str] | None) -> None:
        self._built = None if names is None else frozenset(names)
        wanted = [*self[SUPPORTED_FEATURE_PROFILES], *self._sections]
        for name in dict.fromkeys(wanted):
            if not self._is_built(name):
                self._warn(f"Core.SupportedFeatureProfiles: {name} is configured but not built; it is not reported")

    # --- changing

    def change(self, name: str, text: str) -> Change:
        """ChangeConfiguration (OCPP 1.6 ed. 2 §5.3): memory changes if the answer is Accepted or RebootRequired.

        A key that is absent, or unknown, or hidden is NotSupported; a read-only key or a bad value is Rejected.
        What needs certificates or the clock (SecurityProfile 2 and 3, times in the future) is for the caller to
        check before.
        """
        key, entry = self._addressed(name)
        access = Access.HIDDEN if key is None else self.access(key)
        if key is None or access is Access.HIDDEN or not self._is_known(key):
            return _UNKNOWN
        may_create = key.is_creatable or access is Access.WO or entry is not None
        if not self._has_value(key) and not may_create:
            return Change(ConfigurationStatus.NOT_SUPPORTED, key, key.name, reason="not configured")
        wire_name = key.name if entry is None else entry.name
        if access is Access.RO:
            return Change(ConfigurationStatus.REJECTED, key, wire_name, reason="read-only")
        try:
            if len(text) > WIRE_TEXT_LIMIT:
                raise ValueError(f"has {len(text)} characters, at most {WIRE_TEXT_LIMIT} are allowed")
            if entry is None:
                value = self._parse_text(key, text)
            else:
                value = key.parse_json(entry.family.replaced(entry, text, self.__getitem__))
            if key.rises and value <= self[key]:
                raise ValueError(f"must be above {self[key]}")
            if key is SECURITY_PROFILE and value in (1, 2) and self[AUTHORIZATION_KEY] is None:
                raise ValueError("needs an AuthorizationKey")
            return self._store(key, value, wire_name)
        except ValueError as reason:
            return Change(ConfigurationStatus.REJECTED, key, wire_name, reason=str(reason))

    def set(self, key: Key[T], value: T) -> Change:
        """Change a key for the host, whatever its access: checked like the file. None removes what was set before.

        Rejected with a reason if the value is not valid. A secret keeps its type: AuthorizationKey is bytes.
        """
        try:
            if value is None:
                if key in self._main or not key.is_optional:
                    raise ValueError("has a value in the main configuration and cannot be removed")
                return self.reset(key)
            return self._store(key, parsed(key, key.to_json(value), self[AUTHORIZATION_KEY_FORM]), key.name)
        except (ValueError, TypeError, AttributeError) as reason:
            return Change(ConfigurationStatus.REJECTED, key, key.name, reason="" if key.is_secret else str(reason))

    def reset(self, key: Key[Any]) -> Change:
        """Go back to the main configuration; the entry is to be removed from the overlay."""
        try:
            return self._store(key, self._main.get(key, ABSENT if key.is_optional else key.default), key.name)
        except ValueError as reason:
            return Change(ConfigurationStatus.REJECTED, key, key.name, reason=str(reason))

    @property
    def overrides(self) -> dict[str, Any]:
        """What differs from the main configuration, as an overlay for the next `load`. Without secrets."""
        result: dict[str, Any] = {name: {} for name in self._sections if name not in self._main_sections}
        result |= {name: None for name in self._main_sections if name not in self._sections}
        return self._overlay(result, is_secret=False)

    @property
    def secrets(self) -> dict[str, Any]:
        """The secrets that differ from the main configuration, in the same form. For the secret store only."""
        return self._overlay({}, is_secret=True)

    # --- inside

    def _addressed(self, name: str) -> tuple[Key[Any] | None, key_families.Entry | None]:
        """The key a name on the wire stands for, with its entry if it is one of many. The name of a family is none."""
        for family in key_families.FAMILIES:
            if family.matches(name):
                entry = family.find(name, self.__getitem__)
                return (family.key, entry) if entry is not None else (None, None)
        key = self.lookup(name)
        return (None if key in key_families.BY_KEY else key), None

    def _parse_text(self, key: Key[Any], text: str) -> Any:
        if key is AUTHORIZATION_KEY:
            return AuthorizationKey(self[AUTHORIZATION_KEY_FORM]).from_text(text)
        return key.parse_text(text)

    def _store(self, key: Key[Any], value: Any, wire_name: str) -> Change:
        """Put a checked value into memory, or leave all as it is and raise ValueError because a rule forbids it."""
        before = self._changed.get(key, self._main.get(key, _base(key)))
        is_unchanged = value is before or (value is not ABSENT and before is not ABSENT and value == before)
        if is_unchanged:
            return Change(ConfigurationStatus.ACCEPTED, key, wire_name, self._patch(key), is_unchanged=True)
        was = dict(self._changed)
        if value == self._main.get(key, _base(key)):
            self._changed.pop(key, None)
        else:
            self._changed[key] = value
        try:
            self._check_rules(key)
        except ValueError:
            self._changed = was
            raise
        self._overlaid -= {key}
        self._warn_of_length(key)
        status = ConfigurationStatus.REBOOT_REQUIRED if key.needs_reboot else ConfigurationStatus.ACCEPTED
        return Change(status, key, wire_name, self._patch(key))

    def _check_rules(self, key: Key[Any]) -> None:
        for violation in violations(self.__getitem__, (key,)):
            rule = violation.rule
            raise ValueError(violation.reason if rule.key is key else f"does not go with {rule.key.name}")
        if key.section == CUSTOM:
            self._schema.check_section(section_of(self._custom.values(), self.__getitem__))

    def _patch(self, key: Key[Any]) -> Any:
        """What the overlay has to hold for a key; None: nothing, or null, which removes the value of the main file."""
        value = self._changed.get(key, ABSENT)
        if value is ABSENT:
            return None
        main = key.to_json(self._main[key]) if key in self._main else None
        return difference(main, key.to_json(value))

    def _overlay(self, result: dict[str, Any], *, is_secret: bool) -> dict[str, Any]:
        for key in self._changed:
            # A section that is removed as a whole is null; there is nothing to say of its keys.
            if key.is_secret == is_secret and result.get(key.section, ABSENT) is not None:
                result.setdefault(key.section, {})[key.name] = self._patch(key)
        return result

    def _has_value(self, key: Key[Any]) -> bool:
        value = self._changed.get(key, self._main.get(key, _base(key)))
        return (not key.is_optional) if value is ABSENT else True

    def _is_known(self, key: Key[Any]) -> bool:
        if key.section == CUSTOM:
            return True
        known = SECTIONS[key.section].known
        if known is Known.PROFILE:
            return key.section in self[SUPPORTED_FEATURE_PROFILES] and self._is_built(key.section)
        return known is Known.ALWAYS or (key.section in self._sections and self._is_built(key.section))

    def _is_built(self, profile: str) -> bool:
        return self._built is None or profile in self._built or profile in _NOT_FEATURES

    def _all(self) -> Iterator[KeyValue]:
        sections = [section.keys.values() for section in SECTIONS.values()]
        for keys in (*sections, sorted(self._custom.values(), key=lambda key: key.name)):
            for key in keys:
                if not self.is_present(key) or self.access(key) in (Access.WO, Access.HIDDEN):
                    continue
                family = key_families.BY_KEY.get(key)
                if family is None:
                    yield self._key_value(key, key.name, self._text(key))
                else:
                    for entry in family.entries(self.__getitem__):
                        yield self._key_value(key, entry.name, entry.text)

    def _row(self, name: str) -> KeyValue | None:
        key, entry = self._addressed(name)
        if key is None or not self._is_known(key) or self.access(key) in (Access.WO, Access.HIDDEN):
            return None
        if entry is not None:
            return self._key_value(key, entry.name, entry.text)
        if self._has_value(key):
            return self._key_value(key, key.name, self._text(key))
        return self._key_value(key, key.name, None) if key.is_creatable else None

    def _key_value(self, key: Key[Any], name: str, text: str | None) -> KeyValue:
        row: KeyValue = {"key": name, "readonly": self.access(key) is Access.RO}
        if text is not None:
            row["value"] = text
        return row

    def _text(self, key: Key[Any]) -> str | None:
        value = self[key]
        if key is SUPPORTED_FEATURE_PROFILES:
            value = self.active_profiles
        elif key is AUTHORIZE_CONNECTOR_ZERO_ON_CONNECTOR_ONE:
            value = value and self[NUMBER_OF_CONNECTORS] == 1
        text = key.format(value)
        return text if len(text) <= WIRE_TEXT_LIMIT else key.kind.shortened(value, WIRE_TEXT_LIMIT)

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)

    def _warn_of_values(self) -> None:
        for key in (*self._main, *self._changed):
            self._warn_of_length(key)
        secret = self[AUTHORIZATION_KEY]
        if secret is None and self[SECURITY_PROFILE] in (1, 2):
            self._warn(f"Security.SecurityProfile: {self[SECURITY_PROFILE]} needs an AuthorizationKey, there is none")
        if secret is not None and len(secret) < _SHORTEST_GOOD_KEY:
            self._warn(
                f"Security.AuthorizationKey: has {len(secret)} bytes, the security white paper asks for 16 to 20"
            )

    def _warn_of_length(self, key: Key[Any]) -> None:
        value = self[key]
        if value is not None and key not in key_families.BY_KEY and len(key.format(value)) > WIRE_TEXT_LIMIT:
            self._warn(
                f"{key.section}.{key.name}: is longer than {WIRE_TEXT_LIMIT} characters; reported in part or not"
            )


def _base(key: Key[Any]) -> Any:
    """What there is without main configuration: the default, or nothing for an optional key."""
    return ABSENT if key.is_optional else key.default
