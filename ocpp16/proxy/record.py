"""What passes on one connection, as rows of a trace, without secrets, and as frames for a linter."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import trio

from ocpp16.lint import FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT, Finding, Frame, connected, disconnected, frame_of
from ocpp16.lint.frame import as_binary
from ocpp16.message_log.json_lines import JsonLines
from ocpp16.message_log.record import SENT, Reader, Record
from ocpp16.message_log.words import time_text


class Judge(Protocol):
    """Judges frames as they pass, as `ocpp16.lint.Linter` does."""

    def take(self, frame: Frame) -> Sequence[Finding]: ...
    def end(self) -> Sequence[Finding]: ...


class Recorded:
    """Parameters: `identity` of the charge point; `connection` its number; `now` µs since 1970; `lines` gives the
    number of the next line of the trace."""

    __slots__ = ("_line_numbers", "_lines", "_now", "_reader", "_sequence", "identity")

    def __init__(self, identity: str, connection: int, now: Callable[[], int], lines: Iterator[int]) -> None:
        self.identity: str = identity
        self._reader = Reader()
        self._lines = JsonLines(identity, connection)
        self._now = now
        self._line_numbers = lines
        self._sequence = 0

    def take(self, way: str, text: str) -> Record:
        """A text that passes now."""
        self._sequence += 1
        return self._reader.read(self._sequence, self._now(), trio.current_time(), way, text)

    def row(self, record: Record, *, is_binary: bool) -> bytes:
        """Its line of a trace."""
        return self._lines.row(record, is_binary=is_binary)

    def frame(self, record: Record, text: str, *, is_binary: bool) -> Frame:
        """For a linter, as it passed: what is hidden in a trace cannot be judged."""
        frame = frame_of(
            text,
            FROM_CHARGE_POINT if record.direction == SENT else FROM_CENTRAL_SYSTEM,
            charge_point=self.identity,
            line=next(self._line_numbers),
            timestamp=time_text(record.at),
            action=record.action,
        )
        return as_binary(frame) if is_binary else frame

    def end(self, *, begins: bool) -> Frame:
        """For a linter: the connection begins, or has ended."""
        return (connected if begins else disconnected)(self.identity, timestamp=time_text(self._now()))
