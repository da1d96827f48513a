"""Smart charging without a charge point: what do these charging profiles come to, when, and why?

    from ocpp16 import schedule

    profiles = schedule.InstalledProfiles([schedule.compile_profile(0, profile)])   # ValueError names the member
    plan = schedule.composite_schedule(profiles, 1, start, 3600, "A")               # .periods, .steps
    limit = schedule.charging_limit(profiles, 1, now, "A")                          # .limit, .until, .profile
    profiles.stack(1).verdicts(now)                                                 # why each one applies, or not

An instant is an aware datetime or an int of microseconds since 1970 UTC; fractions of seconds are cut off. Limits are
in A per phase or in W of all phases, and are not rounded; `CompositeSchedule.charging_schedule()` is the form for the
wire. Profiles are compiled once and calculated with in the compiled core; results are frozen.
"""

from ocpp16._core.periods import CompiledProfile
from ocpp16._core.precedence import ProfileStack, RunningTransaction
from ocpp16._core.schedule import (
    CompositeSchedule,
    Contribution,
    Limit,
    SchedulePeriod,
    ScheduleSettings,
    convert_limit,
    round_down,
)
from ocpp16.schedule.calculation import charging_limit, composite_schedule
from ocpp16.schedule.checks import (
    ProfileProblem,
    ProfileRules,
    check_profile,
    check_remote_start,
    check_transaction,
    compile_profile,
    with_start_schedule,
)
from ocpp16.schedule.installed import InstalledProfiles

__all__ = [
    "CompiledProfile",
    "CompositeSchedule",
    "Contribution",
    "InstalledProfiles",
    "Limit",
    "ProfileProblem",
    "ProfileRules",
    "ProfileStack",
    "RunningTransaction",
    "SchedulePeriod",
    "ScheduleSettings",
    "charging_limit",
    "check_profile",
    "check_remote_start",
    "check_transaction",
    "compile_profile",
    "composite_schedule",
    "convert_limit",
    "round_down",
    "with_start_schedule",
]
