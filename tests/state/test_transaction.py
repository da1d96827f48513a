"""The transactions of a charge point, found by key, connector and the Central System's id."""

from fractions import Fraction
from sys import float_info

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp16.state.transaction import Transaction, TransactionPhase, Transactions, watt_hours


def transaction(key: int, connector_id: int = 1, transaction_id: int | None = None) -> Transaction:
    return Transaction(key, connector_id, f"session-{key}", "TAG", 1_000_000, 100, transaction_id=transaction_id)


@pytest.fixture
def transactions() -> Transactions:
    return Transactions()


def test_nothing_runs_at_first(transactions: Transactions) -> None:
    assert len(transactions) == 0
    assert transactions.next_key == 1
    assert transactions.running(1) is None
    assert transactions.all_running() == ()
    assert transactions.by_key(1) is None
    assert transactions.running_with_id(0) is None


def test_a_running_one_is_found_by_all_its_names(transactions: Transactions) -> None:
    one, two = transaction(1), transaction(2, connector_id=2, transaction_id=77)
    transactions.add(one)
    transactions.add(two)
    assert list(transactions) == [one, two]
    assert transactions.running(1) is one
    assert transactions.by_key(2) is two
    assert transactions.running_with_id(77) is two
    assert transactions.all_running() == (one, two)
    one.transaction_id = 0
    assert transactions.running_with_id(0) is one


def test_a_connector_runs_one_at_a_time(transactions: Transactions) -> None:
    transactions.add(transaction(1))
    with pytest.raises(ValueError, match="connector 1"):
        transactions.add(transaction(2))
    assert transactions.by_key(2) is None
    assert transactions.next_key == 2


def test_a_stopped_one_frees_its_connector_and_waits_for_its_answer(transactions: Transactions) -> None:
    first, second = transaction(1, transaction_id=7), transaction(2)
    transactions.add(first)
    transactions.stop(first)
    transactions.add(second)
    assert (first.phase, first.is_running) == (TransactionPhase.STOPPED, False)
    assert transactions.running(1) is second
    assert transactions.running_with_id(7) is None
    assert transactions.by_key(1) is first
    with pytest.raises(ValueError, match="transaction 1 does not run"):
        transactions.stop(first)
    assert transactions.running(1) is second
    transactions.close(first)
    assert (first.phase, first.is_running) == (TransactionPhase.CLOSED, False)
    assert list(transactions) == [second]


def test_a_restored_stopped_one_does_not_hold_its_connector(transactions: Transactions) -> None:
    stopped = transaction(4)
    stopped.phase = TransactionPhase.STOPPED
    transactions.add(stopped)
    running = transaction(5)
    transactions.add(running)
    assert transactions.running(1) is running
    assert len(transactions) == 2


def test_keys_are_never_given_twice(transactions: Transactions) -> None:
    transactions.add(transaction(9))
    transactions.add(transaction(3, connector_id=2))
    assert transactions.next_key == 10
    ended = transactions.by_key(9)
    assert ended is not None
    transactions.stop(ended)
    transactions.close(ended)
    assert transactions.next_key == 10


def test_the_id_of_a_stopped_one_may_recur(transactions: Transactions) -> None:
    old, new = transaction(1, transaction_id=5), transaction(2, connector_id=2, transaction_id=5)
    transactions.add(old)
    transactions.stop(old)
    transactions.add(new)
    assert transactions.running_with_id(5) is new


def test_transactions_are_told_apart_by_identity() -> None:
    assert transaction(1) != transaction(1)


# Registers


@pytest.mark.parametrize(
    ("energy", "told"),
    [
        (1625.0000000000002, 1625),
        (1626.5, 1627),
        (1627.5, 1628),
        (1626.4999999, 1626),
        (0.49999999999999994, 0),
        (-0.5, 0),
        (-1.5, -1),
        (16_777_217.0, 16_777_217),  # a 32-bit float has no such number
        (2_147_483_647.4, 2_147_483_647),
        (-2_147_483_648.5, -2_147_483_648),
    ],
)
def test_registers_are_told_in_the_nearest_watt_hour(energy: float, told: int) -> None:
    assert watt_hours(energy) == told


@given(energy=st.floats(-float_info.max, float_info.max) | st.floats(-3e9, 3e9) | st.integers(-(2**70), 2**70))
def test_a_register_is_off_by_half_a_watt_hour_at_most(energy: float) -> None:
    if not -(2**31) <= Fraction(energy) + Fraction(1, 2) < 2**31:  # nothing is cut
        with pytest.raises(ValueError, match=r"^meter_stop must fit into 32 bits, not "):
            watt_hours(energy, "meter_stop")
        return
    told = watt_hours(energy)
    assert type(told) is int
    assert Fraction(-1, 2) < Fraction(told) - Fraction(energy) <= Fraction(1, 2)


@pytest.mark.parametrize("energy", [float("nan"), float("inf"), -float("inf"), 10**400, True, "1000", None, [1000]])
def test_what_is_no_register_is_refused_by_its_name(energy: float) -> None:
    with pytest.raises(ValueError, match=r"^meter_start must be a finite number, not "):
        watt_hours(energy, "meter_start")


@given(first=st.floats(-(2.0**31), 2.0**31 - 1e6 - 1), more=st.floats(0, 1e6))
def test_a_register_that_grows_never_seems_to_fall(first: float, more: float) -> None:
    assert watt_hours(first) <= watt_hours(first + more)
