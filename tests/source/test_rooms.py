"""The page of every room: each file is there, and says what it is for."""

from pathlib import Path

from generated import PACKAGE, expanded, rooms


def test_each_file_is_there_with_what_it_says_of_itself() -> None:
    text = rooms()
    folders = [part.partition("`/`") for part in text.split("\n## `ocpp16/")]
    assert len(folders) > 20
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    files = {path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".pyx") and path.name != "__init__.py"}
    assert len(rows) == len({path for path in files if "share" not in path.relative_to(PACKAGE).parts})
    assert [row for row in rows if len(row.split("` | ")[1]) < 15] == []
    assert "| `next_attempt.py` | When the next attempt to connect is made: as the RetryBackoff keys have it," in text


def test_the_page_has_them() -> None:
    page = Path(__file__).parents[2] / "docs" / "rooms.md"
    assert rooms() in expanded(page.read_text(encoding="utf-8"))
