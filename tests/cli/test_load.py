"""`ocpp16 load` as a process: the verdict by its exit code, and a true report however it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from patience import PATIENCE

from ocpp16.lint.trace import Trace
from ocpp16.load.results import Results
from ocpp16.testing import CentralSystem, Fault

Process = subprocess.CompletedProcess[str]
pytestmark = pytest.mark.world
SHORT = """
[fleet]
keys = { Core = { HeartbeatInterval = 1 } }
[[stage]]
kind = "ramp"
over = 0.2
settle = 20
[[stage]]
kind = "hold"
duration = 1
"""


class LoadRun:
    """The process, and what it said."""

    def __init__(self, process: Any) -> None:
        self.process = process
        self.said = b""
        self.errors = b""

    async def read(self) -> None:
        async for chunk in self.process.stdout:
            self.said += chunk

    async def read_errors(self) -> None:
        async for chunk in self.process.stderr:
            self.errors += chunk

    async def end(self) -> int:
        with trio.fail_after(PATIENCE):
            code: int = await self.process.wait()
            await trio.testing.wait_all_tasks_blocked(0.05)
        return code

    def children(self) -> list[int]:
        """Their process ids."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]


@pytest.fixture
async def csms() -> AsyncIterator[CentralSystem]:
    async with CentralSystem(interval=1) as made:
        yield made


class Begun:
    """Begins a load test against the Central System of the test."""

    def __init__(self, command: tuple[str, ...], csms: CentralSystem, nursery: trio.Nursery, folder: Path) -> None:
        self.results = folder / "results.json"
        self.trace = folder / "trace.jsonl"
        self._scenario = folder / "short.toml"
        self._scenario.write_text(SHORT)
        self.command = command
        self._csms = csms
        self._nursery = nursery

    async def __call__(self, *options: str, charge_points: int = 4) -> LoadRun:
        port = await self._csms.listen("127.0.0.1", 0)
        fixed = ("--scenario", str(self._scenario), "--json", str(self.results), "--trace", str(self.trace))
        process = await trio.lowlevel.open_process(
            [
                *self.command,
                "load",
                *("--csms", f"ws://127.0.0.1:{port}/", "--charge-points", str(charge_points), *fixed, *options),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        running = LoadRun(process)
        self._nursery.start_soon(running.read)
        self._nursery.start_soon(running.read_errors)
        return running

    def saved(self) -> Results:
        return Results.load(self.results)


@pytest.fixture
async def begin(command: tuple[str, ...], csms: CentralSystem, nursery: trio.Nursery, tmp_path: Path) -> Begun:
    return Begun(command, csms, nursery, tmp_path)


@pytest.mark.real_time
@pytest.mark.parametrize("processes", [1, 2])
async def test_all_is_well_and_the_report_says_so(csms: CentralSystem, begin: Begun, processes: int) -> None:
    running = await begin("--processes", str(processes), "--threshold", "BootNotification.max < 60s", "--rate", "20")
    assert await running.end() == 0, running.errors
    results = begin.saved()
    assert (results.is_complete, results.is_passed, results.why_ended) == (True, True, "done")
    assert results.actions["BootNotification"].results == 4
    assert sum(one.count for one in results.actions.values()) == len(csms.calls())
    assert [(one.number, one.charge_points, one.is_alive) for one in results.processes] == [
        (number, 4 // processes, True) for number in range(processes)
    ]
    assert running.said.endswith(b"passed\n")
    assert b"met     BootNotification.max < 60s" in running.said
    assert len({frame.charge_point for frame in Trace(begin.trace)}) == 4
    assert sorted(path.name for path in begin.trace.parent.iterdir()) == ["results.json", "short.toml", "trace.jsonl"]


@pytest.mark.real_time
async def test_a_threshold_that_is_not_met_is_exit_code_1(csms: CentralSystem, begin: Begun) -> None:
    csms.misbehave(Fault.DELAY, "BootNotification", times=2, seconds=0.5)
    running = await begin("--threshold", "BootNotification.p90 < 400ms", "--threshold", "BootNotification.p25 < 400ms")
    assert await running.end() == 1
    results = begin.saved()
    assert (results.is_complete, results.is_passed) == (True, False)
    assert [one.is_met for one in results.thresholds] == [False, True]
    assert b"NOT MET BootNotification.p90 < 400ms (it is " in running.said
    assert running.said.endswith(b"FAILED\n")


@pytest.mark.real_time
@pytest.mark.parametrize(
    ("processes", "number", "code"), [(1, signal.SIGINT, 130), (2, signal.SIGINT, 130), (1, signal.SIGTERM, 143)]
)
async def test_interrupted_it_leaves_what_it_knows(
    csms: CentralSystem, begin: Begun, processes: int, number: signal.Signals, code: int
) -> None:
    running = await begin("--processes", str(processes), "--duration", "600")
    for identity in ("CP00001", "CP00004"):
        await csms.wait_connected(identity, timeout=PATIENCE)
    running.process.send_signal(number)
    assert await running.end() == code, running.errors
    results = begin.saved()
    assert (results.is_complete, results.is_passed, results.why_ended) == (False, False, "interrupted")
    assert running.said.endswith(b"FAILED: not complete (interrupted)\n")
    assert results.actions["BootNotification"].count == len(csms.calls("BootNotification"))


@pytest.mark.real_time
async def test_a_child_that_is_killed_is_shown_and_the_others_go_on(csms: CentralSystem, begin: Begun) -> None:
    running = await begin("--processes", "2", "--duration", "2")
    await csms.wait_connected("CP00001", timeout=PATIENCE)
    await csms.wait_connected("CP00004", timeout=PATIENCE)
    os.kill(running.children()[0], signal.SIGKILL)
    assert await running.end() == 1
    results = begin.saved()
    assert (results.is_complete, results.is_passed, results.why_ended) == (False, False, "process lost")
    assert sorted((one.is_alive, one.ended) for one in results.processes) == [
        (False, "was killed by SIGKILL"),
        (True, "done"),
    ]
    assert results.seconds[-1].at >= 2
    assert b"was killed by SIGKILL" in running.said


@pytest.mark.real_time
async def test_killed_itself_it_leaves_a_report_and_no_children(csms: CentralSystem, begin: Begun) -> None:
    running = await begin("--processes", "2", "--duration", "600")
    with trio.fail_after(PATIENCE):
        while not (begin.results.exists() and begin.saved().seconds):  # noqa: ASYNC110 - it is another process
            await trio.sleep(0.1)
    running.process.kill()
    await running.end()
    results = begin.saved()
    assert (results.is_complete, results.is_passed, results.why_ended) == (False, False, "running")
    for identity in list(csms.connected):
        await csms.wait_disconnected(identity, timeout=PATIENCE)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "--csms is missing"),
        (
            ("--csms", "ws://x", "--scenario", "reconnect-storm", "--arrivals", "5"),
            "--arrivals: the drivers of reconnect-",
        ),
        (("--csms", "ws://x", "--threshold", "p99 < 1s"), "--threshold: threshold 'p99 < 1s', at character 1"),
        (("--csms", "ws://x", "--scenario", "usul"), "no scenario usul; did you mean usual?"),
        (("--csms", "ws://x", "--charge-points", "2", "--processes", "3"), "3 are too many for 2 charge points"),
        (("--csms", "ws://x", "--json", "nowhere/r.json"), "there is no folder nowhere that can be written"),
        (("--csms", "ws://x", "--json", "r", "--trace", "./r"), "--trace r: is the file of --json, too"),
        (("--csms", "ws://x", "--charge-points", "2", "--id", "CP"), "--id: the pattern CP needs the field number"),
        (("--csms", "ftp://x", "--charge-points", "1"), "CentralSystemURI"),
        (("--csms", "ws://x", "--blueprint", "nonsense"), "no blueprint nonsense"),
    ],
)
def test_what_cannot_be_run_is_said_at_once(
    ocpp16: Callable[..., Process], options: tuple[str, ...], said: str
) -> None:
    done = ocpp16("load", *options)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.real_time
async def test_a_disk_that_is_full_ends_no_test_and_hides_no_figures(csms: CentralSystem, begin: Begun) -> None:
    """No file may have as much as a byte."""
    small = begin.results.parent / "small.json"
    limit = ("bash", "-c", 'ulimit -f 0; exec "$@"', "bash")
    begin.command = (*limit, *begin.command)
    running = await begin("--duration", "2", "--json", str(small))
    assert await running.end() == 2, running.errors
    assert running.said.endswith(b"passed\n")
    assert running.errors.count(b"small.json: File too large; the test goes on") == 1
    assert f"--json {small}: File too large\n".encode() in running.errors
    assert not small.exists()
    assert not list(small.parent.glob(".*.new")), "nothing half is left"


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        (["--csms", "ws://127.0.0.1:1/"], 2, 'ocpp16: a load test needs an extra: pip install "ocpp16[load]"\n'),
        (["--help"], 0, ""),
    ],
)
def test_without_its_extra_it_says_which(asked: list[str], code: int, said: str) -> None:
    """Where it is not installed nothing of it can be imported."""
    away = "sys.modules['hdrh'] = sys.modules['prometheus_client'] = None"
    program = f"import sys; {away}; from ocpp16.cli import main; sys.argv[0] = 'ocpp16'; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", program, "load", *asked], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (done.returncode, done.stderr) == (code, said)
