"""What the charge point asks of the hardware: one Protocol per feature profile.

Method names are libocpp's callbacks without `register_` and `_callback`. Async methods are awaited under
`StationTimeout` (30 s); one that overruns, or raises, yields the safe answer its docstring names. A method that blocks
the thread, or shields itself from cancellation, defeats this. A station method must not wait for the Central System:
what takes longer is told later by one of the `ChargePoint.on_…` handlers.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from ocpp16.enums import Reason, ResetType, UnlockStatus
from ocpp16.models import ChargingLimit, DataTransferResponse, Measurement


class CoreStation(Protocol):
    """The questions of the Core profile (OCPP 1.6 ed. 2 §4, §5)."""

    def measurement(self, connector_id: int) -> Measurement | None:
        """The meter's values now, or None: the last ones told by `on_meter_values` are used.

        Called in the moment of sampling, so it must return at once and not block.
        """
        ...

    async def enable_evse(self, connector_id: int) -> bool:
        """Put the connector into service, then call `on_enabled`. The result is not used."""
        ...

    async def disable_evse(self, connector_id: int) -> bool:
        """Take the connector out of service, then call `on_disabled`. The result is not used."""
        ...

    async def pause_charging(self, connector_id: int) -> bool:
        """Stop giving energy: the Central System refused the id tag. Call `on_suspend_charging_evse`."""
        ...

    async def provide_token(self, id_tag: str, connectors: Sequence[int], prevalidated: bool) -> None:
        """A remote start was accepted: treat `id_tag` as presented for one of `connectors`.

        With `prevalidated` it needs no authorization (AuthorizeRemoteTxRequests is false).
        """
        ...

    async def stop_transaction(self, connector_id: int, reason: Reason) -> bool:
        """Stop the transaction, then call `on_transaction_stopped` with this reason. Safe answer: False."""
        ...

    async def unlock_connector(self, connector_id: int) -> UnlockStatus:
        """Stop a running transaction, then release the cable lock. Safe answer: UnlockFailed."""
        ...

    async def is_reset_allowed(self, kind: ResetType) -> bool:
        """May the charge point be reset now? Safe answer: False."""
        ...

    async def reset(self, kind: ResetType) -> None:
        """All transactions are stopped: restart now."""
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
