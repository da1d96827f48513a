"""The card reader: takes a token through the access rules, asks the charge point, and has the EVSE act.

The rules themselves are in access.py. A token is in process from the moment it is presented until the rules have
decided what it gets; presenting it again meanwhile changes nothing. The log has no id tags.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from ocpp16.enums import Reason
from ocpp16.errors import ChargePointStopped
from ocpp16.simulation.access import (
    IGNORED,
    Act,
    Candidate,
    Ruling,
    Token,
    admission,
    after_authorization,
    before_authorization,
)
from ocpp16.simulation.options import StationOptions
from ocpp16.simulation.patience import Wait

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint

log: Final = logging.getLogger("ocpp16.simulation")

MOST_WAITING: Final = 1_000
"""Tags that wait for a plug; without a ConnectionTimeOut they wait for ever. Beyond it the oldest gives up."""


class Served(Candidate, Protocol):
    """A connector as the reader sees it."""

    def authorize(self, token: Token) -> None: ...

    def stop_transaction(self, reason: Reason, *, card: str | None = None) -> bool: ...


class Front(Protocol):
    """The station as its reader sees it."""

    @property
    def options(self) -> StationOptions: ...

    @property
    def charge_point(self) -> "ChargePoint": ...

    @property
    def is_powered(self) -> bool: ...

    def evse(self, connector_id: int) -> Served: ...

    def connection_timer(self, expired: Callable[[], None]) -> Wait: ...


class CardReader:
    """The one reader of a station; it serves any of its connectors."""

    __slots__ = ("_in_process", "_station")

    def __init__(self, station: Front) -> None:
        self._station = station
        self._in_process: dict[str, _WaitingTag | None] | None = None
        """By key of the token: what waits for a plug, None for what is asked about. Made with the first token."""

    def present(self, token: Token, connectors: Collection[int]) -> None:
        """A token is presented for one of `connectors`. Returns at once; what must be asked is asked in a task.

        A reader without power sees none.
        """
        if not self._station.is_powered:
            return
        if self._in_process is None:
            self._in_process = {}
        ruling = before_authorization(token, self._served(connectors), self._in_process)
        if ruling.act is not Act.AUTHORIZE:
            self._carry_out(ruling, token, connectors)
        elif token.is_prevalidated:
            self._admit(token, connectors)
        else:
            self._in_process[token.key] = None
            self._station.charge_point.for_station.spawn(self._authorize, token, connectors)

    def plugged(self, connector_id: int) -> None:
        """A car was plugged in: the tag that waits longest for this connector, and may have it, gets it."""
        if not self._in_process:
            return
        evse = self._station.evse(connector_id)
        if not (evse.is_operative and evse.is_free):
            return
        for waiting in self._in_process.values():
            if waiting is not None and connector_id in waiting.connectors:
                ruling = admission(waiting.token, evse)
                if ruling.act is Act.START:  # where it is kept for another one, that one may be waiting, too
                    waiting.end()
                    self._carry_out(ruling, waiting.token, waiting.connectors)
                    return

    def power_down(self) -> None:
        """Forget every tag that waits, also one whose question came when nothing began any more."""
        for waiting in list(self._in_process.values()) if self._in_process else ():
            if waiting is not None:
                waiting.end()
        self._in_process = None

    async def _authorize(self, token: Token, connectors: Collection[int]) -> None:
        """Rule 5."""
        try:
            info = await self._station.charge_point.authorize_id_token(token.id_tag)
        except ChargePointStopped:
            return
        finally:
            self.forget(token)
        if not self._station.is_powered:
            return
        if info.is_accepted:
            self._admit(token.with_parent(info.parent_id_tag), connectors)
        else:
            log.info("a card is not accepted: %s", info.status)

    def _served(self, connectors: Collection[int]) -> Sequence[Served]:
        return [self._station.evse(connector_id) for connector_id in connectors]

    def _admit(self, token: Token, connectors: Collection[int]) -> None:
        options = self._station.options
        ruling = after_authorization(
            token,
            self._served(connectors),
            selection=options.selection,
            starting_goes_first=options.authorization_before_stopping,
        )
        self._carry_out(ruling, token, connectors)

    def _carry_out(self, ruling: Ruling, token: Token, connectors: Collection[int]) -> None:
        if ruling.act is Act.IGNORE:
            log.info("a card is ignored: %s", IGNORED[ruling.rule])
        else:
            log.debug("a card: %s (access rule %d)", ruling.act, ruling.rule)
        match ruling.act:
            case Act.STOP:
                self._station.evse(ruling.connector_id).stop_transaction(Reason.LOCAL, card=token.id_tag)
            case Act.START:
                self._station.evse(ruling.connector_id).authorize(token)
            case Act.AWAIT_PLUG:
                self._await_plug(token, connectors)
            case Act.IGNORE | Act.AUTHORIZE:
                pass

    def _await_plug(self, token: Token, connectors: Collection[int]) -> None:
        if self._in_process is None:
            self._in_process = {}
        waiting = [one for one in self._in_process.values() if one is not None]
        if len(waiting) >= MOST_WAITING:
            log.info("a card waits no longer: too many do")
            waiting[0].end()
        self._in_process[token.key] = _WaitingTag(self, token, connectors)

    def timer(self, expired: Callable[[], None]) -> Wait:
        """How long a tag waits."""
        return self._station.connection_timer(expired)

    def forget(self, token: Token) -> None:
        """The token is in process no more."""
        if self._in_process is not None:
            self._in_process.pop(token.key, None)


class _WaitingTag:
    """An accepted tag that waits for a plug, at most ConnectionTimeOut seconds."""

    __slots__ = ("_reader", "_timer", "connectors", "token")

    def __init__(self, reader: CardReader, token: Token, connectors: Collection[int]) -> None:
        self._reader = reader
        self.token = token
        self.connectors = connectors
        self._timer = reader.timer(self.end)

    def end(self) -> None:
        self._timer.cancel()
        self._reader.forget(self.token)
