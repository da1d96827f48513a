"""One EVSE with its connector: what is decided about it, and the facts it tells the charge point.

Rules of this file:
1. The EVSE tells facts in the order in which they happen and never waits for what the Central System makes of them:
   plugged in and authorized is a transaction.
2. A transaction lies within a session (occupancy.py).
3. An unplugging at the car stops the transaction if StopTransactionOnEVSideDisconnect says so. Otherwise it goes on
   without a car: SuspendedEV, until somebody plugs in again or stops it.
4. What changed beneath a fault is told before the fault is said to be over, so that its end is one status.

What flows at the connector, and how that is told, is its outlet's (outlet.py).
"""

from typing import Protocol

from ocpp16.configuration.keys import core
from ocpp16.enums import ChargePointErrorCode, ChargePointStatus, Reason, ReservationCheckStatus, SessionStartedReason
from ocpp16.models import Measurement, SignedMeterValue
from ocpp16.simulation.access import Token
from ocpp16.simulation.battery import Pack
from ocpp16.simulation.car import Car, CarPlan
from ocpp16.simulation.dc_outlet import DcOutlet
from ocpp16.simulation.occupancy import Desk, Occupancy
from ocpp16.simulation.outlet import Outlet, Wiring
from ocpp16.simulation.parked_cars import Parked, ParkedCars
from ocpp16.simulation.signed_energy import SignedEnergy, Signing
from ocpp16.state.clock import to_datetime
from ocpp16.state.transaction import Transaction


class Premises(Wiring, Desk, Signing, Protocol):
    """The station as its EVSEs see it."""

    @property
    def is_powered(self) -> bool: ...

    @property
    def number_of_connectors(self) -> int: ...

    @property
    def parked(self) -> ParkedCars: ...

    def wishes_changed(self, connector_id: int) -> None:
        """What the car there would draw, or may, is something else now."""
        ...

    def car_came(self, connector_id: int) -> None:
        """A car was plugged in; a tag may wait for it."""
        ...


class Evse:
    """Connector `connector_id` (from 1) of `station`. It is `Served` by the card reader and a car's `Socket`.

    `former`: this EVSE with an earlier charge point, whose meter, faults and car are still there.
    """

    __slots__ = ("_occupancy", "_station", "_transaction", "is_enabled", "outlet")

    def __init__(self, station: Premises, connector_id: int, former: "Evse | None" = None) -> None:
        self._station = station
        self._occupancy = Occupancy(station, connector_id)
        kind = DcOutlet if station.options.is_dc(connector_id) else Outlet
        self.outlet: Outlet = kind(station, connector_id, None if former is None else former.outlet)
        self._transaction: Transaction | None = None
        """As the charge point keeps it, while it runs."""
        self.is_enabled: bool = True
        """In service, as the charge point said last."""
        if self.outlet.car is not None:
            self.outlet.car.stay(self, station.charge_point.for_station.timers)

    # What others see

    @property
    def connector_id(self) -> int:
        """From 1."""
        return self.outlet.connector_id

    @property
    def is_operative(self) -> bool:
        """In service and not faulted?"""
        return self.is_enabled and not self.outlet.faults.is_faulted

    @property
    def is_free(self) -> bool:
        """No token assigned, no transaction, and not used up until the next plug-in?"""
        return self._occupancy.token is None and not self.has_transaction and not self._occupancy.is_spent

    @property
    def has_transaction(self) -> bool:
        """Does a transaction run?"""
        return self.outlet.has_transaction

    @property
    def session_id(self) -> str | None:
        """Of the session here; None: there is none."""
        return self._occupancy.session_id

    @property
    def id_tag(self) -> str | None:
        """Of the token that was assigned; None: there is none."""
        token = self._occupancy.token
        return None if token is None else token.id_tag

    @property
    def parent_id_tag(self) -> str | None:
        """Of the token; StartTransaction.conf may have told another one than Authorize.conf."""
        token = self._occupancy.token
        if token is None:
            return None
        told = None if self._transaction is None else self._transaction.parent_id_tag
        return token.parent_id_tag if told is None else told

    @property
    def plugged_at(self) -> float | None:
        """When the car was plugged in, in seconds of the clock of the charge point; None: it is not."""
        return self.outlet.plugged_at

    def reserved(self, token: Token) -> ReservationCheckStatus:
        """Whom it is reserved for, as far as this token is concerned."""
        reservations = self._station.charge_point.for_station.reservations
        return reservations.is_token_reserved_for_connector(self.connector_id, token.id_tag, token.parent_id_tag)

    @property
    def car(self) -> Car | None:
        """The car that is here or on its way; None: there is none."""
        return self.outlet.car

    @property
    def limit(self) -> float | None:
        """Amperes per phase (DC: at the outlet) that smart charging allows; None: as many as there are."""
        return self.outlet.limit_amperes

    def register(self) -> float:
        """The import register now, Wh."""
        return self.outlet.register()

    def measurement(self) -> Measurement:
        """All the simulated meter and the car tell now."""
        return self.outlet.measurement()

    def signed_measurement(self) -> Measurement:
        """The same, signed by the meter, in a station whose meters sign."""
        return self._signed.measurement(self.measurement(), self._transaction, self._occupancy.token)

    @property
    def _signed(self) -> SignedEnergy:
        """What the meter signs; few stations have one that does."""
        return SignedEnergy(self._station, self.connector_id)

    # What the car does

    def takes(self, plan: CarPlan) -> bool:
        """Can such a car be plugged in here?"""
        try:
            self.outlet.refuse(plan)
        except ValueError:
            return False
        return True

    def plug_in(self, plan: CarPlan) -> None:
        """Let a car come; ignored while one is there. Raises ValueError, naming what does not go with the outlet."""
        outlet = self.outlet
        outlet.refuse(plan)
        if outlet.car is None:
            pack = None if plan.battery is None else Pack(plan.battery, is_dc=outlet.is_dc)
            outlet.car = Car(plan, self, self._station.charge_point.for_station.timers, outlet.now, pack=pack)
            if not self._station.is_powered:
                outlet.car.hold()

    def unplug(self) -> None:
        """The car goes, whatever its plan. Nothing happens if there is none."""
        self.outlet.catch_up()
        car, self.outlet.car = self.outlet.car, None
        if car is None:
            return
        car.leave()
        if not car.is_plugged:
            return
        self._station.parked.leave(self.connector_id)
        if self._station.charge_point.configuration[core.STOP_TRANSACTION_ON_EV_SIDE_DISCONNECT]:
            self._end_transaction(Reason.EV_DISCONNECTED)
        self.outlet.plugged_at = None
        self._occupancy.is_spent = False
        if self.has_transaction:
            self._changed()
        else:
            self._occupancy.end()
        if car.has_failed:
            self.clear_fault(ChargePointErrorCode.OTHER_ERROR)

    def car_plugged(self) -> None:
        """Its cable is in, as the car tells."""
        self.outlet.plugged_at = self.outlet.now
        if self.has_transaction:  # the cable is in again
            self.outlet.connect_battery()
            self._changed()
        else:
            self.outlet.plug_in()
            self.outlet.connect_battery()
            self._begin_plugged_session()
        if self.outlet.car is not None:
            energy = self.outlet.meter.energy(self.outlet.now)
            self._station.parked.park(self.connector_id, self.outlet.car.plan, energy)

    def car_changed(self) -> None:
        """It draws otherwise, as the car tells."""
        self._changed()

    def diode_failed(self) -> None:
        """The diode of its control pilot, as the car tells: an error of the board."""
        self.raise_fault(ChargePointErrorCode.OTHER_ERROR)

    # What is decided about it

    def authorize(self, token: Token) -> None:
        """The connector belongs to the token until ConnectionTimeOut, or for its transaction."""
        self._occupancy.authorize(token)
        self._begin_session(SessionStartedReason.AUTHORIZED)
        self._occupancy.wait(self._authorization_timed_out)
        self._start_if_ready()

    def stop_transaction(self, reason: Reason, *, card: str | None = None) -> bool:
        """Stop the transaction; False if there is none. `card`: the id tag of the card that stops it."""
        was_running = self._end_transaction(reason, card)
        if was_running and not self.outlet.is_plugged:
            self._occupancy.end()  # nobody will come and unplug
        else:
            self._occupancy.is_spent = self._occupancy.is_spent or was_running
        return was_running

    def pause(self) -> bool:
        """Give no more energy in this transaction; False if there is none."""
        if self.has_transaction:
            self.outlet.is_paused = True
            self._changed()
        return self.has_transaction

    def enable(self) -> None:
        """Back into service. A car that waited there begins a new session, which says that the connector is in service:
        told apart, the connector would be Available and Preparing in the same instant."""
        if self.is_enabled:  # it was to be disabled, and that was taken back before it was asked for
            self._station.charge_point.on_enabled(self.connector_id)
            return
        if not self.has_transaction:
            self._occupancy.end()
        self.is_enabled = True
        if self.outlet.is_plugged and not self.has_transaction:
            self._occupancy.is_spent = False
            self._begin_plugged_session()
        else:
            self._station.charge_point.on_enabled(self.connector_id)

    def disable(self) -> None:
        """Out of service; a transaction goes on."""
        if self.is_enabled:
            self.is_enabled = False
            self._station.charge_point.on_disabled(self.connector_id)

    def raise_fault(self, code: ChargePointErrorCode, is_fault: bool = True) -> None:
        """Report an error; a fault also cuts the current while it lasts."""
        self.outlet.faults.raise_error(code, is_fault)
        self._changed()

    def clear_fault(self, code: ChargePointErrorCode) -> None:
        """The board error is gone; nothing happens if it was not there."""
        told = self.outlet.faults.forget(code)
        self._changed()
        self.outlet.faults.tell_cleared(code, told)
        self._start_if_ready()

    def power_up(self) -> None:
        """The charge point runs (again) and knows nothing of what is going on here."""
        outlet = self.outlet
        outlet.offered = None
        outlet.faults.tell_again()
        if outlet.is_plugged and not self.has_transaction:
            self._begin_plugged_session()
        if outlet.car is not None:
            outlet.car.go_on()

    def resume(self, transaction: Transaction) -> None:
        """After a power loss: the transaction goes on, and so does its car, if it is still plugged in (rule 3). One
        that is not known draws on."""
        outlet = self.outlet
        car = parked = None
        if outlet.car is None and not outlet.is_known:
            parked = self._parked()
            car = self._found(parked, transaction)
        outlet.resume(transaction.meter_last, transaction.started_at, car, None if parked is None else parked.energy)
        outlet.is_paused = transaction.is_refused
        self._transaction = transaction
        self._occupancy.token = Token(transaction.id_tag, transaction.parent_id_tag)
        self._occupancy.begin(SessionStartedReason.EV_CONNECTED, transaction.session_id)

    def _parked(self) -> Parked | None:
        """The car that was here when the process before this one ended; None if nobody knows, or it cannot be here."""
        parked = self._station.parked.found(self.connector_id)
        if parked is not None:
            try:
                self.outlet.refuse(parked.plan)
            except ValueError as error:
                self._station.door.log.warning("the car that was at connector %d is gone: %s", self.connector_id, error)
                return None
        return parked

    def _found(self, parked: Parked | None, transaction: Transaction) -> Car:
        door, now = self._station.charge_point.for_station, self.outlet.now
        if parked is None:
            return Car.found_charging(self, door.timers, now)
        plan, began = parked.plan, door.clock.monotonic_at(transaction.started_at)
        pack = None if plan.battery is None else Pack(plan.battery, is_dc=self.outlet.is_dc)
        return Car.found_charging(self, door.timers, now, plan, pack, began)

    def power_down(self) -> None:
        """The charge point stopped: sessions are over, cars stand still where they are."""
        self._transaction = None
        self._occupancy.power_down()
        self.outlet.power_down()

    def _changed(self) -> None:
        self._station.wishes_changed(self.connector_id)

    # Session and transaction

    def _begin_session(self, reason: SessionStartedReason) -> None:
        if self.is_enabled:
            self._occupancy.begin(reason)

    def _begin_plugged_session(self) -> None:
        """A car is there: charge if somebody was authorized already, else wait for that."""
        self._begin_session(SessionStartedReason.EV_CONNECTED)
        self._station.car_came(self.connector_id)
        self._start_if_ready()
        # Where there is only one connector, nobody else could use it anyway.
        if self.session_id is not None and self.is_free and self._station.number_of_connectors > 1:
            self._occupancy.wait(self._plug_timed_out)

    def _start_if_ready(self) -> None:
        occupancy, outlet = self._occupancy, self.outlet
        if occupancy.token is None or occupancy.session_id is None or self.has_transaction:
            return
        if not outlet.is_plugged or not self.is_operative:
            return
        occupancy.wait(None)
        charge_point = self._station.charge_point
        began_at = charge_point.for_station.clock.now()
        energy = self.register()
        charge_point.on_transaction_started(
            self.connector_id,
            occupancy.session_id,
            occupancy.token.id_tag,
            energy,
            reservation_id=occupancy.reservation_id,
            timestamp=to_datetime(began_at),
            signed_meter_value=self._signed.begin(energy, began_at, occupancy.token),
        )
        # Not before: a limit may come out of that call, and the flow is told after the start.
        outlet.transaction_at = began_at
        self._transaction = charge_point.transaction(self.connector_id)
        self._changed()

    def _end_transaction(self, reason: Reason, card: str | None = None) -> bool:
        if not self.has_transaction:
            return False
        occupancy, charge_point = self._occupancy, self._station.charge_point
        assert occupancy.session_id is not None, "a transaction lies within a session"
        ended_at = charge_point.for_station.clock.now()
        energy = self.register()
        signed: SignedMeterValue | None = None
        if self._transaction is not None:
            signed = self._signed.end(energy, ended_at, reason, self._transaction, occupancy.token)
        occupancy.release()
        self.outlet.transaction_at = self._transaction = None
        self.outlet.is_paused = False
        charge_point.on_transaction_stopped(
            self.connector_id,
            occupancy.session_id,
            reason,
            energy,
            timestamp=to_datetime(ended_at),
            id_tag_end=card,
            signed_meter_value=signed,
        )
        self._changed()
        return True

    def _authorization_timed_out(self) -> None:
        self._occupancy.wait(None)
        self._occupancy.release()
        if not self.outlet.is_plugged:  # else it was faulted all the while; the car keeps the session
            self._occupancy.end()

    def _plug_timed_out(self) -> None:
        charge_point = self._station.charge_point
        is_kept = charge_point.connector_status(self.connector_id).status is ChargePointStatus.RESERVED
        self._occupancy.wait(self._plug_timed_out if is_kept else None)  # whom it is kept for may still come
        if not is_kept:
            self._occupancy.is_spent = True
            charge_point.on_plugin_timeout(self.connector_id)
