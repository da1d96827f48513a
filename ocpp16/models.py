"""Values of the domain that the public API takes and gives: frozen, slotted, in Python's spelling.

Wire names (`idTag`) live in `ocpp16.messages`; the border between the two is the feature profile that owns the
message. Times are aware `datetime`s; energies are in Wh, currents in A, powers in W, voltages in V.

A value is right once it is made: whatever an argument cannot mean (NaN, a bool or a text for a number, a time without
zone, a text that UTF-8 cannot carry, another type) is refused with a ValueError that names the argument. A text that
is the word of an enumeration becomes its member.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import uuid4

from ocpp16.enums import AuthorizationStatus, ChargePointErrorCode, DataTransferStatus
from ocpp16.values import INT32_HIGH, INT32_LOW, aware, described, exactly, finite, flag, member, register, text

_set = object.__setattr__
"""For what does not change once it is made."""

MOST_TEMPERATURES = 64
"""Readings of one Measurement: with all else it holds, a sample fits into a message, whatever the numbers are."""
INFO_LENGTH = 50
VENDOR_ID_LENGTH = 255
VENDOR_ERROR_CODE_LENGTH = 50
_UUID_LENGTH = 255


@dataclass(frozen=True, slots=True)
class IdTagInfo:
    """What is known of an id tag (OCPP 1.6 ed. 2 §7.27)."""

    status: AuthorizationStatus
    expiry_date: datetime | None = None
    parent_id_tag: str | None = None
    source: str = field(default="", compare=False)
    """Who or which rule decided, in words; empty where nobody asked. Makes no other value of it."""

    def __post_init__(self) -> None:
        if type(self.status) is not AuthorizationStatus:
            object.__setattr__(self, "status", member(AuthorizationStatus, self.status, "status"))
        if self.expiry_date is not None:
            aware(self.expiry_date, "expiry_date")
        _plain_texts(self, "parent_id_tag")
        object.__setattr__(self, "source", text(self.source, "source"))

    @property
    def is_accepted(self) -> bool:
        return self.status == AuthorizationStatus.ACCEPTED


@dataclass(frozen=True, slots=True)
class DataTransferResponse:
    """Answer to a DataTransfer, either direction (OCPP 1.6 ed. 2 §6.16)."""

    status: DataTransferStatus
    data: str | None = None

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
            whole = getattr(self, name)
            if whole is not None and len(whole) > length:
                object.__setattr__(self, name, whole[:length])
        if self.timestamp is not None:
            aware(self.timestamp, "timestamp")
        object.__setattr__(self, "uuid", text(self.uuid, "uuid", _UUID_LENGTH))


_CUT = (("info", INFO_LENGTH), ("vendor_id", VENDOR_ID_LENGTH), ("vendor_error_code", VENDOR_ERROR_CODE_LENGTH))


@dataclass(frozen=True, slots=True, init=False)
class PhaseValues:
    """One quantity of the meter: its total (DC: the one value) and what is known per phase. Finite numbers, or None."""

    total: float | None = None
    l1: float | None = None
    l2: float | None = None
    l3: float | None = None
    n: float | None = None

    def __init__(
        self,
        total: float | None = None,
        l1: float | None = None,
        l2: float | None = None,
        l3: float | None = None,
        n: float | None = None,
    ) -> None:
        # Made at every sample: the exact float, which is the rule, is looked at without a call of ours.
        for value in (total, l1, l2, l3, n):
            if value is not None and not (type(value) is float and value - value == 0.0):
                total, l1, l2 = _finite_or_none(total, "total"), _finite_or_none(l1, "l1"), _finite_or_none(l2, "l2")
                l3, n = _finite_or_none(l3, "l3"), _finite_or_none(n, "n")
                break
        _set(self, "total", total)
        _set(self, "l1", l1)
        _set(self, "l2", l2)
        _set(self, "l3", l3)
        _set(self, "n", n)

    def __post_init__(self) -> None:
        """For a subclass that is a dataclass, and so has an `__init__` of its own."""
        PhaseValues.__init__(self, self.total, self.l1, self.l2, self.l3, self.n)


@dataclass(frozen=True, slots=True, init=False)
class Reading:
    """A value of something that is not the meter, and where it was taken (a Location, or None)."""

    value: float
    location: str | None = None

    def __init__(self, value: float, location: str | None = None) -> None:
        _set(self, "value", value if type(value) is float and value - value == 0.0 else finite(value, "value"))
        if location is not None and not (type(location) is str and location.isascii()):
            location = text(location, "location")
        _set(self, "location", location)

    def __post_init__(self) -> None:
        """For a subclass that is a dataclass, and so has an `__init__` of its own."""
        Reading.__init__(self, self.value, self.location)


@dataclass(frozen=True, slots=True, init=False)
class Measurement:
    """What the meter and the car tell at one instant; absent means not measured.

    timestamp: when it was read, by any clock that agrees with the charge point's; None: now, in the moment it is taken
    in. energy_import, energy_export: register in Wh that fits into 32 bits; power: W, negative when the car gives;
    reactive_power: var; voltage: V; current: A; frequency: Hz; soc: percent; temperatures: degrees Celsius, 64 at most;
    rpm: 1/min; power_factor: -1 to 1; reactive_energy_import, reactive_energy_export: register in varh, as those in Wh.
    """

    timestamp: datetime | None = None
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
    power_factor: PhaseValues | None = None
    reactive_energy_import: PhaseValues | None = None
    reactive_energy_export: PhaseValues | None = None

    def __init__(
        self,
        timestamp: datetime | None = None,
        energy_import: PhaseValues = PhaseValues(),
        energy_export: PhaseValues | None = None,
        power: PhaseValues | None = None,
        reactive_power: PhaseValues | None = None,
        voltage: PhaseValues | None = None,
        current: PhaseValues | None = None,
        frequency: PhaseValues | None = None,
        soc: Reading | None = None,
        temperatures: tuple[Reading, ...] = (),
        rpm: Reading | None = None,
        power_factor: PhaseValues | None = None,
        reactive_energy_import: PhaseValues | None = None,
        reactive_energy_export: PhaseValues | None = None,
    ) -> None:
        _set(self, "timestamp", timestamp)
        _set(self, "energy_import", energy_import)
        _set(self, "energy_export", energy_export)
        _set(self, "power", power)
        _set(self, "reactive_power", reactive_power)
        _set(self, "voltage", voltage)
        _set(self, "current", current)
        _set(self, "frequency", frequency)
        _set(self, "soc", soc)
        _set(self, "temperatures", temperatures)
        _set(self, "rpm", rpm)
        _set(self, "power_factor", power_factor)
        _set(self, "reactive_energy_import", reactive_energy_import)
        _set(self, "reactive_energy_export", reactive_energy_export)
        self.__post_init__()

    def __post_init__(self) -> None:
        # Made at every sample: what it is nearly always is looked at without a call of ours.
        stamp = self.timestamp
        if stamp is not None and (type(stamp) is not datetime or stamp.tzinfo is not UTC):
            aware(stamp, "timestamp")
        is_exact = type(self.energy_import) is PhaseValues
        for values in (
            self.energy_export,
            self.power,
            self.reactive_power,
            self.voltage,
            self.current,
            self.frequency,
            self.power_factor,
            self.reactive_energy_import,
            self.reactive_energy_export,
        ):
            if values is not None and type(values) is not PhaseValues:
                is_exact = False
        for reading in (self.soc, self.rpm):
            if reading is not None and type(reading) is not Reading:
                is_exact = False
        if not is_exact:
            for name, kind in _KIND_OF.items():
                value = getattr(self, name)
                if value is not None or name == "energy_import":
                    _set(self, name, exactly(kind, value, name))
        _check_registers(self.energy_import, "energy_import")
        if self.energy_export is not None:
            _check_registers(self.energy_export, "energy_export")
        if self.reactive_energy_import is not None:
            _check_registers(self.reactive_energy_import, "reactive_energy_import")
        if self.reactive_energy_export is not None:
            _check_registers(self.reactive_energy_export, "reactive_energy_export")
        if type(self.temperatures) is not tuple or self.temperatures:
            _set(self, "temperatures", _temperatures(self.temperatures))

    @classmethod
    def from_json(cls, document: Mapping[str, Any], now: datetime | None = None) -> "Measurement":
        """Read libocpp's form: `{"power_meter": {"timestamp", "energy_Wh_import": {"total", "L1"…}, …},
        "soc_Percent": {"value", "location"}, "temperature_C": […], "rpm": {…}}`.

        Beyond libocpp's, `power_meter` may hold "power_factor", "energy_varh_import" and "energy_varh_export". `now`
        stands in for an absent timestamp. Raises ValueError naming the member that is missing or wrong.
        """
        _members(document, "measurement", ("power_meter", "soc_Percent", "temperature_C", "rpm"))
        meter = document.get("power_meter")
        _members(meter, "measurement.power_meter", ("timestamp", *_POWER_METER))
        assert isinstance(meter, Mapping)
        if "energy_Wh_import" not in meter:
            raise ValueError("measurement.power_meter.energy_Wh_import is missing")
        temperatures = document.get("temperature_C", ())
        if not isinstance(temperatures, list | tuple):
            raise ValueError(f"measurement.temperature_C must be a list, not {described(temperatures)}")
        if len(temperatures) > MOST_TEMPERATURES:
            raise ValueError(
                f"measurement.temperature_C must have {MOST_TEMPERATURES} at most, not {len(temperatures)}"
            )
        phases = {name: _phases(meter[key], key) for key, name in _POWER_METER.items() if key in meter}
        return cls(
            timestamp=_time(meter.get("timestamp"), now),
            soc=_reading(document["soc_Percent"], "soc_Percent") if "soc_Percent" in document else None,
            temperatures=tuple(_reading(item, "temperature_C") for item in temperatures),
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
    "power_factor": "power_factor",
    "energy_varh_import": "reactive_energy_import",
    "energy_varh_export": "reactive_energy_export",
}
_PHASES = {"total": "total", "DC": "total", "L1": "l1", "L2": "l2", "L3": "l3", "N": "n"}
REGISTERS = ("energy_import", "energy_export", "reactive_energy_import", "reactive_energy_export")
"""What of a Measurement only ever grows."""
_KIND_OF: dict[str, type] = {"soc": Reading, "rpm": Reading, **dict.fromkeys(_POWER_METER.values(), PhaseValues)}


def _check_registers(values: PhaseValues, name: str) -> None:
    for value in (values.total, values.l1, values.l2, values.l3, values.n):
        if value is not None and not INT32_LOW <= value <= INT32_HIGH:
            for phase in ("total", "l1", "l2", "l3", "n"):
                if getattr(values, phase) is not None:
                    register(getattr(values, phase), f"{name}.{phase}")
            return


def _temperatures(value: Any) -> tuple[Reading, ...]:
    if not isinstance(value, tuple | list):
        raise ValueError(f"temperatures must be a tuple of Reading, not {described(value)}")
    if len(value) > MOST_TEMPERATURES:
        raise ValueError(f"temperatures must be {MOST_TEMPERATURES} at most, not {len(value)}")
    return tuple([it if type(it) is Reading else exactly(Reading, it, "temperatures") for it in value])


def _finite_or_none(value: Any, name: str) -> float | None:
    return None if value is None else finite(value, name)


def _plain_texts(of: Any, *names: str) -> None:
    """Attributes of a value that are texts, or None: put in their place what was checked."""
    for name in names:
        given = getattr(of, name)
        if given is not None:
            checked = text(given, name)
            if checked is not given:
                object.__setattr__(of, name, checked)


def _members(value: Any, place: str, known: tuple[str, ...]) -> None:
    if not isinstance(value, Mapping):
        raise ValueError(f"{place} must be an object")
    for name in value:
        if name not in known:
            raise ValueError(f"{place} has no member {described(name)}")


def _time(stamp: Any, now: datetime | None) -> datetime | None:
    if stamp is None:
        return now
    try:
        return aware(datetime.fromisoformat(stamp), "measurement.power_meter.timestamp")
    except TypeError:
        raise ValueError(f"measurement.power_meter.timestamp must be text, not {described(stamp)}") from None
    except ValueError as error:
        if str(error).startswith("measurement"):
            raise
        raise ValueError(
            f"measurement.power_meter.timestamp must be an RFC 3339 time, not {described(stamp)}"
        ) from None


def _phases(value: Any, key: str) -> PhaseValues:
    place = f"measurement.power_meter.{key}"
    _members(value, place, tuple(_PHASES))
    check = register if _POWER_METER[key] in REGISTERS else finite
    return PhaseValues(**{_PHASES[name]: float(check(number, f"{place}.{name}")) for name, number in value.items()})


def _reading(value: Any, key: str) -> Reading:
    place = f"measurement.{key}"
    if not isinstance(value, Mapping) or "value" not in value:
        raise ValueError(f"{place} must be an object with a value")
    location = value.get("location")
    if location is not None:
        location = text(location, f"{place}.location")
    return Reading(float(finite(value["value"], f"{place}.value")), location)


class DeadLetter(NamedTuple):
    """A message that was given up after TransactionMessageAttempts (`ChargePoint.dead_letters`)."""

    sequence: int
    """Its number, by which it can be sent again or discarded."""
    action: str
    payload: dict[str, Any]
    """As it went out, or would have."""
    reason: str
    attempts: int
    given_up_at: datetime


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
        limit = _finite_or_none(limit, "limit")
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
    calls_answered: int = 0
    """Confirmations of requests of ours."""
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
    """Readings and times of the host that lie ahead of the charge point's clock: taken as of now."""
    set_aside: int = 0
    """Messages of transactions that wait apart: unanswered while others are answered, or holding them up otherwise."""
    dead_letters_dropped: int = 0
    """The oldest dead letters, given up because there were too many."""
    observer_events_dropped: int = 0

    def repaired(self, name: str) -> None:
        self.repairs[name] = self.repairs.get(name, 0) + 1
