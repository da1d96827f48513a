"""Who stood before the charge point: cables and cards at the times of the trace, whatever it says."""

from typing import Any

import trio

from ocpp16.replay.driver import MOST_CONNECTORS, Driver, connectors_of
from tests.replay.conftest import FROM, TO, row


class Noted:
    """A station that notes what is done to it."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []

    def plug_in(self, connector_id: int, **plan: float) -> None:
        self.done.append(("plug_in", connector_id, trio.current_time()))

    def unplug(self, connector_id: int) -> None:
        self.done.append(("unplug", connector_id, trio.current_time()))

    def present_id_tag(self, id_tag: str, connectors: tuple[int, ...]) -> None:
        self.done.append(("present_id_tag", id_tag, trio.current_time()))


def status(second: float, connector: Any, word: Any) -> dict[str, Any]:
    payload = {"connectorId": connector, "errorCode": "NoError", "status": word}
    return row(second, TO, [2, str(second), "StatusNotification", payload])


def start(second: float, connector: Any, given: Any) -> list[dict[str, Any]]:
    payload = {"connectorId": connector, "idTag": "TAG", "meterStart": 0, "timestamp": "x"}
    return [
        row(second, TO, [2, str(second), "StartTransaction", payload]),
        row(second, FROM, [3, str(second), {"transactionId": given}]),
    ]


async def driven(story: Any) -> list[tuple[Any, ...]]:
    station = Noted()
    await Driver(story, station, 1.0).drive()
    return station.done


async def test_what_no_charge_point_says_is_not_done(stories: Any) -> None:
    rows = [
        row(0, TO, [2, "b", "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}]),
        *start(1, 0, 5),
        *start(2, -1, 6),
        *start(3, MOST_CONNECTORS + 1, 7),
        *start(4, "1", 8),
        *start(5, True, 9),
        status(6, MOST_CONNECTORS + 1, "Preparing"),
        status(7, 1, ["Preparing"]),
        row(8, TO, [2, "8", "Authorize", {"idTag": ["TAG"]}]),
        row(9, TO, [2, "9", "StopTransaction", {"transactionId": {"a": 1}, "reason": ["Local"]}]),
        *start(10, 2, [77]),
        row(11, TO, [2, "11", "StopTransaction", {"transactionId": [77], "reason": "EVDisconnected"}]),
        status(12, 2, "Available"),
    ]
    story = stories(rows)["CP1"]
    began = trio.current_time()
    assert await driven(story) == [("plug_in", 2, began + 10), ("unplug", 2, began + 12)]
    assert connectors_of(story) == 2


async def test_who_is_gone_is_told_by_the_transaction(stories: Any) -> None:
    stop = {"transactionId": 77, "reason": "EVDisconnected"}
    story = stories([*start(0, 3, 77), row(5, TO, [2, "x", "StopTransaction", stop])])["CP1"]
    began = trio.current_time()
    assert await driven(story) == [("plug_in", 3, began), ("unplug", 3, began + 5)]
