"""Many charge points whose plain sockets one task waits for: what goes wrong with one of them, or with all of this."""

import errno
import select
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from ocpp16 import ChargePoints, open_charge_points
from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.charge_point.link import Link
from ocpp16.charge_point.shared_reader import SharedReader
from ocpp16.testing import CentralSystem
from ocpp16.testing.stations import RecordingStation
from ocpp16.transport.dial import Endpoint
from ocpp16.transport.readiness import IS_POSSIBLE, Readiness
from ocpp16.transport.watched_sockets import WatchedSockets
from ocpp16.transport.websocket import WebSocket

pytestmark = [pytest.mark.real_time, pytest.mark.skipif(not IS_POSSIBLE, reason="the kernel has no epoll")]

COUNT = 3


class Block:
    """Some charge points that are connected over sockets, and their near ends."""

    def __init__(self, csms: CentralSystem, charge_points: ChargePoints, make_config: Any) -> None:
        self.csms = csms
        self.charge_points = charge_points
        self.sockets: list[trio.SocketStream] = []
        self.opened: list[ChargePoint] = []
        self._make_config = make_config

    async def connector(self, endpoint: Endpoint) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        near, far = (trio.SocketStream(trio.socket.from_stdlib_socket(end)) for end in socket.socketpair())
        self.csms.start_soon(self.csms._serve, far)
        self.sockets.append(near)
        return near

    async def open(self) -> ChargePoint:
        number = len(self.opened)
        config = self._make_config(
            Internal__ChargePointId=f"cp{number}",
            Internal__RetryBackoffWaitMinimum=0,
            Internal__RetryBackoffRandomRange=0,
        )
        charge_point = await self.charge_points.open(config, RecordingStation(), connector=self.connector, seed=number)
        self.opened.append(charge_point)
        await charge_point.start()
        return charge_point

    async def work(self) -> None:
        """Each is asked something, and answers."""
        with trio.fail_after(20):
            for number, charge_point in enumerate(self.opened):
                identity = f"cp{number}"
                await self.csms.wait_connected(identity)
                await charge_point.wait_all_answered()
                assert await self.csms.call(identity, "ClearCache", {})


@pytest.fixture
def block(make_config: Any) -> Any:
    @asynccontextmanager
    async def made() -> AsyncIterator[Block]:
        async with CentralSystem() as csms:
            async with open_charge_points() as charge_points:
                one = Block(csms, charge_points, make_config)
                for _ in range(COUNT):
                    await one.open()
                yield one
            assert list(csms.violations) == []

    return made


async def test_all_share_one_task(block: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    watched: list[int] = []
    watch = Readiness.watch

    def noted(self: Readiness, number: int, *args: Any, **options: Any) -> None:
        watched.append(number)
        watch(self, number, *args, **options)

    monkeypatch.setattr(Readiness, "watch", noted)
    async with block() as one:
        await one.work()
        assert len(watched) == COUNT


async def test_what_the_kernel_does_not_watch_is_waited_for_by_its_own_task(
    block: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Readiness, *args: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Readiness, "watch", refused)
    async with block() as one:
        await one.work()
        assert len(one.sockets) == COUNT, "none came back again"
        assert [charge_point.counters.internal_errors for charge_point in one.opened] == [0] * COUNT


async def test_where_no_more_files_can_be_opened_each_waits_for_itself(
    block: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> select.epoll:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(select, "epoll", refused)
    async with block() as one:
        await one.work()


async def test_where_the_shared_task_fails_no_connection_ends(block: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Readiness] = []
    watch = Readiness.watch

    def noted(self: Readiness, number: int, *args: Any, **options: Any) -> None:
        made.append(self)
        watch(self, number, *args, **options)

    def fails(self: Readiness) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Readiness, "watch", noted)
    async with block() as one:
        await one.work()
        monkeypatch.setattr(Readiness, "step", fails)
        await one.work()
        assert made[0].is_over
        await one.open()
        await one.work()
        assert len(one.sockets) == COUNT + 1, "none came back again"


async def test_a_fault_of_ours_in_a_reader_ends_one_connection(block: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with block() as one:
        await one.work()
        read_now = WebSocket.read_now
        faulty: list[WebSocket] = []

        def once(self: WebSocket) -> list[str]:
            if not faulty:
                faulty.append(self)
                raise RuntimeError("a fault")
            return read_now(self)

        monkeypatch.setattr(WebSocket, "read_now", once)
        one.opened[0].heartbeat_now()
        with trio.fail_after(20):
            while len(one.sockets) == COUNT:  # noqa: ASYNC110 - it is another task's kernel that is waited for
                await trio.sleep(0.001)
        await one.work()
        assert len(one.sockets) == COUNT + 1
        assert [charge_point.counters.internal_errors for charge_point in one.opened] == [1] + [0] * (COUNT - 1)


async def test_a_socket_that_the_host_closes_harms_no_other(block: Any) -> None:
    async with block() as one:
        await one.work()
        for stream in one.sockets:
            stream.socket.close()
        for charge_point in one.opened:  # who writes finds it closed
            charge_point.heartbeat_now()
        with trio.fail_after(20):
            while len(one.sockets) < 2 * COUNT:  # noqa: ASYNC110 - as above
                await trio.sleep(0.001)
        await one.work()
        assert len(one.sockets) == 2 * COUNT
        assert [charge_point.counters.internal_errors for charge_point in one.opened] == [0] * COUNT


def test_nothing_is_read_after_a_fault() -> None:
    reads = []

    class Broken(Link):
        def take_in(self, texts: list[str] | None = None) -> None:
            reads.append(texts)
            raise RuntimeError("a fault of ours")

    reader = SharedReader(Broken.__new__(Broken), WatchedSockets(lambda: 0.0))
    assert [reader.readable(), reader.readable()] == [
        False,
        False,
    ]  # the kernel tells of it until the task had its turn
    assert (str(reader.end), reads) == ("a fault of ours", [None])
