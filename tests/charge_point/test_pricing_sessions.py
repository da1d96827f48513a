"""What outlives a session: its final cost, and the unplugging that ends its idle fee."""

import json
from pathlib import Path
from typing import Any

import pytest
import trio
from pricing import cost, costs, opened, transfer

from ocpp16.enums import Reason, SessionStartedReason
from ocpp16.profiles.pricing_sessions import MOST_KEPT
from ocpp16.testing import CallErrorAnswer
from ocpp16.testing.central_system import START, CentralSystem
from ocpp16.testing.stations import DisplayingStation

IDLE = {"CustomIdleFeeAfterStop": True}


def unplugged(bench: Any) -> list[tuple[int, str]]:
    """What the Central System was told."""
    found = []
    for payload in bench.sent("DataTransfer"):
        assert payload["vendorId"] == "org.openchargealliance.costmsg"
        assert payload["messageId"] == "ConnectorUnplugged"
        data = json.loads(payload["data"])
        assert set(data) == {"transactionId", "timestamp"}
        found.append((data["transactionId"], data["timestamp"]))
    return found


async def charged(bench: Any, reason: Reason = Reason.LOCAL, session: str = "s1") -> None:
    charge_point = bench.charge_point
    charge_point.on_session_started(1, session, SessionStartedReason.EV_CONNECTED)
    bench.begin(1, session)
    await trio.sleep(0.5)
    charge_point.on_transaction_stopped(1, session, reason, 1500)
    await trio.sleep(0.5)


@pytest.mark.parametrize(
    ("reason", "key", "told"),
    [
        (Reason.LOCAL, True, [(1, "2026-01-01T00:05:01.100Z")]),
        (Reason.REMOTE, True, [(1, "2026-01-01T00:05:01.100Z")]),
        (Reason.EV_DISCONNECTED, True, []),
        (Reason.LOCAL, False, []),
    ],
)
async def test_the_unplugging(open_bench: Any, make_config: Any, reason: Reason, key: bool, told: Any) -> None:
    """Told once, with its time, after the StopTransaction that did not tell it."""
    keys = {"CustomIdleFeeAfterStop": key, "Internal__TimestampFractionDigits": 3}
    async with opened(open_bench, make_config, **keys) as bench:
        await charged(bench, reason)
        await trio.sleep(300)
        assert unplugged(bench) == []
        bench.charge_point.on_session_stopped(1, "s1")
        await trio.sleep(5)
        assert unplugged(bench) == told
        await charged(bench, Reason.EV_DISCONNECTED, "s2")
        bench.charge_point.on_session_stopped(1, "s2")
        await trio.sleep(5)
        assert unplugged(bench) == told


async def test_the_unplugging_is_repeated_until_it_is_answered(open_bench: Any, make_config: Any) -> None:
    """As the messages of transactions: an error is no answer, and neither is silence."""
    async with opened(open_bench, make_config, **IDLE) as bench:
        await charged(bench)
        answers = [None, {"status": "Accepted"}]
        bench.csms.answers["DataTransfer"] = lambda payload, call: answers.pop(0)
        bench.charge_point.on_session_stopped(1, "s1")
        await trio.sleep(300)
        assert len(unplugged(bench)) == 2
        assert len(set(unplugged(bench))) == 1
        assert bench.charge_point.counters.dead_letters == 0


async def test_offline_and_before_the_transaction_has_an_id(open_bench: Any, make_config: Any) -> None:
    """All of it waits, and comes in order."""
    async with opened(open_bench, make_config, **IDLE) as bench:
        bench.charge_point.connection.disconnect()
        await bench.csms.wait_disconnected("cp001")
        await charged(bench)
        bench.charge_point.on_session_stopped(1, "s1")
        await trio.sleep(60)
        before = len(bench.sent())
        bench.charge_point.connection.connect()
        await trio.sleep(30)
        told = [call.action for call in bench.csms.calls()[before:]]
        order = [action for action in told if action in ("StartTransaction", "StopTransaction", "DataTransfer")]
        assert order == ["StartTransaction", "StopTransaction", "DataTransfer"]
        assert unplugged(bench)[0][0] == 1


async def test_the_id_is_known_after_the_unplugging(open_bench: Any, make_config: Any) -> None:
    async with opened(open_bench, make_config, **IDLE) as bench:
        bench.csms.answers["StartTransaction"] = None
        await charged(bench)
        bench.charge_point.on_session_stopped(1, "s1")
        await trio.sleep(10)
        assert unplugged(bench) == []
        del bench.csms.answers["StartTransaction"]
        await trio.sleep(200)
        assert [number for number, _ in unplugged(bench)] == [1]


async def test_a_transaction_that_never_has_an_id(open_bench: Any, make_config: Any) -> None:
    """There is nothing that could be told."""
    async with opened(open_bench, make_config, Core__TransactionMessageAttempts=1, **IDLE) as bench:
        bench.csms.answers["StartTransaction"] = CallErrorAnswer("InternalError")
        await charged(bench)
        bench.charge_point.on_session_stopped(1, "s1")
        await trio.sleep(300)
        assert unplugged(bench) == []


async def test_a_car_that_left_unseen(open_bench: Any, make_config: Any) -> None:
    """The next session is another car's, so the one before is gone."""
    async with opened(open_bench, make_config, **IDLE) as bench:
        await charged(bench)
        bench.begin(1, "s2", "TAG2")
        await trio.sleep(1)
        assert [number for number, _ in unplugged(bench)] == [1]


async def test_an_unplugging_over_a_power_cut(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Path
) -> None:
    """Offline, with and without an id of the transaction; the next start tells both, with their times."""
    options: dict[str, Any] = {"database_path": tmp_path / "db"}
    async with opened(until_power_fails, make_config, options=options, **IDLE) as bench:
        await charged(bench)
        bench.charge_point.connection.disconnect()
        await bench.csms.wait_disconnected("cp001")
        await trio.sleep(10)
        bench.charge_point.on_session_stopped(1, "s1")
        await charged(bench, session="s2")
        bench.charge_point.on_session_stopped(1, "s2")
        await trio.sleep(1)
    options = {"database_path": tmp_path / "db", "anchor": 1_767_225_600 + 100}
    async with opened(open_bench, make_config, options=options, **IDLE) as bench:
        bench.csms.standard_answers.now = lambda: 1_767_225_700_000_000 + round(trio.current_time() * 1e6)
        await trio.sleep(60)
        told = unplugged(bench)
        assert [number for number, _ in told] == [1, 1], "the Central System of this test begins with 1 again"
        assert all("2026-01-01T00:00:1" in time for _, time in told)
    async with opened(open_bench, make_config, options=options, **IDLE) as bench:
        await trio.sleep(60)
        assert unplugged(bench) == []


async def test_the_power_fails_before_the_unplugging(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Path
) -> None:
    """It is told when the station tells it in the next start."""
    options: dict[str, Any] = {"database_path": tmp_path / "db"}
    async with opened(until_power_fails, make_config, options=options, **IDLE) as bench:
        await charged(bench)
    async with opened(open_bench, make_config, options=options, **IDLE) as bench:
        await trio.sleep(10)
        assert unplugged(bench) == []
        bench.charge_point.on_session_stopped(1, "s1")
        await trio.sleep(10)
        assert [number for number, _ in unplugged(bench)] == [1]


async def test_a_final_cost_after_a_power_cut(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Path
) -> None:
    """StopTransaction was answered before it; the number of the transaction is given again, and is another one's."""
    options: dict[str, Any] = {"database_path": tmp_path / "db"}
    async with opened(until_power_fails, make_config, options=options) as bench:
        await charged(bench)
        assert len(bench.charge_point._runtime.ctx.transactions) == 0
    options["station"] = DisplayingStation()
    async with opened(open_bench, make_config, options=options) as bench:
        bench.csms.answers["StartTransaction"] = {"transactionId": 9, "idTagInfo": {"status": "Accepted"}}
        bench.begin(1, "s2", "TAG2")
        await trio.sleep(0.5)
        assert await transfer(bench, "FinalCost", cost(1, 2.5)) == ("Accepted", None)
        assert await transfer(bench, "RunningCost", cost(9, 0.5)) == ("Accepted", None)
        assert [(told.transaction_id, str(told.cost)) for told in costs(bench)] == [("s1", "2.5"), ("s2", "0.5")]


async def test_so_many_sessions_are_kept(open_bench: Any, make_config: Any) -> None:
    async with opened(open_bench, make_config) as bench:
        for number in range(101):
            await charged(bench, session=f"s{number}")
            bench.charge_point.on_session_stopped(1, f"s{number}")
        assert (await transfer(bench, "FinalCost", cost(1)))[0] == "Rejected"
        assert (await transfer(bench, "FinalCost", cost(2)))[0] == "Accepted"


async def test_a_car_that_stays_for_days(open_bench: Any, make_config: Any, tmp_path: Path) -> None:
    """Whoever leaves it there pays until it goes: that is told whenever it comes, also after a restart."""
    options: dict[str, Any] = {"database_path": tmp_path / "db"}
    async with opened(open_bench, make_config, options=options, **IDLE) as bench:
        await charged(bench)
        await trio.sleep(2 * 86_400)
        assert (await transfer(bench, "FinalCost", cost(77)))[0] == "Rejected", "looked for, and with it what is over"
    csms = CentralSystem()
    csms.standard_answers.now = lambda: START + 3 * 86_400_000_000 + round(trio.current_time() * 1e6)
    async with opened(open_bench, make_config, options={**options, "csms": csms}, **IDLE) as bench:
        await trio.sleep(10)
        assert await transfer(bench, "FinalCost", cost(1, 2.5)) == ("Accepted", None)
        bench.charge_point.on_session_stopped(1, "s1")
        await trio.sleep(5)
        assert [number for number, _ in unplugged(bench)] == [1]
        assert (await transfer(bench, "FinalCost", cost(1)))[0] == "Rejected", "it is over"


async def test_a_large_station_ends_at_once(open_bench: Any, make_config: Any) -> None:
    """More sessions than are kept of a small one: each has its final cost, and its unplugging."""
    connectors = range(1, MOST_KEPT + 11)
    async with opened(open_bench, make_config, Core__NumberOfConnectors=len(connectors), **IDLE) as bench:
        for number in connectors:
            bench.charge_point.on_session_started(number, f"s{number}", SessionStartedReason.EV_CONNECTED)
            bench.begin(number, f"s{number}", f"TAG{number}")
        await trio.sleep(30)
        for number in connectors:
            bench.charge_point.on_transaction_stopped(number, f"s{number}", Reason.LOCAL, 1500)
        await trio.sleep(30)
        for number in (connectors[0], connectors[-1]):
            assert (await transfer(bench, "FinalCost", cost(number)))[0] == "Accepted"
        for number in connectors:
            bench.charge_point.on_session_stopped(number, f"s{number}")
        await trio.sleep(30)
        assert sorted(number for number, _ in unplugged(bench)) == list(connectors)


async def test_no_unplugging_is_lost_while_nobody_knows_the_time(open_bench: Any, make_config: Any) -> None:
    csms = CentralSystem()
    csms.is_reachable = False
    async with opened(open_bench, make_config, options={"csms": csms}, **IDLE) as bench:
        for number in range(MOST_KEPT + 1):
            bench.begin(1, f"s{number}")
            bench.charge_point.on_transaction_stopped(1, f"s{number}", Reason.LOCAL, 1500)
            bench.charge_point.on_session_stopped(1, f"s{number}")
            await trio.sleep(1)
        csms.is_reachable = True
        await trio.sleep(120)
        assert [number for number, _ in unplugged(bench)] == [*range(1, MOST_KEPT + 2)]


async def test_a_clock_that_was_behind_forgets_no_session(open_bench: Any, make_config: Any) -> None:
    """It ended two days ago by the time of the Central System, which is not when it ended."""
    csms = CentralSystem()
    csms.is_reachable = False
    options = {"csms": csms, "anchor": START / 1e6 - 2 * 86_400}
    async with opened(open_bench, make_config, options=options, **IDLE) as bench:
        await charged(bench)
        csms.is_reachable = True
        await trio.sleep(60)
        assert await transfer(bench, "FinalCost", cost(1, 2.5)) == ("Accepted", None)
        bench.charge_point.on_session_stopped(1, "s1")
        await trio.sleep(1)
        [(number, at)] = unplugged(bench)
        assert (number, at[:10]) == (1, "2026-01-01")
