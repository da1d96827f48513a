"""Behind the borders: an exception at any of the few places where code runs is caught, told; all else goes on."""

import logging
import sqlite3
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest
import trio

from ocpp16.charge_point.second_line import SecondLine
from ocpp16.configuration.configuration import Prepared
from ocpp16.enums import ChargePointErrorCode
from ocpp16.errors import CallFailed
from ocpp16.models import Counters, ErrorInfo
from ocpp16.observer import InternalError, ObserverEvent
from ocpp16.state.signals import TransactionStarted
from ocpp16.testing.central_system import CentralSystem


def boom(*_: Any, **__: Any) -> None:
    raise ZeroDivisionError("boom")


async def goes_on(bench: Any, place: str) -> None:
    """What was broken is told, and a transaction goes through."""
    assert bench.charge_point.counters.internal_errors >= 1
    await trio.sleep(1)
    assert any(place in event.place for event in bench.events.of(InternalError))
    before = len(bench.sent("StartTransaction"))
    bench.charge_point.on_transaction_started(2, "s2", "TAG2", 5)
    await trio.sleep(5)
    assert len(bench.sent("StartTransaction")) == before + 1
    assert bench.charge_point.connection.is_connected


async def test_a_timer(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.charge_point._runtime.ctx.timers.at(0, boom)
        bench.charge_point.for_station.timers.at(0, boom)
        await trio.sleep(1)
        await goes_on(bench, "timer")


async def test_what_follows_an_answer(open_bench: Any) -> None:
    async with open_bench() as bench:
        await bench.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
        availability = bench.charge_point._runtime.features.availability
        bench.charge_point._runtime.features.dispatcher._features = [
            _ThenFails(one) if one is availability else one for one in bench.charge_point._runtime.features.all
        ]
        assert await bench.call("ChangeAvailability", {"connectorId": 1, "type": "Operative"}) == {"status": "Accepted"}
        await goes_on(bench, "answer")


async def test_a_change_that_is_in_its_file_and_cannot_be_applied(
    open_bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_bench(user_config_path=tmp_path / "changes.json") as bench:
        await trio.sleep(1)
        with monkeypatch.context() as patch:
            patch.setattr(Prepared, "apply", boom)
            with pytest.raises(ZeroDivisionError):
                await bench.charge_point.configuration.set("ConnectionTimeOut", "17")
        await goes_on(bench, "apply")


class _ThenFails:
    """Availability whose act after the answer fails."""

    concerns: ClassVar[dict[str, Any]] = {}
    plain: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, feature: Any) -> None:
        self._feature = feature

    async def change_availability(self, request: Any) -> Any:
        return replace(await self._feature.change_availability(request), then=boom)


async def test_a_handler(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.charge_point._runtime.features.settings.ctx = None
        with pytest.raises(CallFailed, match="InternalError"):
            await bench.call("GetConfiguration", {})
        await goes_on(bench, "GetConfiguration")


async def test_a_subscriber_of_a_signal(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.charge_point._runtime.ctx.signals.on(TransactionStarted, boom)
        bench.begin()
        await trio.sleep(1)
        await goes_on(bench, "signal")


async def test_a_hook_of_an_answer(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.charge_point._runtime.ctx.sender.confirmations["StopTransaction"] = boom
        bench.begin()
        await trio.sleep(1)
        bench.charge_point.on_transaction_stopped(1, "s1", "Local", 1500)
        await trio.sleep(5)
        assert len(bench.sent("StopTransaction")) == 1, "told once, though the hook failed"
        await goes_on(bench, "")


async def test_a_callback_of_a_key(open_bench: Any) -> None:
    async with open_bench() as bench:
        told: list[tuple[Any, Any]] = []
        bench.charge_point.on_change("heartbeatinterval", boom)
        undo = bench.charge_point.on_change("HeartbeatInterval", lambda old, new: told.append((old, new)))
        for value in ("77", "78"):
            assert await bench.call("ChangeConfiguration", {"key": "HeartbeatInterval", "value": value}) == {
                "status": "Accepted"
            }
        assert told == [("300", "77"), ("77", "78")]
        undo()
        undo()
        await bench.call("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "79"})
        assert len(told) == 2
        await goes_on(bench, "callback")
        with pytest.raises(ValueError, match="did you mean HeartbeatInterval"):
            bench.charge_point.on_change("HeartbeatIntervall", boom)


async def test_a_callback_that_would_never_run_is_refused(open_bench: Any) -> None:
    async def late(*_: Any) -> None: ...

    async with open_bench() as bench:
        for callback in (late, partial(late, 1), 5, None):
            with pytest.raises(ValueError, match=r"^callback must be a function that is not async, not "):
                bench.charge_point.on_change("HeartbeatInterval", callback)
        for strategy in (late, 5):
            with pytest.raises(ValueError, match=r"^strategy must be a function that is not async, or None, not "):
                bench.charge_point.smart_charging.share_limits(strategy)


async def test_a_task(open_bench: Any) -> None:
    async def fails() -> None:
        raise ZeroDivisionError

    async with open_bench() as bench:
        bench.charge_point.for_station.spawn(fails)
        bench.charge_point._runtime.spawn_outside(fails)
        await trio.sleep(1)
        assert bench.charge_point.counters.internal_errors == 2
        await goes_on(bench, "task")


async def test_a_stored_message_that_cannot_be_written(open_bench: Any, tmp_path: Any) -> None:
    csms = CentralSystem()
    csms.is_reachable = False
    async with open_bench(csms=csms, database_path=tmp_path) as bench:
        bench.begin()
        await trio.sleep(1)
    with closing(sqlite3.connect(tmp_path / "cp001.db")) as database:
        database.execute("UPDATE message_queue SET payload = '{\"x\": 1}' WHERE action = 'StartTransaction'")
        database.commit()
    async with open_bench(database_path=tmp_path) as bench:
        await trio.sleep(5)
        assert [letter.action for letter in await bench.charge_point.dead_letters()] == ["StartTransaction"]
        assert len(bench.sent("StopTransaction")) == 1
        assert bench.charge_point.connection.queue_depth == 0


async def test_the_pump_and_a_report(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.charge_point._runtime._pump.on_turn = boom
        bench.charge_point.on_error(1, ErrorInfo(ChargePointErrorCode.OTHER_ERROR))
        await trio.sleep(3)
        bench.charge_point._runtime._pump.on_turn = None
        assert 0 < bench.charge_point.counters.internal_errors < 20, "it does not go round without a pause"
        await goes_on(bench, "pump")


def test_repeats_of_one_cause_are_folded(caplog: pytest.LogCaptureFixture) -> None:
    told: list[ObserverEvent] = []
    counters, now = Counters(), 0.0
    line = SecondLine("cp\r\n001", counters, lambda: now, told.append)
    with caplog.at_level(logging.ERROR, "ocpp16"):
        for _ in range(1000):
            line.failed("timer", ZeroDivisionError("x"))
        line.failed("timer", ValueError("y"))
        assert (len(told), len(caplog.records), counters.internal_errors) == (2, 2, 1001)
        now = 60.0
        line.failed("timer", ZeroDivisionError("x"))
    assert "999 times more" in caplog.text
    assert "cp\\r\\n001" in caplog.text


def test_an_exception_without_a_text_is_told_too() -> None:
    class Silent(Exception):
        def __str__(self) -> str:
            raise ValueError

    told: list[ObserverEvent] = []
    SecondLine("cp", Counters(), lambda: 0.0, told.append).failed("x", Silent())
    assert told == [InternalError("x", "Silent: (no text)")]


def test_causes_are_not_kept_without_end() -> None:
    """One that was told long ago is told anew; a recent one is not."""
    told: list[ObserverEvent] = []
    line = SecondLine("cp", Counters(), lambda: 0.0, told.append)
    for number in range(100):
        line.failed("timer", ValueError(str(number)))
    assert len(told) == 100
    line.failed("timer", ValueError("99"))
    assert len(told) == 100
    line.failed("timer", ValueError("0"))
    assert told[100:] == [InternalError("timer", "ValueError: 0")]
