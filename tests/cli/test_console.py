"""The console: typed commands, what it shows, what it completes; as a process with piped lines and on a terminal."""

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from rich.console import Console

from ocpp16.cli.completion import CommandCompleter
from ocpp16.cli.results import rendered

PROFILE = {"id": 7, "purpose": "TxProfile", "stack_level": 2}
LIMIT = {"limit": 8.0, "unit": "A", "phases": None, "until": None}

Process = subprocess.CompletedProcess[str]


TRANSACTION = {
    "connector": 1,
    "transaction_id": None,
    "id_tag": "TAG",
    "started_at": "2026-01-01T00:00:00Z",
    "energy": 1500,
    "is_refused": True,
}
LISTED = {"id_tag": "TAG", "status": "Accepted", "expiry_date": None, "parent_id_tag": "GROUP"}


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("pl", {"plug_in"}),
        ("qu", {"queue", "quit"}),
        ("unplug ", {"1", "2", "connector="}),
        ("raise_fault 0 Ground", {"GroundFailure"}),
        ("raise_fault error=High", {"error=HighTemperature"}),
        ("raise_fault 0 HighTemperature ", {"true", "false", "fault="}),
        ("plug_in connector=1 dr", {"draw_after=", "draw_for="}),
        ("plug-in 1 cu", {"current="}),
        ("overrule unl", {"unlock_connector"}),
        ("charging_", {"charging_profiles", "charging_limit"}),
        ("clear_charging_profiles purpose=Tx", {"purpose=TxDefaultProfile", "purpose=TxProfile"}),
        ("composite_schedule 0 60 ", {"A", "W", "unit="}),
        ("change_availability 1 Op", {"Operative"}),
        ("nonsense ", set()),
    ],
)
def test_completion(typed: str, offered: set[str]) -> None:
    completions = CommandCompleter(2).get_completions(Document(typed), CompleteEvent())
    assert {completion.text for completion in completions} == offered


@pytest.mark.parametrize(
    ("command", "result", "texts"),
    [
        ("plug_in", None, ["ok"]),
        ("stop", False, ["nothing to do"]),
        ("change_configuration", "Rejected", ["Rejected"]),
        ("data_transfer", {"status": "Accepted", "data": "[red]x"}, ["Accepted [red]x"]),
        ("get_configuration", {"unknownKey": ["Foo"]}, ["unknown: Foo"]),
        (
            "get_configuration",
            {"configurationKey": [{"key": "A", "readonly": True, "value": "[1]"}]},
            ["A", "[1]", "read-only"],
        ),
        (
            "status",
            {
                "connectors": [
                    {
                        "connector": 1,
                        "status": "Charging",
                        "error": "NoError",
                        "session": "s",
                        "transaction_id": 7,
                        "limit": 8.0,
                    }
                ],
                "queue_depth": 3,
                "connection": False,
                "registration": None,
            },
            ["Charging", "7", "8 A", "not connected", "unknown", "3 messages"],
        ),
        (
            "composite_schedule",
            {
                "start": "2026-01-01T00:00:00Z",
                "duration": 60,
                "unit": "A",
                "periods": [{"start": 0, "limit": 16.0, "phases": None, "stack_level": 2}],
            },
            ["16", "60 s from 2026-01-01T00:00:00Z, in A\n"],
        ),
        ("reservations", [], ["no reservations"]),
        (
            "reservations",
            [{"reservation_id": 7, "connector": 0, "id_tag": "T", "parent_id_tag": None, "expiry_date": "2031-01-01"}],
            ["reservation id", "7", "T", "2031"],
        ),
        ("cancel_reservation", True, ["cancelled"]),
        ("cancel_reservation", False, ["there is no such reservation"]),
        ("drop", False, ["there is no connection"]),
        ("heartbeat", False, ["not sent"]),
        ("sample", True, ["taken"]),
        ("transactions", [], ["no transactions"]),
        ("transactions", [TRANSACTION], ["TAG", "2026-01-01T00:00:00Z", "1500 Wh", "refused"]),
        (
            "queue",
            {
                "count": 7,
                "messages": [
                    {
                        "sequence": 3,
                        "action": "StopTransaction",
                        "state": "apart",
                        "attempts": 2,
                        "payload": {"meterStop": 5},
                    }
                ],
            },
            ["StopTransaction", "apart", "meterStop=5", "1 of 7 messages that wait\n"],
        ),
        (
            "authorize",
            {**LISTED, "source": "the local list", "rule": "it is on it", "key": "LocalPreAuthorize"},
            ["Accepted: the local list, it is on it (LocalPreAuthorize)\n"],
        ),
        ("authorize", {**LISTED, "source": "", "rule": "", "key": None}, ["Accepted\n"]),
        ("configuration_origins", {}, ["all keys have their defaults"]),
        ("configuration_origins", {"HeartbeatInterval": "runtime"}, ["HeartbeatInterval", "runtime"]),
        ("clear_charging_profiles", 3, ["3 removed"]),
        ("charging_profiles", [], ["no charging profiles"]),
        (
            "charging_profiles",
            [{**PROFILE, "connector": 0, "kind": "Absolute", "unit": "A", "valid": False}],
            ["7", "TxProfile", "Absolute", "not now"],
        ),
        ("charging_limit", {**LIMIT, "limit": None}, ["no limit\n"]),
        ("charging_limit", {**LIMIT, "phases": 1, "until": "2026-01-01T00:00:00Z"}, ["8 A on 1 phase until 2026"]),
        (
            "explain_limit",
            {
                **LIMIT,
                "shared": True,
                "profile": PROFILE,
                "converted": True,
                "before_sharing": 16.0,
                "transaction": {**PROFILE, "limit": 11040.0, "unit": "W", "phases": 3, "comes_to": 16.0},
                "maximum": {**PROFILE, "id": 8, "limit": 32.0, "unit": "A", "phases": None, "comes_to": 32.0},
            },
            [
                "8 A\n",
                "a share: alone it could have 16 A",
                "TxProfile 7, stack level 2: 11040 W on 3 phases, which is 16 A, decides\n",
                "TxProfile 8, stack level 2: 32 A\n",
            ],
        ),
        (
            "explain_limit",
            {
                **LIMIT,
                "limit": None,
                "shared": False,
                "profile": None,
                "converted": False,
                "before_sharing": None,
                "transaction": None,
                "maximum": None,
            },
            ["no limit\nno charging profile applies now\n"],
        ),
        ("why", [], ["nothing was decided yet"]),
        (
            "why",
            [
                {
                    **LISTED,
                    "time": "2026-01-01T00:00:00Z",
                    "source": "the Central System",
                    "rule": "asked: not known here",
                    "key": None,
                }
            ],
            ["2026-01-01T00:00:00Z", "TAG", "Accepted", "the Central System", "asked: not known here"],
        ),
        ("local_list", {"version": 5, "count": 7, "entries": [LISTED]}, ["TAG", "GROUP", "version 5; 1 of 7 entries"]),
        ("cache", {"count": 0, "entries": []}, ["0 of 0 entries"]),
    ],
)
def test_results(command: str, result: Any, texts: list[str]) -> None:
    console = Console(file=StringIO(), width=120)
    console.print(rendered(command, result))
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert [text for text in texts if text not in printed] == []


@pytest.mark.world
def test_piped_lines(ocpp16: Callable[..., Process], write_configuration: Callable[..., Path]) -> None:
    typed = (
        b"# nothing\n\nplug_in 1 plug_after=0\nwait 0.2\nfly\nplug_in 9\nwait x\nstatus\n\xff\n"
        b"get_configuration Foo\nhelp\nstop\nrestart\n"
    )
    done = ocpp16("charge-point", "--maindir", "d", "--conf", str(write_configuration()), typed=typed)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    for text in (
        "connector 1: Preparing",
        "error: no command fly",
        "error: no connector 9",
        "error: wait needs",
        "unknown: Foo",
        "plug_in connector",
        "stopped: end of input",
    ):
        assert text in done.stdout
    assert done.stdout.splitlines().count("done") == 2
    assert "\x1b" not in done.stdout


class Typist:
    """The command on a terminal of its own."""

    def __init__(self, arguments: list[str], folder: Path) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            arguments,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"},
        )
        os.close(slave)
        self.seen = ""

    def see(self, text: str) -> None:
        """Read until `text` was printed; what was before it is forgotten."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.seen:
            assert time.monotonic() < deadline, f"no {text!r} in {self.seen!r}"
            if select.select([self._master], [], [], 0.1)[0]:
                self.seen += self._read()
        self.seen = self.seen.partition(text)[2]

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def exit_code(self) -> int:
        """Read on to the end."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < deadline
            if select.select([self._master], [], [], 0.1)[0]:
                self._read()
        return self.process.returncode

    def end(self) -> None:
        """However the test went."""
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def _read(self) -> str:
        try:
            return os.read(self._master, 65_536).decode("utf-8", "replace")
        except OSError:  # the other end of the terminal was closed
            return ""


@pytest.fixture
def typist(command: tuple[str, ...], write_configuration: Callable[..., Path], tmp_path: Path) -> Iterator[Typist]:
    options = ("--maindir", "d", "--conf", str(write_configuration()))
    typist = Typist([*command, "charge-point", *options], tmp_path)
    yield typist
    typist.end()


@pytest.mark.world
def test_on_a_terminal(typist: Typist) -> None:
    typist.see("cp001>")
    typist.type("unp")
    typist.see("unp")
    typist.type("\t")
    typist.see("lug")
    typist.type(" 1\r")
    typist.see("ok")
    typist.type("nonsense")
    typist.see("nonsense")
    typist.type("\x03")  # empties the line
    typist.type("quit\r")
    typist.see("stopped: quit")
    assert typist.exit_code() == 0


@pytest.mark.world
def test_control_c_on_an_empty_line(typist: Typist) -> None:
    typist.see("cp001>")
    typist.type("\x03")
    typist.see("stopped: SIGINT")
    assert typist.exit_code() == 130


@pytest.mark.world
@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_signals_at_the_input_line(typist: Typist, number: signal.Signals, exit_code: int) -> None:
    typist.see("cp001>")
    typist.type("half a li")
    typist.see("half a li")
    typist.process.send_signal(number)
    typist.see(f"stopped: {number.name}")
    assert typist.exit_code() == exit_code
