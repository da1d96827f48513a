"""The report of a load test as one file of HTML: it needs no other file, no network and, but for its readings, no
script.

What comes from outside is escaped; and should that ever fail, the page's policy lets no script run but its own. Its
size is bounded whatever the results are: see `chart` and `tables`.
"""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Final

from ocpp16.address import without_credentials
from ocpp16.load.pictures import late_spans, percentile_curves, pictures
from ocpp16.load.results import Results
from ocpp16.load.tables import MOST_ROWS, TEXT_LENGTH, actions, demands, errors, offenders, seconds, stages, violations
from ocpp16.load.words import clock, counted, latency, measured, summary, verdict
from ocpp16.message_log.html import escaped

MOST_REASONS: Final = 5
"""Of a failure, beside the verdict."""

VERDICTS: Final = {
    "passed": ("good", "✓ Passed"),
    "failed": ("bad", "✗ Failed"),
    "incomplete": ("bad", "✗ Incomplete"),
    "running": ("open", "… Running"),
}


def page(results: Results) -> str:
    """The whole file, some hundred kilobytes at most for the longest test; write it as UTF-8."""
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    script = Path(__file__).with_name("page.js").read_text(encoding="utf-8")
    title = f"Load test: {results.scenario}"
    parts = (
        _opening(title, style, script),
        _header(results, title),
        _section("verdict", "Thresholds and expectations", demands(results)),
        _section("time", "Over time", pictures(results) + stages(results)),
        _section("actions", "Calls by action", percentile_curves(results) + actions(results)),
        _section("errors", "Errors", errors(results)),
        _section("protocol", "What broke the protocol", violations(results)),
        _section("offenders", "Worst offenders", offenders(results)),
        _section("figures", "Figures", f"<details><summary>Second by second</summary>{seconds(results)}</details>\n"),
        _section("facts", "Facts of the run", _facts(results)),
        "</main>\n</body>\n</html>\n",
    )
    return "".join(parts).encode(errors="backslashreplace").decode()


def _opening(title: str, style: str, script: str) -> str:
    return _OPENING.format(
        hash=b64encode(sha256(script.encode()).digest()).decode(),
        title=escaped(title, TEXT_LENGTH),
        style=style,
        script=script,
    )


def _section(name: str, head: str, content: str) -> str:
    return f'<section aria-labelledby="{name}"><h2 id="{name}">{escaped(head)}</h2>\n{content}</section>\n'


def _header(results: Results, title: str) -> str:
    look, word = VERDICTS[verdict(results)]
    reasons = _reasons(results)
    listed = "".join(f"<li>{escaped(reason, TEXT_LENGTH)}</li>" for reason in reasons[:MOST_REASONS])
    if len(reasons) > MOST_REASONS:
        listed += f"<li>… and {len(reasons) - MOST_REASONS:,} more</li>"
    warnings = "".join(f'<p class="warning">{warning}</p>\n' for warning in _warnings(results))
    return (
        f"<header>\n<h1>{escaped(title, TEXT_LENGTH)}</h1>\n"
        f"<p>{escaped(summary(results))}. {escaped(without_credentials(results.csms), TEXT_LENGTH)}</p>\n"
        f'<div class="verdict {look}"><strong>{word}</strong>{f"<ul>{listed}</ul>" if listed else ""}</div>\n'
        f"{warnings}{_tiles(results)}</header>\n<main>\n"
    )


def _reasons(results: Results) -> list[str]:
    """Why it did not pass, or did not end as it was meant to."""
    found = [] if results.is_complete or results.why_ended == "running" else [f"It ended early: {results.why_ended}"]
    found += [results.breach] if results.breach else []
    found += [f"{one.text}: {one.why or measured(one)}" for one in results.thresholds if not one.is_met]
    for expectation in results.expectations:
        if not expectation.is_met:
            first = expectation.failures[:1]
            found.append(expectation.name + "".join(f": {one.charge_point}: {one.why}" for one in first))
    return found


def _warnings(results: Results) -> list[str]:
    """In HTML. What a reader must know before believing a figure."""
    found = [escaped(note, TEXT_LENGTH) for note in results.notes[:MOST_ROWS]]
    lost = [one for one in results.processes if not one.is_alive]
    if lost:
        hit = sum(one.charge_points for one in lost)
        found.append(
            f"<b>{counted(len(lost), 'process', 'processes')} of {len(results.processes)} ended early</b>, with"
            f" {counted(hit, 'charge point')}: what they had to tell is in the figures up to their end."
        )
    late = late_spans(results.seconds)
    if results.limit.is_reached or late:
        span = sum(band.end - band.begin for band in late)
        why = f" {escaped(results.limit.why, TEXT_LENGTH)}" if results.limit.why else ""
        found.append(
            f"<b>The tool itself was late</b> in {clock(span)} of the test (hatched in the pictures), by"
            f" {latency(results.limit.worst_loop_delay)} at worst.{why} Latencies of these seconds are in part the"
            " tool's own: repeat the test with more <code>--processes</code>, on a faster machine, or with fewer charge"
            " points."
        )
    return found


def _tiles(results: Results) -> str:
    calls = sum(one.count for one in results.actions.values())
    span = sum(second.span for second in results.seconds)
    worst = max((one.due.p99 for one in results.actions.values() if one.due.p99 is not None), default=None)
    faults = sum(one.errors + one.timeouts + one.lost for one in results.actions.values())
    told = (
        ("charge points", f"{results.charge_points:,}"),
        ("calls ended", f"{calls:,}"),
        ("calls each second", f"{calls / span:,.1f}" if span else "–"),
        ("without a result", f"{faults / calls:.2%}" if calls else "–"),
        ("worst p99 of an action", latency(worst)),
        ("transactions ended of begun", f"{results.transactions.stopped:,} / {results.transactions.started:,}"),
    )
    return "<dl>" + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in told) + "</dl>\n"


def _facts(results: Results) -> str:
    csms = without_credentials(results.csms)
    told = (
        ("version", f"ocpp16 {results.version}"),
        ("Central System", csms),
        ("scenario", results.scenario),
        ("seed", str(results.seed)),
        ("speed", f"{results.speed:g} ×"),
        (
            "charge points",
            f"{counted(results.charge_points, 'charge point')}, {counted(results.connectors, 'connector')} each",
        ),
        ("began", results.began),
        ("ended", results.ended),
        ("why it ended", results.why_ended),
        ("worst loop delay", latency(results.limit.worst_loop_delay)),
        ("form of the results", results.format),
    )
    rows = "".join(f"<div><dt>{name}</dt><dd>{escaped(value, TEXT_LENGTH)}</dd></div>" for name, value in told)
    processes = "".join(
        f"<li>process {one.number}: {counted(one.charge_points, 'charge point')}, "
        f"{'alive to the end' if one.is_alive else 'ended early'}"
        f"{escaped(f': {one.ended}', TEXT_LENGTH) if one.ended else ''}</li>"
        for one in results.processes[:MOST_ROWS]
    )
    again = f"<p>To run its like again:</p>\n<pre>{escaped(results.again, 10_000)}</pre>\n" if results.again else ""
    return f'<dl class="facts">{rows}</dl>\n<ul>{processes}</ul>\n{again}'


_OPENING: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
script-src 'sha256-{hash}'">
<title>{title}</title>
<style>
{style}</style>
<script>{script}</script>
</head>
<body>
"""
