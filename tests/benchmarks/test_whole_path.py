"""The benchmarks of the whole path still work: each in the smallest numbers, with real processes and sockets."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import children
import durable
import fleet
import large_fleet
import large_station
import pytest
import run
import tls

pytestmark = pytest.mark.world


def test_fleet_and_peer() -> None:
    ours, theirs = fleet.of_ours(3), fleet.of_the_peer(3, "unvalidated")
    assert ours["calls"] == 16
    assert all(found["cpu_us_per_call"] > 0 and found["boot_ms"] > 0 for found in (ours, theirs))


def test_large_station() -> None:
    found = large_station.of(3, 1)
    assert 0 < found["started_s"] < large_station.LIMIT
    assert found["step_ms"] > 0


def test_durable_starts() -> None:
    assert durable.of(2, 2)["starts_per_second"] > 0


def test_tls() -> None:
    found = {kind: tls.of(kind, 3) for kind in ("plain", "full", "bare", "resuming")}
    assert all(one["cpu_ms"] > 0 and one["per_second"] > 0 for one in found.values())
    assert [tls.of(kind, 3)["contexts"] for kind in ("held", "held_plain")] == [1, 0]


def test_large_fleet() -> None:
    for is_tls in (False, True):
        assert large_fleet.of("held", 2, is_tls=is_tls)["seconds"] > 0
    again = large_fleet.of("reconnecting", 1, is_tls=True)
    assert again["reconnects"] == large_fleet.ROUNDS * large_fleet.EACH


def test_parts_run_with_whatever_plugins_are_installed() -> None:
    """As `ci/bench` and whoever types `pytest`: what others bring for their tests does not end ours."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_DISABLE_PLUGIN_AUTOLOAD"}
    command = [sys.executable, str(children.HERE / "run.py"), "websocket", "--quick"]
    ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert ran.returncode == 0, ran.stdout
    assert "1 passed" in ran.stdout


def test_a_child_that_fails_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match=r"fleet\.py 1 none failed: exit code 1"):
        children.measured("fleet.py", 1, "none")
    assert "ValueError" in capfd.readouterr().err


def test_ctrl_c_ends_what_was_started(tmp_path: Path) -> None:
    """The benchmark is told; its children are in sessions of their own, and are ended by it."""
    program = (
        "import os, sys, children\n"
        f"sys.path.insert(0, {str(children.HERE)!r})\n"
        "with children.central_system() as server:\n"
        "    with children._started('fleet.py', 0, server.port, 2000) as process:\n"
        "        print(server._process.pid, process.pid, flush=True)\n"
        "        process.wait()\n"
    )
    benchmark = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"PYTHONPATH": str(children.HERE)},
    )
    assert benchmark.stdout is not None
    started = benchmark.stdout.readline().split()
    benchmark.send_signal(signal.SIGINT)
    benchmark.communicate(timeout=60)
    assert len(started) == 2
    assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]


def test_what_is_missed_is_said_and_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "figures"
    line = {"name": "a.b", "text": "a CALL", "value": 200.0, "unit": "µs", "at_most": 150.0, "at_least": None}
    kept.write_text(json.dumps(line) + "\n")
    monkeypatch.setattr(run, "run", lambda name, *, is_quick: True)
    monkeypatch.setenv("OCPP16_FIGURES", "")
    for options, code in ([], 1), (["--quick"], 0):
        monkeypatch.setattr("sys.argv", ["run.py", "fleet", "--figures", str(kept), *options])
        assert run.main() == code
        assert "missed: a CALL: 200 µs, demanded ≤ 150 µs" in capsys.readouterr().err
