"""The pages of a database file as they are, also of one that SQLite refuses: read without SQLite, one by one.

Rules of this file (numbers are of SQLite's "Database File Format"):
1. Nothing here raises for what a file holds. A page that cannot be read, or is empty, is none.
2. Pages that are whole in the write-ahead log, up to its last commit, take the place of those in the file (4).
3. Nothing is written, and memory holds one page at a time.
"""

import os
import struct
from pathlib import Path
from types import TracebackType
from typing import Self

_MAGIC = b"SQLite format 3\0"
_USUAL_SIZE = 4096
_LOG_HEADER = 32
_FRAME_HEADER = 24
_LOG_MAGIC = 0x377F0682
"""The lowest bit says how the checksums read the log: 0 as little-endian, 1 as big-endian words."""


class Pages:
    """A context manager. `size` is that of a page, `usable` what of it holds content, `count` how many there may be."""

    def __init__(self, path: Path) -> None:
        self.size = self.usable = _USUAL_SIZE
        self.count = 0
        self._file = _opened(path)
        self._log = _opened(path.with_name(path.name + "-wal"))
        self._in_log: dict[int, int] = {}
        header = _read(self._file, 0, 100)
        if header.startswith(_MAGIC):
            size = int.from_bytes(header[16:18], "big")
            size = 65536 if size == 1 else size
            if 512 <= size <= 65536 and not size & (size - 1):
                self.size = size
                self.usable = size - header[20] if size - header[20] >= 480 else size
        self._find_in_log()
        self.count = max(_length(self._file) // self.size, max(self._in_log, default=0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for descriptor in (self._file, self._log):
            if descriptor is not None:
                os.close(descriptor)

    def page(self, number: int) -> bytes | None:
        """The content of a page, from 1; None if it is not there, cut short, unreadable, or all zero."""
        if not 1 <= number <= self.count:
            return None
        place = self._in_log.get(number)
        if place is None:
            content = _read(self._file, (number - 1) * self.size, self.size)
        else:
            content = _read(self._log, place, self.size)
        return content if len(content) == self.size and content.count(0) != self.size else None

    def _find_in_log(self) -> None:
        header = _read(self._log, 0, _LOG_HEADER)
        if len(header) < _LOG_HEADER:
            return
        magic, _, size, _, *salt = struct.unpack(">6I", header[:24])
        words = ">" if magic & 1 else "<"
        sums = _sums(header[:24], words, (0, 0))
        if magic & ~1 != _LOG_MAGIC or sums != struct.unpack(">2I", header[24:]):
            return
        if size != self.size:
            if _read(self._file, 0, len(_MAGIC)) == _MAGIC or not 512 <= size <= 65536:
                return
            self.size = self.usable = size
        place, waiting = _LOG_HEADER, dict[int, int]()
        while True:
            frame = _read(self._log, place, _FRAME_HEADER + size)
            if len(frame) < _FRAME_HEADER + size:
                return
            number, pages_then, *frame_salt = struct.unpack(">4I", frame[:16])
            sums = _sums(frame[_FRAME_HEADER:], words, _sums(frame[:8], words, sums))
            if frame_salt != salt or sums != struct.unpack(">2I", frame[16:24]):
                return
            waiting[number] = place + _FRAME_HEADER
            if pages_then:  # a commit
                self._in_log.update(waiting)
                waiting.clear()
            place += _FRAME_HEADER + size


def _sums(content: bytes, words: str, sums: tuple[int, int]) -> tuple[int, int]:
    first, second = sums
    values = iter(struct.unpack(f"{words}{len(content) // 4}I", content))
    for one, other in zip(values, values, strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + other + first) & 0xFFFFFFFF
    return first, second


def _opened(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None


def _read(descriptor: int | None, offset: int, length: int) -> bytes:
    """What is there, less than `length` where the file ends or cannot be read."""
    if descriptor is None:
        return b""
    try:
        return os.pread(descriptor, length, offset)
    except OSError:
        return b""


def _length(descriptor: int | None) -> int:
    try:
        return 0 if descriptor is None else os.fstat(descriptor).st_size
    except OSError:
        return 0
