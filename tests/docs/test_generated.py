"""The book, built as readers have it: every key, message, command, option, event and metric is on its page.

One build of the pages of reference, with a plain theme; that all can be built without a warning is for `ci/check`.
"""

import html
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import generated
import pytest

from ocpp16 import observer, station
from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.charge_point.events import StationEvents
from ocpp16.cli import main
from ocpp16.cli.command_line import root as command
from ocpp16.configuration.keys import BY_NAME
from ocpp16.load.exporter import LoadCollector
from ocpp16.load.results import Results
from ocpp16.messages.actions import ACTIONS, CARRIED
from ocpp16.metrics.prometheus import ChargePointCollector
from ocpp16.state.connector_table import TRANSITIONS, ConnectorEvent

DOCS = Path(generated.__file__).parent
PAGES = ("keys", "reference/messages", "reference/commands", "reference/events", "metrics", "load-reports")
PICTURED = ("state-machine", "design")


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("book")
    pages = ",".join(f"{page}.md" for page in (*PAGES, *PICTURED))
    options = {"root_doc": "keys", "include_patterns": pages, "html_theme": "basic"}
    settings = [part for name, value in options.items() for part in ("-D", f"{name}={value}")]
    command_line = [sys.executable, "-m", "sphinx", "-Q", "-E", *settings, str(DOCS), str(folder)]
    subprocess.run(command_line, check=True)
    return folder


def words(book: Path, page: str) -> str:
    """What a reader sees of a page, without tags."""
    text = (book / f"{page}.html").read_text(encoding="utf-8")
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def missing(names: Iterator[str] | list[str], text: str) -> list[str]:
    found = set(re.findall(r"[\w.\[\]-]+", text))
    return [name for name in names if name not in found]


def test_every_key(book: Path) -> None:
    assert len(BY_NAME) > 150
    assert missing([key.name for key in BY_NAME.values()], words(book, "keys")) == []


def test_every_message_and_member(book: Path) -> None:
    text = words(book, "reference/messages")
    assert missing([*ACTIONS, *CARRIED], text) == []
    assert missing(["meterValue[].sampledValue[].measurand", "idTagInfo.parentIdTag"], text) == []
    told = "connectorId integer yes at least 1, when we send it"
    assert text.partition("A transaction has begun")[2].partition("timestamp")[0].count(told) == 1
    assert "Energy.Active.Import.Register" in text


def commands(found: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, found
    if isinstance(found, click.Group):
        for name in found.list_commands(click.Context(found)):
            subcommand = found.get_command(click.Context(found), name)
            assert subcommand is not None
            yield from commands(subcommand, f"{path}-{name}")


def test_every_command_and_option(book: Path) -> None:
    text = (book / "reference" / "commands.html").read_text(encoding="utf-8")
    anchors = set(re.findall(r'id="([^"]+)"', text))
    expected = [path for path, _ in commands(command, "ocpp16")]
    assert len(expected) > 20
    assert [path for path in expected if path not in anchors and path != "ocpp16"] == []
    options = [
        f"cmdoption-{path}-{max(parameter.opts, key=len).lstrip('-') if isinstance(parameter, click.Option) else ''}"
        for path, found in commands(command, "ocpp16")
        for parameter in found.params
        if isinstance(parameter, click.Option) and not parameter.hidden
    ]
    assert len(options) > 150
    lowered = {anchor.lower() for anchor in anchors}
    assert [option for option in options if option.lower() not in lowered] == []


def test_every_event_and_question(book: Path) -> None:
    text = words(book, "reference/events")
    events = [
        kind
        for kind in vars(observer).values()
        if isinstance(kind, type) and issubclass(kind, observer.ObserverEvent) and kind is not observer.ObserverEvent
    ]
    assert len(events) > 25
    assert missing([event.__name__ for event in events], text) == []
    assert missing([field.name for event in events for field in fields(event)], text) == []
    told = [name for owner in (StationEvents, ChargePoint) for name in vars(owner) if name.startswith("on_")]
    assert len(told) > 20
    assert missing(told, text) == []
    asked = [
        name
        for kind in vars(station).values()
        if getattr(kind, "_is_protocol", False) and kind.__module__ == station.__name__
        for name, function in vars(kind).items()
        if not name.startswith("_") and inspect.isfunction(function)
    ]
    assert len(asked) > 20
    assert missing(asked, text) == []


def test_every_metric(book: Path) -> None:
    def names(collector: object) -> list[str]:
        found = collector.collect()  # type: ignore[attr-defined]
        return [f"{one.name}{'_total' if one.type == 'counter' else ''}" for one in found]

    of_charge_points = names(ChargePointCollector(()))
    assert len(of_charge_points) > 25
    assert missing(of_charge_points, words(book, "metrics")) == []
    of_load_tests = names(LoadCollector(lambda: Results.load(generated.LOAD_RESULTS)))
    assert len(of_load_tests) > 8
    assert missing(of_load_tests, words(book, "load-reports")) == []


def test_labels_are_told(book: Path) -> None:
    assert "ocpp16_connectors{status}" in words(book, "metrics")
    assert "ocpp16_repairs_total{repair}" in words(book, "metrics")
    assert "ocpp16_load_calls_total{action, outcome}" in words(book, "load-reports")


def test_every_edge_is_drawn(book: Path) -> None:
    text = (book / "state-machine.html").read_text(encoding="utf-8")
    for event in ConnectorEvent:
        edges = [f"{state} to {row[event]}" for state, row in TRANSITIONS.items() if event in row]
        assert f"<title>{event}: {'; '.join(edges)}</title>" in text
        picture = text.partition(f"<title>{event}:")[2].partition("</svg>")[0]
        assert picture.count("<path") == 2 * len(edges), "a curve and its head for each"
        assert picture.count("<rect") == len(TRANSITIONS)


def test_pictures_have_no_colour_of_their_own_but_the_accent(book: Path) -> None:
    """So they can be read on light and on dark."""
    for page in PICTURED:
        pictures = re.findall(r"<svg.*?</svg>", (book / f"{page}.html").read_text(encoding="utf-8"), re.DOTALL)
        assert any("currentColor" in picture for picture in pictures), page
        for picture in pictures:
            colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', picture))
            assert colours <= {"none", "currentColor", "#fff"} | {one for one in colours if one.startswith("var(--")}


def test_the_report_of_a_load_test_is_there_and_is_that_of_the_tutorial(book: Path) -> None:
    report = (book / "_static" / "load-report.html").read_text(encoding="utf-8")
    assert "Load test: morning" in report
    assert "SecurityEventNotification" in report
    for page in ("tutorials/testing.md", "load-reports.md"):
        assert "_static/load-report.html" in (DOCS / page).read_text()


def test_nothing_is_left_ungenerated(book: Path) -> None:
    for page in (*PAGES, *PICTURED):
        assert "generated:" not in (book / f"{page}.html").read_text(encoding="utf-8").replace("generated by", "")


def test_a_name_that_there_is_not_is_an_error() -> None:
    with pytest.raises(KeyError, match="telegrams"):
        generated.expanded("before\n<!-- generated: telegrams -->\n")


def test_every_generated_text_has_a_page() -> None:
    pages = "\n".join(path.read_text() for path in DOCS.rglob("*.md"))
    used = set(re.findall(r"^ *<!-- generated: ([\w -]+) -->$", pages, re.MULTILINE))
    assert used == set(generated.TEXTS)


@pytest.mark.parametrize("text", ["a | b", "two\nlines", "  many   blanks "])
def test_a_cell_stays_a_cell(text: str) -> None:
    (_, _, row) = generated.table(("A", "B"), [(text, "x")]).splitlines()
    assert len(re.findall(r"(?<!\\)\|", row)) == 3


SECTIONS = {
    section.partition("\n")[0].strip("`"): section
    for section in re.split(r"^## ", generated.expanded((DOCS / "command-line.md").read_text()), flags=re.MULTILINE)
}
"""Of the page of the command line, by command; what is above the first is under its title."""


def options_of(name: str) -> dict[str, click.Option]:
    """Of a command and its subcommands, but for those of every command."""
    return {
        option: parameter
        for _, one in commands(generated.command(name), name)
        for parameter in one.params
        if isinstance(parameter, click.Option)
        if not parameter.hidden and not generated.FOR_ALL.intersection(parameter.opts)
        for option in [*parameter.opts, *parameter.secondary_opts]
        if option.startswith("--")
    }


def told_options(text: str) -> list[str]:
    return re.findall(r"(?<![\w-])--[a-z][\w-]*", text)


def rows_of(section: str) -> list[list[str]]:
    """The cells of the rows that begin with an option."""
    rows = re.findall(r"^\| `--.* \|$", section, re.MULTILINE)
    return [re.split(r" (?<!\\)\| ", row.strip("| ")) for row in rows]


def test_the_page_of_the_command_line_tells_of_all_options_that_all_have() -> None:
    of_all = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    assert {*told_options(SECTIONS["# The command line"])} >= of_all


@pytest.mark.parametrize("name", command.list_commands(click.Context(command)))
def test_the_page_of_the_command_line_tells_every_option_and_no_other(name: str) -> None:
    options, section = options_of(name), SECTIONS[name]
    assert sorted(options.keys() - {*told_options(section)}) == []
    assert sorted({option for row in rows_of(section) for option in told_options(row[0])} - options.keys()) == []


def test_defaults_on_that_page_are_those_of_the_commands() -> None:
    compared = 0
    for name in command.list_commands(click.Context(command)):
        options = options_of(name)
        for first, told, *_ in (row for row in rows_of(SECTIONS[name]) if len(row) > 2):
            for default in (options[option].default for option in told_options(first)):
                if isinstance(default, int | float | str) and re.fullmatch(r"`?[\w.{}:-]+`?", told):
                    assert str(default).removesuffix(".0") == told.strip("`").removesuffix(".0"), (name, first)
                    compared += 1
    assert compared > 15


def test_the_scenario_of_that_page_comes_to_the_schedule_of_that_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    section = SECTIONS["schedule"]
    shown = re.search(r"^\$ ocpp16 schedule (\w+\.json) --explain\n(.*?)^…$", section, re.MULTILINE | re.DOTALL)
    scenario = re.search(r'^```json\n(\{\n  "name".*?)^```$', section, re.MULTILINE | re.DOTALL)
    assert shown
    assert scenario
    (tmp_path / shown[1]).write_text(scenario[1])
    assert main(["schedule", str(tmp_path / shown[1]), "--explain"]) == 0
    assert capsys.readouterr().out.startswith(shown[2])
