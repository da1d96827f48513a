"""`ocpp16 charge-point`: a simulated station with its charge point, worked by a person or by a program.

All that lasts is in one folder, or in memory where none is given. Who works it is a `Face`: the console for people,
JSON lines for programs; both serve the same commands. With a folder the program may be killed at any moment and started
again.
"""

import errno
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import click
import trio

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.charge_point.open import open_charge_point
from ocpp16.cli.charge_point_options import CARS, LOGS, OVERLAY, Given, choose
from ocpp16.cli.failure import CommandFailed, listening_failed
from ocpp16.cli.log import LogChoice, log_options
from ocpp16.cli.running import Ending, run
from ocpp16.cli.standard_streams import StandardInput, StandardOutput, has_no_input
from ocpp16.cli.web_panel import Observers, Web, chosen_web, panel_of, serve_panel, web_options
from ocpp16.observer import Observer
from ocpp16.simulation import Commands, ControlInterface, Operation, SimulatedStation, StationOptions
from ocpp16.simulation.transfer import PlayedTransfer, UrlTransfer

log: Final = logging.getLogger("ocpp16")

CERTIFICATE_FOLDERS = ("ca/csms", "ca/mf", "ca/mo", "ca/v2g", "client/csms", "client/cso")
"""Below `certs`: roots by what they are trusted for, and our own certificates."""

_DISK = (errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""What is wrong with the disk, and not with the path."""

FilePath: Final = click.Path(path_type=Path, dir_okay=False)
FolderPath: Final = click.Path(path_type=Path, file_okay=False)


class Face(Observer, Protocol):
    """Who works the station."""

    def follow(self, charge_point: ChargePoint) -> None:
        """Whose events it is told."""
        ...

    async def serve(self, commands: Commands) -> None:
        """Serve commands until there will be no more."""
        ...

    async def metrics(self, url: str) -> None:
        """Say where metrics are."""
        ...

    async def web(self, url: str) -> None:
        """Say where the panel is."""
        ...

    async def exit(self, reason: str) -> None:
        """Say at the very end why the program ends."""
        ...


class Machine(NamedTuple):
    """What is to be run."""

    configuration: Mapping[str, Any]
    options: StationOptions
    maindir: Path | None
    share: Path | None
    is_traced: bool
    message_log: Path | None = None
    metrics_port: int | None = None
    session_log: Path | None = None
    speed: float = 1.0
    is_played: bool = False
    web: Web = Web()


@click.command("charge-point", short_help="A simulated station, worked by commands or JSON lines.")
@click.option("--csms", metavar="URL", help="Central System, ws:// or wss://; with --id no file is needed.")
@click.option("--id", "identity", metavar="NAME", help="Name of the charge point.")
@click.option("--password", metavar="TEXT|hex:…", help="Password of the charge point (AuthorizationKey).")
@click.option("--password-file", type=FilePath, help="File with the password in its only line, as --password takes it.")
@click.option("--connectors", metavar="N", help="Number of connectors.")
@click.option("--free-vend", metavar="ID_TAG", help="Charge without a card: whoever plugs in charges with this id tag.")
@click.option("--speed", metavar="N", help="How many times faster than in reality time passes, 0.5 to 200.")
@click.option("--maindir", type=FolderPath, help="Folder for all that lasts; made if needed. Without: memory.")
@click.option("--conf", metavar="FILE", help="Configuration: a path, or a file of the share folder [config.json].")
@click.option("--station", "station", type=FilePath, help="Options of the simulated station, JSON.")
@click.option("--signed-meter", is_flag=True, help="The meters sign what they say, for real (OCMF).")
@click.option(
    "--control", type=click.Choice(["jsonl"]), help="Serve commands as JSON lines instead of the interactive console."
)
@click.option("--trace", is_flag=True, help="Tell every message as an event.")
@click.option(
    "--message-log",
    type=FolderPath,
    help="Folder for the message log: pages and text; made if needed.  [MAINDIR/logs, if the file has LogMessages]",
)
@click.option(
    "--session-log", type=FolderPath, help="Folder that gets a page of the messages of each charging session."
)
@click.option("--share", type=FolderPath, help="Folder of data files to use instead of the package's.")
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65_535),
    metavar="PORT",
    help="Serve metrics for Prometheus on this port of 127.0.0.1; 0 takes a free one.",
)
@click.option(
    "--transfer",
    type=click.Choice(["url", "played"]),
    default="url",
    show_default=True,
    help="How firmware comes here and files leave: by their URL, or as if; then files stay in --maindir.",
)
@web_options
@click.option("--logconf", type=FilePath, help="Settings of the log in the form of Python's logging.config.")
@log_options
@click.pass_obj
def charge_point(
    choice: LogChoice,
    /,
    control: str | None,
    trace: bool,
    message_log: Path | None,
    session_log: Path | None,
    logconf: Path | None,
    metrics_port: int | None,
    transfer: str,
    web: int | None,
    web_host: str,
    web_token: str | None,
    web_open: bool,
    **given: Any,
) -> int:
    """A simulated charging station with its charge point.

    Without --control it is worked by typed commands (try `help`); with it by JSON objects, one a line, on standard
    input. The end of input ends it in order. The security profile follows from URL and password.
    """
    choice.begin("warning" if control is None else "info", logconf)
    options = Given(**given, protocols=UrlTransfer().protocols() if transfer == "url" else None)
    wanted = chosen_web(web, web_host, web_token, web_open=web_open)
    chosen = choose(options)
    if metrics_port is not None:
        _need_metrics()
    machine = Machine(
        chosen.configuration,
        chosen.options,
        options.maindir,
        options.share,
        trace,
        message_log or chosen.logs,
        metrics_port,
        session_log,
        chosen.speed,
        transfer == "played",
        wanted,
    )
    if options.maindir is not None:
        _make("", *_kept_close(options.maindir))
    for option, folder in (("--message-log: ", message_log), ("--session-log: ", session_log)):
        if folder is not None:
            _make(option, folder)
    return run(partial(_run, machine, control is not None), speed=chosen.speed)


async def _run(machine: Machine, is_controlled: bool, ending: Ending) -> None:
    if is_controlled:
        await operate(machine, JsonFace(ending), ending)
        return
    from ocpp16.cli.console import open_console  # prompt_toolkit only where a person types

    async with open_console(ending) as console:
        await operate(machine, console, ending)


def _played(maindir: Path | None) -> PlayedTransfer:
    return PlayedTransfer(None if maindir is None else maindir / "files")


async def operate(machine: Machine, face: Face, ending: Ending) -> None:
    """Run the station until the ending has begun, then stop it in order."""
    station = SimulatedStation(
        machine.options,
        session_log=machine.session_log,
        logs=machine.message_log,
        meters=machine.maindir,
        cars=None if machine.maindir is None else machine.maindir / CARS,
        transfer=_played(machine.maindir) if machine.is_played else UrlTransfer(),
    )
    panel = panel_of(machine.web, machine.speed)
    async with open_charge_point(
        machine.configuration,
        station,
        user_config_path=None if machine.maindir is None else machine.maindir / OVERLAY,
        database_path=machine.maindir,
        share_path=machine.share,
        certificates_path=None if machine.maindir is None else machine.maindir / "certs",
        security_configuration=machine.options.security,
        observer=face if panel is None else Observers(panel, face),
        trace_messages=machine.is_traced,
        frames=None if panel is None else panel.frame,
        links=None if panel is None else panel.link,
        message_log_path=machine.message_log,
    ) as opened:
        face.follow(opened)
        operation = Operation(station, opened)
        commands = Commands(station, opened, operation)
        async with trio.open_nursery() as beside:
            url = ""
            if panel is not None:  # to the very end, so that what is sent in the end is seen
                panel.follow(commands)
                url = await serve_panel(beside, panel, machine.web)
            async with trio.open_nursery() as nursery:
                if machine.metrics_port is not None:
                    await face.metrics(await _serve_metrics(nursery, opened, machine.metrics_port, machine.speed))
                nursery.start_soon(_end_with, ending, operation.run)
                while not opened.is_running:  # a few steps; the first command must find it started
                    await trio.lowlevel.checkpoint()
                if url:
                    await face.web(url)
                if panel is None or not has_no_input():  # else it is worked from the page alone
                    nursery.start_soon(_end_with, ending, face.serve, commands)
                await ending.wait()
                nursery.cancel_scope.cancel()
            if panel is not None:
                panel.end(ending.reason)
            try:
                await operation.stop()
            except trio.Cancelled:  # a second signal, or the time is up
                opened.abandon()
                raise
            if panel is not None:
                await panel.finish()
            beside.cancel_scope.cancel()
    await face.exit(ending.reason)


async def _serve_metrics(nursery: trio.Nursery, charge_point: ChargePoint, port: int, speed: float) -> str:
    """Returns the URL. Raises CommandFailed if that port cannot be listened on."""
    from ocpp16.metrics.http_door import HOST, REQUEST_TIMEOUT, serve_metrics  # of an extra

    serve = partial(serve_metrics, [charge_point], port, timeout=REQUEST_TIMEOUT * speed)
    try:
        port = await nursery.start(serve)
    except OSError as error:
        raise listening_failed(HOST, port, error) from error
    return f"http://{HOST}:{port}/metrics"


def _need_metrics() -> None:
    try:
        import_module("ocpp16.metrics.http_door")
    except ImportError:
        raise CommandFailed('--metrics-port needs an extra: pip install "ocpp16[metrics]"') from None


async def _end_with(ending: Ending, work: Callable[..., Awaitable[str | None]], *arguments: Any) -> None:
    """End the program when this is done; what it returns is the reason."""
    ending.begin(await work(*arguments) or "end of input")


class JsonFace:
    """Commands and events as JSON lines on standard input and output."""

    def __init__(self, ending: Ending) -> None:
        output = StandardOutput(partial(ending.begin, "standard output was closed"))
        self._interface = ControlInterface(output.write)
        self.follow: Final = self._interface.follow
        self.notify: Final = self._interface.notify
        self.exit: Final = self._interface.exit

    async def metrics(self, url: str) -> None:
        await self._interface.emit("metrics", url=url)

    async def web(self, url: str) -> None:
        await self._interface.emit("web", url=url)

    async def serve(self, commands: Commands) -> None:
        await self._interface.serve(commands, StandardInput())


def _kept_close(maindir: Path) -> list[Path]:
    """What is made in it, from above: nobody but its owner looks into the folders of certificates and logs."""
    lowest = (maindir / LOGS, *(maindir / "certs" / name for name in CERTIFICATE_FOLDERS))
    every = {one for folder in lowest for one in (folder, *folder.parents) if maindir in one.parents}
    return sorted(every)


def _make(option: str, *folders: Path) -> None:
    """Make the folders, each for its owner only, and all that lead to the first. Raises CommandFailed that names the
    `option` they were given by, but not for a disk that takes nothing now."""
    for folder in folders:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            if error.errno not in _DISK:
                raise CommandFailed(f"{option}{folder}: cannot be made: {error.strerror}") from error
            what = "nothing is logged" if option else "what is to be kept stays in memory"
            log.warning("%s%s: cannot be made, and %s: %s", option, folder, what, error.strerror)
            return
