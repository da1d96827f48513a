"""Behind the borders: an exception of one part is caught at few places, and the charge point goes on.

Where code of others runs, or a fault of our own would end everything (timers, hooks, what follows an answer, frames,
handlers, reports, tasks), what it raises comes here: logged with its cause, counted, told to the observer. One cause is
told in full once; its repeats are folded, so that a fault in a timer does not fill the log.
"""

from collections.abc import Callable

from ocpp16.models import Counters
from ocpp16.observer import InternalError, ObserverEvent
from ocpp16.profiles.context import log
from ocpp16.texts import shown

FOLDED_FOR = 60.0
"""Seconds in which repeats of one cause are counted and not told."""
_CAUSES = 64
"""Causes told apart; with more the oldest are forgotten."""


class SecondLine:
    """Of one charge point. `tell` gives an event to the observer at once; `monotonic` tells seconds."""

    __slots__ = ("_charge_point_id", "_counters", "_monotonic", "_seen", "_tell")

    def __init__(
        self,
        charge_point_id: str,
        counters: Counters,
        monotonic: Callable[[], float],
        tell: Callable[[ObserverEvent], None],
    ) -> None:
        self._charge_point_id = shown(charge_point_id)
        self._counters = counters
        self._monotonic = monotonic
        self._tell = tell
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def failed(self, place: str, error: BaseException) -> None:
        """`error` was caught at `place`. Never raises."""
        self._counters.internal_errors += 1
        reason = f"{type(error).__name__}: {shown(_text_of(error))}"
        now = self._monotonic()
        until, folded = self._seen.get((place, reason), (0.0, 0))
        if now < until:
            self._seen[place, reason] = (until, folded + 1)
            return
        self._seen.pop((place, reason), None)
        self._seen[place, reason] = (now + FOLDED_FOR, 0)
        if len(self._seen) > _CAUSES:
            del self._seen[next(iter(self._seen))]
        more = f" (and {folded} times more since it was told)" if folded else ""
        log.error("%s: %s failed: %s%s", self._charge_point_id, place, reason, more, exc_info=error)
        self._tell(InternalError(place, reason))

    def guarded(self, place: str, call: Callable[[], object]) -> None:
        """Call it; what it raises ends nothing but itself."""
        try:
            call()
        except Exception as error:
            self.failed(place, error)


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # a foreign exception may fail even at this
        return "(no text)"
