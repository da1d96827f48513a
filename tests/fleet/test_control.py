"""The JSON lines of a whole fleet: commands that name a station, those of the fleet itself, and events with a name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
import trio

from ocpp16.fleet import open_fleet
from ocpp16.fleet.control import FLEET_COMMANDS, FleetCommands, FleetEvents
from ocpp16.simulation import ControlInterface
from ocpp16.simulation.command_table import COMMANDS
from ocpp16.testing import CentralSystem


class Desk:
    """A fleet and its face."""

    def __init__(self) -> None:
        self.out: list[bytes] = []
        self._asked = 0
        self.events = FleetEvents(ControlInterface(self.out.append))

    async def say(self, *requests: dict[str, Any]) -> list[dict[str, Any]]:
        """The answers to commands; what is told beside them stays in `told`."""

        async def source() -> AsyncIterator[bytes]:
            for number, request in enumerate(requests, first):
                yield orjson.dumps({"id": number, **request}) + b"\n"

        first = self._asked + 1
        self._asked += len(requests)
        assert self.events.fleet is not None
        await self.events.control.serve(FleetCommands(self.events.fleet), source())
        answers = {line["id"]: line for line in map(orjson.loads, self.out) if "id" in line}
        return [answers[number] for number in range(first, first + len(requests))]

    def told(self, event: str) -> list[dict[str, Any]]:
        return [line for line in map(orjson.loads, self.out) if line.get("event") == event]


@asynccontextmanager
async def desk_of(csms: CentralSystem) -> AsyncIterator[Desk]:
    desk = Desk()
    async with open_fleet(
        "ws://csms.example/ocpp", connector=csms.connector, observer=desk.events.observer_of
    ) as fleet:
        desk.events.fleet = fleet
        yield desk


async def test_a_station_is_named_and_its_events_name_it(csms: CentralSystem) -> None:
    async with desk_of(csms) as desk:
        added, all_up = await desk.say(
            {"do": "add", "charge_point": "CP1"},
            {"do": "wait_registered"},
        )
        assert added["result"]["charge_point"] == "CP1"
        assert all_up["result"] == 1
        await desk.say(
            {
                "do": "add",
                "charge_point": "CP2",
                "blueprint": "ac-22kw-twin",
                "keys": {"Core": {"HeartbeatInterval": 7}},
            },
            {"do": "wait_registered"},
        )
        answers = await desk.say(
            {"do": "plug_in", "charge_point": "CP2", "connector": 2},
            {"do": "plug_in", "charge_point": "CP1", "connector": 2},
            {"do": "status", "charge_point": "CP1"},
        )
        assert [answer["ok"] for answer in answers] == [True, False, True]
        assert answers[1]["error"] == "no connector 2: this station has 1..1"
        await trio.sleep(5)
        assert [(line["charge_point"], line["connector"]) for line in desk.told("status")][-1:] == [("CP2", 2)]
        assert {line["charge_point"] for line in desk.told("boot")} == {"CP1", "CP2"}
        assert all(line["time"] for line in desk.told("boot"))


async def test_they_come_and_go_and_are_listed(csms: CentralSystem) -> None:
    async with desk_of(csms) as desk:
        await desk.say(
            *({"do": "add", "charge_point": f"CP{number}"} for number in range(5)), {"do": "wait_registered"}
        )
        (listed,) = await desk.say({"do": "list", "first": 1, "most": 2})
        assert listed["result"]["count"] == 5
        assert listed["result"]["members"] == [
            {
                "charge_point": f"CP{number}",
                "blueprint": "ac-22kw",
                "state": "running",
                "connected": True,
                "registration": "Accepted",
                "failures": 0,
                "failure": "",
            }
            for number in (1, 2)
        ]
        removed, again = await desk.say(
            {"do": "remove", "charge_point": "CP1"}, {"do": "remove", "charge_point": "none"}
        )
        assert (removed["result"], again["result"]) == (True, False)
        (listed,) = await desk.say({"do": "list"})
        assert [one["charge_point"] for one in listed["result"]["members"]] == ["CP0", "CP2", "CP3", "CP4"]


@pytest.mark.parametrize(
    ("request_", "code", "said"),
    [
        ({"do": "plug_in", "connector": 1}, "bad_value", "plug_in needs the argument charge_point"),
        ({"do": "plug_in", "connector": 1, "charge_point": 7}, "bad_value", "plug_in needs the argument charge_point"),
        ({"do": "plug_in", "connector": 1, "charge_point": "CP9"}, "bad_value", "the fleet has no charge_point CP9"),
        ({"do": "plugin", "charge_point": "CP1"}, "unknown_command", "did you mean plug_in"),
        ({"do": "listt"}, "unknown_command", "did you mean list"),
        ({"do": "add"}, "bad_value", "add needs the argument charge_point"),
        ({"do": "add", "charge_point": "CP1"}, "bad_value", "has a charge point CP1 already"),
        ({"do": "add", "charge_point": "CP2", "blueprint": "dc"}, "bad_value", "no blueprint dc"),
        ({"do": "add", "charge_point": "CP2", "kind": "x"}, "unknown_argument", "add has no argument kind"),
        ({"do": "add", "charge_point": "CP2", "keys": {"Core": 5}}, "bad_value", "keys"),
        ({"do": "add", "charge_point": "CP2", "keys": {"Core": {"Nonsense": 5}}}, "refused", "Nonsense"),
        ({"do": "add", "charge_point": ""}, "bad_value", "charge_point must be a text"),
        ({"do": "list", "most": 0}, "bad_value", "most"),
        ({"do": "power_off", "charge_point": "CP1"}, "refused", "in a fleet"),
    ],
)
async def test_what_cannot_be_is_told_and_changes_nothing(
    csms: CentralSystem, request_: dict[str, Any], code: str, said: str
) -> None:
    async with desk_of(csms) as desk:
        await desk.say({"do": "add", "charge_point": "CP1"}, {"do": "wait_registered"})
        (answer,) = await desk.say(request_)
        assert (answer["ok"], answer.get("code")) == (False, code), answer
        assert said in answer["error"]
        assert desk.events.fleet is not None
        assert [member.identity for member in desk.events.fleet] == ["CP1"]
        assert (await desk.say({"do": "status", "charge_point": "CP1"}))[0]["ok"]


def test_no_command_of_the_fleet_hides_one_of_a_station() -> None:
    assert not FLEET_COMMANDS.keys() & COMMANDS.keys()
