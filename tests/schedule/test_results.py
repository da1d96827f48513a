"""What comes back: schedules, limits, their reasons, and the form for the wire."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from ocpp16 import schedule

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
Periods = list[tuple[int, float] | tuple[int, float, int]]


def compiled(
    number: int, connector: int, purpose: str, level: int, periods: Periods, unit: str = "A", **changes: Any
) -> schedule.CompiledProfile:
    plan: dict[str, Any] = {
        "startSchedule": "2026-01-05T12:00:00Z",
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [
            dict(zip(("startPeriod", "limit", "numberPhases"), period, strict=False)) for period in periods
        ],
    }
    plan.update({name: changes.pop(name) for name in ("duration",) if name in changes})
    made = {
        "chargingProfileId": number,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": plan,
    }
    return schedule.compile_profile(connector, made | changes)


MAX, DEFAULT, TX = "ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"
PROFILES = schedule.InstalledProfiles(
    [
        compiled(1, 0, MAX, 0, [(0, 13800), (600, 6900)], "W", duration=1200),
        compiled(2, 0, DEFAULT, 0, [(0, 16)]),
        compiled(3, 1, DEFAULT, 1, [(0, 10), (300, 10, 1)], duration=900),
        compiled(4, 1, TX, 0, [(0, 20)], duration=100, transactionId=5),
    ]
)
RUNNING = {1: schedule.RunningTransaction(NOON, 5)}


def told(periods: tuple[schedule.SchedulePeriod, ...]) -> list[tuple[Any, ...]]:
    return [
        (p.start_period, p.limit, p.number_phases, p.profile and p.profile.profile_id, p.is_converted) for p in periods
    ]


def test_steps_tell_what_decides() -> None:
    made = schedule.composite_schedule(PROFILES, 1, NOON, 1800, "A", transactions=RUNNING)
    assert told(made.steps) == [
        (0, 20, None, 4, False),
        (100, 10, None, 3, False),
        (300, 10, 1, 3, False),
        (900, 10, None, 1, True),
        (1200, 16, None, 2, False),
    ]


def test_periods_leave_out_what_only_changes_the_reason() -> None:
    profiles = [
        compiled(1, 1, DEFAULT, 0, [(0, 16)]),
        compiled(2, 1, DEFAULT, 1, [(0, 16)], duration=60),
        compiled(3, 1, DEFAULT, 2, [(0, 11040)], "W", duration=30),
    ]
    made = schedule.composite_schedule(profiles, 1, NOON, 600, "A")
    assert told(made.periods) == [(0, 16, None, 3, True)]
    assert told(made.steps) == [(0, 16, None, 3, True), (30, 16, None, 2, False), (60, 16, None, 1, False)]
    assert [step.stack_level for step in made.steps] == [2, 1, 0]


def test_attributes_and_instants() -> None:
    made = schedule.composite_schedule(PROFILES, 1, NOON + timedelta(seconds=5, microseconds=999_999), 1800, "W")
    assert made.start == NOON + timedelta(seconds=5)
    assert made.start_micros == 1_767_614_405_000_000
    assert (made.connector_id, made.duration, made.unit) == (1, 1800, "W")
    east = NOON.astimezone(timezone(timedelta(hours=5))) + timedelta(seconds=5)
    assert made == schedule.composite_schedule(PROFILES, 1, east, 1800, "W")
    assert made == schedule.composite_schedule(PROFILES, 1, made.start_micros, 1800, "W")
    assert len({made, schedule.composite_schedule(PROFILES, 1, east, 1800, "W")}) == 1
    assert made != schedule.composite_schedule(PROFILES, 1, east, 1801, "W")
    other: Any = made.periods[0]
    assert made != other
    assert "connector 1" in repr(made)
    assert made.periods is made.periods


def test_results_are_frozen() -> None:
    made = schedule.composite_schedule(PROFILES, 1, NOON, 60, "A")
    limit = schedule.charging_limit(PROFILES, 1, NOON, "A")
    for thing, name in ((made, "duration"), (made.periods[0], "limit"), (limit, "limit"), (RUNNING[1], "start")):
        with pytest.raises(AttributeError):
            setattr(thing, name, 1)


@pytest.mark.parametrize(
    "kind", [schedule.CompositeSchedule, schedule.SchedulePeriod, schedule.Limit, schedule.Contribution]
)
def test_results_are_made_by_calculations_only(kind: Any) -> None:
    with pytest.raises(TypeError, match=f"a {kind.__name__} that no calculation made"):
        kind()
    if kind is schedule.CompositeSchedule:
        with pytest.raises(ValueError, match="outside"):
            kind.__new__(kind).period_at(0)


def test_numbers_that_nothing_has_are_refused_by_name() -> None:
    for at in (10**24, 10**400, -(10**400), 9223372036854775807 * 10**6):
        with pytest.raises(ValueError, match="years 1 to 9999"):
            schedule.composite_schedule(PROFILES, 1, at, 60, "A")
        with pytest.raises(ValueError, match="years 1 to 9999"):
            schedule.RunningTransaction(at)
    with pytest.raises(ValueError, match="connector_id"):
        schedule.composite_schedule([], 2**40, NOON, 60, "A")
    with pytest.raises(ValueError, match="transaction_id"):
        schedule.RunningTransaction(NOON, 2**63)
    assert schedule.RunningTransaction(NOON, -(2**63)).transaction_id == -(2**63)
    part: Any = 1.5
    with pytest.raises(TypeError, match="transaction_id"):
        schedule.RunningTransaction(NOON, part)
    with pytest.raises(ValueError, match="default_number_phases"):
        schedule.ScheduleSettings(default_number_phases=2**40)


def test_period_at() -> None:
    made = schedule.composite_schedule(PROFILES, 1, NOON, 1800, "A", transactions=RUNNING)
    for offset, number in ((0, 0), (99, 0), (100, 1), (299, 1), (300, 2), (1799, 4)):
        assert made.period_at(NOON + timedelta(seconds=offset)) == made.steps[number]
    for offset in (-1, 1800):
        with pytest.raises(ValueError, match="outside"):
            made.period_at(NOON + timedelta(seconds=offset))
    instant = schedule.composite_schedule(PROFILES, 1, NOON, 0, "A", transactions=RUNNING)
    assert instant.duration == 0
    assert instant.period_at(NOON) == instant.steps[0]
    assert len(instant.periods) == 1


def test_limit_and_its_parts() -> None:
    limit = schedule.charging_limit(PROFILES, 1, NOON + timedelta(seconds=300), "A", transactions=RUNNING)
    assert (limit.limit, limit.number_phases, limit.unit, limit.is_converted) == (10, 1, "A", False)
    assert limit.profile is PROFILES.get(3)
    assert limit.until == NOON + timedelta(seconds=900)
    assert limit.at == NOON + timedelta(seconds=300)
    assert limit.transaction_limit is not None
    assert limit.transaction_limit.number_phases == 1
    assert limit.maximum is not None
    assert (limit.maximum.limit, limit.maximum.converted_limit) == (13800, 60)
    assert limit.maximum.number_phases is None
    assert not limit.is_default


@pytest.mark.parametrize(
    ("connector", "offset", "transactions", "is_enforced", "wanted"),
    [
        (1, 0, RUNNING, False, (20, 4, 100)),
        (1, 0, {}, False, (10, 3, 300)),
        (1, 0, {}, True, (20, 1, 600)),
        (1, 0, {1: schedule.RunningTransaction(NOON, 6)}, True, (10, 3, 300)),
        (2, 0, {}, False, (16, 2, 600)),
        (2, 0, {}, True, (20, 1, 600)),
        (2, 1200, {}, True, (48, None, None)),
        (2, 1200, {2: schedule.RunningTransaction(NOON)}, True, (16, 2, None)),
        (2, -60, {}, False, (48, None, 0)),
        (0, 0, {}, False, (20, 1, 300)),
        (0, 1200, {}, False, (16 + 16, None, 1200 + 86400)),
        (0, 0, RUNNING, True, (20, 1, 600)),
        (0, 1200, RUNNING, True, (48, None, None)),
    ],
)
def test_limit_until(
    connector: int, offset: int, transactions: Any, is_enforced: bool, wanted: tuple[Any, ...]
) -> None:
    limit = schedule.charging_limit(
        PROFILES,
        connector,
        NOON + timedelta(seconds=offset),
        "A",
        number_of_connectors=2,
        transactions=transactions,
        is_enforced=is_enforced,
    )
    until = None if limit.until is None else (limit.until - NOON).total_seconds()
    assert (limit.limit, limit.profile and limit.profile.profile_id, until) == wanted
    assert limit.is_default is (wanted[1] is None and (connector > 0 or is_enforced))


@pytest.mark.parametrize("is_enforced", [False, True])
def test_a_limit_as_high_as_the_default_one_begins_and_ends(is_enforced: bool) -> None:
    # Without a profile a station may take more than the default limit (§3.13.6): 48 A that bind are not "no limit".
    as_default = [compiled(1, 1, DEFAULT, 0, [(0, 48)], validFrom="2026-01-05T12:01:00Z", duration=120)]
    wanted = [(0, True, 60), (60, False, 120), (120, True, None)]
    for offset, is_default, until in wanted:
        limit = schedule.charging_limit(
            as_default, 1, NOON + timedelta(seconds=offset), "A", transactions=RUNNING, is_enforced=is_enforced
        )
        seconds = None if limit.until is None else (limit.until - NOON).total_seconds()
        assert (limit.limit, limit.is_default, seconds) == (48, is_default, until)


def test_until_skips_boundaries_that_change_nothing_and_stops_at_the_horizon() -> None:
    same = [compiled(1, 1, DEFAULT, 0, [(k * 60, 16) for k in range(500)])]
    for horizon, wanted in ((60, 60), (3600, 3600), (86400, None)):
        limit = schedule.charging_limit(same, 1, NOON, "A", horizon=horizon)
        assert limit.until == (None if wanted is None else NOON + timedelta(seconds=wanted))
    for horizon in (0, -1, 2**31):
        with pytest.raises(ValueError, match="horizon"):
            schedule.charging_limit(same, 1, NOON, "A", horizon=horizon)


def test_wire_form_rounds_down_then_merges() -> None:
    profiles = [
        compiled(1, 1, DEFAULT, 0, [(0, 11000), (60, 11010), (120, 11040), (180, 11040, 3), (240, 60)], "W"),
    ]
    settings = schedule.ScheduleSettings()
    made = schedule.composite_schedule(profiles, 1, NOON, 300, "A", settings=settings)
    assert [period.start_period for period in made.periods] == [0, 60, 120, 180, 240]
    assert made.charging_schedule() == {
        "duration": 300,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": 15.9},
            {"startPeriod": 120, "limit": 16.0},
            {"startPeriod": 180, "limit": 16.0, "numberPhases": 3},
            {"startPeriod": 240, "limit": 0.0},
        ],
    }


@pytest.mark.parametrize(
    ("limit", "rounded"),
    [(0, 0), (0.1, 0.1), (0.3, 0.3), (15.999, 15.9), (16.1, 16.1), (0.1 + 0.2, 0.3), (8.15, 8.1), (1e300, 1e300)],
)
def test_rounding(limit: float, rounded: float) -> None:
    assert schedule.round_down(limit) == rounded


def test_one_decimal_place_stays() -> None:
    for tenths in [*range(3300), 331199, 331200, 10**7 + 3]:
        assert schedule.round_down(tenths / 10) == tenths / 10


def test_conversion() -> None:
    assert schedule.convert_limit(16, "A", "W") == 11040
    assert schedule.convert_limit(16, "A", "W", 1) == 3680
    assert schedule.convert_limit(11040, "W", "A", 3) == 16
    assert schedule.convert_limit(7, "A", "A", 2) == 7
    assert schedule.convert_limit(10, "A", "W", 2, schedule.ScheduleSettings(supply_voltage=120)) == 2400
    for phases in (0, 4, -1):
        with pytest.raises(ValueError, match="number_phases"):
            schedule.convert_limit(1, "A", "W", phases)


@pytest.mark.parametrize(
    "wrong",
    [
        {"default_limit_amps": -1},
        {"default_limit_watts": float("nan")},
        {"default_number_phases": 0},
        {"default_number_phases": 4},
        {"supply_voltage": 0},
        {"supply_voltage": float("inf")},
        {"max_duration": -1},
        {"max_duration": 2**31},
    ],
)
def test_settings_are_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        schedule.ScheduleSettings(**wrong)


def test_wrong_questions() -> None:
    ask: Any = schedule.composite_schedule
    with pytest.raises(ValueError, match="duration"):
        ask(PROFILES, 1, NOON, -1, "A")
    with pytest.raises(ValueError, match="unit"):
        ask(PROFILES, 1, NOON, 1, "VA")
    with pytest.raises(ValueError, match="time zone"):
        ask(PROFILES, 1, datetime(2026, 1, 1), 1, "A")
    with pytest.raises(TypeError, match="instant"):
        ask(PROFILES, 1, 1.5, 1, "A")
    with pytest.raises(ValueError, match="purpose"):
        ask(PROFILES, 1, NOON, 1, "A", ignored=("Tx",))
    with pytest.raises(TypeError, match="ignored"):
        ask(PROFILES, 1, NOON, 1, "A", ignored="TxProfile")
    with pytest.raises(ValueError, match="connector_id"):
        ask(PROFILES, -1, NOON, 1, "A")


def test_words_of_the_verdicts() -> None:
    profiles = [
        compiled(1, 1, TX, 0, [(0, 6)]),
        compiled(2, 1, TX, 1, [(0, 6)], transactionId=9),
        compiled(3, 1, DEFAULT, 0, [(0, 6)], validFrom="2026-01-05T13:00:00Z"),
        compiled(4, 1, DEFAULT, 1, [(0, 6)], validTo="2026-01-05T12:00:00Z"),
        compiled(5, 1, DEFAULT, 2, [(0, 6)], duration=0, chargingProfileKind="Recurring", recurrencyKind="Daily"),
        compiled(6, 1, DEFAULT, 3, [(0, 6)]),
        compiled(7, 1, DEFAULT, 4, [(0, 6)], duration=60),
        compiled(8, 0, DEFAULT, 4, [(0, 6)]),
        compiled(9, 0, MAX, 0, [(0, 6)]),
        compiled(10, 0, DEFAULT, 3, [(0, 6)]),
    ]
    stack = schedule.ProfileStack(profiles, 1)

    def words(offset: int, transaction: schedule.RunningTransaction | None, *ignored: str) -> dict[int, str]:
        at = NOON + timedelta(seconds=offset)
        return {p.profile_id: word for p, word in stack.verdicts(at, transaction=transaction, ignored=ignored)}

    running = schedule.RunningTransaction(NOON, 5)
    assert words(0, running) == {
        1: "decides",
        2: "other transaction",
        3: "not valid yet",
        4: "no longer valid",
        5: "over",
        6: "outranked",
        7: "outranked",
        8: "replaced",
        9: "decides",
        10: "replaced",
    }
    later = words(60, None, MAX)
    assert (later[1], later[7], later[8], later[9]) == ("no transaction", "over", "decides", "ignored")
    assert words(-1, None)[7] == "not started"


def test_an_unknown_transaction_id_is_no_number() -> None:
    profiles = [compiled(1, 1, TX, 0, [(0, 6)], transactionId=0)]
    for number, limit in ((None, 48), (0, 6), (1, 48)):
        running = {1: schedule.RunningTransaction(NOON, number)}
        assert schedule.charging_limit(profiles, 1, NOON, "A", transactions=running).limit == limit


def test_small_differences_are_measured_from_the_begin_of_the_period() -> None:
    """Each step is within a millionth of the one before, but not of the period it would belong to."""
    profiles = [
        compiled(1, 1, DEFAULT, 2, [(0, 16)], duration=60),
        compiled(2, 1, DEFAULT, 1, [(0, 16.00001)], duration=120),
        compiled(3, 1, DEFAULT, 0, [(0, 16.00002)]),
    ]
    made = schedule.composite_schedule(profiles, 1, NOON, 600, "A")
    assert [step.start_period for step in made.steps] == [0, 60, 120]
    assert [period.start_period for period in made.periods] == [0, 120]


@pytest.mark.parametrize(
    "profiles",
    [
        [],
        [compiled(1, 1, DEFAULT, 0, [(0, 6)]), compiled(2, 1, TX, 0, [(0, 8)])],
        [compiled(1, 1, DEFAULT, 0, [(0, 6)]), compiled(1, 1, TX, 0, [(0, 8)])],
        [compiled(1, 1, DEFAULT, 0, [(0, 6)]), compiled(2, 1, DEFAULT, 0, [(0, 8)])],
        [compiled(1, 1, DEFAULT, 0, [(0, 6)]), compiled(2, 0, DEFAULT, 0, [(0, 8)])],
        [compiled(1, 0, DEFAULT, 0, [(0, 6)]), compiled(2, 1, DEFAULT, 0, [(0, 8)])],
        [compiled(1, 1, DEFAULT, 0, [(0, 6)]), compiled(1, 2, DEFAULT, 0, [(0, 8)])],
    ],
)
@pytest.mark.parametrize("connector_id", [0, 1, 2])
def test_a_list_counts_as_if_installed_in_its_order(profiles: list[Any], connector_id: int) -> None:
    for given in (profiles, iter(profiles)):
        found = schedule.composite_schedule(given, connector_id, NOON, 600, "A", transactions=RUNNING)
        installed = schedule.InstalledProfiles(profiles)
        wanted = schedule.composite_schedule(installed, connector_id, NOON, 600, "A", transactions=RUNNING)
        assert [(step.limit, step.profile) for step in found.steps] == [
            (step.limit, step.profile) for step in wanted.steps
        ]
