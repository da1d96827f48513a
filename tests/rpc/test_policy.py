"""The tables of who may speak, written down once more from docs/charge-point.md and OCPP 1.6 ed. 2 §4.2."""

from typing import Any

import pytest

from ocpp16.enums import RegistrationStatus
from ocpp16.rpc.pending import Lane
from ocpp16.rpc.policy import (
    Admission,
    OutboxLimits,
    Standing,
    Transmission,
    admission,
    standing,
    topic_of,
    transmission,
)

ACCEPTED, PENDING, REJECTED = RegistrationStatus.ACCEPTED, RegistrationStatus.PENDING, RegistrationStatus.REJECTED

# offline, unanswered, pending, rejected, accepted; s = send, h = hold, d = drop
TRANSMISSION = [
    (Lane.BOOT, False, False, "hssss"),
    (Lane.BOOT, True, False, "hssss"),
    (Lane.TRANSACTION, False, False, "hhhhs"),
    (Lane.TRANSACTION, True, False, "hhshs"),
    (Lane.NORMAL, False, False, "dddds"),
    (Lane.NORMAL, True, False, "dhsds"),
    (Lane.NORMAL, False, True, "hhhhs"),
    (Lane.NORMAL, True, True, "hhshs"),
]


@pytest.mark.parametrize(("lane", "triggered", "may_queue", "row"), TRANSMISSION)
def test_transmission(lane: Lane, triggered: bool, may_queue: bool, row: str) -> None:
    expected = {"s": Transmission.SEND, "h": Transmission.HOLD, "d": Transmission.DROP}
    given = [transmission(lane, where, is_triggered=triggered, may_queue=may_queue) for where in Standing]
    assert given == [expected[letter] for letter in row]


@pytest.mark.parametrize(
    ("registration", "connected", "expected"),
    [
        (None, True, Standing.UNANSWERED),
        (PENDING, True, Standing.PENDING),
        (REJECTED, True, Standing.REJECTED),
        (ACCEPTED, True, Standing.ACCEPTED),
        (None, False, Standing.OFFLINE),
        (ACCEPTED, False, Standing.OFFLINE),
    ],
)
def test_standing(registration: RegistrationStatus | None, connected: bool, expected: Standing) -> None:
    assert standing(registration, is_connected=connected) is expected


@pytest.mark.parametrize(
    ("registration", "action", "expected"),
    [
        (None, "GetConfiguration", Admission.PROCESS),
        (None, "RemoteStartTransaction", Admission.REJECT),
        (None, "RemoteStopTransaction", Admission.REJECT),
        (PENDING, "GetConfiguration", Admission.PROCESS),
        (PENDING, "TriggerMessage", Admission.PROCESS),
        (PENDING, "RemoteStartTransaction", Admission.REJECT),
        (PENDING, "RemoteStopTransaction", Admission.REJECT),
        (ACCEPTED, "RemoteStartTransaction", Admission.PROCESS),
        (ACCEPTED, "RemoteStopTransaction", Admission.PROCESS),
        (ACCEPTED, "Reset", Admission.PROCESS),
    ],
)
def test_admission(registration: RegistrationStatus | None, action: str, expected: Admission) -> None:
    assert admission(registration, action) is expected


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (OutboxLimits(), False),
        (OutboxLimits(queue_all=True), True),
        (OutboxLimits(queue_all=True, discard=frozenset({"Heartbeat"})), False),
        (OutboxLimits(discard=frozenset({"Heartbeat"})), False),
    ],
)
def test_which_actions_may_queue(limits: OutboxLimits, expected: bool) -> None:
    assert limits.may_queue("Heartbeat") is expected


@pytest.mark.parametrize(
    ("action", "payload", "is_triggered", "expected"),
    [
        ("StatusNotification", {"connectorId": 2}, False, ("StatusNotification", 2)),
        ("StatusNotification", {"connectorId": 2}, True, ("StatusNotification", 2)),
        ("Heartbeat", {}, False, "Heartbeat"),
        ("MeterValues", {"connectorId": 1}, False, None),
        ("MeterValues", {"connectorId": 1}, True, ("MeterValues", 1)),
        ("FirmwareStatusNotification", {"status": "Idle"}, False, None),
        ("FirmwareStatusNotification", {"status": "Idle"}, True, ("FirmwareStatusNotification", None)),
        ("DataTransfer", {"vendorId": "v"}, False, None),
    ],
)
def test_what_a_newer_message_tells_better(
    action: str, payload: dict[str, Any], is_triggered: bool, expected: object
) -> None:
    assert topic_of(action, payload, is_triggered=is_triggered) == expected
