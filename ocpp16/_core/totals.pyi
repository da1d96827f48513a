"""What all charging profiles come to on connector 0: what the charge point expects to draw from the grid."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Literal

from ocpp16._core.precedence import ProfileStack, RunningTransaction
from ocpp16._core.schedule import CompositeSchedule, Limit, ScheduleSettings

def station_schedule(
    station: ProfileStack,
    members: Iterable[tuple[ProfileStack, RunningTransaction | None, int]],
    start: datetime | int,
    duration: int,
    unit: Literal["A", "W"],
    settings: ScheduleSettings | None = None,
    ignored: Collection[str] = (),
) -> CompositeSchedule: ...
def station_limit(
    station: ProfileStack,
    members: Iterable[tuple[ProfileStack, RunningTransaction | None, int]],
    at: datetime | int,
    unit: Literal["A", "W"],
    settings: ScheduleSettings | None = None,
    ignored: Collection[str] = (),
    horizon: int = 86400,
) -> Limit: ...
