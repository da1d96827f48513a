"""One task that waits for many sockets: their readers are called when there is something to read.

A task that waits for its own socket is scheduled for each message, and tells the kernel anew each time what it waits
for. Here the kernel is told once for each connection, and whatever came for all of them costs one wake-up
(`watched_sockets`). Where the kernel does not watch, each socket is waited for by its own task: that is slower, and
ends no connection.
"""

import select
from collections.abc import Callable

import trio

from ocpp16.faults import sentence
from ocpp16.log import log
from ocpp16.transport.watched_sockets import WatchedSockets

IS_POSSIBLE = hasattr(select, "epoll")
"""False where the kernel has no epoll: each connection then has its own task to wait for it."""


class Readiness(WatchedSockets):
    """Of the charge points that were opened in one block; `run` is its task. Raises OSError if the kernel has none."""

    __slots__ = ()

    def __init__(self, now: Callable[[], float] = trio.current_time) -> None:
        """`now`: trio's time, by whatever way is short."""
        super().__init__(now)

    @trio.lowlevel.enable_ki_protection
    async def run(self) -> None:
        """Runs until cancelled, or until the kernel fails."""
        try:
            while True:
                if self.has_turns():
                    await trio.lowlevel.checkpoint()
                else:
                    await trio.lowlevel.wait_readable(self.fileno())
                self.step()
        except OSError as error:
            log.warning("sockets cannot be watched together, so each is by itself: %s", sentence(error))
        finally:
            trio.lowlevel.notify_closing(self.fileno())
            self.close()
