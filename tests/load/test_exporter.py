"""What Prometheus reads of a load test."""

from collections.abc import Callable
from typing import Any

import load_results
import pytest
import trio
import trio.testing
from prometheus_client.parser import text_string_to_metric_families

from ocpp16.load.exporter import BOUNDS, MOST_ACTIONS, LoadCollector
from ocpp16.load.results import ProcessResult, Results, Transactions
from ocpp16.metrics.http_door import MetricsDoor, serve_collector
from ocpp16.metrics.prometheus import exposition

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(results: Results) -> Samples:
    text = exposition(LoadCollector(lambda: results)).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def test_counts_by_action_and_outcome_and_a_histogram_of_latencies() -> None:
    heartbeat = load_results.action([0.004] * 90 + [0.3] * 9 + [100.0], errors=2, timeouts=3, lost=4)
    found = samples(load_results.results(actions={"Heartbeat": heartbeat}))
    outcomes = {
        dict(labels)["outcome"]: value for (name, labels), value in found.items() if name.endswith("calls_total")
    }
    assert outcomes == {"result": 98, "error": 2, "timeout": 3, "lost": 4}
    name = "ocpp16_load_call_seconds"
    buckets = [found[f"{name}_bucket", (("action", "Heartbeat"), ("le", str(bound)))] for bound in (*BOUNDS, "+Inf")]
    assert dict(zip(BOUNDS, buckets, strict=False)) == {
        bound: 0 if bound < 0.004 else 90 if bound < 0.3 else 99 for bound in BOUNDS
    }
    assert buckets[-1] == found[f"{name}_count", (("action", "Heartbeat"),)] == 100
    assert found[f"{name}_sum", (("action", "Heartbeat"),)] == pytest.approx(90 * 0.004 + 9 * 0.3 + 100, rel=1e-2)


def test_levels_are_those_of_the_last_second() -> None:
    seconds = (
        load_results.second(1.0, connected=3, is_late=True),
        load_results.second(3.0, span=2.0, connected=9, registered=8, in_flight=4, loop_delay=0.25, is_late=True),
    )
    processes = (ProcessResult(0, 5, True), ProcessResult(1, 5, False, "killed"))
    found = samples(
        load_results.results(seconds=seconds, processes=processes, transactions=Transactions(5, 2), actions={})
    )
    assert {name.removeprefix("ocpp16_load_"): value for (name, labels), value in found.items() if not labels} == {
        "charge_points": 10,
        "charge_points_connected": 9,
        "charge_points_registered": 8,
        "calls_in_flight": 4,
        "loop_delay_seconds": 0.25,
        "processes": 1,
        "late_seconds_total": 3,
        "transactions_started_total": 5,
        "transactions_stopped_total": 2,
    }


def test_before_the_first_second_all_is_zero() -> None:
    found = samples(load_results.results(seconds=(), actions={}))
    assert found["ocpp16_load_charge_points_connected", ()] == 0
    assert found["ocpp16_load_loop_delay_seconds", ()] == 0


def test_the_number_of_series_depends_on_neither_charge_points_nor_strange_actions() -> None:
    one = load_results.action([0.1])
    few = samples(load_results.results(actions={"Heartbeat": one}))
    many = samples(load_results.results(actions={"Heartbeat": one}, charge_points=10_000))
    assert set(few) == set(many)
    strange = samples(load_results.results(actions={f"Action{n}": one for n in range(MOST_ACTIONS + 5)}))
    counts = {dict(labels)["action"]: value for (name, labels), value in strange.items() if name.endswith("_count")}
    assert len(counts) == MOST_ACTIONS + 1
    assert counts["others"] == 5


async def test_the_door_of_metrics_serves_it(autojump_clock: trio.testing.MockClock) -> None:
    door = MetricsDoor(LoadCollector(load_results.results))
    mine, theirs = trio.testing.memory_stream_pair()
    answer = bytearray()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(door.serve, theirs)
        await mine.send_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async for chunk in mine:
            answer += chunk
        await mine.aclose()
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"\nocpp16_load_charge_points 10.0\n" in answer


@pytest.mark.real_time
async def test_it_is_served_on_a_port_of_this_machine() -> None:
    async with trio.open_nursery() as nursery:
        serve: Callable[..., Any] = serve_collector
        port = await nursery.start(serve, LoadCollector(load_results.results), 0)
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        with trio.fail_after(10):
            await stream.send_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await stream.receive_some(65_536)).startswith(b"HTTP/1.1 200")
        await stream.aclose()
        nursery.cancel_scope.cancel()
