"""What a linter tells: one thing that is wrong, by which rule, and whose fault it is."""

from typing import Final, Literal, NamedTuple

from ocpp16.lint.frame import FROM_CHARGE_POINT, Frame

Severity = Literal["error", "warning"]
"""error: against the specification; warning: it may have its reasons, of which the traffic tells nothing."""
Side = Literal["charge point", "central system"]

ERROR: Final = "error"
WARNING: Final = "warning"
CHARGE_POINT: Final = "charge point"
CENTRAL_SYSTEM: Final = "central system"


class Finding(NamedTuple):
    """rule: the name of it; text: what is wrong, harmless to show; line: of the frame, 0 where there is none; side:
    whose fault it is; frame: in which it was seen, None if in none alone.
    """

    rule: str
    text: str
    line: int = 0
    charge_point: str = ""
    severity: Severity = ERROR
    side: Side = CHARGE_POINT
    frame: Frame | None = None


def sender(frame: Frame) -> Side:
    return CHARGE_POINT if frame.direction == FROM_CHARGE_POINT else CENTRAL_SYSTEM


def other(side: Side) -> Side:
    return CENTRAL_SYSTEM if side == CHARGE_POINT else CHARGE_POINT
