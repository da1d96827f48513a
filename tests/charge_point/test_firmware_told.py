"""What is told of an update: offline, over restarts, and by stations that do otherwise than asked."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
import trio
from workshop import BACK, GO_AHEAD, LOCATION, OUT, REQUEST, UPDATE, Workshop, ask, statuses, tell, told

from ocpp16.enums import FirmwareStatusEnumType as Status
from ocpp16.models import UNSIGNED, FirmwareUpdate
from ocpp16.profiles.firmware_job import rows
from ocpp16.state.clock import IN_DOUBT, to_datetime
from ocpp16.store.base import Put
from ocpp16.store.tables import jobs
from ocpp16.testing import CallErrorAnswer
from ocpp16.testing.central_system import START, CentralSystem
from ocpp16.testing.misbehaviour import Fault


@pytest.mark.parametrize("fault", [RuntimeError("no disk"), "hangs"])
@pytest.mark.parametrize(("before", "end"), [((), "DownloadFailed"), (("Downloaded",), "InstallationFailed")])
async def test_what_cannot_be_begun_has_failed(
    open_bench: Any, tmp_path: Any, fault: Any, before: tuple[str, ...], end: str
) -> None:
    path = tmp_path / "ocpp.db"
    async with open_bench(station=Workshop(), database_path=path) as bench:
        await ask(bench)
        await tell(bench, *before)
    station = Workshop()
    if fault == "hangs":
        station.delays["update_firmware"] = 1000
    else:
        station.answers["update_firmware"] = fault
    async with open_bench(station=station, database_path=path) as bench:
        await trio.sleep(40)
        assert told(bench) == [end]
        assert bench.charge_point.counters.internal_errors == (0 if fault == "hangs" else 1)
        assert statuses(bench) == ["Available", "Available"]
        await ask(bench)
        assert len(bench.station.asked("update_firmware")) == 2


async def test_a_go_ahead_that_raises_ends_nothing(open_bench: Any) -> None:
    async with open_bench(station=Workshop()) as bench:
        bench.station.answers["all_connectors_unavailable"] = RuntimeError("no")
        await ask(bench)
        await tell(bench, "Downloaded", "Installing", "Installed")
        assert told(bench) == ["Downloaded", "Installing", "Installed"]
        assert statuses(bench) == ["Available", "Available"]
        assert bench.charge_point.counters.internal_errors == 1


@pytest.mark.parametrize(
    ("before", "wrong"),
    [
        (("Downloaded",), "Downloading"),
        (("Installing",), "Downloaded"),
        (("Installing",), "InstallScheduled"),
        ((), "Idle"),
        ((), "Perhaps"),
        ((), None),
    ],
)
async def test_what_does_not_fit_is_refused(open_bench: Any, before: tuple[str, ...], wrong: Any) -> None:
    async with open_bench(station=Workshop()) as bench:
        await ask(bench)
        await tell(bench, *before)
        with pytest.raises(ValueError, match="status"):
            await tell(bench, wrong)
        with pytest.raises(ValueError, match="request_id"):
            await tell(bench, "Installed", request_id=5)
        assert told(bench) == [*before]
        await tell(bench, "Installed")
        assert told(bench) == [*before, "Installed"]


async def test_what_the_station_does_by_itself_is_told(open_bench: Any) -> None:
    async with open_bench(station=Workshop()) as bench:
        await tell(bench, "Downloading", "Downloaded")
        assert bench.station.did()[-1] == GO_AHEAD
        await tell(bench, "Installing", "Installed", "Installed")
        assert told(bench) == ["Downloading", "Downloaded", "Installing", "Installed"]
        assert bench.station.asked("update_firmware") == []


@pytest.mark.parametrize("status", ["InvalidSignature", "InstallVerificationFailed"])
async def test_an_end_without_a_word_of_its_own_is_told(open_bench: Any, status: str) -> None:
    async with open_bench(station=Workshop()) as bench:
        await ask(bench)
        await tell(bench, "DownloadScheduled", "DownloadPaused", "SignatureVerified", "InstallScheduled")
        assert told(bench) == []
        await tell(bench, status)
        assert told(bench) == ["InstallationFailed"]


# The Central System is told


async def test_offline_the_last_status_is_told_later_and_once(open_bench: Any) -> None:
    async with open_bench(station=Workshop()) as bench:
        await ask(bench)
        bench.charge_point.connection.disconnect()
        await trio.sleep(0.1)
        await tell(bench, "Downloading", "Downloaded", "Installing", "Installed")
        assert told(bench) == []
        bench.charge_point.connection.connect()
        await trio.sleep(5)
        assert told(bench) == ["Installed"]
        bench.charge_point.connection.reconnect()
        await trio.sleep(5)
        assert told(bench) == ["Installed"]


async def test_what_went_down_with_its_connection_is_told_again(open_bench: Any) -> None:
    async with open_bench(station=Workshop()) as bench:
        await ask(bench)
        bench.csms.misbehave(Fault.ABORT, "FirmwareStatusNotification")
        await tell(bench, "Downloading")
        await trio.sleep(10)
        assert told(bench) == ["Downloading", "Downloading"]


async def test_what_nobody_answered_before_the_stop_is_told_again(open_bench: Any) -> None:
    async with open_bench(station=Workshop()) as bench:
        await ask(bench)
        bench.csms.misbehave(Fault.DROP, "FirmwareStatusNotification")
        await tell(bench, "Installed")
        await bench.charge_point.stop()
        await bench.charge_point.restart()
        await trio.sleep(10)
        assert told(bench) == ["Installed", "Installed"]


async def test_before_the_start_nothing_is_asked(open_bench: Any) -> None:
    async with open_bench(station=Workshop(), start=False) as bench:
        await tell(bench, "Downloading", "Downloaded")
        await trio.sleep(10)
        assert bench.station.calls == []
        await bench.charge_point.start()
        await trio.sleep(1)
        assert bench.station.did() == [*OUT, GO_AHEAD]
        assert told(bench) == ["Downloaded"]


async def test_all_of_them_are_kept_where_all_messages_are(open_bench: Any, make_config: Any) -> None:
    document = make_config(Internal__QueueAllMessages=True)
    async with open_bench(station=Workshop(), document=document) as bench:
        await ask(bench)
        bench.charge_point.connection.disconnect()
        await trio.sleep(0.1)
        await tell(bench, "Downloading", "Downloaded", "Installed")
        bench.charge_point.connection.connect()
        await trio.sleep(5)
        assert told(bench) == ["Downloading", "Downloaded", "Installed"]


@pytest.mark.parametrize("how", ["refused", "unanswered"])
async def test_a_kept_one_that_waits_for_its_next_attempt_gives_way(
    open_bench: Any, make_config: Any, how: str
) -> None:
    """The last one told is the end; that of an update before is another matter."""
    document = make_config(Internal__QueueAllMessages=True)
    async with open_bench(station=Workshop(), document=document) as bench:
        action = "FirmwareStatusNotification"
        left = [CallErrorAnswer("InternalError", "busy") if how == "refused" else None] * 2
        bench.csms.answers[action] = lambda payload, call: left.pop() if left else {}
        await ask(bench)
        await tell(bench, "Downloading")
        await trio.sleep(1)
        await tell(bench, "Downloaded", "Installed")
        await trio.sleep(300)
        assert told(bench)[-1] == "Installed"
        left.append(CallErrorAnswer("InternalError", "busy"))
        await ask(bench)
        await tell(bench, "DownloadFailed")
        await ask(bench)
        await tell(bench, "Downloading")
        await trio.sleep(300)
        assert told(bench)[-3:] == ["DownloadFailed", "Downloading", "DownloadFailed"]


# Over restarts


async def test_one_that_waits_for_its_date_waits_on(open_bench: Any, tmp_path: Any) -> None:
    path = tmp_path / "ocpp.db"
    async with open_bench(station=Workshop(), database_path=path) as bench:
        await ask(bench, retrieveDate="2026-01-01T01:00:00Z")
    async with open_bench(station=Workshop(), database_path=path) as bench:
        await trio.sleep(3_590)
        assert bench.station.asked("update_firmware") == []
        await trio.sleep(20)
        assert bench.station.asked("update_firmware") == [
            (FirmwareUpdate(UNSIGNED, LOCATION, to_datetime(START + 3_600_000_000), 2, 30),)
        ]


async def test_a_clock_that_is_right_is_believed_at_once(open_bench: Any, disk: Any) -> None:
    async with open_bench(station=Workshop(), store=disk) as bench:
        await ask(bench, retrieveDate="2026-01-01T00:00:10Z")
    async with open_bench(station=Workshop(), store=disk) as bench:
        await trio.sleep(11)
        assert len(bench.station.asked("update_firmware")) == 1


async def test_a_clock_that_is_ahead_at_the_start_begins_none(open_bench: Any, disk: Any) -> None:
    """As that of the machine may be by a year, until the Central System has told the time."""
    async with open_bench(station=Workshop(), store=disk) as bench:
        await ask(bench, retrieveDate="2026-01-01T01:00:00Z")
    csms = CentralSystem()
    csms.is_reachable = False
    async with open_bench(station=Workshop(), store=disk, csms=csms, anchor=START / 1e6 + 365 * 86_400) as bench:
        await trio.sleep(IN_DOUBT - 10)
        csms.is_reachable = True
        await trio.sleep(3_590 - IN_DOUBT)
        assert bench.station.asked("update_firmware") == []
        await trio.sleep(30)
        assert len(bench.station.asked("update_firmware")) == 1


@pytest.mark.parametrize("step", ["Downloading", "Downloaded", "Installing"])
async def test_a_power_cut_at_each_step(until_power_fails: Any, open_bench: Any, tmp_path: Any, step: str) -> None:
    path = tmp_path
    async with until_power_fails(station=Workshop(), database_path=path) as bench:
        await ask(bench)
        await tell(bench, step)
        assert told(bench) == [step]
    async with open_bench(station=Workshop(), database_path=path) as bench:
        await trio.sleep(0.1)
        (update,) = (update for (update,) in bench.station.asked("update_firmware"))
        assert (update.status, update.location) == (Status(step), LOCATION)
        assert told(bench) == [], "it was told before"
        has_gone_on = {"Downloading": BACK, "Downloaded": [*OUT, GO_AHEAD], "Installing": OUT}
        assert bench.station.did() == has_gone_on[step]
        await tell(bench, "Installed")
        assert told(bench) == ["Installed"]
        assert statuses(bench) == ["Available", "Available"]
    async with open_bench(station=Workshop(), database_path=path) as bench:
        assert bench.station.did("update_firmware", "enable_evse") == BACK
        assert told(bench) == []


async def test_the_end_is_told_after_the_reboot_that_it_took(open_bench: Any, tmp_path: Any) -> None:
    path = tmp_path / "ocpp.db"
    async with open_bench(station=Workshop(), database_path=path) as bench:
        await ask(bench)
        await tell(bench, "Installing")
    async with open_bench(station=Workshop(), database_path=path, start=False) as bench:
        bench.charge_point.on_firmware_update_status_notification(UNSIGNED, "Installed")
        assert told(bench) == []
    async with open_bench(station=Workshop(), database_path=path, start=False) as bench:
        await bench.charge_point.start(boot_reason="FirmwareUpdate")
        await trio.sleep(1)
        assert told(bench) == ["Installed"]
        assert bench.station.asked("update_firmware") == []
        assert bench.station.did() == BACK


async def test_its_password_is_told_nowhere_and_nothing_of_it_stays_on_the_disk(
    open_bench: Any, make_config: Any, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    formats = ["log", "jsonl", "html", "console_detailed", "callback"]
    document = make_config(Internal__LogMessagesFormat=formats, Internal__LogMessagesRaw=True)
    path = tmp_path / "ocpp.db"
    options: dict[str, Any] = {"message_log_path": tmp_path / "logs", "trace_messages": True, "document": document}
    async with open_bench(station=Workshop(), database_path=path, **options) as bench:
        bench.station.answers["all_connectors_unavailable"] = RuntimeError(f"no space for {LOCATION}")
        await ask(bench)
        await tell(bench, "Downloading", "Downloaded", "Installing", "Installed")
        await bench.csms.send_text("cp001", f'[2,"x","UpdateFirmware",{{"location":"{LOCATION}"}}]')
        await trio.sleep(1)
        bench.csms.violations.clear()
    told_somewhere = [
        repr(bench.events.seen),
        caplog.text,
        repr([vars(record) for record in caplog.records]),
        repr(UPDATE),
    ]
    assert "***@files.example" in told_somewhere[0]
    assert [text for text in told_somewhere if "p4ssw0rd" in text] == []
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) > 2
    assert [file.name for file in files if b"p4ssw0rd" in file.read_bytes()] == []


SPOILED: list[Callable[[dict[str, Any]], object]] = [
    lambda state: state.pop("location"),
    lambda state: state.update(step=9),
    lambda state: state.update(status="Perhaps"),
    lambda state: state.update(retrieve_date="soon"),
    lambda state: state.update(request_id="one"),
    lambda state: state.update(word="Perhaps"),
    lambda state: state.update(word="InstallScheduled"),
]


@pytest.mark.parametrize("spoil", SPOILED)
async def test_a_row_that_cannot_be_stops_no_start(open_bench: Any, disk: Any, spoil: Any) -> None:
    async with open_bench(station=Workshop(), store=disk) as bench:
        await ask(bench, retrieveDate="2026-01-01T01:00:00Z")
        job = bench.charge_point._runtime.features.firmware_updates._job
        (put,) = rows(job)
        assert isinstance(put, Put)
        state = dict(jobs.ROWS.record(put.row).state)
        spoil(state)
        bench.charge_point._runtime.ctx.journal.append(jobs.put(jobs.JobRow("firmware", state)))
        await bench.charge_point.stored()
    async with open_bench(station=Workshop(), store=disk) as bench:
        assert bench.charge_point.counters.internal_errors >= 1
        await trio.sleep(4_000)
        assert bench.station.asked("update_firmware") == []
        await ask(bench)
        assert len(bench.station.asked("update_firmware")) == 1


async def test_it_goes_on_over_a_restart_in_the_same_process(open_bench: Any) -> None:
    async with open_bench(station=Workshop()) as bench:
        await ask(bench)
        await tell(bench, "Downloaded")
        await bench.charge_point.stop()
        bench.station.did()
        await bench.charge_point.restart()
        await trio.sleep(1)
        assert bench.station.did() == [*OUT, GO_AHEAD]
        await tell(bench, "Installing", "Installed")
        assert told(bench) == ["Downloaded", "Installing", "Installed"]


async def test_a_central_system_that_asks_often_does_not_pile_up_anything(open_bench: Any) -> None:
    async with open_bench(csms=CentralSystem(), station=Workshop()) as bench:
        for _ in range(50):
            await bench.call("UpdateFirmware", {**REQUEST, "retrieveDate": "2026-06-01T00:00:00Z"})
        updates = bench.charge_point._runtime.features.firmware_updates
        assert len(bench.charge_point._runtime.ctx.timers) <= 8
        assert updates.request_id == UNSIGNED


@pytest.mark.parametrize(("step", "word"), [("InstallRebooting", "Installing"), ("DownloadPaused", "Downloading")])
async def test_what_was_told_last_is_known_after_a_restart(open_bench: Any, disk: Any, step: str, word: str) -> None:
    """Also where the station was at a step that an unsigned update has no word for; and told, if it was not."""
    async with open_bench(station=Workshop(), store=disk) as bench:
        await ask(bench)
        bench.charge_point.connection.disconnect()
        await trio.sleep(0.1)
        await tell(bench, word, step)
        assert told(bench) == []
    async with open_bench(station=Workshop(), store=disk) as bench:
        await trio.sleep(1)
        assert told(bench) == [word]
    async with open_bench(station=Workshop(), store=disk) as bench:
        await bench.call("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"})
        await trio.sleep(1)
        assert told(bench) == [word]


async def test_a_station_ahead_of_the_date_gets_its_go_ahead(open_bench: Any) -> None:
    """Nobody would ask it any more, and no connector would come back."""
    async with open_bench(station=Workshop()) as bench:
        await ask(bench, retrieveDate="2099-01-01T00:00:00Z")
        bench.station.did()
        await tell(bench, "Downloaded")
        assert bench.station.did() == [*OUT, GO_AHEAD]


@pytest.mark.parametrize("what", ["update", "upload"])
async def test_the_end_of_what_was_asked_for_is_told_though_another_began_meanwhile(
    open_bench: Any, tmp_path: Any, what: str
) -> None:
    """Offline, by the station itself: whoever asked for the first would wait for its end for ever."""
    path = tmp_path / "ocpp.db"

    async def has_told(bench: Any, *statuses: str) -> None:
        for status in statuses:
            if what == "update":
                await tell(bench, status)
            else:
                bench.charge_point.on_log_status_notification(-1, status)

    begun, ended = (
        (["Downloading", "Downloaded", "Installing"], "Installed") if what == "update" else (["Uploading"], "Uploaded")
    )
    async with open_bench(station=Workshop(), database_path=path) as bench:
        if what == "update":
            await ask(bench)
        else:
            await bench.call("GetDiagnostics", {"location": "ftp://files.example/"})
        await has_told(bench, *begun)
        await trio.sleep(1)
        bench.csms.is_reachable = False
        bench.charge_point.connection.drop()
        await trio.sleep(1)
        await has_told(bench, ended, begun[0])  # one of the station's own
    async with open_bench(station=Workshop(), database_path=path) as bench:
        await trio.sleep(1)
        calls = [call.payload["status"] for call in bench.csms.calls() if call.action.endswith("StatusNotification")]
        assert [status for status in calls if status in (ended, *begun)][:1] == [ended]
