"""One start of a charge point: its features, its tasks, its connection. Nothing of it acts on the next.

Rules of this file:
1. Every task of a start ends with it, at the latest. What an exception of one task ends is that task.
2. Tasks are shielded from whatever cancels the block the charge point is used in: such a block is left in order, with
   all it takes to tell the Central System. Only `end` and `abandon` end them.
3. Ctrl-C goes to the program, never into one of these tasks.
4. A task is known to its start from its own first step on: who is interrupted while making one leaves nothing behind.

The tasks of all starts live in the nursery of the block, each in a scope that its start knows: a nursery for each start
would cost an idle charge point a fifteenth of its memory.
"""

from collections.abc import Awaitable, Callable
from math import inf
from pathlib import Path
from typing import Any

import trio

from ocpp16.charge_point.assembly import Features
from ocpp16.charge_point.connectivity import Connectivity
from ocpp16.charge_point.second_line import SecondLine
from ocpp16.errors import ChargePointStopped
from ocpp16.faults import name_of, obey

NOT_RUNNING = "the charge point is not running"
AFTER_FAILURE = 1.0
"""Seconds until the connection is looked after again after a fault of ours ended that."""


class Life:
    """Made with each `prepare`. `nursery` is that of the block."""

    __slots__ = (
        "_changed",
        "_has_ended",
        "_nursery",
        "_scopes",
        "_second_line",
        "connectivity",
        "features",
        "flush_by",
        "is_running",
        "last_told",
        "was_started",
    )

    def __init__(self, nursery: trio.Nursery, second_line: SecondLine) -> None:
        self._nursery = nursery
        self._second_line = second_line
        self._scopes: list[trio.CancelScope] = []
        # Made by whoever waits: an event costs as much as a connector, and a fleet has thousands.
        self._changed: trio.Event | None = None
        self._has_ended = False
        self.features: Features
        self.connectivity: Connectivity | None = None
        self.flush_by: float | None = None
        """trio's time until which its stop gave socket and disk; None: not stopped, -inf: abandoned."""
        self.last_told: int = 0
        """Number of the last change that its stop waited for."""
        self.was_started: bool = False
        self.is_running: bool = False

    @property
    def has_features(self) -> bool:
        """False of what stands in for a start before the first `prepare`."""
        return hasattr(self, "features")

    def spawn(self, async_fn: Callable[..., Awaitable[Any]], *arguments: Any) -> None:
        """Run a task of this start; nothing, if it is over."""
        self.spawn_within(inf, None, async_fn, *arguments)

    def spawn_within(
        self, seconds: float, late: Callable[[], None] | None, async_fn: Callable[..., Awaitable[Any]], *arguments: Any
    ) -> None:
        """As `spawn`, of a task that may take so long; `late` is called when it took longer, and was cancelled."""
        if not self._has_ended:
            self._nursery.start_soon(self._run, seconds, late, async_fn, *arguments)

    @trio.lowlevel.enable_ki_protection
    async def _run(
        self, seconds: float, late: Callable[[], None] | None, async_fn: Callable[..., Awaitable[Any]], *arguments: Any
    ) -> None:
        if self._has_ended:
            return
        deadline = inf if late is None else trio.current_time() + seconds
        scope = trio.CancelScope(shield=True, deadline=deadline)
        self._scopes.append(scope)
        try:
            with scope:
                await async_fn(*arguments)
            if late is not None and scope.cancelled_caught and not self._has_ended:
                late()
        except BaseException as error:
            obey(error)
            self._second_line.failed(f"task {name_of(async_fn)}", error)
        finally:
            self._scopes.remove(scope)
            self._tell()

    def _tell(self) -> None:
        if self._changed is not None:
            self._changed.set()
            self._changed = None

    async def _wait(self) -> None:
        if self._changed is None:
            self._changed = trio.Event()
        await self._changed.wait()

    def begin(self) -> None:
        """`connectivity` is there: connect, and stay connected."""
        self._nursery.start_soon(self._stay_connected)

    @trio.lowlevel.enable_ki_protection
    async def _stay_connected(self) -> None:  # without `_run`: idle charge points are in it, by the thousand
        scope = trio.CancelScope(shield=True)
        self._scopes.append(scope)
        try:
            with scope:
                while self.connectivity is not None and not (self._has_ended or self.connectivity.has_ended):
                    try:
                        await self.connectivity.run()
                    except BaseException as error:  # a fault of ours; connections go on
                        obey(error)
                        self._second_line.failed("connectivity", error)
                        with trio.move_on_after(AFTER_FAILURE):
                            await trio.sleep_forever()
        finally:
            self.connectivity = None
            self._scopes.remove(scope)
            self._tell()

    async def close_connection(self) -> None:
        """Close the connection properly, and open none any more."""
        if self.connectivity is not None:
            self.connectivity.end()
            while self.connectivity is not None:
                await self._wait()

    async def end(self) -> None:
        """Cancel every task and wait until they are gone; cancelled, it waits no longer (see `left`)."""
        self.abandon()
        while self._scopes:
            await self._wait()

    def abandon(self) -> None:
        """Cancel every task, and wait for none."""
        self._has_ended = True
        if self.connectivity is not None:
            self.connectivity.abandon()
        for scope in self._scopes:
            scope.cancel()

    def left(self) -> list[str]:
        """Where each task is that goes on, though it was cancelled: in code that shields itself from that."""
        if not self._scopes:  # usually: else each of thousands that are closed would look at all tasks of the block
            return []
        return sorted(_place(task) for task in self._nursery.child_tasks if _scope(task) in self._scopes)


def _scope(task: trio.lowlevel.Task) -> Any:
    """That in which a task of a start runs, by its frame: to remember tasks as well would cost memory."""
    frame = task.coro.cr_frame
    return None if frame is None else frame.f_locals.get("scope")


def _place(task: trio.lowlevel.Task) -> str:
    """The innermost place of a task that is none of trio's."""
    frames = [(frame.f_code, line) for frame, line in task.iter_await_frames() if not _is_of_trio(frame.f_globals)]
    if not frames:
        return task.name
    code, line = frames[-1]
    return f"{code.co_qualname} ({Path(code.co_filename).name}:{line})"


def _is_of_trio(module: dict[str, Any]) -> bool:
    return str(module.get("__name__", "")).partition(".")[0] == "trio"


async def missed() -> None:
    """Raises ChargePointStopped, after a checkpoint, for who waits for a life that does not run: it may start
    meanwhile, which was not waited for."""
    await trio.lowlevel.checkpoint()
    raise ChargePointStopped(NOT_RUNNING)
