"""How far an upload or an update is: what is told of it goes forward (OCPP 1.6 §4.4, §4.5; the security whitepaper)."""

from collections.abc import Mapping
from typing import ClassVar, Final

from ocpp16.enums import FirmwareStatusEnumType as Status
from ocpp16.lint.docket import Docket
from ocpp16.lint.exchange import Asked
from ocpp16.lint.frame import Frame
from ocpp16.lint.members import text
from ocpp16.lint.subject import OnAnswer, OnCall, Subject
from ocpp16.state.firmware import TABLE, Step, step_after

_STATUSES: Final = {str(status): status for status in Status}
_NO_UPDATE: Final = frozenset(
    {Status.IDLE, Status.DOWNLOAD_SCHEDULED, *(status for status, told in TABLE.items() if told.unsigned is Step.OVER)}
)
"""With these no update is under way: not yet, or no more."""
_AT_REST: Final = frozenset({"Idle", "Uploaded", "UploadFailed"})
UPLOADS: Final[Mapping[str, frozenset[str]]] = {
    "Idle": frozenset({*_AT_REST, "Uploading"}),
    "Uploading": frozenset({"Uploading", "Uploaded", "UploadFailed"}),
    "Uploaded": frozenset({"Uploaded", "Idle", "Uploading"}),
    "UploadFailed": frozenset({"UploadFailed", "Idle", "Uploading"}),
}
"""Status of an upload of diagnostics → those that may follow."""


class Maintenance(Subject):
    __slots__ = ("_step", "_upload")

    def __init__(self) -> None:
        self._upload: str | None = None
        self._step = Step.OVER

    def upload_asked(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        self._upload = None

    def update_asked(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        self._step = Step.OVER

    def uploading(self, docket: Docket, asked: Asked) -> None:
        status = text(asked.payload, "status")
        if status not in UPLOADS:
            return
        if self._upload is not None and status not in UPLOADS[self._upload]:
            docket.tell("upload-order", f"{status} after {self._upload}", asked.frame)
        self._upload = status

    def updating(self, docket: Docket, asked: Asked) -> None:
        name = text(asked.payload, "status")
        status = _STATUSES.get(name or "")
        if status is None:
            return
        docket.is_updating = status not in _NO_UPDATE
        if status is Status.IDLE:
            return
        step = step_after(self._step, status, is_signed=asked.action.startswith("Signed"))
        if step is None and self._step is Step.OVER:
            step = step_after(Step.SCHEDULED, status, is_signed=asked.action.startswith("Signed"))
        elif step is None:
            docket.tell("update-order", f"{name} comes after {self._step.name.lower()}", asked.frame)
        if step is not None:
            self._step = step

    def reconnected(self, docket: Docket) -> None:
        self._upload, self._step = None, Step.OVER

    ON_CALL: ClassVar[Mapping[str, OnCall]] = {
        "DiagnosticsStatusNotification": uploading,
        "FirmwareStatusNotification": updating,
        "SignedFirmwareStatusNotification": updating,
    }
    ON_RESULT: ClassVar[Mapping[str, OnAnswer]] = {
        "GetDiagnostics": upload_asked,
        "UpdateFirmware": update_asked,
        "SignedUpdateFirmware": update_asked,
    }
