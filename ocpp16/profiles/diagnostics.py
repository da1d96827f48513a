"""GetDiagnostics and DiagnosticsStatusNotification (OCPP 1.6 ed. 2 §5.9, §4.4); the upload itself is `upload`."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from ocpp16 import messages
from ocpp16.enums import DiagnosticsStatus, ErrorCode, MessageTrigger
from ocpp16.enums import UploadLogStatusEnumType as Status
from ocpp16.errors import Refusal
from ocpp16.models import UNSIGNED, LogRequest
from ocpp16.profiles.base import Context, FeatureProfile, Reply, Stored, hears, on, triggered
from ocpp16.profiles.transfer_request import attempts, time_of_any
from ocpp16.profiles.upload import Upload, UploadKind
from ocpp16.state.signals import Connected, RegistrationChanged, Signal
from ocpp16.station import FirmwareStation
from ocpp16.store.tables.jobs import ROWS

_WORDS = {
    Status.IDLE: DiagnosticsStatus.IDLE,
    Status.UPLOADING: DiagnosticsStatus.UPLOADING,
    Status.UPLOADED: DiagnosticsStatus.UPLOADED,
}
"""Whatever else a log has, diagnostics have only one word for a failure (§7.24)."""


def _word(status: Status) -> str:
    return str(_WORDS.get(status, DiagnosticsStatus.UPLOAD_FAILED))


_KIND = UploadKind("diagnostics", "DiagnosticsStatusNotification", _word, lambda number: {})


class Diagnostics(FeatureProfile):
    __slots__ = ("_upload",)

    name = "FirmwareManagement"
    protocol: ClassVar[type | None] = FirmwareStation

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._upload: Upload | None = None

    @property
    def upload(self) -> Upload:
        """Made with the first request, or row: most charge points never have any."""
        if self._upload is None:
            self._upload = Upload(self.ctx, _KIND, self._upload_diagnostics)
        return self._upload

    async def _upload_diagnostics(self, request: LogRequest) -> Any:
        return await self.ctx.station.host.upload_diagnostics(request)

    def restore(self, stored: Stored) -> None:
        if stored.has(ROWS):
            self.upload.restore(stored)

    def start(self) -> None:
        if self._upload is not None:
            self._upload.start()

    @on("GetDiagnostics")
    async def get_diagnostics(
        self, request: "messages.GetDiagnosticsRequest"
    ) -> "Reply[messages.GetDiagnosticsResponse]":
        """Its answer has no status: without a file name there is nothing to upload."""
        if not request["location"]:
            raise Refusal(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, "location is empty")
        retries, retry_interval = attempts(request.get("retries"), request.get("retryInterval"))
        response = await self.upload.take(
            LogRequest(
                UNSIGNED,
                request["location"],
                retries=retries,
                retry_interval=retry_interval,
                oldest=time_of_any(request.get("startTime")),
                latest=time_of_any(request.get("stopTime")),
            )
        )
        return Reply({} if response.filename is None else {"fileName": response.filename}, then=self.upload.begin)

    @hears(Connected, RegistrationChanged)
    def _may_tell(self, signal: Signal) -> None:
        if self._upload is not None:
            self._upload.may_tell()

    @triggered(MessageTrigger.DIAGNOSTICS_STATUS_NOTIFICATION)
    def _triggered(self, connector_ids: Sequence[int]) -> Callable[[], None]:
        return self.upload.report
