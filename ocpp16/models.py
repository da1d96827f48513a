"""Values of the domain that the public API takes and gives: frozen, slotted, in Python's spelling.

Wire names (`idTag`) live in `ocpp16.messages`; the border between the two is the feature profile that owns the
message. Times are aware `datetime`s in UTC; energies are in Wh, currents in A, powers in W, voltages in V.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

from ocpp16.enums import AuthorizationStatus, ChargePointErrorCode, DataTransferStatus


@dataclass(frozen=True, slots=True)
class IdTagInfo:
    """What is known of an id tag (OCPP 1.6 ed. 2 §7.27)."""

    status: AuthorizationStatus
    expiry_date: datetime | None = None
    parent_id_tag: str | None = None
    source: str = field(default="", compare=False)
    """Who or which rule decided, in words; empty where nobody asked. Makes no other value of it."""

    @property
    def is_accepted(self) -> bool:
        return self.status == AuthorizationStatus.ACCEPTED


@dataclass(frozen=True, slots=True)
class DataTransferResponse:
    """Answer to a DataTransfer, either direction (OCPP 1.6 ed. 2 §6.16)."""

    status: DataTransferStatus
    data: str | None = None


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """An error of a connector, raised and cleared by its `uuid`.

    `is_fault` makes the connector Faulted while the error lasts; otherwise only the error code is reported. Texts are
    cut to what StatusNotification can carry: info 50, vendor_id 255, vendor_error_code 50 characters.
    """

    error_code: ChargePointErrorCode
    is_fault: bool = False
    info: str | None = None
    vendor_id: str | None = None
    vendor_error_code: str | None = None
    timestamp: datetime | None = None
    uuid: str = field(default_factory=lambda: str(uuid4()))


@dataclass(frozen=True, slots=True)
class PhaseValues:
    """One quantity of the meter: its total (DC: the one value) and what is known per phase."""

    total: float | None = None
    l1: float | None = None
    l2: float | None = None
    l3: float | None = None
    n: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A value of something that is not the meter, and where it was taken (a Location, or None)."""

    value: float
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """What the meter and the car tell at one instant; absent means not measured.

    energy_import, energy_export: register in Wh; power: W, negative when the car gives; reactive_power: var;
    voltage: V; current: A; frequency: Hz; soc: percent; temperatures: degrees Celsius; rpm: 1/min.
    """

    timestamp: datetime
    energy_import: PhaseValues = PhaseValues()
    energy_export: PhaseValues | None = None
    power: PhaseValues | None = None
    reactive_power: PhaseValues | None = None
    voltage: PhaseValues | None = None
    current: PhaseValues | None = None
    frequency: PhaseValues | None = None
    soc: Reading | None = None
    temperatures: tuple[Reading, ...] = ()
    rpm: Reading | None = None

    @classmethod
    def from_json(cls, document: Mapping[str, Any], now: datetime) -> "Measurement":
        """Read libocpp's form: `{"power_meter": {"timestamp", "energy_Wh_import": {"total", "L1"…}, …},
        "soc_Percent": {"value", "location"}, "temperature_C": […], "rpm": {…}}`.

        `now` stands in for an absent timestamp. Raises ValueError naming the member that is missing or wrong.
        """
        unknown = set(document) - {"power_meter", "soc_Percent", "temperature_C", "rpm"}
        if unknown:
            raise ValueError(f"measurement has no member {sorted(unknown)[0]}")
        meter = document.get("power_meter")
        if not isinstance(meter, Mapping):
            raise ValueError("measurement.power_meter must be an object")
        if "energy_Wh_import" not in meter:
            raise ValueError("measurement.power_meter.energy_Wh_import is missing")
        stamp = meter.get("timestamp")
        if stamp is None:
            time = now
        else:
            try:
                time = datetime.fromisoformat(stamp)
            except (TypeError, ValueError):
                raise ValueError("measurement.power_meter.timestamp must be an RFC 3339 time") from None
            if time.tzinfo is None:
                raise ValueError("measurement.power_meter.timestamp needs a zone")
        phases = {name: _phases(meter[key], key) for key, name in _POWER_METER.items() if key in meter}
        return cls(
            timestamp=time,
            soc=_reading(document["soc_Percent"], "soc_Percent") if "soc_Percent" in document else None,
            temperatures=tuple(_reading(item, "temperature_C") for item in document.get("temperature_C", ())),
            rpm=_reading(document["rpm"], "rpm") if "rpm" in document else None,
            **phases,
        )


_POWER_METER = {
    "energy_Wh_import": "energy_import",
    "energy_Wh_export": "energy_export",
    "power_W": "power",
    "VAR": "reactive_power",
    "voltage_V": "voltage",
    "current_A": "current",
    "frequency_Hz": "frequency",
}
_PHASES = {"total": "total", "DC": "total", "L1": "l1", "L2": "l2", "L3": "l3", "N": "n"}


def _number(value: Any, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"measurement.{place} must be a number")
    return float(value)


def _phases(value: Any, key: str) -> PhaseValues:
    if not isinstance(value, Mapping):
        raise ValueError(f"measurement.power_meter.{key} must be an object")
    known: dict[str, float] = {}
    for name, number in value.items():
        if name not in _PHASES:
            raise ValueError(f"measurement.power_meter.{key} has no member {name}")
        known[_PHASES[name]] = _number(number, f"power_meter.{key}.{name}")
    return PhaseValues(**known)


def _reading(value: Any, key: str) -> Reading:
    if not isinstance(value, Mapping) or "value" not in value:
        raise ValueError(f"measurement.{key} must be an object with a value")
    return Reading(_number(value["value"], f"{key}.value"), value.get("location"))


class ChargingLimit(NamedTuple):
    """What a connector may draw from now on.

    `limit` in `unit` ("A" per phase, "W" of all phases), None where nothing limits it; `phases` as the charging profile
    states them, or None; `until` when it is known to change next, None if not within a day.
    """

    limit: float | None
    unit: str
    phases: int | None
    until: datetime | None


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
    calls_received: int = 0
    retries: int = 0
    """Sends of a transaction-related message after its first."""
    timeouts: int = 0
    call_errors: int = 0
    """CALLERRORs received."""
    dead_letters: int = 0
    dropped: int = 0
    """Messages not sent: offline, not accepted, or shed because the queue was full."""
    connects: int = 0
    """Connections made; reconnects are this less one."""
    connection_failures: int = 0
    store_failures: int = 0
    internal_errors: int = 0
    """Exceptions of one part that were caught so that the rest goes on; each is logged with its cause."""
    times_ignored: int = 0
    """Times of the Central System that cannot be the present."""
    readings_refused: int = 0
    """Readings of the meter that cannot be: as good as none."""
    readings_clamped: int = 0
    """Readings stamped ahead of the charge point's clock: taken as of now."""
    set_aside: int = 0
    """Messages of transactions that a Central System left unanswered again and again while it answered others."""
    dead_letters_dropped: int = 0
    """The oldest dead letters, given up because there were too many."""
    observer_events_dropped: int = 0

    def repaired(self, name: str) -> None:
        self.repairs[name] = self.repairs.get(name, 0) + 1
