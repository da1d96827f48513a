"""Who occupies a connector: its session, from the first plug-in or authorization to the unplugging, as it is told.

It keeps whom the connector belongs to and what it waits for, and nothing of what flows. After the end of a transaction,
and after a plug-in that nobody authorized in time, the connector is spent until the next plug-in.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ocpp16.enums import SessionStartedReason
from ocpp16.simulation.access import Token
from ocpp16.simulation.patience import Wait

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint


class Desk(Protocol):
    """The station as whoever occupies a connector sees it."""

    @property
    def charge_point(self) -> "ChargePoint": ...

    @property
    def session_log(self) -> Path | None:
        """Folder of the folders of sessions."""
        ...

    def new_session_id(self, connector_id: int) -> str: ...

    def connection_timer(self, expired: Callable[[], None]) -> Wait: ...


class Occupancy:
    """Of one connector: the present one, if there is any. `session_id`: None while there is none."""

    __slots__ = (
        "_connector_id",
        "_station",
        "_waiting",
        "is_spent",
        "reservation_id",
        "session_id",
        "token",
    )

    def __init__(self, station: Desk, connector_id: int) -> None:
        self._station = station
        self._connector_id = connector_id
        self._waiting: Wait | None = None
        self.session_id: str | None = None
        self.token: Token | None = None
        """To whom the connector belongs: until ConnectionTimeOut, or for the transaction."""
        self.reservation_id: int | None = None
        """Of the reservation that the token uses."""
        self.is_spent: bool = False

    def begin(self, reason: SessionStartedReason, session_id: str | None = None) -> None:
        """Begin one if there is none. `session_id`: of one that goes on after a power loss."""
        if self.session_id is None:
            self.session_id = session_id or self._station.new_session_id(self._connector_id)
            log = self._station.session_log
            folder = None if log is None else log / self.session_id
            self._station.charge_point.on_session_started(self._connector_id, self.session_id, reason, folder)

    def authorize(self, token: Token) -> None:
        """The connector belongs to the token, which uses up its reservation."""
        self.token = token
        reservations = self._station.charge_point.for_station.reservations
        used = reservations.use(self._connector_id, token.id_tag, token.parent_id_tag)
        self.reservation_id = None if used is None else used.reservation_id

    def release(self) -> None:
        """The connector belongs to nobody any more."""
        self.token = self.reservation_id = None

    def end(self) -> None:
        """The car is gone, or will not come."""
        self.wait(None)
        self.release()
        session_id, self.session_id = self.session_id, None
        if session_id is not None:
            self._station.charge_point.on_session_stopped(self._connector_id, session_id)

    def power_down(self) -> None:
        """The charge point stopped, and the session with it."""
        self.wait(None)
        self.release()
        self.session_id = None
        self.is_spent = False

    def wait(self, expired: Callable[[], None] | None) -> None:
        """Give what the connector waits for ConnectionTimeOut seconds; None: it waits for nothing."""
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = None if expired is None else self._station.connection_timer(expired)
