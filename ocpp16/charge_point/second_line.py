"""Behind the borders: an exception of one part is caught at few places, and the charge point goes on.

Where code of others runs, or a fault of our own would end everything (timers, hooks, what follows an answer, frames,
handlers, reports, tasks), what it raises comes here: logged with its cause, counted, told to the observer. One cause is
told in full once; its repeats are folded, so that a fault in a timer does not fill the log.
"""

from collections.abc import Callable

from ocpp16.models import Counters
from ocpp16.observer import InternalError, ObserverEvent
from ocpp16.profiles.context import log
from ocpp16.rpc.folding import Folding
from ocpp16.texts import shown


class SecondLine:
    """Of one charge point. `tell` gives an event to the observer at once; `monotonic` tells seconds."""

    __slots__ = ("_charge_point_id", "_counters", "_folding", "_monotonic", "_tell")

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
        self._folding: Folding | None = None

    def failed(self, place: str, error: BaseException) -> None:
        """`error` was caught at `place`. Never raises."""
        self._counters.internal_errors += 1
        reason = f"{type(error).__name__}: {shown(_text_of(error))}"
        if self._folding is None:
            self._folding = Folding()
        untold = self._folding.note((place, reason), self._monotonic())
        if untold is None:
            return
        more = f" (and {untold} times more since it was told)" if untold else ""
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
