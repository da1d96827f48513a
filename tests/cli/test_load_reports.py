"""What `ocpp16 load` leaves and shows besides its JSON, and how it becomes Locust."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from xml.etree.ElementTree import parse

import pytest
import trio
from patience import PATIENCE

from ocpp16.cli import main
from ocpp16.fleet import FleetError
from ocpp16.load.locust_command import LOCUSTFILE, OPTIONS
from ocpp16.testing import CentralSystem

SHORT = """
[fleet]
keys = { Core = { HeartbeatInterval = 1 } }
[[stage]]
kind = "ramp"
over = 0.2
settle = 20
[[stage]]
kind = "hold"
duration = DURATION
[[expect]]
name = "all boot"
sent = "BootNotification"
within = 20
"""


class Run:
    """A load test that runs, and its files."""

    def __init__(self, folder: Path) -> None:
        self.html, self.junit = folder / "load.html", folder / "load.xml"
        self.process: Any = None
        self.errors = b""
        self._news = trio.Event()

    async def read_errors(self) -> None:
        async for chunk in self.process.stderr:
            self.errors += chunk
            self._news.set()
            self._news = trio.Event()

    async def until_it_says(self, pattern: bytes) -> re.Match[bytes]:
        with trio.fail_after(PATIENCE):
            while not (found := re.search(pattern, self.errors)):
                await self._news.wait()
        return found

    async def end(self) -> int:
        with trio.fail_after(PATIENCE):
            code: int = await self.process.wait()
        return code


@asynccontextmanager
async def running(
    command: tuple[str, ...], csms: CentralSystem, folder: Path, duration: float, *options: str
) -> AsyncIterator[Run]:
    scenario = folder / "short.toml"
    scenario.write_text(SHORT.replace("DURATION", str(duration)))
    port = await csms.listen("127.0.0.1")
    run = Run(folder)
    fixed = ("--csms", f"ws://127.0.0.1:{port}/ocpp", "--charge-points", "4", "--scenario", str(scenario))
    files = ("--html", str(run.html), "--junit", str(run.junit))
    run.process = await trio.lowlevel.open_process(
        [*command, "load", *fixed, *files, *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run.read_errors)
        yield run


def scraped(url: str) -> str:
    with urlopen(url, timeout=PATIENCE) as answer:
        text: str = answer.read().decode()
        return text


@pytest.mark.world
@pytest.mark.real_time
async def test_a_page_junit_and_metrics_tell_the_same(command: tuple[str, ...], tmp_path: Path) -> None:
    thresholds = ("--threshold", "all.error_rate < 50%", "--threshold", "BootNotification.p99 < 1us")
    async with (
        CentralSystem(interval=1) as csms,
        running(command, csms, tmp_path, 4, *thresholds, "--metrics-port", "0") as run,
    ):
        url = (await run.until_it_says(rb"metrics at (http://127\.0\.0\.1:\d+/metrics)\n"))[1].decode()
        await csms.wait_for_call("BootNotification", 4, timeout=PATIENCE)
        text = await trio.to_thread.run_sync(scraped, url)
        assert "\nocpp16_load_charge_points 4.0\n" in text
        assert await run.end() == 1, run.errors
        await run.until_it_says(rb"ocpp16: 0:0\d.* 4 of 4 connected, .*\n")
    page = run.html.read_text()
    assert "<strong>✗ Failed</strong>" in page
    assert "BootNotification.p99 &lt; 1us" in page
    assert re.search(
        r"<pre>ocpp16 load --csms ws://127.0.0.1:\d+/ocpp --charge-points 4 --scenario \S+short.toml ", page
    )
    suite = parse(run.junit).getroot()[0]
    told = {case.attrib["name"]: [child.tag for child in case] for case in suite.iter("testcase")}
    assert told == {
        "comes to its planned end": [],
        "the Central System keeps to the protocol": [],
        "all.error_rate < 50%": [],
        "BootNotification.p99 < 1us": ["failure"],
        "all boot": [],
    }


@pytest.mark.world
@pytest.mark.real_time
async def test_interrupted_it_leaves_a_page_that_says_so(command: tuple[str, ...], tmp_path: Path) -> None:
    async with CentralSystem() as csms, running(command, csms, tmp_path, 600) as run:
        await csms.wait_for_call("BootNotification", 4, timeout=PATIENCE)
        run.process.send_signal(signal.SIGINT)
        assert await run.end() == 130, run.errors
    assert "It ended early: interrupted" in run.html.read_text()
    suite = parse(run.junit).getroot()[0]
    assert suite.attrib["errors"] == "1"


@pytest.mark.parametrize("option", ["--html", "--junit", "--json"])
def test_a_folder_that_is_not_there_is_told_before(option: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["load", "--csms", "ws://127.0.0.1:1/", option, "/nowhere/at/all/file"]) == 2
    assert f"{option} /nowhere/at/all/file: there is no folder" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--csms", "ws://x", "--scenario", "./pipe"), "pipe: it cannot be read: it is no regular file"),
        (("--csms", "ws://x", "--id", "CP{number:0999999999999}", "--charge-points", "2"), "--id: the pattern"),
        (("--csms", "ws://x", "--json", "pipe"), "--json pipe: is no regular file"),
        (("--csms", "ws://x", "--trace", "pipe"), "--trace pipe: is no regular file"),
        (("--csms", "ws://x", "--html", "link-to-nothing/x"), "there is no folder link-to-nothing that can be written"),
        (("--csms", "ws://x", "--html", ""), "is no name of a file"),
        (("--csms", "ws://x", "--json", "loop"), "--json loop: cannot be looked at: Too many levels"),
        (("--csms", "ws://x", "--html", "x" * 251), "its name is too long"),
        (
            ("--csms", "ws://x", "--scenario", "a.toml", "--json", "b.toml"),
            "--json b.toml: is the file of --scenario, too",
        ),
        (("--csms", "ws://x", "--duration", "1e308"), "'--duration': 1e+308 is not in the range"),
        (("--csms", "ws://x", "--seed", "9" * 20), "'--seed': 99999999999999999999 is not in the range"),
        (
            ("--csms", "ws://x", "--charge-points", "2", "--rate", "2001"),
            "--rate: 2001 a second of 2 charge points are",
        ),
        (("--csms", "ws://x", "--source-address", "203.0.113.1"), "203.0.113.1 is no address of this machine"),
        (("--locust-worker", "h", "--source-address", "eth0"), "eth0 is no address; write one of this machine"),
    ],
)
def test_what_cannot_be_meant_is_named_and_nothing_is_lost(
    options: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("a.toml").write_text(SHORT.replace("DURATION", "1"))
    Path("b.toml").symlink_to("a.toml")
    Path("loop").symlink_to("loop")
    assert main(["load", *options]) == 2
    told = capfd.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.toml", "b.toml", "loop", "pipe"]
    assert Path("a.toml").read_text().startswith("\n[fleet]")


@pytest.fixture
def became(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would take the place of this process: arguments, and options of charge points."""
    found: list[Any] = []

    def execve(path: str, words: list[str], environment: dict[str, str]) -> None:
        found.extend([words[5:], json.loads(environment[OPTIONS])])
        assert words[:5] == [path, "-m", "locust", "-f", str(LOCUSTFILE)]
        assert path == sys.executable
        raise SystemExit(0)

    monkeypatch.setattr(os, "execve", execve)
    return found


def test_it_becomes_the_master_of_locust(became: list[Any]) -> None:
    asked = "load --locust-master --csms ws://csms/ --charge-points 100 --rate 5 --duration 60 -- --headless -L DEBUG"
    with pytest.raises(SystemExit):
        main(asked.split())
    words, options = became
    assert words == (
        "--master --host ws://csms/ --users 100 --spawn-rate 5 --run-time 60s --headless -L DEBUG".split()  # noqa: SIM905
    )
    assert options == {}


@pytest.mark.parametrize("password", ["--password secret", "--password-file key"])
def test_it_becomes_a_worker_of_locust_whose_password_is_no_argument(
    password: str, became: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("key").write_text("secret\n")
    asked = f"load --locust-worker 10.0.0.1:5557 --csms wss://csms/ {password} --blueprint ac-7kw --seed 7"
    with pytest.raises(SystemExit):
        main(asked.split())
    words, options = became
    assert words == ["--worker", "--master-host", "10.0.0.1", "--master-port", "5557"]
    assert options == {
        "blueprint": "ac-7kw",
        "keys": {"Security": {"AuthorizationKey": "text:secret", "SecurityProfile": 2}},
        "seed": 7,
    }


def test_a_worker_of_locust_is_told_the_scenario_of_its_users(
    became: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit):
        main("load --locust-worker h --scenario TC_085_CSMS --set password=a=b".split())  # noqa: SIM905
    assert became[1] == {"scenario": "TC_085_CSMS", "values": {"password": "a=b"}}
    became.clear()
    (tmp_path / "own.toml").write_text('text = "Nothing."')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main("load --locust-worker h --scenario own.toml".split())  # noqa: SIM905
    assert became[1] == {"scenario": str(tmp_path / "own.toml")}


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("load --locust-worker :1", "must be HOST or HOST:PORT"),
        ("load --locust-worker h --scenario no-such", "no scenario no-such"),
        ("load --locust-worker h --password x", "--password needs --csms, too"),
        ("load --locust-worker h --password x --password-file y", "give one of them"),
        ("load --locust-worker h --password-file no-such", "--password-file: no-such: cannot be read"),
        ("load --locust-master", "--csms is missing"),
        ("load --locust-master --locust-worker h --csms ws://x/", "are two processes: begin one of each"),
        ("load --locust-master --csms ws://x/ --scenario soak", "--scenario: not with --locust-master; give it to the"),
        ("load --locust-master --csms ws://x/ --threshold a", "--threshold: not with --locust-master; options of"),
        ("load --locust-worker h --rate 5", "--rate: not with --locust-worker; give it to the master"),
        ("load --locust-worker h --connectors 2", "--connectors: not with --locust-worker; options of Locust come"),
        ("load --csms ws://x/ -- --headless", "only Locust takes more arguments"),
    ],
)
def test_what_locust_cannot_be_begun_with_is_told(
    asked: str, why: str, became: list[Any], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(asked.split()) == 2
    assert why in capfd.readouterr().err
    assert became == []


@pytest.mark.parametrize("asked", ["load --charge-points 9", "scenario run soak --charge-points 9", "fleet --count 9"])
def test_too_few_open_files_are_told_before_anything_begins(
    asked: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def make_room(charge_points: int) -> None:
        raise FleetError(f"{charge_points} are too many")

    monkeypatch.setattr("ocpp16.fleet.fleet.make_room", make_room)
    assert main([*asked.split(), "--csms", "ws://127.0.0.1:1/"]) == 2
    told = [line for line in capfd.readouterr().err.splitlines() if "too many" in line]
    assert told == ["ocpp16: 9 are too many"]
