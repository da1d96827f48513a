"""How long to wait before the next attempt to connect.

A series of numbers, nothing more: it does not wait, does not know why an attempt failed and never resets itself. The
caller resets it once a connection has proved stable (OCPP-J 1.6 leaves the figures open); a server that accepts and
drops at once is therefore met with growing waits too.
"""

from random import Random

__all__ = ["Backoff"]


class Backoff:
    """The waits that the configuration keys RetryBackOff* describe.

    Parameters: `wait_minimum` seconds before the second attempt, `random_range` seconds of which a random part is
    added to each new wait, `repeat_times` doublings before the wait stays as it is, `random` the source of chance.
    The first three may be changed at any time; the next wait follows them.
    """

    __slots__ = ("_count", "_random", "_wait", "random_range", "repeat_times", "wait_minimum")

    def __init__(self, wait_minimum: float, random_range: float, repeat_times: int, random: Random) -> None:
        self.wait_minimum = wait_minimum
        self.random_range = random_range
        self.repeat_times = repeat_times
        self._random = random
        self._count = 0
        self._wait = 0.0

    def next(self) -> float:
        """Seconds to wait now. Every call is one failed attempt further on."""
        self._count += 1
        if self._count == 1:
            self._wait = self.wait_minimum + self._random.uniform(0, self.random_range)
        elif self._count <= self.repeat_times + 1:
            self._wait = 2 * self._wait + self._random.uniform(0, self.random_range)
        return self._wait

    def reset(self) -> None:
        """Begin the series anew: the connection was stable, or a person asked for one."""
        self._count = 0
