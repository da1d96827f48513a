"""From the rows of a store to the state of a charge point, once at each start.

A row that cannot be read never stops the start: it is logged and left out; it stays in the store for a person to see.
"""

import logging
from dataclasses import dataclass, field
from typing import Any

from ocpp16.enums import AvailabilityType
from ocpp16.rpc.pending import Entry, Lane
from ocpp16.state.clock import Clock, correct_timestamps
from ocpp16.state.transaction import Transactions
from ocpp16.store.base import Row
from ocpp16.store.tables import (
    availability,
    charging_profiles,
    clock_corrections,
    dead_letters,
    message_queue,
    meters,
    samples,
    settings,
    transactions,
)
from ocpp16.store.tables.charging_profiles import ChargingProfileRow
from ocpp16.store.tables.meters import MeterRow
from ocpp16.store.tables.samples import SampleRow

log = logging.getLogger("ocpp16")

BOOT = "boot"
"""Setting: how often this charge point was started."""
CONFIGURATION = "configuration"
"""Setting: changed configuration keys, where there is no file for them."""


@dataclass(slots=True)
class Restored:
    """What was stored of one charge point."""

    settings: dict[str, object] = field(default_factory=dict)
    availability: dict[int, AvailabilityType] = field(default_factory=dict)
    transactions: Transactions = field(default_factory=Transactions)
    messages: list[Entry] = field(default_factory=list)
    samples: list[SampleRow] = field(default_factory=list)
    charging_profiles: list[ChargingProfileRow] = field(default_factory=list)
    meters: dict[int, MeterRow] = field(default_factory=dict)
    corrections: dict[int, int] = field(default_factory=dict)
    next_sequence: int = 1

    @property
    def boot(self) -> int:
        """How often the charge point was started before."""
        value = self.settings.get(BOOT)
        return value if isinstance(value, int) else 0

    def note_times(self, clock: Clock) -> None:
        """Tell the clock which times of earlier boots there are, so that it can correct them once it is set."""
        for transaction in self.transactions:
            clock.note(transaction.started_at, transaction.clock_boot)
            clock.note(transaction.meter_last_at, transaction.meter_last_clock_boot)
            if transaction.stopped_at is not None:
                clock.note(transaction.stopped_at, transaction.stop_clock_boot)
        for entry in self.messages:
            _note_payload(clock, entry.payload, entry.clock_boot)
        for row in self.samples:
            _note_payload(clock, row.payload, row.clock_boot)


def _note_payload(clock: Clock, payload: dict[str, Any], clock_boot: int) -> None:
    def note(micros: int) -> int:
        clock.note(micros, clock_boot)
        return micros

    if clock_boot:
        # The data of a StopTransaction may be of other boots; these have their own messages or rows to tell of them.
        correct_timestamps({name: value for name, value in payload.items() if name != "transactionData"}, note)


def restored(loaded: dict[str, list[Row]]) -> Restored:
    """Read what `Store.load` gave."""

    def unreadable(row: Row, error: ValueError) -> None:
        log.error("a stored row is left out: %s", error)

    result = Restored(next_sequence=dead_letters.next_sequence(loaded))
    result.settings = {row.key: row.value for row in settings.read(loaded[settings.TABLE.name], unreadable)}
    result.availability = {
        row.connector_id: row.availability for row in availability.read(loaded[availability.TABLE.name], unreadable)
    }
    for transaction in transactions.read(loaded[transactions.TABLE.name], unreadable):
        try:
            result.transactions.add(transaction)
        except ValueError as error:
            log.error("transaction %d is left out: %s", transaction.key, error)
    for row in message_queue.read(loaded[message_queue.TABLE.name], unreadable):
        result.messages.append(_entry(row, result.transactions))
    used = [row.transaction_key for row in dead_letters.read(loaded[dead_letters.TABLE.name], unreadable)]
    result.samples = samples.read(loaded[samples.TABLE.name], unreadable)
    used += [row.transaction_key for row in result.samples]
    # A key is never given twice while anything stored still names it.
    result.transactions.next_key = max(result.transactions.next_key, *(1 + (key or 0) for key in [*used, 0]))
    result.charging_profiles = charging_profiles.read(loaded[charging_profiles.TABLE.name], unreadable)
    result.meters = {row.connector_id: row for row in meters.read(loaded[meters.TABLE.name], unreadable)}
    result.corrections = {
        row.boot: row.shift for row in clock_corrections.read(loaded[clock_corrections.TABLE.name], unreadable)
    }
    return result


def _entry(row: message_queue.MessageRow, known: Transactions) -> Entry:
    transaction = None if row.transaction_key is None else known.by_key(row.transaction_key)
    return Entry(
        action=row.action,
        payload=row.payload,
        lane=Lane(row.lane),
        sequence=row.sequence,
        transaction=transaction,
        clock_boot=row.clock_boot,
        attempts=row.attempts,
        is_persistent=True,
    )
