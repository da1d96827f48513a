"""What the Central System is told of updates and uploads, as the reference has it: a small model for random stories."""

from typing import Any

from ocpp16.enums import FirmwareStatusEnumType as Status
from ocpp16.enums import UploadLogStatusEnumType as Sent
from ocpp16.models import UNSIGNED

PAST, NEVER = "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"
CLEARING, INSTALLING, OVER = 3, 4, 5
RANK = {
    Status.DOWNLOADING: 1,
    Status.DOWNLOAD_PAUSED: 1,
    Status.INSTALLING: INSTALLING,
    Status.INSTALL_REBOOTING: INSTALLING,
    Status.INSTALLED: OVER,
    Status.DOWNLOAD_FAILED: OVER,
    Status.INVALID_SIGNATURE: OVER,
    Status.INSTALL_VERIFICATION_FAILED: OVER,
    Status.INSTALLATION_FAILED: OVER,
}
OF_CORE = {
    **{str(word): str(word) for word in ("Downloading", "Downloaded", "Installing", "Installed", "DownloadFailed")},
    **dict.fromkeys(("InvalidSignature", "InstallVerificationFailed", "InstallationFailed"), "InstallationFailed"),
}
ACTIONS = {"diagnostics": "DiagnosticsStatusNotification", "log": "LogStatusNotification"}
QUESTIONS = {"diagnostics": "upload_diagnostics", "log": "upload_logs"}


class Update:
    """As the reference has it."""

    def __init__(self, number: int, *, asked: bool, install: str = PAST) -> None:
        self.number, self.asked, self.install = number, asked, install
        self.rank = 0 if asked else 1
        self.status = Status.IDLE
        self.word = "Idle"
        self.waits = False
        self.goes_ahead = False

    @property
    def is_signed(self) -> bool:
        return self.number != UNSIGNED

    @property
    def holds(self) -> bool:
        return CLEARING <= self.rank < OVER and not self.waits

    def after(self, status: Status) -> int | None:
        """The rank after a status; None: it does not fit."""
        if status is Status.DOWNLOAD_SCHEDULED:
            return self.rank if self.rank <= 1 else None
        if status is Status.INSTALL_SCHEDULED:
            return self.rank if self.rank <= CLEARING else None
        if status is Status.DOWNLOADED:
            rank = 2 if self.is_signed else CLEARING
        elif status is Status.SIGNATURE_VERIFIED:
            rank = CLEARING if self.is_signed else self.rank
        else:
            rank = RANK[status]
        if rank == CLEARING and self.waits:
            return None
        return rank if rank >= self.rank else None


class FilesModel:
    """Of one start after the other. `expected` is what was to be told, by action."""

    def __init__(self) -> None:
        self.begins()

    def begins(self) -> None:
        self.update: Update | None = None
        self.uploads: dict[str, list[Any] | None] = {"diagnostics": None, "log": None}
        self.ends: dict[str, tuple[int, Any] | None] = {"firmware": None, "diagnostics": None, "log": None}
        self.waiting: dict[str, tuple[str, dict[str, Any]] | None] = dict.fromkeys(self.ends)
        self.is_asked: dict[str, bool] = {}
        """Was the upload asked for of which something waits to be told? What nobody asked for ends with its start."""
        self.owed: dict[str, bool] = {}
        """Is what waits the end of something that was asked for?"""
        self.kept: list[tuple[str, dict[str, Any]]] = []
        """Such ends, which other work followed before they could be told."""
        self.expected: list[tuple[str, dict[str, Any]]] = []
        self.commanded = {1: "Operative", 2: "Operative"}
        self.is_online = True
        self.ended = 0
        """Updates, since the last look."""

    def tell(self, what: str, action: str, payload: dict[str, Any], *, owed: bool) -> None:
        """`owed`: it is the end of something that was asked for."""
        waiting, self.waiting[what] = self.waiting[what], None
        if waiting is not None and self.owed.get(what):
            self.kept.append(waiting)
        self.owed[what] = owed
        if self.is_online:
            self.expected.append((action, payload))
        else:
            self.waiting[what] = action, payload

    def advance(self, update: Update, status: Status, rank: int) -> None:
        is_new = rank != update.rank
        update.status, update.rank = status, rank
        waits = is_new and rank == CLEARING and update.install == NEVER
        update.waits = waits if is_new else update.waits
        word = str(status) if update.is_signed else OF_CORE.get(str(status))
        if word is not None:
            update.word = word
            self.tell("firmware", *self.notification(update), owed=update.asked and rank == OVER)
        if waits:
            self.advance(update, Status.INSTALL_SCHEDULED, rank)
        if rank == OVER:
            self.ends["firmware"] = update.number, status
            self.ended += 1
            self.update = None

    def notification(self, update: Update) -> tuple[str, dict[str, Any]]:
        if not update.is_signed:
            return "FirmwareStatusNotification", {"status": update.word}
        return "SignedFirmwareStatusNotification", {"status": update.word, "requestId": update.number}

    def fails(self) -> None:
        """The station cannot go on."""
        update = self.update
        assert update is not None
        before = update.rank < 2
        self.advance(update, Status.DOWNLOAD_FAILED if before else Status.INSTALLATION_FAILED, OVER)

    def sent(self, kind: str, number: int, status: Sent) -> None:
        """An upload is so far."""
        word = str(status)
        if kind == "diagnostics" and status not in (Sent.UPLOADING, Sent.UPLOADED):
            word = "UploadFailed"
        payload = {"status": word} if kind == "diagnostics" else {"status": word, "requestId": number}
        job = self.uploads[kind]
        is_asked = job is not None and job[2]
        self.tell(kind, ACTIONS[kind], payload, owed=is_asked and status is not Sent.UPLOADING)
        self.is_asked[kind] = is_asked
        if status is not Sent.UPLOADING:
            self.uploads[kind], self.ends[kind] = None, (number, status)

    def tell_waiting(self) -> None:
        self.expected += self.kept
        self.kept.clear()
        for what, waiting in self.waiting.items():
            if waiting is not None:
                self.waiting[what] = None
                self.expected.append(waiting)

    def reported_upload(self, kind: str, number: int, status: Sent) -> bool:
        """What the station tells; does it fit?"""
        job = self.uploads[kind]
        if status is Sent.IDLE or (job is not None and job[0] != number):
            return False
        if self.ends[kind] == (number, status) if job is None else job[1] is status:
            return True
        if job is None:
            self.uploads[kind] = job = [number, None, False]
        job[1] = status
        self.sent(kind, number, status)
        return True

    def triggered(self, what: str) -> None:
        if what in ACTIONS:
            job = self.uploads[what]
            if job is None or job[1] is not Sent.UPLOADING:
                self.expected.append((ACTIONS[what], {"status": "Idle"}))
            else:
                self.sent(what, job[0], Sent.UPLOADING)
        elif self.update is None or self.update.is_signed != (what == "signed") or self.update.word == "Idle":
            action = "SignedFirmwareStatusNotification" if what == "signed" else "FirmwareStatusNotification"
            self.expected.append((action, {"status": "Idle"}))
        else:
            self.expected.append(self.notification(self.update))
