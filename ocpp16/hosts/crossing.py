"""The way of one call into trio's thread and back: what it gives, what it raises, and that nobody wants it any more."""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any

import trio

from ocpp16.errors import ChargePointStopped
from ocpp16.hosts.time_limit import time_left

LEFT = "the block of the charge point was left meanwhile"


class Crossing:
    """One call. `future` has its outcome; it is always resolved, by the end of trio at the latest.

    `cancel` may be called from any thread, any number of times.
    """

    __slots__ = ("_is_unwanted", "_scope", "_token", "future")

    def __init__(self, token: trio.lowlevel.TrioToken) -> None:
        self._token = token
        self._scope = trio.CancelScope()
        self._is_unwanted = False
        self.future: Future[Any] = Future()

    def wait(self) -> Any:
        """In the host's world: the outcome. Raises TimeoutError where the `time_limit` of this thread has come."""
        try:
            return self.future.result(time_left())
        except TimeoutError:
            if self.future.done():  # the call's own, or it was done in this very moment
                return self.future.result()
            self.cancel()
            raise TimeoutError("the charge point did not answer within the time limit of the caller") from None

    def cancel(self) -> None:
        """Nobody wants it any more: it does not begin, or ends where it waits, and as it is then."""
        self._is_unwanted = True
        try:
            self._token.run_sync_soon(self._scope.cancel)
        except trio.RunFinishedError:
            return

    def run_sync(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        """In trio's thread, between two steps of it: raises nothing."""
        if self._is_unwanted:
            self.future.set_exception(CancelledError())
            return
        try:
            self.future.set_result(function(*arguments))
        except BaseException as error:
            self.future.set_exception(error)

    async def run(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        """In a task of trio: raises nothing but the cancellation of all calls."""
        if self._is_unwanted:  # begun, it would go on to its first wait, or to its end
            self.future.set_exception(CancelledError())
            return
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
