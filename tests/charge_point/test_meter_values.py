"""MeterValues and transactionData."""

from dataclasses import fields
from typing import Any

import pytest
import trio

from ocpp16.enums import Measurand, Reason
from ocpp16.models import Measurement, PhaseValues, Reading
from ocpp16.testing.central_system import CentralSystem

ENERGY = "Energy.Active.Import.Register"


def contexts(payloads: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """(timestamp, context, value) of every sampled value."""
    return [
        (value["timestamp"], sampled["context"], sampled["value"])
        for payload in payloads
        for value in payload["meterValue"]
        for sampled in value["sampledValue"]
    ]


async def test_periodic_samples_run_with_the_transaction(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(Core__MeterValueSampleInterval=30)) as bench:
        bench.measure(1, 1000)
        await trio.sleep(60)
        assert bench.sent("MeterValues") == []
        bench.begin()
        for energy in (1010, 1020, 1030):
            await trio.sleep(29)
            bench.measure(1, energy)
            await trio.sleep(1)
        await trio.sleep(0.5)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1031)
        await trio.sleep(60)
        values = contexts(bench.sent("MeterValues"))
        assert [value for _, _, value in values] == ["1010.00", "1020.00", "1030.00"]
        assert {context for _, context, _ in values} == {"Sample.Periodic"}
        assert all("transactionId" in payload for payload in bench.sent("MeterValues"))


async def test_a_changed_interval_holds_at_once(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(Core__MeterValueSampleInterval=1000)) as bench:
        bench.measure(1, 1000)
        bench.begin()
        await bench.call("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "5"})
        await trio.sleep(11)
        assert len(bench.sent("MeterValues")) == 2
        await bench.call("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "0"})
        await trio.sleep(100)
        assert len(bench.sent("MeterValues")) == 2


async def test_aligned_samples_hit_the_grid_on_every_connector(open_bench: Any, make_config: Any) -> None:
    document = make_config(Core__ClockAlignedDataInterval=900)
    async with open_bench(document=document) as bench:
        for _ in range(2):
            await trio.sleep(899)
            bench.measure(1, 1000)
            bench.measure(2, 2000)
            await trio.sleep(1)
        await trio.sleep(1)
        assert contexts(bench.sent("MeterValues")) == [
            ("2026-01-01T00:15:00.000Z", "Sample.Clock", "1000.00"),
            ("2026-01-01T00:15:00.000Z", "Sample.Clock", "2000.00"),
            ("2026-01-01T00:30:00.000Z", "Sample.Clock", "1000.00"),
            ("2026-01-01T00:30:00.000Z", "Sample.Clock", "2000.00"),
        ]
        assert all("transactionId" not in payload for payload in bench.sent("MeterValues"))


async def test_an_interval_that_does_not_divide_a_day_starts_anew_at_midnight(
    open_bench: Any, make_config: Any
) -> None:
    document = make_config(Core__ClockAlignedDataInterval=7 * 3600, Core__NumberOfConnectors=1)
    csms = CentralSystem()
    async with open_bench(csms=csms, document=document) as bench:
        bench.station.measurement = lambda connector_id: bench.measure(connector_id, 5.0)
        await trio.sleep(32 * 3600)
        stamps = [stamp[5:16] for stamp, _, _ in contexts(bench.sent("MeterValues"))]
        assert stamps == ["01-01T07:00", "01-01T14:00", "01-01T21:00", "01-02T00:00", "01-02T07:00"]


async def test_an_old_reading_is_not_passed_off_as_aligned(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(Core__ClockAlignedDataInterval=900)) as bench:
        bench.measure(1, 1000)
        await trio.sleep(901)
        assert contexts(bench.sent("MeterValues"))[0][0] == "2026-01-01T00:00:00.100Z"


async def test_aligned_samples_begin_before_any_boot_is_accepted(open_bench: Any, make_config: Any) -> None:
    csms = CentralSystem()
    csms.is_reachable = False
    async with open_bench(csms=csms, document=make_config(Core__ClockAlignedDataInterval=60)) as bench:
        bench.measure(1, 1000)
        bench.begin()
        await trio.sleep(150)
        assert bench.charge_point.connection.queue_depth >= 3
        csms.is_reachable = True
        await trio.sleep(60)
        assert [context for _, context, _ in contexts(bench.sent("MeterValues"))][:2] == ["Sample.Clock"] * 2


async def test_transaction_data_has_what_was_asked_for(open_bench: Any, make_config: Any) -> None:
    document = make_config(
        Core__MeterValueSampleInterval=10,
        Core__MeterValuesSampledData="",
        Core__StopTxnSampledData=ENERGY,
        Core__ClockAlignedDataInterval=15,
        Core__MeterValuesAlignedData="",
        Core__StopTxnAlignedData=ENERGY,
    )
    async with open_bench(document=document) as bench:
        bench.measure(1, 1000)
        bench.begin()
        await trio.sleep(9)
        bench.measure(1, 1010)
        await trio.sleep(10)
        bench.measure(1, 1020)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1020)
        await trio.sleep(1)
        assert bench.sent("MeterValues") == []
        data = [{"meterValue": bench.sent("StopTransaction")[0]["transactionData"]}]
        assert [(context, value) for _, context, value in contexts(data)] == [
            ("Transaction.Begin", "1000.00"),
            ("Sample.Periodic", "1010.00"),
            ("Sample.Clock", "1010.00"),
            ("Transaction.End", "1020.00"),
        ]


async def test_transaction_data_survives_a_restart(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Any
) -> None:
    document = make_config(Core__StopTxnSampledData=ENERGY)
    async with until_power_fails(document=document, database_path=tmp_path) as bench:
        bench.measure(1, 1000)
        bench.charge_point.on_transaction_started(1, "s1", "TAG1", 1000, signed_meter_value="OCMF|begin")
        await trio.sleep(1)
    async with open_bench(document=document, database_path=tmp_path) as bench:
        await trio.sleep(1)
        data = bench.sent("StopTransaction")[0]["transactionData"]
        assert [value["sampledValue"][0]["value"] for value in data] == ["OCMF|begin", "1000.00"]
        assert data[0]["sampledValue"][0] == {
            "value": "OCMF|begin",
            "context": "Transaction.Begin",
            "format": "SignedData",
        }


async def test_what_is_too_much_for_one_message_goes_ahead_as_meter_values(open_bench: Any, make_config: Any) -> None:
    document = make_config(
        Core__MeterValueSampleInterval=1,
        Core__MeterValuesSampledData="",
        Core__StopTxnSampledData=ENERGY,
        Internal__MaxMessageSize=32000,
    )
    async with open_bench(document=document) as bench:
        bench.measure(1, 1000)
        bench.begin()
        await trio.sleep(300.5)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1000)
        await trio.sleep(10)
        sent = [call.action for call in bench.csms.calls() if call.action in {"MeterValues", "StopTransaction"}]
        assert sent[-1] == "StopTransaction"
        data = bench.sent("StopTransaction")[0]["transactionData"]
        ahead = bench.sent("MeterValues")
        assert ahead
        assert len(data) + len(ahead) == 302
        assert data[0]["sampledValue"][0]["context"] == "Transaction.Begin"
        assert data[-1]["sampledValue"][0]["context"] == "Transaction.End"


@pytest.mark.parametrize("character", ["x", '"', "ä"])
async def test_two_signed_values_of_the_longest_fit_into_one_message(open_bench: Any, character: str) -> None:
    async with open_bench() as bench:
        charge_point = bench.charge_point
        with pytest.raises(ValueError, match=r"^signed_meter_value must be text of \d+ bytes at most") as refusal:
            charge_point.on_transaction_started(1, "s1", "TAG1", 1000, signed_meter_value=character * 10**6)
        assert charge_point.transaction(1) is None
        most = int(str(refusal.value).split(" bytes", 1)[0].rsplit(" ", 1)[1])
        longest = character * ((most - 2) // (1 if character == "x" else 2))
        charge_point.on_transaction_started(1, "s1", "TAG1", 1000, signed_meter_value=longest)
        with pytest.raises(ValueError, match=r"^signed_meter_value must be text of"):
            charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500, signed_meter_value=longest + character)
        assert charge_point.transaction(1) is not None
        charge_point.on_transaction_stopped(
            1, "s1", Reason.LOCAL, 1500, id_tag_end="T" * 20, signed_meter_value=longest
        )
        await trio.sleep(1)
        data = bench.sent("StopTransaction")[0]["transactionData"]
        assert [value["sampledValue"][0]["value"] for value in data] == [longest, longest]
        frames = [len(record.text.encode()) for record in bench.csms.traffic if "StopTransaction" in record.text]
        assert 64_000 < max(frames) <= 65_000


async def test_signed_values_that_are_too_much_go_ahead_as_meter_values(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Any
) -> None:
    document = make_config(Core__StopTxnSampledData=ENERGY)
    async with until_power_fails(document=document, database_path=tmp_path) as bench:
        bench.measure(1, 1000)
        bench.charge_point.on_transaction_started(1, "s1", "TAG1", 1000, signed_meter_value="b" * 32_000)
        await trio.sleep(1)
    smaller = make_config(Core__StopTxnSampledData=ENERGY, Internal__MaxMessageSize=32_000)
    async with open_bench(document=smaller, database_path=tmp_path, start=False) as bench:
        await bench.charge_point.start(resuming_session_ids=["s1"])
        await trio.sleep(1)
        bench.measure(1, 1500)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500, signed_meter_value="e" * 15_000)
        await trio.sleep(1)
        data = bench.sent("StopTransaction")[0]["transactionData"]
        assert [value["sampledValue"][0]["value"][:7] for value in data] == ["1000.00", "1500.00", "e" * 7]
        ahead = [call["meterValue"][0]["sampledValue"][0]["value"] for call in bench.sent("MeterValues")]
        assert ahead == ["b" * 32_000]


async def test_trigger_sends_present_values_of_all_connectors_or_is_rejected(open_bench: Any) -> None:
    async with open_bench() as bench:
        request = {"requestedMessage": "MeterValues"}
        assert await bench.call("TriggerMessage", request) == {"status": "Rejected"}
        bench.measure(2, 2000)
        assert await bench.call("TriggerMessage", {**request, "connectorId": 1}) == {"status": "Rejected"}
        assert await bench.call("TriggerMessage", request) == {"status": "Accepted"}
        await trio.sleep(1)
        assert [
            (values["connectorId"], values["meterValue"][0]["sampledValue"][0]["context"])
            for values in bench.sent("MeterValues")
        ] == [(2, "Trigger")]


async def test_the_main_meter_has_aligned_and_triggered_values_once_it_was_told_of(
    open_bench: Any, make_config: Any
) -> None:
    async with open_bench(document=make_config(Core__ClockAlignedDataInterval=60)) as bench:
        bench.station.measurement = lambda number: bench.measure(number, 100.0 + number) if number else None
        await trio.sleep(61)
        assert [payload["connectorId"] for payload in bench.sent("MeterValues")] == [1, 2]
        bench.charge_point.on_meter_values(0, bench.measure(0, 7))
        await trio.sleep(60)
        assert [payload["connectorId"] for payload in bench.sent("MeterValues")][2:] == [0, 1, 2]
        bench.station.measurement = lambda number: bench.measure(number, 200.0 + number)
        await trio.sleep(60)
        assert [value for _, _, value in contexts(bench.sent("MeterValues")[5:])] == ["200.00", "201.00", "202.00"]
        await bench.call("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 0})
        await trio.sleep(0.5)
        (triggered,) = bench.sent("MeterValues")[8:]
        assert (triggered["connectorId"], triggered["meterValue"][0]["sampledValue"][0]["value"]) == (0, "200.00")


async def test_aligned_samples_follow_the_clock_when_it_is_set(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(Core__ClockAlignedDataInterval=900)) as bench:
        bench.station.measurement = lambda number: bench.measure(number, 5.0)
        await trio.sleep(60)
        bench.csms.answers["Heartbeat"] = {"currentTime": "2026-01-01T00:14:00Z"}
        await bench.call("TriggerMessage", {"requestedMessage": "Heartbeat"})
        await trio.sleep(61)
        assert {stamp for stamp, _, _ in contexts(bench.sent("MeterValues"))} == {"2026-01-01T00:15:00.000Z"}
        await bench.put_clock(-241)
        await trio.sleep(119)
        assert len(bench.sent("MeterValues")) == 2
        await trio.sleep(2)
        assert [stamp[:16] for stamp, _, _ in contexts(bench.sent("MeterValues")[2:])] == ["2026-01-01T00:00"] * 2
        await trio.sleep(900)
        assert [stamp[:16] for stamp, _, _ in contexts(bench.sent("MeterValues")[4:])] == ["2026-01-01T00:15"] * 2


@pytest.mark.parametrize("back", [1.5, 60, 600, 890])
async def test_a_clock_set_back_a_little_does_not_repeat_an_aligned_instant(
    open_bench: Any, make_config: Any, back: float
) -> None:
    """Nor does a change of the interval, though the timer is set anew."""
    document = make_config(Core__ClockAlignedDataInterval=900, Core__NumberOfConnectors=1)
    async with open_bench(document=document) as bench:
        bench.station.measurement = lambda number: bench.measure(number, 5.0)
        await trio.sleep(900)
        await bench.put_clock(-back)
        await bench.call("ChangeConfiguration", {"key": "ClockAlignedDataInterval", "value": "1800"})
        await bench.call("ChangeConfiguration", {"key": "ClockAlignedDataInterval", "value": "900"})
        await trio.sleep(1800 + back)
        stamps = [stamp[11:19] for stamp, _, _ in contexts(bench.sent("MeterValues"))]
        assert stamps == ["00:15:00", "00:30:00", "00:45:00"]


async def test_hundreds_of_connectors_are_sampled_in_turns(open_bench: Any, make_config: Any) -> None:
    document = make_config(
        Core__ClockAlignedDataInterval=60, Core__NumberOfConnectors=300, Core__StopTxnAlignedData=ENERGY
    )
    async with open_bench(document=document) as bench:
        asked: list[int] = []
        turns: list[int] = []

        def measurement(connector_id: int) -> Any:
            asked.append(connector_id)
            return bench.measure(connector_id, 5.0)

        bench.station.measurement = measurement
        await trio.sleep(59)
        with trio.move_on_after(2):
            while True:  # what else runs while the samples are taken
                before = len(asked)
                await trio.lowlevel.checkpoint()
                turns.append(len(asked) - before)
                if len(asked) in (0, 300):
                    await trio.sleep(0.5)
        assert asked == list(range(1, 301))
        assert max(turns) <= 64
        stamps = {stamp for stamp, _, _ in contexts(bench.sent("MeterValues"))}
        assert stamps <= {"2026-01-01T00:01:00.000Z"}


async def test_one_meter_that_fails_while_aligned_samples_are_taken_stops_no_other(
    open_bench: Any, make_config: Any
) -> None:
    async with open_bench(document=make_config(Core__ClockAlignedDataInterval=60)) as bench:

        def measurement(connector_id: int) -> Any:
            if connector_id == 1:
                raise OSError("bus")
            return bench.measure(connector_id, 5.0)

        bench.station.measurement = measurement
        await trio.sleep(185)
        assert [payload["connectorId"] for payload in bench.sent("MeterValues")] == [2, 2, 2]


async def test_every_measurand_that_can_be_chosen_is_delivered(open_bench: Any, make_config: Any) -> None:
    names = [str(name) for name in Measurand]
    document = make_config(
        Internal__SupportedMeasurands=",".join(names),
        Core__MeterValuesSampledData=",".join(names),
        Core__MeterValueSampleInterval=10,
    )
    every = PhaseValues(5.0, 1.0, 2.0, 2.0)
    quantities = [
        field.name for field in fields(Measurement) if "PhaseValues" in str(field.type) or field.name in ("soc", "rpm")
    ]
    async with open_bench(document=document) as bench:
        whole: dict[str, Any] = {name: Reading(5.0) if name in ("soc", "rpm") else every for name in quantities}
        bench.station.measurement = lambda number: Measurement(**whole, temperatures=(Reading(20.0),))
        bench.charge_point.on_max_current_offered(1, 16)
        bench.charge_point.on_max_power_offered(1, 11000)
        bench.begin(meter_start=5)
        await trio.sleep(11)
        (payload,) = bench.sent("MeterValues")
        assert {sampled["measurand"] for sampled in payload["meterValue"][0]["sampledValue"]} == set(names)


async def test_what_is_sampled_may_change_between_two_samples(open_bench: Any, make_config: Any) -> None:
    document = make_config(Core__MeterValuesSampledData=ENERGY, Core__StopTxnSampledData="Power.Active.Import")
    async with open_bench(document=document) as bench:

        async def change(key: str, value: str) -> None:
            answer = await bench.call("ChangeConfiguration", {"key": key, "value": value})
            assert answer == {"status": "Accepted"}

        bench.measure(1, 1000, power=PhaseValues(11_000.0))
        bench.begin()
        assert bench.charge_point.sample_now(1)
        await change("MeterValuesSampledData", "Power.Active.Import")
        await change("StopTxnSampledData", ENERGY)
        assert bench.charge_point.sample_now(1)
        await change("MeterValuesSampledData", "")
        assert not bench.charge_point.sample_now(1)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1031)
        await bench.charge_point.wait_all_answered()
        assert [value for _, _, value in contexts(bench.sent("MeterValues"))] == ["1000.00", "11000.00"]
        (stop,) = bench.sent("StopTransaction")
        kept = [value["value"] for data in stop["transactionData"] for value in data["sampledValue"]]
        assert kept == ["11000.00", "11000.00", "1000.00", "1000.00", "1031.00"]
