"""A proxy between our charge points and an independent Central System, and its trace played again to that."""

import json
from pathlib import Path
from typing import Any

import pytest
import trio
import trustme
from patience import PATIENCE

from ocpp16.fleet import open_fleet
from ocpp16.lint import Linter
from ocpp16.lint.trace import Trace
from ocpp16.proxy import Happening, Kind, open_proxy
from ocpp16.replay import play_charge_point, read_stories
from ocpp16.security.tls import client_context, server_context
from ocpp16.simulation import CarPlan
from ocpp16.transport.dial import endpoint, open_stream
from ocpp16.transport.websocket import WebSocket
from ocpp16.wire import WireFaults, Word

pytestmark = [pytest.mark.world, pytest.mark.real_time]

CAR = CarPlan(plug_after=0.0, draw_after=0.0)
KEYS = {
    "Internal": {"RetryBackoffWaitMinimum": 1, "RetryBackoffRandomRange": 0},
    "Core": {"MeterValueSampleInterval": 1},
}


async def a_session(url: str, **options: Any) -> None:
    async with open_fleet(url, keys=options.pop("keys", KEYS), **options) as fleet:
        member = await fleet.add("CP 1")
        with trio.fail_after(PATIENCE):
            await fleet.wait_registered()
            member.station.plug_in(1, CAR)
            member.station.present_id_tag("CARD", [1])
            await trio.sleep(1.5)
            member.station.unplug(1)
            await trio.sleep(0.3)
            await member.charge_point.wait_all_answered()


async def test_a_session_through_the_proxy_is_recorded_and_played_again(csms: Any, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    told: list[Happening] = []
    async with open_proxy(csms.url, trace=path, linter=Linter(), on_happening=told.append) as proxy:
        await a_session(f"ws://127.0.0.1:{proxy.port}")
    passed = [one.text for one in told if one.kind is Kind.FRAME]
    frames = {"sent": [], "received": []}  # type: dict[str, list[str]]
    for one in told:
        if one.kind is Kind.FRAME:
            frames[one.way].append(one.text)
    assert frames["sent"] == [line["text"] for line in csms.events("received")]
    assert frames["received"] == [line["text"] for line in csms.events("sent")]
    assert [json.loads(line)["raw"] for line in path.read_text().splitlines()] == passed
    assert not csms.events("objection")
    assert not [one.text for one in told if one.kind is Kind.FINDING and one.is_error]
    assert csms.events("opened")[-1]["identity"] == "CP%201"  # which does not decode it

    (story,) = read_stories(Trace(path)).values()
    seen = len(csms.lines)
    where = endpoint(csms.url, story.identity, 0)
    websocket = await WebSocket.connect(await open_stream(where), host=where.authority, target=where.target)
    outcome = await play_charge_point(story, websocket, speed=0)
    assert outcome.is_same, outcome
    assert outcome.answered == len(frames["sent"])
    again = [json.loads(line["text"]) for line in csms.lines[seen:] if line.get("event") == "received"]
    assert [frame[2] for frame in again] == [json.loads(text)[2] for text in frames["sent"]]
    assert not csms.events("objection")


async def test_tls_on_both_sides_and_faults_between(csms: Any, tmp_path: Path) -> None:
    authority = trustme.CA()
    (tmp_path / "certs/ca/csms").mkdir(parents=True)
    roots = tmp_path / "certs/ca/csms/root.pem"
    authority.cert_pem.write_to_path(str(roots))
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    leaf = authority.issue_cert("localhost")
    leaf.cert_chain_pems[0].write_to_path(str(chain))
    leaf.private_key_pem.write_to_path(str(key))
    await trio.to_thread.run_sync(lambda: csms.do("secure", chain=str(chain), key=str(key)))
    password = "a password of 16+"
    await trio.to_thread.run_sync(lambda: csms.do("demand", identity="CP 1", keys=[password.encode().hex()]))
    told: list[Happening] = []
    faults = WireFaults.read(["latency=0.02", "duplicate=0.3,direction=in"])
    async with open_proxy(
        csms.url.replace("ws://127.0.0.1", "wss://localhost"),
        tls=server_context(chain, key),
        csms_tls=client_context(roots),
        faults=faults,
        seed=1,
        on_happening=told.append,
    ) as proxy:
        keys = {**KEYS, "Security": {"AuthorizationKey": f"text:{password}"}}
        await a_session(f"wss://localhost:{proxy.port}", keys=keys, certificates_path=tmp_path / "certs")
        assert proxy.faults[Word.DUPLICATE]
    actions = [json.loads(line["text"])[2] for line in csms.events("received")]
    assert actions.count("StartTransaction") == actions.count("StopTransaction") == 1
    assert not any(password in one.text for one in told)


async def test_refusals_of_the_central_system_and_its_absence_reach_the_charge_point(csms: Any) -> None:
    async def refusal() -> int:
        where = endpoint(f"ws://127.0.0.1:{proxy.port}", "CP1", 0)
        try:
            websocket = await WebSocket.connect(await open_stream(where), host=where.authority, target=where.target)
        except Exception as error:
            return int(getattr(error, "status", 0))
        await websocket.aclose()
        return 101

    async with open_proxy(csms.url) as proxy:
        for status in (401, 404, 503):
            await trio.to_thread.run_sync(lambda: csms.do("refuse", status=status))  # noqa: B023 - runs at once
            assert await refusal() == status
        await trio.to_thread.run_sync(lambda: csms.do("stop"))
        assert await refusal() == 502
        await trio.to_thread.run_sync(lambda: csms.do("listen"))
        assert await refusal() == 101
