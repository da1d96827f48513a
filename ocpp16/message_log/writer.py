"""The thread that writes: of all logs of a block, begun with the first thing that is to be written.

Handing it something never waits. What waits is bounded; beyond that it is dropped, and whoever hands it over is told,
for a disk that hangs must hold up nothing.
"""

import threading
from collections.abc import Callable
from functools import partial
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from ocpp16.faults import sentence
from ocpp16.log import FoldingLog

LIMIT = 10_000
"""Things that may wait, of all logs of a block."""
BYTES_LIMIT = 16 * 1024 * 1024
"""Characters of frames that may wait."""
NEEDED_LIMIT = 12_000
"""The same of what has to be kept in any case, such as the end of a session."""
BATCH = 256
"""Things that are worked off before files are written: as many rows are in memory at most."""


class Log(Protocol):
    """One log, on the side of the writer."""

    @property
    def name(self) -> str: ...
    @property
    def has_ended(self) -> bool: ...
    def flush(self) -> int:
        """Write what has come together; returns how much that was. Blocks. Raises OSError."""
        ...


Work = Callable[..., None]


class Writer:
    """All methods but `join` and `tell` are called by one thread, that of trio.

    Parameters: `monotonic` tells seconds in any thread; `soon`, called in any, has something done by that of trio, once
    if it was told the same before that, and not at all when trio is over; `inline`: there is no thread, all is written
    at once.
    """

    def __init__(
        self, monotonic: Callable[[], float], soon: Callable[[Callable[[], object]], object], *, inline: bool
    ) -> None:
        self._soon = soon
        self._is_inline = inline
        self._queue: SimpleQueue[tuple[Log, Work, tuple[Any, ...], int] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        # Each pair is counted up by one thread only, so their differences need no lock.
        self._put = self._done = 0
        self._put_bytes = self._done_bytes = 0
        self._log = FoldingLog("message log", monotonic)
        self._failing: set[Log] = set()

    def put(self, log: Log, work: Work, *arguments: Any, size: int = 0, is_needed: bool = False) -> bool:
        """Have `work(*arguments)` done for `log`, and then its files written. False if it was dropped: too much waits.

        `size`: characters that it holds.
        """
        if self._is_closed:
            return False
        if self._is_inline:
            self._work_off([(log, work, arguments, size)])
            return True
        waiting = self._put - self._done
        if waiting >= (NEEDED_LIMIT if is_needed else LIMIT):
            return False
        if not is_needed and self._put_bytes - self._done_bytes + size > BYTES_LIMIT:
            return False
        if self._thread is None:
            # A daemon: a disk that hangs must not keep the program from ending.
            thread = threading.Thread(target=self._run, name="ocpp16 message log", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # limit of the machine
                return False
            self._thread = thread
        self._put += 1
        self._put_bytes += size
        self._queue.put((log, work, arguments, size))
        return True

    def close(self) -> bool:
        """Take no more. Returns whether a thread is to be waited for."""
        if not self._is_closed:
            self._is_closed = True
            self._queue.put(None)
        return self._thread is not None

    def join(self, seconds: float) -> bool:
        """Wait so long until all is written; blocks. Returns whether it is."""
        if self._thread is None:
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()

    # In the thread

    def tell(self, news: Callable[[], object]) -> None:
        """Have `news()`, which raises nothing, called by the thread of trio. Never waits."""
        self._soon(news)

    def _run(self) -> None:
        is_open = True
        while is_open:
            first = self._queue.get()
            batch = [] if first is None else [first]
            is_open = first is not None
            if is_open:
                for item in islice(iter(self._next, None), BATCH - 1):
                    if item is _END:
                        is_open = False
                        break
                    batch.append(item)
            self._work_off(batch)
            self._done += len(batch)
            self._done_bytes += sum(size for *_, size in batch)

    def _next(self) -> Any:
        """What waits; None if nothing does."""
        try:
            item = self._queue.get_nowait()
        except Empty:
            return None
        return _END if item is None else item

    def _work_off(self, batch: list[tuple[Log, Work, tuple[Any, ...], int]]) -> None:
        logs: dict[Log, None] = {}
        for log, work, arguments, _ in batch:
            logs[log] = None
            self._guarded(log, partial(work, *arguments))
        for log in logs:
            # A log that had nothing to write says nothing about the disk.
            if self._guarded(log, log.flush) and log in self._failing:
                self._failing.discard(log)
                if not self._failing:
                    self._log.warning("can be written again")
            elif log.has_ended:
                self._failing.discard(log)

    def _guarded(self, log: Log, step: Callable[[], int | None]) -> int | None:
        """Do it, and return what it does. Whatever it raises ends nothing else; 0 then."""
        try:
            return step()
        except OSError as error:
            if not self._failing:  # said once, also of a disk that ten thousand logs lie on
                self._log.warning("cannot be written, and goes on when it can: %s: %s", log.name, sentence(error))
            self._failing.add(log)
        except BaseException as error:  # a fault of ours, or of a handler of the application's log
            self._log.error("failed: %s", sentence(error), error=error)
        return 0


_END: Any = object()
