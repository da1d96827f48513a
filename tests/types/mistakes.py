"""Mistakes that users make, each refused by both type checkers.

A line that one of them would take is an error here, too: what is ignored has to be there (mypy's `warn_unused_ignores`,
pyright's `reportUnnecessaryTypeIgnoreComment`).
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from ocpp16 import ChargePoint, Configuration, DataTransferResponse, ErrorInfo, Measurement, PhaseValues, aio, blocking
from ocpp16 import open_charge_point as open_with_trio
from ocpp16.codec import Call, parse, serialize, validate
from ocpp16.configuration.keys import core
from ocpp16.enums import (
    AvailabilityStatus,
    AvailabilityType,
    ChargePointErrorCode,
    ChargePointStatus,
    DataTransferStatus,
    Reason,
    ResetType,
    SessionStartedReason,
    UnlockStatus,
)
from ocpp16.messages import AuthorizeRequest, BootNotificationRequest, IdTagInfo, StatusNotificationRequest
from ocpp16.pytest_plugin import ChargePoint as TestedChargePoint
from ocpp16.testing import CentralSystem

CONFIG = {"Core": {"NumberOfConnectors": 1}}


class Plain:
    """A station for threads. It is none for trio, where each question is awaited."""

    def measurement(self, connector_id: int) -> Measurement | None:
        return None

    def enable_evse(self, connector_id: int) -> None: ...
    def disable_evse(self, connector_id: int) -> None: ...
    def pause_charging(self, connector_id: int) -> None: ...
    def provide_token(self, id_tag: str, connectors: Sequence[int], prevalidated: bool) -> None: ...
    def stop_transaction(self, connector_id: int, reason: Reason) -> None: ...
    def unlock_connector(self, connector_id: int) -> UnlockStatus:
        return UnlockStatus.UNLOCKED

    def is_reset_allowed(self, kind: ResetType) -> bool:
        return True

    def reset(self, kind: ResetType) -> None: ...
    def set_system_time(self, time: datetime) -> None: ...
    def set_connection_timeout(self, seconds: int) -> None: ...
    def data_transfer(self, vendor_id: str, message_id: str | None, data: str | None) -> DataTransferResponse:
        return DataTransferResponse(DataTransferStatus.REJECTED)


class LacksUnlock:
    """Half a station."""

    def measurement(self, connector_id: int) -> Measurement | None:
        return None


class AnswersOtherwise(Plain):
    """Which status is it?"""

    def unlock_connector(self, connector_id: int) -> AvailabilityStatus:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return AvailabilityStatus.ACCEPTED


class AsksForMore(Plain):
    """A handler with an argument that nobody gives."""

    def stop_transaction(self, connector_id: int, reason: Reason, meter: float) -> None: ...  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]


class Deaf:
    """An observer by another name."""

    async def on_event(self, event: object) -> None: ...


def stations(config: Path) -> None:
    """What is no station."""
    open_with_trio(CONFIG, Plain())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    open_with_trio(CONFIG, LacksUnlock())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    aio.open_charge_point(CONFIG, LacksUnlock())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    aio.open_charge_point(CONFIG, AnswersOtherwise())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    aio.open_charge_point(CONFIG, Plain(), databse_path="data")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    aio.open_charge_point(CONFIG, Plain(), seed="7")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    aio.open_charge_point(CONFIG, Plain(), observer=Deaf())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    blocking.open_charge_point(CONFIG, AnswersOtherwise())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    blocking.open_charge_point(CONFIG, AsksForMore())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    blocking.open_charge_point(CONFIG, Plain(), observer=Deaf())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    blocking.open_charge_point(7, Plain())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with open_with_trio(config, Plain()):  # type: ignore[arg-type, attr-defined]  # pyright: ignore[reportArgumentType, reportGeneralTypeIssues]
        pass


def plain_handler(data: str | None) -> DataTransferResponse:
    """One for threads."""
    return DataTransferResponse(DataTransferStatus.ACCEPTED, data=data)


async def wrong_handler(vendor: str, message: str, data: str) -> DataTransferResponse:
    """It is given the data and nothing else."""
    return DataTransferResponse(DataTransferStatus.ACCEPTED, data=data)


async def handlers(charge_point: ChargePoint) -> None:
    """What is told, asked and awaited wrongly."""
    charge_point.start()  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    charge_point.stored()  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    if charge_point.authorize_id_token("CARD").is_accepted:  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        pass
    await charge_point.on_enabled(1)  # type: ignore[func-returns-value, misc]  # pyright: ignore[reportGeneralTypeIssues]
    charge_point.on_data_transfer("v", None, plain_handler)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    charge_point.on_data_transfer("v", None, wrong_handler)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    charge_point.on_session_started(1, "s", Reason.LOCAL)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    charge_point.on_session_started("1", "s", SessionStartedReason.AUTHORIZED)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    charge_point.on_transaction_stopped(1, "s", "Local", 1500)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    charge_point.on_transaction_started(1, "s", "CARD")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    charge_point.on_error(1, ErrorInfo(ChargePointStatus.FAULTED))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    charge_point.on_chnage_availability(1, AvailabilityType.OPERATIVE)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    charge_point.transaction(1).session_id  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]  # noqa: B018
    charge_point.is_running = False  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    charge_point.configuration[core.HEARTBEAT_INTERVAL].upper()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    Measurement(energy=PhaseValues(total=1.0))  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Measurement(energy_import=1000.0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Configuration.load("config.json")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def payloads() -> None:
    """What is no message."""
    boot: BootNotificationRequest = {"chargePointVendor": "V"}  # type: ignore[typeddict-item]  # pyright: ignore[reportAssignmentType]
    print(boot["chargePointSerial"])  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownArgumentType]
    asked: AuthorizeRequest = {"id_tag": "CARD"}  # type: ignore[typeddict-item, typeddict-unknown-key]  # pyright: ignore[reportAssignmentType]
    asked["idTag"] = 7  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues]
    told: StatusNotificationRequest = {
        "connectorId": 1,
        "errorCode": ChargePointErrorCode.NO_ERROR,
        "status": 1,  # type: ignore[typeddict-item]  # pyright: ignore[reportAssignmentType]
    }
    known: IdTagInfo = {"status": "Accepted", "parent": "x"}  # type: ignore[typeddict-unknown-key]  # pyright: ignore[reportAssignmentType]
    validate("Authorize", "call", known)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    validate("Authorize", "request")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    serialize(told)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    print(parse("[]").action)  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
    match parse("[]"):
        case Call(_, action, _):
            action.append("x")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        case _:
            pass


async def tests_of_others(charge_point: TestedChargePoint, csms: CentralSystem) -> None:
    """What no test can mean."""
    charge_point.plug_inn(1)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    charge_point.plug_in()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    charge_point.present_id_tag(["CARD"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    charge_point.calls("Authorize", "outgoing")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    csms.wait_for_call("Heartbeat")  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
