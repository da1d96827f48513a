"""What the host is told, and not asked: in order, each once, and of limits the newest. Meters that hang."""

import queue
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import trio

from ocpp16 import ChargePointStopped, ChargingLimit, Measurement, PhaseValues
from ocpp16.hosts.host_log import HostLog
from ocpp16.hosts.listener import Listener
from ocpp16.hosts.station import MOST_CHANGES, POLL_TIMEOUT, Changes, Orderly, Polling, asked_station, measured
from ocpp16.log import FoldingLog


class Later:
    """A world that does its work when it is told to."""

    takes_coroutines = False
    is_telling = False

    def __init__(self) -> None:
        self.work: list[Callable[[], None]] = []
        self.log = FoldingLog("", lambda: 0.0)
        self.later: list[Callable[[], None]] = []
        self.orderly = Orderly(self.begin, self.log, self.later.append)
        self.full: BaseException | None = None

    def problems(self) -> list[str]:
        return []

    def begin(self, work: Callable[[], None]) -> None:
        if self.full is not None:
            raise self.full
        self.work.append(work)

    def tell(self, about: object, function: Callable[..., Any], *arguments: Any) -> None:
        self.orderly.tell(about, function, *arguments)

    async def ask(self, function: Callable[..., Any], *arguments: Any, of: str = "") -> Any:
        raise NotImplementedError

    def do(self) -> None:
        while self.work:
            self.work.pop(0)()


def test_what_is_told_is_called_in_order_by_one_piece_of_work() -> None:
    world, called = Later(), list[int]()
    for number in range(3):
        world.tell(None, called.append, number)
    assert len(world.work) == 1
    world.do()
    world.tell(None, called.append, 3)
    world.do()
    assert called == [0, 1, 2, 3]


def test_what_hangs_holds_up_what_is_about_the_same_and_nothing_else() -> None:
    """A driver that hangs at the limit of one charge point leaves the others without theirs no longer."""
    world, told = Later(), list[tuple[str, int]]()

    class Station:
        def __init__(self, name: str) -> None:
            self.name = name

        def charging_limit_changed(self, connector_id: int, limit: ChargingLimit) -> None:
            told.append((self.name, connector_id))

    hangs, other = Station("hangs"), Station("other")
    for station in (hangs, other):
        for connector in (1, 2):
            asked_station(station, world)[0].charging_limit_changed(connector, ChargingLimit(6.0, "A", None, None))
    Changes(world, hangs, lambda old, new: told.append((new, 0)), "FanSpeed", HostLog())("1", "2")
    Listener(world, lambda frame: told.append((frame, 0)), "frames")("frame")
    of_the_one_that_hangs = world.work.pop(0)
    world.do()
    assert told == [("other", 1), ("other", 2), ("frame", 0)]
    of_the_one_that_hangs()
    assert told[3:] == [("hangs", 1), ("hangs", 2), ("2", 0)]
    assert not world.orderly.is_at_work


def test_one_that_raises_keeps_none_from_being_called(caplog: pytest.LogCaptureFixture) -> None:
    world, called = Later(), list[int]()
    world.tell(None, int, "no number")
    world.tell(None, called.append, 1)
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


def test_what_fails_there_is_named_with_its_cause_and_its_charge_point(caplog: pytest.LogCaptureFixture) -> None:
    class Station:
        def charging_limit_changed(self, connector_id: int, limit: ChargingLimit) -> None:
            raise KeyError(connector_id)

        def measurement(self, connector_id: int) -> None:
            self.charging_limit_changed(connector_id, ChargingLimit(1.0, "A", None, None))

    class Opened:
        configuration = SimpleNamespace(text=lambda key: "x")

    def fails(old: str, new: str) -> None:
        raise ZeroDivisionError

    world, log = Later(), HostLog()
    station, _ = asked_station(Station(), world)
    for one in (station, log):
        one.attach(Opened())
    station.charging_limit_changed(3, ChargingLimit(16.0, "A", None, None))
    Changes(world, None, fails, "FanSpeed", log)("1", "2")
    world.do()
    assert measured(Station(), 0, log) is None
    assert [record.getMessage() for record in caplog.records] == [
        "x: charging_limit_changed(3) failed: KeyError: 3",
        "x: callback of on_change(FanSpeed) failed: ZeroDivisionError",
        "x: station, measurement(0) failed: KeyError: 0",
    ]
    assert all("Traceback" in (record.exc_text or "") for record in caplog.records)


def test_a_meter_that_cannot_even_be_looked_up_is_none(caplog: pytest.LogCaptureFixture) -> None:
    """Where the host tells of a transaction, in the middle of that."""

    class Station:
        @property
        def measurement(self) -> None:
            raise ReferenceError("weakly-referenced object no longer exists")

    assert measured(Station(), 1, HostLog()) is None
    assert "station, measurement(1) failed: ReferenceError" in caplog.text


def test_what_meets_the_end_of_the_charge_point_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    class Station:
        def charging_limit_changed(self, connector_id: int, limit: ChargingLimit) -> None:
            raise ChargePointStopped("its block has ended")

    world = Later()
    station, _ = asked_station(Station(), world)
    station.charging_limit_changed(3, ChargingLimit(16.0, "A", None, None))
    world.do()
    assert not caplog.records


def test_a_world_without_anybody_is_said_and_nothing_else() -> None:
    def refuses(_: Callable[[], None]) -> None:
        raise RuntimeError("cannot schedule new futures after shutdown")

    later: list[Callable[[], None]] = []
    orderly = Orderly(refuses, FoldingLog("", lambda: 0.0), later.append)
    for number in range(3):
        orderly.tell(None, print, number)
        assert len(later) == 1
    later.pop()()
    assert len(later) == 1


def test_what_cannot_be_begun_now_is_done_with_what_is_told_next(caplog: pytest.LogCaptureFixture) -> None:
    world, called = Later(), list[int]()
    world.full = RuntimeError("can't start new thread")
    world.tell(None, called.append, 1)
    world.full = None
    world.tell(None, called.append, 2)
    world.do()
    assert called == [1, 2]
    assert "can't start new thread" in caplog.text


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), queue.Full(), GeneratorExit()])
def test_what_cannot_be_begun_is_begun_later_whatever_that_raised(error: BaseException) -> None:
    """A listener tells the next only when the last was heard, and a limit is not told twice."""
    world, heard, limits = Later(), list[str](), list[float | None]()
    station, _ = asked_station(
        SimpleNamespace(charging_limit_changed=lambda _, limit: limits.append(limit.limit)), world
    )
    listener = Listener(world, heard.append, "frames")
    world.full = error
    for number in range(3):
        listener(str(number))
        station.charging_limit_changed(1, ChargingLimit(float(number), "A", None, None))
    assert len(world.later) == 1
    world.later.pop()()
    assert not heard
    world.full = None
    world.later.pop()()
    world.do()
    assert heard == ["0", "1", "2"]
    assert limits == [2.0]
    listener("3")
    world.do()
    assert heard[-1] == "3"
    assert not world.later


def test_an_exit_of_the_host_ends_nothing_where_nobody_waits(caplog: pytest.LogCaptureFixture) -> None:
    def leave() -> None:
        raise SystemExit(3)

    world, called = Later(), list[int]()
    world.tell(None, leave)
    world.tell(None, called.append, 1)
    world.do()
    world.tell(None, called.append, 2)
    world.do()
    assert called == [1, 2]
    assert "SystemExit" in caplog.text


def test_a_callback_that_hangs_is_told_a_bounded_number_of_changes_and_the_last_of_them() -> None:
    world, told = Later(), list[tuple[str, str]]()
    changes = Changes(world, None, lambda old, new: told.append((old, new)), "FanSpeed", HostLog())
    last = MOST_CHANGES + 500
    for number in range(last):
        changes(str(number), str(number + 1))
    assert [len(queue) for queue in world.orderly._waiting.values()] == [MOST_CHANGES]
    world.do()
    assert told[0] == ("0", "1")
    assert told[-1] == (str(MOST_CHANGES - 1), str(last))
    changes("a", "b")
    world.do()
    assert told[-1] == ("a", "b")


class Hanging:
    """A world in which what is asked begins, and does not come back."""

    takes_coroutines = False
    is_telling = False

    def __init__(self) -> None:
        self.log = FoldingLog("", trio.current_time)
        self.threads: list[threading.Thread] = []

    def problems(self) -> list[str]:
        return []

    def tell(self, about: object, function: Callable[..., Any], *arguments: Any) -> None:
        raise NotImplementedError

    async def ask(self, function: Callable[..., Any], *arguments: Any, of: str = "") -> Any:
        thread = threading.Thread(target=function, args=arguments)
        self.threads.append(thread)
        thread.start()
        Meter.begun.acquire()
        await trio.sleep_forever()


class Meter:
    begun = threading.Semaphore(0)
    number_of_connectors = 2

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.for_station = self

    def transaction(self, connector_id: int) -> str:
        return "it runs"

    def measurement(self, connector_id: int) -> None:
        self.begun.release()
        self.go_on.wait()


class Full(Hanging):
    """A world that takes nothing once, and says so in its own way."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def ask(self, function: Callable[..., Any], *arguments: Any, of: str = "") -> Any:
        self.asked += 1
        if self.asked == 1:
            raise queue.Full
        return Measurement(energy_import=PhaseValues(1000.0))


async def test_a_meter_that_cannot_be_asked_is_asked_again(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[int] = []
    charge_point = SimpleNamespace(
        for_station=SimpleNamespace(number_of_connectors=1),
        transaction=lambda connector_id: "it runs",
        on_meter_values=lambda connector_id, values: told.append(connector_id),
    )
    with trio.move_on_after(2.5):
        await Polling(charge_point, None, Full(), 1.0, HostLog()).run()
    assert told == [1]
    assert "measurement(1): Full" in caplog.text


async def test_a_meter_that_never_answers_holds_one_thread(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    meter, world = Meter(), Hanging()
    with trio.move_on_after(100 * POLL_TIMEOUT):
        await Polling(meter, meter, world, 1.0, HostLog()).run()
    meter.go_on.set()
    assert len(world.threads) == meter.number_of_connectors
    assert "no answer for" in caplog.text
    for thread in world.threads:
        thread.join()
    polled = len(world.threads)
    with trio.move_on_after(3):
        await Polling(meter, meter, world, 1.0, HostLog()).run()
    assert len(world.threads) > polled
    for thread in world.threads:
        thread.join()
