"""The Central System as a program: what it prints, what can be typed, and its TLS folder."""

import json
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import trio
import trio.testing
import trustme
from patience import PATIENCE

from ocpp16.cli import central_system, main
from ocpp16.cli.orders import ORDERS, Orders
from ocpp16.codec import Call, CallResult, parse, serialize, validate
from ocpp16.security.tls import client_context
from ocpp16.testing import CentralSystem
from ocpp16.transport.dial import endpoint, open_stream
from ocpp16.transport.websocket import WebSocket


class Program:
    """A running `ocpp16 central-system --control`."""

    def __init__(self, process: Any) -> None:
        self.process = process
        self._seen = ""

    async def see(self, pattern: str) -> str:
        """Read until something matches; gives its first group, or all of it."""
        with trio.fail_after(PATIENCE):
            while (match := re.search(pattern, self._seen)) is None:
                chunk = await self.process.stdout.receive_some()
                assert chunk, f"no {pattern} in {self._seen}"
                self._seen += chunk.decode()
        self._seen = self._seen[match.end() :]
        return match[match.lastindex or 0]

    async def type(self, line: str) -> None:
        await self.process.stdin.send_all(line.encode() + b"\n")


@pytest.fixture
async def start(command: tuple[str, ...]) -> AsyncIterator[Callable[..., Any]]:
    started: list[Any] = []

    async def start(*options: str) -> Program:
        process = await trio.lowlevel.open_process(
            [*command, "central-system", "--port", "0", "--control", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        started.append(process)
        return Program(process)

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        await process.wait()


async def connect(uri: str, context: Any = None) -> WebSocket:
    where = endpoint(uri, "cp 1", 0 if context is None else 2)
    stream = await open_stream(where, ssl_context=context, timeout=PATIENCE)
    return await WebSocket.connect(stream, host=where.authority, target=where.target, timeout=PATIENCE)


async def exchange(websocket: WebSocket, frame: Any) -> Any:
    websocket.send_text(serialize(frame))
    await websocket.flush()
    (text,) = await websocket.receive()
    return parse(text)


BOOT = Call("1", "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})


@pytest.mark.world
@pytest.mark.real_time
async def test_it_says_what_passes(start: Callable[..., Any]) -> None:
    program = await start("--heartbeat", "42")
    uri = await program.see(r"listening on (\S+)")
    websocket = await connect(uri)
    await program.see("cp 1 connected")
    answer = await exchange(websocket, BOOT)
    assert answer.payload["interval"] == 42
    await program.see("cp 1 → BootNotification chargePointVendor=V chargePointModel=M")
    await program.see("cp 1 ← BootNotification: status=Accepted")
    await program.type("""call "cp 1" Reset {}""")
    await program.see("error:")
    await program.type("remote_start 'cp 1' ABC 1")
    (text,) = await websocket.receive()
    call = parse(text)
    assert isinstance(call, Call)
    assert (call.action, call.payload) == ("RemoteStartTransaction", {"idTag": "ABC", "connectorId": 1})
    websocket.send_text(serialize(CallResult(call.unique_id, {"status": "Rejected"})))
    await websocket.flush()
    await program.see("cp 1 → RemoteStartTransaction: status=Rejected")
    await exchange(websocket, Call("2", "Authorize", {"idTag": "x" * 30}))
    await program.see("cp 1 ! against the rules")
    websocket.send_text("garbage")
    await websocket.flush()
    await program.see("cp 1 → unreadable")
    await program.process.stdin.aclose()
    await program.see("cp 1 disconnected")
    with trio.fail_after(PATIENCE):
        assert await program.process.wait() == 0
    await websocket.aclose()


@pytest.mark.world
@pytest.mark.real_time
@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
async def test_signals(start: Callable[..., Any], number: signal.Signals, exit_code: int) -> None:
    program = await start()
    await program.see("listening")
    program.process.send_signal(number)
    with trio.fail_after(PATIENCE):
        assert await program.process.wait() == exit_code


@pytest.mark.world
@pytest.mark.real_time
async def test_tls(start: Callable[..., Any], tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    (tmp_path / "chain.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    (tmp_path / "key.pem").write_bytes(certificate.private_key_pem.bytes())
    root = tmp_path / "root.pem"
    authority.cert_pem.write_to_path(str(root))
    program = await start("--tls", str(tmp_path))
    uri = await program.see(r"listening on (wss://\S+)")
    websocket = await connect(uri, client_context(root))
    assert (await exchange(websocket, BOOT)).payload["status"] == "Accepted"
    await websocket.aclose()


async def test_orders_without_a_charge_point(autojump_clock: Any) -> None:
    said: list[str] = []
    async with CentralSystem() as csms:
        orders = Orders(csms, said.append)
        for line in (
            "",
            "# a remark",
            "charge_points",
            "reset cp001",
            "unlock",
            "fly",
            "close",
            "call cp001",
            "call cp001 Reset {",
            "remote_stop cp001 x",
            "unlock cp001 1.5",
            "reserve cp001 1 TAG soon",
            "call cp001 Reset 'x",
            f"reserve cp001 1 TAG {'9' * 400}",
        ):
            await orders.obey(line)
        assert len(said) == 12
        assert said[0] == "connected: none"
        assert all(line.startswith("error: ") for line in said[1:])
        assert [line.rpartition(" ")[2] for line in said if "must be a number" in line] == ["x", "1.5", "soon"]
        said.clear()
        await orders.obey("help")
        assert all(any(line.startswith(name) for line in said) for name in (*ORDERS, "wait"))


async def test_waiting_between_orders(autojump_clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def typed() -> AsyncIterator[bytes]:
        for line in ("first", "wait 5", "wait", "wait -1", "second", " wait 2", "third"):
            yield line.encode() + b"\n"

    obeyed: list[tuple[str, float]] = []
    said: list[str] = []

    class Noting(Orders):
        async def obey(self, line: str) -> None:
            obeyed.append((line, trio.current_time()))

    monkeypatch.setattr(central_system, "StandardInput", typed)
    began = trio.current_time()
    await central_system._obey(Noting(Mock(), said.append), Mock())
    assert [(line, round(at - began)) for line, at in obeyed] == [("first", 0), ("second", 5), ("third", 7)]
    assert said == ["error: wait needs a number of seconds, 0 or more"] * 2


WORDS = {
    "remote_start": ["ABC", "1"],
    "remote_stop": ["7"],
    "reset": ["Hard"],
    "unlock": ["1"],
    "trigger": ["Heartbeat"],
    "availability": ["0", "Inoperative"],
    "get_configuration": ["A", "B"],
    "change_configuration": ["A", "1"],
    "clear_cache": [],
    "reserve": ["0", "ABC", "60", "7"],
    "cancel_reservation": ["7"],
}


@pytest.mark.parametrize("name", ORDERS)
def test_each_order_makes_a_valid_call(name: str) -> None:
    order = ORDERS[name]
    for words in (WORDS[name], WORDS[name][: order.needed]):
        validate(order.action, "request", order.payload(words))


async def test_whoever_types_faster_than_is_obeyed_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Endless lines make neither tasks nor memory without end."""
    given = begun = 0

    class Typed:
        def __aiter__(self) -> "Typed":
            return self

        async def __anext__(self) -> bytes:
            nonlocal given
            given += 1
            await trio.lowlevel.checkpoint()
            return b"reset cp001\n"

    async def obey(line: str) -> None:
        nonlocal begun
        begun += 1
        await trio.sleep_forever()

    monkeypatch.setattr(central_system, "StandardInput", Typed)
    async with trio.open_nursery() as nursery:
        orders = Orders(Mock(), print)
        orders.obey = obey  # type: ignore[method-assign]
        nursery.start_soon(central_system._obey, orders, Mock())
        await trio.testing.wait_all_tasks_blocked()
        assert begun == central_system.MOST_ORDERS
        assert given <= begun + 1
        nursery.cancel_scope.cancel()


async def test_an_answer_is_said_in_full() -> None:
    said: list[str] = []
    keys = [{"key": f"Key{number}", "readonly": False, "value": "v" * 40} for number in range(3)]

    class Answering:
        async def call(self, identity: str, action: str, payload: dict[str, Any]) -> dict[str, Any]:
            return {"configurationKey": keys, "unknownKey": [], "status": "Accepted"}

    await Orders(Answering(), said.append).obey("get_configuration cp001")  # type: ignore[arg-type]
    assert [json.loads(line.removeprefix("configurationKey: ")) for line in said] == keys


def test_a_price_that_is_none_is_told_by_its_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["central-system", "--port", "0", "--flat-fee", "dear"]) == 2
    assert capsys.readouterr().err == "ocpp16: --flat-fee: must be a decimal number\n"
