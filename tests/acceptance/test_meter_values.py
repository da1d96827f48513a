"""What is measured, and when it is told."""

from collections.abc import Callable
from typing import Any

import pytest
from outside import Outside

Begin = Callable[..., Outside]

ENERGY = "Energy.Active.Import.Register"


def measurands(values: dict[str, Any]) -> set[str]:
    return {sample.get("measurand", ENERGY) for value in values["meterValue"] for sample in value["sampledValue"]}


def contexts(values: dict[str, Any]) -> set[str]:
    default = "Sample.Periodic"
    return {sample.get("context", default) for value in values["meterValue"] for sample in value["sampledValue"]}


@pytest.mark.parametrize("wanted", [ENERGY, f"{ENERGY},Power.Active.Import,Current.Import,Voltage,SoC,Current.Offered"])
def test_tc_070_sampled_meter_values(begin: Begin, wanted: str) -> None:
    """Each MeterValueSampleInterval while it charges: the measurands of MeterValuesSampledData."""
    one = begin(Core={"MeterValueSampleInterval": 1, "MeterValuesSampledData": wanted})
    number = one.charge()
    for _ in range(2):
        values = one.expect("MeterValues", connectorId=1, transactionId=number)
        assert contexts(values) == {"Sample.Periodic"}
    assert measurands(values) == set(wanted.split(","))
    first, second = (call["meterValue"][0]["timestamp"] for call in one.calls("MeterValues")[:2])
    assert first < second


def test_no_samples_without_a_transaction(begin: Begin) -> None:
    """A car that only waits is not measured, nor one that has stopped."""
    one = begin(Core={"MeterValueSampleInterval": 1})
    number = one.charge(2)
    one.expect("MeterValues", connectorId=2)
    one.card("CARD", 2)
    one.expect("StopTransaction", transactionId=number)
    after = len(one.calls("MeterValues"))
    one.charge(1, "OTHER")
    one.expect("MeterValues", connectorId=1)
    one.expect("MeterValues", connectorId=1)
    assert len(one.calls("MeterValues", connectorId=2)) == after


def test_tc_071_clock_aligned_meter_values(begin: Begin) -> None:
    """Each ClockAlignedDataInterval, on the clock's grid, for every connector, with or without a transaction."""
    one = begin(Core={"ClockAlignedDataInterval": 2, "MeterValuesAlignedData": ENERGY})
    number = one.charge()
    values = one.expect("MeterValues", connectorId=1, transactionId=number)
    assert contexts(values) == {"Sample.Clock"}
    assert int(values["meterValue"][0]["timestamp"][17:19]) % 2 == 0
    idle = one.expect("MeterValues", connectorId=2)
    assert "transactionId" not in idle
    assert contexts(idle) == {"Sample.Clock"}


def test_transaction_data_at_the_end(begin: Begin) -> None:
    """StopTxnSampledData: the stop carries values of the beginning and of the end."""
    one = begin(Core={"StopTxnSampledData": ENERGY, "MeterValuesSampledData": "Voltage"})
    one.charge()
    one.unplug()
    stop = one.expect("StopTransaction")
    data = stop["transactionData"]
    told = [sample.get("context") for value in data for sample in value["sampledValue"]]
    assert (told[0], told[-1]) == ("Transaction.Begin", "Transaction.End")
    assert {sample.get("measurand", ENERGY) for value in data for sample in value["sampledValue"]} == {ENERGY}
    times = [value["timestamp"] for value in data]
    assert times == sorted(times)


def test_no_transaction_data_where_none_is_wanted(begin: Begin) -> None:
    """Both StopTxn lists empty: no transactionData."""
    one = begin(Core={"StopTxnSampledData": "", "StopTxnAlignedData": "", "MeterValueSampleInterval": 1})
    one.charge()
    one.expect("MeterValues")
    one.unplug()
    assert "transactionData" not in one.expect("StopTransaction")


def test_the_register_of_the_samples_leads_to_the_stop(begin: Begin) -> None:
    """meterStart ≤ each sample ≤ meterStop, never falling."""
    one = begin(Core={"MeterValueSampleInterval": 1, "MeterValuesSampledData": ENERGY})
    one.charge()
    one.expect("MeterValues")
    one.expect("MeterValues")
    one.unplug()
    stop, (start,) = one.expect("StopTransaction"), one.calls("StartTransaction")
    totals = [
        float(sample["value"])
        for call in one.calls("MeterValues")
        for value in call["meterValue"]
        for sample in value["sampledValue"]
        if "phase" not in sample
    ]
    assert totals == sorted(totals)
    assert start["meterStart"] <= totals[0] + 1
    assert totals[-1] <= stop["meterStop"] + 1


def test_readings_of_an_external_meter(begin: Begin) -> None:
    """What the host's meter says is what is told: registers in Wh, exact beyond 32 bits of float."""
    one = begin(station={"meter_interval": "external"}, Core={"MeterValuesSampledData": ENERGY})

    def reading(energy: int) -> None:
        one.do("meter_reading", connector=1, measurement={"power_meter": {"energy_Wh_import": {"total": energy}}})

    reading(20_000_001)
    one.charge()
    reading(20_000_004)
    one.unplug()
    stop = one.expect("StopTransaction")
    assert one.calls("StartTransaction")[0]["meterStart"] == 20_000_001
    assert stop["meterStop"] == 20_000_004
