"""The diagnostics of a simulated station, as a .tar.gz: configuration without secrets, state, logs.

What is in it was shown before: keys that GetConfiguration reports, and logs, in which no secret is. URLs lose who logs
in by them. It has a bound: of the logs the newest files are taken, of a long one the end.

The folder of logs may be one that others write to, and hold more than logs. Taken are regular files that are called as
logs are, so that no database, key or certificate beside them is; no link is followed, in no part of the way; nothing is
waited for that is a pipe. Files may come, grow and go meanwhile. Others have their turn between two of them.
"""

import errno
import heapq
import io
import json
import os
import re
import stat
import tarfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import trio

from ocpp16.redaction import without_logins

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint

MOST_LOG_BYTES = 8 * 1024 * 1024
"""Of all logs together."""
MOST_LOGS = 100
MOST_ENTRIES = 250_000
"""Files and folders that are looked at to find the newest."""
DEEPEST = 16
"""Folders within each other."""
_ENTRIES_AT_ONCE: Final = 100
_LOG: Final = re.compile(r".*\.(log|txt|html|jsonl)(\.[0-9][0-9TZ:.+-]*)?", re.DOTALL | re.IGNORECASE)
"""As the message log and most others call theirs, rotated ones too."""


async def pack(path: Path, charge_point: "ChargePoint", logs: Path | None) -> None:
    """Write the archive. Raises OSError."""
    now = charge_point.for_station.clock.now() // 1_000_000
    documents = (("configuration", _configuration(charge_point)), ("state", _state(charge_point)))
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, document in documents:
            text = without_logins(json.dumps(document, indent=1, sort_keys=True, default=str))
            _add(archive, f"{name}.json", text.encode(errors="backslashreplace"), now)
        if logs is not None:
            async for name, content in _logs(logs):
                _add(archive, f"logs/{name}", content, now)


def _add(archive: tarfile.TarFile, name: str, content: bytes, now: int) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    member.mtime = max(now, 0)
    archive.addfile(member, io.BytesIO(content))


def _configuration(charge_point: "ChargePoint") -> Mapping[str, Any]:
    return {row["key"]: row.get("value") for row in charge_point.configuration.get()["configurationKey"]}


def _state(charge_point: "ChargePoint") -> Mapping[str, Any]:
    connection, station = charge_point.connection, charge_point.for_station
    reports = {number: charge_point.connector_status(number) for number in range(station.number_of_connectors + 1)}
    return {
        "connection": {
            "is_connected": connection.is_connected,
            "registration": connection.registration,
            "queue_depth": connection.queue_depth,
        },
        "connectors": {
            number: {"status": report.status, "error": report.error_code} for number, report in reports.items()
        },
        "running_sessions": station.running_sessions(),
        "counters": asdict(charge_point.counters),
    }


async def _logs(folder: Path) -> AsyncIterator[tuple[str, bytes]]:
    """The newest first, as far as they go; one that vanishes meanwhile is left out."""
    left = MOST_LOG_BYTES
    for name in await _newest(folder):
        if not left:
            return
        await trio.lowlevel.checkpoint()
        try:
            content = _end_of(folder, name, left)
        except OSError:
            continue
        left -= len(content)
        yield name, content


async def _newest(folder: Path) -> list[str]:
    """Where logs are, from `folder` on."""
    newest: list[tuple[int, str]] = []
    waiting = [("", 0)]
    count = 0
    while waiting:
        inner, depth = waiting.pop()
        try:
            with os.scandir(folder / inner) as entries:
                for entry in entries:
                    count += 1
                    if count > MOST_ENTRIES:
                        waiting.clear()
                        break
                    if count % _ENTRIES_AT_ONCE == 0:
                        await trio.lowlevel.checkpoint()
                    name = os.path.join(inner, entry.name)
                    if entry.is_dir(follow_symlinks=False):
                        if depth < DEEPEST:
                            waiting.append((name, depth + 1))
                    elif (modified := _modified(entry)) is not None:
                        heapq.heappush(newest, (modified, name))
                        if len(newest) > MOST_LOGS:
                            heapq.heappop(newest)
        except OSError:
            continue
    return [name for _, name in sorted(newest, reverse=True)]


def _modified(entry: os.DirEntry[str]) -> int | None:
    """When, in ns; None: it is no log, or gone."""
    try:
        if _LOG.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
            return entry.stat(follow_symlinks=False).st_mtime_ns
    except OSError:
        pass
    return None


def _end_of(folder: Path, name: str, most: int) -> bytes:
    """The last bytes of a regular file. Raises OSError, also where the way to it leads over a link."""
    with open(_opened(folder, name), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        size = file.seek(0, io.SEEK_END)
        file.seek(max(size - most, 0))
        return file.read(most)


def _opened(folder: Path, name: str) -> int:
    """Step by step: what was a folder when it was looked at may be a link now."""
    *folders, last = name.split(os.sep)
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in folders:
            inner = os.open(part, flags | os.O_DIRECTORY, dir_fd=here)
            os.close(here)
            here = inner
        return os.open(last, flags, dir_fd=here)
    finally:
        os.close(here)
