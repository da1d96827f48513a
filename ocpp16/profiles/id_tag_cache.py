"""The authorization cache: what the Central System last said of id tags (OCPP 1.6 ed. 2 §3.5.1).

Rules of this file:
1. What is kept is in memory and on disk; no look-up waits for the disk, and what was learnt is a fact.
2. It has AuthorizationCacheMaxEntries entries at most. What is not accepted any more goes first, then what was not used
   for longest.
3. A use is written down once an hour at most, and what was learnt again only if it is something else: flash is spared.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ocpp16.configuration.keys import internal
from ocpp16.models import IdTagInfo
from ocpp16.profiles.base import Context, Stored
from ocpp16.state.authorization import at_present, id_tag_key
from ocpp16.state.clock import to_datetime, to_micros
from ocpp16.store.base import RowChange
from ocpp16.store.tables.id_tag_cache import ROWS, CachedTagRow, delete, put

USE_RESOLUTION = 3_600_000_000
"""µs: a later use than that is written down, so that the order of uses outlives a restart about so well."""
EVICTION_LOOK = 64
"""Entries, of those not used for longest, among which one that is not accepted any more is looked for."""


class _Cached(NamedTuple):
    info: IdTagInfo
    used_at: int
    """µs UTC of the last use that is on disk."""


class IdTagCache:
    """Of one charge point; made when there is something to keep."""

    __slots__ = ("_ctx", "_entries")

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._entries: dict[str, _Cached] = {}
        """By `id_tag_key`; what was used last is last."""

    def restore(self, stored: Stored) -> None:
        self._entries = dict(sorted(stored.taken(_entry, ROWS), key=lambda entry: entry[1].used_at))

    @property
    def entries(self) -> Mapping[str, IdTagInfo]:
        """All of them, by `id_tag_key`; a copy."""
        return {key: cached.info for key, cached in self._entries.items()}

    def get(self, id_tag: str, now: int) -> IdTagInfo | None:
        """What was said of an id tag; that is a use of it. `now` in µs UTC."""
        key = id_tag_key(id_tag)
        cached = self._entries.get(key)
        if cached is None:
            return None
        self._put(key, cached.info, now)
        return cached.info

    def learn(self, id_tag: str, info: IdTagInfo, now: int) -> None:
        """The Central System said `info`. `now` in µs UTC."""
        self._put(id_tag_key(id_tag), info, now)
        self.trim(now)

    def drop(self, id_tag: str) -> None:
        """It is not to be kept."""
        key = id_tag_key(id_tag)
        if self._entries.pop(key, None) is not None:
            self._ctx.journal.append(delete(key))

    def trim(self, now: int) -> None:
        """Drop what is more than may be kept."""
        most = self._ctx.configuration[internal.AUTHORIZATION_CACHE_MAX_ENTRIES]
        changes: list[RowChange] = []
        while len(self._entries) > most:
            key = self._least_wanted(now)
            del self._entries[key]
            changes.append(delete(key))
        if changes:
            self._ctx.journal.append(*changes)

    def forget(self) -> None:
        """Delete all, as a fact: it is switched off."""
        self._entries = {}
        self._ctx.journal.append(delete())

    async def clear(self) -> None:
        """Delete all, as somebody asked for it. Raises StoreError if that is not stored; then nothing has changed."""

        def apply() -> None:
            self._entries = {}

        await self._ctx.asked.commit([delete()], apply=apply, restore=self._rows)

    def _rows(self) -> list[RowChange]:
        """What memory has, and nothing else."""
        return [delete(), *(_row(key, cached.info, cached.used_at) for key, cached in self._entries.items())]

    def _put(self, key: str, info: IdTagInfo, now: int) -> None:
        known = self._entries.pop(key, None)
        is_known = known is not None and known.info == info and abs(now - known.used_at) < USE_RESOLUTION
        self._entries[key] = known if known is not None and is_known else _Cached(info, now)
        if not is_known:
            self._ctx.journal.append(_row(key, info, now))

    def _least_wanted(self, now: int) -> str:
        oldest = self._oldest()
        return next((key for key, info in oldest if not at_present(info, now).is_accepted), next(iter(self._entries)))

    def _oldest(self) -> Iterator[tuple[str, IdTagInfo]]:
        for (key, cached), _ in zip(self._entries.items(), range(EVICTION_LOOK), strict=False):
            yield key, cached.info


def _entry(row: CachedTagRow) -> tuple[str, _Cached]:
    expiry_date = None if row.expires_at is None else to_datetime(row.expires_at)
    return row.id_tag, _Cached(IdTagInfo(row.status, expiry_date, row.parent_id_tag), row.used_at)


def _row(key: str, info: IdTagInfo, used_at: int) -> RowChange:
    expires_at = None if info.expiry_date is None else to_micros(info.expiry_date)
    return put(CachedTagRow(key, info.status, expires_at, info.parent_id_tag, used_at))
