"""`ocpp16 central-system`: the scripted Central System of the test kit as a server that accepts everything.

For trying a charge point out. It says what passes, in readable lines, and what a charge point did that OCPP does not
allow, and whom it refused. It keeps nothing. Nearly all that is said is foreign: each line is harmless and bounded, and
of floods only a part is printed, and how much was left out.
"""

from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path
from ssl import SSLContext
from time import time

import click
import trio

from ocpp16.cli.failure import CommandFailed, listening_failed
from ocpp16.cli.laboratory import V2gLaboratory
from ocpp16.cli.log import LogChoice, log_options
from ocpp16.cli.message_lines import IN, LONGEST_LINE, LONGEST_TEXT, OUT, MessageLines
from ocpp16.cli.orders import Orders
from ocpp16.cli.running import Ending, run
from ocpp16.cli.said_lines import LAST_LINES, LONGEST_QUEUE, Said, print_lines
from ocpp16.cli.server_tls import CHAIN, CLIENT_ROOTS, KEY, tls_context
from ocpp16.cli.standard_streams import StandardInput, StandardOutput, lines
from ocpp16.rpc.folding import Folding
from ocpp16.testing import CentralSystem, Direction
from ocpp16.testing.connected_charge_point import NO_FRAME
from ocpp16.testing.pricing import SessionPricing
from ocpp16.testing.recording import Frame, Recording
from ocpp16.texts import shown

JUNK_INTERVAL = 10.0
"""Seconds in which junk of a charge point is told once."""
_OPTIONS = {"kWhPrice": "--kwh-price", "hourPrice": "--hour-price", "flatFee": "--flat-fee"}
"""Option of a price, by its name in OCPP."""
MOST_ORDERS = 64
"""Typed lines that are carried out at once; whoever types more waits."""


@click.command("central-system", short_help="Accept charge points and say what passes.")
@click.option("--port", type=click.IntRange(0, 65_535), required=True, help="Port to listen on; 0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--tls",
    type=click.Path(path_type=Path),
    help=f"Serve wss:// with this certificate (leaf first) and --key, or with {CHAIN} and {KEY} of this folder; "
    f"{CLIENT_ROOTS} there demands client certificates.",
)
@click.option("--key", type=click.Path(path_type=Path, dir_okay=False), help="Its private key.")
@click.option(
    "--client-ca",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Demand client certificates that these roots vouch for.",
)
@click.option(
    "--pki",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder that `ocpp16 pki --v2g` made: sign certificates towards cars, and tell their status.",
)
@click.option(
    "--heartbeat",
    type=click.IntRange(1, 2**31 - 1),
    default=300,
    show_default=True,
    help="Heartbeat interval, seconds.",
)
@click.option("--kwh-price", metavar="AMOUNT", help="Send prices and costs: so much for a kWh.")
@click.option("--hour-price", metavar="AMOUNT", help="So much for an hour.")
@click.option("--flat-fee", metavar="AMOUNT", help="So much for a session.")
@click.option("--currency", default="EUR", show_default=True, help="As it stands in the texts of prices.")
@click.option("--control", is_flag=True, help="Read commands from standard input; its end ends the program.")
@log_options
@click.pass_obj
def central_system(
    choice: LogChoice,
    /,
    port: int,
    host: str,
    tls: Path | None,
    key: Path | None,
    client_ca: Path | None,
    pki: Path | None,
    heartbeat: int,
    control: bool,
    **prices: str | None,
) -> int:
    """A Central System that accepts everything and says what passes.

    A charge point's identity is the last part of the path it connects to. With a price it sends what a session costs,
    by DataTransfer as the California pricing note has it.
    """
    choice.begin("warning")
    context = tls_context(tls, key, client_ca)
    laboratory = None if pki is None else V2gLaboratory(pki)
    return run(partial(_run, host, port, context, laboratory, heartbeat, control, prices))


async def _run(
    host: str,
    port: int,
    context: SSLContext | None,
    laboratory: V2gLaboratory | None,
    heartbeat: int,
    is_controlled: bool,
    prices: dict[str, str | None],
    ending: Ending,
) -> None:
    send, receive = trio.open_memory_channel[str](LONGEST_QUEUE)
    say = Said(send)
    central = CentralSystem(now=lambda: round(time() * 1e6), interval=heartbeat, record_limit=0)
    central.recording = SpokenRecording(say)
    if laboratory is not None:
        laboratory.join(central)
    _price_sessions(central, **prices)
    async with trio.open_nursery() as printing:
        printing.start_soon(print_lines, receive, StandardOutput(partial(ending.begin, "standard output was closed")))
        with send:
            async with central, trio.open_nursery() as nursery:
                try:
                    port = await central.listen(host, port, context)
                except (OSError, UnicodeError) as error:
                    raise listening_failed(host, port, error) from error
                where = f"[{host}]" if ":" in host else host
                say(f"listening on {'ws' if context is None else 'wss'}://{where}:{port}/")
                if is_controlled:
                    nursery.start_soon(_obey, Orders(central, say), ending)
                await ending.wait()
                nursery.cancel_scope.cancel()
                with trio.CancelScope(shield=True):  # each of them bounded
                    await _close_all(central)
        printing.cancel_scope.deadline = trio.current_time() + LAST_LINES


def _price_sessions(central: CentralSystem, currency: str | None, **prices: str | None) -> None:
    """Raises CommandFailed."""
    if any(price is not None for price in prices.values()):
        try:
            SessionPricing(central, currency=currency or "", **prices).begin()
        except ValueError as error:
            name, _, why = str(error).partition(" ")
            raise CommandFailed(f"{_OPTIONS.get(name, name)}: {why}") from None


async def _obey(orders: Orders, ending: Ending) -> None:
    free = trio.Semaphore(MOST_ORDERS)

    async def obey(line: str) -> None:
        try:
            await orders.obey(line)
        finally:
            free.release()

    async with trio.open_nursery() as nursery, aclosing(lines(StandardInput())) as typed:
        async for line in typed:
            if line.strip() in {"quit", "exit"}:
                break
            if await orders.pause(line):
                continue
            await free.acquire()
            nursery.start_soon(obey, line)
    ending.begin("end of input")


async def _close_all(central: CentralSystem) -> None:
    """Say goodbye to every charge point."""
    async with trio.open_nursery() as nursery:
        for charge_point in list(central.connected.values()):
            nursery.start_soon(charge_point.aclose, 1001, "the Central System stops")


class SpokenRecording(Recording):
    """A record that is said aloud, line by line, and not kept. Arrows go from the charge point (→) or to it (←)."""

    __slots__ = ("_junk", "_lines", "_say")

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(0)
        self._say = say
        self._lines = MessageLines()
        self._junk = Folding(JUNK_INTERVAL)

    def add(self, identity: str, direction: Direction, text: str, frame: Frame | None = None) -> None:
        super().add(identity, direction, text, frame)
        is_junk = frame is None and direction is Direction.RECEIVED
        self._tell(identity, self._described(identity, direction, text, frame), "unreadable" if is_junk else None)

    def object_to(self, identity: str, rule: str, text: str) -> None:
        super().object_to(identity, rule, text)
        self._tell(identity, f"! against the rules: {rule}", "no frame" if rule.startswith(NO_FRAME) else None)

    def _tell(self, identity: str, line: str, junk: str | None) -> None:
        untold = 0 if junk is None else self._junk.note((identity, junk), trio.current_time())
        if untold is not None:
            more = f" (… {untold:,} more like it before)" if untold else ""
            self._say(f"{shown(identity, LONGEST_TEXT) or '?'} {shown(line, LONGEST_LINE - LONGEST_TEXT)}{more}")

    def _described(self, identity: str, direction: Direction, text: str, frame: Frame | None) -> str:
        if direction is Direction.OPENED:
            return "connected"
        if direction is Direction.CLOSED:
            return f"disconnected: {text}"
        if direction is Direction.REFUSED:
            return f"refused: {text}"
        arrow = OUT if direction is Direction.RECEIVED else IN
        return self._lines.of_text(arrow, text, identity, frame)
