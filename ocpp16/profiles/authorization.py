"""Authorize, and the decision whether an id tag may charge (OCPP 1.6 ed. 2 §3.5, §4.1, §5.3).

The ladder itself is `state.authorization`; here the question is put to the Central System where the ladder says so, and
what it says of id tags is kept in the cache. Of a local authorization list a feature that keeps one is asked; without,
its version is -1, as the specification has it (§5.10).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ocpp16 import messages
from ocpp16._core.unseen import unseen
from ocpp16.configuration.keys import core, internal
from ocpp16.configuration.keys.local_auth_list_management import LOCAL_AUTH_LIST_ENABLED
from ocpp16.enums import AuthorizationStatus, ClearCacheStatus
from ocpp16.errors import CallFailed
from ocpp16.models import AuthorizationDecision, IdTagInfo
from ocpp16.observer import IdTagAuthorized
from ocpp16.patience import of_others
from ocpp16.profiles.base import Context, FeatureProfile, Others, Stored, hears, on
from ocpp16.profiles.call import call
from ocpp16.profiles.id_tag_cache import IdTagCache
from ocpp16.profiles.id_tags import AUTHORIZE_TIMEOUT, check_id_tag, read_id_tag_info
from ocpp16.state.authorization import (
    CENTRAL_SYSTEM,
    FREE,
    REFUSED_AT_START,
    AuthorizationRules,
    decide,
    decide_unanswered,
    id_tag_key,
)
from ocpp16.state.clock import to_datetime
from ocpp16.state.signals import (
    ClockSet,
    ConfigurationChanged,
    IdTagDecided,
    IdTagInfoLearned,
    LocalListChanged,
    RegistrationChanged,
    TransactionIdAssigned,
)
from ocpp16.store.tables import id_tag_cache

DECISIONS_KEPT = 8
"""The latest decisions that are kept to be looked at; of a station with more connectors, one for each of them."""


class Authorization(FeatureProfile):
    __slots__ = ("_cache", "_decisions", "_is_tidy", "_is_tidying", "_others")

    def __init__(self, ctx: Context, others: Others) -> None:
        super().__init__(ctx)
        self._others = others
        self._cache: IdTagCache | None = None
        """None while there was nothing to keep."""
        self._is_tidy = True
        """Is nothing there that has to go?"""
        self._is_tidying = False
        self._decisions: list[AuthorizationDecision] | None = None
        """Made with the first."""

    def restore(self, stored: Stored) -> None:
        if stored.has(id_tag_cache.ROWS):
            self._cache = IdTagCache(self.ctx)
            self._cache.restore(stored)

    def start(self) -> None:
        """What is kept may be more than is wanted by now."""
        self._switched()
        self._tidy()

    # What is decided

    async def authorize_id_token(self, id_tag: str) -> IdTagInfo:
        """May `id_tag` charge? Never raises for what the Central System does: no usable answer is Invalid.

        Raises ValueError if `id_tag` is not 1 to 20 characters.
        """
        id_tag = check_id_tag(id_tag)
        info = await self._decided(id_tag)
        self._note(id_tag, info)
        prices = self._others.prices
        if prices is not None and info.is_accepted and info.source != FREE.source:
            tariff = await prices.tariff(id_tag, was_asked=info.source == CENTRAL_SYSTEM)
            info = replace(info, tariff=tariff)
        self.ctx.signals.emit(
            IdTagDecided(id_tag, info.is_accepted, info.parent_id_tag, was_asked=info.source == CENTRAL_SYSTEM)
        )
        self.ctx.tell(IdTagAuthorized(id_tag, info), 0)
        return info

    async def _decided(self, id_tag: str) -> IdTagInfo:
        ctx = self.ctx
        if ctx.configuration[internal.FREE_VEND_ACTIVE] and (
            id_tag_key(id_tag) == id_tag_key(ctx.configuration[internal.FREE_VEND_ID_TAG])
        ):
            return FREE.of(IdTagInfo(AuthorizationStatus.ACCEPTED))
        rules = self._rules()
        listed, now = self._others.listed(id_tag), ctx.clock.now()
        cached = self._cached(id_tag, now) if listed is None else None
        decision = decide(is_connected=ctx.sender.is_online, rules=rules, listed=listed, cached=cached, now=now)
        if decision.info is None:
            try:
                answer = await call(ctx.sender, "Authorize", {"idTag": id_tag}, timeout=of_others(AUTHORIZE_TIMEOUT))
            except CallFailed as failure:
                now = ctx.clock.now()
                # List, cache and keys may be others than when the question was put.
                rules, listed = self._rules(), self._others.listed(id_tag)
                cached = self._cached(id_tag, now) if listed is None else None
                decision = decide_unanswered(failure.reason, rules=rules, listed=listed, cached=cached, now=now)
            else:
                info = read_id_tag_info(answer["idTagInfo"])
                ctx.signals.emit(IdTagInfoLearned(id_tag, info))
                return decision.why.of(info)
        assert decision.info is not None, "an unanswered question is decided"
        return decision.why.of(decision.info)

    def accepts_offline(self, id_tag: str) -> bool:
        """See `OfflineCheck`: by local list or cache. Whom nobody knows is not let in."""
        listed, now = self._others.listed(id_tag), self.ctx.clock.now()
        cached = self._cached(id_tag, now) if listed is None else None
        rules = self._rules()._replace(allow_offline_tx_for_unknown_id=False)
        found = decide(is_connected=False, rules=rules, listed=listed, cached=cached, now=now)
        return found.info is not None and found.info.is_accepted

    def _rules(self) -> AuthorizationRules:
        configuration = self.ctx.configuration
        return AuthorizationRules(
            local_pre_authorize=configuration[core.LOCAL_PRE_AUTHORIZE],
            local_authorize_offline=configuration[core.LOCAL_AUTHORIZE_OFFLINE],
            local_auth_list_enabled=True,  # one that is off lists nothing
            authorization_cache_enabled=self.has_cache,
            allow_offline_tx_for_unknown_id=configuration[core.ALLOW_OFFLINE_TX_FOR_UNKNOWN_ID],
        )

    # Why

    @property
    def decisions(self) -> Sequence[AuthorizationDecision]:
        """The latest ones, the oldest first."""
        return tuple(self._decisions or ())

    def _note(self, id_tag: str, info: IdTagInfo) -> None:
        ctx = self.ctx
        ctx.log.info("id tag is %s: %s (%s%s)", info.status, info.source, info.rule, info.key and f"; {info.key}")
        if self._decisions is None:
            self._decisions = unseen([])
        elif len(self._decisions) >= max(DECISIONS_KEPT, len(ctx.connectors) - 1):
            del self._decisions[0]
        self._decisions.append(unseen(AuthorizationDecision(to_datetime(ctx.clock.now()), id_tag, unseen(info))))

    @hears(TransactionIdAssigned)
    def _start_answered(self, signal: TransactionIdAssigned) -> None:
        """The Central System has the last word (OCPP 1.6 ed. 2 §4.8)."""
        if not signal.id_tag_info.is_accepted:
            self._note(signal.transaction.id_tag, REFUSED_AT_START.of(signal.id_tag_info))

    # The cache

    @property
    def has_cache(self) -> bool:
        """Off means off: nothing is kept, and nothing is looked up."""
        return bool(self.ctx.configuration[core.AUTHORIZATION_CACHE_ENABLED])

    @property
    def cached(self) -> Mapping[str, IdTagInfo]:
        """What is in the cache, by `id_tag_key`; what was not used for longest comes first."""
        entries: Mapping[str, IdTagInfo] = {} if self._cache is None else self._cache.entries
        return {key: info for key, info in entries.items() if not self._is_listed(key)}

    def _cached(self, id_tag: str, now: int) -> IdTagInfo | None:
        return self._cache.get(id_tag, now) if self._cache is not None and self.has_cache else None

    @hears(IdTagInfoLearned)
    def _learned(self, signal: IdTagInfoLearned) -> None:
        """Tags of the local list are not cached (OCPP 1.6 ed. 2 §3.5.3)."""
        if not self.has_cache or self._others.listed(signal.id_tag) is not None:
            return
        if self._cache is None:
            self._cache = IdTagCache(self.ctx)
        self._cache.learn(signal.id_tag, signal.info, self.ctx.clock.now())

    @hears(ClockSet)
    def _clock_set(self, signal: ClockSet) -> None:
        if self._cache is not None and signal.shift < 0:
            self._cache.clock_set(signal.shift)

    @hears(RegistrationChanged)
    def _registered(self, signal: RegistrationChanged) -> None:
        """The time is known by now, and with it what is past its lifetime."""
        self._tidy()

    @hears(LocalListChanged)
    def _list_changed(self, signal: LocalListChanged) -> None:
        self._tidy()

    @hears(ConfigurationChanged)
    def _configuration_changed(self, signal: ConfigurationChanged) -> None:
        if signal.key == core.AUTHORIZATION_CACHE_ENABLED.name:
            self._switched()
        elif signal.key in (LOCAL_AUTH_LIST_ENABLED.name, internal.AUTHORIZATION_CACHE_LIFETIME.name):
            self._tidy()

    def _switched(self) -> None:
        """What was learnt before is out of date when the cache is on again, and id tags are personal data."""
        if self._cache is not None and not self.has_cache:
            self._cache.forget()

    def _is_listed(self, key: str) -> bool:
        return self._others.listed(key) is not None

    def _tidy(self) -> None:
        """What is listed by now, or too much, goes; until it has gone nobody looks at it."""
        self._is_tidy = self._cache is None
        if not (self._is_tidy or self._is_tidying):
            self._is_tidying = True
            self.ctx.spawn(self._tidied)

    async def _tidied(self) -> None:
        try:
            while self._cache is not None and not self._is_tidy:
                self._is_tidy = True
                await self._cache.tidy(self._is_listed)
        finally:
            self._is_tidying = False

    async def clear_cache_now(self) -> bool:
        """Delete what is cached; False: there is no cache. Raises StoreError; then nothing has changed."""
        if not self.has_cache:
            return False
        if self._cache is None:
            self._cache = IdTagCache(self.ctx)
        await self._cache.clear()
        return True

    @on("ClearCache")
    async def clear_cache(self, request: "messages.ClearCacheRequest") -> "messages.ClearCacheResponse":
        is_cleared = await self.clear_cache_now()
        return {"status": str(ClearCacheStatus.ACCEPTED if is_cleared else ClearCacheStatus.REJECTED)}

    @on("GetLocalListVersion")
    def get_local_list_version(
        self, request: "messages.GetLocalListVersionRequest"
    ) -> "messages.GetLocalListVersionResponse":
        return {"listVersion": -1}
