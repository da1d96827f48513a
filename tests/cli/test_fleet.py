"""`ocpp16 fleet` as a process: it comes up, says how far it is, is worked by lines, and ends in order."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import trio
from patience import PATIENCE

from ocpp16.cli import main
from ocpp16.cli.fleet import keys_of
from ocpp16.testing import CentralSystem

Process = subprocess.CompletedProcess[str]
pytestmark = pytest.mark.world
COUNT = 60


class Running:
    """The process, and what it said."""

    def __init__(self, process: Any) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []
        self.errors = b""
        self._news = trio.Event()

    async def read(self) -> None:
        kept = b""
        async for chunk in self.process.stdout:
            *complete, kept = (kept + chunk).split(b"\n")
            self.lines += map(orjson.loads, complete)
            self._wake()

    async def read_errors(self) -> None:
        async for chunk in self.process.stderr:
            self.errors += chunk
            self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = trio.Event()

    async def until(self, is_so: Callable[[], bool]) -> None:
        with trio.fail_after(PATIENCE):
            while not is_so():
                await self._news.wait()

    async def say(self, **request: Any) -> dict[str, Any]:
        await self.process.stdin.send_all(orjson.dumps({"id": len(self.lines), **request}) + b"\n")
        number = len(self.lines)
        found: list[dict[str, Any]] = []

        def is_answered() -> bool:
            found[:] = [line for line in self.lines[number:] if "ok" in line]
            return bool(found)

        await self.until(is_answered)
        return found[0]


@pytest.mark.real_time
@pytest.mark.parametrize("end", [None, signal.SIGTERM, signal.SIGINT])
async def test_sixty_are_worked_and_end_in_order(
    command: tuple[str, ...], end: signal.Signals | None, tmp_path: Path
) -> None:
    async with CentralSystem() as csms, trio.open_nursery() as nursery:
        port = await csms.listen("127.0.0.1", 0)
        options = (
            "--count",
            f"{COUNT}",
            "--id",
            "F{number:03}",
            "--spread",
            "0.5",
            "--key",
            "Core.HeartbeatInterval=0",
        )
        (tmp_path / "key").write_text("a password of all\n")
        running = Running(
            await trio.lowlevel.open_process(
                [*command, "fleet", "--csms", f"ws://127.0.0.1:{port}/", *options, "--password-file", tmp_path / "key"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        )
        nursery.start_soon(running.read)
        nursery.start_soon(running.read_errors)
        await running.until(lambda: b"all 60 charge points are accepted" in running.errors)
        assert {call.identity for call in csms.calls("BootNotification")} == {f"F{n:03}" for n in range(1, COUNT + 1)}
        assert (await running.say(do="plug_in", charge_point="F007", connector=1))["ok"]
        assert (await running.say(do="present_id_tag", charge_point="F007", id_tag="CARD"))["ok"]
        await csms.wait_for_call("StartTransaction", timeout=PATIENCE)
        assert (await running.say(do="add", charge_point="LATE"))["ok"]
        assert (await running.say(do="list", most=1))["result"]["count"] == COUNT + 1
        if end is None:
            await running.process.stdin.aclose()
        else:
            running.process.send_signal(end)
        with trio.fail_after(PATIENCE):
            code = await running.process.wait()
        await running.until(lambda: bool(running.lines) and running.lines[-1].get("event") == "exit")
        assert code == (130 if end is signal.SIGINT else 0)
        (stop,) = csms.calls("StopTransaction")
        assert stop.identity == "F007"
        assert not csms.violations


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "--csms"),
        (("--csms", "ws://x/", "--id", "CP", "--count", "2"), "--id: the pattern CP needs the field number"),
        (("--csms", "ws://x/", "--key", "Heartbeat"), "--key Heartbeat: write SECTION.NAME=VALUE"),
        (("--csms", "ws://x/", "--key", "AuthorizationKey=secret"), "--key AuthorizationKey: write SECTION"),
        (("--csms", "ws://x/", "--key", "Core.HeartbeatInterval=often"), "HeartbeatInterval"),
        (("--csms", "ws://x/", "--key", "Core.Heartbeats=5"), "Heartbeats"),
        (("--csms", "http://x/"), "CentralSystemURI"),
        (("--csms", "ws://x/", "--blueprint", "ac"), "--blueprint"),
        (("--csms", "ws://x/", "--count", "-1"), "--count"),
    ],
)
def test_what_cannot_be(ocpp16: Callable[..., Process], options: tuple[str, ...], said: str) -> None:
    done = ocpp16("fleet", *options)
    assert (done.returncode, done.stdout) == (2, ""), done
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("Core.HeartbeatInterval=60", 60),
        ("Core.AuthorizeRemoteTxRequests=true", True),
        ("Internal.ChargeBoxSerialNumber=0012", "0012"),
        ("Internal.ChargeBoxSerialNumber=12", "12"),
        ("Internal.IMSI=262011234567890", "262011234567890"),
        ("Internal.FreeVendIdTag=true", "true"),
        ("Core.HeartbeatInterval=often", "often"),
        ("Core.HeartbeatInterval=1.5", 1.5),
        ("Custom.Share=0.25", 0.25),
        ("Custom.Huge=1e999", "1e999"),
        ("Custom.Digits=1_0", "1_0"),
    ],
)
def test_a_value_of_a_key_is_what_the_key_takes(given: str, value: Any) -> None:
    (found,) = (value for keys in keys_of((given,), "ws://x/", None).values() for value in keys.values())
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("given", ["Internal.HttpProxy=http://u:geheim@h:x/", "Security.AuthorizationKey=hex:geheim"])
def test_a_key_that_is_wrong_is_told_without_its_secret(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fleet", "--csms", "ws://x/", "--key", given]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"ocpp16: --key {given.partition('=')[0]}: ")
    assert "geheim" not in told
