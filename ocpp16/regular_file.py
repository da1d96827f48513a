"""Reading a file that somebody named: one that is a file, and of a size that a file of its kind has.

A pipe without a writer would hold up everything for ever, and a device has no end.
"""

import errno
import os
import stat
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 64 * 1024 * 1024


def read_regular(path: str | Path, most: int = MOST_BYTES) -> bytes:
    """What is in the file. Raises OSError, also for what is no regular file, and for one of more than `most` bytes."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(path))
        content = file.read(most + 1) if found.st_size <= most else b""
        if found.st_size > most or len(content) > most:
            raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return content
