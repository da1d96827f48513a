"""Every example of README and pages runs, on the virtual clock; every command line is one that the command takes.

A block that is a program is run as it is; one that is a part of a program runs inside a coroutine, among the names that
its page speaks of. What is new on a page is run without being named here.
"""

import ast
import json
import re
import shlex
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

import click
import pytest
import trio
import trio.testing
from host_faces import TIMEOUT, Server

import ocpp16
from ocpp16 import enums, models
from ocpp16.charge_point.open import open_charge_point
from ocpp16.cli.command_line import root as command
from ocpp16.cli.log import LogChoice
from ocpp16.configuration.configuration import Configuration
from ocpp16.simulation import Commands, ControlInterface, Operation, SimulatedStation
from ocpp16.store.sqlite import SqliteStore
from ocpp16.testing import CallErrorAnswer, CentralSystem, Fault
from ocpp16.testing.stations import RecordingStation

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

CONFIG: dict[str, Any] = {
    "Internal": {
        "ChargePointId": "CP1",
        "CentralSystemURI": "ws://127.0.0.1:1/ocpp/",
        "ChargePointVendor": "V",
        "ChargePointModel": "M",
    },
    "Core": {"NumberOfConnectors": 1},
    "Security": {"SecurityProfile": 0},
}


RUN_ELSEWHERE = {"pytest.md": "test_example_project.py"}
"""Pages whose Python another test runs, for it is none of a program with trio."""


def blocks(*languages: str) -> Iterator[Any]:
    for page in PAGES:
        if "python" in languages and page.name in RUN_ELSEWHERE:
            continue
        for found in _BLOCK.finditer(page.read_text()):
            if found[1] in languages:
                line = page.read_text()[: found.start()].count("\n") + 1
                yield pytest.param(found[2], id=f"{page.name}:{line}")


class Silent:
    """An input without lines, and a place for output."""

    def __aiter__(self) -> "Silent":
        return self

    async def __anext__(self) -> bytes:
        await trio.sleep(5)
        raise StopAsyncIteration

    async def notify(self, event: object) -> None:
        pass


async def names_of_the_pages(csms: CentralSystem) -> dict[str, Any]:
    """What the parts of programs speak of."""
    return {
        **{name: getattr(ocpp16, name) for name in ocpp16.__all__},
        **vars(enums),
        **{name: value for name, value in vars(models).items() if not name.startswith("_")},
        "trio": trio,
        "csms": csms,
        "config": Configuration.load(CONFIG),
        "write": lambda *documents: None,
        "station": SimulatedStation(meter_interval=0),
        "observer": Silent(),
        "open_charge_point": partial(open_charge_point, connector=csms.connector),
        "CallErrorAnswer": CallErrorAnswer,
        "CentralSystem": CentralSystem,
        "Fault": Fault,
        "Commands": Commands,
        "ControlInterface": ControlInterface,
        "Operation": Operation,
        "MyStation": RecordingStation,
        "wanted": [],
        "settle_memory": lambda: None,  # not of the process of the tests
        "MyStore": SqliteStore.open,
        "sink": lambda line: None,
        "source": Silent(),
    }


@pytest.mark.parametrize("text", [*blocks("python")])
def test_an_example_in_python_runs(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "user_config.json").write_text("{}")
    text = text.replace('"/var/lib/station/', '"a/').replace('"/var/lib/', '"b/').replace('"/data/', '"c/')
    if re.search(r"^from ocpp16 import .*\b(?:aio|blocking)\b", text, re.MULTILINE):  # of a host that knows no trio
        with central_system() if "url" in text else nullcontext() as url:
            exec(compile(text, "example", "exec"), {"config": CONFIG, "station": RecordingStation(), "url": url})
    elif "trio.run(" in text:
        monkeypatch.setattr(trio, "run", partial(_run_for_a_while, trio.run))
        exec(compile(text, "example", "exec"), {"__name__": "__main__"})
    else:
        clock = trio.testing.MockClock(autojump_threshold=0)
        trio.run(_run_part, text, tmp_path, clock=clock)


@contextmanager
def central_system() -> Iterator[str]:
    """The address of one that any thread can reach."""
    server = Server()
    try:
        yield f"ws://127.0.0.1:{server.port}/"
    finally:
        server.thread.leave().result(TIMEOUT)


def _run_for_a_while(run: Callable[..., Any], main: Callable[[], Any]) -> None:
    async def bounded() -> None:
        with trio.move_on_after(120):
            await main()

    run(bounded, clock=trio.testing.MockClock(autojump_threshold=0))


async def _run_part(text: str, tmp_path: Path) -> None:
    async with CentralSystem() as csms, open_charge_point(CONFIG, RecordingStation(), connector=csms.connector) as cp:
        await cp.start()
        await cp.wait_registered()
        names = await names_of_the_pages(csms)
        names["charge_point"] = cp
        body = textwrap.indent(text, "    ")
        exec(compile(f"async def part():\n{body}\n    return locals()", "example", "exec"), names)
        made: dict[str, Any] = {}
        with trio.move_on_after(120):
            made = await names["part"]()
        for name in _tests_in(text):
            test = made[name]
            arguments: list[Any] = (
                [tmp_path] if "tmp_path" in test.__code__.co_varnames[: test.__code__.co_argcount] else []
            )
            arguments += [None] * (test.__code__.co_argcount - len(arguments))
            result = test(*arguments)
            if result is not None:
                await result


def _tests_in(text: str) -> list[str]:
    """Functions that the example shows as tests: they are called."""
    functions = (node for node in ast.parse(f"async def part():\n{textwrap.indent(text, '    ')}").body[0].body)  # type: ignore[attr-defined]
    return [
        node.name
        for node in functions
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]


@pytest.mark.parametrize("text", [*blocks("json")])
def test_an_example_in_json_is_json(text: str) -> None:
    for line in [text] if text.lstrip().startswith(("{\n", "[\n")) else text.splitlines():
        with suppress(IndexError):
            json.loads(line)


@pytest.mark.parametrize("text", [*blocks("console")])
def test_a_command_line_is_one_the_command_takes(text: str) -> None:
    lines = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
    assert lines
    for line in lines:
        words = shlex.split(line.rsplit("|", 1)[-1])
        if words[0] != "ocpp16":
            continue
        subcommand = command.get_command(click.Context(command), words[1])
        assert subcommand is not None, line
        subcommand.make_context(words[1], words[2:], obj=LogChoice(), resilient_parsing=True)
