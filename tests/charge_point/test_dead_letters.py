"""Messages that were given up: kept over restarts, bounded, to be looked at, sent again, thrown away."""

from datetime import UTC, datetime
from typing import Any

import pytest
import trio

from ocpp16.enums import Reason
from ocpp16.profiles import dead_letters
from ocpp16.testing import CallErrorAnswer

REFUSED = CallErrorAnswer("GenericError", "no\x1b[2J" + "x" * 3000)


async def give_up(bench: Any, count: int = 1) -> None:
    """`count` transactions whose StopTransaction is given up."""
    bench.csms.answers["StopTransaction"] = REFUSED
    for number in range(count):
        bench.begin(session_id=f"s{number}")
        await trio.sleep(1)
        bench.charge_point.on_transaction_stopped(1, f"s{number}", Reason.LOCAL, 1500 + number)
        await trio.sleep(100)


async def test_they_can_be_looked_at_and_sent_again(open_bench: Any, tmp_path: Any) -> None:
    async with open_bench(database_path=tmp_path) as bench:
        await give_up(bench, 2)
        first, second = await bench.charge_point.dead_letters()
        assert (first.action, first.payload["meterStop"], first.payload["transactionId"]) == (
            "StopTransaction",
            1500,
            1,
        )
        assert first.reason.isprintable()
        assert len(first.reason) < 300
        assert (first.attempts, first.given_up_at.date()) == (3, datetime(2026, 1, 1, tzinfo=UTC).date())
    async with open_bench(database_path=tmp_path) as bench:
        assert len(await bench.charge_point.dead_letters()) == 2
        assert await bench.charge_point.resend_dead_letters([second.sequence, 99]) == 1
        await trio.sleep(5)
        assert [stop["meterStop"] for stop in bench.sent("StopTransaction")] == [1501]
        assert bench.sent("StopTransaction")[0]["transactionId"] == 2, "though the transaction is long gone"
        assert [letter.sequence for letter in await bench.charge_point.dead_letters()] == [first.sequence]
        assert await bench.charge_point.discard_dead_letters() == 1
    async with open_bench(database_path=tmp_path) as bench:
        assert await bench.charge_point.dead_letters() == ()
        await trio.sleep(5)
        assert bench.sent("StopTransaction") == []


async def test_there_is_a_bound(open_bench: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "MOST", 3)
    async with open_bench(database_path=tmp_path) as bench:
        await give_up(bench, 5)
        kept = [letter.payload["meterStop"] for letter in await bench.charge_point.dead_letters()]
        assert kept == [1502, 1503, 1504]
        assert bench.charge_point.counters.dead_letters_dropped == 2
    async with open_bench(database_path=tmp_path) as bench:
        assert len(await bench.charge_point.dead_letters()) == 3
