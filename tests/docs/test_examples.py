"""Every example of README and pages runs, on the virtual clock; every command line is one that the command takes.

Sybil finds the blocks. One that is a program is run as it is; one that is a part of a program runs inside a coroutine,
among the names that its page speaks of. What is new on a page is run without being named here. A block that cannot run
says why in a comment before it, `<!-- skip: next "why" -->`, and is counted. Programs of the tutorials are files, which
`test_tutorials.py` runs.
"""

import ast
import configparser
import json
import re
import shlex
import textwrap
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
import trio
import trio.testing
import yaml
from host_faces import TIMEOUT, Server
from packaging.requirements import Requirement
from sybil import Document
from sybil.evaluators.skip import Skipper
from sybil.parsers.myst import CodeBlockParser, SkipParser

import ocpp16
from ocpp16 import enums, models
from ocpp16.charge_point.open import open_charge_point
from ocpp16.cli.command_line import root as command
from ocpp16.configuration.configuration import Configuration
from ocpp16.simulation import Commands, ControlInterface, Operation, SimulatedStation
from ocpp16.store.sqlite import SqliteStore
from ocpp16.testing import CallErrorAnswer, CentralSystem, Fault
from ocpp16.testing.stations import RecordingStation

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
EXAMPLES = {path.name for path in (DOCS / "examples").rglob("*") if path.is_file()}
LANGUAGES = ("python", "py", "json", "toml", "yaml", "ini", "console", "sh", "bash", "text")
"""`text` is what is printed, and not run; `py` are parts of programs that another test runs: here they are compiled."""
WITHOUT = {"literalinclude", "include", "toctree", "raw", "eval-rst"}
"""Directives: no blocks of a page's own."""
SKIPPED = 2
"""Blocks that say why they cannot run."""

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


class Block(NamedTuple):
    """why_not: the reason for which it is not run, else empty."""

    page: Path
    line: int
    language: str
    text: str
    why_not: str


def _found(page: Path) -> Iterator[Block]:
    parsers = [CodeBlockParser(language, lambda example: None) for language in LANGUAGES]
    document = Document.parse(str(page), SkipParser(), *parsers)
    language_of = {parser._evaluator: parser.language for parser in parsers}
    why_not = ""
    for example in document.examples():
        if isinstance(example.region.evaluator, Skipper):
            action, reason = example.parsed
            assert action == "next", f"{page.name}:{example.line}: only `skip: next` is counted"
            why_not = ast.literal_eval(reason)
            continue
        language = language_of[example.region.evaluator]
        yield Block(page, example.line, language, str(example.parsed), why_not)
        why_not = ""


ALL = [block for page in PAGES for block in _found(page)]


def blocks(*languages: str) -> Iterator[Any]:
    for block in ALL:
        if block.language in languages and not block.why_not:
            if block.language == "python" and block.page.name in RUN_ELSEWHERE:
                continue
            name = block.page.relative_to(ROOT if block.page.name == "README.md" else DOCS)
            yield pytest.param(block.text, id=f"{name}:{block.line}")


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


@pytest.mark.parametrize("text", [*blocks("py")])
def test_a_part_of_a_program_is_python(text: str) -> None:
    compile(text, "example", "exec")


@pytest.mark.parametrize("text", [*blocks("json")])
def test_an_example_in_json_is_json(text: str) -> None:
    for line in [text] if text.lstrip().startswith(("{\n", "[\n")) else text.splitlines():
        with suppress(IndexError):
            json.loads(line)


@pytest.mark.parametrize("text", [*blocks("toml")])
def test_an_example_in_toml_is_toml(text: str) -> None:
    assert tomllib.loads(text)


@pytest.mark.parametrize("text", [*blocks("yaml")])
def test_an_example_in_yaml_is_yaml(text: str) -> None:
    assert yaml.safe_load(text)


@pytest.mark.parametrize("text", [*blocks("ini")])
def test_an_example_in_ini_is_read(text: str) -> None:
    reader = configparser.ConfigParser()
    reader.read_string(f"[before]\n{text}")
    assert len(reader.sections()) > 1


@pytest.mark.parametrize("text", [*blocks("console", "sh", "bash")])
def test_a_command_line_is_one_that_is_there(text: str) -> None:
    """On a console what is typed stands behind `$`; a script has nothing else, and comments."""
    text = re.sub(r"<<'(\w+)'\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)  # what a program reads
    typed = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
    lines = typed or text.replace("\\\n", " ").splitlines()
    commands = [line for line in lines if shlex.split(line, comments=True)]
    assert commands
    for line in commands:
        _looked_at(line)


def _looked_at(line: str) -> None:
    words = shlex.split(line.rsplit("|", 1)[-1], comments=True)
    while words[0] == "sudo" or re.fullmatch(r"[A-Z][A-Z0-9_]*=.*", words[0]):  # an assignment to the environment
        del words[0]
    name = words[0].rpartition("/")[2] if "/bin/" in words[0] else words[0]  # of an environment somewhere
    assert name in COMMANDS, line
    COMMANDS[name](words[1:])


def _ours(words: list[str]) -> None:
    """Its options are there. Values are not looked at: files and folders are those of the reader."""
    found: click.Command = command
    while isinstance(found, click.Group):
        subcommand = found.get_command(click.Context(found), words[0])
        assert subcommand is not None, words
        found = subcommand
        del words[0]
    found.make_parser(click.Context(found)).parse_args(words)


def _python(words: list[str]) -> None:
    if words[0] == "-m":
        assert words[1] in {"venv", "pip", "pytest", "compileall"}
        if words[1] == "pip":
            _pip(words[2:])
    elif words[0] not in {"-", "-c"}:  # a program that stands there, or on the line
        assert words[0] in EXAMPLES


def _pip(words: list[str]) -> None:
    """What is asked of us has its extras; what is asked of others is a requirement."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert words[0] in {"download", "install", "uninstall", "wheel"}
    following = iter(words[1:])
    for word in following:
        if word in _WITH_VALUE:
            next(following)
        elif word.startswith("-") or word.endswith(".tar.gz"):
            continue
        elif word.startswith("."):
            folder, _, named = word.rstrip("]").partition("[")
            assert folder in {".", "../ocpp16"}
            assert set(filter(None, named.split(","))) <= {*extras}, word
        else:
            requirement = Requirement(word)
            assert requirement.name != "ocpp16" or requirement.extras <= {*extras}, word


_WITH_VALUE = {"--abi", "--find-links", "--implementation", "--only-binary", "--platform", "-d", "-r", "-w"}


def _pytest(words: list[str]) -> None:
    known = set(re.findall(r'"(--ocpp16[\w-]+)"', SETTINGS.read_text()))
    for word in words:
        if word.startswith("--ocpp16"):
            assert word.partition("=")[0] in known
        elif word.startswith("tests"):
            assert (ROOT / word).exists()


def _in_the_clone(words: list[str]) -> None:
    """A program of `ci/`: that it is there is known by its name."""


def _of_the_system(words: list[str]) -> None:
    """Commands of the operating system: its business."""


SETTINGS = ROOT / "ocpp16" / "pytest_plugin" / "settings.py"
COMMANDS: dict[str, Callable[[list[str]], None]] = {
    "ocpp16": _ours,
    "python": _python,
    "python3": _python,
    "pip": _pip,
    "pytest": _pytest,
    **{f"ci/{path.name}": _in_the_clone for path in (ROOT / "ci").iterdir() if path.is_file()},
    **dict.fromkeys(
        (
            ".",
            "apt",
            "apt-get",
            "cd",
            "dbus-run-session",
            "echo",
            "export",
            "install",
            "journalctl",
            "locust",
            "mkdir",
            "openssl",
            "pkill",
            "podman",
            "rm",
            "swtpm",
            "systemctl",
            "touch",
            "tpm2-abrmd",
            "useradd",
            "uv",
        ),
        _of_the_system,
    ),
}


def test_every_block_is_of_a_language_that_is_looked_at() -> None:
    for page in PAGES:
        told = re.findall(r"^ *```+([^\n`]*)$", page.read_text(), re.MULTILINE)[::2]
        names = {info.strip("{").partition("}")[0].strip() if info.startswith("{") else info for info in told}
        assert names <= {*LANGUAGES, *WITHOUT}, page


def test_what_is_not_run_says_why_and_is_counted() -> None:
    reasons = [block.why_not for block in ALL if block.why_not]
    assert len(reasons) == SKIPPED
    assert all(len(reason.split()) > 4 for reason in reasons)


def test_blocks_are_found() -> None:
    found = {language: sum(block.language == language for block in ALL) for language in LANGUAGES}
    assert found["python"] >= 60
    assert found["console"] >= 60
    assert found["json"] >= 5


def test_every_extra_is_told_with_what_it_brings() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", (DOCS / "installing.md").read_text(), re.MULTILINE))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert told.keys() == extras.keys()
    for extra, requirements in extras.items():
        for requirement in map(Requirement, requirements) if extra != "test" else ():
            names = {f"`{one}`" for one in requirement.extras} or {requirement.name}
            assert {name for name in names if name not in told[extra]} == set(), extra
