"""The charge points of a load test for any number of pages: figures, the states of all, and each one opened in place.

While nobody looks, nothing is looked at and nothing kept. While somebody does, the figures are asked for once a second,
and the states of the charge points are looked at some at a time, so that their own work never waits long. One that is
opened has a `Panel`, which keeps its traffic from then on, until no page has looked at it for a while.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import trio

from ocpp16._version import __version__
from ocpp16.errors import ChargePointStopped
from ocpp16.faults import obey, sentence
from ocpp16.fleet import Member
from ocpp16.log import FoldingLog
from ocpp16.texts import shown
from ocpp16.web.feed import Feed, Page, event
from ocpp16.web.mosaic import MOST, FindMember, Mosaic
from ocpp16.web.panel import Panel, finish

INTERVAL: Final = 1.0
"""Real seconds between two looks."""
KEPT: Final = 60.0
"""Real seconds for which one that is opened is kept when no page looks at it any more, and nobody asks for it."""
MOST_OPEN: Final = 16
"""Charge points that are opened at a time, as many as pages."""

Figures = Callable[[], Awaitable[Mapping[str, Any]]]
"""Gives the parts of the state that are not of single charge points."""


class NotThere(LookupError):
    """There is no such charge point in this process, or not yet; or too many are open."""


class FleetPanel:
    """Parameters: `figures`; `ids` of all charge points; `member` gives one that was added already, and is None where
    they are in other processes; `watch` says whose frames and connections a panel wants, and with None that nobody
    does; `speed` as of `Panel`.
    """

    def __init__(
        self,
        figures: Figures,
        ids: Sequence[str],
        member: FindMember | None,
        watch: Callable[[str, Panel | None], object],
        speed: float = 1.0,
    ) -> None:
        self.speed: float = speed
        self.feed: Feed = Feed()
        self._figures = figures
        self._ids = ids
        self._member = member
        self._watch = watch
        self._mosaic = None if member is None else Mosaic(ids, member)
        self._log = FoldingLog("web", trio.current_time)
        self._is_looked_at = trio.Event()
        self._nursery: trio.Nursery | None = None
        self._open: dict[str, _Opened] = {}

    def end(self, reason: str) -> None:
        """The program begins to end: pages say so, and why."""
        for feed in self._feeds():
            feed.put("ending", shown(reason))

    async def finish(self, reason: str) -> None:
        """The same with the last figures; waits until pages were told, but no longer than `LAST_WORDS`."""
        await self.look()
        self.end(reason)
        await finish(self._feeds(), self.speed)

    def _feeds(self) -> list[Feed]:
        return [self.feed, *(one.panel.feed for one in self._open.values())]

    async def run(self) -> None:
        """Look when it is time to, until cancelled."""
        async with trio.open_nursery() as self._nursery:
            while True:
                if not self.feed.pages:
                    self._is_looked_at = trio.Event()
                    await self._is_looked_at.wait()
                await self.look()
                await trio.sleep(INTERVAL * self.speed)

    async def look(self) -> None:
        """Tell pages how things stand now."""
        try:
            for name, value in (await self._figures()).items():
                self.feed.put(name, value)
            if self._mosaic is not None:
                await self._mosaic.look(self.feed.put)
        except BaseException as error:  # this is beside what the program is there for
            obey(error)
            self._log.error("the state cannot be told: %s", sentence(error), error=error)

    async def open(self, instance: str = "", after: int = 0) -> tuple[bytes, Page]:
        """A page comes: the first thing it is told, and what follows. Close the page in the end."""
        if not self.feed.pages:
            await self.look()
        page = self.feed.open(instance, after)
        self._is_looked_at.set()
        return event("hello", self.hello()), page

    def hello(self) -> dict[str, Any]:
        """What does not change while the program runs. `left_out`: charge points beyond those that are shown; `ids` is
        None where they are in other processes."""
        return {
            "instance": self.feed.instance,
            "kind": "fleet",
            "version": __version__,
            "kept": self.feed.oldest,
            "ids": None if self._member is None else list(self._ids[:MOST]),
            "left_out": max(0, len(self._ids) - MOST),
        }

    async def state(self) -> dict[str, Any]:
        """All of it at once, for programs."""
        await self.look()
        return {**self.hello(), "last": self.feed.last, "parts": self.feed.parts}

    # One of them

    def charge_point(self, identity: str) -> Panel:
        """The panel of this charge point, which is opened if it is not. Raises NotThere, which says why."""
        found = self._open.get(identity)
        if found is not None:
            found.asked_at = trio.current_time()
            return found.panel
        if self._member is None:
            raise NotThere("the charge points are in other processes: with --processes 1 each can be opened")
        member = self._member(identity)
        if member is None:
            known = identity in self._ids
            raise NotThere(f"{shown(identity, 80)} {'has not come yet' if known else 'is not in this load test'}")
        if self._nursery is None:
            raise NotThere("the panel does not run yet")
        if len(self._open) >= MOST_OPEN and not self._close_one():
            raise NotThere(f"{MOST_OPEN} charge points are open already")
        opened = self._open[identity] = _Opened(member, self.speed)
        self._watch(identity, opened.panel)
        self._nursery.start_soon(self._keep, identity, opened)
        return opened.panel

    def _close_one(self) -> bool:
        """Of those that nobody looks at, the one that was not asked for for longest."""
        unseen = [(identity, opened) for identity, opened in self._open.items() if not opened.panel.feed.pages]
        if unseen:
            self._close(*min(unseen, key=lambda one: one[1].asked_at))
        return bool(unseen)

    def _close(self, identity: str, opened: "_Opened") -> None:
        if self._open.get(identity) is opened:
            del self._open[identity]
            self._watch(identity, None)
            opened.leave()
        opened.scope.cancel()

    async def _keep(self, identity: str, opened: "_Opened") -> None:
        with opened.scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(opened.panel.run)
                while trio.current_time() - opened.asked_at < KEPT * self.speed:
                    with trio.move_on_after(INTERVAL * self.speed):
                        await opened.member.wait_for_news()
                    opened.follow()
                    if opened.panel.feed.pages:
                        opened.asked_at = trio.current_time()
                self._close(identity, opened)


class _Opened:
    """One that is opened. Its charge point becomes another one after a failure, and after a Reset that switches it
    off."""

    def __init__(self, member: Member, speed: float) -> None:
        self.member = member
        self.panel = Panel(speed)
        self.scope = trio.CancelScope()
        self.asked_at: float = trio.current_time()
        """When somebody last looked at it, or asked for it."""
        self._followed: Any = None
        self._leave: Callable[[], None] = lambda: None
        self.follow()

    def follow(self) -> None:
        if self._followed is not self.member.charge_point:
            self.leave()
            self._followed = self.member.charge_point
            self.panel.follow(self.member.commands)
            with suppress(ChargePointStopped):  # then another one takes its place soon
                self._leave = self._followed.for_station.watch(self.panel.note)

    def leave(self) -> None:
        """Watch it no more."""
        self._leave()
