"""Stop and restart that several modules ask for at the same time: what EVerest tells counts whenever it runs."""

import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from ocpp16.everest.intake import Intake
from ocpp16.everest.opened import OpenedChargePoint
from ocpp16.everest.topology import Topology
from ocpp16.log import FoldingLog

TIMEOUT = 120.0


class ChargePoint:
    """`before_return` is called when it is stopped, or started, and the caller does not know yet."""

    def __init__(self) -> None:
        self.is_running = True
        self.before_return: Callable[[], object] = lambda: None

    def stop(self) -> bool:
        return self._become(is_running=False)

    def restart(self) -> bool:
        return self._become(is_running=True)

    def _become(self, *, is_running: bool) -> bool:
        was, self.is_running = self.is_running, is_running
        before_return, self.before_return = self.before_return, lambda: None
        before_return()
        return was is not is_running


class Schedules:
    is_going = True

    def stop(self) -> None:
        self.is_going = False

    def go_on(self) -> None:
        self.is_going = True


class Place:
    def __init__(self) -> None:
        self.intake = Intake(FoldingLog("", lambda: 0.0))
        self.opened = OpenedChargePoint(SimpleNamespace(), Topology([[1]]), self.intake, reset_delay=0)  # type: ignore[arg-type]
        self.charge_point = ChargePoint()
        self.schedules = Schedules()
        self.opened.charge_point = self.charge_point
        self.opened.schedules = self.schedules  # type: ignore[assignment]

    def listens(self) -> bool:
        assert self.schedules.is_going is not self.intake.is_stopped
        return self.schedules.is_going


@pytest.fixture
def place() -> Place:
    return Place()


def test_one_after_the_other(place: Place) -> None:
    assert place.opened.stop() is True
    assert not place.listens()
    assert place.opened.stop() is False
    assert place.opened.restart() is True
    assert place.listens()
    assert place.opened.restart() is False
    assert place.listens()


@pytest.mark.parametrize("begins_with_stop", [True, False])
def test_the_contrary_is_done_before_the_first_comes_back(place: Place, begins_with_stop: bool) -> None:
    first, second = place.opened.stop, place.opened.restart
    if not begins_with_stop:
        place.opened.stop()
        first, second = second, first
    other = threading.Thread(target=second)

    def in_between() -> None:
        other.start()
        if begins_with_stop:
            other.join(TIMEOUT)  # or else the first counts as under way still
        else:
            while place.charge_point.is_running:
                other.join(0.001)

    place.charge_point.before_return = in_between
    assert first() is True
    other.join(TIMEOUT)
    assert place.charge_point.is_running is begins_with_stop
    assert place.listens() is begins_with_stop


def test_a_restart_that_takes_too_long_may_come_yet(place: Place) -> None:
    place.opened.stop()

    def too_long() -> None:
        place.charge_point.is_running = False
        raise TimeoutError

    place.charge_point.before_return = too_long
    with pytest.raises(TimeoutError):
        place.opened.restart()
    assert place.listens()
