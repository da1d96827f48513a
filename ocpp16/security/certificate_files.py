"""Files of certificates and keys on a disk: read whatever is there, changed all or nothing while the power holds.

Rules of this file:
1. A change is prepared first, every file of it, durably, and what it takes away keeps a second name; then it is asked
   whether it is still wanted; then the files get their names, one after another. Where one cannot, those before it are
   taken back, the latest first. Wherever the power goes, each file is whole, the old one or the new.
2. Who changes has the lock of all folders he reads for it. It is one of the operating system, on the folder itself:
   other processes wait for it, and it leaves no file behind. Reading takes no lock.
3. Anything may lie in a folder: what is no regular file, cannot be read, or is too large is left out.
"""

import errno
import fcntl
import os
import secrets
import shutil
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
"""How files end that are half made; it stands before what makes their names their own, too."""


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
        """Make the changes, in their order, all or none. Raises Withdrawn, too."""
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
        prepared: list[_Prepared] = []
        begun: list[_Prepared] = []
        try:
            for change in changes:
                prepared.append(_prepared(change))
                _make_beside(prepared[-1], change)
            if not is_wanted():
                raise Withdrawn
            for one in prepared:
                begun.append(one)
                if one.fresh is None:
                    one.path.unlink(missing_ok=True)
                else:
                    os.replace(one.fresh, one.path)
                # Each before the next: what a later step takes for granted must not be lost when the power goes.
                sync_folder(one.path.parent)
        except BaseException:
            for one in reversed(begun):  # what is refused must not come into force by halves
                with suppress(OSError):
                    _take_back(one)
            raise
        finally:
            for one in prepared:
                for beside in (one.fresh, one.kept):
                    if beside is not None:
                        with suppress(OSError):
                            beside.unlink(missing_ok=True)

    def restrict(self, path: Path) -> None:
        path.chmod(KEY_MODE)


class _Prepared(NamedTuple):
    """A change on its way: the new file beside `path` (None: it goes), and a second name for the one that is there
    (None: nothing is)."""

    path: Path
    fresh: Path | None
    kept: Path | None


def _prepared(change: FileChange) -> _Prepared:
    # Of its own for each change: two that write the same without a lock must not take away each other's.
    ending = f"{TEMPORARY}{secrets.token_hex(4)}{TEMPORARY}"
    if change.content is None:
        path, fresh = change.path, None
    else:
        path = Path(os.path.realpath(change.path))  # a link stays one
        fresh = path.with_name(f".{path.name}{ending}")
    is_there = os.path.lexists(path)
    return _Prepared(path, fresh, path.with_name(f"..{path.name}{ending}") if is_there else None)


def _make_beside(one: _Prepared, change: FileChange) -> None:
    if one.kept is not None:
        one.kept.unlink(missing_ok=True)
        try:
            os.link(one.path, one.kept, follow_symlinks=False)
        except OSError:  # a file system without hard links
            shutil.copy2(one.path, one.kept, follow_symlinks=False)
    if one.fresh is not None and change.content is not None:
        _made(one.path.parent)
        if change.is_secret:
            write_synced(one.fresh, change.content, KEY_MODE)
        else:
            write_synced(one.fresh, change.content, CERTIFICATE_MODE, like=one.path)


def _take_back(one: _Prepared) -> None:
    if one.kept is None:
        one.path.unlink(missing_ok=True)
    else:
        os.replace(one.kept, one.path)
    sync_folder(one.path.parent)


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
