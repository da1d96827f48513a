"""Signed values in between: whose key they bring, and those that are too large for any message."""

import json
import logging
from base64 import b64decode
from types import SimpleNamespace
from typing import Any

import pytest
import trio

from ocpp16.configuration.keys import internal
from ocpp16.configuration.keys import signed_meter_values as keys
from ocpp16.enums import ReadingContext, Reason
from ocpp16.models import SignedMeterValue
from ocpp16.profiles.signed_readings import SignedReadings

ENERGY = "Energy.Active.Import.Register"
OF_THE_NOTE = {
    "SignedMeterValues__SignedMeterValueForm": "SignedMeterValueType",
    "Internal__MeterPublicKeys": ["aabb", "ccdd"],
}


def signed(values: list[dict[str, Any]]) -> list[str]:
    return [it["value"] for value in values for it in value["sampledValue"] if it.get("format") == "SignedData"]


def public_key(value: str) -> str:
    return b64decode(json.loads(value)["publicKey"]).decode()


async def test_the_key_is_that_of_the_connector(open_bench: Any, make_config: Any) -> None:
    document = make_config(**OF_THE_NOTE, SignedMeterValues__PublicKeyWithSignedMeterValue="EveryMeterValue")
    async with open_bench(document=document) as bench:
        for connector in (1, 2):
            session = f"s{connector}"
            bench.charge_point.on_transaction_started(connector, session, "TAG1", 1000, signed_meter_value="begin")
            bench.charge_point.on_transaction_stopped(connector, session, Reason.LOCAL, 1500, signed_meter_value="end")
        await trio.sleep(1)
        told = [signed(stop["transactionData"]) for stop in bench.sent("StopTransaction")]
        assert [[public_key(value) for value in values] for values in told] == [
            ["oca:base16:asn1:aabb"] * 2,
            ["oca:base16:asn1:ccdd"] * 2,
        ]


@pytest.mark.parametrize(("at_the_begin", "told"), [(None, ["late", "end"]), ("begin", ["begin", "end"])])
async def test_a_begin_that_the_meter_tells_at_the_end(
    open_bench: Any, at_the_begin: str | None, told: list[str]
) -> None:
    """It is of the time of the begin; one that was told then is kept."""
    async with open_bench() as bench:
        transaction = bench.charge_point.on_transaction_started(1, "s1", "TAG1", 1000, signed_meter_value=at_the_begin)
        await trio.sleep(60)
        bench.charge_point.on_transaction_stopped(
            1, "s1", Reason.LOCAL, 1500, signed_meter_value="end", start_signed_meter_value="late"
        )
        await trio.sleep(1)
        data = bench.sent("StopTransaction")[0]["transactionData"]
        assert signed(data) == told
        (first,) = (it for it in data for value in it["sampledValue"] if value["value"] == told[0])
        assert first["timestamp"] == bench.sent("StartTransaction")[0]["timestamp"]
        assert first["sampledValue"][0]["context"] == ReadingContext.TRANSACTION_BEGIN
        assert transaction.stopped_at is not None
        with pytest.raises(ValueError, match="start_signed_meter_value"):
            bench.charge_point.on_transaction_stopped(
                1, "s1", Reason.LOCAL, 1500, start_signed_meter_value="x" * 40_000
            )


async def test_a_sample_that_is_too_large_goes_without_it(
    open_bench: Any, make_config: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Its other values are told; the log says so once; smaller ones come again."""
    document = make_config(
        Core__MeterValueSampleInterval=10,
        Core__MeterValuesSampledData=ENERGY,
        SignedMeterValues__SampledDataSignUpdatedReadings=True,
    )
    async with open_bench(document=document) as bench:
        bench.measure(1, 1000, signed_meter_value="x" * 40_000)
        with caplog.at_level(logging.WARNING, "ocpp16"):
            bench.begin()
            await trio.sleep(35)
        assert [signed(call["meterValue"]) for call in bench.sent("MeterValues")] == [[]] * 3
        assert {it["value"] for call in bench.sent("MeterValues") for it in call["meterValue"][0]["sampledValue"]} == {
            "1000.00"
        }
        told = [record.getMessage() for record in caplog.records if "is left out" in record.getMessage()]
        assert len(told) == 1
        assert "a signed value of 40002 bytes is left out" in told[0]
        bench.measure(1, 1100, signed_meter_value="small")
        await trio.sleep(10)
        assert signed(bench.sent("MeterValues")[-1]["meterValue"]) == ["small"]


def test_of_a_transaction_that_ended_nothing_is_kept() -> None:
    """A place for each that there ever was would grow without end."""
    configuration = {
        keys.SAMPLED_DATA_SIGN_READINGS: True,
        keys.SIGNED_METER_VALUE_FORM: "SignedMeterValueType",
        keys.PUBLIC_KEY_WITH_SIGNED_METER_VALUE: "OncePerTransaction",
        internal.MAX_MESSAGE_SIZE: 65_000,
    }
    context: Any = SimpleNamespace(configuration=configuration)
    transaction: Any = SimpleNamespace(key=1, connector_id=1)
    value = SignedMeterValue("text", public_key="aabb")
    readings = SignedReadings(context)

    def told() -> str:
        found = readings.to_keep(transaction, value, ReadingContext.TRANSACTION_END)
        assert found is not None
        return public_key(found["value"])

    assert [told(), told()] == ["oca:base16:asn1:aabb", ""]
    readings.end(transaction)
    assert told() == "oca:base16:asn1:aabb"


async def test_another_signed_value_is_not_taken_for_the_begin(open_bench: Any, make_config: Any) -> None:
    document = make_config(
        Core__StopTxnSampledData="",
        Core__StopTxnAlignedData=ENERGY,
        Core__ClockAlignedDataInterval=60,
        SignedMeterValues__AlignedDataSignReadings=True,
    )
    async with open_bench(document=document) as bench:
        bench.measure(1, 1000, signed_meter_value="clock")
        bench.begin(1)
        await trio.sleep(70)
        bench.charge_point.on_transaction_stopped(
            1, "s1", Reason.LOCAL, 1500, signed_meter_value="end", start_signed_meter_value="begin"
        )
        await trio.sleep(1)
        [stop] = bench.sent("StopTransaction")
        values = [it for value in stop["transactionData"] for it in value["sampledValue"]]
        told = {it["value"]: it["context"] for it in values if it.get("format") == "SignedData"}
        assert (told["begin"], told["end"]) == ("Transaction.Begin", "Transaction.End")
