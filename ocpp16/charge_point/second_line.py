"""Behind the borders: what one part raises is caught at few places, and the charge point goes on.

Where code of others runs, or a fault of our own would end everything (timers, hooks, what follows an answer, frames,
handlers, reports, tasks), what it raises comes here: logged with its cause, counted, told to the observer. What is no
fault but the end of more than that part passes (`faults.obey`). One cause is told in full once; its repeats are folded,
so that a fault in a timer does not fill the log.
"""

from collections.abc import Callable

from ocpp16.faults import obey_exit, sentence
from ocpp16.log import FoldingLog
from ocpp16.models import Counters
from ocpp16.observer import InternalError, ObserverEvent
from ocpp16.rpc.folding import Folding
from ocpp16.texts import shown


class SecondLine:
    """Of one charge point.

    Parameters: `tell` gives an event to the observer at once; `monotonic` tells seconds; `log` is that of the charge
    point, if there is one already.
    """

    __slots__ = ("_counters", "_folding", "_monotonic", "_tell", "log")

    def __init__(
        self,
        charge_point_id: str,
        counters: Counters,
        monotonic: Callable[[], float],
        tell: Callable[[ObserverEvent], None],
        log: FoldingLog | None = None,
    ) -> None:
        self.log: FoldingLog = log or FoldingLog(charge_point_id, monotonic)
        self._counters = counters
        self._monotonic = monotonic
        self._tell = tell
        self._folding: Folding | None = None

    def failed(self, place: str, error: BaseException) -> None:
        """`error` was caught at `place`. Never raises."""
        self._counters.internal_errors += 1
        place, reason = shown(place), sentence(error)
        self.log.error("%s failed: %s", place, reason, about=place, error=error)
        if self._folding is None:
            self._folding = Folding()
        if self._folding.note((place, reason), self._monotonic()) is not None:
            self._tell(InternalError(place, reason))

    def guarded(self, place: str, call: Callable[[], object]) -> None:
        """Call it; what it raises ends nothing but itself."""
        try:
            call()
        except BaseException as error:
            obey_exit(error)
            self.failed(place, error)
