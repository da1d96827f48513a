"""The file of a trace, which is read more than once: its format first, keys of meters then, the rest at last.

What comes through a pipe comes once. It is copied into a temporary file, which is gone with whoever reads.
"""

import os
import shutil
import stat
import tempfile
import weakref
from io import BufferedReader
from pathlib import Path
from typing import Any, Final

__all__ = ["TraceFile", "Unreadable"]


_STANDARD_INPUT: Final = Path("/dev/stdin")


class Unreadable(Exception):
    """It cannot be read, for a reason that is no OSError of its own. Its text says why."""


class TraceFile:
    """A file, a pipe or a terminal; the path "-" is standard input."""

    def __init__(self, path: Path) -> None:
        self._path = _STANDARD_INPUT if path == Path("-") else path
        self._copy: Path | None = None

    def open(self) -> BufferedReader:
        """From the beginning. Blocks until a pipe has ended. Raises OSError and Unreadable."""
        if self._copy is not None:
            return self._copy.open("rb")
        file = self._path.open("rb")
        mode = os.fstat(file.fileno()).st_mode
        if stat.S_ISREG(mode):
            return file
        with file:
            if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or file.isatty()):
                raise Unreadable("it is neither a file nor a pipe")
            self._copy = self._copied(file)
        return self._copy.open("rb")

    def _copied(self, file: BufferedReader) -> Path:
        try:
            copy: Any = tempfile.NamedTemporaryFile(prefix="ocpp16-trace-")  # noqa: SIM115 - it lives as long as we do
            weakref.finalize(self, copy.close)
            shutil.copyfileobj(file, copy)
            copy.flush()
        except OSError as error:
            raise Unreadable(f"what comes through it cannot be kept in {tempfile.gettempdir()}: {error}") from None
        return Path(copy.name)
