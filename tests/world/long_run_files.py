"""The files of a charge point after the end of its process: whole, bounded, and without a word of a fault."""

import json
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

DATABASE_LIMIT = 16 << 20
"""Bytes of the database and what lies beside it."""
SLACK = 70_000
"""Bytes that a log may have beyond the size at which it is rotated: one message of MaxMessageSize."""
_WORK = ("dead_letters", "jobs", "message_queue", "samples", "transactions")
"""Tables of what is under way."""
_FAULTS = (
    b"Traceback",
    b" ERROR ",
    b" CRITICAL ",
    b"Task exception",
    b"never retrieved",
    b"never awaited",
    b"Warning:",
)


def file_problems(folder: Path, *, log_size: int, log_count: int) -> list[str]:
    """`folder` has the database, `logs` the message log, `sessions` the pages of sessions, `stderr.log` what was said.

    log_size, log_count: bytes at which a log is rotated, and how many files of it are kept.
    """
    return [
        *_said(folder / "stderr.log"),
        *_database(folder),
        *_logs(folder / "logs", log_size, log_count),
        *_sessions(folder / "sessions"),
    ]


def memory(process_id: int) -> int:
    """The most bytes that the process has had in memory; 0 where the system does not tell."""
    try:
        text = Path(f"/proc/{process_id}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith("VmHWM:")), 0)


def left_over(folder: Path) -> list[str]:
    """Rows that nobody needs any more when every transaction has ended and all was told."""
    return [
        f"{count} rows of {table} are left over"
        for table, count in ((table, _count(folder, table)) for table in _WORK)
        if count
    ]


def logged_ids(folder: Path) -> set[str]:
    """Message ids in the JSON lines."""
    found: set[str] = set()
    for path in (folder / "logs").glob("*.jsonl*"):
        for line in path.read_bytes().splitlines():
            frame = json.loads(json.loads(line)["raw"]) if b"messageType" in line else []
            found.update(frame[1:2])
    return found


def _count(folder: Path, table: str) -> int:
    (path,) = folder.glob("*.db")
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
        (count,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(count)


def _said(path: Path) -> Iterator[str]:
    """What was found is put aside, so that it is told once."""
    text = path.read_bytes()
    if any(fault in text for fault in _FAULTS):
        yield f"on standard error: {text[-3000:].decode(errors='replace')}"
    path.write_bytes(b"")


def _database(folder: Path) -> Iterator[str]:
    size = sum(path.stat().st_size for path in folder.glob("*.db*"))
    if size > DATABASE_LIMIT:
        yield f"the database has {size} bytes"


def _logs(folder: Path, log_size: int, log_count: int) -> Iterator[str]:
    kinds: dict[str, int] = {}
    for path in folder.iterdir() if folder.exists() else ():
        name = path.name.removesuffix(f".{path.name.rpartition('.')[2]}") if path.name[-1].isdigit() else path.name
        kinds[name] = kinds.get(name, 0) + 1
        status = path.stat()
        if status.st_size > log_size + SLACK:
            yield f"{path.name} has {status.st_size} bytes"
        if stat.S_IMODE(status.st_mode) != 0o600:
            yield f"{path.name} has mode {status.st_mode:o}"
        if ".jsonl" in path.name:
            yield from _records(path, is_live=path.name == name)
        elif ".html" in path.name:
            yield from _page(path)
    for name, count in kinds.items():
        if count > log_count:
            yield f"there are {count} files of {name}"


def _records(path: Path, *, is_live: bool) -> Iterator[str]:
    """Every record is whole; what the process was killed at may be cut, and is the end of the file."""
    *lines, rest = path.read_bytes().split(b"\n")
    if rest and not is_live:
        yield f"{path.name} ends in the middle of a record"
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
        except ValueError:
            yield f"line {number} of {path.name} is no record: {line[:200]!r}"
            continue
        if not isinstance(record, dict) or "raw" not in record:
            yield f"line {number} of {path.name} is no record of the trace format: {line[:200]!r}"


def _page(path: Path) -> Iterator[str]:
    """A kill may have come between the making of the file and its first row."""
    text = path.read_bytes()
    if text and text[:15].lower() != b"<!doctype html>":
        yield f"{path.name} begins with {text[:40]!r}"


def _sessions(folder: Path) -> Iterator[str]:
    """A session that is over has its pages under their last names, and not under those of one that goes on, too."""
    for path in folder.iterdir() if folder.exists() else ():
        pages = [page.name for page in path.iterdir()]
        if len({page.startswith("incomplete-") for page in pages}) > 1:
            yield f"the session {path.name} has {pages}"
        for name in pages:
            yield from _page(path / name)
