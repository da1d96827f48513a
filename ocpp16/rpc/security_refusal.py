"""A message was refused with SecurityError: we may be forgotten there (OCPP 1.6 ed. 2 §4.2). Then a BootNotification
is sent, and the message is not to blame.

A message is excused by one of them on a connection. The time between them grows, and what is refused meanwhile waits
for it: so a Central System that refuses for another reason is not asked for ever.
"""

from math import inf

from ocpp16.rpc.pending import Entry, Lane
from ocpp16.rpc.policy import BOOT_INTERVAL, LONGEST_HOLD, LONGEST_TRY_INTERVAL
from ocpp16.rpc.requests import Requests


class BootsAfterRefusals:
    """Of one session."""

    __slots__ = ("_due", "_interval")

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Another connection: as if there had been none."""
        self._due = -inf
        """The next one goes no earlier, monotonic seconds."""
        self._interval = BOOT_INTERVAL

    def excuse(self, entry: Entry, requests: Requests, connection: int, now: float) -> float | None:
        """Decide for a BootNotification, if it can help: `requests` await it then. For one that was Accepted.

        Returns when the message, refused on this connection, may go again if it is not to blame, else None.
        """
        if entry.lane is Lane.BOOT:
            return None
        is_first = entry.excused_on != connection
        if not requests.awaits_boot:
            if now < self._due:
                return self._due if is_first and self._due - now <= LONGEST_HOLD else None
            self._next(now)
            requests.awaits_boot = True
        entry.excused_on = connection
        return 0.0 if is_first else None

    def _next(self, now: float) -> None:
        """One is sent."""
        if now >= self._due + self._interval:  # the last one helped for long
            self._interval = BOOT_INTERVAL
        self._due = now + self._interval
        self._interval = min(2 * self._interval, LONGEST_TRY_INTERVAL)
