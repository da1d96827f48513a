"""The task at the store: takes what waits, has it done by one thread at a time, and has it settled.

Rules of this file:
1. Any number of tasks may serve; one of them is the committer, and when it goes another takes over. The last one to go
   has the rest written, within `flush_timeout` or the time it has itself.
2. Who waits for the thread may be cancelled; the thread goes on. What it does is settled before anything else begins.
3. A thread outlives the run of trio it was begun in; who serves in another one waits for it all the same.
4. What takes longer than `hang_timeout` is told as an outage. It is waited for all the same: two threads never meet at
   the store.
"""

import threading
from functools import partial
from typing import Protocol

import trio

from ocpp16.histogram import Histogram
from ocpp16.patience import of_others
from ocpp16.store.base import Store
from ocpp16.store.commit import Commit, Work, in_a_thread
from ocpp16.store.leaving import Leaving


class Board(Protocol):
    """What the committer works for."""

    store: Store

    def has_work(self) -> bool: ...

    def next_attempt_at(self) -> float:
        """trio's time before which nothing is to be begun."""
        ...

    def take_off(self) -> Work:
        """The next work; there is some."""
        ...

    def settle(self, work: Work) -> None:
        """It is over."""
        ...

    def fail(self, reason: str, *, is_slow: bool = False) -> None:
        """Tell an outage. `is_slow`: the thread does not come back."""
        ...

    def flushes(self) -> None:
        """The end has come: attempts are not to be put off."""
        ...


class Committer:
    """Parameters: `inline` works in the trio thread itself; `flush_timeout`, `hang_timeout` in seconds."""

    __slots__ = (
        "_begun_at",
        "_board",
        "_flush_timeout",
        "_hang_timeout",
        "_landed",
        "_over",
        "_run",
        "_turn",
        "_wakeup",
        "in_the_air",
        "is_inline",
        "servers",
        "times",
    )

    def __init__(self, board: Board, *, inline: bool, flush_timeout: float, hang_timeout: float) -> None:
        self.in_the_air: Work | None = None
        self._landed = trio.Event()
        self._over: threading.Event | None = None
        """Set by the thread that is at work when it is over."""
        self._run: trio.lowlevel.TrioToken | None = None
        """The run of trio that is told so."""
        self._begun_at = 0.0
        self.times: Histogram | None = None
        """Seconds that commits took, where somebody wants to know."""
        self.is_inline: bool = inline
        self.servers: int = 0
        self._board = board
        self._flush_timeout = flush_timeout
        self._hang_timeout = hang_timeout
        self._turn = trio.Lock()
        self._wakeup = trio.Event()

    def wake(self) -> None:
        """There is work."""
        self._wakeup.set()

    async def serve(self, task_status: trio.TaskStatus[None], leaving: Leaving | None) -> None:
        """Until cancelled; the last one then has the rest written, in the time that `leaving` allows."""
        self.servers += 1
        self._take_up()
        task_status.started()
        try:
            async with self._turn:
                while True:
                    self._wakeup = trio.Event()
                    if not self._has_work():
                        await self._wakeup.wait()
                    await self._work_off()
        except trio.Cancelled:
            if self.servers == 1:
                seconds = self._flush_timeout if leaving is None else leaving.seconds(self._flush_timeout)
                with trio.CancelScope(shield=True, deadline=trio.current_time() + seconds):
                    async with self._turn:
                        self._board.flushes()
                        await self._work_off()
            raise
        finally:
            self.servers -= 1

    def _take_up(self) -> None:
        """What an earlier run of trio left in the air."""
        run = trio.lowlevel.current_trio_token()
        if self.in_the_air is not None and self._run is not run:
            self._run, self._landed = run, trio.Event()
            self._begun_at = trio.current_time()  # that of another run is of another clock
            assert self._over is not None
            in_a_thread(self._over.wait, self._landed.set)

    def _has_work(self) -> bool:
        return self.in_the_air is not None or self._board.has_work()

    async def _work_off(self) -> None:
        while self._has_work():
            work = self.in_the_air
            if work is None:
                work = await self._begin()
                if work is None:
                    continue
            if not self._landed.is_set():
                await self._wait_for_landing()
            self.in_the_air = None
            if self.times is not None and isinstance(work, Commit) and work.error is None:
                self.times.add(trio.current_time() - self._begun_at)
            self._board.settle(work)

    async def _begin(self) -> Work | None:
        at = self._board.next_attempt_at()
        if at > trio.current_time():
            self._wakeup = trio.Event()  # an errand is not put off
            with trio.CancelScope(deadline=at):
                await self._wakeup.wait()
            return None
        if self.is_inline:
            await trio.lowlevel.checkpoint()
            if not self._board.has_work():
                return None
        work = self.in_the_air = self._board.take_off()
        self._landed, self._begun_at = trio.Event(), trio.current_time()
        if self.is_inline:
            work.make(self._board.store)
            self._landed.set()
        else:
            self._run, self._over = trio.lowlevel.current_trio_token(), threading.Event()
            in_a_thread(partial(_make, work, self._board.store, self._over), self._landed.set)
        return work

    async def _wait_for_landing(self) -> None:
        landed = self._landed
        with trio.move_on_after(of_others(self._hang_timeout)):
            await landed.wait()
        if not landed.is_set():
            self._board.fail(f"the store has not answered for {self._hang_timeout:g} s", is_slow=True)
            await landed.wait()


def _make(work: Work, store: Store, over: threading.Event) -> None:
    work.make(store)
    over.set()
