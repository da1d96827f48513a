"""Frames of WebSocket without a stream: bytes to text and back, beside wsproto alone.

The two messages that a charge point exchanges most: MeterValues with ten values out, masked, and its CALLRESULT in. The
ratios come from minima of short rounds that alternate between the two, so that a slow phase of the machine hits both.
"""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from bench_codec import alternating
from figures import note
from payloads import UNIQUE_ID, meter_values
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from ocpp16.transport.frames import Frames

CALL = orjson.dumps([2, UNIQUE_ID, "MeterValues", {"connectorId": 1, "meterValue": meter_values(1, 10)}])
CALLRESULT = orjson.dumps([3, UNIQUE_ID, {}])
BARS = {"CALLRESULT in": 12, "CALL in": 10, "CALL out": 12, "64 CALLRESULTs in": 90}


def client() -> Frames:
    return Frames(is_client=True, machine=None, trailing=b"", limit=1 << 20)


def receiving(text: bytes, count: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    server = Connection(ConnectionType.SERVER)
    data = bytes(server.send(TextMessage(text.decode()))) * count
    frames, connection = client(), Connection(ConnectionType.CLIENT)

    def ours() -> list[str]:
        frames._reader.feed(data)
        frames._turn()
        texts, frames._ready = frames._ready, None
        return texts or []

    def theirs() -> list[str]:
        connection.receive_data(data)
        return [event.data for event in connection.events() if isinstance(event, TextMessage)]

    assert ours() == theirs() == [text.decode()] * count
    return ours, theirs


def sending(text: bytes) -> tuple[Callable[[], Any], Callable[[], Any]]:
    frames, connection = client(), Connection(ConnectionType.CLIENT)

    def ours() -> None:
        frames.send_text(text)
        frames._outgoing.clear()

    def theirs() -> bytes:
        return connection.send(TextMessage(text.decode()))

    return ours, theirs


def test_ratios(capsys: pytest.CaptureFixture[str]) -> None:
    cases = {
        "CALLRESULT in": receiving(CALLRESULT, 1),
        "CALL in": receiving(CALL, 1),
        "CALL out": sending(CALL),
        "64 CALLRESULTs in": receiving(CALLRESULT, 64),
    }
    rows, ratios = [], {}
    for name, (ours, theirs) in cases.items():
        mine, other = alternating(ours, theirs)
        ratios[name] = other / mine
        rows.append(f"{name:24} {mine * 1e6:8.3f} {other * 1e6:9.2f} {ratios[name]:6.1f}x  bar {BARS[name]}x")
    with capsys.disabled():
        print(f"\n{'us':24}     ours   wsproto   ({len(CALL)} and {len(CALLRESULT)} bytes of text)")
        print("\n".join(rows))
        for name, bar in BARS.items():
            note(f"websocket.{name}", name, ratios[name], "times as fast", at_least=bar)
    for name, bar in BARS.items():
        assert ratios[name] >= bar, name
