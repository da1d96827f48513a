"""`ocpp16 doctor`: what works between here and the Central System, and what to do about the first that does not."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import time
from typing import Any

import click
import trio

from ocpp16.charge_point.built_in_security import built_in
from ocpp16.cli.charge_point_options import OVERLAY, Given, choose
from ocpp16.cli.examination import Finding, as_json, examine
from ocpp16.cli.failure import ENDED, UNEXPECTED
from ocpp16.cli.log import LogChoice, log_options
from ocpp16.cli.running import Ending, run
from ocpp16.configuration.configuration import Configuration
from ocpp16.store.overlay import Overlay

_MARKS = {True: "✓", False: "✗"}


@click.command("doctor", short_help="What works between here and a Central System, step by step.")
@click.option("--conf", metavar="FILE", help="Configuration: a path, or a file of the share folder [config.json].")
@click.option("--csms", metavar="URL", help="Central System, ws:// or wss://; with --id no file is needed.")
@click.option("--id", "identity", metavar="NAME", help="Name of the charge point.")
@click.option("--password", metavar="TEXT|hex:…", help="Password of the charge point (AuthorizationKey).")
@click.option("--password-file", type=click.Path(path_type=Path), help="The same, in a file.")
@click.option(
    "--maindir", type=click.Path(path_type=Path), help="Folder of the charge point, with what was changed, and certs."
)
@click.option(
    "--certs",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of certificates [certs in --maindir].",
)
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object for each step.")
@log_options
@click.pass_obj
def doctor(choice: LogChoice, /, certs: Path | None, is_json: bool, **given: Any) -> int:
    """Say step by step what works between here and the Central System, and what to do about what does not.

    Configuration, name, interface, TCP, proxy, TLS, HTTP, password, subprotocol, BootNotification. The exit code is 0
    if all of it works, 1 if not. Not to be used while the charge point runs: the Central System would take it for that.
    """
    choice.begin("error")
    options = Given(
        station=None, share=None, connectors=None, free_vend=None, speed=None, has_roots=certs is not None, **given
    )
    chosen = choose(options)
    overlay = None if options.maindir is None else Overlay(options.maindir / OVERLAY).merged()
    configuration = Configuration.load(dict(chosen.configuration), overlay=overlay or {})
    folder = certs or (None if options.maindir is None else options.maindir / "certs")
    findings: list[Finding] = []

    def tell(finding: Finding) -> None:
        findings.append(finding)
        click.echo(as_json(finding) if is_json else _line(finding))

    code = run(partial(_examine, configuration, folder, tell), exit_code_of_sigterm=ENDED)
    return code or (0 if all(finding.is_good for finding in findings) else UNEXPECTED)


async def _examine(
    configuration: Configuration, folder: Path | None, tell: Callable[[Finding], None], ending: Ending
) -> None:
    async def end() -> None:
        await ending.wait()
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(end)
        await examine(configuration, built_in(folder, {}, configuration, now=time), tell)
        nursery.cancel_scope.cancel()


def _line(finding: Finding) -> str:
    mark = "!" if finding.is_warning else _MARKS[finding.is_good]
    line = f"{mark} {finding.step:<13} {finding.text}"
    return f"{line}\n  {'':<13} → {finding.remedy}" if finding.remedy else line
