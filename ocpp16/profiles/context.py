"""The Context: what all features of one charge point share, and the few ways in which they send, keep and ask.

Made by `charge_point`, given to every profile. It knows no feature; it holds together what has to happen in one step,
as a queued message and its row.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import trio

from ocpp16._core import format_datetime
from ocpp16.enums import RegistrationStatus
from ocpp16.errors import CallFailed, Offline
from ocpp16.models import Counters
from ocpp16.observer import ConfigurationKeyChanged, ObserverEvent
from ocpp16.rpc.pending import Entry, Lane
from ocpp16.rpc.session import Session
from ocpp16.state.clock import Clock
from ocpp16.state.configuration import Change as ConfigurationChange
from ocpp16.state.configuration import Configuration
from ocpp16.state.connector import Connector
from ocpp16.state.keys.internal import STATION_TIMEOUT, TIMESTAMP_FRACTION_DIGITS
from ocpp16.state.signals import ConfigurationChanged, Signals
from ocpp16.state.timers import Timers
from ocpp16.state.transaction import Transaction, Transactions
from ocpp16.station import CoreStation
from ocpp16.store.base import Change
from ocpp16.store.tables import message_queue

Payload = dict[str, Any]
T = TypeVar("T")

log = logging.getLogger("ocpp16")


class Writer(Protocol):
    """The journal as one charge point sees it."""

    last: int
    """Number of this charge point's latest change."""

    def append(self, *changes: Change) -> int: ...

    async def wait_durable(self, number: int) -> None: ...


class Context:
    """What all features of one charge point share. Made by `ChargePoint`, given to every profile."""

    __slots__ = (
        "charge_point_id",
        "clock",
        "configuration",
        "confirmations",
        "connectors",
        "counters",
        "journal",
        "kick",
        "marked",
        "next_sequence",
        "persist",
        "session",
        "signals",
        "spawn",
        "station",
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
        station: CoreStation,
        counters: Counters,
        kick: Callable[[], None],
        spawn: Callable[..., None],
        tell: Callable[[ObserverEvent, int], None],
        persist: Callable[[], Sequence[Change]],
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
        self.spawn = spawn
        self.tell = tell
        self.persist = persist
        self.next_sequence = 1
        self.marked: list[Entry] = []
        """Queued messages whose times the clock corrects once it is set, until it is."""
        self.confirmations: dict[str, Callable[[Entry, Payload | None], None]] = {}
        """Transaction-related action → what its confirmation brings; None when the message was given up."""

    @property
    def is_accepted(self) -> bool:
        return self.session.registration == RegistrationStatus.ACCEPTED

    @property
    def is_online(self) -> bool:
        """Connected and accepted: requests of ours can be answered."""
        return self.session.is_connected and self.is_accepted

    def _sequence(self) -> int:
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
    ) -> bool:
        """Send a request whose answer nobody waits for. False: dropped, since offline or not accepted.

        With QueueAllMessages it is kept, on disk too, until it can be sent (libocpp).
        `number`: the journal number it must not be sent before.
        """
        entry = Entry(
            action=action,
            payload=payload,
            lane=lane,
            sequence=self._sequence(),
            number=number,
            transaction=transaction,
            clock_boot=self.clock.clock_boot,
            is_triggered=is_triggered,
            on_confirmation=on_confirmation,
            on_failure=on_failure,
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
        *changes: Change,
        clock_boot: int | None = None,
    ) -> int:
        """Queue a transaction-related message and the row changes of the state it tells of, as one block.

        It is sent once it is on disk and deleted once it is answered. `clock_boot`: how its times are marked, if not
        as times taken now. Returns its journal number.
        """
        entry = Entry(
            action=action,
            payload=payload,
            lane=Lane.TRANSACTION,
            sequence=self._sequence(),
            number=0,
            transaction=transaction,
            clock_boot=self.clock.clock_boot if clock_boot is None else clock_boot,
            is_persistent=True,
        )
        entry.number = number = self.journal.append(self.row(entry), *changes)
        if entry.clock_boot and not self.clock.is_set:
            self.marked.append(entry)
        self.session.enqueue(entry, self.clock.monotonic())
        self.kick()
        return number

    def corrected(self, number: int) -> None:
        """The clock is set, and journal number `number` has its corrections: what they apply to goes no earlier.

        Else a repeat after a power cut would carry other times, and not be known as a repeat.
        """
        for entry in self.marked:
            entry.number = max(entry.number, number)
        self.marked.clear()

    def row(self, entry: Entry) -> Change:
        """The stored form of a queued message, as it is now."""
        transaction = entry.transaction
        return message_queue.put(
            message_queue.MessageRow(
                sequence=entry.sequence,
                lane=int(entry.lane),
                action=entry.action,
                payload=entry.payload,
                attempts=entry.attempts,
                transaction_key=transaction.key if isinstance(transaction, Transaction) else None,
                clock_boot=entry.clock_boot,
            )
        )

    async def call(self, action: str, payload: Payload, *, timeout: float | None = None) -> Payload:
        """Send a request and wait for its confirmation.

        Raises `Offline` at once when it cannot be sent, `CallFailed` for a CALLERROR, an unreadable answer, a timeout
        or a lost connection. Never called from a handler.
        """
        answer = _Answer()
        entry = Entry(
            action=action,
            payload=payload,
            lane=Lane.NORMAL,
            sequence=self._sequence(),
            number=0,
            on_confirmation=answer.confirm,
            on_failure=answer.fail,
            timeout=timeout,
        )
        if not self.session.enqueue(entry, self.clock.monotonic()):
            raise Offline(action, "not connected" if not self.session.is_connected else "not accepted yet")
        self.kick()
        try:
            await answer.event.wait()
        finally:
            if not answer.event.is_set():
                # Cancelled: nobody listens any more, and there is no point in asking if it was not sent yet.
                entry.on_confirmation = None
                if entry is not self.session.in_flight:
                    self.session.outbox.remove(entry)
        if answer.error is not None:
            raise answer.error
        return answer.payload

    def changed(self, change: ConfigurationChange, value: str | None) -> int:
        """A configuration key got a new value: keep it, tell features and observer. Returns the journal number.

        `value` is the text on the wire, None for a key that cannot be read.
        """
        assert change.key is not None
        number = self.journal.append(*self.persist())
        self.signals.emit(ConfigurationChanged(change.key.name))
        self.tell(ConfigurationKeyChanged(change.key.name, value), number)
        return number

    async def ask(self, question: Callable[..., Awaitable[T]], *arguments: Any, safe: T) -> T:
        """Ask the station under StationTimeout; `safe` is the answer when it overruns or raises."""
        seconds = self.configuration[STATION_TIMEOUT]
        try:
            with trio.fail_after(seconds):
                return await question(*arguments)
        except trio.TooSlowError:
            name = getattr(question, "__name__", "question")
            log.warning("%s: station overran %s s in %s", self.charge_point_id, seconds, name)
        except Exception:
            name = getattr(question, "__name__", "question")
            log.exception("%s: station failed in %s", self.charge_point_id, name)
        return safe

    def ask_later(self, question: Callable[..., Awaitable[Any]], *arguments: Any) -> None:
        """Tell the station something in a task of its own; its answer is not used."""
        self.spawn(self._ask_quietly, question, *arguments)

    async def _ask_quietly(self, question: Callable[..., Awaitable[Any]], *arguments: Any) -> None:
        await self.ask(question, *arguments, safe=None)

    def time_text(self, micros: int) -> str:
        """A time as we write it on the wire (UTC, `TimestampFractionDigits`)."""
        return format_datetime(micros, self.configuration[TIMESTAMP_FRACTION_DIGITS])


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
