"""The hardware of the charge point: EVerest's modules, asked for what the charge point asks.

Plain functions, called in threads of the charge point's. What EVerest's side does wrong has the outcome that
`questions` names; here is what is told to the charge point then.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from ocpp16.enums import (
    DataTransferStatus,
    Reason,
    ReservationCheckStatus,
    ReservationStatus,
    ResetType,
    UnlockStatus,
)
from ocpp16.everest.authorization import provided_token
from ocpp16.everest.border import Part, rfc3339
from ocpp16.everest.maintenance import Maintenance
from ocpp16.everest.prices import default_price, display_messages, session_cost, tariff_message
from ocpp16.everest.side import EverestSide
from ocpp16.everest.topology import Topology
from ocpp16.models import ChargingLimit, DataTransferResponse
from ocpp16.prices import DisplayMessage, RunningCost, RunningCostState, TariffMessage

__all__ = ["DisplayingStation", "EverestStation"]

PRIORITY: Final = 5000
"""Of what the Central System enables or disables, among others who do."""
SHORTEST_TIMEOUT, LONGEST_TIMEOUT = 10, 300
"""Seconds that `auth` takes as a connection timeout."""
LONGEST_DATA: Final = 1_000_000
_ACCEPTED: Final = DataTransferResponse(DataTransferStatus.ACCEPTED)
_REJECTED: Final = DataTransferResponse(DataTransferStatus.REJECTED)


class EverestStation(Maintenance):
    """`restart` of the module: `reset(kind)` stops the charge point and resets the system; `changed()` is told that
    charging profiles count otherwise."""

    def __init__(
        self,
        side: EverestSide,
        topology: Topology,
        *,
        reset: Callable[[ResetType], None],
        changed: Callable[[], None],
    ) -> None:
        super().__init__(side)
        self._topology = topology
        self._reset = reset
        self._changed = changed

    def attach(self, charge_point: Any) -> None:
        self.charge_point = charge_point

    def measurement(self, connector_id: int) -> None:
        """EVerest tells readings by itself."""

    # Core

    def enable_evse(self, connector_id: int) -> None:
        self._enable_disable(connector_id, is_enabled=True)

    def disable_evse(self, connector_id: int) -> None:
        self._enable_disable(connector_id, is_enabled=False)

    def disable_evses(self, connector_ids: Iterable[int]) -> None:
        """Those of these connectors, all at the same time."""
        first: dict[int, int] = {}
        for connector_id in connector_ids:
            first.setdefault(self._topology.evse(connector_id), connector_id)
        asked = {evse - 1: _enabling(is_enabled=False) for evse in first}
        answers = self._side.ask_each("evse_manager", "enable_disable", asked)
        for evse, connector_id in first.items():
            self._tell_enabled(connector_id, answers[evse - 1], is_wanted=False)

    def _enable_disable(self, connector_id: int, *, is_enabled: bool) -> None:
        answer = self._of_evse(connector_id, "enable_disable", _enabling(is_enabled=is_enabled))
        self._tell_enabled(connector_id, answer, is_wanted=is_enabled)

    def _tell_enabled(self, connector_id: int, is_enabled: bool | None, *, is_wanted: bool) -> None:
        """What the EVSE is afterwards is told, for where it was that before EVerest tells nothing; that may be
        something else than was asked for, where somebody of a higher priority wants it."""
        if is_enabled is None:
            return
        if is_enabled is not is_wanted:
            words = ("enabled", "disabled") if is_enabled else ("disabled", "enabled")
            self._side.log.warning(
                "EVSE %s stays %s, though it was to be %s: another source has priority",
                self._topology.evse(connector_id),
                *words,
            )
        if is_enabled:
            self.charge_point.on_enabled(connector_id)
        else:
            self.charge_point.on_disabled(connector_id)

    def pause_charging(self, connector_id: int) -> None:
        """That it is paused is told by a session event."""
        if self._of_evse(connector_id, "pause_charging") is False:
            self._refused("pause_charging", connector_id)

    def stop_transaction(self, connector_id: int, reason: Reason) -> None:
        """That it is stopped is told by a session event."""
        if self._of_evse(connector_id, "stop_transaction", {"request": {"reason": str(reason)}}) is False:
            self._refused("stop_transaction", connector_id)

    def unlock_connector(self, connector_id: int) -> UnlockStatus:
        connector = self._topology.place(connector_id)[1]
        answer = self._of_evse(connector_id, "force_unlock", {"connector_id": connector})
        if answer is None:
            return UnlockStatus.UNLOCK_FAILED
        return UnlockStatus.UNLOCKED if answer else UnlockStatus.NOT_SUPPORTED

    def provide_token(self, id_tag: str, connectors: Sequence[int], prevalidated: bool) -> None:
        evses = dict.fromkeys(self._topology.evse(connector) for connector in connectors)
        self._side.publish("auth_provider", "provided_token", provided_token(id_tag, list(evses), prevalidated))

    def is_reset_allowed(self, kind: ResetType) -> bool:
        allowed: bool = self._side.ask("system", "is_reset_allowed", {"type": str(kind)})
        return allowed

    def reset(self, kind: ResetType) -> None:
        self._reset(kind)

    def set_system_time(self, time: datetime) -> None:
        self._side.ask("system", "set_system_time", {"timestamp": rfc3339(time)})

    def set_connection_timeout(self, seconds: int) -> None:
        taken = min(max(seconds, SHORTEST_TIMEOUT), LONGEST_TIMEOUT)
        if taken != seconds:
            self._side.log.warning(
                "ConnectionTimeOut %s s: auth of EVerest takes %s to %s s, and is told %s",
                seconds,
                SHORTEST_TIMEOUT,
                LONGEST_TIMEOUT,
                taken,
            )
        self._side.ask("auth", "set_connection_timeout", {"connection_timeout": taken})

    def data_transfer(self, vendor_id: str, message_id: str | None, data: str | None) -> DataTransferResponse:
        if not self._side.connections("data_transfer"):
            return DataTransferResponse(DataTransferStatus.UNKNOWN_VENDOR_ID)
        request = {"vendor_id": vendor_id, "message_id": message_id, "data": data}
        given = {name: value for name, value in request.items() if value is not None}
        answer = self._side.ask("data_transfer", "data_transfer", {"request": given})
        if answer is None:
            return _REJECTED
        part = Part(answer, "data_transfer.data_transfer", self._side.log)
        status = part.word(DataTransferStatus, "status", is_needed=True)
        return DataTransferResponse(status, part.text("data", LONGEST_DATA)) if status is not None else _REJECTED

    # Reservation: EVerest keeps them

    def reserve_now(
        self, reservation_id: int, connector_id: int, expiry_date: datetime, id_tag: str, parent_id_tag: str | None
    ) -> ReservationStatus:
        request: dict[str, Any] = {
            "reservation_id": reservation_id,
            "id_token": id_tag,
            "expiry_time": rfc3339(expiry_date),
            **self._named_evse(connector_id),
        }
        if parent_id_tag is not None:
            request["parent_id_token"] = parent_id_tag
        status: ReservationStatus | None = self._side.ask("reservation", "reserve_now", {"request": request})
        if status is None:  # it may be made yet
            self.cancel_reservation(reservation_id)
            return ReservationStatus.REJECTED
        return status

    def cancel_reservation(self, reservation_id: int) -> bool:
        is_cancelled: bool = self._side.ask("reservation", "cancel_reservation", {"reservation_id": reservation_id})
        return is_cancelled

    def is_token_reserved_for_connector(self, connector_id: int, id_tag: str) -> ReservationCheckStatus:
        request = {"id_token": id_tag, **self._named_evse(connector_id)}
        status: ReservationCheckStatus = self._side.ask("reservation", "exists_reservation", {"request": request})
        return status

    # Smart charging

    def charging_limit_changed(self, connector_id: int, limit: ChargingLimit) -> None:
        """EVerest is told whole schedules (`schedules`); a limit that is another one now makes them anew."""
        self._changed()

    def signal_set_charging_profiles(self) -> None:
        self._changed()

    # Prices

    def tariff_message(self, message: TariffMessage) -> DataTransferResponse:
        self._side.publish("session_cost", "tariff_message", tariff_message(message))
        return _ACCEPTED

    def session_cost(self, cost: RunningCost, number_of_decimals: int) -> DataTransferResponse:
        self._side.publish("session_cost", "session_cost", session_cost(cost, number_of_decimals))
        has_display = self._side.connections("display_message")
        if cost.state is RunningCostState.FINISHED and cost.cost_messages and not has_display:
            self._side.log.warning("a final cost is told by session_cost only: no display_message is connected")
        return _ACCEPTED

    def default_price(self, message: TariffMessage) -> None:
        self._side.publish("session_cost", "default_price", default_price(message))

    def _of_evse(self, connector_id: int, command: str, arguments: dict[str, Any] | None = None) -> Any:
        return self._side.ask("evse_manager", command, arguments, self._topology.evse(connector_id) - 1)

    def _named_evse(self, connector_id: int) -> dict[str, int]:
        """Of connector 0, which is any one, no EVSE is named."""
        return {"evse_id": self._topology.evse(connector_id)} if connector_id else {}

    def _refused(self, command: str, connector_id: int) -> None:
        evse = self._topology.evse(connector_id)
        self._side.log.warning("%s of EVSE %s was not done", command, evse, about=(command, evse))


class DisplayingStation(EverestStation):
    """Where a module for display_message is connected."""

    def set_display_message(self, messages: Sequence[DisplayMessage]) -> DataTransferResponse:
        request = display_messages(messages)
        answer = self._side.ask("display_message", "set_display_message", {"request": request})
        if answer is None:
            return _REJECTED
        return _ACCEPTED if answer["status"] == "Accepted" else _REJECTED


def _enabling(*, is_enabled: bool) -> dict[str, Any]:
    """Arguments of `enable_disable`, for a whole EVSE."""
    source = {
        "enable_source": "CSMS",
        "enable_state": "Enable" if is_enabled else "Disable",
        "enable_priority": PRIORITY,
    }
    return {"connector_id": 0, "cmd_source": source}
