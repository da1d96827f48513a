"""One connector: its base state, the errors that cover it, and what has to be reported about it.

Rules of this file:
1. The reported status is Faulted while an error with `is_fault` is active, else the base state. Events move the base
   state even under a fault; that change is not reported, and the `info` of its event is lost.
2. Every method that may have something to report returns one `Notification`, or None. Nobody is called back.
3. A notification carries the time of its cause: of the event, or of the error as the station dated it, though not
   ahead of `now`. A report without a cause carries the time since when what it says holds. No notification carries an
   earlier time than the one before it: an error dated earlier gets the time of the latter. Only a clock that is set
   back (`clock_set_back`) takes the times with it that would lie ahead of it, and what is told then begins there.
4. The error shown with a status is the latest active one by its time (the later raised one at the same time).
5. Clearing an error always reports, unless a fault remains and the Central System was told another error since: then
   what it knows is still true. If the cleared one is what it was told last, it is told the latest remaining fault.
6. A connector that is, or is to be, Inoperative does not become Available at the end of a session or reservation, not
   for a moment: it goes from there to Unavailable. To be put into service again it leaves Unavailable by an event.
7. A connector that starts as Faulted has a base state and an error of its own making, `INITIAL_FAULT`. The first fault
   the station raises takes its place; clearing all errors, or `INITIAL_FAULT` itself, ends it.
8. An error that would be one too many (`MOST_ERRORS`) takes the place of the oldest, of one that is no fault if there
   is such: a station that never clears its errors does not fill the memory.
9. To look is not to tell: `look` changes nothing, `report` says what the Central System is told from now on.
10. While it is withheld (`is_withheld`) a connector does not become Available, whatever its availability.
11. While a reservation keeps it (`is_reserved`) a Reserved connector does not become Available: whoever puts it into
    service once more, or tells the end of another reservation, does not free it.

This file does not know of MinimumStatusDuration (`state.status_throttle`), registration or connections.
"""

from dataclasses import replace
from typing import NamedTuple

from ocpp16._core.unseen import unseen
from ocpp16.enums import AvailabilityType, ChargePointErrorCode, ChargePointStatus
from ocpp16.models import INFO_LENGTH, VENDOR_ERROR_CODE_LENGTH, VENDOR_ID_LENGTH, ErrorInfo
from ocpp16.state.clock import dated, put_right, to_datetime, to_micros, within
from ocpp16.state.connector_table import TRANSITIONS, TRANSITIONS_ZERO, ConnectorEvent, Table
from ocpp16.values import text

INITIAL_FAULT = "initial-fault"
"""uuid of the error that stands for a connector said to be Faulted at the start."""

MOST_ERRORS = 256
"""Active errors of a connector."""

_LET_GO = (ChargePointStatus.RESERVED, ChargePointStatus.AVAILABLE)


class Notification(NamedTuple):
    """What a StatusNotification has to say (OCPP 1.6 ed. 2 §6.47). `timestamp` is µs UTC.

    `is_status_change`: the reported status is another one than before; False for errors under the same status and for
    reports of what is.
    """

    connector_id: int
    status: ChargePointStatus
    error_code: ChargePointErrorCode
    info: str | None
    """What is known besides, in words; None: nothing."""
    vendor_id: str | None
    vendor_error_code: str | None
    timestamp: int
    is_status_change: bool


class Connector:
    """Status of one connector.

    Parameters: `connector_id` is 0 for the charge point itself; `initial` is any status (connector 0: Available,
    Unavailable or Faulted, else ValueError); `availability` is the persisted one, and decides what is under an initial
    Faulted; `since` is the time since when it is so, µs, None: since it is first asked.
    """

    __slots__ = (
        "_errors",
        "_shown",
        "_since",
        "_table",
        "_told_at",
        "availability",
        "base",
        "connector_id",
        "is_reserved",
        "is_withheld",
        "scheduled",
    )

    def __init__(
        self,
        connector_id: int,
        initial: ChargePointStatus = ChargePointStatus.AVAILABLE,
        availability: AvailabilityType = AvailabilityType.OPERATIVE,
        since: int | None = None,
    ) -> None:
        self.connector_id: int = connector_id
        self.availability: AvailabilityType = availability
        """What was last commanded and carried out; survives a restart."""
        self.scheduled: AvailabilityType | None = None
        """What was commanded and waits for the end of the session."""
        self.is_reserved: bool = False
        """Kept by a reservation, whatever its status is now."""
        self.is_withheld: bool = False
        """Out of service for the time being, as for an update of the firmware."""
        self._errors: tuple[ErrorInfo, ...] = ()
        self._shown: str | None = None
        self._since = since
        self._told_at: int | None = None
        self._table: Table = TRANSITIONS if connector_id else TRANSITIONS_ZERO
        self._begin_as(initial)

    def _begin_as(self, initial: ChargePointStatus) -> None:
        if initial == ChargePointStatus.FAULTED:
            self.base: ChargePointStatus = initial_status(self.availability)
            fault = ErrorInfo(
                ChargePointErrorCode.OTHER_ERROR, is_fault=True, timestamp=to_datetime(0), uuid=INITIAL_FAULT
            )
            self._errors = (fault,)
        elif initial not in self._table:
            raise ValueError(f"connector {self.connector_id} cannot start as {initial}")
        else:
            self.base = initial
            self._errors = ()

    @property
    def errors(self) -> tuple[ErrorInfo, ...]:
        """The active errors in the order in which they were raised, texts cut and times filled in."""
        return self._errors

    @property
    def is_faulted(self) -> bool:
        return any(error.is_fault for error in self._errors)

    @property
    def status(self) -> ChargePointStatus:
        """The reported status."""
        return ChargePointStatus.FAULTED if self.is_faulted else self.base

    @property
    def commanded(self) -> AvailabilityType:
        """What the availability is, or will be as soon as the session allows."""
        return self.scheduled or self.availability

    def submit(self, event: ConnectorEvent, now: int, info: str | None = None) -> Notification | None:
        """Something happened at `now`; `info` (cut to 50 characters) goes into the report. None: nothing to report.

        Raises ValueError, and changes nothing, if `info` is no text that can be sent.
        """
        if info is not None:
            text(info, "info")
        target = self._table.get(self.base, {}).get(event)
        if target is None:
            return None
        if target is ChargePointStatus.AVAILABLE:
            if self.is_withheld:
                target = ChargePointStatus.UNAVAILABLE
            elif self.base is not ChargePointStatus.UNAVAILABLE:
                target = initial_status(self.commanded)
            if target is self.base:
                return None
        if self.is_reserved and (self.base, target) == _LET_GO:
            return None
        self.base = target
        if self.is_faulted:
            return None
        return self._notification(_latest(self._errors), now, _cut(info, INFO_LENGTH), is_status_change=True)

    def reset(self, initial: ChargePointStatus, now: int) -> Notification | None:
        """It is `initial` from `now` on, whatever was told before, errors included. None if that is nothing new.

        Raises ValueError, and changes nothing, for a status that it cannot have.
        """
        before, errors = self.status, self._errors
        self._begin_as(initial)
        if self.status is before and not (errors or self._errors):
            return None
        return self._notification(_latest(self._errors), now, None, is_status_change=self.status is not before)

    def raise_error(self, error: ErrorInfo, now: int) -> Notification | None:
        """An error is there. Its time is its own, or `now` if it has none or one that cannot be.

        None if its uuid is active already.
        """
        if any(active.uuid == error.uuid for active in self._errors):
            return None
        time = now if error.timestamp is None else dated(to_micros(error.timestamp, "timestamp"), now)
        error = replace(
            error,
            info=_cut(error.info, INFO_LENGTH),
            vendor_id=_cut(error.vendor_id, VENDOR_ID_LENGTH),
            vendor_error_code=_cut(error.vendor_error_code, VENDOR_ERROR_CODE_LENGTH),
            timestamp=to_datetime(time),
        )
        before = self.status
        kept = self._errors
        if error.is_fault:
            kept = tuple(active for active in kept if active.uuid != INITIAL_FAULT)
        self._errors = (*_bounded(kept), error)
        return self._notification(error, time, error.info, is_status_change=self.status is not before)

    def clear_error(self, uuid: str, now: int) -> Notification | None:
        """An error is over. None if it is not known, or a remaining fault keeps the last report true (rule 5)."""
        remaining = tuple(error for error in self._errors if error.uuid != uuid)
        if len(remaining) == len(self._errors):
            return None
        before = self.status
        self._errors = remaining
        if not self.is_faulted:
            error = _latest(remaining)
        elif self._shown in (uuid, None):
            error = _latest(tuple(error for error in remaining if error.is_fault))
        else:
            return None
        return self._notification(error, now, error.info if error else None, is_status_change=self.status is not before)

    def clear_all_errors(self, now: int) -> Notification | None:
        """No error is left. None if there was none."""
        if not self._errors:
            return None
        before = self.status
        self._errors = ()
        return self._notification(None, now, None, is_status_change=self.status is not before)

    def look(self, now: int) -> Notification:
        """What `report` would say, to be looked at."""
        error = _latest(self._errors)
        since = now if self._since is None else self._since
        return self._made(error, since, error.info if error else None, is_status_change=False)

    def report(self, now: int) -> Notification:
        """What is, for a report without a cause: after boot, after a reconnect, when triggered."""
        notification = self.look(now)
        error = _latest(self._errors)
        self._shown = error.uuid if error else None
        self._since = self._told_at = notification.timestamp
        return notification

    def clock_moved(self, shift: int) -> None:
        """All times so far were taken by a clock that was wrong by `shift` µs, which is known now."""
        if self._since is not None:
            self._since = within(self._since + shift)
        if self._told_at is not None:
            self._told_at = within(self._told_at + shift)
        self._errors = tuple(replace(error, timestamp=to_datetime(_time(error) + shift)) for error in self._errors)

    def clock_set_back(self, now: int, shift: int) -> None:
        """The clock was moved by `shift` µs (< 0) and says `now`: no time lies ahead of that, and their order stays."""
        marks = (self._since, self._told_at, *map(_time, self._errors))
        earlier = max((time for time in marks if time is not None and time <= now), default=None)

        def righted(time: int) -> int:
            right = put_right(time, now, shift)
            return right if earlier is None else max(right, min(time, earlier))

        if self._since is not None:
            self._since = righted(self._since)
        if self._told_at is not None:
            self._told_at = righted(self._told_at)
        self._errors = tuple(replace(error, timestamp=to_datetime(righted(_time(error)))) for error in self._errors)

    def apply_scheduled(self) -> AvailabilityType | None:
        """The session allows the scheduled change now: make it the availability. Returns it, or None without one."""
        kind, self.scheduled = self.scheduled, None
        if kind is not None:
            self.availability = kind
        return kind

    def _notification(
        self, error: ErrorInfo | None, time: int, info: str | None, *, is_status_change: bool
    ) -> Notification:
        self._shown = error.uuid if error else None
        self._since = self._told_at = time = time if self._told_at is None else max(time, self._told_at)
        return self._made(error, time, info, is_status_change=is_status_change)

    def _made(self, error: ErrorInfo | None, time: int, info: str | None, *, is_status_change: bool) -> Notification:
        return unseen(
            Notification(
                self.connector_id,
                self.status,
                error.error_code if error else ChargePointErrorCode.NO_ERROR,
                info,
                error.vendor_id if error else None,
                error.vendor_error_code if error else None,
                time,
                is_status_change,
            )
        )


def initial_status(availability: AvailabilityType) -> ChargePointStatus:
    """The status of an idle connector of this availability."""
    if availability == AvailabilityType.INOPERATIVE:
        return ChargePointStatus.UNAVAILABLE
    return ChargePointStatus.AVAILABLE


def _bounded(errors: tuple[ErrorInfo, ...]) -> tuple[ErrorInfo, ...]:
    """Without the oldest, that is no fault if there is one, where another one would be too many."""
    if len(errors) < MOST_ERRORS:
        return errors
    oldest = next((error for error in errors if not error.is_fault), errors[0])
    return tuple(error for error in errors if error is not oldest)


def _latest(errors: tuple[ErrorInfo, ...]) -> ErrorInfo | None:
    latest = None
    for error in errors:
        if latest is None or _time(error) >= _time(latest):
            latest = error
    return latest


def _time(error: ErrorInfo) -> int:
    assert error.timestamp is not None, "filled in when it was raised"
    return to_micros(error.timestamp)


def _cut(whole: str | None, length: int) -> str | None:
    return None if whole is None else whole[:length]
