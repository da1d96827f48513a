"""The values of the public API: right once they are made, or refused by the name of the argument."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta, timezone
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp16.enums import AuthorizationStatus, ChargePointErrorCode, DataTransferStatus
from ocpp16.measurement import REGISTERS
from ocpp16.models import (
    ChargingLimit,
    DataTransferResponse,
    ErrorInfo,
    IdTagInfo,
    Measurement,
    PhaseValues,
    Reading,
    SignedMeterValue,
    VoltagesBetween,
)
from ocpp16.values import exactly

TIME = datetime(2026, 1, 1, tzinfo=UTC)
SURROGATE = b"\xff".decode(errors="surrogateescape")
NO_NUMBERS: list[Any] = [nan, inf, -inf, True, False, "1", b"1", 1j, [], {}, (1,), object(), 10**400]
NO_TIMES: list[Any] = [datetime(2026, 1, 1), "2026-01-01T00:00:00Z", 1767225600, True, TIME.date(), b""]
NO_TEXTS: list[Any] = [SURROGATE, f"a{SURROGATE}b", "\ud800", b"text", 1, True, 1.5, [], {}, object()]
NO_PHASE_VALUES: list[Any] = [1000.0, 0, "1000", {"total": 1.0}, (1.0,), Reading(1.0), True, PhaseValues]
NO_READINGS: list[Any] = [81, 81.0, "81", {"value": 81}, PhaseValues(81.0), True, Reading]
PHASES = [field.name for field in fields(PhaseValues)]
QUANTITIES = [
    field.name
    for field in fields(Measurement)
    if field.name not in ("timestamp", "energy_import", "soc", "temperatures", "rpm", "signed_meter_value")
]
FOREIGN: dict[type, dict[str, list[Any]]] = {
    IdTagInfo: {
        "status": ["accepted", 1, None, True, [], SURROGATE],
        "expiry_date": NO_TIMES,
        "parent_id_tag": NO_TEXTS,
        **{name: [*NO_TEXTS, None] for name in ("source", "rule", "key")},
        "tariff": ["0.45", 5, {}, []],
    },
    DataTransferResponse: {"status": ["ACCEPTED", 0, None, {}], "data": NO_TEXTS},
    ErrorInfo: {
        "error_code": ["groundFailure", "", None, 5, True, SURROGATE, AuthorizationStatus.ACCEPTED],
        "is_fault": [1, 0, None, "true", []],
        "info": NO_TEXTS,
        "vendor_id": NO_TEXTS,
        "vendor_error_code": NO_TEXTS,
        "timestamp": NO_TIMES,
        "uuid": [*NO_TEXTS, None],
    },
    PhaseValues: dict.fromkeys(PHASES, NO_NUMBERS),
    VoltagesBetween: dict.fromkeys([field.name for field in fields(VoltagesBetween)], NO_NUMBERS),
    Reading: {"value": [*NO_NUMBERS, None], "location": NO_TEXTS},
    Measurement: {
        "timestamp": NO_TIMES,
        "energy_import": [*NO_PHASE_VALUES, None],
        **dict.fromkeys(QUANTITIES, NO_PHASE_VALUES),
        "soc": NO_READINGS,
        "rpm": NO_READINGS,
        "temperatures": [None, 1, "20", Reading(20.0), [20.0], (None,), {Reading(20.0)}, iter(())],
        "signed_meter_value": NO_TEXTS,
    },
    SignedMeterValue: {
        "signed_meter_data": [*NO_TEXTS, None],
        "signing_method": [*NO_TEXTS, None, "a" * 51],
        "encoding_method": [*NO_TEXTS, None, "a" * 51],
        "public_key": [*NO_TEXTS, None, "a" * 8_193],
    },
    ChargingLimit: {
        "limit": NO_NUMBERS,
        "unit": ["a", "", None, 1, "VA", SURROGATE, ["A"]],
        "phases": [True, 3.0, "3", nan],
        "until": NO_TIMES,
    },
}
RIGHT: dict[type, dict[str, Any]] = {
    IdTagInfo: {"status": AuthorizationStatus.ACCEPTED},
    DataTransferResponse: {"status": DataTransferStatus.ACCEPTED},
    ErrorInfo: {"error_code": ChargePointErrorCode.GROUND_FAILURE},
    PhaseValues: {},
    VoltagesBetween: {},
    Reading: {"value": 1.0},
    Measurement: {},
    SignedMeterValue: {"signed_meter_data": "OCMF|{}|{}"},
    ChargingLimit: {"limit": 16.0, "unit": "A", "phases": 3, "until": TIME},
}


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (kind, name, value)
        for kind, arguments in FOREIGN.items()
        for name, values in arguments.items()
        for value in values
    ],
    ids=lambda part: part.__name__ if isinstance(part, type) else None if isinstance(part, str) else "",
)
def test_what_an_argument_cannot_mean_is_refused_by_its_name(kind: type, name: str, value: Any) -> None:
    assert kind(**RIGHT[kind]) == kind(**RIGHT[kind]) or kind is ErrorInfo
    with pytest.raises(ValueError, match=f"^{name} must be "):
        kind(**RIGHT[kind] | {name: value})


def test_every_argument_of_a_value_is_checked() -> None:
    for kind, arguments in FOREIGN.items():
        names = ChargingLimit._fields if kind is ChargingLimit else tuple(field.name for field in fields(kind))
        assert sorted(arguments) == sorted(names)


def test_the_word_of_an_enumeration_becomes_its_member() -> None:
    assert IdTagInfo("Blocked").status is AuthorizationStatus.BLOCKED  # type: ignore[arg-type]
    assert DataTransferResponse("Accepted").status is DataTransferStatus.ACCEPTED  # type: ignore[arg-type]
    error = ErrorInfo("GroundFailure")  # type: ignore[arg-type]
    assert error.error_code is ChargePointErrorCode.GROUND_FAILURE


@given(
    numbers=st.lists(st.none() | st.floats() | st.integers(-(10**20), 10**20) | st.booleans(), min_size=5, max_size=5)
)
def test_phase_values_hold_finite_numbers_or_none(numbers: list[Any]) -> None:
    wrong = [
        name
        for name, number in zip(PHASES, numbers, strict=True)
        if number is not None and (isinstance(number, bool) or abs(number) == inf or number != number)
    ]
    if wrong:
        with pytest.raises(ValueError, match=f"^{wrong[0]} must be a finite number, not "):
            PhaseValues(*numbers)
    else:
        values = PhaseValues(*numbers)
        assert [getattr(values, name) for name in PHASES] == numbers


class LyingPhases(PhaseValues):
    def __init__(self, total: Any = None, l1: Any = None, l2: Any = None, l3: Any = None, n: Any = None) -> None:
        for name, value in {"total": total, "l1": l1, "l2": l2, "l3": l3, "n": n}.items():
            object.__setattr__(self, name, value)


class LyingReading(Reading):
    def __init__(self, value: Any, location: Any = None) -> None:
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "location", location)


@dataclass(frozen=True)
class PhasesOfAHost(PhaseValues):
    meter: str = ""


@dataclass(frozen=True)
class ReadingOfAHost(Reading):
    sensor: str = ""


def test_a_dataclass_of_the_host_is_checked_too() -> None:
    assert PhasesOfAHost(1.0, n=2.0, meter="m") == PhasesOfAHost(1.0, None, None, None, 2.0, "m")
    with pytest.raises(ValueError, match=r"^l2 must be a finite number"):
        PhasesOfAHost(l2=float("nan"))
    with pytest.raises(ValueError, match=r"^value must be a finite number"):
        ReadingOfAHost("5")  # type: ignore[arg-type]


class LyingError(ErrorInfo):
    def __post_init__(self) -> None: ...


class Pretender:
    """isinstance takes it for an ErrorInfo; it has nothing of one."""

    __class__ = ErrorInfo  # type: ignore[assignment]


def test_a_subclass_is_copied_into_what_it_claims_to_be() -> None:
    measurement = Measurement(
        energy_import=LyingPhases(5.0),
        power=LyingPhases(l1=1.0),
        soc=LyingReading(5.0),
        temperatures=(LyingReading(1.0),),
    )
    kinds = [type(part) for part in (measurement.energy_import, measurement.power, measurement.soc)]
    assert kinds == [PhaseValues, PhaseValues, Reading]
    assert type(measurement.temperatures[0]) is Reading
    error = LyingError("GroundFailure", uuid="u")  # type: ignore[arg-type]
    assert exactly(ErrorInfo, error, "error") == ErrorInfo(ChargePointErrorCode.GROUND_FAILURE, uuid="u")
    own = ErrorInfo(ChargePointErrorCode.GROUND_FAILURE)
    assert exactly(ErrorInfo, own, "error") is own


@pytest.mark.parametrize("name", ["energy_import", "power", "reactive_energy_export", "soc", "rpm", "temperatures"])
def test_what_a_subclass_hides_is_refused_by_the_name_of_its_place(name: str) -> None:
    lie: Any = (LyingPhases if "energy" in name or name == "power" else LyingReading)("5")
    with pytest.raises(ValueError, match=f"^{name} must be of type .*Lying.* must be a finite number"):
        Measurement(**{name: [lie] if name == "temperatures" else lie})  # type: ignore[arg-type]


def test_what_cannot_even_be_read_is_refused() -> None:
    for lie in (Pretender(), object.__new__(LyingError)):
        with pytest.raises(ValueError, match=r"^error must be of type ErrorInfo, not "):
            exactly(ErrorInfo, lie, "error")


@pytest.mark.parametrize("name", REGISTERS)
@pytest.mark.parametrize("phase", PHASES)
def test_a_register_fits_into_32_bits(name: str, phase: str) -> None:
    for value in (-(2.0**31), 2.0**31 - 1, 2_147_483_647.4, -2_147_483_648.5, 0):
        assert getattr(getattr(Measurement(**{name: PhaseValues(**{phase: value})}), name), phase) == value  # type: ignore[arg-type]
    for value in (2.0**31, -(2.0**31) - 1, 1e300, 2**40):
        with pytest.raises(ValueError, match=rf"^{name}\.{phase} must fit into 32 bits, not "):
            Measurement(**{name: PhaseValues(**{phase: value})})  # type: ignore[arg-type]


def test_a_sample_has_an_end() -> None:
    assert len(Measurement(temperatures=(Reading(20.0),) * 64).temperatures) == 64
    with pytest.raises(ValueError, match=r"^temperatures must be 64 at most, not 65"):
        Measurement(temperatures=(Reading(20.0),) * 65)
    with pytest.raises(ValueError, match=r"^measurement\.temperature_C must have 64 at most, not 65"):
        Measurement.from_json({"power_meter": {"energy_Wh_import": {}}, "temperature_C": [{"value": 1}] * 65})


def test_texts_of_an_error_are_cut_to_what_can_be_told() -> None:
    error = ErrorInfo(ChargePointErrorCode.OTHER_ERROR, False, "i" * 10**6, "v" * 10**6, "c" * 10**6)
    assert (error.info, error.vendor_id, error.vendor_error_code) == ("i" * 50, "v" * 255, "c" * 50)
    with pytest.raises(ValueError, match=r"^uuid must be text of 0 to 255 characters"):
        ErrorInfo(ChargePointErrorCode.OTHER_ERROR, uuid="u" * 256)


def test_a_measurement_needs_no_time_of_its_own() -> None:
    assert Measurement(energy_import=PhaseValues(5.0)).timestamp is None
    assert Measurement(TIME, PhaseValues(5.0)) == Measurement(energy_import=PhaseValues(5.0), timestamp=TIME)


def test_times_of_every_zone_are_taken() -> None:
    for hours in (-12, 0, 14):
        zone = timezone(timedelta(hours=hours))
        for time in (datetime.min, datetime(2026, 1, 1), datetime.max):
            assert Measurement(time.replace(tzinfo=zone)).timestamp is not None


def test_a_list_of_temperatures_becomes_a_tuple() -> None:
    readings = [Reading(20.0), Reading(41.5, "Body")]
    measurement = Measurement(temperatures=readings)  # type: ignore[arg-type]
    readings.clear()
    assert measurement.temperatures == (Reading(20.0), Reading(41.5, "Body"))
    assert hash(measurement) == hash(Measurement(temperatures=(Reading(20.0), Reading(41.5, "Body"))))


def test_a_charging_limit_is_still_a_tuple() -> None:
    limit, unit, phases, until = ChargingLimit(None, "W", None, None)
    assert (limit, unit, phases, until) == ChargingLimit(None, "W", None, None)
    assert ChargingLimit(6, "A", 1, TIME)._replace(limit=0).limit == 0


# libocpp's form

WHOLE: dict[str, Any] = {
    "power_meter": {
        "timestamp": "2026-01-01T01:00:00+01:00",
        "energy_Wh_import": {"total": 1000, "L1": 400.5},
        "energy_Wh_export": {"total": 1},
        "power_W": {"total": -7000},
        "VAR": {"total": 30},
        "voltage_V": {"DC": 400, "L1-N": 230, "L3-L1": 399.5},
        "current_A": {"L1": 16, "N": 0.5},
        "frequency_Hz": {"L1": 50},
        "power_factor": {"total": 0.98, "L1": 0.97},
        "energy_varh_import": {"total": 55},
        "energy_varh_export": {"total": 5},
        "meter_id": "M-1",
        "phase_seq_error": False,
    },
    "soc_Percent": {"value": 81, "location": "EV"},
    "temperature_C": [{"value": 20}, {"value": 41.5, "location": "Body"}],
    "rpm": {"value": 1200},
}


def test_every_member_of_libocpps_form_has_its_place() -> None:
    assert Measurement.from_json(WHOLE) == Measurement(
        TIME,
        energy_import=PhaseValues(1000.0, 400.5),
        energy_export=PhaseValues(1.0),
        power=PhaseValues(-7000.0),
        reactive_power=PhaseValues(30.0),
        voltage=PhaseValues(400.0),
        voltage_between=VoltagesBetween(l1_n=230.0, l3_l1=399.5),
        current=PhaseValues(None, 16.0, n=0.5),
        frequency=PhaseValues(None, 50.0),
        soc=Reading(81.0, "EV"),
        temperatures=(Reading(20.0), Reading(41.5, "Body")),
        rpm=Reading(1200.0),
        power_factor=PhaseValues(0.98, 0.97),
        reactive_energy_import=PhaseValues(55.0),
        reactive_energy_export=PhaseValues(5.0),
    )


@pytest.mark.parametrize("now", [None, TIME])
def test_an_absent_time_is_now(now: datetime | None) -> None:
    document = {"power_meter": {"energy_Wh_import": {"total": 1}}}
    assert Measurement.from_json(document, now).timestamp is now


def replaced(document: Any, path: list[Any], value: Any) -> Any:
    if not path:
        return value
    if isinstance(document, list):
        return [replaced(item, path[1:], value) if index == path[0] else item for index, item in enumerate(document)]
    return {**document, path[0]: replaced(document.get(path[0]), path[1:], value)}


def paths(document: Any, before: tuple[Any, ...] = ()) -> list[list[Any]]:
    members = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [list(before), *(path for key, value in members for path in paths(value, (*before, key)))]


@given(path=st.sampled_from(paths(WHOLE)), value=st.sampled_from([*NO_NUMBERS, *NO_TEXTS, None, "soon", "0001-01-01"]))
def test_a_wrong_member_is_refused_by_its_place(path: list[Any], value: Any) -> None:
    try:
        taken, refusal = Measurement.from_json(replaced(WHOLE, path, value)), ""
    except ValueError as error:
        taken, refusal = None, str(error)
    if taken is None:
        assert refusal.startswith("measurement")
        assert refusal.isprintable()
    else:
        # A time may be absent, a quantity empty, a temperature missing, an energy a whole number.
        assert value in (None, [], {}, 1, 1.5, "1", "soon", "0001-01-01")
        assert type(taken.energy_import) is PhaseValues


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (["power_meter", "energy_Wh_import", "total"], nan, "energy_Wh_import.total must be a finite number, not nan"),
        (
            ["power_meter", "energy_Wh_import", "total"],
            True,
            "energy_Wh_import.total must be a finite number, not True",
        ),
        (
            ["power_meter", "energy_varh_export", "total"],
            2**31,
            "measurement.power_meter.energy_varh_export.total must fit into 32 bits, not 2147483648",
        ),
        (["power_meter", "voltage_V", "L4"], 1, "voltage_V has no member 'L4'"),
        (["power_meter", "voltage_V", "total"], 1, "voltage_V has a total and DC, which are one value"),
        (["power_meter", "timestamp"], "2026-01-01T00:00:00", "timestamp must be a time with a zone"),
        (["power_meter", "timestamp"], "soon", "timestamp must be an RFC 3339 time, not 'soon'"),
        (["power_meter", "timestamp"], 5, "timestamp must be text, not 5"),
        (["power_meter"], None, "measurement.power_meter must be an object"),
        (["soc"], 5, "measurement has no member 'soc'"),
        (["temperature_C"], {}, "measurement.temperature_C must be a list"),
        (["rpm", "location"], 5, "measurement.rpm.location must be text, not 5"),
    ],
)
def test_refusals_say_what_is_asked(path: list[Any], value: Any, sentence: str) -> None:
    with pytest.raises(ValueError) as refusal:
        Measurement.from_json(replaced(WHOLE, path, value))
    assert sentence in str(refusal.value)


def test_the_import_register_is_needed() -> None:
    with pytest.raises(ValueError, match=r"energy_Wh_import is missing"):
        Measurement.from_json({"power_meter": {}})
