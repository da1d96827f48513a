"""What the code of a host does wrong where nobody waits for it: told with its cause, by its charge point."""

import time
from collections.abc import Callable
from typing import Any

from ocpp16.errors import ChargePointStopped
from ocpp16.faults import obey_exit, sentence
from ocpp16.log import FoldingLog

__all__ = ["HostLog"]


class HostLog:
    """Of one charge point: without a name until it is attached."""

    def __init__(self) -> None:
        self.log: FoldingLog = FoldingLog("", time.monotonic)

    def attach(self, charge_point: Any) -> None:
        """It is open. In the thread of trio."""
        self.log = FoldingLog(charge_point.configuration.text("ChargePointId"), time.monotonic)

    def failed(self, what: str, error: BaseException) -> None:
        """`what` of the host raised it. Ctrl-C and exit are raised here, and nothing else."""
        obey_exit(error)
        if not isinstance(error, ChargePointStopped):  # what comes while the block is left may meet its end
            self.log.error("%s failed: %s", what, sentence(error), about=what, error=error)

    def call(self, what: str, function: Callable[..., object], *arguments: Any) -> None:
        """In the host's world, where nobody waits for the outcome."""
        try:
            function(*arguments)
        except BaseException as error:
            self.failed(what, error)
