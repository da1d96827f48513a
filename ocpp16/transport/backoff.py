"""How long to wait before the next attempt to connect.

A series of numbers, nothing more: it does not wait, does not know why an attempt failed and never resets itself. The
caller resets it once a connection has proved stable (OCPP-J 1.6 leaves the figures open); a server that accepts and
drops at once is therefore met with growing waits too.

Rules, whatever the keys say:
- No wait is shorter than a second or longer than a day: a configuration of zeros must not become an attack on the
  Central System, and one of great numbers must not keep a charge point away for ever.
- Where a wait is cut to one of these ends it keeps a random part, so that charge points that lost the same server do
  not come back in step.
"""

from random import Random
from typing import Final

__all__ = ["LONGEST_WAIT", "SHORTEST_WAIT", "Backoff"]

SHORTEST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 86_400.0
_SPREAD_AT_THE_FLOOR: Final = 1.0  # seconds
_SPREAD_AT_THE_TOP: Final = LONGEST_WAIT / 10


class Backoff:
    """The waits that the configuration keys RetryBackOff* describe.

    Parameters: `wait_minimum` seconds before the second attempt, `random_range` seconds of which a random part is
    added to each new wait, `repeat_times` doublings before the wait stays as it is, `random` the source of chance.
    The first three may be changed at any time; the next wait follows them. Negative numbers and NaN count as 0.
    """

    __slots__ = ("_at_least", "_count", "_random", "_wait", "random_range", "repeat_times", "wait_minimum")

    def __init__(self, wait_minimum: float, random_range: float, repeat_times: float, random: Random) -> None:
        self.wait_minimum: float = wait_minimum
        self.random_range: float = random_range
        self.repeat_times: float = repeat_times
        self._random = random
        self._count = 0
        self._wait = 0.0
        self._at_least = 0.0

    def next(self) -> float:
        """Seconds to wait now, from 1 to 86,400. Every call is one failed attempt further on."""
        self._count += 1
        if self._count == 1:
            self._grow(_seconds(self.wait_minimum))
        elif self._count - 1 <= self.repeat_times:
            self._grow(2 * self._wait)
        wait = self._wait
        if wait >= LONGEST_WAIT:
            wait -= self._random.uniform(0, _SPREAD_AT_THE_TOP)
        if self._at_least:
            # All who were sent away together shall not come back together either.
            asked = self._at_least + self._random.uniform(0, max(_seconds(self.random_range), _SPREAD_AT_THE_FLOOR))
            wait = max(wait, min(asked, LONGEST_WAIT))
            self._at_least = 0.0
        return wait

    def _grow(self, base: float) -> None:
        wait = base + self._random.uniform(0, _seconds(self.random_range))
        if wait < SHORTEST_WAIT:
            wait = SHORTEST_WAIT + self._random.uniform(0, _SPREAD_AT_THE_FLOOR)
        self._wait = min(wait, LONGEST_WAIT)

    def wait_at_least(self, seconds: float | None) -> None:
        """The server asked for this wait (Retry-After, RFC 9110 §10.2.3): the next one is not shorter, but for a day.

        None and what is no positive number ask for nothing; the series goes on as before.
        """
        self._at_least = 0.0 if seconds is None else _seconds(seconds)

    def reset(self) -> None:
        """Begin the series anew: the connection was stable, or a person asked for one."""
        self._count = 0
        self._at_least = 0.0


def _seconds(given: float) -> float:
    """A number of seconds from 0 to a day; NaN is 0."""
    return float(min(given, LONGEST_WAIT)) if given > 0 else 0.0
