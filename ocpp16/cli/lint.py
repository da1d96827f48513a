"""`ocpp16 lint`: what a file of traffic says of those who wrote it, by the table of rules; and what meters signed."""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click
import orjson

from ocpp16.cli.failure import CommandFailed
from ocpp16.cli.lint_findings import Findings, finding_object, rule_lines, sayable
from ocpp16.cli.log import LogChoice, log_options
from ocpp16.lint import RULES, Finding, Linter
from ocpp16.lint.finding import ERROR, WARNING
from ocpp16.lint.public_keys import PublicKeys
from ocpp16.lint.readers import READERS
from ocpp16.lint.signed_transactions import SignedTransactions
from ocpp16.lint.trace import Trace, TraceError
from ocpp16.lint.verdict import BAD, GOOD, NOTHING_SIGNED, SIGNED_RULES, Verdict, verdict
from ocpp16.metering.failure import SignedDataError
from ocpp16.metering.public_key import LONGEST, key_bytes
from ocpp16.regular_file import read_regular
from ocpp16.texts import shown

FOUND = 1
"""Something is bad."""
_MOST_UNSIGNED = 1_000
"""Transactions without a signature that are listed, where there are others with one."""


def _list_rules(context: click.Context, parameter: click.Parameter, is_asked: bool) -> None:
    if is_asked:
        for line in rule_lines():
            click.echo(line)
        context.exit()


def _names(context: click.Context, parameter: click.Parameter, names: tuple[str, ...]) -> frozenset[str]:
    for name in names:
        if name not in RULES:
            raise click.BadParameter(f"there is no rule {shown(name, 60)}; --rules lists them")
    return frozenset(names)


@click.command("lint", short_help="Judge traffic of any vendor: traces and message logs.")
@click.argument("traces", metavar="TRACE...", type=click.Path(path_type=Path, dir_okay=False), nargs=-1, required=True)
@click.option(
    "--format",
    "reader",
    type=click.Choice(list(READERS)),
    help="Format of the files; recognised unless it is given.",
)
@click.option("--id", "charge_point", default="", metavar="ID", help="The charge point's id, where the file has none.")
@click.option("--only", multiple=True, metavar="RULE", callback=_names, help="Follow this rule, and no other.")
@click.option("--ignore", multiple=True, metavar="RULE", callback=_names, help="Leave this rule out.")
@click.option("--strict", is_flag=True, help="Warnings count as errors for the exit code.")
@click.option(
    "--public-key", "public_keys", multiple=True, metavar="FILE|TEXT", help="Public key of the meter, and no other."
)
@click.option("--json", "is_json", is_flag=True, help="Print an object for each finding and transaction, one for all.")
@click.option(
    "--rules", is_flag=True, is_eager=True, expose_value=False, callback=_list_rules, help="List the rules, and end."
)
@log_options
@click.pass_obj
def lint(
    choice: LogChoice,
    /,
    traces: tuple[Path, ...],
    reader: str | None,
    charge_point: str,
    only: frozenset[str],
    ignore: frozenset[str],
    strict: bool,
    public_keys: tuple[str, ...],
    is_json: bool,
) -> int:
    """Judge what TRACE says of the charge point and the Central System, each file by itself.

    It may be a trace (JSON lines of the OCPP trace format 1.1) or the log of another tool, plain or gzip. What meters
    signed is verified with the key of --public-key, else the MeterPublicKey that the trace tells, else that in the
    values. Exit code 0: no error, 1: there are some, 2: a file cannot be read.
    """
    choice.begin("warning")
    rules = (only or frozenset(RULES)) - ignore
    unreadable: list[str] = []
    given = [_key(one) for one in public_keys]
    is_found = False
    for path in traces:
        if len(traces) > 1 and not is_json:
            click.echo(f"{path}:")
        trace = Trace(path, _progress, reader, charge_point)
        try:
            is_found |= _Judgement(path, trace, rules, PublicKeys(given), is_json, strict).run()
        except CommandFailed as failed:  # the others are judged all the same
            unreadable += failed.problems
    if unreadable:
        raise CommandFailed(*unreadable)
    return FOUND if is_found else 0


class _Judgement:
    """One file, read and told of."""

    def __init__(
        self, path: Path, trace: Trace, rules: frozenset[str], keys: PublicKeys, is_json: bool, is_strict: bool
    ) -> None:
        self._path = path
        self._trace = trace
        self._rules = rules
        self._keys = keys
        self._is_json = is_json
        self._is_strict = is_strict
        self._findings = Findings()
        self._counts = dict.fromkeys((GOOD, BAD, NOTHING_SIGNED), 0)
        self._unsigned: list[Verdict] = []

    def run(self) -> bool:
        """Is something wrong? Raises CommandFailed."""
        signed = self._rules & SIGNED_RULES.keys()
        try:
            if signed and not self._keys.given:
                self._keys.find_in(self._trace)
            self._read(signed)
        except TraceError as error:
            raise CommandFailed(str(error)) from None
        finally:
            _progress(None)
        if not self._trace.frame_count:
            name = self._trace.format
            raise CommandFailed(f"{self._path}: is no trace: no line of it is a message in the format {name}")
        self._tell_all()
        counted = (ERROR, WARNING) if self._is_strict else (ERROR,)
        return bool(self._counts[BAD] or sum(map(self._findings.count, counted)))

    def _read(self, signed: frozenset[str]) -> None:
        linter, transactions = Linter(self._rules - SIGNED_RULES.keys()), SignedTransactions()
        judge = partial(verdict, keys=self._keys, rules=signed)
        for frame in self._trace:
            for finding in linter.take(frame):
                self._tell(finding)
            for transaction in transactions.read(frame) if signed else ():
                self._tell_verdict(judge(transaction))
        for finding in linter.end():
            self._tell(finding)
        for transaction in transactions.unfinished():
            self._tell_verdict(judge(transaction))

    def _tell(self, finding: Finding) -> None:
        self._findings.add(finding)
        if self._is_json:
            click.echo(orjson.dumps(finding_object(finding)))

    def _tell_verdict(self, found: Verdict) -> None:
        self._counts[found.word] += 1
        if self._is_json:
            click.echo(orjson.dumps(_object(found)))
        elif found.word == NOTHING_SIGNED and not (self._counts[GOOD] or self._counts[BAD]):
            if len(self._unsigned) < _MOST_UNSIGNED:
                self._unsigned.append(found)
        else:
            for one in (*self._unsigned, found):
                click.echo("\n".join(_lines(one)))
            self._unsigned.clear()

    def _tell_all(self) -> None:
        trace, findings = self._trace, self._findings
        totals = {severity: findings.count(severity) for severity in (ERROR, WARNING)}
        if self._is_json:
            told: dict[str, Any] = {"file": sayable(str(self._path))}
            told |= {"summary": self._counts, "unreadable_lines": trace.wrong_count, "keys": self._keys.unreadable}
            told |= {"frames": trace.frame_count, "findings": totals, "rules": findings.counts}
            click.echo(orjson.dumps(told | {"other_lines": trace.other_count}))
        else:
            for line in findings.lines():
                click.echo(line)
            counted = (_counted(totals[severity], severity) for severity in (ERROR, WARNING))
            click.echo(f"{', '.join(counted)} in {_counted(trace.frame_count, 'frame')}")
            if self._rules & SIGNED_RULES.keys():  # else nobody has looked at what is signed
                click.echo(", ".join(f"{count} {word}" for word, count in self._counts.items()))
        for name, why in self._keys.unreadable.items():
            click.echo(f"{shown(name, 200)}: {shown(why, 200)}", err=True)
        for line in trace.wrong:
            click.echo(f"{self._path}: {line}", err=True)
        if more := trace.wrong_count - len(trace.wrong):
            click.echo(f"{self._path}: and {_counted(more, 'more line')} that cannot be read", err=True)
        if trace.other_count:
            click.echo(f"{self._path}: lines of something else that were passed over: {trace.other_count:,}", err=True)


def _counted(number: int, name: str) -> str:
    return f"{number:,} {name}" + ("" if number == 1 else "s")


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
        why = (isinstance(error, OSError) and error.strerror) or error
        raise CommandFailed(f"--public-key: {shown(given, 60)}: {shown(why, 200)}") from None


def _progress(part: float | None) -> None:
    """One line that is written over, where somebody looks; None: take it away."""
    if sys.stderr is not None and sys.stderr.isatty():
        click.echo("\r" + " " * 20 + "\r" if part is None else f"\r{part:4.0%} read", err=True, nl=False)


def _name(found: Verdict) -> str:
    one = found.transaction
    who = f"{shown(one.charge_point, 60)} " if one.charge_point else ""
    name = f"transaction {one.transaction_id}" if one.transaction_id is not None else "a transaction without id"
    where = "" if one.connector_id is None else f", connector {one.connector_id}"
    when = ("" if one.has_start else ", begun before the trace") + ("" if one.is_stopped else ", not stopped")
    return f"{who}{name}{where}{when}"


def _lines(found: Verdict) -> Iterator[str]:
    mark = {GOOD: "✓", BAD: "✗", NOTHING_SIGNED: "-"}[found.word]
    values = f", {found.signed_count} signed" if found.word == GOOD else ""
    if values and found.keys:
        values += f", key {' and '.join(found.keys)}"
    if values and found.unverified_count:
        values += f", {found.unverified_count} of them not verified"
    yield f"{mark} {_name(found)}: {found.word}{values}"
    for finding in found.findings:
        yield f"    {finding.rule}: {finding.text}"


def _object(found: Verdict) -> dict[str, Any]:
    one = found.transaction
    return {
        "charge_point": sayable(one.charge_point),
        "transaction_id": one.transaction_id,
        "connector": one.connector_id,
        "id_tag": one.id_tag,
        "line": one.line,
        "has_start": one.has_start,
        "is_stopped": one.is_stopped,
        "verdict": found.word,
        "signed": found.signed_count,
        "unverified": found.unverified_count,
        "keys": list(found.keys),
        "findings": [{"rule": finding.rule, "text": finding.text} for finding in found.findings],
    }
