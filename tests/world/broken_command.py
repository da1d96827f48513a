"""Our command, broken on purpose: `python broken_command.py lost-commit|doubled-start charge-point …`.

For tests that show that their check would notice.
"""

import runpy
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from ocpp16.charge_point import open as opening
from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.state.clock import to_datetime
from ocpp16.store.base import Batch
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import transactions
from ocpp16.testing.contracts import LossyStore


class LosesTransactions:
    """In the place of SqliteStore: a commit that tells of a transaction is said to be made, and is not."""

    @staticmethod
    def open(path: Path, **options: Any) -> LossyStore:
        def lose(batches: Sequence[Batch]) -> bool:
            return any(change.table is transactions.TABLE for _, changes in batches for change in changes)

        return LossyStore(SqliteStore.open(path, **options), lose)


def start_twice(charge_point: ChargePoint, *arguments: Any, **named: Any) -> Any:
    """A transaction whose StartTransaction goes out a second time, stamped a second later."""
    transaction = start_once(charge_point, *arguments, **named)
    again = {
        "connectorId": transaction.connector_id,
        "idTag": transaction.id_tag,
        "meterStart": transaction.meter_start,
        "timestamp": (to_datetime(transaction.started_at) + timedelta(seconds=1)).isoformat().replace("+00:00", "Z"),
    }
    charge_point.ctx.queue("StartTransaction", again, transaction)
    return transaction


start_once = ChargePoint.on_transaction_started

if __name__ == "__main__":
    if sys.argv.pop(1) == "lost-commit":
        opening.SqliteStore = LosesTransactions  # type: ignore[assignment, attr-defined]
    else:
        ChargePoint.on_transaction_started = start_twice  # type: ignore[assignment, method-assign]
    runpy.run_module("ocpp16", run_name="__main__", alter_sys=True)
