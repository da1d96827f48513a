"""One task for many sockets: whose reader is called, and what is forgotten."""

import errno
import os
import select
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import trio
import trio.testing

from ocpp16.transport import watched_sockets
from ocpp16.transport.readiness import IS_POSSIBLE, Readiness

pytestmark = [pytest.mark.real_time, pytest.mark.skipif(not IS_POSSIBLE, reason="the kernel has no epoll")]


class Ends:
    """Both ends of one connection; what the reader took."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair()
        self.near.setblocking(False)
        self.taken = b""
        self.calls = 0
        self.most = 1 << 16
        self.has_more = False
        self.was_given_up = False

    def readable(self) -> bool:
        self.calls += 1
        with suppress(BlockingIOError):
            self.taken += os.read(self.near.fileno(), self.most)
        return self.has_more

    def unwatched(self) -> None:
        self.was_given_up = True

    def close(self) -> None:
        self.near.close()
        self.far.close()


@asynccontextmanager
async def watched(count: int) -> AsyncIterator[tuple[Readiness, list[Ends]]]:
    readiness = Readiness()
    ends = [Ends() for _ in range(count)]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(readiness.run)
        for one in ends:
            readiness.watch(one.near.fileno(), one, is_ready=False)
        yield readiness, ends
        nursery.cancel_scope.cancel()
    for one in ends:
        one.close()


async def until(condition: object) -> None:
    assert callable(condition)
    with trio.fail_after(20):
        while not condition():  # noqa: ASYNC110 - it is another task's kernel that is waited for
            await trio.sleep(0.001)


async def test_a_reader_is_called_for_what_came_and_no_other_is() -> None:
    async with watched(3) as (_, ends):
        ends[1].far.send(b"abc")
        await until(lambda: ends[1].taken == b"abc")
        await trio.testing.wait_all_tasks_blocked()
        assert [one.calls for one in ends] == [0, 1, 0]


async def test_what_one_read_leaves_is_told_again() -> None:
    async with watched(1) as (_, [one]):
        one.most = 1
        one.far.send(b"abc")
        await until(lambda: one.taken == b"abc")


async def test_more_than_the_kernel_is_asked_for_at_a_time() -> None:
    async with watched(150) as (_, ends):
        for one in ends:
            one.far.send(b"x")
        await until(lambda: all(one.taken == b"x" for one in ends))


async def test_a_step_that_is_too_long_is_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched_sockets, "LONGEST_STEP", 0.0)
    async with watched(150) as (_, ends):
        for one in ends:
            one.far.send(b"x")
        await until(lambda: all(one.taken == b"x" for one in ends))


async def test_who_has_more_than_the_kernel_knows_of_is_called_again_after_the_others() -> None:
    async with watched(2) as (_, ends):
        ends[0].has_more = True
        ends[0].far.send(b"x")
        await until(lambda: ends[0].calls > 3)
        ends[1].far.send(b"y")
        await until(lambda: ends[1].taken == b"y")
        ends[0].has_more = False
        await trio.testing.wait_all_tasks_blocked()
        calls = ends[0].calls
        await trio.testing.wait_all_tasks_blocked()
        assert ends[0].calls == calls


async def test_one_that_is_ready_when_it_comes_is_called_once_without_a_byte() -> None:
    async with watched(0) as (readiness, _):
        await trio.testing.wait_all_tasks_blocked()
        one = Ends()
        readiness.watch(one.near.fileno(), one, is_ready=True)
        await until(lambda: one.calls > 0)
        one.far.send(b"x")
        await until(lambda: one.taken == b"x")
        readiness.forget(one.near.fileno(), one)
        one.close()


async def test_the_end_of_a_peer_is_something_to_read() -> None:
    async with watched(1) as (readiness, [one]):
        one.far.close()
        await until(lambda: one.calls > 0)
        readiness.forget(one.near.fileno(), one)


async def test_what_is_forgotten_is_not_called_and_its_number_may_be_anothers() -> None:
    async with watched(1) as (readiness, [one]):
        number = one.near.fileno()
        readiness.forget(number, one)
        readiness.forget(number, one)
        one.far.send(b"x")
        await trio.testing.wait_all_tasks_blocked()
        assert one.calls == 0
        one.close()
        other = Ends()
        while other.near.fileno() != number and other.far.fileno() != number:
            other = Ends()
        if other.far.fileno() == number:
            other.near, other.far = other.far, other.near
            other.near.setblocking(False)
        readiness.watch(number, other, is_ready=False)
        other.far.send(b"y")
        await until(lambda: other.taken == b"y")
        readiness.forget(number, other)
        other.close()


async def test_after_its_task_nothing_is_called_and_nothing_raises() -> None:
    one = Ends()
    readiness = Readiness()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(readiness.run)
        readiness.watch(one.near.fileno(), one, is_ready=False)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    readiness.forget(one.near.fileno(), one)
    one.close()
    assert one.calls == 0


async def test_the_kernel_is_asked_again_when_all_that_it_told_of_had_their_turns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watched_sockets, "LONGEST_STEP", 0.0)
    asked = 0

    class Counted:
        """The kernel's own, and how often it was asked."""

        def __init__(self, epoll: select.epoll) -> None:
            self._epoll = epoll

        def __getattr__(self, name: str) -> object:
            return getattr(self._epoll, name)

        def poll(self, timeout: float, most: int) -> list[tuple[int, int]]:
            nonlocal asked
            asked += 1
            return self._epoll.poll(timeout, most)

    kernel = select.epoll()
    monkeypatch.setattr(select, "epoll", lambda: Counted(kernel))
    readiness = Readiness()
    ends = [Ends() for _ in range(watched_sockets._AT_ONCE + 8)]
    for one in ends:
        readiness.watch(one.near.fileno(), one, is_ready=False)
        one.far.send(b"x")
    for _ in ends:
        readiness.step()
    assert asked == 2
    assert all(one.taken == b"x" for one in ends)
    kernel.close()
    for one in ends:
        one.close()


async def test_a_number_that_is_anothers_already_stays_watched() -> None:
    """Others closed the socket, which tells nobody, and the next connection got its number."""
    async with watched(1) as (readiness, [one]):
        number = one.near.fileno()
        one.close()
        other = Ends()
        while number not in {other.near.fileno(), other.far.fileno()}:
            other = Ends()
        if other.far.fileno() == number:
            other.near, other.far = other.far, other.near
            other.near.setblocking(False)
        readiness.watch(number, other, is_ready=False)
        assert one.was_given_up
        readiness.forget(number, one)
        other.far.send(b"y")
        await until(lambda: other.taken == b"y")
        readiness.forget(number, other)
        other.close()


async def test_a_socket_that_others_closed_can_be_forgotten() -> None:
    async with watched(1) as (readiness, [one]):
        number = one.near.fileno()
        one.close()
        readiness.forget(number, one)
        assert not one.was_given_up


async def test_one_that_has_more_and_is_forgotten_meanwhile_is_not_called_again() -> None:
    async with watched(1) as (readiness, [one]):

        def readable() -> bool:
            one.calls += 1
            readiness.forget(one.near.fileno(), one)
            return True

        one.readable = readable  # type: ignore[method-assign]
        one.far.send(b"x")
        await until(lambda: one.calls > 0)
        assert not readiness.has_turns()


async def test_where_the_kernel_fails_whoever_is_watched_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def wait_readable(number: int) -> None:
        await trio.lowlevel.checkpoint()
        raise OSError(errno.ENOSPC, "No space left on device")

    one = Ends()
    readiness = Readiness()
    readiness.watch(one.near.fileno(), one, is_ready=False)
    with monkeypatch.context() as patch:
        patch.setattr(trio.lowlevel, "wait_readable", wait_readable)
        await readiness.run()
    assert one.was_given_up
    assert "sockets cannot be watched together" in caplog.text
    with pytest.raises(OSError, match="not watched any more"):
        readiness.watch(one.near.fileno(), one, is_ready=False)
    readiness.forget(one.near.fileno(), one)
    one.close()
