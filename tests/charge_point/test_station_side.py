"""The border to the station's code: what it answers is checked, what it is told keeps its order."""

from collections.abc import Callable
from typing import Any

import pytest
import trio

from ocpp16.enums import DataTransferStatus, UnlockStatus
from ocpp16.models import DataTransferResponse
from ocpp16.profiles.asked_station import AskedStation
from ocpp16.profiles.station_side import MOST_WAITING, StationSide, data_transfer_response, member_of, yes_or_no


class Side:
    """A StationSide in a nursery, with what it reports."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self.failures: list[str] = []
        self.late: list[str] = []
        self.done: list[str] = []
        self.side = StationSide(
            AskedStation(None),
            30.0,
            self._spawn_within,
            lambda place, error: self.failures.append(f"{place}: {type(error).__name__}"),
            lambda name, _: self.late.append(name),
        )

    def _spawn_within(self, seconds: float, late: Callable[[], None], async_fn: Any, *arguments: Any) -> None:
        async def run() -> None:
            with trio.move_on_after(seconds) as limit:
                await async_fn(*arguments)
            if limit.cancelled_caught:
                late()

        self._nursery.start_soon(run)

    def command(self, name: str, *connectors: int, seconds: float = 1, topic: Any = None) -> None:
        async def work() -> None:
            await trio.sleep(seconds)
            self.done.append(name)

        self.side.command(work, connectors=connectors, topic=name if topic is None else topic)


@pytest.mark.parametrize(
    ("accept", "answer", "expected"),
    [
        (yes_or_no, True, True),
        (yes_or_no, 1, "safe"),
        (yes_or_no, "yes", "safe"),
        (yes_or_no, None, "safe"),
        (member_of(UnlockStatus), UnlockStatus.UNLOCKED, UnlockStatus.UNLOCKED),
        (member_of(UnlockStatus), "Unlocked", UnlockStatus.UNLOCKED),
        (member_of(UnlockStatus), "unlocked", "safe"),
        (member_of(UnlockStatus), 7, "safe"),
        (member_of(UnlockStatus), float("nan"), "safe"),
        (data_transfer_response, "Accepted", "safe"),
        (data_transfer_response, {"status": "Accepted"}, "safe"),
    ],
)
async def test_an_answer_of_another_kind_is_the_safe_one(
    accept: Callable[[Any], Any], answer: Any, expected: Any
) -> None:
    async def question() -> Any:
        return answer

    async with trio.open_nursery() as nursery:
        it = Side(nursery)
        assert await it.side.ask(question, accept=accept, safe="safe") == expected
        assert len(it.failures) == (expected == "safe")


async def test_every_way_a_question_can_fail() -> None:
    async def raises() -> bool:
        raise OSError("broken")

    async def other_loop() -> bool:
        raise BaseException("asyncio.CancelledError is no Exception either")

    async def hangs() -> bool:
        await trio.sleep_forever()
        raise AssertionError

    def not_async() -> bool:
        return True

    async with trio.open_nursery() as nursery:
        it = Side(nursery)
        for question in (raises, other_loop, not_async):
            assert await it.side.ask(question, accept=yes_or_no, safe=False) is False  # type: ignore[arg-type]
        assert [failure.split(": ")[1] for failure in it.failures] == ["OSError", "BaseException", "TypeError"]
        before = trio.current_time()
        assert await it.side.ask(hangs, accept=yes_or_no, safe=False) is False
        assert (trio.current_time() - before, it.late) == (30, ["hangs"])


async def test_a_cancelled_question_is_cancelled() -> None:
    async with trio.open_nursery() as nursery:
        it = Side(nursery)
        with trio.move_on_after(5) as limit:
            await it.side.ask(trio.sleep_forever, accept=yes_or_no, safe=True)
        assert limit.cancelled_caught
        assert it.failures == []


async def test_a_connector_is_told_in_order_and_none_waits_for_another() -> None:
    async with trio.open_nursery() as nursery:
        it = Side(nursery)
        it.command("slow on 1", 1, seconds=10)
        it.command("fast on 1", 1, seconds=0)
        it.command("on 2", 2, seconds=1)
        it.command("on 1 and 2", 1, 2, seconds=0)
        it.command("later on 2", 2, seconds=0)
        await trio.sleep(5)
        assert it.done == ["on 2"]
    assert it.done == ["on 2", "slow on 1", "fast on 1", "on 1 and 2", "later on 2"]


async def test_what_was_superseded_before_it_began_is_not_done() -> None:
    async with trio.open_nursery() as nursery:
        it = Side(nursery)
        it.command("begun", 1, topic="availability")
        for number in range(1000):
            it.command(f"change {number}", 1, topic="availability")
            assert it.side.waiting == 1
        it.command("other topic", 1, topic="token")
    assert it.done == ["begun", "change 999", "other topic"]


async def test_what_waits_for_a_station_that_hangs_has_a_bound() -> None:
    async with trio.open_nursery() as nursery:
        it = Side(nursery)
        it.command("begun", 1, seconds=20)
        for number in range(3 * MOST_WAITING):
            it.command(str(number), 1, seconds=0, topic=number)
            assert it.side.waiting <= MOST_WAITING
        assert len(it.failures) == 2 * MOST_WAITING
    assert it.done == ["begun", *map(str, range(2 * MOST_WAITING, 3 * MOST_WAITING))], "the oldest went"


async def test_after_the_end_nothing_begins() -> None:
    async with trio.open_nursery() as nursery:
        it = Side(nursery)
        it.command("begun", 1)
        it.command("not begun", 1)
        it.side.forget()
    assert it.done == ["begun"]
    assert it.side.waiting == 0


async def test_a_response_is_taken_as_it_is() -> None:
    answer = DataTransferResponse(DataTransferStatus.ACCEPTED, "x")
    assert data_transfer_response(answer) is answer
