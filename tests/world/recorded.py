"""What a Central System of `ocpp16.testing` recorded, as frames for a linter."""

from collections.abc import Iterator
from datetime import UTC, datetime

from ocpp16.lint import FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT, Frame, connected, disconnected, frame_of
from ocpp16.testing import CentralSystem, Direction

BEGAN = 1_767_225_600
"""2026-01-01T00:00:00Z: what the clock of `CentralSystem` shows on entry."""


def recorded(
    csms: CentralSystem, entered_at: float = 0.0, *, has_connections: bool = True, began: float = BEGAN
) -> Iterator[Frame]:
    """entered_at: trio's time when it was entered; began: what its clock showed. Most traces have no connections."""
    for line, record in enumerate(csms.traffic, 1):
        at = datetime.fromtimestamp(began + record.time - entered_at, UTC).isoformat().replace("+00:00", "Z")
        if record.direction in (Direction.RECEIVED, Direction.SENT):
            direction = FROM_CHARGE_POINT if record.direction is Direction.RECEIVED else FROM_CENTRAL_SYSTEM
            yield frame_of(record.text, direction, charge_point=record.identity, line=line, timestamp=at)
        elif has_connections and record.direction is not Direction.REFUSED:
            event = connected if record.direction is Direction.OPENED else disconnected
            yield event(record.identity, line=line, timestamp=at)
