"""Attempts of scripts to connect: what is accepted, what is refused, and what is neither."""

import ssl
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, cast

import pytest
import trio
import trio.testing

from ocpp16.configuration.configuration import Configuration
from ocpp16.errors import ConfigurationError, ConnectionFailed
from ocpp16.scenario import Outcome, scenario_from
from ocpp16.scenario.attempt import GOODBYE, OLD_VERSIONS, Attempt, Attempts, Found, client_hello, first_word
from ocpp16.testing import CentralSystem
from ocpp16.testing.memory_stream import memory_stream_pair
from ocpp16.transport.dial import Endpoint
from ocpp16.transport.websocket import Accept, Reject, WebSocket

KEYS = MappingProxyType({"ChargePointId": "CP1", "ChargePointVendor": "V", "ChargePointModel": "M"})


def configuration(uri: str = "ws://csms.example/ocpp", **security: Any) -> Any:
    return Configuration.load({"Internal": {**KEYS, "CentralSystemURI": uri}, "Security": security})


async def tried(connector: Any, wanted: Attempt | None = None, *, uri: str = "ws://csms.example/ocpp") -> Found:
    return await Attempts(connector, None).make(wanted or Attempt(), configuration(uri), Random(1))


async def test_who_is_let_in(csms: CentralSystem) -> None:
    assert await tried(csms.connector) == Found(True, "it chose the subprotocol ocpp1.6")
    assert await tried(csms.connector, Attempt(subprotocols=("ocpp0.1", "ocpp1.6"))) == Found(
        True, "it chose the subprotocol ocpp1.6"
    )
    await csms.wait_disconnected("CP1")
    assert not csms.calls()


async def test_who_is_refused(csms: CentralSystem) -> None:
    found = await tried(csms.connector, Attempt(subprotocols=("ocpp0.1",)))
    assert found == Found(False, "it chose no subprotocol, and closed the connection")
    async with CentralSystem(keys={"CP1": b"a key of 16 byte"}) as strict:
        assert (await tried(strict.connector)).is_accepted is False
        keys = configuration(SecurityProfile=1, AuthorizationKey="text:a key of 16 byte")
        attempts = Attempts(strict.connector, None)
        assert (await attempts.make(Attempt(), keys, Random(1))).is_accepted is True
        assert (await attempts.make(Attempt(is_lowered=True), keys, Random(1))).is_accepted is False


def server(decide: Callable[[Any], Any], stays: float = 0.0) -> Any:
    """A connector to who upgrades so, and closes after so many seconds."""

    async def connect(endpoint: Endpoint) -> trio.abc.Stream:
        near, far = memory_stream_pair()

        async def serve() -> None:
            try:
                websocket = await WebSocket.accept(far, decide=decide)
            except ConnectionFailed:
                return
            await trio.sleep(stays)
            await websocket.aclose()

        trio.lowlevel.spawn_system_task(serve)
        return near

    return connect


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 501])
async def test_statuses_that_refuse(status: int) -> None:
    assert (await tried(server(lambda request: Reject(status)))).is_accepted is False


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_statuses_that_say_nothing_of_whom_somebody_lets_in(status: int) -> None:
    assert (await tried(server(lambda request: Reject(status)))).is_accepted is None


@pytest.mark.parametrize("answer", [b"SSH-2.0-x\r\n", b"220 mail\r\n\r\n"])
async def test_who_speaks_no_http_refuses_nobody(answer: bytes) -> None:
    """What listens there is no Central System: a wrong port must pass no test."""
    assert (await tried(saying(answer))).is_accepted is None


@pytest.mark.parametrize("answer", [b"", b"\x15\x03\x01\x00\x02\x02\x46"], ids=["an end", "an alert of TLS"])
async def test_an_end_in_the_place_of_an_answer_refuses(answer: bytes) -> None:
    assert (await tried(saying(answer))).is_accepted is False


def saying(answer: bytes) -> Any:
    """A connector to who says this to whatever it is asked, and closes."""

    async def connect(endpoint: Endpoint) -> trio.abc.Stream:
        near, far = memory_stream_pair()

        async def serve() -> None:
            await far.receive_some(4096)
            if answer:
                await far.send_all(answer)
            await far.aclose()

        trio.lowlevel.spawn_system_task(serve)
        return near

    return connect


async def test_an_upgrade_without_a_subprotocol_that_stays_is_no_refusal() -> None:
    found = await tried(server(lambda request: Accept(None), stays=2 * GOODBYE))
    assert found == Found(None, f"it chose no subprotocol, and left the connection open for {GOODBYE:g} s")


async def test_another_subprotocol_is_not_what_was_asked_for() -> None:
    found = await tried(server(lambda request: Accept("ocpp0.1")), Attempt(subprotocols=("ocpp0.1", "ocpp1.6")))
    assert found == Found(None, "it chose the subprotocol ocpp0.1")


async def test_whoever_says_nothing_or_is_not_there_refused_nobody() -> None:
    async def silent(endpoint: Endpoint) -> trio.abc.Stream:
        near, _ = memory_stream_pair()
        silent.kept = _  # type: ignore[attr-defined]
        return near

    async def away(endpoint: Endpoint) -> trio.abc.Stream:
        raise ConnectionFailed("TCP: cannot connect")

    began = trio.current_time()
    assert await tried(silent) == Found(None, "no answer within 20 s")
    assert trio.current_time() - began == pytest.approx(20.0)
    assert await tried(away) == Found(None, "TCP: cannot connect")


async def test_what_cannot_be_tried_is_said() -> None:
    for wanted, why in (
        (Attempt(old_tls="1.1"), "there is no TLS with security profile 0"),
        (Attempt(ciphers=("AES128-GCM-SHA256",)), "there is no TLS with security profile 0"),
        (Attempt(security_profile=2), "must be wss://"),
        (Attempt(is_lowered=True), "there is no security profile below 0"),
    ):
        with pytest.raises(ConfigurationError, match=why):
            await tried(None, wanted)
    not_ours = server(lambda request: Accept("ocpp1.6"))
    with pytest.raises(ConfigurationError, match="TLS is not ours to choose"):
        await tried(not_ours, Attempt(security_profile=2, ciphers=("A",)), uri="csms.example")


# Steps of a script


async def test_an_answer_that_cannot_be_is_no_answer_of_the_charge_point(csms: CentralSystem, play: Any) -> None:
    steps = [
        {"do": "wait_registered"},
        {"do": "overrule", "question": "Reset", "answer": "Perhaps"},
    ]
    outcome: Outcome = await play(scenario_from({"step": steps}), csms)
    (found,) = [one for one in outcome.expectations if not one.is_met]
    assert found.failures[0].why.startswith("answer: Reset.conf: status")


async def test_a_connection_that_is_made_anew(csms: CentralSystem, play: Any, whys: Any) -> None:
    steps: list[dict[str, Any]] = [
        {"do": "wait_registered"},
        {"do": "wait_connected"},
        {"do": "drop"},
        {"do": "wait_connected", "first_attempt": True},
        {"do": "heartbeat"},
        {"do": "wait_connected", "within": 5},
    ]
    outcome: Outcome = await play(scenario_from({"step": steps}), csms)
    assert whys(outcome) == {"step 6: wait_connected": ["it was not connected anew within 5 s: there was no attempt"]}


async def test_a_first_attempt_that_fails_is_told_with_its_reason(csms: CentralSystem, play: Any, whys: Any) -> None:
    for first_attempt in (True, False):
        csms.refuse_handshake(401)
        steps: list[dict[str, Any]] = [{"do": "wait_connected", "first_attempt": first_attempt, "within": 200}]
        outcome: Outcome = await play(scenario_from({"step": steps}), csms)
        if first_attempt:
            ((why,),) = whys(outcome).values()
            assert why.startswith("its first attempt to connect failed: ")
            assert "401" in why
        assert outcome.is_passed is not first_attempt


# What a server says to an old hello

ALERT = b"\x15\x03\x02\x00\x02\x02"
HELLO = b"\x16\x03\x02\x00\x2a\x02\x00\x00\x26"


async def heard(*pieces: bytes, version: str = "1.1", end: bool = True) -> Found:
    near, far = memory_stream_pair()
    for piece in pieces:
        await far.send_all(piece)
    if end:
        await far.aclose()
    return await first_word(near, version)


async def test_first_words() -> None:
    assert await heard(ALERT + b"\x46") == Found(False, "TLS alert protocol_version")
    assert await heard(ALERT[:3], ALERT[3:] + b"\x70") == Found(False, "TLS alert 112")
    assert await heard() == Found(False, "it ended the connection")
    warning = b"\x15\x03\x02\x00\x02\x01\x70"
    assert await heard(warning + HELLO + b"\x03\x02") == Found(True, "it goes on with TLS 1.1")
    assert await heard(HELLO + b"\x03\x01") == Found(True, "it goes on with TLS older still")
    assert (await heard(HELLO + b"\x03\x03")).is_accepted is None
    assert await heard(b"HTTP/1.1 400 Bad Request\r\n") == Found(None, "it does not speak TLS")
    endless = b"\x16\x03\x02\x40\x00\x0b" + bytes(20_000)
    assert await heard(endless) == Found(None, "its first word has no end")


@pytest.mark.parametrize("name", ["csms.example", "127.0.0.1", "::1", "münchen.example"])
def test_the_length_fields_of_a_hello(name: str) -> None:
    hello = client_hello(0x0302, name, Random(1))
    assert len(hello) == 5 + int.from_bytes(hello[3:5], "big")
    assert len(hello) == 9 + int.from_bytes(hello[6:9], "big")
    assert (name.encode("idna") in hello) is (":" not in name and not name[0].isdigit())


def old_server(tmp_path: Path, version: ssl.TLSVersion) -> ssl.SSLContext:
    """One of this version and no other."""
    import time
    import warnings

    from ocpp16.security.lab_pki import Authority, Use

    issued = Authority("Old", time.time() - 3600).issue("old", names=("127.0.0.1",), use=Use.SERVER)
    (tmp_path / "chain.pem").write_text(issued.chain)
    (tmp_path / "key.pem").write_text(issued.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "chain.pem", tmp_path / "key.pem")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


@pytest.mark.world
@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_a_server_of_old_is_found_out(version: str, tmp_path: Path) -> None:
    """OpenSSL takes our hello for a good one, where it still has the version."""
    number = {"1.0": ssl.TLSVersion.TLSv1, "1.1": ssl.TLSVersion.TLSv1_1}[version]
    if not {"1.0": ssl.HAS_TLSv1, "1.1": ssl.HAS_TLSv1_1}[version]:
        pytest.skip("this OpenSSL does not know it")

    async def play() -> tuple[Found, Found]:
        async with CentralSystem() as csms:
            old = await csms.listen("127.0.0.1", ssl_context=old_server(tmp_path, number))
            new = await csms.listen("127.0.0.1", ssl_context=old_server(tmp_path, ssl.TLSVersion.TLSv1_2))
            found = []
            for port in (old, new):
                keys = configuration(f"wss://127.0.0.1:{port}/", SecurityProfile=3)
                found.append(await Attempts(None, None).make(Attempt(old_tls=version), cast(Any, keys), Random(1)))
            return found[0], found[1]

    is_old, is_new = trio.run(play)
    assert is_old == Found(True, f"it goes on with TLS {version}")
    assert is_new == Found(False, "TLS alert protocol_version")
