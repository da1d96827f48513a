"""The codec: text to validated message and back, in absolute terms and beside `ocpp` 2.1.0.

The ratios come from minima of short rounds that alternate between the two, so that a slow phase of the machine hits
both. Of a message with few members nearly all the time is the JSON parser's; such ones are shown without a bar.
"""

import json
import math
import time
from collections.abc import Callable
from typing import Any

import payloads
import peer
import pytest
from figures import note

from ocpp16 import codec

ROUNDS = 30
ROUND_SECONDS = 0.002
BARS = {
    "Heartbeat": 12,
    "BootNotification": 35,
    "StatusNotification": 35,
    "MeterValues(20)": 35,
    "StopTransaction(50)": 35,
    "SetChargingProfile(24)": 35,
}
GEOMETRIC_MEAN_BAR = 90
"""Of both directions of all messages with a bar but Heartbeat."""


def text_of(case: str) -> str:
    action, payload = payloads.REQUESTS[case]
    return json.dumps([2, payloads.UNIQUE_ID, action, payload], separators=(",", ":"))


def receive(text: str) -> Any:
    call: Any = codec.parse(text)
    codec.validate(call.action, "request", call.payload)
    return call


def send(unique_id: str, action: str, payload: dict[str, Any]) -> bytes:
    codec.validate(action, "request", payload)
    return codec.serialize(codec.Call(unique_id, action, payload))


@pytest.mark.parametrize("case", payloads.REQUESTS)
def test_receive(benchmark: Any, case: str) -> None:
    benchmark(receive, text_of(case))


@pytest.mark.parametrize("case", payloads.REQUESTS)
def test_send(benchmark: Any, case: str) -> None:
    benchmark(send, payloads.UNIQUE_ID, *payloads.REQUESTS[case])


def alternating(ours: Callable[..., Any], theirs: Callable[..., Any], *arguments: Any) -> tuple[float, float]:
    """Seconds per call of both with the same arguments: the best of rounds taken in turn."""
    counts, best = [], [math.inf, math.inf]
    for function in (ours, theirs):
        function(*arguments)
        start = time.perf_counter()
        function(*arguments)
        counts.append(max(1, int(ROUND_SECONDS / (time.perf_counter() - start))))
    for _ in range(ROUNDS):
        for number, function in enumerate((ours, theirs)):
            repeats = range(counts[number])
            start = time.perf_counter()
            for _ in repeats:
                function(*arguments)
            best[number] = min(best[number], (time.perf_counter() - start) / len(repeats))
    return best[0], best[1]


def test_ratios(capsys: pytest.CaptureFixture[str]) -> None:
    rows, ratios = [], {}
    for case, (action, payload) in payloads.REQUESTS.items():
        incoming = alternating(receive, peer.receive, text_of(case))
        outgoing = alternating(send, peer.send, payloads.UNIQUE_ID, action, payload)
        ratios[case] = (incoming[1] / incoming[0], outgoing[1] / outgoing[0])
        row = [f"{case:24}"]
        for (ours, theirs), ratio in zip((incoming, outgoing), ratios[case], strict=True):
            row.append(f"{ours * 1e6:8.3f} {theirs * 1e6:9.2f} {ratio:6.1f}x")
        rows.append("  ".join([*row, f"bar {BARS[case]}x" if case in BARS else "no bar"]))
    others = [ratio for case in BARS if case != "Heartbeat" for ratio in ratios[case]]
    mean = math.exp(sum(map(math.log, others)) / len(others))
    with capsys.disabled():
        print(f"\n{'us per message':24}  receive: ours, ocpp          send: ours, ocpp")
        print("\n".join(rows))
        print(f"geometric mean {mean:.0f}x, bar {GEOMETRIC_MEAN_BAR}x")
        for case, (incoming_ratio, outgoing_ratio) in ratios.items():
            bar = BARS.get(case)
            note(f"codec.receive.{case}", f"{case} received", incoming_ratio, "times as fast", at_least=bar)
            note(f"codec.send.{case}", f"{case} sent", outgoing_ratio, "times as fast", at_least=bar)
        text = "geometric mean of those with a bar but Heartbeat"
        note("codec.mean", text, mean, "times as fast", at_least=GEOMETRIC_MEAN_BAR)
    for case, bar in BARS.items():
        assert min(ratios[case]) >= bar, case
    assert mean >= GEOMETRIC_MEAN_BAR
