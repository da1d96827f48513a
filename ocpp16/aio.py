"""A charge point for hosts with asyncio: the same names as in trio, awaited in the host's loop.

    async with open_charge_point(config, station) as charge_point:
        await charge_point.start()
        await charge_point.wait_registered()

trio runs in a thread of its own while the block is open. Methods of the station are coroutine functions or plain ones;
they run in the host's loop, as do handlers, callbacks and the observer. What is async in ChargePoint is awaited, and
may be cancelled; what is not returns at once, and may be called from any thread. All else is as
`ocpp16.open_charge_point` says.
"""

import asyncio
import inspect
import threading
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from contextvars import Context, copy_context
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

import trio

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.charge_point.charge_points import ChargePoints
from ocpp16.faults import obey_exit, sentence
from ocpp16.hosts.block import METER_INTERVAL, Block
from ocpp16.hosts.crossing import Crossing
from ocpp16.hosts.station import called
from ocpp16.hosts.trio_thread import TrioThread, ended
from ocpp16.log import FoldingLog

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Unpack

    from ocpp16.configuration.configuration import Configuration
    from ocpp16.fleet import Blueprint, Fleet
    from ocpp16.hosts.arguments import Arguments, AsyncioStation, FleetArguments, ManyArguments

__all__ = ["METER_INTERVAL", "open_charge_point", "open_charge_points", "open_fleet"]


def open_charge_point(
    config: "str | Path | Mapping[str, Any] | Configuration",
    station: "AsyncioStation",
    *,
    meter_interval: float = METER_INTERVAL,
    **arguments: "Unpack[Arguments]",
) -> AbstractAsyncContextManager[ChargePoint]:
    """As `ocpp16.open_charge_point`, for `async with` in asyncio.

    station: as there; its async methods, and the others, run in the loop that enters the block. `measurement`, which is
    not async, is called each `meter_interval` seconds while a transaction runs, and where a transaction is told of.
    """
    return _Block.of_one(config, station, _Loop(), meter_interval, arguments)


def open_charge_points(
    *, meter_interval: float = METER_INTERVAL, **arguments: "Unpack[ManyArguments]"
) -> AbstractAsyncContextManager[ChargePoints]:
    """As `ocpp16.open_charge_points`, for `async with` in asyncio; `meter_interval` as of `open_charge_point`."""
    return _Block.of_many(_Loop(), meter_interval, arguments)


def open_fleet(
    csms: str, made_of: "str | Blueprint | None" = None, **arguments: "Unpack[FleetArguments]"
) -> AbstractAsyncContextManager["Fleet"]:
    """As `ocpp16.fleet.open_fleet`, for `async with` in asyncio.

    keys, observer, connector_of: functions of an id are called in the loop, where it is added. calls, frames, links,
    violations: plain functions that are told in the loop, in order.
    """
    return _Block.of_fleet(csms, made_of, _Loop(), arguments)


def _seen(future: "asyncio.Future[Any]") -> None:
    """What it raises is raised where it was waited for, if somebody still does."""
    if not future.cancelled():
        future.exception()


class _Wait:
    is_async = True

    async def __call__(self, crossing: Crossing) -> Any:
        done = asyncio.wrap_future(crossing.future)
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            if done.cancelled():
                raise
            crossing.cancel()
            done.add_done_callback(_seen)
            with suppress(Exception, asyncio.CancelledError):  # what it became is not wanted; that it is over is
                await asyncio.shield(done)
            raise


class _Block(Block, AbstractAsyncContextManager[Any]):
    _world: "_Loop"
    _wait = _Wait()
    _word = "async with"

    def __enter__(self) -> NoReturn:
        raise TypeError(f"{self._must_be_entered()}; for threads there is ocpp16.blocking")

    def __exit__(self, *exc_info: object) -> None: ...

    def __await__(self) -> NoReturn:
        raise TypeError(self._must_be_entered())

    async def __aenter__(self) -> Any:
        owner, loop = threading.current_thread(), asyncio.get_running_loop()

        def gone() -> str:
            return "the event loop of the host was closed" if loop.is_closed() else ended(owner)

        thread = self._enter(gone)
        self._world.enter(loop)
        try:
            opened = asyncio.wrap_future(thread.begin())
            opened.add_done_callback(_seen)
            return self._opened(thread, await asyncio.shield(opened))
        except BaseException:  # it cannot be opened, or nobody wants it any more
            await _leave(thread)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._thread is not None:
            await _leave(self._thread)


async def _leave(thread: TrioThread) -> None:
    """Goes on to its end when it is cancelled; cancelled again, it is cut short."""
    left = asyncio.wrap_future(thread.leave())
    is_cancelled = False
    while not left.done():
        try:
            await asyncio.shield(left)
        except asyncio.CancelledError:
            if is_cancelled:
                thread.abandon()
            is_cancelled = True
        except Exception:  # what the block ended with; raised below
            break
        except BaseException:  # Ctrl-C, which the host's loop has raised here; nobody may wait for a thread now
            thread.abandon()
            raise
    thread.join()
    if is_cancelled:
        left.exception()  # it was seen
        raise asyncio.CancelledError
    left.result()


class _Loop:
    """The host's loop, seen from trio's thread."""

    takes_coroutines = True
    _loop: asyncio.AbstractEventLoop
    _context: Context

    def __init__(self) -> None:
        self.log = FoldingLog("", time.monotonic)
        self._untold = 0
        self._lock = threading.Lock()

    def problems(self) -> list[str]:
        return []

    def enter(self, loop: asyncio.AbstractEventLoop) -> None:
        """The present task opens the block: what is called later sees its context variables."""
        self._loop, self._context = loop, copy_context()

    async def ask(self, function: Callable[..., Any], *arguments: Any, of: str = "") -> Any:
        answer = _Answer(trio.lowlevel.current_trio_token())
        self._soon(answer.begin, function, arguments)  # RuntimeError if it is closed
        try:
            await answer.done.wait()
        except trio.Cancelled:
            answer.is_wanted = False
            with suppress(RuntimeError):
                self._soon(answer.cancel)
            raise
        if answer.error is not None:
            raise answer.error
        return answer.value

    def tell(self, about: object, function: Callable[..., Any], *arguments: Any) -> None:
        self._count(1)
        try:
            self._soon(self._told, function, arguments)
        except BaseException as error:  # it is closed
            self._count(-1)
            obey_exit(error)
            self.log.error("the event loop of the host cannot be told: %s", sentence(error))

    @property
    def is_telling(self) -> bool:
        return self._untold > 0

    def _told(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        """In the host's loop."""
        try:
            called(self.log, function, *arguments)
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        with self._lock:
            self._untold += change

    def _soon(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._loop.call_soon_threadsafe(function, *arguments, context=self._context.copy())


class _Answer:
    """Of one question, from the host's loop to a task of trio."""

    def __init__(self, token: trio.lowlevel.TrioToken) -> None:
        self._token = token
        self._task: asyncio.Future[Any] | None = None
        self.is_wanted = True
        """Still; what a loop comes to too late is not begun."""
        self.done = trio.Event()
        self.value: Any = None
        self.error: BaseException | None = None

    def begin(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        if not self.is_wanted:
            return
        try:
            value = function(*arguments)
            if not inspect.isawaitable(value):
                self._is(value, None)
                return
            self._task = asyncio.ensure_future(value)
            self._task.add_done_callback(self._ended)
        except BaseException as error:
            self._is(None, error)
            obey_exit(error)

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _ended(self, task: "asyncio.Future[Any]") -> None:
        if task.cancelled():
            self._is(None, RuntimeError("the host has cancelled the call"))
        elif (error := task.exception()) is not None:
            self._is(None, error)
        else:
            self._is(task.result(), None)

    def _is(self, value: Any, error: BaseException | None) -> None:
        self.value, self.error = value, error
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self.done.set)
