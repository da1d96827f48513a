"""What may be sent now, what is admitted now, and the numbers behind waiting: tables and values, no behaviour.

Must not know: queues, frames, time. Rules of this file:
1. Who may speak is a table of lane or action against standing (OCPP 1.6 ed. 2 §4.2); anything not in a table is a bug.
2. A triggered message counts as asked for by the Central System, so it may go while Pending (OCPP 1.6 ed. 2 §5.17).
3. Whoever waits for an answer is never queued while offline: an old question has no use later.
4. Before its first answer to BootNotification a Central System is served as while Pending: it asked, so it listens.
   What it triggers goes once BootNotification is answered.
   While Rejected it is not answered at all ("SHALL NOT respond", OCPP 1.6 ed. 2 §4.2).
5. Whatever somebody else can make grow has an end here.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum, IntEnum, auto
from typing import Any

from ocpp16.enums import RegistrationStatus
from ocpp16.rpc.pending import Lane

MAX_WAITING_CALLS = 1024
"""CALLs that may be in work at once; further ones are answered with GenericError."""
MAX_WAITING_CALL_BYTES = 4 * 1024 * 1024
"""Characters of the frames of these CALLs, together; a single CALL is taken whatever its length."""
MAX_WAITING_REPLIES = 4 * MAX_WAITING_CALLS
"""Replies that may wait for the store, or for a peer to read; with more the link closes with 1008."""
MAX_UNSENT = 256 * 1024
"""Bytes that the kernel has not taken; with more, further frames wait in their lanes, where they cost less."""
LONGEST_DESCRIPTION = 255
"""Characters of an errorDescription of ours: OCPP 1.6 sets no limit, later versions do."""
MAX_SILENCES = 5
"""Transmissions left unanswered after which a message is set aside, whatever TransactionMessageAttempts says."""
KNOWN_TO_FEW = frozenset({"SecurityEventNotification"})
"""Stored requests of ours that a Central System without the security white paper does not know."""
LONGEST_HOLD = 300.0
"""Seconds that a message which was not answered may hold up its lane between two transmissions."""
MAX_INTERRUPTIONS = 3
"""Connections that end one after the other while a message is open, after which it is taken for the cause: one of a
transaction is set aside, the topic of another is held back."""
FIRST_INTERRUPTION_HOLD = 60.0
"""Seconds for which such a topic is held back at first; they double up to LONGEST_HOLD."""
LONGEST_TRY_INTERVAL = 3600.0
"""Seconds between two tries of a message set aside, at most, but for one that was refused: that has its own wait."""
LONGEST_REFUSED_HOLD = 86_400.0
"""Seconds from a refusal to the next transmission at most, whatever TransactionMessageRetryInterval says."""
SHORTEST_REFUSED_HOLD = 1.0
"""Seconds from the second refusal to the next transmission at least."""
BOOT_INTERVAL = 60.0
"""Seconds from one BootNotification that a SecurityError made necessary to the next such; it doubles up to an hour."""


class Standing(IntEnum):
    """Connection and registration in one word; the number is a column of the table below."""

    OFFLINE = 0
    UNANSWERED = 1
    """Connected, and no BootNotification was answered yet."""
    PENDING = 2
    REJECTED = 3
    ACCEPTED = 4


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


# A member of an enumeration is found, and hashed, by way of Python code; these are asked for at every message.
_NORMAL = Lane.NORMAL
_OFFLINE = Standing.OFFLINE
_ACCEPTED = RegistrationStatus.ACCEPTED
_STANDINGS = (
    (RegistrationStatus.ACCEPTED, Standing.ACCEPTED),
    (None, Standing.UNANSWERED),
    (RegistrationStatus.PENDING, Standing.PENDING),
    (RegistrationStatus.REJECTED, Standing.REJECTED),
)

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
    (Lane.NORMAL, True, False): (_DROP, _HOLD, _SEND, _DROP, _SEND),
}

_ONCE_ACCEPTED = frozenset({"RemoteStartTransaction", "RemoteStopTransaction"})


def standing(registration: RegistrationStatus | None, *, is_connected: bool) -> Standing:
    """Offline beats whatever was answered before."""
    if not is_connected:
        return _OFFLINE
    for status, where in _STANDINGS:
        if status is registration:
            return where
    raise ValueError(f"{registration!r} is no registration")


def transmission(lane: Lane, where: Standing, *, is_triggered: bool = False, may_queue: bool = False) -> Transmission:
    """Whether a request of ours goes now, waits, or is not sent at all (OCPP 1.6 ed. 2 §4.2).

    Parameters: `may_queue` is asked of the normal lane only, see `OutboxLimits.may_queue`; the other two always queue.
    """
    queues = may_queue or lane is not _NORMAL
    return _TRANSMISSION[lane, is_triggered, queues][where]


def admission(registration: RegistrationStatus | None, action: str) -> Admission:
    """Whether a CALL that the session handed out is handled (OCPP 1.6 ed. 2 §4.2.1).

    Actions that are not supported are answered so in every phase; ask this after them.
    """
    if registration is not _ACCEPTED and action in _ONCE_ACCEPTED:
        return Admission.REJECT
    return Admission.PROCESS


_TOLD_BY_CONNECTOR = frozenset({"StatusNotification"})
_TOLD_ONCE = frozenset({"Heartbeat"})

HISTORY_FOR = 1.0
"""Seconds a request of ours may stay open before a newer status takes the place of one that waits behind it. A Central
System that answers is told every change; one that does not gets the present when it can be told again."""

MOST_HISTORY = 64
"""Messages of the normal lane that may wait before a newer status takes the place of one that waits, in any case: a
connector that flaps a thousand times in a second has no history that anybody could read.
"""


def has_history(open_for: float, waiting: int) -> bool:
    """Is every change told, while a request has been open so many seconds and so many messages wait?"""
    return open_for < HISTORY_FOR and waiting < MOST_HISTORY


def topic_of(action: str, payload: dict[str, Any], *, is_triggered: bool) -> Hashable:
    """What a message of the normal lane is about, if a newer one tells it better; else None.

    The status of a connector is one topic, and so is a Heartbeat; whatever was triggered tells the present.
    """
    if action in _TOLD_BY_CONNECTOR or is_triggered:
        return (action, payload.get("connectorId"))
    return action if action in _TOLD_ONCE else None


@dataclass(frozen=True, slots=True)
class RetryRules:
    """How long to wait and how often to try; others are given at run time when the configuration changes.

    attempts: transmissions of a transaction-related message that may be refused before it is given up, and that may be
    left unanswered before it is set aside (TransactionMessageAttempts; 0 is taken as 1). interval: seconds, times the
    number of the attempt (TransactionMessageRetryInterval). boot_retry: seconds to the next BootNotification after one
    that failed. response_timeout: seconds a CALL stays open, unless its entry has its own.
    """

    attempts: int = 3
    interval: float = 60.0
    boot_retry: float = 60.0
    response_timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class OutboxLimits:
    """What may wait in the outbox, and how much.

    threshold: messages of all lanes together (MessageQueueSizeThreshold); None leaves the transaction lane to
    `byte_limit` and the normal lane to `normal`. normal: most messages of the normal lane. byte_limit: bytes that they
    take of a database, stored or not (MessageQueueByteLimit), 0 is no limit. replay_rate: most messages per second of
    those that waited for a connection (MessageReplayRate), 0 is no limit. queue_all: messages that are not about
    transactions are queued too (QueueAllMessages), but for the actions in `discard` (MessageTypesDiscardForQueueing).
    """

    threshold: int | None = None
    normal: int = 10_000
    byte_limit: int = 268_435_456
    replay_rate: float = 0.0
    queue_all: bool = False
    discard: frozenset[str] = frozenset()

    def may_queue(self, action: str) -> bool:
        """Whether a normal message of this action waits for a connection when nobody waits for its answer."""
        return self.queue_all and action not in self.discard
