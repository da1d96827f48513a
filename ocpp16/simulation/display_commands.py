"""Handlers of the commands about what a driver reads."""

from typing import Any

from ocpp16.simulation.controlled import Controlled


def display(on: Controlled, connector: int, language: str | None) -> dict[str, Any]:
    """`time`: as a driver is shown it."""
    session, transaction = on.station.evse(connector).session_id, on.charge_point.transaction(connector)
    id_tag = None if transaction is None else transaction.id_tag
    shown = on.station.displays.shown(connector, session, id_tag, language)
    return {**shown, "time": on.station.door.local_time().isoformat(timespec="minutes")}
