"""What a meter says is checked where it enters, and dated by the charge point's clock."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf, nan
from typing import Any

import pytest
import trio

from ocpp16.enums import Reason
from ocpp16.models import Measurement, PhaseValues
from ocpp16.testing.central_system import START, CentralSystem

ENERGY = "Energy.Active.Import.Register"
DAY = 86_400


@dataclass(frozen=True)
class Careless(Measurement):
    """A subclass that looks at nothing."""

    def __post_init__(self) -> None:
        pass


async def a_coroutine() -> Measurement:
    return Measurement()


def bad(value: Any) -> Callable[[], Any]:
    return lambda: value


def raising(error: Exception) -> Callable[[], Any]:
    def meter() -> Any:
        raise error

    return meter


BAD: dict[str, Callable[[], Any]] = {
    "nan": lambda: Measurement(energy_import=PhaseValues(nan)),
    "infinite": lambda: Measurement(energy_import=PhaseValues(5.0), voltage=PhaseValues(l1=inf)),
    "naive time": lambda: Measurement(datetime(2026, 1, 1), PhaseValues(5.0)),
    "no registers": lambda: Measurement(None, None),  # type: ignore[arg-type]
    "text": bad("5 Wh"),
    "bytes": bad(b"5"),
    "number": bad(5.0),
    "zero": bad(0),
    "false": bad(False),
    "empty": bad({}),
    "dict": bad({"power_meter": {"energy_Wh_import": {"total": 5}}}),
    "tuple": bad((5.0, 230.0)),
    "coroutine": a_coroutine,
    "class": bad(Measurement),
    "careless subclass": lambda: Careless(datetime(2026, 1, 1), PhaseValues(5.0)),
    "ValueError": raising(ValueError("no\r\nbus")),
    "KeyError": raising(KeyError(1)),
    "OSError": raising(OSError(5, "I/O error")),
}


def stamps(bench: Any) -> list[tuple[int, str, str]]:
    """(connector, time, first value) of every MeterValues."""
    return [
        (payload["connectorId"], value["timestamp"][11:19], value["sampledValue"][0]["value"])
        for payload in bench.sent("MeterValues")
        for value in payload["meterValue"]
    ]


@pytest.mark.parametrize("kind", list(BAD))
async def test_a_reading_that_is_none_stops_nobody_and_is_told_once(
    open_bench: Any, make_config: Any, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    document = make_config(Core__MeterValueSampleInterval=10, Core__StopTxnSampledData=ENERGY)
    async with open_bench(document=document) as bench:
        charge_point = bench.charge_point
        good = bench.station.measurement
        bench.measure(2, 2000)
        bench.station.measurement = lambda number: BAD[kind]() if number == 1 else good(number)
        with caplog.at_level(logging.WARNING, "ocpp16"):
            bench.begin()
            bench.begin(2, "s2")
            await trio.sleep(35)
            charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
            charge_point.on_transaction_stopped(2, "s2", Reason.LOCAL, 2500)
            await trio.sleep(5)
        assert {number for number, _, _ in stamps(bench)} == {2}
        assert len(stamps(bench)) == 3
        assert charge_point.counters.readings_refused == 5  # begin, three samples, end
        told = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
        assert len(told) == 1
        assert told[0].startswith("cp001: connector 1: a reading of the meter is refused")
        assert told[0].isprintable()
        # The registers that the station told itself are there all the same.
        data = {stop["meterStop"]: stop["transactionData"] for stop in bench.sent("StopTransaction")}
        assert [value["sampledValue"][0]["value"] for value in data[1500]] == ["1000.00", "1500.00"]


async def test_causes_are_told_once_for_each_connector_and_not_without_end(
    open_bench: Any, make_config: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_bench(document=make_config(Core__ClockAlignedDataInterval=1)) as bench:
        count = iter(range(1000))
        bench.station.measurement = lambda number: {
            1: bad("text"),
            2: raising(type(f"Error{next(count)}", (Exception,), {})("new each time")),
        }[number]()
        with caplog.at_level(logging.WARNING, "ocpp16"):
            await trio.sleep(30.5)
        told = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
        assert len([line for line in told if "connector 1" in line]) == 1
        assert len([line for line in told if "connector 2" in line]) == 8
        assert bench.charge_point.counters.readings_refused == 60


async def test_the_last_reading_told_stands_in_under_its_own_time(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(Core__ClockAlignedDataInterval=60)) as bench:
        await trio.sleep(20)
        bench.charge_point.on_meter_values(1, Measurement(energy_import=PhaseValues(1234.0)))
        bench.station.measurement = lambda number: "broken" if number == 1 else None
        await trio.sleep(45)
        assert stamps(bench) == [(1, "00:00:20", "1234.00")]


@pytest.mark.parametrize("value", [None, 5.0, "text", {"total": 5}, Measurement, PhaseValues(5.0)])
async def test_what_is_no_measurement_is_refused_and_leaves_nothing(
    open_bench: Any, make_config: Any, value: Any
) -> None:
    async with open_bench(document=make_config(Core__MeterValueSampleInterval=5)) as bench:
        bench.begin()
        before = bench.charge_point._runtime.writer.last
        with pytest.raises(ValueError, match=r"^measurement must be a Measurement, not "):
            bench.charge_point.on_meter_values(1, value)
        with pytest.raises(ValueError, match=r"^timestamp must be a time with a zone"):
            bench.charge_point.on_meter_values(1, Careless(datetime(2026, 1, 1), PhaseValues(10.0)))
        assert bench.charge_point._runtime.writer.last == before
        await trio.sleep(30)
        assert bench.sent("MeterValues") == []
        assert bench.charge_point.counters.readings_refused == 0


@pytest.mark.parametrize("value", [nan, inf, True, "16", None])
async def test_what_is_offered_is_a_number(open_bench: Any, value: Any) -> None:
    async with open_bench() as bench:
        with pytest.raises(ValueError, match=r"^amperes must be a finite number"):
            bench.charge_point.on_max_current_offered(1, value)
        with pytest.raises(ValueError, match=r"^watts must be a finite number"):
            bench.charge_point.on_max_power_offered(1, value)


# Whose clock


async def test_a_reading_without_a_time_was_made_now(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(Core__MeterValueSampleInterval=10)) as bench:
        bench.station.measurement = lambda number: Measurement(energy_import=PhaseValues(1000 + trio.current_time()))
        bench.begin()
        await trio.sleep(25)
        assert [stamp for _, stamp, _ in stamps(bench)] == ["00:00:10", "00:00:20"]
        assert bench.charge_point.counters.readings_clamped == 0


@pytest.mark.parametrize("ahead", [timedelta(seconds=1), timedelta(minutes=5), timedelta(days=400)])
async def test_a_reading_stamped_ahead_was_made_now(open_bench: Any, make_config: Any, ahead: timedelta) -> None:
    async with open_bench(document=make_config(Core__MeterValueSampleInterval=10)) as bench:
        charge_point = bench.charge_point
        bench.station.measurement = lambda number: Measurement(
            charge_point.for_station.clock.now_datetime() + ahead, PhaseValues(1000 + trio.current_time())
        )
        bench.begin()
        await trio.sleep(35)
        charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1100)
        await trio.sleep(2)
        assert [stamp for _, stamp, _ in stamps(bench)] == ["00:00:10", "00:00:20", "00:00:30"]
        assert charge_point.counters.readings_clamped == 3


async def test_the_same_reading_given_again_is_clamped_and_counted_once(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(Core__MeterValueSampleInterval=10)) as bench:
        charge_point = bench.charge_point
        bench.begin()
        await trio.sleep(5)
        bench.station.measurements[1] = Measurement(
            charge_point.for_station.clock.now_datetime() + timedelta(minutes=5), PhaseValues(1010.0)
        )
        await trio.sleep(30)
        assert [stamp for _, stamp, _ in stamps(bench)] == ["00:00:10"] * 3
        assert charge_point.counters.readings_clamped == 1


async def test_what_was_told_before_the_station_measured_does_not_stand_in_later(
    open_bench: Any, make_config: Any
) -> None:
    async with open_bench(document=make_config(Core__MeterValueSampleInterval=10)) as bench:
        charge_point = bench.charge_point
        bench.begin()
        charge_point.on_meter_values(1, Measurement(None, PhaseValues(1001.0)))
        await trio.sleep(15)  # it has stood in once: nothing was measured yet
        bench.measure(1, 1020.0)
        await trio.sleep(10)
        del bench.station.measurements[1]
        await trio.sleep(10)  # the meter fails, and what it said is newer
        charge_point.on_meter_values(1, Measurement(None, PhaseValues(1035.0)))
        await trio.sleep(10)
        assert [value for _, _, value in stamps(bench)] == ["1001.00", "1020.00", "1035.00"]


async def test_what_is_less_than_a_second_ahead_is_no_news(open_bench: Any) -> None:
    async with open_bench() as bench:
        charge_point = bench.charge_point
        ahead = charge_point.for_station.clock.now_datetime() + timedelta(milliseconds=900)
        charge_point.on_meter_values(1, Measurement(ahead, PhaseValues(5.0)))
        await bench.call("TriggerMessage", {"requestedMessage": "MeterValues"})
        await trio.sleep(1)
        assert [stamp for _, stamp, _ in stamps(bench)] == ["00:00:00"]
        assert charge_point.counters.readings_clamped == 0


@pytest.mark.parametrize("time", [datetime.min, datetime(1970, 1, 1), datetime.max])
async def test_a_meter_whose_clock_was_never_set_measures_now(
    open_bench: Any, make_config: Any, time: datetime
) -> None:
    async with open_bench(document=make_config(Core__ClockAlignedDataInterval=60)) as bench:
        await trio.sleep(30)
        bench.charge_point.on_meter_values(1, Measurement(time.replace(tzinfo=UTC), PhaseValues(5.0)))
        await trio.sleep(60)
        assert stamps(bench) == [(1, "00:00:30", "5.00")]
        assert bench.charge_point.counters.readings_clamped == 1


@pytest.mark.parametrize("ahead", [-3 * DAY, 3 * DAY])
async def test_samples_of_before_the_boot_carry_the_corrected_time(
    open_bench: Any, make_config: Any, ahead: int
) -> None:
    csms = CentralSystem()
    csms.is_reachable = False
    document = make_config(Core__MeterValueSampleInterval=60, Core__StopTxnSampledData=ENERGY)
    async with open_bench(csms=csms, document=document, anchor=START / 1e6 + ahead) as bench:
        charge_point = bench.charge_point
        bench.station.measurement = lambda number: Measurement(
            charge_point.for_station.clock.now_datetime(), PhaseValues(1000 + trio.current_time())
        )
        bench.begin()
        await trio.sleep(130)
        csms.is_reachable = True
        await trio.sleep(200)
        charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1400)
        await trio.sleep(10)
        assert {payload["meterValue"][0]["timestamp"][:10] for payload in bench.sent("MeterValues")} == {"2026-01-01"}
        expected = ["00:01:00", "00:02:00", "00:03:00", "00:04:00", "00:05:00"]
        assert [stamp for _, stamp, _ in stamps(bench)] == expected
        data = [value["timestamp"] for value in bench.sent("StopTransaction")[0]["transactionData"]]
        assert data == sorted(data)
        assert [stamp[11:19] for stamp in data] == ["00:00:00", *expected, "00:05:30"]


@pytest.mark.parametrize("register", [1000, 1200])
async def test_no_sample_is_stamped_before_its_transaction_began(
    open_bench: Any, make_config: Any, register: float
) -> None:
    async with open_bench(document=make_config(Core__MeterValueSampleInterval=10)) as bench:
        bench.charge_point.on_meter_values(1, Measurement(energy_import=PhaseValues(register)))
        await trio.sleep(300)
        bench.begin()
        await trio.sleep(15)
        start = bench.sent("StartTransaction")[0]["timestamp"]
        assert [payload["meterValue"][0]["timestamp"] for payload in bench.sent("MeterValues")] == [start]


async def test_a_reading_of_before_the_transaction_is_none_of_it(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(Core__MeterValueSampleInterval=10)) as bench:
        bench.charge_point.on_meter_values(1, Measurement(energy_import=PhaseValues(900.0)))
        await trio.sleep(300)
        bench.begin()
        await trio.sleep(15)
        assert bench.sent("MeterValues") == []


async def test_a_clock_set_back_leaves_no_reading_ahead(open_bench: Any) -> None:
    async with open_bench() as bench:
        await trio.sleep(3600)
        bench.charge_point.on_meter_values(1, Measurement(energy_import=PhaseValues(5.0)))
        bench.csms.answers["Heartbeat"] = {"currentTime": "2026-01-01T00:10:00Z"}
        await bench.call("TriggerMessage", {"requestedMessage": "Heartbeat"})
        await trio.sleep(1)
        await bench.call("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1})
        await trio.sleep(1)
        assert [stamp for _, stamp, _ in stamps(bench)] == ["00:10:00"]


async def test_a_register_that_falls_does_not_lower_a_stop_made_up_after_a_power_cut(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Any
) -> None:
    document = make_config(Core__MeterValueSampleInterval=10)
    async with until_power_fails(document=document, database_path=tmp_path) as bench:
        bench.begin()
        for register in (1200, 1500, 1100):
            await trio.sleep(9)
            bench.measure(1, register)
            await trio.sleep(1)
        await trio.sleep(1)
        told = [float(value) for _, _, value in stamps(bench)]
        assert max(told) == 1500
    async with open_bench(document=document, database_path=tmp_path) as bench:
        await trio.sleep(1)
        (stop,) = bench.sent("StopTransaction")
        assert (stop["reason"], stop["meterStop"]) == ("PowerLoss", 1500)


async def test_kept_samples_alone_raise_the_register_of_a_stop_made_up(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Any
) -> None:
    document = make_config(
        Core__MeterValueSampleInterval=10, Core__MeterValuesSampledData="", Core__StopTxnSampledData=ENERGY
    )
    async with until_power_fails(document=document, database_path=tmp_path) as bench:
        bench.begin()
        await trio.sleep(5)
        bench.measure(1, 1300)
        await trio.sleep(10)
    async with open_bench(document=document, database_path=tmp_path) as bench:
        await trio.sleep(1)
        (stop,) = bench.sent("StopTransaction")
        assert (stop["meterStop"], stop["transactionData"][-1]["sampledValue"][0]["value"]) == (1300, "1300.00")
        assert stop["timestamp"] >= stop["transactionData"][-1]["timestamp"]


async def test_a_register_that_stands_is_stored_once(open_bench: Any) -> None:
    """Flash is spared; in a transaction, the end of which a reading may tell, it is stored each minute all the same."""
    async with open_bench() as bench:

        async def rows(energy: float, seconds: int = 600) -> int:
            journal = bench.charge_point._runtime.ctx.journal
            before = journal.last
            for _ in range(seconds // 10):
                bench.charge_point.on_meter_values(1, Measurement(None, PhaseValues(energy)))
                await trio.sleep(10)
            return int(journal.last - before)

        assert await rows(1000.0) >= 1
        assert await rows(1000.4) == 0, "not a Wh more"
        assert await rows(1001.0) == 1
        bench.begin()
        await trio.sleep(1)
        assert await rows(1001.0) >= 10
