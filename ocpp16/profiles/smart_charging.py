"""SetChargingProfile, ClearChargingProfile, GetCompositeSchedule, and a profile that comes with a remote start
(OCPP 1.6 ed. 2 §3.13, §5.4, §5.7, §5.11, §5.16).

The checks and the arithmetic are `ocpp16.schedule`; here is when they are asked, what is kept, and who is told.
"""

from collections.abc import Collection
from functools import partial
from typing import ClassVar, Self, cast

from ocpp16 import messages
from ocpp16.configuration.keys import core, internal, smart_charging
from ocpp16.enums import (
    ChargingProfileStatus,
    ChargingRateUnitType,
    ClearChargingProfileStatus,
    GetCompositeScheduleStatus,
)
from ocpp16.errors import Refusal
from ocpp16.observer import ChargingProfilesChanged
from ocpp16.profiles.answer_first import AnswerFirst
from ocpp16.profiles.base import Context, FeatureProfile, Others, Payload, Reply, Stored, hears, on
from ocpp16.profiles.charging_limits import AskedChargingStation, ChargingLimits
from ocpp16.profiles.charging_profiles import UNIT_OF, ChargingProfiles, stored_profiles
from ocpp16.profiles.composite_answer import fitted
from ocpp16.profiles.expected_starts import ExpectedStarts
from ocpp16.profiles.schedule_keys import SCHEDULE_KEYS
from ocpp16.schedule import (
    CompiledProfile,
    ProfileProblem,
    check_profile,
    check_remote_start,
    check_transaction,
    with_start_schedule,
)
from ocpp16.state.signals import (
    ClockSet,
    ConfigurationChanged,
    Connected,
    Disconnected,
    IdTagDecided,
    RegistrationChanged,
    TransactionEnded,
    TransactionIdAssigned,
    TransactionStarted,
)
from ocpp16.station import SmartChargingStation

_LIMITING_KEYS = frozenset(
    {smart_charging.CHARGING_SCHEDULE_ALLOWED_CHARGING_RATE_UNIT.name, *(key.name for key in SCHEDULE_KEYS.values())}
)
"""Those that change what limits come to."""
_OVERHEAD = 400
"""Bytes of a GetCompositeSchedule.conf frame without its periods, generously."""


class SmartCharging(FeatureProfile):
    """Installs and clears charging profiles and reports what they come to."""

    __slots__ = ("_expected", "_ignored", "_station", "limits", "profiles")

    name = "SmartCharging"
    protocol: ClassVar[type | None] = SmartChargingStation

    def __init__(
        self, ctx: Context, profiles: ChargingProfiles, limits: ChargingLimits, station: AskedChargingStation
    ) -> None:
        super().__init__(ctx)
        self.profiles: ChargingProfiles = profiles
        self.limits: ChargingLimits = limits
        self._station = station
        self._expected: ExpectedStarts | None = None
        """Made with the first one."""
        self._ignored: tuple[str, ...] = ()

    @classmethod
    def build(cls, ctx: Context, others: Others) -> Self:
        profiles = ChargingProfiles(ctx)
        station = AskedChargingStation(ctx.station.host)
        return cls(ctx, profiles, ChargingLimits(ctx, profiles, station), station)

    def restore(self, stored: Stored) -> None:
        self.profiles.restore(stored_profiles(stored))

    def start(self) -> None:
        self.profiles.drop_orphans()
        self._ignored = self.profiles.ignored
        self.limits.start()

    def stop(self) -> None:
        self.limits.stop()
        if self._expected is not None:
            self._expected.stop()

    # Requests

    @on("SetChargingProfile")
    async def set_charging_profile(
        self, request: "messages.SetChargingProfileRequest"
    ) -> "Reply[messages.SetChargingProfileResponse]":
        connector_id, profile = request["connectorId"], cast(Payload, request["csChargingProfiles"])
        problem = self.problem(connector_id, profile)
        if problem is not None:
            return self._refused(profile, problem)
        transaction = self.ctx.transactions.running(connector_id)
        compiled = self._compiled(connector_id, profile)
        is_tx_profile = compiled.purpose == "TxProfile"
        with AnswerFirst(self.ctx):
            is_installed = await self.profiles.install(compiled, transaction if is_tx_profile else None, self.changed)
        if not is_installed:
            return self._refused(profile, ProfileProblem("chargingProfileId", "came too late: what it was for is gone"))
        return Reply({"status": str(ChargingProfileStatus.ACCEPTED)})

    def problem(self, connector_id: int, profile: Payload) -> ProfileProblem | None:
        """Why SetChargingProfile would be refused now; `profile` fits its schema."""
        problem = check_profile(connector_id, profile, self.profiles.rules)
        if problem is None:
            problem = check_transaction(profile, self.profiles.running([connector_id]).get(connector_id))
        if problem is None and not self.profiles.has_room_for(self._compiled(connector_id, profile)):
            problem = ProfileProblem("chargingProfileId", "finds no room")
        return problem

    def _refused(self, profile: Payload, problem: ProfileProblem) -> "Reply[messages.SetChargingProfileResponse]":
        self.ctx.log.info("charging profile refused: %s", problem)
        if problem.code is not None:
            raise Refusal(problem.code, str(problem))
        return Reply({"status": str(ChargingProfileStatus.REJECTED)})

    def _compiled(self, connector_id: int, profile: Payload) -> CompiledProfile:
        if self.ctx.configuration[internal.ALLOW_CHARGING_PROFILE_WITHOUT_START_SCHEDULE]:
            profile = with_start_schedule(profile, self.ctx.time_text(self.ctx.clock.now()))
        return CompiledProfile(connector_id, profile)

    @on("ClearChargingProfile")
    async def clear_charging_profile(
        self, request: "messages.ClearChargingProfileRequest"
    ) -> "Reply[messages.ClearChargingProfileResponse]":
        found = self.profiles.installed.matching(
            profile_id=request.get("id"),
            connector_id=request.get("connectorId"),
            purpose=request.get("chargingProfilePurpose"),
            stack_level=request.get("stackLevel"),
        )
        if not found and request:
            return Reply({"status": str(ClearChargingProfileStatus.UNKNOWN)})
        with AnswerFirst(self.ctx):
            await self.profiles.clear(found, self.changed)
        return Reply({"status": str(ClearChargingProfileStatus.ACCEPTED)})

    @on("GetCompositeSchedule")
    def get_composite_schedule(
        self, request: "messages.GetCompositeScheduleRequest"
    ) -> "messages.GetCompositeScheduleResponse":
        connector_id, duration = request["connectorId"], request["duration"]
        allowed = self.ctx.configuration[smart_charging.CHARGING_SCHEDULE_ALLOWED_CHARGING_RATE_UNIT]
        units = [UNIT_OF[word] for word in allowed]
        unit = request.get("chargingRateUnit", units[0] if units else ChargingRateUnitType.A)
        if connector_id not in self.ctx.connectors or unit not in units or duration < 0:
            return {"status": str(GetCompositeScheduleStatus.REJECTED)}
        schedule = fitted(
            partial(self.limits.composite, connector_id, unit="W" if unit == "W" else "A", at=self.ctx.clock.now()),
            duration,
            most_bytes=self.ctx.configuration[internal.MAX_MESSAGE_SIZE] - _OVERHEAD,
        )
        return {
            "status": str(GetCompositeScheduleStatus.ACCEPTED),
            "connectorId": connector_id,
            "scheduleStart": self.ctx.time_text(schedule.start_micros),
            "chargingSchedule": cast("messages.ChargingSchedule", schedule.charging_schedule),
        }

    # A profile that comes with a remote start (§5.11; errata 3.41, 3.42)

    def accepts_remote_start(self, connector_id: int | None, profile: Payload) -> bool:
        """Could this profile be installed for the transaction that is to be started?"""
        problem = (
            ProfileProblem("connectorId", "is needed with a chargingProfile")
            if connector_id is None
            else check_remote_start(profile, self.profiles.rules)
        )
        if problem is None and connector_id is not None:
            compiled = self._compiled(connector_id, profile)
            if not self.profiles.has_room_for(compiled):
                problem = ProfileProblem("chargingProfileId", "finds no room")
        if problem is not None:
            self.ctx.log.info("charging profile of a remote start refused: %s", problem)
        return problem is None

    def expect_start(self, connector_id: int, id_tag: str, profile: Payload) -> None:
        """Keep the profile until the transaction of this request starts, or cannot any more; see ExpectedStarts.

        A repeat of the request without a profile does not lift the limit.
        """
        if self._expected is None:
            self._expected = ExpectedStarts(self.ctx)
        self._expected.expect(connector_id, id_tag, profile)

    # What happens

    @hears(IdTagDecided)
    def _id_tag_decided(self, signal: IdTagDecided) -> None:
        if self._expected is not None:
            self._expected.decided(signal.id_tag, is_accepted=signal.is_accepted)

    @hears(TransactionStarted)
    def _transaction_started(self, signal: TransactionStarted) -> None:
        transaction = signal.transaction
        connector_id, profile = transaction.connector_id, None
        if self._expected is not None:
            profile = self._expected.started(connector_id, transaction.id_tag)
        if profile is not None:
            compiled = self._compiled(connector_id, profile)
            if self.profiles.has_room_for(compiled):
                self.changed(self.profiles.install_now(compiled, transaction))
                return
            self.ctx.log.warning("no room for the charging profile of a remote start")
        self.limits.transaction_changed(connector_id)

    @hears(TransactionIdAssigned)
    def _transaction_known(self, signal: TransactionIdAssigned) -> None:
        if signal.transaction.is_running:
            self.limits.transaction_changed(signal.transaction.connector_id)

    @hears(TransactionEnded)
    def _transaction_ended(self, signal: TransactionEnded) -> None:
        connector_id = signal.transaction.connector_id
        if connector_id not in self.ctx.connectors or self.ctx.transactions.is_running_at(connector_id):
            return  # of a later one there, which a start found too
        if self.profiles.remove_transaction(connector_id):
            self.changed((connector_id,))
        else:
            self.limits.transaction_changed(connector_id)

    @hears(Connected, Disconnected)
    def _connection_changed(self, signal: Connected | Disconnected) -> None:
        self._look_what_counts()

    @hears(RegistrationChanged)
    def _registered(self, signal: RegistrationChanged) -> None:
        self.profiles.remove_over()
        self._look_what_counts()

    def _look_what_counts(self) -> None:
        ignored = self.profiles.ignored
        if ignored != self._ignored:
            self._ignored = ignored
            self.changed((0,))

    @hears(ClockSet)
    def _clock_set(self, signal: ClockSet) -> None:
        self.limits.clock_set()

    @hears(ConfigurationChanged)
    def _key_changed(self, signal: ConfigurationChanged) -> None:
        if signal.key in _LIMITING_KEYS:
            self.limits.refresh()
        elif signal.key == core.CONNECTION_TIME_OUT.name and self._expected is not None:
            self._expected.time_out_changed()
        self._look_what_counts()

    def changed(self, connector_ids: Collection[int]) -> None:
        """Profiles of these connectors are other ones: limits follow at once, station and observer are told."""
        self.limits.refresh(connector_ids)
        question = self._station.signal_set_charging_profiles
        self.ctx.station_side.command(
            question, connectors=("signal_set_charging_profiles",), topic="signal_set_charging_profiles"
        )
        self.ctx.tell(ChargingProfilesChanged(), 0)
