"""Files that are whole and durable, or not there: written beside, synced, and only then given their names.

A file is on the disk when it was synced; its name is when the folder was.
"""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

__all__ = ["replaceable_problem", "sync_folder", "write_synced", "write_whole"]

_LONGEST_NAME = 255
"""Bytes."""


def write_synced(path: Path, content: bytes, mode: int, *, like: Path | None = None) -> None:
    """Write a new file, whatever has its name, and bring what is in it to the disk. Blocks. Raises OSError.

    Parameters: `mode` of the new file, which the mask of the process may narrow; `like` is a file whose mode it gets
    instead, where that is there.
    """
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        if like is not None:
            with suppress(FileNotFoundError):
                os.fchmod(descriptor, stat.S_IMODE(like.stat().st_mode))
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Bring what the folder lists to the disk. Blocks. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file that is whole at any moment: the one before, or this one. Blocks.

    A link is followed. Raises OSError, also for what is there and no regular file: a device or a pipe would be gone,
    and a file in its place.
    """
    path = _real(path)
    if problem := replaceable_problem(path):
        raise OSError(errno.EINVAL, problem, str(path))
    beside = _beside(path)
    try:
        write_synced(beside, content, mode, like=path)
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def replaceable_problem(path: Path) -> str:
    """Why `write_whole` could not have this place, as far as can be seen before; "" if it can."""
    if not path.name:
        return "is no name of a file"
    named, path = path, _real(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return "is no regular file"
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        return f"cannot be looked at: {error.strerror if isinstance(error, OSError) else error}"
    if not os.access(path.parent, os.W_OK | os.X_OK):
        folder = path.parent if named.is_symlink() else named.parent
        return f"there is no folder {folder} that can be written"
    if len(os.fsencode(_beside(path).name)) > _LONGEST_NAME:
        return "its name is too long"
    return ""


def _real(path: Path) -> Path:
    """As `Path.resolve`, which of a link to itself raises what no caller expects; here looking at it does."""
    return Path(os.path.realpath(path))


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")
