"""Reading a file of traffic, in whatever format there is a reader for, as it is or compressed with gzip.

Rules of this file:
1. A line is read at a time, and none longer than `LONGEST_LINE`: a trace of gigabytes needs no more memory than one of
   kilobytes.
2. What is broken is counted and told with its line number, and the lines after it are read. The last line, and the
   message in it, may be cut off, as a killed program leaves it. Lines of something else, as a log has many, are only
   counted.
3. Every pass begins at the beginning, of a pipe as well (`trace_file`).
"""

import gzip
import os
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import IO, Final

from ocpp16.lint.frame import Frame as Frame
from ocpp16.lint.message_log_text import is_whole_message
from ocpp16.lint.reader import LONGEST_LINE as LONGEST_LINE
from ocpp16.lint.reader import NotMine, Reader
from ocpp16.lint.readers import reader_for
from ocpp16.lint.trace_file import TraceFile, Unreadable
from ocpp16.lint.trace_format import TraceFormat

_GZIP: Final = b"\x1f\x8b"
_HEAD: Final = 256 * 1024
"""Bytes by which a format is recognised."""
_MOST_TOLD: Final = 20
_PROGRESS: Final = 4 * 1024 * 1024
"""Bytes of lines between two words on how far it is."""
_BLOCK: Final = 256 * 1024
"""Bytes that are unpacked at a time."""


class TraceError(Exception):
    """The file cannot be read, or is no trace. Its text says why."""


class Trace:
    """The frames of a file, in their order; to be iterated more than once.

    Parameters: `progress` is told which part was read; `reader_name` of one in `readers`, recognised if None (KeyError
    if there is none of that name); `charge_point` is the id where the file has none.

    wrong: what is broken, each with its line number, the first of them; `wrong_count`: how many in the last pass;
    `other_count`: lines of something else in it; `frame_count`: frames; `format`: the name of the reader.
    """

    def __init__(
        self,
        path: Path,
        progress: Callable[[float], None] = lambda part: None,
        reader_name: str | None = None,
        charge_point: str = "",
    ) -> None:
        self._path = path
        self._file = TraceFile(path)
        self._progress = progress
        self._name = reader_name
        self._charge_point = charge_point
        self.wrong: list[str] = []
        self.wrong_count: int = 0
        self.other_count: int = 0
        self.frame_count: int = 0
        self.format: str = ""

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Number and content of each line. Raises TraceError if the file cannot be read."""
        try:
            with self._file.open() as file:
                size = os.fstat(file.fileno()).st_size
                text = _unpacked(file)
                seen = 0
                for number, line in enumerate(iter(lambda: text.readline(LONGEST_LINE), b""), 1):
                    if len(line) >= LONGEST_LINE:
                        raise TraceError(f"{self._path}: line {number} is longer than {LONGEST_LINE:,} bytes")
                    yield number, line.removeprefix(BOM_UTF8) if number == 1 else line
                    seen += len(line)
                    if size and seen >= _PROGRESS:
                        seen = 0
                        self._progress(file.tell() / size)
        except (OSError, EOFError, zlib.error, Unreadable) as error:
            raise self._unreadable(error) from None

    def new_reader(self) -> Reader:
        """A new one, for a pass from the beginning. Raises TraceError if the file cannot be read."""
        try:
            with self._file.open() as file:
                head = _unpacked(file).read(_HEAD).removeprefix(BOM_UTF8)
            if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
                raise Unreadable("it is UTF-16, as PowerShell writes it; make it UTF-8 first: iconv -f UTF-16 -t UTF-8")
        except (OSError, EOFError, zlib.error, Unreadable) as error:
            raise self._unreadable(error) from None
        kind = reader_for(head, self._name)
        self.format = kind.name
        return kind(head, self._charge_point)

    def _unreadable(self, error: Exception) -> TraceError:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        return TraceError(f"{self._path}: cannot be read: {reason}")

    def __iter__(self) -> Iterator[Frame]:
        self.wrong.clear()
        self.wrong_count = self.other_count = self.frame_count = 0
        reader = self.new_reader()
        cut = number = 0
        for number, line in self.lines():
            try:
                for frame in reader.read(number, line):
                    if frame.fault and _is_cut(line, reader):
                        break
                    self.frame_count += 1
                    yield frame
            except NotMine:
                self.other_count += 1
            except ValueError as error:
                cut = 0 if line.endswith(b"\n") else number
                self._note(number, str(error))
        try:
            for frame in reader.end():
                self.frame_count += 1
                yield frame
        except ValueError as error:
            self._note(number, str(error))
        if cut and self.frame_count:  # the last one, without its end
            self.wrong_count -= 1
            if self.wrong and self.wrong[-1].startswith(f"line {cut}:"):
                self.wrong.pop()

    def _note(self, number: int, why: str) -> None:
        self.wrong_count += 1
        if len(self.wrong) < _MOST_TOLD:
            self.wrong.append(f"line {number}: {why}")


def _is_cut(line: bytes, reader: Reader) -> bool:
    """Is it the last line of a file, which ends before the message in it does? A record of a trace is none then."""
    return not line.endswith(b"\n") and not isinstance(reader, TraceFormat) and not is_whole_message(line)


def _unpacked(file: IO[bytes]) -> IO[bytes]:
    is_packed = file.peek(2)[:2] == _GZIP  # type: ignore[attr-defined]
    return BufferedReader(gzip.GzipFile(fileobj=file), _BLOCK) if is_packed else file


def frames_with(trace: Trace, mark: bytes) -> Iterator[Frame]:
    """The frames whose line has this word, in small letters; where a record is a line the others are not even parsed.
    Raises TraceError."""
    reader = trace.new_reader()
    if not isinstance(reader, TraceFormat):
        yield from trace
        return
    for number, line in trace.lines():
        if mark in line.lower():
            try:
                yield from reader.read(number, line)
            except ValueError:
                continue  # told when all are read
