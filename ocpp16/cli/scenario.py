"""`ocpp16 scenario`: the scenarios that there are, what is in them, whether one can be played, and playing it."""

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
import trio

from ocpp16.cli.charge_point_options import chosen_password
from ocpp16.cli.failure import ENDED, CommandFailed
from ocpp16.cli.finite_range import FiniteRange
from ocpp16.cli.first_charge_point import check_charge_point, chosen_blueprints
from ocpp16.cli.fleet import keys_of
from ocpp16.cli.load_lines import failure_lines, violation_lines
from ocpp16.cli.log import LogChoice, log_options
from ocpp16.cli.running import Ending, run
from ocpp16.cli.standard_error import StandardError
from ocpp16.fleet import FleetError, identities
from ocpp16.fleet.blueprint import merged
from ocpp16.scenario import (
    READY_MADE,
    Outcome,
    Progress,
    Scenario,
    ScenarioError,
    load_scenario,
    run_scenario,
    text_of,
)
from ocpp16.scenario.running import blueprints_of
from ocpp16.texts import shown

NOT_MET = 1
"""Exit code where something was not as expected, or the scenario was not played to its end."""
LONGEST_ABOUT = 2_000
"""Characters of what a scenario says of itself."""
MOST_TOLD = 5
"""Charge points that are told of each expectation that was not met."""
FilePath: Final = click.Path(path_type=Path, dir_okay=False)
FolderPath: Final = click.Path(path_type=Path, file_okay=False, exists=True)


@click.group("scenario", short_help="Play stories, and judge a Central System.")
@log_options
def scenario() -> None:
    """Scenarios: what drivers and networks do to charge points, and what is expected of the Central System."""


@scenario.command("list")
@log_options
def list_all() -> int:
    """The scenarios that come with the package."""
    for name in READY_MADE:
        click.echo(f"{name:16}  {_first_sentence(load_scenario(name))}")
    return 0


def _first_sentence(one: Scenario) -> str:
    return one.text.split(". ", 1)[0].rstrip(".")


@scenario.command("show")
@click.argument("name")
@log_options
def show(name: str) -> int:
    """Print a scenario that comes with the package, as it would stand in a file of one's own."""
    try:
        click.echo(text_of(name), nl=False)
    except ScenarioError as error:
        raise CommandFailed(str(error)) from None
    return 0


@scenario.command("check")
@click.argument("file")
@click.option("--set", "values", metavar="NAME=TEXT", multiple=True, help="What ${NAME} stands for; may be repeated.")
@log_options
def check(file: str, values: tuple[str, ...]) -> int:
    """Say whether FILE (or the name of one that comes with the package) can be played, and what is in it."""
    found = loaded(file, values)
    chosen_blueprints(lambda: (one for _, one in blueprints_of(found, None, None)))
    click.echo(f"{shown(found.name)}: {shown(found.text or 'no text', LONGEST_ABOUT)}")
    for stage in found.acts:
        click.echo(f"  stage {shown(stage.name)}: {stage.kind}")
    for drivers in found.drivers:
        click.echo(f"  drivers {shown(drivers.name)}: {drivers.arrivals.kind}")
    if found.steps:
        click.echo(f"  a script of {len(found.steps)} steps")
    for expectation in found.expectations:
        click.echo(f"  expects: {shown(expectation.name)}")
    return 0


@scenario.command("schema")
@log_options
def schema() -> int:
    """Print the JSON Schema of scenarios, for editors."""
    from ocpp16.scenario.schema import schema as made

    click.echo(json.dumps(made(), indent=1, ensure_ascii=False))
    return 0


def loaded(named: str, values: tuple[str, ...]) -> Scenario:
    """The scenario of a name or a file. Raises CommandFailed."""
    meant: dict[str, str] = {}
    for one in values:
        name, equals, text = one.partition("=")
        if not equals or not name:
            raise CommandFailed(f"--set {one}: write NAME=TEXT")
        meant[name] = text
    try:
        return load_scenario(named, meant)
    except ScenarioError as error:
        raise CommandFailed(str(error)) from None


@scenario.command("run")
@click.argument("named", metavar="NAME|FILE")
@click.option("--csms", metavar="URL", required=True, help="Central System, ws:// or wss://; ids are appended.")
@click.option("--charge-points", type=click.IntRange(1, 1_000_000), help="How many; else as the scenario says.")
@click.option("--id", "pattern", metavar="PATTERN", help="Their names; else as the scenario says.")
@click.option("--connectors", type=click.IntRange(1, 1_000), help="Connectors of each.")
@click.option("--blueprint", metavar="NAME", help="What stations are made of, instead of what the scenario says.")
@click.option("--password", metavar="TEXT|hex:…", help="Password of all of them (AuthorizationKey).")
@click.option("--password-file", type=FilePath, help="File with the password in its only line, as --password takes it.")
@click.option(
    "--key", "keys", metavar="SECTION.NAME=VALUE", multiple=True, help="A configuration key of all of them; repeatable."
)
@click.option("--set", "values", metavar="NAME=TEXT", multiple=True, help="What ${NAME} stands for; may be repeated.")
@click.option("--certs", type=FolderPath, help="Folder whose ca/csms is trusted for wss://.")
@click.option("--duration", type=FiniteRange(0.001), help="Seconds that the stages that hold take in all.")
@click.option("--rate", type=FiniteRange(0.000001), help="Drivers that come each second, of all together.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed is the same story.")
@click.option("--speed", type=FiniteRange(0.5, 200.0), default=1.0, show_default=True, help="How many times faster.")
@click.option("--json", "is_json", is_flag=True, help="Print the outcome as one object.")
@log_options
@click.pass_obj
def run_it(
    choice: LogChoice,
    /,
    named: str,
    csms: str,
    charge_points: int | None,
    pattern: str | None,
    connectors: int | None,
    blueprint: str | None,
    password: str | None,
    password_file: Path | None,
    keys: tuple[str, ...],
    values: tuple[str, ...],
    certs: Path | None,
    duration: float | None,
    rate: float | None,
    seed: int,
    speed: float,
    is_json: bool,
) -> int:
    """Play a scenario against a Central System, and say what came of it.

    Exit code 0: all was as expected, 1: something was not, 2: it cannot be played, 130: Ctrl-C, after which what was
    seen so far is judged all the same.
    """
    choice.begin("error")
    found = loaded(named, values)
    try:
        named_by = found.fleet.id if pattern is None else pattern
        ids = list(identities(named_by, charge_points or found.fleet.count))
    except ValueError as error:
        raise CommandFailed(f"--id: {error}") from None
    own = keys_of(keys, csms, chosen_password(password, password_file))
    made_of = chosen_blueprints(lambda: (one for _, one in blueprints_of(found, blueprint, connectors)))
    check_charge_point(ids[0], csms, made_of, merged(found.fleet.keys, own), keys)
    options: dict[str, Any] = {
        "ids": ids,
        "connectors": connectors,
        "blueprint": blueprint,
        "keys": own,
        "duration": duration,
        "rate": rate,
        "seed": seed,
        "speed": speed,
        "certificates_path": certs,
    }
    outcomes: list[Outcome] = []
    code = run(partial(_play, found, csms, options, outcomes, choice.errors), exit_code_of_sigterm=ENDED, speed=speed)
    if not outcomes:
        return code or NOT_MET
    (outcome,) = outcomes
    click.echo(json.dumps(as_object(outcome), ensure_ascii=False) if is_json else "\n".join(in_lines(outcome)))
    return code or (0 if outcome.is_passed else NOT_MET)


async def _play(
    found: Scenario,
    csms: str,
    options: dict[str, Any],
    outcomes: list[Outcome],
    errors: StandardError,
    ending: Ending,
) -> None:
    is_stopping = trio.Event()

    async def listen() -> None:
        await ending.wait()
        is_stopping.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen)
        try:
            outcomes.append(
                await run_scenario(found, csms, progress=partial(_tell, errors), is_stopping=is_stopping, **options)
            )
        except (ScenarioError, FleetError, ValueError) as error:
            raise CommandFailed(shown(error)) from None
        nursery.cancel_scope.cancel()


def _tell(errors: StandardError, progress: Progress) -> None:
    waiting = f"; {progress.waiting}" if progress.waiting else ""
    errors.write(
        f"{progress.seconds:.0f} s, {shown(progress.stage)}: "
        f"{progress.connected} of {progress.charge_points} connected, {progress.registered} registered, "
        f"{progress.in_flight} in flight{waiting}\n"
    )


def in_lines(outcome: Outcome) -> list[str]:
    """What a person reads of it."""
    lines = [f"stage {shown(one.name)}: {one.begin:.1f} to {one.end:.1f} s" for one in outcome.stages]
    lines.append(", ".join(f"{count} {name}" for name, count in outcome.counts.items()))
    for one in outcome.expectations:
        word = "UNSEEN " if one.unseen and not one.checked else "met    " if one.is_met else "NOT MET"
        unseen = f", not come to at {one.unseen}" if one.unseen else ""
        lines.append(f"{word} {shown(one.name)} ({one.met} of {one.checked}{unseen})")
        if not one.is_met:
            lines += failure_lines(one.failures, one.checked - one.met, MOST_TOLD)
    lines += violation_lines(outcome.violations)
    if outcome.breach:
        lines.append(f"NOT MET {outcome.breach}")
    lines += [f"note: {shown(note)}" for note in outcome.notes]
    return [*lines, "passed" if outcome.is_passed else "ended before its end" if not outcome.is_complete else "FAILED"]


def as_object(outcome: Outcome) -> dict[str, Any]:
    """What a program reads of it."""
    return {
        "scenario": outcome.scenario,
        "is_passed": outcome.is_passed,
        "is_complete": outcome.is_complete,
        "stages": [one._asdict() for one in outcome.stages],
        "expectations": [
            {**one._asdict(), "failures": [failure._asdict() for failure in one.failures]}
            for one in outcome.expectations
        ],
        "counts": outcome.counts,
        "violations": [asdict(one) for one in outcome.violations],
        "breach": outcome.breach,
        "notes": outcome.notes,
    }
