"""Situations made up at random, by any source of choices, and the library's view of them."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from oracle import Payload, Situation

from ocpp16 import schedule

T = TypeVar("T")
Choose = Callable[[Sequence[Any]], Any]
MONDAY = 1704067200
"""2024-01-01T00:00:00Z."""
LIMITS: dict[str, Sequence[float]] = {
    "A": (0, 6, 6.1, 10, 16, 16.1, 30, 32, 63.3),
    "W": (0, 230, 1380, 4140, 6900, 11040, 11108.9, 22080, 5520.5),
}


def stamp(at: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)).isoformat()


def profile(choose: Choose, number: int, connectors: int, start: int, grid: int, span: int) -> tuple[int, Payload]:
    purpose = choose(("ChargePointMaxProfile", "TxDefaultProfile", "TxDefaultProfile", "TxProfile", "TxProfile"))
    connector = {"ChargePointMaxProfile": 0, "TxProfile": choose(range(1, connectors + 1))}.get(purpose)
    if connector is None:
        connector = choose(range(connectors + 1))
    kinds = ("Absolute", "Recurring") if purpose == "ChargePointMaxProfile" else ("Absolute", "Recurring", "Relative")
    kind, unit = choose(kinds), choose("AW")
    around = range(-span // grid, span // grid + 1)
    made: Payload = {
        "chargingProfileId": choose((number, number, number, 1)),
        "stackLevel": choose(range(6)),
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
    }
    plan: Payload = {"chargingRateUnit": unit}
    if kind != "Relative" or choose((False, True)):
        plan["startSchedule"] = stamp(start + choose(around) * grid)
    recurrence = 0
    if kind == "Recurring" or choose((False, False, True)):
        made["recurrencyKind"] = choose(("Daily", "Daily", "Weekly"))
    if kind == "Recurring":
        recurrence = {"Daily": 86400, "Weekly": 604800}[made["recurrencyKind"]]
        since = choose((0, 1, 1, 2, 30)) * recurrence
        plan["startSchedule"] = stamp(start + choose(around) * grid - since)
        if grid > 1 and choose((False, True)):
            plan["startSchedule"] = stamp(start + choose(range(-2 * recurrence // grid, 3)) * grid)
    if choose((False, True)):
        longest = max(recurrence, span) if grid > 1 else span
        plan["duration"] = choose(range(int(1.5 * longest) // grid + 1)) * grid
    starts = [0]
    for _ in range(choose((0, 1, 3, 6))):
        starts.append(starts[-1] + choose(range(1, max(2, span // grid // 4))) * grid)
    plan["chargingSchedulePeriod"] = [{"startPeriod": at, "limit": choose(LIMITS[unit])} for at in starts]
    for period in plan["chargingSchedulePeriod"]:
        phases = choose((None, None, 1, 2, 3))
        if phases:
            period["numberPhases"] = phases
    if choose((False, False, False, True)):
        made["validFrom"] = stamp(start + choose(around) * grid)
    if choose((False, False, False, True)):
        made["validTo"] = stamp(start + choose(around) * grid)
    if made.get("validFrom", "") >= made.get("validTo", "~"):
        del made["validTo"]
    if purpose == "TxProfile":
        number = choose((None, 1, 2))
        if number is not None:
            made["transactionId"] = number
    made["chargingSchedule"] = plan
    return connector, made


def situation(choose: Choose) -> Situation:
    """One of any kind; a source that shrinks makes it simple."""
    number_of_connectors = choose((1, 1, 2, 3))
    grid, span = choose(((1, 60), (1, 60), (3600, 3 * 86400), (21600, 15 * 86400)))
    start = MONDAY + choose(range(-span // grid, span // grid + 1)) * grid
    transactions = {}
    for connector in range(1, number_of_connectors + 1):
        if choose((False, True)):
            transactions[connector] = (start - choose(range(span // grid)) * grid, choose((1, 1, None)))
    made = [
        profile(choose, number, number_of_connectors, start, grid, span)
        for number in range(1, 1 + choose((0, 1, 3, 5, 8, 12, 20)))
    ]
    return Situation(
        profiles=made,
        connector=choose((*range(number_of_connectors + 1), 1)),
        start=start,
        duration=choose((0, span // 2, span, span, span, choose(range(span // grid)) * grid)) // grid * grid,
        unit=choose("AW"),
        connectors=number_of_connectors,
        transactions=transactions,
        ignored=choose(
            ((), (), (), (), (), ("TxProfile",), ("TxDefaultProfile",), ("ChargePointMaxProfile", "TxProfile"))
        ),
        defaults=choose(({"A": 48.0, "W": 33120.0}, {"A": 16.0, "W": 11040.0})),
        phases=choose((3, 3, 1, 2)),
        voltage=choose((230.0, 230.0, 120.0)),
        grid=grid,
    )


def crowd(choose: Choose, connectors: int, size: int) -> Situation:
    """Many short schedules, each of a level of its own, so that there is always another one to decide next."""
    start, span = MONDAY, 240
    made = []
    for number in range(1, size + 1):
        connector = choose(range(connectors + 1))
        purposes = (
            ("ChargePointMaxProfile", "TxDefaultProfile") if connector == 0 else ("TxDefaultProfile", "TxProfile")
        )
        unit = choose("AAW")
        plan: Payload = {
            "startSchedule": stamp(start + choose(range(-span // 4, span))),
            "duration": choose(range(1, span // 2)),
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": [
                {"startPeriod": at, "limit": choose(LIMITS[unit]), "numberPhases": choose((1, 2, 3))}
                for at in (0, 17, 40)[: choose((1, 3))]
            ],
        }
        made.append(
            (
                connector,
                {
                    "chargingProfileId": number,
                    "stackLevel": number * 37 % size,
                    "chargingProfilePurpose": choose(purposes),
                    "chargingProfileKind": "Absolute",
                    "chargingSchedule": plan,
                },
            )
        )
    running: dict[int, tuple[int, int | None]] = {
        connector: (start, None) for connector in range(1, connectors + 1) if choose((False, True, True))
    }
    return Situation(made, choose((0, 1)), start, span, choose("AW"), connectors, running)


class View:
    """The same situation as the library sees it."""

    def __init__(self, of: Situation) -> None:
        self.of = of
        self.profiles = schedule.InstalledProfiles(
            schedule.compile_profile(connector, json.loads(json.dumps(made))) for connector, made in of.profiles
        )
        self.facts: dict[str, Any] = {
            "number_of_connectors": of.connectors,
            "transactions": {
                connector: schedule.RunningTransaction(start * 1_000_000, number)
                for connector, (start, number) in of.transactions.items()
            },
            "settings": schedule.ScheduleSettings(
                default_limit_amps=of.defaults["A"],
                default_limit_watts=of.defaults["W"],
                default_number_phases=of.phases,
                supply_voltage=of.voltage,
            ),
            "ignored": of.ignored,
        }

    def composite_schedule(self, start: int | None = None, duration: int | None = None) -> schedule.CompositeSchedule:
        return schedule.composite_schedule(
            self.profiles,
            self.of.connector,
            (self.of.start if start is None else start) * 1_000_000,
            self.of.duration if duration is None else duration,
            self.of.unit,  # type: ignore[arg-type]
            **self.facts,
        )

    def charging_limit(self, *, is_enforced: bool = False, horizon: int = 86400) -> schedule.Limit:
        return schedule.charging_limit(
            self.profiles,
            self.of.connector,
            self.of.start * 1_000_000,
            self.of.unit,  # type: ignore[arg-type]
            **self.facts,
            is_enforced=is_enforced,
            horizon=horizon,
        )
