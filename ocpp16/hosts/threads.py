"""Behind `ocpp16.blocking`: the block, the waiting, and the host's threads as seen from trio's."""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from contextlib import AbstractContextManager
from functools import partial
from types import TracebackType
from typing import Any, NoReturn

import trio

from ocpp16.hosts.block import METER_INTERVAL, Block
from ocpp16.hosts.crossing import Crossing
from ocpp16.hosts.station import Orderly
from ocpp16.hosts.trio_thread import TrioThread, ended
from ocpp16.log import FoldingLog
from ocpp16.values import described

AGAIN = 1.0
"""Seconds after which what could not be told to the host is tried again."""
MOST_THREADS = 40
"""Methods of stations that run at the same time, of one block without an executor of its own; as many readings of
meters, observers, and callbacks beside them."""


def open_charge_point(
    config: Any,
    station: Any,
    *,
    executor: Executor | None = None,
    meter_interval: float = METER_INTERVAL,
    **arguments: Any,
) -> AbstractContextManager[Any]:
    """As `ocpp16.open_charge_point`, for `with`.

    station: as there, of plain functions; `measurement` is called each `meter_interval` seconds while a transaction
    runs, and in the thread that tells of a transaction. observer: `notify` is a plain function. executor: runs the
    station's methods; None: threads that are started for them, 40 at most.
    """
    return _Block.of_one(config, station, _Threads(executor), meter_interval, arguments)


def open_charge_points(
    *, executor: Executor | None = None, meter_interval: float = METER_INTERVAL, **arguments: Any
) -> AbstractContextManager[Any]:
    """As `ocpp16.open_charge_points`, for `with`; `executor` and `meter_interval` as of `open_charge_point`."""
    return _Block.of_many(_Threads(executor), meter_interval, arguments)


def open_fleet(
    csms: str, made_of: Any = None, *, executor: Executor | None = None, **arguments: Any
) -> AbstractContextManager[Any]:
    """As `ocpp16.fleet.open_fleet`, for `with`; `executor` as of `open_charge_point`.

    keys, observer, connector_of: functions of an id are called in the thread that adds it. calls, frames, links,
    violations: plain functions that are told in another thread, in order.
    """
    return _Block.of_fleet(csms, made_of, _Threads(executor), arguments)


class _Wait:
    is_async = False

    def __call__(self, crossing: Crossing) -> Any:
        try:
            return crossing.wait()
        except BaseException:
            if not crossing.future.done():  # Ctrl-C while waiting
                crossing.cancel()
            raise


class _Block(Block):
    _wait = _Wait()
    _word = "with"

    async def __aenter__(self) -> NoReturn:
        raise TypeError(f"{self._must_be_entered()}; for asyncio there is ocpp16.aio")

    async def __aexit__(self, *exc_info: object) -> None: ...

    def __enter__(self) -> Any:
        thread = self._enter(partial(ended, threading.current_thread()))
        try:
            return self._opened(thread, thread.begin().result())
        except BaseException:  # it cannot be opened, or Ctrl-C
            _leave(thread)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._thread is not None:
            _leave(self._thread)


def _leave(thread: TrioThread) -> None:
    try:
        thread.leave().result()
    except KeyboardInterrupt:  # a second Ctrl-C cuts it short
        thread.abandon()
        thread.leave().result()
        raise
    finally:
        thread.join()


class _Threads:
    """The host's threads, seen from trio's."""

    takes_coroutines = False

    def __init__(self, executor: Executor | None) -> None:
        self._executor = executor
        self._limiters: dict[str, trio.CapacityLimiter] = {}
        self.log = FoldingLog("", time.monotonic)
        self._crew = _Crew(MOST_THREADS)
        self._told = Orderly(self._begin, self.log, self._later)

    def problems(self) -> list[str]:
        if self._executor is None or callable(getattr(self._executor, "submit", None)):
            return []
        return [f"executor must be an Executor, not {described(self._executor)}"]

    async def ask(self, function: Callable[..., Any], *arguments: Any, of: str = "station") -> Any:
        if self._executor is not None:
            return await _result(self._executor.submit(function, *arguments))
        limiter = self._limiters.get(of)
        if limiter is None:
            limiter = self._limiters[of] = trio.CapacityLimiter(MOST_THREADS)
        return await trio.to_thread.run_sync(function, *arguments, abandon_on_cancel=True, limiter=limiter)

    def tell(self, about: object, function: Callable[..., Any], *arguments: Any) -> None:
        self._told.tell(about, function, *arguments)

    @property
    def is_telling(self) -> bool:
        return self._told.is_at_work

    def _begin(self, work: Callable[[], None]) -> None:
        if self._executor is None:
            self._crew.begin(work)
        else:
            self._executor.submit(work)

    def _later(self, function: Callable[[], None]) -> None:
        trio.lowlevel.spawn_system_task(_in_a_while, function)


class _Crew:
    """Threads of trio for pieces of work that nobody waits for: at most so many at a time, the others wait."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._waiting: deque[Callable[[], None]] = deque()
        self._lock = threading.Lock()

    def begin(self, work: Callable[[], None]) -> None:
        with self._lock:
            if not self._left:
                self._waiting.append(work)
                return
            self._left -= 1
        try:
            trio.lowlevel.start_thread_soon(partial(self._work, work), lambda _: None)
        except BaseException:
            with self._lock:
                self._left += 1
            raise

    def _work(self, work: Callable[[], None]) -> None:
        while True:
            work()
            with self._lock:
                if not self._waiting:
                    self._left += 1
                    return
                work = self._waiting.popleft()


async def _in_a_while(function: Callable[[], None]) -> None:
    await trio.sleep(AGAIN)
    function()


async def _result(future: "Future[Any]") -> Any:
    done, token = trio.Event(), trio.lowlevel.current_trio_token()

    def wake(_: object) -> None:
        try:
            token.run_sync_soon(done.set)
        except trio.RunFinishedError:
            return

    future.add_done_callback(wake)
    try:
        await done.wait()
    finally:
        future.cancel()
    try:
        return future.result()
    except CancelledError:
        raise RuntimeError("the executor of the host has cancelled the call") from None
