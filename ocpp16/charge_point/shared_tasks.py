"""The tasks that all charge points of a block have in common: in one time passes, in the other sockets are waited for.

No cancellation of the block ends them, since leaving it in order needs them; `end` does. Nor does Ctrl-C: that is the
program's, which then leaves the block.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import trio

from ocpp16.charge_point.pumps import Pumps
from ocpp16.message_log.writer import Writer
from ocpp16.transport import readiness
from ocpp16.transport.readiness import Readiness


class KeptTasks:
    """Tasks in `nursery` that go on until `end`."""

    __slots__ = ("_nursery", "_scopes")

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._scopes: list[trio.CancelScope] = []

    def start(self, async_fn: Callable[[], Awaitable[None]]) -> None:
        scope = trio.CancelScope(shield=True)
        self._scopes.append(scope)
        self._nursery.start_soon(self._run, scope, async_fn)

    @staticmethod
    @trio.lowlevel.enable_ki_protection
    async def _run(scope: trio.CancelScope, async_fn: Callable[[], Awaitable[None]]) -> None:
        with scope:
            await async_fn()

    def end(self) -> None:
        for scope in self._scopes:
            scope.cancel()


class SharedTasks(KeptTasks):
    """`pumps`, and `readiness` where there are many charge points: one alone waits for its socket itself.

    `now`: trio's time, which is asked for at every turn. `log_writer`: that of the block's message logs. `attempts`:
    how many may connect at a time; None: all.
    """

    __slots__ = ("attempts", "log_writer", "pumps", "readiness")

    def __init__(
        self,
        nursery: trio.Nursery,
        now: Callable[[], float],
        log_writer: Writer,
        *,
        are_many: bool,
        attempts: int | None = None,
    ) -> None:
        super().__init__(nursery)
        self.attempts: trio.CapacityLimiter | None = None if attempts is None else trio.CapacityLimiter(attempts)
        self.log_writer: Writer = log_writer
        self.pumps: Pumps = Pumps(now)
        self.start(self.pumps.run)
        self.readiness: Readiness | None = None
        if are_many and readiness.IS_POSSIBLE:
            with suppress(OSError):  # no more files: then each waits for its own socket
                self.readiness = Readiness(now)
        if self.readiness is not None:
            self.start(self.readiness.run)
