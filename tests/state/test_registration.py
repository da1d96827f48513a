"""What follows from the answer to BootNotification."""

from itertools import product

import pytest

from ocpp16.enums import RegistrationStatus
from ocpp16.state.registration import BOOT_RETRY, ROWS, Plan, Registration

S = RegistrationStatus


@pytest.mark.parametrize(
    ("status", "interval", "plan"),
    [
        (S.ACCEPTED, 300, Plan(boot_retry=None, heartbeat=300)),
        (S.ACCEPTED, 0, Plan(boot_retry=None, heartbeat=None)),
        (S.ACCEPTED, -1, Plan(boot_retry=None, heartbeat=None)),
        (S.PENDING, 10, Plan(boot_retry=10.0, heartbeat=None)),
        (S.PENDING, 0, Plan(boot_retry=BOOT_RETRY, heartbeat=None)),
        (S.PENDING, -1, Plan(boot_retry=BOOT_RETRY, heartbeat=None)),
        (S.REJECTED, 86400, Plan(boot_retry=86400.0, heartbeat=None)),
        (S.REJECTED, 0, Plan(boot_retry=BOOT_RETRY, heartbeat=None)),
        (S.PENDING, 2**31 - 1, Plan(boot_retry=86400.0, heartbeat=None)),
    ],
)
def test_answers(status: RegistrationStatus, interval: int, plan: Plan) -> None:
    registration = Registration()
    assert registration.answered(status, interval) == plan
    assert registration.status is status
    assert registration.interval == max(0, interval)
    assert registration.is_accepted == (status is S.ACCEPTED)


def test_before_the_first_answer() -> None:
    registration = Registration()
    assert registration.status is None
    assert not registration.is_accepted


def test_an_accepted_charge_point_can_become_pending_again() -> None:
    registration = Registration()
    registration.answered(S.ACCEPTED, 300)
    registration.answered(S.PENDING, 5)
    assert not registration.is_accepted


def test_the_table_is_complete() -> None:
    assert set(ROWS) == set(product(S, (False, True)))
