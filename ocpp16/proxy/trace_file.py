"""What passes, into one file of JSON lines (OCPP trace format 1.1), written by one thread at a time.

What waits to be written is bounded: whoever relays waits until there is room again. A disk that takes nothing is told
once, the rows are counted, and the relaying goes on. The thread that waits for such a disk is left alone, and is still
the only one: what comes later is written when it is through, as far as there is room for it.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

import trio

from ocpp16.errors import ConfigurationError
from ocpp16.message_log.json_lines import JsonLines
from ocpp16.message_log.log_file import LogFile
from ocpp16.store.open import is_virtual_clock

MOST_BYTES: Final = 4 << 20
"""That wait to be written."""
GATHERED: Final = 0.05
"""Seconds in which rows come together that are written at once."""
WRITE_TIMEOUT: Final = 10.0
"""Seconds that a disk may take for what came together."""
_BEGINNING: Final = 1 << 16
"""Bytes of a file by which a trace is known."""
_MARK: Final = b'"schemaVersion"'
"""Is in the first row of every one."""


def refuse_foreign(path: Path) -> None:
    """Raises ConfigurationError for a file that is there and is no trace: at its end it would be cut to whole rows.

    Whatever else is wrong with the path is told when it is written to.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    try:
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        beginning = os.read(descriptor, _BEGINNING) if is_file else b""
    finally:
        os.close(descriptor)
    if beginning and _MARK not in beginning:
        raise ConfigurationError([f"{path}: it is there already, and is no trace that could be continued"])


class TraceFile:
    """Rows are put at the end of the file, which is made if it is not there. `troubled` is told the first failure."""

    def __init__(self, path: Path, now: Callable[[], int], troubled: Callable[[str], None]) -> None:
        self._file = LogFile(path, JsonLines(""), None)
        self._now = now
        self._troubled = troubled
        self._rows: list[bytes] = []
        self._size = 0
        self._come = trio.Event()
        self._gone = trio.Event()
        self._one_at_a_time = trio.CapacityLimiter(1)
        self._left: _Batch | None = None
        """What the thread was about to write that was waited for in vain: it may do so yet."""
        self._lost = 0
        self._is_told = False

    @property
    def lost(self) -> int:
        """Rows that could not be written, as far as is known by now."""
        return self._lost + (0 if self._left is None or self._left.is_written else len(self._left.rows))

    async def put(self, row: bytes) -> None:
        """Returns when there is room; cancelled meanwhile, the row is in."""
        self._rows.append(row)
        self._size += len(row)
        self._come.set()
        while self._size > MOST_BYTES:
            await self._gone.wait()

    async def run(self) -> None:
        """Writes until it is cancelled, and then all that is left."""
        try:
            while True:
                await self._come.wait()
                await trio.sleep_until(trio.current_time() + GATHERED)
                await self._write()
        finally:
            if self._rows:
                await self._write()
            self._lost += len(self._rows)

    async def _write(self) -> None:
        self._come = trio.Event()
        rows, self._rows = self._rows, []
        size = sum(map(len, rows))  # they count until they are written
        try:
            if is_virtual_clock():  # time would pass while a thread writes
                self._file.write(rows, self._now())
                await trio.lowlevel.cancel_shielded_checkpoint()
                return
            batch = _Batch(self._file, rows, self._now())
            with trio.CancelScope(shield=True, deadline=trio.current_time() + WRITE_TIMEOUT) as scope:
                await trio.to_thread.run_sync(batch.write, abandon_on_cancel=True, limiter=self._one_at_a_time)
            if scope.cancelled_caught:
                self._leave(batch)
        except OSError as error:
            self._lost += len(rows)
            self._tell(error.strerror or str(error))
        finally:
            self._size -= size
            gone, self._gone = self._gone, trio.Event()
            gone.set()

    def _leave(self, batch: "_Batch") -> None:
        if batch.has_begun:
            self._lost = self.lost  # what was left before has come to its end
            self._left = batch
        elif self._size <= MOST_BYTES:
            self._keep(batch.rows)
        else:
            self._lost += len(batch.rows)
        self._tell(f"the disk took nothing for {WRITE_TIMEOUT:g} s")

    def _keep(self, rows: list[bytes]) -> None:
        """For the next time: there is room for them, and nobody waits for it."""
        self._rows[:0] = rows
        self._size += sum(map(len, rows))
        self._come.set()

    def _tell(self, why: str) -> None:
        if not self._is_told:
            self._is_told = True
            self._troubled(f"the trace cannot be written, and what passes is lost for it: {why}")


class _Batch:
    """Rows on their way to the disk."""

    def __init__(self, file: LogFile, rows: list[bytes], at: int) -> None:
        self.rows: Final = rows
        self.has_begun: bool = False
        self.is_written: bool = False
        self._file = file
        self._at = at

    def write(self) -> None:
        self.has_begun = True
        self._file.write(self.rows, self._at)
        self.is_written = True
