"""GetLog and LogStatusNotification (security white paper ed. 3, N01); the upload itself is `upload`."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from ocpp16 import messages
from ocpp16.enums import LogEnumType
from ocpp16.models import UNSIGNED, LogRequest
from ocpp16.profiles.base import Context, FeatureProfile, Reply, Stored, hears, on, triggered
from ocpp16.profiles.transfer_request import attempts, time_of_any
from ocpp16.profiles.upload import Upload, UploadKind
from ocpp16.state.signals import Connected, RegistrationChanged, Signal
from ocpp16.station import SecurityStation
from ocpp16.store.tables.jobs import ROWS
from ocpp16.values import INT32_HIGH, INT32_LOW

_KIND = UploadKind("log", "LogStatusNotification", str, lambda number: {"requestId": number})


class LogUpload(FeatureProfile):
    __slots__ = ("_upload",)

    name = ""
    protocol: ClassVar[type | None] = SecurityStation

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._upload: Upload | None = None

    @property
    def upload(self) -> Upload:
        """Made with the first request, or row: most charge points never have any."""
        if self._upload is None:
            self._upload = Upload(self.ctx, _KIND, self._upload_logs)
        return self._upload

    async def _upload_logs(self, request: LogRequest) -> Any:
        return await self.ctx.station.host.upload_logs(request)

    def restore(self, stored: Stored) -> None:
        if stored.has(ROWS):
            self.upload.restore(stored)

    def start(self) -> None:
        if self._upload is not None:
            self._upload.start()

    @on("GetLog")
    async def get_log(self, request: "messages.GetLogRequest") -> "Reply[messages.GetLogResponse]":
        log, request_id = request["log"], request["requestId"]
        # UNSIGNED names uploads without an id, to the station; and nothing else could be told back.
        if not log["remoteLocation"] or request_id == UNSIGNED or not INT32_LOW <= request_id <= INT32_HIGH:
            return Reply({"status": "Rejected"})
        response = await self.upload.take(
            LogRequest(
                request_id,
                log["remoteLocation"],
                LogEnumType(request["logType"]),
                *attempts(request.get("retries"), request.get("retryInterval")),
                time_of_any(log.get("oldestTimestamp")),
                time_of_any(log.get("latestTimestamp")),
            )
        )
        answer: messages.GetLogResponse = {"status": str(response.status)}
        if response.filename is not None:
            answer["filename"] = response.filename
        return Reply(answer, then=self.upload.begin)

    @hears(Connected, RegistrationChanged)
    def _may_tell(self, signal: Signal) -> None:
        if self._upload is not None:
            self._upload.may_tell()

    @triggered("LogStatusNotification")
    def _triggered(self, connector_ids: Sequence[int]) -> Callable[[], None]:
        return self.upload.report
