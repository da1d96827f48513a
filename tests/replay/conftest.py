"""What the tests of replaying share: traces, and the clock of the test."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import trio
import trio.testing

from ocpp16.lint.trace import Trace
from ocpp16.replay import Story, read_stories


def run_at_once(*arguments: Any, clock: trio.abc.Clock | None = None, **options: Any) -> Any:
    """trio.run with the clock of the test, or one that jumps."""
    return trio.run(*arguments, clock=clock or trio.testing.MockClock(autojump_threshold=0), **options)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        is_async = inspect.iscoroutinefunction(getattr(item, "obj", None))
        is_here = item.path.parent == Path(__file__).parent
        if is_async and is_here and not item.get_closest_marker("real_time"):
            item.add_marker(pytest.mark.trio(run=run_at_once), append=False)


TO, FROM = "cp-to-csms", "csms-to-cp"


def row(second: float, direction: str, frame: list[Any], identity: str = "CP1", **more: Any) -> dict[str, Any]:
    """A record of a trace, of a frame that passed at this second."""
    minutes, seconds = divmod(second, 60)
    return {
        "schemaVersion": "1.1",
        "timestamp": f"2025-05-05T12:{int(minutes):02}:{seconds:06.3f}Z",
        "transport": "json",
        "chargePointId": identity,
        "direction": direction,
        "messageType": {2: "CALL", 3: "CALLRESULT", 4: "CALLERROR"}[frame[0]],
        "messageId": frame[1],
        "raw": orjson.dumps(frame).decode(),
        **({"action": frame[2]} if frame[0] == 2 else {}),
        **more,
    }


BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}
START = {"connectorId": 1, "idTag": "TAG", "meterStart": 5, "timestamp": "2025-05-05T12:00:20Z"}
METER = {
    "connectorId": 1,
    "transactionId": 77,
    "meterValue": [{"timestamp": "2025-05-05T12:00:30Z", "sampledValue": []}],
}
METER["meterValue"][0]["sampledValue"].append({"value": "9"})  # type: ignore[index]
A_SESSION = [
    row(0, TO, [2, "1", "BootNotification", BOOT]),
    row(0.1, FROM, [3, "1", {"status": "Accepted", "currentTime": "2025-05-05T12:00:00Z", "interval": 300}]),
    row(1, TO, [2, "2", "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Preparing"}]),
    row(1.1, FROM, [3, "2", {}]),
    row(10, FROM, [2, "r1", "RemoteStartTransaction", {"connectorId": 1, "idTag": "TAG"}]),
    row(10.1, TO, [3, "r1", {"status": "Accepted"}]),
    row(20, TO, [2, "3", "StartTransaction", START]),
    row(20.1, FROM, [3, "3", {"transactionId": 77, "idTagInfo": {"status": "Accepted"}}]),
    row(30, TO, [2, "4", "MeterValues", METER]),
    row(30.1, FROM, [3, "4", {}]),
    row(40, FROM, [2, "r2", "RemoteStopTransaction", {"transactionId": 77}]),
    row(40.1, TO, [3, "r2", {"status": "Accepted"}]),
    row(
        41, TO, [2, "5", "StopTransaction", {"transactionId": 77, "meterStop": 9, "timestamp": "2025-05-05T12:00:41Z"}]
    ),
    row(41.1, FROM, [3, "5", {}]),
]


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Called with rows: the file of a trace that has them."""

    def write(rows: list[dict[str, Any]], name: str = "trace.jsonl") -> Path:
        path = tmp_path / name
        path.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in rows))
        return path

    return write


@pytest.fixture
def stories(written: Callable[..., Path]) -> Callable[..., dict[str, Story]]:
    """Called with rows: the stories of them."""

    def read(rows: list[dict[str, Any]], *ids: str) -> dict[str, Story]:
        return read_stories(Trace(written(rows)), ids)

    return read
