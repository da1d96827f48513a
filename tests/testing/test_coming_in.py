"""How charge points come to the scripted Central System, and are refused."""

from typing import Any

import pytest
import trio

from ocpp16.errors import ConnectionClosed, ConnectionFailed, HandshakeRefused
from ocpp16.security.basic_auth import authorization_header
from ocpp16.testing import CentralSystem
from ocpp16.testing.central_system import identity_of
from ocpp16.transport.dial import Endpoint
from ocpp16.transport.websocket import WebSocket


@pytest.mark.parametrize(
    ("target", "identity"),
    [
        ("/ocppj/RDAM%20123", "RDAM 123"),
        ("//ocpp//CP1/", "CP1"),
        ("/CP1?token=a/b", "CP1"),
        ("/a%2fb", "a/b"),
        ("ws://csms:9000/ocpp/CP1", "CP1"),
        ("/", ""),
    ],
)
def test_identity_of_a_target(target: Any, identity: Any) -> None:
    assert identity_of(target) == identity


async def refused(csms: Any, identity: Any = "CP1", headers: Any = ()) -> Any:
    with pytest.raises(ConnectionFailed) as caught:
        await WebSocket.connect(csms.stream(), host="csms", target=f"/{identity}", headers=headers, timeout=20)
    return caught.value


async def test_refused_and_ignored_handshakes(autojump_clock: Any, csms: Any, connect: Any) -> None:
    csms.refuse_handshake(503, "come back later", times=2)
    csms.ignore_handshake()
    for _ in range(2):
        answer = await refused(csms)
        assert (answer.status, answer.body) == (503, "come back later")
    assert "within 20 s" in str(await refused(csms))
    await connect(csms)


async def test_a_handshake_that_began_before_is_not_one_to_be_ignored(autojump_clock: Any, csms: Any) -> None:
    csms.refuse_handshake(503)
    csms.ignore_handshake()
    answers: list[int] = []

    async def ask() -> None:
        try:
            await WebSocket.connect(csms.stream(), host="csms", target="/CP1", timeout=20)
        except HandshakeRefused as error:
            answers.append(error.status)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        nursery.start_soon(ask)
    assert answers == [503]
    assert len([one for one in csms.traffic if one.direction == "opened"]) == 1
    assert "within 20 s" in str(await refused(csms))


async def test_unknown_identity(autojump_clock: Any) -> None:
    async with CentralSystem(known={"CP1"}) as csms:
        assert (await refused(csms, "CP2")).status == 404
        assert (await refused(csms, "")).status == 404


async def test_basic_authentication(autojump_clock: Any, connect: Any) -> None:
    key = bytes(range(16))
    async with CentralSystem(keys={"CP1": key}) as csms:
        for identity, name, given in [("CP1", "CP1", b"x" * 16), ("CP1", "CP2", key), ("CP2", "CP2", key)]:
            answer = await refused(csms, identity, [("Authorization", authorization_header(name, given))])
            assert answer.status == 401
        assert (await refused(csms)).status == 401
        await connect(csms, headers=[("Authorization", authorization_header("CP1", key))])


async def test_no_common_subprotocol(autojump_clock: Any, csms: Any) -> None:
    csms.subprotocols = ()
    answer = await refused(csms)
    assert isinstance(answer, HandshakeRefused)
    assert answer.status == 101
    csms.subprotocols = ("ocpp1.6",)
    client = await WebSocket.connect(csms.stream(), host="csms", target="/CP1", subprotocols=())
    with pytest.raises(ConnectionClosed) as caught:
        await client.receive()
    assert caught.value.code == 1002


async def test_connector(autojump_clock: Any, csms: Any) -> None:
    endpoint = Endpoint(False, "csms", 80, "/CP1")
    websocket = await WebSocket.connect(await csms.connector(endpoint), host=endpoint.authority, target=endpoint.target)
    assert websocket.is_open
    csms.is_reachable = False
    with pytest.raises(ConnectionFailed, match="refused"):
        await csms.connector(endpoint)
    csms.is_reachable, csms.connect_hangs = True, True
    with trio.move_on_after(100) as scope:
        await csms.connector(endpoint)
    assert scope.cancelled_caught
