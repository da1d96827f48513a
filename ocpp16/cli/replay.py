"""`ocpp16 replay`: plays a trace again, the charge point's side or the Central System's."""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import time
from typing import Any, Final

import click
import orjson
import trio

from ocpp16.address import scheme_of
from ocpp16.cli.charge_point_options import chosen_password
from ocpp16.cli.failure import ENDED, CommandFailed, listening_failed
from ocpp16.cli.finite_range import FiniteRange
from ocpp16.cli.first_charge_point import check_csms
from ocpp16.cli.log import LogChoice, log_options
from ocpp16.cli.proxy import address
from ocpp16.cli.running import Ending, run
from ocpp16.configuration.file import read_json_object
from ocpp16.errors import ConfigurationError, ConnectionFailed, Offline
from ocpp16.fleet import blueprint, open_fleet
from ocpp16.fleet.blueprint import USUAL
from ocpp16.lint.trace import Trace, TraceError
from ocpp16.replay import (
    Outcome,
    ReplayError,
    Story,
    play_central_system,
    play_charge_point,
    read_stories,
)
from ocpp16.replay.central_system_side import PATIENCE
from ocpp16.replay.charge_point_side import PATIENCE as SHORT_PATIENCE
from ocpp16.replay.driver import MOST_CONNECTORS, Driver, connectors_of
from ocpp16.security.basic_auth import authorization_header
from ocpp16.security.tls import SSLContext, client_context
from ocpp16.testing import CentralSystem
from ocpp16.texts import shown
from ocpp16.transport.dial import endpoint, open_stream
from ocpp16.transport.websocket import WebSocket

FilePath: Final = click.Path(path_type=Path, dir_okay=False)
DIFFERENT = 1
"""Exit code: something went otherwise than in the trace."""
FASTEST: Final = 200.0
"""As for all that lives here by a clock that is faster."""
MOST_PRINTED = 200
"""Differences of a charge point that are printed."""


@click.command("replay", short_help="Play a trace again, either side of it.")
@click.argument("trace", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--csms", metavar="URL", help="Play the charge points' side against this Central System.")
@click.option("--listen", metavar="HOST:PORT", help="Play the Central System's side for whoever connects here.")
@click.option(
    "--charge-point",
    "config",
    is_flag=False,
    flag_value="",
    metavar="[CONFIG]",
    help="Play it against charge points of ours, with the configuration keys of this file.",
)
@click.option("--id", "ids", multiple=True, help="A charge point of the trace; may be repeated. Without: all of them.")
@click.option("--as", "as_id", metavar="ID", help="Connect as this one, where a single charge point is played.")
@click.option(
    "--speed",
    type=FiniteRange(0, 1_000_000),
    default=1.0,
    show_default=True,
    help=f"How many times faster; 0: at once (--csms). With --charge-point up to {FASTEST:g}.",
)
@click.option("--keep-ids", is_flag=True, help="Send the message ids of the trace, not new ones.")
@click.option("--patience", type=FiniteRange(0, 86_400), help="Seconds to wait for what the other side is to ask.")
@click.option("--password", metavar="TEXT|hex:…", help="Password of all of them (AuthorizationKey).")
@click.option("--password-file", type=FilePath, help="File with the password in its only line, as --password takes it.")
@click.option("--csms-ca", type=click.Path(path_type=Path), help="Roots to trust for wss://. Without: the system's.")
@click.option("--lenient", is_flag=True, help="Exit code 0 whatever was different.")
@click.option("--json", "is_json", is_flag=True, help="Print an object for each charge point.")
@log_options
@click.pass_obj
def replay(
    choice: LogChoice,
    /,
    trace: Path,
    csms: str | None,
    listen: str | None,
    config: str | None,
    ids: tuple[str, ...],
    as_id: str | None,
    speed: float,
    keep_ids: bool,
    patience: float | None,
    password: str | None,
    password_file: Path | None,
    csms_ca: Path | None,
    lenient: bool,
    is_json: bool,
) -> int:
    """Play TRACE again: what charge points said, to the Central System of --csms; or what the Central System said, to
    those that connect to --listen, or to charge points of ours (--charge-point).

    Says what went otherwise. Exit code 0: all was the same, 1: something was not, 2: the trace cannot be played.
    """
    choice.begin("warning")
    if sum(given is not None for given in (csms, listen, config)) != 1:
        raise CommandFailed("one of --csms, --listen and --charge-point says which side is to be played, and to whom")
    if csms is None:
        for option, is_given in (
            ("--keep-ids", keep_ids),
            ("--password", password is not None),
            ("--password-file", password_file is not None),
            ("--csms-ca", csms_ca is not None),
        ):
            if is_given:
                raise CommandFailed(f"{option} is for --csms")
    elif csms_ca is not None and scheme_of(csms) != "wss":
        raise CommandFailed("--csms-ca is for a Central System at wss://")
    if config is not None and speed > FASTEST:
        raise CommandFailed(f"--speed {speed:g}: charge points of ours live up to {FASTEST:g} times faster")
    if csms is not None:
        check_csms(csms)
    stories = _stories(trace, ids)
    if as_id is not None:
        if len(stories) != 1:
            raise CommandFailed("--as is for a single charge point: choose it by --id")
        stories = {as_id: replace(next(iter(stories.values())), identity=as_id)}
    outcomes: list[Outcome] = []
    if csms is not None:
        if "" in stories:
            raise CommandFailed(f"{trace}: it does not say which charge point it is of: say it by --as")
        key = _key_of(password, password_file)
        program = partial(
            _as_charge_points, stories, csms, key, _tls(csms, csms_ca), speed, keep_ids, patience, outcomes
        )
        code = run(program, exit_code_of_sigterm=ENDED)
    else:
        if not speed:
            raise CommandFailed("--speed 0 is for --csms: a charge point has its own times")
        if listen is not None:
            code = run(
                partial(_listen, stories, address(listen), speed, patience, outcomes), exit_code_of_sigterm=ENDED
            )
        else:
            keys = _keys(config or "")
            code = run(
                partial(_with_charge_points, stories, keys, patience, outcomes), exit_code_of_sigterm=ENDED, speed=speed
            )
    for outcome in outcomes:
        click.echo(orjson.dumps(_object(outcome)) if is_json else "\n".join(_lines(outcome)))
    if code:
        return code
    return 0 if lenient or all(outcome.is_same for outcome in outcomes) else DIFFERENT


def _stories(path: Path, ids: tuple[str, ...]) -> dict[str, Story]:
    """Raises CommandFailed."""
    trace = Trace(path)
    try:
        stories = read_stories(trace, ids)
    except TraceError as error:
        raise CommandFailed(str(error)) from None
    except ReplayError as error:
        raise CommandFailed(f"{path}: {error}") from None
    for line in trace.wrong:
        click.echo(f"{path}: {line}", err=True)
    return stories


def _tls(csms: str, roots: Path | None) -> SSLContext | None:
    if scheme_of(csms) != "wss":
        return None
    return client_context(roots, use_default_verify_paths=roots is None)


def _key_of(password: str | None, file: Path | None) -> bytes | None:
    """The password as it is put into the header. Raises CommandFailed and ConfigurationError."""
    password = chosen_password(password, file)
    if password is None:
        return None
    if not password.startswith("hex:"):
        return password.removeprefix("text:").encode()
    try:
        return bytes.fromhex(password.removeprefix("hex:"))
    except ValueError:
        raise CommandFailed("--password: hex: must be followed by an even number of hexadecimal digits") from None


def _keys(path: str) -> dict[str, dict[str, Any]]:
    """Configuration keys by section. Raises CommandFailed and ConfigurationError."""
    if not path:
        return {}
    found = read_json_object(path)
    if not all(isinstance(keys, dict) for keys in found.values()):
        raise CommandFailed(f"--charge-point {shown(path)}: it has no sections of keys")
    own = found.get("Internal", {})
    for key in ("ChargePointId", "CentralSystemURI"):  # the replay says these
        own.pop(key, None)
    return found


async def _as_charge_points(
    stories: dict[str, Story],
    csms: str,
    key: bytes | None,
    tls: SSLContext | None,
    speed: float,
    keeps_ids: bool,
    patience: float | None,
    outcomes: list[Outcome],
    ending: Ending,
) -> None:
    not_connected: list[str] = []

    async def play(story: Story) -> None:
        async def connect() -> WebSocket:
            headers = [] if key is None else [("Authorization", authorization_header(story.identity, key))]
            where = endpoint(csms, story.identity, 0 if tls is None else 2)
            stream = await open_stream(where, ssl_context=tls)
            return await WebSocket.connect(stream, host=where.authority, target=where.target, headers=headers)

        outcome = Outcome(story.identity)
        outcomes.append(outcome)
        try:
            with outcome.ends_with():
                websocket = await connect()
        except (ConnectionFailed, ConfigurationError) as error:
            not_connected.append(f"{shown(story.identity, 64)}: {error}")
            outcome.end = f"it could not connect: {error}"
            return
        wait = SHORT_PATIENCE if patience is None else patience
        await play_charge_point(
            story,
            websocket,
            reconnect=connect,
            speed=speed,
            keeps_ids=keeps_ids,
            patience=wait,
            outcome=outcome,
        )

    async with trio.open_nursery() as nursery:
        nursery.start_soon(_until_asked, ending, nursery.cancel_scope)
        async with trio.open_nursery() as playing:
            for story in stories.values():
                playing.start_soon(play, story)
        nursery.cancel_scope.cancel()
    if len(not_connected) == len(stories):
        outcomes.clear()
        raise CommandFailed(*not_connected[:MOST_PRINTED])


async def _listen(
    stories: dict[str, Story],
    where: tuple[str, int],
    speed: float,
    patience: float | None,
    outcomes: list[Outcome],
    ending: Ending,
) -> None:
    async with _central_system(stories) as csms, trio.open_nursery() as nursery:
        try:
            port = await csms.listen(*where)
        except (OSError, UnicodeError) as error:
            raise listening_failed(*where, error) from error
        host = f"[{where[0]}]" if ":" in where[0] else where[0]
        click.echo(f"listening on ws://{host}:{port}/", err=True)
        nursery.start_soon(_until_asked, ending, nursery.cancel_scope)
        wait = PATIENCE if patience is None else patience
        try:
            await play_central_system(stories, csms, speed=speed, patience=wait, outcomes=outcomes)
        finally:
            with trio.CancelScope(shield=True):  # bounded inside
                async with trio.open_nursery() as closing:
                    for identity in list(csms.connected):
                        closing.start_soon(_close, csms, identity)
        nursery.cancel_scope.cancel()


async def _close(csms: CentralSystem, identity: str) -> None:
    with suppress(Offline):  # it was faster
        await csms.close(identity, 1001, "the replay has ended")


async def _with_charge_points(
    stories: dict[str, Story],
    keys: dict[str, dict[str, Any]],
    patience: float | None,
    outcomes: list[Outcome],
    ending: Ending,
) -> None:
    """Time passes faster for all of it."""
    core = keys.get("Core", {})
    least = core.get("NumberOfConnectors")
    if type(least) is int and 0 <= least <= MOST_CONNECTORS:  # else the configuration says what is wrong
        del core["NumberOfConnectors"]
    else:
        least = 1
    async with (
        _central_system(stories) as csms,
        open_fleet("ws://replay", connector=csms.connector, keys=keys) as fleet,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(_until_asked, ending, nursery.cancel_scope)
        for story in stories.values():
            made_of = blueprint(USUAL).over(connectors=max(connectors_of(story), least))
            member = await fleet.add(story.identity or "CP1", made_of)
            nursery.start_soon(Driver(story, member.station, 1.0).drive)
        wait = PATIENCE if patience is None else patience
        await play_central_system(stories, csms, patience=wait, outcomes=outcomes)
        nursery.cancel_scope.cancel()


def _central_system(stories: dict[str, Story]) -> CentralSystem:
    given = [
        one.answer.payload.get("transactionId")
        for story in stories.values()
        for one in story.answers("StartTransaction", is_ours=True)
        if one.answer is not None and isinstance(one.answer.payload, dict)
    ]
    highest = max([0, *(number for number in given if type(number) is int)])
    return CentralSystem(now=lambda: round(time() * 1e6), record_limit=0, first_transaction_id=highest + 1)


async def _until_asked(ending: Ending, scope: trio.CancelScope) -> None:
    await ending.wait()
    scope.cancel()


def _lines(outcome: Outcome) -> list[str]:
    mark = "✓" if outcome.is_same else "✗"
    who = shown(outcome.identity, 64) or "?"
    lines = [f"{mark} {who}: {outcome.played:,} requests, {outcome.answered:,} answered, {outcome.count:,} differences"]
    if outcome.connections > 1:
        lines[0] += f", {outcome.connections:,} connections"
    lines += [
        f"    {f'line {one.line}: ' if one.line else ''}{one.action}: {one.text}"
        for one in outcome.differences[:MOST_PRINTED]
    ]
    if outcome.end:
        lines.append(f"    {outcome.end}")
    return lines


def _object(outcome: Outcome) -> dict[str, Any]:
    return {
        "charge_point": outcome.identity,
        "requests": outcome.played,
        "answered": outcome.answered,
        "connections": outcome.connections,
        "count": outcome.count,
        "differences": [one._asdict() for one in outcome.differences],
        "end": outcome.end,
        "is_same": outcome.is_same,
    }
