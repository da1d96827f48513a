"""Starts and ends: one after another, in order whatever ends the block, and nothing of one acts on the next."""

import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trio

from ocpp16.charge_point.open import open_charge_point
from ocpp16.enums import AvailabilityType, ChargePointErrorCode, Reason, SessionStartedReason
from ocpp16.errors import ChargePointStopped
from ocpp16.models import ErrorInfo, Measurement, PhaseValues
from ocpp16.testing import CentralSystem, Fault
from ocpp16.testing.stations import RecordingStation
from ocpp16.transport.dial import Endpoint


class Expected(Exception):
    pass


async def test_two_restarts_at_once(open_bench: Any) -> None:
    async with open_bench() as bench:
        await bench.charge_point.stop()
        said: list[bool] = []

        async def again() -> None:
            said.append(await bench.charge_point.restart())

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(again)
        assert sorted(said) == [False, False, True]
        bench.begin()
        await trio.sleep(30)
        assert len(bench.sent("StartTransaction")) == 1


async def test_two_stops_at_once_end_together(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.csms.misbehave(Fault.DELAY, "StopTransaction", seconds=2)
        bench.begin()
        await trio.sleep(1)
        before = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.charge_point.stop)
            nursery.start_soon(bench.charge_point.stop)
        assert trio.current_time() - before < 3
        assert await bench.charge_point.stop() is False


async def test_a_stop_whose_caller_is_cancelled_goes_on(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.begin()
        await trio.sleep(1)
        bench.csms.misbehave(Fault.DELAY, "StopTransaction", seconds=5)
        with trio.move_on_after(1):
            await bench.charge_point.stop()
        await trio.sleep(10)
        assert not bench.charge_point.is_running
        assert len(bench.sent("StopTransaction")) == 1
        assert not bench.charge_point.connection.is_connected


async def test_a_start_after_a_stop_boots(open_bench: Any) -> None:
    async with open_bench() as bench:
        await bench.charge_point.stop()
        await bench.charge_point.start()
        assert bench.charge_point.connection.registration is None
        await bench.charge_point.wait_registered()
        assert len(bench.sent("BootNotification")) == 2
        with pytest.raises(RuntimeError, match="runs already"):
            await bench.charge_point.start()


async def test_a_station_may_stop_and_restart_within_its_reset(open_bench: Any) -> None:
    async with open_bench() as bench:

        async def reset(kind: Any) -> None:
            await bench.charge_point.stop()
            await bench.charge_point.restart()

        bench.station.reset = reset
        bench.begin()
        await trio.sleep(1)
        assert await bench.call("Reset", {"type": "Soft"}) == {"status": "Accepted"}
        await trio.sleep(60)
        assert len(bench.sent("BootNotification")) == 2
        assert bench.charge_point.is_running
        assert bench.charge_point.counters.internal_errors == 0


async def test_what_waited_for_the_station_does_nothing_to_the_next_start(open_bench: Any, tmp_path: Any) -> None:
    async with open_bench(database_path=tmp_path) as bench:
        bench.station.delays["disable_evse"] = 20
        await bench.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
        await bench.call("ChangeAvailability", {"connectorId": 1, "type": "Operative"})
        await bench.charge_point.stop()
        bench.station.calls.clear()
        await bench.charge_point.restart()
        await trio.sleep(100)
        assert bench.station.asked("disable_evse") == []
        assert sorted(bench.station.asked("enable_evse")) == [(1,), (2,)], "what each start tells"


async def test_what_waits_for_the_station_does_not_begin_while_it_stops(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.station.delays["disable_evse"] = 2
        await bench.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
        await bench.call("ChangeAvailability", {"connectorId": 1, "type": "Operative"})
        bench.csms.go_half_open("cp001")  # so that closing takes longer than what the station is doing
        bench.station.calls.clear()
        before = trio.current_time()
        await bench.charge_point.stop()
        assert trio.current_time() - before > 2
        assert bench.station.calls == []


@pytest.mark.parametrize("is_full", [False, True])
async def test_a_stop_ends_in_time_whatever_station_and_disk_do(
    open_bench: Any, make_config: Any, disk: Any, is_full: bool
) -> None:
    """StopTimeout is for who does not stop a transaction, ten seconds are for the disk."""
    async with open_bench(document=make_config(Internal__StopTimeout=5), store=disk) as bench:
        bench.station.answers["stop_transaction"] = False
        bench.begin()
        await trio.sleep(1)
        disk.is_full = is_full
        bench.charge_point.on_resume_charging(1)
        bench.measure(1, 2000)
        bench.charge_point.on_meter_values(1, bench.station.measurements[1])
        before = trio.current_time()
        assert await bench.charge_point.stop()
        assert trio.current_time() - before == pytest.approx(15 if is_full else 5, abs=0.5)
        disk.is_full = False


async def test_a_call_that_waits_at_the_stop_is_not_carried_out(open_bench: Any, tmp_path: Any) -> None:
    async with open_bench(database_path=tmp_path) as bench:
        bench.station.delays["is_reset_allowed"] = 20
        await bench.csms.send_text("cp001", '[2,"r1","Reset",{"type":"Hard"}]')
        await bench.csms.send_text("cp001", '[2,"r2","Reset",{"type":"Soft"}]')
        await trio.sleep(1)
        await bench.charge_point.stop()
        await bench.charge_point.restart()
        await trio.sleep(200)
        assert bench.station.asked("reset") == []
        assert len(bench.station.asked("is_reset_allowed")) == 1


@pytest.mark.parametrize("how", ["exception", "cancelled", "end"])
async def test_however_the_block_is_left_it_stops_in_order(open_bench: Any, how: str) -> None:
    async with CentralSystem() as csms:
        with trio.CancelScope() as scope:
            try:
                async with open_bench(csms=_Lent(csms)) as bench:
                    bench.begin()
                    await trio.sleep(5)
                    if how == "exception":
                        raise Expected
                    if how == "cancelled":
                        scope.cancel()
                        await trio.sleep_forever()
            except* Expected:
                assert how == "exception"
        assert [stop.payload["reason"] for stop in csms.calls("StopTransaction")] == ["Other"]
        await csms.wait_disconnected("cp001")


class _Lent:
    """A Central System that is already open."""

    def __init__(self, csms: CentralSystem) -> None:
        self._csms = csms

    async def __aenter__(self) -> CentralSystem:
        return self._csms

    async def __aexit__(self, *error: object) -> None:
        pass


async def test_ctrl_c_leaves_in_order_and_is_told(open_bench: Any) -> None:
    async with CentralSystem() as csms:
        was_told = False
        try:
            async with open_bench(csms=_Lent(csms)) as bench:
                bench.begin()
                await trio.sleep(5)
                signal.raise_signal(signal.SIGINT)
                await trio.sleep(5)
        except* KeyboardInterrupt:
            was_told = True
        assert was_told
        assert len(csms.calls("StopTransaction")) == 1


def test_a_second_ctrl_c_ends_at_once(make_config: Any, virtual_run: Callable[..., Any]) -> None:
    """The first one leaves in order, which a station that does not stop its transactions makes long."""
    took: list[float] = []

    async def main() -> None:
        try:
            async with open_charge_point(make_config(), RecordingStation(), connector=nowhere) as charge_point:
                await charge_point.start()
                charge_point.on_transaction_started(1, "s1", "TAG", 0)
                trio.lowlevel.spawn_system_task(_interrupt_twice)
                await trio.sleep_forever()
        finally:
            took.append(trio.current_time())

    with pytest.raises((KeyboardInterrupt, BaseExceptionGroup)) as caught:
        virtual_run(main)
    assert all(isinstance(one, KeyboardInterrupt) for one in _leaves(caught.value))
    assert took[0] < 5


async def nowhere(endpoint: Endpoint) -> Any:
    """A Connector to a network that swallows everything."""
    await trio.sleep_forever()


async def _interrupt_twice() -> None:
    for _ in range(2):
        await trio.sleep(1)
        signal.raise_signal(signal.SIGINT)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error


async def test_after_the_end_every_door_says_so(open_bench: Any) -> None:
    async with open_bench() as bench:
        charge_point = bench.charge_point
    with pytest.raises(ChargePointStopped):
        charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
    with pytest.raises(ChargePointStopped):
        charge_point.on_transaction_started(1, "s1", "TAG", 0)
    with pytest.raises(ChargePointStopped):
        charge_point.on_error(1, ErrorInfo(ChargePointErrorCode.OTHER_ERROR))
    with pytest.raises(ChargePointStopped):
        charge_point.on_meter_values(1, Measurement(None, PhaseValues(1.0)))
    for waits in (
        charge_point.stop,
        charge_point.start,
        charge_point.restart,
        charge_point.stored,
        charge_point.wait_registered,
        charge_point.dead_letters,
    ):
        with pytest.raises(ChargePointStopped):
            await waits()
    with pytest.raises(ChargePointStopped):
        await charge_point.authorize_id_token("TAG")
    with pytest.raises(ChargePointStopped):
        await charge_point.configuration.set("HeartbeatInterval", "5")
    with pytest.raises(ChargePointStopped):
        await charge_point.on_change_availability(1, AvailabilityType.OPERATIVE)
    assert charge_point.counters.connects == 1


async def test_a_foreign_thread_is_told_what_to_do(open_bench: Any) -> None:
    async with open_bench() as bench:
        said: list[str] = []

        def elsewhere() -> None:
            try:
                bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
            except RuntimeError as error:
                said.append(str(error))

        thread = threading.Thread(target=elsewhere)
        thread.start()
        while thread.is_alive():
            await trio.lowlevel.checkpoint()
        assert len(said) == 1
        assert "trio.from_thread.run_sync" in said[0]


async def test_wait_registered(open_bench: Any) -> None:
    csms = CentralSystem()
    csms.refuse_boot("Pending", times=2, interval=60)
    async with open_bench(csms=csms) as bench:
        await bench.charge_point.wait_registered()
        assert 120 <= trio.current_time() < 125
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.charge_point.stop)
            await trio.sleep(5)
        with pytest.raises(ChargePointStopped):
            await bench.charge_point.wait_registered()


async def test_who_waits_for_the_registration_hears_of_the_stop(open_bench: Any) -> None:
    csms = CentralSystem()
    csms.is_reachable = False
    async with open_bench(csms=csms) as bench, trio.open_nursery() as nursery:
        nursery.start_soon(_stop_later, bench)
        with pytest.raises(ChargePointStopped):
            await bench.charge_point.wait_registered()


async def _stop_later(bench: Any) -> None:
    await trio.sleep(10)
    await bench.charge_point.stop()


async def test_attach_is_called_when_it_is_opened(make_config: Any) -> None:
    class Station(RecordingStation):
        charge_point: Any = None

        def attach(self, charge_point: Any) -> None:
            self.charge_point = charge_point

    station = Station()
    async with open_charge_point(make_config(), station) as opened:
        assert station.charge_point is opened


async def test_a_resumed_transaction_has_a_connector_that_is_not_available(
    open_bench: Any, until_power_fails: Any, tmp_path: Any
) -> None:
    async with until_power_fails(database_path=tmp_path) as bench:
        bench.begin()
        await trio.sleep(1)
    async with open_bench(start=False, database_path=tmp_path) as bench:
        await bench.charge_point.start(resuming_session_ids=["s1"])
        await trio.sleep(5)
        told = [s["status"] for s in bench.sent("StatusNotification") if s["connectorId"] == 1]
        assert told == ["SuspendedEVSE"]
        bench.charge_point.on_resume_charging(1)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1200)
        with pytest.raises(ValueError, match="has the session 's1'"):
            bench.charge_point.on_session_stopped(1, "other")
        bench.charge_point.on_session_stopped(1, "s1")


async def test_a_transaction_told_before_the_start_goes_on_with_it(open_bench: Any, make_config: Any) -> None:
    async with open_bench(start=False, document=make_config(Core__MeterValueSampleInterval=10)) as bench:
        bench.measure(1, 1200)
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        bench.begin()
        bench.charge_point.on_resume_charging(1)
        bench.begin(2, "s2")
        await bench.charge_point.start(resuming_session_ids=["s2"])
        await trio.sleep(35)
        told = {sent["connectorId"]: sent["status"] for sent in bench.sent("StatusNotification")}
        assert told == {0: "Available", 1: "Charging", 2: "SuspendedEVSE"}
        samples = [sent["connectorId"] for sent in bench.sent("MeterValues")]
        assert (samples.count(1), bench.sent("StopTransaction")) == (3, []), "sampled once an interval, and not ended"
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1300)
        await trio.sleep(30)
        stops = [(sent["reason"], sent["meterStop"]) for sent in bench.sent("StopTransaction")]
        assert stops == [("Local", 1300)]
        assert [sent["connectorId"] for sent in bench.sent("MeterValues")].count(1) == 3


async def test_a_resumed_transaction_told_before_the_start_is_sampled_once_an_interval(
    open_bench: Any, make_config: Any
) -> None:
    async with open_bench(start=False, document=make_config(Core__MeterValueSampleInterval=10)) as bench:
        bench.measure(1, 1200)
        bench.begin()
        await trio.sleep(3)
        await bench.charge_point.start(resuming_session_ids=["s1"])
        await trio.sleep(35)
        assert len(bench.sent("MeterValues")) == 3


async def test_a_transaction_told_between_stop_and_restart_goes_on(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.station.answers["stop_transaction"] = True  # which does not end the first one
        bench.begin(1, "before")
        await trio.sleep(1)
        await bench.charge_point.stop()
        bench.begin(2, "between")
        await bench.charge_point.restart()
        await trio.sleep(2)
        bench.charge_point.on_transaction_stopped(2, "between", Reason.LOCAL, 1300)
        await trio.sleep(2)
        ends = [(sent["transactionId"], sent["reason"]) for sent in bench.sent("StopTransaction")]
        assert ends == [(1, "PowerLoss"), (2, "Local")]


async def test_an_error_told_before_the_start_with_a_transaction_is_not_forgotten(open_bench: Any) -> None:
    async with open_bench(start=False) as bench:
        bench.charge_point.on_error(1, ErrorInfo(ChargePointErrorCode.WEAK_SIGNAL))
        bench.begin()
        await bench.charge_point.start()
        await trio.sleep(1)
        told = [sent["errorCode"] for sent in bench.sent("StatusNotification") if sent["connectorId"] == 1]
        assert told == ["WeakSignal"]
