"""May this charging profile be installed? The checks that need no charge point, in the order in which they count.

Rules of this file:
1. A check looks at the request and at what the charge point can do, never at its state: whether a transaction runs
   and whether there is room is asked separately, with the state as an argument.
2. The first thing that is wrong is reported, with the member's name. A wrong form is answered with a CALLERROR, a
   profile that cannot be had with status Rejected (OCPP 1.6 ed. 2 §5.16, errata 3.38, 3.39, 3.45, 3.70).
3. Taken on purpose: recurrencyKind with another kind, transactionId with another purpose, a validTo that has passed,
   a duration of 0 or longer than the recurrence, more phases than there are.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Any, Final, NamedTuple

from ocpp16._core import parse_datetime_tolerant
from ocpp16._core.periods import CompiledProfile
from ocpp16._core.precedence import RunningTransaction
from ocpp16.enums import (
    ChargingProfileKindType,
    ChargingProfilePurposeType,
    ChargingRateUnitType,
    ErrorCode,
    RecurrencyKindType,
)

_MOST = 2**63 - 1
"""Identifiers and levels are kept in 64 bits, by the core as by the store."""


class ProfileProblem(NamedTuple):
    """Why a charging profile is refused."""

    field: str
    """The member that is wrong, as on the wire."""
    reason: str
    """What is wrong with it, in words that go on after its name."""
    code: ErrorCode | None = None
    """The CALLERROR to answer with; None: status Rejected."""

    def __str__(self) -> str:
        return f"{self.field} {self.reason}"


@dataclass(frozen=True, slots=True)
class ProfileRules:
    """What a charge point can do with charging profiles; None: anything.

    number_of_connectors: NumberOfConnectors; purposes: SupportedChargingProfilePurposeTypes; max_stack_level:
    ChargeProfileMaxStackLevel; max_periods: ChargingScheduleMaxPeriods; units: "A" and "W", as far as
    ChargingScheduleAllowedChargingRateUnit has Current and Power; needs_start_schedule: False with
    AllowChargingProfileWithoutStartSchedule, see `with_start_schedule`.
    """

    number_of_connectors: int | None = None
    purposes: Collection[str] | None = None
    max_stack_level: int | None = None
    max_periods: int | None = None
    units: Collection[str] | None = None
    needs_start_schedule: bool = True


ANY: Final = ProfileRules()


def _integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    return _integer(value) or isinstance(value, float)


def _instant(value: Any) -> bool:
    try:
        parse_datetime_tolerant(value)
    except (TypeError, ValueError):
        return False
    return True


def _text_of(kind: type[StrEnum]) -> Callable[[Any], bool]:
    texts = frozenset(kind)
    return lambda value: isinstance(value, str) and value in texts


_Shape = Mapping[str, tuple[bool, str, Callable[[Any], bool]]]
"""Member → is it required, what it must be, does a value fit."""

_PROFILE: _Shape = {
    "chargingProfileId": (True, "an integer", _integer),
    "transactionId": (False, "an integer", _integer),
    "stackLevel": (True, "an integer", _integer),
    "chargingProfilePurpose": (True, "a purpose", _text_of(ChargingProfilePurposeType)),
    "chargingProfileKind": (True, "a kind", _text_of(ChargingProfileKindType)),
    "recurrencyKind": (False, "Daily or Weekly", _text_of(RecurrencyKindType)),
    "validFrom": (False, "an RFC 3339 time", _instant),
    "validTo": (False, "an RFC 3339 time", _instant),
    "chargingSchedule": (True, "an object", lambda value: isinstance(value, dict)),
}
_SCHEDULE: _Shape = {
    "duration": (False, "an integer", _integer),
    "startSchedule": (False, "an RFC 3339 time", _instant),
    "chargingRateUnit": (True, "A or W", _text_of(ChargingRateUnitType)),
    "chargingSchedulePeriod": (True, "a list", lambda value: isinstance(value, list)),
    "minChargingRate": (False, "a number", _number),
}
_PERIOD: _Shape = {
    "startPeriod": (True, "an integer", _integer),
    "limit": (True, "a number", _number),
    "numberPhases": (False, "an integer", _integer),
}
_ENUMERATIONS = {"chargingProfilePurpose", "chargingProfileKind", "recurrencyKind", "chargingRateUnit"}


def _shape_problem(value: Any, shape: _Shape, place: str = "") -> ProfileProblem | None:
    for name, (is_required, wanted, fits) in shape.items():
        if name not in value:
            if is_required:
                return ProfileProblem(place + name, "is missing", ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION)
            continue
        if not fits(value[name]):
            is_choice = name in _ENUMERATIONS and isinstance(value[name], str)
            code = ErrorCode.PROPERTY_CONSTRAINT_VIOLATION if is_choice else ErrorCode.TYPE_CONSTRAINT_VIOLATION
            return ProfileProblem(place + name, f"must be {wanted}, not {value[name]!r:.60}", code)
    return None


def _form_problem(profile: Any) -> ProfileProblem | None:
    if not isinstance(profile, dict):
        return ProfileProblem("csChargingProfiles", "must be an object", ErrorCode.TYPE_CONSTRAINT_VIOLATION)
    problem = _shape_problem(profile, _PROFILE) or _shape_problem(profile["chargingSchedule"], _SCHEDULE)
    if problem is not None:
        return problem
    for number, period in enumerate(profile["chargingSchedule"]["chargingSchedulePeriod"]):
        place = f"chargingSchedulePeriod[{number}]"
        if not isinstance(period, dict):
            return ProfileProblem(place, "must be an object", ErrorCode.TYPE_CONSTRAINT_VIOLATION)
        problem = _shape_problem(period, _PERIOD, place + ".")
        if problem is not None:
            return problem
    return None


def _kind_problem(profile: Mapping[str, Any], rules: ProfileRules) -> ProfileProblem | None:
    kind = profile["chargingProfileKind"]
    is_anchored = "startSchedule" in profile["chargingSchedule"] or not rules.needs_start_schedule
    if kind == ChargingProfileKindType.RECURRING and "recurrencyKind" not in profile:
        return ProfileProblem("recurrencyKind", "is missing, which kind Recurring needs")
    if kind != ChargingProfileKindType.RELATIVE and not is_anchored:
        return ProfileProblem("startSchedule", f"is missing, which kind {kind} counts from")
    return None


def _schedule_problem(schedule: Mapping[str, Any], rules: ProfileRules) -> ProfileProblem | None:
    periods = schedule["chargingSchedulePeriod"]
    if not periods:
        return ProfileProblem("chargingSchedulePeriod", "has no period")
    if periods[0]["startPeriod"] != 0:
        return ProfileProblem("chargingSchedulePeriod[0].startPeriod", f"must be 0, not {periods[0]['startPeriod']}")
    for number in range(1, len(periods)):
        if periods[number]["startPeriod"] <= periods[number - 1]["startPeriod"]:
            return ProfileProblem(f"chargingSchedulePeriod[{number}].startPeriod", "must be after the one before")
    if rules.max_periods is not None and len(periods) > rules.max_periods:
        return ProfileProblem("chargingSchedulePeriod", f"has {len(periods)} periods, above {rules.max_periods}")
    if rules.units is not None and schedule["chargingRateUnit"] not in rules.units:
        return ProfileProblem("chargingRateUnit", f"{schedule['chargingRateUnit']} is not supported")
    for number, period in enumerate(periods):
        if not _is_rate(period["limit"]):
            return ProfileProblem(f"chargingSchedulePeriod[{number}].limit", "must be finite and not negative")
    if not _is_rate(schedule.get("minChargingRate", 0)):
        return ProfileProblem("minChargingRate", "must be finite and not negative")
    for number, period in enumerate(periods):
        if period.get("numberPhases", 1) not in (1, 2, 3):
            return ProfileProblem(f"chargingSchedulePeriod[{number}].numberPhases", "must be 1, 2 or 3")
    if schedule.get("duration", 0) < 0:
        return ProfileProblem("duration", "must not be negative")
    return None


def _is_rate(value: float) -> bool:
    try:
        return isfinite(value) and value >= 0
    except OverflowError:  # an integer beyond all doubles
        return False


def check_profile(connector_id: int, profile: Any, rules: ProfileRules = ANY) -> ProfileProblem | None:
    """What is wrong with a charging profile, or None (OCPP 1.6 ed. 2 §5.16).

    connector_id: what it is to be installed for, 0 being the charge point; profile: `csChargingProfiles` as on the
    wire, of any form. Not asked here: `check_transaction`, and `InstalledProfiles.has_room_for`.
    """
    problem = _form_problem(profile)
    if problem is not None:
        return problem
    most = rules.number_of_connectors
    if connector_id < 0 or (most is not None and connector_id > most):
        return ProfileProblem("connectorId", f"{connector_id} does not exist", ErrorCode.PROPERTY_CONSTRAINT_VIOLATION)
    purpose, level = profile["chargingProfilePurpose"], profile["stackLevel"]
    if rules.purposes is not None and purpose not in rules.purposes:
        return ProfileProblem("chargingProfilePurpose", f"{purpose} is not supported")
    highest = _MOST if rules.max_stack_level is None else rules.max_stack_level
    if not 0 <= level <= highest:
        return ProfileProblem("stackLevel", f"{level} is not within 0 to {highest}")
    for name in ("chargingProfileId", "transactionId"):
        if not -_MOST <= profile.get(name, 0) <= _MOST:
            return ProfileProblem(name, "does not fit into 64 bits")
    problem = _kind_problem(profile, rules) or _schedule_problem(profile["chargingSchedule"], rules)
    if problem is not None:
        return problem
    if "validFrom" in profile and "validTo" in profile:
        begin, end = (parse_datetime_tolerant(profile[name]) // 1_000_000 for name in ("validFrom", "validTo"))
        if end <= begin:
            return ProfileProblem("validTo", "must be after validFrom")
    if purpose == ChargingProfilePurposeType.CHARGE_POINT_MAX_PROFILE:
        if connector_id != 0:
            return ProfileProblem("connectorId", f"must be 0 for a ChargePointMaxProfile, not {connector_id}")
        if profile["chargingProfileKind"] == ChargingProfileKindType.RELATIVE:
            return ProfileProblem("chargingProfileKind", "must not be Relative for a ChargePointMaxProfile")
    if purpose == ChargingProfilePurposeType.TX_PROFILE and connector_id == 0:
        return ProfileProblem("connectorId", "must not be 0 for a TxProfile")
    return None


def check_transaction(profile: Mapping[str, Any], transaction: RunningTransaction | None) -> ProfileProblem | None:
    """Does a TxProfile that passed `check_profile` fit what runs on its connector (None: nothing)?

    Without transactionId it is taken for the transaction that runs (OCPP 1.6 ed. 2 §3.13.1).
    """
    if profile["chargingProfilePurpose"] != ChargingProfilePurposeType.TX_PROFILE:
        return None
    if transaction is None:
        return ProfileProblem("connectorId", "has no transaction, which a TxProfile needs")
    if "transactionId" in profile and profile["transactionId"] != transaction.transaction_id:
        return ProfileProblem("transactionId", f"{profile['transactionId']} is not of the transaction that runs")
    return None


def check_remote_start(profile: Any, rules: ProfileRules = ANY) -> ProfileProblem | None:
    """What is wrong with the `chargingProfile` of a RemoteStartTransaction.req, or None (OCPP 1.6 ed. 2 §5.11)."""
    problem = check_profile(1, profile, rules)
    if problem is not None:
        return problem
    if profile["chargingProfilePurpose"] != ChargingProfilePurposeType.TX_PROFILE:
        return ProfileProblem("chargingProfilePurpose", "must be TxProfile")
    if "transactionId" in profile:
        return ProfileProblem("transactionId", "must be absent: there is no transaction yet")
    return None


def with_start_schedule(profile: dict[str, Any], now: str) -> dict[str, Any]:
    """The profile, its schedule starting at `now` (an RFC 3339 time) where its kind needs a start and it names none.

    For AllowChargingProfileWithoutStartSchedule. What comes back is what has to be stored.
    """
    schedule = profile["chargingSchedule"]
    if "startSchedule" in schedule or profile["chargingProfileKind"] == ChargingProfileKindType.RELATIVE:
        return profile
    return {**profile, "chargingSchedule": {**schedule, "startSchedule": now}}


def compile_profile(connector_id: int, profile: dict[str, Any], rules: ProfileRules = ANY) -> CompiledProfile:
    """A charging profile (`csChargingProfiles` as on the wire) ready for calculation.

    It is kept and must not change. Raises ValueError naming the member that is wrong.
    """
    problem = check_profile(connector_id, profile, rules)
    if problem is not None:
        raise ValueError(str(problem))
    return CompiledProfile(connector_id, profile)
