"""Registers at both ends of a transaction, and interval energies that lose nothing between them."""

from typing import Any

import pytest
import trio

from ocpp16.enums import Reason
from ocpp16.models import Measurement, PhaseValues, Reading
from ocpp16.store.tables import settings

REGISTER = "Energy.Active.Import.Register"
INTERVAL = "Energy.Active.Import.Interval"


def supported(make_config: Any, **keys: Any) -> Any:
    names = f"{INTERVAL},{REGISTER},Energy.Active.Export.Interval,Energy.Reactive.Import.Interval,SoC,Voltage"
    defaults = {"Core__MeterValuesSampledData": "", "Core__MeterValuesAlignedData": ""}
    return make_config(**{"Internal__SupportedMeasurands": names, **defaults, **keys})


def values(payloads: list[dict[str, Any]], measurand: str = INTERVAL) -> list[tuple[str, float]]:
    """(context, number) of this measurand, without those of a phase."""
    return [
        (sampled["context"], float(sampled["value"]))
        for payload in payloads
        for value in payload["meterValue"]
        for sampled in value["sampledValue"]
        if sampled.get("measurand") == measurand and "phase" not in sampled
    ]


def data(bench: Any, index: int = 0) -> list[dict[str, Any]]:
    return [{"meterValue": bench.sent("StopTransaction")[index].get("transactionData", [])}]


def meter(bench: Any, start: float = 1000, power: float = 10) -> None:
    """A register of `start` Wh now that grows by `power` Wh a second, on all connectors."""
    begun = trio.current_time()
    bench.station.measurement = lambda number: Measurement(
        energy_import=PhaseValues(start + power * (trio.current_time() - begun))
    )


PERIODIC, CLOCK, END = "Sample.Periodic", "Sample.Clock", "Transaction.End"


@pytest.mark.parametrize(
    ("keys", "sent", "kept"),
    [
        (
            {"MeterValueSampleInterval": 10, "MeterValuesSampledData": INTERVAL},
            [(PERIODIC, 100), (PERIODIC, 100), (PERIODIC, 100), (END, 40)],
            [],
        ),
        (
            {"MeterValueSampleInterval": 10, "StopTxnSampledData": INTERVAL},
            [],
            [(PERIODIC, 100), (PERIODIC, 100), (PERIODIC, 100), (END, 40)],
        ),
        (
            {"MeterValueSampleInterval": 10, "MeterValuesSampledData": INTERVAL, "StopTxnSampledData": INTERVAL},
            [(PERIODIC, 100), (PERIODIC, 100), (PERIODIC, 100), (END, 40)],
            [(PERIODIC, 100), (PERIODIC, 100), (PERIODIC, 100), (END, 40)],
        ),
        ({"MeterValueSampleInterval": 0, "StopTxnSampledData": INTERVAL}, [], [(END, 340)]),
        (
            {"ClockAlignedDataInterval": 15, "MeterValuesAlignedData": INTERVAL},
            # Connector 2 has no transaction: its series begins with its first sample.
            [(CLOCK, 49), (CLOCK, 150), (CLOCK, 150), (END, 141)],
            [],
        ),
        (
            {"ClockAlignedDataInterval": 15, "StopTxnAlignedData": INTERVAL},
            [],
            [(CLOCK, 49), (CLOCK, 150), (END, 141)],
        ),
        (
            {
                "MeterValueSampleInterval": 10,
                "ClockAlignedDataInterval": 15,
                "StopTxnSampledData": INTERVAL,
                "StopTxnAlignedData": INTERVAL,
            },
            [],
            [(CLOCK, 49), (PERIODIC, 100), (CLOCK, 150), (PERIODIC, 100), (PERIODIC, 100), (END, 40)],
        ),
    ],
)
async def test_intervals_begin_and_end_with_the_transaction(
    open_bench: Any, make_config: Any, keys: dict[str, Any], sent: list[Any], kept: list[Any]
) -> None:
    document = supported(make_config, **{f"Core__{name}": value for name, value in keys.items()})
    async with open_bench(document=document) as bench:
        await trio.sleep(10)
        meter(bench)
        bench.begin()
        await trio.sleep(34)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1340)
        await trio.sleep(0.5)
        assert values(bench.sent("MeterValues")) == sent
        assert values(data(bench)) == kept


async def test_no_interval_reaches_back_over_a_begin_or_an_end(open_bench: Any, make_config: Any) -> None:
    document = supported(
        make_config,
        Core__MeterValueSampleInterval=10,
        Core__ClockAlignedDataInterval=30,
        Core__MeterValuesSampledData=INTERVAL,
        Core__MeterValuesAlignedData=INTERVAL,
        Core__NumberOfConnectors=1,
    )
    async with open_bench(document=document) as bench:
        meter(bench)
        bench.begin()
        await trio.sleep(35)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1350)
        await trio.sleep(5)
        bench.station.measurement = lambda number: Measurement(energy_import=PhaseValues(1351.0))
        await trio.sleep(25)
        first = values(bench.sent("MeterValues"))
        # What is aligned after the end counts from the end.
        assert first[-1] == (CLOCK, 1.0)
        assert sum(energy for context, energy in first if context in (PERIODIC, END)) == 350
        meter(bench, 5000)
        bench.begin(session_id="s2", meter_start=5000)
        await trio.sleep(15)
        assert values(bench.sent("MeterValues"))[len(first) :] == [(PERIODIC, 100)]


async def test_intervals_go_on_over_a_restart(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Any
) -> None:
    document = supported(
        make_config,
        Core__MeterValueSampleInterval=10,
        Core__MeterValuesSampledData=INTERVAL,
        Core__StopTxnSampledData=INTERVAL,
    )
    async with until_power_fails(document=document, database_path=tmp_path) as bench:
        meter(bench)
        bench.begin()
        await trio.sleep(25)
        # The register that is noted is newer than the last sample.
        bench.charge_point.on_meter_values(1, Measurement(energy_import=PhaseValues(1249.0)))
    async with open_bench(start=False, document=document, database_path=tmp_path) as bench:
        meter(bench, 1300)
        await bench.charge_point.start(resuming_session_ids=["s1"])
        await trio.sleep(15)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1450)
        await trio.sleep(1)
        kept = values(data(bench))
        assert kept == [(PERIODIC, 100), (PERIODIC, 100), (PERIODIC, 200), (END, 50)]
        assert sum(energy for _, energy in kept) == 450


async def test_intervals_of_all_registers_that_were_only_sent_lose_nothing_over_a_restart(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Any
) -> None:
    wanted = ["Energy.Active.Import.Interval", "Energy.Active.Export.Interval", "Energy.Reactive.Import.Interval"]
    document = supported(make_config, Core__MeterValueSampleInterval=10, Core__MeterValuesSampledData=",".join(wanted))

    def reading(energy: float) -> Measurement:
        phases = PhaseValues(energy, energy / 2, energy / 4, energy / 4)
        return Measurement(
            energy_import=phases, energy_export=PhaseValues(energy * 2), reactive_energy_import=PhaseValues(energy * 3)
        )

    sent = []
    async with until_power_fails(document=document, database_path=tmp_path) as bench:
        begun = trio.current_time()
        bench.station.measurement = lambda number: reading(1000 + 10 * (trio.current_time() - begun))
        bench.begin()
        await trio.sleep(25)
        bench.charge_point.on_meter_values(1, reading(1249))  # the register that is noted is newer than the sample
        sent += bench.sent("MeterValues")
    async with open_bench(start=False, document=document, database_path=tmp_path) as bench:
        later = trio.current_time()
        bench.station.measurement = lambda number: reading(1300 + 10 * (trio.current_time() - later))
        await bench.charge_point.start(resuming_session_ids=["s1"])
        await trio.sleep(15)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1450)
        await trio.sleep(1)
        sent += bench.sent("MeterValues")
    assert values(sent) == [(PERIODIC, 100), (PERIODIC, 100), (PERIODIC, 200), (END, 50)]
    assert [sum(energy for _, energy in values(sent, name)) for name in wanted] == [450, 900, 1350]
    phase = [
        float(sampled["value"])
        for payload in sent
        for value in payload["meterValue"]
        for sampled in value["sampledValue"]
        if sampled["measurand"] == INTERVAL and sampled.get("phase") == "L1"
    ]
    assert sum(phase) == 225


async def test_a_power_cut_closes_the_last_interval(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Any
) -> None:
    document = supported(
        make_config,
        Core__MeterValueSampleInterval=10,
        Core__MeterValuesSampledData=INTERVAL,
        Core__StopTxnSampledData=INTERVAL,
    )
    sent = []
    async with until_power_fails(document=document, database_path=tmp_path) as bench:
        meter(bench)
        bench.begin()
        await trio.sleep(25)
        bench.charge_point.on_meter_values(1, Measurement(energy_import=PhaseValues(1249.0)))
        sent += bench.sent("MeterValues")
    async with open_bench(document=document, database_path=tmp_path) as bench:
        await trio.sleep(1)
        (stop,) = bench.sent("StopTransaction")
        assert (stop["reason"], stop["meterStop"]) == ("PowerLoss", 1249)
        expected = [(PERIODIC, 100), (PERIODIC, 100), (END, 49)]
        assert values(sent + bench.sent("MeterValues")) == expected
        assert values(data(bench)) == expected
        last = bench.sent("MeterValues")[-1]
        assert last["transactionId"] == stop["transactionId"]
        assert last["meterValue"][0]["timestamp"] == stop["timestamp"]


@pytest.mark.parametrize(
    "series",
    [None, 7, [], {}, {"begun": 7}, {"begun": {"energy_import": ["x"]}}, {"begun": {}, "No.Context": {}}],
)
async def test_a_damaged_row_of_intervals_is_as_good_as_none(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Any, series: Any
) -> None:
    document = supported(make_config, Core__MeterValueSampleInterval=10, Core__MeterValuesSampledData=INTERVAL)
    async with until_power_fails(document=document, database_path=tmp_path) as bench:
        meter(bench)
        bench.begin()
        await trio.sleep(25)
        key = bench.charge_point.transaction(1).key
        value = {"transaction": key, "series": series}
        bench.charge_point._runtime.writer.append(settings.put(settings.SettingRow("intervals 1", value)))
    async with open_bench(start=False, document=document, database_path=tmp_path) as bench:
        meter(bench, 1300)
        await bench.charge_point.start(resuming_session_ids=["s1"])
        await trio.sleep(15)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1450)
        await trio.sleep(1)
        assert values(bench.sent("MeterValues"))[-2:] == [(PERIODIC, 200), (END, 50)]


async def test_registers_that_are_missing_reset_or_lag_lose_no_more_than_they_must(
    open_bench: Any, make_config: Any
) -> None:
    document = supported(make_config, Core__MeterValueSampleInterval=10, Core__StopTxnSampledData=INTERVAL)
    async with open_bench(document=document) as bench:
        bench.begin()
        for register in (990, 1100, None, 1300, 20, 70):
            await trio.sleep(9)
            bench.station.measurements[1] = Measurement(
                energy_import=PhaseValues(register), voltage=PhaseValues(l1=230.0)
            )
            await trio.sleep(1)
        await trio.sleep(0.5)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 75)
        await trio.sleep(1)
        assert values(data(bench)) == [(PERIODIC, 100), (PERIODIC, 200), (PERIODIC, 50), (END, 5)]


async def test_all_registers_and_phases_have_their_intervals(open_bench: Any, make_config: Any) -> None:
    names = f"{INTERVAL},Energy.Active.Export.Interval,Energy.Reactive.Import.Interval"
    document = supported(make_config, Core__MeterValueSampleInterval=10, Core__StopTxnSampledData=names)
    async with open_bench(document=document) as bench:

        def measured(energy: float) -> Measurement:
            return Measurement(
                energy_import=PhaseValues(energy, l1=energy / 2),
                energy_export=PhaseValues(energy / 10),
                reactive_energy_import=PhaseValues(energy / 100),
            )

        bench.station.measurement = lambda number: measured(1000 + 100 * trio.current_time())
        await trio.sleep(1)
        bench.charge_point.on_transaction_started(1, "s1", "TAG1", measured_total := 1000 + 100 * trio.current_time())
        await trio.sleep(10.5)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, measured_total + 1050)
        await trio.sleep(1)
        told = data(bench)
        assert values(told) == [(PERIODIC, 1000), (END, 50)]
        assert values(told, "Energy.Active.Export.Interval") == [(PERIODIC, 100), (END, 5)]
        assert values(told, "Energy.Reactive.Import.Interval") == [(PERIODIC, 10), (END, 0.5)]
        lines = [s["value"] for v in told[0]["meterValue"] for s in v["sampledValue"] if s.get("phase") == "L1"]
        assert lines == ["500.00", "25.00"]


async def test_triggered_intervals_are_a_series_of_their_own(open_bench: Any, make_config: Any) -> None:
    document = supported(make_config, Core__MeterValueSampleInterval=20, Core__MeterValuesSampledData=INTERVAL)
    async with open_bench(document=document) as bench:
        meter(bench)
        bench.begin()
        for _ in range(3):
            await trio.sleep(15)
            await bench.call("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1})
        await trio.sleep(0.5)
        told = values(bench.sent("MeterValues"))
        assert [energy for context, energy in told if context == "Trigger"] == [150, 150, 150]
        assert [energy for context, energy in told if context == PERIODIC] == [200, 200]


# Registers at both ends


@pytest.mark.parametrize("meter_start", [1000, 1626.5])
async def test_begin_and_end_say_the_registers_of_start_and_stop(
    open_bench: Any, make_config: Any, meter_start: float
) -> None:
    document = supported(make_config, Core__StopTxnSampledData=f"{REGISTER},SoC")
    async with open_bench(document=document) as bench:

        def push(energy: float, soc: float) -> None:
            bench.charge_point.on_meter_values(1, Measurement(energy_import=PhaseValues(energy), soc=Reading(soc)))

        push(meter_start - 10, 20)
        await trio.sleep(5)
        bench.begin(meter_start=meter_start)
        await trio.sleep(60)
        push(meter_start + 490, 55)
        await trio.sleep(5)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, meter_start + 500)
        await trio.sleep(1)
        start, stop = bench.sent("StartTransaction")[0], bench.sent("StopTransaction")[0]
        begin, end = stop["transactionData"]
        assert (begin["timestamp"], end["timestamp"]) == (start["timestamp"], stop["timestamp"])
        assert values(data(bench), REGISTER) == [
            ("Transaction.Begin", start["meterStart"]),
            (END, stop["meterStop"]),
        ]
        assert values(data(bench), "SoC") == [("Transaction.Begin", 20), (END, 55)]


async def test_what_is_not_fresh_at_an_end_keeps_its_own_time_or_is_left_out(open_bench: Any, make_config: Any) -> None:
    document = supported(make_config, Core__StopTxnSampledData=f"{REGISTER},{INTERVAL},SoC")
    async with open_bench(document=document) as bench:
        bench.charge_point.on_meter_values(1, Measurement(energy_import=PhaseValues(900.0), soc=Reading(15)))
        await trio.sleep(30)
        bench.begin()
        await trio.sleep(60)
        bench.charge_point.on_meter_values(1, Measurement(energy_import=PhaseValues(1400.0), soc=Reading(55)))
        await trio.sleep(30)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        await trio.sleep(1)
        told = [
            (value["timestamp"][11:19], [(s["measurand"], s["value"]) for s in value["sampledValue"]])
            for value in data(bench)[0]["meterValue"]
        ]
        assert told == [
            ("00:00:30", [(REGISTER, "1000.00")]),
            ("00:01:30", [("SoC", "55.00")]),
            ("00:02:00", [(REGISTER, "1500.00"), (INTERVAL, "500.00")]),
        ]
