"""Our command, broken on purpose: `python broken_command.py lost-commit|doubled-start charge-point …`.

For tests that show that their check would notice.
"""

import runpy
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.state.clock import to_datetime
from ocpp16.store.base import ChargePointChanges
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import transactions


def lose_transactions(store: SqliteStore, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
    """A commit that tells of a transaction is said to be made, and is not."""
    if any(change.table is transactions.TABLE for _, changes in batches for change in changes):
        return {}
    return apply(store, batches)


def start_twice(charge_point: ChargePoint, *arguments: Any, **named: Any) -> Any:
    """A transaction whose StartTransaction goes out a second time, stamped a second later."""
    transaction = start_once(charge_point, *arguments, **named)
    again = {
        "connectorId": transaction.connector_id,
        "idTag": transaction.id_tag,
        "meterStart": transaction.meter_start,
        "timestamp": (to_datetime(transaction.started_at) + timedelta(seconds=1)).isoformat().replace("+00:00", "Z"),
    }
    charge_point._runtime.ctx.queue("StartTransaction", again, transaction)
    return transaction


apply = SqliteStore.apply
start_once = ChargePoint.on_transaction_started

if __name__ == "__main__":
    if sys.argv.pop(1) == "lost-commit":
        SqliteStore.apply = lose_transactions  # type: ignore[assignment, method-assign]
    else:
        ChargePoint.on_transaction_started = start_twice  # type: ignore[assignment, method-assign]
    runpy.run_module("ocpp16", run_name="__main__", alter_sys=True)
