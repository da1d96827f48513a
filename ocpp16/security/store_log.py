"""The log of a store of certificates: what a Central System can repeat at will is told once, by whichever thread."""

import threading
import time

from ocpp16.log import FoldingLog

__all__ = ["StoreLog"]


class StoreLog:
    """As a `FoldingLog`, for several threads. Arguments are shown harmless."""

    __slots__ = ("_lock", "_log")

    def __init__(self) -> None:
        self._log = FoldingLog("", time.monotonic)
        self._lock = threading.Lock()

    def warning(self, text: str, *arguments: object) -> None:
        with self._lock:
            self._log.warning(text, *arguments)

    def error(self, text: str, *arguments: object) -> None:
        with self._lock:
            self._log.error(text, *arguments)
