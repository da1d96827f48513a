"""The JSON lines of a whole station: the command as a process, a Central System here, a socket between them."""

import signal
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE

from ocpp16.testing import CentralSystem

pytestmark = [pytest.mark.world, pytest.mark.real_time]

Control = Callable[..., Any]
WriteConfiguration = Callable[..., Path]


def assert_exit(record: dict[str, Any], reason: str) -> None:
    assert datetime.fromisoformat(record.pop("time")).tzinfo is not None
    assert record == {"event": "exit", "reason": reason}


async def test_a_session(control: Control, write_configuration: WriteConfiguration) -> None:
    async with CentralSystem() as csms:
        port = await csms.listen("127.0.0.1")
        async with control(write_configuration(port)) as station:
            await station.event("connection", connected=True)
            await station.event("boot", status="Accepted", interval=300)
            assert await station.ok("plug_in", connector=1, plug_after=0, draw_after=0) is None
            await station.event("status", connector=1, status="Preparing", error_code="NoError")
            await station.ok("present_id_tag", id_tag="ABC", connectors=[1])
            started = await station.event("transaction", connector=1, phase="started", id_tag="ABC")
            confirmed = await station.event("transaction", phase="confirmed", session_id=started["session_id"])
            await station.event("status", connector=1, status="Charging")
            status = await station.ok("status")
            assert status["connection"] is True
            assert status["registration"] == "Accepted"
            assert status["connectors"][0]["transaction_id"] == confirmed["transaction_id"]
            assert await station.ok("stop") is True
            await station.event("transaction", phase="stopped", transaction_id=confirmed["transaction_id"])
            await station.event("connection", connected=False)
            assert await station.ok("stop") is False
            assert await station.ok("restart") is True
            await station.event("boot", status="Accepted")
            assert await station.end_input() == 0
            assert_exit(station.printed[-1], "end of input")
        assert csms.calls("StartTransaction")[0].payload["idTag"] == "ABC"
        assert len(csms.calls("StopTransaction")) == 1
        assert len(csms.calls("BootNotification")) == 2
        assert list(csms.violations) == []


async def test_a_reset_restarts(control: Control, write_configuration: WriteConfiguration) -> None:
    async with CentralSystem() as csms:
        port = await csms.listen("127.0.0.1")
        async with control(write_configuration(port)) as station:
            await station.event("boot")
            assert await csms.call("cp001", "Reset", {"type": "Soft"}, PATIENCE) == {"status": "Accepted"}
            await station.event("reset", type="Soft")
            await station.event("connection", connected=False)
            await station.event("boot", status="Accepted")
            assert await station.end_input() == 0


async def test_a_reset_exits(control: Control, write_configuration: WriteConfiguration, tmp_path: Path) -> None:
    (tmp_path / "station.json").write_text('{"after_reset": "exit"}')
    async with CentralSystem() as csms:
        port = await csms.listen("127.0.0.1")
        async with control(write_configuration(port), "--station", "station.json") as station:
            await station.event("boot")
            await csms.call("cp001", "Reset", {"type": "Hard"}, PATIENCE)
            assert await station.exit_code() == 0
            assert_exit(station.printed[-1], "Hard reset")


async def test_commands_are_served_without_a_connection(
    control: Control, write_configuration: WriteConfiguration, tmp_path: Path
) -> None:
    async with control(write_configuration()) as station:
        await station.ok("plug_in", connector=2, plug_after=0)
        await station.event("status", connector=2, status="Preparing")
        assert (await station.ok("status"))["connection"] is False
        assert await station.ok("change_configuration", key="HeartbeatInterval", value="77") == "Accepted"
        assert await station.end_input() == 0
        assert {path.name for path in (tmp_path / "station").iterdir()} >= {
            "certs",
            "cp001.db",
            "logs",
            "user_config.json",
        }
    async with control(write_configuration()) as station:
        answer = await station.ok("get_configuration", keys=["HeartbeatInterval"])
        assert answer["configurationKey"][0]["value"] == "77"


async def test_garbage_changes_nothing(control: Control, write_configuration: WriteConfiguration) -> None:
    async with control(write_configuration()) as station:
        await station.send(
            b"garbage\n\n\xff\xfe\n[]\n" + b"x" * 2_000_000 + b'\n{"id": 1}\n{"id": 2, "do": "\\ud800"}\n'
        )
        await station.send(b'{"id": 3, "do": "fly"}\n{"id": 4, "do": "plug_in", "connector": 9}\n')
        assert (await station.do("plug_in", wings=2))["code"] == "unknown_argument"
        codes = [record["code"] for record in station.printed if record.get("ok") is False]
        assert codes == [*["unreadable"] * 6, "unknown_command", "bad_value", "unknown_argument"]
        await station.send(b'{"id": "last", "do": "status"}')  # without a line's end
        assert await station.end_input() == 0
        answers = [record for record in station.printed if "ok" in record]
        assert (answers[-1]["id"], answers[-1]["ok"]) == ("last", True)


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
async def test_signals(
    control: Control, write_configuration: WriteConfiguration, number: signal.Signals, exit_code: int
) -> None:
    async with CentralSystem() as csms:
        port = await csms.listen("127.0.0.1")
        async with control(write_configuration(port)) as station:
            await station.event("boot")
            await station.ok("plug_in", connector=1, plug_after=0)
            await station.ok("present_id_tag", id_tag="ABC")
            await station.event("transaction", phase="confirmed")
            station.process.send_signal(number)
            assert await station.exit_code() == exit_code
            assert_exit(station.printed[-1], number.name)
            assert b"Traceback" not in station.errors
        assert len(csms.calls("StopTransaction")) == 1


async def test_power_off(control: Control, write_configuration: WriteConfiguration) -> None:
    async with CentralSystem() as csms:
        port = await csms.listen("127.0.0.1")
        async with control(write_configuration(port)) as station:
            await station.event("boot")
            await station.ok("plug_in", connector=1, plug_after=0)
            await station.ok("present_id_tag", id_tag="ABC")
            await station.event("transaction", phase="confirmed")
            printed = len(station.printed)
            await station.send(b'{"id": "off", "do": "power_off"}\n')
            assert await station.exit_code() == 137
            assert all("id" not in record and record["event"] != "exit" for record in station.printed[printed:])
        assert csms.calls("StopTransaction") == []
        async with control(write_configuration(port)) as station:
            await station.event("boot")
            stopped = await csms.wait_for_call("StopTransaction", timeout=PATIENCE)
            assert stopped.payload["reason"] == "PowerLoss"
            assert await station.end_input() == 0


async def test_nobody_reads_the_events(control: Control, write_configuration: WriteConfiguration) -> None:
    async with control(write_configuration()) as station:
        await station.ok("status")
        await station.process.stdout.aclose()
        await station.send(b'{"do": "status"}\n')
        assert await station.exit_code() == 0
        assert b"Traceback" not in station.errors


async def test_messages_are_traced(control: Control, write_configuration: WriteConfiguration) -> None:
    async with CentralSystem() as csms:
        port = await csms.listen("127.0.0.1")
        async with control(write_configuration(port), "--trace") as station:
            message = await station.event("message", direction="sent")
            assert '"BootNotification"' in message["text"]
            await station.event("message", direction="received")


async def test_one_process_for_each_folder(control: Control, write_configuration: WriteConfiguration) -> None:
    configuration = write_configuration()
    async with control(configuration) as station:
        await station.ok("status")
        async with control(configuration) as second:
            assert await second.exit_code() == 2
            assert second.printed == []
        assert b"cp001.db" in second.errors
        assert len(second.errors.splitlines()) == 1
        await station.ok("status")
