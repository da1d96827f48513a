"""`ocpp16 fleet`: many simulated charge points in one process, worked by JSON lines.

They are added at the start by a pattern of ids, and later by commands; all of them connect to one Central System.
"""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import trio

from ocpp16.address import profile_for
from ocpp16.cli.charge_point_options import chosen_password
from ocpp16.cli.failure import CommandFailed
from ocpp16.cli.finite_range import FiniteRange
from ocpp16.cli.first_charge_point import check_charge_point
from ocpp16.cli.load_lines import violation_lines
from ocpp16.cli.local_address import LocalAddress
from ocpp16.cli.log import LogChoice, log_options
from ocpp16.cli.running import Ending, run
from ocpp16.cli.standard_error import StandardError
from ocpp16.cli.standard_streams import StandardInput, StandardOutput
from ocpp16.configuration.key import Key
from ocpp16.configuration.keys import BY_NAME
from ocpp16.fleet import BLUEPRINTS, Fleet, FleetError, ViolationTally, identities, open_fleet
from ocpp16.fleet.blueprint import USUAL
from ocpp16.fleet.control import FleetCommands, FleetEvents
from ocpp16.simulation import ControlInterface
from ocpp16.texts import shown

PROGRESS = 1.0
"""Real seconds between two lines that say how many are up."""
INTEGER_LIMIT: Final = 2**63
"""No key has a number so large, and JSON on the way to a child neither."""
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_FRACTION: Final = re.compile(r"[.eE]")
FilePath: Final = click.Path(path_type=Path, dir_okay=False)
FolderPath: Final = click.Path(path_type=Path, file_okay=False, exists=True)


class Wanted(NamedTuple):
    """What is to be run."""

    csms: str
    ids: tuple[str, ...]
    blueprint: str
    keys: Mapping[str, Mapping[str, Any]]
    spread: float
    most_connecting: int
    source_addresses: tuple[str, ...]
    database: Path | None
    certs: Path | None
    is_quiet: bool
    speed: float


@click.command("fleet", short_help="Many simulated charge points, worked by JSON lines.")
@click.option("--csms", metavar="URL", required=True, help="Central System, ws:// or wss://; ids are appended.")
@click.option(
    "--id", "pattern", metavar="PATTERN", default="CP{number:05}", show_default=True, help="Names of the charge points."
)
@click.option("--count", type=click.IntRange(0, 1_000_000), default=1, show_default=True, help="How many at the start.")
@click.option(
    "--blueprint",
    type=click.Choice(list(BLUEPRINTS)),
    default=USUAL,
    show_default=True,
    help="What stations are made of.",
)
@click.option("--password", metavar="TEXT|hex:…", help="Password of all of them (AuthorizationKey).")
@click.option("--password-file", type=FilePath, help="File with the password in its only line, as --password takes it.")
@click.option(
    "--key",
    "keys",
    metavar="SECTION.NAME=VALUE",
    multiple=True,
    help="A configuration key of all of them; may be repeated.",
)
@click.option(
    "--spread",
    type=FiniteRange(0, 86_400),
    default=0.0,
    show_default=True,
    help="Seconds over which those of the start connect.",
)
@click.option(
    "--most-connecting",
    type=click.IntRange(1),
    default=200,
    show_default=True,
    help="Handshakes at a time.",
)
@click.option(
    "--source-address",
    "source_addresses",
    type=LocalAddress(),
    multiple=True,
    help="Local address to connect from; may be repeated.",
)
@click.option("--database", type=FilePath, help="Keep all that lasts in this file, .db. Without: memory.")
@click.option("--certs", type=FolderPath, help="Folder whose ca/csms is trusted for wss://.")
@click.option("--speed", type=FiniteRange(0.5, 200.0), default=1.0, show_default=True, help="How many times faster.")
@click.option("--quiet", is_flag=True, help="Tell no events, only answers.")
@log_options
@click.pass_obj
def fleet(
    choice: LogChoice,
    /,
    csms: str,
    pattern: str,
    count: int,
    blueprint: str,
    password: str | None,
    password_file: Path | None,
    keys: tuple[str, ...],
    spread: float,
    most_connecting: int,
    source_addresses: tuple[str, ...],
    database: Path | None,
    certs: Path | None,
    speed: float,
    quiet: bool,
) -> int:
    """Many simulated charge points in one process.

    Commands are JSON objects, one a line, on standard input: those of `charge-point --control jsonl` with the member
    charge_point, and add, remove, list, wait_registered. The end of input ends all of them in order.
    """
    choice.begin("warning")
    try:
        named = tuple(identities(pattern, max(count, 1)))
    except ValueError as error:
        raise CommandFailed(f"--id: {error}") from None
    own = keys_of(keys, csms, chosen_password(password, password_file))
    check_charge_point(named[0], csms, [BLUEPRINTS[blueprint]], own, keys, is_complete=database is None)
    wanted = Wanted(
        csms,
        named[:count],
        blueprint,
        own,
        spread,
        most_connecting,
        source_addresses,
        database,
        certs,
        quiet,
        speed,
    )
    return run(partial(_run, wanted, choice.errors), speed=speed)


def keys_of(given: tuple[str, ...], csms: str, password: str | None) -> dict[str, dict[str, Any]]:
    """Configuration keys by section, as options say them. Raises CommandFailed for what is no key."""
    found: dict[str, dict[str, Any]] = {}
    for one in given:
        name, equals, value = one.partition("=")
        section, dot, key = name.partition(".")
        if not equals or not dot or not section or not key:
            raise CommandFailed(  # without the value, which may be a secret
                f"--key {shown(name, 100)}: write SECTION.NAME=VALUE, as Core.HeartbeatInterval=300"
            )
        found.setdefault(section, {})[key] = _value(key, value)
    if password is not None:
        text = password if password.startswith(("hex:", "text:")) else f"text:{password}"
        security = found.setdefault("Security", {})
        security["AuthorizationKey"] = text
        security.setdefault("SecurityProfile", profile_for(csms, has_password=True))
    return found


def _value(name: str, text: str) -> Any:
    """Numbers and flags as JSON has them, all else as text; so are those where only a text will do, as serial numbers
    are digits."""
    value: Any = text
    if text in ("true", "false"):
        value = text == "true"
    elif _NUMBER.fullmatch(text):
        number = float(text) if _FRACTION.search(text) else int(text)
        value = number if abs(number) < INTEGER_LIMIT else text
    key = BY_NAME.get(name.lower())
    is_text = key is not None and value is not text and not _takes(key, value) and _takes(key, text)
    return text if is_text else value


def _takes(key: Key[Any], value: Any) -> bool:
    try:
        key.parse_json(value)
    except ValueError:
        return False
    return True


async def _run(wanted: Wanted, errors: StandardError, ending: Ending) -> None:
    output = StandardOutput(partial(ending.begin, "standard output was closed"))
    events = FleetEvents(ControlInterface(output.write))
    violations = ViolationTally()
    async with open_fleet(
        wanted.csms,
        wanted.blueprint,
        keys=wanted.keys,
        database_path=wanted.database,
        most_connecting=wanted.most_connecting,
        spread=wanted.spread,
        source_addresses=wanted.source_addresses,
        observer=None if wanted.is_quiet else events.observer_of,
        certificates_path=wanted.certs,
        violations=violations,
    ) as made:
        events.fleet = made
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_serve, events.control, made, ending)
            nursery.start_soon(_fill, made, wanted, errors)
            await ending.wait()
            nursery.cancel_scope.cancel()
    for line in violation_lines(violations.counts()):
        errors.write(f"ocpp16: {line}\n")
    await events.control.exit(ending.reason)


async def _serve(control: ControlInterface, made: Fleet, ending: Ending) -> None:
    await control.serve(FleetCommands(made), StandardInput())
    ending.begin("end of input")


async def _fill(made: Fleet, wanted: Wanted, errors: StandardError) -> None:
    """Add those of the start, and say how far that is."""
    if not wanted.ids:
        return
    all_of_them = len(wanted.ids)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_say_progress, made, wanted, errors)
        try:
            await made.add_all(wanted.ids)
        except FleetError as error:
            raise CommandFailed(str(error)) from None
        await made.wait_registered()
        nursery.cancel_scope.cancel()
    errors.write(f"ocpp16: all {all_of_them} charge points are accepted\n")


async def _say_progress(made: Fleet, wanted: Wanted, errors: StandardError) -> None:
    while True:
        await trio.sleep(PROGRESS * wanted.speed)
        connected = sum(member.charge_point.connection.is_connected for member in made)
        errors.write(f"ocpp16: {len(made)} of {len(wanted.ids)} are open, {connected} connected\n")
