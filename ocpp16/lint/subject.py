"""What a subject of rules is: an object of a case, and tables of which messages it looks at.

A handler is given the docket, the CALL, and the answer's frame if there is one. CALLs against the direction of their
action are told to nobody.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ocpp16.lint.docket import Docket
from ocpp16.lint.exchange import Asked
from ocpp16.lint.frame import Frame

OnCall = Callable[[Any, Docket, Asked], None]
OnAnswer = Callable[[Any, Docket, Asked, Frame], None]


class Subject:
    """Action → handler. ON_RESULT: of a CALL that has a CALLRESULT, ON_REFUSAL: a CALLERROR, ON_LOSS: neither."""

    __slots__ = ()
    ON_CALL: ClassVar[Mapping[str, OnCall]] = {}
    ON_RESULT: ClassVar[Mapping[str, OnAnswer]] = {}
    ON_REFUSAL: ClassVar[Mapping[str, OnAnswer]] = {}
    ON_LOSS: ClassVar[Mapping[str, OnCall]] = {}

    def reconnected(self, docket: Docket) -> None:
        """A connection begins or ends: what was under way may have been lost."""

    def rebooted(self, docket: Docket) -> None:
        """The charge point starts: it sends a BootNotification that nobody asked for."""

    def passed(self, docket: Docket, now: int) -> None:
        """Time goes by, as the frames tell."""
