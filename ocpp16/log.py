"""The log: one logger, in which repeats of a cause are folded and texts of others are harmless.

What happens once for a start or a stop is written to `log` as it is. What a peer, a station, a host or a disk can
repeat at will goes through a `FoldingLog`.
"""

import logging
import threading
from collections.abc import Callable, Hashable
from typing import Final

from ocpp16.faults import obey_exit, traceback_of
from ocpp16.rpc.folding import Folding
from ocpp16.texts import shown

__all__ = ["FoldingLog", "log"]

log: Final = logging.getLogger("ocpp16")

_CAUSES: Final = 256
_NOTING: Final = threading.Lock()
"""Of all logs, for the moment in which it is found out whether something is told."""


class FoldingLog:
    """What one charge point, or one store, has to say.

    Parameters: `name` begins each line, unless it is empty; `monotonic` tells seconds.

    A cause is a text, and what it is `about`. Told once a minute is each of a few variants of it (its arguments); the
    others are counted. Arguments that are no numbers are shown by `texts.shown`. The traceback of an `error` follows as
    `faults.traceback_of` shows it. Each method returns whether it was told.
    """

    __slots__ = ("_folding", "_monotonic", "_name")

    def __init__(self, name: str, monotonic: Callable[[], float]) -> None:
        self._name = shown(name)
        self._monotonic = monotonic
        self._folding: Folding | None = None

    def info(self, text: str, *arguments: object, about: Hashable = None) -> bool:
        """Say what is normal, and give whether it was told: what repeats itself is folded.

        text, arguments: as of `logging`. about: what it is of; the same text about another thing is another message.
        """
        return log.isEnabledFor(logging.INFO) and self._tell(logging.INFO, text, arguments, about, None)

    def warning(
        self, text: str, *arguments: object, about: Hashable = None, error: BaseException | None = None
    ) -> bool:
        """Say what is not as it should be, and goes on. error: its traceback is told, too. All else as of `info`."""
        return self._tell(logging.WARNING, text, arguments, about, error)

    def error(self, text: str, *arguments: object, about: Hashable = None, error: BaseException | None = None) -> bool:
        """Say what failed. All as of `warning`."""
        return self._tell(logging.ERROR, text, arguments, about, error)

    def _tell(
        self, level: int, text: str, arguments: tuple[object, ...], about: Hashable, error: BaseException | None
    ) -> bool:
        values = tuple(value if isinstance(value, int | float) else shown(value) for value in arguments)
        with _NOTING:  # threads of a host write, too
            if self._folding is None:
                self._folding = Folding(causes=_CAUSES)
            untold = self._folding.note((text, about), self._monotonic(), values)
        if untold is None:
            return False
        if self._name:
            text, values = f"%s: {text}", (self._name, *values)
        more = f" (and {untold:,} times more since it was told)" if untold else ""
        if log.isEnabledFor(level):
            file, line, function, _ = log.findCaller(stacklevel=3)
            record = log.makeRecord(log.name, level, file, line, f"{text}%s", (*values, more), None, function)
            # Where a formatter has what it made of `exc_info` itself.
            record.exc_text = None if error is None else traceback_of(error)
            try:
                log.handle(record)
            except BaseException as fault:  # of a handler of the host's: there is nobody to tell
                obey_exit(fault)
        return True
