"""The message log of a charge point: what the keys choose is written, of both directions, and nothing waits for it."""

import errno
import json
import logging
import os
import threading
from pathlib import Path
from typing import Any

import pytest
import trio

from ocpp16.charge_point.open import open_charge_point, open_charge_points
from ocpp16.enums import SessionStartedReason
from ocpp16.message_log.log_file import LogFile
from ocpp16.observer import MessageExchanged, SecurityEvent
from ocpp16.testing import CentralSystem
from ocpp16.testing.stations import RecordingStation

PATIENCE = 30.0
HANGS = 5.0
"""Seconds that a disk hangs which nobody waits for."""
SECRET = "00112233445566778899aabbccddeeff"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file()]


def only(folder: Path, ending: str) -> str:
    """The content of the one file whose name ends so; the security log apart, which begins with the start."""
    is_security = ending == ".security.log"
    (path,) = [
        path
        for path in folder.iterdir()
        if path.name.endswith(ending) and path.name.endswith(".security.log") is is_security
    ]
    return path.read_text()


async def test_by_default_there_are_text_and_page_of_each_opening(open_bench: Any, tmp_path: Path) -> None:
    async with open_bench(message_log_path=tmp_path / "logs") as bench:
        bench.begin()
        await trio.sleep(1)
        await bench.charge_point.stop()
        assert await bench.charge_point.restart()
        await trio.sleep(1)
    beginning = "cp001-20260101T000000.000Z"
    assert names(tmp_path / "logs") == [f"{beginning}.html", f"{beginning}.log", f"{beginning}.security.log"]
    text = only(tmp_path / "logs", ".log")
    assert text.count("ChargePoint>CentralSystem BootNotification\n") == 2
    assert "CentralSystem>ChargePoint  StartTransactionResponse (0 ms)\n" in text
    for event in ("Connecting to csms.example", "Connected", "Disconnecting", "Disconnected: stopped"):
        assert f"SYS> {event}\n" in text
    assert "<b>StartTransaction</b>" in only(tmp_path / "logs", ".html")


async def test_without_a_folder_nothing_is_handed_on(open_bench: Any) -> None:
    async with open_bench() as bench:
        assert bench.charge_point._runtime.traffic.trace is None
        assert bench.charge_point._runtime.traffic._log is None


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"LogMessages": False}, []),
        ({"LogMessagesFormat": []}, []),
        ({"LogMessagesFormat": ["html"]}, [".html"]),
        ({"LogMessagesFormat": ["jsonl"], "LogMessagesRaw": True}, [".jsonl"]),
        ({"LogMessagesFormat": ["log", "html"], "LogMessagesRaw": True}, [".html", ".log", "_raw.html", "_raw.log"]),
        ({"LogMessagesFormat": ["callback", "session_logging"]}, []),
    ],
)
async def test_the_keys_choose(
    open_bench: Any, make_config: Any, tmp_path: Path, keys: dict[str, Any], expected: list[str]
) -> None:
    document = make_config(**{f"Internal__{name}": value for name, value in keys.items()}, Internal__LogRotation=True)
    async with open_bench(document=document, message_log_path=tmp_path / "logs"):
        await trio.sleep(1)
    assert names(tmp_path / "logs") == [f"cp001{ending}" for ending in expected]


async def test_log_messages_is_reported_as_true_only_where_something_is_logged(
    open_bench: Any, make_config: Any, tmp_path: Path
) -> None:
    def reported(bench: Any) -> str:
        return str(bench.charge_point.configuration.text("LogMessages"))

    async with open_bench() as bench:
        assert reported(bench) == "false"
    async with open_bench(message_log_path=tmp_path / "logs") as bench:
        assert reported(bench) == "true"
        await bench.charge_point.stop()
        assert await bench.charge_point.restart()
        assert reported(bench) == "true"
    only_callback = make_config(Internal__LogMessagesFormat=["callback"])
    async with open_bench(document=only_callback, message_log_path=tmp_path / "none") as bench:
        assert reported(bench) == "false"


async def test_raw_is_both_directions_and_what_is_no_message(open_bench: Any, make_config: Any, tmp_path: Path) -> None:
    document = make_config(Internal__LogMessagesFormat=["log", "jsonl", "html"], Internal__LogMessagesRaw=True)
    async with open_bench(document=document, message_log_path=tmp_path) as bench:
        await bench.csms.send_text("cp001", '{no <json>\n"')
        await bench.csms.send_text("cp001", '[3, "odd",  {"z":1, "a":1.10}]')
        await trio.sleep(1)
    for ending in ("_raw.log", ".log"):
        assert '{no <json>\\n"' in (tmp_path / f"cp001-20260101T000000.000Z{ending}").read_text()
    raw = only(tmp_path, "_raw.log")
    assert '[3, "odd",  {"z":1, "a":1.10}]\n' in raw
    assert '"BootNotification",{' in raw
    assert "{no &lt;json&gt;" in only(tmp_path, "_raw.html")
    traced = [json.loads(line) for line in only(tmp_path, ".jsonl").splitlines()]
    assert [row["raw"] for row in traced if "messageType" not in row] == ['{no <json>\n"']
    assert {row["direction"] for row in traced} == {"cp-to-csms", "csms-to-cp"}


async def test_no_file_and_no_line_has_a_secret(
    open_bench: Any, make_config: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    formats = ["log", "jsonl", "html", "security", "session_logging", "console_detailed", "callback"]
    document = make_config(Internal__LogMessagesFormat=formats, Internal__LogMessagesRaw=True)
    caplog.set_level(logging.INFO)
    async with open_bench(document=document, message_log_path=tmp_path) as bench:
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED, tmp_path / "session")
        change = {"key": "AuthorizationKey", "value": SECRET}
        await bench.call("ChangeConfiguration", change)
        await bench.csms.send_text("cp001", f"ChangeConfiguration {json.dumps(change)}")
        await trio.sleep(1)
        bench.charge_point.on_session_stopped(1, "s1")
    written = {path: path.read_text() for folder in (tmp_path, tmp_path / "session") for path in files(folder)}
    assert len(written) == 8
    assert [path for path, text in written.items() if SECRET in text] == []
    assert SECRET not in caplog.text
    assert "ocpp16.messages" in {one.name for one in caplog.records}
    assert SECRET not in repr(bench.events.of(MessageExchanged))


async def test_the_callback_sink_is_the_observer(open_bench: Any, make_config: Any) -> None:
    document = make_config(Internal__LogMessagesFormat=["callback"], Internal__LogMessages=False)
    async with open_bench(document=document) as bench:
        await trio.sleep(1)
    assert {event.direction for event in bench.events.of(MessageExchanged)} == {"sent", "received"}


async def test_security_events_have_a_file(open_bench: Any, make_config: Any, tmp_path: Path) -> None:
    document = make_config(Internal__LogMessagesFormat=["security"])
    async with open_bench(document=document, message_log_path=tmp_path) as bench:
        await bench.csms.send_text("cp001", "no json")
        await trio.sleep(1)
    started, event = map(json.loads, only(tmp_path, ".security.log").splitlines())
    assert started["type"] == "StartupOfTheDevice"
    assert (event["type"], event["timestamp"]) == ("InvalidMessages", "2026-01-01T00:00:00.100Z")
    assert "no json" in event["techInfo"]


async def test_rotation_by_the_keys(open_bench: Any, make_config: Any, tmp_path: Path) -> None:
    document = make_config(
        Internal__LogMessagesFormat=["log"],
        Internal__LogRotation=True,
        Internal__LogRotationMaximumFileSize=500,
        Internal__LogRotationMaximumFileCount=3,
    )
    for _ in range(2):  # what is there already counts
        async with open_bench(document=document, message_log_path=tmp_path) as bench:
            for _ in range(20):
                await bench.call("ClearCache", {})
    assert names(tmp_path) == ["cp001.log", "cp001.log.0", "cp001.log.1"]


async def test_a_log_of_security_events_alone_is_told_no_frames(
    open_bench: Any, make_config: Any, tmp_path: Path
) -> None:
    document = make_config(Internal__LogMessagesFormat=["security"])
    async with open_bench(document=document, message_log_path=tmp_path) as bench:
        assert bench.charge_point._runtime.traffic.trace is None


async def test_what_happens_to_the_connection_has_its_rows(open_bench: Any, make_config: Any, tmp_path: Path) -> None:
    document = make_config(Core__WebSocketPingInterval=0)
    async with open_bench(document=document, message_log_path=tmp_path) as bench:
        await trio.sleep(1)
        await bench.call("ChangeConfiguration", {"key": "WebSocketPingInterval", "value": "42"})
        await bench.csms.close("cp001")
        await trio.sleep(60)
        bench.charge_point.connection.disconnect()
        await trio.sleep(1)
    rows = [line.partition("SYS> ")[2] for line in only(tmp_path, ".log").splitlines() if "SYS> " in line]
    told = [row.partition(" in ")[0].partition(":")[0] for row in rows]
    assert told == [
        "Connecting to csms.example", "Connected", "WebSocketPingInterval changed", "Disconnected", "Reconnecting",
        "Connecting to csms.example", "Connected", "Disconnecting", "Disconnected",
    ]  # fmt: skip
    assert "WebSocketPingInterval changed: 42 s" in rows


async def test_a_full_disk_is_said_once_and_stops_nothing(
    open_bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write = LogFile.write

    def full(self: LogFile, rows: list[bytes], at: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with open_bench(message_log_path=tmp_path / "logs") as bench:
        monkeypatch.setattr(LogFile, "write", full)
        bench.begin()
        await trio.sleep(10)
        await bench.call("ClearCache", {})
        assert len(bench.sent("StartTransaction")) == 1
        monkeypatch.setattr(LogFile, "write", write)
        await bench.call("GetConfiguration", {"key": ["HeartbeatInterval"]})
        await trio.sleep(1)
    about = [one.getMessage() for one in caplog.records if "message log" in one.getMessage()]
    assert len(about) == 2
    assert "No space left on device" in about[0]
    assert about[1] == "message log: can be written again"
    text = only(tmp_path / "logs", ".log")
    assert "messages are missing here: they could not be written" in text
    assert "GetConfigurationResponse" in text


async def test_it_is_written_to_its_end_when_the_block_is_left(make_config: Any, tmp_path: Path) -> None:
    """With the thread, which a virtual clock goes without; and many charge points have one."""

    async def main() -> None:
        async with CentralSystem() as csms:
            async with open_charge_points() as charge_points:
                for number in range(3):
                    document = make_config(Internal__ChargePointId=f"cp/{number}", Internal__LogRotation=True)
                    charge_point = await charge_points.open(
                        document, RecordingStation(), connector=csms.connector, message_log_path=tmp_path
                    )
                    await charge_point.start()
                    with trio.fail_after(PATIENCE):
                        await charge_point.wait_registered()
                writers = [one for one in threading.enumerate() if one.name == "ocpp16 message log"]
                assert len(writers) == 1
            assert not any(one.is_alive() for one in writers)

    await trio.to_thread.run_sync(lambda: trio.run(main))
    kinds = ("html", "log", "security.log")
    assert names(tmp_path) == [f"cp%2F{number}.{kind}" for number in range(3) for kind in kinds]
    for number in range(3):
        text = (tmp_path / f"cp%2F{number}.log").read_text()
        assert "BootNotificationResponse" in text
        assert text.endswith("SYS> Disconnected: stopped\n\n")


async def test_a_disk_that_hangs_does_not_hold_up_the_end_of_the_block(
    make_config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(LogFile, "write", lambda *_: go_on.wait(HANGS))
    monkeypatch.setattr("ocpp16.charge_point.blocks.FLUSH_TIMEOUT", 0.05)

    async def main() -> None:
        async with (
            CentralSystem() as csms,
            open_charge_point(
                make_config(), RecordingStation(), connector=csms.connector, message_log_path=tmp_path
            ) as charge_point,
        ):
            await charge_point.start()
            with trio.fail_after(PATIENCE):
                await charge_point.wait_registered()

    await trio.to_thread.run_sync(lambda: trio.run(main))
    go_on.set()
    for thread in threading.enumerate():
        if thread.name == "ocpp16 message log":
            thread.join(PATIENCE)
    assert "the message log is not written to its end" in caplog.text


async def test_what_is_left_out_is_counted(open_bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_bench(message_log_path=tmp_path) as bench:
        writer = bench.charge_point._runtime.traffic._writer
        with monkeypatch.context() as patch:
            patch.setattr(writer, "put", lambda *_, **__: False)
            await bench.call("ClearCache", {})
        assert bench.charge_point.counters.messages_not_logged == 2
        await bench.call("ClearCache", {})
    assert "2 messages are missing here" in only(tmp_path, ".log")


async def test_the_file_is_for_its_owner_only(open_bench: Any, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        async with open_bench(message_log_path=tmp_path / "new" / "logs"):
            pass
    finally:
        os.umask(old)
    assert (tmp_path / "new" / "logs").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "new" / "logs").iterdir()} == {0o600}


async def test_a_security_log_that_lost_something_says_so(open_bench: Any, make_config: Any, tmp_path: Path) -> None:
    async with open_bench(document=with_short_security_log(make_config), message_log_path=tmp_path) as bench:
        for number in range(10):
            await bench.csms.send_text("cp001", f"no json {number}")
            await trio.sleep(100)
    events = [json.loads(line) for path in files(tmp_path) for line in path.read_text().splitlines()]
    assert "SecurityLogWasCleared" in {event["type"] for event in events}
    assert any("no json 9" in event.get("techInfo", "") for event in events)


def with_short_security_log(make_config: Any) -> Any:
    return make_config(
        Internal__LogMessagesFormat=["security"],
        Internal__LogRotation=True,
        Internal__LogRotationMaximumFileSize=300,
        Internal__LogRotationMaximumFileCount=2,
        Security__DisableSecurityEventNotifications=False,
    )


async def test_a_security_log_that_lost_something_is_told_as_an_event(
    open_bench: Any, make_config: Any, tmp_path: Path
) -> None:
    """To the observer and to the Central System; in the file it is written once for each that is told."""
    told, logged = "SecurityLogWasCleared", 0
    async with open_bench(document=with_short_security_log(make_config), message_log_path=tmp_path) as bench:
        for number in range(4):
            bench.charge_point.on_security_event("Found", "x" * 200)
            await trio.sleep(100)
            # Of the two files the live one begins with it when it is new.
            rows = [json.loads(line) for path in files(tmp_path) for line in path.read_text().splitlines()]
            logged = sum(row["type"] == told for row in rows)
            assert logged <= 1, number
        observed = [event.type for event in bench.events.of(SecurityEvent)].count(told)
        sent = [payload for payload in bench.sent("SecurityEventNotification") if payload["type"] == told]
    assert logged == 1
    assert observed == len(sent) >= 1
    assert sent[0]["techInfo"] == "its oldest files made room for new ones"


async def test_a_log_that_is_cleared_after_the_end_is_told_to_nobody(
    open_bench: Any, make_config: Any, tmp_path: Path
) -> None:
    async with open_bench(document=with_short_security_log(make_config), message_log_path=tmp_path) as bench:
        for _ in range(8):
            bench.charge_point.on_security_event("Found", "x" * 200)
        # Told soon, but the charge point is left before that.
        bench.charge_point.abandon()
    seen = len(bench.events.seen)
    await trio.sleep(10)
    assert len(bench.events.seen) == seen
    assert any("SecurityLogWasCleared" in path.read_text() for path in files(tmp_path))


@pytest.mark.parametrize("identity", ["cp_raw", "cp.security", "é" * 40])
async def test_every_identity_has_files_of_its_own(
    open_bench: Any, make_config: Any, tmp_path: Path, identity: str
) -> None:
    for name in ("cp", identity):
        document = make_config(
            Internal__ChargePointId=name,
            Internal__LogMessagesFormat=["log", "security"],
            Internal__LogMessagesRaw=True,
            Internal__LogRotation=True,
        )
        async with open_bench(document=document, message_log_path=tmp_path) as bench:
            await bench.csms.send_text(name, "no json")
            await trio.sleep(1)
    assert len(names(tmp_path)) == 6


async def test_a_secret_of_the_host_is_in_no_file_and_no_event(
    open_bench: Any, make_config: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    schema = tmp_path / "Custom.json"
    schema.write_text(json.dumps({"type": "object", "properties": {"Pin": {"type": "string", "writeOnly": True}}}))
    formats = ["log", "jsonl", "html", "security", "console_detailed", "callback"]
    document = make_config(Internal__LogMessagesFormat=formats, Internal__LogMessagesRaw=True)
    async with open_bench(
        document=document, message_log_path=tmp_path / "logs", custom_schema_path=schema, trace_messages=True
    ) as bench:
        answer = await bench.call("ChangeConfiguration", {"key": "pIN", "value": "90210"})
        assert answer == {"status": "Accepted"}
        await trio.sleep(1)
    written = [path.read_text() for path in files(tmp_path / "logs")]
    assert sum("ChangeConfiguration" in text for text in written) >= 4
    assert not any("90210" in text for text in (*written, caplog.text, repr(bench.events.seen)))
