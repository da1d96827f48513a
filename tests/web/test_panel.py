"""What pages are told of a charge point in memory, on the virtual clock: state, traffic, commands, and being slow."""

from typing import Any

import orjson
import pytest
import trio
from trio.testing import MockClock

from ocpp16.simulation.command_table import COMMANDS
from ocpp16.web import feed as feeds
from ocpp16.web.feed import FIRST_ROWS, MOST_ROWS, Feed
from ocpp16.web.forms import forms, typed
from ocpp16.web.panel import MOST_LOOKED, Panel
from ocpp16.web.site import ALIVE

PROFILE = {
    "chargingProfileId": 7,
    "stackLevel": 2,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": {
        "startSchedule": "2030-01-01T08:00:00Z",
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}, {"startPeriod": 3600, "limit": 20}],
    },
}


async def test_a_session_from_the_first_look_to_the_end(autojump_clock: MockClock, place: Any) -> None:
    async with place() as here:
        page = await here.looks().begin()
        await page.until(lambda page: page.actions().count("StatusNotification") == 3)
        assert page.hello["kind"] == "charge_point"
        assert [form["name"] for form in page.hello["commands"]] == list(COMMANDS)
        actions = [action for action in page.actions() if action != "SecurityEventNotification"]
        assert actions == ["BootNotification", *["StatusNotification"] * 3]
        assert page.parts["station"]["is_connected"] is True
        assert page.parts["connector/1"]["status"] == "Available"
        assert not page.parts["connector/1"]["car"]

        assert (await here.do("plug_in", connector=1, current=16, draw_after=0)) == {"ok": True, "result": None}
        await page.until(lambda page: page.parts["connector/1"]["status"] == "Preparing")
        assert page.parts["connector/1"]["car"]["is_plugged"] is True
        assert (await here.do("present_id_tag", words={"id_tag": "ANNA", "connectors": "1"}))["ok"] is True
        await page.until(lambda page: page.parts["connector/1"]["meter"]["power"] == 16 * 230)
        transaction = page.parts["connector/1"]["transaction"]
        assert transaction["id_tag"] == "ANNA"
        await page.until(lambda page: page.parts["connector/1"]["transaction"]["transaction_id"] == 1)
        await page.until(lambda page: page.parts["connector/1"]["transaction"]["energy"] >= 20)  # told while it grows

        assert (await here.do("set_charging_profile", connector=1, profile=PROFILE))["result"] == "Accepted"
        await page.until(lambda page: page.parts["connector/1"]["limit"]["limit"] == 10)
        assert page.parts["connector/1"]["limit"]["profile"]["id"] == 7
        assert [row["id"] for row in page.parts["profiles"]] == [7]
        await page.until(lambda page: page.parts["connector/1"]["meter"]["power"] == 10 * 230)

        assert (await here.do("unplug", words={"connector": "1"}))["ok"] is True
        await page.until(lambda page: page.parts["connector/1"]["status"] == "Available")
        assert page.parts["connector/1"]["transaction"] is None
        answers = {row["id"]: row for row in page.rows if row["kind"] == "CALLRESULT"}
        for row in page.rows:
            if row["kind"] == "CALL" and row["id"] in answers:
                answer = answers[row["id"]]
                assert (answer["action"], answer["asker"]) == (row["action"], row["direction"])
                assert answer["latency"] >= 0
        assert "StopTransaction" in page.actions()
        events = [row["event"]["event"] for row in page.rows if row["kind"] == "EVENT"]
        assert {"boot", "status", "transaction", "charging_limit"} <= set(events)
        assert [row["n"] for row in page.rows] == list(range(1, len(page.rows) + 1))
        assert page.missed == 0


async def test_what_happens_is_told_soon_and_nothing_but_the_clock_while_nothing_does(
    autojump_clock: MockClock, place: Any
) -> None:
    async with place() as here:
        page = await here.looks().begin()
        await page.until(lambda page: len(page.rows) >= 8)
        await trio.sleep(5)
        page.parts.clear()
        await page.until(lambda page: page.parts)
        await page.until(lambda page: page.parts)
        assert set(page.parts) == {"clock"}
        began = trio.current_time()
        await here.do("raise_fault", connector=2, error="GroundFailure")
        await page.until(lambda page: page.parts.get("connector/2", {}).get("status") == "Faulted")
        assert trio.current_time() - began < 1
        assert page.parts["connector/2"]["error"] == "GroundFailure"


async def test_while_nobody_looks_nothing_is_looked_at(
    autojump_clock: MockClock, place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place() as here:
        looked = 0
        look = here.panel._snapshot.look

        async def counted(connectors: Any) -> Any:
            nonlocal looked
            looked += 1
            return await look(connectors)

        monkeypatch.setattr(type(here.panel._snapshot), "look", lambda self, connectors: counted(connectors))
        await here.do("plug_in", connector=1)
        await trio.sleep(600)
        assert looked == 0
        page = await here.looks().begin()
        await page.until(lambda page: "connector/1" in page.parts)
        await page.stream.aclose()
        await trio.sleep(10)
        before = looked
        await trio.sleep(600)
        assert looked == before


@pytest.mark.parametrize("told", [{"queue": "\ud800"}, {"queue": object()}, RuntimeError("broken"), trio.Cancelled])
async def test_a_state_that_cannot_be_told_ends_nothing(
    autojump_clock: MockClock, place: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, told: Any
) -> None:
    async def broken(connectors: Any) -> Any:
        if isinstance(told, dict):
            return told
        raise RuntimeError("broken") if isinstance(told, Exception) else trio.Cancelled._create()

    async with place() as here:
        page = await here.looks().begin()
        snapshot = here.panel._snapshot
        with monkeypatch.context() as patch:
            patch.setattr(type(snapshot), "look", lambda self, connectors: broken(connectors))
            await trio.sleep(5)
            assert (await here.do("plug_in", connector=1, plug_after=0))["ok"] is True
            await trio.sleep(5)
        assert "the state cannot be told" in caplog.text
        assert here.charge_point.is_running
        await page.until(lambda page: page.parts.get("connector/1", {}).get("status") == "Preparing")


async def test_a_slow_page_is_told_that_it_missed_something_and_holds_up_nobody(
    autojump_clock: MockClock, place: Any
) -> None:
    async with place() as here:
        slow = here.panel.feed.open()
        fast = here.panel.feed.open()
        taken = 0
        for number in range(3 * MOST_ROWS):
            here.panel.frame("cp001", "sent", f'[2,"{number}","Heartbeat",{{}}]')
            assert slow.waiting <= MOST_ROWS
            if number % 100 == 0:
                taken += (await fast.next()).count(b'"Heartbeat"')
        while fast.waiting:
            taken += (await fast.next()).count(b'"Heartbeat"')
        assert taken == 2 * 3 * MOST_ROWS  # as action, and in the frame
        told = b""
        while slow.waiting:
            told += await slow.next()
        first, _, rest = told.partition(b"\n\n")
        name, data = first.split(b"\n")
        assert name == b"event: missed"
        missed = orjson.loads(data.removeprefix(b"data: "))["count"]
        rows = [row for line in rest.split(b"\n") if line.startswith(b"data: [") for row in orjson.loads(line[6:])]
        assert missed + len(rows) == here.panel.feed.last
        assert [row["n"] for row in rows] == list(range(missed + 1, here.panel.feed.last + 1))
        assert b'event: parts\ndata: {"clock"' in rest or not here.panel.feed.parts
        for page in (slow, fast):
            page.close()
        assert here.charge_point.is_running


async def test_rows_that_are_large_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MOST_BYTES", 10_000)
    monkeypatch.setattr(feeds, "MOST_PUSHED", 5_000)
    feed = Feed(most_kept=1_000, most_bytes=20_000)
    page = feed.open()
    for _ in range(50):
        feed.add(b'{"x":"' + b"x" * 1_000 + b'"}')
        assert page.waiting <= 10
    assert 15 <= len(feed.rows(0, 1_000)) <= 20
    assert feed.oldest == 50 - len(feed.rows(0, 1_000)) + 1
    assert len(await page.next()) <= 6_000
    feed.add(b'{"x":"' + b"x" * 100_000 + b'"}')  # larger than all: it comes by itself
    assert len(feed.rows(0, 10)) == 1
    told = b""
    while page.waiting:
        told += await page.next()
    assert b"x" * 100_000 in told
    for _ in range(50):
        feed.add(b'{"x":"' + b"x" * 1_000 + b'"}')
    told = await feed.open().next()
    assert told.count(b'"n"') == 4
    assert not told.startswith(b"event: missed"), "what came before it did is not missed by a page"


async def test_rows_are_had_one_after_another() -> None:
    feed = Feed(most_kept=700)
    assert feed.rows(0, 10) == []
    for _ in range(1_000):
        feed.add(b"{}")
    told: list[int] = []
    while rows := feed.rows(told[-1] if told else 0, 300):
        told += [row.number for row in rows]
    assert told == list(range(301, 1_001))
    assert feed.rows(5_000, 10) == []
    assert [row.number for row in feed.latest(990, 5)] == list(range(996, 1_001))


async def test_a_part_that_changes_often_is_sent_once_as_it_is_then() -> None:
    feed = Feed()
    page = feed.open()
    for number in range(1_000):
        feed.put("one", number)
        feed.put("other", 7)
    assert await page.next() == b'event: parts\ndata: {"one":999,"other":7}\n\n'
    feed.put("other", 7)
    feed.put("one", 1)
    assert await page.next() == b'event: parts\ndata: {"one":1}\n\n'


async def test_the_end_waits_until_the_last_word_was_sent(autojump_clock: MockClock) -> None:
    panel = Panel()
    page = panel.feed.open()
    sent: list[bytes] = []

    async def send() -> None:
        while True:
            told = await page.next()
            await trio.sleep(0.3)  # its connection takes so long
            sent.append(told)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        panel.end("SIGTERM")
        await panel.finish()
        nursery.cancel_scope.cancel()
    assert sent == [b'event: parts\ndata: {"ending":"SIGTERM"}\n\n']


async def test_a_page_that_comes_back_goes_on_where_it_was(autojump_clock: MockClock, place: Any) -> None:
    async with place() as here:
        page = await here.looks().begin()
        await page.until(lambda page: len(page.actions()) >= 4)
        last, instance = page.rows[-1]["n"], page.hello["instance"]
        await page.stream.aclose()
        await here.do("plug_in", connector=1)
        await trio.sleep(5)
        again = await here.looks(f"?instance={instance}&after={last}").begin()
        await again.until(lambda page: "StatusNotification" in page.actions())
        assert again.rows[0]["n"] == last + 1
        assert again.hello["instance"] == instance
        assert again.missed == 0
        assert again.parts["connector/1"]["status"] == "Preparing"
        other = await here.looks(f"?instance=0000&after={last}").begin()
        await other.until(lambda page: page.rows)
        assert other.rows[0]["n"] == 1, "of another life of the program: from the beginning"


async def test_a_page_that_was_away_for_too_long_is_told_what_it_missed() -> None:
    feed = Feed(most_kept=2_000)
    feed.add(b"{}")
    for _ in range(3_000):
        feed.add(b"{}")
    page = feed.open(feed.instance, 1)
    told = await page.next()
    assert told.startswith(b'event: missed\ndata: {"count":%d}\n\n' % (3_001 - FIRST_ROWS - 1))


async def test_a_push_says_that_nothing_happens(autojump_clock: MockClock, place: Any) -> None:
    async with place() as here:
        page = await here.looks().begin()
        here.panel._snapshot = None  # not even the clock is told any more
        await page.until(lambda page: page.quiet >= 3)
        assert trio.current_time() >= 3 * ALIVE


async def test_commands_are_answered_as_by_the_console(autojump_clock: MockClock, place: Any) -> None:
    async with place() as here:
        assert (await here.do("plug_in", connector=9))["error"] == "no connector 9: this station has 1..2"
        assert (await here.do("plug_in", words={"connector": "9"}))["code"] == "bad_value"
        assert (await here.do("plug_in"))["error"] == "plug_in needs the argument connector"
        assert "did you mean" in (await here.do("plugin", connector=1))["error"]
        assert (await here.do("heartbeat", words={"x": "1"}))["code"] == "unknown_argument"
        refused = await here.do(
            "set_charging_profile", connector=1, profile={**PROFILE, "chargingProfilePurpose": "TxProfile"}
        )
        assert refused["result"] == "Rejected"
        assert "transaction" in refused["reason"]
        assert (await here.do("stop")) == {"ok": True, "result": True}
        assert (await here.do("heartbeat"))["ok"] in (True, False)
        assert (await here.parts())["station"]["is_running"] is False
        assert (await here.do("plug_in", connector=1))["ok"] in (True, False)
        assert (await here.do("restart")) == {"ok": True, "result": True}
        assert (await here.parts())["station"]["is_running"] is True


async def test_without_smart_charging_its_parts_are_null(autojump_clock: MockClock, place: Any) -> None:
    async with place(features="Core") as here:
        parts = await here.parts()
        assert parts["profiles"] is None
        assert parts["reservations"] == []
        assert parts["connector/1"]["limit"] is None
        answer = await here.ask("/api/curves?connector=1")
        assert answer.status == 409
        assert b"smart charging is not built in" in answer.body


async def test_curves(autojump_clock: MockClock, place: Any) -> None:
    async with place() as here:
        assert (await here.do("set_charging_profile", connector=1, profile=PROFILE))["result"] == "Accepted"
        found = (await here.ask("/api/curves?connector=1&duration=7200&unit=A")).json
        assert [step[1] for step in found["steps"]] == [10, 20]
        assert 3590 <= found["steps"][1][0] <= 3600
        assert [(one["id"], one["stack_level"]) for one in found["profiles"]] == [(7, 2)]
        assert [step[1] for step in found["profiles"][0]["steps"]] == [10, 20]
        watts = (await here.ask("/api/curves?connector=1&duration=7200&unit=W")).json
        assert [step[1] for step in watts["steps"]] == [6900, 13800]
        station = (await here.ask("/api/curves?connector=0&duration=7200")).json
        assert [one["connector"] for one in station["profiles"]] == [1]


async def test_a_large_station_is_looked_at_by_turns(autojump_clock: MockClock, place: Any) -> None:
    count = 3 * MOST_LOOKED
    async with place(count) as here:
        page = await here.looks().begin()
        await page.until(lambda page: sum(name.startswith("connector/") for name in page.parts) == count)
        page.parts.clear()
        await here.do("plug_in", connector=count, plug_after=0)
        await here.do("plug_in", connector=count // 2, plug_after=100)  # not told by an event before
        await page.until(lambda page: page.parts.get(f"connector/{count}", {}).get("car"))
        await page.until(lambda page: page.parts.get(f"connector/{count // 2}", {}).get("car"))
        assert len(here.panel._chosen(count, is_whole=False)) == MOST_LOOKED


def test_every_command_has_a_form_and_every_field_reads_what_it_offers() -> None:
    made = forms()
    assert [form["name"] for form in made] == list(COMMANDS)
    for form in made:
        assert form["text"]
        assert form["subject"]
        command = COMMANDS[form["name"]]
        assert [field["name"] for field in form["fields"]] == [argument.name for argument in command.arguments]
        for field, argument in zip(form["fields"], command.arguments, strict=True):
            for choice in field.get("choices", ()):
                argument.check(argument.kind.from_word(choice), 2)
            for limit in field.get("limits", ()):
                argument.check(limit, 2)
            if "limits" in field:
                with pytest.raises(ValueError, match="must be"):
                    argument.check(field["limits"][1] + 1, 2)
    orjson.dumps(made)


def test_what_is_typed_is_read_as_by_the_console() -> None:
    assert typed("plug_in", {"connector": "1", "current": "6.5", "installs": "yes", "car": "compact"}) == {
        "connector": 1,
        "current": 6.5,
        "installs": True,
        "car": "compact",
    }
    assert typed("plug_in", {"car": ' {"model": "compact"}'})["car"] == {"model": "compact"}
    assert typed("present_id_tag", {"id_tag": "1", "connectors": "1,2"}) == {"id_tag": "1", "connectors": [1, 2]}
