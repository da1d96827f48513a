"""Transactions of this charge point: one object each, found by local key, connector or the Central System's id.

Rules of this file:
1. A transaction is ours: its `key` never changes and never goes over the wire. The Central System's `transaction_id`
   comes late and may come never (StartTransaction given up).
2. Nothing here sends, stores or asks; the feature profile `transactions` does, in the same block as the change.
3. Times are µs UTC. `clock_boot` is the number of the boot whose clock was not set when they were taken, 0 if it was:
   such times are corrected when they are written to the wire (state/clock.py).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import floor

from ocpp16._core.by_number import ByNumber
from ocpp16.enums import Reason
from ocpp16.values import register


def watt_hours(energy: float, name: str = "energy") -> int:
    """A register in whole Wh as StartTransaction and StopTransaction carry it.

    The nearest whole number, and of two equally near ones the higher: 1626.5 is 1627, as 1627.5 is 1628. So a register
    that grew never seems to have fallen, and nobody who rounds the two decimals of MeterValues gets another number.
    Raises ValueError that names it if it is no finite number, or does not fit into 32 bits.
    """
    whole = floor(register(energy, name))
    return whole + 1 if energy - whole >= 0.5 else whole


class TransactionPhase(StrEnum):
    """Where a transaction stands. RUNNING until its end is told, STOPPED until StopTransaction is answered."""

    RUNNING = "running"
    STOPPED = "stopped"
    CLOSED = "closed"


@dataclass(slots=True, eq=False)
class Transaction:
    """As the charge point knows it; to be looked at by a host, not changed. Times are µs since 1970, UTC."""

    key: int
    """Our own number of it, which is never sent."""
    connector_id: int
    session_id: str
    """The text that the station gave its session."""
    id_tag: str
    """Who began it, as it was told."""
    started_at: int
    """When it began, as the host told."""
    meter_start: int
    """Wh."""
    reservation_id: int | None = None
    """Of the reservation that it used up."""
    clock_boot: int = 0
    """Mark of `started_at`: the boot whose clock nobody had set yet; 0: the time is right. As the other two of that
    name."""
    transaction_id: int | None = None
    """That of the Central System; None until StartTransaction is answered."""
    start_given_up: bool = False
    """StartTransaction went to the dead letters: StopTransaction carries -1, MeterValues no id."""
    is_refused: bool = False
    """StartTransaction.conf did not accept the id tag."""
    parent_id_tag: str | None = None
    """As StartTransaction.conf told it; None before that, and where there is none."""
    meter_last: int = 0
    """The highest register that was read so far, Wh: what is told after a power cut."""
    meter_last_at: int = 0
    """When it was last read."""
    meter_last_clock_boot: int = 0
    """Mark of `meter_last_at`, as `clock_boot` is one."""
    phase: TransactionPhase = TransactionPhase.RUNNING
    stopped_at: int | None = None
    """None while it runs, as the next three."""
    meter_stop: int | None = None
    """Wh."""
    stop_reason: Reason | None = None
    """Why it stopped; None while it runs."""
    id_tag_end: str | None = None
    """Who ended it, if that was told."""
    stop_clock_boot: int = 0
    """Mark of `stopped_at`."""

    @property
    def is_running(self) -> bool:
        """Was its end not told yet?"""
        return self.phase is TransactionPhase.RUNNING


class Transactions:
    """All transactions whose StopTransaction is not answered yet."""

    __slots__ = ("_by_key", "_running", "first_new", "next_key")

    def __init__(self) -> None:
        self._by_key: ByNumber[Transaction] = ByNumber()
        self._running: ByNumber[Transaction] = ByNumber()
        self.next_key: int = 1
        self.first_new: int = 1
        """The transactions from this key on began since the last start ended: they belong to the next one."""

    def __iter__(self) -> Iterator[Transaction]:
        return iter(self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)

    def add(self, transaction: Transaction) -> None:
        """Take in a new or restored transaction. One that runs must find its connector free."""
        if transaction.is_running:
            if transaction.connector_id in self._running:
                raise ValueError(f"connector {transaction.connector_id} has a running transaction")
            self._running[transaction.connector_id] = transaction
        self._by_key[transaction.key] = transaction
        self.next_key = max(self.next_key, transaction.key + 1)

    def restore(self, transaction: Transaction) -> None:
        """Take in a stored one, later ones last. Of several that run on one connector the last has it: the others
        began when nobody could read what was stored, or before that, and run until their end is told."""
        if transaction.is_running:
            self._running.pop(transaction.connector_id, None)
        self.add(transaction)

    def by_key(self, key: int) -> Transaction | None:
        return self._by_key.get(key)

    def running(self, connector_id: int) -> Transaction | None:
        return self._running.get(connector_id)

    def is_running_at(self, connector_id: int) -> bool:
        """Does one run on this connector?"""
        return self.running(connector_id) is not None

    def all_running(self) -> tuple[Transaction, ...]:
        return tuple(self._running.values())

    def that_go_on(self, resuming_session_ids: Collection[str]) -> tuple[Transaction, ...]:
        """The running ones that a start goes on with: those of these sessions, and those that began since the last."""
        return tuple(
            transaction
            for transaction in self._running.values()
            if transaction.key >= self.first_new or transaction.session_id in resuming_session_ids
        )

    def running_with_id(self, transaction_id: int) -> Transaction | None:
        """The running transaction with this id of the Central System. Ids may recur over the years: only running."""
        for transaction in self._running.values():
            if transaction.transaction_id == transaction_id:
                return transaction
        return None

    def stop(self, transaction: Transaction) -> None:
        """The station told the end: the connector is free for another."""
        if not transaction.is_running:
            raise ValueError(f"transaction {transaction.key} does not run")
        transaction.phase = TransactionPhase.STOPPED
        if self._running.get(transaction.connector_id) is transaction:
            del self._running[transaction.connector_id]

    def close(self, transaction: Transaction) -> None:
        """StopTransaction was answered, or given up."""
        if self._running.get(transaction.connector_id) is transaction:
            del self._running[transaction.connector_id]
        transaction.phase = TransactionPhase.CLOSED
        self._by_key.pop(transaction.key)
