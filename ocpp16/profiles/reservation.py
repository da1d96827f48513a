"""ReserveNow and CancelReservation, where the library keeps the reservations (OCPP 1.6 ed. 2 §5.1, §5.13).

The rules are `state.reservations`; here is when they are asked, what is stored, and what becomes of the connectors. A
station that keeps them itself is asked by `station_reservation`.

Rules of this file:
1. A reservation is on disk before it is in force and answered, and so is its cancellation. Whether it is possible is
   decided once more when it is on disk: somebody may have plugged in meanwhile. What the Central System and the host
   ask for is decided and stored one after the other.
2. Used and expired are facts: in force at once, and off the disk with what goes there next.
3. Expiry is by the corrected clock, to the second or better, whether connected or not. A stored one that is over by a
   clock that nobody has set yet may not be: it is kept until the Central System accepts or tells the time, `IN_DOUBT`
   seconds at most.
4. A connector that is kept is Reserved wherever it would be Available. One that is kept no more becomes Available, or
   Preparing where a car is plugged in.
5. There are never more than two for each connector: each is made where a connector is free for it, and one in spite of
   which a connector is occupied keeps it all the same.
"""

from collections.abc import Sequence
from math import inf
from typing import Self

from ocpp16 import messages
from ocpp16.configuration.keys.internal import STORE_TIMEOUT
from ocpp16.configuration.keys.reservation import RESERVE_CONNECTOR_ZERO_SUPPORTED
from ocpp16.enums import (
    CancelReservationStatus,
    ChargePointStatus,
    ReservationCheckStatus,
    ReservationEndReason,
    ReservationStatus,
    SessionStartedReason,
)
from ocpp16.models import Reservation
from ocpp16.observer import ReservationEnded, ReservationMade
from ocpp16.profiles.base import Context, FeatureProfile, Others, Reply, Stored, hears, on
from ocpp16.profiles.known_parents import KnownParents
from ocpp16.profiles.reservation_request import wanted_reservation
from ocpp16.profiles.turn import Turn
from ocpp16.state.clock import to_datetime, to_micros
from ocpp16.state.connector_table import ConnectorEvent
from ocpp16.state.reservation_doubt import Doubt
from ocpp16.state.reservations import Reservations
from ocpp16.state.signals import (
    ClockSet,
    ClockSettled,
    ConnectorStatusChanged,
    IdTagDecided,
    TransactionEnded,
    TransactionStarted,
)
from ocpp16.state.timers import Timer
from ocpp16.store.base import RowChange
from ocpp16.store.tables import transactions
from ocpp16.store.tables.reservations import ROWS, ReservationRow, delete, put_reservation


class KeptReservations(FeatureProfile):
    """`reservations` is what is kept now, None while there is and was none."""

    __slots__ = ("_doubt", "_is_settling", "_others", "_parents", "_timer", "_turn", "reservations")

    name = "Reservation"

    def __init__(self, ctx: Context, others: Others) -> None:
        super().__init__(ctx)
        self._others = others
        self.reservations: Reservations | None = None
        self._timer: Timer | None = None
        self._parents: KnownParents | None = None
        self._is_settling = False
        self._turn = Turn()
        """Of changes: of two at once one may be refused when both are on disk, and a start could not know which."""
        self._doubt = Doubt()

    @classmethod
    def build(cls, ctx: Context, others: Others) -> Self:
        return cls(ctx, others)

    def restore(self, stored: Stored) -> None:
        stored.taken(self._take, ROWS)

    def _take(self, row: ReservationRow) -> None:
        number, connector_id = row.reservation_id, row.connector_id
        if connector_id not in self.ctx.connectors:  # fewer than before
            self.ctx.log.warning("reservation %d is dropped: there is no connector %d any more", number, connector_id)
            self.ctx.journal.append(delete(number))
            return
        expiry_date = to_datetime(row.expires_at)
        reservation = Reservation(number, connector_id, row.id_tag, row.parent_id_tag, expiry_date)
        kept = self._kept()
        if connector_id and kept.of_connector(connector_id) is not None:
            raise ValueError(f"a second reservation of connector {connector_id}")
        kept.put(reservation)

    def start(self) -> None:
        if self.reservations is not None:
            clock = self.ctx.clock
            if not clock.is_trusted:
                self._doubt.begin(self._over(), clock.monotonic())
            self._expire()
            # One that a stored transaction used: its row was left in a damaged file.
            used = {(one.reservation_id, number) for one in self.ctx.transactions for number in (0, one.connector_id)}
            over = [one for one in self.reservations if (one.reservation_id, one.connector_id) in used]
            self._end(over, ReservationEndReason.USED)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # Requests

    # The answer comes before the StatusNotification that follows from it, as a Central System expects.

    @on("ReserveNow")
    async def reserve_now(self, request: "messages.ReserveNowRequest") -> "Reply[messages.ReserveNowResponse]":
        reservation, status = wanted_reservation(request), ReservationStatus.REJECTED
        if reservation is not None:
            status = await self.reserve(reservation, settles=False)
        return Reply({"status": str(status)}, then=self._settle_all)

    @on("CancelReservation")
    async def cancel_reservation(
        self, request: "messages.CancelReservationRequest"
    ) -> "Reply[messages.CancelReservationResponse]":
        is_cancelled = await self.cancel(request["reservationId"], settles=False)
        status = CancelReservationStatus.ACCEPTED if is_cancelled else CancelReservationStatus.REJECTED
        return Reply({"status": str(status)}, then=self._settle_all)

    async def reserve(self, wanted: Reservation, *, settles: bool = True) -> ReservationStatus:
        """Keep a connector, or say why not. Raises StoreError if it could not be stored; then nothing has changed.

        settles: have the connectors show it at once.
        """
        async with self._turn.within(self.ctx.configuration[STORE_TIMEOUT]):
            return await self._reserved(wanted, settles=settles)

    async def _reserved(self, wanted: Reservation, *, settles: bool) -> ReservationStatus:
        kept = self._kept()
        status = self._answer(wanted)
        if status is not ReservationStatus.ACCEPTED:
            self.ctx.log.info("reservation of connector %d: %s", wanted.connector_id, status)
            return status
        if kept.get(wanted.reservation_id) == wanted:
            return status
        outcome: list[ReservationStatus] = []

        def apply() -> None:
            outcome.append(self._answer(wanted))
            if outcome[0] is ReservationStatus.ACCEPTED:
                self._put(wanted, settles=settles)
            else:
                self.ctx.journal.append(*self._rows_of(wanted.reservation_id))

        await self.ctx.asked.commit(
            [put_reservation(wanted)], apply=apply, restore=lambda: self._rows_of(wanted.reservation_id)
        )
        return outcome[0]

    async def cancel(self, reservation_id: int, *, settles: bool = True) -> bool:
        """End a reservation; False if there is none of this id. `settles`, and what it raises, as of `reserve`."""
        async with self._turn.within(self.ctx.configuration[STORE_TIMEOUT]):
            return await self._cancelled(reservation_id, settles=settles)

    async def _cancelled(self, reservation_id: int, *, settles: bool) -> bool:
        if self.reservations is None or self.reservations.get(reservation_id) is None:
            return False
        outcome: list[bool] = []

        def apply() -> None:
            reservation = self._kept().pop(reservation_id)
            outcome.append(reservation is not None)
            if reservation is not None:
                self._ended([reservation], ReservationEndReason.CANCELLED, 0, settles=settles)

        await self.ctx.asked.commit(
            [delete(reservation_id)], apply=apply, restore=lambda: self._rows_of(reservation_id)
        )
        return outcome[0]

    def _answer(self, wanted: Reservation) -> ReservationStatus:
        return self._kept().answer(
            wanted,
            is_zero_supported=self.ctx.configuration[RESERVE_CONNECTOR_ZERO_SUPPORTED],
            has_expired=to_micros(wanted.expiry_date) <= self.ctx.clock.now(),
        )

    def _rows_of(self, reservation_id: int) -> list[RowChange]:
        """What the disk is to hold of it."""
        reservation = self._kept().get(reservation_id)
        return [delete(reservation_id) if reservation is None else put_reservation(reservation)]

    def _kept(self) -> Reservations:
        if self.reservations is None:
            self.reservations = Reservations(self.ctx.connectors, self.ctx.transactions.is_running_at)
        return self.reservations

    # Who may have a connector

    def check(self, connector_id: int, id_tag: str, parent_id_tag: str | None = None) -> ReservationCheckStatus:
        """May this id tag have this connector? A parent that is not given is the one it was authorized with."""
        if self._is_of_others(connector_id):
            return ReservationCheckStatus.RESERVED_FOR_OTHER_TOKEN
        if not self.reservations:
            return ReservationCheckStatus.NOT_RESERVED
        parent = self._parent(id_tag) if parent_id_tag is None else parent_id_tag
        return self.reservations.check(connector_id, id_tag, parent)

    def _is_of_others(self, connector_id: int) -> bool:
        """One that the host told to be Reserved is not for anybody that we know, one of connector 0 or not."""
        connector = self.ctx.connectors[connector_id]
        return bool(connector_id) and connector.base is ChargePointStatus.RESERVED and not connector.is_reserved

    def usable(self, connector_id: int, id_tag: str, parent_id_tag: str | None = None) -> Reservation | None:
        """The reservation that this id tag uses up by having this connector."""
        if not self.reservations:
            return None
        parent = self._parent(id_tag) if parent_id_tag is None else parent_id_tag
        return self.reservations.usable(connector_id, id_tag, parent)

    def use(self, reservation: Reservation, connector_id: int, info: str | None = None) -> None:
        """Whom it was kept for has this connector now: the reservation is over, a Reserved connector is Preparing."""
        own = self._kept().of_connector(connector_id)
        if own is None or own is reservation:
            # Before it is over: with one of connector 0 less, others would be let go, and kept again at once.
            connector = self.ctx.connectors[connector_id]
            connector.is_reserved = False
            if connector.base is ChargePointStatus.RESERVED:
                self._others.availability.submit(connector_id, ConnectorEvent.USAGE_INITIATED, info)
        self._end([reservation], ReservationEndReason.USED)

    def _parent(self, id_tag: str) -> str | None:
        known = None if self._parents is None else self._parents.of(id_tag)
        if known is not None:
            return known
        listed = self._others.listed(id_tag)
        return None if listed is None else listed.parent_id_tag

    @hears(IdTagDecided)
    def _decided(self, signal: IdTagDecided) -> None:
        if self.reservations:
            if self._parents is None:
                self._parents = KnownParents()
            self._parents.decided(signal)

    # What happens

    @hears(TransactionStarted)
    def _transaction_started(self, signal: TransactionStarted) -> None:
        if not self.reservations:
            return
        transaction = signal.transaction
        number = transaction.reservation_id
        reservation = None if number is None else self.reservations.get(number)
        if reservation is not None and reservation.connector_id in (0, transaction.connector_id):
            self.use(reservation, transaction.connector_id)
        elif self.reservations.of_connector(transaction.connector_id) is not None:
            # It is told and billed all the same: energy flows.
            self.ctx.log.warning("connector %d is reserved for another id tag", transaction.connector_id)
        elif reservation is not None:
            self.ctx.log.warning("reservation %d is not of connector %d", number, transaction.connector_id)
        self._settle_any()

    @hears(TransactionEnded)
    def _transaction_ended(self, signal: TransactionEnded) -> None:
        self._settle_any()

    @hears(ConnectorStatusChanged)
    def _status_changed(self, signal: ConnectorStatusChanged) -> None:
        if self.reservations and signal.connector_id:
            if self.reservations.of_any():
                self._settle()
            elif self.ctx.connectors[signal.connector_id].is_reserved:
                self._keep(signal.connector_id)

    @hears(ClockSet)
    def _clock_set(self, signal: ClockSet) -> None:
        if self.reservations:
            self._expire()

    @hears(ClockSettled)
    def _clock_settled(self, signal: ClockSettled) -> None:
        if self._doubt.until < inf:
            self._expire()

    def _settle_any(self) -> None:
        if self.reservations and self.reservations.of_any():
            self._settle()

    def _put(self, reservation: Reservation, *, settles: bool) -> None:
        for transaction in self.ctx.transactions:
            if transaction.reservation_id == reservation.reservation_id:
                # The number is that of another one by now, which the next start is not to take for used.
                transaction.reservation_id = None
                self.ctx.journal.append(transactions.put(transaction))
        self._doubt.forget(reservation)
        replaced = self._kept().put(reservation)
        if replaced is not None:
            self.ctx.tell(ReservationEnded(replaced, ReservationEndReason.REPLACED), 0)
        self.ctx.tell(ReservationMade(reservation), 0)
        if settles:
            self._settle()
        self._arm()

    def _expire(self) -> None:
        """Those whose time has come are over; the next one is waited for."""
        clock = self.ctx.clock
        if clock.is_settled:
            self._doubt.lift()
        self._end(self._doubt.certain(self._over(), clock.monotonic()), ReservationEndReason.EXPIRED)

    def _over(self) -> list[Reservation]:
        """By the clock as it is now."""
        now = self.ctx.clock.now()
        return [one for one in self._kept() if to_micros(one.expiry_date) <= now]

    def _end(self, over: Sequence[Reservation], reason: ReservationEndReason) -> None:
        """They are over by a fact."""
        number = 0
        for reservation in over:
            self._kept().pop(reservation.reservation_id)
            number = self.ctx.journal.append(delete(reservation.reservation_id))
        self._ended(over, reason, number)

    def _ended(
        self, over: Sequence[Reservation], reason: ReservationEndReason, number: int, *, settles: bool = True
    ) -> None:
        """They are not among `reservations` any more. `number`: of the change that takes them off the disk."""
        for reservation in over:
            self.ctx.tell(ReservationEnded(reservation, reason), number)
        if not self.reservations:
            self._parents = None
        if settles:
            self._settle()
        self._arm()

    def _arm(self) -> None:
        self.stop()
        clock = self.ctx.clock
        certain = self._doubt.certain(self._kept(), clock.monotonic())
        moments = [max(clock.monotonic_at(to_micros(one.expiry_date)), clock.monotonic()) for one in certain]
        first = min([*moments, self._doubt.until], default=inf)
        if first < inf:
            self._timer = self.ctx.timers.at(first, self._expire)

    # The connectors

    def _settle_all(self) -> None:
        """After an answer; there need not be any reservation at all."""
        if self.reservations is not None:
            self._settle()

    def _settle(self) -> None:
        """Have the connectors be what they are to be. To let one go may leave fewer free: again, until it fits."""
        if self._is_settling:
            return
        self._is_settling = True
        try:
            while self._settle_once():
                pass
        finally:
            self._is_settling = False

    def _settle_once(self) -> bool:
        """Was something to be changed?"""
        kept = self._kept().kept()
        changed = False
        for number, connector in self.ctx.connectors.items():
            if number in kept:
                if not connector.is_reserved or connector.base is ChargePointStatus.AVAILABLE:
                    self._keep(number)
                    changed = True
            elif connector.is_reserved:
                self._let_go(number)
                changed = True
        return changed

    def _keep(self, connector_id: int) -> None:
        connector = self.ctx.connectors[connector_id]
        connector.is_reserved = True
        if connector.base is ChargePointStatus.AVAILABLE:
            self._others.availability.submit(connector_id, ConnectorEvent.RESERVE_CONNECTOR)

    def _let_go(self, connector_id: int) -> None:
        connector, availability = self.ctx.connectors[connector_id], self._others.availability
        connector.is_reserved = False
        if connector.base is not ChargePointStatus.RESERVED:
            return
        if connector_id in availability.sessions:
            availability.submit(connector_id, ConnectorEvent.USAGE_INITIATED, str(SessionStartedReason.EV_CONNECTED))
        else:
            availability.submit(connector_id, ConnectorEvent.RESERVATION_END)
