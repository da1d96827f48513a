"""StatusNotification (OCPP 1.6 ed. 2 §4.9): what of the connectors' states is told to the Central System, and when.

While offline nothing is kept: after a reconnect, and after every accepted boot, each connector is reported as it is,
with the time since when it is so. The reports of a large station are made as the Central System takes them, each when
its turn comes, so that they say how things stand then; a connector that told of itself meanwhile needs none.
"""

from collections.abc import Iterable
from math import inf

from ocpp16.configuration.keys import core
from ocpp16.enums import ChargePointStatus
from ocpp16.observer import StatusChanged
from ocpp16.profiles.base import Context, Payload
from ocpp16.state.connector import Notification
from ocpp16.state.signals import ClockSet, ConnectorStatusChanged
from ocpp16.state.status_throttle import StatusThrottle
from ocpp16.state.timers import Timer

MOST_WAITING = 16
"""Messages of the normal lane that may wait before the next report is made; as many are made in one turn."""
PATIENCE = 1.0
"""Seconds after which the next reports are looked at though none before is over."""


class StatusNotifications:
    """Of all connectors of one charge point."""

    __slots__ = ("_ctx", "_look", "_release", "_throttle", "_to_report")

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._throttle = StatusThrottle()
        self._release: Timer | None = None
        self._to_report: dict[int, bool] | None = None
        """Connectors to be reported yet, the last one first; was it triggered? None: there are none."""
        self._look: Timer | None = None

    def stop(self) -> None:
        self._to_report = None
        for timer in (self._release, self._look):
            if timer is not None:
                timer.cancel()
        self._release = self._look = None

    def tell(self, notification: Notification | None) -> None:
        """A connector changed; None: not so that it is to be told."""
        if notification is None:
            return
        ctx = self._ctx
        ctx.tell(
            StatusChanged(notification.connector_id, notification.status, notification.error_code, notification.info),
            0,
        )
        if ctx.sender.is_online or ctx.session.outbox.limits.queue_all:
            now = ctx.clock.monotonic()
            if self._throttle.offer(notification, now, ctx.configuration[core.MINIMUM_STATUS_DURATION]):
                self._send(notification)
        else:
            self._throttle.forget(notification.connector_id)  # it is reported as it is when there is a connection again
        self._arm()
        if notification.is_status_change:  # last: who hears of it may change a status in turn
            ctx.signals.emit(ConnectorStatusChanged(notification.connector_id, notification.status))

    def duration_changed(self) -> None:
        """MinimumStatusDuration is another one."""
        self._throttle.lasting(self._ctx.configuration[core.MINIMUM_STATUS_DURATION] or 0)
        self._arm()

    def clock_set(self, signal: ClockSet) -> None:
        """The times at which connectors came to be as they are follow the clock."""
        now = self._ctx.clock.now()
        for number, connector in self._ctx.connectors.items():
            if signal.is_first:
                connector.clock_moved(signal.shift)
            elif signal.shift < 0:
                connector.clock_set_back(now, signal.shift)
            self._throttle.redate(number, connector.look(now).timestamp)

    # Reports

    def report_all(self) -> None:
        """There is somebody again who is to know how things stand."""
        self.report(sorted(self._ctx.connectors), is_triggered=False)

    def report(self, connector_ids: Iterable[int], *, is_triggered: bool) -> None:
        """Send the present status of these connectors, whatever MinimumStatusDuration says.

        The first `MOST_WAITING` now, the others as those before are over: answered, refused or left unanswered.
        """
        asked = list(connector_ids)
        at_once, later = asked[:MOST_WAITING], asked[MOST_WAITING:]
        waiting = dict(reversed(self._to_report.items())) if self._to_report else {}
        for number in at_once:
            waiting.pop(number, None)
        for number in later:
            waiting[number] = is_triggered or waiting.get(number, False)
        self._to_report = dict(reversed(waiting.items())) or None
        for number in at_once:
            self._report(number, is_triggered=is_triggered)
        self._patience()

    @property
    def is_behind(self) -> bool:
        """Are there reports to be made yet, as soon as the Central System has answered those before?"""
        return self._to_report is not None and self._ctx.session.is_connected

    def _report(self, connector_id: int, *, is_triggered: bool) -> None:
        notification = self._ctx.connectors[connector_id].report(self._ctx.clock.now())
        self._throttle.reported(notification)
        self._send(notification, is_triggered=is_triggered)

    def _report_more(self) -> None:
        """Make as many reports as the Central System has room for."""
        session = self._ctx.session
        if not session.is_connected:
            self._to_report = None  # whoever comes next is told everything
        while self._to_report and session.outbox.normal_depth < MOST_WAITING:
            connector_id, is_triggered = self._to_report.popitem()
            self._report(connector_id, is_triggered=is_triggered)
        self._to_report = self._to_report or None

    def _patience(self) -> None:
        """The end of one makes room for the next report; if none comes, time does."""
        if self._to_report and self._look is None:
            self._look = self._ctx.timers.at(self._ctx.clock.monotonic() + PATIENCE, self._look_again)

    def _look_again(self) -> None:
        self._look = None
        self._report_more()
        self._patience()

    # Sending

    def _arm(self) -> None:
        due = self._throttle.due
        if self._release is not None:
            if self._release.when == due and self._release.is_active:
                return
            self._release.cancel()
            self._release = None
        if due != inf:
            self._release = self._ctx.timers.at(due, self._release_held)

    def _release_held(self) -> None:
        for notification in self._throttle.release(self._ctx.clock.monotonic(), MOST_WAITING):
            self._send(notification)
        self._arm()

    def _send(self, notification: Notification, *, is_triggered: bool = False) -> None:
        ctx = self._ctx
        payload: Payload = {
            "connectorId": notification.connector_id,
            "errorCode": str(notification.error_code),
            "status": str(notification.status),
            "timestamp": ctx.time_text(notification.timestamp),
        }
        if notification.info is not None:
            payload["info"] = notification.info
        if notification.vendor_id is not None:
            payload["vendorId"] = notification.vendor_id
        if notification.vendor_error_code is not None:
            payload["vendorErrorCode"] = notification.vendor_error_code
        # A change that follows a transaction's start must not overtake the StartTransaction that waits for the disk.
        number = ctx.journal.last if notification.is_status_change and not is_triggered else 0
        if notification.status is ChargePointStatus.FAULTED:
            number = 0
        is_taken = ctx.sender.send(
            "StatusNotification",
            payload,
            number=number,
            is_triggered=is_triggered,
            latest=notification.timestamp,
            # Of what waits for the connection only the newest status of a connector is of interest.
            topic=("StatusNotification", notification.connector_id),
            on_end=self._report_more if self._to_report else None,
        )
        if is_taken and self._to_report:
            self._to_report.pop(notification.connector_id, None)
