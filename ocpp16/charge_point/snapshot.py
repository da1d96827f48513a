"""What a charge point is just now, in few numbers: for metrics, which ask thousands of them at once."""

from contextlib import suppress
from typing import NamedTuple

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.enums import ChargePointStatus, RegistrationStatus
from ocpp16.errors import ChargePointStopped
from ocpp16.models import Counters
from ocpp16.store.journal import Journal

__all__ = ["Snapshot", "snapshot"]


class Snapshot(NamedTuple):
    """`statuses` are those of the connectors from 1 on; `counters` and `journal` live on."""

    is_running: bool
    is_connected: bool
    is_registered: bool
    queue_depth: int
    dead_letters: int
    running_transactions: int
    statuses: list[ChargePointStatus]
    counters: Counters
    journal: Journal


def snapshot(charge_point: ChargePoint) -> Snapshot:
    """Also of one that is closed: what was last. Raises RuntimeError in another thread than its own."""
    runtime = charge_point._runtime
    with suppress(ChargePointStopped):
        runtime.guard.check()
    ctx, connection, is_running = runtime.ctx, charge_point.connection, runtime.is_running
    return Snapshot(
        is_running,
        connection.is_connected,
        is_running and connection.registration is RegistrationStatus.ACCEPTED,
        connection.queue_depth,
        len(runtime.features.dead_letters),
        len(ctx.transactions.all_running()),
        [connector.status for number, connector in ctx.connectors.items() if number],
        runtime.counters,
        runtime.journal,
    )
