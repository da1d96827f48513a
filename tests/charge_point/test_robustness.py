"""What others do wrong must not end the charge point: the station's code, the host's callbacks, odd numbers."""

from typing import Any

import pytest
import trio

from ocpp16.configuration.keys.core import HEARTBEAT_INTERVAL
from ocpp16.enums import Reason
from ocpp16.rpc.pending import Lane
from ocpp16.store.tables import message_queue
from ocpp16.testing.central_system import CentralSystem

SMART_CHARGING = {
    "SmartCharging__ChargeProfileMaxStackLevel": 9,
    "SmartCharging__ChargingScheduleAllowedChargingRateUnit": "Current,Power",
    "SmartCharging__ChargingScheduleMaxPeriods": 24,
    "SmartCharging__MaxChargingProfilesInstalled": 10,
}


async def test_a_meter_that_raises_falls_back_to_the_last_reading(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(Core__MeterValueSampleInterval=10)) as bench:

        def broken(connector_id: int) -> None:
            raise OSError("no meter")

        bench.charge_point.on_meter_values(1, bench.measure(1, 1234))
        bench.station.measurement = broken
        bench.begin()
        await trio.sleep(15)
        assert bench.sent("MeterValues")[0]["meterValue"][0]["sampledValue"][0]["value"] == "1234.00"


async def test_a_callback_that_raises_changes_nothing(open_bench: Any) -> None:
    async with open_bench() as bench:

        def broken() -> None:
            raise RuntimeError("host")

        bench.charge_point.on_change(HEARTBEAT_INTERVAL, broken)
        change = {"key": "HeartbeatInterval", "value": "77"}
        assert await bench.call("ChangeConfiguration", change) == {"status": "Accepted"}


@pytest.mark.parametrize("transaction_id", [0, -5, 2**31, 2**63 - 1, 2**63, 2**64 - 1])
async def test_odd_transaction_ids(open_bench: Any, tmp_path: Any, transaction_id: int) -> None:
    csms = CentralSystem()
    csms.answers["StartTransaction"] = {"idTagInfo": {"status": "Accepted"}, "transactionId": transaction_id}
    async with open_bench(csms=csms, database_path=tmp_path) as bench:
        bench.begin()
        await trio.sleep(1)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1100)
        await trio.sleep(1)
        told = [stop["transactionId"] for stop in bench.sent("StopTransaction")]
        assert told == ([transaction_id] if transaction_id < 2**63 else [])  # else the id is asked for again
        csms.violations.clear()  # StartTransaction.conf names ids that are none for others


@pytest.mark.parametrize("interval", [-1, 0, 2**31, 2**63, 2**64 - 1])
@pytest.mark.parametrize("status", ["Accepted", "Pending"])
async def test_odd_intervals(open_bench: Any, tmp_path: Any, status: str, interval: int) -> None:
    csms = CentralSystem()
    csms.answers["BootNotification"] = {
        "status": status,
        "currentTime": "2026-01-01T00:00:00Z",
        "interval": interval,
    }
    async with open_bench(csms=csms, database_path=tmp_path) as bench:
        await trio.sleep(200)
        assert bench.charge_point.connection.is_connected
        assert str(bench.charge_point.connection.registration) == status


@pytest.mark.parametrize("energy", [1e30, -1e30, 2.0**31])
async def test_registers_that_no_message_holds_are_refused(open_bench: Any, tmp_path: Any, energy: float) -> None:
    async with open_bench(database_path=tmp_path) as bench:
        with pytest.raises(ValueError, match="meter_start must fit into 32 bits"):
            bench.begin(meter_start=energy)
        bench.begin()
        with pytest.raises(ValueError, match="energy_wh must fit into 32 bits"):
            bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, energy)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        await trio.sleep(1)
        assert bench.sent("StopTransaction")[0]["meterStop"] == 1500


async def test_a_cancelled_question_leaves_nothing_behind(open_bench: Any) -> None:
    csms = CentralSystem()
    csms.answers["Authorize"] = None
    async with open_bench(csms=csms) as bench:
        with trio.move_on_after(5) as scope:
            await bench.charge_point.authorize_id_token("TAG1")
        assert scope.cancelled_caught
        with trio.move_on_after(1):
            await bench.charge_point.authorize_id_token("TAG2")
        await trio.sleep(60)
        assert bench.charge_point.connection.queue_depth == 0
        del csms.answers["Authorize"]
        assert (await bench.charge_point.authorize_id_token("TAG3")).is_accepted


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("SupplyVoltage", ["0", "-1", "nan", "inf", "1e999", "1e300", "230.5", "400"]),
        ("CompositeScheduleDefaultLimitAmps", ["0", "-1", "nan", "inf", "1e999", "1e300", "48.5"]),
        ("CompositeScheduleDefaultLimitWatts", ["0", "nan", "1e300"]),
        ("CompositeScheduleDefaultNumberPhases", ["0", "1", "4"]),
        ("IgnoredProfilePurposesOffline", ["", "TxProfile", "Nonsense"]),
    ],
)
async def test_odd_settings_of_smart_charging(open_bench: Any, make_config: Any, key: str, values: list[str]) -> None:
    document = make_config(Core__SupportedFeatureProfiles="Core,SmartCharging", **SMART_CHARGING)
    async with open_bench(document=document) as bench:
        for value in values:
            await bench.call("ChangeConfiguration", {"key": key, "value": value})
            schedule = await bench.call("GetCompositeSchedule", {"connectorId": 0, "duration": 600})
            assert schedule["status"] == "Accepted", (key, value)
            bench.charge_point.smart_charging.charging_limit(1)
        assert bench.charge_point.connection.is_connected


async def test_a_stored_message_that_makes_no_sense_stops_no_start(
    open_bench: Any, disk: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """It stays where it is, for a person to see, and its number is not given again."""
    row = message_queue.MessageRow(7, 9, "MeterValues", {}, attempts=0, transaction_key=None, clock_boot=0)
    disk.apply([("cp001", [message_queue.put(row)])])
    async with open_bench(store=disk) as bench:
        assert "reading a stored row of message_queue failed: ValueError" in caplog.text
        assert bench.charge_point.counters.internal_errors == 1
        bench.begin()
        await trio.sleep(1)
        assert len(bench.sent("StartTransaction")) == 1
        assert [stored[0] for stored in disk.load("cp001", message_queue.TABLE)] == [7]


@pytest.mark.parametrize("marks", [None, "x", [], [0], [0, 0, 0], [0, -1], [0, 2**60], [0, 0.5], [0, None], {"a": 1}])
async def test_marks_that_make_no_sense_do_not_keep_the_end_of_a_transaction_back(
    open_bench: Any, disk: Any, marks: Any
) -> None:
    data = [{"timestamp": f"2026-01-01T00:00:0{second}Z", "sampledValue": [{"value": "1"}]} for second in range(2)]
    payload = {"meterStop": 2, "timestamp": "2026-01-01T00:00:02Z", "transactionData": data, "clockBoots": marks}
    row = message_queue.MessageRow(7, Lane.TRANSACTION, "StopTransaction", payload)
    disk.apply([("cp001", [message_queue.put(row)])])
    async with open_bench(store=disk) as bench:
        await trio.sleep(1)
        del payload["clockBoots"]
        assert bench.sent("StopTransaction") == [{"transactionId": -1, **payload}]
