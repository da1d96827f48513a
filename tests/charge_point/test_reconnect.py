"""Whatever ends a connection but an explicit stop leads to a new one."""

import logging
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import pytest
import trio

from ocpp16.charge_point.connectivity import Connectivity
from ocpp16.enums import Reason, SessionStartedReason
from ocpp16.errors import Offline
from ocpp16.observer import ConnectionStateChanged
from ocpp16.testing import CallErrorAnswer
from ocpp16.testing.central_system import CentralSystem
from ocpp16.testing.misbehaviour import Fault
from ocpp16.transport.dial import Endpoint
from ocpp16.transport.websocket import Accept, Reject, UpgradeRequest


class Wire:
    """In the place of a Central System's connector: its streams can be made to fail, and it keeps when it dialled."""

    def __init__(self, csms: Any) -> None:
        self.dialled: list[float] = []
        self._connect = csms.connector
        self._stream: _Breakable
        csms.connector = self

    async def __call__(self, endpoint: Endpoint) -> trio.abc.Stream:
        self.dialled.append(trio.current_time())
        self._stream = _Breakable(await self._connect(endpoint))
        return self._stream

    def reset(self) -> None:
        """The network says that the connection is gone."""
        self._stream.broken.set()


class _Breakable(trio.abc.Stream):
    def __init__(self, stream: trio.abc.Stream) -> None:
        self.broken = trio.Event()
        self._stream = stream

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        if self.broken.is_set():
            raise trio.BrokenResourceError("reset")
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        received: list[bytes | bytearray] = []
        async with trio.open_nursery() as nursery:

            async def receive() -> None:
                received.append(await self._stream.receive_some(max_bytes))
                nursery.cancel_scope.cancel()

            nursery.start_soon(receive)
            await self.broken.wait()
            nursery.cancel_scope.cancel()
        if not received:
            raise trio.BrokenResourceError("reset")
        return received[0]

    async def aclose(self) -> None:
        await self._stream.aclose()

    def close(self) -> None:
        self.broken.set()


Cause = Callable[[CentralSystem, Wire], Awaitable[None]]


def closes_with(code: int) -> Cause:
    async def cause(csms: CentralSystem, wire: Wire) -> None:
        await csms.close("cp001", code)

    return cause


def sends(raw: bytes) -> Cause:
    """Bytes that no WebSocket may send, so that our side closes."""

    async def cause(csms: CentralSystem, wire: Wire) -> None:
        await csms.connected["cp001"]._stream.send_all(raw)

    return cause


def refuses_handshakes(status: int) -> Cause:
    async def cause(csms: CentralSystem, wire: Wire) -> None:
        csms.refuse_handshake(status, times=3)
        csms.abort("cp001")

    return cause


async def end_of_stream(csms: CentralSystem, wire: Wire) -> None:
    csms.abort("cp001")


async def reset(csms: CentralSystem, wire: Wire) -> None:
    wire.reset()


async def wrong_subprotocol(csms: CentralSystem, wire: Wire) -> None:
    csms.subprotocols = ("ocpp2.0.1",)
    csms.abort("cp001")
    await trio.sleep(15)
    csms.subprotocols = ("ocpp1.6",)


async def no_answer_to_the_handshake(csms: CentralSystem, wire: Wire) -> None:
    csms.ignore_handshake(times=2)
    csms.abort("cp001")


async def unreachable(csms: CentralSystem, wire: Wire) -> None:
    csms.is_reachable = False
    csms.abort("cp001")
    await trio.sleep(100)
    csms.is_reachable = True


async def silence(csms: CentralSystem, wire: Wire) -> None:
    """Half open: nothing arrives any more and nobody says so."""
    csms.go_half_open("cp001")


CAUSES: dict[str, Cause] = {
    **{f"close {code}": closes_with(code) for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 4000)},
    "end of stream": end_of_stream,
    "reset": reset,
    "binary message that is no UTF-8": sends(b"\x82\x01\xff"),
    "text that is no UTF-8": sends(b"\x81\x01\xff"),
    "reserved bits": sends(b"\xf1\x00"),
    "message too big": sends(b"\x81\x7f\x00\x00\x00\x00\x01\x00\x00\x00" + b" " * 2**24),
    "close without a code": sends(b"\x88\x00"),
    **{f"HTTP {status}": refuses_handshakes(status) for status in (401, 403, 404, 500, 503)},
    "wrong subprotocol": wrong_subprotocol,
    "no answer to the handshake": no_answer_to_the_handshake,
    "unreachable": unreachable,
    "no pong": silence,
    "silent without pings": silence,
}


@pytest.mark.parametrize("name", CAUSES)
async def test_it_comes_back(open_bench: Any, make_config: Any, name: str) -> None:
    ping = 0 if name == "silent without pings" else 30
    document = make_config(Core__WebSocketPingInterval=ping, Core__HeartbeatInterval=60)
    csms = CentralSystem(interval=60)
    wire = Wire(csms)
    async with open_bench(csms=csms, document=document) as bench:
        bench.begin()
        await trio.sleep(1)
        first = csms.connected["cp001"]
        await CAUSES[name](csms, wire)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        await csms.recording.wait_until(
            lambda: csms.connected.get("cp001") not in (None, first), "second connection", timeout=300
        )
        await trio.sleep(31)  # a request that got no answer on a connection that is gone is sent anew at once
        assert bench.charge_point.connection.is_connected
        assert len(bench.sent("BootNotification")) == 1, "a new connection is no new start"
        stops = {str(stop) for stop in bench.sent("StopTransaction")}
        assert len(stops) == 1
        assert bench.charge_point.connection.queue_depth == 0
        told = [event.connected for event in bench.events.of(ConnectionStateChanged)]
        assert told[:2] == [True, False]
        assert told[-1] is True


async def test_the_waits_grow_and_begin_anew_after_a_stable_connection(open_bench: Any, make_config: Any) -> None:
    document = make_config(Internal__RetryBackoffWaitMinimum=3, Internal__RetryBackoffRepeatTimes=2)
    csms = CentralSystem()
    wire = Wire(csms)

    def waits() -> list[float]:
        return [round(later - earlier, 3) for earlier, later in pairwise(wire.dialled)]

    async with open_bench(csms=csms, document=document) as bench:
        await trio.sleep(20)
        csms.is_reachable = False
        csms.abort("cp001")
        await trio.sleep(3 + 6 + 12 + 12 + 12 + 0.5)
        assert waits()[1:] == [6, 12, 12, 12]
        assert round(wire.dialled[1] - wire.dialled[0], 1) == 23.1

        # A connection on which nothing is answered, and that does not last, changes nothing; one that is good does.
        csms.is_reachable = True
        csms.answers["StatusNotification"] = None
        await trio.sleep(12)
        assert bench.charge_point.connection.is_connected
        csms.abort("cp001")
        await trio.sleep(12.5)
        assert waits()[-1] == 12.5
        del csms.answers["StatusNotification"]
        csms.abort("cp001")
        await trio.sleep(13)
        before = trio.current_time()
        csms.abort("cp001")
        await trio.sleep(3.5)
        assert wire.dialled[-1] == pytest.approx(before + 3)


async def test_a_server_that_is_busy_is_left_alone_as_long_as_it_asks(open_bench: Any, make_config: Any) -> None:
    class Busy(CentralSystem):
        """Asks to be left alone: for seconds, until a time by the charge point's clock, then no more."""

        asked = iter(["600", "Thu, 01 Jan 2026 01:00:00 GMT"])

        def _decide(self, request: UpgradeRequest) -> Accept | Reject:
            later = next(self.asked, None)
            return super()._decide(request) if later is None else Reject(503, "busy", (("Retry-After", later),))

    csms = Busy()
    wire = Wire(csms)
    async with open_bench(csms=csms, document=make_config(Internal__RetryBackoffWaitMinimum=3)) as bench:
        await trio.sleep(3700)
        assert bench.charge_point.connection.is_connected
    begun, once, twice = wire.dialled
    assert 600 <= once - begun <= 601, "and a random part of a second, since others were sent away with it"
    assert 3600 <= twice <= 3601.1


async def test_a_random_part_is_repeated_by_the_seed(open_bench: Any, make_config: Any) -> None:
    document = make_config(Internal__RetryBackoffRandomRange=10, Internal__RetryBackoffRepeatTimes=4)
    runs = []
    for _ in range(2):
        csms = CentralSystem()
        wire = Wire(csms)
        csms.is_reachable = False
        async with open_bench(csms=csms, document=document):
            await trio.sleep(600)
        runs.append([round(when - wire.dialled[0], 6) for when in wire.dialled])
    assert runs[0] == runs[1]
    waits = [later - earlier for earlier, later in pairwise(runs[0])]
    assert 1 <= waits[0] <= 11
    assert all(2 * earlier <= later <= 2 * earlier + 10 for earlier, later in pairwise(waits[:5]))
    assert waits[4:] == [pytest.approx(waits[4])] * len(waits[4:])


async def test_connect_skips_the_wait_and_disconnect_stays_away(open_bench: Any, make_config: Any) -> None:
    document = make_config(Internal__RetryBackoffWaitMinimum=500)
    async with open_bench(document=document) as bench:
        csms, charge_point = bench.csms, bench.charge_point
        csms.abort("cp001")
        await trio.sleep(100)
        assert not charge_point.connection.is_connected
        charge_point.connection.connect()
        await trio.sleep(0.1)
        assert charge_point.connection.is_connected
        charge_point.connection.disconnect()
        await trio.sleep(5000)
        assert not charge_point.connection.is_connected
        with pytest.raises(Offline):
            await bench.call("ClearCache", {})
        charge_point.connection.disconnect()
        charge_point.connection.connect()
        charge_point.connection.connect()
        await trio.sleep(0.1)
        assert charge_point.connection.is_connected
        assert len(bench.sent("BootNotification")) == 1


async def test_a_reconnect_in_the_moment_of_connecting_is_not_lost(open_bench: Any, monkeypatch: Any) -> None:
    async with open_bench() as bench:
        made, connect = [], Connectivity._open

        async def asked_for_another(connectivity: Connectivity) -> Any:
            made.append(await connect(connectivity))
            if len(made) == 1:
                bench.charge_point.connection.reconnect()
            return made[-1]

        monkeypatch.setattr(Connectivity, "_open", asked_for_another)
        bench.charge_point.connection.reconnect()
        await trio.sleep(1)
        assert [websocket.is_open for websocket in made] == [False, True]
        assert bench.charge_point.connection.is_connected


async def test_status_changes_while_away_are_told_once_with_the_latest(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.csms.is_reachable = False
        bench.csms.abort("cp001")
        await trio.sleep(1)
        seen = len(bench.sent("StatusNotification"))
        for _ in range(3):
            bench.charge_point.on_disabled(2)
            await trio.sleep(5)
            bench.charge_point.on_enabled(2)
            await trio.sleep(5)
        bench.charge_point.on_disabled(2)
        bench.csms.is_reachable = True
        await trio.sleep(60)
        told = [(one["connectorId"], one["status"]) for one in bench.sent("StatusNotification")[seen:]]
        assert told.count((2, "Unavailable")) == 1
        assert (2, "Available") not in told


@pytest.mark.parametrize("answer", [CallErrorAnswer("InternalError"), None])
async def test_they_are_told_where_a_triggered_boot_is_never_taken_in(
    open_bench: Any, answer: CallErrorAnswer | None
) -> None:
    """It goes alone, and once: then it holds up nothing, and how things stand is not known yet."""
    async with open_bench() as bench:
        bench.csms.answers["BootNotification"] = None
        await bench.call("TriggerMessage", {"requestedMessage": "BootNotification"})
        await trio.sleep(1)
        bench.charge_point.connection.disconnect()
        await trio.sleep(1)
        bench.charge_point.on_disabled(1)
        told = len(bench.sent("StatusNotification"))
        bench.csms.answers["BootNotification"] = answer
        bench.charge_point.connection.connect()
        await trio.sleep(600)
        assert len(bench.sent("BootNotification")) > 8
        statuses = [(one["connectorId"], one["status"]) for one in bench.sent("StatusNotification")[told:]]
        assert statuses == [(0, "Available"), (1, "Unavailable"), (2, "Available")]


async def test_stop_ends_an_attempt_to_connect(open_bench: Any) -> None:
    csms = CentralSystem()
    csms.connect_hangs = True
    async with open_bench(csms=csms) as bench:
        await trio.sleep(50)
        began = trio.current_time()
        assert await bench.charge_point.stop()
        assert trio.current_time() - began < 0.1


async def test_stop_takes_no_longer_than_the_answers(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.begin()
        await trio.sleep(1)
        bench.csms.misbehave(Fault.DELAY, "StopTransaction", seconds=2)
        began = trio.current_time()
        assert await bench.charge_point.stop()
        assert trio.current_time() - began == pytest.approx(2, abs=0.1)
        assert bench.charge_point.connection.queue_depth == 0


async def test_stop_does_not_wait_for_a_connection_that_ends_meanwhile(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.begin()
        await trio.sleep(1)
        bench.csms.is_reachable = False
        bench.csms.misbehave(Fault.ABORT, "StopTransaction")
        began = trio.current_time()
        assert await bench.charge_point.stop()
        assert trio.current_time() - began < 1
        assert bench.charge_point.connection.queue_depth == 1, "it is sent after the next start"


async def test_a_status_of_while_away_is_no_message_that_was_dropped(open_bench: Any) -> None:
    """Nothing is lost: the connector is reported as it is after the reconnect."""
    csms = CentralSystem()
    async with open_bench(csms=csms) as bench:
        csms.is_reachable = False
        csms.abort("cp001")
        await trio.sleep(1)
        before = bench.charge_point.counters.dropped
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        bench.charge_point.on_session_stopped(1, "s1")
        assert bench.charge_point.counters.dropped == before


async def test_the_reason_of_an_end_is_told_and_logged_on_one_line(
    open_bench: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "ocpp16"):
        async with open_bench() as bench:
            await bench.csms.close("cp001", 1001, "bye\x1b[2J\r\nforged")
            await trio.sleep(0.5)
            reason = bench.events.of(ConnectionStateChanged)[-1].reason
    assert r"bye\x1b[2J\r\nforged" in reason
    assert reason in caplog.text
    assert "\x1b" not in reason + caplog.text
