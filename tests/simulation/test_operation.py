"""Start, stop, restart and Reset of station and charge point together, and what comes back after a power loss."""

from collections.abc import Callable
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from ocpp16.enums import BootReason, ChargePointErrorCode, ResetType
from ocpp16.simulation import Operation
from ocpp16.state.transaction import Transaction

ANCHOR = 1_700_000_000_000_000


def powered_off(new_bench: Any, **options: Any) -> Any:
    """A bench whose charge point has a stored, running transaction on connector 2."""
    bench = new_bench(2, meter_interval=0, **options)
    bench.charge_point.transactions.add(
        Transaction(1, 2, "session-of-before", "TAG", ANCHOR, 1000, meter_last=5000, parent_id_tag="FAMILY")
    )
    bench.charge_point.checkpoints[2] = 4990
    bench.station.attach(bench.charge_point)
    return bench


async def test_power_loss_stops_by_default(new_bench: Any) -> None:
    bench = powered_off(new_bench)
    await Operation(bench.station, bench.charge_point).start()
    (how,) = bench.charge_point.started_with
    assert how == {"boot_reason": BootReason.POWER_UP, "resuming_session_ids": []}
    assert bench.take() == []
    assert bench.station.evse(2).is_free


async def test_a_resumed_transaction_draws_on(new_bench: Any) -> None:
    bench = powered_off(new_bench, power_loss_policy="resume")
    await Operation(bench.station, bench.charge_point).start()
    assert bench.charge_point.started_with[0]["resuming_session_ids"] == ["session-of-before"]
    assert bench.take() == [("session_started", 2, "EVConnected"), ("resume_charging", 2)]
    bench.advance(3600)
    bench.station.present_id_tag("family")
    assert bench.take() == [("transaction_stopped", 2, "Local", 5000.0 + 7360)]


async def test_a_resumed_refused_transaction_stays_paused(new_bench: Any) -> None:
    bench = powered_off(new_bench, power_loss_policy="resume")
    bench.charge_point.transaction(2).is_refused = True
    await Operation(bench.station, bench.charge_point).start()
    assert bench.take() == [("session_started", 2, "EVConnected"), ("suspend_charging_evse", 2)]


async def test_a_stop_ends_sessions_and_a_restart_finds_the_cars(make_bench: Any) -> None:
    bench = make_bench(2)
    operation = Operation(bench.station, bench.charge_point)
    bench.station.plug_in(1, draw_for=100)
    bench.station.raise_fault(2, ChargePointErrorCode.GROUND_FAILURE)
    bench.station.present_id_tag("TAG", [1])
    bench.advance(2)
    bench.ask(bench.station.stop_transaction(1, "Other"))
    bench.take()
    assert await operation.stop() is True
    assert await operation.stop() is False
    bench.station.plug_in(2, plug_after=1)
    bench.advance(1000)
    assert bench.take() == []
    assert await operation.restart() is True
    assert await operation.restart() is False
    assert bench.charge_point.started_with == [{"boot_reason": BootReason.APPLICATION_RESET}]
    assert bench.take() == [
        ("session_started", 1, "EVConnected"),
        ("error", 2, "GroundFailure", True),
    ]
    bench.advance(0)
    facts = bench.take()
    assert ("session_stopped", 1) in facts  # its plan ended while nobody looked
    assert ("session_started", 2, "EVConnected") in facts


async def test_timers_of_authorizations_end_with_a_stop(make_bench: Any) -> None:
    bench = make_bench(2, selection="UserInput")
    bench.station.present_id_tag("A", [1])
    bench.station.present_id_tag("B", [1, 2])
    bench.station.present_id_tag("C", [2])
    operation = Operation(bench.station, bench.charge_point)
    await operation.stop()
    assert len(bench.charge_point.for_station.timers) == 0
    await operation.restart()
    assert [evse.is_free for evse in bench.station.evses] == [True, True]


async def test_an_answer_that_comes_after_the_stop_starts_nothing(make_bench: Any) -> None:
    bench = make_bench()
    bench.charge_point.holds_answers = True
    bench.station.present_id_tag("TAG")
    await Operation(bench.station, bench.charge_point).stop()
    bench.charge_point.holds_answers = False
    bench.charge_point.step()
    assert bench.take() == []


async def test_a_card_at_a_reader_without_power_is_not_remembered(make_bench: Any) -> None:
    bench = make_bench()
    bench.charge_point.refused |= {"LOST", "TAG"}
    bench.charge_point.holds_answers = True
    bench.station.present_id_tag("LOST")
    task = bench.charge_point.tasks.pop()  # a life that is over runs no task any more
    operation = Operation(bench.station, bench.charge_point)
    await operation.stop()
    bench.charge_point.holds_answers = False
    bench.station.present_id_tag("TAG")
    assert bench.charge_point.asked == ["LOST"]
    await operation.restart()
    for id_tag in ("LOST", "TAG"):
        bench.station.present_id_tag(id_tag)
    assert bench.charge_point.asked == ["LOST", "LOST", "TAG"]
    task.close()


@pytest.mark.parametrize("kind", list(ResetType))
async def test_a_reset_restarts(make_bench: Any, kind: ResetType) -> None:
    bench = make_bench()
    operation = Operation(bench.station, bench.charge_point)
    assert bench.ask(bench.station.is_reset_allowed(kind)) is True
    async with trio.open_nursery() as nursery:
        nursery.start_soon(operation.run)
        await wait_all_tasks_blocked()
        await bench.station.reset(kind)
        await wait_all_tasks_blocked()
        await bench.station.reset(kind)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    reasons = [how["boot_reason"] for how in bench.charge_point.started_with]
    assert reasons == [BootReason.POWER_UP, BootReason.REMOTE_RESET, BootReason.REMOTE_RESET]
    assert bench.charge_point.is_running


async def test_a_reset_may_end_the_program(make_bench: Any) -> None:
    bench = make_bench(after_reset="exit")
    reasons: list[str] = []

    async def run(note: Callable[[str], None]) -> None:
        note(await Operation(bench.station, bench.charge_point).run())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run, reasons.append)
        await wait_all_tasks_blocked()
        await bench.station.reset(ResetType.HARD)
    assert reasons == ["Hard reset"]
    assert not bench.charge_point.is_running


def test_questions_without_consequences(make_bench: Any) -> None:
    bench = make_bench()
    assert bench.ask(bench.station.data_transfer("v", None, None)).status == "UnknownVendorId"
    assert bench.ask(bench.station.reset(ResetType.SOFT)) is None  # nobody runs it: nothing happens
    assert bench.station.measurement(0) is None
    bench.ask(bench.station.provide_token("", [1], True))
    assert bench.take() == []


def test_overruled_answers_come_once_each_and_nothing_is_done(make_bench: Any) -> None:
    bench = make_bench()
    bench.station.overrules.add("unlock_connector", "UnlockFailed", 2)
    bench.station.overrules.add("is_reset_allowed", False)
    bench.station.overrules.add("data_transfer", {"status": "Accepted", "data": "x"})
    bench.station.plug_in(1)
    bench.station.present_id_tag("TAG")
    bench.advance(1)
    bench.take()
    answers = [bench.ask(bench.station.unlock_connector(1)) for _ in range(3)]
    assert answers == ["UnlockFailed", "UnlockFailed", "Unlocked"]
    bench.advance(0)
    assert [fact[0] for fact in bench.take()] == ["transaction_stopped"]
    assert [bench.ask(bench.station.is_reset_allowed(ResetType.SOFT)) for _ in range(2)] == [False, True]
    assert bench.ask(bench.station.data_transfer("v", None, None)).data == "x"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("reserve_later", True),
        ("unlock_connector", True),
        ("unlock_connector", "Open"),
        ("is_reset_allowed", "yes"),
        ("stop_transaction", None),
        ("data_transfer", {"status": "Fine"}),
        ("data_transfer", {"status": "Accepted", "data": 1}),
        ("data_transfer", {"state": "Accepted"}),
        ("data_transfer", []),
    ],
)
def test_answers_that_fit_no_question(make_bench: Any, question: str, answer: Any) -> None:
    with pytest.raises(ValueError):
        make_bench().station.overrules.add(question, answer)


def test_every_overrulable_question_is_one_of_the_station() -> None:
    from inspect import unwrap

    from ocpp16.simulation import SimulatedStation
    from ocpp16.simulation.overrule import ANSWERS

    wrapped = {
        name
        for kind in SimulatedStation.__mro__
        for name, member in vars(kind).items()
        if callable(member) and unwrap(member) is not member
    }
    assert wrapped == set(ANSWERS)
