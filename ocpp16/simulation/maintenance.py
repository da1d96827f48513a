"""Firmware and files of the simulated station: what `ocpp16.station.FirmwareStation` and `SecurityStation` leave to it.

One task for each kind of work, which ends when the charge point stops; a start asks for it again, with what was told
last, and it goes on from there. A newer request takes the place of the task. Steps are `transfer_step` seconds apart,
attempts the interval that the Central System asks for.
"""

import re
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

import trio

from ocpp16.enums import BootReason, LogEnumType, LogStatusEnumType, ResetType
from ocpp16.enums import FirmwareStatusEnumType as Status
from ocpp16.enums import UploadLogStatusEnumType as Upload
from ocpp16.errors import ChargePointStopped
from ocpp16.faults import obey, sentence
from ocpp16.models import FirmwareUpdate, GetLogResponse, LogRequest
from ocpp16.simulation.diagnostics import pack
from ocpp16.simulation.options import StationOptions
from ocpp16.simulation.transfer import Transfer
from ocpp16.transfer import TransferError, TransferFailure

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint
    from ocpp16.charge_point.station_door import StationDoor

_INSTALLS = frozenset({Status.INSTALLING, Status.INSTALL_REBOOTING})
_IS_THERE = frozenset({Status.DOWNLOADED, Status.SIGNATURE_VERIFIED, Status.INSTALL_SCHEDULED})
_IS_VERIFIED = frozenset({Status.SIGNATURE_VERIFIED, Status.INSTALL_SCHEDULED})
_TOLD_OF_A_LOG = {
    TransferFailure.AUTHENTICATION: Upload.PERMISSION_DENIED,
    TransferFailure.REFUSED: Upload.PERMISSION_DENIED,
    TransferFailure.UNSUPPORTED_SCHEME: Upload.NOT_SUPPORTED_OPERATION,
    TransferFailure.MISSING_LIBRARY: Upload.NOT_SUPPORTED_OPERATION,
    TransferFailure.BAD_URL: Upload.BAD_MESSAGE,
    TransferFailure.PROTOCOL: Upload.BAD_MESSAGE,
}
"""What LogStatusNotification has a word of its own for; all else is an UploadFailure (security white paper ed. 3)."""
DEFAULT_INTERVAL = 60
"""Seconds between attempts where the Central System names none."""
MOST_ATTEMPTS = 1000
"""Whatever it asks for."""


class Workplace(Protocol):
    """What the station is to those who work on it."""

    charge_point: "ChargePoint"
    door: "StationDoor"
    options: StationOptions
    logs: Path | None

    def reboot(self, kind: ResetType, reason: BootReason) -> None: ...


class Maintenance:
    """Made with the first request: most stations of a fleet never have one."""

    __slots__ = ("_go_ahead", "_installs", "_station", "_tasks", "_transfer")

    def __init__(self, station: Workplace, transfer: Transfer) -> None:
        self._station = station
        self._transfer = transfer
        self._tasks: dict[str, trio.CancelScope] = {}
        self._go_ahead = trio.Event()
        self._installs = False

    # Firmware

    def update_firmware(self, update: FirmwareUpdate) -> None:
        self._go_ahead, self._installs = trio.Event(), update.status in _INSTALLS
        self._begin("firmware", partial(self._update, update, self._go_ahead))

    def cancel_firmware_update(self) -> bool:
        """False: it is being installed."""
        if self._installs:
            return False
        self._end("firmware")
        return True

    def go_ahead(self) -> None:
        """No connector is in service."""
        self._go_ahead.set()

    async def _update(self, update: FirmwareUpdate, go_ahead: trio.Event) -> None:
        tell = partial(self._station.charge_point.on_firmware_update_status_notification, update.request_id)
        if update.status not in _INSTALLS:
            if not await self._fetched(update, tell):
                return
            await go_ahead.wait()
            self._installs = True
            tell(Status.INSTALLING)
        await self._pause()
        tell(Status.INSTALLED)
        self._installs = False
        if update.is_signed:
            self._station.reboot(ResetType.SOFT, BootReason.FIRMWARE_UPDATE)

    async def _fetched(self, update: FirmwareUpdate, tell: Callable[[Status], None]) -> bool:
        """Bring the file here and prove it, as far as that was not done before."""
        is_there = update.status in _IS_THERE
        if update.status in _IS_VERIFIED or (is_there and not update.is_signed):
            return True
        if not is_there:
            tell(Status.DOWNLOADING)
        try:
            # What a start before this one fetched went with it, and is fetched again before it is proved.
            with TemporaryDirectory(prefix="ocpp16-") as folder:
                path = Path(folder) / "firmware"
                error = await self._attempts(lambda _: self._transfer.download(update.location, path), update)
                if error is not None:
                    tell(Status.DOWNLOAD_FAILED)
                    return False
                if not is_there:
                    await self._pause()
                    tell(Status.DOWNLOADED)
                return not update.is_signed or await self._proved(path, update, tell)
        except OSError as error:
            self._no_room("firmware", error)
            tell(Status.DOWNLOAD_FAILED)
            return False

    async def _proved(self, path: Path, update: FirmwareUpdate, tell: Callable[[Status], None]) -> bool:
        await self._pause()
        is_right = await self._transfer.verify(path, update.signing_certificate or "", update.signature or "")
        tell(Status.SIGNATURE_VERIFIED if is_right else Status.INVALID_SIGNATURE)
        return is_right

    # Files

    def upload(self, kind: str, request: LogRequest) -> GetLogResponse:
        """Pack the diagnostics, and take them there. `kind`: of one there is one upload at a time."""
        name = self._file_name(request.log_type)
        self._begin(kind, partial(self._upload, request, name))
        return GetLogResponse(LogStatusEnumType.ACCEPTED, name)

    def _file_name(self, log_type: LogEnumType) -> str:
        clock = self._station.door.clock
        identity = re.sub(
            r"[^A-Za-z0-9_.-]+", "_", self._station.charge_point.configuration.text("ChargePointId") or ""
        )
        what = "security" if log_type is LogEnumType.SECURITY_LOG else "diagnostics"
        return f"{identity[:64]}-{what}-{clock.now_datetime():%Y%m%dT%H%M%S}.tar.gz"

    async def _upload(self, request: LogRequest, name: str) -> None:
        tell = partial(self._station.charge_point.on_log_status_notification, request.request_id)
        tell(Upload.UPLOADING)
        error = await self._sent(request, name)
        await self._pause()
        tell(Upload.UPLOADED if error is None else _told_of(error))

    async def _sent(self, request: LogRequest, name: str) -> BaseException | None:
        """Returns why not."""
        try:
            with TemporaryDirectory(prefix="ocpp16-") as folder:
                path = Path(folder) / name
                await pack(path, self._station.charge_point, self._station.logs)
                upload = partial(self._transfer.upload, path, request.location)
                return await self._attempts(lambda number: upload(is_resumed=number > 0), request)
        except OSError as error:
            self._no_room("upload", error)
            return error

    def _no_room(self, kind: str, error: OSError) -> None:
        self._station.door.log.warning("%s: no place for it here: %s", kind, sentence(error))

    # Tasks

    async def _attempts(
        self, attempt: Callable[[int], Awaitable[None]], wanted: FirmwareUpdate | LogRequest
    ) -> BaseException | None:
        """Once, and once more for each of the retries while it fails; it is told which it is, from 0 on. Returns
        what the last one failed of."""
        failure: BaseException | None = None
        interval = DEFAULT_INTERVAL if wanted.retry_interval is None else wanted.retry_interval
        for number in range(1 + min(wanted.retries or 0, MOST_ATTEMPTS)):
            if number:
                await self._wait(interval)
            try:
                await attempt(number)
            except BaseException as error:
                obey(error)
                self._station.door.log.warning("a transfer failed (attempt %d): %s", number + 1, sentence(error))
                failure = error
            else:
                return None
        return failure

    async def _pause(self) -> None:
        await self._wait(self._station.options.transfer_step)

    @staticmethod
    async def _wait(seconds: float) -> None:
        with trio.move_on_after(seconds):
            await trio.sleep_forever()

    def _begin(self, kind: str, work: Callable[[], Awaitable[None]]) -> None:
        """In the place of what runs of this kind."""
        self._end(kind)
        scope = self._tasks[kind] = trio.CancelScope()
        self._station.door.spawn(self._run, kind, scope, work)

    def _end(self, kind: str) -> None:
        scope = self._tasks.pop(kind, None)
        if scope is not None:
            scope.cancel()

    async def _run(self, kind: str, scope: trio.CancelScope, work: Callable[[], Awaitable[Any]]) -> None:
        try:
            with scope:
                await work()
        except (ChargePointStopped, ValueError) as error:  # another one was told meanwhile
            self._station.door.log.warning("%s: %s", kind, sentence(error))
        finally:
            if self._tasks.get(kind) is scope:
                del self._tasks[kind]


def _told_of(error: BaseException) -> Upload:
    failure = error.failure if isinstance(error, TransferError) else TransferFailure.FAULT
    return _TOLD_OF_A_LOG.get(failure, Upload.UPLOAD_FAILURE)
