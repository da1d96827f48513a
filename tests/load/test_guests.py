"""Charge points that come and go by orders, as a process of Locust gives them."""

from collections import Counter
from typing import Any

import trio
import trio.testing

from ocpp16.load.guests import Guests
from ocpp16.testing import CentralSystem


async def test_they_come_call_and_go(autojump_clock: trio.testing.MockClock) -> None:
    calls: list[list[Any]] = []
    async with CentralSystem() as csms, trio.open_nursery() as nursery:
        guests = Guests.from_json({"csms": "ws://csms.example/ocpp"}, calls.extend, csms.connector)
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


async def test_an_id_is_free_when_the_one_that_goes_is_gone(autojump_clock: trio.testing.MockClock) -> None:
    async with CentralSystem() as csms, trio.open_nursery() as nursery:
        guests = Guests.from_json({"csms": "ws://csms.example/ocpp"}, lambda calls: None, csms.connector)

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
