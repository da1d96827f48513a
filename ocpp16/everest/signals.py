"""SIGTERM and Ctrl-C end the module in order.

Python calls a handler in the main thread, in the middle of anything: also while that holds the very lock which a
handler would need to start a thread, or to notify one. So the handler only writes into a pipe, at whose other end a
thread waits.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["ended_by_signals"]

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def ended_by_signals(end: Callable[[], None]) -> Iterator[None]:
    """In this block each of them has `end` called, in a thread. Nothing in another than the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reading, writing = os.pipe()

    def tell(number: int, frame: Any) -> None:
        os.write(writing, b"!")

    def wait() -> None:
        while os.read(reading, 1) == b"!":
            end()

    thread = threading.Thread(target=wait, name="everest signals", daemon=True)
    thread.start()
    before = {number: signal.signal(number, tell) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.write(writing, b".")
        thread.join()
        os.close(reading)
        os.close(writing)
