"""The child of a load test, its lines, and the parent that listens: also to children that die or say what cannot be."""

import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import orjson
import pytest
import trio

from ocpp16.load import crew as crew_module
from ocpp16.load.crew import Crew
from ocpp16.load.job import Job, shared
from ocpp16.load.lines import LineError, Lines, parsed, written
from ocpp16.load.load_test import LoadTest
from ocpp16.load.portion import Portion
from ocpp16.load.tally import Tally
from ocpp16.load.worker import Worker
from ocpp16.scenario import load_scenario, run_scenario, scenario_from
from ocpp16.scenario.drivers import Crowd
from ocpp16.scenario.run import Run
from ocpp16.testing import CentralSystem

JOB = Job(csms="ws://csms.example/ocpp", ids=("A", "B", "C"), duration=20.0)


class Pipe:
    """What a worker is told and tells."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self._orders, self.lines = trio.open_memory_channel[bytes](100)

    async def write(self, data: bytes) -> None:
        self.told += map(parsed, data.splitlines())
        await trio.lowlevel.checkpoint()

    def order(self, message: object) -> None:
        self._orders.send_nowait(written(message))

    def end(self) -> None:
        self._orders.close()

    def worker(self, csms: CentralSystem, first: object) -> Worker:
        def wall() -> float:
            return 0.0

        return Worker(
            first if isinstance(first, bytes) else written(first),
            self.lines,
            self.write,
            wall=wall,
            cpu=wall,
            connector=csms.connector,
        )


@pytest.fixture
def pipe() -> Pipe:
    return Pipe()


async def test_a_child_tells_each_second_and_the_outcome(csms: CentralSystem, pipe: Pipe) -> None:
    worker = pipe.worker(csms, {"do": "run", **JOB.to_json()})
    assert await worker.run() == 0
    *portions, last = pipe.told
    assert last["outcome"]["is_complete"]
    tally = Tally()
    for line in portions:
        tally.add(0, Portion.from_json(line))
    assert sum(one.count for one in tally.measured().values()) == len(csms.calls())
    assert tally.transactions().started == 3


@pytest.mark.parametrize("is_told", [True, False])
async def test_a_child_ends_when_told_and_when_its_parent_is_gone(
    csms: CentralSystem, pipe: Pipe, is_told: bool
) -> None:
    worker = pipe.worker(csms, {"do": "run", **JOB.to_json()})
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker.run)
        await trio.sleep(11)
        if is_told:
            pipe.order({"do": "stop"})
        else:
            pipe.end()
    assert pipe.told[-1]["outcome"]["why"] == "interrupted"
    assert not pipe.told[-1]["outcome"]["is_complete"]
    assert not csms.connected


@pytest.mark.parametrize(
    ("first", "why"),
    [
        (b"{", "no JSON"),
        ({"do": "walk"}, "the first line must be a job"),
        ({"do": "run", "csms": "ws://x"}, "ids: is missing"),
        ({"do": "run", **JOB.to_json(), "speed": "fast"}, "speed must be a number"),
        ({"do": "run", **JOB.to_json(), "scenario": "nonsense"}, "no scenario nonsense"),
        ({"do": "run", **JOB.to_json(), "blueprint": "nonsense"}, "no blueprint nonsense"),
        ({"do": "run", "csms": 7, "tell_calls": True}, "csms must be text"),
    ],
)
async def test_a_job_that_cannot_be_is_said_to_be_so(csms: CentralSystem, pipe: Pipe, first: object, why: str) -> None:
    assert await pipe.worker(csms, first).run() == 2
    assert why in pipe.told[-1]["failed"]


async def test_guests_come_and_go_and_their_calls_are_told(csms: CentralSystem, pipe: Pipe) -> None:
    worker = pipe.worker(csms, {"do": "run", "csms": "ws://csms.example/ocpp", "tell_calls": True})
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker.run)
        for identity in ("A", "B", "A"):
            pipe.order({"do": "add", "charge_point": identity})
        pipe.order({"do": "dance"})
        pipe.order({"do": "add", "charge_point": 7})
        await trio.sleep(60)
        assert sorted(csms.connected) == ["A", "B"]
        pipe.order({"do": "remove", "charge_point": "B"})
        await trio.sleep(240)
        assert sorted(csms.connected) == ["A"]
        pipe.order({"do": "stop"})
    calls = [call for line in pipe.told for call in line.get("calls", [])]
    assert len(calls) == len(csms.calls())
    assert {call[0] for call in calls} >= {"BootNotification", "StartTransaction", "StopTransaction", "Heartbeat"}
    assert all(call[1] >= 0 and call[2] == "result" and call[3] == "" for call in calls)
    wrong = [line["wrong"] for line in pipe.told if "wrong" in line]
    assert "do must be add, remove or stop, not dance" in wrong[0]
    assert "charge_point must be text" in wrong[1]
    assert "has a charge point A already" in pipe.told[-1]["outcome"]["notes"][0]


async def test_lines_are_whole_however_they_come() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for chunk in (b"b\nc", b"c", b"\n\nd\ne"):
            yield chunk

    assert [line async for line in Lines(chunks(), b"a\nb")] == [b"a", b"bb", b"cc", b"", b"d"]


async def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def chunks() -> AsyncGenerator[bytes, None]:
        while True:
            yield b"x" * 1_000

    monkeypatch.setattr("ocpp16.load.lines.LONGEST", 10_000)
    async with aclosing(chunks()) as source:
        with pytest.raises(LineError, match="more than 10,000 bytes"):
            await anext(Lines(source))


def test_a_job_comes_back_from_its_document_and_is_shared_whole() -> None:
    job = Job(
        csms="ws://x",
        ids=tuple("ABCDEFG"),
        keys={"Core": {"HeartbeatInterval": 7, "AuthorizeRemoteTxRequests": True}},
        rate=70.0,
        trace="t",
    )
    assert Job.from_json(orjson.loads(written(job.to_json()))) == job
    parts = shared(job, 3)
    assert [one for part in parts for one in part.ids] == list("ABCDEFG")
    assert {len(part.ids) for part in parts} == {2, 3}
    assert sum(part.rate or 0 for part in parts) == pytest.approx(70.0)
    assert len({part.trace for part in parts}) == 3
    assert all(part.arrivals is None for part in parts)
    with pytest.raises(ValueError, match="8 processes are too many for 7 charge points"):
        shared(job, 8)


@pytest.mark.parametrize(
    "arrivals",
    [
        {"kind": "poisson", "rate": 1800, "begin": 5},
        {"kind": "fixed", "moments": list(range(10, 60, 2))},
        {"kind": "drawn", "count": 25, "moment": {"kind": "uniform", "low": 5, "high": 60}},
    ],
    ids=lambda arrivals: str(arrivals["kind"]),
)
@pytest.mark.parametrize("rate", [None, 0.2])
async def test_drivers_of_the_whole_fleet_come_to_one_of_the_processes_each(
    autojump_clock: Any, arrivals: dict[str, Any], rate: float | None
) -> None:
    of_fleet = scenario_from(
        {
            "drivers": [{"arrivals": {**arrivals, "per": "fleet"}, "parking": 10}],
            "stage": [{"kind": "ramp"}, {"kind": "hold", "duration": 60}],
        },
        name="hub",
    )
    if rate is not None and arrivals["kind"] != "poisson":
        with pytest.raises(ValueError, match="rate: the drivers of hub come once, at their moments: they have none"):
            Run(of_fleet, ["A"], 0, rate, None)
        return
    job = Job(csms="ws://x", ids=tuple("ABCDE"), arrivals=rate)
    counts = []
    for parts in (shared(job, 1), shared(job, 3)):
        found = []
        for part in parts:
            async with CentralSystem() as csms:
                outcome = await run_scenario(
                    of_fleet,
                    "ws://csms.example",
                    ids=part.ids,
                    first_number=part.first_number,
                    of_all=part.of_all,
                    rate=part.arrivals,
                    connector=csms.connector,
                )
            found.append(outcome.counts.get("arrivals", 0))
        counts.append(found)
    (all_of_them,), some = counts
    assert sum(some) == all_of_them > 5
    assert max(some) < all_of_them


@pytest.mark.parametrize(("card_count", "in_all"), [(None, 20), (30, 30), (7, 7)])
async def test_drivers_of_all_processes_have_the_cards_of_one(
    autojump_clock: Any, card_count: int | None, in_all: int
) -> None:
    """A Central System knows those of the scenario, and a card is at one charge point at a time."""
    document: Any = {"drivers": [{"arrivals": {"kind": "poisson", "rate": 60}}], "stage": [{"kind": "ramp", "over": 1}]}
    if card_count is not None:
        document["drivers"][0]["card_count"] = card_count
    scenario = scenario_from(document, name="cards")
    parts = shared(Job(csms="ws://x", ids=tuple("ABCDE")), 2)
    assert [(part.first_number, part.of_all) for part in parts] == [(1, 5), (3, 5)]
    cards: list[str] = []
    for part in parts:
        run = Run(scenario, part.ids, 0, None, None, part.first_number, part.of_all)
        pool = Crowd(run, 0, scenario.drivers[0], connectors=2 * len(part.ids)).cards
        cards += [pool.take() for _ in range(len(pool))]
    assert sorted(cards) == [f"CARD{number:06}" for number in range(1, in_all + 1)]


# Real children

CHILD = """
import json, os, signal, sys, time
job = json.loads(sys.stdin.readline())
def tell(**message):
    print(json.dumps(message), flush=True)
standing = {"stage": "hold", "connected": 1}
for second in (1, 2):
    tell(second=second, standing=standing, actions={"Heartbeat": {"results": 1, "due": [1000, 1], "sent": [900, 1]}})
"""
DONE = 'tell(outcome={"is_complete": True, "why": "done"})'
ENDINGS = {
    "done": DONE,
    "killed": "os.kill(os.getpid(), signal.SIGKILL)",
    "exits": "sys.exit(3)",
    "failed": 'tell(failed="no room")',
    "nonsense": 'print("{", flush=True); time.sleep(60)',
    "wrong": 'tell(second="x", standing={}); time.sleep(60)',
    "silent": "time.sleep(60)",
    "waits": "json.loads(sys.stdin.readline()); " + DONE,
    "goes on": DONE + "; sys.stdout.close(); os.close(1); time.sleep(60)",
}


def child(ending: str) -> tuple[str, str, str]:
    return (sys.executable, "-c", CHILD + ENDINGS[ending])


@pytest.mark.real_time
@pytest.mark.parametrize(
    ("ending", "why"),
    [
        ("done", ""),
        ("killed", "was killed by SIGKILL"),
        ("exits", "ended too early, with exit code 3"),
        ("failed", "failed: no room"),
        ("nonsense", "said what cannot be: no JSON"),
        ("wrong", "said what cannot be: second must be a whole number"),
        ("silent", "said nothing for 0.5 s"),
        ("goes on", ""),
    ],
)
async def test_children_that_end_well_and_those_that_do_not(
    ending: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew_module, "LONGEST_SILENCE", 0.5 if ending == "silent" else 20.0)
    monkeypatch.setattr(crew_module, "GRACE", 0.2)
    tally = Tally(1)
    crew = Crew(child(ending), [JOB], tally.add, tally.gone)
    with trio.fail_after(30):
        await crew.run()
    (process,) = crew.processes()
    assert process.is_alive == (not why)
    assert process.ended.startswith(why or "done")
    assert tally.actions()["Heartbeat"].count == 2, "what was told before counts"
    assert not crew.pids


@pytest.mark.real_time
async def test_what_no_process_can_do_is_an_error_and_no_result() -> None:
    says = 'import json, sys; sys.stdin.readline(); print(json.dumps({"failed": "no blueprint x"}), flush=True)'
    command = (sys.executable, "-c", says)
    test = LoadTest(JOB, load_scenario("usual"), processes=2, command=command, wall=float, cpu=float)
    with trio.fail_after(30), pytest.raises(ValueError, match="no blueprint x"):
        await test.run()


@pytest.mark.real_time
async def test_all_are_told_to_stop_and_none_outlives_the_parent() -> None:
    tally = Tally(2)
    second_told = trio.Event()

    def take(number: int, portion: Portion) -> None:
        tally.add(number, portion)
        if len(tally.seconds) == 2:
            second_told.set()

    crew = Crew(child("waits"), [JOB, JOB], take, tally.gone)
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(crew.run)
            await second_told.wait()
            crew.stop()
    assert [one.ended for one in crew.processes()] == ["done", "done"]
    pids: list[int] = []
    with trio.CancelScope() as scope:

        def heard(number: int, portion: Portion) -> None:
            pids.append(sleeping.pids[number])
            scope.cancel()

        sleeping = Crew(child("silent"), [JOB], heard, tally.gone)
        await sleeping.run()
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


@pytest.mark.real_time
async def test_a_test_that_lost_a_process_is_not_complete() -> None:
    test = LoadTest(JOB, load_scenario("usual"), processes=2, command=child("killed"), wall=float, cpu=float)
    with trio.fail_after(30):
        await test.run()
    results = test.results()
    assert (results.is_complete, results.is_passed, results.why_ended) == (False, False, "process lost")
    assert [one.is_alive for one in results.processes] == [False, False]
    assert "process 0 was killed by SIGKILL" in results.notes
    assert results.actions["Heartbeat"].count == 4


def test_signals_have_names() -> None:
    assert crew_module._ending(-signal.SIGKILL) == "was killed by SIGKILL"
    assert crew_module._ending(-63) in {"was killed by signal 63", "was killed by SIGRTMAX-1"}
    assert crew_module._ending(4) == "ended too early, with exit code 4"
