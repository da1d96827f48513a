"""A format and the file in which its rows go."""

from pathlib import Path
from typing import Protocol

from ocpp16.message_log.log_file import Frame, LogFile
from ocpp16.message_log.record import Kind, Record
from ocpp16.message_log.rotation import Rotation


class Format(Frame, Protocol):
    """How records are written. `is_for_events`: has it rows for what is no frame?"""

    @property
    def suffix(self) -> str: ...
    @property
    def is_for_events(self) -> bool: ...
    def row(self, record: Record) -> bytes: ...


class Sink:
    """Parameters: `base` is the path without the format's suffix; `rotation` None: the file is not rotated."""

    __slots__ = ("_format", "_missing", "_rows", "file")

    def __init__(self, form: Format, base: Path, rotation: Rotation | None) -> None:
        self._format = form
        self.file: LogFile = LogFile(base.with_name(base.name + form.suffix), form, rotation)
        self._rows: list[bytes] = []
        self._missing = 0

    def add(self, record: Record) -> None:
        """A row for the next `flush`."""
        if record.kind is Kind.EVENT and not self._format.is_for_events:
            return
        self._rows.append(self._format.row(record))

    def miss(self, count: int) -> None:
        """So many rows will never come; the next flush says so."""
        self._missing += count

    def flush(self, at: int) -> int:
        """Write what was added; returns how many rows. Blocks. Raises OSError; the rows are lost then, and told."""
        rows, self._rows = self._rows, []
        if not rows:
            return 0
        told = []
        if self._missing and self._format.is_for_events:
            text = f"{self._missing} messages are missing here: they could not be written"
            told.append(self._format.row(Record(at, Kind.EVENT, text)))
        try:
            self.file.write(told + rows, at)
        except BaseException:
            self._missing += len(rows)
            raise
        self._missing = 0
        return len(rows)
