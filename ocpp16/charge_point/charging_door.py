"""`charge_point.smart_charging`: what connectors may draw, by which charging profiles, and how a host changes that."""

from collections.abc import Mapping
from typing import Any, Literal, cast

from ocpp16 import messages
from ocpp16.charge_point.runtime import Runtime
from ocpp16.charge_point.station_check import is_async_function
from ocpp16.codec import validate
from ocpp16.ctrl_c import only_at_waits
from ocpp16.enums import ChargingProfilePurposeType, ChargingProfileStatus, ChargingRateUnitType
from ocpp16.errors import FeatureNotBuilt, Refusal
from ocpp16.models import ChargingLimit
from ocpp16.profiles.smart_charging import SmartCharging
from ocpp16.schedule import CompositeSchedule, InstalledProfiles, Limit
from ocpp16.schedule.sharing import Strategy
from ocpp16.values import described, document, finite, member, whole


@only_at_waits
class ChargingDoor:
    """Made anew each time it is asked for."""

    __slots__ = ("_runtime",)

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @property
    def _feature(self) -> SmartCharging:
        """For every method: thread and end come first."""
        self._runtime.guard.check()
        return _built(self._runtime.features.smart_charging)

    @property
    def is_built(self) -> bool:
        """Is the feature profile built? Without, all else here raises FeatureNotBuilt."""
        return self._runtime.features.smart_charging is not None

    @property
    def charging_profiles(self) -> InstalledProfiles:
        """The installed charging profiles; to be looked at, not changed."""
        return _built(self._runtime.features.smart_charging).profiles.installed

    def charging_limit(self, connector_id: int) -> ChargingLimit:
        """What a connector may draw now, and until when; `limit` is None where nothing limits it.

        Connector 0: what all of them together may. The station is told every change by `charging_limit_changed`.
        """
        return self._feature.limits.limit(self._runtime.guard.connector(connector_id, 0))

    def explain_limit(self, connector_id: int) -> Limit:
        """Which charging profile, stack level, purpose and conversion make the limit of a connector, before sharing."""
        return self._feature.limits.explained(self._runtime.guard.connector(connector_id, 0))

    def composite_schedule(self, connector_id: int, duration: int, unit: Literal["A", "W"] = "A") -> CompositeSchedule:
        """The composite schedule from now on: `periods` as GetCompositeSchedule has them, `steps` with what made them.

        duration: seconds. Limits are not rounded. Raises ValueError for an unknown connector or unit, and for what is
        no duration.
        """
        limits = self._feature.limits
        return limits.composite(
            self._runtime.guard.connector(connector_id, 0), whole(duration, "duration", 0), _unit(unit)
        )

    def get_all_composite_charging_schedules(
        self, duration_s: int, unit: Literal["A", "W"] = "A"
    ) -> dict[int, CompositeSchedule]:
        """The composite schedule of every connector, 0 included, from now on. Raises as `composite_schedule`."""
        limits = self._feature.limits
        seconds, rate_unit = whole(duration_s, "duration_s", 0), _unit(unit)
        return {number: limits.composite(number, seconds, rate_unit) for number in sorted(self._runtime.ctx.connectors)}

    def get_all_enhanced_composite_charging_schedules(
        self, duration_s: int, unit: Literal["A", "W"] = "A"
    ) -> dict[int, CompositeSchedule]:
        """The same schedules: their `steps` name profile, stack level and conversion (libocpp has two forms)."""
        return self.get_all_composite_charging_schedules(duration_s, unit)

    def share_limits(self, strategy: Strategy | None, fuse: float | None = None) -> None:
        """Split a ChargePointMaxProfile, and a fuse (A per phase), over the connectors that charge.

        strategy: one of `ocpp16.schedule.sharing`, or your own; None: every connector sees a ChargePointMaxProfile in
        full. A fuse is held in any case: in equal parts where there is no strategy, or where it fails or makes no
        sense.
        Raises ValueError for a strategy that cannot be called, or a fuse that is no number from 0 on, FeatureNotBuilt
        where nothing would hold it.
        """
        limits = self._feature.limits
        if strategy is not None and (not callable(strategy) or is_async_function(strategy)):
            raise ValueError(f"strategy must be a function that is not async, or None, not {described(strategy)}")
        if fuse is not None and finite(fuse, "fuse") < 0:
            raise ValueError(f"fuse must not be negative, and is {fuse} A")
        self._runtime.sharing = (strategy, fuse)
        limits.share(strategy, fuse)

    async def set_charging_profile(self, connector_id: int, profile: Mapping[str, Any]) -> ChargingProfileStatus:
        """What SetChargingProfile does, asked for by the host; returns once the profile is on disk and in force.

        profile: csChargingProfiles as on the wire. Raises ValueError for a payload that breaks the schema and for an
        unknown connector; StoreError if it could not be stored within StoreTimeout, ChargePointStopped if the charge
        point is stopped before. Then, and when it is cancelled, nothing has changed.
        """
        feature = self._feature
        request = self._profile_request(connector_id, profile)
        try:
            reply = await feature.set_charging_profile(cast("messages.SetChargingProfileRequest", request))
        except Refusal as refusal:
            raise ValueError(str(refusal)) from refusal
        return ChargingProfileStatus(reply.payload["status"])

    def charging_profile_problem(self, connector_id: int, profile: Mapping[str, Any]) -> str:
        """Why `set_charging_profile` would be Rejected now, in words; empty if nothing speaks against it.

        Raises ValueError as that does.
        """
        feature = self._feature
        request = self._profile_request(connector_id, profile)
        problem = feature.problem(request["connectorId"], request["csChargingProfiles"])
        return "" if problem is None else str(problem)

    def _profile_request(self, connector_id: int, profile: Mapping[str, Any]) -> dict[str, Any]:
        """The SetChargingProfile.req that the host means, with a profile of its own: the host may change theirs."""
        number = self._runtime.guard.connector(connector_id, 0)
        request = {"connectorId": number, "csChargingProfiles": document(profile, "profile")}
        validate("SetChargingProfile", "request", request)
        return request

    async def clear_charging_profiles(
        self,
        *,
        profile_id: int | None = None,
        connector_id: int | None = None,
        purpose: str | None = None,
        stack_level: int | None = None,
    ) -> int:
        """What ClearChargingProfile does, asked for by the host; returns how many were removed, once it is on disk.

        Raises ValueError for what no profile can have, StoreError if it could not be stored within StoreTimeout,
        ChargePointStopped if the charge point is stopped before; then nothing has changed.
        """
        feature = self._feature
        found = feature.profiles.installed.matching(
            profile_id=None if profile_id is None else whole(profile_id, "profile_id"),
            connector_id=None if connector_id is None else self._runtime.guard.connector(connector_id, 0),
            purpose=None if purpose is None else member(ChargingProfilePurposeType, purpose, "purpose"),
            stack_level=None if stack_level is None else whole(stack_level, "stack_level"),
        )
        return await feature.profiles.clear(found, feature.changed)


def _built(feature: SmartCharging | None) -> SmartCharging:
    if feature is None:
        raise FeatureNotBuilt("smart charging is not built in: SupportedFeatureProfiles or the station lacks it")
    return feature


def _unit(unit: Any) -> Literal["A", "W"]:
    return "W" if member(ChargingRateUnitType, unit, "unit") is ChargingRateUnitType.W else "A"
