"""Boot, registration, heartbeat and clock."""

from typing import Any

import pytest
import trio

from ocpp16.enums import ChargePointStatus, RegistrationStatus
from ocpp16.errors import CallFailed
from ocpp16.observer import BootNotificationResponse
from ocpp16.testing.answers import CallErrorAnswer
from ocpp16.testing.central_system import CentralSystem
from ocpp16.testing.misbehaviour import Fault


async def test_boot_names_the_charge_point_and_reports_all_connectors(open_bench: Any) -> None:
    async with open_bench() as bench:
        assert bench.sent("BootNotification") == [{"chargePointVendor": "V1", "chargePointModel": "M1"}]
        assert [(status["connectorId"], status["status"]) for status in bench.sent("StatusNotification")] == [
            (0, "Available"),
            (1, "Available"),
            (2, "Available"),
        ]
        assert bench.charge_point.connection.registration is RegistrationStatus.ACCEPTED
        assert bench.events.of(BootNotificationResponse)[0].interval == 300
        assert bench.station.asked("set_connection_timeout")


async def test_identity_of_the_boot_comes_from_the_configuration(open_bench: Any, make_config: Any) -> None:
    document = make_config(
        Internal__ChargePointSerialNumber="S1",
        Internal__ChargeBoxSerialNumber="B1",
        Internal__FirmwareVersion="1.2",
        Internal__ICCID="i",
        Internal__IMSI="m",
        Internal__MeterType="t",
        Internal__MeterSerialNumber="n",
    )
    async with open_bench(document=document) as bench:
        assert bench.sent("BootNotification")[0] == {
            "chargePointVendor": "V1",
            "chargePointModel": "M1",
            "chargePointSerialNumber": "S1",
            "chargeBoxSerialNumber": "B1",
            "firmwareVersion": "1.2",
            "iccid": "i",
            "imsi": "m",
            "meterType": "t",
            "meterSerialNumber": "n",
        }


async def test_a_triggered_boot_does_not_wait_for_its_next_attempt(open_bench: Any) -> None:
    csms = CentralSystem()
    csms.answers["BootNotification"] = CallErrorAnswer("InternalError")
    async with open_bench(csms=csms) as bench:
        del csms.answers["BootNotification"]
        for _ in range(2):
            answer = await bench.call("TriggerMessage", {"requestedMessage": "BootNotification"})
            assert answer == {"status": "Accepted"}
            await trio.sleep(0.5)
            assert bench.charge_point.connection.registration is RegistrationStatus.ACCEPTED
        assert len(bench.sent("BootNotification")) == 3
        await trio.sleep(120)
        assert len(bench.sent("BootNotification")) == 3, "the one that waited is done"


async def test_a_boot_that_was_given_up_for_a_newer_one_is_sent_once(open_bench: Any) -> None:
    csms = CentralSystem()
    csms.is_reachable = False
    async with open_bench(csms=csms) as bench:
        for _ in range(3):
            bench.charge_point._runtime.features.boot.send_boot_notification()
        csms.is_reachable = True
        await trio.sleep(60)
        assert len(bench.sent("BootNotification")) == 1
        assert bench.charge_point.connection.registration is RegistrationStatus.ACCEPTED


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
async def test_not_accepted_asks_again_after_the_interval(open_bench: Any, status: str) -> None:
    csms = CentralSystem()
    csms.refuse_boot(status, times=2, interval=45)
    async with open_bench(csms=csms) as bench:
        assert bench.sent() == bench.sent("BootNotification")
        await trio.sleep(44)
        assert len(bench.sent("BootNotification")) == 1
        await trio.sleep(2)
        assert len(bench.sent("BootNotification")) == 2
        await trio.sleep(45)
        assert bench.charge_point.connection.registration is RegistrationStatus.ACCEPTED
        # The interval of an answer that does not accept is no heartbeat interval.
        assert bench.charge_point.configuration.get(["HeartbeatInterval"])["configurationKey"][0]["value"] == "300"


async def test_interval_zero_waits_a_minute(open_bench: Any) -> None:
    csms = CentralSystem()
    csms.refuse_boot("Pending", interval=0)
    async with open_bench(csms=csms) as bench:
        await trio.sleep(59)
        assert len(bench.sent("BootNotification")) == 1
        await trio.sleep(2)
        assert len(bench.sent("BootNotification")) == 2


async def test_pending_can_be_configured_and_triggered_but_not_remote_controlled(open_bench: Any) -> None:
    csms = CentralSystem()
    csms.refuse_boot("Pending", times=1, interval=1000)
    async with open_bench(csms=csms) as bench:
        assert (await bench.call("GetConfiguration", {"key": ["NumberOfConnectors"]}))["configurationKey"]
        assert await bench.call("RemoteStartTransaction", {"idTag": "A"}) == {"status": "Rejected"}
        assert await bench.call("RemoteStopTransaction", {"transactionId": 1}) == {"status": "Rejected"}
        assert bench.station.asked("provide_token") == []
        answer = await bench.call("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1})
        assert answer == {"status": "Accepted"}
        await trio.sleep(0.1)
        assert [status["connectorId"] for status in bench.sent("StatusNotification")] == [1]


async def test_rejected_is_silent_and_deaf(open_bench: Any) -> None:
    csms = CentralSystem()
    csms.refuse_boot("Rejected", times=1, interval=100)
    async with open_bench(csms=csms) as bench:
        with pytest.raises(CallFailed, match="timeout"):
            await csms.call("cp001", "GetConfiguration", {}, timeout=20)
        bench.charge_point.on_error(1, _error())
        await trio.sleep(1)
        assert bench.sent() == bench.sent("BootNotification")


def _error() -> Any:
    from ocpp16.enums import ChargePointErrorCode
    from ocpp16.models import ErrorInfo

    return ErrorInfo(ChargePointErrorCode.GROUND_FAILURE, is_fault=True)


async def test_boot_is_repeated_until_it_is_answered(open_bench: Any) -> None:
    csms = CentralSystem()
    csms.misbehave(Fault.DROP, "BootNotification", times=3)
    async with open_bench(csms=csms) as bench:
        await trio.sleep(600)
        assert bench.charge_point.connection.registration is RegistrationStatus.ACCEPTED
        assert len(bench.sent("BootNotification")) == 4


async def test_a_boot_that_is_asked_for_while_one_is_open_is_that_one(open_bench: Any) -> None:
    csms = CentralSystem()
    csms.misbehave(Fault.DELAY, "BootNotification", seconds=5)
    async with open_bench(csms=csms) as bench:
        trigger = {"requestedMessage": "BootNotification"}
        assert await bench.call("TriggerMessage", trigger) == {"status": "Accepted"}
        await trio.sleep(10)
        assert len(bench.sent("BootNotification")) == 1
        assert await bench.call("TriggerMessage", trigger) == {"status": "Accepted"}
        await trio.sleep(1)
        assert len(bench.sent("BootNotification")) == 2


async def test_boot_answered_by_an_error_is_repeated(open_bench: Any) -> None:
    csms = CentralSystem()
    csms.answers["BootNotification"] = CallErrorAnswer("InternalError")
    async with open_bench(csms=csms) as bench:
        bench.charge_point.on_disabled(1)
        bench.begin(2)
        await trio.sleep(61)
        assert [call.action for call in bench.csms.calls()] == 2 * ["BootNotification"], "and nothing else goes"
        del csms.answers["BootNotification"]
        await trio.sleep(61)
        assert bench.charge_point.connection.registration is RegistrationStatus.ACCEPTED


async def test_a_triggered_boot_can_take_the_acceptance_back(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.csms.refuse_boot("Pending", interval=10)
        await bench.call("TriggerMessage", {"requestedMessage": "BootNotification"})
        await trio.sleep(1)
        assert str(bench.charge_point.connection.registration) == "Pending"
        await trio.sleep(400)  # no heartbeat while pending, and accepted again after the interval
        assert str(bench.charge_point.connection.registration) == "Accepted"


async def test_heartbeats_follow_the_interval_and_its_changes(open_bench: Any) -> None:
    async with open_bench() as bench:
        await trio.sleep(950)
        assert len(bench.sent("Heartbeat")) == 3
        assert await bench.call("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "10"}) == {
            "status": "Accepted"
        }
        await trio.sleep(35)
        assert len(bench.sent("Heartbeat")) == 6
        await bench.call("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "0"})
        await trio.sleep(1000)
        assert len(bench.sent("Heartbeat")) == 6


async def test_the_central_system_sets_the_clock(open_bench: Any) -> None:
    async with open_bench(anchor=0.0) as bench:
        assert bench.charge_point.for_station.clock.now_datetime().year == 2026
        assert bench.station.asked("set_system_time")[0][0].year == 2026


async def test_reconnect_needs_no_boot_but_reports_the_connectors(open_bench: Any) -> None:
    async with open_bench() as bench:
        before = len(bench.sent("StatusNotification"))
        bench.csms.abort("cp001")
        await trio.sleep(20)
        assert len(bench.sent("BootNotification")) == 1
        assert len(bench.sent("StatusNotification")) == before + 3


async def test_stop_and_restart_begin_anew(open_bench: Any) -> None:
    async with open_bench() as bench:
        charge_point = bench.charge_point
        assert await charge_point.stop() is True
        assert await charge_point.stop() is False
        assert not charge_point.connection.is_connected
        assert await charge_point.restart() is True
        assert await charge_point.restart() is False
        await trio.sleep(1)
        assert len(bench.sent("BootNotification")) == 2
        assert charge_point.connection.registration is RegistrationStatus.ACCEPTED
        await trio.sleep(301)
        assert len(bench.sent("Heartbeat")) == 1


async def test_connector_states_can_be_given_at_the_start(open_bench: Any) -> None:
    async with open_bench(start=False) as bench:
        with pytest.raises(ValueError, match="connector_status: no connector 3"):
            await bench.charge_point.start({3: ChargePointStatus.PREPARING})
        with pytest.raises(ValueError, match=r"connector_status\[1\]"):
            await bench.charge_point.start({1: "Occupied"})
        for reason in ("x", "", None, 1):
            with pytest.raises(ValueError, match=r"^boot_reason must be one of "):
                await bench.charge_point.start(boot_reason=reason)
            with pytest.raises(ValueError, match=r"^boot_reason must be one of "):
                await bench.charge_point.restart(boot_reason=reason)
        await bench.charge_point.start(
            {0: ChargePointStatus.AVAILABLE, 1: ChargePointStatus.PREPARING, 2: ChargePointStatus.FAULTED}
        )
        await trio.sleep(1)
        assert [status["status"] for status in bench.sent("StatusNotification")] == [
            "Available",
            "Preparing",
            "Faulted",
        ]
