"""Whose time is told: impossible ones of the Central System are not followed, a status keeps the time of its event."""

import logging
from datetime import datetime, timedelta, timezone
from math import inf, nan
from typing import Any

import pytest
import trio

from ocpp16 import open_charge_point
from ocpp16.enums import AvailabilityType, ChargePointErrorCode, Reason, SessionStartedReason
from ocpp16.models import ErrorInfo, Measurement, PhaseValues
from ocpp16.observer import BootNotificationResponse
from ocpp16.testing import Fault
from ocpp16.testing.central_system import START, CentralSystem
from ocpp16.testing.stations import RecordingStation

IMPOSSIBLE = [
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "1970-01-01T00:00:00Z",
    "2099-12-31T23:59:59.5-00:01",
    "9999-12-31T23:59:59.9999999Z",
]
DAY = 86_400
ENERGY = "Energy.Active.Import.Register"


@pytest.mark.parametrize("text", IMPOSSIBLE)
async def test_a_time_that_cannot_be_is_ignored_counted_and_told_once(
    open_bench: Any, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_bench() as bench:
        bench.csms.answers["Heartbeat"] = {"currentTime": text}
        with caplog.at_level(logging.WARNING, "ocpp16"):
            for _ in range(3):
                await bench.call("TriggerMessage", {"requestedMessage": "Heartbeat"})
                await trio.sleep(1)
        assert bench.charge_point.counters.times_ignored == 3
        assert len([record for record in caplog.records if "not followed" in record.getMessage()]) == 1
        bench.begin()
        await trio.sleep(400)
        assert bench.sent("StartTransaction")[0]["timestamp"].startswith("2026-01-01T00:00:0")
        assert all(time.year == 2026 for (time,) in bench.station.asked("set_system_time"))


@pytest.mark.parametrize("text", IMPOSSIBLE)
async def test_a_transaction_of_before_a_boot_with_an_impossible_time_goes_out(
    open_bench: Any, text: str, tmp_path: Any
) -> None:
    csms = CentralSystem()
    csms.is_reachable = False
    csms.answers["BootNotification"] = {"status": "Accepted", "currentTime": text, "interval": 300}
    async with open_bench(csms=csms, database_path=tmp_path) as bench:
        bench.begin()
        await trio.sleep(5)
        csms.is_reachable = True
        await trio.sleep(60)
        assert [start["timestamp"][:16] for start in bench.sent("StartTransaction")] == ["2026-01-01T00:00"]
        assert not bench.charge_point.for_station.clock.is_set
        (told, *_) = bench.events.of(BootNotificationResponse)
        assert told.current_time.year in (1, 1970, 2100, 9999)
    async with open_bench(database_path=tmp_path) as bench:
        await trio.sleep(30)
        assert [stop["reason"] for stop in bench.sent("StopTransaction")] == []


async def test_a_right_time_after_an_impossible_one_is_followed(open_bench: Any) -> None:
    csms = CentralSystem()
    csms.answers["BootNotification"] = {"status": "Accepted", "currentTime": IMPOSSIBLE[0], "interval": 300}
    async with open_bench(csms=csms, anchor=START / 1e6 - 40 * DAY) as bench:
        await trio.sleep(1)
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        await trio.sleep(1)
        assert bench.sent("StatusNotification")[-1]["timestamp"].startswith("2025-11-22")
        await bench.call("TriggerMessage", {"requestedMessage": "Heartbeat"})
        await trio.sleep(1)
        assert bench.charge_point.for_station.clock.is_set
        await bench.call("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1})
        await trio.sleep(1)
        assert bench.sent("StatusNotification")[-1]["timestamp"].startswith("2026-01-01T00:00:0")


# A status


async def test_a_status_of_while_offline_is_told_with_the_time_of_its_event(open_bench: Any) -> None:
    async with open_bench() as bench:
        await trio.sleep(1)
        bench.csms.is_reachable = False
        bench.csms.abort("cp001")
        await trio.sleep(10)
        at = bench.charge_point.for_station.clock.now_datetime()
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        await trio.sleep(600)
        bench.csms.is_reachable = True
        await trio.sleep(600)
        (told,) = [status for status in bench.sent("StatusNotification") if status["status"] == "Preparing"]
        assert told["timestamp"] == at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def test_a_triggered_status_is_told_with_the_time_since_when_it_holds(open_bench: Any) -> None:
    async with open_bench() as bench:
        await trio.sleep(10)
        bench.charge_point.on_error(1, ErrorInfo(ChargePointErrorCode.GROUND_FAILURE, is_fault=True))
        await trio.sleep(500)
        bench.charge_point.connector_status(1)
        await bench.call("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1})
        await trio.sleep(1)
        stamps = [status["timestamp"] for status in bench.sent("StatusNotification") if status["status"] == "Faulted"]
        assert len(stamps) == 2
        assert len(set(stamps)) == 1


@pytest.mark.parametrize("ahead", [-3 * DAY, 3 * DAY])
async def test_a_status_of_before_the_boot_is_told_in_corrected_time(open_bench: Any, ahead: int) -> None:
    csms = CentralSystem()
    csms.is_reachable = False
    async with open_bench(csms=csms, anchor=START / 1e6 + ahead) as bench:
        await trio.sleep(100)
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        await trio.sleep(100)
        csms.is_reachable = True
        await trio.sleep(100)
        stamps = {status["connectorId"]: status["timestamp"] for status in bench.sent("StatusNotification")}
        assert {connector: stamp[:19] for connector, stamp in stamps.items()} == {
            0: "2026-01-01T00:00:00",
            1: "2026-01-01T00:01:40",
            2: "2026-01-01T00:00:00",
        }
        status = bench.charge_point.connector_status(1)
        assert abs(status.timestamp - START - 100_000_000) < 1_000_000


async def test_no_status_of_a_connector_is_told_with_an_earlier_time_than_the_one_before(open_bench: Any) -> None:
    async with open_bench() as bench:
        charge_point = bench.charge_point
        await trio.sleep(3600)
        early = charge_point.for_station.clock.now_datetime() - timedelta(minutes=30)
        charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        await trio.sleep(1)
        charge_point.on_error(1, ErrorInfo(ChargePointErrorCode.WEAK_SIGNAL, timestamp=early, uuid="w"))
        await trio.sleep(1)
        told_before = len(bench.sent("StatusNotification"))
        await bench.put_clock(600 - 3602)
        charge_point.on_resume_charging(1)
        await trio.sleep(1)
        charge_point.on_error_cleared(1, "w")
        await bench.call("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1})
        await charge_point.on_change_availability(0, AvailabilityType.OPERATIVE)
        await trio.sleep(1)
        # A clock that is set back begins anew: nothing that is told from there on lies ahead of it.
        everything = bench.sent("StatusNotification")
        for part in (everything[:told_before], everything[told_before:]):
            for connector_id in range(3):
                told = [status["timestamp"] for status in part if status["connectorId"] == connector_id]
                assert told == sorted(told)
        assert len(everything) > told_before + 2
        assert max(status["timestamp"] for status in everything[told_before:]) < "2026-01-01T00:10:10"
        assert len([s for s in bench.sent("StatusNotification") if s["connectorId"] == 1]) == 6


async def test_a_status_does_not_stay_ahead_of_a_clock_that_was_put_right(open_bench: Any) -> None:
    """A wrong answer to a Heartbeat sets it a day ahead; the next one sets it right."""
    csms = CentralSystem()
    async with open_bench(csms=csms) as bench:
        await trio.sleep(10)
        await bench.put_clock(DAY)
        at = trio.current_time()
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        await trio.sleep(600)
        await bench.put_clock(0)
        status = bench.charge_point.connector_status(1)
        assert abs(status.timestamp - START - at * 1e6) < 1e6, "the time of its event"
        await bench.call("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1})
        await trio.sleep(60)
        bench.charge_point.on_session_stopped(1, "s1")
        await trio.sleep(1)
        stamps = [s["timestamp"] for s in bench.sent("StatusNotification") if s["connectorId"] == 1]
        assert [stamp[8:19] for stamp in stamps[1:]] == ["02T00:00:10", "01T00:00:10", "01T00:11:11"]


@pytest.mark.parametrize("duration", [0, 30])
async def test_a_status_that_waits_is_not_told_with_a_time_ahead_of_the_clock(
    open_bench: Any, make_config: Any, duration: int
) -> None:
    """It happens while the Heartbeat is open that sets the clock right, or is held for MinimumStatusDuration."""
    async with open_bench(document=make_config(Core__MinimumStatusDuration=duration)) as bench:
        await trio.sleep(20)
        await bench.put_clock(DAY)
        bench.csms.misbehave(Fault.DELAY, "Heartbeat", seconds=5)
        await bench.put_clock(0)
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        await trio.sleep(60)
        (told,) = [s for s in bench.sent("StatusNotification") if s["status"] == "Preparing"]
        assert told["timestamp"][:16] == "2026-01-01T00:00"


# A transaction


def times_of_transaction(bench: Any) -> tuple[str, list[str], str]:
    """When it began, when its samples were taken that StopTransaction has, and when it ended."""
    (start,), (stop,) = bench.sent("StartTransaction"), bench.sent("StopTransaction")
    return start["timestamp"], [value["timestamp"] for value in stop["transactionData"]], stop["timestamp"]


@pytest.mark.parametrize("online", [True, False])
@pytest.mark.parametrize("host", [None, timedelta(), timedelta(hours=1)])
async def test_nothing_of_a_transaction_lies_before_its_begin_or_after_its_end(
    open_bench: Any, make_config: Any, host: timedelta | None, online: bool
) -> None:
    """Begun with or without a clock that is set, which is set back by an hour later; or the host's clock is behind."""
    csms = CentralSystem()
    csms.is_reachable = online
    document = make_config(Core__MeterValueSampleInterval=10, Core__StopTxnSampledData=ENERGY)
    async with open_bench(csms=csms, document=document) as bench:
        bench.station.measurement = lambda number: Measurement(energy_import=PhaseValues(trio.current_time() + 1000))
        await trio.sleep(1)
        bench.charge_point.on_transaction_started(1, "s1", "TAG", 1001, signed_meter_value="begin")
        await trio.sleep(25)
        csms.is_reachable = True
        await bench.charge_point.wait_registered()
        await trio.sleep(25)
        if host is None or not host:
            await bench.put_clock(-3600)
        await trio.sleep(25)
        stamp = None if host is None else bench.charge_point.for_station.clock.now_datetime() - host
        bench.charge_point.on_transaction_stopped(
            1, "s1", Reason.LOCAL, 1100, timestamp=stamp, signed_meter_value="end"
        )
        await trio.sleep(5)
        begin, samples, end = times_of_transaction(bench)
        assert len(samples) >= 11
        assert samples == sorted(samples)
        assert (samples[0], samples[-1]) == (begin, end)
        sent = [value["timestamp"] for payload in bench.sent("MeterValues") for value in payload["meterValue"]]
        assert min(sent) >= begin


# The expiry date of an id tag


@pytest.mark.parametrize(
    ("expiry", "year"),
    [
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("1970-01-01T00:00:00Z", None),
        ("2199-12-31T00:00:00Z", 2199),
        ("9999-12-31T23:59:59.9999999Z", 9999),
    ],
)
async def test_an_expiry_date_that_was_never_set_is_none(open_bench: Any, expiry: str, year: int | None) -> None:
    async with open_bench() as bench:
        bench.csms.answers["Authorize"] = {"idTagInfo": {"status": "Accepted", "expiryDate": expiry}}
        await trio.sleep(1)
        info = await bench.charge_point.authorize_id_token("TAG1")
        assert info.is_accepted
        assert (info.expiry_date and info.expiry_date.year) == year


@pytest.mark.parametrize("id_tag", ["", "x" * 21, "\udcff", None, 5, b"TAG1"])
async def test_an_id_tag_that_cannot_be_sent_is_refused(open_bench: Any, id_tag: Any) -> None:
    async with open_bench() as bench:
        await trio.sleep(1)
        with pytest.raises(ValueError, match=r"^id_tag must be text"):
            await bench.charge_point.authorize_id_token(id_tag)
        with pytest.raises(ValueError, match=r"^id_token must be text"):
            bench.begin(id_tag=id_tag)
        assert bench.charge_point.transaction(1) is None
        bench.begin()


@pytest.mark.parametrize("registered", [True, False])
@pytest.mark.parametrize("year", [1, 1970, 2023, 2101, 9999])
async def test_a_time_of_the_host_that_cannot_be_is_refused(open_bench: Any, year: int, registered: bool) -> None:
    csms = CentralSystem()
    if not registered:
        csms.answers["BootNotification"] = {"status": "Pending", "currentTime": "0001-01-01T00:00:00Z", "interval": 9}
    async with open_bench(csms=csms) as bench:
        start = bench.charge_point.on_transaction_started
        with pytest.raises(ValueError, match="timestamp"):
            start(1, "s1", "TAG1", 0, timestamp=datetime(year, 1, 2, tzinfo=timezone(timedelta(hours=9))))
        assert bench.charge_point.transaction(1) is None
        assert bench.charge_point.connection.queue_depth == 0


async def test_a_time_of_the_host_ahead_of_the_clock_is_now_and_counted(open_bench: Any) -> None:
    async with open_bench() as bench:
        charge_point = bench.charge_point
        now = charge_point.for_station.clock.now_datetime()
        charge_point.on_transaction_started(1, "s1", "TAG1", 0, timestamp=now + timedelta(hours=1))
        charge_point.on_transaction_started(2, "s2", "TAG2", 0, timestamp=now)
        await trio.sleep(1)
        assert len({start["timestamp"] for start in bench.sent("StartTransaction")}) == 1
        assert charge_point.counters.readings_clamped == 1


@pytest.mark.parametrize("anchor", [nan, inf, "2026-01-01", True])
async def test_an_anchor_that_is_no_time_is_refused(make_config: Any, anchor: Any) -> None:
    with pytest.raises(ValueError, match="anchor"):
        async with open_charge_point(make_config(), RecordingStation(), anchor=anchor):
            pass
