"""What one transfer has moved, how much and how long it may, and who is told.

Whatever moves is told here: that is what keeps the idle timeout away. It runs in the thread of trio.
"""

import logging
from collections.abc import Callable
from typing import Final

import trio

from ocpp16.faults import obey_exit, sentence
from ocpp16.transfer.failures import TransferError, TransferFailure

__all__ = ["Account", "Progress"]

logger: Final = logging.getLogger(__name__)

Progress = Callable[[int, int | None], object]
"""Told the bytes that are done, those of earlier attempts among them, and all there are; None: not known."""


def _tell_nobody(done: int, total: int | None) -> None:
    pass


class Account:
    """The count of one transfer.

    `idle` is the scope that ends it when nothing moves for `idle_timeout` seconds, `max_bytes` are the most that the
    whole file may have.
    """

    def __init__(
        self, idle: trio.CancelScope, idle_timeout: float, max_bytes: int, progress: Progress | None = None
    ) -> None:
        self._idle: Final = idle
        self._idle_timeout: Final = idle_timeout
        self._max_bytes: Final = max_bytes
        self._progress = progress or _tell_nobody
        self.began_at: int = 0
        self.done: int = 0
        self.total: int | None = None

    def alive(self) -> None:
        """The other side said something."""
        self._idle.deadline = trio.current_time() + self._idle_timeout

    def begin(self, done: int, total: int | None) -> None:
        """From here it goes on. Raises TransferError with TOO_LARGE, and with PROTOCOL if it has less."""
        self.check(done if total is None else total)
        if total is not None and done > total:
            raise TransferError(TransferFailure.PROTOCOL, f"the server has {total:,} bytes, and gave {done:,} before")
        self.began_at, self.done, self.total = done, done, total
        self.alive()
        self._tell()

    def moved(self, count: int) -> None:
        """Raises TransferError with TOO_LARGE, and with PROTOCOL if it is more than there should be."""
        done = self.done + count
        self.check(done)
        if self.total is not None and done > self.total:
            raise TransferError(TransferFailure.PROTOCOL, f"the server announced {self.total:,} bytes and sent more")
        self.done = done
        self.alive()
        self._tell()

    def check(self, size: int) -> None:
        """Raises TransferError with TOO_LARGE."""
        if size > self._max_bytes:
            raise TransferError(
                TransferFailure.TOO_LARGE, f"the file has more than the {self._max_bytes:,} bytes that are allowed"
            )

    def _tell(self) -> None:
        try:
            self._progress(self.done, self.total)
        except BaseException as fault:  # of the host's own function
            obey_exit(fault)
            self._progress = _tell_nobody
            logger.error("a progress function failed, and is not called again in this transfer: %s", sentence(fault))
