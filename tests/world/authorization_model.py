"""Who may charge, and on whose word, as docs/charge-point.md has it: the ladder, the local list, the cache.

Plain on purpose, and nothing of it is taken from the library: what both say is compared after each step of a random
story (charge_point/test_authorization_at_random.py).
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

HOUR = 3_600_000_000
LIST, CACHE, SERVER = "local authorization list", "authorization cache", "the Central System"


class Info(NamedTuple):
    status: str = "Accepted"
    expiry: int | None = None
    """µs"""
    parent: str | None = None

    def at(self, now: int) -> "Info":
        is_over = self.status == "Accepted" and self.expiry is not None and self.expiry <= now
        return self._replace(status="Expired") if is_over else self


class Told(NamedTuple):
    """A decision: the answer, on whose word, and which key had a say."""

    info: Info
    source: str
    key: str


@dataclass
class Used:
    info: Info
    at: int
    """When that was written down, µs."""
    last: int
    """The last use, µs, which a power cut forgets."""


@dataclass
class Access:
    most_listed: int
    most_sent: int
    most_cached: int
    lifetime: int = 0
    """µs; 0: no limit."""
    keys: dict[str, bool] = field(default_factory=dict)
    listed: dict[str, Info] = field(default_factory=dict)
    version: int = 0
    cache: dict[str, Used] = field(default_factory=dict)
    """What was used last is last."""

    # The list

    @property
    def told_version(self) -> int:
        if not self.keys["LocalAuthListEnabled"]:
            return -1
        return self.version if self.listed else 0

    def on_list(self, id_tag: str) -> Info | None:
        return self.listed.get(id_tag.lower()) if self.keys["LocalAuthListEnabled"] else None

    def answer_to_list(self, is_full: bool, version: int, entries: list[tuple[str, Info | None]]) -> str:
        if not self.keys["LocalAuthListEnabled"]:
            return "NotSupported"
        if version <= 0:
            return "Failed"
        if not is_full and version <= self.version:
            return "VersionMismatch"
        is_twice = len({id_tag.lower() for id_tag, _ in entries}) < len(entries)
        says_nothing = is_full and any(info is None for _, info in entries)
        is_too_long = len(entries) > self.most_sent or len(self.merged(is_full, entries)) > self.most_listed
        return "Failed" if is_twice or says_nothing or is_too_long else "Accepted"

    def merged(self, is_full: bool, entries: list[tuple[str, Info | None]]) -> dict[str, Info]:
        merged = {} if is_full else dict(self.listed)
        for id_tag, info in entries:
            merged.pop(id_tag.lower(), None)
            if info is not None:
                merged[id_tag.lower()] = info
        return merged

    def take_list(self, is_full: bool, version: int, entries: list[tuple[str, Info | None]]) -> None:
        self.listed, self.version = self.merged(is_full, entries), version
        self.drop_listed()

    def switch(self, key: str, is_on: bool) -> None:
        self.keys[key] = is_on
        self.drop_listed()
        if not self.keys["AuthorizationCacheEnabled"]:
            self.cache.clear()

    def drop_listed(self) -> None:
        for id_tag in [id_tag for id_tag in self.cache if self.on_list(id_tag) is not None]:
            del self.cache[id_tag]

    # The cache

    def learn(self, id_tag: str, info: Info, now: int) -> None:
        if not self.keys["AuthorizationCacheEnabled"] or self.on_list(id_tag) is not None:
            return
        self._use(id_tag.lower(), info, now)
        for key in [key for key, used in self.cache.items() if self.is_past(used, now)]:
            del self.cache[key]
        while len(self.cache) > self.most_cached:
            refused = [key for key, used in self.cache.items() if used.info.at(now).status != "Accepted"]
            del self.cache[(refused or list(self.cache))[0]]

    def cached(self, id_tag: str, now: int) -> Info | None:
        """To look it up is to use it."""
        used = self.cache.get(id_tag.lower())
        if used is None or self.on_list(id_tag) is not None:
            return None
        if self.is_past(used, now):
            del self.cache[id_tag.lower()]
            return None
        self._use(id_tag.lower(), used.info, now)
        return used.info

    def _use(self, key: str, info: Info, now: int) -> None:
        """That is written down once an hour, or when it is something else."""
        used = self.cache.pop(key, None)
        is_written = used is None or used.info != info or abs(now - used.at) >= HOUR
        self.cache[key] = Used(info, now if used is None or is_written else used.at, now)

    def is_past(self, used: Used, now: int) -> bool:
        return 0 < self.lifetime < now - used.last

    # The ladder

    def known(self, id_tag: str, now: int) -> tuple[Info, str] | None:
        listed, cached = self.on_list(id_tag), self.cached(id_tag, now)
        if listed is not None:
            return listed.at(now), LIST
        if cached is not None and cached.status != "ConcurrentTx":
            return cached.at(now), CACHE
        return None

    def decide_online(self, id_tag: str, now: int) -> Told | str:
        """What is decided here; else the key of the answer that the Central System is to be asked for."""
        known = self.known(id_tag, now)
        if not self.keys["LocalPreAuthorize"]:
            return "LocalPreAuthorize"
        if known is not None and known[0].status == "Accepted":
            return Told(*known, "LocalPreAuthorize")
        return ""

    def decide_offline(self, id_tag: str, now: int) -> Told:
        known = self.known(id_tag, now)
        if known is not None and known[0].status != "Accepted":
            return Told(*known, "")
        if known is not None and self.keys["LocalAuthorizeOffline"]:
            return Told(*known, "LocalAuthorizeOffline")
        if self.keys["AllowOfflineTxForUnknownId"]:
            return Told(Info(), "offline, AllowOfflineTxForUnknownId is on", "AllowOfflineTxForUnknownId")
        why = "AllowOfflineTxForUnknownId" if known is None else "LocalAuthorizeOffline"
        return Told(Info("Invalid"), "offline, nothing allows this tag", why)

    # What is to be seen

    def unforgotten(self, now: int) -> list[str]:
        """What is cached, and was used within the lifetime; what was not used for longest is first."""
        return [key for key, used in self.cache.items() if not self.is_past(used, now)]

    def seen(self, now: int) -> dict[str, Any]:
        return {
            "list": dict(self.listed),
            "version": self.told_version,
            "cache": {key: self.cache[key].info for key in self.unforgotten(now)},
        }
