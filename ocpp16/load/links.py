"""Why connections end, and why there are none, in words that do not differ between charge points; and the calls that
were open on those that ended."""

from typing import Final

from ocpp16.fleet import CallEnded
from ocpp16.scenario.judge import DUE
from ocpp16.scenario.watch import BY_US
from ocpp16.texts import shown

STOPPED: Final = "stopped"
"""Why a connection ended that we ended ourselves, as a `LinkListener` is told."""
LOST: Final = "connection lost"
_LENGTH: Final = 80


def attempt(reason: str) -> str:
    """Why there is no connection. reason: as a `LinkListener` is told."""
    if reason.startswith("HTTP "):
        # What a Central System says beside its status is its own affair; what is wrong with an upgrade is ours.
        return f"handshake {shown(reason[5:], _LENGTH) if reason.startswith('HTTP 101') else reason[5:8]}"
    return f"not connected: {shown(reason, _LENGTH)}"


class LostCalls:
    """Calls that were lost with a connection, until it is told why that ended: of each charge point there is one at
    most. Parameters: `speed` of time."""

    def __init__(self, speed: float = 1.0) -> None:
        self._patience = DUE * speed
        self._calls: dict[str, CallEnded] = {}

    def add(self, ended: CallEnded) -> None:
        """One that is lost; its connection is told to have ended next."""
        self._calls[ended.charge_point] = ended

    def settled(self, charge_point: str, reason: str) -> CallEnded | None:
        """How it counts: not at all where we ended the connection before it was answered, which is nobody's fault and
        says nothing of a latency; but what had waited for long by then was not answered in time."""
        ended = self._calls.pop(charge_point, None)
        if ended is None or reason not in BY_US:
            return ended
        return ended._replace(outcome="timeout") if ended.ended - ended.due > self._patience else None
