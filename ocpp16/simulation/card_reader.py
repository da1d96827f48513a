"""The card reader: takes a token through the access rules, asks the charge point, and has the EVSE act.

The rules themselves are in access.py. A token is in process from the moment it is presented until the rules have
decided what it gets; presenting it again meanwhile changes nothing.
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ocpp16.enums import Reason
from ocpp16.errors import ChargePointStopped
from ocpp16.simulation.access import Act, Decision, Token, admission, after_authorization, before_authorization
from ocpp16.state.timers import Timer
from ocpp16.texts import shown

if TYPE_CHECKING:
    from ocpp16.simulation.evse import Evse
    from ocpp16.simulation.station import SimulatedStation

log = logging.getLogger("ocpp16.simulation")


class CardReader:
    """The one reader of a station; it serves any of its connectors."""

    __slots__ = ("_in_process", "_station", "_waiting")

    def __init__(self, station: "SimulatedStation") -> None:
        self._station = station
        self._in_process: list[str] = []
        self._waiting: list[_WaitingTag] = []

    def present(self, token: Token, connectors: Sequence[int]) -> None:
        """A token is presented for one of `connectors`. Returns at once; what must be asked is asked in a task.

        A reader without power sees none.
        """
        if not self._station.is_powered:
            return
        places = [self._station.evse(connector_id) for connector_id in connectors]
        decision = before_authorization(token, places, self._in_process)
        if decision.act is not Act.AUTHORIZE:
            self._carry_out(decision, token, places)
        elif token.is_prevalidated:
            self._admit(token, places)
        else:
            self._in_process.append(token.key)
            self._station.charge_point.for_station.spawn(self._authorize, token, places)

    def plugged(self, evse: "Evse") -> None:
        """A car was plugged in: the tag that waits longest for this connector gets it."""
        for waiting in self._waiting:
            if evse in waiting.places and evse.is_operative and evse.is_free:
                waiting.end()
                self._carry_out(admission(waiting.token, evse), waiting.token, waiting.places)
                return

    def power_down(self) -> None:
        """Forget every tag that waits, also one whose question came when nothing began any more."""
        for waiting in tuple(self._waiting):
            waiting.end()
        self._in_process.clear()

    async def _authorize(self, token: Token, places: "Sequence[Evse]") -> None:
        """Rule 5."""
        try:
            info = await self._station.charge_point.authorize_id_token(token.id_tag)
        except ChargePointStopped:
            return
        finally:
            self._forget(token.key)
        if not self._station.is_powered:
            return
        if info.is_accepted:
            self._admit(token.with_parent(info.parent_id_tag), places)
        else:
            log.info("id tag %s is not accepted: %s", shown(token.id_tag), info.status)

    def _admit(self, token: Token, places: "Sequence[Evse]") -> None:
        options = self._station.options
        decision = after_authorization(
            token, places, selection=options.selection, starting_goes_first=options.authorization_before_stopping
        )
        self._carry_out(decision, token, places)

    def _carry_out(self, decision: Decision, token: Token, places: "Sequence[Evse]") -> None:
        log.debug("id tag %s: %s (access rule %d)", shown(token.id_tag), decision.act, decision.rule)
        match decision.act:
            case Act.STOP:
                self._station.evse(decision.connector_id).stop_transaction(Reason.LOCAL, card=token.id_tag)
            case Act.START:
                self._station.evse(decision.connector_id).authorize(token)
            case Act.AWAIT_PLUG:
                self._in_process.append(token.key)
                self._waiting.append(_WaitingTag(self, token, places))
            case Act.IGNORE | Act.AUTHORIZE:
                pass

    def _wait(self, waiting: "_WaitingTag") -> Timer | None:
        return self._station.connection_timer(waiting.end)

    def _waits_no_more(self, waiting: "_WaitingTag") -> None:
        self._waiting.remove(waiting)
        self._forget(waiting.token.key)

    def _forget(self, key: str) -> None:
        if key in self._in_process:
            self._in_process.remove(key)


class _WaitingTag:
    """An accepted tag that waits for a plug, at most ConnectionTimeOut seconds."""

    __slots__ = ("_reader", "_timer", "places", "token")

    def __init__(self, reader: CardReader, token: Token, places: "Sequence[Evse]") -> None:
        self._reader = reader
        self.token = token
        self.places = places
        self._timer = reader._wait(self)

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._reader._waits_no_more(self)
