"""Reads the main configuration and its overlay into values, and says everything that is wrong with them.

The two are held to different standards. The main configuration was written by an integrator: every problem of it is
collected and nothing starts. The overlay was written by remote commands: an entry that is wrong, or no longer fits the
main configuration, is ignored with a warning, because a remote command must never be able to stop the next start.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from ocpp16.configuration import key_families
from ocpp16.configuration.custom_keys import CUSTOM, CustomKeys, name_fault, section_of
from ocpp16.configuration.documents import check_json, compact_json
from ocpp16.configuration.file import merged
from ocpp16.configuration.key import Access, Key, Known
from ocpp16.configuration.keys import BY_NAME, SECTIONS
from ocpp16.configuration.keys.internal import CHARGE_POINT_ID, KEY_ACCESS
from ocpp16.configuration.keys.security import AUTHORIZATION_KEY, AUTHORIZATION_KEY_FORM
from ocpp16.configuration.lists import TextList
from ocpp16.configuration.rules import RULES_OF_THE_WHOLE, Violation, broken, rules_of, violations
from ocpp16.configuration.values import AuthorizationKey
from ocpp16.errors import ConfigurationError
from ocpp16.spelling import did_you_mean
from ocpp16.texts import shown

ABSENT: Final = object()
"""Stands for a value of the main configuration that the overlay removes."""

_SHOWN: Final = 80
_MOST_TOLD: Final = 200
"""Problems, or warnings, of one load that are told; of a file of other things every line can be one."""

Values = dict[Key[Any], Any]
_REQUIRED: Final = tuple(key for section in SECTIONS.values() for key in section.keys.values() if key.is_required)

_OPTIONAL_SECTIONS: Final = tuple(section.name for section in SECTIONS.values() if section.known is Known.SECTION)
"""Those whose presence switches a feature on."""


class Loaded(NamedTuple):
    """`main`: what differs from the defaults. `overlay`: what differs from `main`, ABSENT where it removes."""

    main: Values
    overlay: Values
    custom: Mapping[str, Key[Any]]
    """Keys of the section Custom by name in lower case."""
    main_sections: tuple[str, ...]
    """Those the main configuration has of the sections whose presence switches a feature on."""
    sections: tuple[str, ...]
    """The same with the overlay."""
    warnings: list[str]


def value_of(key: Key[Any], main: Values, overlay: Values) -> Any:
    """Value in force, else the default or fallback."""
    value = overlay.get(key, ABSENT)
    if value is ABSENT:
        value = key.default if key in overlay else main.get(key, key.default)
    return value


def base(key: Key[Any]) -> Any:
    """What there is without main configuration: the default, or nothing for an optional key."""
    return ABSENT if key.is_optional else key.default


def parsed(key: Key[Any], native: Any, form: str) -> Any:
    """Value of a native form; for AuthorizationKey by the mode `form`. ValueError with the reason."""
    if key is AUTHORIZATION_KEY:
        return AuthorizationKey(form).from_json(native)
    if type(native) is str and isinstance(key.kind, TextList) and not key.is_secret:
        return _listed(key, native)
    return key.parse_json(native)


@lru_cache(maxsize=256)
def _listed(key: Key[Any], text: str) -> tuple[str, ...]:
    """The value of a list, one tuple for all charge points of a process that name the same."""
    value: tuple[str, ...] = key.parse_json(text)
    return value


def load(
    document: Mapping[str, Any], overlay: Mapping[str, Any], schema: CustomKeys, *, is_complete: bool = True
) -> Loaded:
    """Check both and parse them. ConfigurationError with all problems of `document`.

    Unless `is_complete`, more changes are still to come, and what they may bring is not missed.
    """
    return _Loading(schema, is_complete).run(document, overlay)


class _Findings(list[str]):
    """What was found, the first of it; a last text says that there was more."""

    @property
    def is_full(self) -> bool:
        return len(self) > _MOST_TOLD

    def append(self, text: str, /) -> None:
        if not self.is_full:
            super().append(text if len(self) < _MOST_TOLD else "and more that is not told")

    def extend(self, texts: Iterable[str], /) -> None:
        for text in texts:
            if self.is_full:
                break
            self.append(text)


class _Loading:
    """One load: what was read so far, and what was wrong with it."""

    def __init__(self, schema: CustomKeys, is_complete: bool) -> None:
        self.schema = schema
        self.is_complete = is_complete
        self.problems = _Findings()
        self.warnings = _Findings()
        self.main: Values = {}
        self.overlay: Values = {}
        self.unbuilt: dict[str, None] = {}
        self.custom: dict[str, Key[Any]] = {
            name.lower(): key for name, key in schema.declared.items() if not _is_taken(name)
        }

    def run(self, document: Any, overlay: Any) -> Loaded:
        if not isinstance(document, Mapping):
            raise ConfigurationError(["the configuration must be an object of sections"])
        self._read_main(document)
        for key in _REQUIRED:
            if key not in self.main and not _names(document, key):
                self.problems.append(f"{key.section}.{key.name}: is required and missing")
        main = self.main
        for violation in broken(lambda key: main.get(key, key.default), rules_of(main)):
            if violation.rule.is_of_the_whole and (not self.is_complete or _names(overlay, *violation.rule.keys)):
                continue
            (self.problems if violation.rule.is_firm else self.warnings).append(self._told(violation))
        if CUSTOM in document and not any(problem.startswith(f"{CUSTOM}.") for problem in self.problems):
            self._check_custom()
        self.problems.extend(access_faults(value_of(KEY_ACCESS, self.main, {}), self.custom))
        if self.problems:
            raise ConfigurationError(self.problems)
        if not isinstance(overlay, Mapping):
            self.warnings.append("overlay: must be an object of sections; ignored")
            overlay = {}
        if overlay:
            self._read_overlay(overlay, document)
            self._drop_what_does_not_fit()
            if self.is_complete:
                self.problems.extend(self._told(one) for one in broken(self._value, RULES_OF_THE_WHOLE))
        if self.problems:
            raise ConfigurationError(self.problems)
        if self.unbuilt:
            self.warnings.append(f"not built yet, so without effect and not reported: {', '.join(self.unbuilt)}")
        # Copied, because a dictionary that has grown keeps room for more than it holds.
        in_all, changed = dict(main), dict(self.overlay)
        in_main = tuple([name for name in _OPTIONAL_SECTIONS if name in document])
        in_force = tuple(
            name
            for name in _OPTIONAL_SECTIONS
            if isinstance(overlay.get(name), Mapping) or (name in in_main and overlay.get(name, ABSENT) is not None)
        )
        return Loaded(in_all, changed, self.custom, in_main, in_force, self.warnings)

    # --- main configuration

    def _read_main(self, document: Mapping[str, Any]) -> None:
        form = self._form(document)
        for name, members in document.items():
            if self.problems.is_full:
                break
            fault = _section_fault(name, members)
            if fault:
                self.problems.append(fault)
                continue
            for key, native in self._keys_of(name, members, self.problems):
                try:
                    value = parsed(key, native, form)
                except ValueError as reason:
                    self.problems.append(f"{name}.{key.name} = {_shown(key, native)}: {reason}")
                    continue
                if key.is_optional or value != key.default:
                    self.main[key] = value
                self._note(key, native)

    def _keys_of(self, name: str, members: Mapping[str, Any], faults: _Findings) -> Iterator[tuple[Key[Any], Any]]:
        """The defined keys of a section. What is not defined goes to `faults`, or is ignored where that is allowed."""
        for member, native in members.items():
            if name == CUSTOM:
                key = self._custom_key(member, faults)
            else:
                section = SECTIONS[name]
                key = section.keys.get(member)
                if key is None:
                    found = self.warnings if section.is_open else faults
                    if not found.is_full:  # a hint takes long to find
                        text = f"{name}.{shown(member)}: is not a key of this section{_hint(member, name)}"
                        found.append(f"{text}; ignored" if section.is_open else text)
            if key is not None:
                yield key, native

    def _custom_key(self, name: str, faults: _Findings) -> Key[Any] | None:
        if not isinstance(name, str) or name_fault(name):
            faults.append(f"{CUSTOM}.{shown(name)}: {name_fault(str(name)) or 'is no text'}")
            return None
        key = self.schema.key(name)
        twin = self.custom.get(name.lower())
        if key is None:
            if not faults.is_full:
                hint = did_you_mean(name, self.schema.declared) or "; Custom.json or CustomKeys declares keys"
                faults.append(f"{CUSTOM}.{name}: is not declared{hint}")
        elif _is_taken(name):
            self.warnings.append(f"{CUSTOM}.{name}: hidden by the key of the same name; ignored")
        elif twin is not None and twin.name != name:
            faults.append(f"{CUSTOM}.{name}: differs from {twin.name} in upper and lower case only")
        else:
            # One row for each key: the overlay must find the one the main configuration made.
            return self.custom.setdefault(name.lower(), key)
        return None

    def _check_custom(self) -> None:
        try:
            self.schema.check_section(section_of(self.custom.values(), self._value))
        except ValueError as reason:
            self.problems.append(f"{CUSTOM}: {reason}")

    # --- overlay

    def _read_overlay(self, overlay: Mapping[str, Any], document: Mapping[str, Any]) -> None:
        form = self._form(overlay if _names(overlay, AUTHORIZATION_KEY_FORM) else document)
        faults = _Findings()
        for name, members in overlay.items():
            is_removed = members is None and (name in SECTIONS or name == CUSTOM)
            fault = "" if is_removed else _section_fault(name, members)
            if fault:
                faults.append(fault)
                continue
            if is_removed:
                members = {key.name: None for key in self.main if key.section == name}
            for key, native in self._keys_of(name, members, faults):
                try:
                    self._patch(key, native, form)
                except ValueError as reason:
                    faults.append(f"{name}.{key.name} = {_shown(key, native)}: {reason}")
        self.warnings.extend(f"overlay: {fault}; ignored" for fault in faults)

    def _patch(self, key: Key[Any], native: Any, form: str) -> None:
        if native is None:
            if key.is_required:
                raise ValueError("is required and cannot be removed")
            if key in self.main:
                self.overlay[key] = ABSENT
            return
        if isinstance(native, Mapping):
            check_json(native)
            # Where the main configuration has no value (any more), what the patch removes is not there either.
            native = merged(self._native(key) if key in self.main else None, native)
        value = parsed(key, native, form)
        if key is KEY_ACCESS and (fault := next(access_faults(value, self.custom), "")):
            raise ValueError(fault)
        if value != self.main.get(key, ABSENT if key.is_optional else key.default):
            self.overlay[key] = value
        self._note(key, native)

    def _drop_what_does_not_fit(self) -> None:
        """Take back entries until the rules hold again, as far as the overlay is to blame."""
        blameless = set()
        while True:
            found = [one for one in violations(self._value) if one.rule not in blameless]
            found = [one for one in found if self.is_complete or not one.rule.is_of_the_whole]
            if not found:
                break
            rule, reason = found[0]
            culprit = next((key for key in rule.keys if key in self.overlay), None)
            if culprit is None:
                blameless.add(rule)
                continue
            del self.overlay[culprit]
            where = f"{culprit.section}.{culprit.name}"
            what = reason if culprit is rule.key else f"does not go with {rule.key.name}, which {reason}"
            self.warnings.append(f"overlay: {where}: {what}; ignored")
        changed = [key for key in self.overlay if key.section == CUSTOM]
        if changed:
            try:
                self.schema.check_section(section_of(self.custom.values(), self._value))
            except ValueError as reason:
                for key in changed:
                    del self.overlay[key]
                self.warnings.append(f"overlay: {CUSTOM}: {reason}; the entries of this section are ignored")

    # --- small change

    def _value(self, key: Key[Any]) -> Any:
        return value_of(key, self.main, self.overlay)

    def _native(self, key: Key[Any]) -> Any:
        return key.to_json(self.main.get(key, key.default))

    def _told(self, violation: Violation) -> str:
        key = violation.rule.key
        return f"{key.section}.{key.name} = {_shown(key, self._native(key))}: {violation.reason}"

    def _note(self, key: Key[Any], native: Any) -> None:
        """What is to be warned of although the value is right."""
        skipped = key.kind.skipped(native)
        if skipped:
            self.warnings.append(f"{key.section}.{key.name}: not known and left out: {shown(', '.join(skipped))}")
        if not key.is_built:
            self.unbuilt[f"{key.section}.{key.name}"] = None

    def _form(self, document: Mapping[str, Any]) -> str:
        section = document.get(AUTHORIZATION_KEY_FORM.section)
        form = section.get(AUTHORIZATION_KEY_FORM.name) if isinstance(section, Mapping) else None
        # A wrong one is a problem of that key; the other key then reads as by default.
        return "Text" if form == "Text" else "Hex"


def access_faults(access: Mapping[str, str], custom: Mapping[str, Key[Any]]) -> Iterator[str]:
    """What is wrong with a value of KeyAccess; `custom`: the keys of the section Custom by name in lower case."""
    for name, wanted in access.items():
        key = BY_NAME.get(name.lower()) or custom.get(name.lower())
        where = f"{KEY_ACCESS.section}.{KEY_ACCESS.name}.{shown(name)} = {wanted}"
        if key is None or key.name != name:
            yield f"{where}: there is no such key{did_you_mean(name, [one.name for one in BY_NAME.values()])}"
        elif key.is_secret and wanted in (Access.RO, Access.RW):
            yield f"{where}: a secret cannot be made readable"
        elif key is CHARGE_POINT_ID and wanted in (Access.RW, Access.WO):
            yield f"{where}: all that is stored goes by it, so it is chosen in the file"


def _names(document: Any, *keys: Key[Any]) -> bool:
    """Whether a document has one of the keys, whatever it says of it."""
    sections = [(document.get(key.section), key.name) for key in keys] if isinstance(document, Mapping) else []
    return any(isinstance(section, Mapping) and name in section for section, name in sections)


def _is_taken(name: str) -> bool:
    """Whether a key of ours has that name, so that one of the user's could never be reached."""
    return name.lower() in BY_NAME or any(family.matches(name) for family in key_families.FAMILIES)


def _section_fault(name: str, members: Any) -> str:
    if name not in SECTIONS and name != CUSTOM:
        if str(name).lower() in BY_NAME:
            key = BY_NAME[name.lower()]
            return f"{name}: is not a section but a key of section {key.section}"
        return f"{shown(name)}: is not a section{did_you_mean(name, [*SECTIONS, CUSTOM])}"
    return "" if isinstance(members, Mapping) else f"{name}: must be an object of keys"


def _hint(name: str, section: str) -> str:
    key = BY_NAME.get(str(name).lower())
    if key is None:
        return did_you_mean(name, [one.name for one in BY_NAME.values()])
    if key.section != section:
        return f"; {key.name} belongs into section {key.section}"
    return f"; it is spelt {key.name}"


def _shown(key: Key[Any], native: Any) -> str:
    """The value as a problem shows it; of a secret nothing."""
    if key.is_secret:
        return "(secret)"
    try:
        text = compact_json(key.kind.harmless(native))
    except ValueError:  # no JSON: only from a program that gives a mapping, or infinity
        text = str(native) if isinstance(native, float | str) else f"a value of type {type(native).__name__}"
    return shown(text, _SHOWN)
