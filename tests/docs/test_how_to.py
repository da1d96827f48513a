"""The programs of the how-tos, as they lie in docs/examples, and the files that they give to others."""

import json
import re
import shlex
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from patience import PATIENCE
from programs import CentralSystemProgram
from typed_program import TypedProgram, status

import ocpp16
from ocpp16.cli.command_line import root as command

pytestmark = pytest.mark.world

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
Folders = Callable[[str], Path]


@pytest.mark.parametrize("stays", [True, False])
def test_a_session_goes_on_after_a_power_cut(csms: CentralSystemProgram, folder_of: Folders, stays: bool) -> None:
    folder = folder_of("power-loss")
    contact = folder / "contact"
    contact.touch()
    with TypedProgram("resume.py", f"{csms.url}/", folder=folder) as program:
        program.prints("^begins$")
        csms.wait_for_request("MeterValues")
        program.process.kill()
        program.process.wait()
    if not stays:
        contact.unlink()
    with TypedProgram("resume.py", f"{csms.url}/", folder=folder) as program:
        if stays:
            assert int(program.prints("goes on at").split()[3]) > 1000
            status(csms, 1, "Charging", 2)
            contact.unlink()
        stopped = csms.wait_for_request("StopTransaction")
        assert stopped["reason"] == ("EVDisconnected" if stays else "PowerLoss")
        assert stopped["meterStop"] > 1000
        assert program.ends() == 0, program.text
    assert len({one["timestamp"] for one in csms.received("StartTransaction")}) == 1
    assert len(csms.received("StopTransaction")) == 1


def test_the_service_tells_that_it_is_ready_lives_and_ends(
    csms: CentralSystemProgram, folder_of: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of("systemd")
    for name in ("state", "logs", "configuration"):
        (folder / name).mkdir()
    who = {"ChargePointId": "cp001", "CentralSystemURI": csms.url, "ChargePointVendor": "V", "ChargePointModel": "M"}
    (folder / "configuration" / "config.json").write_text(json.dumps({"Internal": who}))
    directories = {f"{name.upper()}_DIRECTORY": str(folder / name) for name in ("state", "logs", "configuration")}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        monkeypatch.chdir(folder)  # addresses of sockets are short
        systemd.bind("notify")
        systemd.settimeout(PATIENCE)
        environment = {**directories, "NOTIFY_SOCKET": "notify", "WATCHDOG_USEC": "400000"}
        with TypedProgram("station.py", folder=folder, **environment) as program:
            told = [systemd.recv(100) for _ in range(4)]
            while b"READY=1" not in told:
                told.append(systemd.recv(100))
            assert set(told) == {b"READY=1", b"WATCHDOG=1"}
            csms.wait_for_request("BootNotification")
            assert program.ends(signal.SIGTERM) == 0, program.text
            while b"STOPPING=1" not in told:
                told.append(systemd.recv(100))
    assert {path.name for path in folder.iterdir()} == {
        "station.py",
        "station.service",
        "notify",
        "state",
        "logs",
        "configuration",
    }
    assert (folder / "state" / "cp001.db").exists()
    assert list((folder / "logs").iterdir())


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_the_unit_is_one() -> None:
    unit = EXAMPLES / "systemd" / "station.service"
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if unit.name in line and "not executable" not in line]
    assert complaints == []
    rating = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", str(unit)], capture_output=True, text=True, check=False
    )
    if found := re.search(r"exposure level for station.service: ([\d.]+)", rating.stdout):
        assert float(found[1]) < 2


def scripts(name: str) -> list[str]:
    """What a workflow has a shell do."""
    workflow: dict[str, Any] = yaml.safe_load((EXAMPLES / "load-test-in-ci" / name).read_text())
    if name == "gitlab.yml":
        return list(workflow["load"]["script"])
    return [step["run"] for step in workflow["jobs"]["load"]["steps"] if "run" in step]


@pytest.mark.parametrize("name", ["github.yml", "gitlab.yml"])
def test_a_workflow_is_shell_and_tests_with_what_there_is(name: str, folder_of: Folders) -> None:
    """Its Central System is started and waited for as it says; the load test has options that there are."""
    folder = folder_of("tester")
    shutil.copy(EXAMPLES / "central-system-tests" / "central_system.py", folder)
    *_, load = said = scripts(name)
    for script in said:
        subprocess.run(["bash", "-n", "-c", script], check=True)
    words = shlex.split(load)
    assert words[:2] == ["ocpp16", "load"]
    subcommand = command.get_command(click.Context(command), "load")
    assert subcommand is not None
    subcommand.make_parser(click.Context(subcommand)).parse_args(words[2:])
    assert (folder / words[words.index("--scenario") + 1]).exists()
    assert words[words.index("--junit") + 1] == "load.xml"


def test_both_workflows_do_the_same() -> None:
    of_github, of_gitlab = (" ".join(scripts(name)).split() for name in ("github.yml", "gitlab.yml"))
    assert of_github == of_gitlab


def test_what_is_said_when_something_is_wrong_is_said_somewhere() -> None:
    """The messages of the page, and the names of events, keys and counters on it."""
    page = (EXAMPLES.parent / "how-to" / "when-something-is-wrong.md").read_text()
    said = "\n".join(path.read_text(encoding="utf-8") for path in Path(ocpp16.__path__[0]).rglob("*.py"))
    spans = {part.strip(" :;?") for span in re.findall(r"`([^`]+)`", page) for part in re.split("…|[:,;] ", span)}
    names = {span for span in spans if re.fullmatch(r"[\w.]{6,}", span)} - {"ocpp16"}
    messages = {span for span in spans if " " in span and not span.startswith(("ocpp16 ", "pip ", "async "))}
    messages.remove("certificate signature failure")  # that of OpenSSL
    assert len(names) > 15
    assert len(messages) > 10
    assert sorted(span for span in names | messages if span.rpartition(".")[2] not in said) == []
