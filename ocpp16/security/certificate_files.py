"""Files of certificates and keys on a disk: read whatever is there, changed all or nothing.

Rules of this file:
1. A change is prepared first, every file of it, durably; then it is asked whether it is still wanted; then the files
   get their names, one after another. Wherever the power goes, each file is whole, the old one or the new.
2. Who changes has the lock of all folders he reads for it. It is one of the operating system, on the folder itself:
   other processes wait for it, and it leaves no file behind. Reading takes no lock.
3. Anything may lie in a folder: what is no regular file, cannot be read, or is too large is left out.
"""

import errno
import fcntl
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from ocpp16.durable_file import sync_folder, write_synced
from ocpp16.regular_file import read_regular

__all__ = ["CertificateFiles", "DiskFiles", "FileChange", "FileState", "Withdrawn"]

FOLDER_MODE: Final = 0o700
KEY_MODE: Final = 0o600
CERTIFICATE_MODE: Final = 0o644
LARGEST: Final = 4 * 1024 * 1024
"""Bytes of a file that is read: a bundle of hundreds of roots."""
LOCK_TIMEOUT: Final = 10.0
"""Seconds that somebody else's change is waited for."""
_LOCK_INTERVAL: Final = 0.05
TEMPORARY: Final = ".tmp"


class Withdrawn(Exception):
    """Nobody wants this change any more; nothing was changed."""


class FileChange(NamedTuple):
    """The new content of a file; None: it is deleted. A key (`is_secret`) is for its owner only."""

    path: Path
    content: bytes | None
    is_secret: bool = False


class FileState(NamedTuple):
    """`modified_at`: seconds since 1970, UTC; `size`: bytes; `is_open`: others may read it."""

    modified_at: float
    size: int
    is_open: bool


class CertificateFiles(Protocol):
    """Where the files are. All methods block, and raise OSError."""

    def is_folder(self, path: Path) -> bool:
        """False, too, where nothing is."""
        ...

    def listed(self, folder: Path) -> list[Path]:
        """The regular files of a folder, by name; none where there is no folder."""
        ...

    def read(self, path: Path) -> bytes | None:
        """None if there is none."""
        ...

    def state(self, path: Path) -> FileState | None:
        """None if there is no such file."""
        ...

    def locked(self, folders: Iterable[Path]) -> AbstractContextManager[None]:
        """Makes the folders, and keeps others from changing what is in them."""
        ...

    def apply(self, changes: Sequence[FileChange], is_wanted: Callable[[], bool]) -> None:
        """Make the changes, in their order. Raises Withdrawn, too."""
        ...

    def restrict(self, path: Path) -> None:
        """Make a file its owner's alone."""
        ...


class DiskFiles:
    """Real files."""

    def is_folder(self, path: Path) -> bool:
        return path.is_dir()

    def listed(self, folder: Path) -> list[Path]:
        try:
            with os.scandir(folder) as entries:
                return sorted(Path(entry.path) for entry in entries if entry.is_file())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def read(self, path: Path) -> bytes | None:
        try:
            return read_regular(path, LARGEST)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def state(self, path: Path) -> FileState | None:
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return FileState(found.st_mtime, found.st_size, bool(found.st_mode & 0o077))

    @contextmanager
    def _holding(self, folders: Iterable[Path]) -> Iterator[None]:
        with ExitStack() as held:
            # In one order for all, so that no two wait for each other; a folder of two names only once.
            for folder in sorted({Path(os.path.realpath(folder)) for folder in folders}):
                try:
                    descriptor = os.open(_made(folder), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                except OSError:
                    continue  # not to be had: nobody changes anything in there, and the others need not suffer for it
                held.callback(os.close, descriptor)
                _lock(descriptor, folder)
            yield

    def locked(self, folders: Iterable[Path]) -> AbstractContextManager[None]:
        return self._holding(folders)

    def apply(self, changes: Sequence[FileChange], is_wanted: Callable[[], bool]) -> None:
        prepared: list[tuple[Path | None, Path]] = []
        new: list[Path] = []
        try:
            for change in changes:
                target = Path(os.path.realpath(change.path))  # a link stays one
                if change.content is None:
                    prepared.append((None, change.path))
                    continue
                temporary = target.with_name(f".{target.name}{TEMPORARY}")
                prepared.append((temporary, target))
                _made(target.parent)
                if change.is_secret:
                    write_synced(temporary, change.content, KEY_MODE)
                else:
                    write_synced(temporary, change.content, CERTIFICATE_MODE, like=target)
            if not is_wanted():
                raise Withdrawn
            for source, path in prepared:
                if source is None:
                    path.unlink(missing_ok=True)
                else:
                    if not path.exists():
                        new.append(path)
                    os.replace(source, path)
                # Each before the next: what a later step takes for granted must not be lost when the power goes.
                sync_folder(path.parent)
        except BaseException:
            for path in new:  # what is refused must not come into force by halves
                with suppress(OSError):
                    path.unlink(missing_ok=True)
            raise
        finally:
            for source, _ in prepared:
                if source is not None:
                    with suppress(OSError):
                        source.unlink(missing_ok=True)

    def restrict(self, path: Path) -> None:
        path.chmod(KEY_MODE)


def _made(folder: Path) -> Path:
    """The folder, made with all above it, each for its owner only."""
    missing = []
    above = folder
    while not above.is_dir():
        missing.append(above)
        above = above.parent
    for one in reversed(missing):
        one.mkdir(mode=FOLDER_MODE, exist_ok=True)
        sync_folder(one.parent)
    return folder


def _lock(descriptor: int, folder: Path) -> None:
    pause = threading.Event()
    for _ in range(int(LOCK_TIMEOUT / _LOCK_INTERVAL)):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pause.wait(_LOCK_INTERVAL)
        else:
            return
    raise OSError(errno.EAGAIN, "somebody else has been changing it all the time", str(folder))
