"""When the next attempt to connect is made: as the RetryBackoff keys have it, and as an address asked (Retry-After).

What one address asks for says nothing of another.
"""

from random import Random

from ocpp16.configuration.keys import internal
from ocpp16.profiles.base import Context
from ocpp16.transport.backoff import LONGEST_WAIT, Backoff

_KEYS = frozenset(
    key.name
    for key in (
        internal.RETRY_BACKOFF_WAIT_MINIMUM,
        internal.RETRY_BACKOFF_RANDOM_RANGE,
        internal.RETRY_BACKOFF_REPEAT_TIMES,
    )
)


class NextAttempt:
    """Of one start of a charge point. `random` gives the random part of the waits."""

    __slots__ = ("_backoff", "_ctx", "_not_before")

    def __init__(self, ctx: Context, random: Random) -> None:
        self._ctx = ctx
        self._backoff = Backoff(0, 0, 0, random)
        self._not_before: dict[str, float] | None = None
        """Address → monotonic seconds; None: no address has asked for anything."""

    def sent_away(self, uri: str, seconds: float | None) -> None:
        """This address refused us, and asks to be left alone so long; None: it asks for nothing."""
        now = self._ctx.clock.monotonic()
        known = self._not_before or {}
        self._not_before = {address: until for address, until in known.items() if until > now and address != uri}
        if seconds is not None and seconds > 0:
            self._not_before[uri] = now + min(seconds, LONGEST_WAIT)

    def left_alone_for(self, uri: str) -> float:
        """Seconds that this address still asks to be left alone; 0: it does not."""
        until = None if self._not_before is None else self._not_before.get(uri)
        return 0.0 if until is None else max(until - self._ctx.clock.monotonic(), 0.0)

    def wait(self, uri: str) -> float:
        """Seconds until the next attempt at this address, after one that failed."""
        configuration = self._ctx.configuration
        self._backoff.wait_minimum = configuration[internal.RETRY_BACKOFF_WAIT_MINIMUM]
        self._backoff.random_range = configuration[internal.RETRY_BACKOFF_RANDOM_RANGE]
        self._backoff.repeat_times = configuration[internal.RETRY_BACKOFF_REPEAT_TIMES]
        self._backoff.wait_at_least(self.left_alone_for(uri))
        return self._backoff.next()

    def proved(self) -> None:
        """A connection was good: the waits begin anew."""
        self._backoff.reset()

    def at_once(self) -> None:
        """A person wants one: whatever was asked for before counts no more."""
        self._backoff.reset()
        self._not_before = None

    def key_changed(self, key: str) -> None:
        if key in _KEYS:
            self._backoff.reset()
