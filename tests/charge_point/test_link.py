"""The link and a peer that does not read: judged by the bytes that the kernel does not take."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
import trio

from ocpp16._core import Call, CallResult
from ocpp16.charge_point.link import Link
from ocpp16.charge_point.link_tasks import flush, read
from ocpp16.errors import ConnectionClosed
from ocpp16.models import Counters
from ocpp16.rpc.delivery import Delivery
from ocpp16.rpc.policy import MAX_UNSENT, MAX_WAITING_REPLIES
from ocpp16.rpc.session import Session
from ocpp16.state.clock import Clock
from ocpp16.state.timers import Timers
from ocpp16.transport.handshake import Upgraded
from ocpp16.transport.plain_socket import PlainSocket
from ocpp16.transport.websocket import WebSocket


class Peer(PlainSocket):
    """A WebSocket whose peer reads when it is told to; `texts` are what it says, read by read."""

    def __init__(self, texts: list[list[str]]) -> None:
        super().__init__(None, is_client=True, machine=None, trailing=b"", limit=1 << 16)
        self.closed: list[int] = []
        self.read_on = trio.Event()
        self._texts = texts

    async def receive(self) -> list[str]:
        await trio.lowlevel.checkpoint()
        if not self._texts:
            raise ConnectionClosed(1000, "said all")
        return self._texts.pop(0)

    def send_close(self, code: int = 1000, reason: str = "") -> None:
        self.closed.append(code)
        super().send_close(code, reason)

    def flush_now(self) -> bool:
        return not self._outgoing

    async def flush(self, taken: Callable[[], None] | None = None) -> None:
        await self.read_on.wait()
        self._outgoing.clear()


class Bench:
    def __init__(self, nursery: trio.Nursery, texts: list[list[str]], answer: dict[str, Any], number: int) -> None:
        clock = Clock(trio.current_time, 0)
        self.durable = 0
        self.peer = Peer(texts)
        self.session = Session(
            delivery=cast(Delivery, None), new_id=str, counters=Counters(), on_internal_error=self.failed
        )
        self.session.connection_made(0.0)
        self.answer, self.number = answer, number
        self.link = Link(
            cast(WebSocket, self.peer),
            self.session,
            clock,
            Timers(),
            accept=self.accept,
            begin=lambda: None,
            turn=self.turn,
            kick=self.turn,
            flush=lambda link: nursery.start_soon(flush, link),
            trace=None,
        )

    def accept(self, call: Call, is_first: bool) -> None:
        self.session.reply(CallResult(call.unique_id, self.answer), number=self.number, call=call)

    def turn(self) -> None:
        self.link.take(trio.current_time(), self.durable)

    def failed(self, place: str, error: BaseException) -> None:
        raise error


def calls(count: int, first: int = 0) -> list[str]:
    return [f'[2,"{number}","ClearCache",{{}}]' for number in range(first, first + count)]


async def test_answers_wait_in_their_lane_until_the_peer_has_read(autojump_clock: Any) -> None:
    async with trio.open_nursery() as nursery:
        bench = Bench(nursery, [calls(100), calls(100, 100)], {"status": "x" * 20_000}, 0)
        with pytest.raises(ConnectionClosed, match="said all"):
            await read(bench.link)
        assert bench.peer.closed == []
        assert MAX_UNSENT <= bench.peer.unsent_bytes < MAX_UNSENT + 30_000
        waiting = bench.session.waiting_replies
        assert 180 < waiting < 200
        assert not bench.link.takes_frames()
        bench.peer.read_on.set()
        await trio.sleep(1)
        assert bench.session.waiting_replies == 0


async def test_a_write_that_gets_stuck_ends_the_link(autojump_clock: Any) -> None:
    async with trio.open_nursery() as nursery:
        bench = Bench(nursery, [calls(1)], {"status": "Accepted"}, 0)
        with pytest.raises(ConnectionClosed, match="said all"):
            await read(bench.link)
        await trio.sleep(9)
        assert bench.peer.is_open
        await trio.sleep(2)
        assert not bench.peer.is_open


class Narrow(trio.abc.Stream):
    """Takes so many bytes a second."""

    def __init__(self, rate: float) -> None:
        self._rate = rate

    async def send_all(self, data: Any) -> None:
        await trio.sleep(len(data) / self._rate)

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        return b""

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


@pytest.mark.parametrize(("rate", "is_stuck"), [(2000, False), (100, True)])
async def test_a_peer_that_reads_slowly_is_not_stuck(autojump_clock: Any, rate: float, is_stuck: bool) -> None:
    """60 kB over a narrow band take half a minute."""
    websocket = WebSocket(Narrow(rate), Upgraded("ocpp1.6", None, b""), request=None, max_message_size=1 << 20)
    websocket.send_text("x" * 60_000)
    link = SimpleNamespace(websocket=websocket, flushed=lambda: None)
    began = trio.current_time()
    await flush(cast(Link, link))
    took = trio.current_time() - began
    assert websocket.is_open is not is_stuck
    assert websocket.unsent_bytes == 0
    assert took == 10 if is_stuck else 30 <= took < 31


async def test_a_peer_that_asks_on_while_nothing_can_be_answered_is_sent_away(autojump_clock: Any) -> None:
    """Here because the disk is stuck: answers wait for it, and refusals behind them."""
    reads = [calls(1000, 1000 * number) for number in range(10)]
    async with trio.open_nursery() as nursery:
        bench = Bench(nursery, reads, {"status": "Accepted"}, 1)
        with pytest.raises(ConnectionClosed, match="goes on asking"):
            await read(bench.link)
    assert bench.peer.closed == [1008]
    assert MAX_WAITING_REPLIES < bench.session.waiting_replies <= MAX_WAITING_REPLIES + 1000
