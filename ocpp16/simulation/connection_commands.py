"""Handlers of the commands about the connection: what opens and ends it, what waits for it, what goes out of turn."""

from typing import Any

from ocpp16.simulation.controlled import Controlled


def connect(on: Controlled) -> None:
    on.require_running()
    on.charge_point.connection.connect()


def disconnect(on: Controlled) -> None:
    if on.charge_point.is_running:
        on.charge_point.connection.disconnect()


def drop(on: Controlled) -> bool:
    return on.charge_point.is_running and on.charge_point.connection.drop()


def queue(on: Controlled, most: int) -> dict[str, Any]:
    """`state`: open (sent, its answer is waited for), waiting, or apart (left unanswered; others go first)."""
    connection = on.charge_point.connection
    return {
        "count": connection.queue_depth,
        "messages": [
            {
                "sequence": message.sequence,
                "action": message.action,
                "state": "open" if message.is_open else "apart" if message.is_apart else "waiting",
                "attempts": message.attempts,
                "payload": message.payload,
            }
            for message in connection.waiting(most)
        ],
    }


def heartbeat(on: Controlled) -> bool:
    return on.charge_point.heartbeat_now()


def sample(on: Controlled, connector: int) -> bool:
    on.require_running()
    return on.charge_point.sample_now(connector)


async def data_transfer(on: Controlled, vendor_id: str, message_id: str | None, data: str | None) -> dict[str, Any]:
    answer = await on.charge_point.data_transfer(vendor_id, message_id, data)
    if answer is None:
        return {"status": "Offline", "data": None}
    return {"status": str(answer.status), "data": answer.data}
