"""What sends: our messages, into the outbox and, where they must outlive a power cut, onto the disk in the same step.

Rules of this file:
1. Nothing that tells of a transaction is in the outbox without its row, written in one block with the state that it
   tells of.
2. Every message has its place among all of the charge point, also over restarts.
"""

from collections.abc import Callable, Hashable
from typing import Any

from orjson import dumps

from ocpp16._core import validate_sending
from ocpp16.enums import RegistrationStatus
from ocpp16.errors import CallFailed, Offline
from ocpp16.profiles.asked import Writer
from ocpp16.rpc.pending import Asker, Entry, Lane, with_member
from ocpp16.rpc.session import Session
from ocpp16.state.clock import Clock
from ocpp16.state.transaction import Transaction
from ocpp16.store.base import Put, RowChange
from ocpp16.store.tables import message_queue

Payload = dict[str, Any]
# A member of an enumeration is found by way of Python code; these are asked for at every message.
_TRANSACTION, _NORMAL = Lane.TRANSACTION, Lane.NORMAL
_ACCEPTED = RegistrationStatus.ACCEPTED


class Sender:
    """Of one start of a charge point. `kick`: something may be ready to go; `next_sequence`: the place of the next
    message."""

    __slots__ = ("_clock", "_journal", "_kick", "_next_sequence", "_session", "confirmations")

    def __init__(
        self, session: Session, clock: Clock, journal: Writer, kick: Callable[[], None], next_sequence: int
    ) -> None:
        self._session = session
        self._clock = clock
        self._journal = journal
        self._kick = kick
        self._next_sequence = next_sequence
        self.confirmations: dict[str, Callable[[Entry, Payload | None], None]] = {}
        """Transaction-related action → what its confirmation brings; None when the message was given up. That of
        MeterValues brings nothing."""

    @property
    def is_accepted(self) -> bool:
        return self._session.registration is _ACCEPTED

    @property
    def is_online(self) -> bool:
        """Connected and accepted: requests of ours can be answered."""
        return self._session.is_connected and self.is_accepted

    def new_sequence(self) -> int:
        """The place of the next message among all of this charge point."""
        number = self._next_sequence
        self._next_sequence += 1
        return number

    def send(
        self,
        action: str,
        payload: Payload,
        *,
        lane: Lane = _NORMAL,
        transaction: Transaction | None = None,
        number: int = 0,
        is_triggered: bool = False,
        on_confirmation: Callable[[Payload], None] | None = None,
        on_failure: Callable[[CallFailed], None] | None = None,
        on_end: Callable[[], None] | None = None,
        topic: Hashable = None,
        latest: int = 0,
        is_kept: bool = False,
    ) -> bool:
        """Send a request whose answer nobody waits for. False: dropped, since offline or not accepted.

        With `is_kept`, or with QueueAllMessages (libocpp), it is kept, on disk too, until it can be sent.
        `number`: the journal number it must not be sent before. `topic`: one of the same topic that still waits is
        replaced, for it would tell what is over. `latest`: the latest time in it, µs, where that must not be told
        before it has come. `on_end`: told when it is over, however it ended.
        """
        is_asked = on_confirmation is not None or on_failure is not None or on_end is not None
        entry = Entry(
            action=action,
            payload=payload,
            lane=lane,
            sequence=self.new_sequence(),
            number=number,
            transaction=transaction,
            clock_boot=self._clock.clock_boot,
            is_triggered=is_triggered,
            asker=Asker(on_confirmation, on_failure, on_end) if is_asked else None,
            topic=topic,
            latest=latest,
        )
        if lane is _NORMAL and not entry.is_interactive and (is_kept or self._session.outbox.limits.may_queue(action)):
            # On disk against a power cut; what tells of no transaction need not wait for a disk that is full.
            entry.is_persistent = True
            self._journal.append(self.row(entry))
        taken = self._session.enqueue(entry, self._clock.monotonic())
        self._kick()
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
            lane=_TRANSACTION,
            sequence=self.new_sequence(),
            number=0,
            transaction=transaction,
            clock_boot=self._clock.clock_boot if clock_boot is None else clock_boot,
            data_boots=data_boots,
            is_persistent=True,
        )
        row = self.row(entry)
        entry.number = number = self._journal.append(row, *changes)
        self.enqueue(entry)
        self._share(entry, row)
        return number

    def queue_text(self, action: str, text: str, transaction: Transaction, *changes: RowChange) -> None:
        """`queue` of a payload that is JSON text already, known to be valid, and without a transactionId; its times are
        taken now."""
        entry = Entry(
            action=action,
            payload=None,
            text=text,
            lane=_TRANSACTION,
            sequence=self.new_sequence(),
            transaction=transaction,
            clock_boot=self._clock.clock_boot,
            size=len(text) if text.isascii() else len(text.encode()),
            is_persistent=True,
        )
        entry.is_checked = entry.lacks_transaction = True
        entry.number = self._journal.append(self.row(entry), *changes)
        self.enqueue(entry)

    def _share(self, entry: Entry, row: Put) -> None:
        """What waits needs no text of its own where its row stays in memory with the same one."""
        if self._journal.keeps_rows and not entry.data_boots:
            text = row.row[message_queue.PAYLOAD]
            assert isinstance(text, str)
            entry.share(text)

    def enqueue(self, entry: Entry) -> None:
        """Take in a message whose row is written."""
        self._session.enqueue(entry, self._clock.monotonic())
        self._kick()

    def corrected(self, number: int) -> None:
        """The corrections are settled, and journal number `number` has them: what they apply to goes no earlier.

        Else a repeat after a power cut would carry other times, and not be known as a repeat.
        """
        for entry in self._session.outbox.waiting_of():
            if entry.has_marks:
                entry.number = max(entry.number, number)

    def row(self, entry: Entry) -> Put:
        """The stored form of a queued message, as it is now. It shares the text of the payload with the wire."""
        transaction = entry.transaction
        text = entry.text()
        if entry.data_boots:
            text = with_member(
                entry.written(), b'"%b":%b' % (message_queue.DATA_BOOTS.encode(), dumps(entry.data_boots))
            )
        return message_queue.put_written(
            entry.sequence,
            int(entry.lane),
            entry.action,
            text if isinstance(text, str) else text.decode(),
            entry.attempts,
            transaction.key if isinstance(transaction, Transaction) else None,
            entry.clock_boot,
        )

    def ask(
        self,
        action: str,
        payload: Payload,
        timeout: float | None,
        on_confirmation: Callable[[Payload], None],
        on_failure: Callable[[CallFailed], None],
        is_patient: bool = False,
    ) -> Entry:
        """Send a request whose answer somebody waits for (`call`). Raises `Offline` when it cannot be sent.

        `is_patient`: after `timeout` the others go on, and the answer is taken all the same, until `no_longer_asks`.
        """
        entry = Entry(
            action=action,
            payload=payload,
            lane=_NORMAL,
            sequence=self.new_sequence(),
            number=0,
            asker=Asker(on_confirmation, on_failure, timeout=timeout, is_patient=is_patient),
        )
        if not self._session.enqueue(entry, self._clock.monotonic()):
            raise Offline(action, "not connected" if not self._session.is_connected else "not accepted yet")
        self._kick()
        return entry

    def no_longer_asks(self, entry: Entry) -> None:
        """Nobody listens any more, and there is no point in asking if it was not sent yet."""
        self._session.no_longer_asked(entry)

    def drop(self, action: str) -> None:
        """Take all of these that wait, and are about no transaction, out of the queue and off the disk."""
        for entry in self._session.outbox.waiting_for(action):
            self._session.no_longer_asked(entry)
            if entry.is_persistent:
                self._journal.append(message_queue.delete(entry.sequence))

    @property
    def longest_wait(self) -> float:
        """Seconds that an answer is waited for where nobody says how long: twice the time any request has."""
        return 2 * self._session.retry.response_timeout

    @staticmethod
    def check(action: str, payload: Payload) -> None:
        """Could this be sent? To be asked before anything is changed. Raises ValueError that names the member."""
        validate_sending(action, "request", payload)
