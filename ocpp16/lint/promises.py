"""What was accepted is done: remote start and stop, reset, availability, triggers (OCPP 1.6 §5).

Each is kept by a message, until a time, not counting that in which the charge point waits for an answer and can send
none. What was accepted on a connection that is gone is asked of nobody.
"""

from collections.abc import Mapping
from typing import ClassVar, Final, NamedTuple

from ocpp16.lint.docket import SECOND, Docket
from ocpp16.lint.exchange import Asked
from ocpp16.lint.finding import CHARGE_POINT
from ocpp16.lint.frame import Frame
from ocpp16.lint.members import part, text, whole
from ocpp16.lint.subject import OnAnswer, OnCall, Subject
from ocpp16.texts import shown

_MOST: Final = 32
_CONNECTION_TIMEOUT: Final = 180
"""Seconds, where nobody tells the key."""
_GRACE: Final = 30
_STOP, _RESET, _STATUS, _TRIGGER = 120, 300, 60, 60
"""Seconds."""
_NOT_PLUGGED: Final = frozenset({"Available", "Finishing", "Faulted", "Unavailable", "Reserved"})
"""What a connector is when the start that was asked for will not come: ConnectionTimeOut has passed, or worse."""
_MESSAGES: Final = {"SignChargePointCertificate": "SignCertificate"}


class Promise(NamedTuple):
    """due: µs; waited: what the charge point had waited when that was reckoned; rule: which is told; keyword: by
    which it is found when it is kept; id_tag: who is to start, in small letters."""

    due: int
    waited: int
    rule: str
    keyword: tuple[str, int | str | None]
    text: str
    frame: Frame
    id_tag: str = ""


class Promises(Subject):
    __slots__ = ("_due", "_open")

    def __init__(self) -> None:
        self._open: list[Promise] = []
        self._due: int | None = None

    def _promised(
        self,
        docket: Docket,
        frame: Frame,
        rule: str,
        keyword: tuple[str, int | str | None],
        seconds: int,
        told: str,
        id_tag: str = "",
    ) -> None:
        if docket.now is None:
            return
        waited = docket.waited(docket.now)
        self._open.append(Promise(docket.now + seconds * SECOND, waited, rule, keyword, told, frame, id_tag))
        del self._open[:-_MOST]
        self._due = min(promise.due for promise in self._open)

    def _kept(self, *keywords: tuple[str, int | str | None]) -> None:
        if self._open:
            self._open = [promise for promise in self._open if promise.keyword not in keywords]

    def reconnected(self, docket: Docket) -> None:
        # A reset ends with a connection, and keeps its word on the next one, however long the network was away.
        now, waited = docket.now, 0 if docket.now is None else docket.waited(docket.now)
        self._open = [
            promise if now is None else promise._replace(due=now + _RESET * SECOND, waited=waited)
            for promise in self._open
            if promise.rule == "reset"
        ]

    def rebooted(self, docket: Docket) -> None:
        self._open.clear()

    def passed(self, docket: Docket, now: int) -> None:
        if self._open and docket.is_updating:
            self._open = [one for one in self._open if not _may_be_held(docket, one)]
        if not self._open or self._due is None or now <= self._due:
            return
        waited = docket.waited(now)
        self._open = [one._replace(due=one.due + waited - one.waited, waited=waited) for one in self._open]
        for promise in self._open:
            if promise.due < now:
                docket.tell(promise.rule, promise.text, promise.frame, CHARGE_POINT)
        self._open = [promise for promise in self._open if promise.due >= now]
        self._due = min((promise.due for promise in self._open), default=None)

    def remote_start(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        if _is_accepted(frame):
            connector_id, id_tag = whole(asked.payload, "connectorId"), (text(asked.payload, "idTag") or "").lower()
            seconds = docket.keys.get("ConnectionTimeOut", _CONNECTION_TIMEOUT)
            if not seconds:
                return  # it waits as long as it takes
            seconds += _GRACE
            keyword = ("start of", id_tag) if connector_id is None else ("start on", connector_id)
            where = "" if connector_id is None else f" on connector {connector_id}"
            told = f"RemoteStartTransaction{where} was accepted, but no StartTransaction came within {seconds} s"
            self._promised(docket, frame, "remote-start", keyword, seconds, told, id_tag)

    def remote_stop(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        transaction_id = whole(asked.payload, "transactionId")
        if _is_accepted(frame) and transaction_id is not None:
            told = (
                f"RemoteStopTransaction was accepted, but transaction {transaction_id} was not stopped within {_STOP} s"
            )
            self._promised(docket, frame, "remote-stop", ("stop", transaction_id), _STOP, told)

    def reset(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        if _is_accepted(frame):
            told = f"Reset was accepted, but no BootNotification came within {_RESET} s"
            self._promised(docket, frame, "reset", ("boot", None), _RESET, told)

    def change_availability(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        connector_id, kind = whole(asked.payload, "connectorId"), text(asked.payload, "type")
        now = None if connector_id is None else docket.statuses.get(connector_id)
        if _is_accepted(frame):  # what was asked for before holds no more; of 0, of none of them
            self._open = [
                one for one in self._open if one.rule != "availability" or connector_id not in (0, one.keyword[1])
            ]
        if not _is_accepted(frame) or now in (None, "Faulted") or kind not in ("Operative", "Inoperative"):
            return
        if connector_id and kind == "Operative" and docket.statuses.get(0) == "Unavailable":
            return  # that of the whole charge point holds for each connector
        if (now == "Unavailable") != (kind == "Inoperative"):
            seconds = _STATUS + docket.keys.get("MinimumStatusDuration", 0)
            told = f"ChangeAvailability of connector {connector_id} to {kind} was accepted, but it stayed {now}"
            self._promised(docket, frame, "availability", ("status", connector_id), seconds, told)

    def trigger(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        requested = text(asked.payload, "requestedMessage")
        if _is_accepted(frame) and requested:
            name = _MESSAGES.get(requested, requested)
            told = f"{asked.action} was accepted, but no {shown(name, 40)} came within {_TRIGGER} s"
            self._promised(docket, frame, "trigger", ("trigger", name), _TRIGGER, told)

    def authorized(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        """A remote start may have to be authorized first (AuthorizeRemoteTxRequests): who is not does not start."""
        if self._open and text(part(frame.payload, "idTagInfo"), "status") not in ("Accepted", None):
            id_tag = (text(asked.payload, "idTag") or "").lower()
            self._open = [one for one in self._open if one.rule != "remote-start" or one.id_tag != id_tag]

    def called(self, docket: Docket, asked: Asked) -> None:
        """Any CALL of the charge point, before its handlers."""
        if self._open:
            self._kept(("trigger", asked.action.removeprefix("Signed")))

    def starting(self, docket: Docket, asked: Asked) -> None:
        payload = asked.payload
        self._kept(("start on", whole(payload, "connectorId")), ("start of", (text(payload, "idTag") or "").lower()))

    def stopping(self, docket: Docket, asked: Asked) -> None:
        self._kept(("stop", whole(asked.payload, "transactionId")))

    def booting(self, docket: Docket, asked: Asked) -> None:
        self._kept(("boot", None))

    def notified(self, docket: Docket, asked: Asked) -> None:
        connector_id, status = whole(asked.payload, "connectorId"), text(asked.payload, "status")
        self._kept(("status", connector_id))
        if status in _NOT_PLUGGED:
            self._kept(("start on", connector_id))
            self._open = [promise for promise in self._open if promise.keyword[0] != "start of"]

    ON_CALL: ClassVar[Mapping[str, OnCall]] = {
        "StartTransaction": starting,
        "StopTransaction": stopping,
        "BootNotification": booting,
        "StatusNotification": notified,
    }
    ON_RESULT: ClassVar[Mapping[str, OnAnswer]] = {
        "Authorize": authorized,
        "RemoteStartTransaction": remote_start,
        "RemoteStopTransaction": remote_stop,
        "Reset": reset,
        "ChangeAvailability": change_availability,
        "TriggerMessage": trigger,
        "ExtendedTriggerMessage": trigger,
    }


def _is_accepted(frame: Frame) -> bool:
    return text(frame.payload, "status") == "Accepted"


def _may_be_held(docket: Docket, promise: Promise) -> bool:
    """Is it about a connector that shall be operative again? An update may hold it until it ends."""
    return promise.rule == "availability" and docket.statuses.get(int(promise.keyword[1] or 0)) == "Unavailable"
