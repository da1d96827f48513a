"""What host and log are told of database and files: that they cannot be written, that they can again, what was saved.

Database and files fail apart, and are told apart; that it is over is told when nothing fails any more.
"""

from collections.abc import Callable
from functools import partial

from ocpp16.charge_point.runtime import Runtime
from ocpp16.configuration.keys import internal
from ocpp16.log import FoldingLog
from ocpp16.models import Counters
from ocpp16.observer import ObserverEvent, StoreFailing, StoreRecovered
from ocpp16.store.journal import Journal
from ocpp16.texts import shown


class StoreReports:
    """Of one charge point and the journal it uses."""

    __slots__ = ("_counters", "_detail", "_failing", "_journal", "_log", "_runtime", "_undo")

    def __init__(self, log: FoldingLog, journal: Journal, counters: Counters) -> None:
        self._log = log
        self._journal = journal
        self._counters = counters
        self._runtime: Runtime | None = None
        """By whom it is told; None: not begun, or ended."""
        self._failing: frozenset[str] = frozenset()
        self._detail = ""
        """What was told of a damaged database."""
        self._undo: list[Callable[[], None]] = []

    def begin(self, runtime: Runtime) -> None:
        """Have what happens at the store told, until `end`.

        Raises StoreError if another charge point of this identity is at the store.
        """
        journal, identity = self._journal, runtime.configuration[internal.CHARGE_POINT_ID]
        journal.charge_points.claim(identity)
        self._runtime = runtime
        self._undo = [
            partial(journal.charge_points.release, identity),
            journal.subscribe(runtime.durable_rose, identity),
            journal.watch(
                identity,
                on_failing=self.database_failing,
                on_recovered=self.database_recovered,
                on_internal_error=runtime.second_line.failed,
            ),
        ]

    def end(self) -> None:
        """May be called twice."""
        while self._undo:
            self._undo.pop()()
        self._runtime = None

    def database_failing(self, reason: str) -> None:
        self._begin("database", reason)

    def database_recovered(self) -> None:
        self._end("database")

    def files_failing(self, reason: str) -> None:
        self._begin("files", reason)

    def files_recovered(self) -> None:
        self._end("files")

    def _begin(self, what: str, reason: str) -> None:
        self._failing |= {what}
        self._counters.store_failures += 1
        self._log.error("not stored, what depends on it waits or is refused: %s", reason)
        self._tell(StoreFailing(reason))

    def _end(self, what: str) -> None:
        was_failing = bool(self._failing)
        self._failing -= {what}
        if self._failing:
            return
        if was_failing:
            self._log.warning("what could not be stored can be again")
            self._tell_recovered()
        else:
            self.look()

    def look(self) -> None:
        """Tell what became of a damaged database, if that is news."""
        if getattr(self._journal.store, "detail", "") != self._detail and not self._failing:
            self._tell_recovered()

    def _tell_recovered(self) -> None:
        detail = getattr(self._journal.store, "detail", "")
        news = detail if detail != self._detail else ""
        self._detail = detail
        self._tell(StoreRecovered(shown(news, 1000)))

    def _tell(self, event: ObserverEvent) -> None:
        if self._runtime is not None:
            self._runtime.tell_at_once(event)
