"""Values of the domain that the public API takes and gives: frozen, slotted, in Python's spelling.

Wire names (`idTag`) live in `ocpp16.messages`; the border between the two is the feature profile that owns the
message. A time is an aware `datetime`; energies are in Wh, currents in A, powers in W, voltages in V.

A value is right once it is made: whatever an argument cannot mean (NaN, a bool or a text for a number, a time without
zone, a text that UTF-8 cannot carry, another type) is refused with a ValueError that names the argument. A text that
is the word of an enumeration becomes its member.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

from ocpp16.enums import (
    AuthorizationStatus,
    ChargePointErrorCode,
    DataTransferStatus,
    FirmwareStatusEnumType,
    LogEnumType,
    LogStatusEnumType,
)
from ocpp16.histogram import Histogram
from ocpp16.measurement import Measurement as Measurement
from ocpp16.measurement import PhaseValues as PhaseValues
from ocpp16.measurement import Reading as Reading
from ocpp16.prices import TariffMessage
from ocpp16.signed_meter_value import SignedMeterValue as SignedMeterValue
from ocpp16.values import aware, described, finite_or_none, flag, is_a, member, text, whole
from ocpp16.voltages import VoltagesBetween as VoltagesBetween

INFO_LENGTH = 50
"""Characters, as all lengths here."""
VENDOR_ID_LENGTH = 255
"""Of StatusNotification, as the one before and the next."""
VENDOR_ERROR_CODE_LENGTH = 50
"""The same."""
_UUID_LENGTH = 255


@dataclass(frozen=True, slots=True)
class IdTagInfo:
    """What is known of an id tag (OCPP 1.6 ed. 2 §7.27)."""

    status: AuthorizationStatus
    expiry_date: datetime | None = None
    parent_id_tag: str | None = None
    source: str = field(default="", compare=False)
    """Who or which rule decided, in words; empty where nobody asked. Makes no other value of it."""
    rule: str = field(default="", compare=False)
    """By which rule of the authorization that is the answer, in words; as `source`."""
    key: str = field(default="", compare=False)
    """The configuration key that had a say in it; empty where none had. As `source`."""
    tariff: TariffMessage | None = field(default=None, compare=False, kw_only=True)
    """What the driver is to pay, where prices are shown; None: nobody knows. As `source`."""

    def __post_init__(self) -> None:
        if type(self.status) is not AuthorizationStatus:
            object.__setattr__(self, "status", member(AuthorizationStatus, self.status, "status"))
        if self.expiry_date is not None:
            aware(self.expiry_date, "expiry_date")
        _plain_texts(self, "parent_id_tag")
        for name in ("source", "rule", "key"):
            object.__setattr__(self, name, text(getattr(self, name), name))
        if self.tariff is not None and not is_a(self.tariff, TariffMessage):
            raise ValueError(f"tariff must be a TariffMessage, not {described(self.tariff)}")

    @property
    def is_accepted(self) -> bool:
        """May it charge?"""
        return self.status == AuthorizationStatus.ACCEPTED


@dataclass(frozen=True, slots=True)
class AuthorizationDecision:
    """That an id tag may charge, or not, as it was decided `at` that time; `id_tag_info` says why."""

    at: datetime
    id_tag: str
    id_tag_info: IdTagInfo


@dataclass(frozen=True, slots=True)
class DataTransferResponse:
    """Answer to a DataTransfer, either direction (OCPP 1.6 ed. 2 §6.16)."""

    status: DataTransferStatus
    data: str | None = None
    """What goes with it, as the vendor means it; None: nothing."""

    def __post_init__(self) -> None:
        if type(self.status) is not DataTransferStatus:
            object.__setattr__(self, "status", member(DataTransferStatus, self.status, "status"))
        _plain_texts(self, "data")


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """An error of a connector, raised and cleared by its `uuid`.

    `is_fault` makes the connector Faulted while the error lasts; otherwise only the error code is reported. Texts are
    cut to what StatusNotification can carry: info 50, vendor_id 255, vendor_error_code 50 characters. `uuid` has at
    most 255.
    """

    error_code: ChargePointErrorCode
    is_fault: bool = False
    info: str | None = None
    vendor_id: str | None = None
    vendor_error_code: str | None = None
    timestamp: datetime | None = None
    uuid: str = field(default_factory=lambda: str(uuid4()))

    def __post_init__(self) -> None:
        if type(self.error_code) is not ChargePointErrorCode:
            object.__setattr__(self, "error_code", member(ChargePointErrorCode, self.error_code, "error_code"))
        flag(self.is_fault, "is_fault")
        _plain_texts(self, *(name for name, _ in _CUT))
        for name, length in _CUT:
            told = getattr(self, name)
            if told is not None and len(told) > length:
                object.__setattr__(self, name, told[:length])
        if self.timestamp is not None:
            aware(self.timestamp, "timestamp")
        object.__setattr__(self, "uuid", text(self.uuid, "uuid", _UUID_LENGTH))


_CUT = (("info", INFO_LENGTH), ("vendor_id", VENDOR_ID_LENGTH), ("vendor_error_code", VENDOR_ERROR_CODE_LENGTH))


def _plain_texts(of: Any, *names: str) -> None:
    """Attributes of a value that are texts, or None: put in their place what was checked."""
    for name in names:
        given = getattr(of, name)
        if given is not None:
            checked = text(given, name)
            if checked is not given:
                object.__setattr__(of, name, checked)


@dataclass(frozen=True, slots=True)
class Reservation:
    """A connector kept for an id tag (OCPP 1.6 ed. 2 §5.13); `connector_id` 0: any one.

    An id tag that has `parent_id_tag` as its parent may use it as well. `expiry_date` is the moment it ends.
    """

    reservation_id: int
    connector_id: int
    id_tag: str
    parent_id_tag: str | None
    expiry_date: datetime

    def __post_init__(self) -> None:
        whole(self.reservation_id, "reservation_id")
        whole(self.connector_id, "connector_id", 0)
        _plain_texts(self, "id_tag", "parent_id_tag")
        aware(self.expiry_date, "expiry_date")


UNSIGNED = -1
"""The request id of what the messages of OCPP 1.6 itself asked for, which have none: UpdateFirmware, GetDiagnostics."""
FILE_NAME_LENGTH = 255
"""Of the answers to GetDiagnostics and GetLog."""


@dataclass(frozen=True, slots=True)
class FirmwareUpdate:
    """Firmware that the Central System wants to be installed (OCPP 1.6 ed. 2 §6.49; security white paper).

    request_id: names it to the charge point, `UNSIGNED` (-1) after UpdateFirmware. location: URL of the file, which may
    hold a password: never shown. retries, retry_interval (s): None where the Central System leaves them to the station;
    the first attempt is no retry. retrieve_date: not to be fetched before. install_date: not to be installed before,
    None: no matter when. signing_certificate (PEM), signature (base64, SHA-256 with RSA-PSS or ECSchnorr over the whole
    file): None where it is unsigned. status: what the station told of it last, Idle if nothing yet.
    """

    request_id: int
    location: str = field(repr=False)
    retrieve_date: datetime
    retries: int | None = None
    retry_interval: int | None = None
    install_date: datetime | None = None
    signing_certificate: str | None = field(default=None, repr=False)
    signature: str | None = field(default=None, repr=False)
    status: FirmwareStatusEnumType = FirmwareStatusEnumType.IDLE

    def __post_init__(self) -> None:
        _check_transfer(self)
        aware(self.retrieve_date, "retrieve_date")
        if self.install_date is not None:
            aware(self.install_date, "install_date")
        _plain_texts(self, "signing_certificate", "signature")
        if type(self.status) is not FirmwareStatusEnumType:
            object.__setattr__(self, "status", member(FirmwareStatusEnumType, self.status, "status"))

    @property
    def is_signed(self) -> bool:
        """Did it come by SignedUpdateFirmware?"""
        return self.request_id != UNSIGNED


@dataclass(frozen=True, slots=True)
class LogRequest:
    """A log that the Central System wants to be uploaded (OCPP 1.6 ed. 2 §6.25; security white paper).

    request_id: names it to the charge point, `UNSIGNED` (-1) after GetDiagnostics. location: URL of the folder, which
    may hold a password: never shown. retries, retry_interval (s): as of `FirmwareUpdate`. oldest, latest: entries of
    this time only, None: without a bound. log_type: GetDiagnostics asks for DiagnosticsLog.
    """

    request_id: int
    location: str = field(repr=False)
    log_type: LogEnumType = LogEnumType.DIAGNOSTICS_LOG
    retries: int | None = None
    retry_interval: int | None = None
    oldest: datetime | None = None
    latest: datetime | None = None

    def __post_init__(self) -> None:
        _check_transfer(self)
        if type(self.log_type) is not LogEnumType:
            object.__setattr__(self, "log_type", member(LogEnumType, self.log_type, "log_type"))
        for name in ("oldest", "latest"):
            if getattr(self, name) is not None:
                aware(getattr(self, name), name)


def _check_transfer(wanted: FirmwareUpdate | LogRequest) -> None:
    whole(wanted.request_id, "request_id")
    _plain_texts(wanted, "location")
    for name in ("retries", "retry_interval"):
        if getattr(wanted, name) is not None:
            whole(getattr(wanted, name), name, 0)


@dataclass(frozen=True, slots=True)
class GetLogResponse:
    """The station's answer to a `LogRequest`: `filename` (1 to 255 characters) is the name the file will have, None:
    there is nothing to upload, or it is not known yet."""

    status: LogStatusEnumType
    filename: str | None = None

    def __post_init__(self) -> None:
        if type(self.status) is not LogStatusEnumType:
            object.__setattr__(self, "status", member(LogStatusEnumType, self.status, "status"))
        if self.filename is not None:
            object.__setattr__(self, "filename", text(self.filename, "filename", FILE_NAME_LENGTH, least=1))


class DeadLetter(NamedTuple):
    """A message that was given up after TransactionMessageAttempts (`ChargePoint.dead_letters`)."""

    sequence: int
    """Its number, by which it can be sent again or discarded."""
    action: str
    payload: dict[str, Any]
    """As it went out, or would have."""
    reason: str
    """Of the last attempt, in words: a CALLERROR, or what was wrong with the answer."""
    attempts: int
    """How often it was refused."""
    given_up_at: datetime
    """UTC."""


class WaitingMessage(NamedTuple):
    """A message that waits to be sent, or for its answer (`ChargePoint.connection.waiting`)."""

    sequence: int
    """Its place among all messages of the charge point."""
    action: str
    payload: dict[str, Any]
    """As it was told: the transactionId is filled in when it is sent, and times are corrected then."""
    attempts: int
    """How often it was refused."""
    is_open: bool
    """Was it sent, and is its answer waited for?"""
    is_apart: bool
    """Was it left unanswered, so that others go first?"""


class _ChargingLimit(NamedTuple):
    limit: float | None
    unit: str
    phases: int | None
    until: datetime | None


class ChargingLimit(_ChargingLimit):
    """What a connector may draw from now on.

    `limit` in `unit` ("A" per phase, "W" of all phases), None where nothing limits it; `phases` as the charging profile
    states them, or None; `until` when it is known to change next, None if not within a day.
    """

    __slots__ = ()

    def __new__(cls, limit: float | None, unit: str, phases: int | None, until: datetime | None) -> "ChargingLimit":
        limit = finite_or_none(limit, "limit")
        if unit not in ("A", "W"):
            raise ValueError(f'unit must be "A" or "W", not {described(unit)}')
        if phases is not None and (not isinstance(phases, int) or isinstance(phases, bool)):
            raise ValueError(f"phases must be a whole number or None, not {described(phases)}")
        if until is not None:
            aware(until, "until")
        return super().__new__(cls, limit, unit, phases, until)


@dataclass(slots=True)
class Counters:
    """What happened since the start, for the host to read (and for metrics); never reset, only growing."""

    repairs: dict[str, int] = field(default_factory=dict)
    """Name of a repair of `rpc.tolerance` → how often it was made."""
    invalid_frames: int = 0
    """Frames from the peer that were no OCPP-J at all, or whose payload broke its schema."""
    unknown_ids: int = 0
    """Answers whose message id belongs to nothing that waits."""
    duplicate_calls: int = 0
    """CALLs dropped because the same id was still in work."""
    calls_sent: int = 0
    """Requests of ours, each time they were sent."""
    calls_answered: int = 0
    """Confirmations of requests of ours."""
    calls_received: int = 0
    """Requests of the Central System."""
    retries: int = 0
    """Sends of a transaction-related message after its first."""
    timeouts: int = 0
    """Requests of ours that were not answered in time."""
    call_errors: int = 0
    """CALLERRORs received."""
    dead_letters: int = 0
    """Messages of transactions that were given up."""
    dropped: int = 0
    """Messages not sent: offline, not accepted, or shed because the queue was full."""
    connects: int = 0
    """Connections made; reconnects are this less one."""
    connection_failures: int = 0
    """Attempts to connect that failed."""
    store_failures: int = 0
    """Outages of the store."""
    internal_errors: int = 0
    """Exceptions of one part that were caught so that the rest goes on; each is logged with its cause."""
    times_ignored: int = 0
    """Times of the Central System that cannot be the present."""
    readings_refused: int = 0
    """Readings of the meter that cannot be: as good as none."""
    readings_clamped: int = 0
    """Readings and times of the host that lie ahead of the charge point's clock: taken as of now."""
    set_aside: int = 0
    """Messages of transactions that wait apart: unanswered while others are answered, or holding them up otherwise."""
    dead_letters_dropped: int = 0
    """The oldest dead letters, given up because there were too many."""
    observer_events_dropped: int = 0
    """Events that the observer was too slow for."""
    messages_not_logged: int = 0
    """Entries of the message log that were left out, for too many waited for the disk."""
    answer_times: Histogram | None = None
    """Seconds from the writing of a CALL to its answer, CALLERRORs among them; from the first `metrics.collect` on."""

    def repaired(self, name: str) -> None:
        """A repair was made on what the Central System sent; `name`: which one."""
        self.repairs[name] = self.repairs.get(name, 0) + 1
