"""What is wrong with a command line is told in one line for each problem, with exit code 2 and without a traceback."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec as real_find_spec
from pathlib import Path
from typing import Any

import click
import pytest

from ocpp16 import __version__
from ocpp16.cli import main
from ocpp16.cli.command_line import SUBCOMMANDS, root
from ocpp16.cli.failure import Explanation

Process = subprocess.CompletedProcess[str]

CONNECTED = ("charge-point", "--csms", "ws://127.0.0.1:1/", "--id", "cp")

WRONG = {
    "no subcommand of that name": (("deom",), "deom"),
    "an option of the command": (("--sped",), "--sped"),
    "an option of a subcommand": (("demo", "--sped", "3"), "--sped"),
    "a number": (("demo", "--speed", "fast"), "--speed"),
    "a number out of range": (("demo", "--speed", "0"), "--speed"),
    "a port": (("central-system", "--port", "70000"), "--port"),
    "a missing port": (("central-system",), "--port"),
    "nothing to connect to": (("charge-point",), "--csms"),
    "a kind of control": (("charge-point", "--maindir", "d", "--control", "xml"), "--control"),
    "a number that is none": (("demo", "--speed", "nan"), "nan is no number"),
    "a ping that never comes": (("proxy", "--listen", "127.0.0.1:0", "--csms", "ws://x", "--ping", "nan"), "nan is no"),
    "a patience that is none": (("replay", __file__, "--csms", "ws://x", "--patience", "nan"), "nan is no number"),
    "a fleet at no speed": (("fleet", "--csms", "ws://x", "--speed", "nan"), "nan is no number"),
    "a load without end": (("load", "--csms", "ws://x", "--duration", "inf"), "inf is not in the range"),
    "a scenario at no rate": (("scenario", "run", "usual", "--rate", "nan"), "nan is no number"),
    "a heartbeat that no message can tell": (
        ("central-system", "--port", "0", "--heartbeat", "4294967296"),
        "--heartb",
    ),
    "a folder for logs below a file": ((*CONNECTED, "--message-log", f"{__file__}/x"), "--message-log: "),
    "a folder for sessions below a file": ((*CONNECTED, "--session-log", f"{__file__}/x"), "--session-log: "),
    "log settings in a device": ((*CONNECTED, "--logconf", os.devnull), "cannot be read: it is no regular"),
    "a log level": (("demo", "--log-level", "loud"), "--log-level"),
    "a configuration that is not there": (("charge-point", "--maindir", "d", "--conf", "nope.json"), "nope.json"),
    "station options that are not there": (("charge-point", "--maindir", "d", "--station", "nope.json"), "nope.json"),
    "a share folder that is not there": (("charge-point", "--maindir", "d", "--share", "nope"), "nope"),
    "log settings that are not there": (
        ("charge-point", "--maindir", "d", "--logconf", "nope.ini"),
        "nope.ini: cannot be read: No such",
    ),
    "a TLS folder that is not there": (("central-system", "--port", "0", "--tls", "nope"), "chain.pem"),
}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def errors_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """The lines that a command line that cannot be used leads to."""
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert all(line.startswith("ocpp16") for line in lines)
    return lines


@pytest.mark.parametrize(("arguments", "named"), WRONG.values(), ids=WRONG)
def test_one_line_names_what_is_wrong(
    arguments: tuple[str, ...], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = errors_of(capsys, *arguments)
    assert named in line


def test_log_settings_that_lack_something(capsys: pytest.CaptureFixture[str]) -> None:
    Path("log.ini").write_text("[loggers]\nkeys=root\n")
    assert errors_of(capsys, *CONNECTED, "--logconf", "log.ini") == ["ocpp16: log.ini: formatters is missing"]


def test_all_problems_of_a_configuration_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    internal = dict.fromkeys(("ChargePointId", "CentralSystemURI", "ChargePointVendor", "ChargePointModel"), "x")
    document = {"Internal": internal, "Core": {"HeartbeatIntervall": 3, "LightIntensity": 101}}
    Path("cp.json").write_text(json.dumps(document))
    lines = errors_of(capsys, "charge-point", "--maindir", "d", "--conf", "cp.json")
    assert len(lines) == 2
    assert all("cp.json" in line for line in lines)
    assert "HeartbeatIntervall" in lines[0]
    assert "HeartbeatInterval" in lines[0]
    assert "LightIntensity" in lines[1]
    assert not Path("d").exists()


def test_bad_json_is_told_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("cp.json").write_text('{\n  "Core": {,}\n}')
    (line,) = errors_of(capsys, "charge-point", "--maindir", "d", "--conf", "cp.json")
    assert "cp.json:2:" in line


def test_all_bad_station_options_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("station.json").write_text('{"fuse_limits": 2, "phases": 4}')
    lines = errors_of(capsys, "charge-point", "--maindir", "d", "--station", "station.json")
    assert ["fuse_limits" in lines[0], "phases" in lines[1], len(lines)] == [True, True, 2]


def test_another_number_of_connectors(capsys: pytest.CaptureFixture[str]) -> None:
    Path("station.json").write_text('{"connectors": 3}')
    (line,) = errors_of(capsys, "charge-point", "--maindir", "d", "--station", "station.json")
    assert "connectors" in line


def test_a_folder_that_cannot_be_made(capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").touch()
    (line,) = errors_of(capsys, "charge-point", "--maindir", "file/d")
    assert "file/d" in line


def test_what_the_list_says_of_a_subcommand_is_what_it_says_itself() -> None:
    context = click.Context(root)
    for name, (_, said) in SUBCOMMANDS.items():
        command = root.get_command(context, name)
        assert command is not None
        assert command.get_short_help_str(200) == said


def test_the_list_waits_for_no_subcommand() -> None:
    program = (
        "import sys\n"
        "from ocpp16.cli import main\n"
        "main(['--help'])\n"
        "from ocpp16.cli.command_line import SUBCOMMANDS\n"
        "sys.exit(' '.join(place for place, _ in SUBCOMMANDS.values() if place.partition(':')[0] in sys.modules))\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.stderr == "\n"
    assert "everest-module" in ran.stdout


@pytest.mark.parametrize("subcommand", SUBCOMMANDS)
def test_help(subcommand: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([subcommand, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"ocpp16 {subcommand}" in shown
    assert "--log-level" in shown


@pytest.mark.parametrize("arguments", [[], ["--help"]], ids=["nothing", "--help"])
def test_help_of_the_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert all(subcommand in shown for subcommand in SUBCOMMANDS)


def test_the_list_of_subcommands_cuts_no_line_short(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out.split("Commands:\n")[1].splitlines()
    assert [line.split()[0] for line in listed] == list(SUBCOMMANDS)
    assert all(line.endswith(".") and not line.endswith("...") for line in listed)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"ocpp16 {__version__}\n"


@pytest.mark.parametrize("missing", ["click", "rich", "prompt_toolkit"])
def test_without_the_extra(missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def find_spec(name: str) -> Any:
        return None if name == missing else real_find_spec(name)

    monkeypatch.setattr("ocpp16.cli.find_spec", find_spec)
    assert main(["demo"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert 'pip install "ocpp16[cli]"' in line


def test_help_needs_no_terminal_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts for people are not loaded where JSON lines are served."""
    code = (
        "import sys; from ocpp16.cli import main; main(['charge-point', '--help'])\n"
        "loaded = {'prompt_toolkit', 'asyncio'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def starting(subcommand: str, place: str, happens: str) -> subprocess.CompletedProcess[str]:
    """The command, in which something happens while the module `place` is imported."""
    code = (
        "import os, signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {place!r}: {happens}\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from ocpp16.cli import main\n"
        f"sys.exit(main([{subcommand!r}, '--help']))\n"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.mark.parametrize("place", ["ocpp16.cli.command_line", "ocpp16.cli.charge_point"])
@pytest.mark.parametrize(
    "happens",
    [
        "raise KeyboardInterrupt",
        'exec("raise KeyboardInterrupt")',  # as in a dataclass
        "os.kill(os.getpid(), signal.SIGINT)",
    ],
)
def test_an_interrupt_while_parts_are_imported_is_an_end_like_any_other(place: str, happens: str) -> None:
    done = starting("charge-point", place, happens)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "")


def test_an_interrupt_waits_for_the_end_of_an_import() -> None:
    """orjson and others that are native crash the process if it is raised in their first lines."""
    interrupted = "os.kill(os.getpid(), signal.SIGINT); print('still there')"
    done = starting("charge-point", "orjson", interrupted)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "still there\n", "")


def test_an_interrupt_while_a_class_is_made_is_one_too() -> None:
    done = starting(
        "charge-point", "ocpp16.cli.charge_point", "raise RuntimeError('__set_name__') from KeyboardInterrupt()"
    )
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "")


@pytest.mark.parametrize(
    ("subcommand", "code"), [("demo", 143), ("schedule", 143), ("charge-point", 0), ("central-system", 0), ("fleet", 0)]
)
@pytest.mark.parametrize("place", ["ocpp16.cli.command_line", "ocpp16.cli.failure"])
def test_who_is_told_to_end_while_it_starts_ends(subcommand: str, code: int, place: str) -> None:
    done = starting(subcommand, place, "os.kill(os.getpid(), signal.SIGTERM)")
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def test_a_path_that_nobody_may_look_at_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pki", "x" * 300]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ocpp16: /")
    assert line.endswith(": File name too long")
    denied = Explanation(ExceptionGroup("", [PermissionError(errno.EACCES, "Permission denied", "/srv/c.json")]))
    assert (denied.lines, denied.exit_code, denied.is_unexpected) == (["/srv/c.json: Permission denied"], 2, False)
    assert Explanation(PermissionError(errno.EACCES, "Permission denied")).is_unexpected


@pytest.mark.world
def test_a_terminal_without_arrows_is_no_reason_to_end(ocpp16: Callable[..., Process]) -> None:
    done = ocpp16("demo", at_once=True, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0, done.stderr
    assert "BootNotification" in done.stdout
    assert "Error" not in done.stderr


@pytest.mark.world
def test_as_a_module(ocpp16: Callable[..., Process]) -> None:
    done = ocpp16("--version")
    assert (done.returncode, done.stdout) == (0, f"ocpp16 {__version__}\n")
    done = ocpp16("demo", "--sped")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
