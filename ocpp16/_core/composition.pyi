"""What all charging profiles come to on one connector: over a window of time, and at one instant."""

from collections.abc import Collection
from datetime import datetime
from typing import Literal

from ocpp16._core.precedence import ProfileStack, RunningTransaction
from ocpp16._core.schedule import CompositeSchedule, Limit, ScheduleSettings

def connector_schedule(
    stack: ProfileStack,
    start: datetime | int,
    duration: int,
    unit: Literal["A", "W"],
    settings: ScheduleSettings | None = None,
    transaction: RunningTransaction | None = None,
    ignored: Collection[str] = (),
) -> CompositeSchedule: ...
def connector_limit(
    stack: ProfileStack,
    at: datetime | int,
    unit: Literal["A", "W"],
    settings: ScheduleSettings | None = None,
    transaction: RunningTransaction | None = None,
    ignored: Collection[str] = (),
    is_enforced: bool = False,
    horizon: int = 86400,
) -> Limit: ...
