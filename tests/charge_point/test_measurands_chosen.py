"""Which measurands can be chosen: those that SupportedMeasurands names, and what is chosen is told."""

from typing import Any

import pytest
import trio

from ocpp16.enums import Measurand, Reason
from ocpp16.models import Measurement, PhaseValues, VoltagesBetween

LISTS = ("MeterValuesSampledData", "MeterValuesAlignedData", "StopTxnSampledData", "StopTxnAlignedData")
NAMES = [str(name) for name in Measurand]


@pytest.mark.parametrize("key", LISTS)
async def test_a_measurand_can_be_chosen_where_the_station_can_deliver_it(
    open_bench: Any, make_config: Any, key: str
) -> None:
    supported = NAMES[::2]
    lists = {f"Core__{name}": "" for name in LISTS}
    document = make_config(Internal__SupportedMeasurands=",".join(supported), **lists)
    async with open_bench(document=document) as bench:
        for name in [*NAMES, "Voltage.L1", "voltage", "Energy"]:
            answer = await bench.call("ChangeConfiguration", {"key": key, "value": name})
            assert answer == {"status": "Accepted" if name in supported else "Rejected"}, name
        both = ",".join([*supported, "Energy"])
        assert await bench.call("ChangeConfiguration", {"key": key, "value": both}) == {"status": "Rejected"}
        await bench.call("ChangeConfiguration", {"key": key, "value": ",".join(supported)})
        found = bench.charge_point.configuration.get([key])["configurationKey"]
        assert found[0]["value"].split(",") == supported


async def test_voltages_are_told_by_the_conductors_between_which_they_are(open_bench: Any, make_config: Any) -> None:
    """In MeterValues, in transactionData and when triggered, besides those of the lines."""
    document = make_config(
        Core__MeterValuesSampledData="Voltage", Core__StopTxnSampledData="Voltage", Core__MeterValueSampleInterval=10
    )
    expected = [("230.00", "L1"), ("231.00", "L1-N"), ("401.00", "L1-L2"), ("399.00", "L3-L1")]
    async with open_bench(document=document) as bench:
        between = VoltagesBetween(l1_n=231.0, l1_l2=401.0, l3_l1=399.0)
        reading = Measurement(
            energy_import=PhaseValues(1000.0), voltage=PhaseValues(None, 230.0), voltage_between=between
        )
        bench.station.measurement = lambda number: reading
        bench.begin()
        await trio.sleep(11)
        await bench.call("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1})
        await trio.sleep(1)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1000)
        await trio.sleep(1)
        values = [value for call in bench.sent("MeterValues") for value in call["meterValue"]]
        values += bench.sent("StopTransaction")[0]["transactionData"]
        assert [value["sampledValue"][0]["context"] for value in values] == [
            "Sample.Periodic",
            "Trigger",
            "Transaction.Begin",
            "Sample.Periodic",
            "Transaction.End",
        ]
        for value in values:
            assert [(one["value"], one["phase"]) for one in value["sampledValue"]] == expected
            assert {one["unit"] for one in value["sampledValue"]} == {"V"}
