"""Many charge points in one block, on one store: opened, driven, closed and left, each without harm to the others."""

import gc
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from ocpp16 import ChargePoints, open_charge_points, settle_memory
from ocpp16.charge_point import charge_points, life
from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.charge_point.open import open_charge_point
from ocpp16.charge_point.opened import Opened
from ocpp16.enums import Reason, RegistrationStatus
from ocpp16.errors import ChargePointStopped, ConfigurationError, StoreError
from ocpp16.store.base import Row, Table
from ocpp16.store.memory import MemoryStore
from ocpp16.testing import CentralSystem
from ocpp16.testing.stations import RecordingStation
from ocpp16.transport.dial import Endpoint

MANY = 50


class Many:
    """A block, a Central System, and how a charge point of a number is opened."""

    def __init__(self, csms: CentralSystem, charge_points: ChargePoints, make_config: Any) -> None:
        self.csms = csms
        self.charge_points = charge_points
        self._make_config = make_config

    async def open(self, number: int = 1, station: RecordingStation | None = None, **options: Any) -> ChargePoint:
        config = self._make_config(Internal__ChargePointId=f"cp{number:03}", Internal__StopTimeout=7)
        station = station or Stopping()
        options.setdefault("connector", self.csms.connector)
        return await self.charge_points.open(config, station, seed=number, **options)

    async def started(self, number: int = 1, **options: Any) -> ChargePoint:
        charge_point = await self.open(number, **options)
        await charge_point.start()
        return charge_point


class Failing(MemoryStore):
    """A store of which one table cannot be read."""

    unreadable = ""

    def load(self, charge_point_id: str, table: Table, key: Row = ()) -> list[Row]:
        if table.name == self.unreadable:
            raise StoreError("I/O error")
        return super().load(charge_point_id, table, key)


class Stopping(RecordingStation):
    """Stops a transaction when it is asked to."""

    def attach(self, charge_point: ChargePoint) -> None:
        self.charge_point = charge_point

    async def stop_transaction(self, connector_id: int, reason: Reason) -> bool:
        transaction = self.charge_point.transaction(connector_id)
        assert transaction is not None
        self.charge_point.on_transaction_stopped(connector_id, transaction.session_id, reason, 1500)
        return True


@pytest.fixture
def many(make_config: Any) -> Any:
    @asynccontextmanager
    async def block(**options: Any) -> AsyncIterator[Many]:
        async with CentralSystem() as csms:
            async with open_charge_points(**options) as charge_points:
                yield Many(csms, charge_points, make_config)
            assert list(csms.violations) == []

    return block


class Looks(trio.abc.Instrument):
    count = 0

    def before_io_wait(self, timeout: float) -> None:
        self.count += 1


async def test_many_are_closed_a_few_at_a_time(many: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop looks at sockets and signals between: to close ten thousand takes seconds."""
    monkeypatch.setattr(charge_points, "CLOSED_AT_ONCE", 2)
    looks, begun = Looks(), Counter[int]()
    leave = Opened.leave

    async def leaving(one: Opened) -> None:
        begun[looks.count] += 1
        await leave(one)

    monkeypatch.setattr(Opened, "leave", leaving)
    async with many() as block:
        for number in range(7):
            await block.started(number)
        trio.lowlevel.add_instrument(looks)
    trio.lowlevel.remove_instrument(looks)
    assert (begun.total(), max(begun.values())) == (7, 2)


async def test_who_is_closed_looks_at_no_task_of_others(many: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """To close many is a matter of their number, not of its square."""
    looked_at: list[trio.lowlevel.Task] = []
    scope_of = life._scope

    def scope(task: trio.lowlevel.Task) -> Any:
        looked_at.append(task)
        return scope_of(task)

    monkeypatch.setattr(life, "_scope", scope)
    async with many() as block:
        for number in range(10):
            await (await block.started(number)).wait_all_answered()
        assert await block.charge_points.close(next(iter(block.charge_points)))
    assert looked_at == []


@pytest.mark.parametrize("has_database", [False, True])
async def test_fifty_charge_and_are_left_in_order(many: Any, tmp_path: Path, has_database: bool) -> None:
    options = {"database_path": tmp_path} if has_database else {}
    async with many(**options) as block:
        opened = []
        tasks = len(trio.lowlevel.current_task().child_nurseries)

        async def drive(number: int) -> None:
            charge_point = await block.started(number)
            opened.append(charge_point)
            charge_point.on_transaction_started(1, "s1", "TAG1", 1000)
            await charge_point.wait_all_answered()
            if number % 2:
                charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1100)
                await charge_point.wait_all_answered()

        async with trio.open_nursery() as nursery:
            for number in range(MANY):
                nursery.start_soon(drive, number)
        assert set(block.charge_points) == set(opened)
        assert len(block.charge_points) == MANY
        assert len(trio.lowlevel.current_task().child_nurseries) == tasks
        assert len(block.csms.calls("StartTransaction")) == MANY
        assert len(block.csms.calls("StopTransaction")) == MANY / 2
        left_at = trio.current_time()
    assert trio.current_time() - left_at < 1
    assert len(block.csms.calls("StopTransaction")) == MANY
    assert not block.csms.connected
    assert len(block.charge_points) == 0
    for charge_point in opened:
        with pytest.raises(ChargePointStopped):
            charge_point.heartbeat_now()
    assert (tmp_path / "charge_points.db").exists() == has_database


async def test_what_was_told_is_there_in_the_next_block(many: Any, tmp_path: Path) -> None:
    async with many(database_path=tmp_path / "all.db") as block:
        for number in range(3):
            charge_point = await block.open(number)
            assert await charge_point.configuration.set("HeartbeatInterval", str(100 + number)) == "Accepted"
    async with many(database_path=tmp_path / "all.db") as block:
        for number in range(3):
            charge_point = await block.open(number)
            found = charge_point.configuration.get(["HeartbeatInterval"])["configurationKey"]
            assert found[0]["value"] == str(100 + number)


async def test_one_that_fails_to_open_leaves_the_others_alone(many: Any) -> None:
    store = Failing()
    async with many(store=store) as block:
        first = await block.started(1)
        with pytest.raises(StoreError, match="open already"):
            await block.open(1)
        with pytest.raises(ConfigurationError, match="measurement is missing"):
            await block.open(2, station=object())
        with pytest.raises(ConfigurationError, match="tolerances"):
            await block.open(2, tolerances=["none such"])
        with pytest.raises(ValueError, match="anchor"):
            await block.open(2, anchor=float("nan"))
        for table_name in ("settings", "transactions"):
            store.unreadable = table_name
            with pytest.raises(StoreError, match="I/O error"):
                await block.open(2)
        store.unreadable = ""
        second = await block.started(2)
        assert list(block.charge_points) == [first, second]
        for charge_point in (first, second):
            charge_point.on_transaction_started(1, "s1", "TAG1", 1000)
            await charge_point.wait_all_answered()
            charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1100)
            await charge_point.wait_all_answered()


async def test_one_is_closed_and_opened_again(many: Any) -> None:
    store = MemoryStore(is_volatile=False)
    async with many(store=store) as block:
        first, second = await block.started(1), await block.started(2)
        first.on_transaction_started(1, "s1", "TAG1", 1000)
        await first.wait_all_answered()
        assert await block.charge_points.close(first)
        assert len(block.csms.calls("StopTransaction")) == 1
        assert not first.is_running
        assert list(block.charge_points) == [second]
        assert not await block.charge_points.close(first)
        await second.wait_all_answered()
        assert second.connection.registration is RegistrationStatus.ACCEPTED
        again = await block.started(1)
        await again.wait_all_answered()
        assert list(block.charge_points) == [second, again]
    async with open_charge_point(block._make_config(Internal__ChargePointId="cp001"), RecordingStation(), store=store):
        pass  # nobody has the identity any more


async def test_closing_goes_on_without_who_asked_for_it(many: Any) -> None:
    async with many() as block:
        charge_point = await block.started()
        charge_point.on_transaction_started(1, "s1", "TAG1", 1000)
        await charge_point.wait_all_answered()
        block.csms.answers["StopTransaction"] = None
        began = trio.current_time()
        with trio.move_on_after(2) as limit:
            await block.charge_points.close(charge_point)
        assert limit.cancelled_caught
        assert trio.current_time() - began == 2
        async with trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(block.charge_points.close, charge_point)
        assert trio.current_time() - began == pytest.approx(7, abs=0.1)
        assert len(block.charge_points) == 0


async def test_leaving_takes_one_time_for_all(many: Any) -> None:
    async with many() as block:
        for number in range(MANY):
            charge_point = await block.started(number)
            charge_point.on_transaction_started(1, "s1", "TAG1", 1000)
            await charge_point.wait_all_answered()
        block.csms.answers["StopTransaction"] = None
        left_at = trio.current_time()
    assert trio.current_time() - left_at == pytest.approx(7, abs=0.1)


@pytest.mark.parametrize("how", ["exception", "cancelled"])
async def test_left_by_force_all_stop_in_order(make_config: Any, how: str) -> None:
    async def charge_and_end() -> None:
        async with open_charge_points() as charge_points:
            block = Many(csms, charge_points, make_config)
            for number in range(5):
                charge_point = await block.started(number)
                charge_point.on_transaction_started(1, "s1", "TAG1", 1000)
                await charge_point.wait_all_answered()
            if how == "exception":
                raise LookupError("of the host")
            scope.cancel()
            await trio.sleep(1)

    async with CentralSystem() as csms:
        with trio.CancelScope() as scope:
            if how == "exception":
                with pytest.raises(LookupError, match="of the host"):
                    await charge_and_end()
            else:
                await charge_and_end()
        assert scope.cancelled_caught == (how == "cancelled")
        assert len(csms.calls("StopTransaction")) == 5


async def test_cancelled_while_it_opens_at_any_moment(many: Any) -> None:
    """Whoever is cancelled leaves nothing of the one that was opened; the same identity can be had again."""
    async with many(store=MemoryStore(is_volatile=False)) as block:
        other = await block.started(2)
        for moment in range(8):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_cancel_after, moment, nursery.cancel_scope)
                charge_point = await block.open(1)
                await block.charge_points.close(charge_point)
            assert await block.charge_points.close(await block.open(1))
        assert list(block.charge_points) == [other]
        assert other.heartbeat_now()
        await other.wait_all_answered()


async def _cancel_after(moment: int, scope: trio.CancelScope) -> None:
    for _ in range(moment):
        await trio.lowlevel.checkpoint()
    scope.cancel()


async def test_what_opens_when_the_block_is_left_is_refused(many: Any) -> None:
    """By tasks of the host that live on outside of the block, whatever they have come to."""
    refused: list[int] = []

    async def keep_opening(block: Many, number: int) -> None:
        try:
            while True:
                await block.open(number)
                number += 10
        except ChargePointStopped:
            refused.append(number)

    for openers in (1, 10):
        for moment in range(8):
            refused.clear()
            async with trio.open_nursery() as outside, many() as block:
                for number in range(openers):
                    outside.start_soon(keep_opening, block, number)
                for _ in range(moment):
                    await trio.lowlevel.checkpoint()
            assert len(refused) == openers
    with pytest.raises(ChargePointStopped):
        await block.open(999)


class Turnstile:
    """A connector of many: counts who is in it, and lets through who is let."""

    def __init__(self, csms: CentralSystem) -> None:
        self._csms = csms
        self.inside: set[str] = set()
        self.most = 0
        self.opened = trio.Event()

    async def connector(self, endpoint: Endpoint) -> trio.abc.Stream:
        self.inside.add(endpoint.target)
        self.most = max(self.most, len(self.inside))
        try:
            await self.opened.wait()
            return await self._csms.connector(endpoint)
        finally:
            self.inside.discard(endpoint.target)


async def test_so_many_connect_at_a_time(autojump_clock: trio.testing.MockClock, make_config: Any) -> None:
    """The others wait their turn; who hangs gives it up in time; who does not want to any more leaves the line."""
    async with CentralSystem() as csms, open_charge_points(most_connecting=3) as charge_points:
        many, turnstile = Many(csms, charge_points, make_config), Turnstile(csms)
        points = [await many.started(number, connector=turnstile.connector) for number in range(8)]
        await trio.sleep(60)
        first = set(turnstile.inside)
        assert len(first) == 3
        in_line = next(one for number, one in enumerate(points) if f"/cp{number:03}" not in first)
        in_line.connection.disconnect()
        await trio.sleep(60)
        assert len(turnstile.inside - first) == 3, "those that hung gave it up"
        turnstile.opened.set()
        for one in points:
            if one is not in_line:
                await one.wait_registered()
        assert turnstile.most == 3
        assert not in_line.connection.is_connected
        in_line.connection.connect()
        await in_line.wait_registered()


@pytest.mark.parametrize("number", [0, -1, 1.5, True, "3"])
async def test_a_number_that_is_none_is_refused(number: Any) -> None:
    with pytest.raises(ConfigurationError, match="most_connecting must be a number from 1 on"):
        async with open_charge_points(most_connecting=number):
            pass


async def test_arguments_of_the_block_are_checked() -> None:
    with pytest.raises(ConfigurationError, match="store"):
        async with open_charge_points(store=5):  # type: ignore[arg-type]
            pass
    with pytest.raises(ConfigurationError, match="database_path"):
        async with open_charge_points(database_path=5):  # type: ignore[arg-type]
            pass


async def test_each_costs_two_tasks(many: Any) -> None:
    async with many() as block:
        first = await block.started(0)
        await first.wait_all_answered()
        before = trio.lowlevel.current_statistics().tasks_living
        for number in range(1, 11):
            charge_point = await block.started(number)
            await charge_point.wait_all_answered()
        of_the_central_system = 1
        living = trio.lowlevel.current_statistics().tasks_living - before
        assert living / 10 <= 2 + of_the_central_system


def test_settled_memory_is_not_looked_at() -> None:
    try:
        ring: list[Any] = []
        ring.append(ring)
        settle_memory()
        assert gc.get_freeze_count() > 1000
        assert not any(one is ring for one in gc.get_objects())
    finally:
        gc.unfreeze()
