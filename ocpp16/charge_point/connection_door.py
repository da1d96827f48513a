"""`charge_point.connection`: the WebSocket to the Central System, what it thinks of us, and what waits for it."""

from ocpp16.charge_point.runtime import Runtime
from ocpp16.ctrl_c import only_at_waits
from ocpp16.enums import RegistrationStatus
from ocpp16.models import WaitingMessage
from ocpp16.values import finite, whole

_LONGEST_RESUME_DELAY = 3600
"""Seconds."""
_MOST_SHOWN = 10_000


@only_at_waits
class ConnectionDoor:
    """Made anew each time it is asked for."""

    __slots__ = ("_runtime",)

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @property
    def is_connected(self) -> bool:
        """Is there an open WebSocket?"""
        return self._runtime.ctx.session.is_connected

    @property
    def registration(self) -> RegistrationStatus | None:
        """What the last BootNotification was answered with; None before the first answer."""
        return self._runtime.ctx.session.registration

    @property
    def queue_depth(self) -> int:
        """Messages that wait to be sent or for their answer."""
        session = self._runtime.ctx.session
        return session.outbox.depth + (session.in_flight is not None)

    def waiting(self, most: int = 100) -> tuple[WaitingMessage, ...]:
        """The messages that `queue_depth` counts, the oldest first, `most` of them.

        Raises ValueError unless most is a whole number from 1 to 10,000.
        """
        self._runtime.guard.check()
        session, most = self._runtime.ctx.session, whole(most, "most", 1, _MOST_SHOWN)
        open_one, apart = session.in_flight, set(session.outbox.apart or ())
        found = [*([] if open_one is None else [open_one]), *session.outbox.oldest(most)][:most]
        return tuple(
            WaitingMessage(one.sequence, one.action, one.payload, one.attempts, one is open_one, one in apart)
            for one in found
        )

    def connect(self) -> None:
        """Connect at once, and stay connected. Raises ChargePointStopped if it does not run."""
        self._runtime.connectivity().connect()

    def disconnect(self) -> None:
        """Close the connection and stay away until `connect`; the charge point works on offline."""
        self._runtime.connectivity().disconnect()

    def drop(self) -> bool:
        """Break the connection off without a close frame, to see what a lost network does; the next one is opened as
        after any loss, by the RetryBackoff keys. False if there is none.
        """
        self._runtime.guard.check()
        return self._runtime.connectivity().drop()

    def reconnect(self) -> None:
        """Close the connection and open another at once, with what is configured now; nothing while disconnected."""
        self._runtime.guard.check()
        self._runtime.reconnect_if_connected()

    def set_message_queue_resume_delay(self, seconds: float) -> None:
        """How long queued messages wait after a reconnect, so that the Central System may speak first.

        Raises ValueError unless it is a number from 0 to 3600.
        """
        self._runtime.guard.check()
        if not 0 <= finite(seconds, "seconds") <= _LONGEST_RESUME_DELAY:
            raise ValueError(f"seconds must be from 0 to {_LONGEST_RESUME_DELAY}, not {seconds}")
        self._runtime.delay_resuming(seconds)
