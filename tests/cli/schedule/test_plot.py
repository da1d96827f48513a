"""`ocpp16 schedule --plot`: each profile is in the picture, curves lie where the numbers say, and nothing breaks it."""

import json
import struct
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from ocpp16.cli import main
from ocpp16.cli.schedule.curves import Plot, plot_of, time_marks, value_marks
from ocpp16.cli.schedule.file import ScenarioFile
from ocpp16.cli.schedule.layout import AREA, LEFT, RIGHT, TOP, WIDTH
from ocpp16.cli.schedule.png import png
from ocpp16.cli.schedule.reasons import title_of
from ocpp16.cli.schedule.scenario import Scenario
from ocpp16.cli.schedule.svg import svg
from ocpp16.cli.schedule.terminal import ROWS, picture

VECTORS_FILE = Path(__file__).parents[2] / "schedule" / "vectors.json"
FILE = ScenarioFile.read(VECTORS_FILE)
SCENARIOS = {name: FILE.scenario(name) for name in FILE.documents}
SVG = "{http://www.w3.org/2000/svg}"


def lines_of(plot: Plot, width: int) -> list[str]:
    return ["".join(character for character, _ in line) for line in picture(plot, width)]


def points_of(element: ET.Element) -> list[tuple[float, float]]:
    pairs = (pair.split(",") for pair in element.attrib["points"].split())
    return [(float(x), float(y)) for x, y in pairs]


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_profile_is_in_each_picture(name: str) -> None:
    scenario = SCENARIOS[name]
    plot = plot_of(scenario)
    concerned = (
        scenario.profiles if scenario.connector_id == 0 else scenario.profiles.stack(scenario.connector_id).profiles
    )
    titles = [title_of(profile) for profile in concerned]
    assert [any(curve.title.startswith(title) for curve in plot.profiles) for title in titles] == [True] * len(titles)

    drawing = ET.fromstring(svg(plot))
    texts = [element.text for element in drawing.iter(f"{SVG}text")]
    profiles = [line for line in drawing.iter(f"{SVG}polyline") if line.attrib["class"] == "profile"]
    assert {curve.title for curve in plot.profiles} <= set(texts)
    assert plot.composite.title in texts
    assert len(profiles) >= len(plot.profiles)  # those of the legend, and those that are not silent
    for line in drawing.iter(f"{SVG}polyline"):
        assert all(0 <= x <= WIDTH and 0 <= y <= float(drawing.attrib["height"]) for x, y in points_of(line))

    shown = lines_of(plot, 100)
    assert max(map(len, shown)) <= 100
    assert all(any(curve.title in line for line in shown) for curve in plot.profiles)
    assert any("━━━" in line for line in shown[1 : ROWS + 1])


def test_curves_lie_where_the_numbers_say() -> None:
    plot = plot_of(SCENARIOS["purposes-three"])
    assert [(stretch.begin, stretch.limit) for stretch in plot.composite.stretches] == [
        (0, 8),
        (50, 10),
        (200, 6),
        (240, 10),
        (260, 8),
        (300, 10),
    ]
    assert [curve.stretches[-1].end for curve in plot.profiles] == [260, 300, 400]
    drawing = ET.fromstring(svg(plot))
    bold = next(line for line in drawing.iter(f"{SVG}polyline") if line.attrib["class"] == "composite")
    points = points_of(bold)
    across, height = WIDTH - LEFT - RIGHT, AREA / plot.top
    wanted = [(0, 8), (50, 8), (50, 10)]
    assert points[:3] == [(LEFT + across * second / 400, TOP + AREA - limit * height) for second, limit in wanted]
    assert points[-1] == (WIDTH - RIGHT, TOP + AREA - 10 * height)


def test_terminal() -> None:
    shown = lines_of(plot_of(SCENARIOS["purposes-three"]), 80)
    assert shown[0] == "purposes-three: connector 1 (A per phase)"
    curves = shown[1 : ROWS + 1]
    assert curves[0].startswith("30 A ┤")
    assert curves[-1].startswith(" 0 A ┤")
    assert {letter for line in curves for letter in line} >= set("abc━┏┛┗┓")
    assert shown[ROWS + 1].strip().startswith("└┬")
    assert shown[ROWS + 2].split()[:2] == ["09:00", "09:02"]
    assert [line.strip()[:4] for line in shown[-3:]] == ["─a─ ", "─b─ ", "─c─ "]
    assert len({len(line) for line in curves}) == 1


def scenario(*profiles: dict[str, Any], **members: Any) -> Scenario:
    request = {"start": "2026-01-05T12:00:00Z", "duration": 3600, "unit": "A"}
    return Scenario.from_json({"connector": 1, "request": request, "profiles": profiles, **members})


def default(limit: float, purpose: str = "TxDefaultProfile", **members: Any) -> dict[str, Any]:
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}]}
    profile = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Relative",
        "chargingSchedule": schedule,
        **members,
    }
    return {"connectorId": 1, "csChargingProfiles": profile}


EDGES = {
    "nothing": scenario(),
    "nothing may be drawn": scenario(default(0)),
    "an instant": scenario(default(6), request={"start": "2026-01-05T12:00:00Z", "duration": 0, "unit": "A"}),
    "a year": scenario(request={"start": "2026-01-05T12:00:00Z", "duration": 31536000, "unit": "W"}),
    "a limit beyond all": scenario(default(1e300)),
    "a limit without end": scenario(default(1e-300)),
    "the end of time": scenario(request={"start": "9999-12-31T23:00:00Z", "duration": 86400, "unit": "A"}),
    "a name that is markup": scenario(name='<b>&"\x00\ud800'),
    "no connectors": scenario(connector=0, config={"NumberOfConnectors": 0}),
}


@pytest.mark.parametrize("edge", EDGES.values(), ids=EDGES)
def test_edges(edge: Scenario) -> None:
    plot = plot_of(edge)
    ET.fromstring(svg(plot))
    for width in (1, 40, 300):
        assert max(map(len, lines_of(plot, width))) <= max(width, 40)
    assert png(plot).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("edge", "title"),
    [
        (scenario(default(6, validTo="2026-01-05T11:00:00Z")), "TxDefaultProfile 1 (level 0, connector 1), silent"),
        (scenario(default(6, "TxProfile")), "TxProfile 1 (level 0, connector 1), no transaction"),
        (
            scenario(default(6, "TxProfile", transactionId=9), transaction="2026-01-05T12:00:00Z"),
            "TxProfile 1 (level 0, connector 1), not for a transaction that runs",
        ),
        (
            scenario(default(6), online=False, config={"IgnoredProfilePurposesOffline": "TxDefaultProfile"}),
            "TxDefaultProfile 1 (level 0, connector 1), left out while offline",
        ),
    ],
)
def test_the_legend_says_why_a_profile_does_not_count(edge: Scenario, title: str) -> None:
    assert [curve.title for curve in plot_of(edge).profiles] == [title]


@pytest.mark.parametrize("duration", [0, 1, 59, 400, 3600, 86400, 86401, 7 * 86400, 31536000])
def test_marks(duration: int) -> None:
    plot = plot_of(scenario(request={"start": "2026-01-05T12:00:07Z", "duration": duration, "unit": "A"}))
    times, values = time_marks(plot, 10), value_marks(plot, 8)
    assert len(times) <= 11
    assert all(0 <= mark.at <= plot.duration for mark in times)
    assert duration < 59 or len(times) >= 2
    assert [values[0].text, values[-1].at] == ["0", plot.top]
    assert len({mark.text for mark in times}) == len(times) or duration > 86400


# Through the command


def test_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("svg", "png", "SVG"):
        target = tmp_path / f"out.{kind}"
        assert main(["schedule", str(VECTORS_FILE), "--name", "purposes-three", "--json", "--plot", str(target)]) == 0
        json.loads(capsys.readouterr().out)
    assert ET.parse(tmp_path / "out.SVG").getroot().tag == f"{SVG}svg"
    assert "http://" not in (tmp_path / "out.svg").read_text().replace('xmlns="http://www.w3.org/2000/svg"', "")
    content = (tmp_path / "out.png").read_bytes()
    assert struct.unpack(">II", content[16:24]) == (2 * WIDTH, 2 * 582)


def test_standard_output(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    arguments = ["schedule", str(VECTORS_FILE), "--name", "purposes-three", "--plot", "-"]
    assert main(arguments) == 0
    plain = capsys.readouterr().out
    assert "\x1b" not in plain
    assert "─c─ ChargePointMaxProfile 1 (level 0, connector 0)" in plain


@pytest.mark.parametrize(
    ("environment", "is_coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colours(
    environment: dict[str, str], is_coloured: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["schedule", str(VECTORS_FILE), "--name", "purposes-three", "--plot", "-"]) == 0
    assert ("\x1b[" in capsys.readouterr().out) is is_coloured


def test_without_the_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "ocpp16.cli.schedule.png")
    arguments = ["schedule", str(VECTORS_FILE), "--name", "purposes-three", "--plot"]
    assert main([*arguments, str(tmp_path / "out.png")]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == 'ocpp16: --plot: PNG needs an extra: pip install "ocpp16[plot]"; SVG does not\n'
    assert main([*arguments, str(tmp_path / "out.svg")]) == 0
