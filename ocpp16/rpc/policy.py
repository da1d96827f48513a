"""What may be sent now, what is admitted now, and the numbers behind waiting: tables and values, no behaviour.

Must not know: queues, frames, time. Rules of this file:
1. Who may speak is a table of lane or action against standing (OCPP 1.6 ed. 2 §4.2); anything not in a table is a bug.
2. A triggered message counts as asked for by the Central System, so it may go while Pending (OCPP 1.6 ed. 2 §5.17).
3. Whoever waits for an answer is never queued while offline: an old question has no use later.
"""

from dataclasses import dataclass
from enum import Enum, auto

from ocpp16.enums import RegistrationStatus
from ocpp16.rpc.pending import Lane

MAX_WAITING_CALLS = 16
"""CALLs that may wait for the dispatcher; further ones are answered with GenericError at once."""
MAX_WAITING_REPLIES = 64
"""Replies that may wait to be written; with more, the peer does not read, and the link closes with 1008."""


class Standing(Enum):
    """Connection and registration in one word."""

    OFFLINE = auto()
    UNANSWERED = auto()
    """Connected, and no BootNotification was answered yet."""
    PENDING = auto()
    REJECTED = auto()
    ACCEPTED = auto()


class Transmission(Enum):
    """What becomes of a request of ours."""

    SEND = auto()
    HOLD = auto()
    """Queue it until the charge point is connected and accepted."""
    DROP = auto()


class Admission(Enum):
    """What becomes of a request of the Central System."""

    PROCESS = auto()
    REJECT = auto()
    """Answer with status Rejected without asking anybody."""
    IGNORE = auto()
    """No answer at all."""


_STANDINGS = {
    None: Standing.UNANSWERED,
    RegistrationStatus.PENDING: Standing.PENDING,
    RegistrationStatus.REJECTED: Standing.REJECTED,
    RegistrationStatus.ACCEPTED: Standing.ACCEPTED,
}

_SEND, _HOLD, _DROP = Transmission.SEND, Transmission.HOLD, Transmission.DROP

# (lane, triggered, may wait in the queue) → one column per standing, in the order of Standing
#                                 OFFLINE  UNANSWERED  PENDING  REJECTED  ACCEPTED
_TRANSMISSION: dict[tuple[Lane, bool, bool], tuple[Transmission, ...]] = {
    (Lane.BOOT, False, True): (_HOLD, _SEND, _SEND, _SEND, _SEND),
    (Lane.BOOT, True, True): (_HOLD, _SEND, _SEND, _SEND, _SEND),
    (Lane.TRANSACTION, False, True): (_HOLD, _HOLD, _HOLD, _HOLD, _SEND),
    (Lane.TRANSACTION, True, True): (_HOLD, _HOLD, _SEND, _HOLD, _SEND),
    (Lane.NORMAL, False, True): (_HOLD, _HOLD, _HOLD, _HOLD, _SEND),
    (Lane.NORMAL, True, True): (_HOLD, _HOLD, _SEND, _HOLD, _SEND),
    (Lane.NORMAL, False, False): (_DROP, _DROP, _DROP, _DROP, _SEND),
    (Lane.NORMAL, True, False): (_DROP, _DROP, _SEND, _DROP, _SEND),
}

_ADMISSION: dict[RegistrationStatus | None, Admission] = {
    None: Admission.IGNORE,
    RegistrationStatus.PENDING: Admission.PROCESS,
    RegistrationStatus.REJECTED: Admission.IGNORE,
    RegistrationStatus.ACCEPTED: Admission.PROCESS,
}
_NOT_WHILE_PENDING = frozenset({"RemoteStartTransaction", "RemoteStopTransaction"})


def standing(registration: RegistrationStatus | None, *, is_connected: bool) -> Standing:
    """Offline beats whatever was answered before."""
    return _STANDINGS[registration] if is_connected else Standing.OFFLINE


def transmission(lane: Lane, where: Standing, *, is_triggered: bool = False, may_queue: bool = False) -> Transmission:
    """Whether a request of ours goes now, waits, or is not sent at all (OCPP 1.6 ed. 2 §4.2).

    Parameters: `may_queue` is asked of the normal lane only, see `OutboxLimits.may_queue`; the other two always queue.
    """
    queues = may_queue or lane is not Lane.NORMAL
    return _TRANSMISSION[lane, is_triggered, queues][where.value - 1]


def admission(registration: RegistrationStatus | None, action: str) -> Admission:
    """Whether a CALL of the Central System is handled (OCPP 1.6 ed. 2 §4.2.1).

    Frames that cannot be read and actions that are not supported are answered in every phase; ask this after them.
    """
    if registration is RegistrationStatus.PENDING and action in _NOT_WHILE_PENDING:
        return Admission.REJECT
    return _ADMISSION[registration]


@dataclass(slots=True)
class RetryRules:
    """How long to wait and how often to try; changed at run time when the configuration is.

    attempts: transmissions of a transaction-related message that may be refused before it is given up
    (TransactionMessageAttempts; 0 is taken as 1). interval: seconds, times the number of the attempt
    (TransactionMessageRetryInterval). boot_retry: seconds to the next BootNotification after one that failed.
    response_timeout: seconds a CALL stays open, unless its entry has its own. keep_id: send again under the same
    message id, for a Central System that finds repeats by it.
    """

    attempts: int = 3
    interval: float = 60.0
    boot_retry: float = 60.0
    response_timeout: float = 30.0
    keep_id: bool = False


@dataclass(frozen=True, slots=True)
class OutboxLimits:
    """What may wait in the outbox, and how much.

    threshold: messages of both queues together (MessageQueueSizeThreshold), None is no limit. byte_limit: bytes of the
    stored messages (MessageQueueByteLimit), 0 is no limit. replay_rate: most messages per second of those that waited
    for a connection (MessageReplayRate), 0 is no limit. queue_all: messages that are not about transactions are queued
    too (QueueAllMessages), but for the actions in `discard` (MessageTypesDiscardForQueueing).
    """

    threshold: int | None = None
    byte_limit: int = 268_435_456
    replay_rate: float = 0.0
    queue_all: bool = False
    discard: frozenset[str] = frozenset()

    def may_queue(self, action: str) -> bool:
        """Whether a normal message of this action waits for a connection when nobody waits for its answer."""
        return self.queue_all and action not in self.discard
