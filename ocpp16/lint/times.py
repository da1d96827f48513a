"""When a charge point says that something happened (OCPP 1.6 §4.2, §4.6: it has the Central System's time)."""

from collections.abc import Mapping
from typing import ClassVar, Final

from ocpp16.lint.docket import SECOND, Docket
from ocpp16.lint.exchange import Asked
from ocpp16.lint.members import time
from ocpp16.lint.registration import OFF
from ocpp16.lint.subject import OnCall, Subject

_SLACK: Final = 60 * SECOND


class Times(Subject):
    __slots__ = ()

    def happened(self, docket: Docket, asked: Asked) -> None:
        _check(docket, asked, time(asked.payload))

    ON_CALL: ClassVar[Mapping[str, OnCall]] = {
        "StartTransaction": happened,
        "StatusNotification": happened,
    }


def _check(docket: Docket, asked: Asked, at: int | None) -> None:
    """Only what is told by a clock that was set, and rightly so, is judged."""
    if at is None or asked.at is None or not docket.is_accepted or docket.offset is None or abs(docket.offset) > OFF:
        return
    early = at - (asked.at + docket.offset)
    if early > _SLACK:
        docket.tell("future", f"{asked.action} tells of what is to happen in {early // SECOND} s", asked.frame)
