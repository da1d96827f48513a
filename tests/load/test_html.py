"""The report as HTML: true, whole in itself, harmless and bounded."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import load_results
import pytest

from ocpp16.load.chart import Axis, LogAxis, Tick, from_zero, over_decades, over_time, path, thinned
from ocpp16.load.histograms import counts_within, curve
from ocpp16.load.html import page
from ocpp16.load.pictures import late_spans
from ocpp16.load.results import (
    ErrorCount,
    ExpectationFailure,
    ExpectationResult,
    Latencies,
    Limit,
    Offender,
    ProcessResult,
    Results,
    StageSpan,
    ThresholdResult,
)
from ocpp16.load.words import clock, latency, mark, number

VOID = {"meta", "br", "input"}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\x1b[31m\u202e\ud800&amp;"


class Reader(HTMLParser):
    """Complains of a tag that does not end where it should; keeps tags, texts and what is referred to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def rows(self, caption: str) -> list[list[str]]:
        """Cells of the table of this caption."""
        text = self.rawdata_of
        found = re.search(rf"<caption>{re.escape(caption)}.*?<tbody>(.*?)</tbody>", text, re.DOTALL)
        assert found is not None, caption
        return [
            [re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)]
            for row in re.findall(r"<tr>(.*?)</tr>", found[1], re.DOTALL)
        ]

    rawdata_of = ""


def read(results: Results) -> Reader:
    text = page(results)
    reader = Reader(text)
    reader.rawdata_of = text
    return reader


def test_the_page_needs_nothing_from_elsewhere() -> None:
    reader = read(load_results.busy_day())
    for tag, attributes in reader.tags:
        assert tag not in {"link", "img", "iframe", "object", "embed", "use", "image"}
        assert not {"src", "href", "xlink:href"} & set(attributes)
    style = next(text for text in reader.texts if ":root" in text)
    assert "url(" not in style
    assert "@import" not in style
    assert "@media (prefers-color-scheme: dark)" in style


def test_every_picture_says_what_it_shows_and_figures_are_behind_it() -> None:
    reader = read(load_results.busy_day())
    pictures = [attributes for tag, attributes in reader.tags if tag == "svg" and attributes.get("role") == "img"]
    titles = [tag for tag, _ in reader.tags if tag == "title"]
    assert len(pictures) == 7
    assert len(titles) == 8, "one for each picture, and that of the page"
    heads = re.findall(r"<th scope=\"col\"[^>]*>([^<]*)", reader.rawdata_of.partition('id="seconds"')[2])
    for _, attributes in reader.tags:
        for name in (attributes.get("data-columns") or "").split():
            assert name.replace("_", " ") in heads


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, "✓ Passed"),
        ({"is_passed": False}, "✗ Failed"),
        ({"is_complete": False, "is_passed": False, "why_ended": "interrupted"}, "✗ Incomplete"),
        ({"is_complete": False, "is_passed": False, "why_ended": "running"}, "… Running"),
    ],
)
def test_the_verdict_is_at_the_top(changes: dict[str, object], word: str) -> None:
    text = page(load_results.results(**changes))
    assert f"<strong>{word}</strong>" in text.partition("<main>")[0]
    assert ("It ended early: interrupted" in text) == (changes.get("why_ended") == "interrupted")


def test_what_is_not_met_is_told_first_with_why() -> None:
    reader = read(load_results.busy_day())
    header = reader.rawdata_of.partition("<main>")[0]
    assert "MeterValues.p99 &lt; 10ms: measured 21 ms" in header
    assert "StopTransaction is answered within 10 s: CP00000: no answer in 10 s" in header
    assert "<b>1 process of 2 ended early</b>, with 500 charge points" in header
    thresholds = reader.rows("Thresholds")
    assert [row[:4] for row in thresholds] == [
        ["MeterValues.p99 &lt; 10ms", "✗ not met", "21 ms", "10 ms"],
        ["errors &lt; 0.1%", "✗ not met", "0.250%", "0.100%"],
        ["BootNotification.p99 &lt; 500ms", "✓ met", "61 ms", "500 ms"],
    ]
    assert [row[1:4] for row in reader.rows("Expectations")] == [["✗ not met", "900", "29"], ["✓ met", "1,000", "0"]]


def test_figures_of_actions_are_those_of_the_results() -> None:
    results = load_results.results(
        actions={
            "Heartbeat": load_results.action([0.004] * 98 + [1.5, 2.5], errors=2, timeouts=3, lost=4),
            "Authorize": load_results.action([], lost=1),
        }
    )
    heartbeat, authorize = read(results).rows("Calls by action")
    assert heartbeat[:6] == ["Heartbeat", "107", "98", "2", "3", "4"]
    assert heartbeat[6:] == ["4.00 ms", "4.00 ms", "4.00 ms", "1.50 s", "2.50 s", "2.50 s", "1.35 s"]
    assert authorize == ["Authorize", "1", "0", "0", "0", "1", *"–" * 7]


def test_late_seconds_are_marked_together_and_explained() -> None:
    seconds = [load_results.second(float(at), is_late=at in {2, 3, 6}) for at in range(1, 8)]
    assert [(band.begin, band.end) for band in late_spans(seconds)] == [(1.0, 3.0), (5.0, 6.0)]
    text = page(load_results.results(seconds=tuple(seconds), limit=Limit(True, (1, 2, 5), 0.25, "Its core was busy.")))
    assert "<b>The tool itself was late</b> in 0:03 of the test" in text
    assert "by 250 ms at worst. Its core was busy." in text
    assert text.count('<div class="late"') == 2 * 6
    quiet = page(load_results.results())
    assert '<div class="late"' not in quiet
    assert "The tool itself was late" not in quiet


def test_stages_are_marked_in_every_picture_of_time_and_summed_up() -> None:
    stages = (StageSpan("ramp", 0.0, 2.0), StageSpan("storm", 2.0, 3.0))
    reader = read(load_results.results(stages=stages))
    assert reader.rawdata_of.count('<span title="storm">') == 6
    assert [row[:4] for row in reader.rows("Stages")] == [
        ["ramp", "0:00", "0:02", "10"],
        ["storm", "0:02", "0:03", "5"],
    ]


def test_what_lies_in_two_stages_is_shared() -> None:
    spans = (StageSpan("a", 0.0, 1.5), StageSpan("b", 1.5, 1.95), StageSpan("c", 1.95, 3.65))
    counts = [load_results.second(float(at), answered=300, max=float(at)) for at in (1, 2, 3)]
    counts.append(load_results.second(3.65, answered=195, span=0.65, max=4.0))
    reader = read(load_results.results(stages=spans, seconds=tuple(counts)))
    rows = reader.rows("Stages")
    assert [(row[0], row[3]) for row in rows] == [("a", "450"), ("b", "135"), ("c", "510")]
    assert [row[-1] for row in rows] == ["2.00 s", "2.00 s", "4.00 s"]


def test_nothing_foreign_is_markup() -> None:
    results = load_results.results(
        version=HOSTILE,
        scenario=HOSTILE,
        csms="ws://user:secret@host/" + HOSTILE,
        why_ended=HOSTILE,
        is_complete=False,
        began=HOSTILE,
        ended=HOSTILE,
        processes=(ProcessResult(0, 1, False, HOSTILE),),
        stages=(StageSpan(HOSTILE, 0, 1), StageSpan(HOSTILE, 1, 3)),
        actions={HOSTILE: load_results.action([0.1])},
        errors=(ErrorCount(HOSTILE, HOSTILE, 1),),
        offenders=(Offender(HOSTILE, 1, 0.1, (HOSTILE,)),),
        thresholds=(ThresholdResult(HOSTILE, 1.0, 1.0, False, HOSTILE),),
        expectations=(ExpectationResult(HOSTILE, False, 1, 0, (ExpectationFailure(HOSTILE, 1.0, HOSTILE),)),),
        limit=Limit(True, (0,), 1.0, HOSTILE),
        notes=(HOSTILE,),
    )
    text = page(results)
    assert text.count("alert(1)") > 15
    assert "secret" not in text
    assert not any(character in text for character in "\x1b\u202e\ud800")
    usual = {tag for tag, _ in read(load_results.busy_day()).tags}
    reader = Reader(text)
    assert {tag for tag, _ in reader.tags} <= usual
    assert sum(tag == "script" for tag, _ in reader.tags) == 1
    assert not any(name.startswith("on") for _, attributes in reader.tags for name in attributes)


def test_a_long_test_makes_a_page_of_bounded_size_that_keeps_its_worst_second() -> None:
    seconds = [load_results.second(float(at)) for at in range(1, 10_001)]
    seconds[4_321] = replace(seconds[4_321], max=77.0, p99=66.0, connected=1)
    long_one = load_results.results(
        seconds=tuple(seconds),
        offenders=tuple(Offender(f"CP{n}", 1, 1.0, ("x" * 10_000,) * 500) for n in range(500)),
        errors=tuple(ErrorCount(f"kind {n}", "", 1) for n in range(5_000)),
        expectations=tuple(
            ExpectationResult(f"{n}", False, 999, 0, (ExpectationFailure("CP", 1.0, "y" * 9_999),) * 999)
            for n in range(9)
        ),
    )
    text = page(replace(long_one, offenders=long_one.offenders[:1], errors=(), expectations=()))
    assert len(text) < 1_000_000
    rows = re.findall(r"<tr><th[^>]*><time.*?</tr>", text)
    assert len(rows) == 295
    assert sum("77.00 s" in row and "66.00 s" in row for row in rows) == 1
    assert "The slowest call took 77.00 s and ended at 1:12:02." in text
    whole = page(long_one)
    assert len(whole) < 5_000_000
    assert "… and 470 charge points more." in whole
    assert "… and 4,800 kinds more." in whole


def test_nothing_measured_is_a_page_too() -> None:
    text = page(load_results.results(seconds=(), actions={}, stages=(), processes=()))
    Reader(text)
    assert "Nothing was measured" in text
    assert "No call ended." in text
    no_latency = [load_results.second(1.0, p50=None, p95=None, p99=None, max=None)]
    assert "No call ended." in page(load_results.results(seconds=tuple(no_latency)))


@pytest.mark.parametrize("command", ["", "ocpp16 load --scenario 'my $(day).toml' --set 'a=<b>'"])
def test_the_command_is_told_where_there_was_one(command: str) -> None:
    text = page(Results.from_json(load_results.results(again=command).to_json()))
    assert ("To run its like again" in text) == bool(command)
    shown = "<pre>ocpp16 load --scenario &#39;my $(day).toml&#39; --set &#39;a=&lt;b&gt;&#39;</pre>"
    assert (shown in text) == bool(command)


def test_a_line_keeps_extremes_and_gaps_when_it_is_thinned() -> None:
    points = [(float(at), 5.0) for at in range(10_000)]
    points[5_000], points[7_777] = (5_000.0, 99.0), (7_777.0, -1.0)
    with_gap = [(at, None if 2_000 <= at < 3_000 else value) for at, value in points]
    found = thinned(with_gap, 100)
    assert len(found) <= 400
    assert (5_000.0, 99.0) in found
    assert (7_777.0, -1.0) in found
    assert found == sorted(found, key=lambda point: point[0])
    assert sum(value is None for _, value in found) == 10
    assert thinned(points[:150], 100) == points[:150]


def test_a_line_is_drawn_where_its_values_are_and_not_over_gaps() -> None:
    across, up = Axis(0, 10, []), Axis(0, 4, [])
    assert path([(0, 0.0), (5, 2.0), (6, None), (10, 4.0)], across, up) == "M0.0 240.0h0L500.0 120.0M1000.0 0.0h0"


def test_axes_are_round_and_hold_all_values() -> None:
    assert [tick.at for tick in from_zero(7, number).ticks] == [0, 2, 4, 6, 8]
    assert from_zero(0, number).end == 1
    assert [tick.text for tick in over_time(300, clock).ticks] == ["0:00", "1:00", "2:00", "3:00", "4:00", "5:00"]
    assert len(over_time(10_000, clock).ticks) <= 7
    assert len(over_time(1e7, clock).ticks) <= 7
    log = over_decades([0.003, 0.8], mark)
    assert (log.begin, log.end) == (0.002, 1.0)
    assert over_decades([0.0, 0.0], mark).share(0.0) == 0.0
    equal = over_decades([0.01], mark)
    assert equal.begin < 0.01 < equal.end
    assert LogAxis(0.001, 1.0, [Tick(1, "")]).share(0.0316227766) == pytest.approx(0.5)
    assert LogAxis(0.001, 1.0, []).share(5.0) == 1.0


def test_curves_and_counts_are_those_of_the_histogram() -> None:
    text = load_results.latencies([0.01] * 90 + [0.1] * 9 + [3.0]).histogram
    points = curve(text)
    assert points[0].seconds == pytest.approx(0.01, rel=1e-3)
    assert points[-1].seconds == pytest.approx(3.0, rel=1e-3)
    assert {round(point.seconds, 1) for point in points if 91 < point.percent < 99} == {0.1}
    assert counts_within(text, (0.005, 0.01, 0.05, 0.1, 1.0)) == [0, 90, 90, 99, 99, 100]


@pytest.mark.parametrize(
    "text", ["", "AAAA", "garbage", "ü", "A" * 1_000_001, load_results.latencies([1.0]).histogram[:40]]
)
def test_a_histogram_that_cannot_be_read_costs_its_curve_only(text: str) -> None:
    assert curve(text) == []
    assert counts_within(text, (1.0,)) == [0, 0]
    one = load_results.action([0.1])
    results = load_results.results(actions={"Heartbeat": replace(one, due=Latencies(histogram=text, p50=0.1))})
    assert read(results).rows("Calls by action")[0][6] == "100 ms"


def test_words() -> None:
    assert [latency(one) for one in (None, 0.0, 1e-6, 0.0000944, 0.00012, 0.0345, 0.9999, 12.345, 1234.5)] == [
        "–",
        "0.00 ms",
        "1 µs",
        "94.4 µs",
        "0.12 ms",
        "34 ms",
        "1.00 s",
        "12.35 s",
        "1,234 s",
    ]
    assert [clock(one) for one in (0, 59.6, 3599, 3725)] == ["0:00", "1:00", "59:59", "1:02:05"]
