"""The tables of the report of a load test. Whatever a Central System, a charge point or a file said is escaped."""

from collections.abc import Iterable, Sequence
from itertools import islice
from math import ceil
from typing import Final, TypeVar

from ocpp16.load.chart import COLUMNS
from ocpp16.load.results import ErrorCount, ExpectationResult, Offender, Results, Second, StageSpan
from ocpp16.load.words import NONE, clock, counted, in_unit, latency, number
from ocpp16.message_log.html import escaped

MOST_ROWS: Final = 200
"""Of any table but that of seconds."""
MOST_FAILURES: Final = 50
"""Of one expectation."""
MOST_OFFENDERS: Final = 30
MOST_FRAMES: Final = 100
"""Of one charge point's trace."""
FRAME_LENGTH: Final = 1_000
TEXT_LENGTH: Final = 500
HALF: Final = 0.5
"""Part of a second that a stage must have for the latencies of that second to be its own."""

T = TypeVar("T")


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], *, more: str = "", name: str = "") -> str:
    """`heads` are text, cells are HTML; the first cell of a row names it. A head that begins with "#" is of numbers."""
    looks = [' class="number"' if head.startswith("#") else "" for head in heads]
    marks = "".join(
        f'<th scope="col"{look}>{escaped(head.removeprefix("#"))}</th>' for head, look in zip(heads, looks, strict=True)
    )
    body = "".join(
        f'<tr><th scope="row"{looks[0]}>{row[0]}</th>'
        + "".join(f"<td{look}>{cell}</td>" for look, cell in zip(looks[1:], row[1:], strict=True))
        + "</tr>\n"
        for row in rows
    )
    identity = f' id="{name}"' if name else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escaped(caption)}"><table{identity}>'
        f"<caption>{escaped(caption)}</caption>\n<thead><tr>{marks}</tr></thead>\n<tbody>{body}</tbody></table></div>\n{more}"
    )


def _most(items: Sequence[T], limit: int, kind: str) -> tuple[Sequence[T], str]:
    """Those that are shown, and a sentence about the others."""
    return items[:limit], _surplus(len(items) - limit, kind)


def _surplus(count: int, kind: str) -> str:
    return f"<p>… and {counted(count, kind)} more.</p>\n" if count > 0 else ""


def judgement(is_met: bool, is_judged: bool = True) -> str:
    """In words and not by colour alone."""
    if not is_judged:
        return "– not come to"
    return '<b class="good">✓ met</b>' if is_met else '<b class="bad">✗ not met</b>'


def demands(results: Results) -> str:
    """Thresholds and expectations, those that are not met first."""
    if not results.thresholds and not results.expectations:
        return "<p>No threshold and no expectation was given: what is judged is that the test came to its end.</p>\n"
    made = ""
    if results.thresholds:
        shown, more = _most(sorted(results.thresholds, key=lambda one: one.is_met), MOST_ROWS, "threshold")
        rows = [
            (
                f"<code>{escaped(one.text, TEXT_LENGTH)}</code>",
                judgement(one.is_met),
                in_unit(one.value, one.text),
                in_unit(one.limit, one.text),
                escaped(one.why, TEXT_LENGTH),
            )
            for one in shown
        ]
        made += table("Thresholds", ("threshold", "verdict", "#measured", "#limit", "why"), rows, more=more)
    if results.expectations:
        expected, more = _most(sorted(results.expectations, key=lambda one: one.is_met), MOST_ROWS, "expectation")
        rows = [
            (
                escaped(one.name, TEXT_LENGTH),
                judgement(one.is_met, one.is_judged),
                f"{one.checked:,}",
                f"{one.failed:,}",
                _failures(one),
            )
            for one in expected
        ]
        heads = ("expectation", "verdict", "#times checked", "#failures", "where and why")
        made += table("Expectations", heads, rows, more=more)
    return made


def _failures(one: ExpectationResult) -> str:
    if not one.failures:
        return ""
    shown = one.failures[:MOST_FAILURES]
    more = _surplus(one.failed - len(shown), "failure")
    rows = "".join(
        f"<li><b>{escaped(failure.charge_point, TEXT_LENGTH)}</b> at {clock(failure.at)}:"
        f" {escaped(failure.why, TEXT_LENGTH)}</li>"
        for failure in shown
    )
    first = f"{one.failures[0].charge_point}: {one.failures[0].why}"
    return f"<details><summary>{escaped(first, 120)}</summary><ul>{rows}</ul>{more}</details>"


def actions(results: Results) -> str:
    """Counts and latencies by action, what was called most first."""
    if not results.actions:
        return "<p>No call ended.</p>\n"
    called = sorted(results.actions.items(), key=lambda item: (-item[1].count, item[0]))
    shown, more = _most(called, MOST_ROWS, "action")
    rows = [
        (
            escaped(name, TEXT_LENGTH),
            *(f"{count:,}" for count in (one.count, one.results)),
            *(_fault(count) for count in (one.errors, one.timeouts, one.lost)),
            *(latency(getattr(one.due, name)) for name in ("p50", "p90", "p95", "p99", "p999", "max")),
            latency(one.sent.p99),
        )
        for name, one in shown
    ]
    heads = ("action", "#calls", "#answered", "#errors", "#timeouts", "#lost")
    latencies = ("#p50", "#p90", "#p95", "#p99", "#p99.9", "#slowest", "#p99 from written")
    return table("Calls by action, latencies from when they were due", heads + latencies, rows, more=more)


def _fault(count: int) -> str:
    return f'<b class="bad">{count:,}</b>' if count else "0"


def errors(results: Results) -> str:
    """What went wrong, by kind and action."""
    if not results.errors:
        return "<p>No call failed, and no connection.</p>\n"
    found: list[ErrorCount] = sorted(results.errors, key=lambda one: -one.count)
    shown, more = _most(found, MOST_ROWS, "kind")
    most = max(one.count for one in shown)
    rows = [
        (escaped(one.kind, TEXT_LENGTH), escaped(one.action, TEXT_LENGTH), f"{one.count:,}", _bar(one.count, most))
        for one in shown
    ]
    return table("Errors by kind", ("kind", "action", "#count", "share"), rows, more=more)


def _bar(count: float, most: float) -> str:
    return f'<i class="bar" style="width:{count / most if most > 0 else 0:.1%}"></i>'


def violations(results: Results) -> str:
    """What the Central System did against the protocol, by rule and action."""
    if not results.violations:
        return "<p>The charge points saw nothing that breaks the protocol.</p>\n"
    shown, more = _most(results.violations, MOST_ROWS, "kind")
    rows = [
        (
            f"<code>{escaped(one.rule, TEXT_LENGTH)}</code>",
            escaped(one.action, TEXT_LENGTH),
            f"{one.count:,}",
            f"{one.mended:,}",
            "error" if one.is_grave else "warning",
            escaped(one.why, TEXT_LENGTH),
        )
        for one in shown
    ]
    heads = ("rule of ocpp16 lint", "action", "#count", "#mended and used", "it is", "the first of them")
    decides = "" if results.breach else "<p>The verdict is not by these.</p>\n"
    return table("Violations of the protocol by the Central System", heads, rows, more=more) + decides


def offenders(results: Results) -> str:
    """The charge points that fared worst: a table, and their last frames, folded."""
    if not results.offenders:
        return "<p>No charge point stands out.</p>\n"
    shown, more = _most(results.offenders, MOST_OFFENDERS, "charge point")
    most = max(one.errors for one in shown)
    rows = [
        (escaped(one.charge_point, TEXT_LENGTH), f"{one.errors:,}", _bar(one.errors, most), latency(one.slowest))
        for one in shown
    ]
    heads = ("charge point", "#errors", "share", "#slowest call")
    return table("Errors by charge point", heads, rows, more=more) + "".join(map(_trace, shown))


def _trace(one: Offender) -> str:
    if not one.trace:
        return ""
    left_out = len(one.trace) - MOST_FRAMES
    lines = [escaped(frame, FRAME_LENGTH) for frame in one.trace[-MOST_FRAMES:]]
    if left_out > 0:
        lines.insert(0, f"… {left_out:,} before")
    head = f"Last frames of {escaped(one.charge_point, TEXT_LENGTH)}"
    text = "\n".join(lines)
    return f"<details><summary>{head} ({counted(len(one.trace), 'frame')})</summary><pre>{text}</pre></details>\n"


def stages(results: Results) -> str:
    """What came about in each stage; "" if there is but one."""
    if len(results.stages) < 2:
        return ""
    shown, more = _most(results.stages, MOST_ROWS, "stage")
    rows = [_stage(stage, results.seconds) for stage in shown]
    heads = ("stage", "#begin", "#end", "#answered", "#without a result", "#worst p99 of a second", "#slowest call")
    return table("Stages", heads, rows, more=more + SHARED)


def _stage(stage: StageSpan, seconds: Sequence[Second]) -> tuple[str, ...]:
    parts = [(second, _part(second, stage)) for second in seconds]
    touched = [(second, part) for second, part in parts if part > 0]
    within = [second for second, part in touched if part >= HALF] or [second for second, _ in touched]
    return (
        escaped(stage.name, TEXT_LENGTH),
        clock(stage.begin),
        clock(stage.end),
        f"{sum(part * second.answered for second, part in touched):,.0f}",
        _fault(ceil(sum(part * (second.errors + second.timeouts + second.lost) for second, part in touched))),
        latency(max((second.p99 for second in within if second.p99 is not None), default=None)),
        latency(max((second.max for second in within if second.max is not None), default=None)),
    )


def _part(second: Second, stage: StageSpan) -> float:
    """Which part of this second lies in the stage."""
    begin = max(stage.begin, second.at - second.span)
    return max(0.0, min(stage.end, second.at) - begin) / second.span if second.span > 0 else 0.0


SHARED: Final = "<p>Counts are by the second: one that lies in two stages is shared among them by its parts.</p>\n"
SECONDS: Final = (
    ("connected", min),
    ("registered", min),
    ("sent", sum),
    ("answered", sum),
    ("errors", sum),
    ("timeouts", sum),
    ("lost", sum),
    ("in_flight", max),
    ("p50", max),
    ("p95", max),
    ("p99", max),
    ("max", max),
    ("loop_delay", max),
)
"""Field of `Second`, and what stands for several seconds."""
_IN_SECONDS: Final = {"p50", "p95", "p99", "max", "loop_delay"}


def seconds(results: Results) -> str:
    """Behind the pictures: at most `COLUMNS` rows, each of them the worst, or the sum, of its seconds."""
    found = results.seconds
    size = -(-len(found) // COLUMNS) or 1
    rows = []
    for begin in range(0, len(found), size):
        part = list(islice(found, begin, begin + size))
        cells = [f'<time data-at="{part[-1].at:.3f}">{clock(part[-1].at)}</time>']
        for field, together in SECONDS:
            values = [value for value in (getattr(one, field) for one in part) if value is not None]
            worst = together(values) if values else None
            cells.append(latency(worst) if field in _IN_SECONDS else NONE if worst is None else number(worst))
        rows.append((*cells, "late" if any(one.is_late for one in part) else ""))
    heads = ("#until", *(f"#{field.replace('_', ' ')}" for field, _ in SECONDS), "tool")
    caption = "The figures behind the pictures"
    if size > 1:
        caption += f", {size} to a row: of counts the sum, of the connected the fewest, else the greatest"
    return table(caption, heads, rows, name="seconds")
