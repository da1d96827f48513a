"""Transactions: their begin, their values and their end belong together (OCPP 1.6 §4.7, §4.8, §4.10, §3.7.1).

Rules of this file:
1. A repeat of a request is one with the same content; it begins nothing and ends nothing.
2. A transaction whose begin is not in the traffic is judged by what is: nothing is said of its begin.
3. What is over is remembered for a while, for repeats of its end.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import orjson

from ocpp16.lint.bounds import forget_oldest
from ocpp16.lint.connectors import check_connector
from ocpp16.lint.docket import SECOND, Docket
from ocpp16.lint.exchange import Asked
from ocpp16.lint.frame import Frame
from ocpp16.lint.members import part, text, time, whole, whole_in_any_form
from ocpp16.lint.registers import Reading, readings, times
from ocpp16.lint.subject import OnAnswer, OnCall, Subject
from ocpp16.texts import shown

_MOST: Final = 64
"""Transactions that are over, and questions, that are remembered."""
_SOON: Final = 600 * SECOND
_SLACK: Final = 2 * SECOND
_WITHOUT: Final = frozenset({"Available", "Finishing", "Reserved", "Unavailable"})
"""Statuses of a connector without a transaction."""
_ROUNDING: Final = 1.0
"""Wh: meterStart and meterStop are whole."""


class Session:
    """One transaction. tried: how often its begin or end was refused since it was sent first."""

    __slots__ = (
        *("connector_id", "has_lost", "has_start", "id_tag", "is_answered", "is_left", "is_settled"),
        *("last", "line", "meter_start", "refused_at", "started_at", "stop", "transaction_id", "tried", "values"),
    )

    def __init__(self, connector_id: int | None, line: int) -> None:
        self.connector_id = connector_id
        self.line = line
        self.has_start = False
        self.has_lost = False
        """Were values of it not answered? They may be repeated after its end."""
        self.id_tag: str | None = None
        self.started_at: str | None = None
        self.meter_start: int | None = None
        self.transaction_id: int | None = None
        self.is_answered = False
        self.is_left = False
        """Was its connector seen without it before its begin was answered?"""
        self.last: Reading | None = None
        self.values: int | None = None
        """Hash of its last MeterValues, to know a repeat."""
        self.stop: tuple[Any, ...] | None = None
        self.is_settled = False
        """Was its end answered, on this connection? Before that what belongs to it may still be repeated."""
        self.tried = 0
        self.refused_at: int | None = None

    @property
    def begin(self) -> tuple[Any, ...]:
        return self.id_tag, self.started_at, self.meter_start


class Transactions(Subject):
    __slots__ = ("_asked", "_begun_on", "_by_id", "_has_forgotten", "_over", "_running")

    def __init__(self) -> None:
        self._running: dict[int, Session] = {}
        self._by_id: dict[int, Session] = {}
        self._over: dict[int, Session] = {}
        self._asked: dict[str, Session] = {}
        """Message id → the session that it is about."""
        self._has_forgotten = False
        """Is there, or was there, more that runs than is remembered? Then any id may be of one that was forgotten."""
        self._begun_on: set[int] = set()
        """Connectors on which a transaction was begun in this traffic."""

    def starting(self, docket: Docket, asked: Asked) -> None:
        payload, frame = asked.payload, asked.frame
        connector_id = whole(payload, "connectorId")
        check_connector(docket, asked)
        session = Session(connector_id, frame.line)
        session.has_start = True
        session.id_tag, session.started_at = text(payload, "idTag"), text(payload, "timestamp")
        session.meter_start = whole(payload, "meterStart")
        known = self._running.get(connector_id or 0)
        same = self._same(session, known)
        if same is not None:
            self._repeated(docket, asked, same)
        elif known is not None:
            self._begins_twice(docket, frame, known, session)
        if (
            connector_id is not None
            and same is None
            and (known is not None or len(self._running) < docket.most_running)
        ):
            self._running[connector_id] = session
            self._begun_on.add(connector_id)
        self._remember(frame.message_id, same or session)

    def _same(self, session: Session, known: Session | None) -> Session | None:
        """The one that it repeats: that which runs, or one before, if the power failed during the delivery."""
        for other in (known, *self._over.values()):
            is_there = other is not None and other.has_start and other.connector_id == session.connector_id
            if other is not None and is_there and other.begin == session.begin:
                return other
        return None

    def _begins_twice(self, docket: Docket, frame: Frame, known: Session, session: Session) -> None:
        if known.transaction_id is not None:
            told = f"on connector {session.connector_id}, whose transaction {known.transaction_id} was not stopped"
            docket.tell("start-while-running", told, frame)
        elif not known.is_answered and not known.is_left and _may_be_one(known, session):
            names = [
                name
                for name, before, after in (
                    ("timestamp", known.started_at, session.started_at),
                    ("meterStart", known.meter_start, session.meter_start),
                )
                if before != after
            ]
            told = f"differs in {' and '.join(names)} from the one of line {known.line}, which has no answer"
            docket.tell("retry-changed", told, frame)

    def started(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        session = self._asked.pop(asked.frame.message_id, None)
        if session is None:
            return
        session.is_answered = True
        transaction_id = whole(frame.payload, "transactionId")
        if transaction_id is None:
            self._guess(docket, session, whole_in_any_form(frame.payload, "transactionId"))
            return
        is_accepted = text(part(frame.payload, "idTagInfo"), "status") == "Accepted"
        if transaction_id <= 0:
            if is_accepted:
                docket.tell("transaction-id", f"an accepted transaction has the id {transaction_id}", frame)
        else:
            other = self._by_id.get(transaction_id) or self._over.get(transaction_id)
            if other is not None and other is not session and other.has_start and other.begin != session.begin:
                docket.tell("transaction-id-reused", f"{transaction_id} is the id of another transaction", frame)
        if session.transaction_id is not None and session.transaction_id != transaction_id:
            told = f"the same StartTransaction was given {session.transaction_id} before, now {transaction_id}"
            docket.tell("retry-other-id", told, frame)
            self._by_id.pop(session.transaction_id, None)
        session.transaction_id = transaction_id
        session.tried, session.refused_at = 0, None
        if session.stop is None:
            self._runs(docket, transaction_id, session)

    def _guess(self, docket: Docket, session: Session, transaction_id: int | None) -> None:
        """Its id is a text, which was told; the charge point may take it for the number, or for no id at all."""
        if transaction_id is not None and transaction_id not in self._by_id and session.stop is None:
            self._runs(docket, transaction_id, session)

    def _runs(self, docket: Docket, transaction_id: int, session: Session) -> None:
        self._by_id[transaction_id] = session
        self._has_forgotten |= len(self._by_id) > docket.most_running
        forget_oldest(self._by_id, docket.most_running)

    def metering(self, docket: Docket, asked: Asked) -> None:
        payload, frame = asked.payload, asked.frame
        transaction_id, connector_id = whole_in_any_form(payload, "transactionId"), whole(payload, "connectorId")
        check_connector(docket, asked, lowest=0)
        session = None if transaction_id is None else self._by_id.get(transaction_id)
        if transaction_id is None or (session is None and transaction_id <= 0):
            return
        if session is None:
            over = self._over.get(transaction_id)
            if over is not None:
                if over.is_settled and not over.has_lost and over.values != _hash(payload.get("meterValue")):
                    docket.tell("values-after-stop", f"transaction {transaction_id} was stopped before", frame)
                return
            session = self._unknown(docket, asked, transaction_id, connector_id)
        if session.connector_id is None:
            session.connector_id = connector_id
        elif connector_id is not None and connector_id != session.connector_id:
            told = f"transaction {transaction_id} is on connector {session.connector_id}, not on {connector_id}"
            docket.tell("transaction-connector", told, frame)
        values = _hash(payload.get("meterValue"))
        if values == session.values:
            return
        session.values = values
        _check_values(docket, asked, session, "meterValue", None)

    def stopping(self, docket: Docket, asked: Asked) -> None:
        payload, frame = asked.payload, asked.frame
        transaction_id = whole_in_any_form(payload, "transactionId")
        if transaction_id is None:
            return
        stop = (text(payload, "timestamp"), whole(payload, "meterStop"))
        session = self._by_id.pop(transaction_id, None)
        if session is None and transaction_id <= 0:
            self._end_nameless()
            return
        if session is None:
            over = self._over.get(transaction_id)
            if over is not None:
                if over.stop == stop:
                    self._repeated(docket, asked, over)
                else:
                    told = f"transaction {transaction_id} was stopped before, with another timestamp or meterStop"
                    docket.tell("stopped-twice", told, frame)
                self._remember(frame.message_id, over)
                return
            session = self._unknown(docket, asked, transaction_id, None)
            del self._by_id[transaction_id]
        self._check_end(docket, asked, session, *stop)
        session.stop = stop
        session.tried, session.refused_at = 0, None
        self._over[transaction_id] = session
        forget_oldest(self._over, _MOST)
        if session.connector_id is not None and self._running.get(session.connector_id) is session:
            del self._running[session.connector_id]
        self._remember(frame.message_id, session)

    def _check_end(
        self, docket: Docket, asked: Asked, session: Session, timestamp: str | None, meter_stop: int | None
    ) -> None:
        frame = asked.frame
        began, ended = time({"timestamp": session.started_at}), time({"timestamp": timestamp})
        if began is not None and ended is not None and ended < began - docket.fell:
            told = f"the transaction ends at {shown(timestamp, 40)}, but began at {shown(session.started_at, 40)}"
            docket.tell("stop-before-start", told, frame)
        _check_values(docket, asked, session, "transactionData", ended)
        if meter_stop is None:
            return
        if session.meter_start is not None and meter_stop < session.meter_start:
            docket.tell("energy-falls", f"meterStop is {meter_stop} Wh, meterStart {session.meter_start} Wh", frame)
        elif session.last is not None and meter_stop < session.last.energy - session.last.step - _ROUNDING:
            told = f"meterStop is {meter_stop} Wh, but {session.last.energy:.10g} Wh were measured before"
            docket.tell("energy-falls", told, frame)

    def notified(self, docket: Docket, asked: Asked) -> None:
        session = self._running.get(whole(asked.payload, "connectorId") or 0)
        if session is not None and text(asked.payload, "status") in _WITHOUT:
            session.is_left = True

    def values_lost(self, docket: Docket, asked: Asked) -> None:
        transaction_id = whole(asked.payload, "transactionId") or 0
        session = self._by_id.get(transaction_id) or self._over.get(transaction_id)
        if session is not None:
            session.has_lost = True

    def _end_nameless(self) -> None:
        """The end of one whose id was never told: the oldest of those that run."""
        for connector_id, session in self._running.items():
            if session.transaction_id is None:
                del self._running[connector_id]
                for transaction_id in [name for name, one in self._by_id.items() if one is session]:
                    del self._by_id[transaction_id]  # it was but a guess
                return

    def stopped(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        session = self._asked.pop(asked.frame.message_id, None)
        if session is not None:
            session.is_settled = True

    def reconnected(self, docket: Docket) -> None:
        for session in self._over.values():
            session.is_settled = False

    def rebooted(self, docket: Docket) -> None:
        self.reconnected(docket)

    def refused(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        session = self._asked.pop(asked.frame.message_id, None)
        if session is not None:
            session.tried += 1
            session.refused_at = docket.now

    def _repeated(self, docket: Docket, asked: Asked, session: Session) -> None:
        attempts = docket.keys.get("TransactionMessageAttempts")
        if attempts and session.tried >= attempts:
            told = f"{asked.action} again after {session.tried} refusals, but TransactionMessageAttempts is {attempts}"
            docket.tell("attempts", told, asked.frame)
        interval = docket.keys.get("TransactionMessageRetryInterval")
        if interval and session.tried and session.refused_at is not None and asked.at is not None:
            waited = (asked.at - session.refused_at) / SECOND
            if waited < interval * session.tried - 1:
                told = f"{asked.action} again after {waited:.0f} s, but {interval * session.tried} s are to be waited"
                docket.tell("retry-interval", told, asked.frame)

    def _unknown(self, docket: Docket, asked: Asked, transaction_id: int, connector_id: int | None) -> Session:
        # One that began before the traffic is nobody's fault: so on each connector another must have begun in it.
        named = docket.connectors if connector_id is None else {connector_id}
        if named and named <= self._begun_on and not self._has_forgotten:
            told = f"{asked.action} of transaction {transaction_id}, whose begin is not in the traffic"
            docket.tell("unknown-transaction", told, asked.frame)
        session = Session(connector_id, asked.frame.line)
        session.transaction_id = transaction_id
        self._runs(docket, transaction_id, session)
        return session

    def _remember(self, message_id: str, session: Session) -> None:
        self._asked[message_id] = session
        forget_oldest(self._asked, _MOST)

    ON_CALL: ClassVar[Mapping[str, OnCall]] = {
        "StartTransaction": starting,
        "MeterValues": metering,
        "StopTransaction": stopping,
        "StatusNotification": notified,
    }
    ON_RESULT: ClassVar[Mapping[str, OnAnswer]] = {"StartTransaction": started, "StopTransaction": stopped}
    ON_LOSS: ClassVar[Mapping[str, OnCall]] = {"MeterValues": values_lost}
    ON_REFUSAL: ClassVar[Mapping[str, OnAnswer]] = {"StartTransaction": refused, "StopTransaction": refused}


def _may_be_one(known: Session, session: Session) -> bool:
    """May the second be meant as a repeat of the first? The same driver, not long after."""
    before, after = time({"timestamp": known.started_at}), time({"timestamp": session.started_at})
    is_soon = before is None or after is None or abs(after - before) < _SOON
    return is_soon and known.id_tag == session.id_tag


def _check_values(docket: Docket, asked: Asked, session: Session, name: str, ended: int | None) -> None:
    """Their times and registers. Those of transactionData tell the transaction once more, from its begin."""
    payload, frame, is_whole = asked.payload, asked.frame, name == "transactionData"
    began = time({"timestamp": session.started_at})
    slack = _SLACK + docket.fell
    before = None
    for at in times(payload, name):
        if began is not None and at < began - slack:
            docket.tell("sample-outside", f"a value is {(began - at) / SECOND:.0f} s older than its transaction", frame)
        elif ended is not None and at > ended + slack:
            docket.tell(
                "sample-outside", f"a value is {(at - ended) / SECOND:.0f} s younger than its transaction", frame
            )
        if before is not None and at < before - slack:
            docket.tell("time-falls", f"a value is {(before - at) / SECOND:.0f} s older than the one before", frame)
        before = at
    last = None if is_whole else session.last
    if last is None and session.meter_start is not None:
        last = Reading(began, float(session.meter_start), _ROUNDING)
    for reading in readings(payload, name):
        is_later = last is not None and (reading.at is None or last.at is None or reading.at >= last.at)
        if last is not None and is_later and reading.energy < last.energy - reading.step - last.step:
            told = f"{reading.energy:.10g} Wh come after {last.energy:.10g} Wh"
            docket.tell("energy-falls", told, frame)
        if last is None or is_later:
            last = reading
    before_it = session.last
    if before_it is None or last is None or (last.at or 0) >= (before_it.at or 0):
        session.last = last


def _hash(values: Any) -> int:
    """Of what came as JSON; 0 for what is nested too deeply to be written again."""
    try:
        return hash(orjson.dumps(values))
    except orjson.JSONEncodeError:
        return 0
