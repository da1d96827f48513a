"""`ocpp16 proxy`: stands between charge points and a Central System, says what passes, records, judges, disturbs."""

from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import click
import trio

from ocpp16.address import scheme_of
from ocpp16.cli.failure import INTERRUPTED, CommandFailed, listening_failed
from ocpp16.cli.finite_range import FiniteRange
from ocpp16.cli.first_charge_point import check_csms
from ocpp16.cli.log import LogChoice, log_options
from ocpp16.cli.message_lines import IN, LONGEST_LINE, LONGEST_TEXT, OUT, MessageLines
from ocpp16.cli.running import Ending, run
from ocpp16.cli.said_lines import LAST_LINES, LONGEST_QUEUE, Said, print_lines
from ocpp16.cli.server_tls import CHAIN, CLIENT_ROOTS, KEY, tls_context
from ocpp16.cli.standard_streams import StandardOutput
from ocpp16.errors import ConfigurationError
from ocpp16.lint import Linter
from ocpp16.proxy import Happening, Kind, Proxy, open_proxy
from ocpp16.redaction import redacted_prose
from ocpp16.security.tls import SSLContext, client_context
from ocpp16.texts import shown
from ocpp16.wire import WireFaults

FOUND = 1
"""Exit code: the linter found errors."""
FilePath: Final = click.Path(path_type=Path, dir_okay=False)


class Wanted(NamedTuple):
    """What is to be run."""

    csms: str
    host: str
    port: int
    tls: SSLContext | None
    csms_tls: SSLContext | None
    trace: Path | None
    faults: WireFaults
    seed: int
    is_linted: bool
    is_quiet: bool
    ping_interval: float


@click.command("proxy", short_help="Stand between charge points and a Central System.")
@click.option("--listen", metavar="HOST:PORT", required=True, help="Where to listen; port 0 takes a free one.")
@click.option("--csms", metavar="URL", required=True, help="Central System, ws:// or wss://; ids are appended.")
@click.option("--trace", type=FilePath, help="Append what passes to this file, OCPP trace format 1.1.")
@click.option(
    "--fault",
    "groups",
    metavar="WORDS",
    multiple=True,
    help="Disturb: latency=0.2,jitter=0.1 or drop=0.01,direction=in or cut,every=60; may be repeated.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the faults.")
@click.option("--lint", "is_linted", is_flag=True, help="Judge what passes; exit code 1 if there were errors.")
@click.option(
    "--csms-ca", type=click.Path(path_type=Path), help="Roots to trust for wss://. Without: the operating system's."
)
@click.option("--csms-cert", type=FilePath, help="Client certificate for the Central System, leaf first.")
@click.option("--csms-key", type=FilePath, help="Its private key.")
@click.option(
    "--tls",
    type=click.Path(path_type=Path),
    help=f"Serve wss:// with this certificate and --key, or with {CHAIN} and {KEY} of this folder; {CLIENT_ROOTS} "
    "there demands client certificates.",
)
@click.option("--key", type=FilePath, help="Its private key.")
@click.option("--client-ca", type=FilePath, help="Demand client certificates that these roots vouch for.")
@click.option(
    "--ping",
    "ping_interval",
    type=FiniteRange(0, 86_400),
    default=60.0,
    show_default=True,
    help="Seconds of silence after which a side is pinged; 0: never.",
)
@click.option("--quiet", is_flag=True, help="Say no frames, only connections and findings.")
@log_options
@click.pass_obj
def proxy(
    choice: LogChoice,
    /,
    listen: str,
    csms: str,
    trace: Path | None,
    groups: tuple[str, ...],
    seed: int,
    is_linted: bool,
    csms_ca: Path | None,
    csms_cert: Path | None,
    csms_key: Path | None,
    tls: Path | None,
    key: Path | None,
    client_ca: Path | None,
    ping_interval: float,
    quiet: bool,
) -> int:
    """Stand between charge points and a Central System, whoever made them.

    Charge points connect to ws://HOST:PORT/…/ID; each is let in, and refused, as the Central System does. Texts pass as
    they are. Ctrl-C ends it with a summary.
    """
    choice.begin("warning")
    check_csms(csms)
    host, port = address(listen)
    wanted = Wanted(
        csms,
        host,
        port,
        tls_context(tls, key, client_ca),
        _csms_tls(csms, csms_ca, csms_cert, csms_key),
        trace,
        _faults(groups),
        seed,
        is_linted,
        quiet,
        ping_interval,
    )
    return run(partial(_run, wanted))


def address(listen: str) -> tuple[str, int]:
    """Raises CommandFailed."""
    host, _, port = listen.rpartition(":")
    if not (port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) <= 65_535):
        raise CommandFailed(f"--listen {shown(listen, 64)}: write HOST:PORT, as 127.0.0.1:9000")
    return host.strip("[]") or "127.0.0.1", int(port)


def _faults(groups: tuple[str, ...]) -> WireFaults:
    """Raises CommandFailed."""
    try:
        return WireFaults.read(groups)
    except ConfigurationError as error:
        raise CommandFailed(*(f"--fault: {problem}" for problem in error.problems)) from None


def _csms_tls(csms: str, roots: Path | None, cert: Path | None, key: Path | None) -> SSLContext | None:
    """Raises CommandFailed and ConfigurationError."""
    if (cert is None) != (key is None):
        raise CommandFailed("--csms-cert and --csms-key belong together")
    if scheme_of(csms) != "wss":
        if roots or cert:
            raise CommandFailed("--csms-ca and --csms-cert are for a Central System at wss://")
        return None
    return client_context(roots, use_default_verify_paths=roots is None, certificate_chain=cert, private_key=key)


async def _run(wanted: Wanted, ending: Ending) -> None:
    send, receive = trio.open_memory_channel[str](LONGEST_QUEUE)
    say = Said(send)
    spoken = _Spoken(say, is_quiet=wanted.is_quiet)
    async with trio.open_nursery() as printing:
        printing.start_soon(print_lines, receive, StandardOutput(partial(ending.begin, "standard output was closed")))
        with send:
            try:
                async with open_proxy(
                    wanted.csms,
                    wanted.host,
                    wanted.port,
                    tls=wanted.tls,
                    csms_tls=wanted.csms_tls,
                    trace=wanted.trace,
                    linter=Linter() if wanted.is_linted else None,
                    faults=wanted.faults,
                    seed=wanted.seed,
                    on_happening=spoken.take,
                    ping_interval=wanted.ping_interval,
                ) as made:
                    where = f"[{wanted.host}]" if ":" in wanted.host else wanted.host
                    say(f"listening on {'ws' if wanted.tls is None else 'wss'}://{where}:{made.port}/")
                    await ending.wait()
            except (OSError, UnicodeError) as error:
                raise listening_failed(wanted.host, wanted.port, error) from error
            for line in _summary(made, is_linted=wanted.is_linted):
                say(line)
        printing.cancel_scope.deadline = trio.current_time() + LAST_LINES
    if made.errors and ending.exit_code in (0, INTERRUPTED):
        ending.exit_code = FOUND


def _summary(made: Proxy, *, is_linted: bool) -> list[str]:
    count = made.counts
    lines = [f"{count[Kind.OPENED]:,} connections, {count[Kind.REFUSED]:,} refused, {count[Kind.FRAME]:,} messages"]
    if made.faults:
        lines.append("faults: " + ", ".join(f"{word} {often:,}" for word, often in sorted(made.faults.items())))
    if made.trace is not None and made.trace.lost:
        lines.append(f"{made.trace.lost:,} messages are not in the trace")
    if is_linted:
        lines.append(f"{count[Kind.FINDING]:,} findings, {made.errors:,} of them errors")
    return lines


class _Spoken:
    """What happens, in lines. Arrows go from the charge point (→) or to it (←)."""

    def __init__(self, say: Said, *, is_quiet: bool) -> None:
        self._say = say
        self._is_quiet = is_quiet
        self._lines = MessageLines()

    def take(self, happening: Happening) -> None:
        """Say it."""
        kind, identity, text, way, is_error = happening
        who = shown(identity, LONGEST_TEXT) or "?"
        if kind is Kind.FRAME:
            if self._is_quiet:
                return
            line = self._lines.of_text(OUT if way == "sent" else IN, text, identity)
        elif kind is Kind.OPENED:
            line = f"connected, {shown(text)}"
        elif kind is Kind.FINDING:
            line = f"{'✗' if is_error else '!'} {redacted_prose(text)}"
        elif kind is Kind.TROUBLE:
            who, line = "proxy", text
        else:
            line = f"{'disconnected' if kind is Kind.CLOSED else 'refused'}: {redacted_prose(text)}"
        self._say(f"{who} {shown(line, LONGEST_LINE - LONGEST_TEXT)}")
