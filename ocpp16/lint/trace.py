"""Reading a trace: JSON lines of the OCPP trace format 1.1, as they are or compressed with gzip.

Rules of this file:
1. A line is read at a time, and none longer than `LONGEST_LINE`: a trace of gigabytes needs no more memory than one of
   kilobytes.
2. What is no record is counted and told with its line number, and the lines after it are read. The last line may be cut
   off, as a killed program leaves it.
3. Members that are not known are ignored. Where `payload` is missing it is read from `raw`.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

import orjson

from ocpp16.lint.frame import Frame as Frame

LONGEST_LINE: Final = 64 * 1024 * 1024
"""Bytes: a frame of the largest size that can be configured, as text and as members."""
_GZIP: Final = b"\x1f\x8b"
_MOST_TOLD: Final = 20
_KINDS: Final = {2: "CALL", 3: "CALLRESULT", 4: "CALLERROR"}
_PROGRESS: Final = 4 * 1024 * 1024
"""Bytes between two words on how far it is."""


class TraceError(Exception):
    """The file cannot be read, or is no trace. Its text says why."""


class Trace:
    """The frames of a file, in their order; to be iterated more than once. `progress` is told which part was read.

    wrong: what is no record, each with its line number, the first of them; `wrong_count`: how many in the last pass.
    """

    def __init__(self, path: Path, progress: Callable[[float], None] = lambda part: None) -> None:
        self._path = path
        self._progress = progress
        self.wrong: list[str] = []
        self.wrong_count = 0
        self.frame_count = 0

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Number and content of each line. Raises TraceError if the file cannot be read."""
        try:
            with self._path.open("rb") as file:
                size = self._path.stat().st_size
                is_packed = file.peek(2)[:2] == _GZIP
                text: IO[bytes] = gzip.GzipFile(fileobj=file) if is_packed else file  # type: ignore[assignment]
                told = 0
                for number, line in enumerate(iter(lambda: text.readline(LONGEST_LINE), b""), 1):
                    if len(line) >= LONGEST_LINE:
                        raise TraceError(f"{self._path}: line {number} is longer than {LONGEST_LINE:,} bytes")
                    yield number, line
                    if size and file.tell() - told >= _PROGRESS:
                        told = file.tell()
                        self._progress(told / size)
        except (OSError, EOFError, zlib.error) as error:
            reason = (isinstance(error, OSError) and error.strerror) or str(error)
            raise TraceError(f"{self._path}: cannot be read: {reason}") from None

    def __iter__(self) -> Iterator[Frame]:
        self.wrong.clear()
        self.wrong_count = self.frame_count = 0
        cut = 0
        for number, line in self.lines():
            if not line.strip():
                continue
            try:
                frame = _frame(number, line)
            except ValueError as error:
                cut = 0 if line.endswith(b"\n") else number
                self._note(number, str(error))
                continue
            self.frame_count += 1
            if frame is not None:
                yield frame
        if cut and self.frame_count:  # the last one, without its end
            self.wrong_count -= 1
            if self.wrong and self.wrong[-1].startswith(f"line {cut}:"):
                self.wrong.pop()

    def _note(self, number: int, why: str) -> None:
        self.wrong_count += 1
        if len(self.wrong) < _MOST_TOLD:
            self.wrong.append(f"line {number}: {why}")


def frames_with(trace: Trace, mark: bytes) -> Iterator[Frame]:
    """The frames whose line has this word, in small letters; the others are not even parsed. Raises TraceError."""
    for number, line in trace.lines():
        if mark in line.lower():
            try:
                frame = _frame(number, line)
            except ValueError:
                continue  # told when all are read
            if frame is not None:
                yield frame


def _frame(number: int, line: bytes) -> Frame | None:
    """None: a record of what is no OCPP-J message. Raises ValueError for what is no record."""
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise ValueError("no JSON") from None
    if not isinstance(record, dict) or not isinstance(record.get("direction"), str):
        raise ValueError("no record of a trace")
    kind, message_id, action = record.get("messageType"), record.get("messageId"), record.get("action")
    if kind is None:
        return None
    if kind not in _KINDS.values() or not isinstance(message_id, str):
        raise ValueError("no record of a message")
    payload = record.get("payload")
    if "payload" not in record and kind != "CALLERROR":
        payload, action = _from_raw(record.get("raw"), action)
    return Frame(
        number,
        _text(record.get("chargePointId")),
        record["direction"],
        kind,
        message_id,
        _text(action),
        payload,
        _text(record.get("timestamp")),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _from_raw(raw: Any, action: Any) -> tuple[Any, Any]:
    try:
        frame = orjson.loads(raw) if isinstance(raw, str) else None
    except orjson.JSONDecodeError:
        frame = None
    match frame:
        case [2, _, str(name), payload]:
            return payload, name
        case [3, _, payload]:
            return payload, action
    return None, action
