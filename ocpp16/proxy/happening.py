"""What a proxy tells while it runs."""

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What happened."""

    OPENED = "opened"
    """A charge point is connected, through to the Central System."""
    CLOSED = "closed"
    """text: who ended it, the close code, the reason."""
    REFUSED = "refused"
    """No connection came about; text: why."""
    FRAME = "frame"
    """A text passed, `way` it went; text: as it was."""
    FINDING = "finding"
    """text: rule and what is wrong, of a frame that passed."""
    TROUBLE = "trouble"
    """Something of the proxy itself, as a trace that cannot be written."""


class Happening(NamedTuple):
    """way: "sent" by the charge point or "received" by it, of a FRAME; is_error: of a FINDING."""

    kind: Kind
    identity: str
    """The charge point; "" where it is not known yet."""
    text: str
    """The frame, or what is to be said, in words."""
    way: str = ""
    is_error: bool = False
