"""`charge_point.for_station`: what the code of a station may use of the charge point it is attached to.

A station that keeps its times by this clock and these timers follows the charge point's on a virtual clock as well, and
needs no task of its own.
"""

from collections.abc import Callable
from typing import Any

from ocpp16.charge_point.authorization_door import AuthorizationDoor
from ocpp16.charge_point.reservation_door import ReservationDoor
from ocpp16.charge_point.runtime import Runtime
from ocpp16.configuration.keys import core
from ocpp16.ctrl_c import only_at_waits
from ocpp16.log import FoldingLog
from ocpp16.state.clock import Clock
from ocpp16.state.timers import Timers


@only_at_waits
class StationDoor:
    """Made anew each time it is asked for."""

    __slots__ = ("_runtime",)

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @property
    def clock(self) -> Clock:
        """Time as the charge point knows it: `now()` in µs since 1970, `monotonic()` in seconds."""
        return self._runtime.clock

    @property
    def log(self) -> FoldingLog:
        """That of the charge point: it shows texts of others with care, and each cause once a minute."""
        return self._runtime.second_line.log

    @property
    def authorization(self) -> AuthorizationDoor:
        """Who may charge by what is known here, and why the latest decisions were what they were."""
        return AuthorizationDoor(self._runtime)

    @property
    def reservations(self) -> ReservationDoor:
        """The reservations that the library keeps, and who uses them."""
        return ReservationDoor(self._runtime)

    @property
    def timers(self) -> Timers:
        """They go on over starts and stops, and end with the block."""
        return self._runtime.timers

    @property
    def number_of_connectors(self) -> int:
        """Connectors 1 to this number; connector 0 is the charge point itself."""
        return self._runtime.configuration[core.NUMBER_OF_CONNECTORS]

    def meter_checkpoint(self, connector_id: int) -> int | None:
        """The register in Wh that was stored last for this connector before this start. Raises ValueError for an
        unknown one."""
        return self._runtime.meters.get(self._runtime.guard.connector(connector_id, 0))

    def running_sessions(self) -> list[str]:
        """The session ids of all transactions that run; before a start, of those that were found in the store."""
        self._runtime.guard.check()
        return [transaction.session_id for transaction in self._runtime.ctx.transactions.all_running()]

    def spawn(self, async_fn: Callable[..., Any], *args: Any) -> None:
        """Run a task that ends when the charge point is stopped. What it raises is logged and ends nothing else."""
        self._runtime.spawn(async_fn, *args)
