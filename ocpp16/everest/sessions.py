"""`session_event` of EVerest's EVSEs, as facts of the charge point.

HANDLERS is the table; events that are not in it say nothing in OCPP 1.6.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from ocpp16.enums import Reason, SessionStartedReason
from ocpp16.everest.border import Part
from ocpp16.everest.readings import Readings
from ocpp16.everest.topology import Topology
from ocpp16.log import FoldingLog

__all__ = ["SessionEvents"]

LONGEST_TAG: Final = 20
"""Characters of an id tag in OCPP 1.6."""
_DETAILS: Final = ("start_signed_meter_value", "signed_meter_value", "timestamp", "id_tag_end")
DISPENSABLE: Final[tuple[Sequence[str], ...]] = ((), *((name,) for name in _DETAILS), _DETAILS)
"""Details without which a transaction is told, where it must be, in this order."""


class SessionEvent(NamedTuple):
    """What is common to all of them. `connector`: as OCPP counts."""

    evse: int
    connector: int
    session: str
    timestamp: datetime | None
    part: Part


class SessionEvents:
    def __init__(self, charge_point: Any, topology: Topology, readings: Readings, log: FoldingLog) -> None:
        self._charge_point = charge_point
        self._topology = topology
        self._readings = readings
        self._log = log

    def tell(self, evse: int, value: Any) -> None:
        """Raises ValueError for what cannot be, as the charge point does."""
        part = Part(value, "session_event", self._log)
        name = part.text("event", is_needed=True)
        handler = HANDLERS.get(name or "")
        if handler is None:
            return
        connector = self._connector(evse, part)
        session = part.text("uuid", is_needed=True) or self._running(connector)
        timestamp = part.time("timestamp", is_needed=True)
        handler(self, SessionEvent(evse, connector, session, timestamp, part))

    def _connector(self, evse: int, part: Part) -> int:
        """The first of the EVSE, if it has not the one that is named: no end of a transaction is to be lost."""
        named = part.whole("connector_id", 1)
        try:
            return self._topology.number(evse, named)
        except ValueError as error:
            self._log.warning("from EVerest: %s; it is taken as its first one", str(error), about=(evse, named))
            return self._topology.number(evse)

    def _running(self, connector: int) -> str:
        """The session of an event that names none, which is the one that has a transaction."""
        transaction = self._charge_point.transaction(connector)
        return "" if transaction is None else str(transaction.session_id)

    def _enabled(self, event: SessionEvent) -> None:
        for connector in self._topology.numbers(event.evse):
            self._charge_point.on_enabled(connector)

    def _disabled(self, event: SessionEvent) -> None:
        for connector in self._topology.numbers(event.evse):
            self._charge_point.on_disabled(connector)

    def _session_started(self, event: SessionEvent) -> None:
        part = event.part.part("session_started", is_needed=True)
        reason, path = None, None
        if part is not None:
            reason = part.word(SessionStartedReason, "reason", is_needed=True)
            path = part.text("logging_path", 4096, 1)
        why = reason or SessionStartedReason.EV_CONNECTED
        self._charge_point.on_session_started(event.connector, event.session, why, path)

    def _session_finished(self, event: SessionEvent) -> None:
        self._readings.session_finished(event.evse)
        self._charge_point.on_session_stopped(event.connector, event.session)

    def _transaction_started(self, event: SessionEvent) -> None:
        part = event.part.part("transaction_started", is_needed=True)
        if part is None:
            return
        tag = self._tag(part, is_needed=True)
        if tag is None:
            return
        energy = self._readings.energy(event.evse, part.part("meter_value", is_needed=True))
        self._tell(
            self._charge_point.on_transaction_started,
            event.connector,
            event.session,
            tag,
            self._or_zero(energy, event),
            reservation_id=part.whole("reservation_id"),
            timestamp=event.timestamp,
            signed_meter_value=self._readings.signed(part),
        )

    def _transaction_finished(self, event: SessionEvent) -> None:
        part = event.part.part("transaction_finished", is_needed=True)
        reason = tag = signed = begin = meter = None
        if part is not None:
            reason = part.text("reason")
            tag = self._tag(part, is_needed=False)
            signed = self._readings.signed(part)
            begin = self._readings.signed(part, "start_signed_meter_value")
            meter = part.part("meter_value", is_needed=True)
        energy = self._readings.energy(event.evse, meter)
        self._tell(
            self._charge_point.on_transaction_stopped,
            event.connector,
            event.session,
            REASONS.get(reason or "", Reason.OTHER),
            self._or_zero(energy, event),
            timestamp=event.timestamp,
            id_tag_end=tag,
            signed_meter_value=signed,
            start_signed_meter_value=begin,
        )

    def _tell(self, tell: Callable[..., object], *arguments: Any, **details: Any) -> None:
        """A detail that the charge point cannot take, as a time of 1970 or a signed value longer than a message, does
        not cost the transaction: the rest is told without it. Raises ValueError for what cannot be told at all."""
        refusal: ValueError | None = None
        for spared in DISPENSABLE:
            try:
                tell(*arguments, **{name: value for name, value in details.items() if name not in spared})
            except ValueError as error:
                refusal = refusal or error
                continue
            if refusal is not None:
                self._log.warning("from EVerest: %s; all else of the transaction is told", str(refusal))
            return
        if refusal is not None:
            raise refusal

    def _charging_started(self, event: SessionEvent) -> None:
        self._charge_point.on_resume_charging(event.connector)

    def _paused_by_ev(self, event: SessionEvent) -> None:
        self._charge_point.on_suspend_charging_ev(event.connector)

    def _paused_by_evse(self, event: SessionEvent) -> None:
        self._charge_point.on_suspend_charging_evse(event.connector)

    def _switching_phases(self, event: SessionEvent) -> None:
        self._charge_point.on_suspend_charging_evse(event.connector, "SwitchingPhases")

    def _reservation_start(self, event: SessionEvent) -> None:
        self._charge_point.on_reservation_start(event.connector)

    def _reservation_end(self, event: SessionEvent) -> None:
        self._charge_point.on_reservation_end(event.connector)

    def _plugin_timeout(self, event: SessionEvent) -> None:
        self._charge_point.on_plugin_timeout(event.connector)

    def _tag(self, part: Part, *, is_needed: bool) -> str | None:
        """Cut to what OCPP 1.6 can carry: with a longer one, as of a contract, there would be no transaction at all."""
        provided = part.part("id_tag", is_needed=is_needed)
        token = None if provided is None else provided.part("id_token", is_needed=True)
        tag = None if token is None else token.text("value", 255, 1, is_needed=True)
        if tag is not None and len(tag) > LONGEST_TAG:
            self._log.warning("%s: %s is cut to %s characters", f"{part.place}.id_tag", tag, LONGEST_TAG, about=tag)
        return None if tag is None else tag[:LONGEST_TAG]

    def _or_zero(self, energy: float | None, event: SessionEvent) -> float:
        if energy is not None:
            return energy
        checkpoint = self._charge_point.for_station.meter_checkpoint(event.connector)
        found = float(checkpoint or 0)
        self._log.warning("no reading of EVSE %s is known: its energy is taken as %s Wh", event.evse, found)
        return found


REASONS: Final[Mapping[str, Reason]] = MappingProxyType({str(reason): reason for reason in Reason})
"""EVerest has more, those of OCPP 2.0.1: they are Other."""

HANDLERS: Final[Mapping[str, Callable[[SessionEvents, SessionEvent], None]]] = MappingProxyType(
    {
        "Enabled": SessionEvents._enabled,
        "Disabled": SessionEvents._disabled,
        "SessionStarted": SessionEvents._session_started,
        "TransactionStarted": SessionEvents._transaction_started,
        "ChargingStarted": SessionEvents._charging_started,
        "ChargingResumed": SessionEvents._charging_started,  # of older versions of EVerest, as the next one
        "WaitingForEnergy": SessionEvents._paused_by_evse,
        "ChargingPausedEV": SessionEvents._paused_by_ev,
        "ChargingPausedEVSE": SessionEvents._paused_by_evse,
        "SwitchingPhases": SessionEvents._switching_phases,
        "TransactionFinished": SessionEvents._transaction_finished,
        "SessionFinished": SessionEvents._session_finished,
        "ReservationStart": SessionEvents._reservation_start,
        "ReservationEnd": SessionEvents._reservation_end,
        "PluginTimeout": SessionEvents._plugin_timeout,
    }
)
