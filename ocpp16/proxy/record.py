"""What passes on one connection, as rows of a trace and as frames for a linter; without secrets."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import trio

from ocpp16.lint.trace import FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT, Frame
from ocpp16.message_log.json_lines import JsonLines
from ocpp16.message_log.record import SENT, Kind, Reader, Record
from ocpp16.message_log.words import time_text


class Finding(Protocol):
    """What a linter found; `ocpp16.lint.Finding` is one."""

    @property
    def rule(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def charge_point(self) -> str: ...
    @property
    def severity(self) -> str: ...


class Linter(Protocol):
    """Judges frames as they pass; `ocpp16.lint.Linter` is one."""

    def take(self, frame: Frame) -> Sequence[Finding]: ...
    def end(self) -> Sequence[Finding]: ...


class Recorded:
    """Parameters: `identity` of the charge point; `connection` its number; `now` µs since 1970; `lines` gives the
    number of the next line of the trace."""

    __slots__ = ("_line_numbers", "_lines", "_now", "_reader", "_sequence", "identity")

    def __init__(self, identity: str, connection: int, now: Callable[[], int], lines: Iterator[int]) -> None:
        self.identity = identity
        self._reader = Reader()
        self._lines = JsonLines(identity, connection)
        self._now = now
        self._line_numbers = lines
        self._sequence = 0

    def take(self, way: str, text: str) -> Record:
        """A text that passes now."""
        self._sequence += 1
        return self._reader.read(self._sequence, self._now(), trio.current_time(), way, text)

    def row(self, record: Record) -> bytes:
        """Its line of a trace."""
        return self._lines.row(record)

    def frame(self, record: Record) -> Frame | None:
        """For a linter; None for what is no message."""
        if record.kind is Kind.MALFORMED:
            return None
        return Frame(
            line=next(self._line_numbers),
            charge_point=self.identity,
            direction=FROM_CHARGE_POINT if record.direction == SENT else FROM_CENTRAL_SYSTEM,
            kind=str(record.kind),
            message_id=record.unique_id,
            action=record.action,
            payload=record.payload,
            timestamp=time_text(record.at),
        )
