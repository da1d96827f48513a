"""All that a linter keeps of one charge point, and the way of a frame through the rules.

Rules of this file:
1. A frame is joined with what it answers first (`exchange`), judged by itself then (`payloads`), and told to the
   subjects that have a handler for its action.
2. Times are those of the frames. Where nobody knows them, rules that need them are silent.
3. A subject reads payloads by `members`, for they may be anything: what does not fit the schema was told.
4. What time alone makes wrong is told after the frame with which the time is known: it may be the one that was waited
   for. At the end it is told of who is still connected, and of nobody of whom that is not known.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ocpp16.lint.authorizations import Authorizations
from ocpp16.lint.charging import Charging
from ocpp16.lint.connectors import Connectors
from ocpp16.lint.docket import Docket
from ocpp16.lint.exchange import Exchange
from ocpp16.lint.finding import CENTRAL_SYSTEM, CHARGE_POINT, Finding, sender
from ocpp16.lint.frame import CALL, CALLRESULT, CONNECTED, DISCONNECTED, FROM_CHARGE_POINT, GAP, Frame
from ocpp16.lint.known_keys import KnownKeys
from ocpp16.lint.maintenance import Maintenance
from ocpp16.lint.members import time_of
from ocpp16.lint.payloads import check_answer, check_call, check_refusal
from ocpp16.lint.promises import Promises
from ocpp16.lint.registration import Registration
from ocpp16.lint.subject import Subject
from ocpp16.lint.times import Times
from ocpp16.lint.transactions import Transactions
from ocpp16.texts import shown

SUBJECTS: Final[tuple[type[Subject], ...]] = (
    *(Registration, Promises, KnownKeys, Connectors, Transactions, Times, Maintenance, Authorizations, Charging),
)
"""In the order in which they look at a message. A new one is a file, and a name here."""
_Handlers = Mapping[str, tuple[tuple[int, Callable[..., None]], ...]]


def _handlers(table: str) -> _Handlers:
    found: dict[str, list[tuple[int, Callable[..., None]]]] = {}
    for index, kind in enumerate(SUBJECTS):
        for action, handler in getattr(kind, table).items():
            found.setdefault(action, []).append((index, handler))
    return {action: tuple(handlers) for action, handlers in found.items()}


_ON_CALL, _ON_RESULT = _handlers("ON_CALL"), _handlers("ON_RESULT")
_ON_REFUSAL, _ON_LOSS = _handlers("ON_REFUSAL"), _handlers("ON_LOSS")


class Case:
    """One charge point. `take` gives what is wrong with the next frame, or is known since it was seen."""

    __slots__ = (
        "_ends_are_told",
        "_exchange",
        "_has_begun",
        "_is_end_in_doubt",
        "_is_replaced",
        "_promises",
        "_registration",
        "_subjects",
        "docket",
    )

    def __init__(self, charge_point: str, rules: frozenset[str], most_ids: int, most_running: int) -> None:
        self.docket: Docket = Docket(charge_point, rules, most_running)
        self._exchange = Exchange(most_ids)
        self._has_begun = False
        self._ends_are_told = True
        """False: a connection began, and nobody had told the end of the one before, as nobody will that of this one."""
        self._is_replaced = False
        """As that, and the next end that is told is of the one before: the network was gone, and that is seen late."""
        self._is_end_in_doubt = False
        """It was told; or was it that of the present one, and the other's never? A CALL says so."""
        self._registration, self._promises = Registration(), Promises()
        self._subjects = (self._registration, self._promises, *(kind() for kind in SUBJECTS[2:]))

    def take(self, frame: Frame) -> list[Finding]:
        docket = self.docket
        docket.found = []
        at = time_of(frame.timestamp)
        if at is not None:
            if docket.is_off and docket.now is not None:
                self._clock_may_be_set(at, docket.now)
            docket.now = at
            docket.has_zone = frame.timestamp[-1:] in "Zz" or frame.timestamp[-6:-5] in ("+", "-")
            if frame.direction == FROM_CHARGE_POINT and frame.kind not in (CONNECTED, DISCONNECTED):
                self._registration.heard(docket, at, frame)
        if frame.kind not in (CONNECTED, DISCONNECTED):
            self._exchange.heard(docket, frame)
        if frame.fault:
            docket.tell("frame", shown(frame.fault, 200), frame)
        if frame.kind == CALL:
            self._called(frame, at)
        elif frame.kind in (CONNECTED, DISCONNECTED):
            self._reconnected(frame)
        elif frame.kind:
            self._answered(frame, at)
        elif frame.fault:
            self._exchange.unreadable(frame)
        else:
            self._exchange.missed(sender(frame))
        if at is not None:
            self._pass(at)
        self._has_begun = True
        return docket.found

    def _called(self, frame: Frame, at: int | None) -> None:
        docket = self.docket
        if self._is_end_in_doubt and frame.direction == FROM_CHARGE_POINT:
            self._is_end_in_doubt, self._ends_are_told = False, True
        asked = self._exchange.called(docket, frame, at)
        is_right = check_call(docket, asked)
        self._registration.called(docket, asked)
        if not is_right:
            return
        if frame.direction == FROM_CHARGE_POINT:
            docket.waits(at)
            self._promises.called(docket, asked)
            if frame.action == "BootNotification" and not asked.is_triggered:
                for subject in self._subjects:
                    subject.rebooted(docket)
        self._tell(_ON_CALL, asked)

    def _answered(self, frame: Frame, at: int | None) -> None:
        docket = self.docket
        asked = self._exchange.answered(docket, frame, at)
        if asked is None:
            return
        if frame.direction != FROM_CHARGE_POINT:
            docket.waits(None)
        if frame.kind == CALLRESULT:
            check_answer(docket, asked, frame)
            self._tell(_ON_RESULT, asked, frame)
        else:
            check_refusal(docket, asked, frame)
            self._tell(_ON_REFUSAL, asked, frame)

    def _clock_may_be_set(self, at: int, before: int) -> None:
        """Who writes the trace may set its clock by a currentTime far from its own: times before mean nothing then."""
        docket = self.docket
        docket.is_off = False
        if abs(at - before - (docket.offset or 0)) < abs(at - before):
            self._exchange.clock_was_set()
            for subject in self._subjects:
                subject.reconnected(docket)

    def _reconnected(self, frame: Frame) -> None:
        docket, is_connected = self.docket, frame.kind == CONNECTED
        if self._is_replaced and not is_connected:
            self._is_replaced, self._is_end_in_doubt = False, True
            return
        self._is_replaced = bool(is_connected and docket.is_connected and frame.code != GAP)
        self._is_end_in_doubt = False
        if frame.code == GAP:
            self._exchange.missed(CHARGE_POINT, CENTRAL_SYSTEM)
        self._ends_are_told = not is_connected or not self._has_begun or docket.is_connected is False
        docket.is_connected = is_connected
        docket.waits(None)
        for asked in self._exchange.reconnected(docket):
            self._tell(_ON_LOSS, asked)
        for subject in self._subjects:
            subject.reconnected(docket)

    def _pass(self, now: int) -> None:
        for asked in self._exchange.overdue(self.docket, now):
            self._tell(_ON_LOSS, asked)
        for subject in self._subjects:
            subject.passed(self.docket, now)

    def _tell(self, table: _Handlers, *message: Any) -> None:
        for index, handler in table.get(message[0].action, ()):
            handler(self._subjects[index], self.docket, *message)

    def end(self, now: int | None) -> list[Finding]:
        """What is due at the end. now: the last time of all traffic, µs."""
        self.docket.found = []
        if now is not None and self.docket.is_connected and self._ends_are_told:
            self._pass(now)
            self._exchange.ended(self.docket)
        return self.docket.found
