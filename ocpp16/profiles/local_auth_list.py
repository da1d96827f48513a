"""The local authorization list: whom the Central System lets charge, known here (OCPP 1.6 ed. 2 §3.5.2, §5.10, §5.15).

Rules of this file:
1. An update is checked whole and then stored in one commit, before it is in force and answered: all of it or nothing.
2. The list is in memory, so that no look-up waits for a disk: an entry costs a key and a slot, and entries that say the
   same share what they say. Without a list there is nothing. What one step of the event loop takes depends on the
   update, never on the list.
3. Of a stored list there is no half: if one entry of it cannot be read none counts, and only a Full update helps.
4. LocalAuthListEnabled switches the use of the list, not the list: what was sent stays, and counts when it is on again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import cast

import trio

from ocpp16 import messages
from ocpp16.configuration.keys.local_auth_list_management import (
    LOCAL_AUTH_LIST_ENABLED,
    LOCAL_AUTH_LIST_MAX_LENGTH,
    SEND_LOCAL_LIST_MAX_LENGTH,
)
from ocpp16.enums import UpdateStatus, UpdateType
from ocpp16.errors import StoreError
from ocpp16.models import IdTagInfo
from ocpp16.profiles.base import Context, FeatureProfile, Payload, Stored, on
from ocpp16.profiles.id_tags import read_id_tag_info
from ocpp16.state.authorization import id_tag_key
from ocpp16.state.clock import to_datetime, to_micros
from ocpp16.state.signals import LocalListChanged
from ocpp16.store.base import RowChange
from ocpp16.store.tables import local_list, local_list_version
from ocpp16.store.tables.local_list import ListedTagRow
from ocpp16.store.tables.local_list_version import ListVersionRow

_AT_ONCE = 256
"""Entries of one update that are read, or made into rows, in one step of the event loop: some 2 ms."""
_NOTHING: Mapping[str, IdTagInfo] = MappingProxyType({})

Update = dict[str, IdTagInfo | None]
"""What an update says of id tags, by their keys; None: not listed any more."""


class LocalAuthList(FeatureProfile):
    __slots__ = ("_entries", "_is_whole", "version")

    name = "LocalAuthListManagement"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._entries: dict[str, IdTagInfo] | None = None
        """Key of an id tag → what is said of it; None without a list."""
        self._is_whole = True
        self.version: int = 0
        """That of the last update; 0 before the first."""

    def restore(self, stored: Stored) -> None:
        found = stored.whole(_sharing(), local_list.ROWS)
        versions = stored.whole(_version, local_list_version.ROWS)
        self._is_whole = found is not None and versions is not None and bool(versions or not found)
        if self._is_whole and found and versions:
            self._entries = dict(found)
        if self._is_whole and versions:
            self.version = versions[0]
        if not self._is_whole:
            self.ctx.log.error(
                "the stored local authorization list is damaged: it does not count until it is sent anew"
            )

    # Looking up

    @property
    def is_on(self) -> bool:
        return self.ctx.configuration[LOCAL_AUTH_LIST_ENABLED]

    @property
    def entries(self) -> Mapping[str, IdTagInfo]:
        """All of them, by `id_tag_key`; to be looked at."""
        return self._entries or _NOTHING

    @property
    def told_version(self) -> int:
        """What GetLocalListVersion is answered: -1 while LocalAuthListEnabled is off, 0 while nothing is listed (OCPP
        1.6 ed. 2 §5.10)."""
        if not self.is_on:
            return -1
        return self.version if self._entries else 0

    def listed(self, id_tag: str) -> IdTagInfo | None:
        return self._entries.get(id_tag_key(id_tag)) if self._entries is not None and self.is_on else None

    # What the Central System asks for

    @on("GetLocalListVersion")
    def get_local_list_version(
        self, request: "messages.GetLocalListVersionRequest"
    ) -> "messages.GetLocalListVersionResponse":
        return {"listVersion": self.told_version}

    @on("SendLocalList")
    async def send_local_list(self, request: "messages.SendLocalListRequest") -> "messages.SendLocalListResponse":
        """Versions of 0 and below are those of no list, and none that a list can have (OCPP 1.6 errata 3.25)."""
        if not self.is_on:
            return {"status": str(UpdateStatus.NOT_SUPPORTED)}
        version, is_full = request["listVersion"], request["updateType"] == UpdateType.FULL
        data = request.get("localAuthorizationList", [])
        if version <= 0:
            return self._failed(f"{version} is no version of a list")
        if not is_full and not self._is_whole:
            return self._failed("what is there is damaged: a full list is needed")
        if not is_full and version <= self.version:
            self.ctx.log.info("local authorization list: version %d is not above %d", version, self.version)
            return {"status": str(UpdateStatus.VERSION_MISMATCH)}
        most = self.ctx.configuration[SEND_LOCAL_LIST_MAX_LENGTH]
        if len(data) > most:
            return self._failed(f"{len(data)} entries, and SendLocalListMaxLength is {most}")
        update = await self._read(data)
        if len(update) < len(data):
            return self._failed("an id tag is there twice")
        if is_full and None in update.values():
            return self._failed("an entry of a full list says nothing of its id tag")
        known = _NOTHING if is_full else self.entries
        in_all = len(known) + sum((info is not None) - (key in known) for key, info in update.items())
        most = self.ctx.configuration[LOCAL_AUTH_LIST_MAX_LENGTH]
        if in_all > most:
            return self._failed(f"{in_all} entries in all, and LocalAuthListMaxLength is {most}")
        try:
            await self._put_in_force(version, update, is_full=is_full)
        except StoreError as error:
            return self._failed(f"it is not stored: {error}")
        return {"status": str(UpdateStatus.ACCEPTED)}

    def _failed(self, why: str) -> "messages.SendLocalListResponse":
        """Nothing has changed; the Central System is to send a full list (OCPP 1.6 ed. 2 §7.46)."""
        self.ctx.log.warning("a local authorization list was refused: %s", why)
        return {"status": str(UpdateStatus.FAILED)}

    async def _read(self, data: Sequence["messages.AuthorizationData"]) -> Update:
        update: Update = {}
        known: dict[IdTagInfo, IdTagInfo] = {}
        for position, entry in enumerate(data):
            if position % _AT_ONCE == _AT_ONCE - 1:
                await trio.lowlevel.checkpoint()
            wire = entry.get("idTagInfo")
            info = None if wire is None else read_id_tag_info(cast(Payload, wire))
            update[id_tag_key(entry["idTag"])] = None if info is None else known.setdefault(info, info)
        return update

    async def _put_in_force(self, version: int, update: Update, *, is_full: bool) -> None:
        """Raises StoreError; then nothing has changed."""

        def apply() -> None:
            entries = {} if is_full or self._entries is None else self._entries
            for key, info in update.items():
                if info is None:
                    entries.pop(key, None)
                else:
                    entries[key] = info
            self._entries, self.version, self._is_whole = entries or None, version, True
            self.ctx.log.info("local authorization list: version %d, %d entries", version, len(entries))
            self.ctx.signals.emit(LocalListChanged())

        changes: list[RowChange] = [local_list_version.put(ListVersionRow(version))]
        if is_full:
            changes.insert(0, local_list.delete())
        for position, (key, info) in enumerate(update.items()):
            if position % _AT_ONCE == _AT_ONCE - 1:
                await trio.lowlevel.checkpoint()
            changes.append(_row_of(key, info))
        await self.ctx.asked.commit(changes, apply=apply, restore=lambda: self._rows(None if is_full else update))

    def _rows(self, keys: Iterable[str] | None) -> list[RowChange]:
        """The rows of these keys as memory has them; None: of all there are, and there may be others."""
        rows: list[RowChange] = [] if keys is not None else [local_list.delete()]
        rows.append(
            local_list_version.put(ListVersionRow(self.version)) if self.version else local_list_version.delete()
        )
        rows += [_row_of(key, self.entries.get(key)) for key in (self.entries if keys is None else keys)]
        return rows


def _row_of(key: str, info: IdTagInfo | None) -> RowChange:
    if info is None:
        return local_list.delete(key)
    expires_at = None if info.expiry_date is None else to_micros(info.expiry_date)
    return local_list.put(ListedTagRow(key, info.status, expires_at, info.parent_id_tag))


def _sharing() -> Callable[[ListedTagRow], tuple[str, IdTagInfo]]:
    """What makes entries of rows; those that say the same have it from one object."""
    known: dict[tuple[object, ...], IdTagInfo] = {}

    def entry(row: ListedTagRow) -> tuple[str, IdTagInfo]:
        info = known.get(row[1:])
        if info is None:
            expiry_date = None if row.expires_at is None else to_datetime(row.expires_at)
            info = known[row[1:]] = IdTagInfo(row.status, expiry_date, row.parent_id_tag)
        return row.id_tag, info

    return entry


def _version(row: ListVersionRow) -> int:
    """Raises ValueError for one that no update can have had."""
    if row.version <= 0:
        raise ValueError(f"{row.version} is no version of a list")
    return row.version
