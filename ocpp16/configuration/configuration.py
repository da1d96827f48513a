"""The configuration of one charge point: read, report, change.

Values lie in layers: the defaults, the main configuration (written by the integrator), the changes (overlay of an
earlier run, then what changed at run time); `layers` says which holds when. Everything is synchronous and
in memory. Whoever has a disk prepares a change, writes it and then applies it; `change`, `set` and `reset` are both
steps at once.

Where this differs from other charge point software (docs/configuration.md has the whole list):

- booleans and integers are strict; lists are trimmed and checked against SupportedMeasurands and the `*MaxLength` keys;
- what needs a reboot is not in force before it, for no reader and no rule between keys;
- key names are compared without regard to case.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from sys import intern
from types import MappingProxyType
from typing import Any, Final, Self, TypeVar

from ocpp16.configuration import key_families
from ocpp16.configuration.changes import Prepared, prepare_change, prepare_reset, prepare_set
from ocpp16.configuration.custom_keys import CustomKeys
from ocpp16.configuration.key import WIRE_TEXT_LIMIT, Access, Change, Key
from ocpp16.configuration.keys import BY_NAME
from ocpp16.configuration.keys.core import SUPPORTED_FEATURE_PROFILES
from ocpp16.configuration.keys.security import AUTHORIZATION_KEY
from ocpp16.configuration.layers import Layers
from ocpp16.configuration.loading import Loaded, Values, load
from ocpp16.configuration.report import KeyValue, report, text_on_the_wire
from ocpp16.configuration.rules import RULES_OF_THE_WHOLE, broken

__all__ = ["Access", "Change", "Configuration", "Key", "KeyValue", "Prepared"]

T = TypeVar("T")

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_NO_NAMES: Final[frozenset[str]] = frozenset()
_SHORTEST_GOOD_KEY: Final = 16


class Configuration(Layers):
    """Values of one charge point. Not thread-safe; `config[KEY]` has the type of the key."""

    __slots__ = ("warnings",)

    changed: Values
    overlaid: frozenset[Key[Any]]
    pending: Mapping[Key[Any], Any]
    revision: int

    def __init__(self, loaded: Loaded, schema: CustomKeys) -> None:
        """For `load`."""
        super().__init__(loaded, schema)
        self.warnings: list[str] = loaded.warnings
        """What was ignored or is doubtful in what was loaded, a sentence each."""

    @classmethod
    def load(
        cls,
        document: Mapping[str, Any],
        *,
        overlay: Mapping[str, Any] = _NOTHING,
        share_path: str | Path | None = None,
        custom_schema_path: str | Path | None = None,
        custom: CustomKeys | None = None,
        is_complete: bool = True,
    ) -> Self:
        """Check and take a configuration.

        - `document`: main configuration, section -> key -> native JSON value. It is not changed nor kept.
        - `overlay`: JSON Merge Patch of it (RFC 7396), secrets included. Bad entries are ignored, see `warnings`.
        - `share_path`: share folder whose `profile_schemas/Custom.json`, if any, describes the section Custom;
          None: the one of the package. `custom_schema_path`: that schema in a file elsewhere. Whoever loads many
          configurations gives the result of `CustomKeys.load` as `custom` instead.
        - `is_complete`: False if more changes are still to come (see `with_changes`), so that what they may bring, as
          an AuthorizationKey, is not missed yet.

        ConfigurationError names every problem of `document` (of more than 200 the first) with section, key, value and
        reason.
        """
        schema = custom if custom is not None else CustomKeys.load(share_path, schema_path=custom_schema_path)
        made = cls(load(document, overlay, schema, is_complete=is_complete), schema)
        made._warn_of_values()
        return made

    def with_changes(self, overlay: Mapping[str, Any]) -> Self:
        """A configuration of its own: this one, changed by an `overlay` as `load` takes it, over what was changed here.

        For changes that lie elsewhere than the main configuration, as those of earlier runs in a database. Raises
        ConfigurationError if this one lacks something that the overlay does not bring either.
        """
        is_same = overlay == {} and not (self.changed or self.pending)
        if is_same and next(broken(self.__getitem__, RULES_OF_THE_WHOLE), None) is None:
            return self.after_reboot()
        main: dict[str, Any] = {name: {} for name in self.main_sections}
        for key, value in self.main.items():
            main.setdefault(key.section, {})[key.name] = key.to_json(value)
        patch = self.overrides
        for section, keys in self.secrets.items():
            patch[section] = {**(patch.get(section) or {}), **keys}
        if isinstance(overlay, Mapping):
            for section, keys in overlay.items():
                both = isinstance(keys, Mapping) and isinstance(patch.get(section), Mapping)
                patch[section] = {**patch[section], **keys} if both else keys
        made = type(self)(load(main, patch, self.schema), self.schema)
        made._warn_of_values()
        made._built = self._built
        made.warnings[:0] = [text for text in self.warnings if text not in made.warnings]
        return made

    def __repr__(self) -> str:
        return f"<Configuration of {self.main.get(BY_NAME['chargepointid'])!r}>"

    # --- reading

    @property
    def secret_names(self) -> frozenset[str]:
        """Of the host's own keys those that are secrets (`writeOnly` in the schema of Custom), in lower case."""
        return frozenset(name for name, key in self.custom.items() if key.is_secret) if self.custom else _NO_NAMES

    def is_present(self, key: Key[Any]) -> bool:
        """Whether the key exists here: it has a value or a default, and its feature is on. Access does not matter."""
        return self.is_known(key) and self.has_value(key)

    def is_pending(self, key: Key[Any]) -> bool:
        """Whether another value than the one in force waits for the next start."""
        return key in self.pending

    def origin(self, name: str) -> str:
        """Where the value in force comes from: "default", "main", "overlay" of an earlier run, or "runtime".

        It is "default" also when the main configuration gives the same value. KeyError for an unknown name.
        """
        key = self.lookup(name)
        if key is None:
            raise KeyError(name)
        if key in self.changed:
            return "overlay" if key in self.overlaid else "runtime"
        return "main" if key in self.main else "default"

    def origins(self) -> dict[str, str]:
        """`origin` of every key that has not its default, secrets included, section by section."""
        return {key.name: origin for key in self.all_keys() if (origin := self.origin(key.name)) != "default"}

    def text(self, name: str) -> str | None:
        """The value in force as GetConfiguration would report it, by the name on the wire, whatever the access.

        None: there is no such key, it has no value, or it is a secret.
        """
        key, entry = self.addressed(name, self.__getitem__)
        if key is None or key.is_secret or not self.is_known(key) or (entry is None and not self.has_value(key)):
            return None
        return text_on_the_wire(self, key, entry, self.__getitem__)

    def report(self, names: Sequence[str] | None = None) -> tuple[list[KeyValue], list[str]]:
        """GetConfiguration (OCPP 1.6 ed. 2 §5.8): key values and unknown names. No names: all keys, section by section.

        Found keys are in the order of the request, repeats included. See `report` for limits.
        """
        return report(self, names)

    @property
    def built_profiles(self) -> frozenset[str] | None:
        """Names of the feature profiles (also PnC, CostAndPrice) that the charge point was built with; None: all."""
        return self._built

    @built_profiles.setter
    def built_profiles(self, names: frozenset[str] | None) -> None:
        self._built = None if names is None else frozenset(names)
        is_written = SUPPORTED_FEATURE_PROFILES in self.main or SUPPORTED_FEATURE_PROFILES in self.changed
        wanted = [*(self[SUPPORTED_FEATURE_PROFILES] if is_written else ()), *self.sections]
        unbuilt = [name for name in dict.fromkeys(wanted) if not self.is_built(name)]
        if unbuilt:
            self._warn(f"configured but not built, and not reported: {', '.join(unbuilt)}")

    # --- changing

    def prepare_change(self, name: str, text: str) -> Prepared:
        """ChangeConfiguration (OCPP 1.6 ed. 2 §5.3), checked; nothing is changed before its `apply`.

        A key that is absent, or unknown, or hidden is NotSupported; a read-only key or a bad value is Rejected; what
        differs from the value in force and needs a reboot is RebootRequired, also when it was asked for before.
        Whether a time lies in the future is for the caller to check.
        Raises ValueError if `name` or `text` is no text.
        """
        return prepare_change(self, name, text)

    def prepare_set(self, key: Key[T], value: T) -> Prepared:
        """A change by the host, whatever the access: checked like the file. None removes what was set before.

        Rejected with a reason if the value is not valid. A secret keeps its type: AuthorizationKey is bytes.
        """
        return prepare_set(self, key, value)

    def prepare_reset(self, key: Key[Any]) -> Prepared:
        """Back to the main configuration; the entry is to be removed from the overlay."""
        return prepare_reset(self, key)

    def change(self, name: str, text: str) -> Change:
        """`prepare_change` and `apply` at once, for those who have no disk."""
        return self._applied(prepare_change(self, name, text))

    def set(self, key: Key[T], value: T) -> Change:
        """`prepare_set` and `apply` at once, for those who have no disk."""
        return self._applied(prepare_set(self, key, value))

    def reset(self, key: Key[Any]) -> Change:
        """`prepare_reset` and `apply` at once, for those who have no disk."""
        return self._applied(prepare_reset(self, key))

    @property
    def overrides(self) -> dict[str, Any]:
        """What differs from the main configuration, as an overlay for the next `load`. Without secrets.

        What waits for a reboot and what is under way are in it.
        """
        return self.overlay(self.wanted(), is_secret=False)

    @property
    def secrets(self) -> dict[str, Any]:
        """The secrets that differ from the main configuration, in the same form. For the secret store only."""
        return self.overlay(self.wanted(), is_secret=True)

    def reboot(self) -> None:
        """Put into force what waits for a reboot. For the moment at which nothing runs that has read the old values."""
        changed = dict(self.changed)
        for key, value in self.pending.items():
            self.put(changed, key, value)
            self.overlaid -= {key}
            self._warn_of_length(key)
        if self.pending:
            self.changed, self.pending = changed, {}
            self.revision += 1

    def after_reboot(self) -> Self:
        """A configuration of its own with the same main configuration, in which what is pending is in force."""
        loaded = Loaded(
            self.main, dict(self.changed), self.custom, self.main_sections, self.sections, list(self.warnings)
        )
        made = type(self)(loaded, self.schema)
        made.overlaid, made._built, made.pending = self.overlaid, self._built, dict(self.pending)
        made.reboot()
        return made

    # --- inside

    def _applied(self, prepared: Prepared) -> Change:
        if prepared.change.is_accepted:
            prepared.apply()
            self._warn_of_length(prepared.key)
        return prepared.change

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(intern(text))  # the same for thousands of charge points in one process

    def _warn_of_values(self) -> None:
        for key in (*self.main, *self.changed):
            self._warn_of_length(key)
        secret = self[AUTHORIZATION_KEY]
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
