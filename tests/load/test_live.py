"""What is shown of a load test while it runs."""

from io import StringIO
from typing import Any

import load_results
import pytest
from rich.cells import cell_len
from rich.console import Console

from ocpp16.cli.load_view import about
from ocpp16.load.live import LiveView, PlainView, picture, view_for
from ocpp16.load.results import Attempts, Limit, ProcessResult, Results, StageSpan
from ocpp16.scenario import load_scenario

HOSTILE = "\x1b[2J\r\n\u202eoops[bold]"


def screen(
    results: Results, width: int, height: int = 24, planned: float | None = 300.0, waits_for: str = ""
) -> list[str]:
    """The lines of the picture."""
    console = Console(file=StringIO(), width=width, height=height, force_terminal=True, color_system=None)
    with console.capture() as caught:
        console.print(picture(results, planned, waits_for, width, height))
    return [line.rstrip() for line in caught.get().splitlines()]


@pytest.mark.parametrize("width", [40, 41, 60, 80, 120, 200])
def test_it_fits(width: int) -> None:
    lines = screen(load_results.busy_day(), width, waits_for="all charge points to be connected after the blackout")
    assert max(map(cell_len, lines)) <= width
    text = "\n".join(lines)
    for told in (
        "boot-storm",
        "5:00 of about 5:00",
        "hold again",
        "connected",
        "accepted",
        "calls/s",
        "in flight",
        "waits for",
    ):
        assert told in text, text
    assert ("p95" in text) == (width > 75)
    assert "MeterV" in text


def test_figures_are_those_of_the_last_second_and_of_all_actions() -> None:
    seconds = (
        load_results.second(1.0),
        load_results.second(3.0, span=2.0, connected=9, registered=8, answered=46, in_flight=4),
    )
    actions = {"Heartbeat": load_results.action([0.004] * 99 + [1.5], errors=2, timeouts=3, lost=4)}
    lines = screen(load_results.results(seconds=seconds, actions=actions), 80, planned=None)
    assert lines == [
        "boot-storm → ws://csms.example/ocpp",
        "0:03  hold",
        "",
        "connected  9 / 10  calls/s    23",
        "accepted   8       in flight  4",
        "9 without a result: 2 errors, 3 timeouts, 4 lost",
        "",
        "action     calls  faults      p50      p95      p99  slowest",
        "Heartbeat    107       9  4.00 ms  4.00 ms  4.00 ms   1.50 s",
    ]


def test_attempts_that_failed_are_told_with_the_last_reason() -> None:
    refused = load_results.results(attempts=Attempts(1234, "handshake 401"))
    told = "1,234 attempts to connect failed, the last: handshake 401"
    assert told in screen(refused, 80)
    lines: list[str] = []
    PlainView(lines.append, lambda: None).draw(refused)
    assert told in lines[0]
    hostile = load_results.results(attempts=Attempts(1, HOSTILE))
    PlainView(lines.append, lambda: None).draw(hostile)
    assert "1 attempt to connect failed, the last: \\x1b[2J" in lines[1]


def test_the_tool_tells_of_its_own_lateness_and_of_lost_processes() -> None:
    late = load_results.second(1.0, is_late=True, loop_delay=0.3)
    text = "\n".join(screen(load_results.results(seconds=(late,)), 80))
    assert "the tool itself is late, by 300 ms: latencies are in part its own" in text
    was_late = load_results.results(seconds=(late, load_results.second(2.0)), limit=Limit(True, (0,), 0.3))
    assert "the tool itself was late in 1 second, by 300 ms at worst" in "\n".join(screen(was_late, 80))
    lost = load_results.results(processes=(ProcessResult(0, 5, False, "killed"), ProcessResult(1, 5, True)))
    assert "1 process ended early, with 5 charge points" in "\n".join(screen(lost, 80))
    quiet = "\n".join(screen(load_results.results(), 80))
    assert "late" not in quiet
    assert "ended early" not in quiet


def test_many_actions_fit_the_height() -> None:
    one = load_results.action([0.1])
    many = load_results.results(actions={f"Action{n:02}": one for n in range(50)})
    assert len(screen(many, 80, height=24)) <= 24
    assert "… and 37 more" in "\n".join(screen(many, 80, height=24))
    assert "Action00" in "\n".join(screen(many, 40, height=5))


def test_foreign_words_move_no_cursor_and_style_nothing() -> None:
    results = load_results.results(
        scenario=HOSTILE,
        csms="ws://user:secret@host/" + HOSTILE,
        stages=(StageSpan(HOSTILE, 0, 9),),
        actions={HOSTILE: load_results.action([0.1])},
    )
    text = "\n".join(screen(results, 200, waits_for=HOSTILE))
    assert text.count("\\x1b[2J\\r\\n\\u202eoops[bold]") == 5
    assert "\x1b" not in text
    assert "secret" not in text
    lines: list[str] = []
    PlainView(lines.append, lambda: None).draw(results, waits_for=HOSTILE)
    assert len(lines) == 1
    assert "\x1b" not in lines[0]
    assert lines[0].count("\n") == 1


def test_nothing_is_known_yet() -> None:
    empty = load_results.results(seconds=(), actions={}, stages=())
    assert screen(empty, 40, planned=None)[1:5] == [
        "0:00",
        "",
        "connected  0 / 10  calls/s    0",
        "accepted   0       in flight  0",
    ]


def at(seconds: float, **changes: Any) -> Results:
    return load_results.results(seconds=(load_results.second(seconds),), **changes)


def test_without_a_terminal_a_line_comes_every_few_seconds_and_with_each_stage() -> None:
    lines: list[str] = []
    stages = (StageSpan("ramp", 0.0, 7.0), StageSpan("hold", 7.0, 60.0))
    with view_for(Console(file=StringIO()), lines.append, lambda: None) as view:
        assert isinstance(view, PlainView)
        for second in range(1, 14):
            view.draw(at(float(second), stages=stages), planned=60.0)
    assert [line.split(",")[0] for line in lines] == [
        "ocpp16: 0:01 of about 1:00 ramp",
        "ocpp16: 0:06 of about 1:00 ramp",
        "ocpp16: 0:07 of about 1:00 hold",
        "ocpp16: 0:12 of about 1:00 hold",
    ]
    assert lines[0] == (
        "ocpp16: 0:01 of about 1:00 ramp, 10 of 10 connected, 10 accepted, 5 calls/s, 0 in flight, 0 without a result,"
        " worst p99 500 ms\n"
    )


def test_on_a_terminal_it_is_redrawn_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    file = StringIO()
    console = Console(file=file, width=60, height=20, force_terminal=True)
    with view_for(console, lambda text: None, lambda: None) as view:
        assert isinstance(view, LiveView)
        view.draw(at(1.0))
        size = len(file.getvalue())
        view.draw(at(2.0))
    second = file.getvalue()[size:]
    assert second.startswith("\r\x1b[2K\x1b[1A"), "the cursor goes back to where the picture began"
    assert "0:02" in second
    assert "\x1b[2J" not in second, "nothing is wiped"


class Closed(StringIO):
    """A terminal that has gone."""

    is_gone = False

    def write(self, text: str) -> int:
        if self.is_gone:
            raise OSError(5, "gone")
        return super().write(text)


def test_a_terminal_that_goes_away_is_told_once_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    file = Closed()
    told: list[str] = []
    with view_for(Console(file=file, force_terminal=True), lambda text: None, lambda: told.append("closed")) as view:
        file.is_gone = True
        view.draw(at(1.0))
    assert set(told) == {"closed"}

    def refuse(text: str) -> None:
        raise OSError(32, "broken pipe")

    told.clear()
    PlainView(refuse, lambda: told.append("closed")).draw(at(1.0))
    assert told == ["closed"]


@pytest.mark.parametrize(
    ("name", "duration", "speed", "seconds"),
    [
        ("highway-hub", None, 1.0, 14_460.0),
        ("highway-hub", None, 60.0, 241.0),
        ("highway-hub", 30.0, 60.0, 31.0),  # a duration is of real seconds
        ("offline-week", 30.0, 1.0, 604_870.0),
    ],
)
def test_how_long_a_test_takes(name: str, duration: float | None, speed: float, seconds: float) -> None:
    assert about(load_scenario(name), 8, duration, speed) == pytest.approx(seconds)
