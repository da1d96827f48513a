"""`ocpp16 proxy` and `ocpp16 replay` as processes: what they say, how they end, and what they refuse."""

import json
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
import trio
from patience import PATIENCE

from ocpp16.cli import main
from ocpp16.testing import CentralSystem
from ocpp16.transport.dial import endpoint, open_stream
from ocpp16.transport.websocket import WebSocket

pytestmark = pytest.mark.world


@pytest.fixture
async def start(command: tuple[str, ...]) -> AsyncIterator[Callable[..., Any]]:
    started: list[Any] = []

    async def start(*arguments: str) -> Any:
        process = await trio.lowlevel.open_process(
            [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        await process.wait()
        await process.stdout.aclose()


async def said(process: Any, pattern: str = r"\Z(?!)") -> str:
    """What it says, up to something that matches, or its end."""
    text = ""
    with trio.fail_after(PATIENCE):
        async for chunk in process.stdout:
            text += chunk.decode()
            if re.search(pattern, text):
                break
    return text


async def connect(port: int, identity: str = "CP1") -> WebSocket:
    where = endpoint(f"ws://127.0.0.1:{port}", identity, 0)
    return await WebSocket.connect(await open_stream(where), host=where.authority, target=where.target)


@pytest.mark.real_time
async def test_a_proxy_says_records_judges_and_ends_with_a_summary(start: Any, tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    async with CentralSystem() as csms:
        port = await csms.listen("127.0.0.1")
        process = await start(
            "proxy", "--listen", "127.0.0.1:0", "--csms", f"ws://127.0.0.1:{port}/ocpp", "--trace", str(trace),
            "--lint", "--fault", "latency=0.01", "--fault", "duplicate=1,direction=in", "--seed", "3",
        )  # fmt: skip
        first = await said(process, r"listening on ws://127.0.0.1:(\d+)/")
        found = re.search(r":(\d+)/", first)
        assert found is not None
        websocket = await connect(int(found[1]))
        websocket.send_text('[2,"1","Heartbeat",{"wrong":"member"}]')
        await websocket.flush()
        texts: list[str] = []
        with trio.fail_after(PATIENCE):
            while len(texts) < 2:
                texts += await websocket.receive()
        assert texts[0] == texts[1]
        process.send_signal(signal.SIGINT)
        rest = await said(process)
        assert await process.wait() == 1
        await websocket.aclose()
    assert "CP1 connected, ocpp1.6" in rest
    assert "CP1 → Heartbeat wrong=member" in rest
    assert "✗" in rest
    assert "1 connections, 0 refused, 3 messages" in rest
    assert "faults: duplicate 1" in rest
    assert "errors" in rest
    assert "Traceback" not in rest
    assert [json.loads(line)["messageType"] for line in trace.read_text().splitlines()] == [
        "CALL",
        "CALLRESULT",
        "CALLRESULT",
    ]


def test_a_proxy_says_what_cannot_be(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, says in (
        (("--listen", "here", "--csms", "ws://x"), "--listen here: write HOST:PORT"),
        (("--listen", "127.0.0.1:" + "9" * 5000, "--csms", "ws://x"), "write HOST:PORT"),
        (("--listen", "a..b:0", "--csms", "ws://x"), "cannot listen on a..b, port 0: that is no name of a machine"),
        (("--listen", "127.0.0.1:0", "--csms", "http://x"), "--csms http://x: must begin with ws://"),
        (("--listen", "127.0.0.1:0", "--csms", "ws://x", "--fault", "dropx=1"), "--fault: faults: no word dropx"),
        (("--listen", "127.0.0.1:0", "--csms", "ws://x", "--key", "k.pem"), "--key needs --tls"),
        (("--listen", "127.0.0.1:0", "--csms", "ws://x", "--csms-ca", "k.pem"), "are for a Central System at wss://"),
    ):
        assert main(["proxy", *arguments]) == 2
        assert says in capsys.readouterr().err


SESSION = (
    ("cp-to-csms", [2, "1", "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}]),
    ("csms-to-cp", [3, "1", {"status": "Accepted", "currentTime": "2025-05-05T12:00:00Z", "interval": 300}]),
    ("cp-to-csms", [2, "2", "Authorize", {"idTag": "TAG"}]),
    ("csms-to-cp", [3, "2", {"idTagInfo": {"status": "Blocked"}}]),
)


def write_trace(path: Path, session: Sequence[tuple[str, Any]] = SESSION) -> None:
    kinds = {2: "CALL", 3: "CALLRESULT"}
    rows = [
        {
            "schemaVersion": "1.1",
            "timestamp": f"2025-05-05T12:00:0{number}Z",
            "transport": "json",
            "chargePointId": "CP1",
            "direction": direction,
            "messageType": kinds[frame[0]],
            "messageId": frame[1],
            "raw": orjson.dumps(frame).decode(),
        }
        for number, (direction, frame) in enumerate(session)
    ]
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))


@pytest.mark.real_time
async def test_a_trace_is_played_to_a_central_system(start: Any, tmp_path: Path) -> None:
    write_trace(tmp_path / "t.jsonl")
    (tmp_path / "password").write_text("hex:00112233\n")
    keys = {"CP1": b"\x00\x11\x22\x33", "CP2": b"Secret"}
    async with CentralSystem(keys=keys) as csms:
        port = await csms.listen("127.0.0.1")
        url = f"ws://127.0.0.1:{port}"
        process = await start(
            "replay", str(tmp_path / "t.jsonl"), "--csms", url, "--speed", "0", "--password-file",
            str(tmp_path / "password"),
        )  # fmt: skip
        text = await said(process)
        assert await process.wait() == 1
        assert "✗ CP1: 2 requests, 2 answered, 1 differences" in text
        assert "line 3: Authorize: idTagInfo.status is Accepted, was Blocked" in text
        csms.answers["Authorize"] = {"idTagInfo": {"status": "Blocked"}}
        process = await start(
            "replay", str(tmp_path / "t.jsonl"), "--csms", url, "--speed", "0", "--as", "CP2", "--json", "--password",
            "Secret",
        )  # fmt: skip
        assert json.loads(await said(process))["is_same"] is True
        assert await process.wait() == 0
        assert {call.identity for call in csms.calls()} == {"CP1", "CP2"}


@pytest.mark.real_time
async def test_who_is_not_let_in_leaves_the_others_to_play(start: Any, tmp_path: Path) -> None:
    write_trace(tmp_path / "t.jsonl")
    others = (tmp_path / "t.jsonl").read_text().replace('"CP1"', '"CP\\u0001"')
    (tmp_path / "u.jsonl").write_text(others + (tmp_path / "t.jsonl").read_text())
    async with CentralSystem() as csms:
        csms.answers["Authorize"] = {"idTagInfo": {"status": "Blocked"}}
        port = await csms.listen("127.0.0.1")
        process = await start("replay", str(tmp_path / "u.jsonl"), "--csms", f"ws://127.0.0.1:{port}", "--speed", "0")
        text = await said(process)
        assert await process.wait() == 1
    assert "✗ CP\\x01: 0 requests, 0 answered, 0 differences\n    it could not connect: ChargePointId: has a " in text
    assert "✓ CP1: 2 requests, 2 answered, 0 differences" in text


@pytest.mark.real_time
async def test_a_trace_is_played_to_whoever_connects(start: Any, tmp_path: Path) -> None:
    write_trace(tmp_path / "t.jsonl")
    process = await start("replay", str(tmp_path / "t.jsonl"), "--listen", "127.0.0.1:0", "--patience", "0.5")
    found = re.search(r":(\d+)/", await said(process, r"listening on"))
    assert found is not None
    websocket = await connect(int(found[1]))
    websocket.send_text('[2,"x","Authorize",{"idTag":"TAG"}]')
    await websocket.flush()
    assert json.loads((await websocket.receive())[0]) == [3, "x", {"idTagInfo": {"status": "Blocked"}}]
    text = await said(process)
    assert await process.wait() == 1
    await websocket.aclose()
    assert "BootNotification: the charge point asked it 0 times, 1 in the trace" in text


def test_an_id_that_no_password_can_be_sent_with_keeps_no_other_from_playing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    write_trace(tmp_path / "t.jsonl")
    (tmp_path / "u.jsonl").write_text((tmp_path / "t.jsonl").read_text().replace('"CP1"', '"A:B"'))
    (tmp_path / "both.jsonl").write_bytes(b"".join((tmp_path / name).read_bytes() for name in ("u.jsonl", "t.jsonl")))
    assert main(["replay", str(tmp_path / "both.jsonl"), "--csms", "ws://127.0.0.1:1", "--password", "Secret"]) == 2
    told = capsys.readouterr().err
    assert "A:B: ChargePointId: 'A:B' has a colon" in told
    assert "CP1: TCP: cannot connect" in told


async def told_to_end(*arguments: Any, **options: Any) -> Any:
    signal.raise_signal(signal.SIGTERM)
    await trio.sleep_forever()


@pytest.mark.parametrize(
    ("place", "arguments"),
    [
        ("ocpp16.cli.replay.play_central_system", ("replay", "t.jsonl", "--listen", "127.0.0.1:0")),
        ("ocpp16.cli.replay.play_central_system", ("replay", "t.jsonl", "--charge-point")),
        ("ocpp16.cli.replay.open_stream", ("replay", "t.jsonl", "--csms", "ws://127.0.0.1:1", "--lenient")),
        ("ocpp16.cli.doctor.examine", ("doctor", "--csms", "ws://127.0.0.1:1", "--id", "CP1")),
    ],
)
def test_who_is_told_to_end_before_all_is_looked_at_has_not_found_it_good(
    place: str, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_trace(tmp_path / "t.jsonl")
    monkeypatch.setattr(place, told_to_end)
    assert main(arguments) == 143


def test_a_trace_is_played_to_charge_points_of_ours(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_trace(tmp_path / "t.jsonl")
    (tmp_path / "c.json").write_text('{"Core":{"HeartbeatInterval":60},"Internal":{"ChargePointId":"X"}}')
    monkeypatch.chdir(tmp_path)
    assert main(["replay", "t.jsonl", "--charge-point", "c.json", "--speed", "50", "--patience", "10"]) == 0
    assert capsys.readouterr().out == "✓ CP1: 0 requests, 0 answered, 0 differences\n"


def test_charge_points_of_ours_have_the_connectors_of_the_trace(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plugged = {"connectorId": 2, "errorCode": "NoError", "status": "Preparing"}
    plugged_in = ("cp-to-csms", [2, "2", "StatusNotification", plugged])
    write_trace(tmp_path / "t.jsonl", (SESSION[0], plugged_in, SESSION[1], ("csms-to-cp", [2, "3", "ClearCache", {}])))
    (tmp_path / "c.json").write_text('{"Core":{"NumberOfConnectors":1}}')
    assert main(["replay", "t.jsonl", "--charge-point", "c.json", "--speed", "50", "--patience", "10"]) == 0
    assert capsys.readouterr().err == ""


def test_what_cannot_be_played_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_trace(tmp_path / "t.jsonl")
    row = json.loads((tmp_path / "t.jsonl").read_text().splitlines()[0])
    del row["raw"]
    (tmp_path / "without.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "c.json").write_text("[]")
    (tmp_path / "n.json").write_text('{"Core": 5}')
    (tmp_path / "d.json").write_text("[" * 100_000)
    for arguments, says in (
        (("t.jsonl",), "one of --csms, --listen and --charge-point"),
        (("none.jsonl", "--csms", "ws://x"), "No such file"),
        (("without.jsonl", "--csms", "ws://x"), "line 1: the CALL has no payload"),
        (("t.jsonl", "--csms", "ws://x", "--id", "CP9"), "it has CP1"),
        (("t.jsonl", "--csms", "ws://127.0.0.1:1"), "CP1: TCP: cannot connect"),
        (("t.jsonl", "--listen", "127.0.0.1:0", "--speed", "0"), "--speed 0 is for --csms"),
        (("t.jsonl", "--csms", "ws://x", "--password", "x", "--password-file", "c.json"), "give one of them"),
        (("t.jsonl", "--csms", "ws://x", "--password-file", "none"), "--password-file: none: cannot be read"),
        (("t.jsonl", "--csms", "ws://x", "--password", "hex:0"), "even number of hexadecimal digits"),
        (("t.jsonl", "--csms", "ws://x", "--csms-ca", "roots.pem"), "--csms-ca is for a Central System at wss://"),
        (("t.jsonl", "--listen", "127.0.0.1:0", "--csms-ca", "roots.pem"), "--csms-ca is for --csms"),
        (("t.jsonl", "--listen", "127.0.0.1:0", "--keep-ids"), "--keep-ids is for --csms"),
        (("t.jsonl", "--charge-point", "c.json", "--password", "x"), "--password is for --csms"),
        (
            ("t.jsonl", "--charge-point", "c.json", "--speed", "201"),
            "--speed 201: charge points of ours live up to 200",
        ),
        (("t.jsonl", "--charge-point", "c.json"), "must hold a JSON object"),
        (("t.jsonl", "--charge-point", "n.json"), "it has no sections"),
        (("t.jsonl", "--charge-point", "d.json"), "d.json: is nested deeper than 64 levels"),
    ):
        assert main(["replay", *arguments]) == 2
        assert says in capsys.readouterr().err
