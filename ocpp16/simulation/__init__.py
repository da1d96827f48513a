"""A charging station without hardware: EVSEs, meter, card reader, cars, and one list of commands to work it by.

`SimulatedStation` is the reference integration of the library: it answers the station Protocols and tells the charge
point the facts exactly as firmware would. `Operation` starts, stops and resets the two together; `Commands` is what a
person or a program can make happen; `ControlInterface` serves the commands as JSON lines.
"""

from ocpp16.simulation.battery import Battery, Curve
from ocpp16.simulation.car import CarPlan
from ocpp16.simulation.car_models import CARS, car_plan
from ocpp16.simulation.command import CommandError
from ocpp16.simulation.commands import Commands
from ocpp16.simulation.control import ControlInterface
from ocpp16.simulation.operation import Operation
from ocpp16.simulation.options import StationOptions
from ocpp16.simulation.station import SimulatedStation

__all__ = [
    "CARS",
    "Battery",
    "CarPlan",
    "CommandError",
    "Commands",
    "ControlInterface",
    "Curve",
    "Operation",
    "SimulatedStation",
    "StationOptions",
    "car_plan",
]
