"""docs/benchmarks.md and the README say what a run has measured, and say the same."""

import json
import re
from dataclasses import asdict
from pathlib import Path

import figures
import pytest
import report
from figures import Figure

FIGURES = {
    figure.name: figure
    for figure in (
        Figure("fleet.cpu.1000", "a CALL of 1,000", 61.25, "µs", at_most=150),
        Figure("fleet.ratio", "ours beside the peer", 13.44, "times as fast", at_least=12),
        Figure("fleet.kib", "a connected charge point", 33.1, "KiB", at_most=32),
        Figure("codec.mean", "geometric mean", 117.3, "times as fast", at_least=90),
        Figure("gate.bytes.connector", "connector", 1290.4, "bytes"),
    )
}
ROW = re.compile(r"\| [^|]+ \| -?\d[\d,.e+]* [^|]* \| (?:[≤≥] [^|]+ )?\|")


def rows(page: str) -> list[str]:
    """Of all tables. Fails for what is neither a table nor its title."""
    found: list[str] = []
    for part in page.strip().split("\n\n"):
        if part.startswith("| | measured | demanded |\n|---|---|---|\n"):
            found += part.splitlines()[2:]
        else:
            assert re.fullmatch(r"Measured with .+|## .+", part), part
    return found


@pytest.fixture
def page() -> str:
    return report.between(report.PAGE.read_text())


def test_the_page_is_well_formed(page: str) -> None:
    assert len(rows(page)) > 20
    for row in rows(page):
        assert ROW.fullmatch(row), row
    assert {f"## {title}" for title in report.TITLES.values()} >= set(re.findall("^## .+$", page, re.M))


def test_every_figure_of_the_readme_has_its_line(page: str) -> None:
    said = re.findall(r"(\d[\d,.]*)\s+(times\s+as fast|KiB|µs)", report.between(report.README.read_text()))
    assert len(said) == 4
    measured = [row.split(" | ")[1] for row in rows(page)]
    for value, unit in said:
        assert f"{value} {' '.join(unit.split())}" in measured


def test_what_is_written_is_what_was_measured() -> None:
    page = report.page(FIGURES)
    assert all(ROW.fullmatch(row) for row in rows(page))
    assert "| ours beside the peer | 13.4 times as fast | ≥ 12 times as fast |" in rows(page)
    assert "| a connected charge point | 33.1 KiB | ≤ 32 KiB: **missed** |" in rows(page)
    assert "| connector | 1,290 bytes | |" in rows(page)
    sentence = report.sentence(FIGURES)
    assert re.findall(r"\d[\d.]*", sentence) == ["117", "61.2", "13.4", "33.1"]


def test_only_what_is_between_the_marks_changes() -> None:
    text = f"a{report.BEGIN}old{report.END}b"
    assert report.replaced(text, "new") == f"a{report.BEGIN}new{report.END}b"
    for wrong in ("a", report.END + report.BEGIN, report.BEGIN + text):
        with pytest.raises(ValueError, match="marks"):
            report.replaced(wrong, "new")


def test_a_figure_is_kept_and_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "figures"
    monkeypatch.setenv("OCPP16_FIGURES", str(path))
    figures.note("a.b", "first", 1.0, "µs", at_most=2)
    figures.note("a.c", "other", 5.0, "µs", at_most=2)
    figures.note("a.b", "again", 3.0, "µs", at_most=2)
    found = figures.read(path)
    assert [figure.text for figure in found.values()] == ["again", "other"]
    assert json.loads(path.read_text().splitlines()[0])["text"] == "first"
    assert asdict(found["a.b"])["value"] == 3.0


@pytest.mark.parametrize(
    ("at_most", "at_least", "is_missed"), [(None, None, False), (2, None, False), (1, None, True), (None, 3, True)]
)
def test_what_is_demanded(at_most: float | None, at_least: float | None, is_missed: bool) -> None:
    assert Figure("a.b", "text", 2.0, "µs", at_most, at_least).is_missed == is_missed
