"""Firmware and files of hosts without trio: asked in their world, told from it."""

from host_faces import Awaited, Face, Server, Threaded, done

from ocpp16.enums import FirmwareStatusEnumType, LogStatusEnumType, UploadLogStatusEnumType
from ocpp16.models import FirmwareUpdate, GetLogResponse, LogRequest

WHERE = "ftp://files.example/"


class Maintained(Threaded):
    """Does everything at once, in its own world."""

    def update_firmware(self, update: FirmwareUpdate) -> None:
        self.note("update_firmware")
        for status in (FirmwareStatusEnumType.DOWNLOADING, FirmwareStatusEnumType.DOWNLOADED):
            self.charge_point.on_firmware_update_status_notification(update.request_id, status)

    def cancel_firmware_update(self, request_id: int) -> bool:
        self.note("cancel_firmware_update")
        return True

    def all_connectors_unavailable(self) -> None:
        self.note("all_connectors_unavailable")
        for status in (FirmwareStatusEnumType.INSTALLING, FirmwareStatusEnumType.INSTALLED):
            self.charge_point.on_firmware_update_status_notification(-1, status)

    def upload_diagnostics(self, request: LogRequest) -> GetLogResponse:
        self.note("upload_diagnostics")
        self.charge_point.on_log_status_notification(request.request_id, UploadLogStatusEnumType.UPLOADED)
        return GetLogResponse(LogStatusEnumType.ACCEPTED, "x.tar.gz")


class AwaitedMaintained(Awaited):  # type: ignore[misc]
    """The same, for a host with a loop."""

    async def update_firmware(self, update: FirmwareUpdate) -> None:
        Maintained.update_firmware(self, update)

    async def cancel_firmware_update(self, request_id: int) -> bool:
        return Maintained.cancel_firmware_update(self, request_id)

    async def all_connectors_unavailable(self) -> None:
        Maintained.all_connectors_unavailable(self)

    async def upload_diagnostics(self, request: LogRequest) -> GetLogResponse:
        return Maintained.upload_diagnostics(self, request)


def test_an_update_and_an_upload(face: Face, server: Server) -> None:
    station = Maintained() if face.name == "threads" else AwaitedMaintained()

    async def scenario() -> None:
        async with face.one(server.config(), station) as charge_point:
            await done(charge_point.start())
            await done(charge_point.wait_registered())
            update = {"location": WHERE, "retrieveDate": "2020-01-01T00:00:00Z"}
            assert await face.elsewhere(server.call, "UpdateFirmware", update) == {}
            answer = await face.elsewhere(server.call, "GetDiagnostics", {"location": WHERE})
            assert answer == {"fileName": "x.tar.gz"}
            await face.until(lambda: server.actions().count("FirmwareStatusNotification") == 4)
            await face.until(lambda: "DiagnosticsStatusNotification" in server.actions())
            await done(charge_point.wait_all_answered())
            assert charge_point.for_station.maintenance() == {"firmware": None, "diagnostics": None, "log": None}

    face.run(scenario)
    told = [call.payload["status"] for call in server.system.calls("FirmwareStatusNotification")]
    assert told == ["Downloading", "Downloaded", "Installing", "Installed"]
    asked = {name for name, _ in station.asked}
    assert asked >= {"update_firmware", "all_connectors_unavailable", "upload_diagnostics", "disable_evse"}
