"""The diagnostics of a simulated station, as a .tar.gz: configuration without secrets, state, logs.

What is in it was shown before: keys that GetConfiguration reports, and logs, in which no secret is. URLs lose who logs
in by them. It has a bound: of the logs the newest files are taken, of a long one the end.
"""

import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocpp16.redaction import without_logins

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint

MOST_LOG_BYTES = 8 * 1024 * 1024
"""Of all logs together."""
MOST_LOGS = 100


def pack(path: Path, charge_point: "ChargePoint", logs: Path | None) -> None:
    """Write the archive. Raises OSError."""
    now = charge_point.for_station.clock.now() // 1_000_000
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, document in (("configuration", _configuration(charge_point)), ("state", _state(charge_point))):
            text = without_logins(json.dumps(document, indent=1, sort_keys=True, default=str))
            _add(archive, f"{name}.json", text.encode(errors="backslashreplace"), now)
        for name, content in _logs(logs):
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


def _logs(folder: Path | None) -> Iterator[tuple[str, bytes]]:
    """The newest first, as far as they go; one that vanishes meanwhile is left out."""
    left = MOST_LOG_BYTES
    for path in _newest(folder)[:MOST_LOGS]:
        if not left:
            return
        try:
            with path.open("rb") as file:
                size = file.seek(0, io.SEEK_END)
                file.seek(max(size - left, 0))
                content = file.read(left)
        except OSError:
            continue
        left -= len(content)
        assert folder is not None
        yield str(path.relative_to(folder)), content


def _newest(folder: Path | None) -> list[Path]:
    if folder is None:
        return []
    found = []
    for path in folder.rglob("*"):
        try:
            if path.is_file() and not path.is_symlink():
                found.append((path.stat().st_mtime, path))
        except OSError:
            continue
    return [path for _, path in sorted(found, reverse=True)]
