"""What the answers to BootNotification mean (OCPP 1.6 ed. 2 §4.2, §6.4).

Rules of this file:
1. Accepted with an interval: that is the heartbeat interval, to be written to HeartbeatInterval. With 0 the configured
   one stays. Pending and Rejected never touch it (libocpp writes it in every status).
2. Pending and Rejected: BootNotification is repeated after the interval, with 0 after `BOOT_RETRY` seconds; never later
   than after `LONGEST_BOOT_RETRY`.
3. Every answer counts, also that to a BootNotification which was only triggered: an accepted charge point can become
   pending again.
4. The registration ends with the charge point, not with the connection.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from ocpp16.enums import RegistrationStatus

BOOT_RETRY = 60.0
"""Seconds until the next BootNotification when the Central System leaves it to us."""
LONGEST_BOOT_RETRY = 86_400.0
"""Seconds; a longer interval is cut to this: a slip of the Central System must not keep a station out for years."""

_S = RegistrationStatus


class Plan(NamedTuple):
    """What follows from an answer: at most one of the two is a number."""

    boot_retry: float | None
    """Seconds until BootNotification is sent again; None: not at all."""
    heartbeat: int | None
    """New HeartbeatInterval in seconds; None: leave the configured one."""


class _Row(NamedTuple):
    retries: bool
    uses_interval: bool


ROWS: Mapping[tuple[RegistrationStatus, bool], _Row] = MappingProxyType(
    {
        (_S.ACCEPTED, True): _Row(retries=False, uses_interval=True),
        (_S.ACCEPTED, False): _Row(retries=False, uses_interval=False),
        (_S.PENDING, True): _Row(retries=True, uses_interval=True),
        (_S.PENDING, False): _Row(retries=True, uses_interval=False),
        (_S.REJECTED, True): _Row(retries=True, uses_interval=True),
        (_S.REJECTED, False): _Row(retries=True, uses_interval=False),
    }
)
"""(status, is the interval positive) → is BootNotification repeated, and is the interval used."""


class Registration:
    """How the Central System sees this charge point; `status` is None until it has answered once."""

    __slots__ = ("interval", "status")

    def __init__(self) -> None:
        self.status: RegistrationStatus | None = None
        self.interval: int = 0
        """Seconds, as last answered."""

    @property
    def is_accepted(self) -> bool:
        return self.status == RegistrationStatus.ACCEPTED

    def answered(self, status: RegistrationStatus, interval: int) -> Plan:
        """BootNotification was answered; `interval` is in seconds, a negative one counts as 0."""
        self.status = status
        self.interval = max(0, interval)
        row = ROWS[status, interval > 0]
        if row.retries:
            return Plan(float(min(interval, LONGEST_BOOT_RETRY)) if row.uses_interval else BOOT_RETRY, None)
        return Plan(None, interval if row.uses_interval else None)
