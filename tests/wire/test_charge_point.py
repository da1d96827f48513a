"""Charge points on a bad wire, over memory and over TLS with certificates that are verified."""

import ssl
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trio
import trustme

from ocpp16.fleet import open_fleet
from ocpp16.testing import CentralSystem
from ocpp16.testing.misbehaviour import Fault
from ocpp16.wire import Disturbed, WireFaults, Word, disturbed


@pytest.fixture
async def csms() -> Any:
    async with CentralSystem() as made:
        yield made


async def test_a_fleet_lives_with_a_wire_that_loses_doubles_and_ends(csms: CentralSystem) -> None:
    """Each has a wire of its own; every transaction is told once, whatever was lost on the way."""
    faults = WireFaults.load(
        {"latency": 0.1, "jitter": 0.4, "drop": 0.03, "duplicate": 0.05, "cut": {"every": 600}, "refuse": 0.3}
    )
    wires: dict[str, Disturbed] = {}

    def connector_of(identity: str) -> Disturbed:
        wires[identity] = disturbed(csms.connector, faults, Random(identity))
        return wires[identity]

    async with open_fleet("ws://csms.example", connector_of=connector_of, seed=1) as fleet:
        await fleet.add_all(f"CP{number}" for number in range(10))
        await fleet.wait_registered()
        for member in fleet:
            member.station.plug_in(1)
            member.station.present_id_tag("TAG", [1])
        await trio.sleep(1800)
        for member in fleet:
            member.station.unplug(1)
        await trio.sleep(1800)
    happened = sum((wire.counts for wire in wires.values()), start=type(wires["CP0"].counts)())
    assert all(happened[word] for word in (Word.DROP, Word.DUPLICATE, Word.CUT, Word.REFUSE))
    assert len(csms.standard_answers.transactions) == 10
    assert {call.identity for call in csms.calls("StopTransaction")} == set(wires)


async def test_a_half_open_connection_is_noticed_and_left(csms: CentralSystem) -> None:
    faults: list[WireFaults | None] = [None]
    opener = disturbed(csms.connector, lambda: faults[0], Random(1))
    keys = {"Core": {"WebSocketPingInterval": 30}}
    csms.standard_answers.interval = 40
    async with open_fleet("ws://csms.example", connector=opener, keys=keys) as fleet:
        await fleet.add("CP1")
        await fleet.wait_registered()
        faults[0] = WireFaults.load({"half_open": 1.0})
        await trio.sleep(36)  # a ping at 30 s, and no pong within 5 s
        faults[0] = None
        await trio.sleep(200)
        assert opener.counts[Word.HALF_OPEN] == 1
        assert csms.calls("Heartbeat")
        assert fleet["CP1"].charge_point.connection.is_connected


async def test_refusals_with_a_status_are_told_as_such(csms: CentralSystem, caplog: pytest.LogCaptureFixture) -> None:
    faults = WireFaults.load({"refuse": {"probability": 1, "status": 403}})
    async with open_fleet("ws://csms.example", connector=disturbed(csms.connector, faults, Random(1))) as fleet:
        await fleet.add("CP1")
        await trio.sleep(5)
    assert "HTTP 403: a wire fault" in caplog.text
    assert not csms.calls()


async def test_a_misbehaving_central_system_and_a_bad_wire_together(csms: CentralSystem) -> None:
    csms.misbehave(Fault.DUPLICATE, "BootNotification")
    opener = disturbed(csms.connector, WireFaults.load({"duplicate": {"probability": 1, "direction": "in"}}), Random(1))
    async with open_fleet("ws://csms.example", connector=opener) as fleet:
        await fleet.add("CP1")
        await fleet.wait_registered()
        await trio.sleep(10)
        assert len(csms.calls("BootNotification")) == 1


@pytest.mark.real_time
@pytest.mark.world
async def test_faults_are_above_tls(tmp_path: Path) -> None:
    """The charge point's own way to connect, with its roots: frames are met, and TLS stays whole."""
    authority = trustme.CA()
    roots = tmp_path / "certs" / "ca" / "csms"
    roots.mkdir(parents=True)
    authority.cert_pem.write_to_path(str(roots / "root.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    faults = WireFaults.load({"raw": ["no frame"], "duplicate": {"probability": 1, "direction": "in"}, "latency": 0.05})
    opener = disturbed(None, faults, Random(1))
    keys = {"Security": {"AuthorizationKey": "text:a password of ours"}}
    async with CentralSystem() as csms:
        port = await csms.listen("127.0.0.1", 0, context)
        async with open_fleet(
            f"wss://localhost:{port}", connector=opener, certificates_path=tmp_path / "certs", keys=keys
        ) as fleet:
            await fleet.add("CP1")
            with trio.fail_after(10):
                await fleet.wait_registered()
                await csms.recording.wait_until(lambda: bool(csms.violations), "a violation", 10)
    assert opener.counts[Word.RAW] == 1
    assert opener.counts[Word.DUPLICATE] >= 1
    assert [violation.text for violation in csms.violations] == ["no frame"]
