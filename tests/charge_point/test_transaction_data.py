"""transactionData of StopTransaction: within MaxMessageSize, with nothing lost, however long the transaction was."""

import random
import sqlite3
from itertools import pairwise, product
from typing import Any

import orjson
import pytest
import trio

from ocpp16.enums import Reason
from ocpp16.models import Measurement, PhaseValues
from ocpp16.profiles.thinned_samples import ThinnedSamples
from ocpp16.state.clock import to_datetime
from ocpp16.store.tables import samples
from ocpp16.store.tables.samples import SampleRow
from ocpp16.testing.central_system import START, CentralSystem

ENERGY = "Energy.Active.Import.Register"
POWER = "Power.Active.Import"
Told = tuple[str, str, str | None]


def told(values: list[dict[str, Any]]) -> list[Told]:
    """(timestamp, context, measurand) of all sampled values in a list of MeterValue."""
    return [
        (value["timestamp"], sampled["context"], sampled.get("measurand"))
        for value in values
        for sampled in value["sampledValue"]
    ]


def ahead(bench: Any) -> list[Told]:
    """What MeterValues told."""
    return told([value for payload in bench.sent("MeterValues") for value in payload["meterValue"]])


def measure_always(bench: Any) -> None:
    """A meter that is read when it is asked."""
    reading = Measurement(energy_import=PhaseValues(1000.0), power=PhaseValues(5000.0), voltage=PhaseValues(230.0))
    bench.station.measurement = lambda number: reading


def long_document(make_config: Any, **keys: Any) -> Any:
    return make_config(
        Core__MeterValueSampleInterval=1,
        Internal__MaxMessageSize=32000,
        **{"Core__MeterValuesSampledData": "", "Core__StopTxnSampledData": f"{ENERGY},{POWER}", **keys},
    )


def row(sequence: int, context: str = "Sample.Periodic", **members: str) -> SampleRow:
    return SampleRow(1, sequence, 0, {"sampledValue": [{"value": "1", "context": context, **members}]})


@pytest.mark.parametrize("seed", range(5))
def test_what_stays_is_spread_over_the_whole(seed: int) -> None:
    chance = random.Random(seed)
    limit = 6_000
    kept = ThinnedSamples(limit)
    sizes, left, most = {}, [], 0
    signed = {1, 777}
    for sequence in range(1, 5_001):
        sizes[sequence] = size = chance.randint(80, 120)
        sample = row(sequence, format="SignedData") if sequence in signed else row(sequence)
        leaving = kept.add(sample, size)
        assert sample not in leaving
        left += [one.sequence for one in leaving]
        most = max(most, len(leaving))
        assert sum(sizes[one.sequence] + 1 for one in kept.rows) <= limit
    stayed = [one.sequence for one in kept.rows]
    assert sorted(left + stayed) == list(range(1, 5_001)), "each is at one of both places"
    assert most <= 4, "no turn has them all to do"
    assert signed < set(stayed)
    assert (stayed[0], stayed[-1]) == (1, 5_000)
    gaps = [later - earlier for earlier, later in pairwise(stayed)]
    assert len(stayed) > limit / 121 / 2
    assert max(gaps) <= 256, "the rhythm doubles at most once more than it has to"
    assert sorted(gaps)[len(gaps) // 2] >= 64


def test_what_has_to_stay_stays() -> None:
    """Ends, signed values, the first and the newest; where these are too much, the largest leaves at the end only."""
    kept = ThinnedSamples(520)
    for sample in (row(1), row(2, "Transaction.Begin"), row(3, format="SignedData"), row(4, "Transaction.End")):
        assert kept.add(sample, 100) == []
    assert [one.sequence for one in kept.add(row(5), 100)] == []
    assert [one.sequence for one in kept.add(row(6), 100)] == [5]
    assert kept.largest_out() is None
    assert kept.add(row(7, format="SignedData"), 300) == [row(6)]
    largest = kept.largest_out()
    assert largest is not None
    assert largest.sequence == 7
    assert kept.largest_out() is None
    alone = ThinnedSamples(10)
    assert alone.add(row(1), 1_000) == []
    assert alone.largest_out() is None, "one that is too much alone is told all the same"


def test_signed_clock_aligned_samples_leave_as_others_do() -> None:
    """There is no end to them."""
    kept, left = ThinnedSamples(1_000), 0
    for sequence in range(1, 500):
        left += len(kept.add(row(sequence, "Sample.Clock", format="SignedData"), 100))
        assert len(kept.rows) <= 10
    assert left == 499 - len(kept.rows)


@pytest.mark.parametrize("is_online", [True, False])
async def test_a_long_transaction_is_told_whole_and_keeps_little(
    open_bench: Any, make_config: Any, disk: Any, is_online: bool
) -> None:
    csms = CentralSystem()
    csms.is_reachable = is_online
    document = long_document(make_config)
    async with open_bench(csms=csms, document=document, store=disk) as bench:
        measure_always(bench)
        bench.charge_point.on_transaction_started(1, "s1", "TAG1", 1000, signed_meter_value="begin")
        for _ in range(40):
            await trio.sleep(50)
            rows = disk.load("cp001", samples.TABLE)
            assert sum(len(found[-1]) for found in rows) <= 32_000
        await trio.sleep(0.5)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1000, signed_meter_value="end")
        csms.is_reachable = True
        await trio.sleep(600)
        (stop,) = bench.sent("StopTransaction")
        data = told(stop["transactionData"])
        periodic = [time for time, *what in data + ahead(bench) if what == ["Sample.Periodic", POWER]]
        assert len(periodic) == len(set(periodic)) == 2_000, "each instant is told once"
        assert [(context, name) for _, context, name in data if context != "Sample.Periodic"] == [
            ("Transaction.Begin", None),
            ("Transaction.Begin", ENERGY),
            ("Transaction.Begin", POWER),
            ("Transaction.End", ENERGY),
            ("Transaction.End", POWER),
            ("Transaction.End", None),
        ]
        assert 16_000 < len(orjson.dumps(stop["transactionData"])) <= 32_000
        actions = [call.action for call in csms.calls()]
        assert len(actions) - 1 - actions[::-1].index("MeterValues") < actions.index("StopTransaction")
        assert disk.load("cp001", samples.TABLE) == []


@pytest.mark.parametrize(
    ("reported", "more"),
    [(f"{POWER},{ENERGY}", set()), (ENERGY, {POWER}), ("", {ENERGY, POWER}), ("Voltage", {ENERGY, POWER})],
)
async def test_what_meter_values_told_already_is_not_told_again(
    open_bench: Any, make_config: Any, reported: str, more: set[str]
) -> None:
    document = long_document(make_config, Core__MeterValuesSampledData=reported)
    async with open_bench(document=document) as bench:
        measure_always(bench)
        bench.begin()
        await trio.sleep(400.5)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1000)
        await trio.sleep(10)
        values = [value for payload in bench.sent("MeterValues") for value in payload["meterValue"]]
        in_time = [one for one in told(values) if one[2] in reported.split(",")]
        surplus = [one for one in told(values) if one[2] not in reported.split(",")]
        assert len(in_time) == len(set(in_time)) == 400 * len(reported.split(",")) * bool(reported)
        assert {name for _, _, name in surplus} == more
        data = told(bench.sent("StopTransaction")[0]["transactionData"])
        assert {name for _, _, name in data} == {ENERGY, POWER}
        everything = set(data) | set(told(values))
        for name in (ENERGY, POWER):
            assert len([one for one in everything if one[1:] == ("Sample.Periodic", name)]) == 400


async def test_a_power_cut_in_the_middle_loses_and_repeats_nothing(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Any
) -> None:
    document = long_document(make_config, Core__MeterValuesSampledData=ENERGY)
    seen: list[Told] = []
    csms = CentralSystem()
    async with until_power_fails(csms=csms, document=document, database_path=tmp_path) as bench:
        measure_always(bench)
        bench.begin()
        await trio.sleep(400.5)
        await bench.charge_point.wait_all_answered()
        seen += ahead(bench)
    began = START + 401_000_000
    later = CentralSystem(first_transaction_id=50)
    later.answers["BootNotification"] = {
        "status": "Accepted",
        "currentTime": to_datetime(began).isoformat(),
        "interval": 86_400,
    }
    async with open_bench(
        csms=later, anchor=began / 1e6, start=False, document=document, database_path=tmp_path
    ) as bench:
        await bench.charge_point.start(resuming_session_ids=["s1"])
        measure_always(bench)
        await trio.sleep(400.5)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1000)
        await trio.sleep(10)
        seen += ahead(bench)
        data = told(bench.sent("StopTransaction")[0]["transactionData"])
        energies = [one for one in seen if one[2] == ENERGY]
        assert len(energies) == len(set(energies)), "in time, and not again as surplus"
        powers = [one for one in seen + data if one[1:] == ("Sample.Periodic", POWER)]
        assert len(powers) == len(set(powers))
        assert {call["transactionId"] for call in bench.sent("MeterValues")} == {1}
        assert len(powers) == 800


async def test_a_stored_sample_whose_mark_is_none_counts_as_untold(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Any
) -> None:
    document = make_config(Core__MeterValueSampleInterval=1, Core__StopTxnSampledData=ENERGY)
    async with until_power_fails(document=document, database_path=tmp_path) as bench:
        measure_always(bench)
        bench.begin()
        await trio.sleep(1.5)
    with sqlite3.connect(tmp_path / "cp001.db") as database:
        (payload,) = database.execute("SELECT payload FROM samples ORDER BY sequence DESC LIMIT 1").fetchone()
        assert orjson.loads(payload)["untold"] == []
        database.execute("UPDATE samples SET payload = replace(payload, '\"untold\":[]', '\"untold\":7')")
    database.close()
    smaller = long_document(make_config, Core__StopTxnSampledData=ENERGY)
    async with open_bench(start=False, document=smaller, database_path=tmp_path) as bench:
        await bench.charge_point.start(resuming_session_ids=["s1"])
        measure_always(bench)
        await trio.sleep(600.5)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1000)
        await trio.sleep(10)
        (stop,) = bench.sent("StopTransaction")
        everything = told(stop["transactionData"]) + ahead(bench)
        assert len([one for one in everything if one[1] == "Sample.Periodic"]) == 601


LISTS = ("MeterValuesSampledData", "StopTxnSampledData", "MeterValuesAlignedData", "StopTxnAlignedData")


def expected(names: str, context: str, count: int) -> list[tuple[str, str]]:
    return sorted((context, name) for name in names.split(",") if name for _ in range(count))


@pytest.mark.parametrize(("periodic", "aligned"), [(0, 0), (10, 0), (0, 15), (10, 15)])
async def test_each_list_says_alone_what_is_taken_for_it(
    open_bench: Any, make_config: Any, periodic: int, aligned: int
) -> None:
    """No list has to be a part of another one, and Transaction.Begin and Transaction.End need no interval."""
    document = make_config(
        Core__MeterValueSampleInterval=periodic, Core__ClockAlignedDataInterval=aligned, Core__NumberOfConnectors=1
    )
    choices = ("", ENERGY, f"{POWER},Voltage")
    async with open_bench(document=document) as bench:
        measure_always(bench)
        configuration = bench.charge_point.configuration
        for number, chosen in enumerate(product(choices, repeat=4)):
            for key, value in zip(LISTS, chosen, strict=True):
                assert await configuration.set(key, value) == "Accepted"
            await trio.sleep(30 - trio.current_time() % 30 + 1)  # a second behind an aligned instant
            before = len(bench.sent("MeterValues"))
            bench.begin(session_id=f"s{number}")
            await trio.sleep(32)
            bench.charge_point.on_transaction_stopped(1, f"s{number}", Reason.LOCAL, 1000)
            await trio.sleep(0.5)
            sampled, kept_sampled, clocked, kept_clocked = chosen
            samples_taken, instants = 3 * bool(periodic), 2 * bool(aligned)
            values = [value for call in bench.sent("MeterValues")[before:] for value in call["meterValue"]]
            reported = sorted((context, str(name)) for _, context, name in told(values))
            assert reported == sorted(
                expected(sampled, "Sample.Periodic", samples_taken) + expected(clocked, "Sample.Clock", instants)
            ), chosen
            data = bench.sent("StopTransaction")[number].get("transactionData", [])
            assert sorted((context, str(name)) for _, context, name in told(data)) == sorted(
                expected(kept_sampled, "Transaction.Begin", 1)
                + expected(kept_sampled, "Sample.Periodic", samples_taken)
                + expected(kept_clocked, "Sample.Clock", instants)
                + expected(kept_sampled, "Transaction.End", 1)
            ), chosen
