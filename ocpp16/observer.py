"""What the charge point tells whoever wants to know: one method, a family of frozen events.

Events of a transaction are told once they are on disk. A slow observer cannot stall the charge point: events wait in
a bounded queue, the oldest is dropped and counted (`Counters.observer_events_dropped`).
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from ocpp16.contracts import CertificateAction, ContractAuthorization, EvCertificateResponse
from ocpp16.enums import (
    ChargePointErrorCode,
    ChargePointStatus,
    Reason,
    RegistrationStatus,
    ReservationEndReason,
    ResetType,
)
from ocpp16.models import ChargingLimit, IdTagInfo, Reservation
from ocpp16.prices import DisplayMessage, RunningCost, TariffMessage


@dataclass(frozen=True, slots=True)
class ObserverEvent:
    """Base of all events."""


@dataclass(frozen=True, slots=True)
class ConnectionStateChanged(ObserverEvent):
    connected: bool
    reason: str = ""
    """Why the connection ended, or could not be made; empty when connected."""


@dataclass(frozen=True, slots=True)
class BootNotificationResponse(ObserverEvent):
    status: RegistrationStatus
    interval: int
    """Seconds: heartbeat period when accepted, else the wait before the next BootNotification."""
    current_time: datetime


@dataclass(frozen=True, slots=True)
class StatusChanged(ObserverEvent):
    """The reported state of a connector, as StatusNotification would tell it; told at once, connected or not."""

    connector_id: int
    status: ChargePointStatus
    error_code: ChargePointErrorCode
    info: str | None = None
    """What StatusNotification has as `info`; None: nothing."""


@dataclass(frozen=True, slots=True)
class TransactionStarted(ObserverEvent):
    """A transaction and its StartTransaction are on disk."""

    connector_id: int
    session_id: Hashable
    id_tag: str


@dataclass(frozen=True, slots=True)
class TransactionUpdated(ObserverEvent):
    """StartTransaction was answered. `id_tag_info.is_accepted` says whether the tag may charge."""

    connector_id: int
    session_id: Hashable
    transaction_id: int
    id_tag_info: IdTagInfo


@dataclass(frozen=True, slots=True)
class TransactionStopped(ObserverEvent):
    """A transaction's end and its StopTransaction are on disk. `transaction_id` is None while unknown."""

    connector_id: int
    session_id: Hashable
    transaction_id: int | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class ConfigurationKeyChanged(ObserverEvent):
    """A key was changed, by the Central System or by the host; the new value is on disk."""

    key: str
    value: str | None
    """As text on the wire; None for a key that cannot be read, as AuthorizationKey."""


@dataclass(frozen=True, slots=True)
class TariffTold(ObserverEvent):
    """The station was told a price for a driver, or a session; at once, whatever it answers."""

    message: TariffMessage


@dataclass(frozen=True, slots=True)
class SessionCostTold(ObserverEvent):
    """The station was told what a session costs; as `TariffTold`."""

    cost: RunningCost
    number_of_decimals: int
    """Those that are to be displayed."""


@dataclass(frozen=True, slots=True)
class DisplayMessageTold(ObserverEvent):
    """The station was told texts and a QR code to be shown with a final cost; as `TariffTold`."""

    message: DisplayMessage


@dataclass(frozen=True, slots=True)
class DefaultPriceTold(ObserverEvent):
    """The station was told the price for everybody; as `TariffTold`."""

    message: TariffMessage


@dataclass(frozen=True, slots=True)
class TimeOffsetChanged(ObserverEvent):
    """Local time, as a driver is shown it (TimeOffset), is so far ahead of UTC (`offset`) from now on, where prices are
    shown."""

    offset: timedelta


@dataclass(frozen=True, slots=True)
class ChargingLimitChanged(ObserverEvent):
    """A connector may draw another current or power from now on."""

    connector_id: int
    limit: ChargingLimit


@dataclass(frozen=True, slots=True)
class ChargingProfilesChanged(ObserverEvent):
    """Charging profiles were installed or cleared, or count otherwise than before."""


@dataclass(frozen=True, slots=True)
class ReservationMade(ObserverEvent):
    """A reservation that the library keeps was accepted, and is on disk."""

    reservation: Reservation


@dataclass(frozen=True, slots=True)
class ReservationEnded(ObserverEvent):
    """A reservation that the library kept is over, and not on disk any more."""

    reservation: Reservation
    reason: ReservationEndReason


@dataclass(frozen=True, slots=True)
class CentralSystemChanged(ObserverEvent):
    """Another address of the Central System has its turn (FallbackCentralSystems): `uri`, as it is configured."""

    uri: str


@dataclass(frozen=True, slots=True)
class ResetRequested(ObserverEvent):
    kind: ResetType


@dataclass(frozen=True, slots=True)
class SecurityEvent(ObserverEvent):
    """Found by the charge point itself, critical or not (security white paper ed. 3, table of events)."""

    type: str
    """Its name in that table, as InvalidCentralSystemCertificate, or one of the host's own."""
    tech_info: str | None = None
    """What is known besides, in words; at most 255 characters are sent."""


@dataclass(frozen=True, slots=True)
class MessageExchanged(ObserverEvent):
    """One text frame as it went over the wire; only when asked for (`trace_messages`)."""

    direction: str
    """"sent" or "received"."""
    text: str


@dataclass(frozen=True, slots=True)
class MessageGivenUp(ObserverEvent):
    """A transaction-related message used up its attempts and lies among the dead letters."""

    action: str
    reason: str
    """Of the last attempt, in words: a CALLERROR, or what was wrong with the answer."""


@dataclass(frozen=True, slots=True)
class MessageSetAside(ObserverEvent):
    """A message of a transaction holds up others, so it and the transaction's later ones wait apart.

    It is not answered while others are, connection after connection ends at it, or it was refused and its next attempt
    is far away. They keep their order, are tried again (unanswered: at growing intervals, an hour at most, and after
    every reconnect), and are never given up for being unanswered; everything else goes on.
    """

    action: str
    connector_id: int | None
    session_id: Hashable
    waiting: int
    """Messages of this transaction that wait apart now."""


@dataclass(frozen=True, slots=True)
class IdTagAuthorized(ObserverEvent):
    """It was decided whether an id tag may charge; `source`, `rule` and `key` of the info say why."""

    id_tag: str
    id_tag_info: IdTagInfo


@dataclass(frozen=True, slots=True)
class ContractAuthorized(ObserverEvent):
    """It was decided whether a contract may charge (Plug & Charge); `authorization` says why."""

    emaid: str
    """The contract's id, as the car told it."""
    authorization: ContractAuthorization


@dataclass(frozen=True, slots=True)
class EvCertificateAnswered(ObserverEvent):
    """What a car is answered that wanted a contract certificate: Accepted or Failed, in the time that it waits."""

    connector_id: int
    response: EvCertificateResponse
    action: CertificateAction


@dataclass(frozen=True, slots=True)
class InternalError(ObserverEvent):
    """An exception of one part was caught, so that the charge point goes on: a fault of ours or of the host's code."""

    place: str
    """What failed, as "timer" or "handler of Reset"."""
    reason: str
    """The exception, as text."""


@dataclass(frozen=True, slots=True)
class StoreFailing(ObserverEvent):
    """Something cannot be stored (disk full, read-only, I/O error).

    The database is tried again, and what depends on it waits; a change that needs the configuration file is refused.
    """

    reason: str
    """What the system or SQLite says, in words."""


@dataclass(frozen=True, slots=True)
class StoreRecovered(ObserverEvent):
    """What could not be stored can be again, or a damaged one was set aside at the start (`detail` says which file)."""

    detail: str = ""


class Observer(Protocol):
    """Whoever is told what happens."""

    async def notify(self, event: ObserverEvent) -> None:
        """Something happened. Events come one at a time; an exception is logged and counted."""
        ...
