"""Sessions that have a price: found by the Central System's id of their transaction, also long after its end, and the
unplugging that ends their idle fee (California pricing note, ConnectorUnplugged).

Rules of this file:
1. A running transaction is found before one that ended, and of those the newest: ids recur over the years. One that
   ended is known for `KEPT_FOR`, over restarts too, however soon StopTransaction was answered: the final cost comes
   after that. `MOST_KEPT` of them are, of a large station two for each connector. Where the end of idle time is to be
   told, a car that stays keeps its session, however long: the oldest of the others goes first.
2. Rows are written when reports are wanted of a session, when it has another price, when it has ended, and when its
   car was unplugged.
3. ConnectorUnplugged is told once, and only where CustomIdleFeeAfterStop is true and the car stayed after the end: with
   EVDisconnected the StopTransaction has told it. It goes on its way, as durable as a StopTransaction, when the id of
   the transaction and the time are known; before that it is a row, which nothing pushes out, for the StopTransaction
   waits as well. Where there never is an id it is not told.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from orjson import dumps

from ocpp16.configuration.keys.cost_and_price import CUSTOM_IDLE_FEE_AFTER_STOP
from ocpp16.enums import Reason
from ocpp16.prices import ChargingPrice, amount
from ocpp16.profiles.base import Stored
from ocpp16.profiles.context import Context
from ocpp16.state.price_triggers import PriceTriggers, WantedReports
from ocpp16.state.transaction import Transaction
from ocpp16.store.base import RowChange
from ocpp16.store.tables.jobs import ROWS, JobRow, delete, put
from ocpp16.values import text, whole

VENDOR = "org.openchargealliance.costmsg"
KIND = "priced session "
"""And what names it: its row in the table of jobs."""
KEPT_FOR = 86_400_000_000
"""µs after the end of its transaction."""
MOST_KEPT = 100
"""Sessions that have ended, at least."""
_INT64 = 2**63


class KnownCost(NamedTuple):
    """What the Central System told last of a session that runs: a cost, the price in force (None: that of nothing that
    is charged for), register (Wh) and time (µs) that it was calculated from."""

    cost: Decimal
    price: ChargingPrice | None
    register: Decimal
    at: int

    def stored(self) -> dict[str, Any]:
        """As JSON has it."""
        price = self.price
        return {
            "cost": str(self.cost),
            "price": None if price is None else [*map(_text, (price.kwh_price, price.hour_price, price.flat_fee))],
            "register": str(self.register),
            "at": self.at,
        }

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "KnownCost":
        """Raises KeyError, TypeError or ValueError for what `stored` does not give."""
        price = stored["price"]
        return cls(
            _decimal(stored["cost"]),
            None if price is None else ChargingPrice(*(None if part is None else _decimal(part) for part in price)),
            _decimal(stored["register"]),
            whole(stored["at"], "time", -_INT64, _INT64),
        )


def _text(number: Decimal | None) -> str | None:
    return None if number is None else str(number)


def _decimal(stored: Any) -> Decimal:
    try:
        return amount(Decimal(text(stored, "an amount", 64)), "an amount")
    except ArithmeticError:
        raise ValueError("no amount") from None


class PricedSession:
    """A session as prices see it. `name` is unlike that of any other, over restarts."""

    __slots__ = (
        "connector_id",
        "ended_at",
        "ended_mark",
        "is_plugged",
        "known",
        "name",
        "session_id",
        "transaction_id",
        "triggers",
        "unplugged",
    )

    def __init__(self, name: str, connector_id: int, session_id: str, transaction_id: int | None) -> None:
        self.name: str = name
        self.connector_id: int = connector_id
        self.session_id: str = session_id
        self.transaction_id: int | None = transaction_id
        self.ended_at: int | None = None
        """µs UTC; None: it runs."""
        self.ended_mark: int = 0
        """How that is marked (`Clock.clock_boot`)."""
        self.is_plugged: bool = False
        """It has ended, and its car is still to be unplugged."""
        self.unplugged: tuple[int, int] | None = None
        """Time and mark of an unplugging that is to be told."""
        self.triggers: PriceTriggers = PriceTriggers()
        self.known: KnownCost | None = None
        """None: no cost was told while it ran, or it has ended."""

    @classmethod
    def of(cls, transaction: Transaction) -> "PricedSession":
        return cls(_name(transaction), transaction.connector_id, transaction.session_id, transaction.transaction_id)

    def row(self, wanted: WantedReports | None = None) -> RowChange:
        """What the disk is to hold of it; `wanted`: with these reports."""
        reports = self.triggers.wanted if wanted is None else wanted
        if self.ended_at is None and not reports and self.known is None:
            return delete(KIND + self.name)
        state: dict[str, Any] = {
            "connector": self.connector_id,
            "session": self.session_id,
            "transaction": self.transaction_id,
            "ended": self.ended_at,
            "endedMark": self.ended_mark,
            "isPlugged": self.is_plugged,
            "unplugged": self.unplugged,
            "triggers": self.triggers.stored(reports),
            "known": None if self.known is None or self.ended_at is not None else self.known.stored(),
        }
        return put(JobRow(KIND + self.name, state))


def _name(transaction: Transaction) -> str:
    return f"{transaction.connector_id} {transaction.started_at} {transaction.session_id}"


def _read(row: JobRow) -> PricedSession | None:
    """The session of this row, None for a row of others. Raises ValueError."""
    if not row.kind.startswith(KIND):
        return None
    state = row.state
    try:
        session = PricedSession(
            row.kind[len(KIND) :],
            whole(state["connector"], "connector", 1),
            text(state["session"], "session", 255, least=1),
            _integer(state["transaction"]),
        )
        session.ended_at = _integer(state["ended"])
        session.ended_mark = whole(state.get("endedMark", 0), "mark", 0, _INT64)
        session.is_plugged = state["isPlugged"] is True
        if state["unplugged"] is not None:
            at, mark = state["unplugged"]
            session.unplugged = (whole(at, "time", -_INT64, _INT64), whole(mark, "mark", 0, _INT64))
        session.triggers.restore(state["triggers"])
        if state.get("known") is not None:
            session.known = KnownCost.read(state["known"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"no session that has a price: {type(error).__name__}") from error
    return session


def _integer(stored: Any) -> int | None:
    return None if stored is None else whole(stored, "a number", -_INT64, _INT64 - 1)


class PricedSessions:
    """Of one start."""

    __slots__ = ("_ctx", "_sessions")

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._sessions: dict[str, PricedSession] = {}
        """By name; the oldest first."""

    def restore(self, stored: Stored) -> None:
        found = [session for session in stored.taken(_read, ROWS) if session is not None]
        found.sort(key=lambda session: session.ended_at or 0)
        self._sessions = {session.name: session for session in found}
        for session in found:
            if session.ended_at is not None:
                self._ctx.clock.note(session.ended_at, session.ended_mark)
            if session.unplugged is not None:
                self._ctx.clock.note(*session.unplugged)

    def start(self) -> None:
        """What is stored of transactions that are gone is over; what waited to be told is told."""
        there = {_name(transaction) for transaction in self._ctx.transactions if transaction.is_running}
        for session in tuple(self._sessions.values()):
            if session.ended_at is None and session.name not in there:
                self._drop(session)
        self._prune()
        for session in self:
            self._tell(session)

    def __iter__(self) -> Iterator[PricedSession]:
        return iter(tuple(self._sessions.values()))

    # Finding

    def of(self, transaction: Transaction) -> PricedSession:
        """Made with the first question."""
        session = self._sessions.get(_name(transaction))
        if session is None:
            session = self._sessions[_name(transaction)] = PricedSession.of(transaction)
        session.transaction_id = transaction.transaction_id
        return session

    def find(self, transaction_id: int) -> PricedSession | None:
        """The session whose transaction has this id of the Central System."""
        found = [one for one in self._ctx.transactions if one.transaction_id == transaction_id]
        if found:
            return self.of(max(found, key=lambda one: (one.is_running, one.key)))
        self._prune()
        for session in reversed(tuple(self._sessions.values())):
            if session.transaction_id == transaction_id and session.ended_at is not None:
                return session
        return None

    def transaction(self, session: PricedSession) -> Transaction | None:
        """Its transaction, while that runs."""
        running = self._ctx.transactions.running(session.connector_id)
        return running if running is not None and _name(running) == session.name else None

    # What happens

    def ended(self, transaction: Transaction) -> None:
        session = self.of(transaction)
        session.ended_at, session.ended_mark = self._ctx.clock.now(), self._ctx.clock.clock_boot
        session.is_plugged = transaction.stop_reason is not Reason.EV_DISCONNECTED
        session.triggers = PriceTriggers()
        self._sessions[session.name] = self._sessions.pop(session.name)  # the newest
        self._ctx.journal.append(session.row())
        self._prune()

    def transaction_changed(self, transaction: Transaction) -> None:
        """Its id became known, or it is closed."""
        session = self._sessions.get(_name(transaction))
        if session is None:
            return
        if session.transaction_id != transaction.transaction_id:
            session.transaction_id = transaction.transaction_id
            self._ctx.journal.append(session.row())
        self._tell(session)

    def unplugged(self, connector_id: int, but: str | None = None) -> None:
        """Nothing is plugged in there any more, but for the session `but`, which has begun."""
        ctx = self._ctx
        for session in self:
            if session.connector_id == connector_id and session.is_plugged and session.session_id != but:
                session.is_plugged = False
                if ctx.configuration[CUSTOM_IDLE_FEE_AFTER_STOP]:
                    session.unplugged = (ctx.clock.now(), ctx.clock.clock_boot)
                ctx.journal.append(session.row())
                self._tell(session)

    def clock_settled(self) -> None:
        """It is known how times are corrected: what waited for that is put right, and told."""
        for session in self:
            if session.ended_at is not None and session.ended_mark:
                session.ended_at = self._ctx.clock.corrected(session.ended_at, session.ended_mark)
                session.ended_mark = 0
                self._ctx.journal.append(session.row())
            self._tell(session)

    def _tell(self, session: PricedSession) -> None:
        ctx = self._ctx
        if session.unplugged is None or not ctx.clock.is_settled:
            return
        if session.transaction_id is None:
            if all(_name(transaction) != session.name for transaction in ctx.transactions):
                ctx.log.warning("ConnectorUnplugged is not told: its transaction never got an id")
                session.unplugged = None
                ctx.journal.append(session.row())
            return
        at = ctx.clock.corrected(*session.unplugged)
        session.unplugged = None
        data = {"transactionId": session.transaction_id, "timestamp": ctx.time_text(at)}
        payload = {"vendorId": VENDOR, "messageId": "ConnectorUnplugged", "data": dumps(data).decode()}
        ctx.sender.queue("DataTransfer", payload, None, session.row())

    # What goes

    def _prune(self) -> None:
        clock = self._ctx.clock
        over = [session for session in self if session.ended_at is not None and session.unplugged is None]
        most = max(MOST_KEPT, 2 * (len(self._ctx.connectors) - 1))
        excess = sorted(over, key=self._is_awaited)[: max(0, len(over) - most)]
        if clock.is_trusted:
            now = clock.now()
            excess += [one for one in over if one not in excess and self._is_old(one, now)]
        for session in excess:
            self._drop(session)

    def _is_awaited(self, session: PricedSession) -> bool:
        """Is its unplugging to come, and to be told?"""
        return session.is_plugged and bool(self._ctx.configuration[CUSTOM_IDLE_FEE_AFTER_STOP])

    def _drop(self, session: PricedSession) -> None:
        del self._sessions[session.name]
        self._ctx.journal.append(delete(KIND + session.name))

    def _is_old(self, session: PricedSession, now: int) -> bool:
        if session.ended_at is None or self._is_awaited(session):
            return False
        return now - self._ctx.clock.corrected(session.ended_at, session.ended_mark) >= KEPT_FOR
