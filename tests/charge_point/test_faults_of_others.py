"""Wherever code of others runs: what it raises is a fault of that code, and the charge point goes on.

`PLACES` are all of them: each has that code raise once or more, and tells where it was told.
"""

import logging
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
import trio
from strange_errors import STRANGE

from ocpp16.errors import CallFailed
from ocpp16.models import DataTransferResponse
from ocpp16.observer import InternalError
from ocpp16.state.signals import TransactionStarted
from ocpp16.transport.dial import Endpoint

Make = Callable[[], BaseException]
PLACES: dict[str, tuple[Callable[[Any, Make, Any], Awaitable[None]], str]] = {}


def place(where: str) -> Callable[[Callable[..., Awaitable[None]]], None]:
    """`where`: what the event InternalError names; empty where something else tells it."""
    return lambda part: PLACES.__setitem__(part.__name__, (part, where))


def raising(make: Make) -> Callable[..., Any]:
    def fails(*_: Any, **__: Any) -> Any:
        raise make()

    return fails


def raising_later(make: Make) -> Callable[..., Awaitable[Any]]:
    async def fails(*_: Any) -> Any:
        await trio.sleep(0.01)
        raise make()

    return fails


async def change(bench: Any, value: str) -> None:
    assert await bench.call("ChangeConfiguration", {"key": "HeartbeatInterval", "value": value}) == {
        "status": "Accepted"
    }


@place("timer")
async def timers_of_host_and_features(bench: Any, make: Make, profile: Any) -> None:
    bench.charge_point.for_station.timers.at(0, raising(make))
    bench.charge_point._runtime.ctx.timers.every(1, raising(make), 0)


@place("callback of on_change(HeartbeatInterval)")
async def callback_of_a_key(bench: Any, make: Make, profile: Any) -> None:
    bench.charge_point.on_change("HeartbeatInterval", raising(make))
    await change(bench, "77")


@place("signal TransactionStarted")
async def subscriber_of_a_signal(bench: Any, make: Make, profile: Any) -> None:
    bench.charge_point._runtime.ctx.signals.on(TransactionStarted, raising(make))
    bench.begin(1, "other")
    bench.charge_point.on_transaction_stopped(1, "other", "Local", 1000)


@place("station, charging_limit_changed")
async def limits(bench: Any, make: Make, profile: Any) -> None:
    bench.station.charging_limit_changed = raising(make)
    assert await bench.install(0, profile(1, 20, chargingProfilePurpose="ChargePointMaxProfile")) == "Accepted"


@place("strategy for sharing")
async def strategy(bench: Any, make: Make, profile: Any) -> None:
    bench.charge_point.smart_charging.share_limits(raising(make), 32)
    bench.begin(1, "other")
    bench.charge_point.on_transaction_stopped(1, "other", "Local", 1000)


@place("")
async def meter(bench: Any, make: Make, profile: Any) -> None:
    bench.station.measurement = raising(make)
    await bench.call("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1})
    await trio.sleep(1)
    assert bench.charge_point.counters.readings_refused >= 1
    del bench.station.measurement


@place("station, is_reset_allowed")
async def question(bench: Any, make: Make, profile: Any) -> None:
    bench.station.is_reset_allowed = raising_later(make)
    assert await bench.call("Reset", {"type": "Soft"}) == {"status": "Rejected"}


@place("station, set_connection_timeout")
async def command(bench: Any, make: Make, profile: Any) -> None:
    bench.station.answers["set_connection_timeout"] = raising(make)
    await bench.call("ChangeConfiguration", {"key": "ConnectionTimeOut", "value": "77"})


@place("station, fails")
async def handler_of_data_transfer(bench: Any, make: Make, profile: Any) -> None:
    bench.charge_point.on_data_transfer("V", None, raising_later(make))
    assert (await bench.call("DataTransfer", {"vendorId": "V"}))["status"] == "Rejected"


@place("handler of DataTransfer")
async def handler(bench: Any, make: Make, profile: Any) -> None:
    bench.charge_point._runtime.features.data_transfer._handlers = None
    bench.charge_point._runtime.features.data_transfer.ctx = None
    with pytest.raises(CallFailed, match="InternalError"):
        await bench.call("DataTransfer", {"vendorId": "V"})


@place("task")
async def tasks(bench: Any, make: Make, profile: Any) -> None:
    for spawn in (bench.charge_point.for_station.spawn, bench.charge_point._runtime.spawn_outside):
        spawn(raising_later(make))
        spawn(raising(make))


@place("")
async def observer(bench: Any, make: Make, profile: Any) -> None:
    notify, before = bench.events.notify, bench.charge_point.counters.internal_errors
    bench.events.notify = raising_later(make)
    await change(bench, "77")
    await trio.sleep(1)
    assert bench.charge_point.counters.internal_errors > before
    bench.events.notify = notify


@place("delivery of a message")
async def hook_of_a_delivery(bench: Any, make: Make, profile: Any) -> None:
    bench.charge_point._runtime.ctx.sender.confirmations["StopTransaction"] = raising(make)
    bench.begin(1, "other")
    bench.charge_point.on_transaction_stopped(1, "other", "Local", 1000)


@place("what follows an answer")
async def what_follows_an_answer(bench: Any, make: Make, profile: Any) -> None:
    (trigger,) = [one for one in bench.charge_point._runtime.features.all if type(one).__name__ == "RemoteTrigger"]
    trigger._others = _Others(raising(make))
    await bench.call("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1})


class _Others:
    """Features of which every message can be triggered."""

    def __init__(self, send: Callable[..., Any]) -> None:
        self.trigger = lambda message: lambda connector_ids: send


@place("pump")
async def pump(bench: Any, make: Make, profile: Any) -> None:
    bench.charge_point._runtime._pump.on_turn = raising(make)
    bench.charge_point._runtime.kick()
    await trio.sleep(1)
    bench.charge_point._runtime._pump.on_turn = None


@place("connectivity")
async def fault_of_ours_in_the_connectivity(bench: Any, make: Make, profile: Any) -> None:
    connectivity = bench.charge_point._runtime.life.connectivity
    known = connectivity._next
    connectivity._next = SimpleNamespace(wait=raising(make), proved=lambda: None)
    bench.csms.abort("cp001")
    await trio.sleep(0.5)
    connectivity._next = known


@place("")
async def connector(bench: Any, make: Make, profile: Any) -> None:
    connect, bench.charge_point._runtime.life.connectivity._connector = (
        bench.charge_point._runtime.life.connectivity._connector,
        raising_later(make),
    )
    failures = bench.charge_point.counters.connection_failures
    bench.csms.abort("cp001")
    await trio.sleep(5)
    assert bench.charge_point.counters.connection_failures > failures
    bench.charge_point._runtime.life.connectivity._connector = connect


class Stream(trio.abc.Stream):
    """Raises in one of its methods, from the moment it is told to."""

    def __init__(self, inner: trio.abc.Stream, method: str, make: Make) -> None:
        self.inner, self.method, self.make, self.is_broken = inner, method, make, False

    def _look(self, method: str) -> None:
        if self.is_broken and method == self.method:
            raise self.make()

    async def send_all(self, data: Any) -> None:
        self._look("send_all")
        await self.inner.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        pass

    async def receive_some(self, max_bytes: int | None = None) -> Any:
        data = await self.inner.receive_some(max_bytes)
        self._look("receive_some")
        return data

    async def aclose(self) -> None:
        await self.inner.aclose()
        self._look("aclose")


async def _stream(bench: Any, make: Make, method: str) -> None:
    connectivity = bench.charge_point._runtime.life.connectivity
    connect, streams = connectivity._connector, list[Stream]()

    async def connected(endpoint: Endpoint) -> trio.abc.Stream:
        streams.append(Stream(await connect(endpoint), method, make))
        return streams[-1]

    connectivity._connector = connected
    bench.charge_point.connection.reconnect()
    await trio.sleep(1)
    connectivity._connector = connect
    streams[-1].is_broken = True
    await bench.csms.send_text("cp001", '[2,"x","ClearCache",{}]')
    if method == "aclose":
        bench.csms.abort("cp001")
    await trio.sleep(5)
    assert bench.charge_point.counters.connects == 3


@place("")
async def stream_that_is_read(bench: Any, make: Make, profile: Any) -> None:
    await _stream(bench, make, "receive_some")


@place("")
async def stream_that_is_written(bench: Any, make: Make, profile: Any) -> None:
    await _stream(bench, make, "send_all")


@place("")
async def stream_that_is_closed(bench: Any, make: Make, profile: Any) -> None:
    await _stream(bench, make, "aclose")


@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.parametrize("part", PLACES)
async def test_it_goes_on(open_bench: Any, profile: Any, part: str, kind: str, caplog: Any) -> None:
    """A transaction goes through, and the block is left by its own end."""
    caplog.set_level(logging.WARNING, "ocpp16")
    breaks, where = PLACES[part]
    is_left = False
    async with open_bench() as bench:
        await breaks(bench, STRANGE[kind], profile)
        await trio.sleep(2)
        if where:
            assert bench.charge_point.counters.internal_errors >= 1
            assert any(event.place.startswith(where) for event in bench.events.of(InternalError))
        bench.begin(2, "s2")
        await trio.sleep(20)
        bench.charge_point.on_transaction_stopped(2, "s2", "Local", 2000)
        await trio.sleep(20)
        assert bench.charge_point.connection.is_connected
        assert bench.sent("StopTransaction")[-1]["meterStop"] == 2000
        bench.csms.violations.clear()
        is_left = True
    assert is_left


async def test_a_question_that_shares_its_outcome_is_cancelled_once(open_bench: Any, make_config: Any) -> None:
    """Who asks later gets the cancellation of who asked first: it is nobody's end any more."""
    outcome: list[BaseException] = []

    async def shared(*_: Any) -> Any:
        try:
            if outcome:
                raise outcome[0]
            await trio.sleep_forever()
        except BaseException as error:
            outcome.append(error)
            raise

    async with open_bench(document=make_config(Internal__StationTimeout=5)) as bench:
        bench.station.is_reset_allowed = shared
        for _ in range(2):
            assert await bench.call("Reset", {"type": "Soft"}) == {"status": "Rejected"}
        bench.station.data_transfer = shared
        assert (await bench.call("DataTransfer", {"vendorId": "V"}))["status"] == "UnknownVendorId"
        assert bench.charge_point.connection.is_connected


async def test_an_observer_that_fails_while_the_block_ends_fails_alone(open_bench: Any) -> None:
    """The cancellation of its last word takes nothing of the observer's with it."""

    class Observer:
        async def notify(self, event: Any) -> None:
            async def fails_in_the_end() -> None:
                try:
                    await trio.sleep_forever()
                finally:
                    raise ValueError("in the end")

            async with trio.open_nursery() as nursery:
                nursery.start_soon(fails_in_the_end)
                await trio.sleep_forever()

    async with open_bench(observer=Observer()) as bench:
        bench.begin()
        await trio.sleep(1)


async def test_a_handler_that_answers_is_not_disturbed(open_bench: Any) -> None:
    async def answers(data: str | None) -> DataTransferResponse:
        return DataTransferResponse("Accepted", data)  # type: ignore[arg-type]

    async with open_bench() as bench:
        bench.charge_point.for_station.timers.every(0.1, raising(STRANGE["GeneratorExit"]), 0)
        bench.charge_point.on_data_transfer("V", None, answers)
        for number in range(20):
            answer = await bench.call("DataTransfer", {"vendorId": "V", "data": str(number)})
            assert answer == {"status": "Accepted", "data": str(number)}


async def test_ctrl_c_in_a_callback_ends_the_program(open_bench: Any) -> None:
    with pytest.RaisesGroup(KeyboardInterrupt, flatten_subgroups=True, allow_unwrapped=True):
        async with open_bench() as bench:
            bench.charge_point.for_station.timers.at(0, raising(KeyboardInterrupt))
            await trio.sleep(60)
