"""`ocpp16 scenario`: what there is, whether a file can be played, and a run as a process, with its exit code."""

import json
import signal
import subprocess
from pathlib import Path

import pytest
import trio
from patience import PATIENCE

from ocpp16.cli import main
from ocpp16.scenario import READY_MADE, text_of
from ocpp16.testing import CallErrorAnswer, CentralSystem

RUN = ("--charge-points", "3", "--id", "S{number}", "--duration", "2")


def test_list_and_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(READY_MADE)
    assert main(["scenario", "show", "TC_010_CSMS"]) == 0
    assert capsys.readouterr().out == text_of("TC_010_CSMS")
    assert main(["scenario", "show", "TC_10"]) == 2
    assert "no scenario TC_10; did you mean" in capsys.readouterr().err


def test_check(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["scenario", "check", "office-day"]) == 0
    assert "  drivers staff: drawn\n" in capsys.readouterr().out
    file = tmp_path / "town.toml"
    file.write_text('[[stage]]\nkind = "ramp"\n[[stage]]\nkind = "hld"\n')
    assert main(["scenario", "check", str(file)]) == 2
    assert f"{file}: [[stage]] 2 kind: 'hld' is none of ramp, hold, storm" in capsys.readouterr().err
    file.write_text(
        '[fleet]\nblueprint = "dc-50kw"\n[[drivers]]\narrivals = { kind = "every", seconds = 9 }\n'
        'cars = [{ model = "plug-in-hybrid" }]\n'
    )
    assert main(["scenario", "check", str(file)]) == 2
    assert "the car has no inlet for DC" in capsys.readouterr().err
    assert main(["scenario", "check", "TC_003_CSMS", "--set", "card"]) == 2
    assert "--set card: write NAME=TEXT" in capsys.readouterr().err
    assert main(["scenario", "check", "TC_003_CSMS", "--set", "crad=X"]) == 2
    assert "no key crad; did you mean card" in capsys.readouterr().err


def test_what_a_file_says_of_itself_moves_no_cursor(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    said = "\\u001b[2J\\u0007"
    file = tmp_path / "town.toml"
    file.write_text(
        f'text = "{said}"\n[[stage]]\nkind = "ramp"\nname = "{said}"\n[[drivers]]\nname = "{said}"\n'
        f'arrivals = {{ kind = "every", seconds = 9 }}\n'
    )
    assert main(["scenario", "check", str(file)]) == 0
    told = capsys.readouterr().out
    assert told.count("\\x1b[2J\\x07") == 3
    assert all(line.isprintable() for line in told.splitlines())


def test_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "schema"]) == 0
    published = Path(__file__).parents[2] / "share" / "scenario.schema.json"
    assert capsys.readouterr().out == published.read_text()


@pytest.mark.world
@pytest.mark.real_time
@pytest.mark.parametrize("is_right", [True, False])
async def test_a_run_decides_the_exit_code(command: tuple[str, ...], is_right: bool) -> None:
    async with CentralSystem() as csms:
        if not is_right:
            csms.answers["StatusNotification"] = CallErrorAnswer("InternalError", "no")
        port = await csms.listen("127.0.0.1", 0)
        arguments = [*command, "scenario", "run", "boot-storm", "--csms", f"ws://127.0.0.1:{port}/", *RUN]
        with trio.fail_after(PATIENCE):
            done = await trio.run_process(
                [*arguments, "--json", "--speed", "2"], capture_stdout=True, capture_stderr=True, check=False
            )
        outcome = json.loads(done.stdout)
        assert done.returncode == (0 if is_right else 1)
        assert outcome["is_passed"] is is_right
        assert outcome["counts"]["charge points"] == 3
        assert b"connected, " in done.stderr
        if not is_right:
            (unmet,) = [one for one in outcome["expectations"] if not one["is_met"]]
            assert unmet["failures"][0]["why"].endswith("was answered with CALLERROR InternalError")


@pytest.mark.world
@pytest.mark.real_time
async def test_ctrl_c_leaves_a_true_report(command: tuple[str, ...]) -> None:
    async with CentralSystem() as csms, trio.open_nursery() as nursery:
        port = await csms.listen("127.0.0.1", 0)
        arguments = [*command, "scenario", "run", "soak", "--csms", f"ws://127.0.0.1:{port}/", "--charge-points", "1"]
        process = await trio.lowlevel.open_process(
            [*arguments, "--speed", "100"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        output = bytearray()

        async def read(stream: trio.abc.ReceiveStream | None, kept: bytearray) -> None:
            assert stream is not None
            async for chunk in stream:
                kept += chunk

        nursery.start_soon(read, process.stdout, output)
        nursery.start_soon(read, process.stderr, bytearray())
        await csms.wait_for_call("BootNotification", timeout=PATIENCE)
        process.send_signal(signal.SIGINT)
        with trio.fail_after(PATIENCE):
            assert await process.wait() == 130
    text = output.decode()
    assert "note: the scenario was ended before its end" in text
    assert text.endswith("ended before its end\n")


def test_what_cannot_be_run(capsys: pytest.CaptureFixture[str]) -> None:
    usual = ["scenario", "run", "boot-storm", "--csms", "ws://127.0.0.1:1/"]
    assert main([*usual, "--id", "CP", "--charge-points", "2"]) == 2
    assert "--id: the pattern CP needs the field number" in capsys.readouterr().err
    assert main([*usual, "--blueprint", "ac"]) == 2
    assert "no blueprint ac; there are ac-22kw" in capsys.readouterr().err
    assert main([*usual, "--key", "Core.HeartbeatIntervall=1"]) == 2
    assert "HeartbeatIntervall" in capsys.readouterr().err
