"""What the subjects of a case share: the findings, the connection, and what else is known of the charge point."""

from ocpp16.lint.finding import CHARGE_POINT, Finding, Side, sender
from ocpp16.lint.frame import Frame
from ocpp16.lint.rules import RULES

SECOND = 1_000_000
"""Times of this package are µs since 1970."""
_LONGEST_WAIT = 60 * SECOND
"""For one answer: then nobody waits any more."""


class Docket:
    """rules: names of those that are told; most_running: transactions that are remembered while they run."""

    __slots__ = (
        *("charge_point", "connectors", "fell", "found", "has_zone", "is_accepted", "is_connected"),
        *("is_off", "is_updating", "keys", "most_running", "now", "offset", "rules", "statuses"),
        *("_waited", "_waits_since"),
    )

    def __init__(self, charge_point: str, rules: frozenset[str], most_running: int) -> None:
        self.charge_point = charge_point
        self.rules = rules
        self.most_running = most_running
        self.found: list[Finding] = []
        self.is_connected: bool | None = None
        """None: nobody tells of connections."""
        self.is_accepted = False
        """Has the Central System accepted its BootNotification, as far as is known?"""
        self.now: int | None = None
        """µs since 1970, of the last frame that has a time."""
        self.has_zone = True
        """Do the times of the frames say of which zone they are? Else only their differences mean something."""
        self.offset: int | None = None
        """µs by which the Central System's clock is ahead of the times of the frames."""
        self.is_off = False
        """Was it far ahead or behind with the last frame?"""
        self.fell: int = 0
        """µs by which the time that the charge point is told has fallen at most. What it tells may fall by as much, and
        that is no fault of its own."""
        self.is_updating: bool = False
        """Is an update of its firmware under way? Then connectors may be out of service, whatever was asked."""
        self.keys: dict[str, int] = {}
        """Configuration keys that are numbers, of those that matter here."""
        self.connectors: set[int] = set()
        """Connectors 1..n that were named."""
        self.statuses: dict[int, str] = {}
        """Connector → status that was told last; what may have changed since unseen is left out."""
        self._waited = 0
        self._waits_since: int | None = None

    def waits(self, since: int | None) -> None:
        """For an answer to a CALL of the charge point, which can tell nothing else meanwhile; None: not any more."""
        if self.now is not None:
            self._waited = self.waited(self.now)
        self._waits_since = since

    def waited(self, now: int) -> int:
        """µs in which the charge point could tell nothing, up to now: nobody blames it for these."""
        open_for = 0 if self._waits_since is None else now - self._waits_since
        return self._waited + min(max(0, open_for), _LONGEST_WAIT)

    def tell(self, rule: str, text: str, frame: Frame | None = None, side: Side | None = None) -> None:
        """`side`: whose fault it is, the sender's of the frame where it is not given."""
        if rule in self.rules:
            line = 0 if frame is None else frame.line
            blamed = side or (CHARGE_POINT if frame is None else sender(frame))
            self.found.append(Finding(rule, text, line, self.charge_point, RULES[rule].severity, blamed, frame))
