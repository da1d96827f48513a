"""The panel of a load test in memory, on the virtual clock: figures, states, one charge point opened, and refusals."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson
import pytest
import trio
from trio.testing import MockClock

from ocpp16.enums import ChargePointErrorCode
from ocpp16.load.figures import CHUNK, COLUMNS, MOST_CHUNKS, MOST_ERRORS, ending, figures
from ocpp16.load.job import Job
from ocpp16.load.latency import place
from ocpp16.load.load_test import LoadTest
from ocpp16.load.portion import ActionPortion, Portion, Standing
from ocpp16.load.results import ErrorCount, ProcessResult, Results
from ocpp16.load.series import MOST_ACTIONS
from ocpp16.load.tally import Tally
from ocpp16.load.thresholds import parsed
from ocpp16.scenario import scenario_from
from ocpp16.testing import CallErrorAnswer, CentralSystem
from ocpp16.web import fleet_panel
from ocpp16.web.fleet_panel import KEPT, FleetPanel

STAGES = [{"kind": "ramp", "over": 4, "settle": 60}, {"kind": "hold", "duration": 300}]
IDS = tuple(f"CP{number}" for number in range(1, 6))
JSON = {"Content-Type": "application/json"}


class Here:
    """A load test that runs, and the way to its panel."""

    def __init__(self, csms: CentralSystem, test: LoadTest, way: Any) -> None:
        self.csms = csms
        self.test = test
        self.way = way
        self.panel: FleetPanel = way.panel
        self.looked = 0

    def member(self, identity: str) -> Any:
        found = self.test.member(identity)
        assert found is not None
        return found

    async def do(self, identity: str, name: str, **arguments: Any) -> Any:
        body = orjson.dumps({"do": name, "arguments": arguments})
        return (await self.way.ask(f"/api/command?charge_point={identity}", "POST", JSON, body)).json


@pytest.fixture
def load(entrance: Any) -> Callable[..., Any]:
    """`async with load(…) as here:`"""

    @asynccontextmanager
    async def opened(*, thresholds: tuple[str, ...] = (), is_elsewhere: bool = False) -> AsyncIterator[Here]:
        async with CentralSystem(interval=10) as csms, trio.open_nursery() as nursery:
            keys = {"Core": {"MeterValueSampleInterval": 0}}
            test = LoadTest(
                Job(csms="ws://csms.example/ocpp", ids=IDS, keys=keys),
                scenario_from({"stage": STAGES}, name="story"),
                [parsed(one) for one in thresholds],
                wall=lambda: 1_767_225_600.0 + trio.current_time(),
                cpu=lambda: 0.0,
                connector=csms.connector,
            )

            async def told() -> Any:
                here.looked += 1
                return figures(test.view().results(has_histograms=False), planned=364.0, waits_for=test.tally.waiting)

            panel = FleetPanel(told, IDS, None if is_elsewhere else test.member, test.watch)
            here = Here(csms, test, entrance(nursery, panel))
            nursery.start_soon(panel.run)
            nursery.start_soon(here.way.door.close_in_the_end)
            nursery.start_soon(test.run)
            with trio.fail_after(3_600):
                yield here
            nursery.cancel_scope.cancel()

    return opened


async def looking(here: Here, identity: str = "") -> Any:
    """A page that has its first state."""
    page = await here.way.looks(f"?charge_point={identity}" if identity else "").begin()
    return await page.until(lambda page: page.hello and page.parts)


def events(page: Any, name: str) -> list[str]:
    """What events of this name say as the status."""
    return [row["event"]["status"] for row in page.rows if row["kind"] == "EVENT" and row["event"]["event"] == name]


def states(page: Any) -> str:
    return str(page.parts.get("states/0", ""))


async def test_figures_and_states_while_it_runs(autojump_clock: MockClock, load: Any) -> None:
    async with load(thresholds=("Heartbeat.count >= 10",)) as here:
        page = await looking(here)
        assert (page.hello["kind"], page.hello["ids"], page.hello["left_out"]) == ("fleet", list(IDS), 0)
        await page.until(lambda page: states(page) and "." in states(page))
        await page.until(lambda page: states(page) == "AAAAA")
        await page.until(lambda page: page.parts["now"]["registered"] == 5)
        test, now = page.parts["test"], page.parts["now"]
        assert (test["scenario"], test["charge_points"], test["state"], test["planned"]) == ("story", 5, "running", 364)
        assert (now["connected"], now["in_flight"], now["is_late"]) == (5, 0, False)
        assert page.parts["verdict"]["thresholds"][0]["is_met"] is False
        here.csms.answers["Heartbeat"] = CallErrorAnswer("InternalError", "no")
        await page.until(lambda page: page.parts["errors"]["kinds"])
        assert page.parts["errors"]["kinds"][0]["kind"] == "CALLERROR InternalError"
        await page.until(lambda page: page.parts["verdict"]["thresholds"][0]["is_met"])
        beats = {one["name"]: one for one in page.parts["actions"]}["Heartbeat"]
        assert beats["count"] >= 10
        assert beats["errors"] >= 1
        assert beats["max"] >= beats["p99"] >= beats["p50"] >= 0
        await page.until(lambda page: "seconds/1" in page.parts)
        assert len(page.parts["seconds/0"]) == CHUNK
        first = dict(zip(COLUMNS, page.parts["seconds/0"][0], strict=True))
        assert (first["at"], first["span"], first["is_late"]) == (1.0, 1.0, False)
        page.parts.clear()
        await page.until(lambda page: "seconds/1" in page.parts)
        assert "seconds/0" not in page.parts, "only what changed is told again"
        state = (await here.way.ask("/api/state")).json
        assert state["parts"]["states/0"] == "AAAAA"


async def test_a_square_is_of_the_most_telling_connector(autojump_clock: MockClock, load: Any) -> None:
    async with load() as here:
        page = await looking(here)
        await page.until(lambda page: states(page) == "AAAAA")
        here.member("CP2").charge_point.connection.disconnect()
        await here.member("CP3").commands.run("raise_fault", {"connector": 1, "error": "GroundFailure"})
        await here.member("CP4").commands.run("plug_in", {"connector": 1, "plug_after": 0})
        await page.until(lambda page: states(page) == "AoFPA")
        assert (await here.do("CP3", "clear_fault", connector=1, error=str(ChargePointErrorCode.GROUND_FAILURE)))["ok"]
        here.csms.standard_answers.registration = "Pending"
        here.member("CP2").charge_point.connection.connect()
        await page.until(lambda page: states(page) in {"AuAPA", "AAAPA"})


async def test_nothing_is_looked_at_while_nobody_looks(autojump_clock: MockClock, load: Any) -> None:
    async with load() as here:
        await trio.sleep(60)
        assert here.looked == 0
        page = await looking(here)
        await page.until(lambda page: states(page))
        await page.stream.aclose()
        await trio.sleep(20)
        looked = here.looked
        await trio.sleep(60)
        assert here.looked == looked


async def test_one_is_opened_with_its_traffic_and_commands(autojump_clock: MockClock, load: Any) -> None:
    async with load() as here:
        await trio.sleep(8)
        page = await looking(here, "CP2")
        assert page.hello["kind"] == "charge_point"
        assert page.parts["station"]["identity"] == "CP2"
        assert page.parts["connector/1"]["status"] == "Available"
        other = await looking(here, "CP3")
        assert await here.do("CP2", "plug_in", connector=1, plug_after=0) == {"ok": True, "result": None}
        await page.until(lambda page: page.parts["connector/1"]["status"] == "Preparing")
        await page.until(lambda page: events(page, "status") == ["Preparing"])
        await page.until(lambda page: "Heartbeat" in page.actions())
        await other.until(lambda page: "Heartbeat" in page.actions())
        assert "StatusNotification" in page.actions()
        assert "StatusNotification" not in other.actions()
        assert events(other, "status") == []
        rows = (await here.way.ask("/api/rows?charge_point=CP2")).json["rows"]
        assert {row.get("action") for row in rows} >= {"StatusNotification", "Heartbeat"}
        trace = await here.way.ask("/api/trace?charge_point=CP2")
        assert trace.headers["content-disposition"].endswith("CP2.jsonl")
        assert (await here.way.ask("/api/curves?charge_point=CP2")).json["connector"] == 1
        refused = await here.do("CP2", "power_off")
        assert (refused["ok"], refused["code"]) == (False, "refused")
        await page.stream.aclose()
        await trio.sleep(KEPT / 2)
        assert here.panel.charge_point("CP2") is here.panel.charge_point("CP2"), "kept for a page that comes back"
        kept = here.panel.charge_point("CP2")
        await trio.sleep(2 * KEPT)
        last = kept.feed.last
        here.member("CP2").station.unplug(1)
        await trio.sleep(60)
        assert kept.feed.last == last, "its frames are kept no more"
        assert here.panel.charge_point("CP2") is not kept


async def test_a_program_that_asks_again_and_again_misses_nothing(autojump_clock: MockClock, load: Any) -> None:
    async with load() as here:
        await trio.sleep(10)
        panel = here.panel.charge_point("CP1")
        rows: list[int] = []
        for _ in range(12):
            last = rows[-1] if rows else 0
            answer = await here.way.ask(f"/api/rows?charge_point=CP1&after={last}")
            rows += [row["n"] for row in answer.json["rows"]]
            await trio.sleep(KEPT / 3)
        assert rows[0] == 1
        assert len(rows) == rows[-1] > 10
        assert here.panel.charge_point("CP1") is panel


async def test_one_that_is_another_after_a_power_failure_is_followed(autojump_clock: MockClock, load: Any) -> None:
    async with load() as here:
        await trio.sleep(10)
        page = await looking(here, "CP1")
        before = here.member("CP1").charge_point
        assert here.member("CP1").cut_power(5.0)
        await page.until(lambda page: "BootNotification" in page.actions())
        assert here.member("CP1").charge_point is not before
        await page.until(lambda page: page.parts["station"]["registration"] == "Accepted")
        assert (await here.do("CP1", "plug_in", connector=1, plug_after=0))["ok"] is True
        await page.until(lambda page: page.parts["connector/1"]["status"] == "Preparing")
        await page.until(lambda page: events(page, "status")[-1:] == ["Preparing"])


@pytest.mark.parametrize("path", ["state", "stream", "rows", "trace", "curves"])
async def test_one_that_is_not_there(autojump_clock: MockClock, load: Any, path: str) -> None:
    async with load() as here:
        unknown = await here.way.ask(f"/api/{path}?charge_point=CP9")
        assert (unknown.status, unknown.body) == (404, b"CP9 is not in this load test")
        early = await here.way.ask(f"/api/{path}?charge_point=CP5")
        assert (early.status, early.body) == (404, b"CP5 has not come yet")
    async with load(is_elsewhere=True) as here:
        await trio.sleep(10)
        elsewhere = await here.way.ask(f"/api/{path}?charge_point=CP1")
        assert elsewhere.status == 404
        assert b"in other processes" in elsewhere.body


async def test_what_is_of_one_has_to_say_of_which(autojump_clock: MockClock, load: Any) -> None:
    async with load() as here:
        for answer in (
            await here.way.ask("/api/trace"),
            await here.way.ask("/api/curves"),
            await here.way.ask("/api/command", "POST", JSON, b'{"do": "status"}'),
        ):
            assert (answer.status, answer.body) == (400, b"charge_point: which one?")
        assert b"fleet.js" in (await here.way.ask("/")).body
        assert b"main.js" in (await here.way.ask("/index.html?charge_point=CP1")).body


async def test_figures_alone_where_the_charge_points_are_elsewhere(autojump_clock: MockClock, load: Any) -> None:
    async with load(is_elsewhere=True) as here:
        page = await looking(here)
        await page.until(lambda page: page.parts["now"]["connected"] == 5)
        assert page.hello["ids"] is None
        assert not any(name.startswith("states/") for name in page.parts)


async def test_no_more_are_open_than_there_may_be(
    autojump_clock: MockClock, load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_panel, "MOST_OPEN", 2)
    async with load() as here:
        await trio.sleep(10)
        pages = [await looking(here, f"CP{number}") for number in (1, 2)]
        full = await here.way.ask("/api/state?charge_point=CP3")
        assert (full.status, full.body) == (404, b"2 charge points are open already")
        await pages[0].stream.aclose()
        await trio.sleep(1)
        assert (await here.way.ask("/api/state?charge_point=CP3")).status == 200
        assert here.panel._open.keys() == {"CP2", "CP3"}
        await pages[1].until(lambda page: "Heartbeat" in page.actions())


async def test_figures_that_cannot_be_had_end_nothing(
    autojump_clock: MockClock, load: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with load() as here:
        page = await looking(here)
        with monkeypatch.context() as patch:
            patch.setattr(here.test, "view", None)
            await trio.sleep(5)
        assert "the state cannot be told" in caplog.text
        await page.until(lambda page: states(page) == "AAAAA")


async def test_the_last_word_comes_with_the_last_figures(autojump_clock: MockClock, load: Any) -> None:
    async with load() as here:
        await trio.sleep(10)
        page = await looking(here)
        one = await looking(here, "CP1")
        here.test.stop()
        await trio.sleep(60)
        await here.panel.finish(ending(here.test.results()))
        await page.until(lambda page: "ending" in page.parts)
        assert page.parts["ending"] == "the test is not complete: interrupted"
        assert page.parts["test"]["state"] == "incomplete"
        assert states(page) == "ooooo"
        await one.until(lambda page: "ending" in page.parts)


async def test_a_page_that_does_not_read_does_not_hold_the_end_up(autojump_clock: MockClock, load: Any) -> None:
    async with load() as here:
        page = here.panel.feed.open()
        began = trio.current_time()
        await here.panel.finish("the test passed")
        assert trio.current_time() - began < 2
        assert not page.is_told


async def _results(load: Any) -> Results:
    async with load() as here:
        await trio.sleep(10)
        found: Results = here.test.results()
        return found


async def test_figures_are_bounded_and_say_what_is_left_out(autojump_clock: MockClock, load: Any) -> None:
    results = await _results(load)
    many = tuple(ErrorCount(f"kind {number}", "Heartbeat", 1) for number in range(MOST_ERRORS + 7))
    gone = (ProcessResult(0, 3, True), ProcessResult(1, 2, False, "was killed by SIGKILL"))
    parts = figures(replace(results, errors=many, processes=gone, notes=("n" * 900,) * 50))
    assert len(parts["errors"]["kinds"]) == MOST_ERRORS
    assert parts["errors"]["left_out"] == 7
    assert parts["verdict"]["notes"][0] == "1 process ended early, with 2 charge points"
    assert len(parts["verdict"]["notes"]) == 21
    assert len(orjson.dumps(parts["verdict"])) < 20_000
    seconds = [replace(results.seconds[0], at=float(at)) for at in range(1, 1_201)]
    long = figures(replace(results, seconds=tuple(seconds)))
    assert sum(name.startswith("seconds/") for name in long) == 1_200 // CHUNK
    assert len(orjson.dumps(long)) < 200_000


async def test_a_second_more_of_a_long_test_changes_few_parts(autojump_clock: MockClock, load: Any) -> None:
    results = await _results(load)
    tally = Tally(1, most_seconds=50)
    names = ["Heartbeat", "Authorize", *(f"Guest{number}" for number in range(MOST_ACTIONS))]

    def told(second: int) -> dict[str, Any]:
        due = {
            name: ActionPortion(results=1, due=(place(1_000 * second), 1)) for name in names[: 99 if second < 9 else 2]
        }
        tally.add(0, Portion(second, Standing(), actions=due if second % 20 else {}))
        parts = figures(replace(results, seconds=tally.seconds), latencies=tally.copied().latencies())
        return {name: part for name, part in parts.items() if name.startswith(("seconds/", "latencies/"))}

    before: dict[str, Any] = {}
    most = 0
    for second in range(7, CHUNK * MOST_CHUNKS + 61, 7):
        parts = told(second)
        is_cut_anew = second - 7 <= CHUNK * MOST_CHUNKS < second
        if not is_cut_anew:
            most = max(most, sum(before.get(name) != part for name, part in parts.items()))
        before = parts
        entries = [entry for number in range(MOST_CHUNKS) for entry in parts.get(f"seconds/{number}", ())]
        assert [entry[0] for entry in entries] == [entry.at for entry in tally.seconds]
        for number in range(MOST_CHUNKS):
            for its in parts.get(f"latencies/{number}", {}).values():
                assert len(its) == len(parts[f"seconds/{number}"])
    assert 2 <= most <= 6
    first = parts["latencies/0"]
    assert set(first) == {*names[:MOST_ACTIONS], ""}, "the others are told together"
    assert len(parts) == 2 * MOST_CHUNKS, "parts of before are emptied"
    assert first["Heartbeat"][0] == pytest.approx((0.028, 0.056), rel=0.01), "of the entries that became one"


async def test_figures_of_what_has_not_begun(autojump_clock: MockClock, load: Any) -> None:
    async with load() as here:
        parts = figures(here.test.results())
    assert parts["now"]["connected"] == 0
    assert parts["now"]["loop_delay"] is None
    assert parts["actions"] == []
    assert parts["test"]["stage"] == ""
