"""What the charge point asks of the hardware: one Protocol per feature profile.

Method names are libocpp's callbacks without `register_` and `_callback`. Async methods are awaited under
`StationTimeout` (30 s); one that overruns, raises, or answers something of another type, yields the safe answer its
docstring names. A method that blocks the thread, or shields itself from cancellation, defeats this. A station method
must not wait for the Central System: what takes longer is told later by one of the `ChargePoint.on_…` handlers.

What is asked of a connector reaches it in the order in which it was accepted: a method that takes its time delays what
comes after it on the same connector, and nothing else. A station may have a method `attach(charge_point)`, which is
called once, when the charge point is opened.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from ocpp16.enums import (
    Reason,
    ReservationCheckStatus,
    ReservationStatus,
    ResetType,
    UnlockStatus,
    UpdateFirmwareStatusEnumType,
)
from ocpp16.models import (
    ChargingLimit,
    DataTransferResponse,
    FirmwareUpdate,
    GetLogResponse,
    LogRequest,
    Measurement,
)
from ocpp16.prices import DisplayMessage, RunningCost, TariffMessage


class CoreStation(Protocol):
    """The questions of the Core profile (OCPP 1.6 ed. 2 §4, §5)."""

    def measurement(self, connector_id: int) -> Measurement | None:
        """The meter's values now, or None: the last ones told by `on_meter_values` are used, if none is newer.

        Called in the moment of sampling, so it must return at once and not block: not async. A `timestamp` of None is
        now. One that raises, or gives no Measurement, is as good as None. Connector 0, the main meter, is asked for by
        a trigger, and for clock-aligned values once `on_meter_values(0, …)` told of it.
        """
        ...

    async def enable_evse(self, connector_id: int) -> object:
        """Put the connector into service, then call `on_enabled`. The result is not used.

        Asked at each start, too, and where it was to go out of service and is not to any more: tell `on_enabled` also
        where there is nothing to do.
        """
        ...

    async def disable_evse(self, connector_id: int) -> object:
        """Take the connector out of service, then call `on_disabled`. The result is not used."""
        ...

    async def pause_charging(self, connector_id: int) -> object:
        """Stop giving energy, then call `on_suspend_charging_evse`: the Central System refused the id tag, and what
        MaxEnergyOnInvalidId leaves it is used up. The result is not used."""
        ...

    async def provide_token(self, id_tag: str, connectors: Sequence[int], prevalidated: bool) -> None:
        """A remote start was accepted, or a car came for which nobody needs a card (FreeVendActive): treat `id_tag` as
        presented for one of `connectors`.

        With `prevalidated` it needs no authorization (AuthorizeRemoteTxRequests is false).
        """
        ...

    async def stop_transaction(self, connector_id: int, reason: Reason) -> object:
        """Stop the transaction, then call `on_transaction_stopped` with this reason. The result is not used."""
        ...

    async def unlock_connector(self, connector_id: int) -> UnlockStatus:
        """Stop a running transaction, then release the cable lock. Safe answer: UnlockFailed.

        Also called, its answer not used, when a transaction was stopped with EVDisconnected and
        UnlockConnectorOnEVSideDisconnect is true.
        """
        ...

    async def is_reset_allowed(self, kind: ResetType) -> bool:
        """May the charge point be reset now? Safe answer: False."""
        ...

    async def reset(self, kind: ResetType) -> object:
        """All transactions are stopped, or do not stop in time: restart now.

        False, an exception, or silence for StationTimeout seconds is a reset that failed: it is asked for again as
        often as ResetRetries says, each time after a minute. It may call `ChargePoint.stop` and `restart`.
        """
        ...

    async def set_system_time(self, time: datetime) -> None:
        """The Central System told the time (BootNotification or Heartbeat)."""
        ...

    async def set_connection_timeout(self, seconds: int) -> None:
        """ConnectionTimeOut, at the start and at every change."""
        ...

    async def data_transfer(self, vendor_id: str, message_id: str | None, data: str | None) -> DataTransferResponse:
        """A DataTransfer for which no handler was registered. Safe answer: UnknownVendorId."""
        ...


@runtime_checkable
class ReservationStation(Protocol):
    """The questions of the Reservation profile (OCPP 1.6 ed. 2 §5.1, §5.13), to a station that keeps them itself.

    It tells `on_reservation_start` and `on_reservation_end`, sees to the expiry, to replacement by the same id and to
    parent ids, and names the `reservation_id` in `on_transaction_started`. For a station with none of these methods the
    library keeps them (`charge_point.for_station.reservations`).
    """

    async def reserve_now(
        self, reservation_id: int, connector_id: int, expiry_date: datetime, id_tag: str, parent_id_tag: str | None
    ) -> ReservationStatus:
        """Keep a connector (0: any one) for `id_tag`, or one with that parent, until `expiry_date`. Safe answer:
        Rejected.

        Not asked for a connector that is unknown, faulted, occupied or out of service, for connector 0 without
        ReserveConnectorZeroSupported, or for a time that is past. If it is cancelled, because it took too long, nothing
        must be reserved.
        """
        ...

    async def cancel_reservation(self, reservation_id: int) -> bool:
        """End a reservation; False if there is none of this id. Safe answer: False."""
        ...

    async def is_token_reserved_for_connector(self, connector_id: int, id_tag: str) -> ReservationCheckStatus:
        """May `id_tag` have this connector? Asked at a remote start for connectors that are Reserved. Safe answer:
        ReservedForOtherToken."""
        ...


@runtime_checkable
class SmartChargingStation(Protocol):
    """The questions of the Smart Charging profile (OCPP 1.6 ed. 2 §3.13). A station without them charges unlimited, and
    the feature profile is not announced."""

    def charging_limit_changed(self, connector_id: int, limit: ChargingLimit) -> None:
        """The connector may draw so much from now on; a limit of 0 suspends it.

        Called for each of the connectors 1 to n at the start, and in the moment of every change, so it must return at
        once and not block. A `limit.limit` of None: nothing limits it.
        """
        ...

    async def signal_set_charging_profiles(self) -> None:
        """Profiles were set or cleared, or count otherwise: fetch composite schedules anew, if you use them."""
        ...


@runtime_checkable
class FirmwareStation(Protocol):
    """The questions of the Firmware Management profile (OCPP 1.6 ed. 2 §6.19, §6.25). A station without them takes no
    firmware, and the feature profile is not announced.

    Who does what: the charge point keeps the update over restarts, waits for its date, puts the connectors out of
    service and back, and tells the Central System. The station transfers the file, with all its attempts, checks and
    installs it, and tells how far it is by `on_firmware_update_status_notification`: Downloading, Downloaded (then, of
    signed firmware, SignatureVerified), Installing, Installed, and DownloadFailed once the last attempt has failed.
    """

    async def update_firmware(self, update: FirmwareUpdate) -> object:
        """Begin to fetch the firmware in a task of your own, and return. The result is not used.

        Called when the retrieve date has come, of signed firmware too; and at each start while the update goes on: then
        `update.status` is what was told last, and you go on from there, with what is left of the file. An exception, or
        no return within StationTimeout: the update has failed, and the Central System is told so.
        """
        ...

    async def cancel_firmware_update(self, request_id: int) -> bool:
        """A newer update is to take the place of this one: give it up, and tell nothing more of it. False: it cannot be
        given up any more, as while it is installed; then the newer one is refused. Safe answer: False."""
        ...

    async def all_connectors_unavailable(self) -> object:
        """The firmware is there (signed: it is verified), no transaction runs, and every connector was put out of
        service: install it, if you do not choose a moment of your own. Called once for an update, and once more in a
        start that finds it there. The result is not used."""
        ...

    async def upload_diagnostics(self, request: LogRequest) -> GetLogResponse:
        """Upload the diagnostics in a task of your own, in place of an upload that still runs for the same method, and
        tell how far it is by `on_log_status_notification(-1, …)`. Safe answer: Rejected, which has no file name.

        Asked again at a start that finds an upload without its end.
        """
        ...


@runtime_checkable
class SecurityStation(FirmwareStation, Protocol):
    """What the security white paper asks for besides, of a station that is a FirmwareStation as well."""

    async def signed_update_firmware(self, update: FirmwareUpdate) -> UpdateFirmwareStatusEnumType:
        """Is this update wanted? Its signing certificate is valid; of a certificate of yours that is revoked nobody but
        you knows. Safe answer: Rejected.

        Nothing is to be fetched yet: `update_firmware` follows when the retrieve date has come. Accepted and
        AcceptedCanceled mean the same: what becomes of an earlier update is asked by `cancel_firmware_update`.
        """
        ...

    async def upload_logs(self, request: LogRequest) -> GetLogResponse:
        """Upload a log as `upload_diagnostics`, and tell how far it is by `on_log_status_notification(request_id, …)`.
        Safe answer: Rejected.

        Accepted and AcceptedCanceled mean the same: whether an earlier upload was under way the charge point knows.
        """
        ...


@runtime_checkable
class PricingStation(Protocol):
    """What the California pricing note asks of a station that shows prices, active by CustomDisplayCostAndPrice. A
    station without them can charge as any other: the Central System is told that it shows nothing."""

    async def tariff_message(self, message: TariffMessage) -> DataTransferResponse:
        """Show this price to the driver it is for: the Central System set it (SetUserPrice), or, where it sent none for
        an id tag that may charge, the default price. Safe answer: Rejected; of the default price it is not used."""
        ...

    async def session_cost(self, cost: RunningCost, number_of_decimals: int) -> DataTransferResponse:
        """Show what a session costs so far, or, with the state Finished, in the end:
        `cost.displayed(number_of_decimals)`. With `is_estimate` it is calculated here, and the answer not used. Safe
        answer: Rejected; the meter reports that came with a cost are made only where it is Accepted."""
        ...

    async def default_price(self, message: TariffMessage) -> object:
        """The price for whoever comes is this one from now on: at the start, with and without a connection, and when
        it was changed. The result is not used."""
        ...


@runtime_checkable
class DisplayStation(Protocol):
    """What a station with a display has besides."""

    async def set_display_message(self, messages: Sequence[DisplayMessage]) -> DataTransferResponse:
        """Show these texts, and a QR code, with the final cost that `session_cost` has just told. Safe answer:
        Rejected, which is the answer to the FinalCost then."""
        ...
