"""Why connections end, and why there are none, in words that do not differ between charge points."""

from typing import Final

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
