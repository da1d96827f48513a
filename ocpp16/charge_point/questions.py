"""What can be asked of a charge point: its state, what the Central System thinks of an id tag, keys, charging limits.

Views answer at once; what waits for the Central System or the disk is async. Names and parameters are libocpp's where
it has them.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Literal

import trio

from ocpp16.charge_point.assembly import Features
from ocpp16.charge_point.events import StationEvents
from ocpp16.codec import validate
from ocpp16.enums import ChargingProfileStatus, ConfigurationStatus, RegistrationStatus
from ocpp16.errors import FeatureNotBuilt, Refusal, StoreError
from ocpp16.models import ChargingLimit, DataTransferResponse, IdTagInfo
from ocpp16.profiles.data_transfer import DataTransferHandler
from ocpp16.profiles.smart_charging import SmartCharging
from ocpp16.schedule import CompositeSchedule, InstalledProfiles, Limit
from ocpp16.schedule.sharing import Strategy
from ocpp16.state.configuration import Configuration, Key
from ocpp16.state.connector import Notification
from ocpp16.state.keys import core
from ocpp16.state.transaction import Transaction, Transactions


class Questions(StationEvents):
    """The asking half of ChargePoint."""

    __slots__ = ()

    if TYPE_CHECKING:
        _data_transfer_handlers: dict[tuple[str, str | None], DataTransferHandler]
        _features: Features
        _key_callbacks: dict[str, list[Callable[[], None]]]
        _meters: dict[int, int]
        configuration: Configuration

        def _keep_sharing(self, sharing: tuple[Strategy | None, float | None]) -> None: ...

        async def stored(self) -> None: ...

    # Views

    @property
    def is_connected(self) -> bool:
        return self.ctx.session.is_connected

    @property
    def registration(self) -> RegistrationStatus | None:
        """What the last BootNotification was answered with; None before the first answer."""
        return self.ctx.session.registration

    @property
    def number_of_connectors(self) -> int:
        return self.configuration[core.NUMBER_OF_CONNECTORS]

    @property
    def queue_depth(self) -> int:
        """Messages that wait to be sent or for their answer."""
        return self.ctx.session.outbox.depth + (self.ctx.session.in_flight is not None)

    @property
    def transactions(self) -> Transactions:
        """All transactions whose StopTransaction is not answered yet."""
        return self.ctx.transactions

    def transaction(self, connector_id: int) -> Transaction | None:
        """The running transaction of a connector."""
        return self.ctx.transactions.running(connector_id)

    def connector_status(self, connector_id: int) -> Notification:
        """What a StatusNotification of this connector would say now. Raises ValueError for an unknown one."""
        return self.ctx.connectors[self._connector(connector_id, 0)].report(self.ctx.clock.now())

    def meter_checkpoint(self, connector_id: int) -> int | None:
        """The register in Wh that was stored last for this connector before this start."""
        return self._meters.get(connector_id)

    # Questions

    async def authorize_id_token(self, id_tag: str) -> IdTagInfo:
        """May this id tag charge? Waits for the Central System where it has to be asked (at most 60 s).

        Raises ValueError if it is not 1 to 20 characters. Whatever the Central System does, there is an answer.
        """
        return await self._features.authorization.authorize_id_token(id_tag)

    async def data_transfer(
        self, vendor_id: str, message_id: str | None = None, data: str | None = None
    ) -> DataTransferResponse | None:
        """Send DataTransfer and wait for the answer; None when offline. See `profiles.data_transfer`."""
        return await self._features.data_transfer.transfer(vendor_id, message_id, data)

    def register_data_transfer(self, vendor_id: str, message_id: str | None, handler: DataTransferHandler) -> None:
        """Answer DataTransfer.req of this vendor and message id with `await handler(data)`."""
        self._data_transfer_handlers[vendor_id, message_id] = handler
        self._features.data_transfer.register(vendor_id, message_id, handler)

    def get_configuration_key(self, keys: Sequence[str] = ()) -> dict[str, Any]:
        """What GetConfiguration answers for these keys; for all keys if there are none."""
        return self._features.settings.get(keys)

    async def set_configuration_key(self, key: str, value: str) -> ConfigurationStatus:
        """What ChangeConfiguration does, asked for by the host; returns once it is on disk."""
        status = self._features.settings.change(key, value)
        await self.stored()
        return status

    def on_change(self, key: Key[Any], callback: Callable[[], None]) -> None:
        """Have `callback` called after every change of a configuration key, whoever made it."""
        self._key_callbacks.setdefault(key.name, []).append(callback)

    # Smart charging

    @property
    def _smart_charging(self) -> SmartCharging:
        feature = self._features.smart_charging
        if feature is None:
            raise FeatureNotBuilt("smart charging is not built in: SupportedFeatureProfiles or the station lacks it")
        return feature

    @property
    def has_smart_charging(self) -> bool:
        """Is the feature profile built? Without, the methods below raise FeatureNotBuilt."""
        return self._features.smart_charging is not None

    @property
    def charging_profiles(self) -> InstalledProfiles:
        """The installed charging profiles; to be looked at, not changed."""
        return self._smart_charging.profiles.installed

    def charging_limit(self, connector_id: int) -> ChargingLimit:
        """What a connector may draw now, and until when; `limit` is None where nothing limits it.

        Connector 0: what all of them together may. The station is told every change by `charging_limit_changed`.
        """
        return self._smart_charging.limits.limit(self._connector(connector_id, 0))

    def explain_limit(self, connector_id: int) -> Limit:
        """Which charging profile, stack level, purpose and conversion make the limit of a connector, before sharing."""
        return self._smart_charging.limits.explained(self._connector(connector_id, 0))

    def composite_schedule(self, connector_id: int, duration: int, unit: Literal["A", "W"] = "A") -> CompositeSchedule:
        """The composite schedule from now on: `periods` as GetCompositeSchedule has them, `steps` with what made them.

        duration: seconds. Limits are not rounded.
        """
        return self._smart_charging.limits.composite(self._connector(connector_id, 0), duration, unit)

    def get_all_composite_charging_schedules(
        self, duration_s: int, unit: Literal["A", "W"] = "A"
    ) -> dict[int, CompositeSchedule]:
        """The composite schedule of every connector, 0 included, from now on."""
        limits = self._smart_charging.limits
        return {number: limits.composite(number, duration_s, unit) for number in sorted(self.ctx.connectors)}

    def get_all_enhanced_composite_charging_schedules(
        self, duration_s: int, unit: Literal["A", "W"] = "A"
    ) -> dict[int, CompositeSchedule]:
        """The same schedules: their `steps` name profile, stack level and conversion (libocpp has two forms)."""
        return self.get_all_composite_charging_schedules(duration_s, unit)

    def share_limits(self, strategy: Strategy | None, fuse: float | None = None) -> None:
        """Split a ChargePointMaxProfile, and a fuse (A per phase), over the connectors that charge.

        strategy: one of `ocpp16.schedule.sharing`, or your own; None: every connector sees the limit in full.
        """
        self._keep_sharing((strategy, fuse))
        feature = self._features.smart_charging
        if feature is not None:
            feature.limits.sharing, feature.limits.fuse = strategy, fuse
            feature.limits.refresh()

    async def set_charging_profile(self, connector_id: int, profile: Mapping[str, Any]) -> ChargingProfileStatus:
        """What SetChargingProfile does, asked for by the host; returns once the profile is on disk and in force.

        profile: csChargingProfiles as on the wire. Raises ValueError for a payload that breaks the schema and for an
        unknown connector; StoreError if it could not be stored in time (StoreTimeout), though then it is in force.
        """
        feature = self._smart_charging
        request = {"connectorId": connector_id, "csChargingProfiles": dict(profile)}
        validate("SetChargingProfile", "request", request)
        try:
            reply = await feature.set_charging_profile(deepcopy(request))  # what is installed is nobody else's
        except Refusal as refusal:
            raise ValueError(str(refusal)) from refusal
        except trio.TooSlowError as slow:
            raise StoreError("the charging profile could not be stored in time") from slow
        if reply.then is not None:
            reply.then()
        return ChargingProfileStatus(reply.payload["status"])

    async def clear_charging_profiles(
        self,
        *,
        profile_id: int | None = None,
        connector_id: int | None = None,
        purpose: str | None = None,
        stack_level: int | None = None,
    ) -> int:
        """What ClearChargingProfile does, asked for by the host; returns how many were removed."""
        feature = self._smart_charging
        found = feature.profiles.installed.matching(
            profile_id=profile_id, connector_id=connector_id, purpose=purpose, stack_level=stack_level
        )
        if found:
            feature.profiles.remove(found)
            feature.changed({profile.connector_id for profile in found})
        await self.stored()
        return len(found)
