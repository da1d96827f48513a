"""The pages of a database file as they are, also of one that SQLite refuses: read without SQLite, one by one.

Rules of this file (numbers are of SQLite's "Database File Format"):
1. Nothing here raises for what a file holds. A page that cannot be read, or is empty, is none.
2. Pages that are whole in the write-ahead log, up to its last commit, take the place of those in the file (4).
3. Nothing is written, and memory holds one page at a time.
"""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from ocpp16.store.write_ahead_log import can_be_read, frames, log_of, opened, page_size, read

MAGIC = b"SQLite format 3\0"
"""How every database begins (1.3.1)."""
_USUAL_SIZE = 4096


class Pages:
    """A context manager. `size` is that of a page, `usable` what of it holds content, `count` how many there may be."""

    def __init__(self, path: Path) -> None:
        self.size: int = _USUAL_SIZE
        self.usable: int = _USUAL_SIZE
        self.count: int = 0
        self._file = opened(path)
        self._log = opened(log_of(path))
        self.has_log: bool = self._log is not None and can_be_read(self._log)
        """Whether all of the log can be read."""
        self._in_log: dict[int, int] = {}
        header = read(self._file, 0, 100)
        if header.startswith(MAGIC):
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
            content = read(self._file, (number - 1) * self.size, self.size)
        else:
            content = read(self._log, place, self.size)
        return content if len(content) == self.size and content.count(0) != self.size else None

    def _find_in_log(self) -> None:
        size = page_size(self._log)
        if size is None:
            return
        if size != self.size:
            if read(self._file, 0, len(MAGIC)) == MAGIC:
                return
            self.size = self.usable = size
        waiting = dict[int, int]()
        for frame in frames(self._log):
            waiting[frame.page] = frame.place
            if frame.pages_then:  # a commit
                self._in_log.update(waiting)
                waiting.clear()


def _length(descriptor: int | None) -> int:
    try:
        return 0 if descriptor is None else os.fstat(descriptor).st_size
    except OSError:
        return 0
