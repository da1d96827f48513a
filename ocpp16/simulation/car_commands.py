"""Handlers of the commands about what people and cars do."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ocpp16.simulation.car import CarPlan
from ocpp16.simulation.car_models import car_plan
from ocpp16.simulation.command import CommandError
from ocpp16.simulation.contract_car import contract_of
from ocpp16.simulation.controlled import Controlled


def plug_in(on: Controlled, connector: int, **said: Any) -> None:
    on.station.plug_in(connector, plan_of(**said))


def plan_of(
    contract: str | None = None,
    emaid: str | None = None,
    installs: bool = False,
    car: str | Mapping[str, Any] | None = None,
    **said: Any,
) -> CarPlan:
    """The plan of a car, with the contract in a file; None: nothing was said of it. Raises ValueError that names what
    is wrong.
    """
    if contract is None and (emaid is not None or installs):
        raise ValueError("contract: it is needed for an eMAID, and for its installation")
    described = {"model": car} if isinstance(car, str) else {} if car is None else car
    given = {name: value for name, value in said.items() if value is not None}
    for name in given:
        if name in described:
            raise ValueError(f"{name}: it is said of the car already")
    held = None if contract is None else contract_of(contract, emaid, installs=installs)
    return replace(car_plan({**described, **given}), contract=held)


def unplug(on: Controlled, connector: int) -> None:
    on.station.unplug(connector)


def pause_drawing(on: Controlled, connector: int) -> None:
    on.station.pause_drawing(connector)


def resume_drawing(on: Controlled, connector: int, current: float | None, phases: int | None) -> None:
    if on.station.evse(connector).car is None:
        raise CommandError("refused", f"no car is on connector {connector}")
    on.station.resume_drawing(connector, current, phases)


def present_id_tag(on: Controlled, id_tag: str, connectors: list[int] | None) -> None:
    on.require_running()
    on.station.present_id_tag(id_tag, connectors or ())
