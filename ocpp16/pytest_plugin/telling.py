"""Traffic for people: a line for each frame, and files of it in the OCPP trace format 1.1."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final
from zlib import crc32

from ocpp16.message_log.json_lines import JsonLines
from ocpp16.message_log.record import SENT, Kind, Record
from ocpp16.state.clock import to_datetime
from ocpp16.texts import shown

LINE: Final = 240
"""Characters of a frame that are shown."""
_LONGEST_NAME: Final = 120
_ARROWS: Final = {SENT: "→", "": "·"}


def lines_of(records: Iterable[Record]) -> list[str]:
    """Time, direction and text of each: → is sent by the charge point, ← received, · of the connection."""
    return [
        f"{to_datetime(record.at):%H:%M:%S.%f}"[:-3] + f" {_ARROWS.get(record.direction, '←')} {_text(record)}"
        for record in records
    ]


def _text(record: Record) -> str:
    return shown(record.text, LINE)


def section(records: Sequence[Record], most: int) -> str:
    """The last `most` of these as lines, and how many are left out before."""
    left_out = len(records) - most
    head = [f"({left_out} frames before)"] if left_out > 0 else []
    return "\n".join([*head, *lines_of(records[-most:])])


def write_trace(path: Path, identity: str, records: Iterable[Record]) -> None:
    """A file of them. Raises OSError."""
    form = JsonLines(identity)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.writelines(form.row(record) for record in records if record.kind is not Kind.EVENT)


def file_name(test: str, identity: str) -> str:
    """Of the trace of a charge point in a test: nothing in it that a file system does not take, and one for each."""
    both = f"{test}-{identity}"
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", both).strip("-.")
    if "[" in test or len(name) > _LONGEST_NAME:  # what was left out may be all that tells two apart
        name = f"{name[-_LONGEST_NAME:].strip('-.')}-{crc32(both.encode()):08x}"
    return f"{name}.jsonl"
