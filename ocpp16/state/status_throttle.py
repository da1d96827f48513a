"""MinimumStatusDuration (OCPP 1.6 ed. 2 §9.1): a status is reported once it has lasted that long.

Rules of this file:
1. Only a change of status waits. An error that comes or goes, Faulted, and what ends Faulted are sent at once.
2. A status that is back at the one last reported before its time is up was never there: nothing is sent.
3. What is held keeps the time of its event. A newer change takes the place of a held one and waits anew.
4. Anything sent for a connector tells its present status, so it makes a held one needless.
5. Duration 0 sends everything. A duration that changes meanwhile does not touch what is held.
6. Reports after boot, after a reconnect and on a trigger do not ask: they are `reported`.

`now` is monotonic seconds. This file does not send and has no timer: ask `due` when to call `release`.
"""

from math import inf

from ocpp16.enums import ChargePointStatus
from ocpp16.state.connector import Notification


class StatusThrottle:
    """Decides for all connectors of a charge point which notification goes now, later or never."""

    __slots__ = ("_held", "_last")

    def __init__(self) -> None:
        self._last: dict[int, Notification] = {}
        self._held: dict[int, tuple[float, Notification]] = {}

    @property
    def due(self) -> float:
        """Monotonic seconds at which `release` has something to give, `inf` if nothing is held."""
        return min((until for until, _ in self._held.values()), default=inf)

    def offer(self, notification: Notification, now: float, duration: float) -> bool:
        """True: send it now (and it counts as sent). False: it is held, see `due`, or not needed.

        Parameters: `duration` is MinimumStatusDuration in seconds.
        """
        last = self._last.get(notification.connector_id)
        if duration <= 0 or last is None or not _waits(notification, last):
            self.reported(notification)
            return True
        if notification.status is last.status:
            self._held.pop(notification.connector_id, None)
        else:
            self._held[notification.connector_id] = (now + duration, notification)
        return False

    def release(self, now: float) -> list[Notification]:
        """What was held long enough, earliest first; to be sent now."""
        ready = sorted((until, connector_id) for connector_id, (until, _) in self._held.items() if until <= now)
        notifications = [self._held[connector_id][1] for _, connector_id in ready]
        for notification in notifications:
            self.reported(notification)
        return notifications

    def redate(self, connector_id: int, timestamp: int) -> None:
        """The clock was set: what is held of this connector happened at `timestamp`."""
        if connector_id in self._held:
            until, notification = self._held[connector_id]
            self._held[connector_id] = (until, notification._replace(timestamp=timestamp))

    def reported(self, notification: Notification) -> None:
        """This was sent, asked for here or not."""
        self._last[notification.connector_id] = notification
        self._held.pop(notification.connector_id, None)


def _waits(notification: Notification, last: Notification) -> bool:
    return (
        notification.is_status_change
        and ChargePointStatus.FAULTED not in (notification.status, last.status)
        and (notification.error_code, notification.vendor_id, notification.vendor_error_code)
        == (last.error_code, last.vendor_id, last.vendor_error_code)
    )
