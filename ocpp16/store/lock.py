"""One process per database, held from before the first look at the file until it is closed.

SQLite's own exclusive mode would not do: it cannot be had on a damaged file, and it keeps out those who only look. A
lock of the operating system on a file beside the database covers checking, setting aside and migrating as well. It is
bound to the open file, so a second opening in the same process is noticed too, and the kernel frees it however the
process ends. A process that was forked meanwhile has the same open file: it does not keep the lock when its owner gives
it back, and cannot give it back itself. The file itself stays; it means nothing.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from ocpp16.errors import StoreError


class FileLock:
    """Taken when made. Raises StoreError if another has it, OSError if the file cannot be made."""

    __slots__ = ("_descriptor", "_path", "_process")

    def __init__(self, path: Path, subject: Path) -> None:
        self._path = path
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            # Where nothing can be written, one that is there can be locked all the same.
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                descriptor = -1
            if descriptor == -1:
                raise
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 32).decode("ascii", "replace").strip()
            os.close(descriptor)
            if owner == str(os.getpid()):
                raise StoreError(f"{subject}: this process has it open already") from None
            known = f" (process {owner})" if owner.isdigit() else ""
            raise StoreError(f"{subject}: another process has it open{known}") from None
        except OSError:
            os.close(descriptor)
            raise
        # Who has it is told for the sake of people only.
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
        self._descriptor: int | None = descriptor
        self._process = os.getpid()

    def release(self) -> None:
        if self._descriptor is not None:
            if self._process == os.getpid():
                with suppress(OSError):
                    fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._descriptor = None

    def is_in_place(self) -> bool:
        """Whether another process would meet this lock: the file has its name still."""
        if self._descriptor is None:
            return False
        try:
            there, ours = os.stat(self._path), os.fstat(self._descriptor)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)
