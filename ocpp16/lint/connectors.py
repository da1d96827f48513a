"""The status of connectors, and which there are (OCPP 1.6 §4.2, §4.9)."""

from collections.abc import Mapping
from typing import ClassVar, Final

from ocpp16.enums import ChargePointStatus
from ocpp16.lint.bounds import MOST_CONNECTORS
from ocpp16.lint.docket import SECOND, Docket
from ocpp16.lint.exchange import Asked
from ocpp16.lint.frame import Frame
from ocpp16.lint.members import text, whole
from ocpp16.lint.subject import OnAnswer, OnCall, Subject
from ocpp16.state.connector_table import TRANSITIONS
from ocpp16.texts import shown

NEXT: Final[Mapping[str, frozenset[str]]] = {
    str(status): frozenset({str(status), "Faulted", "Unavailable", *map(str, events.values())})
    for status, events in TRANSITIONS.items()
}
"""Status of a connector 1..n → those that may follow. After Faulted any may, for what happened under it is not told.
Unavailable may follow any, for a change of availability that was scheduled comes with the end of the session."""
_OF_ZERO: Final = frozenset({"Available", "Unavailable", "Faulted"})
_STATUSES: Final = frozenset(map(str, ChargePointStatus))
_TOLD_BY: Final = 120 * SECOND
"""After a start."""
_NEXT_BY: Final = 30 * SECOND
"""After the one before."""


class Connectors(Subject):
    __slots__ = ("_due", "_told", "_waited")

    def __init__(self) -> None:
        self._due: int | None = None
        self._waited = 0
        """What the charge point had waited by the start: no time in which it could have told them."""
        self._told: set[int] = set()
        """Connectors whose status was told since the start."""

    def notified(self, docket: Docket, asked: Asked) -> None:
        connector_id, status = whole(asked.payload, "connectorId"), text(asked.payload, "status")
        if connector_id is None or status not in _STATUSES:
            return
        check_connector(docket, asked, lowest=0)
        is_remembered = 0 <= connector_id <= MOST_CONNECTORS
        if is_remembered and connector_id not in self._told:
            self._told.add(connector_id)
            if self._due is not None and asked.at is not None:
                self._due = max(self._due, asked.at + _NEXT_BY)  # of hundreds each has its turn
        if is_remembered and connector_id:
            docket.connectors.add(connector_id)
        if connector_id == 0 and status not in _OF_ZERO:
            docket.tell("status-of-zero", f"connector 0 is told to be {status}", asked.frame)
            return
        if connector_id == 0 and docket.is_connected is None:
            docket.statuses.clear()  # it may tell all of them once more, on a new connection
        before = docket.statuses.get(connector_id)
        is_slow = docket.keys.get("MinimumStatusDuration", 0) > 0  # then steps are kept back
        if before is not None and connector_id > 0 and not is_slow and status not in NEXT.get(before, _STATUSES):
            docket.tell("status-order", f"connector {connector_id} is {status} after {before}", asked.frame)
        if is_remembered:
            docket.statuses[connector_id] = status

    def not_told(self, docket: Docket, asked: Asked) -> None:
        docket.statuses.pop(whole(asked.payload, "connectorId") or 0, None)

    def booted(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        self._due = None
        if text(frame.payload, "status") == "Accepted" and not asked.is_triggered and docket.now is not None:
            self._told.clear()
            self._due = docket.now + _TOLD_BY
            self._waited = docket.waited(docket.now)

    def reconnected(self, docket: Docket) -> None:
        docket.statuses.clear()
        self._due = None

    def rebooted(self, docket: Docket) -> None:
        docket.statuses.clear()

    def passed(self, docket: Docket, now: int) -> None:
        if self._due is None or now <= self._due or now - (docket.waited(now) - self._waited) <= self._due:
            return
        self._due = None
        count = docket.keys.get("NumberOfConnectors", 0)
        missing = [number for number in range(min(count, MOST_CONNECTORS) + 1) if number not in self._told]
        if not self._told:
            docket.tell("status-after-boot", f"no StatusNotification within {_TOLD_BY // SECOND} s of the start")
        elif missing:
            names = shown(", ".join(map(str, missing)), 60)
            docket.tell("status-after-boot", f"no StatusNotification of connector {names} after the start")

    def unlocking(self, docket: Docket, asked: Asked) -> None:
        check_connector(docket, asked)

    ON_CALL: ClassVar[Mapping[str, OnCall]] = {
        "StatusNotification": notified,
        "UnlockConnector": unlocking,
        "RemoteStartTransaction": unlocking,
    }
    ON_RESULT: ClassVar[Mapping[str, OnAnswer]] = {"BootNotification": booted}
    ON_LOSS: ClassVar[Mapping[str, OnCall]] = {"StatusNotification": not_told}


def check_connector(docket: Docket, asked: Asked, lowest: int = 1) -> None:
    """Is there such a connector? `lowest`: its number, at least."""
    connector_id = whole(asked.payload, "connectorId")
    if connector_id is None:
        return
    most = docket.keys.get("NumberOfConnectors")
    if connector_id < lowest:
        docket.tell("connector", f"{asked.action} for connector {connector_id}", asked.frame)
    elif most is not None and connector_id > most:
        docket.tell("connector", f"{asked.action} for connector {connector_id}, but there are {most}", asked.frame)
