"""What a linter keeps is bounded, whatever others send."""

from collections.abc import Iterator
from pathlib import Path
from time import process_time

import pytest
from told import Told, time_text

from ocpp16.lint import FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT, Frame, Linter
from ocpp16.lint.exchange import MOST_OPEN, Exchange
from ocpp16.lint.readers import READERS
from ocpp16.lint.trace import Trace
from ocpp16.messages.actions import ACTIONS


def reachable(root: object) -> int:
    """How many objects are reached from it, without classes, functions and modules."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, (list, tuple, set, frozenset)):
            waiting += one
        elif type(one).__module__.startswith("ocpp16.lint"):
            names = [name for kind in type(one).__mro__ for name in getattr(kind, "__slots__", ())]
            waiting += [getattr(one, name) for name in names if hasattr(one, name)]
            waiting += vars(one).values() if hasattr(one, "__dict__") else ()
    return len(seen)


def traffic(count: int, charge_points: int = 1) -> Iterator[Frame]:
    """CALLs of all actions that are never answered, all different, of transactions without end."""
    for number in range(count):
        action = [*ACTIONS][number % len(ACTIONS)]
        is_ours = ACTIONS[action].initiator == "ChargePoint"
        payload = {
            "connectorId": number,
            "idTag": f"T{number}",
            "transactionId": number,
            "meterStart": number,
            "timestamp": time_text(number),
            "status": "Available",
            "reservationId": number,
            "key": str(number),
            "meterValue": [{"timestamp": time_text(number), "sampledValue": [{"value": str(number)}]}],
        }
        direction = FROM_CHARGE_POINT if is_ours else FROM_CENTRAL_SYSTEM
        name = f"CP{number % charge_points}"
        yield Frame(number, name, direction, "CALL", f"id{number}", action, payload, time_text(number // 100))


def answered(frames: Iterator[Frame]) -> Iterator[Frame]:
    for frame in frames:
        yield frame
        other = FROM_CENTRAL_SYSTEM if frame.direction == FROM_CHARGE_POINT else FROM_CHARGE_POINT
        payload = {"status": "Accepted", "transactionId": frame.line, "idTagInfo": {"status": "Accepted"}}
        yield frame._replace(direction=other, kind="CALLRESULT", action="", payload=payload)


def kept(frames: Iterator[Frame]) -> int:
    linter = Linter()
    for frame in frames:
        linter.take(frame)
    return reachable(linter)


@pytest.mark.parametrize("is_answered", [False, True])
def test_of_one_charge_point(monkeypatch: pytest.MonkeyPatch, is_answered: bool) -> None:
    monkeypatch.setattr("ocpp16.lint.signed_transactions.MOST_RUNNING", 50)
    monkeypatch.setattr("ocpp16.lint.signed_transactions._MOST_ASKED", 50)
    monkeypatch.setattr("ocpp16.lint.linter._MOST_RUNNING", 50)

    def frames(count: int) -> Iterator[Frame]:
        return answered(traffic(count)) if is_answered else traffic(count)

    assert kept(frames(10_000)) < kept(frames(5_000)) * 1.3


def test_of_charge_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocpp16.lint.linter.MOST_CHARGE_POINTS", 50)
    few, many = kept(traffic(2_000, 50)), kept(traffic(8_000, 2_000))
    assert many < few * 1.5


@pytest.mark.parametrize(("most", "count"), [(1_000, 150), (64, 150)])
def test_many_connectors_are_no_fault(monkeypatch: pytest.MonkeyPatch, most: int, count: int) -> None:
    """Nor are more transactions at a time than are remembered."""
    monkeypatch.setattr("ocpp16.lint.linter._MOST_RUNNING", most)
    told = Told()
    told.connected()
    told.boots()
    keys = [{"key": "NumberOfConnectors", "readonly": True, "value": str(count)}]
    told.is_asked("GetConfiguration", {"configurationKey": keys})
    for connector in reversed(range(count + 1)):
        told.status("Available", connector, after=0)
    for connector in range(1, count + 1):
        told.starts(connector, connectorId=connector, idTag=f"T{connector}", after=0)
    for connector in range(1, count + 1):
        told.meters(200, connectorId=connector, transactionId=connector, after=0)
    for connector in range(1, count + 1):
        told.stops(transactionId=connector, after=0)
    told.asks("Heartbeat", {"currentTime": told.now(1)})
    told.end()
    assert told.found == []


def test_the_open_calls_and_the_ids_of_a_side() -> None:
    linter, count = Linter(["one-call"]), 3_000
    for frame in traffic(count):
        linter.take(frame)
    (case,) = linter._cases.values()
    exchange = case._exchange
    assert isinstance(exchange, Exchange)
    for asker in exchange._askers.values():
        assert len(asker.open) <= MOST_OPEN
        assert len(asker.used) <= 1_000


@pytest.mark.parametrize(
    "content",
    [
        b"<html>\n" + b'<tr class="ChargePoint"><pre>' * 20_000 + b"</tr>" * 20_000,
        b"<html>\n" + b'<tr class="SYS">' + b"<" * 200_000 + b"</tr>" * 20_000,
        b'<html><details class="sys">' + b"<b>" * 100_000 + b"</details>",
        b"[chargeBoxId=" * 50_000,
        b': send [2,"' * 50_000,
        b"2026-01-31T10:15:30.123Z: ChargePoint>CentralSystem x\n[" * 10_000,
    ],
)
@pytest.mark.parametrize("name", list(READERS))
def test_of_lines_that_are_made_to_be_slow(tmp_path: Path, name: str, content: bytes) -> None:
    """None takes a time that grows with the square of its length: pytest's own limit would end it."""
    (tmp_path / "file").write_bytes(content)
    began = process_time()
    assert len(list(Trace(tmp_path / "file", reader_name=name))) <= 10_000
    assert process_time() - began < 5
