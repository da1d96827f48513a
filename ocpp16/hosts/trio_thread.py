"""A run of trio in a thread of its own, in which one block is open until somebody leaves it.

Rules of this file:
1. Whoever waits here gets an answer: what was called and is not done when trio ends is told ChargePointStopped.
2. The thread of trio waits for no host. Where the host is gone without leaving (its thread has ended, its loop is
   closed) the block is left in its place, in order, and that is said in the log.
3. No lock is held over anything that waits.
4. A process that was forked has none of this: what is asked there is told so, and nothing is waited for.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

import trio

from ocpp16.errors import ChargePointStopped
from ocpp16.faults import obey, sentence, traceback_of
from ocpp16.hosts.crossing import LEFT, Crossing
from ocpp16.log import log

LOOKED_AFTER = 1.0
"""Seconds between two looks whether the host is still there."""
_OVER = "the charge point is closed: its block has ended"
_FORKED = "the charge point lives in the process that opened its block, and this one was forked from it"

Gone = Callable[[], str]
"""Why the host is gone, or ""."""


def ended(owner: threading.Thread) -> str:
    """Has the thread that opened a block ended, or the program, which waits for no daemon? Why, or ""."""
    if not owner.is_alive():
        return f"the thread {owner.name} has ended"
    return "the program has ended" if owner.daemon and _is_program_over() else ""


def _is_program_over() -> bool:
    """Is there nothing that the interpreter waits for but threads of ours?"""
    main = threading.main_thread()
    return not main.is_alive() and all(
        one is main or one.daemon or isinstance(one, _Thread) for one in threading.enumerate()
    )


async def _alone(function: Callable[[], Any]) -> None:
    try:
        await function()
    except BaseException as error:
        obey(error)
        log.error("a task beside charge points failed: %s\n  %s", sentence(error), traceback_of(error))


class _Thread(threading.Thread):
    """One of trio: no daemon, whoever begins it, for what it has open is to be left in order."""


class TrioThread:
    """`enter` opens the block that `make` gives, in the new thread; `leave` leaves it, and ends the thread.

    `gone` is asked each second whether there is still a host that could leave.
    """

    def __init__(self, make: Callable[[], AbstractAsyncContextManager[Any]], gone: Gone) -> None:
        self._make = make
        self._gone = gone
        self._opened: Future[Any] = Future()
        self._ended: Future[None] = Future()
        self._pending: set[Future[Any]] = set()
        self._lock = threading.Lock()
        self._value: Any = None
        self._is_over = False
        self._is_open = False
        self._token: trio.lowlevel.TrioToken
        self._nursery: trio.Nursery
        self._leave: trio.Event
        self._opening = trio.CancelScope()
        self._ready = threading.Event()
        self._thread = _Thread(target=self._run, name="ocpp16", daemon=False)
        self._process = os.getpid()

    # In the host's threads

    def begin(self) -> Future[Any]:
        """Start the thread. Returns what will have the block's value, or what opening it raised."""
        try:
            self._thread.start()
        except RuntimeError as error:  # limit of the machine
            self._end(error)
        return self._opened

    def leave(self) -> Future[None]:
        """Have the block left. Returns what is resolved when that is done, with what it raised."""
        if self._is_forked():
            nothing: Future[None] = Future()
            nothing.set_result(None)
            return nothing
        while not self._ready.wait(LOOKED_AFTER):
            if not self._thread.is_alive():  # Ctrl-C came before it had begun
                self._end(None)
        try:
            if not self._is_over:
                self._token.run_sync_soon(self._leave_now)
        except trio.RunFinishedError:
            pass
        return self._ended

    def join(self) -> None:
        """The thread has done all it has to do: wait until it is gone, which takes no time."""
        if self._thread.ident is not None:
            self._thread.join()

    def is_mine(self) -> bool:
        """Is this the thread of trio?"""
        return threading.current_thread() is self._thread

    def run_sync(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """The outcome of a function of the charge point, called in its thread. Raises as `Crossing.wait`."""
        if self.is_mine():
            return function(*arguments)
        crossing = self._crossing()
        self._hand_over(crossing, crossing.run_sync, function, arguments)
        return crossing.wait()

    def look(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """As `run_sync`, for what may be looked at after the end as well, when nobody changes it any more; what does
        more than look has a guard of its own then."""
        try:
            return self.run_sync(function, *arguments)
        except ChargePointStopped:
            if not self._is_over:
                raise
        return function(*arguments)

    def run(self, function: Callable[..., Any], *arguments: Any) -> Crossing:
        """An async function of the charge point begins in its thread."""
        if self.is_mine():
            raise RuntimeError("this is the thread of trio itself, which cannot wait here")
        crossing = self._crossing()
        self._hand_over(crossing, self._spawn, crossing, function, arguments)
        return crossing

    def spawn(self, function: Callable[[], Any]) -> None:
        """Run a task of ours while the block is open. What it raises ends nothing else."""
        self.run_sync(self._start, _alone, function)

    def spawn_soon(self, function: Callable[[], Any]) -> None:
        """The same, and nobody waits until it has begun, whatever time this thread has left. Not done where the block
        is left."""
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self._start_if_open, function)

    def abandon(self) -> None:
        """Cut short what leaving the block waits for; see `ChargePoint.abandon`."""
        if self._is_over or self._is_forked():
            return
        try:
            self._token.run_sync_soon(self._abandon_now)
        except trio.RunFinishedError:
            return

    def _is_forked(self) -> bool:
        return os.getpid() != self._process

    def _crossing(self) -> Crossing:
        if self._is_forked():
            raise ChargePointStopped(_FORKED)
        with self._lock:
            if self._is_over:
                raise ChargePointStopped(_OVER)
            crossing = Crossing(self._token)
            self._pending.add(crossing.future)
        crossing.future.add_done_callback(self._settled)
        return crossing

    def _hand_over(self, crossing: Crossing, function: Callable[..., Any], *arguments: Any) -> None:
        try:
            self._token.run_sync_soon(function, *arguments)
        except trio.RunFinishedError:
            self._settled(crossing.future)
            self.join()
            raise ChargePointStopped(_OVER) from None

    def _settled(self, future: Future[Any]) -> None:
        with self._lock:
            self._pending.discard(future)

    # In the thread of trio

    def _spawn(self, crossing: Crossing, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        try:
            self._start(crossing.run, function, arguments)
        except ChargePointStopped as error:
            crossing.future.set_exception(error)

    def _start(self, function: Callable[..., Any], *arguments: Any) -> None:
        """A task, while the block is open. Raises ChargePointStopped, also while the block is being left: nobody would
        end the task any more."""
        if not self._is_open:
            raise ChargePointStopped(LEFT)
        self._nursery.start_soon(function, *arguments)

    def _start_if_open(self, function: Callable[[], Any]) -> None:
        with suppress(ChargePointStopped):
            self._start(_alone, function)

    def _abandon_now(self) -> None:
        if self._value is not None:
            for charge_point in (self._value,) if hasattr(self._value, "abandon") else tuple(self._value):
                charge_point.abandon()

    def _leave_now(self) -> None:
        if self._value is None:  # a block that is open is left in order
            self._opening.cancel()
        self._leave.set()

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            trio.run(self._main)
        except BaseException as raised:
            error = raised
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        """Nothing more comes of trio."""
        with self._lock:
            self._is_over = True
            self._ready.set()
            pending = tuple(self._pending)
        for future in pending:
            future.set_exception(ChargePointStopped("the charge point ended meanwhile"))
        stopped = error or ChargePointStopped(_OVER)
        if not self._opened.done():
            self._opened.set_exception(stopped)
        if error is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(error)

    async def _main(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        self._leave = trio.Event()
        self._ready.set()
        error: BaseException | None = None
        async with trio.open_nursery() as looking:
            looking.start_soon(self._look_after_the_host)
            try:
                with self._opening:
                    async with self._make() as value, trio.open_nursery() as self._nursery:
                        self._is_open, self._value = True, value
                        self._opened.set_result(value)
                        try:
                            await self._leave.wait()
                        finally:
                            self._is_open = False
                            self._nursery.cancel_scope.cancel()
            except BaseException as raised:  # as it is, and not in a group
                error = raised
            looking.cancel_scope.cancel()
        if error is not None:
            raise error

    async def _look_after_the_host(self) -> None:
        while not (why := self._gone()):  # noqa: ASYNC110 - a thread that ends tells nobody
            await trio.sleep(LOOKED_AFTER)
        log.error("%s without leaving the block of its charge points: they are stopped", why)
        self._leave_now()
