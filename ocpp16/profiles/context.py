"""The Context: what all features of one charge point share, and the few ways in which they send, keep and ask.

Made by `charge_point`, given to every profile. It knows no feature; it holds together what has to happen in one step,
as a queued message and its row.
"""

from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from typing import Any, Protocol, TypeVar

import trio
from orjson import dumps

from ocpp16._core import format_datetime, validate_sending
from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.keys.internal import TIMESTAMP_FRACTION_DIGITS
from ocpp16.enums import Reason, RegistrationStatus
from ocpp16.errors import CallFailed, Offline
from ocpp16.log import FoldingLog
from ocpp16.models import Counters
from ocpp16.observer import ObserverEvent
from ocpp16.profiles.asked import AskedChanges, ConfigurationKeeper, Writer
from ocpp16.profiles.asked_station import AskedStation
from ocpp16.profiles.station_side import StationSide
from ocpp16.rpc.pending import Entry, Lane, with_member
from ocpp16.rpc.session import Session
from ocpp16.state.clock import Clock, within
from ocpp16.state.connector import Connector
from ocpp16.state.signals import Signals
from ocpp16.state.timers import Timers
from ocpp16.state.transaction import Transaction, Transactions
from ocpp16.store.base import RowChange
from ocpp16.store.tables import message_queue

Payload = dict[str, Any]
T = TypeVar("T")


class Start(Protocol):
    """One start of the charge point, as its features need it."""

    @property
    def is_running(self) -> bool: ...

    def spawn(self, async_fn: Callable[..., Awaitable[Any]], *arguments: Any) -> None: ...


class Context:
    """What all features of one charge point share. Made by `ChargePoint`, given to every profile."""

    __slots__ = (
        "asked",
        "charge_point_id",
        "clock",
        "configuration",
        "confirmations",
        "connectors",
        "counters",
        "failed",
        "journal",
        "keeper",
        "kick",
        "log",
        "marked",
        "next_sequence",
        "session",
        "signals",
        "spawn_outside",
        "start",
        "station",
        "station_side",
        "tell",
        "timers",
        "transactions",
    )

    def __init__(
        self,
        *,
        charge_point_id: str,
        clock: Clock,
        timers: Timers,
        configuration: Configuration,
        signals: Signals,
        connectors: Mapping[int, Connector],
        transactions: Transactions,
        journal: Writer,
        session: Session,
        station: AskedStation,
        station_side: StationSide,
        counters: Counters,
        kick: Callable[[], None],
        start: "Start",
        spawn_outside: Callable[..., None],
        tell: Callable[[ObserverEvent, int], None],
        failed: Callable[[str, BaseException], None],
        log: FoldingLog,
        keeper: ConfigurationKeeper,
    ) -> None:
        self.charge_point_id = charge_point_id
        self.clock = clock
        self.timers = timers
        self.configuration = configuration
        self.signals = signals
        self.connectors = connectors
        self.transactions = transactions
        self.journal = journal
        self.session = session
        self.station = station
        self.counters = counters
        self.kick = kick
        self.start = start
        self.spawn_outside = spawn_outside
        """Run a task that goes on when the charge point is stopped and started again, until it is closed."""
        self.tell = tell
        self.station_side = station_side
        self.failed = failed
        self.log = log
        self.keeper = keeper
        self.asked = AskedChanges(journal, configuration)
        self.next_sequence = 1
        self.marked: list[Entry] = []
        """Queued messages whose times the clock corrects, until it is settled how."""
        self.confirmations: dict[str, Callable[[Entry, Payload | None], None]] = {}
        """Transaction-related action → what its confirmation brings; None when the message was given up."""

    @property
    def is_accepted(self) -> bool:
        return self.session.registration == RegistrationStatus.ACCEPTED

    @property
    def is_online(self) -> bool:
        """Connected and accepted: requests of ours can be answered."""
        return self.session.is_connected and self.is_accepted

    def spawn(self, async_fn: Callable[..., Awaitable[Any]], *arguments: Any) -> None:
        """Run a task that ends with this start; what it raises ends nothing else."""
        self.start.spawn(async_fn, *arguments)

    def is_current(self) -> bool:
        """Is this the start that runs?"""
        return self.start.is_running

    async def ask(
        self, question: Callable[..., Awaitable[Any]], *arguments: Any, accept: Callable[[Any], T], safe: T
    ) -> T:
        """Ask the station; see `StationSide.ask`."""
        return await self.station_side.ask(question, *arguments, accept=accept, safe=safe)

    def command(
        self,
        question: Callable[..., Awaitable[Any]],
        *arguments: Any,
        connectors: Collection[Hashable],
        topic: Hashable,
    ) -> None:
        """Have the station do something in its turn; see `StationSide.command`."""
        self.station_side.command(question, *arguments, connectors=connectors, topic=topic)

    def new_sequence(self) -> int:
        """The place of the next message among all of this charge point."""
        number = self.next_sequence
        self.next_sequence += 1
        return number

    def send(
        self,
        action: str,
        payload: Payload,
        *,
        lane: Lane = Lane.NORMAL,
        transaction: Transaction | None = None,
        number: int = 0,
        is_triggered: bool = False,
        on_confirmation: Callable[[Payload], None] | None = None,
        on_failure: Callable[[CallFailed], None] | None = None,
        topic: Hashable = None,
        latest: int = 0,
    ) -> bool:
        """Send a request whose answer nobody waits for. False: dropped, since offline or not accepted.

        With QueueAllMessages it is kept, on disk too, until it can be sent (libocpp).
        `number`: the journal number it must not be sent before. `topic`: one of the same topic that still waits is
        replaced, for it would tell what is over. `latest`: the latest time in it, µs, where that must not be told
        before it has come.
        """
        entry = Entry(
            action=action,
            payload=payload,
            lane=lane,
            sequence=self.new_sequence(),
            number=number,
            transaction=transaction,
            clock_boot=self.clock.clock_boot,
            is_triggered=is_triggered,
            on_confirmation=on_confirmation,
            on_failure=on_failure,
            topic=topic,
            latest=latest,
        )
        if lane is Lane.NORMAL and not entry.is_interactive and self.session.outbox.limits.may_queue(action):
            entry.is_persistent = True
            entry.number = self.journal.append(self.row(entry))
        taken = self.session.enqueue(entry, self.clock.monotonic())
        self.kick()
        return taken

    def queue(
        self,
        action: str,
        payload: Payload,
        transaction: Transaction | None,
        *changes: RowChange,
        clock_boot: int | None = None,
        data_boots: tuple[int, ...] = (),
    ) -> int:
        """Queue a transaction-related message and the row changes of the state it tells of, as one block.

        It is sent once it is on disk and deleted once it is answered. `clock_boot`: how its times are marked, if not
        as times taken now; `data_boots`: how those in each entry of transactionData are, if not alike. Returns its
        journal number.
        """
        entry = Entry(
            action=action,
            payload=payload,
            lane=Lane.TRANSACTION,
            sequence=self.new_sequence(),
            number=0,
            transaction=transaction,
            clock_boot=self.clock.clock_boot if clock_boot is None else clock_boot,
            data_boots=data_boots,
            is_persistent=True,
        )
        entry.number = number = self.journal.append(self.row(entry), *changes)
        if entry.has_marks and not self.clock.is_settled:
            self.marked.append(entry)
        self.enqueue(entry)
        return number

    def enqueue(self, entry: Entry) -> None:
        """Take in a message whose row is written."""
        self.session.enqueue(entry, self.clock.monotonic())
        self.kick()

    def corrected(self, number: int) -> None:
        """The corrections are settled, and journal number `number` has them: what they apply to goes no earlier.

        Else a repeat after a power cut would carry other times, and not be known as a repeat.
        """
        for entry in self.marked:
            entry.number = max(entry.number, number)
        self.marked.clear()

    def row(self, entry: Entry) -> RowChange:
        """The stored form of a queued message, as it is now. It shares the text of the payload with the wire."""
        transaction = entry.transaction
        text = entry.written()
        if entry.data_boots:
            text = with_member(text, b'"%b":%b' % (message_queue.DATA_BOOTS.encode(), dumps(entry.data_boots)))
        return message_queue.put_written(
            entry.sequence,
            int(entry.lane),
            entry.action,
            text.decode(),
            entry.attempts,
            transaction.key if isinstance(transaction, Transaction) else None,
            entry.clock_boot,
        )

    async def call(self, action: str, payload: Payload, *, timeout: float | None = None) -> Payload:
        """Send a request and wait for its confirmation: `timeout` seconds at most, the wait for its turn included.

        Without `timeout`, twice the time any request has. Raises `Offline` at once when it cannot be sent, `CallFailed`
        for a CALLERROR, an unreadable answer, a timeout or a lost connection. Never called from a handler.
        """
        answer = _Answer()
        entry = Entry(
            action=action,
            payload=payload,
            lane=Lane.NORMAL,
            sequence=self.new_sequence(),
            number=0,
            on_confirmation=answer.confirm,
            on_failure=answer.fail,
            timeout=timeout,
        )
        if not self.session.enqueue(entry, self.clock.monotonic()):
            raise Offline(action, "not connected" if not self.session.is_connected else "not accepted yet")
        self.kick()
        try:
            with trio.move_on_after(2 * self.session.retry.response_timeout if timeout is None else timeout):
                await answer.event.wait()
        finally:
            if not answer.event.is_set():
                # Nobody listens any more, and there is no point in asking if it was not sent yet.
                entry.on_confirmation = None
                answer.fail(CallFailed(action, "timeout"))
                if entry is not self.session.in_flight:
                    self.session.outbox.remove(entry)
        if answer.error is not None:
            raise answer.error
        return answer.payload

    def stop_transaction(self, transaction: Transaction, reason: Reason) -> None:
        """Have the station stop this transaction, if it still runs when its turn comes: the next one is not meant."""
        connectors = (transaction.connector_id,)
        self.command(self._stop_transaction, transaction, reason, connectors=connectors, topic="stop_transaction")

    async def _stop_transaction(self, transaction: Transaction, reason: Reason) -> None:
        if transaction.is_running:
            await self.station.stop_transaction(transaction.connector_id, reason)

    @staticmethod
    def check(action: str, payload: Payload) -> None:
        """Could this be sent? To be asked before anything is changed. Raises ValueError that names the member."""
        validate_sending(action, "request", payload)

    def time_text(self, micros: int) -> str:
        """A time as we write it on the wire (UTC, `TimestampFractionDigits`)."""
        return format_datetime(within(micros), self.configuration[TIMESTAMP_FRACTION_DIGITS])


class _Answer:
    __slots__ = ("error", "event", "payload")

    def __init__(self) -> None:
        self.event = trio.Event()
        self.payload: Payload = {}
        self.error: CallFailed | None = None

    def confirm(self, payload: Payload) -> None:
        self.payload = payload
        self.event.set()

    def fail(self, error: CallFailed) -> None:
        self.error = error
        self.event.set()
