"""The library's log in EVerest's: what `logging` has of ocpp16 goes to the functions of the framework's log."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["forwarded"]


class _Handler(logging.Handler):
    def __init__(self, log: Any) -> None:
        super().__init__()
        self._by_level = (
            (logging.CRITICAL, log.critical),
            (logging.ERROR, log.error),
            (logging.WARNING, log.warning),
            (logging.INFO, log.info),
            (logging.NOTSET, log.debug),
        )

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record)
            next(write for level, write in self._by_level if record.levelno >= level)(text)
        except Exception:
            self.handleError(record)


@contextmanager
def forwarded(log: Any) -> Iterator[None]:
    """While the block lasts. `log` is `everest.framework.log`."""
    logger, handler = logging.getLogger("ocpp16"), _Handler(log)
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
