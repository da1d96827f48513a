"""Handlers of the commands about charging profiles and limits, and what their results look like.

Each hands its work to the charge point. Without smart charging that raises FeatureNotBuilt, which is a refusal. Times
are RFC 3339 texts in whole seconds, limits are not rounded.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from ocpp16.codec import format_datetime, parse_datetime_tolerant
from ocpp16.enums import ChargingProfilePurposeType, ChargingRateUnitType
from ocpp16.schedule import CompiledProfile, Limit
from ocpp16.schedule import Contribution as Part
from ocpp16.simulation.command import CommandError
from ocpp16.state.clock import to_micros

if TYPE_CHECKING:
    from ocpp16.simulation.commands import Commands

_SECOND = 1_000_000


def composite_schedule(on: "Commands", connector: int, duration: int, unit: ChargingRateUnitType) -> dict[str, Any]:
    """A period for each step: also where only the profile that decides is another one."""
    word: Literal["A", "W"] = "W" if unit == "W" else "A"
    schedule = on.charge_point.smart_charging.composite_schedule(connector, duration, word)
    return {
        "start": format_datetime(schedule.start_micros, 0),
        "duration": schedule.duration,
        "unit": schedule.unit,
        "periods": [
            {
                "start": step.start_period,
                "limit": step.limit,
                "phases": step.number_phases,
                "stack_level": step.stack_level,
            }
            for step in schedule.steps
        ],
    }


async def set_charging_profile(on: "Commands", connector: int, profile: dict[str, Any]) -> str:
    on.require_running()
    try:
        return str(await on.charge_point.smart_charging.set_charging_profile(connector, profile))
    except ValueError as error:
        raise CommandError("bad_value", str(error)) from None


def why_not_set(on: "Commands", connector: int, profile: dict[str, Any]) -> str:
    return on.charge_point.smart_charging.charging_profile_problem(connector, profile)


async def clear_charging_profiles(
    on: "Commands",
    profile_id: int | None,
    connector: int | None,
    purpose: ChargingProfilePurposeType | None,
    stack_level: int | None,
) -> int:
    on.require_running()
    return await on.charge_point.smart_charging.clear_charging_profiles(
        profile_id=profile_id, connector_id=connector, purpose=purpose, stack_level=stack_level
    )


def charging_profiles(on: "Commands") -> list[dict[str, Any]]:
    """In the order of connectors, purposes, stack levels. `valid`: has its time come, and is it not over for good?"""
    now = on.charge_point.for_station.clock.now()
    rows = [
        {
            "id": profile.profile_id,
            "connector": profile.connector_id,
            "purpose": profile.purpose,
            "stack_level": profile.stack_level,
            "kind": profile.kind,
            "unit": profile.unit,
            "valid": _is_valid(profile, now),
        }
        for profile in on.charge_point.smart_charging.charging_profiles
    ]
    return sorted(rows, key=lambda row: (row["connector"], row["purpose"], row["stack_level"]))


def charging_limit(on: "Commands", connector: int) -> dict[str, Any]:
    limit = on.charge_point.smart_charging.charging_limit(connector)
    return {"limit": limit.limit, "unit": limit.unit, "phases": limit.phases, "until": time_text(limit.until)}


def explain_limit(on: "Commands", connector: int) -> dict[str, Any]:
    """The limit in force, then what it was made of: the deciding profile, what transaction and maximum came to."""
    told = charging_limit(on, connector)
    found = on.charge_point.smart_charging.explain_limit(connector)
    return {
        **told,
        "shared": told["limit"] is not None and told["limit"] < found.limit,
        "profile": None if found.profile is None else _named(found.profile),
        "converted": found.is_converted,
        "before_sharing": None if found.is_default else found.limit,
        **dict(_parts(found)),
    }


def time_text(at: datetime | None) -> str | None:
    """As results and events have it."""
    return None if at is None else format_datetime(to_micros(at), 0)


def _parts(limit: Limit) -> Iterator[tuple[str, dict[str, Any] | None]]:
    for name, part in (("transaction", limit.transaction_limit), ("maximum", limit.maximum)):
        yield name, None if part is None else _part(part)


def _part(part: Part) -> dict[str, Any]:
    return {
        **_named(part.profile),
        "limit": part.limit,
        "unit": part.profile.unit,
        "phases": part.number_phases,
        "comes_to": part.converted_limit,
    }


def _named(profile: CompiledProfile) -> dict[str, Any]:
    return {"id": profile.profile_id, "purpose": profile.purpose, "stack_level": profile.stack_level}


def _is_valid(profile: CompiledProfile, now: int) -> bool:
    """Seconds count whole; the last moment of `validTo` is its second's beginning."""
    valid_from = profile.payload.get("validFrom")
    if valid_from is not None and parse_datetime_tolerant(valid_from) // _SECOND > now // _SECOND:
        return False
    return not profile.is_over(now)
