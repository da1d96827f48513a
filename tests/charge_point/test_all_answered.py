"""What a host of many waits for and asks for: all answered, a Heartbeat now, a sample now."""

from typing import Any

import pytest
import trio
import trio.testing

from ocpp16.enums import ErrorCode, Reason, RegistrationStatus
from ocpp16.errors import ChargePointStopped
from ocpp16.testing import CallErrorAnswer, Fault


async def test_nothing_is_left_when_it_returns(open_bench: Any, make_config: Any) -> None:
    document = make_config(Core__MeterValuesSampledData="Energy.Active.Import.Register")
    async with open_bench(document=document, start=False) as bench:
        charge_point = bench.charge_point
        await charge_point.start()
        await charge_point.wait_all_answered()
        assert charge_point.connection.queue_depth == 0
        assert [call.action for call in bench.csms.calls()] == ["BootNotification", *["StatusNotification"] * 3]
        bench.measure(1, 1000)
        bench.begin()
        for _ in range(3):
            assert charge_point.sample_now(1)
            await charge_point.wait_all_answered()
        charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        await charge_point.wait_all_answered()
        assert charge_point.connection.queue_depth == 0
        assert len(bench.sent("MeterValues")) == 3
        assert len(bench.sent("StopTransaction")) == 1
        assert len(charge_point._runtime.ctx.transactions) == 0


async def test_reports_that_are_not_made_yet_count(open_bench: Any, make_config: Any) -> None:
    """Those of many connectors are made as the Central System takes them; refusals let it pause."""
    async with open_bench(document=make_config(Core__NumberOfConnectors=100), start=False) as bench:
        bench.csms.answers["StatusNotification"] = CallErrorAnswer(ErrorCode.INTERNAL_ERROR, "not now")
        await bench.charge_point.start()
        await bench.charge_point.wait_all_answered()
        assert {payload["connectorId"] for payload in bench.sent("StatusNotification")} == set(range(101))


async def test_samples_that_are_due_and_not_taken_yet_count(open_bench: Any, make_config: Any) -> None:
    """Those of many connectors are taken one after another; here the first ones have nothing to tell."""
    document = make_config(Core__NumberOfConnectors=400, Core__MeterValuesSampledData="Energy.Active.Import.Register")
    async with open_bench(document=document) as bench:
        await bench.charge_point.wait_all_answered()
        bench.measure(400, 1000)
        await bench.call("TriggerMessage", {"requestedMessage": "MeterValues"})
        await bench.charge_point.wait_all_answered()
        assert [payload["connectorId"] for payload in bench.sent("MeterValues")] == [400]


async def test_it_does_not_wait_for_reports_that_nobody_is_there_for(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(Core__NumberOfConnectors=100)) as bench:
        charge_point = bench.charge_point
        await charge_point.wait_all_answered()
        bench.csms.answers["StatusNotification"] = None
        await bench.call("TriggerMessage", {"requestedMessage": "StatusNotification"})
        charge_point.connection.disconnect()
        with trio.fail_after(1):
            await charge_point.wait_all_answered()


async def test_it_waits_for_the_boot_and_for_late_answers(open_bench: Any) -> None:
    async with open_bench(start=False) as bench:
        bench.csms.refuse_boot("Pending", times=2, interval=20)
        bench.csms.misbehave(Fault.DELAY, "StartTransaction", seconds=5)
        await bench.charge_point.start()
        began = trio.current_time()
        bench.begin()
        await bench.charge_point.wait_all_answered()
        assert trio.current_time() - began == pytest.approx(45, abs=0.1)


async def test_it_waits_while_offline_and_for_what_is_set_aside(open_bench: Any) -> None:
    async with open_bench() as bench:
        charge_point = bench.charge_point
        charge_point.connection.disconnect()
        await trio.sleep(1)
        bench.begin()
        with trio.move_on_after(3600) as limit:
            await charge_point.wait_all_answered()
        assert limit.cancelled_caught
        bench.csms.answers["StartTransaction"] = None
        charge_point.connection.connect()
        with trio.move_on_after(3600) as limit:
            await charge_point.wait_all_answered()
        assert limit.cancelled_caught
        del bench.csms.answers["StartTransaction"]
        await charge_point.wait_all_answered()
        assert charge_point.connection.queue_depth == 0


async def test_many_wait_and_some_are_cancelled(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.csms.misbehave(Fault.DELAY, "StartTransaction", seconds=10)
        returned = []

        async def wait(number: int) -> None:
            with trio.move_on_after(5 if number % 2 else 60):
                await bench.charge_point.wait_all_answered()
                returned.append(number)

        bench.begin()
        async with trio.open_nursery() as nursery:
            for number in range(10):
                nursery.start_soon(wait, number)
        assert sorted(returned) == [0, 2, 4, 6, 8]
        assert bench.charge_point._runtime._pump.on_turn is None  # nobody waits, nobody looks


async def test_it_costs_no_wakeup_but_the_one(open_bench: Any) -> None:
    """Whoever waits is not woken to look: only when all is answered."""

    class Wakeups(trio.abc.Instrument):
        count = 0

        def task_scheduled(self, task: trio.lowlevel.Task) -> None:
            self.count += task is waiting

    async with open_bench() as bench, trio.open_nursery() as nursery:
        bench.csms.misbehave(Fault.DELAY, "StartTransaction", seconds=10)
        bench.begin()
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        nursery.start_soon(bench.charge_point.wait_all_answered)
        await trio.sleep(5)
        (waiting,) = nursery.child_tasks
        wakeups = Wakeups()
        trio.lowlevel.add_instrument(wakeups)
        await bench.call("TriggerMessage", {"requestedMessage": "Heartbeat"})
        await trio.sleep(20)
        trio.lowlevel.remove_instrument(wakeups)
        assert not nursery.child_tasks
        assert wakeups.count == 1


@pytest.mark.parametrize("awaited", ["answers", "registration"])
@pytest.mark.parametrize("end", ["stop", "restart", "stopping", "leave", "abandon"])
async def test_it_raises_when_the_charge_point_stops(open_bench: Any, end: str, awaited: str) -> None:
    raised = []

    async def wait(charge_point: Any) -> None:
        with pytest.raises(ChargePointStopped):
            await (charge_point.wait_all_answered() if awaited == "answers" else charge_point.wait_registered())
        raised.append(trio.current_time())

    async with trio.open_nursery() as nursery:
        async with open_bench(start=False) as bench:
            charge_point = bench.charge_point
            if awaited == "registration":
                bench.csms.answers["BootNotification"] = None
            bench.csms.answers["StartTransaction"] = None
            await charge_point.start()
            await trio.sleep(1)
            bench.begin()
            nursery.start_soon(wait, charge_point)
            await trio.sleep(1)
            ended_at = trio.current_time()
            if end == "stop":
                await charge_point.stop()
            elif end == "restart":
                await charge_point.stop()
                await charge_point.restart()
            elif end == "stopping":
                nursery.start_soon(charge_point.stop)
                await trio.testing.wait_all_tasks_blocked()
            elif end == "abandon":
                charge_point.abandon()
                await trio.testing.wait_all_tasks_blocked()
                assert raised
        assert raised == [ended_at]


async def test_before_the_start_it_raises(open_bench: Any) -> None:
    async with open_bench(start=False) as bench:
        with pytest.raises(ChargePointStopped):
            await bench.charge_point.wait_all_answered()


async def test_a_heartbeat_now(open_bench: Any) -> None:
    async with open_bench(start=False) as bench:
        assert not bench.charge_point.heartbeat_now()
        bench.csms.refuse_boot("Pending", interval=20)
        await bench.charge_point.start()
        await trio.sleep(1)
        assert not bench.charge_point.heartbeat_now()
        await trio.sleep(30)
        assert bench.charge_point.heartbeat_now()
        await bench.charge_point.wait_all_answered()
        assert len(bench.sent("Heartbeat")) == 1
        bench.charge_point.connection.disconnect()
        await trio.sleep(1)
        assert not bench.charge_point.heartbeat_now()
        await bench.charge_point.stop()
        assert not bench.charge_point.heartbeat_now()


async def test_a_sample_now(open_bench: Any, make_config: Any) -> None:
    document = make_config(
        Core__MeterValuesSampledData="Energy.Active.Import.Register", Core__MeterValueSampleInterval=60
    )
    async with open_bench(document=document) as bench:
        bench.begin()
        await trio.sleep(30)
        bench.measure(1, 1250)
        assert bench.charge_point.sample_now(1)
        await trio.sleep(40)  # and the periodic one comes all the same
        values = bench.sent("MeterValues")
        assert [value["meterValue"][0]["sampledValue"][0]["context"] for value in values] == ["Sample.Periodic"] * 2
        assert [value["meterValue"][0]["sampledValue"][0]["value"] for value in values] == ["1250.00"] * 2
        assert not bench.charge_point.sample_now(2)
        with pytest.raises(ValueError, match="connector"):
            bench.charge_point.sample_now(3)


async def test_who_waits_before_the_start_is_not_told_that_it_is_registered(open_bench: Any) -> None:
    """Also where the start comes between the question and the answer."""
    for _ in range(20):  # in whatever order trio has its tasks
        async with open_bench(start=False) as bench, trio.open_nursery() as nursery:
            nursery.start_soon(bench.charge_point.start)
            for _ in range(1_000):
                try:
                    await bench.charge_point.wait_registered()
                    break
                except ChargePointStopped:  # it does not run yet
                    continue
            assert bench.charge_point.connection.registration is RegistrationStatus.ACCEPTED


@pytest.mark.parametrize("end", ["answered", "stop"])
async def test_several_wait_and_the_first_goes(open_bench: Any, end: str) -> None:
    ends: list[str] = []

    async def wait(bench: Any) -> None:
        try:
            await bench.charge_point.wait_all_answered()
            ends.append("answered")
        except ChargePointStopped:
            ends.append("stop")

    async with open_bench() as bench, trio.open_nursery() as nursery:
        if end == "answered":
            bench.csms.misbehave(Fault.DELAY, "StartTransaction", seconds=10)
        else:
            bench.csms.answers["StartTransaction"] = None
        bench.begin()
        with trio.move_on_after(1):
            nursery.start_soon(wait, bench)
            nursery.start_soon(wait, bench)
            nursery.start_soon(wait, bench)
            await bench.charge_point.wait_all_answered()
        nursery.start_soon(wait, bench)
        await trio.sleep(1)
        assert ends == []
        if end == "stop":
            await bench.charge_point.stop()
        await trio.sleep(20)
        assert ends == [end] * 4
        nursery.cancel_scope.cancel()
