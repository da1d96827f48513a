"""Where the energy of a transaction stands, as the status of the connector tells it.

The decision is one function of what holds now and what was told last; the telling is a table. SuspendedEVSE: the
station offers nothing (limit 0, tag refused), also where what it has is too little to be offered (AC below 6 A).
SuspendedEV: it offers, the car does not draw.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint
    from ocpp16.simulation.car import Car


class Flow(Enum):
    """The energy flow last told; NOT_YET: the car is still Preparing, or there is no transaction."""

    NOT_YET = 0
    CHARGING = 1
    SUSPENDED_EV = 2
    SUSPENDED_EVSE = 3


def flow_of(car: "Car | None", *, is_offered: bool, told: Flow, is_enough: bool = True) -> Flow:
    """The flow of a running transaction of an EVSE without fault. Without a car: it was unplugged and may come back.
    `is_enough`: can the car do something with what it is offered?
    """
    if not is_offered:
        return Flow.SUSPENDED_EVSE
    if car is None:
        return Flow.SUSPENDED_EV
    if car.is_drawing and is_enough:
        return Flow.CHARGING
    # Until it first draws it is Preparing, unless a suspension was told already.
    return Flow.SUSPENDED_EV if car.has_begun or told is not Flow.NOT_YET else Flow.NOT_YET


def tell(charge_point: "ChargePoint", connector_id: int, flow: Flow) -> None:
    """Tell the charge point that the flow is another one now."""
    fact = _FACTS.get(flow)
    if fact is not None:
        fact(charge_point, connector_id)


_FACTS: "Mapping[Flow, Callable[[ChargePoint, int], None]]" = {
    Flow.CHARGING: lambda charge_point, connector_id: charge_point.on_resume_charging(connector_id),
    Flow.SUSPENDED_EV: lambda charge_point, connector_id: charge_point.on_suspend_charging_ev(connector_id),
    Flow.SUSPENDED_EVSE: lambda charge_point, connector_id: charge_point.on_suspend_charging_evse(connector_id),
}
