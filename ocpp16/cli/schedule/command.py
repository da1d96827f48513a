"""`ocpp16 schedule`: what charging profiles come to, as a table, as JSON, with reasons, as a picture.

The profiles are in a scenario file (see `scenario`) or in the database of a station. It calculates and shows; it
changes nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import click
import orjson

from ocpp16.cli.failure import CANNOT, CommandFailed
from ocpp16.cli.log import LogChoice, log_options
from ocpp16.cli.schedule.curves import Plot, plot_of
from ocpp16.cli.schedule.file import ScenarioFile
from ocpp16.cli.schedule.lines import reason_lines, table_lines
from ocpp16.cli.schedule.reasons import Reasons
from ocpp16.cli.schedule.scenario import Scenario, differences
from ocpp16.codec import parse_datetime_tolerant
from ocpp16.state.clock import to_datetime, to_micros
from ocpp16.store.snapshot import is_database
from ocpp16.texts import shown

DIFFERENT = 1
"""A scenario has another result than it says it must have."""
_SECOND = 1_000_000


def _instant(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """A time in RFC 3339; without a zone it is UTC."""
    try:
        return None if value is None else to_datetime(parse_datetime_tolerant(value))
    except ValueError:
        raise click.BadParameter(f"{value!r} is no time such as 2026-01-05T12:00:00Z") from None


class Question(NamedTuple):
    """What is asked instead of what the scenario asks; None: just that."""

    connector_id: int | None
    start: datetime | None
    duration: int | None
    unit: Literal["A", "W"] | None

    def put_to(self, scenario: Scenario) -> Scenario:
        """Raises CommandFailed for a connector that is not there."""
        most = scenario.number_of_connectors
        if self.connector_id is not None and self.connector_id > most:
            raise CommandFailed(f"--connector: {scenario.name} has connectors 0 to {most}, not {self.connector_id}")
        changes: dict[str, Any] = {
            "connector_id": self.connector_id,
            "start": None if self.start is None else to_micros(self.start) // _SECOND * _SECOND,
            "duration": self.duration,
            "unit": self.unit,
        }
        changes = {name: value for name, value in changes.items() if value is not None}
        return replace(scenario, **changes, expected=None) if changes else scenario


class Output(NamedTuple):
    """How to show it."""

    is_json: bool
    is_explained: bool
    draw: Callable[[Plot], None] | None


@click.command("schedule", short_help="What charging profiles come to, and why.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="Only this scenario of a file of many.")
@click.option("--connector", type=click.IntRange(0), metavar="N", help="Connector; 0 is the charge point.")
@click.option("--start", callback=_instant, metavar="TIME", help="Begin of the schedule, RFC 3339.")
@click.option("--duration", type=click.IntRange(0), metavar="S", help="Length of the schedule, seconds.")
@click.option("--unit", type=click.Choice(["A", "W"]), help="A per phase, or W of all phases.")
@click.option("--explain", is_flag=True, help="Say of each step which profile decides, and why no other does.")
@click.option("--plot", metavar="FILE", help="Draw it: FILE.svg, FILE.png, or - for the terminal.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON; of a file of many one line for each scenario.")
@click.option(
    "--conf", metavar="FILE", help="Configuration of the station, if FILE is its database or the folder of that."
)
@log_options
@click.pass_obj
def schedule(
    choice: LogChoice,
    file: Path,
    name: str | None,
    connector: int | None,
    start: datetime | None,
    duration: int | None,
    unit: Literal["A", "W"] | None,
    explain: bool,
    plot: str | None,
    is_json: bool,
    conf: str | None,
) -> int:
    """The composite schedule of charging profiles.

    FILE is a scenario (JSON), a file of many, a station's database, or the folder it is in. Times are UTC.
    """
    choice.begin("warning")
    if plot == "-" and is_json:
        raise click.UsageError("--json and --plot - both want standard output")
    output = Output(is_json, explain, None if plot is None else _artist(plot))
    question = Question(connector, start, duration, unit)
    if conf is not None or file.is_dir() or is_database(file):
        return _show_station(file, conf, name, question, output)
    return _show_scenarios(ScenarioFile.read(file), name, question, output)


def _show_station(file: Path, conf: str | None, name: str | None, question: Question, output: Output) -> int:
    from ocpp16.cli.schedule.database import station_scenario  # all of the charge point, where it is needed

    if conf is None:
        raise CommandFailed(f"{file} is a database: --conf is needed, which says whose it is")
    if name is not None:
        raise CommandFailed("--name: a database has no scenarios")
    if not file.exists():
        raise CommandFailed(f"{file}: there is no such file")
    if file.is_file() and not is_database(file):
        raise CommandFailed(f"{file} is no database, which --conf is for")
    scenario = station_scenario(file, conf, question.start or datetime.now(UTC))
    _show(question.put_to(scenario), output)
    return 0


def _show_scenarios(scenarios: ScenarioFile, name: str | None, question: Question, output: Output) -> int:
    """Scenarios that cannot be calculated do not keep the others from it."""
    names = scenarios.named(name)
    if output.draw is not None and len(names) != 1:
        raise CommandFailed("--plot draws one scenario: choose it by --name")
    exit_code = 0
    for number, each in enumerate(names):
        try:
            scenario = question.put_to(scenarios.scenario(each))
        except CommandFailed as error:
            if len(names) == 1:
                raise
            for problem in error.problems:
                click.echo(f"ocpp16: {problem}", err=True)
            exit_code = CANNOT
            continue
        if number and not output.is_json:
            click.echo()
        is_right = _show(scenario, output, as_line=scenarios.is_many and name is None)
        exit_code = exit_code or (0 if is_right else DIFFERENT)
    return exit_code


def _show(scenario: Scenario, output: Output, *, as_line: bool = False) -> bool:
    """False where it is not what the scenario expects, which is said: of JSON on standard error."""
    wrong = list(_compared(scenario))
    if output.is_json:
        for line in wrong:
            click.echo(f"ocpp16: {shown(scenario.name, 100)}: not as expected: {line}", err=True)
        document = scenario.result()
        if output.is_explained:
            document |= _explained(scenario)
        click.echo(orjson.dumps({"name": scenario.name, **document} if as_line else document).decode())
    else:
        composite = scenario.composite_schedule()
        for line in table_lines(scenario, composite):
            click.echo(line)
        for line in wrong:
            click.echo(f"  not as expected: {line}")
        for line in reason_lines(scenario, composite) if output.is_explained else ():
            click.echo(line)
    if output.draw is not None:
        output.draw(plot_of(scenario))
    return not wrong


def _compared(scenario: Scenario) -> Iterator[str]:
    if scenario.expected is not None:
        try:
            yield from differences(scenario.expected, scenario.result())
        except (KeyError, TypeError, ValueError) as error:
            yield f"expected is no result: {error}"


def _explained(scenario: Scenario) -> dict[str, Any]:
    """More members of the JSON result: the steps with their reasons."""
    reasons = Reasons(scenario)
    told = scenario.result(explained=True)["periods"]
    steps = scenario.composite_schedule().steps
    return {
        "steps": [{**each, "reasons": reasons.sentences(step)} for each, step in zip(told, steps, strict=True)],
    }


# Pictures


def _artist(target: str) -> Callable[[Plot], None]:
    """What draws to this file. Raises CommandFailed where nothing can."""
    if target == "-":
        from ocpp16.cli.schedule.terminal import draw

        return draw
    match Path(target).suffix.lower():
        case ".svg":
            from ocpp16.cli.schedule.svg import svg

            return lambda plot: _write(Path(target), svg(plot).encode())
        case ".png":
            try:
                from ocpp16.cli.schedule.png import png
            except ImportError:
                raise CommandFailed('--plot: PNG needs an extra: pip install "ocpp16[plot]"; SVG does not') from None
            return lambda plot: _write(Path(target), png(plot))
    raise CommandFailed(f"--plot: {target} is neither FILE.svg nor FILE.png nor -")


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise CommandFailed(f"{path}: cannot be written: {error.strerror}") from error
