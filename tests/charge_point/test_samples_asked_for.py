"""Samples that are asked for: by the host (`sample_now`), and by a trigger of many connectors."""

from typing import Any

import pytest
import trio

from ocpp16.enums import Reason

ENERGY = "Energy.Active.Import.Register"


def samples(payloads: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """(timestamp, context, value) of every sampled value."""
    return [
        (value["timestamp"], sampled["context"], sampled["value"])
        for payload in payloads
        for value in payload["meterValue"]
        for sampled in value["sampledValue"]
    ]


async def test_a_sample_now_is_one_more_periodic_one(open_bench: Any, make_config: Any) -> None:
    """It moves no timer, is kept for StopTransaction, and waits on disk while offline."""
    document = make_config(Core__MeterValueSampleInterval=30, Core__StopTxnSampledData=ENERGY)
    async with open_bench(document=document) as bench:
        bench.measure(1, 1000)
        bench.begin()
        await trio.sleep(10)
        bench.measure(1, 1010)
        assert bench.charge_point.sample_now(1) is True
        await trio.sleep(0.5)
        assert [value for _, _, value in samples(bench.sent("MeterValues"))] == ["1010.00"]
        bench.charge_point.connection.disconnect()
        await trio.sleep(9)
        bench.measure(1, 1020)
        assert bench.charge_point.sample_now(1) is True
        assert bench.charge_point.connection.queue_depth == 1
        await trio.sleep(5)
        bench.charge_point.connection.connect()
        bench.measure(1, 1030)
        await trio.sleep(6)
        values = samples(bench.sent("MeterValues"))
        assert [(time[11:19], value) for time, _, value in values] == [
            *[("00:00:10", "1010.00"), ("00:00:19", "1020.00"), ("00:00:24", "1030.00")],
        ]
        assert {context for _, context, _ in values} == {"Sample.Periodic"}
        assert all("transactionId" in payload for payload in bench.sent("MeterValues"))
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1031)
        await trio.sleep(1)
        data = samples([{"meterValue": bench.sent("StopTransaction")[0]["transactionData"]}])
        assert [value for _, context, value in data if context == "Sample.Periodic"] == [
            "1010.00",
            "1020.00",
            "1030.00",
        ]


async def test_a_sample_now_without_a_transaction(open_bench: Any, make_config: Any) -> None:
    async with open_bench() as bench:
        assert bench.charge_point.sample_now(1) is False, "nothing was measured"
        bench.measure(1, 1000)
        bench.charge_point.on_meter_values(0, bench.measure(0, 5000))
        assert [bench.charge_point.sample_now(number) for number in (1, 0)] == [True, True]
        await trio.sleep(0.5)
        sent = bench.sent("MeterValues")
        assert [(payload["connectorId"], "transactionId" in payload) for payload in sent] == [(1, False), (0, False)]
        assert {context for _, context, _ in samples(sent)} == {"Sample.Periodic"}
        await bench.call("ChangeConfiguration", {"key": "MeterValuesSampledData", "value": ""})
        assert bench.charge_point.sample_now(1) is False, "nothing is asked for"
        for wrong in (3, -1, "1", None):
            with pytest.raises(ValueError, match="connector"):
                bench.charge_point.sample_now(wrong)
        bench.charge_point.connection.disconnect()
        await trio.sleep(1)
        assert bench.charge_point.sample_now(1) is False, "it would be old when it could be sent"
        await bench.charge_point.stop()
        assert bench.charge_point.sample_now(1) is False


async def test_a_trigger_for_many_connectors_is_answered_by_each_of_them(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(Core__NumberOfConnectors=40)) as bench:
        for number in range(1, 41):
            bench.measure(number, 1000 + number)
        request = {"requestedMessage": "MeterValues"}
        assert await bench.call("TriggerMessage", request) == {"status": "Accepted"}
        await trio.sleep(1)
        assert [payload["connectorId"] for payload in bench.sent("MeterValues")] == [*range(1, 41)]
        assert {context for _, context, _ in samples(bench.sent("MeterValues"))} == {"Trigger"}
