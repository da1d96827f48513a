"""What is known about one configuration key, and what a change of it came to.

The rows are generated into `configuration.keys` from `share/profile_schemas`. A row drives reading the file, start-up
checks, ChangeConfiguration, GetConfiguration and the documentation, so the five cannot disagree. It knows nothing of
a particular charge point: values are in `Configuration`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from ocpp16.enums import ConfigurationStatus

T = TypeVar("T")

WIRE_TEXT_LIMIT: Final = 500
"""Longest value in ChangeConfiguration and GetConfiguration, in characters (OCPP 1.6 ed. 2 §7.29, CiString500)."""

WIRE_NAME_LIMIT: Final = 50
"""Longest key name on the wire, in characters (OCPP 1.6 ed. 2 §7.29, CiString50)."""


class Access(StrEnum):
    """What the Central System may do with a key. The host may read and set every key."""

    RO = "RO"
    """Reported; a change is Rejected."""
    RW = "RW"
    """Reported and changeable."""
    WO = "WO"
    """Changeable, but an unknown key to GetConfiguration."""
    HIDDEN = "HIDDEN"
    """An unknown key to both."""


class Known(StrEnum):
    """When the keys of a section exist for the Central System."""

    ALWAYS = "always"
    PROFILE = "profile"
    """When SupportedFeatureProfiles names the profile and the charge point was built with it."""
    SECTION = "section"
    """When the configuration has the section and the charge point was built with the feature."""


class ValueKind(Protocol):
    """How values of one kind are checked and written; see `values`.

    `from_text` must be `from_json` after a mere conversion of form, so that what ChangeConfiguration accepts always
    passes the check of the next start. Both raise ValueError with the reason, without the value.
    """

    def from_json(self, native: Any) -> Any: ...
    def to_json(self, value: Any) -> Any: ...
    def from_text(self, text: str) -> Any: ...
    def to_text(self, value: Any) -> str: ...
    def skipped(self, native: Any) -> tuple[str, ...]:
        """Items of a native value that `from_json` leaves out without an error."""
        ...

    def harmless(self, native: Any) -> Any:
        """A native value as it may be shown in a message, without what may be a secret."""
        ...

    def shortened(self, value: Any, limit: int) -> str | None:
        """Text of a value whose whole text is too long for the wire; None: better no text than a part."""
        ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Key(Generic[T]):
    """One configuration key. `T` is the type of its values in Python, with None if it may be absent without fallback.

    - `default`: value when the configuration has none. If `is_optional`, this is a fallback that is used but never
      reported; otherwise it is reported.
    - `is_creatable`: optional, but ChangeConfiguration may set it although it is absent.
    - `needs_reboot`: takes effect with the next start; an accepted change is answered RebootRequired.
    - `rises`: over OCPP the value can only become greater.
    - `is_built`: false where nobody acts on the value yet. It may stand in a file, but does not exist for the Central
      System.
    - `reader`: who acts on the value: "host", "configuration" (its own checks), or "" for the rest of the library.
    - `subset_of`, `limited_by`: names of the keys that hold the items allowed and the most items.
    """

    name: str
    """As ChangeConfiguration and the configuration file have it."""
    section: str
    """Of the configuration file: Core, Internal, …; Custom for keys of the host."""
    kind: ValueKind
    default: T | None = None
    access: Access = Access.RW
    needs_reboot: bool = False
    is_required: bool = False
    """A configuration without it cannot be loaded."""
    is_optional: bool = False
    is_creatable: bool = False
    is_secret: bool = False
    """Never reported, logged or kept in the overlay; write-only for the Central System."""
    rises: bool = False
    is_built: bool = True
    reader: str = ""
    subset_of: str | None = None
    limited_by: str | None = None
    unit: str = ""
    """As docs/keys.md tells it: seconds, W, …; "" where the value is no quantity."""
    description: str = ""
    """One sentence, as docs/keys.md has it."""

    def __repr__(self) -> str:
        return f"<Key {self.section}.{self.name}>"

    def parse_text(self, text: str) -> T:
        """Value of its text on the wire. ValueError with the reason, fit for a log."""
        value: T = self.kind.from_text(text)
        return value

    def format(self, value: T) -> str:
        """Text on the wire, however long."""
        return self.kind.to_text(value)

    def parse_json(self, native: Any) -> T:
        """Value of its native JSON form in a configuration file. ValueError with the reason."""
        value: T = self.kind.from_json(native)
        return value

    def to_json(self, value: T) -> Any:
        """Native JSON form, as `parse_json` takes it."""
        return self.kind.to_json(value)


class Section(NamedTuple):
    """One first-level member of the configuration file."""

    name: str
    known: Known
    is_open: bool
    """Keys that are not defined are ignored with a warning instead of refused."""
    keys: Mapping[str, Key[Any]]
    """By canonical name, in the order they are reported."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a change.

    - `status`: the answer to ChangeConfiguration (OCPP 1.6 ed. 2 §5.3). Memory has changed if Accepted or
      RebootRequired.
    - `key`: the key, None if there is none of that name. For MeterPublicKey<n> and the like the key that holds them
      all.
    - `wire_name`: canonical spelling of the name on the wire.
    - `value`: native JSON to be kept in the overlay under `key.section` and `key.name`, as a JSON Merge Patch (RFC
      7396) of the main configuration; None: remove the entry.
    - `is_unchanged`: the value was the same before; nothing has to be stored.
    - `reason`: why it was not accepted, for the log; never holds the value.
    """

    status: ConfigurationStatus
    key: Key[Any] | None = None
    wire_name: str = ""
    value: Any = field(default=None, repr=False)
    is_unchanged: bool = False
    reason: str = ""

    @property
    def is_accepted(self) -> bool:
        """At once, or after a reboot."""
        return self.status in (ConfigurationStatus.ACCEPTED, ConfigurationStatus.REBOOT_REQUIRED)

    @property
    def is_secret(self) -> bool:
        """The value belongs into the secret store and into no log."""
        return self.key is not None and self.key.is_secret
