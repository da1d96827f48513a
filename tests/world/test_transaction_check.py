"""The check of what a Central System saw, on made-up streams: what is right passes, and each wrong is named."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest

Load = Callable[[str], ModuleType]


def at(second: int) -> str:
    return datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC).isoformat().replace("+00:00", "Z")


def start(number: int = 1, second: int = 0, connector: int = 1, tag: str = "A") -> tuple[str, dict[str, Any], int]:
    payload = {"connectorId": connector, "idTag": tag, "meterStart": 100, "timestamp": at(second)}
    return ("StartTransaction", payload, number)


def values(number: int | None = 1, second: int = 10, energy: float = 110.4, **of: Any) -> tuple[str, dict[str, Any]]:
    value = {"timestamp": at(second), "sampledValue": [{"value": str(energy), **of}]}
    payload: dict[str, Any] = {"connectorId": 1, "meterValue": [value]}
    if number is not None:
        payload["transactionId"] = number
    return ("MeterValues", payload)


def stop(number: int = 1, second: int = 20, energy: int = 120, **more: Any) -> tuple[str, dict[str, Any]]:
    return ("StopTransaction", {"transactionId": number, "meterStop": energy, "timestamp": at(second), **more})


WHOLE = [start(), values(), stop()]
NEXT = [start(2, 30, tag="B"), stop(2, 50)]

RIGHT = {
    "nothing": [],
    "a whole transaction": WHOLE,
    "two in a row": [*WHOLE, *NEXT],
    "two connectors at once": [start(), start(2, 5, connector=2, tag="B"), values(), stop(2), stop()],
    "every request repeated": [one for one in [*WHOLE, *NEXT] for _ in range(3)],
    "repeated with others in between": [start(), ("Heartbeat", {}), start(), values(), stop()],
    "the last ones repeated together": [*WHOLE, *WHOLE[1:], *WHOLE, *NEXT, NEXT[0], NEXT[1]],
    "aligned readings outside": [values(None, context="Sample.Clock"), *WHOLE],
    "an end at the last reading": [start(), values(second=20, energy=120.4), stop()],
    "data inside": [start(), stop(transactionData=[values()[1]["meterValue"][0]])],
}

WRONG = {
    "lost end": ([start()], "transaction 1 never ended"),
    "lost start": ([stop()], "the end of transaction 1, which never began"),
    "lost start before readings": ([values(), start(), stop()], "readings of transaction 1, which never began"),
    "start again with another time": (
        [start(), start(2, 1), values(), stop()],
        "transaction 2 begins on connector 1 while 1 runs there",
    ),
    "start again later": ([*WHOLE, start(2, 1), stop(2)], "the one transaction of A on connector 1 came 2 times"),
    "start repeated, and what followed it not": (
        [start(), values(), start(), stop()],
        "StopTransaction comes before what it follows was repeated",
    ),
    "the same id given twice": ([start(), stop(), start(1, 30), stop(1, 40)], "transaction 1 begins a second time"),
    "end again with another time": ([start(), stop(), stop(second=21)], "the end of transaction 1 after its end"),
    "readings after the end": ([start(), stop(), values()], "readings of transaction 1 after its end"),
    "readings of nothing": ([values(None), *WHOLE], "readings of connector 1 belong to no transaction"),
    "readings before the start": (
        [start(second=11), values(), stop()],
        "a reading of transaction 1 is older than what was told",
    ),
    "readings out of order": (
        [start(), values(second=12), values(second=11, energy=111), stop()],
        "a reading of transaction 1 is older than what was told",
    ),
    "a register that runs backwards": (
        [start(), values(), values(second=11, energy=109), stop()],
        "the register of transaction 1 runs backwards",
    ),
    "readings after the end's time": (
        [start(), values(second=21), stop()],
        "transaction 1 ends before what was told of it",
    ),
    "an end with less energy": ([start(), values(), stop(energy=109)], "transaction 1 ends with less energy"),
    "readings of another connector": (
        [start(), start(2, connector=2, tag="B"), values(2), stop(), stop(2)],
        "readings of transaction 2 come from another connector",
    ),
    "data outside": (
        [start(), stop(transactionData=[values(second=21)[1]["meterValue"][0]])],
        "data of transaction 1 lie outside of it",
    ),
}


def problems(world: Load, stream: list[Any], facts: list[Any] | None = None) -> list[str]:
    check = world("transaction_check")
    found: list[str] = check.check([check.Request(*one) for one in stream], facts or [])
    return found


@pytest.mark.parametrize("stream", RIGHT.values(), ids=RIGHT)
def test_what_is_right_passes(world: Load, stream: list[Any]) -> None:
    assert problems(world, stream) == []


@pytest.mark.parametrize(("stream", "problem"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(world: Load, stream: list[Any], problem: str) -> None:
    found = problems(world, stream)
    assert any(problem in one for one in found), found


@pytest.mark.parametrize(
    ("stream", "fact", "expected"),
    [
        (WHOLE, (1, "A", True), []),
        (WHOLE, (1, "A", False), []),
        ([], (1, "A", False), ["the transaction of A on connector 1 is lost"]),
        (WHOLE, (2, "A", False), ["the transaction of A on connector 2 is lost"]),
        ([start()], (1, "A", True), ["transaction 1 never ended", "the end of the transaction of A is lost"]),
        ([start()], (1, "A", False), ["transaction 1 never ended"]),
    ],
)
def test_facts_must_be_found(world: Load, stream: list[Any], fact: Any, expected: list[str]) -> None:
    assert problems(world, stream, [world("transaction_check").Fact(*fact)]) == expected
