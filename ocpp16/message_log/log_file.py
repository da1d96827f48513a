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
_TAIL = 1 << 20
"""Bytes at the end in which the end of the last whole row is looked for."""


class Frame(Protocol):
    """What is around rows. `opening` begins a file, `end` ends each row and is nowhere else in one."""

    @property
    def opening(self) -> bytes: ...
    @property
    def end(self) -> bytes: ...


class LogFile:
    """Parameters: `frame` is around the rows; `rotation` None: the file is not rotated."""

    __slots__ = ("_frame", "_is_known", "_rotation", "deleted", "path")

    def __init__(self, path: Path, frame: Frame, rotation: Rotation | None) -> None:
        self.path = path
        self._frame = frame
        self._rotation = rotation
        self._is_known = False
        self.deleted = 0
        """Files that rotation deleted."""

    def write(self, rows: list[bytes], at: int) -> None:
        """Put rows at the end; `at` is the time in µs, for names of rotated files. Blocks. Raises OSError."""
        waiting = rows
        while waiting:
            waiting = self._write_some(waiting, at)

    def _write_some(self, rows: list[bytes], at: int) -> list[bytes]:
        """As many as the present file takes; returns the others."""
        descriptor = self._open()
        try:
            size = before = self._size(descriptor)
            limit = SIZE_LIMIT if self._rotation is None or self._rotation.size == 0 else self._rotation.size
            if size >= limit:
                if limit == SIZE_LIMIT:
                    raise OSError(errno.EFBIG, f"{self.path.name} has {SIZE_LIMIT} bytes and is not rotated")
                assert self._rotation is not None
                self.deleted += self._rotation.rotate(self.path, at)
                self._is_known = False
                return rows
            parts = [] if size else [self._frame.opening]
            size += sum(map(len, parts))
            taken = 0
            while taken < len(rows) and (size < limit or not taken):
                parts.append(rows[taken])
                size += len(rows[taken])
                taken += 1
            _write_all(descriptor, b"".join(parts), before)
            return rows[taken:]
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
        tail = os.pread(descriptor, _TAIL, max(size - _TAIL, 0))
        end = self._frame.end
        if size < len(self._frame.opening):
            size = 0
        elif not tail.endswith(end):
            whole = tail.rfind(end)
            if whole >= 0:
                size -= len(tail) - whole - len(end)
            elif size == len(tail):
                size = 0
        os.ftruncate(descriptor, size)
        self._is_known = True
        return size


def _write_all(descriptor: int, data: bytes, before: int) -> None:
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except BaseException:
        with suppress(OSError):  # then the next use of the file cuts it
            os.ftruncate(descriptor, before)
        raise
