"""`ocpp16 charge-point`: a simulated station with its charge point, worked by a person or by a program.

All that lasts is in one folder. Who works it is a `Face`: the console for people, JSON lines for programs; both serve
the same commands. The program may be killed at any moment and started again on the same folder.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import click
import trio

from ocpp16.charge_point.open import open_charge_point
from ocpp16.cli.failure import CommandFailed
from ocpp16.cli.log import LogChoice, log_options
from ocpp16.cli.running import Ending, run
from ocpp16.cli.standard_streams import StandardInput, StandardOutput
from ocpp16.errors import ConfigurationError
from ocpp16.observer import Observer
from ocpp16.simulation import Commands, ControlInterface, Operation, SimulatedStation, StationOptions
from ocpp16.state.configuration import Configuration
from ocpp16.state.configuration_file import read_json_object

CERTIFICATE_FOLDERS = ("ca/csms", "ca/mf", "ca/mo", "ca/v2g", "client/csms", "client/cso")
"""Below `certs`: roots by what they are trusted for, and our own certificates."""

FilePath = click.Path(path_type=Path, dir_okay=False)
FolderPath = click.Path(path_type=Path, file_okay=False)


class Face(Observer, Protocol):
    """Who works the station."""

    async def serve(self, commands: Commands) -> None:
        """Serve commands until there will be no more."""
        ...

    async def exit(self, reason: str) -> None:
        """Say at the very end why the program ends."""
        ...


class Machine(NamedTuple):
    """What is to be run."""

    configuration: Mapping[str, Any]
    options: StationOptions
    maindir: Path
    share: Path | None
    is_traced: bool


@click.command("charge-point")
@click.option("--maindir", type=FolderPath, required=True, help="Folder for all that lasts; made if it is not there.")
@click.option(
    "--conf",
    default="config.json",
    show_default=True,
    metavar="FILE",
    help="Configuration: a path, or a file of the share folder.",
)
@click.option("--station", "station", type=FilePath, help="Options of the simulated station, JSON.")
@click.option(
    "--control", type=click.Choice(["jsonl"]), help="Serve commands as JSON lines instead of the interactive console."
)
@click.option("--trace", is_flag=True, help="Tell every message as an event.")
@click.option("--share", type=FolderPath, help="Folder of data files to use instead of the package's.")
@click.option("--logconf", type=FilePath, help="Settings of the log in the form of Python's logging.config.")
@log_options
@click.pass_obj
def charge_point(
    choice: LogChoice,
    maindir: Path,
    conf: str,
    station: Path | None,
    control: str | None,
    trace: bool,
    share: Path | None,
    logconf: Path | None,
) -> int:
    """A simulated charging station with its charge point.

    Without --control it is worked by typed commands (try `help`); with it by JSON objects, one a line, on standard
    input. The end of input ends it in order.
    """
    choice.begin("warning" if control is None else "info", logconf)
    share = _existing(share)
    machine = Machine(_configuration(conf, share), _options(station), maindir, share, trace)
    _prepare(maindir)
    return run(partial(_run, machine, control is not None))


async def _run(machine: Machine, is_controlled: bool, ending: Ending) -> None:
    if is_controlled:
        await operate(machine, JsonFace(ending), ending)
        return
    from ocpp16.cli.console import open_console  # prompt_toolkit only where a person types

    async with open_console(ending) as console:
        await operate(machine, console, ending)


async def operate(machine: Machine, face: Face, ending: Ending) -> None:
    """Run the station until the ending has begun, then stop it in order."""
    station = SimulatedStation(machine.options)
    async with open_charge_point(
        machine.configuration,
        station,
        user_config_path=machine.maindir / "user_config.json",
        database_path=machine.maindir,
        share_path=machine.share,
        certificates_path=machine.maindir / "certs",
        security_configuration=machine.options.security,
        observer=face,
        trace_messages=machine.is_traced,
    ) as opened:
        station.attach(opened)
        operation = Operation(station, opened)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_end_with, ending, operation.run)
            while not opened.is_running:  # a few steps; the first command must find it started
                await trio.lowlevel.checkpoint()
            nursery.start_soon(_end_with, ending, face.serve, Commands(station, opened, operation))
            await ending.wait()
            nursery.cancel_scope.cancel()
        await operation.stop()
    await face.exit(ending.reason)


async def _end_with(ending: Ending, work: Callable[..., Awaitable[str | None]], *arguments: Any) -> None:
    """End the program when this is done; what it returns is the reason."""
    ending.begin(await work(*arguments) or "end of input")


class JsonFace:
    """Commands and events as JSON lines on standard input and output."""

    def __init__(self, ending: Ending) -> None:
        output = StandardOutput(partial(ending.begin, "standard output was closed"))
        self._interface = ControlInterface(output.write)
        self.notify = self._interface.notify
        self.exit = self._interface.exit

    async def serve(self, commands: Commands) -> None:
        await self._interface.serve(commands, StandardInput())


# What the options name


def find_configuration(name: str, share: Path | None) -> Traversable:
    """The file at the path `name`, else the file of that name in the share folder. Raises CommandFailed."""
    folder: Traversable = files("ocpp16.share") if share is None else share
    for candidate in (Path(name), folder / name):
        if candidate.is_file():
            return candidate
    raise CommandFailed(f"{name}: there is no such file, nor is it in the share folder {folder}")


def _configuration(name: str, share: Path | None) -> Mapping[str, Any]:
    """The configuration, once it is known to be right. Raises ConfigurationError naming the file in each problem."""
    path = find_configuration(name, share)
    document = read_json_object(path)
    try:
        Configuration.load(document, share_path=share, is_complete=False)
    except ConfigurationError as error:
        raise ConfigurationError([f"{path}: {problem}" for problem in error.problems]) from error
    return document


def _options(path: Path | None) -> StationOptions:
    if path is None:
        return StationOptions()
    document = read_json_object(path)
    try:
        return StationOptions.load(document)
    except ConfigurationError as error:
        raise ConfigurationError([f"{path}: {problem}" for problem in error.problems]) from error


def _existing(share: Path | None) -> Path | None:
    if share is not None and not share.is_dir():
        raise CommandFailed(f"{share}: there is no such folder")
    return share


def _prepare(maindir: Path) -> None:
    """Make the folder and the folders in it. Raises CommandFailed."""
    for folder in (*(maindir / "certs" / name for name in CERTIFICATE_FOLDERS), maindir / "logs"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CommandFailed(f"{folder}: cannot be made: {error.strerror}") from error
