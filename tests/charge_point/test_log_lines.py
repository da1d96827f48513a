"""What a peer, a station, a host or a disk does over and over is logged once a minute, harmless and without secrets."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from ocpp16.models import DataTransferResponse
from ocpp16.observer import InternalError
from ocpp16.rpc.folding import VARIANTS

SECRET = "Sup3rSecretKey99"


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def about(self, part: str) -> list[str]:
        return [record.getMessage() for record in self.records if part in record.getMessage()]


@pytest.fixture
def lines() -> Iterator[Lines]:
    logger, handler = logging.getLogger("ocpp16"), Lines()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(level)


async def test_an_observer_that_always_raises(open_bench: Any, lines: Lines) -> None:
    class Observer:
        count = 0

        async def notify(self, event: Any) -> None:
            self.count += 1
            raise RuntimeError(f"closed for the {self.count}. time")

    observer = Observer()
    async with open_bench(observer=observer, trace_messages=True) as bench:
        for _ in range(50):
            await bench.call("ClearCache", {})
        await trio.sleep(1)
        assert bench.charge_point.counters.internal_errors == observer.count > 100
        assert len(lines.about("observer failed")) <= VARIANTS * 4  # kinds of events
        lines.records.clear()
        await trio.sleep(61)
        await bench.call("ClearCache", {})
        await trio.sleep(1)
        assert any("times more" in line for line in lines.about("observer failed at MessageExchanged"))
    assert not any(isinstance(event, InternalError) for event in bench.events.seen)


async def test_a_station_that_is_always_late_or_raises(open_bench: Any, make_config: Any, lines: Lines) -> None:
    async with open_bench(document=make_config(Internal__StationTimeout=1)) as bench:
        bench.station.delays["data_transfer"] = 100
        for _ in range(30):
            await bench.call("DataTransfer", {"vendorId": "v"})
        assert len(lines.about("overran")) == 1
        del bench.station.delays["data_transfer"]

        async def refuses(vendor_id: str, message_id: str | None, data: str | None) -> DataTransferResponse:
            raise ValueError(f"cannot read {data}")

        bench.station.data_transfer = refuses
        for number in range(100):
            await bench.call("DataTransfer", {"vendorId": "v", "data": str(number)})
        assert len(lines.about("cannot read")) == VARIANTS


async def test_changes_that_are_refused(open_bench: Any, lines: Lines) -> None:
    async with open_bench() as bench:
        for number in range(100):
            for key, value in (("HeartbeatInterval", f"x{number}"), (f"NoSuchKey{number}", "1")):
                await bench.call("ChangeConfiguration", {"key": key, "value": value})
        assert 1 <= len(lines.about("is not changed")) <= VARIANTS


async def test_a_time_that_is_now_good_and_now_bad(open_bench: Any, lines: Lines) -> None:
    async with open_bench() as bench:
        for number in range(20):
            time = (
                bench.charge_point.for_station.clock.now_datetime().isoformat()
                if number % 2
                else "1970-01-01T00:00:00Z"
            )
            bench.csms.answers["Heartbeat"] = {"currentTime": time}
            await bench.call("TriggerMessage", {"requestedMessage": "Heartbeat"})
            await trio.sleep(0.1)
        assert bench.charge_point.counters.times_ignored == 10
        assert len(lines.about("not followed")) == 1


async def test_a_server_that_closes_at_once(open_bench: Any, lines: Lines) -> None:
    async with open_bench() as bench:
        for _ in range(50):
            bench.csms.abort("cp001")
            bench.charge_point.connection.connect()
            await trio.sleep(0.1)
        assert 1 <= len(lines.about("disconnected")) <= 2


async def test_profiles_and_cards_that_are_refused(open_bench: Any, profile: Any, lines: Lines) -> None:
    async with open_bench() as bench:
        for number in range(50):
            await bench.install(1, profile(number, -1 - number))
            await bench.charge_point.authorize_id_token(f"TAG{number}")
        for part in ("profile refused", "id tag is"):
            assert len(lines.about(part)) <= VARIANTS


async def test_a_text_of_the_central_system_in_an_exception_forges_no_line(open_bench: Any, lines: Lines) -> None:
    async def refuses(vendor_id: str, message_id: str | None, data: str | None) -> DataTransferResponse:
        raise ValueError(f"cannot read {data}")

    async with open_bench() as bench:
        bench.station.data_transfer = refuses
        data = "x\r\nERROR cp: forged line \x1b[2J\u202e" + "y" * 20_000
        await bench.call("DataTransfer", {"vendorId": "V", "data": data})
        (record,) = [record for record in lines.records if "cannot read" in record.getMessage()]
    message = logging.Formatter().format(record)
    first, *others = message.split("\n")
    assert others[0] == "Traceback:"
    assert all(line.startswith("  ") for line in others[1:])
    assert all(line.isprintable() for line in [first, *others])
    assert len(message) < 2000


@pytest.mark.parametrize("trace", [False, True])
async def test_no_secret_reaches_anybody(open_bench: Any, lines: Lines, trace: bool) -> None:
    async def quotes(vendor_id: str, message_id: str | None, data: str | None) -> DataTransferResponse:
        raise ValueError(f"cannot read {data}")

    request = {"key": "AuthorizationKey", "value": SECRET}
    frames: list[Any] = [
        [2, "1", "ChangeConfiguration", request],
        [2, "2", "ChangeConfiguration", {"key": {"a": "AuthorizationKey"}, "value": SECRET}],
        [2, "3", "ChangeConfiguration", {"key": "AuthorizationKey", "value": "x", SECRET: 1}],
        [2, "4", "ChangeConfiguration", [SECRET, "AuthorizationKey"]],
        [2, "5", "DataTransfer", {"vendorId": "v", "data": json.dumps(request)}],
        [4, "6", "GenericError", f"{SECRET} is no AuthorizationKey", {}],
        [2, "AuthorizationKey", "ChangeConfiguration", {"key": "HeartbeatInterval", "value": SECRET}],
    ]
    async with open_bench(trace_messages=trace) as bench:
        bench.station.data_transfer = quotes
        for frame in frames:
            await bench.csms.send_text("cp001", json.dumps(frame))
            await trio.sleep(61)  # nothing is folded away
        bench.csms.violations.clear()
    for seen in (*bench.events.seen, *map(logging.Formatter().format, lines.records)):
        assert SECRET not in repr(seen)


async def test_a_station_that_hangs_at_what_it_is_told(open_bench: Any, make_config: Any, lines: Lines) -> None:
    """It is told of the next all the same, and a stop waits for none of it."""
    async with open_bench(document=make_config(Internal__StationTimeout=5)) as bench:
        bench.station.delays["provide_token"] = 1e6
        for tag in ("A", "B"):
            await bench.call("RemoteStartTransaction", {"idTag": tag, "connectorId": 1})
        await trio.sleep(4.9)
        assert not lines.about("overran")
        await trio.sleep(0.2)
        assert len(lines.about("overran 5 s in provide_token")) == 1
        await trio.sleep(5)
        assert [tag for tag, *_ in bench.station.asked("provide_token")] == ["A", "B"]
        await bench.call("RemoteStartTransaction", {"idTag": "C", "connectorId": 1})
        await trio.sleep(1)
        began = trio.current_time()
        await bench.charge_point.stop()
        assert trio.current_time() - began < 1
        lines.records.clear()
        await trio.sleep(60)
        assert not lines.about("overran")


async def test_who_overran_is_told_with_its_connector(open_bench: Any, make_config: Any, lines: Lines) -> None:
    async with open_bench(document=make_config(Internal__StationTimeout=1)) as bench:
        bench.begin(2)
        await trio.sleep(1)
        bench.station.delays |= dict.fromkeys(("unlock_connector", "stop_transaction", "is_reset_allowed"), 100)
        await bench.call("UnlockConnector", {"connectorId": 2})
        await bench.call("RemoteStopTransaction", {"transactionId": 1})
        await bench.call("Reset", {"type": "Soft"})
        await trio.sleep(5)
        for place in ("unlock_connector(2)", "stop_transaction(2)", "is_reset_allowed"):
            assert lines.about(f"overran 1 s in {place}")


@pytest.mark.parametrize("is_kept", [True, False])
async def test_what_becomes_of_what_was_not_delivered(
    open_bench: Any, lines: Lines, tmp_path: Path, is_kept: bool
) -> None:
    async with open_bench(database_path=tmp_path if is_kept else None) as bench:
        bench.csms.is_reachable = False
        bench.csms.abort("cp001")
        bench.begin()
    (line,) = lines.about("not delivered")
    assert line.endswith("sent after the next start") is is_kept
