"""`ocpp16 lint`: is what the meters signed in a trace true, and of one piece?"""

import json
import sys
from collections import Counter
from pathlib import Path

import click

from ocpp16.cli.failure import CommandFailed
from ocpp16.cli.log import LogChoice, log_options
from ocpp16.cli.standard_error import StandardError
from ocpp16.lint.trace import Trace, TraceError
from ocpp16.lint.verdict import Judgement, Verdict, judged
from ocpp16.metering.failure import SignedDataError
from ocpp16.metering.public_key import key_bytes
from ocpp16.regular_file import read_regular
from ocpp16.texts import shown

_LARGEST_KEY = 65_536
"""Bytes of a file with a key."""


@click.command(short_help="Verify what meters signed in a trace of OCPP messages.")
@click.argument("traces", metavar="TRACE…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--public-key",
    "keys",
    metavar="FILE|TEXT",
    multiple=True,
    help="Key of a meter: PEM, hexadecimal, base64, or a file with it. Without: those that the trace publishes.",
)
@click.option("--json", "as_json", is_flag=True, help="A JSON object for each transaction, one a line.")
@click.option(
    "--unsigned", "is_unsigned_bad", is_flag=True, help="A transaction without anything signed is a fault, too."
)
@log_options
@click.pass_obj
def lint(
    choice: LogChoice, traces: tuple[Path, ...], keys: tuple[str, ...], as_json: bool, is_unsigned_bad: bool
) -> int:
    """Verify what the meters signed in traces (JSON lines of the OCPP trace format 1.1, also .gz).

    For each transaction: are the signatures the meter's, do begin and end belong together, are they what was billed?
    The exit code is 0 if all is well, 1 if anything is not, 2 if a trace cannot be read.
    """
    choice.begin("warning")
    given = [_key(one) for one in keys]
    counted: Counter[Judgement] = Counter()
    wrong = 0
    for path in traces:
        trace = Trace(path, _Progress(choice.errors, path).told)
        try:
            for verdict in judged(trace, given):
                counted[verdict.judgement] += 1
                _print(verdict, path, as_json=as_json, is_one=len(traces) == 1)
        except TraceError as error:
            raise CommandFailed(shown(error, 500)) from None
        if not trace.frame_count:
            raise CommandFailed(f"{path}: is no trace: no line of it is a record of an OCPP message")
        wrong += trace.wrong_count
        for line in trace.wrong:
            choice.errors.write(f"ocpp16: {path}: {shown(line, 200)}\n")
    if not as_json:
        summary = ", ".join(f"{counted[judgement]} {judgement}" for judgement in Judgement)
        click.echo(f"transactions: {summary}" + (f"; {wrong} lines are no records" if wrong else ""))
    is_bad = counted[Judgement.BAD] or wrong or (is_unsigned_bad and counted[Judgement.UNSIGNED])
    return 1 if is_bad else 0


def _key(given: str) -> bytes:
    """Raises CommandFailed."""
    path = Path(given)
    text = given
    try:
        if len(given) < 1_000 and path.is_file():
            text = read_regular(path, _LARGEST_KEY).decode("latin-1")
    except (OSError, ValueError) as error:
        raise CommandFailed(f"--public-key {shown(given, 80)}: cannot be read: {shown(error, 120)}") from None
    try:
        return key_bytes(text)
    except SignedDataError as error:
        raise CommandFailed(f"--public-key {shown(given, 80)}: {error}; nor is there a file of this name") from None


def _print(verdict: Verdict, path: Path, *, as_json: bool, is_one: bool) -> None:
    if as_json:
        click.echo(json.dumps({"trace": str(path), **verdict.as_json()}))
        return
    transaction = verdict.examination.transaction
    number = "?" if transaction.transaction_id is None else transaction.transaction_id
    where = "" if is_one else f"{path}: "
    who = f"{transaction.charge_point or 'charge point'}, transaction {number}"
    told = [str(verdict.judgement)]
    if verdict.judgement is Judgement.GOOD:
        told = [f"good: {len(verdict.examination.values)} signed values, by {verdict.proved_by}"]
        begin, end = verdict.examination.begin, verdict.examination.end
        if begin is not None and end is not None and begin.energy is not None and end.energy is not None:
            told.append(f"{(end.energy - begin.energy).normalize():f} Wh")
    if not transaction.is_stopped:
        told.append("not ended")
    click.echo(shown(f"{where}{who}: {', '.join(told)}", 500))
    for finding in verdict.findings:
        click.echo(shown(f"    {finding.rule}: {finding.text}", 500))


class _Progress:
    """Tells a person how far it is, each tenth of a large file."""

    def __init__(self, errors: StandardError, path: Path) -> None:
        self._errors = errors
        self._path = path
        self._told = 0

    def told(self, part: float) -> None:
        tenth = int(part * 10)
        if tenth < self._told:  # the second time through
            self._told = 0
        if tenth > self._told and sys.stderr is not None and sys.stderr.isatty():
            self._told = tenth
            self._errors.write(f"ocpp16: {self._path}: {tenth * 10} %\n")
