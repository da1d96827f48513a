"""The observer's queue: in order, no event before what it tells of is on disk, and no more than it may hold."""

from typing import Any

import pytest
import trio

from ocpp16.charge_point.feed import BYTES_LIMIT, LIMIT, ObserverFeed
from ocpp16.enums import ChargePointErrorCode, ChargePointStatus, SessionStartedReason
from ocpp16.models import Counters
from ocpp16.observer import (
    InternalError,
    MessageExchanged,
    ObserverEvent,
    SecurityEvent,
    StatusChanged,
    StoreFailing,
    StoreRecovered,
)


class Feed:
    """A feed whose observer keeps what it is told; `durable` is as far as the disk is."""

    def __init__(self) -> None:
        self.durable = 0
        self.told: list[Any] = []
        self.counters = Counters()
        self.feed = ObserverFeed(self, self.counters, lambda: self.durable)

    async def notify(self, event: ObserverEvent) -> None:
        self.told.append(event)


async def test_an_event_waits_for_the_disk_and_so_do_those_behind_it() -> None:
    it = Feed()
    for number in (0, 2, 0):
        it.feed.tell(SecurityEvent(str(number)), number)
    await it.feed.drain()
    assert it.told == [SecurityEvent("0")]
    it.feed.tell_now(SecurityEvent("why they wait"))
    await it.feed.drain()
    assert it.told[1:] == [SecurityEvent("why they wait")]
    it.durable = 2
    await it.feed.drain()
    assert it.told[2:] == [SecurityEvent("2"), SecurityEvent("0")]
    assert it.counters.observer_events_dropped == 0


async def test_what_goes_ahead_keeps_its_own_order() -> None:
    it = Feed()
    it.feed.tell(SecurityEvent("waits"), 1)
    for event in (StoreFailing("full"), StoreRecovered(), StoreFailing("full again")):
        it.feed.tell_now(event)
    await it.feed.drain()
    assert it.told == [StoreFailing("full"), StoreRecovered(), StoreFailing("full again")]


async def test_what_goes_ahead_is_not_lost_for_others_that_wait() -> None:
    it = Feed()
    for number in range(LIMIT):
        it.feed.tell(SecurityEvent(str(number)), 1)
    it.feed.tell_now(StoreFailing("full"))
    await it.feed.drain()
    assert it.told == [StoreFailing("full")]
    assert it.counters.observer_events_dropped == 1
    for number in range(LIMIT + 2):  # nothing but such events is left: then the oldest of them go
        it.feed.tell_now(StoreFailing(str(number)))
    it.durable = 1
    await it.feed.drain()
    assert it.told[1:] == [StoreFailing(str(number)) for number in range(2, LIMIT + 2)]


async def test_of_too_many_events_the_oldest_go_and_are_counted() -> None:
    it = Feed()
    for number in range(LIMIT + 5):
        it.feed.tell(SecurityEvent(str(number)), 0)
    await it.feed.drain()
    assert [event.type for event in it.told] == [str(number) for number in range(5, LIMIT + 5)]
    assert it.counters.observer_events_dropped == 5


async def test_of_too_many_bytes_the_oldest_go() -> None:
    it = Feed()
    size = BYTES_LIMIT // 4
    for number in range(6):
        it.feed.tell(MessageExchanged("received", str(number) * size), 0)
    await it.feed.drain()
    assert [event.text[0] for event in it.told] == ["2", "3", "4", "5"]
    assert it.counters.observer_events_dropped == 2
    for number in range(4):  # what was told takes no room any more
        it.feed.tell(MessageExchanged("sent", str(number) * size), 0)
    await it.feed.drain()
    assert it.counters.observer_events_dropped == 2


async def test_who_watches_for_a_while_is_told_in_the_moment_beside_the_observer(open_bench: Any) -> None:
    async with open_bench() as bench:
        first: list[Any] = []
        second: list[Any] = []

        def fails(event: ObserverEvent) -> None:
            raise ZeroDivisionError("who watches")

        runtime = bench.charge_point._runtime
        before = runtime.feed
        leave_first, leave_failing, leave_second = map(
            bench.charge_point.for_station.watch, (first.append, fails, second.append)
        )
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        preparing = StatusChanged(1, ChargePointStatus.PREPARING, ChargePointErrorCode.NO_ERROR, "EVConnected")
        assert preparing in first, "at once"
        assert preparing not in bench.events.of(StatusChanged), "in its turn"
        await trio.sleep(1)
        assert preparing in bench.events.of(StatusChanged)
        assert bench.charge_point.counters.internal_errors >= 1
        bench.charge_point._runtime.second_line.failed("somewhere", ZeroDivisionError("boom"))
        assert [event.place for event in second if isinstance(event, InternalError)] == ["somewhere"], "ahead, once"
        leave_failing()
        await bench.charge_point.stop()
        await bench.charge_point.start()
        leave_second()
        seen = len(second)
        bench.charge_point.on_session_started(2, "s2", SessionStartedReason.EV_CONNECTED)
        assert len(second) == seen
        assert isinstance(first[-1], StatusChanged)
        for _ in range(2):
            leave_first()
        assert runtime.feed is before, "nothing of it is left"


async def test_who_can_be_told_nothing_cannot_watch(open_bench: Any) -> None:
    async def later(event: Any) -> None:
        raise AssertionError(event)

    async with open_bench() as bench:
        for watcher in (None, 5, later):
            with pytest.raises(ValueError, match="watcher must be a function that is not async"):
                bench.charge_point.for_station.watch(watcher)


async def test_who_watches_hears_of_the_store_too(open_bench: Any, disk: Any) -> None:
    async with open_bench(store=disk) as bench:
        seen: list[Any] = []
        again = bench.charge_point.for_station.watch(seen.append)
        leave = bench.charge_point.for_station.watch(seen.append)
        for _ in range(2):
            again()
        disk.is_full = True
        bench.begin()
        await trio.sleep(5)
        disk.is_full = False
        await trio.sleep(5)
        of_store = [event for event in seen if isinstance(event, StoreFailing | StoreRecovered)]
        assert of_store == [StoreFailing("no space left on device"), StoreRecovered()], "who watches twice is left once"
        leave()
