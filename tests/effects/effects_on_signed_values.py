"""What a change of the keys of signed meter values does: where signed values are told, and in which form."""

import json
from base64 import b64decode
from typing import Any

import trio
from key_effect import Changing, effect

from ocpp16.configuration.keys import signed_meter_values as keys
from ocpp16.enums import Reason

SIGNS: dict[str, Any] = {
    "Core__MeterValueSampleInterval": 60,
    "Core__ClockAlignedDataInterval": 90,
    "Core__StopTxnAlignedData": "Energy.Active.Import.Register",
    "Internal__MeterPublicKeys": ["aabb", "ccdd"],
}


async def told(on: Changing, session_id: str = "s1") -> dict[str, list[str]]:
    """A transaction of three minutes: context → where a signed value of it was told, "sent" or "kept", each once."""
    charge_point, before = on.charge_point, on.count("MeterValues")
    on.bench.measure(1, 1000, signed_meter_value="reading")
    charge_point.on_transaction_started(1, session_id, "TAG1", 1000, signed_meter_value="begin")
    await trio.sleep(185)
    charge_point.on_transaction_stopped(1, session_id, Reason.LOCAL, 1000, signed_meter_value="end")
    await trio.sleep(1)
    found: dict[str, list[str]] = {}
    reports = [value for payload in on.bench.sent("MeterValues")[before:] for value in payload["meterValue"]]
    for place, values in (("sent", reports), ("kept", on.bench.sent("StopTransaction")[-1].get("transactionData", []))):
        for value in signed(values):
            found.setdefault(value["context"], []).append(place)
    return {context: sorted(set(places)) for context, places in found.items()}


def signed(values: list[dict[str, Any]]) -> list[dict[str, str]]:
    """The signed ones of these MeterValues."""
    return [it for value in values for it in value["sampledValue"] if it.get("format") == "SignedData"]


BEGIN, END, PERIODIC, ALIGNED = "Transaction.Begin", "Transaction.End", "Sample.Periodic", "Sample.Clock"


@effect(keys.SAMPLED_DATA_SIGN_READINGS, **SIGNS, SignedMeterValues__SampledDataSignUpdatedReadings=True)
async def begin_and_end(on: Changing) -> None:
    assert await told(on) == {BEGIN: ["kept"], END: ["kept"], PERIODIC: ["sent"]}
    await on.change("false")
    assert await told(on, "s2") == {}


@effect(keys.SAMPLED_DATA_SIGN_STARTED_READINGS, **SIGNS, SignedMeterValues__SampledDataSignReadings=True)
async def the_begin_at_once(on: Changing) -> None:
    assert await told(on) == {BEGIN: ["kept"], END: ["kept"]}
    await on.change("true")
    assert await told(on, "s2") == {BEGIN: ["kept", "sent"], END: ["kept"]}
    start = on.bench.sent().index(on.bench.sent("StartTransaction")[-1])
    following = on.bench.sent()[start + 1]
    assert [it["value"] for it in signed(following["meterValue"])] == ["begin"], "right behind StartTransaction"
    assert following["meterValue"][0]["timestamp"] == on.bench.sent("StartTransaction")[-1]["timestamp"]


@effect(keys.SAMPLED_DATA_SIGN_UPDATED_READINGS, **SIGNS, SignedMeterValues__SampledDataSignReadings=True)
async def periodic_ones(on: Changing) -> None:
    assert await told(on) == {BEGIN: ["kept"], END: ["kept"]}
    await on.change("true")
    assert await told(on, "s2") == {BEGIN: ["kept"], END: ["kept"], PERIODIC: ["sent"]}


@effect(keys.ALIGNED_DATA_SIGN_READINGS, **SIGNS, SignedMeterValues__SampledDataSignReadings=False)
async def aligned_ones(on: Changing) -> None:
    assert await told(on) == {}
    await on.change("true")
    assert await told(on, "s2") == {ALIGNED: ["kept"]}
    before = on.count("MeterValues")
    await trio.sleep(90)
    alone = [payload for payload in on.bench.sent("MeterValues")[before:] if payload["connectorId"] == 1]
    assert [len(signed(payload["meterValue"])) for payload in alone] == [1], "without a transaction"


@effect(keys.ALIGNED_DATA_SIGN_UPDATED_READINGS, **SIGNS, SignedMeterValues__AlignedDataSignReadings=True)
async def aligned_ones_of_a_transaction(on: Changing) -> None:
    assert await told(on) == {BEGIN: ["kept"], END: ["kept"], ALIGNED: ["kept"]}
    await on.change("true")
    assert await told(on, "s2") == {BEGIN: ["kept"], END: ["kept"], ALIGNED: ["kept", "sent"]}


def last_values(on: Changing) -> list[str]:
    return [it["value"] for it in signed(on.bench.sent("StopTransaction")[-1]["transactionData"])]


@effect(keys.SIGNED_METER_VALUE_FORM, **SIGNS, SignedMeterValues__SampledDataSignReadings=True)
async def the_form(on: Changing) -> None:
    await told(on)
    assert last_values(on) == ["begin", "end"]
    await on.change("SignedMeterValueType")
    await told(on, "s2")
    data = on.bench.sent("StopTransaction")[-1]["transactionData"]
    values = [json.loads(text) for text in last_values(on)]
    assert [b64decode(value["signedMeterData"]) for value in values] == [b"begin", b"end"]
    assert {it["measurand"] for it in signed(data)} == {"Energy.Active.Import.Register"}
    assert {name for value in values for name in value} == {
        "signedMeterData",
        "signingMethod",
        "encodingMethod",
        "publicKey",
    }


@effect(
    keys.PUBLIC_KEY_WITH_SIGNED_METER_VALUE,
    **SIGNS,
    SignedMeterValues__SignedMeterValueForm="SignedMeterValueType",
    SignedMeterValues__SampledDataSignUpdatedReadings=True,
)
async def the_public_key(on: Changing) -> None:
    async def keys_told(session_id: str) -> list[str]:
        before = on.count("MeterValues")
        await told(on, session_id)
        sent = [value for payload in on.bench.sent("MeterValues")[before:] for value in payload["meterValue"]]
        periodic = [it["value"] for it in signed(sent)]
        return [b64decode(json.loads(value)["publicKey"]).decode() for value in [*periodic[:1], *last_values(on)]]

    assert await keys_told("s1") == ["", "", ""]
    await on.change("EveryMeterValue")
    assert await keys_told("s2") == ["oca:base16:asn1:aabb"] * 3
    await on.change("OncePerTransaction")
    assert await keys_told("s3") == ["", "oca:base16:asn1:aabb", ""], "with the begin"


@effect(keys.START_TXN_SAMPLED_DATA, SignedMeterValues__SampledDataSignReadings=True)
async def values_of_the_begin(on: Changing) -> None:
    on.bench.measure(1, 1000)
    on.bench.begin()
    on.end(1, "s1")
    await trio.sleep(1)
    assert on.count("MeterValues") == 0
    await on.change("Energy.Active.Import.Register")
    on.bench.begin(session_id="s2")
    await trio.sleep(1)
    (report,) = on.bench.sent("MeterValues")
    (value,) = report["meterValue"]
    assert [(it["measurand"], it["context"], it["value"]) for it in value["sampledValue"]] == [
        ("Energy.Active.Import.Register", BEGIN, "1000.00")
    ]
