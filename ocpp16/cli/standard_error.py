"""Standard error that nobody has to read: what is written never waits for a reader.

A pipe that nobody empties takes 64 KiB and then holds whoever writes: the one thread in which a charge point lives.
Rules of this file:
1. What goes to the process's own standard error waits in a queue of bounded length for a thread that writes it. What
   finds it full is left out, and how much is said as soon as somebody reads again.
2. What something else stands in for (a live display, an input line, a test) goes there at once.
3. The end waits for the queue `LAST_LINES` seconds at most; the thread ends with the process, wherever it is then.
"""

import os
import select
import sys
import threading
from collections import deque
from io import TextIOBase

MOST_WAITING = 1_000_000
"""Characters."""
LAST_LINES = 1.0
"""Seconds."""
STDERR = 2


class StandardError(TextIOBase):
    """A stream for handlers of `logging`."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()
        self._length = 0
        self._left_out = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def write(self, text: str) -> int:
        """Take a whole line. Never waits for standard error, and raises nothing for what is wrong with it."""
        stream = sys.stderr
        if stream is None:  # closed before we began
            return 0
        if stream is not sys.__stderr__:
            return stream.write(text)
        with self._changed:
            if self._length + len(text) > MOST_WAITING:
                self._left_out += 1
            else:
                self._put(self._missed() + text)
        return len(text)

    def flush(self) -> None:
        """`logging` asks for it after each line; what waits is written anyway."""
        if sys.stderr is not None and sys.stderr is not sys.__stderr__:
            sys.stderr.flush()

    def finish(self) -> None:
        """Wait until all is written; `LAST_LINES` seconds at most."""
        with self._changed:
            if self._left_out:
                self._put(self._missed())
            self._changed.wait_for(lambda: not self._length, LAST_LINES)

    def _missed(self) -> str:
        left_out, self._left_out = self._left_out, 0
        return f"… {left_out:,} more lines, which nobody read in time\n" if left_out else ""

    def _put(self, text: str) -> None:
        self._waiting.append(text)
        self._length += len(text)
        self._changed.notify_all()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def _run(self) -> None:
        stream = sys.__stderr__
        assert stream is not None
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                text = self._waiting.popleft()
            _write(STDERR, text.encode(stream.encoding, "replace"))
            with self._changed:
                self._length -= len(text)
                self._changed.notify_all()


def _write(fileno: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(fileno, rest) :]
        except BlockingIOError:  # somebody else made it non-blocking
            select.select([], [fileno], [])
        except OSError:  # closed, or a full disk: there is nobody left to tell
            return
