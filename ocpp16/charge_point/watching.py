"""Who looks at a charge point for a while, beside its observer: told each event in its moment, on disk or not.

While somebody does, a `WatchedFeed` stands in the place of the observer's feed; one that nobody watches pays nothing.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from ocpp16.charge_point.feed import ObserverFeed
from ocpp16.faults import obey_exit, sentence
from ocpp16.log import FoldingLog
from ocpp16.models import Counters
from ocpp16.observer import ObserverEvent

Watcher = Callable[[ObserverEvent], object]


class WatchedFeed:
    """Parameters: `feed` is that of the observer, or None."""

    __slots__ = ("_counters", "_log", "feed", "watchers")

    def __init__(self, feed: ObserverFeed | None, counters: Counters, log: FoldingLog) -> None:
        self.feed: ObserverFeed | None = feed
        self.watchers: list[Watcher] = []
        self._counters = counters
        self._log = log

    def tell(self, event: ObserverEvent, number: int) -> None:
        self._tell(event)
        if self.feed is not None:
            self.feed.tell(event, number)

    def tell_now(self, event: ObserverEvent) -> None:
        self._tell(event)
        if self.feed is not None:
            self.feed.tell_now(event)

    def kick(self) -> None:
        if self.feed is not None:
            self.feed.kick()

    def _tell(self, event: ObserverEvent) -> None:
        for watcher in tuple(self.watchers):
            try:
                watcher(event)
            except BaseException as error:
                obey_exit(error)
                self._counters.internal_errors += 1
                # Not told as an event: it would fail at that, too.
                self._log.error("who watches failed at %s: %s", type(event).__name__, sentence(error), error=error)


Feed = ObserverFeed | WatchedFeed


class Watched(Protocol):
    """What is watched: `Runtime`."""

    feed: Feed | None
    counters: Counters


def watch(watched: Watched, watcher: Watcher, log: FoldingLog) -> Callable[[], None]:
    """Tell it each event from now on, until what is returned is called."""
    found = watched.feed
    feed = found if isinstance(found, WatchedFeed) else WatchedFeed(found, watched.counters, log)
    watched.feed = feed
    told = partial(watcher)  # so that one that watches twice is left once
    feed.watchers.append(told)

    def leave() -> None:
        if told in feed.watchers:
            feed.watchers.remove(told)
        if not feed.watchers and watched.feed is feed:
            watched.feed = feed.feed

    return leave


def has_observer(feed: Feed | None) -> bool:
    """Is there one, whoever watches beside it?"""
    return (feed.feed if isinstance(feed, WatchedFeed) else feed) is not None
