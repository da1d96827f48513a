"""The scripted Central System where it does wrong, and at the ends of connections."""

import ssl
from collections.abc import Mapping
from math import nan
from typing import Any

import pytest
import trio
import trustme

from ocpp16.errors import CallFailed, ConnectionClosed, ConnectionFailed
from ocpp16.testing import CallErrorAnswer, CentralSystem, Fault
from ocpp16.transport.dial import Endpoint, open_stream
from ocpp16.transport.websocket import WebSocket

SPOILT = {
    Fault.DROP: [],
    Fault.GARBAGE: ["\x01 this is no JSON é"],
    Fault.BROKEN_JSON: ['[3,"cp-2",{"idTagInfo":{"status":"Accepted"}}'],
    Fault.NOT_A_FRAME: ['{"status":"Accepted"}'],
    Fault.UNREADABLE: ['[3,"cp-2",{"status":17,"idTagInfo":[]}]'],
    Fault.WRONG_ID: ['[3,"no-such-id",{"idTagInfo":{"status":"Accepted"}}]'],
    Fault.DUPLICATE: ['[3,"cp-2",{"idTagInfo":{"status":"Accepted"}}]'] * 2,
}


@pytest.mark.parametrize("fault", SPOILT)
async def test_spoilt_answers(autojump_clock: Any, csms: Any, connect: Any, fault: Any) -> None:
    charge_point = await connect(csms)
    await charge_point.boot()
    csms.misbehave(fault, "Authorize")
    await charge_point.say("Authorize", {"idTag": "A"})
    await trio.sleep(100)
    assert charge_point.received[1:] == SPOILT[fault]
    assert await charge_point.ask("Authorize", {"idTag": "A"}) is not None, "once only"


class Unreadable(Mapping[str, Any]):
    def __getitem__(self, name: str) -> Any:
        raise ZeroDivisionError

    def __iter__(self) -> Any:
        raise ZeroDivisionError

    def __len__(self) -> int:
        return 1


HOLDS_ITSELF: dict[str, Any] = {}
HOLDS_ITSELF["it"] = HOLDS_ITSELF
NESTED: Any = []
for _ in range(5000):
    NESTED = [NESTED]


@pytest.mark.parametrize(
    ("answer", "sent"),
    [
        (5, '[3,"cp-2",5]'),
        ("x", '[3,"cp-2","x"]'),
        ([1], '[3,"cp-2",[1]]'),
        ({"n": 2**64}, '[3,"cp-2",{"n":18446744073709551616}]'),
        ({"n": nan}, '[3,"cp-2",{"n":NaN}]'),
        ({"n": None}, '[3,"cp-2",{"n":null}]'),
        ({"t": "\ud800"}, '[3,"cp-2",{"t":"\\ud800"}]'),
        ({"b": b"x"}, None),
        ({1: 2}, '[3,"cp-2",{"1":2}]'),
        ({(1,): 2}, None),
        (HOLDS_ITSELF, None),
        (NESTED, None),
        (10**5000, None),
        (Unreadable(), None),
        (CallErrorAnswer(5, None, 7), '[4,"cp-2",5,null,7]'),  # type: ignore[arg-type]
        (CallErrorAnswer("Code", "", Unreadable()), None),
    ],
    ids=lambda part: "",
)
async def test_a_wrong_scripted_answer_is_sent_as_it_is(
    autojump_clock: Any, csms: Any, connect: Any, answer: Any, sent: str | None
) -> None:
    async def later(payload: Any, call: Any) -> Any:
        return answer

    charge_point = await connect(csms)
    await charge_point.boot()
    for scripted in (answer, lambda payload, call: answer, later):
        csms.answers = dict.fromkeys(["BootNotification", "Authorize"], scripted)
        await charge_point.say("Authorize", {"idTag": "A"}, "cp-2")
        await charge_point.say("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        await trio.sleep(1)
    told = [text for text in charge_point.received if '"cp-2"' in text]
    assert len(told) == 3
    if sent is not None:
        assert told == [sent] * 3
    csms.answers["Authorize"] = answer
    for fault in (Fault.BROKEN_JSON, Fault.WRONG_ID, Fault.DUPLICATE, Fault.DELAY):
        csms.misbehave(fault, "Authorize", seconds=1)
        await charge_point.say("Authorize", {"idTag": "A"})
        await trio.sleep(5)
    csms.answers.clear()
    await charge_point.say("Heartbeat", {}, "last")
    await trio.sleep(1)
    assert charge_point.received[-1].startswith('[3,"last",{"currentTime"')


async def test_delay_in_virtual_time_lets_others_pass(autojump_clock: Any, csms: Any, connect: Any) -> None:
    charge_point = await connect(csms)
    await charge_point.boot()
    csms.misbehave(Fault.DELAY, "Authorize", seconds=45)
    assert await charge_point.ask("Authorize", {"idTag": "A"}, timeout=30) is None
    assert await charge_point.ask("Heartbeat", {}, timeout=1) is not None
    await trio.sleep(14.9)
    assert len(charge_point.received) == 2
    await trio.sleep(0.2)
    assert charge_point.received[-1].startswith('[3,"cp-2"')


async def test_a_delayed_answer_does_not_survive_its_connection(autojump_clock: Any, csms: Any, connect: Any) -> None:
    charge_point = await connect(csms)
    csms.misbehave(Fault.DELAY, seconds=45)
    await charge_point.say("Heartbeat", {})
    await trio.sleep(1)
    charge_point.websocket.abort()
    again = await connect(csms)
    await trio.sleep(100)
    assert again.received == []


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.GARBAGE, Fault.WRONG_ID, Fault.UNREADABLE, Fault.DELAY, None])
async def test_nobody_is_accused_by_a_status_that_was_not_told(
    autojump_clock: Any, csms: Any, connect: Any, fault: Fault | None
) -> None:
    charge_point = await connect(csms)
    await charge_point.boot()
    csms.refuse_boot("Pending")
    if fault is None:
        csms.answers["BootNotification"] = {"status": 5}
    else:
        csms.misbehave(fault, "BootNotification", seconds=90)
    with trio.move_on_after(60):
        await charge_point.ask("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
    await charge_point.ask("Heartbeat", {})
    assert csms.violations == []
    assert csms.registrations == {"CP1": "Accepted"}
    await trio.sleep(100)
    assert csms.registrations == {"CP1": "Pending" if fault is Fault.DELAY else "Accepted"}


async def test_rules_are_used_up_in_their_order(autojump_clock: Any, csms: Any, connect: Any) -> None:
    one, two = await connect(csms, "CP1"), await connect(csms, "CP2")
    csms.misbehave(Fault.DROP, "Heartbeat", times=2, identity="CP1")
    csms.misbehave(Fault.GARBAGE, times=None, identity="CP1")
    assert await two.ask("Heartbeat", {}, timeout=1) is not None
    for _ in range(4):
        assert await one.ask("Heartbeat", {}, timeout=1) is None
    assert len(one.received) == 2
    csms.faults.rules.clear()
    assert await one.ask("Heartbeat", {}, timeout=1) is not None


async def test_the_request_counts_although_the_connection_breaks(autojump_clock: Any, csms: Any, connect: Any) -> None:
    charge_point = await connect(csms)
    await charge_point.boot()
    start = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "2026-01-01T00:00:00Z"}
    csms.misbehave(Fault.ABORT, "StartTransaction")
    await charge_point.say("StartTransaction", start)
    await csms.wait_disconnected("CP1")
    assert charge_point.ended.code == 1006
    assert list(csms.standard_answers.transactions.values()) == [1]
    again = await connect(csms)
    assert (await again.ask("StartTransaction", start)).payload["transactionId"] == 1


async def test_close_instead_of_an_answer(autojump_clock: Any, csms: Any, connect: Any) -> None:
    charge_point = await connect(csms)
    csms.misbehave(Fault.CLOSE, code=1012)
    await charge_point.say("Heartbeat", {})
    await csms.wait_disconnected("CP1")
    await trio.testing.wait_all_tasks_blocked()
    assert (charge_point.ended.code, charge_point.ended.reason) == (1012, "scripted")


async def test_a_fault_may_be_a_text_and_one_that_is_none_is_refused(
    autojump_clock: Any, csms: Any, connect: Any
) -> None:
    charge_point = await connect(csms)
    csms.misbehave(Fault.CLOSE, times=0)
    with pytest.raises(ValueError, match="'shut' is not a valid Fault"):
        csms.misbehave("shut")
    assert await charge_point.ask("Heartbeat", {}) is not None
    csms.misbehave("close", "Heartbeat", code=1012)
    await charge_point.say("Heartbeat", {})
    await csms.wait_disconnected("CP1")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"action": "BootNotifcation"}, "did you mean BootNotification"),
        ({"action": 5}, "there is no 5"),
        ({"seconds": -1.0}, "seconds must not be negative"),
        ({"seconds": nan}, "seconds must be a finite number"),
        ({"code": 5}, "code must be a whole number from 1000 to 4999"),
    ],
)
async def test_what_could_never_happen_is_refused_at_once(autojump_clock: Any, csms: Any, wrong: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        csms.misbehave(Fault.DELAY, **wrong)
    assert not csms.faults.rules


@pytest.mark.parametrize("status", ["Rejeted", None])
async def test_a_boot_is_refused_by_a_status_that_there_is(autojump_clock: Any, csms: Any, status: Any) -> None:
    with pytest.raises(ValueError, match="status must be"):
        csms.refuse_boot(status)


async def test_close_with_any_code(autojump_clock: Any, csms: Any, connect: Any) -> None:
    charge_point = await connect(csms)
    await csms.close("CP1", 4321, "go away")
    assert (charge_point.ended.code, charge_point.ended.reason) == (4321, "go away")
    assert csms.connected == {}


async def test_close_of_a_peer_that_does_not_answer(autojump_clock: Any, csms: Any) -> None:
    await WebSocket.connect(csms.stream(), host="csms", target="/CP1")
    await csms.wait_connected("CP1")
    await csms.close("CP1")
    assert csms.connected == {}
    assert trio.current_time() < 10


async def test_stop_reading_is_felt_and_loses_nothing(autojump_clock: Any, connect: Any) -> None:
    async with CentralSystem(lockstep=True) as csms:
        charge_point = await connect(csms)
        await charge_point.boot()
        csms.stop_reading("CP1")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(charge_point.say, "Heartbeat", {})
            await trio.sleep(1000)
            assert charge_point.websocket.unsent
            assert csms.calls("Heartbeat") == []
            csms.resume_reading("CP1")
            await csms.wait_for_call("Heartbeat")
        assert await charge_point.ask("Heartbeat", {}) is not None
        assert csms.violations == []


async def test_half_open(autojump_clock: Any, csms: Any, connect: Any) -> None:
    charge_point = await connect(csms)
    csms.go_half_open("CP1")
    charge_point.websocket.send_ping(b"anybody?")
    pongs: list[bytes] = []
    charge_point.websocket.on_pong = pongs.append
    assert await charge_point.ask("Heartbeat", {}, timeout=500) is None
    with pytest.raises(CallFailed, match="timeout"):
        await csms.call("CP1", "ClearCache", {})
    assert (pongs, charge_point.received) == ([], [])
    assert charge_point.ended is None
    assert "CP1" in csms.connected
    again = await connect(csms)
    assert await again.ask("Heartbeat", {}) is not None


async def test_a_second_connection_replaces_the_first(autojump_clock: Any, csms: Any, connect: Any) -> None:
    first = await connect(csms)
    second = await connect(csms)
    await trio.testing.wait_all_tasks_blocked()
    assert first.ended.code == 1001
    assert await second.ask("Heartbeat", {}) is not None
    assert csms.connected["CP1"].websocket.is_open


# Ends


async def test_its_end_is_the_end_of_all_connections(autojump_clock: Any, connect: Any) -> None:
    async with CentralSystem() as csms:
        charge_point = await connect(csms)
        csms.ignore_handshake()
        csms.stream()
    await trio.testing.wait_all_tasks_blocked()
    assert charge_point.ended.code == 1006
    assert csms.traffic[-1].text == "1006 the Central System was stopped"


# Over TCP


@pytest.mark.world
@pytest.mark.parametrize("is_tls", [False, True])
async def test_many_charge_points_over_tcp(is_tls: Any) -> None:
    ca = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ca.issue_cert("127.0.0.1").configure_cert(server)
    ca.configure_trust(client)

    async def beat(identity: Any) -> None:
        stream = await open_stream(Endpoint(is_tls, "127.0.0.1", port, ""), ssl_context=client)
        websocket = await WebSocket.connect(stream, host="127.0.0.1", target=f"/{identity}")
        for number in range(5):
            websocket.send_text(f'[2,"{number}","Heartbeat",{{}}]')
            await websocket.flush()
            assert "currentTime" in (await websocket.receive())[0]
        await websocket.aclose()

    async with CentralSystem(record_limit=100) as csms:
        port = await csms.listen("127.0.0.1", ssl_context=server if is_tls else None)
        async with trio.open_nursery() as nursery:
            for number in range(20):
                nursery.start_soon(beat, f"CP{number}")
        for number in range(20):
            await csms.wait_disconnected(f"CP{number}")


@pytest.mark.world
async def test_tcp_reset() -> None:
    async with CentralSystem() as csms:
        port = await csms.listen("127.0.0.1")
        stream = await open_stream(Endpoint(False, "127.0.0.1", port, ""))
        websocket = await WebSocket.connect(stream, host="127.0.0.1", target="/CP1")
        await csms.wait_connected("CP1", timeout=5)
        csms.abort("CP1")
        csms.abort("CP1")  # nobody has heard of the first one yet
        with pytest.raises(ConnectionClosed, match="reset") as caught:
            await websocket.receive()
        assert caught.value.code == 1006
        await websocket.aclose()


@pytest.mark.world
async def test_tcp_that_is_no_websocket_does_no_harm() -> None:
    async with CentralSystem() as csms:
        port = await csms.listen("127.0.0.1")
        stream = await open_stream(Endpoint(False, "127.0.0.1", port, ""))
        await stream.send_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        assert bytes(await stream.receive_some()).startswith(b"HTTP/1.1 400 ")
        await stream.aclose()
        csms.is_reachable = False
        stream = await open_stream(Endpoint(False, "127.0.0.1", port, ""))
        with pytest.raises(ConnectionFailed):
            await WebSocket.connect(stream, host="x", target="/CP1")


@pytest.mark.parametrize("halts", [("stop_reading", "go_half_open"), ("go_half_open", "stop_reading")])
async def test_a_connection_that_is_halted_twice_still_ends(
    autojump_clock: Any, csms: Any, connect: Any, halts: tuple[str, str]
) -> None:
    await connect(csms)
    for halt in halts:
        getattr(csms, halt)("CP1")
        await trio.sleep(1)
    with trio.fail_after(60):
        await csms.close("CP1")
    assert "CP1" not in csms.connected
