"""The status tables, cell by cell."""

from itertools import product

import pytest

from ocpp16.enums import AvailabilityType, ChargePointErrorCode, ChargePointStatus
from ocpp16.models import ErrorInfo
from ocpp16.state.connector import Connector
from ocpp16.state.connector_table import TRANSITIONS, TRANSITIONS_ZERO, ConnectorEvent, Table

# The matrix of the specification as far as events lead there, written a second time and another way: A Available,
# P Preparing, C Charging, V SuspendedEV, S SuspendedEVSE, F Finishing, R Reserved, U Unavailable, - ignored.
COLUMNS = (
    ConnectorEvent.USAGE_INITIATED,
    ConnectorEvent.START_CHARGING,
    ConnectorEvent.PAUSE_CHARGING_EV,
    ConnectorEvent.PAUSE_CHARGING_EVSE,
    ConnectorEvent.TRANSACTION_STOPPED,
    ConnectorEvent.BECOME_AVAILABLE,
    ConnectorEvent.RESERVE_CONNECTOR,
    ConnectorEvent.RESERVATION_END,
    ConnectorEvent.CHANGE_AVAILABILITY_TO_UNAVAILABLE,
)
EXPECTED = {
    ChargePointStatus.AVAILABLE: "PCVS--R-U",
    ChargePointStatus.PREPARING: "-CVSFA---",
    ChargePointStatus.CHARGING: "--VSFA--U",
    ChargePointStatus.SUSPENDED_EV: "-C-SFA--U",
    ChargePointStatus.SUSPENDED_EVSE: "-CV-FA--U",
    ChargePointStatus.FINISHING: "P----A--U",
    ChargePointStatus.RESERVED: "P----A-AU",
    ChargePointStatus.UNAVAILABLE: "PCVS-A---",
}
EXPECTED_ZERO = {ChargePointStatus.AVAILABLE: "--------U", ChargePointStatus.UNAVAILABLE: "-----A---"}
LETTERS = {
    "A": ChargePointStatus.AVAILABLE,
    "P": ChargePointStatus.PREPARING,
    "C": ChargePointStatus.CHARGING,
    "V": ChargePointStatus.SUSPENDED_EV,
    "S": ChargePointStatus.SUSPENDED_EVSE,
    "F": ChargePointStatus.FINISHING,
    "R": ChargePointStatus.RESERVED,
    "U": ChargePointStatus.UNAVAILABLE,
}
CELLS = [
    pytest.param(connector_id, state, event, LETTERS.get(row[index]), id=f"{connector_id}-{state}-{event}")
    for connector_id, matrix in ((1, EXPECTED), (0, EXPECTED_ZERO))
    for state, row in matrix.items()
    for index, event in enumerate(COLUMNS)
]


@pytest.mark.parametrize(("connector_id", "state", "event", "target"), CELLS)
def test_every_cell(
    connector_id: int, state: ChargePointStatus, event: ConnectorEvent, target: ChargePointStatus | None
) -> None:
    connector = Connector(connector_id, state)
    notification = connector.submit(event, 5, "why")
    if target is None:
        assert notification is None
        assert connector.status is state
    else:
        assert connector.status is connector.base is target
        no_error = ChargePointErrorCode.NO_ERROR
        assert notification == (connector_id, target, no_error, "why", None, None, 5, True)


@pytest.mark.parametrize(("connector_id", "state", "event", "target"), CELLS)
def test_every_cell_under_a_fault(
    connector_id: int, state: ChargePointStatus, event: ConnectorEvent, target: ChargePointStatus | None
) -> None:
    connector = Connector(connector_id, state)
    connector.raise_error(ErrorInfo(ChargePointErrorCode.GROUND_FAILURE, is_fault=True, uuid="fault"), 1)
    assert connector.submit(event, 5, "why") is None
    assert connector.status is ChargePointStatus.FAULTED
    cleared = connector.clear_error("fault", 9)
    assert cleared is not None
    assert cleared.status is connector.base is (target or state)


def test_the_matrix_above_knows_all_states_and_events() -> None:
    assert set(COLUMNS) == set(ConnectorEvent)
    assert set(EXPECTED) == set(ChargePointStatus) - {ChargePointStatus.FAULTED}


@pytest.mark.parametrize("table", [TRANSITIONS, TRANSITIONS_ZERO])
def test_no_edge_leads_to_itself_or_out_of_the_table(table: Table) -> None:
    for state, row in table.items():
        assert state not in row.values()
        assert set(row.values()) <= set(table)


@pytest.mark.parametrize(("status", "connector_id"), list(product(ChargePointStatus, (0, 1))))
def test_initial_status(status: ChargePointStatus, connector_id: int) -> None:
    allowed = {ChargePointStatus.AVAILABLE, ChargePointStatus.UNAVAILABLE, ChargePointStatus.FAULTED}
    if connector_id == 0 and status not in allowed:
        with pytest.raises(ValueError, match="connector 0"):
            Connector(0, status)
    else:
        assert Connector(connector_id, status).status is status


@pytest.mark.parametrize(
    ("availability", "base"),
    [
        (AvailabilityType.OPERATIVE, ChargePointStatus.AVAILABLE),
        (AvailabilityType.INOPERATIVE, ChargePointStatus.UNAVAILABLE),
    ],
)
def test_what_is_under_an_initial_fault(availability: AvailabilityType, base: ChargePointStatus) -> None:
    connector = Connector(2, ChargePointStatus.FAULTED, availability)
    cleared = connector.clear_all_errors(1)
    assert cleared is not None
    assert cleared.status is base
