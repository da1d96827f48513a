"""GetDiagnostics and GetLog: what the station is asked, what is answered, and what is told of the upload."""

from typing import Any

import pytest
import trio

from ocpp16.enums import LogEnumType, LogStatusEnumType
from ocpp16.errors import CallFailed, FeatureNotBuilt
from ocpp16.models import UNSIGNED, GetLogResponse, LogRequest
from ocpp16.state.clock import to_datetime
from ocpp16.store.tables import jobs
from ocpp16.testing.central_system import START
from ocpp16.testing.misbehaviour import Fault
from ocpp16.testing.recording import Direction
from ocpp16.testing.stations import RecordingStation, UpdatableStation

LOCATION = "sftp://user:p4ssw0rd@files.example/logs/"
TIMES = ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z")


class Kind:
    """One of the two, as a test asks for it and hears of it."""

    def __init__(self, action: str, question: str, notification: str, number: int, failure: str) -> None:
        self.action = action
        self.question = question
        self.notification = notification
        self.number = number
        self.failure = failure

    def request(self, number: int | None = None) -> dict[str, Any]:
        if self.action == "GetDiagnostics":
            return {"location": LOCATION, "retries": 1, "startTime": TIMES[0], "stopTime": TIMES[1]}
        log = {"remoteLocation": LOCATION, "oldestTimestamp": TIMES[0], "latestTimestamp": TIMES[1]}
        return {"requestId": number or self.number, "logType": "SecurityLog", "log": log, "retries": 1}

    def asked(self, number: int | None = None) -> LogRequest:
        log_type = LogEnumType.SECURITY_LOG if self.action == "GetLog" else LogEnumType.DIAGNOSTICS_LOG
        oldest, latest = to_datetime(START), to_datetime(START + 3_600_000_000)
        return LogRequest(number or self.number, LOCATION, log_type, 1, None, oldest, latest)

    async def ask(self, bench: Any, number: int | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = await bench.call(self.action, self.request(number))
        await trio.sleep(0.1)
        return answer

    async def tell(self, bench: Any, *words: str, number: int | None = None) -> None:
        for status in words:
            bench.charge_point.on_log_status_notification(number or self.number, status)
            await trio.sleep(0.1)

    def told(self, bench: Any) -> list[Any]:
        payloads = bench.sent(self.notification)
        if self.action == "GetDiagnostics":
            assert all(payload.keys() == {"status"} for payload in payloads)
        return [payload["status"] for payload in payloads]


DIAGNOSTICS = Kind("GetDiagnostics", "upload_diagnostics", "DiagnosticsStatusNotification", UNSIGNED, "UploadFailed")
LOG = Kind("GetLog", "upload_logs", "LogStatusNotification", 5, "UploadFailure")


@pytest.fixture(params=[DIAGNOSTICS, LOG], ids=lambda kind: str(kind.action))
def kind(request: pytest.FixtureRequest) -> Kind:
    made: Kind = request.param
    return made


async def test_from_request_to_uploaded(open_bench: Any, kind: Kind) -> None:
    async with open_bench(station=UpdatableStation()) as bench:
        answer = await kind.ask(bench)
        if kind is LOG:
            assert answer == {"status": "Accepted", "filename": "log.tar.gz"}
        else:
            assert answer == {"fileName": "diagnostics.tar.gz"}
        assert bench.station.asked(kind.question) == [(kind.asked(),)]
        await kind.tell(bench, "Uploading", "Uploading", "Uploaded", "Uploaded")
        assert kind.told(bench) == ["Uploading", "Uploaded"]
        if kind is LOG:
            assert {payload["requestId"] for payload in bench.sent(kind.notification)} == {5}


@pytest.mark.parametrize(
    "answer",
    [
        GetLogResponse(LogStatusEnumType.REJECTED),
        "Accepted",
        None,
        RuntimeError("no"),
        "hangs",
    ],
)
async def test_what_is_rejected_or_no_answer(open_bench: Any, make_config: Any, kind: Kind, answer: Any) -> None:
    async with open_bench(station=UpdatableStation(), document=make_config(Internal__StationTimeout=5)) as bench:
        if answer == "hangs":
            bench.station.delays[kind.question] = 1000
        else:
            bench.station.answers[kind.question] = answer
        assert await kind.ask(bench) == ({"status": "Rejected"} if kind is LOG else {})
        await trio.sleep(1)
        assert kind.told(bench) == []


class Hasty(UpdatableStation):
    """Tells all before it answers."""

    charge_point: Any = None
    tells: tuple[str, ...] = ("Uploading", "Uploaded")
    says = GetLogResponse(LogStatusEnumType.ACCEPTED)

    def attach(self, charge_point: Any) -> None:
        self.charge_point = charge_point

    async def upload_diagnostics(self, request: LogRequest) -> Any:
        for status in self.tells:
            self.charge_point.on_log_status_notification(request.request_id, status)
        await trio.sleep(1)
        return self.says

    upload_logs = upload_diagnostics


async def test_what_it_tells_before_the_answer_follows_it(open_bench: Any, kind: Kind) -> None:
    async with open_bench(station=Hasty()) as bench:
        assert await kind.ask(bench) == ({"status": "Accepted"} if kind is LOG else {})
        assert kind.told(bench) == ["Uploading", "Uploaded"]
        frames = [record.text for record in bench.csms.traffic if record.direction is Direction.RECEIVED]
        (answered,) = (place for place, text in enumerate(frames) if text.startswith("[3"))
        assert kind.notification not in "".join(frames[:answered])


@pytest.mark.parametrize("word", ["BadMessage", "NotSupportedOperation", "PermissionDenied", "UploadFailure"])
async def test_failures_have_the_words_of_their_message(open_bench: Any, kind: Kind, word: str) -> None:
    async with open_bench(station=UpdatableStation()) as bench:
        await kind.ask(bench)
        await kind.tell(bench, "Uploading", word)
        assert kind.told(bench)[-1] == (word if kind is LOG else "UploadFailed")
        await kind.ask(bench)
        await kind.tell(bench, "UploadFailed")
        assert kind.told(bench)[-1] == kind.failure


async def test_a_newer_request_takes_the_place_of_one_that_runs(open_bench: Any) -> None:
    async with open_bench(station=UpdatableStation()) as bench:
        await LOG.ask(bench)
        await LOG.tell(bench, "Uploading")
        assert (await LOG.ask(bench, 6))["status"] == "AcceptedCanceled"
        with pytest.raises(ValueError, match="request_id"):
            await LOG.tell(bench, "Uploaded")
        await LOG.tell(bench, "Uploading", "Uploaded", number=6)
        assert [payload["requestId"] for payload in bench.sent("LogStatusNotification")] == [5, 6, 6]
        assert (await LOG.ask(bench, 7))["status"] == "Accepted"


async def test_one_that_is_rejected_leaves_the_older_one_alone(open_bench: Any) -> None:
    async with open_bench(station=UpdatableStation()) as bench:
        await LOG.ask(bench)
        bench.station.answers["upload_logs"] = GetLogResponse(LogStatusEnumType.REJECTED)
        assert await LOG.ask(bench, 6) == {"status": "Rejected"}
        await LOG.tell(bench, "Uploaded")
        assert LOG.told(bench) == ["Uploaded"]


async def test_what_it_tells_of_one_that_it_then_rejects_is_not_told_of_the_older_one(open_bench: Any) -> None:
    async with open_bench(station=Hasty()) as bench:
        bench.station.tells = ("Uploading",)
        await LOG.ask(bench)
        bench.station.tells = ("Uploading", "Uploaded")
        bench.station.says = GetLogResponse(LogStatusEnumType.REJECTED)
        assert await LOG.ask(bench, 6) == {"status": "Rejected"}
        await LOG.tell(bench, "Uploaded")
        told = [(payload["requestId"], payload["status"]) for payload in bench.sent("LogStatusNotification")]
        assert told == [(5, "Uploading"), (5, "Uploaded")]
        assert bench.charge_point.counters.internal_errors == 0


async def test_what_it_tells_of_one_that_it_then_rejects_is_told_as_its_own(open_bench: Any, kind: Kind) -> None:
    async with open_bench(station=Hasty()) as bench:
        bench.station.says = GetLogResponse(LogStatusEnumType.REJECTED)
        await kind.ask(bench)
        assert kind.told(bench) == ["Uploading", "Uploaded"]
        assert bench.charge_point.counters.internal_errors == 0


async def test_one_that_ended_is_not_cancelled_though_nobody_was_told_yet(open_bench: Any) -> None:
    async with open_bench(station=UpdatableStation()) as bench:
        await LOG.ask(bench)
        bench.csms.misbehave(Fault.DROP, "LogStatusNotification")
        await LOG.tell(bench, "Uploaded")
        assert (await LOG.ask(bench, 6))["status"] == "Accepted"


async def test_two_requests_at_once_are_asked_one_after_the_other(open_bench: Any) -> None:
    """What is told of the one that runs is told at once, whatever is asked meanwhile."""
    async with open_bench(station=UpdatableStation()) as bench:
        bench.station.delays["upload_logs"] = 5
        answers: list[str] = []

        async def ask(number: int) -> None:
            answers.append((await LOG.ask(bench, number))["status"])

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, 5)
            await trio.sleep(1)
            nursery.start_soon(ask, 6)
            await trio.sleep(3)
            assert [request.request_id for (request,) in bench.station.asked("upload_logs")] == [5]
            await trio.sleep(3)
            assert [request.request_id for (request,) in bench.station.asked("upload_logs")] == [5, 6]
            await LOG.tell(bench, "Uploading")
            assert [payload["requestId"] for payload in bench.sent("LogStatusNotification")] == [5]
        assert answers == ["Accepted", "AcceptedCanceled"]


async def test_the_two_know_nothing_of_each_other(open_bench: Any) -> None:
    async with open_bench(station=UpdatableStation()) as bench:
        await DIAGNOSTICS.ask(bench)
        await DIAGNOSTICS.tell(bench, "Uploading")
        assert (await LOG.ask(bench))["status"] == "Accepted"
        await LOG.tell(bench, "Uploading", "PermissionDenied")
        await DIAGNOSTICS.tell(bench, "Uploaded")
        assert (DIAGNOSTICS.told(bench)[-1], LOG.told(bench)[-1]) == ("Uploaded", "PermissionDenied")


async def test_g30_idle_has_no_request_id(open_bench: Any, kind: Kind) -> None:
    action = "ExtendedTriggerMessage" if kind is LOG else "TriggerMessage"
    async with open_bench(station=UpdatableStation()) as bench:
        for step in ("", "Uploading", "Uploaded"):
            if step == "Uploading":
                await kind.ask(bench)
            await kind.tell(bench, *filter(None, [step]))
            assert await bench.call(action, {"requestedMessage": kind.notification}) == {"status": "Accepted"}
            await trio.sleep(0.1)
        assert kind.told(bench) == ["Idle", "Uploading", "Uploading", "Uploaded", "Idle"]
        has_id = ["requestId" in payload for payload in bench.sent(kind.notification)]
        assert has_id == ([False, True, True, True, False] if kind is LOG else [False] * 5)


@pytest.mark.parametrize("name", ["", "x" * 256, 7, b"name", "\ud800"])
def test_a_file_name_is_checked(name: Any) -> None:
    with pytest.raises(ValueError, match="filename"):
        GetLogResponse(LogStatusEnumType.ACCEPTED, name)
    assert GetLogResponse("Accepted", "x" * 255).status is LogStatusEnumType.ACCEPTED  # type: ignore[arg-type]


@pytest.mark.parametrize("word", ["Idle", "Perhaps", None, 7])
async def test_what_is_no_status_is_refused(open_bench: Any, kind: Kind, word: Any) -> None:
    async with open_bench(station=UpdatableStation()) as bench:
        with pytest.raises(ValueError, match="status"):
            await kind.tell(bench, word)


async def test_what_cannot_be_told_back_is_rejected(open_bench: Any) -> None:
    async with open_bench(station=UpdatableStation()) as bench:
        assert await LOG.ask(bench, UNSIGNED) == {"status": "Rejected"}
        assert await LOG.ask(bench, 2**31) == {"status": "Rejected"}
        request = {**LOG.request(), "log": {"remoteLocation": ""}}
        assert await bench.call("GetLog", request) == {"status": "Rejected"}
        with pytest.raises(CallFailed, match="PropertyConstraintViolation"):
            await bench.call("GetDiagnostics", {"location": ""})
        assert bench.station.asked("upload_logs") == bench.station.asked("upload_diagnostics") == []
        for number in (2**31 - 1, -(2**31)):
            assert (await LOG.ask(bench, number))["status"].startswith("Accepted"), number


async def test_a_station_without_the_methods(open_bench: Any) -> None:
    async with open_bench(station=RecordingStation()) as bench:
        with pytest.raises(CallFailed, match="NotSupported"):
            await DIAGNOSTICS.ask(bench)
        for number in (UNSIGNED, 5):
            with pytest.raises(FeatureNotBuilt):
                bench.charge_point.on_log_status_notification(number, "Uploaded")


async def test_while_pending_it_is_done_and_told_later(open_bench: Any, kind: Kind) -> None:
    async with open_bench(station=UpdatableStation(), start=False) as bench:
        bench.csms.refuse_boot("Pending", interval=60)
        await bench.charge_point.start()
        await trio.sleep(1)
        await kind.ask(bench)
        await kind.tell(bench, "Uploading", "Uploaded")
        assert kind.told(bench) == [], "nothing that was not triggered (OCPP 1.6 ed. 2 §4.2.1)"
        await trio.sleep(60)
        assert kind.told(bench) == ["Uploaded"]


async def test_offline_the_end_is_told_later(open_bench: Any, kind: Kind) -> None:
    async with open_bench(station=UpdatableStation()) as bench:
        await kind.ask(bench)
        bench.csms.misbehave(Fault.ABORT, kind.notification)
        await kind.tell(bench, "Uploading")
        await kind.tell(bench, "Uploaded")
        await trio.sleep(10)
        assert kind.told(bench)[-1] == "Uploaded"
        assert kind.told(bench).count("Uploaded") == 1


@pytest.mark.parametrize("takes", [True, False])
async def test_an_upload_goes_on_over_a_restart_or_has_failed(
    until_power_fails: Any, open_bench: Any, tmp_path: Any, kind: Kind, takes: bool
) -> None:
    async with until_power_fails(station=UpdatableStation(), database_path=tmp_path) as bench:
        await kind.ask(bench)
        await kind.tell(bench, "Uploading")
    station = UpdatableStation()
    if not takes:
        station.answers[kind.question] = GetLogResponse(LogStatusEnumType.REJECTED)
    async with open_bench(station=station, database_path=tmp_path) as bench:
        await trio.sleep(1)
        assert station.asked(kind.question) == [(kind.asked(),)]
        if takes:
            await kind.tell(bench, "Uploaded")
        assert kind.told(bench) == ["Uploaded" if takes else kind.failure]
    async with open_bench(station=UpdatableStation(), database_path=tmp_path) as bench:
        assert bench.station.asked(kind.question) == []
        assert kind.told(bench) == []
    for file in tmp_path.iterdir():
        assert b"p4ssw0rd" not in file.read_bytes(), file.name


async def test_an_end_that_was_not_told_is_told_by_the_next_start(open_bench: Any, disk: Any, kind: Kind) -> None:
    async with open_bench(station=UpdatableStation(), store=disk) as bench:
        await kind.ask(bench)
        bench.charge_point.connection.disconnect()
        await trio.sleep(0.1)
        await kind.tell(bench, "Uploaded")
    async with open_bench(station=UpdatableStation(), store=disk) as bench:
        await trio.sleep(1)
        assert kind.told(bench) == ["Uploaded"]
        assert bench.station.asked(kind.question) == []


async def test_what_cannot_be_stored_is_not_taken(open_bench: Any, make_config: Any, disk: Any, kind: Kind) -> None:
    document = make_config(Internal__StoreTimeout=5)
    async with open_bench(station=UpdatableStation(), store=disk, document=document) as bench:
        disk.is_full = True
        with pytest.raises(CallFailed, match="InternalError"):
            await kind.ask(bench)
        disk.is_full = False
        await trio.sleep(60)
        await kind.tell(bench, "Uploaded")
        assert kind.told(bench) == ["Uploaded"], "the station did it all the same, and says so"


async def test_one_that_ends_while_a_start_asks_for_it_anew_has_not_failed(
    open_bench: Any, disk: Any, kind: Kind
) -> None:
    async with open_bench(station=UpdatableStation(), store=disk) as bench:
        await kind.ask(bench)
    station = UpdatableStation()
    station.delays[kind.question] = 10
    station.answers[kind.question] = GetLogResponse(LogStatusEnumType.REJECTED)
    async with open_bench(station=station, store=disk) as bench:
        bench.csms.misbehave(Fault.DROP, kind.notification)  # so that its end is not known to be told
        await kind.tell(bench, "Uploaded")
        await trio.sleep(120)
        assert kind.told(bench) == ["Uploaded"]


async def test_a_newer_request_while_a_start_asks_for_the_older_one(open_bench: Any, disk: Any) -> None:
    """That the station takes the older one no more says nothing of the newer one."""
    async with open_bench(station=UpdatableStation(), store=disk) as bench:
        await LOG.ask(bench)
    station = UpdatableStation()
    station.delays["upload_logs"] = 10
    station.answers["upload_logs"] = lambda request: GetLogResponse(
        LogStatusEnumType.REJECTED if request.request_id == 5 else LogStatusEnumType.ACCEPTED
    )
    async with open_bench(station=station, store=disk) as bench:
        del station.delays["upload_logs"]
        assert (await LOG.ask(bench, 6))["status"] == "AcceptedCanceled"
        await LOG.tell(bench, "Uploading", number=6)
        await trio.sleep(20)
        await LOG.tell(bench, "Uploaded", number=6)
        assert LOG.told(bench) == ["Uploading", "Uploaded"]


@pytest.mark.parametrize(
    "spoil",
    [{"location": None}, {"request_id": "one"}, {"log_type": "Perhaps"}, {"oldest": "soon"}, {"status": "Perhaps"}],
)
async def test_a_row_that_cannot_be_stops_no_start(open_bench: Any, disk: Any, kind: Kind, spoil: Any) -> None:
    async with open_bench(station=UpdatableStation(), store=disk) as bench:
        await kind.ask(bench)
        (row,) = (jobs.ROWS.record(row) for row in disk.load("cp001", jobs.TABLE))
        state = {**row.state, **spoil}
        bench.charge_point._runtime.ctx.journal.append(
            jobs.put(row._replace(state={name: value for name, value in state.items() if value is not None}))
        )
        await bench.charge_point.stored()
    async with open_bench(station=UpdatableStation(), store=disk) as bench:
        assert bench.charge_point.counters.internal_errors == 1, "what was lost is said"
        await trio.sleep(10)
        assert (bench.station.asked(kind.question), kind.told(bench)) == ([], [])
        await kind.ask(bench)
        assert len(bench.station.asked(kind.question)) == 1
