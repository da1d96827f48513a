"""The newest status of some work that takes long, told to the Central System once.

At once where it can be told, else when it can be again, if it is the newest still, or the end of what was asked for and
other work followed. What went down with its connection was not told; what was answered was, however. Whoever makes it
calls `again` when the charge point is connected and accepted, and keeps over restarts what was not told.
"""

from collections.abc import Callable, Hashable, Iterable

from ocpp16.enums import FirmwareStatusEnumType as Status
from ocpp16.enums import UploadLogStatusEnumType
from ocpp16.profiles.context import Context, Payload
from ocpp16.rpc.pending import Entry

ACTIONS = frozenset(
    {
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "LogStatusNotification",
        "SignedFirmwareStatusNotification",
    }
)
"""What tells of such work."""
_IDLE = str(Status.IDLE)
_UNDER_WAY = frozenset(
    {
        _IDLE,
        str(UploadLogStatusEnumType.UPLOADING),
        str(Status.DOWNLOADED),
        str(Status.DOWNLOADING),
        str(Status.DOWNLOAD_PAUSED),
        str(Status.DOWNLOAD_SCHEDULED),
        str(Status.INSTALLING),
        str(Status.INSTALL_REBOOTING),
        str(Status.INSTALL_SCHEDULED),
        str(Status.SIGNATURE_VERIFIED),
    }
)
"""Of either kind of work; any other status is an end."""
FIRST = 1
"""The number of the first work that a start tells of."""


def topic(action: str, number: int) -> Hashable:
    """What such a message is about: the work of this number among those of a start. One that waits for its next attempt
    gives way to a newer one about the same: else it would be told last, as the present."""
    return (action, number)


def restore_topics(entries: Iterable[Entry]) -> None:
    """Find out what stored messages are about, given in their order: the last work may go on in this start."""
    numbers = dict.fromkeys(ACTIONS, FIRST)
    for entry in reversed(list(entries)):
        if entry.action in ACTIONS:
            if entry.payload.get("status") not in _UNDER_WAY:
                numbers[entry.action] -= 1
            entry.topic = topic(entry.action, numbers[entry.action])


class StatusReport:
    """`on_told` is called once for each status that was told, unless there is a newer one."""

    __slots__ = ("_ctx", "_job", "_number", "_on_told", "_sent", "_waiting")

    def __init__(self, ctx: Context, on_told: Callable[[], None]) -> None:
        self._ctx = ctx
        self._on_told = on_told
        self._waiting: tuple[str, Payload] | None = None
        self._sent: _Outcome | None = None
        self._job: object = None
        self._number = FIRST - 1
        """Of the job, among those that were told of."""

    def trigger(self, action: str, payload: Payload, job: object) -> None:
        """Tell what was triggered. Idle, and a job of which this start has told nothing, come before what is told
        next."""
        number = self._number + (payload["status"] == _IDLE or job is not self._job)
        self._ctx.sender.send(action, payload, is_triggered=True, topic=topic(action, number))

    @property
    def is_told(self) -> bool:
        return self._waiting is None

    def tell(self, action: str, payload: Payload, job: object, number: int = 0) -> None:
        """`job`: what it is the status of. `number` of the journal: not before that is on disk."""
        if job is not self._job:
            self._job = job
            self._number += 1
        self._waiting, self._sent = (action, payload), None
        self._send(number)

    def again(self) -> None:
        """It may be possible now."""
        if self._waiting is not None and self._sent is None:
            self._send(0)

    def leave(self) -> None:
        """Other work begins. What waits of this one, its end, is a message of its own from here on, on disk too."""
        if self._waiting is not None and self._sent is None:
            action, payload = self._waiting
            self._ctx.sender.send(action, payload, is_kept=True)
        self.drop()

    def drop(self) -> None:
        """It is of no interest any more."""
        self._waiting = self._sent = None

    def _send(self, number: int) -> None:
        assert self._waiting is not None
        action, payload = self._waiting
        ctx = self._ctx
        if ctx.session.outbox.limits.may_queue(action):  # then it is kept, on disk too, until it is answered
            ctx.sender.send(action, payload, number=number, topic=topic(action, self._number))
            self._told()
        elif ctx.sender.is_online:
            outcome = self._sent = _Outcome(self._ended)
            taken = ctx.sender.send(
                action,
                payload,
                number=number,
                on_confirmation=outcome.confirmed,
                on_end=outcome.ended,
                topic=topic(action, self._number),
            )
            if not taken and self._sent is outcome:
                self._sent = None

    def _ended(self, outcome: "_Outcome") -> None:
        if outcome is not self._sent:
            return
        if outcome.is_confirmed or self._ctx.session.is_connected:
            self._told()
        else:
            self._sent = None

    def _told(self) -> None:
        self.drop()
        self._on_told()


class _Outcome:
    """Of one message."""

    __slots__ = ("_tell", "is_confirmed")

    def __init__(self, tell: "Callable[[_Outcome], None]") -> None:
        self._tell = tell
        self.is_confirmed = False

    def confirmed(self, payload: Payload) -> None:
        self.is_confirmed = True

    def ended(self) -> None:
        self._tell(self)
