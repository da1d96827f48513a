"""The authorization cache: what the Central System last said of id tags (OCPP 1.6 ed. 2 §3.5.1).

Rules of this file:
1. What is kept is in memory and on disk; no look-up waits for the disk, and what was learnt is a fact.
2. It has AuthorizationCacheMaxEntries entries at most. What is not accepted any more goes first, then what was not used
   for longest.
3. What was not used for AuthorizationCacheLifetime is not known any more, whatever it says; it is deleted when
   somebody looks for it, when something is learnt, and once the time is known after a start.
4. A use is written down once an hour at most, and what was learnt again only if it is something else: flash is spared.
   So the last hour of a lifetime may be lost in a power cut.
5. Nothing here goes through all entries in one step of the event loop but for copies.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import trio

from ocpp16.configuration.keys import internal
from ocpp16.models import IdTagInfo
from ocpp16.profiles.base import Context, Stored
from ocpp16.state.authorization import at_present, id_tag_key
from ocpp16.state.clock import put_right, to_datetime, to_micros
from ocpp16.store.base import RowChange
from ocpp16.store.tables.id_tag_cache import ROWS, CachedTagRow, delete, put

USE_RESOLUTION = 3_600_000_000
"""µs: a later use than that is written down, so that the order of uses outlives a restart about so well."""
EVICTION_LOOK = 64
"""Entries, of those not used for longest, among which one that is not accepted any more is looked for."""

_AT_ONCE = 64
"""Entries that are looked at, or dropped, in one step of the event loop: some 2 ms."""


class _Cached(NamedTuple):
    info: IdTagInfo
    used_at: int
    """µs UTC of the last use."""
    written_at: int
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
        now = self._ctx.clock.now()
        return {key: cached.info for key, cached in self._entries.items() if not self._is_past(cached, now)}

    def get(self, id_tag: str, now: int) -> IdTagInfo | None:
        """What was said of an id tag; that is a use of it. `now` in µs UTC."""
        key = id_tag_key(id_tag)
        cached = self._entries.get(key)
        if cached is None:
            return None
        if self._is_past(cached, now):
            if self._ctx.clock.is_trusted:
                self._drop([key])
            return None
        self._put(key, cached.info, now)
        return cached.info

    def learn(self, id_tag: str, info: IdTagInfo, now: int) -> None:
        """The Central System said `info`. `now` in µs UTC."""
        self._put(id_tag_key(id_tag), info, now)
        self._trim(now)

    def clock_set(self, shift: int) -> None:
        """The clock was set back by -`shift` µs: nothing was used ahead of it, and what was is no younger for that."""
        now = self._ctx.clock.now()
        self._entries = {
            key: cached if cached.used_at <= now else cached._replace(used_at=put_right(cached.used_at, now, shift))
            for key, cached in self._entries.items()
        }

    async def tidy(self, is_unwanted: Callable[[str], bool]) -> None:
        """Drop the entries whose key `is_unwanted`, and what is old, or more than may be kept, a few in each step."""
        keys = tuple(self._entries)
        for begin in range(0, len(keys), _AT_ONCE):
            self._drop([key for key in keys[begin : begin + _AT_ONCE] if key in self._entries and is_unwanted(key)])
            await trio.lowlevel.checkpoint()
        while self._trim(self._ctx.clock.now()):
            await trio.lowlevel.checkpoint()

    def _trim(self, now: int) -> bool:
        """Drop what is old, or more than may be kept, as much of it as one step may; is there more?"""
        first = islice(self._entries.items(), _AT_ONCE) if self._ctx.clock.is_trusted else ()
        past = [key for key, cached in first if self._is_past(cached, now)]
        self._drop(past)
        if len(past) == _AT_ONCE:
            return True
        surplus = len(self._entries) - self._ctx.configuration[internal.AUTHORIZATION_CACHE_MAX_ENTRIES]
        for _ in range(min(surplus, _AT_ONCE)):
            self._drop([self._least_wanted(now)])
        return surplus > _AT_ONCE

    def _is_past(self, cached: _Cached, now: int) -> bool:
        lifetime = self._ctx.configuration[internal.AUTHORIZATION_CACHE_LIFETIME] * 1_000_000
        return bool(0 < lifetime < now - cached.used_at)

    def _drop(self, keys: Sequence[str]) -> None:
        for key in keys:
            del self._entries[key]
        if keys:
            self._ctx.journal.append(*map(delete, keys))

    def forget(self) -> None:
        """Delete all, as a fact: it is switched off. It is the cache all the same if that is on again: a `clear` that
        waits for the disk is one of this cache."""
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
        if known is not None and not self._ctx.clock.is_trusted:
            now = max(now, known.used_at)
        written_at = known.written_at if known is not None and known.info == info else None
        if written_at is None or abs(now - written_at) >= USE_RESOLUTION:
            self._ctx.journal.append(_row(key, info, now))
            written_at = now
        self._entries[key] = _Cached(info, now, written_at)

    def _least_wanted(self, now: int) -> str:
        oldest = self._oldest()
        return next((key for key, info in oldest if not at_present(info, now).is_accepted), next(iter(self._entries)))

    def _oldest(self) -> Iterator[tuple[str, IdTagInfo]]:
        for key, cached in islice(self._entries.items(), EVICTION_LOOK):
            yield key, cached.info


def _entry(row: CachedTagRow) -> tuple[str, _Cached]:
    expiry_date = None if row.expires_at is None else to_datetime(row.expires_at)
    return row.id_tag, _Cached(IdTagInfo(row.status, expiry_date, row.parent_id_tag), row.used_at, row.used_at)


def _row(key: str, info: IdTagInfo, used_at: int) -> RowChange:
    expires_at = None if info.expiry_date is None else to_micros(info.expiry_date)
    return put(CachedTagRow(key, info.status, expires_at, info.parent_id_tag, used_at))
