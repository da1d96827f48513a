"""What a scripted Central System remembers, and how things are found again."""

from collections.abc import Iterable
from typing import Any

import pytest
import trio

from ocpp16.codec import Call, CallResult
from ocpp16.testing import CentralSystem, Direction
from ocpp16.testing.recording import Recording


async def test_wait_for_call(autojump_clock: Any, csms: Any, connect: Any) -> None:
    charge_point = await connect(csms)
    other = await connect(csms, "CP2")

    async def beat() -> None:
        for _ in range(3):
            await trio.sleep(10)
            await charge_point.ask("Heartbeat", {})

    await other.boot()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(beat)
        assert (await csms.wait_for_call("Heartbeat")).time == 10
        assert (await csms.wait_for_call("Heartbeat", 3)).time == 30
        assert (await csms.wait_for_call("Heartbeat", 2)).time == 20, "those that came before count"
        assert (await csms.wait_for_call("BootNotification", identity="CP2")).identity == "CP2"
        with pytest.raises(AssertionError, match=r"no StopTransaction number 2 within 7 s; .*Heartbeat x 3"):
            await csms.wait_for_call("StopTransaction", 2, timeout=7)


async def test_who_waits_looks_at_each_line_once(
    autojump_clock: Any, csms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line that comes has all look who wait: at the whole record, a long test would take a square of time."""
    looked = 0
    calls = Recording.calls

    def counted(self: Recording, *arguments: Any, begin: int = 0) -> Any:
        nonlocal looked
        looked += len(self.traffic) - begin
        return calls(self, *arguments, begin=begin)

    monkeypatch.setattr(Recording, "calls", counted)

    async def tell(numbers: Iterable[int]) -> None:
        for number in numbers:
            csms.recording.add("CP1", Direction.RECEIVED, "", Call(str(number), "Heartbeat", {}))
            await trio.testing.wait_all_tasks_blocked()

    async def found() -> None:
        assert (await csms.wait_for_call("Heartbeat", 3)).unique_id == "6"

    async with trio.open_nursery() as nursery:
        nursery.start_soon(found)
        await tell(range(2))
        csms.traffic.clear()
        await tell([4, 5])
        csms.traffic[:] = csms.traffic[1:]
        await tell([5, 6])
    assert looked <= 8


async def test_traffic_is_recorded_in_order_with_its_times(autojump_clock: Any, csms: Any, connect: Any) -> None:
    charge_point = await connect(csms)
    await trio.sleep(1)
    await charge_point.boot()
    await charge_point.websocket.aclose(1001, "bye")
    await csms.wait_disconnected("CP1")
    lines = [(line.time, line.identity, line.direction, line.text[:6]) for line in csms.traffic]
    assert lines == [
        (0, "CP1", "opened", ""),
        (1, "CP1", "received", '[2,"cp'),
        (1, "CP1", "sent", '[3,"cp'),
        (1, "CP1", "closed", "1001 b"),
    ]
    assert isinstance(csms.traffic[1].frame, Call)
    assert isinstance(csms.traffic[2].frame, CallResult)


async def test_bounded_record(autojump_clock: Any, connect: Any) -> None:
    async with CentralSystem(record_limit=10) as csms:
        charge_point = await connect(csms)
        await charge_point.boot()
        for _ in range(20):
            await charge_point.ask("Heartbeat", {})
            await charge_point.send("no frame")
        assert len(csms.traffic) == len(csms.violations) == 10
