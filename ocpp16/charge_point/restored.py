"""From the rows of a store to the state of a charge point, once at each start.

Rules of this file:
1. A row that cannot be read, or that says what cannot be, never stops the start: it is left out, told as any fault is
   (`SecondLine`), and stays in the store for a person to see. Of a transaction all is kept that can be: its end is
   still to be told.
2. A stored time that cannot have been (bits rot, clocks lie) is no time: the present one stands in for it, counted.
   Times marked with a boot whose clock was not set are corrected later (state/clock.py) and may be of any year.
3. Numbers that go on counting (sequences, keys, boots) begin above what is stored and below what a column can hold.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ocpp16._core import validate_sending
from ocpp16.charge_point.second_line import SecondLine
from ocpp16.enums import AvailabilityType
from ocpp16.log import FoldingLog
from ocpp16.profiles.status_report import restore_topics
from ocpp16.rpc.pending import Entry, Lane
from ocpp16.rpc.policy import topic_of
from ocpp16.state.clock import Clock, correct_timestamps, plausible
from ocpp16.state.transaction import Transaction, Transactions
from ocpp16.store.base import Row, Table
from ocpp16.store.rows import Rows
from ocpp16.store.tables import (
    availability,
    clock_corrections,
    dead_letters,
    message_queue,
    meters,
    samples,
    settings,
    transactions,
)
from ocpp16.store.tables.dead_letters import DeadLetterRow
from ocpp16.store.tables.meters import MeterRow
from ocpp16.store.tables.samples import SampleRow
from ocpp16.values import INT32_HIGH, INT32_LOW, whole

R = TypeVar("R")
T = TypeVar("T")

BOOT = settings.BOOT

_HIGHEST = 2**53
"""No counter of ours gets here; a stored one beyond it was never ours."""
_LONGEST_SHIFT = 200 * 366 * 86_400 * 1_000_000
"""µs; no clock is corrected by more."""


class StoredRows:
    """What was loaded, table by table, without the rows that cannot be. Implements `profiles.base.Stored`."""

    __slots__ = ("_loaded", "_second_line")

    def __init__(self, loaded: dict[str, list[Row]], second_line: SecondLine) -> None:
        self._loaded = loaded
        self._second_line = second_line

    def read(self, rows: Rows[R]) -> list[R]:
        name = rows.table.name
        return rows.read(self._loaded.get(name, ()), lambda row, error: self._leave_out(name, error))

    def taken(self, take: Callable[[R], T], rows: Rows[R]) -> list[T]:
        """What `take` makes of the rows of a table, without those it refuses by ValueError."""
        results = []
        for row in self.read(rows):
            try:
                results.append(take(row))
            except ValueError as error:
                self._leave_out(rows.table.name, error)
        return results

    def whole(self, take: Callable[[R], T], rows: Rows[R]) -> list[T] | None:
        """What `take` makes of the rows of a table; None if one of them cannot be read."""
        results = self.taken(take, rows)
        return results if len(results) == len(self._loaded.get(rows.table.name, ())) else None

    def has(self, rows: Rows[R]) -> bool:
        return bool(self._loaded.get(rows.table.name))

    def _leave_out(self, name: str, error: ValueError) -> None:
        self._second_line.failed(f"reading a stored row of {name}", error)


@dataclass(slots=True)
class Restored:
    """What was stored of one charge point, but for what its features read of `stored` themselves."""

    stored: StoredRows
    settings: dict[str, object] = field(default_factory=dict)
    availability: dict[int, AvailabilityType] = field(default_factory=dict)
    transactions: Transactions = field(default_factory=Transactions)
    messages: list[Entry] = field(default_factory=list)
    dead_letters: list[DeadLetterRow] = field(default_factory=list)
    samples: list[SampleRow] = field(default_factory=list)
    meters: dict[int, MeterRow] = field(default_factory=dict)
    corrections: dict[int, int] = field(default_factory=dict)
    next_sequence: int = 1
    times_ignored: int = 0

    @property
    def boot(self) -> int:
        """How often the charge point was started before. Where that cannot be read, the last start that left a mark."""
        return max(_counted(self.settings, BOOT), *(number for number in self._marks() if number < _HIGHEST))

    def _marks(self) -> Iterator[int]:
        """Numbers of starts by which stored times are marked."""
        yield 0
        yield from self.corrections
        for transaction in self.transactions:
            yield from (transaction.clock_boot, transaction.meter_last_clock_boot, transaction.stop_clock_boot)
        for entry in self.messages:
            yield from (entry.clock_boot, *entry.data_boots)
        for row in self.samples:
            yield row.clock_boot

    def note_times(self, clock: Clock) -> None:
        """Tell the clock which times of earlier boots there are, so that it can correct them once it is set."""
        for transaction in self.transactions:
            clock.note(transaction.started_at, transaction.clock_boot)
            clock.note(transaction.meter_last_at, transaction.meter_last_clock_boot)
            if transaction.stopped_at is not None:
                clock.note(transaction.stopped_at, transaction.stop_clock_boot)
        for entry in self.messages:
            _note_payload(clock, entry.payload, entry.clock_boot)
            if entry.data_boots:  # then there are as many entries of transactionData
                for value, clock_boot in zip(entry.payload["transactionData"], entry.data_boots, strict=True):
                    _note_payload(clock, value, clock_boot)
        for row in self.samples:
            _note_payload(clock, row.payload, row.clock_boot)


def _note_payload(clock: Clock, payload: dict[str, Any], clock_boot: int) -> None:
    def note(micros: int) -> int:
        clock.note(micros, clock_boot)
        return micros

    if clock_boot:
        # The data of a StopTransaction may be of other boots.
        correct_timestamps({name: value for name, value in payload.items() if name != "transactionData"}, note)


def restored(loaded: dict[str, list[Row]], now: int, second_line: SecondLine) -> Restored:
    """Read `loaded`, rows by name of the table; `now` in µs UTC stands in for times that cannot be.

    `second_line` is told of rows that cannot be read.
    """
    tables, log = StoredRows(loaded, second_line), second_line.log
    result = Restored(tables)

    def time(micros: int, clock_boot: int, what: str) -> int:
        if clock_boot or plausible(micros):
            return micros
        result.times_ignored += 1
        log.warning("the stored time %s cannot have been and is taken as of now", what)
        return now

    result.settings = dict(tables.taken(_setting, settings.ROWS))
    result.availability = {row.connector_id: row.availability for row in tables.read(availability.ROWS)}
    result.meters = {row.connector_id: row for row in tables.taken(_meter, meters.ROWS)}
    checkpoints = {row.connector_id: row.energy for row in result.meters.values()}

    def take(transaction: Transaction) -> None:
        _check_number(transaction.key)
        whole(transaction.connector_id, "its connector", 1)
        _check_registers(transaction, checkpoints.get(transaction.connector_id), log)
        _check_times(transaction, time)
        result.transactions.restore(transaction)

    tables.taken(take, transactions.ROWS)
    keys: list[int | None] = []

    def message(row: message_queue.MessageRow) -> Entry:
        keys.append(row.transaction_key)
        return _entry(row, result.transactions, time)

    result.messages = tables.taken(message, message_queue.ROWS)
    restore_topics(result.messages)
    result.dead_letters = [row for row in tables.read(dead_letters.ROWS) if 0 <= row.sequence < _HIGHEST]
    result.samples = tables.taken(lambda row: _sample(row, time), samples.ROWS)
    sequences = [entry.sequence for entry in result.messages] + [row.sequence for row in result.dead_letters]
    # What a start from memory could not read lies below this number (store/fallback.py).
    first = _counted(result.settings, settings.FIRST_NUMBER)
    result.next_sequence = max([first, *sequences, *_numbers(loaded, message_queue.TABLE, dead_letters.TABLE)]) + 1
    keys += [letter.transaction_key for letter in result.dead_letters]
    keys += [sample.transaction_key for sample in result.samples]
    # A key is never given twice while anything stored still names it.
    used = [first, *(key for key in keys if key is not None and key < _HIGHEST)]
    used += _numbers(loaded, transactions.TABLE)
    found = result.transactions
    found.next_key = found.first_new = max([found.next_key, *(key + 1 for key in used)])
    result.corrections = {
        row.boot: row.shift for row in tables.read(clock_corrections.ROWS) if abs(row.shift) <= _LONGEST_SHIFT
    }
    return result


def _numbers(loaded: dict[str, list[Row]], *tables: Table) -> Iterator[int]:
    """Of all rows, also of those that could not be read: they stay, so their numbers are not free."""
    for table in tables:
        for row in loaded.get(table.name, ()):
            if row and type(row[0]) is int and row[0] < _HIGHEST:
                yield row[0]


def _check_number(number: int) -> None:
    if not 0 <= number < _HIGHEST:
        raise ValueError(f"its number {number} is none of ours")


def _setting(row: settings.SettingRow) -> tuple[str, object]:
    """Raises ValueError for one of ours that says what cannot be."""
    if row.key in (BOOT, settings.FIRST_NUMBER):
        whole(row.value, row.key, 0, _HIGHEST - 1)
    elif row.key in (settings.CONFIGURATION, settings.SECRETS) and not isinstance(row.value, dict):
        raise ValueError(f"{row.key} is no object of sections")
    return row.key, row.value


def _counted(found: Mapping[str, object], key: str) -> int:
    value = found.get(key, 0)
    assert isinstance(value, int), "see `_setting`"
    return value


def _meter(row: MeterRow) -> MeterRow:
    whole(row.energy, "its register")
    return row


def _check_registers(transaction: Transaction, checkpoint: int | None, log: FoldingLog) -> None:
    """Registers that cannot have been: what else is known of the meter stands in. Raises ValueError if nothing is.

    The checkpoint of the connector is written with the last register, and tells when that is too low.
    """
    start, last = transaction.meter_start, transaction.meter_last
    is_too_low = checkpoint is not None and last < start <= checkpoint
    if _fits(start) and _fits(last) and not is_too_low:
        return
    known = [energy for energy in (last, checkpoint, start) if energy is not None and _fits(energy)]
    if not known:
        raise ValueError("no register of it fits into 32 bits")
    transaction.meter_start = start if _fits(start) else known[0]
    transaction.meter_last = last if _fits(last) and not is_too_low else max(known)
    log.warning(
        "a stored register of transaction %d cannot have been: it is taken to have gone from %d to %d Wh",
        transaction.key,
        transaction.meter_start,
        transaction.meter_last,
    )


def _fits(energy: int) -> bool:
    return INT32_LOW <= energy <= INT32_HIGH


_Time = Callable[[int, int, str], int]


def _check_times(transaction: Transaction, time: _Time) -> None:
    name = f"of transaction {transaction.key}"
    transaction.started_at = time(transaction.started_at, transaction.clock_boot, name)
    if transaction.meter_last_at:  # 0: there was no reading
        transaction.meter_last_at = time(transaction.meter_last_at, transaction.meter_last_clock_boot, name)
    if transaction.stopped_at is not None:
        transaction.stopped_at = time(transaction.stopped_at, transaction.stop_clock_boot, name)


def _entry(row: message_queue.MessageRow, known: Transactions, time: _Time) -> Entry:
    """The message of a row. Raises ValueError for a lane that is none, and the like."""
    _check_number(row.sequence)
    lane = Lane(row.lane)
    if lane is Lane.BOOT or row.action == "BootNotification":
        raise ValueError(f"{row.action} is in lane {row.lane}: BootNotification is not stored, and alone in its lane")
    transaction = None if row.transaction_key is None else known.by_key(row.transaction_key)
    name = f"of message {row.sequence}"
    payload = dict(row.payload)
    if "transactionId" in payload:
        transaction = None  # it outlived its own, whose key may be another's by now
    data_boots = _data_boots(payload.pop(message_queue.DATA_BOOTS, None), payload.get("transactionData"))
    if data_boots:
        data = zip(payload.pop("transactionData"), data_boots, strict=True)
        told = [_possible(value, clock_boot, time, name) for value, clock_boot in data]
        payload = {**_possible(payload, row.clock_boot, time, name), "transactionData": told}
    else:
        payload = _possible(payload, row.clock_boot, time, name)
    entry = Entry(
        action=row.action,
        payload=payload,
        lane=lane,
        sequence=row.sequence,
        transaction=transaction,
        clock_boot=row.clock_boot,
        data_boots=data_boots,
        attempts=max(0, row.attempts),
        is_persistent=True,
        topic=_topic(row.action, payload) if lane is Lane.NORMAL else None,
    )
    entry.write_down()
    return entry


def _topic(action: str, payload: dict[str, Any]) -> Hashable:
    """What a newer message tells better, as where it was made; None where that cannot be read."""
    topic = topic_of(action, payload, is_triggered=False)
    try:
        hash(topic)
    except TypeError:
        return None
    return topic


def _sample(row: SampleRow, time: _Time) -> SampleRow:
    """The sample of a row. Raises ValueError if it is no MeterValue, or its number none of ours."""
    _check_number(row.sequence)
    untold = row.payload.pop(samples.UNTOLD, None)
    validate_sending("MeterValues", "request", {"connectorId": 1, "meterValue": [row.payload]})
    name = f"of a sample of transaction {row.transaction_key}"
    payload = _possible(row.payload, row.clock_boot, time, name)
    return row._replace(payload={**payload, samples.UNTOLD: untold} if isinstance(untold, list) else payload)


def _data_boots(stored: object, data: object) -> tuple[int, ...]:
    """The marks of single entries of `data`; none, if these are not what belongs to it."""
    if not (isinstance(stored, list) and isinstance(data, list) and len(stored) == len(data)):
        return ()
    are_numbers = all(type(number) is int and 0 <= number < _HIGHEST for number in stored)
    return tuple(stored) if are_numbers and all(isinstance(value, dict) for value in data) else ()


def _possible(payload: dict[str, Any], clock_boot: int, time: _Time, name: str) -> dict[str, Any]:
    """`payload`, in a copy only where one of its times cannot be."""
    if clock_boot:
        return payload
    changed = False

    def look(micros: int) -> int:
        nonlocal changed
        possible = time(micros, 0, name)
        changed = changed or possible != micros
        return possible

    corrected = correct_timestamps(payload, look)
    return corrected if changed else payload
