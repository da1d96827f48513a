"""Firmware and logs: EVerest's system module transfers files and installs, and tells how far it is.

It is given an update as soon as it is asked about it, with the date from which on it may be fetched.
"""

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from ocpp16.enums import (
    FirmwareStatusEnumType,
    LogStatusEnumType,
    UpdateFirmwareStatusEnumType,
    UploadLogStatusEnumType,
)
from ocpp16.everest.border import Part, rfc3339
from ocpp16.everest.side import EverestSide
from ocpp16.models import FILE_NAME_LENGTH, FirmwareUpdate, GetLogResponse, LogRequest

__all__ = ["Maintenance", "tell_firmware_status", "tell_log_status"]

TAKEN: Final = (UpdateFirmwareStatusEnumType.ACCEPTED, UpdateFirmwareStatusEnumType.ACCEPTED_CANCELED)
INSTALLING: Final = (FirmwareStatusEnumType.INSTALLING, FirmwareStatusEnumType.INSTALL_REBOOTING)
"""Told last before a start: the system is in the middle of it, and knows by itself how it went."""
MOST_RETRIES: Final = 2**31 - 2
UNTOLD: Final = ("Idle", "AcceptedCanceled")
"""States of an upload of logs that say nothing new."""


class Maintenance:
    """The part of the station that has to do with files. Its callers are threads of the charge point's."""

    charge_point: Any = None

    def __init__(self, side: EverestSide) -> None:
        self._side = side
        self._handed: int | None = None
        """Request id of the update that the system was given last, in this life."""
        self._is_installing = False
        self._maintenance = threading.Lock()

    def signed_update_firmware(self, update: FirmwareUpdate) -> UpdateFirmwareStatusEnumType:
        """The system decides, and has it then."""
        return self._hand(update)

    def update_firmware(self, update: FirmwareUpdate) -> None:
        """Its date has come, or the charge point starts in the middle of it. Raises RuntimeError where the system does
        not take it: the update has failed."""
        is_begun = update.is_signed or update.status is not FirmwareStatusEnumType.IDLE
        with self._maintenance:
            is_handed = self._handed == update.request_id and is_begun
        if is_handed or update.status in INSTALLING:
            return
        status = self._hand(update)
        if status not in TAKEN:
            raise RuntimeError(f"EVerest's system answers {status}")

    def cancel_firmware_update(self, request_id: int) -> bool:
        """The system gives an update up when it is given another one, but not while it installs."""
        with self._maintenance:
            return self._handed != request_id or not self._is_installing

    def all_connectors_unavailable(self) -> None:
        self._side.ask("system", "allow_firmware_installation")

    def upload_diagnostics(self, request: LogRequest) -> GetLogResponse:
        return self._upload(request)

    def upload_logs(self, request: LogRequest) -> GetLogResponse:
        return self._upload(request)

    def firmware_status(self, request_id: int, status: FirmwareStatusEnumType) -> None:
        """The system told how far it is."""
        with self._maintenance:
            if request_id == self._handed:
                self._is_installing = status in INSTALLING

    def _hand(self, update: FirmwareUpdate) -> UpdateFirmwareStatusEnumType:
        request = _given(
            location=update.location,
            request_id=update.request_id,
            retries=_attempts(update.retries),
            retry_interval_s=update.retry_interval,
            retrieve_timestamp=_time(update.retrieve_date),
            install_timestamp=_time(update.install_date),
            signing_certificate=update.signing_certificate,
            signature=update.signature,
        )
        status: UpdateFirmwareStatusEnumType = self._side.ask(
            "system", "update_firmware", {"firmware_update_request": request}
        )
        if status in TAKEN:
            with self._maintenance:
                self._handed, self._is_installing = update.request_id, False
        return status

    def _upload(self, request: LogRequest) -> GetLogResponse:
        wanted = _given(
            location=request.location,
            request_id=request.request_id,
            type=str(request.log_type),
            retries=_attempts(request.retries),
            retry_interval_s=request.retry_interval,
            oldest_timestamp=_time(request.oldest),
            latest_timestamp=_time(request.latest),
        )
        answer = self._side.ask("system", "upload_logs", {"upload_logs_request": wanted})
        if answer is None:
            return GetLogResponse(LogStatusEnumType.REJECTED)
        part = Part(answer, "system.upload_logs", self._side.log)
        status = part.word(LogStatusEnumType, "upload_logs_status", is_needed=True)
        name = (part.text("file_name") or "")[:FILE_NAME_LENGTH]
        return GetLogResponse(status or LogStatusEnumType.REJECTED, name or None)


def tell_firmware_status(station: Maintenance, value: Any) -> None:
    """`firmware_update_status` of the system. Raises ValueError as the charge point does."""
    part = Part(value, "firmware_update_status", station._side.log)
    status = part.word(FirmwareStatusEnumType, "firmware_update_status", is_needed=True)
    request_id = part.whole("request_id", is_needed=True)
    if status is None or request_id is None or status is FirmwareStatusEnumType.IDLE:
        return
    station.firmware_status(request_id, status)
    station.charge_point.on_firmware_update_status_notification(request_id, status)


def tell_log_status(station: Maintenance, value: Any) -> None:
    """`log_status` of the system. Idle says nothing, and that an earlier upload was given up the charge point knows."""
    part = Part(value, "log_status", station._side.log)
    request_id = part.whole("request_id", is_needed=True)
    if part.text("log_status", is_needed=True) in UNTOLD:
        return
    status = part.word(UploadLogStatusEnumType, "log_status")
    if status is not None and request_id is not None:
        station.charge_point.on_log_status_notification(request_id, status)


def _attempts(retries: int | None) -> int | None:
    """EVerest counts the first attempt, too."""
    return None if retries is None else min(retries, MOST_RETRIES) + 1


def _time(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)


def _given(**members: Any) -> Mapping[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
