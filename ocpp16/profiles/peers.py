"""What features ask of one another, each as a Protocol: none of them imports another one.

Who implements one is named in it; `base.Others` has those that any feature may ask for.
"""

from collections.abc import Awaitable, Callable, Mapping
from enum import Enum, auto
from typing import NamedTuple, Protocol

from ocpp16.enums import FirmwareStatusEnumType, ReservationCheckStatus
from ocpp16.models import DataTransferResponse, FirmwareUpdate, Measurement, SignedMeterValue
from ocpp16.prices import TariffMessage
from ocpp16.profiles.context import Payload
from ocpp16.state.connector_table import ConnectorEvent
from ocpp16.state.transaction import Transaction


class Reporter(Protocol):
    """What a feature that changes the status of connectors asks of `availability`."""

    @property
    def sessions(self) -> Mapping[int, str]:
        """Connector → the session that is there."""
        ...

    def submit(self, connector_id: int, event: ConnectorEvent, info: str | None = None) -> None: ...

    @property
    def is_behind_with_commands(self) -> bool:
        """Are there connectors that the station is yet to be told to enable or disable?"""
        ...

    def withhold(self) -> None:
        """Until `release` no connector is in service: those without a transaction from now on, or from the start that
        is to come, the others when it has ended (`withhold` again). What ChangeAvailability asks for is kept, and holds
        afterwards."""
        ...

    def release(self) -> None:
        """Those that are to be in service are, as the end of `withhold`."""
        ...


class MeterReports(Protocol):
    """What features that look at the meter ask of `meter_values`."""

    on_measured: Callable[[int, Measurement], None] | None
    """Told each reading that the station tells of; None: nobody wants to know."""

    def present(self, connector_id: int) -> Measurement | None: ...

    def report(self, connector_id: int, measurands: tuple[str, ...]) -> bool: ...


class UserPriceKeeper(Protocol):
    """What `authorization` asks of the feature that shows prices."""

    async def tariff(self, id_tag: str, *, was_asked: bool) -> TariffMessage | None: ...


class FirmwareKeeper(Protocol):
    """What the features that answer the Central System ask of `firmware_updates`."""

    @property
    def status(self) -> FirmwareStatusEnumType: ...

    @property
    def request_id(self) -> int | None: ...

    async def take(self, update: FirmwareUpdate, by: float, *, cancels: bool = False) -> "Taken": ...

    def begin(self) -> None: ...

    def report(self, *, is_signed: bool) -> None: ...


class Taken(Enum):
    """What became of an update that the Central System asked for."""

    ALONE = auto()
    IN_PLACE = auto()
    """An earlier one was given up for it."""
    REFUSED = auto()
    """The earlier one cannot be given up any more."""


class OfflineCheck(Protocol):
    """What a feature asks of `authorization`."""

    def accepts_offline(self, id_tag: str) -> bool:
        """Does what is known here let this id tag charge while nobody can be asked? (OCPP 1.6 ed. 2 §3.5)"""
        ...


class Carried(NamedTuple):
    """What a DataTransfer is answered with, and what is to happen once the answer has left."""

    response: DataTransferResponse
    then: Callable[[], None] | None = None


class Carrier(Protocol):
    """What a feature that travels in DataTransfer asks of `data_transfer`."""

    def carry(
        self, vendor_id: str, handlers: "Mapping[str | None, Callable[[str | None], Awaitable[Carried]]]"
    ) -> None:
        """Answer these messages of a vendor, before what the host registered; none: no more of it."""
        ...


class Collected(NamedTuple):
    """What was collected for the transactionData of a StopTransaction."""

    entries: list[Payload]
    clock_boots: tuple[int, ...] = ()
    """How the times of each entry are marked; empty: all as those of the StopTransaction."""


class MeterSampler(Protocol):
    """What transactions ask of `meter_values`."""

    def begin(self, transaction: Transaction, signed: SignedMeterValue | None) -> None: ...

    def resume(self, transaction: Transaction) -> None: ...

    def end(
        self,
        transaction: Transaction,
        signed: SignedMeterValue | None,
        meter_stop: int,
        at: int,
        clock_boot: int,
        *,
        is_recovered: bool,
        signed_begin: SignedMeterValue | None = None,
    ) -> Collected: ...

    def register(self, connector_id: int) -> tuple[int, float] | None: ...


class ReservationCheck(Protocol):
    """What a remote start asks of `reservation`."""

    def check(self, connector_id: int, id_tag: str) -> ReservationCheckStatus: ...


class RemoteStartProfiles(Protocol):
    """What a remote start asks of `smart_charging`."""

    def accepts_remote_start(self, connector_id: int | None, profile: Payload) -> bool: ...

    def expect_start(self, connector_id: int, id_tag: str, profile: Payload) -> None: ...
