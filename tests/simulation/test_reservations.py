"""The simulated station where connectors are reserved: cards, plugs, remote starts, and the commands."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from ocpp16._core import format_datetime

PROFILES = "Core,SmartCharging,RemoteTrigger,Reservation"


async def reserve(here: Any, connector_id: int, id_tag: str = "TAG1", seconds: float = 600, **members: Any) -> str:
    expiry = format_datetime(here.charge_point.for_station.clock.now() + round(seconds * 1e6), 3)
    request = {"connectorId": connector_id, "expiryDate": expiry, "idTag": id_tag, "reservationId": 7, **members}
    return str((await here.csms.call("cp001", "ReserveNow", request))["status"])


def reservation_ids(here: Any) -> list[int | None]:
    return [call.payload.get("reservationId") for call in here.csms.calls("StartTransaction")]


async def test_plug_then_the_card_it_is_for(site: Any, autojump_clock: Any) -> None:
    async with site(profiles=PROFILES) as here:
        assert await reserve(here, 1) == "Accepted"
        here.station.plug_in(1, plug_after=0, draw_after=0.5)
        await trio.sleep(1)
        here.station.present_id_tag("OTHER", [1])
        await trio.sleep(1)
        assert here.csms.calls("Authorize") == []
        here.station.present_id_tag("tag1", [1])
        await trio.sleep(2)
        assert here.statuses() == ["1 Reserved", "1 Preparing", "1 Charging"]
        assert reservation_ids(here) == [7]


async def test_the_card_first(site: Any, autojump_clock: Any) -> None:
    """The card uses it up; who does not plug in after it has lost it."""
    async with site(profiles=PROFILES) as here:
        assert await reserve(here, 1) == "Accepted"
        here.station.present_id_tag("TAG1", [1])
        await trio.sleep(1)
        assert await here.commands.run("reservations") == []
        here.station.plug_in(1, plug_after=0, draw_after=0.5)
        await trio.sleep(2)
        assert here.statuses() == ["1 Reserved", "1 Preparing", "1 Charging"]
        assert reservation_ids(here) == [7]
        assert await reserve(here, 2, "TAG2") == "Accepted"
        here.station.present_id_tag("TAG2", [2])
        await trio.sleep(120)
        assert here.statuses() == ["2 Reserved", "2 Preparing", "2 Available"]


async def test_a_card_of_the_same_parent(site: Any, autojump_clock: Any) -> None:
    async with site(profiles=PROFILES) as here:
        here.csms.answers["Authorize"] = {"idTagInfo": {"status": "Accepted", "parentIdTag": "Family"}}
        assert await reserve(here, 1, "OTHER", parentIdTag="FAMILY") == "Accepted"
        assert await reserve(here, 2, "OTHER", parentIdTag="ELSE", reservationId=8) == "Accepted"
        here.station.present_id_tag("TAG1", [2])
        await trio.sleep(1)
        assert here.statuses() == ["1 Reserved", "2 Reserved"]
        here.station.present_id_tag("TAG1", [1])
        here.station.plug_in(1, plug_after=0.5, draw_after=0.5)
        await trio.sleep(3)
        assert here.statuses() == ["1 Preparing", "1 Charging"]
        assert reservation_ids(here) == [7]


async def test_a_parent_that_is_empty(site: Any, autojump_clock: Any) -> None:
    async with site(profiles=PROFILES) as here:
        here.csms.answers["Authorize"] = {"idTagInfo": {"status": "Accepted", "parentIdTag": ""}}
        assert await reserve(here, 1, "OTHER", parentIdTag="P") == "Accepted"
        for connector_id in (1, 2):
            here.station.present_id_tag("TAG1", [connector_id])
            here.station.plug_in(connector_id, plug_after=0, draw_after=0.5)
            await trio.sleep(2)
        assert here.statuses() == ["1 Reserved", "2 Preparing", "2 Charging"]
        assert here.charge_point.counters.internal_errors == 0


async def test_a_remote_start(site: Any, autojump_clock: Any) -> None:
    async with site(profiles=PROFILES) as here:
        assert await reserve(here, 1) == "Accepted"
        request = {"connectorId": 1, "idTag": "OTHER"}
        assert await here.csms.call("cp001", "RemoteStartTransaction", request) == {"status": "Rejected"}
        request["idTag"] = "TAG1"
        assert await here.csms.call("cp001", "RemoteStartTransaction", request) == {"status": "Accepted"}
        here.station.plug_in(1, plug_after=1, draw_after=0.5)
        await trio.sleep(3)
        assert here.statuses() == ["1 Reserved", "1 Preparing", "1 Charging"]
        assert reservation_ids(here) == [7]


async def test_any_connector(site: Any, autojump_clock: Any) -> None:
    async with site(profiles=PROFILES) as here:
        assert await reserve(here, 0, "MINE") == "Accepted"
        assert here.statuses() == []
        await here.charge(1)
        assert here.statuses() == ["1 Preparing", "2 Reserved", "1 Charging"]
        here.station.present_id_tag("OTHER", [2])
        here.station.plug_in(2, plug_after=0, draw_after=0.5)
        await trio.sleep(1)
        assert here.statuses() == []
        here.station.present_id_tag("MINE", [2])
        await trio.sleep(1)
        assert here.statuses() == ["2 Preparing", "2 Charging"]
        assert reservation_ids(here) == [None, 7]


async def test_over_while_a_car_waits(site: Any, autojump_clock: Any) -> None:
    """From then on anybody may have it."""
    async with site(profiles=PROFILES) as here:
        assert await reserve(here, 1, "OTHER", 10) == "Accepted"
        here.station.plug_in(1, plug_after=0, draw_after=0.5)
        await trio.sleep(11)
        assert here.statuses() == ["1 Reserved", "1 Preparing"]
        here.station.present_id_tag("TAG1", [1])
        await trio.sleep(1)
        assert here.statuses() == ["1 Charging"]
        assert reservation_ids(here) == [None]


async def test_unplugged_it_is_reserved_still(site: Any, autojump_clock: Any) -> None:
    async with site(profiles=PROFILES) as here:
        assert await reserve(here, 1, "OTHER") == "Accepted"
        here.station.plug_in(1, plug_after=0)
        await trio.sleep(1)
        here.station.unplug(1)
        await trio.sleep(1)
        assert here.statuses() == ["1 Reserved"]


async def test_over_a_restart_and_offline(site: Any, autojump_clock: Any, tmp_path: Path) -> None:
    async with site(tmp_path, profiles=PROFILES) as here:
        assert await reserve(here, 1) == "Accepted"
        assert await here.commands.run("stop")
        assert await here.commands.run("restart")
        await trio.sleep(1)
        assert here.statuses()[-3:] == ["0 Available", "1 Reserved", "2 Available"]
        here.station.present_id_tag("TAG1", [1])
        await trio.sleep(1)
        await here.commands.run("disconnect")
        here.station.plug_in(1, plug_after=0, draw_after=0.5)
        await trio.sleep(2)
        await here.commands.run("connect")
        await trio.sleep(5)
        assert reservation_ids(here) == [7]


async def test_the_commands(site: Any, autojump_clock: Any) -> None:
    async with site(profiles=PROFILES) as here:
        run: Callable[..., Any] = here.commands.run
        asked = {"connector": 1, "id_tag": "TAG1", "seconds": 60}
        assert await run("reserve", asked) == "Accepted"
        assert await run("reserve", {**asked, "reservation_id": 2}) == "Occupied"
        assert await run("reserve", {**asked, "connector": 0, "reservation_id": 2, "parent_id_tag": "P"}) == "Accepted"
        assert [
            (row["reservation_id"], row["connector"], row["parent_id_tag"]) for row in await run("reservations")
        ] == [
            (1, 1, None),
            (2, 0, "P"),
        ]
        assert await run("cancel_reservation", {"reservation_id": 1}) is True
        assert await run("cancel_reservation", {"reservation_id": 1}) is False
        await trio.sleep(61)
        assert await run("reservations") == []
        assert [(event["reservation_id"], event["state"]) for event in here.events("reservation")] == [
            (1, "made"), (2, "made"), (1, "cancelled"), (2, "expired"),
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("zero", "arguments", "why"),
    [
        (True, {"connector": 1, "id_tag": "TAG", "seconds": 0}, "over already"),
        (False, {"connector": 0, "id_tag": "TAG"}, "ReserveConnectorZeroSupported is not true"),
    ],
)
async def test_why_it_is_rejected(
    site: Any, autojump_clock: Any, zero: bool, arguments: dict[str, Any], why: str
) -> None:
    async with site(profiles=PROFILES, zero=zero) as here:
        assert await here.commands.run("reserve", arguments) == "Rejected"
        assert why in here.commands.reason("reserve", arguments, "Rejected")
