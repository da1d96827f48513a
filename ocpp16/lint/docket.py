"""What the subjects of a case share: the findings, the connection, and what else is known of the charge point."""

from ocpp16.lint.finding import CHARGE_POINT, Finding, Side, sender
from ocpp16.lint.frame import Frame
from ocpp16.lint.rules import RULES


class Docket:
    """rules: names of those that are told."""

    __slots__ = ("charge_point", "found", "is_connected", "now", "rules")

    def __init__(self, charge_point: str, rules: frozenset[str]) -> None:
        self.charge_point = charge_point
        self.rules = rules
        self.found: list[Finding] = []
        self.is_connected: bool | None = None
        """None: nobody tells of connections."""
        self.now: int | None = None
        """µs since 1970, of the last frame that has a time."""

    def tell(self, rule: str, text: str, frame: Frame | None = None, side: Side | None = None) -> None:
        """`side`: whose fault it is, the sender's of the frame where it is not given."""
        if rule in self.rules:
            line = 0 if frame is None else frame.line
            blamed = side or (CHARGE_POINT if frame is None else sender(frame))
            self.found.append(Finding(rule, text, line, self.charge_point, RULES[rule].severity, blamed, frame))
