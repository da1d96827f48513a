"""What EVerest tells, kept in order until the charge point is there, and told to it by one thread.

EVerest's threads only put things down here. Of what is a state, as the reading of a meter, the newest takes the place
of one that waits. All else waits in order, up to a number that nobody comes to unless something floods us.
"""

import threading
from collections import deque
from collections.abc import Callable, Hashable
from typing import Final

from ocpp16.errors import ChargePointStopped, FeatureNotBuilt
from ocpp16.faults import obey_exit, sentence
from ocpp16.log import FoldingLog

__all__ = ["Intake"]

MOST_WAITING: Final = 10_000


class _Told:
    __slots__ = ("act", "is_last_to_go", "state", "what")

    def __init__(self, what: str, act: Callable[[], object], state: Hashable, *, is_last_to_go: bool) -> None:
        self.what = what
        self.act = act
        self.state = state
        self.is_last_to_go = is_last_to_go


class Intake:
    """`begin` starts the thread, `end` ends it, after what it is doing. `is_stopped`: while the charge point is, what
    is told is forgotten, but for what `outlives_stop`."""

    def __init__(self, log: FoldingLog) -> None:
        self.is_stopped = False
        self._log = log
        self._waiting: deque[_Told] = deque()
        self._states: dict[Hashable, _Told] = {}
        self._changed = threading.Condition()
        self._is_over = False
        self._is_idle = True
        self._thread = threading.Thread(target=self._work, name="everest events", daemon=True)

    def tell(
        self,
        what: str,
        act: Callable[[], object],
        *,
        state: Hashable = None,
        outlives_stop: bool = False,
        is_last_to_go: bool = False,
    ) -> None:
        """Have `act` called. In any thread; waits for nothing. `state`: it replaces what waits of the same.
        `is_last_to_go`: in a flood, what others told is forgotten before it."""
        if self.is_stopped and not outlives_stop:
            return
        with self._changed:
            waits = self._states.get(state) if state is not None else None
            if waits is not None:
                waits.act = act
                return
            told = _Told(what, act, state, is_last_to_go=is_last_to_go)
            if len(self._waiting) >= MOST_WAITING:
                dropped = next((one for one in self._waiting if not one.is_last_to_go), self._waiting[0])
                self._waiting.remove(dropped)
                self._states.pop(dropped.state, None)
                self._log.error("%s of EVerest waited behind %s others, and is forgotten", dropped.what, MOST_WAITING)
            self._waiting.append(told)
            if state is not None:
                self._states[state] = told
            self._changed.notify_all()

    def begin(self) -> None:
        self._thread.start()

    def settle(self, seconds: float) -> None:
        """Wait until all is told that waits, so many seconds at most; not at all before `begin`."""
        with self._changed:
            if self._thread.is_alive():
                self._changed.wait_for(lambda: self._is_idle and not self._waiting, seconds)

    def end(self) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._is_idle = True
                self._changed.notify_all()
                while not self._waiting and not self._is_over:
                    self._changed.wait()
                if self._is_over:
                    return
                self._is_idle = False
                told = self._waiting.popleft()
                if told.state is not None:
                    del self._states[told.state]
                act = told.act
            try:
                act()
            except ChargePointStopped:
                continue
            except (ValueError, FeatureNotBuilt) as error:
                self._log.warning("%s of EVerest: %s", told.what, str(error), about=told.what)
            except BaseException as error:  # of one event: it ends nothing else
                obey_exit(error)
                self._log.error("%s of EVerest: %s", told.what, sentence(error), about=told.what, error=error)
