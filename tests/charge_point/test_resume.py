"""A transaction that goes on after a power cut is whole: status, samples, charging profile, collected data, limits."""

from typing import Any

import pytest
import trio

from ocpp16.enums import ChargePointStatus, Reason
from ocpp16.models import Measurement, PhaseValues
from ocpp16.state.clock import to_datetime
from ocpp16.testing.central_system import START, CentralSystem

ENERGY = "Energy.Active.Import.Register"
LATER = START + 1000 * 1_000_000
"""When power is back, µs."""


def everything(make_config: Any, **keys: Any) -> Any:
    return make_config(
        **{
            "Core__MeterValueSampleInterval": 10,
            "Core__MeterValuesSampledData": ENERGY,
            "Core__StopTxnSampledData": ENERGY,
            "Core__ClockAlignedDataInterval": 60,
            "Core__StopTxnAlignedData": ENERGY,
            "Core__SupportedFeatureProfiles": "Core,SmartCharging",
            **keys,
        }
    )


def back(is_reachable: bool = True) -> CentralSystem:
    """The Central System when power is back, which knows the time."""
    csms = CentralSystem(first_transaction_id=50)
    csms.is_reachable = is_reachable
    made_at = trio.current_time()

    def answer(payload: dict[str, Any], call: Any) -> dict[str, Any]:
        now = LATER + round((trio.current_time() - made_at) * 1e6)
        return {"status": "Accepted", "currentTime": to_datetime(now).isoformat(), "interval": 86_400}

    csms.answers["BootNotification"] = answer
    return csms


def statuses(bench: Any, connector_id: int = 1) -> list[str]:
    return [payload["status"] for payload in bench.sent("StatusNotification") if payload["connectorId"] == connector_id]


def contexts(values: list[dict[str, Any]]) -> list[str]:
    return [value["sampledValue"][0]["context"] for value in values]


async def begun(bench: Any) -> None:
    bench.measure(1, 1000)
    bench.charge_point.on_session_started(1, "s1", "EVConnected")
    bench.charge_point.on_transaction_started(1, "s1", "TAG1", 1000, signed_meter_value="begin")
    bench.charge_point.on_resume_charging(1)
    await trio.sleep(35)


@pytest.mark.parametrize("is_answered", [True, False])
@pytest.mark.parametrize("is_online", [True, False])
async def test_all_of_it_goes_on(
    open_bench: Any,
    until_power_fails: Any,
    make_config: Any,
    profile: Any,
    tmp_path: Any,
    is_answered: bool,
    is_online: bool,
) -> None:
    """Whether StartTransaction was answered before the cut, and whether there is a connection after it."""
    document = everything(make_config)
    first = CentralSystem()
    async with until_power_fails(csms=first, document=document, database_path=tmp_path) as bench:
        if not is_answered:
            first.is_reachable = False
            first.abort("cp001")
            await trio.sleep(1)
        await begun(bench)
        if is_answered:
            tx_profile = profile(3, 13, chargingProfilePurpose="TxProfile", transactionId=1)
            assert await bench.install(1, tx_profile) == "Accepted"
    csms = back(is_online)
    async with open_bench(
        csms=csms, start=False, anchor=LATER / 1e6, document=document, database_path=tmp_path
    ) as bench:
        charge_point = bench.charge_point
        bench.measure(1, 1200)
        await charge_point.start(resuming_session_ids=["s1"])
        await trio.sleep(1)
        transaction = charge_point.transaction(1)
        assert transaction is not None
        assert (transaction.session_id, transaction.id_tag, transaction.meter_start) == ("s1", "TAG1", 1000)
        assert charge_point.connector_status(1).status is ChargePointStatus.SUSPENDED_EVSE
        assert bench.limits() == [13.0 if is_answered else None, None]
        charge_point.on_resume_charging(1)
        await trio.sleep(60)
        assert charge_point.connector_status(1).status is ChargePointStatus.CHARGING
        await charge_point.configuration.set("MeterValueSampleInterval", "20")
        await trio.sleep(45)
        charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1300, id_tag_end="TAG1", signed_meter_value="end")
        assert bench.limits() == [None, None], "its profile ends with it"
        csms.is_reachable = True
        await trio.sleep(300)
        if is_online:
            assert statuses(bench)[:2] == ["SuspendedEVSE", "Charging"]
        number = 1 if is_answered else 50
        (stop,) = bench.sent("StopTransaction")
        assert (stop["transactionId"], stop["meterStop"], stop["reason"]) == (number, 1300, "Local")
        meter_values = [call for call in bench.sent("MeterValues") if "transactionId" in call]
        periodic = [c for call in meter_values for c in contexts(call["meterValue"]) if c == "Sample.Periodic"]
        assert len(periodic) == 6 + 2 + (0 if is_answered else 3)
        assert {call["transactionId"] for call in meter_values} == {number}
        assert contexts(stop["transactionData"]) == [
            "Transaction.Begin",
            "Transaction.Begin",
            *["Sample.Periodic"] * 3,
            *_after_the_cut(stop["transactionData"]),
            "Transaction.End",
            "Transaction.End",
        ]
        after = _after_the_cut(stop["transactionData"])
        assert (after.count("Sample.Periodic"), after.count("Sample.Clock")) == (8, 2)
        assert len(bench.sent("StartTransaction")) == (0 if is_answered else 1)


def _after_the_cut(data: list[dict[str, Any]]) -> list[str]:
    return contexts([value for value in data if value["timestamp"] > "2026-01-01T00:16"])[:-2]


async def test_a_new_profile_of_it_is_taken(
    open_bench: Any, until_power_fails: Any, make_config: Any, profile: Any, tmp_path: Any
) -> None:
    document = everything(make_config)
    async with until_power_fails(document=document, database_path=tmp_path) as bench:
        await begun(bench)
    async with open_bench(csms=back(), start=False, document=document, database_path=tmp_path) as bench:
        await bench.charge_point.start(resuming_session_ids=["s1"])
        await trio.sleep(1)
        other = profile(4, 10, chargingProfilePurpose="TxProfile", transactionId=99)
        assert await bench.install(1, other) == "Rejected"
        assert await bench.install(1, profile(4, 10, chargingProfilePurpose="TxProfile", transactionId=1)) == "Accepted"
        assert bench.limits()[0] == 10
        assert await bench.call("RemoteStopTransaction", {"transactionId": 1}) == {"status": "Accepted"}


@pytest.mark.parametrize("resumed", [["s1"], []])
async def test_a_refusal_of_before_holds(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Any, resumed: list[str]
) -> None:
    document = everything(make_config, Core__StopTransactionOnInvalidId=False)
    first = CentralSystem()
    first.answers["StartTransaction"] = {"transactionId": 7, "idTagInfo": {"status": "Blocked"}}
    async with until_power_fails(csms=first, document=document, database_path=tmp_path) as bench:
        await begun(bench)
    async with open_bench(csms=back(), start=False, document=document, database_path=tmp_path) as bench:
        await bench.charge_point.start(resuming_session_ids=resumed)
        await trio.sleep(5)
        assert bench.station.asked("pause_charging") == [(1,)] * len(resumed)
        assert len(bench.sent("StopTransaction")) == 1 - len(resumed)


async def test_a_stop_that_was_told_keeps_what_it_said(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Any
) -> None:
    """Power goes after the stop and before its answer: reason, id tag, register and data are those of the stop."""
    document = everything(make_config)
    first = CentralSystem()
    async with until_power_fails(csms=first, document=document, database_path=tmp_path) as bench:
        await begun(bench)
        first.is_reachable = False
        first.abort("cp001")
        await trio.sleep(1)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.EMERGENCY_STOP, 1700, id_tag_end="TAG2")
    async with open_bench(csms=back(), start=False, document=document, database_path=tmp_path) as bench:
        await bench.charge_point.start(resuming_session_ids=["s1"])
        await trio.sleep(5)
        assert bench.charge_point.transaction(1) is None
        (stop,) = bench.sent("StopTransaction")
        assert (stop["reason"], stop["idTag"], stop["meterStop"]) == ("EmergencyStop", "TAG2", 1700)
        assert contexts(stop["transactionData"])[-1] == "Transaction.End"


async def test_every_reading_counts_for_a_power_loss_not_only_samples(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Any
) -> None:
    """Also where no list names the register, and no sample is taken; what was told last lies at most a minute back."""
    document = make_config(Core__MeterValuesSampledData="Voltage", Core__MeterValueSampleInterval=0)
    async with until_power_fails(document=document, database_path=tmp_path) as bench:
        bench.begin()
        for energy in range(1000, 3000, 100):
            bench.charge_point.on_meter_values(1, Measurement(energy_import=PhaseValues(float(energy))))
            await trio.sleep(10)
    async with open_bench(document=document, database_path=tmp_path) as bench:
        await trio.sleep(5)
        (stop,) = bench.sent("StopTransaction")
        assert stop["reason"] == "PowerLoss"
        assert stop["meterStop"] >= 2900 - 6 * 100


async def test_a_session_that_nobody_knows_is_said(open_bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with open_bench(start=False) as bench:
        bench.begin()
        await bench.charge_point.start(resuming_session_ids=["s1", "x"])
    told = [record.getMessage() for record in caplog.records if "resuming" in record.getMessage()]
    assert told == ["cp001: resuming_session_ids: no transaction of session x runs"]
