"""MinimumStatusDuration (OCPP 1.6 ed. 2 §9.1): a status is reported once it has lasted that long.

Rules of this file:
1. Only a change of status waits. An error that comes or goes, Faulted, and what ends Faulted are sent at once.
2. A status that is back at the one last reported before its time is up was never there: nothing is sent.
3. What is held keeps the time of its event. A newer change takes the place of a held one and waits anew.
4. Anything sent for a connector tells its present status, so it makes a held one needless.
5. Duration 0 sends everything. A duration that changes meanwhile holds for what is held, too: `lasting`.
6. Reports after boot, after a reconnect and on a trigger do not ask: they are `reported`.

`now` is monotonic seconds. This file does not send and has no timer: ask `due` when to call `release`. Neither looks at
what is not due.
"""

from heapq import heapify, heappop, heappush
from math import inf

from ocpp16._core.by_number import ByNumber
from ocpp16.enums import ChargePointStatus
from ocpp16.state.connector import Notification


class StatusThrottle:
    """Decides for all connectors of a charge point which notification goes now, later or never."""

    __slots__ = ("_duration", "_held", "_last", "_order")

    def __init__(self) -> None:
        self._duration = 0.0
        """Seconds that what is held has to last."""
        self._last: ByNumber[Notification] = ByNumber()
        self._held: ByNumber[tuple[float, Notification]] = ByNumber()
        """Connector → since when, and what."""
        self._order: list[tuple[float, int]] = []
        """A heap of what is held, and of what was: that is passed over when it comes to the top."""

    @property
    def due(self) -> float:
        """Monotonic seconds at which `release` has something to give, `inf` if nothing is held."""
        order = self._order
        while order and not self._is_held(*order[0]):
            heappop(order)
        return order[0][0] + self._duration if order else inf

    def _is_held(self, since: float, connector_id: int) -> bool:
        held = self._held.get(connector_id)
        return held is not None and held[0] == since

    def lasting(self, duration: float) -> None:
        """MinimumStatusDuration is another one, in seconds: `due` follows."""
        self._duration = max(duration, 0.0)

    def offer(self, notification: Notification, now: float, duration: float) -> bool:
        """True: send it now (and it counts as sent). False: it is held, see `due`, or not needed.

        Parameters: `duration` is MinimumStatusDuration in seconds.
        """
        last = self._last.get(notification.connector_id)
        if duration <= 0 or last is None or not _waits(notification, last):
            self.reported(notification)
            return True
        if notification.status is last.status:
            self._held.pop(notification.connector_id)
        else:
            self._duration = duration
            self._hold(now, notification)
        return False

    def _hold(self, since: float, notification: Notification) -> None:
        self._held[notification.connector_id] = (since, notification)
        heappush(self._order, (since, notification.connector_id))
        if len(self._order) > 16 + 2 * len(self._held):
            self._order = [(since, connector_id) for connector_id, (since, _) in self._held.items()]
            heapify(self._order)

    def release(self, now: float, limit: int = 64) -> list[Notification]:
        """What was held long enough, earliest first, at most `limit` of it; to be sent now."""
        notifications: list[Notification] = []
        while len(notifications) < limit and self.due <= now:
            _, notification = self._held[self._order[0][1]]
            self.reported(notification)
            notifications.append(notification)
        return notifications

    def redate(self, connector_id: int, timestamp: int) -> None:
        """The clock was set: what is held of this connector happened at `timestamp`."""
        if connector_id in self._held:
            since, notification = self._held[connector_id]
            self._held[connector_id] = (since, notification._replace(timestamp=timestamp))

    def forget(self, connector_id: int) -> None:
        """What is held of this connector is not so any more, and is told in another way."""
        self._held.pop(connector_id)

    def reported(self, notification: Notification) -> None:
        """This was sent, asked for here or not."""
        self._last[notification.connector_id] = notification
        self._held.pop(notification.connector_id)


def _waits(notification: Notification, last: Notification) -> bool:
    return (
        notification.is_status_change
        and ChargePointStatus.FAULTED not in (notification.status, last.status)
        and (notification.error_code, notification.vendor_id, notification.vendor_error_code)
        == (last.error_code, last.vendor_id, last.vendor_error_code)
    )
