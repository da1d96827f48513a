"""Handlers of the commands about the charge point as a whole: start and end, how connectors stand, what runs."""

from typing import Any

from ocpp16.codec import format_datetime
from ocpp16.simulation.controlled import Controlled
from ocpp16.state.transaction import Transaction, watt_hours


async def stop(on: Controlled) -> bool:
    return await on.operation.stop()


async def restart(on: Controlled) -> bool:
    return await on.operation.restart()


def power_off(on: Controlled) -> None:
    on.power_off()


def status(on: Controlled) -> dict[str, Any]:
    registration = on.charge_point.connection.registration
    return {
        "connectors": [_connector_status(on, evse.connector_id) for evse in on.station.evses],
        "queue_depth": on.charge_point.connection.queue_depth,
        "connection": on.charge_point.connection.is_connected,
        "registration": None if registration is None else str(registration),
    }


def _connector_status(on: Controlled, connector_id: int) -> dict[str, Any]:
    report = on.charge_point.connector_status(connector_id)
    transaction = on.charge_point.transaction(connector_id)
    evse = on.station.evse(connector_id)
    return {
        "connector": connector_id,
        "status": str(report.status),
        "error": str(report.error_code),
        "session": evse.session_id,
        "transaction_id": None if transaction is None else transaction.transaction_id,
        "limit": evse.limit,
    }


def transactions(on: Controlled) -> list[dict[str, Any]]:
    """Those that run, by connector."""
    running = [on.charge_point.transaction(evse.connector_id) for evse in on.station.evses]
    return [_described(on, transaction) for transaction in running if transaction is not None]


def _described(on: Controlled, transaction: Transaction) -> dict[str, Any]:
    """`transaction_id`: null until StartTransaction is answered; `energy`: Wh since its start."""
    register = watt_hours(on.station.evse(transaction.connector_id).register())
    return {
        "connector": transaction.connector_id,
        "session_id": transaction.session_id,
        "transaction_id": transaction.transaction_id,
        "id_tag": transaction.id_tag,
        "parent_id_tag": transaction.parent_id_tag,
        "reservation_id": transaction.reservation_id,
        "started_at": format_datetime(transaction.started_at, 0),
        "meter_start": transaction.meter_start,
        "energy": max(register - transaction.meter_start, 0),
        "is_refused": transaction.is_refused,
    }
