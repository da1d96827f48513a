"""What is seen of one charge point: its frames, the states of its connectors, its transactions.

It is the observer of the charge point, told a moment after things happen and in their order.
"""

from collections.abc import Collection
from typing import Any, Final

import orjson
import trio

from ocpp16.faults import sentence
from ocpp16.observer import (
    ConnectionStateChanged,
    MessageExchanged,
    ObserverEvent,
    StatusChanged,
    TransactionStarted,
    TransactionStopped,
)
from ocpp16.scenario.exchanges import Exchange, Exchanges
from ocpp16.scenario.judge import Call, Judge, Party
from ocpp16.scenario.model import Seen

MOST_OPEN: Final = 64
"""CALLs of one charge point whose answers are waited for; of more the oldest is given up."""


MOST_CUT: Final = 3
"""CALLs of one action whose connection the other side ends one after another, with no answer to any of that action:
what it ends each time it gets it, it never takes."""
BY_US: Final = frozenset({"stopped", "connection closed with 1006 (dropped)"})
"""Why connections end that are ended here."""


class Watch:
    """Of one charge point. `began`: seconds of the story at which it came; `asked`: actions that a script looks back
    for; None: there is no script. `is_disturbed`: does the scenario itself end connections, by faults of the wire?"""

    __slots__ = (
        "_began",
        "_cut",
        "_is_disturbed",
        "_judge",
        "_open",
        "attempt_failed_at",
        "connected_at",
        "exchanges",
        "failure",
        "is_connected",
        "news",
        "party",
        "reason",
        "seen",
        "started",
        "states",
        "stopped",
    )

    def __init__(
        self,
        identity: str,
        judge: Judge,
        story_began: float,
        asked: Collection[str] | None,
        *,
        is_disturbed: bool = False,
    ) -> None:
        self._judge = judge
        self._began = story_began
        self._is_disturbed = is_disturbed
        self._cut: dict[str, int] | None = None
        """Actions whose last CALLs were cut off by the other side, and how many of them one after another."""
        self.party: Party = Party(identity, self.now)
        self._open: dict[tuple[Seen, str], Call] = {}
        self.exchanges: Exchanges | None = None if asked is None else Exchanges(asked)
        self.seen: int = 0
        self.is_connected: bool = False
        self.connected_at: int = 0
        self.attempt_failed_at: int = 0
        """What was `seen` when a connection was made last, and when there was none for the last time where there was
        to be one."""
        self.states: dict[int, str] = {}
        self.news: trio.Event = trio.Event()
        """Set at whatever happens; whoever waits makes another."""
        self.reason: str = ""
        """Why there is no connection, as far as it was told."""
        self.failure: str = ""
        self.started: int = 0
        self.stopped: int = 0

    @property
    def now(self) -> float:
        """Seconds of the story."""
        return trio.current_time() - self._began

    def awaits_answers(self, until: float) -> bool:
        """Is an answer of the Central System waited for, to what was asked until this second of the story?"""
        return any(call.seen is Seen.SENT and call.at <= until for call in self._open.values())

    async def notify(self, event: ObserverEvent) -> None:
        """Take what the charge point tells. What goes wrong then is kept, in words: who missed some cannot judge."""
        try:
            self._take(event)
        except Exception as error:
            self.failure = self.failure or f"{type(event).__name__} could not be looked at: {sentence(error)}"
            raise

    def _take(self, event: ObserverEvent) -> None:
        if type(event) is MessageExchanged:
            self._frame(Seen(event.direction), event.text)
        elif type(event) is StatusChanged:
            self.states[event.connector_id] = str(event.status)
            self._judge.state(self.party, event.connector_id, str(event.status), self.now)
        elif type(event) is TransactionStarted:
            self.started += 1
        elif type(event) is TransactionStopped:
            self.stopped += 1
        elif type(event) is ConnectionStateChanged and event.connected:
            self.seen += 1
            self.connected_at, self.is_connected = self.seen, True
        elif type(event) is ConnectionStateChanged:
            if not self.is_connected:
                self.seen += 1
                self.attempt_failed_at = self.seen
            self.is_connected = False
            self.reason = event.reason
            self._cut_off(is_by_us=self._is_disturbed or event.reason in BY_US)
        self.news.set()

    def _cut_off(self, *, is_by_us: bool) -> None:
        for call in self._open.values():
            times = 0
            if call.seen is Seen.SENT and not is_by_us:
                cut = self._cut = self._cut or {}
                times = cut[call.action] = cut.get(call.action, 0) + 1
            if times < MOST_CUT:
                self._judge.cut_off(self.party, call, self.now)
            else:
                self._judge.never_taken(self.party, call, self.now, times)
        self._open.clear()

    def _frame(self, seen: Seen, text: str) -> None:
        try:
            frame = orjson.loads(text)
        except orjson.JSONDecodeError:
            return
        now = self.now
        match frame:
            case [2, str() | int() as unique, str(action), payload]:
                self._called((seen, str(unique)), Call(seen, action, payload, now))
            case [3, str() | int() as unique, payload]:
                self._answered(seen, str(unique), now, payload, "")
            case [4, str() | int() as unique, str(code), *_]:
                self._answered(seen, str(unique), now, None, code or "InternalError")

    def _called(self, key: tuple[Seen, str], call: Call) -> None:
        if len(self._open) >= MOST_OPEN:
            oldest = next(iter(self._open))
            self._judge.unanswered(self.party, self._open.pop(oldest), call.at)
        self._open[key] = call
        if call.action == "StatusNotification" and call.seen is Seen.SENT:
            self._first_state(call.payload)
        self._judge.called(self.party, call)
        self._keep(call)

    def _first_state(self, payload: Any) -> None:
        """What a connector was from the begin is told to the Central System only."""
        match payload:
            case {"connectorId": int(connector), "status": str(status)} if connector not in self.states:
                self.states[connector] = status
                self._judge.state(self.party, connector, status, self.now)

    def _answered(self, seen: Seen, unique: str, at: float, payload: Any, code: str) -> None:
        of = Seen.RECEIVED if seen is Seen.SENT else Seen.SENT
        call = self._open.pop((of, unique), None)
        if call is None:
            return
        if self._cut and of is Seen.SENT:
            self._cut.pop(call.action, None)
        if call.action == "BootNotification" and of is Seen.SENT:
            match payload:
                case {"status": "Accepted"}:
                    self.party.is_accepted = True
        self._judge.answered(self.party, call, at, payload, code)
        self._keep(call, is_answered=True, answer=payload, code=code)

    def _keep(self, call: Call, **answer: Any) -> None:
        if self.exchanges is not None:
            self.seen += 1
            self.exchanges.add(Exchange(self.seen, call.seen, call.action, call.payload, call.at, **answer))

    def give_up(self) -> None:
        """The story is over: what is not answered is not, but what was asked only just now is nobody's fault."""
        for (seen, _), call in self._open.items():
            if seen is Seen.SENT:
                self._judge.cut_off(self.party, call, self.now)
        self._open.clear()
