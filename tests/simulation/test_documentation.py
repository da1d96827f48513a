"""The documentation of the station names every option, command, argument and event, and no others."""

import re
from dataclasses import fields
from pathlib import Path

from ocpp16.simulation import StationOptions
from ocpp16.simulation.command_table import COMMANDS
from ocpp16.simulation.overrule import ANSWERS

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "simulated-station.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    section = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def named(cell: str) -> list[str]:
    return re.findall(r"`([a-z_]+)`", cell)


def test_every_event_that_is_shown_has_its_time() -> None:
    shown = [line for path in DOCS.glob("*.md") for line in path.read_text(encoding="utf-8").splitlines()]
    events = [line for line in shown if '{"event":' in line]
    assert len(events) >= 3
    assert all('"time":' in line for line in events), events


def test_options() -> None:
    assert [name for row in rows("Options") for name in named(row[0])] == [
        field.name for field in fields(StationOptions)
    ]


def test_commands_and_their_arguments() -> None:
    documented = {named(row[0])[0]: (named(row[1]), "†" in row[0]) for row in rows("Commands")}
    built = {
        name: ([argument.name for argument in command.arguments], command.is_deferred)
        for name, command in COMMANDS.items()
    }
    assert documented == built


def test_every_question_that_can_be_overruled() -> None:
    (told,) = [row[2] for row in rows("Commands") if named(row[0]) == ["overrule"]]
    assert set(ANSWERS) <= set(named(told))
