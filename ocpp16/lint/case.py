"""All that a linter keeps of one charge point, and the way of a frame through the rules.

Rules of this file:
1. A frame is joined with what it answers first (`exchange`), judged by itself then (`payloads`), and told to the
   subjects that have a handler for its action.
2. Times are those of the frames. Where nobody knows them, rules that need them are silent.
3. A subject reads members of payloads by `members`, for they may be anything: what does not fit the schema was told.
"""

from typing import Any

from ocpp16.codec import parse_datetime_tolerant
from ocpp16.lint.docket import Docket
from ocpp16.lint.exchange import Exchange
from ocpp16.lint.finding import Finding
from ocpp16.lint.frame import CALL, CALLRESULT, CONNECTED, DISCONNECTED, Frame
from ocpp16.lint.payloads import check_answer, check_call, check_refusal
from ocpp16.texts import shown


class Case:
    """One charge point. `take` gives what is wrong with the next frame, or was found with it."""

    __slots__ = ("docket", "exchange")

    def __init__(self, charge_point: str, rules: frozenset[str], most_ids: int) -> None:
        self.docket = Docket(charge_point, rules)
        self.exchange = Exchange(most_ids)

    def take(self, frame: Frame) -> list[Finding]:
        docket = self.docket
        docket.found = []
        at = time_of(frame.timestamp)
        if at is not None:
            docket.now = at
        if frame.fault:
            docket.tell("frame", shown(frame.fault, 200), frame)
        if frame.kind == CALL:
            check_call(docket, self.exchange.called(docket, frame, at))
        elif frame.kind in (CONNECTED, DISCONNECTED):
            docket.is_connected = frame.kind == CONNECTED
            self.exchange.reconnected()
        elif frame.kind:
            asked = self.exchange.answered(docket, frame, at)
            if asked is not None:
                (check_answer if frame.kind == CALLRESULT else check_refusal)(docket, asked, frame)
        else:
            self.exchange.unreadable(frame)
        if at is not None:
            self._pass(at)
        return docket.found

    def _pass(self, now: int) -> None:
        for _ in self.exchange.overdue(self.docket, now):
            pass

    def end(self, now: int | None) -> list[Finding]:
        """What is due at the end. now: the latest time of all traffic, µs."""
        docket = self.docket
        docket.found = []
        if now is not None and docket.is_connected is not False:
            self._pass(now)
        return docket.found


def time_of(text: Any) -> int | None:
    """µs since 1970; None for what is no time."""
    if not isinstance(text, str) or not text:
        return None
    try:
        return parse_datetime_tolerant(text)
    except ValueError:
        return None
