"""Files of the log: whole rows only, whatever the disk does, whoever was killed."""

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from ocpp16.message_log import log_file
from ocpp16.message_log.html import HtmlFormat
from ocpp16.message_log.log_file import LogFile
from ocpp16.message_log.record import Kind, Record
from ocpp16.message_log.rotation import Rotation
from ocpp16.message_log.sink import Sink
from ocpp16.message_log.text import TextFormat


class Top:
    opening = b"<top>\n"
    end = b">\n"


def file(path: Path, rotation: Rotation | None = None) -> LogFile:
    return LogFile(path, Top(), rotation)


def rows(*names: str) -> list[bytes]:
    return [f"<{name}>\n".encode() for name in names]


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "cp.log"
    file(path).write(rows("a"), 0)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    file(path).write(rows("b"), 0)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "cp.html"
    file(path).write(rows("a"), 0)
    file(path).write(rows("b", "c"), 0)
    assert path.read_bytes() == b"<top>\n<a>\n<b>\n<c>\n"


@pytest.mark.parametrize("left", [b"<to", b"<top>\n<a>\n<b", b"<top>\n<a>\n<b>", b"<top>\n<a>\n", b"<top>\n", b""])
def test_what_a_killed_process_left_of_a_row_is_cut_off(tmp_path: Path, left: bytes) -> None:
    path = tmp_path / "cp.html"
    path.write_bytes(left)
    file(path).write(rows("z"), 0)
    assert path.read_bytes() == (b"<top>\n<a>\n<z>\n" if b"<a>" in left else b"<top>\n<z>\n")


def test_a_file_that_somebody_took_away_begins_anew(tmp_path: Path) -> None:
    made = file(tmp_path / "cp.html")
    made.write(rows("a"), 0)
    (tmp_path / "cp.html").rename(tmp_path / "elsewhere")
    made.write(rows("b"), 0)
    assert (tmp_path / "cp.html").read_bytes() == b"<top>\n<b>\n"


def test_rotation_is_by_size_and_each_file_is_whole(tmp_path: Path) -> None:
    made = file(tmp_path / "cp.html", Rotation(20, 0, False))
    made.write(rows(*(f"row{number}" for number in range(9))), 0)
    found = sorted(tmp_path.iterdir())
    assert len(found) == 5
    assert b"".join(path.read_bytes().removeprefix(b"<top>\n") for path in [*found[:0:-1], found[0]]) == b"".join(
        rows(*(f"row{number}" for number in range(9)))
    )
    for path in found:
        assert path.read_bytes().startswith(b"<top>\n<row")
        assert path.read_bytes().endswith(b">\n")


def test_a_file_that_is_not_rotated_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "SIZE_LIMIT", 10)
    made = file(tmp_path / "cp.html")
    made.write(rows("aaaaaa"), 0)
    with pytest.raises(OSError, match="not rotated"):
        made.write(rows("b"), 0)
    assert (tmp_path / "cp.html").read_bytes() == b"<top>\n<aaaaaa>\n"


def test_a_file_that_is_rotated_has_no_end_at_the_same_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "SIZE_LIMIT", 10)
    made = file(tmp_path / "cp.html", Rotation(10, 0, is_dated=False))
    made.write(rows("a"), 0)
    made.write(rows("b"), 0)
    assert (tmp_path / "cp.html.0").read_bytes() == b"<top>\n<a>\n"
    assert (tmp_path / "cp.html").read_bytes() == b"<top>\n<b>\n"


@pytest.mark.parametrize("taken", [0, 3])
def test_a_full_disk_leaves_whole_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    path = tmp_path / "cp.html"
    made = file(path)
    made.write(rows("a"), 0)
    write, calls = os.write, []

    def full(descriptor: int, data: Any) -> int:
        calls.append(len(data))
        if taken and len(calls) == 1:
            return write(descriptor, data[:taken])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            made.write(rows("b", "c"), 0)
    assert path.read_bytes() == b"<top>\n<a>\n"
    made.write(rows("d"), 0)
    assert path.read_bytes() == b"<top>\n<a>\n<d>\n"


def test_what_is_no_file_is_not_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "target").write_text("precious")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    for name in ("pipe", "link"):
        with pytest.raises(OSError):
            file(tmp_path / name).write(rows("a"), 0)
    assert (tmp_path / "target").read_text() == "precious"


def test_rows_that_are_missing_are_told_in_their_place(tmp_path: Path) -> None:
    folder = tmp_path / "cp"
    folder.write_text("no folder")
    sink = Sink(TextFormat(is_raw=False), folder / "cp", None)
    for text in ("one", "two"):
        sink.add(Record(0, Kind.EVENT, text))
        with pytest.raises(OSError):
            sink.flush(0)
    folder.unlink()
    sink.add(Record(0, Kind.EVENT, "three"))
    sink.flush(0)
    sink.add(Record(0, Kind.EVENT, "four"))
    sink.flush(0)
    lines = [line.partition("SYS> ")[2] for line in (folder / "cp.log").read_text().split("\n") if line]
    assert lines == ["2 messages are missing here: they could not be written", "three", "four"]


def test_a_page_is_whole_after_each_row(tmp_path: Path) -> None:
    """What is open at its end HTML lets end by itself: nothing is written when a file is closed or rotated."""
    sink = Sink(HtmlFormat("cp", is_raw=False), tmp_path / "cp", None)
    for text in ("one", "two"):
        sink.add(Record(0, Kind.EVENT, text))
        sink.flush(0)
        page = (tmp_path / "cp.html").read_text()
        assert page.endswith("</details>\n")
        assert page.count("<details") == page.count("</details>")
    assert page.count("<!DOCTYPE") == 1


@pytest.mark.parametrize("size", [0, 1, log_file._BLOCK - 1, log_file._BLOCK, log_file._BLOCK + 1, 3 * log_file._BLOCK])
def test_what_was_left_of_a_row_is_cut_off_however_large_it_is(tmp_path: Path, size: int) -> None:
    path = tmp_path / "cp.html"
    path.write_bytes(b"<top>\n<a>\n<" + b"b" * size)
    file(path).write(rows("z"), 0)
    assert path.read_bytes() == b"<top>\n<a>\n<z>\n"


@pytest.mark.parametrize("before", [-1, 0, 1, 2])
def test_the_end_of_a_row_may_lie_on_the_border_of_two_blocks(tmp_path: Path, before: int) -> None:
    path, row = tmp_path / "cp.html", b"<top>\n<a>\n"
    path.write_bytes(row + b"b" * (log_file._BLOCK - before))
    file(path).write(rows("z"), 0)
    assert path.read_bytes() == row + b"<z>\n"


def test_what_rotation_deleted_is_told(tmp_path: Path) -> None:
    made = file(tmp_path / "cp.html", Rotation(1, 2, False))
    assert [made.write(rows("a"), 0) for _ in range(4)] == [0, 0, 1, 1]
