"""The way of one call into trio's thread and back: what it gives, what it raises, and that nobody wants it any more."""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any

import trio

from ocpp16.errors import ChargePointStopped

LEFT = "the block of the charge point was left meanwhile"


class Crossing:
    """One call. `future` has its outcome; it is always resolved, by the end of trio at the latest.

    `cancel` may be called from any thread, any number of times.
    """

    __slots__ = ("_scope", "_token", "future")

    def __init__(self, token: trio.lowlevel.TrioToken) -> None:
        self._token = token
        self._scope = trio.CancelScope()
        self.future: Future[Any] = Future()

    def cancel(self) -> None:
        """Nobody wants it any more: it ends where it waits, and as it is then."""
        try:
            self._token.run_sync_soon(self._scope.cancel)
        except trio.RunFinishedError:
            return

    def run_sync(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        """In trio's thread, between two steps of it: raises nothing."""
        try:
            self.future.set_result(function(*arguments))
        except BaseException as error:
            self.future.set_exception(error)

    async def run(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        """In a task of trio: raises nothing but the cancellation of all calls."""
        try:
            with self._scope:
                result = await function(*arguments)
                self.future.set_result(result)
            if self._scope.cancelled_caught:
                self.future.set_exception(CancelledError())
        except trio.Cancelled:
            self.future.set_exception(ChargePointStopped(LEFT))
            raise
        except BaseException as error:
            self.future.set_exception(error)
