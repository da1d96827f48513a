"""`ocpp16 load`: a scenario played by thousands of charge points against a Central System, measured and judged."""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import trio
from click.core import ParameterSource

from ocpp16.cli.again import again
from ocpp16.cli.charge_point_options import chosen_password
from ocpp16.cli.failure import ENDED, CommandFailed
from ocpp16.cli.finite_range import FiniteRange
from ocpp16.cli.first_charge_point import check_charge_point, chosen_blueprints
from ocpp16.cli.fleet import keys_of
from ocpp16.cli.load_child import work
from ocpp16.cli.load_lines import in_lines
from ocpp16.cli.load_locust import become, check_options
from ocpp16.cli.load_reports import Reports
from ocpp16.cli.load_view import Watching, about
from ocpp16.cli.local_address import LocalAddress
from ocpp16.cli.log import LogChoice, log_options
from ocpp16.cli.running import Ending, run
from ocpp16.cli.scenario import loaded
from ocpp16.cli.standard_error import StandardError
from ocpp16.cli.web_panel import Web, chosen_web, serve_panel, web_options
from ocpp16.fleet import FleetError, identities
from ocpp16.fleet.blueprint import merged
from ocpp16.load import locust_command
from ocpp16.load.job import USUAL, Job
from ocpp16.load.load_test import LoadTest, indivisible
from ocpp16.load.results import Results
from ocpp16.load.thresholds import Threshold, ThresholdError
from ocpp16.load.thresholds import parsed as threshold
from ocpp16.load.trace import joined, part_of
from ocpp16.load.words import clock
from ocpp16.scenario import Scenario, ScenarioError
from ocpp16.scenario.loading import ENDING
from ocpp16.scenario.pace import pace_of, stretch_of
from ocpp16.scenario.running import blueprints_of
from ocpp16.texts import shown

if TYPE_CHECKING:
    from ocpp16.web.fleet_panel import FleetPanel

NOT_PASSED: Final = 1
"""Exit code where a threshold or an expectation was not met, or the test did not come to its planned end."""
MIB: Final = 1024 * 1024
MOST_OF_EACH: Final = 1_000
"""Heartbeats a second of one charge point, by --rate."""
SURPRISING: Final = 600.0
"""Real seconds that a test may take besides its --duration without a word."""
A_YEAR: Final = 31_622_400.0
"""Seconds."""
MOST_SEED: Final = 2**53
"""What JSON can say exactly, on the way to a child."""
FilePath: Final = click.Path(path_type=Path, dir_okay=False)
FolderPath: Final = click.Path(path_type=Path, file_okay=False, exists=True)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be run, and what becomes of it."""

    job: Job
    scenario: Scenario
    thresholds: tuple[Threshold, ...]
    processes: int
    reports: Reports
    trace: Path | None
    metrics_port: int | None
    web: Web
    again: str


def _story(named: str, values: tuple[str, ...]) -> dict[str, Any]:
    """The scenario that each user of Locust plays, as a worker is told. Raises CommandFailed."""
    loaded(named, values)
    is_file = Path(named).suffix == ENDING or os.sep in named
    return {
        "scenario": str(Path(named).absolute()) if is_file else named,
        "values": dict(one.split("=", 1) for one in values),
    }


@click.command("load", short_help="Load a Central System, measure, and judge.")
@click.option("--csms", metavar="URL", help="Central System, ws:// or wss://; ids are appended.")
@click.option("--charge-points", type=click.IntRange(1, 1_000_000), help="How many; else as the scenario says.")
@click.option("--connectors", type=click.IntRange(1, 1_000), help="Connectors of each.")
@click.option("--scenario", "named", metavar="NAME|FILE", default=USUAL, show_default=True, help="What they do.")
@click.option("--set", "values", metavar="NAME=TEXT", multiple=True, help="What ${NAME} stands for; may be repeated.")
@click.option("--duration", type=FiniteRange(0.001, A_YEAR), help="Seconds that the stages that hold take in all.")
@click.option(
    "--rate", type=FiniteRange(0.000001, 1_000_000), help="Heartbeats a second of all together, due at their times."
)
@click.option(
    "--arrivals", type=FiniteRange(0.000001, 1_000_000), help="Drivers that come each second, of all together."
)
@click.option("--processes", type=click.IntRange(1, 256), default=1, show_default=True, help="Shared by so many.")
@click.option(
    "--threshold",
    "thresholds",
    metavar="TEXT",
    multiple=True,
    help="As 'BootNotification.p99 < 500ms'; may be repeated.",
)
@click.option(
    "--seed",
    type=click.IntRange(-MOST_SEED, MOST_SEED),
    default=0,
    show_default=True,
    help="The same seed is the same story.",
)
@click.option("--json", "json_path", type=FilePath, help="Write results here, while it runs and at the end.")
@click.option("--html", "html_path", type=FilePath, help="Write a page with pictures here, at the end.")
@click.option("--junit", "junit_path", type=FilePath, help="Write the verdict as JUnit XML here, at the end.")
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65_535),
    metavar="PORT",
    help="Serve metrics for Prometheus on this port of 127.0.0.1; 0 takes a free one.",
)
@click.option("--trace", type=FilePath, help="Write frames here, as OCPP trace format.")
@click.option(
    "--trace-charge-points",
    "traced",
    type=click.IntRange(1, 1_000_000),
    default=100,
    show_default=True,
    help="Of so many.",
)
@click.option(
    "--trace-size",
    "trace_mib",
    type=click.IntRange(1, MIB),
    default=256,
    show_default=True,
    help="Largest size in MiB.",
)
@click.option("--blueprint", metavar="NAME", help="What stations are made of, instead of what the scenario says.")
@click.option("--id", "pattern", metavar="PATTERN", help="Names of the charge points; else as the scenario says.")
@click.option(
    "--key", "keys", metavar="SECTION.NAME=VALUE", multiple=True, help="A configuration key of all of them; repeatable."
)
@click.option("--password", metavar="TEXT|hex:…", help="Password of all of them (AuthorizationKey).")
@click.option("--password-file", type=FilePath, help="File with the password in its only line, as --password takes it.")
@click.option("--certs", type=FolderPath, help="Folder whose ca/csms is trusted for wss://.")
@click.option(
    "--source-address",
    "addresses",
    type=LocalAddress(),
    multiple=True,
    help="Local address to connect from; may be repeated.",
)
@click.option("--speed", type=FiniteRange(0.5, 200.0), default=1.0, show_default=True, help="How many times faster.")
@web_options
@click.option("--locust-master", is_flag=True, help="Be the master of Locust; --rate is how many come each second.")
@click.option("--locust-worker", metavar="HOST[:PORT]", help="Be a worker of the master of Locust there.")
@click.option("--worker", is_flag=True, hidden=True, help="A child process: its job comes by standard input.")
@click.argument("more", nargs=-1, metavar="[-- LOCUST…]", type=click.UNPROCESSED)
@log_options
@click.pass_obj
def load(
    choice: LogChoice,
    /,
    csms: str | None,
    charge_points: int | None,
    connectors: int | None,
    named: str,
    values: tuple[str, ...],
    duration: float | None,
    rate: float | None,
    arrivals: float | None,
    processes: int,
    thresholds: tuple[str, ...],
    seed: int,
    json_path: Path | None,
    html_path: Path | None,
    junit_path: Path | None,
    metrics_port: int | None,
    trace: Path | None,
    traced: int,
    trace_mib: int,
    blueprint: str | None,
    pattern: str | None,
    keys: tuple[str, ...],
    password: str | None,
    password_file: Path | None,
    certs: Path | None,
    addresses: tuple[str, ...],
    speed: float,
    web: int | None,
    web_host: str,
    web_token: str | None,
    web_open: bool,
    locust_master: bool,
    locust_worker: str | None,
    more: tuple[str, ...],
    worker: bool,
) -> int:
    """Play a scenario with many charge points against a Central System; measure how long its answers take, and judge.

    Latency is counted from when a call was due. Exit code 0: the test came to its end, and every threshold and
    expectation was met; 1: not so; 2: it cannot be run; 130: Ctrl-C, after which the results so far are told.
    """
    choice.begin("error")
    if find_spec("hdrh") is None:
        raise CommandFailed('a load test needs an extra: pip install "ocpp16[load]"')
    if worker:
        return work()
    if locust_master or locust_worker is not None:
        check_options(click.get_current_context())
    password = chosen_password(password, password_file)
    if locust_worker is not None:
        if password is not None and csms is None:
            raise CommandFailed("--password needs --csms, too: how it is sent depends on ws:// or wss://")
        options = {
            "blueprint": blueprint,
            "keys": keys_of(keys, csms or "", password),
            "seed": seed,
            "certificates": None if certs is None else str(certs.absolute()),
            "source_addresses": addresses,
        }
        if click.get_current_context().get_parameter_source("named") is not ParameterSource.DEFAULT:
            options |= _story(named, values)
        become(lambda: locust_command.worker(locust_worker, more), options)
    if csms is None:
        raise CommandFailed("--csms is missing: the URL of the Central System")
    if locust_master:
        become(lambda: locust_command.master(csms, charge_points or 1, rate, duration, more), {})
    shown_in = chosen_web(web, web_host, web_token, web_open=web_open)
    if more:
        raise CommandFailed(f"{shown(more[0])}: only Locust takes more arguments")
    scenario = loaded(named, values)
    reports = Reports(json_path, html_path, junit_path)
    problems = list(reports.problems(trace, Path(named) if Path(named).is_file() else None))
    judged = []
    for text in thresholds:
        try:
            judged.append(threshold(text))
        except ThresholdError as error:
            problems.append(f"--threshold: {error}")
    try:
        named_by = scenario.fleet.id if pattern is None else pattern
        ids = tuple(identities(named_by, charge_points or scenario.fleet.count))
    except ValueError as error:
        problems.append(f"--id: {error}")
        ids = ()
    if processes > len(ids) and ids:
        problems.append(f"--processes: {processes} are too many for {len(ids)} charge points")
    elif why := indivisible(scenario, processes):
        problems.append(f"--processes: {why}")
    if rate is not None and ids and rate > MOST_OF_EACH * len(ids):
        problems.append(f"--rate: {rate:g} a second of {len(ids)} charge points are more than {MOST_OF_EACH} of each")
    problems += _out_of_time(scenario, len(ids), duration, None if arrivals is None else arrivals / speed)
    if problems:
        raise CommandFailed(*problems)
    made_of = chosen_blueprints(lambda: (one for _, one in blueprints_of(scenario, blueprint, connectors)))
    own = keys_of(keys, csms, password)
    check_charge_point(ids[0], csms, made_of, merged(scenario.fleet.keys, own), keys)
    job = Job(
        csms=csms,
        ids=ids,
        scenario=named,
        values=dict(one.partition("=")[::2] for one in values),
        blueprint=blueprint,
        connectors=connectors,
        keys=own,
        seed=seed,
        duration=duration,
        rate=rate,
        arrivals=arrivals,
        speed=speed,
        certificates=None if certs is None else str(certs),
        source_addresses=addresses,
        trace=None if trace is None else str(trace),
        traced=traced,
        trace_size=trace_mib * MIB,
    )
    told = again(click.get_current_context())
    wanted = Wanted(job, scenario, tuple(judged), processes, reports, trace, metrics_port, shown_in, told)
    left = Left()
    code = run(
        partial(_run, wanted, choice.errors, left),
        exit_code_of_sigterm=ENDED,
        speed=speed if processes == 1 else 1.0,
    )
    if left.results is not None:
        click.echo("\n".join(in_lines(left.results)))
    if left.failures:
        raise CommandFailed(*left.failures)
    if left.results is None:
        return code or NOT_PASSED
    return code or (0 if left.results.is_passed else NOT_PASSED)


def _out_of_time(scenario: Scenario, count: int, duration: float | None, rate: float | None) -> Iterator[str]:
    """What so many charge points cannot follow."""
    try:
        stretch_of(scenario, duration)
    except ValueError as error:
        yield f"--{error}"
    try:
        pace_of(scenario, count or 1, count or 1, rate)
    except ValueError as error:
        yield f"--arrivals: {str(error).removeprefix('rate: ')}"


@dataclass(slots=True)
class Left:
    """What a test leaves. failures: files that could not be written."""

    results: Results | None = None
    failures: list[str] = field(default_factory=list)


async def _run(wanted: Wanted, errors: StandardError, left: Left, ending: Ending) -> None:
    test = LoadTest(
        wanted.job,
        wanted.scenario,
        wanted.thresholds,
        processes=wanted.processes,
        command=(sys.executable, "-m", "ocpp16", "load", "--worker"),
        wall=time.time,
        cpu=time.process_time,
        again=wanted.again,
    )
    planned = about(wanted.scenario, len(wanted.job.ids), wanted.job.duration, wanted.job.speed)
    if wanted.job.duration is not None and planned - wanted.job.duration > SURPRISING:
        stages = "--duration is of the stages that hold, the others take as long as the scenario says"
        errors.write(f"ocpp16: this takes about {clock(planned)}: {stages}\n")
    watching = Watching(test, errors, planned, _clock_speed(wanted))
    has_begun = False
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_stop_when_asked, test, ending)
            nursery.start_soon(wanted.reports.keep_saved, test, _clock_speed(wanted), errors)
            if wanted.metrics_port is not None:
                errors.write(f"ocpp16: metrics at {await watching.serve_metrics(nursery, wanted.metrics_port)}\n")
            panel = None if wanted.web.port is None else _panel(wanted, test, watching)
            if panel is not None:
                errors.write(f"ocpp16: panel at {await serve_panel(nursery, panel, wanted.web)}\n")
            with watching.view:
                nursery.start_soon(watching.run)
                has_begun = True
                try:
                    await test.run()
                except (ScenarioError, FleetError, ValueError, OSError) as error:
                    raise CommandFailed(shown(error)) from None
                if panel is not None:
                    await panel.finish(await watching.last_words())
                nursery.cancel_scope.cancel()
    except BaseException:
        if not has_begun:  # reports of a test before this one stay
            raise
        with trio.CancelScope(shield=True):  # what is known is written, however it ends
            await _leave(test, wanted, left)
            for failure in left.failures:
                errors.write(f"ocpp16: {failure}\n")
        raise
    await _leave(test, wanted, left)


def _panel(wanted: Wanted, test: LoadTest, watching: Watching) -> "FleetPanel":
    from ocpp16.web.fleet_panel import FleetPanel  # of an extra

    member = None if wanted.processes > 1 else test.member
    return FleetPanel(watching.figures, wanted.job.ids, member, test.watch, _clock_speed(wanted))


async def _leave(test: LoadTest, wanted: Wanted, left: Left) -> None:
    """Write what is known; a file that cannot be written keeps no other from being so."""
    left.results = await trio.to_thread.run_sync(test.view().results)
    left.failures = await trio.to_thread.run_sync(wanted.reports.write, left.results)
    left.failures += [f"--trace {wanted.trace}: {why}" for why in test.trace_failures]
    if wanted.trace is not None and wanted.processes > 1:
        parts = [part_of(wanted.trace, number) for number in range(wanted.processes)]
        try:
            await trio.to_thread.run_sync(joined, parts, wanted.trace)
        except OSError as error:
            kept = ", ".join(str(part) for part in parts)
            left.failures.append(f"--trace {wanted.trace}: {error.strerror or error}; its parts are {kept}")


async def _stop_when_asked(test: LoadTest, ending: Ending) -> None:
    await ending.wait()
    test.stop()


def _clock_speed(wanted: Wanted) -> float:
    """How many times faster than in reality trio's clock is here."""
    return wanted.job.speed if wanted.processes == 1 else 1.0
