"""When a BootNotification is sent since a message was refused with SecurityError: we may be forgotten there.

A message is excused by one of them on a connection. The time between them grows, and what is refused meanwhile waits
for it: so a Central System that refuses for another reason is not asked for ever.
"""

from math import inf

from ocpp16.rpc.policy import BOOT_INTERVAL, LONGEST_TRY_INTERVAL


class BootsAfterRefusals:
    """Of one session. due: the next one goes no earlier, monotonic seconds."""

    __slots__ = ("_interval", "due")

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Another connection: as if there had been none."""
        self.due: float = -inf
        self._interval = BOOT_INTERVAL

    def next(self, now: float) -> None:
        """One is sent."""
        if now >= self.due + self._interval:  # the last one helped for long
            self._interval = BOOT_INTERVAL
        self.due = now + self._interval
        self._interval = min(2 * self._interval, LONGEST_TRY_INTERVAL)
