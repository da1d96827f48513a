"""One EVSE with its connector: what the hardware knows and does, and the facts it tells the charge point.

Rules of this file:
1. The EVSE tells facts in the order in which they happen and never waits for what the Central System makes of them:
   plugged in and authorized is a transaction.
2. A session lasts from the first plug-in or authorization to the unplugging; a transaction lies within it. After its
   end, and after a plug-in that nobody authorized in time, the connector is spent until the next plug-in.
3. An unplugging at the car stops the transaction if StopTransactionOnEVSideDisconnect says so. Otherwise it goes on
   without a car: SuspendedEV, until somebody plugs in again or stops it.
4. What changed beneath a fault is told before the fault is said to be over, so that its end is one status.

What flows at the connector, and how that is told, is its outlet's (outlet.py).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ocpp16.configuration.keys import core
from ocpp16.enums import ChargePointErrorCode, Reason, SessionStartedReason
from ocpp16.simulation.access import Reservation, Token
from ocpp16.simulation.car import Car, CarPlan
from ocpp16.simulation.flow import Flow
from ocpp16.simulation.outlet import Outlet
from ocpp16.state.timers import Timer
from ocpp16.state.transaction import Transaction

if TYPE_CHECKING:
    from ocpp16.simulation.station import SimulatedStation


class Evse(Outlet):
    """Connector `connector_id` (from 1) of `station`. It is a `Place` of the access rules and a car's `Socket`."""

    __slots__ = (
        "_is_spent",
        "_reservation_id",
        "_waiting",
        "is_enabled",
        "reservation",
        "session_id",
        "since",
        "token",
    )

    def __init__(self, station: "SimulatedStation", connector_id: int, former: "Evse | None" = None) -> None:
        """`former`: this EVSE with an earlier charge point, whose meter, faults and car are still there."""
        super().__init__(station, connector_id, former)
        if self.car is not None:
            self.car.stay(self, self._charge_point.for_station.timers)
        self.token: Token | None = None
        self.reservation: Reservation | None = None
        self.session_id: str | None = None
        self.is_enabled = True
        self.since = 0
        """When the transaction began, µs UTC."""
        self._is_spent = False
        self._reservation_id: int | None = None
        self._waiting: Timer | None = None

    # What others see

    @property
    def is_operative(self) -> bool:
        return self.is_enabled and not self.faults.is_faulted

    @property
    def is_free(self) -> bool:
        return self.token is None and not self.has_transaction and not self._is_spent

    @property
    def id_tag(self) -> str | None:
        return None if self.token is None else self.token.id_tag

    @property
    def parent_id_tag(self) -> str | None:
        """Of the token; StartTransaction.conf may have told another one than Authorize.conf."""
        if self.token is None:
            return None
        transaction = self._charge_point.transaction(self.connector_id) if self.has_transaction else None
        told = None if transaction is None else transaction.parent_id_tag
        return self.token.parent_id_tag if told is None else told

    # What the car does

    def plug_in(self, plan: CarPlan) -> None:
        """Let a car come; ignored while one is there."""
        if self.car is None:
            self.car = Car(plan, self, self._charge_point.for_station.timers, self._now)
            if not self._station.is_powered:
                self.car.hold()

    def unplug(self) -> None:
        """The car goes, whatever its plan. Nothing happens if there is none."""
        car, self.car = self.car, None
        if car is None:
            return
        car.leave()
        if not car.is_plugged:
            return
        if self._charge_point.configuration[core.STOP_TRANSACTION_ON_EV_SIDE_DISCONNECT]:
            self._end_transaction(Reason.EV_DISCONNECTED)
        self.plugged_at = None
        self._is_spent = False
        if self.has_transaction:
            self._changed()
        else:
            self._end_session()
        if car.has_failed:
            self.clear_fault(ChargePointErrorCode.OTHER_ERROR)

    def car_plugged(self) -> None:
        self.plugged_at = self._now
        if self.has_transaction:  # the cable is in again
            self._changed()
            return
        if self._station.options.meter_reset_at_plug_in:
            self.meter.start_from(0.0, self._now)
        self._energy_at_plug_in = self.meter.energy(self._now)
        self._begin_plugged_session()

    def car_changed(self) -> None:
        self._changed()

    def diode_failed(self) -> None:
        self.raise_fault(ChargePointErrorCode.OTHER_ERROR)

    # What is decided about it

    def authorize(self, token: Token) -> None:
        """The connector belongs to the token until ConnectionTimeOut, or for its transaction."""
        self.token = token
        if self.reservation is not None:
            self._reservation_id = self.reservation.reservation_id
            self.reservation = None
        self._begin_session(SessionStartedReason.AUTHORIZED)
        self._wait(self._authorization_timed_out)
        self._start_if_ready()

    def stop_transaction(self, reason: Reason, *, card: str | None = None) -> bool:
        """Stop the transaction; False if there is none. `card`: the id tag of the card that stops it."""
        was_running = self._end_transaction(reason, card)
        if was_running and not self.is_plugged:
            self._end_session()  # nobody will come and unplug
        else:
            self._is_spent = self._is_spent or was_running
        return was_running

    def unlock(self) -> None:
        """Release the cable; a transaction is stopped in the next turn, so that UnlockConnector.conf goes first."""
        if self.has_transaction:
            self._charge_point.for_station.timers.at(self._now, self._unlocked)

    def _unlocked(self) -> None:
        self.stop_transaction(Reason.UNLOCK_COMMAND)

    def pause(self) -> bool:
        """Give no more energy in this transaction; False if there is none."""
        if self.has_transaction:
            self._is_paused = True
            self._changed()
        return self.has_transaction

    def enable(self) -> None:
        """Back into service. A car that waited there begins a new session, which says that the connector is in service:
        told apart, the connector would be Available and Preparing in the same instant.
        """
        if self.is_enabled:
            return
        if not self.has_transaction:
            self._end_session()
        self.is_enabled = True
        if self.is_plugged and not self.has_transaction:
            self._is_spent = False
            self._begin_plugged_session()
        else:
            self._charge_point.on_enabled(self.connector_id)

    def disable(self) -> None:
        """Out of service; a transaction goes on."""
        if self.is_enabled:
            self.is_enabled = False
            self._charge_point.on_disabled(self.connector_id)

    def raise_fault(self, code: ChargePointErrorCode, is_fault: bool = True) -> None:
        """Report an error; a fault also cuts the current while it lasts."""
        self.faults.raise_error(code, is_fault)
        self._changed()

    def clear_fault(self, code: ChargePointErrorCode) -> None:
        told = self.faults.forget(code)
        self._changed()
        self.faults.tell_cleared(code, told)
        self._start_if_ready()

    def power_up(self) -> None:
        """The charge point runs (again) and knows nothing of what is going on here."""
        self.offered = None
        self.faults.tell_again()
        if self.is_plugged and not self.has_transaction:
            self._begin_plugged_session()
        if self.car is not None:
            self.car.go_on()

    def resume(self, transaction: Transaction) -> None:
        """After a power loss: the transaction goes on, and so does its car; one that is not known draws on."""
        now = self._now
        self.meter.start_from(max(self.meter.register(now), transaction.meter_last), now)
        if self.car is None:
            self.car = Car.found_charging(self, self._charge_point.for_station.timers, now)
            self.plugged_at = now
            self._energy_at_plug_in = self.meter.energy(now)
        self.token = Token(transaction.id_tag, transaction.parent_id_tag)
        self.session_id = transaction.session_id
        self.has_transaction = True
        self.since = transaction.started_at
        self._is_paused = transaction.is_refused
        self._charge_point.on_session_started(self.connector_id, self.session_id, SessionStartedReason.EV_CONNECTED)

    def power_down(self) -> None:
        """The charge point stopped: sessions are over, cars stand still where they are."""
        self._wait(None)
        self.token = self.session_id = self._reservation_id = None
        self.has_transaction = self._is_paused = self._is_spent = False
        self.flow = Flow.NOT_YET
        self._let_flow()
        if self.car is not None:
            self.car.hold()

    def _changed(self) -> None:
        """What the car wants, or may have, is something else now."""
        self._station.supply.changed(self.connector_id)

    # Session and transaction

    def _begin_session(self, reason: SessionStartedReason) -> None:
        if self.session_id is None and self.is_enabled:
            self.session_id = self._station.new_session_id(self.connector_id)
            self._charge_point.on_session_started(self.connector_id, self.session_id, reason)

    def _begin_plugged_session(self) -> None:
        """A car is there: charge if somebody was authorized already, else wait for that."""
        self._begin_session(SessionStartedReason.EV_CONNECTED)
        self._station.reader.plugged(self)
        self._start_if_ready()
        # Where there is only one connector, nobody else could use it anyway.
        if self.session_id is not None and self.is_free and len(self._station.evses) > 1:
            self._wait(self._plug_timed_out)

    def _end_session(self) -> None:
        self._wait(None)
        self.token = self._reservation_id = None
        session_id, self.session_id = self.session_id, None
        if session_id is not None:
            self._charge_point.on_session_stopped(self.connector_id, session_id)

    def _start_if_ready(self) -> None:
        if self.token is None or self.session_id is None or self.has_transaction:
            return
        if not self.is_plugged or not self.is_operative:
            return
        self._wait(None)
        self.since = self._charge_point.for_station.clock.now()
        self._charge_point.on_transaction_started(
            self.connector_id,
            self.session_id,
            self.token.id_tag,
            self.register(),
            reservation_id=self._reservation_id,
            timestamp=self._charge_point.for_station.clock.now_datetime(),
        )
        # Not before: a limit may come out of that call, and the flow is told after the start.
        self.has_transaction = True
        self._changed()

    def _end_transaction(self, reason: Reason, card: str | None = None) -> bool:
        if not self.has_transaction:
            return False
        assert self.session_id is not None, "a transaction lies within a session"
        energy = self.register()
        self.token = self._reservation_id = None
        self.has_transaction = self._is_paused = False
        self._charge_point.on_transaction_stopped(
            self.connector_id,
            self.session_id,
            reason,
            energy,
            timestamp=self._charge_point.for_station.clock.now_datetime(),
            id_tag_end=card,
        )
        self._changed()
        return True

    def _wait(self, expired: Callable[[], None] | None) -> None:
        """Give what the connector waits for ConnectionTimeOut seconds; None: it waits for nothing."""
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = None if expired is None else self._station.connection_timer(expired)

    def _authorization_timed_out(self) -> None:
        self._waiting = self.token = self._reservation_id = None
        if not self.is_plugged:  # else it was faulted all the while; the car keeps the session
            self._end_session()

    def _plug_timed_out(self) -> None:
        self._waiting = None
        self._is_spent = True
