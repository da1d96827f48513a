"""How far an update of the firmware is: a table of what the station tells, and nothing else.

Rules of this file:
1. An update goes forward only: what is told of an earlier step than the present one does not fit (`step_after`). Steps
   may be left out. The end fits at any time before it.
2. The connectors are needed no more from CLEARING on: where the signature was verified (signed), or the firmware is
   there (unsigned, OCPP 1.6 ed. 2 §6.19). They come back at the end, whatever it is.
3. An unsigned update is told in the words of OCPP 1.6 (§7.25), which has fewer: a status without one of its own is not
   told, but an end always is, for the Central System would wait for it.
"""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import NamedTuple

from ocpp16.enums import FirmwareStatus
from ocpp16.enums import FirmwareStatusEnumType as Status


class Step(IntEnum):
    """Where an update is; the numbers are their order, and what the store holds."""

    SCHEDULED = 0
    """Accepted; its retrieveDate is to come."""
    DOWNLOADING = 1
    """The station was told to begin."""
    VERIFYING = 2
    """The firmware is there, and its signature not verified yet."""
    WAITING = 3
    """All is there; its installDateTime is to come."""
    CLEARING = 4
    """The connectors are put out of service, those with a transaction when it ends."""
    CLEARED = 5
    """None is in service: the station was told so, once."""
    INSTALLING = 6
    OVER = 7


class Told(NamedTuple):
    """What a status of the station means."""

    unsigned: Step | None
    """The step of an unsigned update after it; None: the one before."""
    signed: Step | None
    core: FirmwareStatus | None
    """As an unsigned update tells it to the Central System; None: not at all."""
    latest: Step = Step.INSTALLING
    """The last step in which it fits."""


TABLE: Mapping[Status, Told] = MappingProxyType(
    {
        Status.DOWNLOAD_SCHEDULED: Told(None, None, None, Step.DOWNLOADING),
        Status.DOWNLOADING: Told(Step.DOWNLOADING, Step.DOWNLOADING, FirmwareStatus.DOWNLOADING),
        Status.DOWNLOAD_PAUSED: Told(Step.DOWNLOADING, Step.DOWNLOADING, None),
        Status.DOWNLOADED: Told(Step.CLEARING, Step.VERIFYING, FirmwareStatus.DOWNLOADED),
        Status.SIGNATURE_VERIFIED: Told(None, Step.CLEARING, None),
        Status.INSTALL_SCHEDULED: Told(None, None, None, Step.CLEARED),
        Status.INSTALLING: Told(Step.INSTALLING, Step.INSTALLING, FirmwareStatus.INSTALLING),
        Status.INSTALL_REBOOTING: Told(Step.INSTALLING, Step.INSTALLING, None),
        Status.INSTALLED: Told(Step.OVER, Step.OVER, FirmwareStatus.INSTALLED),
        Status.DOWNLOAD_FAILED: Told(Step.OVER, Step.OVER, FirmwareStatus.DOWNLOAD_FAILED),
        Status.INVALID_SIGNATURE: Told(Step.OVER, Step.OVER, FirmwareStatus.INSTALLATION_FAILED),
        Status.INSTALL_VERIFICATION_FAILED: Told(Step.OVER, Step.OVER, FirmwareStatus.INSTALLATION_FAILED),
        Status.INSTALLATION_FAILED: Told(Step.OVER, Step.OVER, FirmwareStatus.INSTALLATION_FAILED),
    }
)
"""Idle is nothing that a station tells: it is what there is to say without an update."""


def step_after(step: Step, status: Status, *, is_signed: bool) -> Step | None:
    """Where an update is after `status`; None: that does not fit where it is."""
    told = TABLE.get(status)
    if told is None or step > told.latest:
        return None
    target = told.signed if is_signed else told.unsigned
    if target is None:
        return step
    if target is Step.CLEARING and step is Step.WAITING:  # verified a second time, after InstallScheduled
        return None
    if target is Step.CLEARING and step is Step.CLEARED:  # told once more
        return step
    return target if target >= step else None


def wire_status(status: Status, *, is_signed: bool) -> str | None:
    """As the Central System is told it; None: not at all."""
    if is_signed or status is Status.IDLE:
        return str(status)
    core = TABLE[status].core
    return None if core is None else str(core)


def failure_at(step: Step) -> Status:
    """How an update fails that the station cannot go on with."""
    return Status.DOWNLOAD_FAILED if step < Step.VERIFYING else Status.INSTALLATION_FAILED


HOLDS_CONNECTORS = frozenset({Step.CLEARING, Step.CLEARED, Step.INSTALLING})
"""No connector is to be in service."""
