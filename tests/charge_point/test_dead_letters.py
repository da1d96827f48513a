"""Messages that were given up: kept over restarts, bounded, to be looked at, sent again, thrown away."""

from collections.abc import Awaitable, Callable, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import trio

from ocpp16.enums import Reason
from ocpp16.errors import StoreError
from ocpp16.profiles import dead_letters
from ocpp16.store.base import ChargePointChanges
from ocpp16.store.memory import MemoryStore
from ocpp16.testing import CallErrorAnswer
from ocpp16.testing.central_system import START, CentralSystem

REFUSED = CallErrorAnswer("GenericError", "no\x1b[2J" + "x" * 3000)


async def give_up(bench: Any, count: int = 1) -> None:
    """`count` transactions whose StopTransaction is given up."""
    bench.csms.answers["StopTransaction"] = REFUSED
    for number in range(count):
        bench.begin(session_id=f"s{number}")
        await trio.sleep(1)
        bench.charge_point.on_transaction_stopped(1, f"s{number}", Reason.LOCAL, 1500 + number)
        await trio.sleep(100)


async def test_they_can_be_looked_at_and_sent_again(open_bench: Any, tmp_path: Any) -> None:
    async with open_bench(database_path=tmp_path) as bench:
        await give_up(bench, 2)
        first, second = await bench.charge_point.dead_letters()
        assert (first.action, first.payload["meterStop"], first.payload["transactionId"]) == (
            "StopTransaction",
            1500,
            1,
        )
        assert first.reason.isprintable()
        assert len(first.reason) < 300
        assert (first.attempts, first.given_up_at.date()) == (3, datetime(2026, 1, 1, tzinfo=UTC).date())
    async with open_bench(database_path=tmp_path) as bench:
        assert len(await bench.charge_point.dead_letters()) == 2
        assert await bench.charge_point.dead_letters.resend([second.sequence, 99]) == 1
        await trio.sleep(5)
        assert [stop["meterStop"] for stop in bench.sent("StopTransaction")] == [1501]
        assert bench.sent("StopTransaction")[0]["transactionId"] == 2, "though the transaction is long gone"
        assert [letter.sequence for letter in await bench.charge_point.dead_letters()] == [first.sequence]
        assert await bench.charge_point.dead_letters.discard() == 1
    async with open_bench(database_path=tmp_path) as bench:
        assert await bench.charge_point.dead_letters() == ()
        await trio.sleep(5)
        assert bench.sent("StopTransaction") == []


async def test_there_is_a_bound(open_bench: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "MOST", 3)
    async with open_bench(database_path=tmp_path) as bench:
        await give_up(bench, 5)
        kept = [letter.payload["meterStop"] for letter in await bench.charge_point.dead_letters()]
        assert kept == [1502, 1503, 1504]
        assert bench.charge_point.counters.dead_letters_dropped == 2
    async with open_bench(database_path=tmp_path) as bench:
        assert len(await bench.charge_point.dead_letters()) == 3


class Disk(MemoryStore):
    """Outlives a charge point. While `is_full` nothing can be written; what was written is in `images`, as a power cut
    after each commit would leave it."""

    def __init__(self, rows: dict[str, Any] | None = None) -> None:
        super().__init__(is_volatile=False)
        self._rows = rows or {}
        self.is_full = False
        self.images: list[dict[str, Any]] = []

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        if self.is_full:
            raise StoreError("no space left on device")
        refused = super().apply(batches)
        self.images.append(deepcopy(self._rows))
        return refused


async def counted(said: dict[int, int], number: int, call: Callable[[], Awaitable[int]]) -> None:
    said[number] = await call()


@pytest.mark.parametrize("second", ["resend", "discard"])
@pytest.mark.parametrize("first", ["resend", "discard"])
async def test_two_at_once_take_turns(open_bench: Any, first: str, second: str) -> None:
    """While the disk takes its time. After any commit a power cut leaves what memory has, each message once."""
    disk = Disk()
    said: dict[int, Any] = {}
    async with open_bench(store=disk) as bench:
        await give_up(bench, 2)
        charge_point = bench.charge_point
        bench.charge_point.connection.disconnect()
        await trio.sleep(1)
        disk.is_full = True
        disk.images.clear()
        async with trio.open_nursery() as nursery:
            for number, name in enumerate((first, second)):
                nursery.start_soon(counted, said, number, getattr(charge_point.dead_letters, name))
                await trio.sleep(0.1)
            disk.is_full = False
        assert said == {0: 2, 1: 0}, "the second finds nothing left"
        assert await charge_point.dead_letters() == ()
        waiting = 2 if first == "resend" else 0
        assert bench.charge_point.connection.queue_depth == waiting
        await bench.charge_point.stored()
        images = list(disk.images)
    assert images
    for image in images:
        async with open_bench(store=Disk(image)) as bench:
            await trio.sleep(5)
            assert [stop["meterStop"] for stop in bench.sent("StopTransaction")] == [1500, 1501][:waiting]
            assert await bench.charge_point.dead_letters() == ()


async def test_those_of_other_numbers_are_left(open_bench: Any) -> None:
    disk = Disk()
    said: dict[int, Any] = {}
    async with open_bench(store=disk) as bench:
        await give_up(bench, 3)
        one, two, three = (letter.sequence for letter in await bench.charge_point.dead_letters())
        bench.csms.answers.clear()
        disk.is_full = True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(counted, said, 1, partial(bench.charge_point.dead_letters.resend, [one, two]))
            await trio.sleep(0.1)
            nursery.start_soon(counted, said, 2, partial(bench.charge_point.dead_letters.discard, {two, three}))
            await trio.sleep(0.1)
            disk.is_full = False
        assert said == {1: 2, 2: 1}
        await trio.sleep(5)
        assert [stop["meterStop"] for stop in bench.sent("StopTransaction")[-2:]] == [1500, 1501]


async def test_one_that_would_make_room_is_sent_all_the_same(open_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It had been asked for before the letters were too many."""
    monkeypatch.setattr(dead_letters, "MOST", 2)
    disk = Disk()
    said: dict[int, Any] = {}
    async with open_bench(store=disk) as bench:
        await give_up(bench, 2)
        disk.is_full = True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(counted, said, 1, bench.charge_point.dead_letters.resend)
            await trio.sleep(1)
            letters = bench.charge_point._runtime.features.dead_letters
            letters.put(next(letters._entries(_row_of(bench), {})), "no")
            bench.csms.answers.clear()
            disk.is_full = False
        assert said == {1: 2}
        assert bench.charge_point.counters.dead_letters_dropped == 0
        assert len(await bench.charge_point.dead_letters()) == 1
        await bench.charge_point.stored()
        rows = deepcopy(disk._rows)
    assert len(rows["cp001"]["dead_letters"]) == 1


def _row_of(bench: Any) -> Any:
    return next(iter(bench.charge_point._runtime.features.dead_letters._rows.values()))


async def test_the_second_does_not_wait_for_ever(open_bench: Any, make_config: Any) -> None:
    disk = Disk()
    said: dict[int, Any] = {}
    async with open_bench(store=disk, document=make_config(Internal__StoreTimeout=10)) as bench:
        await give_up(bench)
        disk.is_full = True

        async def ask(number: int) -> None:
            with pytest.raises(StoreError):
                await bench.charge_point.dead_letters.resend()
            said[number] = trio.current_time()

        begin = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, 1)
            await trio.sleep(1)
            nursery.start_soon(ask, 2)
        assert said[2] - begin <= 21
        assert len(await bench.charge_point.dead_letters()) == 1


async def test_an_invalid_one_is_given_up_again(open_bench: Any) -> None:
    """It was written by something else; the others go out."""
    disk = Disk()
    async with open_bench(store=disk) as bench:
        await give_up(bench, 2)
    table = disk._rows["cp001"]["dead_letters"]
    first = min(table)
    table[first] = tuple("{}" if "meterStop" in str(column) else column for column in table[first])
    async with open_bench(store=Disk(disk._rows)) as bench:
        assert await bench.charge_point.dead_letters.resend() == 2
        await trio.sleep(5)
        assert [stop["meterStop"] for stop in bench.sent("StopTransaction")] == [1501]
        (left,) = await bench.charge_point.dead_letters()
        assert "invalid" in left.reason
        assert bench.charge_point.counters.internal_errors == 0


async def test_numbers_are_whole_numbers(open_bench: Any) -> None:
    async with open_bench() as bench:
        for call in (bench.charge_point.dead_letters.resend, bench.charge_point.dead_letters.discard):
            for wrong in (5, "12", b"12", ["1"], [1.0], [True], [None], [-1], [2**63]):
                with pytest.raises(ValueError, match="sequences must be a"):
                    await call(wrong)
            assert await call([]) == await call({10**6}) == 0


async def test_a_status_is_none(open_bench: Any, make_config: Any) -> None:
    """Sent again it would be told as the present."""
    async with open_bench(document=make_config(Internal__QueueAllMessages=True)) as bench:
        bench.csms.answers["StatusNotification"] = REFUSED
        bench.charge_point.on_disabled(1)
        await trio.sleep(100)
        assert len(bench.sent("StatusNotification")) > 3
        assert await bench.charge_point.dead_letters() == ()
        assert bench.charge_point.connection.queue_depth == 0


async def test_a_time_that_was_put_right_is_not_put_right_once_more(open_bench: Any, tmp_path: Any) -> None:
    """The clock was an hour behind until the Central System told the time; the letter holds what was sent."""
    csms = CentralSystem()
    csms.is_reachable = False
    csms.answers["StartTransaction"] = REFUSED
    async with open_bench(csms=csms, anchor=START / 1e6 - 3600, database_path=tmp_path) as bench:
        bench.begin()
        await trio.sleep(10)
        csms.is_reachable = True
        await trio.sleep(200)
        (letter,) = await bench.charge_point.dead_letters()
        sent = bench.sent("StartTransaction")
        assert {start["timestamp"] for start in sent} == {letter.payload["timestamp"]}
        assert sent[0]["timestamp"].startswith("2026-01-01T00:00")
        del csms.answers["StartTransaction"]
        assert await bench.charge_point.dead_letters.resend() == 1
        await trio.sleep(5)
        assert bench.sent("StartTransaction")[-1]["timestamp"] == sent[0]["timestamp"]
