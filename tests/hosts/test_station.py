"""What the host is told, and not asked: in order, each once, and of limits the newest."""

from collections.abc import Callable
from typing import Any

import pytest

from ocpp16 import ChargingLimit
from ocpp16.hosts.station import Orderly, asked_station


class Later:
    """A world that does its work when it is told to."""

    takes_coroutines = False

    def __init__(self) -> None:
        self.work: list[Callable[[], None]] = []
        self.orderly = Orderly(self.work.append)

    def tell(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.orderly.tell(function, *arguments)

    async def ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        raise NotImplementedError

    def do(self) -> None:
        while self.work:
            self.work.pop(0)()


def test_what_is_told_is_called_in_order_by_one_piece_of_work() -> None:
    world, called = Later(), list[int]()
    for number in range(3):
        world.tell(called.append, number)
    assert len(world.work) == 1
    world.do()
    world.tell(called.append, 3)
    world.do()
    assert called == [0, 1, 2, 3]


def test_one_that_raises_keeps_none_from_being_called(caplog: pytest.LogCaptureFixture) -> None:
    world, called = Later(), list[int]()
    world.tell(int, "no number")
    world.tell(called.append, 1)
    world.do()
    assert called == [1]
    assert "no number" in caplog.text


def test_of_limits_the_newest_is_told() -> None:
    told: list[tuple[int, float | None]] = []

    class Station:
        def charging_limit_changed(self, connector_id: int, limit: ChargingLimit) -> None:
            told.append((connector_id, limit.limit))

    world = Later()
    station, _ = asked_station(Station(), world)
    for connector, amperes in ((1, 16.0), (2, 10.0), (1, 8.0)):
        station.charging_limit_changed(connector, ChargingLimit(amperes, "A", None, None))
    world.do()
    assert told == [(1, 8.0), (2, 10.0)]
    station.charging_limit_changed(1, ChargingLimit(32.0, "A", None, None))
    world.do()
    assert told[-1] == (1, 32.0)


def test_a_world_without_anybody_is_said_and_nothing_else() -> None:
    def refuses(_: Callable[[], None]) -> None:
        raise RuntimeError("cannot schedule new futures after shutdown")

    Orderly(refuses).tell(print)
