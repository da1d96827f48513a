"""`ocpp16 lint`: what a trace says of its transactions; are the meter's signatures right, and do the values fit?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import orjson

from ocpp16.cli.failure import CommandFailed
from ocpp16.cli.log import LogChoice, log_options
from ocpp16.lint.public_keys import PublicKeys
from ocpp16.lint.trace import Trace, TraceError
from ocpp16.lint.transactions import Transactions
from ocpp16.lint.verdict import BAD, GOOD, NOTHING_SIGNED, Verdict, verdict
from ocpp16.metering.failure import SignedDataError
from ocpp16.metering.public_key import LONGEST, key_bytes
from ocpp16.regular_file import read_regular
from ocpp16.texts import shown

FOUND = 1
"""Something is bad."""


@click.command("lint", short_help="Check a trace: the signed meter values of its transactions.")
@click.argument("trace", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--public-key", "public_keys", multiple=True, metavar="FILE|TEXT", help="Public key of the meter, and no other."
)
@click.option("--json", "is_json", is_flag=True, help="Print an object for each transaction, and one for all.")
@log_options
@click.pass_obj
def lint(choice: LogChoice, /, trace: Path, public_keys: tuple[str, ...], is_json: bool) -> int:
    """Verify what meters signed in TRACE, JSON lines of the OCPP trace format 1.1, plain or gzip.

    The key is that of --public-key, else the MeterPublicKey that the trace tells, else that in the values. Exit code 0:
    nothing is bad, 1: something is, 2: the trace cannot be read.
    """
    choice.begin("warning")
    keys = PublicKeys([_key(given) for given in public_keys])
    read = Trace(trace, _progress)
    counts = dict.fromkeys((GOOD, BAD, NOTHING_SIGNED), 0)
    try:
        if not keys.given:
            keys.find_in(read)
        for one in _verdicts(read, keys):
            counts[one.word] += 1
            click.echo(orjson.dumps(_object(one)) if is_json else "\n".join(_lines(one)))
    except TraceError as error:
        raise CommandFailed(str(error)) from None
    finally:
        _progress(None)
    if not read.frame_count:
        raise CommandFailed(f"{trace}: is no trace: no line of it is a record of the OCPP trace format")
    if is_json:
        click.echo(orjson.dumps({"summary": counts, "unreadable_lines": read.wrong_count, "keys": keys.unreadable}))
    else:
        click.echo(", ".join(f"{count} {word}" for word, count in counts.items()))
    for name, why in keys.unreadable.items():
        click.echo(f"{name}: {why}", err=True)
    for line in read.wrong:
        click.echo(f"{trace}: {line}", err=True)
    return FOUND if counts[BAD] else 0


def _verdicts(trace: Trace, keys: PublicKeys) -> Iterator[Verdict]:
    transactions = Transactions()
    for frame in trace:
        for transaction in transactions.read(frame):
            yield verdict(transaction, keys)
    for transaction in transactions.unfinished():
        yield verdict(transaction, keys)


def _key(given: str) -> bytes:
    """Of a file of that name, else of the text itself. Raises CommandFailed."""
    text = given
    try:
        if len(given) < 4_096 and "\n" not in given and Path(given).is_file():
            content = read_regular(given, LONGEST)
            try:
                text = content.decode()
            except UnicodeDecodeError:
                return content  # DER
        return key_bytes(text)
    except (OSError, ValueError, SignedDataError) as error:
        raise CommandFailed(f"--public-key: {shown(given, 60)}: {shown(error, 200)}") from None


def _progress(part: float | None) -> None:
    """One line that is written over, where somebody looks; None: take it away."""
    if sys.stderr is not None and sys.stderr.isatty():
        click.echo("\r" + " " * 20 + "\r" if part is None else f"\r{part:4.0%} read", err=True, nl=False)


def _name(found: Verdict) -> str:
    one = found.transaction
    who = f"{shown(one.charge_point, 60)} " if one.charge_point else ""
    name = f"transaction {one.transaction_id}" if one.transaction_id is not None else "a transaction without id"
    where = "" if one.connector_id is None else f", connector {one.connector_id}"
    return f"{who}{name}{where}" + ("" if one.is_stopped else ", not stopped")


def _lines(found: Verdict) -> Iterator[str]:
    mark = {GOOD: "✓", BAD: "✗", NOTHING_SIGNED: "-"}[found.word]
    values = f", {found.signed_count} signed, key {' and '.join(found.keys)}" if found.word == GOOD else ""
    yield f"{mark} {_name(found)}: {found.word}{values}"
    for finding in found.findings:
        yield f"    {finding.rule}: {finding.text}"


def _object(found: Verdict) -> dict[str, Any]:
    one = found.transaction
    return {
        "charge_point": one.charge_point,
        "transaction_id": one.transaction_id,
        "connector": one.connector_id,
        "id_tag": one.id_tag,
        "line": one.line,
        "is_stopped": one.is_stopped,
        "verdict": found.word,
        "signed": found.signed_count,
        "keys": list(found.keys),
        "findings": [{"rule": finding.rule, "text": finding.text} for finding in found.findings],
    }
