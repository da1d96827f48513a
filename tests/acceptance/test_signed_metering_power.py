"""Signed meter values that nothing takes away: offline, power cuts (kill -9), messages that are full. No page of a
meter comes twice, whatever happens.
"""

import json
from collections.abc import Callable

from outside import Outside
from signed_texts import Told, of_meter_values, of_stop
from signing_site import BEGIN, checked, is_whole

from ocpp16.simulation.signing_meter import FILE, RESERVED

Begin = Callable[..., Outside]

ENERGY = "Energy.Active.Import.Register"
ROWS = "Power.Active.Import,Current.Import,Current.Offered,Voltage,SoC,Power.Offered"
SMALLEST = 32_000
"""Bytes; the least that MaxMessageSize may be."""


def test_offline(signing: Begin) -> None:
    """Begun and ended while nobody listens: told whole afterwards, the begin by its MeterValues too."""
    one = signing(
        Core={"AllowOfflineTxForUnknownId": True},
        SignedMeterValues={"SampledDataSignStartedReadings": True},
    )
    one.offline()
    one.plug_in()
    one.card("CARD", 1)
    one.told("transaction", phase="started")
    one.unplug()
    one.told("transaction", phase="stopped")
    one.online()
    start = one.expect("StartTransaction", idTag="CARD")
    [at_once] = checked(one, of_meter_values([one.expect("MeterValues", connectorId=1)]))
    stop = one.expect("StopTransaction")
    begin, end = checked(one, of_stop(stop))
    assert begin.value == at_once.value
    is_whole(stop, start, begin, end)


def test_a_power_cut_in_the_middle_ends_it(signing: Begin) -> None:
    """PowerLoss: the signed begin is there. Nobody asked the meter for the end, so none is made up."""
    one = signing()
    number = one.charge()
    one.power_cut()
    one.power_up()
    stop = one.expect("StopTransaction", transactionId=number, reason="PowerLoss")
    [begin] = checked(one, of_stop(stop))
    start = one.calls("StartTransaction")[0]
    assert (begin.context, begin.timestamp) == (BEGIN, start["timestamp"])
    assert (begin.kinds, begin.read.identification) == ("B", start["idTag"])


def test_it_goes_on_over_power_cuts(signing: Begin) -> None:
    """Resumed, twice: one signed begin, that of before, and an end that tells it again; no page comes twice."""
    one = signing(
        {"power_loss_policy": "resume"},
        Core={"MeterValueSampleInterval": 1, "MeterValuesSampledData": ENERGY},
        SignedMeterValues={"SampledDataSignUpdatedReadings": True},
    )
    number = one.charge()

    def between() -> list[Told]:
        """Different ones: what was not known to be answered at a power cut is sent again."""
        told = of_meter_values(one.calls("MeterValues", transactionId=number))
        return [*{it.value: it for it in told}.values()]

    for life in range(1, 4):
        one.central_system.wait_until(lambda: len(between()) >= 2 * life, f"{2 * life} readings")  # noqa: B023 - now
        if life < 3:
            one.power_cut()
            one.power_up()
            one.expect("BootNotification")
            one.status(1, "Charging")
    assert one.ask("RemoteStopTransaction", transactionId=number) == "Accepted"
    stop = one.expect("StopTransaction", transactionId=number, reason="Remote")
    begin, end = of_stop(stop)
    is_whole(stop, one.calls("StartTransaction")[0], begin, end)
    assert end.kinds == "BR"
    told = checked(one, [begin, *between(), end])
    pages = [it.read.page_number for it in told]
    assert pages == sorted(set(pages))
    assert len({page // RESERVED for page in pages}) == 3, "those of each life lie behind those of the last one"


def test_a_power_cut_at_the_stop(signing: Begin) -> None:
    """The stop was queued and never answered: the same one comes again, with the same signatures."""
    one = signing()
    one.is_answered = False
    number = one.charge()
    one.answer_next("StopTransaction", None)
    one.unplug()
    first = one.expect("StopTransaction", transactionId=number)
    one.power_cut()
    one.power_up()
    again = one.expect("StopTransaction", transactionId=number)
    assert again == first
    begin, end = checked(one, of_stop(again))
    is_whole(again, one.calls("StartTransaction")[0], begin, end)
    one.settle()
    assert len(one.calls("StopTransaction")) == 2


def test_pages_over_many_power_cuts(signing: Begin) -> None:
    """Killed right after the car left, whether the end was on disk by then or not: what is told is whole, once, and no
    page of the meter comes twice."""
    one = signing(SignedMeterValues={"SampledDataSignStartedReadings": True})
    texts = []
    for _ in range(4):
        number = one.charge()
        one.unplug()
        one.power_cut()
        one.power_up()
        one.expect("BootNotification")
        stop = one.expect("StopTransaction", transactionId=number)
        one.settle()
        assert len({json.dumps(call) for call in one.calls("StopTransaction", transactionId=number)}) == 1
        told = of_stop(stop)
        start = one.calls("StartTransaction")[-1]
        if stop["reason"] == "PowerLoss":
            assert [it.context for it in told] == [BEGIN]
        else:
            is_whole(stop, start, *told)
        assert told[0].timestamp == start["timestamp"]
        texts += told
        one.status(1, "Available")
    everything = checked(one, [*texts, *of_meter_values(one.calls("MeterValues"))])
    assert len({it.read.page_number for it in texts}) == len(texts)
    assert len({it.read.page_number for it in everything}) == len({it.text for it in everything})
    # The same message may come again: one whose answer was not on disk yet at the power cut.
    assert len({it.text for it in everything if it.action == "MeterValues"}) == 4
    assert len({json.dumps(call) for call in one.calls("MeterValues")}) == 4


def test_thinning(signing: Begin) -> None:
    """More samples than the smallest message has room for: some leave, begin and end stay and are whole, also over a
    power cut in the middle of it."""
    samples = 60
    one = signing(
        {"power_loss_policy": "resume"},
        speed=10,
        Internal={"MaxMessageSize": SMALLEST},
        Core={
            "MeterValueSampleInterval": 1,
            "MeterValuesSampledData": ENERGY,
            "StopTxnSampledData": ROWS,
        },
        SignedMeterValues={"SignedMeterValueForm": "SignedMeterValueType"},
    )
    number = one.charge()
    one.wait_for_count("MeterValues", samples // 2)
    one.power_cut()
    one.power_up()
    one.expect("BootNotification")
    one.status(1, "Charging")
    one.wait_for_count("MeterValues", 2 * samples)
    one.unplug()
    stop = one.expect("StopTransaction", transactionId=number)
    begin, end = checked(one, of_stop(stop))
    is_whole(stop, one.calls("StartTransaction")[0], begin, end)
    size = len(json.dumps(stop, separators=(",", ":")))
    assert SMALLEST // 2 < size <= SMALLEST
    left = len(one.calls("MeterValues", transactionId=number))
    assert left > len(stop["transactionData"])


def test_the_file_of_the_meters_is_nobody_elses(signing: Begin) -> None:
    """What they sign with lies beside the database, for the owner alone, and is nowhere on the wire."""
    one = signing({"seed": 0})
    one.charge()
    one.unplug()
    one.expect("StopTransaction")
    file = one.folder / FILE
    assert file.stat().st_mode & 0o077 == 0
    secret = json.loads(file.read_text())["secret"]
    assert secret not in json.dumps([frame for _, frame in one.lines()])
