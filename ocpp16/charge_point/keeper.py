"""Where the changed configuration is kept: a row of the store, or files beside it. Implements `ConfigurationKeeper`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.keys import internal
from ocpp16.store.base import RowChange
from ocpp16.store.files import FileKeeper
from ocpp16.store.journal import Journal, Proposal
from ocpp16.store.overlay import Overlay, TextFileWrite
from ocpp16.store.tables import settings


class StoredConfiguration:
    """In the store, for charge points without a file of their own."""

    __slots__ = ("_configuration", "_journal", "is_lasting")

    def __init__(self, configuration: Configuration, journal: Journal) -> None:
        self._configuration = configuration
        self._journal = journal
        self.is_lasting: bool = not journal.store.is_volatile

    def propose(
        self, overrides: Mapping[str, Any], secrets: Mapping[str, Any], *, apply: Callable[[], None]
    ) -> Proposal:
        return self._journal.propose(
            self._configuration[internal.CHARGE_POINT_ID],
            _rows(overrides, secrets),
            apply=apply,
            restore=self._present,
        )

    def _present(self) -> Sequence[RowChange]:
        return _rows(self._configuration.overrides, self._configuration.secrets)


class FiledConfiguration:
    """In the overlay's files: what a person reads and edits; secrets in one of their own."""

    __slots__ = ("_configuration", "_keeper", "_overlay")

    is_lasting = True

    def __init__(self, configuration: Configuration, overlay: Overlay, keeper: FileKeeper) -> None:
        self._configuration = configuration
        self._overlay = overlay
        self._keeper = keeper

    def propose(
        self, overrides: Mapping[str, Any], secrets: Mapping[str, Any], *, apply: Callable[[], None]
    ) -> Proposal:
        return self._keeper.propose(self._overlay.changes(overrides, secrets), apply=apply, restore=self._present)

    def _present(self) -> Sequence[TextFileWrite]:
        return self._overlay.changes(self._configuration.overrides, self._configuration.secrets)


def _rows(overrides: Mapping[str, Any], secrets: Mapping[str, Any]) -> Sequence[RowChange]:
    """Secrets in a row of their own, which a store can keep apart."""
    return [
        _row(settings.CONFIGURATION, overrides),
        _row(settings.SECRETS, secrets) if secrets else settings.delete(settings.SECRETS),
    ]


def _row(name: str, sections: Mapping[str, Any]) -> RowChange:
    document = {section: dict(keys) if isinstance(keys, Mapping) else keys for section, keys in sections.items()}
    return settings.put(settings.SettingRow(name, document))
