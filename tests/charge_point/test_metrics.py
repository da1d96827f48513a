"""Metrics: the numbers of a scenario on the virtual clock, and the same as Prometheus reads them."""

import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from generated import expanded
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.parser import text_string_to_metric_families

from ocpp16 import open_charge_points
from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.enums import ChargePointStatus, Reason, SessionStartedReason
from ocpp16.histogram import BOUNDS, Histogram
from ocpp16.metrics import Durations, Watch, collect
from ocpp16.metrics.prometheus import COUNTERS, ChargePointCollector, exposition
from ocpp16.models import Counters
from ocpp16.store.sqlite import SqliteStore
from ocpp16.testing import CallErrorAnswer, CentralSystem, Fault
from ocpp16.testing.stations import RecordingStation

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def of_bounds(durations: Durations) -> dict[float, int]:
    """Bound → how many; without zeros."""
    return {bound: number for bound, number in zip((*BOUNDS, 1e9), durations.counts, strict=True) if number}


def parsed(text: bytes) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(text.decode())}


def value(families: dict[str, Metric], name: str, **labels: str) -> float:
    found = [
        sample.value
        for family in families.values()
        for sample in family.samples
        if sample.name == name and sample.labels == labels
    ]
    assert len(found) == 1, (name, labels, found)
    return found[0]


async def test_the_numbers_of_a_scenario(open_bench: Any) -> None:
    async with open_bench() as bench:
        watch = Watch([bench.charge_point])
        before = watch.collect()
        assert (before.charge_points, before.running, before.connected, before.registered) == (1, 1, 1, 1)
        assert before.connectors[ChargePointStatus.AVAILABLE] == 2
        assert set(before.connectors) == set(ChargePointStatus)
        assert before.answer_times.number == 0, "nobody had asked before"
        assert before.answer_times.mean is None

        bench.csms.misbehave(Fault.DELAY, "StartTransaction", seconds=3)
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        bench.begin()
        await trio.sleep(1)
        during = watch.collect()
        assert (during.running_transactions, during.queue_depth) == (1, 1)
        assert during.connectors[ChargePointStatus.AVAILABLE] == 1
        await trio.sleep(10)
        bench.csms.misbehave(Fault.DELAY, "Heartbeat", seconds=70)  # never answered in time
        bench.charge_point.heartbeat_now()
        await trio.sleep(100)
        bench.csms.answers["StopTransaction"] = CallErrorAnswer("InternalError")
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        await trio.sleep(200)
        after = watch.collect()

        assert after.counters == _plain(bench.charge_point.counters)
        assert (after.running_transactions, after.queue_depth, after.dead_letters) == (0, 0, 1)
        assert after.counters.dead_letters == 1
        assert after.counters.timeouts == 1
        assert of_bounds(after.answer_times)[5.0] == 1, "the StartTransaction alone took 3 s"
        answered = after.counters.calls_answered - before.counters.calls_answered
        assert after.answer_times.number == answered + after.counters.call_errors
        assert after.answer_times.seconds == pytest.approx(3, abs=0.1)
        assert before.counters.calls_sent < after.counters.calls_sent, "a copy does not grow"
        with pytest.raises(FrozenInstanceError):
            after.connected = 7  # type: ignore[misc]
        await bench.charge_point.stop()
        stopped = collect([bench.charge_point])
        assert (stopped.charge_points, stopped.running, stopped.connected, stopped.registered) == (1, 0, 0, 0)
    assert collect([bench.charge_point]).counters.connects == 1, "it answers after the block as well"


def _plain(counters: Counters) -> Counters:
    """Without what is no sum."""
    names = [field.name for field in fields(Counters) if field.name != "answer_times"]
    return Counters(**{name: getattr(counters, name) for name in names})


async def test_every_answer_counts_for_the_time_it_took(open_bench: Any) -> None:
    """Also one that breaks its schema, a refusal, and one that is no OCPP-J."""
    async with open_bench() as bench:
        watch = Watch([bench.charge_point])
        watch.collect()
        answers: list[Any] = [{}, CallErrorAnswer("InternalError"), CallErrorAnswer(5, None, 7)]  # type: ignore[arg-type]
        for answer in answers:
            bench.csms.answers["Heartbeat"] = answer
            bench.charge_point.heartbeat_now()
            await trio.sleep(1)
        assert watch.collect().answer_times.number == 3


async def test_what_ended_stays_in_the_sums(make_config: Callable[..., Any]) -> None:
    async with CentralSystem() as csms, open_charge_points() as charge_points:
        opened = []
        for number in range(3):
            configuration = make_config(Internal__ChargePointId=f"cp{number}")
            made = await charge_points.open(configuration, RecordingStation(), connector=csms.connector)
            await made.start()
            opened.append(made)
        watch = Watch(charge_points)
        watch.collect()
        for each in opened:
            await each.wait_all_answered()
            each.heartbeat_now()
            await each.wait_all_answered()
        assert watch.collect().connected == 3
        await charge_points.close(opened[1])
        found = watch.collect()
        assert (found.charge_points, found.connected) == (2, 2)
        for _ in range(2):
            found = watch.collect()
            assert found.counters == _sum([each.counters for each in opened])
            assert found.answer_times.number >= 3
            assert found.answer_times.number == sum(sum(_times(each).counts) for each in opened)
        assert collect(charge_points).counters.connects == 2, "those that are open alone"


def _sum(all_counters: list[Counters]) -> Counters:
    total = Counters()
    for counters in all_counters:
        for field in fields(Counters):
            if field.type is int:
                setattr(total, field.name, getattr(total, field.name) + getattr(counters, field.name))
    return total


def _times(charge_point: ChargePoint) -> Histogram:
    assert charge_point.counters.answer_times is not None
    return charge_point.counters.answer_times


async def test_who_does_not_ask_has_nothing_kept(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.charge_point.heartbeat_now()
        await trio.sleep(1)
        assert bench.charge_point.counters.answer_times is None
        assert bench.charge_point._runtime.journal._committer.times is None


class SlowStore(SqliteStore):
    """A commit takes seven seconds of the clock that is given."""

    clock: Any
    commits = 0

    def apply(self, batches: Any) -> Any:
        self.clock.jump(7)
        self.commits += 1
        return super().apply(batches)


async def test_commits_of_a_shared_journal_count_once(
    make_config: Callable[..., Any], tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    mock_clock.autojump_threshold = 0
    store: Any = SlowStore.open(tmp_path / "x.db")
    store.clock = mock_clock
    try:
        async with CentralSystem() as csms, open_charge_points(store=store) as charge_points:
            opened = [
                await charge_points.open(
                    make_config(Internal__ChargePointId=name), RecordingStation(), connector=csms.connector
                )
                for name in ("a", "b")
            ]
            for each in opened:
                await each.stored()
            watch = Watch(charge_points)
            watch.collect()
            before = store.commits
            opened[0].on_session_started(1, "s", SessionStartedReason.EV_CONNECTED)
            opened[0].on_transaction_started(1, "s", "TAG", 0)
            await opened[0].stored()
            found = watch.collect().commit_times
            assert of_bounds(found) == {10.0: found.number}
            assert found.number == store.commits - before > 0
            assert found.seconds == pytest.approx(7 * found.number)
    finally:
        store.close()


async def test_another_thread_is_told_how_to_come_into_this_one(open_bench: Any) -> None:
    async with open_bench() as bench:
        with pytest.raises(RuntimeError, match="from_thread"):
            await trio.to_thread.run_sync(collect, [bench.charge_point])


def test_a_duration_counts_for_the_bound_it_does_not_exceed() -> None:
    histogram = Histogram()
    for seconds in (0.0, BOUNDS[0], BOUNDS[0] * 1.01, BOUNDS[-1], BOUNDS[-1] + 1):
        histogram.add(seconds)
    assert histogram.counts == [2, 1, *[0] * (len(BOUNDS) - 3), 1, 1]
    histogram.include(histogram)
    assert sum(histogram.counts) == 10


# Prometheus


async def test_the_text_says_the_same_numbers(open_bench: Any) -> None:
    async with open_bench() as bench:
        collector = ChargePointCollector([bench.charge_point])
        exposition(collector)
        bench.charge_point.counters.repaired("bare_null")
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        bench.begin()
        await trio.sleep(5)
        families = parsed(exposition(collector))
        found = Watch([bench.charge_point]).collect()
        assert value(families, "ocpp16_charge_points_connected") == 1
        assert value(families, "ocpp16_transactions_running") == 1
        assert value(families, "ocpp16_connectors", status="Available") == 1
        assert value(families, "ocpp16_calls_sent_total") == found.counters.calls_sent > 3
        assert value(families, "ocpp16_repairs_total", repair="bare_null") == 1
        assert value(families, "ocpp16_call_answer_seconds_count") == found.answer_times.number > 0
        assert value(families, "ocpp16_call_answer_seconds_bucket", le="+Inf") == found.answer_times.number
        assert value(families, "ocpp16_call_answer_seconds_bucket", le="0.001") == found.answer_times.counts[0]
        assert families["ocpp16_call_answer_seconds"].type == "histogram"
        assert families["ocpp16_calls_sent"].type == "counter"


async def test_series_do_not_grow_with_charge_points_nor_name_them(make_config: Callable[..., Any]) -> None:
    async with CentralSystem() as csms, open_charge_points() as charge_points:
        collector = ChargePointCollector(charge_points)
        numbers = []
        for name in ("secret-name-1", "secret-name-2"):
            made = await charge_points.open(
                make_config(Internal__ChargePointId=name), RecordingStation(), connector=csms.connector
            )
            await made.start()
            await made.wait_all_answered()
            text = exposition(collector)
            assert b"secret-name" not in text
            numbers.append(sum(len(family.samples) for family in parsed(text).values()))
        assert numbers[0] == numbers[1]
        labels = {name for family in parsed(text).values() for sample in family.samples for name in sample.labels}
        assert labels <= {"status", "repair", "le"}


def test_each_counter_has_its_name_and_the_page_has_all() -> None:
    assert {*COUNTERS, "repairs", "answer_times"} == {field.name for field in fields(Counters)}
    text = exposition(ChargePointCollector([])).decode()
    told = set(re.findall(r"^# HELP (\w+) ", text, re.MULTILINE))
    assert told == set(re.findall(r"^\| `(ocpp16_\w+)", expanded(PAGE.read_text()), re.MULTILINE))
    assert len(told) > 25


def test_registering_asks_nobody_and_two_of_a_registry_are_refused() -> None:
    asked = []

    class Asked:
        def __iter__(self) -> Any:
            asked.append(1)
            return iter(())

    registry = CollectorRegistry(auto_describe=True)
    registry.register(ChargePointCollector(Asked()))
    assert asked == []
    with pytest.raises(ValueError, match="Duplicated"):
        registry.register(ChargePointCollector([]))
