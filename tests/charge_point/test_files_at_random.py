"""Updates of the firmware and uploads over random stories, beside a small model of what the Central System is told.

- A status is told when it fits, once, and in its order; offline the last one later; nothing of what was replaced.
- Connectors are out of service exactly as long as an update holds them; the go-ahead comes once in a start.
- What is triggered is the present status, Idle without a request id where there is none.
- Whatever was left at the end can be ended, and leaves no row.
"""

from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest
import trio
from files_model import ACTIONS, INSTALLING, NEVER, PAST, QUESTIONS, FilesModel, Update
from random_story import Disk
from workshop import REQUEST, Workshop

from ocpp16.charge_point.assembly import Features
from ocpp16.enums import FirmwareStatusEnumType as Status
from ocpp16.enums import LogStatusEnumType, Reason
from ocpp16.enums import UploadLogStatusEnumType as Sent
from ocpp16.errors import CallFailed
from ocpp16.models import UNSIGNED, GetLogResponse
from ocpp16.security.evse_security import CertificateValidationResult
from ocpp16.store.tables.jobs import TABLE


class Keeper:
    verdict: Any = CertificateValidationResult.VALID

    async def verify_certificate(self, certificate_chain: str, leaf_types: Any) -> Any:
        return self.verdict


class Story(FilesModel):
    def __init__(self, seed: int, open_bench: Any, document: Any, keeper: Keeper) -> None:
        super().__init__()
        self.random = Random(seed)
        self.open_bench, self.document, self.keeper = open_bench, document, keeper
        self.steps: list[str] = []
        self.faults = 0
        self.sessions = 0
        self.raises: dict[str, bool] = {}
        self.bench: Any

    # The station

    def script(self, question: str, good: Any) -> bool:
        """How it answers next; does it do it?"""
        station, kind = self.bench.station, self.random.choice(["good"] * 5 + ["raises", "blocks", "nonsense"])
        station.delays.pop(question, None)
        station.answers[question] = good
        if kind == "raises":
            station.answers[question] = RuntimeError("no")
        elif kind == "blocks":
            station.delays[question] = 1000
        elif kind == "nonsense":
            station.answers[question] = self.random.choice([object(), "perhaps", 3.5, b"", {}])
        self.note(f"{question}: {kind}")
        self.raises[question] = kind == "raises" or (kind == "nonsense" and question != "update_firmware")
        return kind == "good" or (kind == "nonsense" and question == "update_firmware")

    def blocks(self, question: str) -> bool:
        return question in self.bench.station.delays

    def note(self, *what: Any) -> None:
        self.steps[-1] += " " + " ".join(map(str, what))

    async def call(self, action: str, payload: dict[str, Any]) -> Any:
        try:
            return await self.bench.csms.call("cp001", action, payload)
        except CallFailed as error:
            return str(error.code)

    # Steps

    async def ask_update(self) -> None:
        if not self.is_online:
            return
        random, earlier = self.random, self.update
        signed = random.random() < 0.5
        number = random.choice([5, 6]) if signed else UNSIGNED
        retrieve, install = random.choice([PAST, PAST, NEVER]), random.choice([PAST, NEVER]) if signed else PAST
        begins = self.script("update_firmware", None)
        gives_up = self.script("cancel_firmware_update", True)
        takes = self.script("signed_update_firmware", "Accepted") if signed else True
        valid = not signed or random.random() < 0.8
        self.keeper.verdict = (
            CertificateValidationResult.VALID
            if valid
            else random.choice(
                [CertificateValidationResult.EXPIRED, CertificateValidationResult.UNKNOWN, "nonsense", None]
            )
        )
        self.note(number, retrieve, install, valid)
        self.faults += not isinstance(self.keeper.verdict, CertificateValidationResult)
        if signed:
            firmware = {
                "location": "https://files.example/f", "retrieveDateTime": retrieve, "installDateTime": install,
                "signingCertificate": "PEM", "signature": "c2ln",
            }  # fmt: skip
            answer = await self.call("SignedUpdateFirmware", {"requestId": number, "firmware": firmware})
        else:
            answer = await self.call("UpdateFirmware", {**REQUEST, "retrieveDate": retrieve})
        is_begun = earlier is not None and earlier.rank > 0
        is_late = signed and not takes and self.bench.station.delays.get("signed_update_firmware")
        taken = valid and takes and not is_late and (not is_begun or gives_up)
        if not signed:
            assert answer == ({} if taken else "GenericError")
        elif not valid:
            assert answer == {"status": "InvalidCertificate"}
        else:
            good = "AcceptedCanceled" if earlier is not None else "Accepted"
            assert answer == {"status": good if taken else "Rejected"}
        if valid and signed:
            self.faults += self.raises["signed_update_firmware"]
        if valid and takes and is_begun:
            self.faults += self.raises["cancel_firmware_update"]
        if not taken:
            return
        self.waiting["firmware"] = None
        self.update = update = Update(number, asked=True, install=install)
        if retrieve == NEVER:
            if signed:
                self.advance(update, Status.DOWNLOAD_SCHEDULED, 0)
            return
        update.rank = 1
        await self.begins_it(begins)

    async def begins_it(self, begins: bool) -> None:
        await trio.sleep(6)  # StationTimeout
        self.faults += self.raises["update_firmware"]
        if not begins:
            self.fails()

    async def report(self) -> None:
        for _ in range(self.random.choice([1, 1, 4])):
            self.report_one()
            await trio.sleep(self.random.choice([0, 0.2]))

    def report_one(self) -> None:
        random, update = self.random, self.update
        number = random.choice([UNSIGNED, 5, 6]) if update is None or random.random() < 0.2 else update.number
        status = random.choice([*Status])
        if update is not None and random.random() < 0.5:
            status = random.choice([*Status][1:])
        self.note(number, status)
        is_right = True
        if status is Status.IDLE or (update is not None and update.number != number):
            is_right = False
        elif (self.ends["firmware"] if update is None else (number, update.status)) != (number, status):
            found = update or Update(number, asked=False)
            rank = found.after(status)
            is_right = rank is not None
            if rank is not None:
                self.update = found
                self.advance(found, status, rank)
        self.told(is_right, self.bench.charge_point.on_firmware_update_status_notification, number, status)

    def told(self, is_right: bool, tell: Callable[[int, Any], None], number: int, status: Any) -> None:
        if is_right:
            tell(number, status)
            return
        with pytest.raises(ValueError, match=r"status|request_id"):
            tell(number, status)

    async def ask_upload(self) -> None:
        if not self.is_online:
            return
        kind = self.random.choice(list(ACTIONS))
        number = UNSIGNED if kind == "diagnostics" else self.random.choice([5, 6])
        accepted = self.random.choice([LogStatusEnumType.ACCEPTED, LogStatusEnumType.ACCEPTED_CANCELED])
        takes = self.script(QUESTIONS[kind], GetLogResponse(accepted, "f.tar.gz"))
        self.note(kind, number)
        if kind == "diagnostics":
            answer = await self.call("GetDiagnostics", {"location": "ftp://files.example/"})
            assert answer == ({"fileName": "f.tar.gz"} if takes else {})
        else:
            log = {"remoteLocation": "ftp://files.example/"}
            request = {
                "requestId": number,
                "logType": self.random.choice(["SecurityLog", "DiagnosticsLog"]),
                "log": log,
            }
            answer = await self.call("GetLog", request)
            good = "Accepted" if self.uploads[kind] is None else "AcceptedCanceled"
            assert answer == ({"status": good, "filename": "f.tar.gz"} if takes else {"status": "Rejected"})
        self.faults += self.raises[QUESTIONS[kind]]
        if takes:
            self.uploads[kind], self.waiting[kind] = [number, None, True], None

    async def report_upload(self) -> None:
        kind = self.random.choice(list(ACTIONS))
        number = UNSIGNED if kind == "diagnostics" else self.random.choice([5, 6])
        status = self.random.choice([*Sent, Sent.UPLOADING, Sent.UPLOADING])
        self.note(number, status)
        is_right = self.reported_upload(kind, number, status)
        self.told(is_right, self.bench.charge_point.on_log_status_notification, number, status)

    async def trigger(self) -> None:
        if not self.is_online:
            return
        await trio.sleep(0.5)
        self.compare()
        what = self.random.choice(["firmware", "signed", "diagnostics", "log"])
        name = {"diagnostics": ACTIONS["diagnostics"], "log": ACTIONS["log"]}.get(what, "FirmwareStatusNotification")
        action = "ExtendedTriggerMessage" if what in ("signed", "log") else "TriggerMessage"
        self.note(what)
        assert await self.call(action, {"requestedMessage": name}) == {"status": "Accepted"}
        self.triggered(what)

    async def charge(self) -> None:
        point, number = self.bench.charge_point, self.random.choice([1, 2])
        transaction = point.transaction(number)
        if transaction is not None:
            point.on_transaction_stopped(number, transaction.session_id, Reason.LOCAL, 2000)
            point.on_session_stopped(number, transaction.session_id)
        elif point.connector_status(number).status == "Available":
            self.sessions += 1
            self.bench.begin(number, f"s{self.sessions}")

    async def availability(self) -> None:
        if self.is_online:
            number, kind = self.random.choice([1, 2]), self.random.choice(["Operative", "Inoperative"])
            self.note(number, kind)
            answer = await self.call("ChangeAvailability", {"connectorId": number, "type": kind})
            assert answer["status"] in ("Accepted", "Scheduled")
            self.commanded[number] = kind

    async def network(self) -> None:
        connection = self.bench.charge_point.connection
        await trio.sleep(0.5)
        if self.is_online:
            connection.disconnect()
            await trio.sleep(1)
            self.is_online = False
        else:
            self.is_online = True
            self.tell_waiting()
            connection.connect()
            await trio.sleep(10)

    async def restart(self) -> None:
        await trio.sleep(0.5)
        self.compare()
        begins = self.script("update_firmware", None)
        takes = {
            kind: self.script(QUESTIONS[kind], GetLogResponse(LogStatusEnumType.ACCEPTED, "f")) for kind in ACTIONS
        }
        assert await self.bench.charge_point.stop()
        self.is_online = True
        self.ends = dict.fromkeys(self.ends)
        update, uploads = self.update, dict(self.uploads)
        self.bench.station.calls.clear()
        assert await self.bench.charge_point.restart()
        for kind, job in uploads.items():
            if job is not None and not job[2]:
                self.uploads[kind] = None
            if not self.is_asked.get(kind):
                self.waiting[kind] = None
        if update is not None:
            update.goes_ahead = False
            if not update.asked and update.word == "Idle":  # it took the row of the one before it
                self.waiting["firmware"] = None
        # What fails at once is the last status before there is a connection.
        if (
            update is not None
            and update.rank > 0
            and update.asked
            and not begins
            and not self.blocks("update_firmware")
        ):
            self.waiting["firmware"] = None
        for kind in ACTIONS:
            job = uploads[kind]
            if job is not None and job[2] and not takes[kind] and not self.blocks(QUESTIONS[kind]):
                self.waiting[kind] = None
        self.tell_waiting()
        await trio.sleep(8)
        if update is not None and update.rank > 0 and update.asked:
            self.faults += self.raises["update_firmware"]
            if not begins:
                self.fails()
        for kind, job in uploads.items():
            if job is not None and job[2]:
                self.faults += self.raises[QUESTIONS[kind]]
                if not takes[kind]:
                    self.sent(kind, job[0], Sent.UPLOAD_FAILURE)

    async def pass_time(self) -> None:
        await trio.sleep(self.random.choice([0.2, 40, 4000]))

    # What must hold

    def compare(self) -> None:
        wanted = {"FirmwareStatusNotification", "SignedFirmwareStatusNotification", *ACTIONS.values()}
        calls = [(call.action, call.payload) for call in self.bench.csms.calls() if call.action in wanted]
        for action in wanted:  # the two uploads and the update wait for each other in no order
            assert [payload for name, payload in calls if name == action] == [
                payload for name, payload in self.expected if name == action
            ], action
        update, point = self.update, self.bench.charge_point
        assert point.counters.internal_errors == self.faults
        holds = update is not None and update.holds
        running = [number for number in (1, 2) if point.transaction(number) is not None]
        for number in (1, 2):
            if number not in running:
                is_out = holds or self.commanded[number] == "Inoperative"
                status = str(point.connector_status(number).status)
                assert status == ("Unavailable" if is_out else "Available"), number
        count = len(self.bench.station.asked("all_connectors_unavailable"))
        if holds and update is not None and update.rank < INSTALLING and not running and not update.goes_ahead:
            update.goes_ahead = True
            assert 1 <= count <= self.ended + 1, "the go-ahead, of each"
        elif count and update is not None and update.holds:
            assert not update.goes_ahead, "once"
            update.goes_ahead = True
        self.ended = 0
        self.bench.station.calls.clear()

    async def live(self, disk: Disk, steps: int) -> None:
        async with self.open_bench(station=Workshop(), document=self.document, store=disk) as self.bench:
            for _ in range(steps):
                (act,) = self.random.choices(list(ACTS), list(ACTS.values()))
                self.steps.append(f"{trio.current_time():.1f} {act.__name__}")
                await act(self)
                await trio.sleep(1)
                self.compare()

    async def end(self, disk: Disk) -> None:
        """The power went after one of the commits: what is found can be ended, by what it is."""
        disk.seen.clear()
        station = Workshop()
        station.answers["upload_diagnostics"] = station.answers["upload_logs"] = GetLogResponse(
            LogStatusEnumType.REJECTED
        )
        async with self.open_bench(station=station, document=self.document, store=disk) as bench:
            await trio.sleep(60)
            point = bench.charge_point
            for number in (1, 2):
                if (transaction := point.transaction(number)) is not None:
                    point.on_transaction_stopped(number, transaction.session_id, Reason.LOCAL, 2000)
                    point.on_session_stopped(number, transaction.session_id)
            left = point.for_station.maintenance()
            assert (left["diagnostics"], left["log"]) == (None, None), "the station takes none of them"
            if left["firmware"] is not None:
                point.on_firmware_update_status_notification(left["firmware"]["request_id"], "Installed")
            await trio.sleep(10)
            assert point.for_station.maintenance() == {"firmware": None, "diagnostics": None, "log": None}
            assert point.counters.internal_errors == 0
            await point.stored()
            assert disk.load("cp001", TABLE) == []
            assert all(len(bench.sent(action)) <= 1 for action in ACTIONS.values()), "told once"

    async def run(self) -> None:
        try:
            disk = Disk()
            await self.live(disk, 40)
            cut = Disk()
            cut._rows = self.random.choice(disk.seen)._rows
            self.steps.append("power cut")
            await self.end(cut)
        except BaseException:
            print(f"{len(self.steps)} steps, the latest of them:", *self.steps[-15:], sep="\n  ")
            raise


ACTS: dict[Callable[[Story], Awaitable[None]], float] = {
    Story.ask_update: 3,
    Story.report: 6,
    Story.ask_upload: 3,
    Story.report_upload: 5,
    Story.trigger: 3,
    Story.charge: 2,
    Story.availability: 1,
    Story.network: 2,
    Story.restart: 1,
    Story.pass_time: 1,
}


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch) -> Keeper:
    """Of all charge points that are opened in the test."""
    made, original = Keeper(), Features.__init__

    def with_keeper(self: Features, *arguments: Any) -> None:
        original(self, *arguments)
        self.evse_security = made  # type: ignore[assignment]

    monkeypatch.setattr(Features, "__init__", with_keeper)
    return made


@pytest.mark.parametrize("seed", range(60))
async def test_what_is_told_and_what_becomes_of_the_connectors(
    open_bench: Any, make_config: Any, keeper: Keeper, seed: int
) -> None:
    await Story(seed, open_bench, make_config(Internal__StationTimeout=5), keeper).run()
