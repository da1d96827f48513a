"""The pictures of a load test: what came about second by second, and how latencies are spread."""

from collections.abc import Callable, Sequence
from math import log10
from typing import Final, NamedTuple

from ocpp16.load.chart import (
    Axis,
    Band,
    Line,
    Tick,
    from_zero,
    legend,
    over_decades,
    over_time,
    picture,
)
from ocpp16.load.histograms import curve
from ocpp16.load.results import Results, Second
from ocpp16.load.words import clock, counted, latency, length, mark, number
from ocpp16.message_log.html import escaped

MOST_CURVES: Final = 8
"""Actions with a curve: those that were called most."""

LATENCIES: Final = (("max", "slowest"), ("p99", "p99"), ("p95", "p95"), ("p50", "p50 (median)"))
"""Field of `Second`, which is the line's look too, and its name; what is drawn last is on top."""


class Told(NamedTuple):
    """A picture of the seconds. columns: of the table of seconds, that its reading shows."""

    title: str
    text: str
    lines: tuple[tuple[str, str, str], ...]
    columns: str
    shown: Callable[[float], str] = number


RATES: Final = (
    Told(
        "Throughput",
        "Calls each second: written, and ended with an answer.",
        (("sent", "second", "sent"), ("answered", "first", "answered")),
        "sent answered",
    ),
    Told(
        "Calls without a result",
        "Each second: answered by an error, not answered in time, and ended with their connection.",
        (("errors", "first", "errors"), ("timeouts", "second", "timeouts"), ("lost", "third", "lost")),
        "errors timeouts lost",
    ),
)
"""What is counted in a second: divided by its length."""
LEVELS: Final = (
    Told(
        "Connections",
        "Charge points with an open WebSocket, and those that the Central System has accepted.",
        (("connected", "second", "connected"), ("registered", "first", "registered")),
        "connected registered",
    ),
    Told("In flight", "Calls that wait for their answer.", (("in_flight", "first", "in flight"),), "in_flight"),
    Told(
        "The tool itself",
        "How late a task of the busiest process woke up, at worst: what is not small here is in the latencies above.",
        (("loop_delay", "first", "loop delay"),),
        "loop_delay",
        mark,
    ),
)
"""What is at the end of a second, or at worst within it."""


def pictures(results: Results) -> str:
    """All that go over the time of the test; a sentence, if nothing was measured."""
    if not results.seconds:
        return "<p>Nothing was measured: the test ended before its first second.</p>\n"
    across = over_time(length(results), clock)
    bands = _bands(results)
    throughput, faults = (_counted(results, told, across, bands, is_rate=True) for told in RATES)
    connections, in_flight, tool = (_counted(results, told, across, bands, is_rate=False) for told in LEVELS)
    pairs = f'<div class="pair">{throughput}{faults}{connections}{in_flight}</div>'
    return f"{_latencies(results, across, bands)}{pairs}{tool}"


def _bands(results: Results) -> list[Band]:
    stages = [Band(stage.begin, stage.end, "stage", stage.name) for stage in results.stages]
    return stages + late_spans(results.seconds)


def late_spans(seconds: Sequence[Second]) -> list[Band]:
    """Neighbouring seconds in which the tool was late, as one."""
    found: list[Band] = []
    for second in seconds:
        if not second.is_late:
            continue
        begin = second.at - second.span
        if found and begin <= found[-1].end + 1e-6:
            found[-1] = found[-1]._replace(end=second.at)
        else:
            found.append(Band(begin, second.at, "late"))
    return found


def _late_key(bands: Sequence[Band]) -> str:
    is_late = any(band.look == "late" for band in bands)
    return '<li><i class="late"></i>the tool itself was late</li>' if is_late else ""


def _latencies(results: Results, across: Axis, bands: Sequence[Band]) -> str:
    lines = [Line(name, look, [(s.at, getattr(s, look)) for s in results.seconds]) for look, name in LATENCIES]
    found = [value for line in lines for _, value in line.points if value is not None]
    worst = max((s for s in results.seconds if s.max is not None), key=lambda s: s.max or 0.0, default=None)
    told = "Latency of calls over time, second by second. " + (
        f"The slowest call took {latency(worst.max)} and ended at {clock(worst.at)}." if worst else "No call ended."
    )
    text = "Of the calls that ended in each second, from the moment each was due. The scale is logarithmic."
    drawn = picture(lines, across, over_decades(found, mark), told, bands=bands, data=_data("p50 p95 p99 max"))
    return _figure("Latency over time", text, legend(lines, _late_key(bands)), drawn)


def _counted(results: Results, told: Told, across: Axis, bands: Sequence[Band], *, is_rate: bool) -> str:
    lines = [
        Line(name, look, [(s.at, getattr(s, field) / (s.span if is_rate else 1)) for s in results.seconds])
        for field, look, name in told.lines
    ]
    most = max((value or 0.0 for line in lines for _, value in line.points), default=0.0)
    peak = f"{told.title}. {told.text} Greatest: {told.shown(round(most, 6))}."
    up = from_zero(most, told.shown, is_whole=told.shown is number)
    drawn = picture(lines, across, up, peak, bands=bands, data=_data(told.columns))
    return _figure(told.title, told.text, legend(lines, _late_key(bands)), drawn)


def _data(columns: str) -> str:
    """What the script reads: the names of columns of the table of seconds."""
    return f' data-columns="{columns}"'


def _figure(title: str, text: str, keys: str, drawn: str) -> str:
    return f"<figure><figcaption><h3>{escaped(title)}</h3><p>{escaped(text)}</p></figcaption>\n{keys}{drawn}</figure>\n"


def percentile_curves(results: Results) -> str:
    """Latency by percentile, for the actions that were called most; "" if none was."""
    called = sorted(results.actions.items(), key=lambda item: -item[1].count)
    lines: list[Line] = []
    for name, action in called:
        points = curve(action.due.histogram)
        if points and len(lines) < MOST_CURVES:
            end = log10(2 * max(action.count, 1))  # of n calls, nothing is known beyond the n-th
            places = [(min(_nines(p.percent), end), p.seconds) for p in points]
            lines.append(Line(name, f"curve{len(lines) + 1}", places))
    if not lines:
        return ""
    end = max(at for line in lines for at, _ in line.points)
    across = _percentiles(end)
    up = over_decades([value for line in lines for _, value in line.points if value is not None], mark)
    told = f"Latency by percentile of {counted(len(lines), 'action')}; the table of actions has the figures."
    more = f" The {MOST_CURVES} actions that were called most." if len(called) > MOST_CURVES else ""
    text = f"So many percent of the calls took at most so long, from when they were due.{more} Scales are logarithmic."
    return _figure("Latency by percentile", text, legend(lines), picture(lines, across, up, told))


def _nines(percent: float) -> float:
    """90 % is 1, 99 % is 2, and so on."""
    return -log10(max(1 - percent / 100, 1e-9))


def _percentiles(end: float) -> Axis:
    end = max(end, 1.0)
    marks = ("0", "50", "90", "99", "99.9", "99.99", "99.999", "99.9999", "99.99999")
    ticks = [Tick(_nines(float(text)), f"{text} %") for text in marks]
    return Axis(0.0, end, [tick for tick in ticks if tick.at <= end and (tick.at != ticks[1].at or end < 4)])
