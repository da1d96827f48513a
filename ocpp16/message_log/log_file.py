"""One file of a log: rows are put at its end, whole or not at all, and it is rotated when it is large enough.

A file is open only while rows are written to it. So a fleet needs no descriptor for each of its files, a file that
somebody moved away begins anew, and a process that is killed leaves nothing open.

Rules of this file:
1. Nothing has to be written at the end of a file: it is complete after each row. What a killed process left of a row is
   cut off when the file is used again.
2. A row that the disk took only a part of is taken back.
3. Files are readable by their owner only.
"""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from ocpp16.message_log.rotation import Rotation

SIZE_LIMIT = 1 << 30
"""Bytes of a file that is not rotated, for a disk is not the log's alone."""
_BLOCK = 1 << 20
"""Bytes that are read at a time to look for the end of the last whole row, from the end on."""


class Frame(Protocol):
    """What is around rows. `opening` begins a file, `end` ends each row and is nowhere else in one."""

    @property
    def opening(self) -> bytes: ...
    @property
    def end(self) -> bytes: ...


class LogFile:
    """Parameters: `frame` is around the rows; `rotation` None: the file is not rotated."""

    __slots__ = ("_frame", "_is_known", "_rotation", "path")

    def __init__(self, path: Path, frame: Frame, rotation: Rotation | None) -> None:
        self.path: Path = path
        self._frame = frame
        self._rotation = rotation
        self._is_known = False

    def write(self, rows: list[bytes], at: int) -> int:
        """Put rows at the end; `at` is the time in µs, for names of rotated files. Returns how many old files rotation
        deleted. Blocks. Raises OSError."""
        waiting, deleted = rows, 0
        while waiting:
            waiting, gone = self._write_some(waiting, at)
            deleted += gone
        return deleted

    def _write_some(self, rows: list[bytes], at: int) -> tuple[list[bytes], int]:
        """As many as the present file takes; returns the others, and how many files were deleted."""
        descriptor = self._open()
        try:
            size = before = self._size(descriptor)
            rotation = self._rotation if self._rotation is not None and self._rotation.size else None
            limit = SIZE_LIMIT if rotation is None else rotation.size
            if size >= limit:
                if rotation is None:
                    raise OSError(errno.EFBIG, f"{self.path.name} has {SIZE_LIMIT} bytes and is not rotated")
                deleted = rotation.rotate(self.path, at)
                self._is_known = False
                return rows, deleted
            parts = [] if size else [self._frame.opening]
            size += sum(map(len, parts))
            taken = 0
            while taken < len(rows) and (size < limit or not taken):
                parts.append(rows[taken])
                size += len(rows[taken])
                taken += 1
            _write_all(descriptor, b"".join(parts), before)
            return rows[taken:], 0
        except BaseException:
            self._is_known = False
            raise
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            descriptor = os.open(self.path, flags, 0o600)
        except FileNotFoundError:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path, flags, 0o600)
        try:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                raise OSError(errno.EINVAL, f"{self.path.name} is no file")
            if mode & 0o077:
                os.fchmod(descriptor, 0o600)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _size(self, descriptor: int) -> int:
        """Of what is in the file, after what is no whole row has been cut off."""
        size = os.fstat(descriptor).st_size
        if self._is_known or not size:
            self._is_known = True
            return size
        whole = _whole(descriptor, size, self._frame.end) if size >= len(self._frame.opening) else 0
        if whole < size:
            os.ftruncate(descriptor, whole)
        self._is_known = True
        return whole


def _whole(descriptor: int, size: int, end: bytes) -> int:
    """Bytes of a file up to the last `end` of a row; a row may be larger than a block."""
    stop = size
    while stop > 0:
        start = max(stop - _BLOCK, 0)
        found = os.pread(descriptor, min(stop - start + len(end) - 1, size - start), start).rfind(end)
        if found >= 0:
            return start + found + len(end)
        stop = start
    return 0


def _write_all(descriptor: int, data: bytes, before: int) -> None:
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except BaseException:
        with suppress(OSError):  # then the next use of the file cuts it
            os.ftruncate(descriptor, before)
        raise
