"""The answer goes first: what follows from a CALL while its answer is not known yet waits for that.

A station may end a transaction while it draws the bolt (OCPP 1.6 ed. 2 §5.18), a charging profile may suspend a car
before it is known to be stored. A Central System expects the answer, and then the StopTransaction or StatusNotification
that it brought about; facts are stored at once all the same. Who has the answer already says `Reply(…, then=…)`.
"""

from ocpp16.patience import of_others
from ocpp16.profiles.base import Context

LONGEST_WAIT = 5.0
"""Seconds that requests of ours wait at most: whoever draws a bolt for longer holds up no authorization."""


class AnswerFirst:
    """Use it as a context around what is waited for before the answer; nothing may be waited for after it."""

    __slots__ = ("_ctx",)

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def __enter__(self) -> None:
        self._ctx.session.hold_requests(self._ctx.clock.monotonic() + of_others(LONGEST_WAIT))

    def __exit__(self, *error: object) -> None:
        self._ctx.session.release_requests()
        self._ctx.kick()
