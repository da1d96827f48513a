"""ChangeAvailability: what becomes of it on which connector, and the answer."""

import pytest

from ocpp16._core.by_number import ByNumber
from ocpp16.enums import AvailabilityStatus, AvailabilityType, ChargePointErrorCode, ChargePointStatus
from ocpp16.models import ErrorInfo
from ocpp16.state.availability import CHANGES, AvailabilityChange, availability_change, availability_status
from ocpp16.state.connector import Connector, initial_status

S = ChargePointStatus
IN, OUT = AvailabilityType.OPERATIVE, AvailabilityType.INOPERATIVE
NOW, SCHEDULED, UNCHANGED = AvailabilityChange.NOW, AvailabilityChange.SCHEDULED, AvailabilityChange.UNCHANGED


@pytest.mark.parametrize("status", list(S))
@pytest.mark.parametrize("has_transaction", [False, True])
@pytest.mark.parametrize("availability", [IN, OUT])
@pytest.mark.parametrize("kind", [IN, OUT])
def test_one_connector(
    status: ChargePointStatus, has_transaction: bool, availability: AvailabilityType, kind: AvailabilityType
) -> None:
    connectors = ByNumber({0: Connector(0), 1: Connector(1, status, availability)})
    changes = availability_change(connectors, 1, kind, lambda _: has_transaction)
    if has_transaction or status is S.PREPARING:
        assert changes == {1: UNCHANGED if kind is availability else SCHEDULED}
    else:
        assert changes == {1: NOW}


def test_preparing_under_a_fault_waits_too() -> None:
    connector = Connector(1, S.PREPARING)
    connector.raise_error(ErrorInfo(ChargePointErrorCode.GROUND_FAILURE, is_fault=True), 1)
    assert availability_change(ByNumber({0: Connector(0), 1: connector}), 1, OUT, lambda _: False) == {1: SCHEDULED}


def test_connector_zero_means_all_and_itself_at_once() -> None:
    connectors = ByNumber(
        {0: Connector(0), 1: Connector(1, S.CHARGING), 2: Connector(2), 3: Connector(3, S.UNAVAILABLE, OUT)}
    )
    changes = availability_change(connectors, 0, OUT, lambda connector_id: connector_id == 1)
    assert changes == {0: NOW, 1: SCHEDULED, 2: NOW, 3: NOW}
    assert list(changes) == [0, 1, 2, 3]
    changes = availability_change(connectors, 0, IN, lambda connector_id: connector_id == 1)
    assert changes == {0: NOW, 1: UNCHANGED, 2: NOW, 3: NOW}


def test_connector_zero_never_waits() -> None:
    assert availability_change(ByNumber({0: Connector(0)}), 0, OUT, lambda _: True) == {0: NOW}


@pytest.mark.parametrize("target", [-1, 2, 99])
def test_an_unknown_connector(target: int) -> None:
    connectors = ByNumber({0: Connector(0), 1: Connector(1)})
    assert availability_change(connectors, target, OUT, lambda _: False) == {}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, AvailabilityStatus.REJECTED),
        ({1: NOW}, AvailabilityStatus.ACCEPTED),
        ({1: UNCHANGED}, AvailabilityStatus.ACCEPTED),
        ({1: SCHEDULED}, AvailabilityStatus.SCHEDULED),
        ({0: NOW, 1: NOW, 2: UNCHANGED}, AvailabilityStatus.ACCEPTED),
        ({0: NOW, 1: SCHEDULED, 2: NOW}, AvailabilityStatus.SCHEDULED),
    ],
)
def test_the_answer(changes: dict[int, AvailabilityChange], status: AvailabilityStatus) -> None:
    assert availability_status(changes) is status


def test_the_table_is_complete() -> None:
    assert set(CHANGES) == {(occupied, already) for occupied in (False, True) for already in (False, True)}
    assert set(CHANGES.values()) == set(AvailabilityChange)


def test_initial_status() -> None:
    assert (initial_status(IN), initial_status(OUT)) == (S.AVAILABLE, S.UNAVAILABLE)
