"""Handlers of the commands about firmware and files: what a technician tells in place of the station."""

from typing import Any

from ocpp16.enums import FirmwareStatusEnumType, UploadLogStatusEnumType
from ocpp16.models import UNSIGNED
from ocpp16.simulation.controlled import Controlled


def firmware_status(on: Controlled, request_id: int | None, status: FirmwareStatusEnumType) -> None:
    """`request_id`: None: of the update that is under way."""
    if request_id is None:
        under_way = maintenance(on)["firmware"]
        request_id = UNSIGNED if under_way is None else under_way["request_id"]
    on.charge_point.on_firmware_update_status_notification(request_id, status)


def log_status(on: Controlled, request_id: int, status: UploadLogStatusEnumType) -> None:
    on.charge_point.on_log_status_notification(request_id, status)


def maintenance(on: Controlled) -> dict[str, Any]:
    """What is under way, as far as the charge point knows."""
    return on.charge_point.for_station.maintenance()
