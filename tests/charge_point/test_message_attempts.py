"""TransactionMessageAttempts and TransactionMessageRetryInterval: what counts as an attempt, for every cause, and when
the next one is (OCPP 1.6 ed. 2 §4.10, §9.1; errata 3.18)."""

from itertools import pairwise
from typing import Any

import pytest
import trio

from ocpp16.charge_point import session_rules
from ocpp16.enums import ErrorCode, Reason
from ocpp16.simulation import Commands, Operation, SimulatedStation
from ocpp16.testing import CallErrorAnswer
from ocpp16.testing.central_system import CentralSystem
from ocpp16.testing.misbehaviour import Fault

ACTIONS = ("StartTransaction", "MeterValues", "StopTransaction")


async def charge(bench: Any) -> None:
    """One transaction with one MeterValues, told at once."""
    bench.measure(1, 1000)
    bench.begin()
    assert bench.charge_point.sample_now(1)
    bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
    await trio.sleep(1)


def waits(bench: Any, action: str) -> list[int]:
    """Seconds between the transmissions of the one message of this action."""
    return [round(later.time - earlier.time) for earlier, later in pairwise(bench.csms.calls(action))]


async def letters(bench: Any) -> list[tuple[str, int]]:
    return [(letter.action, letter.attempts) for letter in await bench.charge_point.dead_letters()]


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("code", [code for code in ErrorCode if code is not ErrorCode.SECURITY_ERROR])
async def test_every_call_error_is_an_attempt(open_bench: Any, action: str, code: ErrorCode) -> None:
    async with open_bench() as bench:
        bench.csms.answers[action] = CallErrorAnswer(str(code), "no")
        await charge(bench)
        await trio.sleep(200)
        assert waits(bench, action) == [10, 20]
        assert await letters(bench) == [(action, 3)]
        for other in ACTIONS:
            assert len(bench.sent(other)) == (3 if other == action else 1), "and the others go out"


async def test_a_security_error_is_one_only_where_a_boot_does_not_help(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.csms.answers["StopTransaction"] = CallErrorAnswer(str(ErrorCode.SECURITY_ERROR), "who are you?")
        await charge(bench)
        await trio.sleep(24 * 3600)
        assert await letters(bench) == [("StopTransaction", 3)]
        assert len(bench.sent("BootNotification")) > 1


@pytest.mark.parametrize("answer", [CallErrorAnswer(str(ErrorCode.INTERNAL_ERROR), "not now"), None])
async def test_it_is_none_before_the_boot_was_taken_in(open_bench: Any, answer: CallErrorAnswer | None) -> None:
    """A Central System that begins anew and has forgotten us may be far from taking in a BootNotification."""
    async with open_bench() as bench:
        bench.csms.answers["StartTransaction"] = CallErrorAnswer(str(ErrorCode.SECURITY_ERROR), "who are you?")
        bench.csms.answers["BootNotification"] = answer
        bench.begin()
        await trio.sleep(3600)
        assert len(bench.sent("StartTransaction")) == 1
        assert len(bench.sent("BootNotification")) > 10
        bench.csms.answers.clear()
        await trio.sleep(100)
        assert len(bench.sent("StartTransaction")) == 2
        assert await letters(bench) == []
        assert bench.charge_point.transaction(1).transaction_id is not None


async def test_a_confirmation_that_cannot_be_read_is_an_attempt(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.csms.answers["StartTransaction"] = {"idTagInfo": {"status": "Accepted"}}
        await charge(bench)
        await trio.sleep(200)
        assert waits(bench, "StartTransaction") == [10, 20]
        assert await letters(bench) == [("StartTransaction", 3)]
        assert bench.sent("StopTransaction")[0]["transactionId"] == -1


@pytest.mark.parametrize("action", ACTIONS)
async def test_silence_is_none(open_bench: Any, action: str) -> None:
    async with open_bench() as bench:
        bench.csms.misbehave(Fault.DROP, action, times=6)
        await charge(bench)
        await trio.sleep(3600)
        assert len(bench.sent(action)) == 7
        assert await letters(bench) == []


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_connection_that_is_lost_is_none(open_bench: Any, action: str) -> None:
    """Nor is the message late for it: it goes out with the next connection, not when the old time would be over."""
    async with open_bench() as bench:
        bench.csms.misbehave(Fault.DROP, action, times=2)
        await charge(bench)
        for _ in range(2):
            bench.csms.abort("cp001")
            await trio.sleep(5)
        assert len(bench.sent(action)) == 3
        assert await letters(bench) == []
        await bench.charge_point.wait_all_answered()
        assert all(bench.sent(other) for other in ACTIONS)


async def test_nor_are_many(open_bench: Any) -> None:
    """What ends each connection is tried at growing intervals, and never given up for it."""
    async with open_bench() as bench:
        bench.csms.misbehave(Fault.ABORT, "StopTransaction", times=8)
        await charge(bench)
        await trio.sleep(12 * 3600)
        assert len(bench.sent("StopTransaction")) == 9
        assert await letters(bench) == []


async def test_what_waited_for_days_has_its_attempts_apart_all_the_same(open_bench: Any) -> None:
    """The waits count from the refusal, not from when the message was made."""
    away = CentralSystem()
    away.is_reachable = False
    away.answers["StopTransaction"] = CallErrorAnswer("GenericError", "no")
    async with open_bench(csms=away) as bench:
        await charge(bench)
        await trio.sleep(3 * 86_400)
        away.is_reachable = True
        await trio.sleep(1200)
        assert waits(bench, "StopTransaction") == [10, 20]


async def test_attempts_are_counted_over_a_restart(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Any
) -> None:
    document = make_config(Core__TransactionMessageAttempts=4, Core__TransactionMessageRetryInterval=100)
    refuse = CallErrorAnswer("GenericError", "no")
    first = CentralSystem()
    first.answers["StopTransaction"] = refuse
    async with until_power_fails(csms=first, document=document, database_path=tmp_path) as bench:
        await charge(bench)
        await trio.sleep(150)
        assert len(bench.sent("StopTransaction")) == 2
    second = CentralSystem(first_transaction_id=50)
    second.answers["StopTransaction"] = refuse
    async with open_bench(csms=second, document=document, database_path=tmp_path) as bench:
        await trio.sleep(2000)
        assert len(bench.sent("StopTransaction")) == 2, "four in all"
        assert await letters(bench) == [("StopTransaction", 4)]


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("TransactionMessageAttempts", "5", [10, 20, 30, 40]),
        ("TransactionMessageAttempts", "1", []),
        ("TransactionMessageAttempts", "0", []),
        ("TransactionMessageRetryInterval", "50", [50, 100]),
        ("TransactionMessageRetryInterval", "0", [0, 1]),
    ],
)
async def test_both_keys_hold_from_the_next_refusal_on(
    open_bench: Any, key: str, value: str, expected: list[int]
) -> None:
    async with open_bench() as bench:
        bench.csms.answers["StopTransaction"] = CallErrorAnswer("GenericError", "no")
        assert await bench.call("ChangeConfiguration", {"key": key, "value": value}) == {"status": "Accepted"}
        await charge(bench)
        await trio.sleep(1000)
        assert waits(bench, "StopTransaction") == expected
        assert await letters(bench) == [("StopTransaction", len(expected) + 1)]


async def test_dead_letters_are_listed_resent_and_discarded_by_command(open_bench: Any) -> None:
    """The console and the control interface of the simulated station, over a charge point that gave messages up."""
    async with open_bench() as bench:
        simulated = SimulatedStation(meter_interval=0)
        simulated.attach(bench.charge_point)
        commands = Commands(simulated, bench.charge_point, Operation(simulated, bench.charge_point))
        for action in ACTIONS:
            bench.csms.answers[action] = CallErrorAnswer("GenericError", "no")
        await charge(bench)
        await trio.sleep(200)
        listed = await commands.run("dead_letters")
        assert [(letter["action"], letter["attempts"]) for letter in listed] == [(action, 3) for action in ACTIONS]
        numbers = [letter["sequence"] for letter in listed]
        bench.csms.answers.clear()
        assert await commands.run("discard_dead_letters", {"sequences": [numbers[0]]}) == 1
        assert await commands.run("resend_dead_letters") == 2
        await trio.sleep(5)
        assert await commands.run("dead_letters") == []
        assert [len(bench.sent(action)) for action in ACTIONS] == [3, 4, 4]


async def test_other_rules_leave_the_time_for_an_answer_as_it_is(
    open_bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the world's, where the clock is a faster one."""
    async with open_bench() as bench:
        before = bench.charge_point._runtime.ctx.session.retry
        monkeypatch.setattr(session_rules, "RESPONSE_TIMEOUT", 7.0)
        for attempts in (5, 7):
            change = {"key": "TransactionMessageAttempts", "value": str(attempts)}
            assert await bench.call("ChangeConfiguration", change) == {"status": "Accepted"}
            retry = bench.charge_point._runtime.ctx.session.retry
            assert (retry.attempts, retry.response_timeout) == (attempts, before.response_timeout)
