"""The composite schedule of a connector as a picture needs it: steps, and behind them each profile as if alone."""

from typing import Any, Final, Literal

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.profiles.schedule_keys import schedule_settings
from ocpp16.schedule import CompiledProfile, CompositeSchedule, RunningTransaction, ScheduleSettings, composite_schedule
from ocpp16.state.transaction import Transaction

MOST_STEPS: Final = 2_000
"""Of one curve; a picture has fewer points."""
MOST_PROFILES: Final = 20
LONGEST: Final = 7 * 86_400
"""Seconds."""

Unit = Literal["A", "W"]


def curves(charge_point: ChargePoint, connector: int, duration: int, unit: Unit) -> dict[str, Any]:
    """`steps` are [second, limit, phases] from `start`, in ms since 1970; between two of them, where `limit` is null,
    a profile says nothing. Raises ValueError for no connector, FeatureNotBuilt without smart charging.
    """
    door = charge_point.smart_charging
    schedule = door.composite_schedule(connector, duration, unit)
    settings = schedule_settings(charge_point.configuration.__getitem__)
    installed = door.charging_profiles
    concerned = list(installed) if connector == 0 else list(installed.stack(connector).profiles)
    alone = [_alone(charge_point, profile, schedule, connector or 1, settings) for profile in concerned[:MOST_PROFILES]]
    return {
        "connector": connector,
        "start": schedule.start_micros // 1000,
        "duration": max(schedule.duration, 1),
        "unit": schedule.unit,
        "steps": [[step.start_period, step.limit, step.number_phases] for step in schedule.periods[:MOST_STEPS]],
        "profiles": alone,
        "left_out": max(len(concerned) - MOST_PROFILES, 0),
    }


def _alone(
    charge_point: ChargePoint,
    profile: CompiledProfile,
    composite: CompositeSchedule,
    connector: int,
    settings: ScheduleSettings,
) -> dict[str, Any]:
    number = profile.connector_id or connector
    transaction = charge_point.transaction(number)
    schedule = composite_schedule(
        [profile],
        number,
        composite.start_micros,
        composite.duration,
        composite.unit,
        transactions={} if transaction is None else {number: _running(transaction)},
        settings=settings,
    )
    return {
        "id": profile.profile_id,
        "connector": profile.connector_id,
        "purpose": profile.purpose,
        "stack_level": profile.stack_level,
        "kind": profile.kind,
        "steps": [
            [step.start_period, None if step.profile is None else step.limit, step.number_phases]
            for step in schedule.steps[:MOST_STEPS]
        ],
    }


def _running(transaction: Transaction) -> RunningTransaction:
    return RunningTransaction(transaction.started_at, transaction.transaction_id)
