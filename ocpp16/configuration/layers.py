"""The values of one charge point in their layers, and which of them holds when.

From below: the defaults, shared by all; the main configuration; what was changed over it. Of a change there are three
stages, and a key is read in one of them only:

- *under way*: checked, and on its way to the disk (`changes.Prepared`); nobody reads it yet;
- *pending*: stored, in force after the next start, because the key needs a reboot. Until then every reader,
  GetConfiguration too, sees the value the charge point works with (OCPP 1.6 ed. 2 §7.22, RebootRequired);
- *in force*: what `layers[KEY]` gives.

What the overlay on disk holds is all three: a later change that is written must not undo an earlier one that waits.
Each layer holds only what differs from the one below it, so that ten thousand charge points are cheap.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeVar

from ocpp16.configuration import key_families
from ocpp16.configuration.custom_keys import CUSTOM, CustomKeys
from ocpp16.configuration.file import difference, is_same_json
from ocpp16.configuration.key import Access, Key, Known
from ocpp16.configuration.keys import BY_NAME, SECTIONS
from ocpp16.configuration.keys.core import SUPPORTED_FEATURE_PROFILES
from ocpp16.configuration.keys.internal import KEY_ACCESS
from ocpp16.configuration.loading import ABSENT, Loaded, Values, base

T = TypeVar("T")

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_NOTHING_PENDING: Final[Mapping[Key[Any], Any]] = MappingProxyType({})
_UNCHANGED: Final = object()
_UNCHANGED_AT_ALL: Final[Values] = {}
"""One for all, as most are: it is at hand where one of each charge point would be far away."""
_NONE: Final[frozenset[Any]] = frozenset()
"""One for all: an empty set costs as much as a full one of four."""
_NOT_FEATURES: Final = frozenset({"Internal", "Security", "SignedMeterValues", CUSTOM})


class UnderWay(Protocol):
    """A change on its way to the disk, as the layers know it; `changes.Prepared` is one."""

    @property
    def key(self) -> Key[Any]: ...

    @property
    def value(self) -> Any: ...

    def renew(self) -> bool:
        """Check it again, on what holds by now. Whether it is still accepted."""
        ...


class Layers:
    """For `Configuration`, which is what others hold. Not thread-safe; `layers[KEY]` has the type of the key.

    `main`, `changed`, `overlaid`, `pending`, `custom`, `schema`, `sections`, `main_sections` and `revision` are its
    layers, for the code that keeps them: hosts ask by key."""

    __slots__ = (
        "_built",
        "changed",
        "custom",
        "is_recorded",
        "main",
        "main_sections",
        "overlaid",
        "pending",
        "revision",
        "schema",
        "sections",
        "under_way",
    )

    def __init__(self, loaded: Loaded, schema: CustomKeys) -> None:
        self.main: Values = loaded.main
        self.changed: Values = loaded.overlay or _UNCHANGED_AT_ALL
        """Never changed itself: there is another one after each change."""
        self.overlaid: frozenset[Key[Any]] = frozenset(loaded.overlay) if loaded.overlay else _NONE
        """Keys whose change in force is of an earlier run."""
        self.pending: Mapping[Key[Any], Any] = _NOTHING_PENDING
        self.under_way: tuple[UnderWay, ...] = ()
        """In the order in which they go to the disk."""
        self.revision: int = 0
        """Rises with every change, so that a prepared one knows whether it still is what was checked."""
        self.custom: Mapping[str, Key[Any]] = loaded.custom or _NOTHING
        self.main_sections: tuple[str, ...] = loaded.main_sections
        self.sections: tuple[str, ...] = loaded.sections
        self.schema: CustomKeys = schema
        self._built: frozenset[str] | None = None
        self.is_recorded: bool = True
        """Is there a message log that LogMessages could switch off?"""

    # --- reading

    def __getitem__(self, key: Key[T]) -> T:
        """The value in force, else the default or fallback of the key."""
        # `loading.value_of`, at the price of what is asked for thirty times a transaction.
        value: Any = self.changed.get(key, _UNCHANGED)
        if value is _UNCHANGED:
            value = self.main.get(key, key.default)
        elif value is ABSENT:
            value = key.default
        found: T = value
        return found

    def wanted(self) -> Values:
        """What is over the main configuration after the next start, as far as anybody knows now."""
        values = dict(self.changed)
        for key, value in self.pending.items():
            self.put(values, key, value)
        for prepared in self.under_way:
            self.put(values, prepared.key, prepared.value)
        return values

    def put(self, values: Values, key: Key[Any], value: Any) -> None:
        """Into the layer `values`, which holds only what differs from the main configuration."""
        if is_same(key, value, self.main.get(key, base(key))):
            values.pop(key, None)
        else:
            values[key] = value

    # --- which keys there are

    def lookup(self, name: str) -> Key[Any] | None:
        """The key of that name in any case, whatever its access.

        MeterPublicKey<n> and DefaultPriceText,<language> give the key that holds them all.
        """
        key = BY_NAME.get(name.lower()) or self.custom.get(name.lower())
        if key is None:
            key = next((family.key for family in key_families.FAMILIES if family.matches(name)), None)
        return key

    def addressed(self, name: str, get: key_families.Get) -> tuple[Key[Any] | None, key_families.FamilyEntry | None]:
        """The key a name on the wire stands for, with its entry if it is one of many. The name of a family is none."""
        for family in key_families.FAMILIES:
            if family.matches(name):
                entry = family.find(name, get)
                return (family.key, entry) if entry is not None else (None, None)
        key = self.lookup(name)
        return (None if key in key_families.BY_KEY else key), None

    def access(self, key: Key[Any]) -> Access:
        """What the Central System may do with it in this deployment (key KeyAccess)."""
        replaced = self[KEY_ACCESS].get(key.name)
        if replaced is None or (key.is_secret and replaced in (Access.RO, Access.RW)):
            return key.access
        return Access(replaced)

    def is_known(self, key: Key[Any]) -> bool:
        """Whether the Central System may hear of it at all, with or without a value: not of what is not built."""
        if not key.is_built:
            return False
        if key.section == CUSTOM:
            return True
        known = SECTIONS[key.section].known
        if known is Known.PROFILE:
            return key.section in self[SUPPORTED_FEATURE_PROFILES] and self.is_built(key.section)
        return known is Known.ALWAYS or (key.section in self.sections and self.is_built(key.section))

    def is_built(self, profile: str) -> bool:
        """Is this feature profile there? Those that are none of SupportedFeatureProfiles always are."""
        return self._built is None or profile in self._built or profile in _NOT_FEATURES

    def has_value(self, key: Key[Any]) -> bool:
        """Has the key a value or a default?"""
        value = self.changed.get(key, self.main.get(key, base(key)))
        return (not key.is_optional) if value is ABSENT else True

    # --- what is stored

    def patch(self, key: Key[Any], values: Values) -> Any:
        """What the overlay has to hold for a key; None: nothing, or null, which removes the value of the main file."""
        value = values.get(key, ABSENT)
        if value is ABSENT:
            return None
        main = key.to_json(self.main[key]) if key in self.main else None
        return difference(main, key.to_json(value))

    def overlay(self, values: Values, *, is_secret: bool) -> dict[str, Any]:
        """The layer `values` as a JSON Merge Patch of the main configuration: its secrets, or all the rest."""
        result: dict[str, Any] = {}
        if not is_secret:
            result |= {name: {} for name in self.sections if name not in self.main_sections}
            result |= {name: None for name in self.main_sections if name not in self.sections}
        for key in values:
            # A section that is removed as a whole is null; there is nothing to say of its keys.
            if key.is_secret == is_secret and result.get(key.section, ABSENT) is not None:
                result.setdefault(key.section, {})[key.name] = self.patch(key, values)
        return result

    def all_keys(self) -> Iterator[Key[Any]]:
        """In the order GetConfiguration reports them."""
        for section in SECTIONS.values():
            yield from section.keys.values()
        yield from sorted(self.custom.values(), key=lambda key: key.name)


def is_same(key: Key[Any], one: Any, other: Any) -> bool:
    """Whether two values of a key are the same in a file, where 1 is not true."""
    if one is other:
        return True
    if one is ABSENT or other is ABSENT or one is None or other is None:
        return False
    return is_same_json(key.to_json(one), key.to_json(other))
