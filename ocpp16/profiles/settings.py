"""GetConfiguration and ChangeConfiguration (OCPP 1.6 ed. 2 §5.4, §5.8), for the Central System and for the host.

What a key accepts is its row in `state.keys`; what a change does is the business of the feature that asked to be told.
An accepted change is on disk before it is answered.
"""

from collections.abc import Sequence

from ocpp16.enums import ConfigurationStatus
from ocpp16.profiles.base import FeatureProfile, Payload, on

_STORED = frozenset({ConfigurationStatus.ACCEPTED, ConfigurationStatus.REBOOT_REQUIRED})


class Settings(FeatureProfile):
    __slots__ = ()

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
    async def change_configuration(self, request: Payload) -> Payload:
        return {"status": str(self.change(request["key"], request["value"]))}
