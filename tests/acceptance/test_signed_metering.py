"""Signed meter values (application note *Signed Meter Values in OCPP*): where they are told, in which form, and that
they are whole whatever happens. Each is verified by the command openssl, with the key that the Central System reads.
"""

import json
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest
from outside import Outside
from signed_texts import check, is_verified_by_openssl, of_meter_values, of_stop
from signing_site import ALIGNED, BEGIN, END, PERIODIC, checked, is_whole, public_key

Begin = Callable[..., Outside]
Payload = dict[str, Any]

ENERGY = "Energy.Active.Import.Register"


def register(entry: Payload) -> Payload:
    """The sum of the phases, unsigned, of an entry that has nothing but the register."""
    samples: list[Payload] = entry["sampledValue"]
    [found] = [sample for sample in samples if sample.get("format") != "SignedData" and "phase" not in sample]
    assert found["measurand"] == ENERGY
    return found


# Where


def test_begin_and_end(signing: Begin) -> None:
    """As libocpp sends them: the text of the meter without measurand, in transactionData, and nowhere else."""
    one = signing(Core={"MeterValueSampleInterval": 1, "ClockAlignedDataInterval": 1})
    one.charge()
    one.expect("MeterValues", connectorId=1)
    one.card("CARD", 1)
    stop = one.expect("StopTransaction", reason="Local")
    [begin, end] = checked(one, of_stop(stop))
    assert (begin.context, end.context) == (BEGIN, END)
    assert set(begin.sample) == set(end.sample) == {"value", "context", "format"}
    assert end.kinds == "BL", "ended by the card"
    is_whole(stop, one.calls("StartTransaction")[0], begin, end)
    one.settle()
    assert of_meter_values(one.calls("MeterValues")) == []


def test_a_changed_byte_is_noticed_by_both(signing: Begin) -> None:
    one = signing()
    one.charge()
    one.unplug()
    [_, end] = of_stop(one.expect("StopTransaction"))
    key, folder = public_key(one), one.folder / "openssl"
    check(end.text, key, folder)
    changed = end.text.replace('"RV":0.', '"RV":9.', 1)
    assert changed != end.text
    assert not is_verified_by_openssl(changed, key, folder)
    with pytest.raises(ValueError, match="the signature is not that of this text by this key"):
        check(changed, key, folder)


def test_each_meter_has_a_key_of_its_own(signing: Begin) -> None:
    one = signing()
    one.charge(1, "FIRST")
    one.charge(2, "SECOND")
    one.unplug(1)
    first = of_stop(one.expect("StopTransaction"))
    one.unplug(2)
    second = of_stop(one.expect("StopTransaction"))
    checked(one, first, 1)
    checked(one, second, 2)
    assert not is_verified_by_openssl(second[0].text, public_key(one, 1), one.folder / "openssl")
    assert {told.read.identification for told in (*first, *second)} == {"FIRST", "SECOND"}


def test_none_where_the_meters_do_not_sign(begin: Begin) -> None:
    one = begin(SignedMeterValues={"SampledDataSignStartedReadings": True, "SampledDataSignUpdatedReadings": True})
    one.charge()
    one.unplug()
    assert of_stop(one.expect("StopTransaction")) == []
    one.settle()
    assert of_meter_values(one.calls("MeterValues")) == []


def test_the_begin_at_once(signing: Begin) -> None:
    """SampledDataSignStartedReadings: in a MeterValues behind StartTransaction, with what StartTxnSampledData names."""
    keys = {"SampledDataSignStartedReadings": True, "StartTxnSampledData": ENERGY}
    one = signing(SignedMeterValues=keys)
    number = one.charge()
    values = one.expect("MeterValues", connectorId=1, transactionId=number)
    start = one.calls("StartTransaction")[0]
    [entry] = values["meterValue"]
    assert entry["timestamp"] == start["timestamp"]
    assert {sample["context"] for sample in entry["sampledValue"]} == {BEGIN}
    assert float(register(entry)["value"]) == start["meterStart"]
    [at_once] = checked(one, of_meter_values([values]))
    one.unplug()
    stop = one.expect("StopTransaction")
    begin, end = checked(one, of_stop(stop))
    assert begin.value == at_once.value, "one value, told in two places"
    is_whole(stop, start, begin, end)


def test_in_between(signing: Begin) -> None:
    """SampledDataSignUpdatedReadings: with each periodic reading of a transaction; pages and energy rise."""
    one = signing(
        Core={"MeterValueSampleInterval": 1, "MeterValuesSampledData": ENERGY},
        SignedMeterValues={"SampledDataSignUpdatedReadings": True},
    )
    one.charge()
    reports = [one.expect("MeterValues", connectorId=1) for _ in range(3)]
    one.unplug()
    stop = one.expect("StopTransaction")
    told = checked(one, of_meter_values(reports))
    assert [(it.context, it.kinds) for it in told] == [(PERIODIC, "C")] * 3
    begin, end = checked(one, of_stop(stop))
    is_whole(stop, one.calls("StartTransaction")[0], begin, end)
    readings = [begin.read.readings[0], *(it.read.readings[0] for it in told), end.read.readings[1]]
    assert [reading.energy for reading in readings] == sorted(reading.energy for reading in readings)  # type: ignore[type-var]
    pages = [it.read.page_number for it in (begin, *told, end)]
    assert pages == sorted(set(pages))
    for report, it in zip(reports, told, strict=True):
        assert round(float(register(report["meterValue"][0])["value"])) == it.read.readings[0].energy


@pytest.mark.parametrize("is_updated", [False, True])
def test_clock_aligned(signing: Begin, is_updated: bool) -> None:
    """AlignedDataSignReadings: idle in MeterValues, of nobody; in a transaction in transactionData, and in MeterValues
    only with AlignedDataSignUpdatedReadings."""
    one = signing(
        Core={
            "ClockAlignedDataInterval": 1,
            "MeterValuesAlignedData": ENERGY,
            "StopTxnAlignedData": ENERGY,
        },
        SignedMeterValues={"AlignedDataSignReadings": True, "AlignedDataSignUpdatedReadings": is_updated},
    )
    idle = checked(one, of_meter_values([one.expect("MeterValues", connectorId=2)]), 2)
    assert [(it.context, it.kinds, it.read.identification, it.read.page[0]) for it in idle] == [(ALIGNED, "", "", "F")]
    number = one.charge()
    reports = [one.expect("MeterValues", connectorId=1, transactionId=number) for _ in range(2)]
    one.unplug()
    kept = checked(one, of_stop(one.expect("StopTransaction")))
    assert (kept[0].context, kept[-1].context) == (BEGIN, END)
    aligned = [it for it in kept if it.context == ALIGNED]
    assert len(aligned) >= 2
    assert {it.read.identification for it in aligned} == {"CARD"}
    reported = checked(one, of_meter_values(reports))
    assert len(reported) == (2 if is_updated else 0)
    assert {it.text for it in reported} <= {it.text for it in aligned}


def test_none_where_none_is_wanted(signing: Begin) -> None:
    one = signing(SignedMeterValues={"SampledDataSignReadings": False, "SampledDataSignStartedReadings": True})
    one.charge()
    one.unplug()
    assert of_stop(one.expect("StopTransaction")) == []
    one.settle()
    assert of_meter_values(one.calls("MeterValues")) == []


def test_a_key_acts_at_once(signing: Begin) -> None:
    """By ChangeConfiguration, and after a power cut too."""
    one = signing(SignedMeterValues={})
    changed = {"SampledDataSignStartedReadings": "true", "SignedMeterValueForm": "SignedMeterValueType"}
    for key, value in changed.items():
        assert one.ask("ChangeConfiguration", key=key, value=value) == "Accepted"
    assert one.ask("ChangeConfiguration", key="PublicKeyWithSignedMeterValue", value="Sometimes") == "Rejected"
    one.power_cut()
    one.power_up()
    one.booted()
    number = one.charge()
    [told] = checked(one, of_meter_values([one.expect("MeterValues", transactionId=number)]))
    assert told.value.startswith("{")


# The public key, and the form of the note


@pytest.mark.parametrize("which", ["Never", "OncePerTransaction", "EveryMeterValue"])
def test_the_public_key_in_the_values(signing: Begin, which: str) -> None:
    """In the form of the note; base64 of oca:base16:asn1:<DER>, the key that MeterPublicKey1 has."""
    one = signing(
        Core={"MeterValueSampleInterval": 1},
        SignedMeterValues={
            "SignedMeterValueForm": "SignedMeterValueType",
            "PublicKeyWithSignedMeterValue": which,
            "SampledDataSignStartedReadings": True,
            "SampledDataSignUpdatedReadings": True,
        },
    )
    number = one.charge()
    reports = [one.expect("MeterValues", transactionId=number) for _ in range(2)]
    one.unplug()
    stop = one.expect("StopTransaction")
    told = checked(one, [*of_meter_values(reports), *of_stop(stop)])
    assert [it.context for it in told] == [BEGIN, PERIODIC, BEGIN, END]
    key, keys = public_key(one), []
    for it in told:
        assert it.sample["measurand"] == ENERGY
        document = json.loads(it.value)
        assert set(document) == {"signedMeterData", "signingMethod", "encodingMethod", "publicKey"}
        assert (document["signingMethod"], document["encodingMethod"]) == ("ECDSA-secp256r1-SHA256", "OCMF")
        keys.append(b64decode(document["publicKey"]).decode())
    whole = f"oca:base16:asn1:{key}"
    once = [whole, "", whole, ""]
    assert keys == {"Never": [""] * 4, "OncePerTransaction": once, "EveryMeterValue": [whole] * 4}[which]


def test_the_key_stays_over_power_cuts(signing: Begin) -> None:
    """Whatever the seed: it is the meter's, and lies in the folder of the station."""
    one = signing({"seed": 0})
    keys = {public_key(one, 1), public_key(one, 2)}
    assert len(keys) == 2
    for _ in range(2):
        one.power_cut()
        one.power_up()
        one.booted()
        assert {public_key(one, 1), public_key(one, 2)} == keys
    assert one.ask("ChangeConfiguration", key="MeterPublicKey1", value="00") == "Rejected"
