"""The part of a simulated station that takes firmware and sends files: what the charge point asks of it."""

from abc import abstractmethod

from ocpp16.enums import UpdateFirmwareStatusEnumType
from ocpp16.models import FirmwareUpdate, GetLogResponse, LogRequest
from ocpp16.simulation.maintenance import Maintenance
from ocpp16.simulation.overrule import Overrules, question


class Maintained:
    """Implements `FirmwareStation` and `SecurityStation` by `maintenance`."""

    __slots__ = ()

    overrules: Overrules

    @property
    @abstractmethod
    def maintenance(self) -> Maintenance: ...

    @question
    async def update_firmware(self, update: FirmwareUpdate) -> None:
        self.maintenance.update_firmware(update)

    @question
    async def cancel_firmware_update(self, request_id: int) -> bool:
        return self.maintenance.cancel_firmware_update()

    @question
    async def all_connectors_unavailable(self) -> None:
        self.maintenance.go_ahead()

    @question
    async def upload_diagnostics(self, request: LogRequest) -> GetLogResponse:
        return self.maintenance.upload("diagnostics", request)

    @question
    async def signed_update_firmware(self, update: FirmwareUpdate) -> UpdateFirmwareStatusEnumType:
        return UpdateFirmwareStatusEnumType.ACCEPTED

    @question
    async def upload_logs(self, request: LogRequest) -> GetLogResponse:
        return self.maintenance.upload("log", request)
