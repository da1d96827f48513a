"""MaxEnergyOnInvalidId: what a driver still gets whose id tag is refused after the start (OCPP 1.6 ed. 2 §9.1)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import trio

from ocpp16.enums import Reason
from ocpp16.models import Measurement, PhaseValues

HOUR = 3600.0
POWER = 7200.0
"""W: 2 Wh a second, 5,000 Wh in 2,500 s."""


def refusing(make_config: Any, **keys: Any) -> dict[str, Any]:
    core = {"MaxEnergyOnInvalidId": 5000, "StopTransactionOnInvalidId": False, **keys}
    return make_config(**{f"Core__{name}": value for name, value in core.items()})  # type: ignore[no-any-return]


def charge(bench: Any, register: Callable[[float], float] = lambda energy: 1000 + energy) -> None:
    """Begin to charge; `register` makes of the energy taken so far what the meter shows, Wh."""
    begun = trio.current_time()

    def measurement(connector_id: int) -> Measurement:
        energy = (trio.current_time() - begun) * POWER / HOUR
        return Measurement(energy_import=PhaseValues(register(energy) if connector_id == 1 else 1e6))

    bench.station.measurement = measurement
    bench.begin(meter_start=register(0))


async def energy_until_paused(bench: Any, most: float = 20_000) -> float:
    """Wh, to 20."""
    energy = 0.0
    while not bench.station.asked("pause_charging") and energy < most:
        await trio.sleep(10)
        energy += 10 * POWER / HOUR
    return energy


async def test_energy_that_a_refused_driver_still_gets(open_bench: Any, make_config: Any) -> None:
    document = make_config(Core__MaxEnergyOnInvalidId=5000, Core__StopTransactionOnInvalidId=True)
    async with open_bench(document=document) as bench:
        bench.csms.answers["StartTransaction"] = {"transactionId": 7, "idTagInfo": {"status": "Blocked"}}
        bench.measure(1, 2000)
        bench.begin(meter_start=1000)
        await trio.sleep(10)
        bench.measure(1, 6990)
        await trio.sleep(10)
        assert bench.station.asked("pause_charging") == [], "counted from the refusal"
        bench.measure(1, 7000)
        await trio.sleep(6)
        assert bench.station.asked("pause_charging") == [(1,)]
        assert bench.sent("StopTransaction")[0]["reason"] == "DeAuthorized"


@pytest.mark.parametrize("status", ["ConcurrentTx", "Invalid"])
async def test_who_charges_elsewhere_gets_nothing_and_a_blind_meter_not_for_ever(
    open_bench: Any, make_config: Any, status: str
) -> None:
    document = make_config(Core__MaxEnergyOnInvalidId=5000, Core__StopTransactionOnInvalidId=False)
    async with open_bench(document=document) as bench:
        bench.csms.answers["StartTransaction"] = {"transactionId": 7, "idTagInfo": {"status": status}}
        bench.begin()
        await trio.sleep(290)
        assert bool(bench.station.asked("pause_charging")) == (status == "ConcurrentTx")
        await trio.sleep(20)
        assert bench.station.asked("pause_charging") == [(1,)]


# A meter that is blind


@pytest.mark.parametrize("fails", [True, False])
async def test_the_last_reading_is_no_meter(open_bench: Any, make_config: Any, fails: bool) -> None:
    """Blind since that reading was made, whether the station gives none or raises."""
    async with open_bench(document=refusing(make_config)) as bench:
        bench.csms.answers["StartTransaction"] = {"transactionId": 7, "idTagInfo": {"status": "Invalid"}}

        def measurement(connector_id: int) -> None:
            if fails:
                raise OSError("bus")

        bench.station.measurement = measurement
        bench.charge_point.on_meter_values(1, Measurement(energy_import=PhaseValues(1000.0)))
        await trio.sleep(200)
        bench.begin()
        await trio.sleep(90)
        assert bench.station.asked("pause_charging") == []
        await trio.sleep(20)
        assert bench.station.asked("pause_charging") == [(1,)]


async def test_the_same_old_reading_given_again_and_again_is_no_meter(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=refusing(make_config)) as bench:
        bench.csms.answers["StartTransaction"] = {"transactionId": 7, "idTagInfo": {"status": "Invalid"}}
        made = bench.charge_point.for_station.clock.now_datetime()
        bench.station.measurement = lambda number: Measurement(made, PhaseValues(1000.0))
        bench.begin()
        await trio.sleep(290)
        assert bench.station.asked("pause_charging") == []
        await trio.sleep(20)
        assert bench.station.asked("pause_charging") == [(1,)]


@pytest.mark.parametrize("ahead", [86_400, -86_400])
async def test_a_clock_that_is_set_does_not_make_a_reading_older_or_younger(
    open_bench: Any, make_config: Any, ahead: float
) -> None:
    async with open_bench(document=refusing(make_config)) as bench:
        bench.csms.answers["StartTransaction"] = {"transactionId": 7, "idTagInfo": {"status": "Invalid"}}
        await trio.sleep(100)
        bench.charge_point.on_meter_values(1, Measurement(energy_import=PhaseValues(1000.0)))
        bench.begin()
        await trio.sleep(150)
        await bench.put_clock(ahead)
        await trio.sleep(140)
        assert bench.station.asked("pause_charging") == []
        await trio.sleep(20)
        assert bench.station.asked("pause_charging") == [(1,)]


async def test_readings_without_a_register_and_those_of_other_connectors_do_not_count(
    open_bench: Any, make_config: Any
) -> None:
    async with open_bench(document=refusing(make_config)) as bench:
        bench.csms.answers["StartTransaction"] = {"transactionId": 7, "idTagInfo": {"status": "Invalid"}}
        bench.begin()
        for register in range(0, 50_000, 1000):
            bench.charge_point.on_meter_values(1, Measurement(power=PhaseValues(7000.0)))
            bench.charge_point.on_meter_values(2, Measurement(energy_import=PhaseValues(float(register))))
            await trio.sleep(5)
        assert bench.station.asked("pause_charging") == []
        await trio.sleep(60)
        assert bench.station.asked("pause_charging") == [(1,)]


# What is counted


@pytest.mark.parametrize(
    ("register", "energy"),
    [
        (lambda energy: 1000 + energy, 5000),
        (lambda energy: -2000 + energy, 5000),
        (lambda energy: 1000 + energy - 20 * (energy // 20 % 2), 5000),  # lags behind at every other look
        (lambda energy: 100_000 + energy if energy < 2000 else energy - 2000, 5000),  # was reset
        (lambda energy: 100_000 + energy if energy < 2000 else energy - 9000, 5000),  # to less than nothing
        (lambda energy: -1000 - energy, 20_000),  # falls: nothing was taken
    ],
    ids=["grows", "below zero", "lags", "reset", "reset below zero", "falls"],
)
async def test_the_energy_that_is_taken_counts_whatever_the_register_does(
    open_bench: Any, make_config: Any, register: Callable[[float], float], energy: float
) -> None:
    async with open_bench(document=refusing(make_config)) as bench:
        bench.csms.answers["StartTransaction"] = {"transactionId": 7, "idTagInfo": {"status": "Invalid"}}
        charge(bench, register)
        assert await energy_until_paused(bench) == pytest.approx(energy, abs=40)


async def test_an_old_reading_that_stands_in_for_one_that_failed_is_no_reset(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=refusing(make_config)) as bench:
        bench.csms.answers["StartTransaction"] = {"transactionId": 7, "idTagInfo": {"status": "Invalid"}}
        bench.charge_point.on_meter_values(1, Measurement(energy_import=PhaseValues(0.0)))
        await trio.sleep(10)
        charge(bench, lambda energy: 100_000 + energy)
        works, begun = bench.station.measurement, trio.current_time()

        def measurement(connector_id: int) -> Measurement:
            if (trio.current_time() - begun) % 20 < 10:
                raise OSError("bus")
            return works(connector_id)  # type: ignore[no-any-return]

        bench.station.measurement = measurement
        assert await energy_until_paused(bench) == pytest.approx(5000, abs=60)


async def test_a_changed_key_holds_at_once(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=refusing(make_config)) as bench:
        bench.csms.answers["StartTransaction"] = {"transactionId": 7, "idTagInfo": {"status": "Invalid"}}
        charge(bench)
        await trio.sleep(1500)
        await bench.call("ChangeConfiguration", {"key": "MaxEnergyOnInvalidId", "value": "4000"})
        assert 3000 + await energy_until_paused(bench) == pytest.approx(4000, abs=40)
        await bench.call("ChangeConfiguration", {"key": "MaxEnergyOnInvalidId", "value": "9000"})
        await trio.sleep(HOUR)
        assert bench.station.asked("pause_charging") == [(1,)], "over is over"


# The last word


async def test_a_refusal_that_is_repeated_leaves_no_more(open_bench: Any, make_config: Any) -> None:
    """StartTransaction.conf comes without an id again and again, so the message is sent again."""
    document = refusing(make_config, TransactionMessageAttempts=500, TransactionMessageRetryInterval=1)
    async with open_bench(document=document) as bench:
        bench.csms.answers["StartTransaction"] = {"idTagInfo": {"status": "Invalid"}}
        charge(bench)
        assert await energy_until_paused(bench) == pytest.approx(5000, abs=40)
        await trio.sleep(HOUR)
        assert len(bench.sent("StartTransaction")) > 10
        assert set(bench.station.asked("pause_charging")) == {(1,)}


@pytest.mark.parametrize("stops", [True, False])
async def test_an_acceptance_after_the_refusal_withdraws_it(open_bench: Any, make_config: Any, stops: bool) -> None:
    document = refusing(make_config, StopTransactionOnInvalidId=stops)
    async with open_bench(document=document) as bench:
        answers = iter(
            [{"idTagInfo": {"status": "Invalid"}}, {"transactionId": 7, "idTagInfo": {"status": "Accepted"}}]
        )
        bench.csms.answers["StartTransaction"] = lambda payload, call: next(answers)
        charge(bench)
        assert await energy_until_paused(bench) == 20_000
        assert bench.charge_point.transaction(1).transaction_id == 7
        assert bench.sent("StopTransaction") == []


async def test_what_was_paused_before_the_acceptance_stays_so(open_bench: Any, make_config: Any) -> None:
    document = refusing(make_config, MaxEnergyOnInvalidId=10)
    async with open_bench(document=document) as bench:
        answers = iter(
            [{"idTagInfo": {"status": "Invalid"}}, {"transactionId": 7, "idTagInfo": {"status": "Accepted"}}]
        )
        bench.csms.answers["StartTransaction"] = lambda payload, call: next(answers)
        charge(bench)
        await trio.sleep(HOUR)
        assert bench.station.asked("pause_charging") == [(1,)]
        assert bench.charge_point.transaction(1).is_running


@pytest.mark.parametrize("stops", [True, False])
async def test_an_acceptance_reaches_what_still_waits_for_the_station(
    open_bench: Any, make_config: Any, stops: bool
) -> None:
    document = refusing(make_config, MaxEnergyOnInvalidId=0, StopTransactionOnInvalidId=stops)
    async with open_bench(document=document) as bench:
        answers = iter(
            [{"idTagInfo": {"status": "Invalid"}}, {"transactionId": 7, "idTagInfo": {"status": "Accepted"}}]
        )
        bench.csms.answers["StartTransaction"] = lambda payload, call: next(answers)
        bench.station.delays["disable_evse"] = 25
        await bench.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
        bench.begin()
        await trio.sleep(60)
        assert bench.charge_point.transaction(1).transaction_id == 7
        assert bench.station.asked("pause_charging") == bench.station.asked("stop_transaction") == []


# A restart


async def test_after_a_restart_nothing_is_left(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Any
) -> None:
    """What was used before is not known; and a refusal that is repeated then begins no allowance."""
    document = refusing(make_config, TransactionMessageAttempts=500)
    async with until_power_fails(document=document, database_path=tmp_path) as bench:
        bench.csms.answers["StartTransaction"] = {"idTagInfo": {"status": "Invalid"}}
        charge(bench)
        await trio.sleep(100)
        assert bench.station.asked("pause_charging") == []
    async with open_bench(document=document, database_path=tmp_path, start=False) as bench:
        bench.csms.answers["StartTransaction"] = {"idTagInfo": {"status": "Invalid"}}
        await bench.charge_point.start(resuming_session_ids=["s1"])
        await trio.sleep(1)
        assert bench.station.asked("pause_charging")
        bench.station.measurement = lambda number: Measurement(energy_import=PhaseValues(trio.current_time() * 2))
        await trio.sleep(100)
        asked = len(bench.station.asked("pause_charging"))
        assert asked == len(bench.sent("StartTransaction")) + 1, "over again with every refusal"
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 5000)
        await trio.sleep(HOUR)
        assert len(bench.station.asked("pause_charging")) == asked


async def test_a_reading_made_long_ago_leaves_nothing_to_begin_with(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=refusing(make_config)) as bench:
        bench.csms.answers["StartTransaction"] = {"transactionId": 7, "idTagInfo": {"status": "Invalid"}}
        await trio.sleep(HOUR)
        made = bench.charge_point.for_station.clock.now_datetime() - timedelta(minutes=10)
        bench.charge_point.on_meter_values(1, Measurement(made, PhaseValues(1000.0)))
        bench.begin()
        await trio.sleep(1)
        assert bench.station.asked("pause_charging") == [(1,)]
