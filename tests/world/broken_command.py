"""Our command, broken on purpose: `python broken_command.py lost-commit|lost-reservation|doubled-start charge-point …`.

For tests that show that their check would notice.
"""

import runpy
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.state.clock import to_datetime
from ocpp16.store.base import ChargePointChanges, Table
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import reservations, transactions


def losing(table: Table) -> Callable[[SqliteStore, Sequence[ChargePointChanges]], dict[str, Exception]]:
    """A commit that changes this table is said to be made, and is not."""

    def apply_others(store: SqliteStore, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        if any(change.table is table for _, changes in batches for change in changes):
            return {}
        return apply(store, batches)

    return apply_others


def start_twice(charge_point: ChargePoint, *arguments: Any, **named: Any) -> Any:
    """A transaction whose StartTransaction goes out a second time, stamped a second later."""
    transaction = start_once(charge_point, *arguments, **named)
    again = {
        "connectorId": transaction.connector_id,
        "idTag": transaction.id_tag,
        "meterStart": transaction.meter_start,
        "timestamp": (to_datetime(transaction.started_at) + timedelta(seconds=1)).isoformat().replace("+00:00", "Z"),
    }
    charge_point._runtime.ctx.sender.queue("StartTransaction", again, transaction)
    return transaction


apply = SqliteStore.apply
start_once = ChargePoint.on_transaction_started

if __name__ == "__main__":
    how = sys.argv.pop(1)
    if how == "lost-commit":
        SqliteStore.apply = losing(transactions.TABLE)  # type: ignore[assignment, method-assign]
    elif how == "lost-reservation":
        SqliteStore.apply = losing(reservations.TABLE)  # type: ignore[assignment, method-assign]
    else:
        ChargePoint.on_transaction_started = start_twice  # type: ignore[assignment, method-assign]
    runpy.run_module("ocpp16", run_name="__main__", alter_sys=True)
