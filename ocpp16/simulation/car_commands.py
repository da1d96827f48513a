"""Handlers of the commands about what people and cars do."""

from typing import Any

from ocpp16.simulation import authorization_commands
from ocpp16.simulation.command import CommandError
from ocpp16.simulation.controlled import Controlled


def plug_in(on: Controlled, connector: int, **plan: Any) -> None:
    on.station.plug_in(connector, authorization_commands.plan_of(**plan))


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
