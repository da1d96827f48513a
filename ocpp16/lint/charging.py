"""Charging profiles and schedules (OCPP 1.6 §3.13, §7.8, §7.13)."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, ClassVar

from ocpp16.lint.docket import Docket
from ocpp16.lint.exchange import Asked
from ocpp16.lint.frame import Frame
from ocpp16.lint.members import part, rows, text, whole
from ocpp16.lint.subject import OnAnswer, OnCall, Subject


class Charging(Subject):
    __slots__ = ()

    def setting(self, docket: Docket, asked: Asked) -> None:
        profile = part(asked.payload, "csChargingProfiles")
        connector_id, purpose = whole(asked.payload, "connectorId"), text(profile, "chargingProfilePurpose")
        if purpose == "ChargePointMaxProfile" and connector_id not in (0, None):
            docket.tell("profile-connector", f"a ChargePointMaxProfile for connector {connector_id}", asked.frame)
        elif purpose == "TxProfile" and connector_id == 0:
            docket.tell("profile-connector", "a TxProfile for connector 0", asked.frame)
        _check_profile(docket, asked.frame, profile)

    def remote_start(self, docket: Docket, asked: Asked) -> None:
        profile = part(asked.payload, "chargingProfile")
        if profile and text(profile, "chargingProfilePurpose") not in ("TxProfile", None):
            docket.tell("profile-connector", "a remote start brings another profile than a TxProfile", asked.frame)
        _check_profile(docket, asked.frame, profile)

    def composed(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        if text(frame.payload, "status") != "Accepted":
            return
        schedule = part(frame.payload, "chargingSchedule")
        if not schedule:
            docket.tell("schedule-missing", "GetCompositeSchedule is Accepted without a chargingSchedule", frame)
        else:
            _check_periods(docket, frame, schedule)

    ON_CALL: ClassVar[Mapping[str, OnCall]] = {"SetChargingProfile": setting, "RemoteStartTransaction": remote_start}
    ON_RESULT: ClassVar[Mapping[str, OnAnswer]] = {"GetCompositeSchedule": composed}


def _check_profile(docket: Docket, frame: Frame, profile: dict[str, Any]) -> None:
    if text(profile, "chargingProfileKind") == "Recurring" and "recurrencyKind" not in profile:
        docket.tell("periods", "a Recurring profile does not say how it recurs", frame)
    schedule = part(profile, "chargingSchedule")
    if schedule:
        _check_periods(docket, frame, schedule)


def _check_periods(docket: Docket, frame: Frame, schedule: dict[str, Any]) -> None:
    starts = [whole(period, "startPeriod") for period in rows(schedule, "chargingSchedulePeriod")]
    if starts and starts[0] not in (0, None):
        docket.tell("periods", f"the first period starts at {starts[0]} s, not at 0", frame)
    elif any(before is not None and after is not None and after <= before for before, after in pairwise(starts)):
        docket.tell("periods", "the starts of the periods do not rise", frame)
