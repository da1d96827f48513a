"""Sockets that are watched together, and who reads them: what `readiness` does when the kernel tells of some.

Here each message passes that comes for one of many charge points. It must not know who waits for the kernel.

Rules of this file:
1. A reader is synchronous, takes what one read brings, raises nothing, and says whether it has more that the kernel
   does not know of.
2. What one step takes is bounded. Whoever the kernel told of has a turn before those that had one and have more, and
   these one in each step at least: who sends little does not wait for those who send much. The kernel is asked again
   when all that it told of had their turns: it tells of all that can be read each time, and those that it told of
   last come last.
3. A number is forgotten before its socket is closed, or it may be another's. Whoever comes with a number that is known
   already takes it over, since a socket that others closed tells nobody; and only who has it can have it forgotten.
"""

import select
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

LONGEST_STEP = 0.002
"""Seconds of one step; what a single reader takes comes on top."""
_AT_ONCE = 64
"""Sockets that the kernel is asked for at a time: what came for them, what hosts make of it and what is written then
meet the same charge points in the processor's cache."""


class Watched(Protocol):
    """Whoever reads a socket."""

    def readable(self) -> bool:
        """Take what one read brings; True if there is more. Raises nothing but exits."""

    def unwatched(self) -> None:
        """It is not called any more: whoever waits for the socket does so himself. Raises nothing."""


class WatchedSockets:
    """`now`: the time in seconds, by whatever way is short. Raises OSError if the kernel watches none."""

    __slots__ = ("_epoll", "_now", "_ready", "_rest", "_watched", "is_over")

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._epoll = select.epoll()
        self._watched: dict[int, Watched] = {}
        self._ready: OrderedDict[int, None] = OrderedDict()
        """Numbers of those of which the kernel told, and which had no turn yet."""
        self._rest: OrderedDict[int, None] = OrderedDict()
        """Numbers of those that have more than their last turn took."""
        self.is_over: bool = False

    def watch(self, number: int, watched: Watched, *, is_ready: bool) -> None:
        """Call `watched` whenever the socket of this number can be read; also once now, if `is_ready`.

        Raises OSError or ValueError if the kernel cannot watch it.
        """
        if self.is_over:
            raise OSError("sockets are not watched any more")
        # The task waits for the kernel: something that can be read at once wakes it by being writable.
        self._epoll.register(number, select.EPOLLIN | select.EPOLLOUT if is_ready else select.EPOLLIN)
        before = self._watched.pop(number, None)
        self._ready.pop(number, None)
        self._rest.pop(number, None)
        self._watched[number] = watched
        if is_ready:
            self._rest[number] = None
        if before is not None:
            before.unwatched()

    def forget(self, number: int, watched: Watched) -> None:
        """Call it no more; nothing if it is forgotten already, or the number is another's."""
        if self._watched.get(number) is watched:
            del self._watched[number]
            self._ready.pop(number, None)
            self._rest.pop(number, None)
            if not self.is_over:
                with suppress(OSError):  # others closed the socket, and the kernel has forgotten it
                    self._epoll.unregister(number)

    def fileno(self) -> int:
        """Of what can be read when the kernel has something to tell."""
        return self._epoll.fileno()

    def has_turns(self) -> bool:
        """Is there somebody to read of whom the kernel told before?"""
        return bool(self._ready or self._rest)

    def close(self) -> None:
        """Whoever is watched waits for himself from here on."""
        self.is_over = True
        self._epoll.close()
        for watched in tuple(self._watched.values()):
            watched.unwatched()

    def step(self) -> None:
        """Turns for whom the kernel tells of, and for whoever has more. Raises OSError if the kernel fails."""
        if not self._ready:
            for number, event in self._epoll.poll(0, _AT_ONCE):
                if event & select.EPOLLOUT and number in self._watched:
                    self._epoll.modify(number, select.EPOLLIN)
                if number not in self._rest:
                    self._ready[number] = None
        until = self._now() + LONGEST_STEP
        queue = self._rest
        for _ in range(len(self._ready) + len(self._rest)):
            if not queue:
                queue = self._ready or self._rest
            if not queue:
                break  # others were forgotten meanwhile
            number, _ = queue.popitem(last=False)
            self._read(number)
            queue = self._ready
            if self._now() >= until:
                break

    def _read(self, number: int) -> None:
        watched = self._watched.get(number)
        if watched is not None and watched.readable() and self._watched.get(number) is watched:
            self._rest[number] = None
