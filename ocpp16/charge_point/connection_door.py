"""`charge_point.connection`: the WebSocket to the Central System, what it thinks of us, and what waits for it."""

from ocpp16.charge_point.runtime import Runtime
from ocpp16.ctrl_c import only_at_waits
from ocpp16.enums import RegistrationStatus
from ocpp16.values import finite

_LONGEST_RESUME_DELAY = 3600
"""Seconds."""


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

    def connect(self) -> None:
        """Connect at once, and stay connected. Raises ChargePointStopped if it does not run."""
        self._runtime.connectivity().connect()

    def disconnect(self) -> None:
        """Close the connection and stay away until `connect`; the charge point works on offline."""
        self._runtime.connectivity().disconnect()

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
