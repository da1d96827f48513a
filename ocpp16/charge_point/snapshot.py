"""What a charge point is just now, in few numbers: for metrics, which ask thousands of them at once."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple, Protocol, TypeVar

from ocpp16.enums import ChargePointStatus, RegistrationStatus
from ocpp16.errors import ChargePointStopped
from ocpp16.models import Counters
from ocpp16.store.journal import Journal

__all__ = ["AnyChargePoint", "Snapshot", "in_their_thread", "snapshot"]

T = TypeVar("T")


class AnyChargePoint(Protocol):
    """A ChargePoint, or what a host without trio has in hand of one."""

    def heartbeat_now(self) -> bool:
        """As of `ChargePoint`; that of `ocpp16.blocking` has it, too."""
        ...


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


def in_their_thread(charge_points: Iterable[AnyChargePoint], function: Callable[[], T]) -> T:
    """What it gives in the thread of charge points that a host without trio has in hand, or in this one. Raises
    ChargePointStopped when that thread has ended."""
    for one in charge_points:
        cross: Callable[[Callable[[], T]], T] | None = getattr(one, "_in_its_thread", None)
        if cross is not None:
            return cross(function)
    return function()


def snapshot(asked: AnyChargePoint) -> Snapshot:
    """Also of one that is closed: what was last. Raises RuntimeError in another thread than its own."""
    charge_point: Any = getattr(asked, "_original", asked)  # behind the face of a host without trio
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
