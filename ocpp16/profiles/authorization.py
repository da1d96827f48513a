"""Authorize, and the decision whether an id tag may charge (OCPP 1.6 ed. 2 §3.5, §4.1).

The ladder itself is `state.authorization`; here the question is put to the Central System where the ladder says so. No
cache is kept: ClearCache is Rejected (§5.3). Of a local authorization list a feature that keeps one is asked; without,
its version is -1, as the specification has it (§5.10).
"""

from dataclasses import replace

from ocpp16 import messages
from ocpp16.configuration.keys import core
from ocpp16.enums import ClearCacheStatus
from ocpp16.errors import CallFailed
from ocpp16.models import IdTagInfo
from ocpp16.observer import IdTagAuthorized
from ocpp16.profiles.base import Context, FeatureProfile, Others, on
from ocpp16.profiles.call import call
from ocpp16.profiles.id_tags import AUTHORIZE_TIMEOUT, check_id_tag, read_id_tag_info
from ocpp16.state.authorization import AuthorizationRules, decide, decide_unanswered
from ocpp16.state.signals import IdTagDecided, IdTagInfoLearned


class Authorization(FeatureProfile):
    __slots__ = ("_others",)

    def __init__(self, ctx: Context, others: Others) -> None:
        super().__init__(ctx)
        self._others = others

    async def authorize_id_token(self, id_tag: str) -> IdTagInfo:
        """May `id_tag` charge? Never raises for what the Central System does: no usable answer is Invalid.

        Raises ValueError if `id_tag` is not 1 to 20 characters.
        """
        id_tag = check_id_tag(id_tag)
        info = await self._decided(id_tag)
        self.ctx.log.info("id tag is %s: %s", info.status, info.source)
        self.ctx.signals.emit(IdTagDecided(id_tag, info.is_accepted, info.parent_id_tag))
        self.ctx.tell(IdTagAuthorized(id_tag, info), 0)
        return info

    async def _decided(self, id_tag: str) -> IdTagInfo:
        ctx = self.ctx
        rules = self._rules()
        listed, now = self._others.listed(id_tag), ctx.clock.now()
        decision = decide(is_connected=ctx.sender.is_online, rules=rules, listed=listed, cached=None, now=now)
        if decision.info is None:
            try:
                answer = await call(ctx.sender, "Authorize", {"idTag": id_tag}, timeout=AUTHORIZE_TIMEOUT)
            except CallFailed as failure:
                now = ctx.clock.now()
                decision = decide_unanswered(failure.reason, rules=rules, listed=listed, cached=None, now=now)
            else:
                info = read_id_tag_info(answer["idTagInfo"])
                ctx.signals.emit(IdTagInfoLearned(id_tag, info))
                return replace(info, source="the Central System")
        assert decision.info is not None, "an unanswered question is decided"
        return replace(decision.info, source=decision.why)

    def _rules(self) -> AuthorizationRules:
        configuration = self.ctx.configuration
        return AuthorizationRules(
            local_pre_authorize=configuration[core.LOCAL_PRE_AUTHORIZE],
            local_authorize_offline=configuration[core.LOCAL_AUTHORIZE_OFFLINE],
            local_auth_list_enabled=True,  # one that is off lists nothing
            authorization_cache_enabled=False,
            allow_offline_tx_for_unknown_id=configuration[core.ALLOW_OFFLINE_TX_FOR_UNKNOWN_ID],
        )

    @on("GetLocalListVersion")
    def get_local_list_version(
        self, request: "messages.GetLocalListVersionRequest"
    ) -> "messages.GetLocalListVersionResponse":
        return {"listVersion": -1}

    @on("ClearCache")
    def clear_cache(self, request: "messages.ClearCacheRequest") -> "messages.ClearCacheResponse":
        return {"status": str(ClearCacheStatus.REJECTED)}
