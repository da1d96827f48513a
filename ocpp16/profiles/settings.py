"""GetConfiguration and ChangeConfiguration (OCPP 1.6 ed. 2 §5.4, §5.8), for the Central System and for the host.

What a key accepts is its row in `state.keys`; what a change does is the business of the feature that asked to be told.
An accepted change is on disk before it is answered.
"""

from collections.abc import Callable, Sequence

from ocpp16.enums import ConfigurationStatus
from ocpp16.profiles.base import Context, FeatureProfile, Payload, Reply, log, on
from ocpp16.state.keys import security

_STORED = frozenset({ConfigurationStatus.ACCEPTED, ConfigurationStatus.REBOOT_REQUIRED})


class Settings(FeatureProfile):
    """`reconnect` closes the connection and opens another with the credentials of now."""

    __slots__ = ("_reconnect",)

    def __init__(self, ctx: Context, *, reconnect: Callable[[], None]) -> None:
        super().__init__(ctx)
        self._reconnect = reconnect

    def get(self, keys: Sequence[str] = ()) -> Payload:
        """The GetConfiguration.conf for these key names; for all keys if there are none."""
        known, unknown = self.ctx.configuration.report(keys or None)
        payload: Payload = {}
        if known:
            payload["configurationKey"] = known
        if unknown:
            payload["unknownKey"] = unknown
        return payload

    def change(self, key: str, value: str) -> ConfigurationStatus:
        """Change a key as ChangeConfiguration does. What is accepted is on its way to the disk."""
        if self.ctx.configuration.lookup(key) is security.SECURITY_PROFILE:
            # A switch needs a way back that survives a power cut; until there is one, it is chosen at the start.
            log.warning("%s: SecurityProfile cannot be changed while running", self.ctx.charge_point_id)
            return ConfigurationStatus.REJECTED
        change = self.ctx.configuration.change(key, value)
        if change.status in _STORED and not change.is_unchanged:
            assert change.key is not None
            known, _ = self.ctx.configuration.report([change.wire_name])
            self.ctx.changed(change, known[0].get("value") if known else None)
        return change.status

    @on("GetConfiguration")
    async def get_configuration(self, request: Payload) -> Payload:
        return self.get(request.get("key") or ())

    @on("ChangeConfiguration")
    async def change_configuration(self, request: Payload) -> Reply[Payload]:
        status = self.change(request["key"], request["value"])
        then = None
        configuration = self.ctx.configuration
        if (
            status in _STORED
            and configuration.lookup(request["key"]) is security.AUTHORIZATION_KEY
            and configuration[security.SECURITY_PROFILE] in {1, 2}
        ):
            then = self._reconnect  # the answer goes out on the connection that the old key opened (SecWP A03)
        return Reply({"status": str(status)}, then=then)
