"""The part of a file that is here already: beside its target, until it is whole, is on disk and takes its place.

Rules of this file:
1. The target is replaced by a whole file or not at all: the bytes are on disk (fsync) before the name is theirs.
2. `.NAME.part` holds bytes, `.NAME.part.json` which they are: of which location, of which version of it (a *validator*
   that only the carrier understands), and how many of them are on disk. What the record does not vouch for is fetched
   again: after a power cut a file may be longer than its content.
3. Without a validator nothing is kept: who knows what the rest of it would belong to.
4. One transfer at a time: the part is locked.
Nothing here waits for anything but the disk; it is called in a thread.
"""

import errno
import fcntl
import json
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from ocpp16.regular_file import read_regular

__all__ = ["PartFile", "discard_part"]

SYNC_INTERVAL: Final = 4 * 1024 * 1024
"""Bytes after which they are made durable: as many are fetched twice after a power cut."""
_LONGEST_RECORD: Final = 64 * 1024
_LONGEST_VALIDATOR: Final = 4_000
_ATTEMPTS: Final = 8
"""To lock a part that others finish at the same moment."""


class PartFile:
    """A part, open and locked: `held` bytes of it can be built upon, `validator` tells of which version they are."""

    def __init__(self, target: Path, fingerprint: str) -> None:
        """Raises OSError, BlockingIOError if another transfer has it."""
        self._target = target
        self._part, self._record = _beside(target)
        self._fingerprint = fingerprint
        self._descriptor = self._opened()
        self.held: int = 0
        self.validator: str = ""
        self._total: int | None = None
        self._written = 0
        self._unsynced = 0
        self._recall()

    def _opened(self) -> int:
        if self._target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        for _ in range(_ATTEMPTS):
            descriptor = os.open(self._part, flags, 0o600)
            try:
                found = os.fstat(descriptor)
                if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
                    raise OSError(errno.EINVAL, "its part is no regular file of ours")
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise BlockingIOError(errno.EWOULDBLOCK, "another transfer is writing it") from None
                with suppress(FileNotFoundError):
                    if os.stat(self._part).st_ino == found.st_ino:  # who held the lock did not rename it meanwhile
                        return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
        raise BlockingIOError(errno.EWOULDBLOCK, "other transfers are writing it")

    def _recall(self) -> None:
        """What of it can be built upon; a record that cannot be read vouches for nothing."""
        try:
            record: Any = json.loads(read_regular(self._record, _LONGEST_RECORD))
        except (OSError, ValueError, RecursionError):
            return
        match record:
            case {"location": self._fingerprint, "validator": str(validator), "held": int(held)} if validator and (
                0 < held <= os.fstat(self._descriptor).st_size
            ):
                if is_usable(validator):
                    self.held, self.validator = held, validator

    def begin(self, offset: int, total: int | None, validator: str) -> None:
        """What follows goes on at `offset`: at `held`, or at 0, of another version perhaps. Raises OSError."""
        if offset not in (0, self.held):
            raise ValueError(f"a part of {self.held} bytes cannot go on at {offset}")
        if total is not None:
            found = os.fstatvfs(self._descriptor)
            allocated = os.fstat(self._descriptor).st_blocks * 512
            if total - allocated > found.f_bavail * found.f_frsize:
                raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)} for {total:,} bytes")
        if offset == 0:
            self._record.unlink(missing_ok=True)  # first: it must not vouch for what comes now
        os.ftruncate(self._descriptor, offset)
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        self.held = self._written = offset
        self.validator = validator if is_usable(validator) else ""
        self._total = total
        self._unsynced = 0

    def write(self, block: bytes | bytearray | memoryview) -> None:
        """Raises OSError."""
        rest = memoryview(block)
        while rest:
            count = os.write(self._descriptor, rest)
            self._written += count
            self._unsynced += count
            rest = rest[count:]
        if self._unsynced >= SYNC_INTERVAL:
            self._sync()

    def _sync(self) -> None:
        os.fsync(self._descriptor)
        self._unsynced = 0
        if self.validator:
            self._note()
            self.held = self._written

    def _note(self) -> None:
        record = {"location": self._fingerprint, "validator": self.validator, "held": self._written}
        newer = self._record.with_name(self._record.name + ".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(newer, flags, 0o600), "wb") as file:
            file.write(json.dumps(record).encode())
            file.flush()
            os.fsync(file.fileno())
        newer.replace(self._record)

    def finish(self) -> None:
        """It is whole: it becomes the target. Raises OSError."""
        os.fsync(self._descriptor)
        self._part.replace(self._target)
        self._record.unlink(missing_ok=True)
        folder = os.open(self._target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self.close()

    def leave(self, is_kept: bool) -> None:
        """It is not whole. Keep what can be built upon, or nothing; never raises."""
        try:
            if self._descriptor < 0:
                return
            if is_kept and self.validator and (self._written or self.held):
                if self._written > self.held:
                    self._sync()
                return
            _remove(self._part, self._record)
        except OSError:
            _remove(self._part, self._record)
        finally:
            self.close()

    def close(self) -> None:
        """Twice is once."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def discard_part(target: Path) -> None:
    """Remove what an unfinished download to `target` left beside it. Raises OSError, BlockingIOError while one runs."""
    part, record = _beside(target)
    if part.exists():
        PartFile(target, "").leave(is_kept=False)
    record.unlink(missing_ok=True)


def is_usable(validator: str) -> bool:
    """Can it be kept, and go into a header?"""
    return 0 < len(validator) <= _LONGEST_VALIDATOR and validator.isascii() and validator.isprintable()


def _beside(target: Path) -> tuple[Path, Path]:
    return target.with_name(f".{target.name}.part"), target.with_name(f".{target.name}.part.json")


def _remove(*paths: Path) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink()
