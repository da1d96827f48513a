"""What commands are carried out on: a station, its charge point, and the running of the two."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ocpp16.simulation.command import CommandError

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint
    from ocpp16.simulation.operation import Operation
    from ocpp16.simulation.station import SimulatedStation


class Controlled:
    """Handed to the handlers of all commands. `power_off` is what the command of that name does; it never returns."""

    __slots__ = ("charge_point", "operation", "power_off", "station")

    def __init__(
        self,
        station: "SimulatedStation",
        charge_point: "ChargePoint",
        operation: "Operation",
        power_off: Callable[[], None],
    ) -> None:
        self.station: SimulatedStation = station
        self.charge_point: ChargePoint = charge_point
        self.operation: Operation = operation
        self.power_off: Callable[[], None] = power_off

    def require_running(self) -> None:
        """Raises CommandError when the charge point is stopped."""
        if not self.charge_point.is_running:
            raise CommandError("refused", "the charge point is stopped")
