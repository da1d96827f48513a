"""Charge points that come and go by orders, as a process of Locust gives them."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from ocpp16.load.documents import DocumentError
from ocpp16.load.guests import Guests
from ocpp16.scenario import ScenarioError
from ocpp16.testing import CentralSystem, Fault


async def test_they_come_call_and_go(autojump_clock: trio.testing.MockClock) -> None:
    calls: list[list[Any]] = []
    async with CentralSystem() as csms, trio.open_nursery() as nursery:
        guests = Guests.from_json(
            {"csms": "ws://csms.example/ocpp"}, lambda told: calls.extend(told["calls"]), csms.connector
        )
        nursery.start_soon(guests.run)
        for identity in "AB":
            guests.order({"do": "add", "charge_point": identity})
        await csms.wait_for_call("BootNotification", 2)
        guests.order({"do": "remove", "charge_point": "A"})
        guests.order({"do": "remove", "charge_point": "nobody"})
        await csms.wait_disconnected("A")
        await trio.sleep(600)
        guests.stop()
    counts = Counter((action, outcome) for action, _, outcome, _ in calls)
    assert counts["BootNotification", "result"] == 2
    assert counts["StopTransaction", "result"] >= 3, "one car after another"
    assert {call.identity for call in csms.calls("StartTransaction")} == {"B"}
    assert all(0 <= seconds < 60 and code == "" for _, seconds, _, code in calls)


async def test_what_is_open_when_one_goes_is_no_failure(autojump_clock: trio.testing.MockClock) -> None:
    """But one that the Central System cuts off is."""
    calls: list[list[Any]] = []
    async with CentralSystem(interval=10) as csms, trio.open_nursery() as nursery:
        guests = Guests.from_json(
            {"csms": "ws://csms.example/ocpp"}, lambda told: calls.extend(told.get("calls", [])), csms.connector
        )
        nursery.start_soon(guests.run)
        for identity in "ABC":
            guests.order({"do": "add", "charge_point": identity})
        await csms.wait_for_call("BootNotification", 3)
        csms.answers["Heartbeat"] = None
        await csms.wait_for_call("Heartbeat", 3)
        csms.abort("A")
        guests.order({"do": "remove", "charge_point": "B"})
        await trio.sleep(29)
        guests.stop()
    beats = Counter((action, outcome) for action, _, outcome, _ in calls if action == "Heartbeat")
    assert beats["Heartbeat", "lost"] == 1
    assert beats["Heartbeat", "result"] == 0


async def test_an_id_is_free_when_the_one_that_goes_is_gone(autojump_clock: trio.testing.MockClock) -> None:
    async with CentralSystem() as csms, trio.open_nursery() as nursery:
        guests = Guests.from_json({"csms": "ws://csms.example/ocpp"}, lambda told: None, csms.connector)

        async def run() -> None:
            played = await guests.run()
            assert played.notes == ()

        nursery.start_soon(run)
        for number in range(1, 4):
            guests.order({"do": "add", "charge_point": "A"})
            await csms.wait_for_call("BootNotification", number)
            guests.order({"do": "remove", "charge_point": "A"})
        guests.order({"do": "add", "charge_point": "A"})
        await csms.wait_for_call("BootNotification", 4)
        guests.stop()
    assert list(csms.violations) == []


async def test_connections_are_told_with_why_there_is_none(autojump_clock: trio.testing.MockClock) -> None:
    links: Counter[str] = Counter()

    def tell(told: dict[str, Any]) -> None:
        for reason, times in told.get("links", []):
            links[reason] += times

    async with CentralSystem() as csms, trio.open_nursery() as nursery:
        guests = Guests.from_json({"csms": "ws://csms.example/ocpp"}, tell, csms.connector)
        nursery.start_soon(guests.run)
        for identity in "AB":
            guests.order({"do": "add", "charge_point": identity})
        await csms.wait_for_call("BootNotification", 2)
        csms.refuse_handshake(503, times=3)
        csms.abort("A")
        await csms.wait_disconnected("A")
        await csms.wait_connected("A", timeout=3_600)
        guests.stop()
    assert links == {"": 3, "connection lost": 1, "handshake 503": 3}


@pytest.mark.parametrize(("most", "why"), [(200, "could not come: "), (0, "others")])
async def test_one_that_cannot_come_is_told(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch, most: int, why: str
) -> None:
    links: list[list[Any]] = []
    monkeypatch.setattr("ocpp16.load.guests.MOST_REASONS", most)
    async with trio.open_nursery() as nursery:
        guests = Guests.from_json({"csms": "no url"}, lambda told: links.extend(told.get("links", [])))
        nursery.start_soon(guests.run)
        for _ in range(2):
            guests.order({"do": "add", "charge_point": "A"})
        await trio.sleep(1)
        guests.stop()
    assert [(one[0][: len(why)], one[1]) for one in links] == [(why, 2)]


async def test_a_connection_that_a_scenario_breaks_is_no_failure(
    autojump_clock: trio.testing.MockClock, tmp_path: Path
) -> None:
    links: Counter[str] = Counter()
    path = tmp_path / "storm.toml"
    path.write_text('[[stage]]\nkind = "ramp"\n[[stage]]\nkind = "storm"\ntimes = 2\npause = 30\n')

    def tell(told: dict[str, Any]) -> None:
        for reason, times in told.get("links", []):
            links[reason] += times

    async with CentralSystem() as csms, trio.open_nursery() as nursery:
        csms.refuse_handshake(401)
        guests = Guests.from_json({"csms": "ws://csms.example/ocpp"}, tell, csms.connector)
        nursery.start_soon(guests.run)
        guests.order({"do": "add", "charge_point": "A", "scenario": str(path)})
        await trio.sleep(400)
        guests.stop()
    assert links.keys() == {"", "handshake 401"}
    assert links[""] >= 3


# Scenarios

GREETING = """
[[step]]
do = "wait_registered"

[[step]]
do = "data_transfer"
vendor_id = "of {number}"

[[step]]
do = "wait_sent"
action = "DataTransfer"
status = "${wanted}"
within = 20

[values]
wanted = "Accepted"
"""


async def told_by(
    csms: CentralSystem, orders: list[dict[str, Any]], seconds: float, wish: dict[str, Any] | None = None
) -> tuple[list[list[Any]], list[list[Any]]]:
    """Calls and stories, after so many seconds."""
    calls: list[list[Any]] = []
    stories: list[list[Any]] = []

    def tell(told: dict[str, Any]) -> None:
        calls.extend(told.get("calls", []))
        stories.extend(told.get("stories", []))

    async with trio.open_nursery() as nursery:
        guests = Guests.from_json({"csms": "ws://csms.example/ocpp", **(wish or {})}, tell, csms.connector)
        nursery.start_soon(guests.run)
        for order in orders:
            guests.order({"do": "add", **order})
        await trio.sleep(seconds)
        guests.stop()
    return calls, stories


@pytest.fixture
def greeting(tmp_path: Path) -> str:
    path = tmp_path / "greeting.toml"
    path.write_text(GREETING)
    return str(path)


async def test_each_plays_its_own_scenario_again_and_again(
    autojump_clock: trio.testing.MockClock, greeting: str
) -> None:
    async with CentralSystem() as csms:
        csms.answers["DataTransfer"] = {"status": "Accepted"}
        orders: list[dict[str, Any]] = [
            {"charge_point": "A", "number": 100_001, "scenario": greeting},
            {"charge_point": "B", "number": 7, "scenario": greeting, "values": {"wanted": "Rejected"}},
            {"charge_point": "C"},
        ]
        calls, stories = await told_by(csms, orders, 120.0)
        of_a, of_b = ([one for one in stories if one[1] == name] for name in "AB")
        assert len(of_a) >= 3
        assert {(one[0], one[3], one[4]) for one in of_a} == {("greeting", "", "")}
        assert {one[3] for one in of_b} == {"step 3: wait_sent DataTransfer"}
        assert "status is 'Accepted', not 'Rejected'" in of_b[0][4]
        assert all(0 <= one[2] < 60 for one in stories)
        assert {one[1] for one in stories} == {"A", "B"}
        greetings = {call.identity: call.payload["vendorId"] for call in csms.calls("DataTransfer")}
        assert greetings == {"A": "of 100001", "B": "of 7"}
        assert Counter(one[0] for one in calls)["DataTransfer"] == len(csms.calls("DataTransfer"))
        assert csms.calls("StartTransaction", "C"), "the others go on as ever"
        assert not csms.connected


BUSY = """
[[drivers]]
arrivals = { kind = "every", seconds = 60, first = 5 }
parking = 20

[[stage]]
kind = "ramp"

[[stage]]
kind = "hold"
duration = 900
"""


async def test_drivers_of_two_have_no_card_in_common(autojump_clock: trio.testing.MockClock, tmp_path: Path) -> None:
    path = tmp_path / "busy.toml"
    path.write_text(BUSY)
    async with CentralSystem() as csms:
        orders = [
            {"charge_point": name, "number": number, "scenario": str(path)} for number, name in ((1, "A"), (2, "B"))
        ]
        await told_by(csms, orders, 800.0)
        cards = {name: {call.payload["idTag"] for call in csms.calls("StartTransaction", name)} for name in "AB"}
        assert len(cards["A"]) > 3
        assert len(cards["B"]) > 3
        assert not cards["A"] & cards["B"]
        assert not csms.violations


async def test_who_is_removed_ends_its_story_in_order(autojump_clock: trio.testing.MockClock) -> None:
    async with CentralSystem() as csms, trio.open_nursery() as nursery:
        told: list[dict[str, Any]] = []
        guests = Guests.from_json({"csms": "ws://csms.example/ocpp"}, told.append, csms.connector)
        nursery.start_soon(guests.run)
        for number in (1, 2):
            guests.order({"do": "add", "charge_point": "A", "scenario": "office-day"})
            await csms.wait_for_call("BootNotification", number)
            guests.order({"do": "remove", "charge_point": "A"})
            await csms.wait_disconnected("A")
        guests.stop()
    assert not [one for one in told if "stories" in one], "one that was ended is neither met nor not"
    assert [record.text for record in csms.traffic if record.direction == "closed"] == ["1000", "1000"]


async def test_what_cannot_be_played_is_told_and_the_others_go_on(
    autojump_clock: trio.testing.MockClock, greeting: str
) -> None:
    async with CentralSystem() as csms:
        csms.answers["DataTransfer"] = {"status": "Accepted"}
        keys = {"Core": {"HeartbeatInterval": "often"}}
        order = {"charge_point": "A", "scenario": greeting}
        _, stories = await told_by(csms, [order], 100.0, {"keys": keys})
        assert {one[3] for one in stories} == {"it cannot be played"}
        assert "HeartbeatInterval" in stories[0][4]
        assert len(stories) == 2, "a minute between the two"
        guests = Guests.from_json({"csms": "ws://csms.example/ocpp"}, print, csms.connector)
        for wrong, why in (
            ({"scenario": "no-such"}, "no scenario no-such"),
            ({"scenario": greeting, "values": {"wnted": "x"}}, "did you mean wanted"),
            ({"scenario": 7}, "scenario"),
            ({"scenario": greeting, "values": ["x"]}, "values"),
            ({"number": 0}, "number must be from 1"),
            ({"number": 10**9 + 1}, "number must be from 1"),
            ({"charge_point": ""}, "charge_point must be the id of one"),
        ):
            with pytest.raises((DocumentError, ScenarioError), match=why):
                guests.order({"do": "add", "charge_point": "A", **wrong})


async def test_what_breaks_the_protocol_is_told_and_a_late_answer_is_not(
    autojump_clock: trio.testing.MockClock,
) -> None:
    told: list[dict[str, Any]] = []
    async with CentralSystem() as csms, trio.open_nursery() as nursery:
        csms.misbehave(Fault.DUPLICATE, "BootNotification", times=1)
        guests = Guests.from_json({"csms": "ws://csms.example/ocpp"}, told.append, csms.connector)
        nursery.start_soon(guests.run)
        guests.order({"do": "add", "charge_point": "A"})
        await csms.wait_for_call("StatusNotification", 2)
        csms.misbehave(Fault.DELAY, "Heartbeat", times=1, seconds=45.0)
        await trio.sleep(600)
        guests.stop()
    broken = [one for line in told for one in line.get("violations", ())]
    assert [(rule, count) for rule, _, count in broken] == [("answered-twice", 1)]
