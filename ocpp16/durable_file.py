"""Files that are whole and durable, or not there: written beside, synced, and only then given their names.

A file is on the disk when it was synced; its name is when the folder was.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

__all__ = ["sync_folder", "write_synced"]


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
