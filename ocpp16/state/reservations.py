"""The reservations of a charge point: who may have which connector (OCPP 1.6 ed. 2 §5.13).

Rules of this file:
1. One of a connector keeps that connector, for its id tag or one with its parent id. It stays while the connector is
   faulted, out of service, or occupied in spite of it.
2. One of connector 0 keeps none in particular: as many connectors stay free as there are such reservations. While more
   are free, anybody may have one; where the numbers meet, every free connector is kept (as the Open Charge
   Alliance's TC_049 looks for). A reservation that could not be kept so is not accepted.
3. A connector is free that could be used now: in service and to stay so, without fault and transaction, Available, or
   Reserved by one of connector 0.
4. A connector that somebody else made Reserved is not free, and nobody here knows for whom it is.
5. Id tags compare without regard to case. A parent id that is not known matches none.

Nothing here knows of time, disk or messages: what has expired is taken out by the feature.
"""

from collections.abc import Callable, Iterator

from ocpp16._core.by_number import ByNumber
from ocpp16.enums import AvailabilityType, ChargePointStatus, ReservationCheckStatus, ReservationStatus
from ocpp16.models import Reservation
from ocpp16.state.authorization import id_tag_key
from ocpp16.state.connector import Connector

HasTransaction = Callable[[int], bool]
"""Does one run on this connector?"""

_IDLE = frozenset({ChargePointStatus.AVAILABLE, ChargePointStatus.RESERVED})
_OUT_OF_SERVICE = frozenset({ChargePointStatus.FAULTED, ChargePointStatus.UNAVAILABLE})


def is_for(reservation: Reservation, id_tag: str, parent_id_tag: str | None) -> bool:
    """May this id tag, with this parent as far as that is known, use the reservation?"""
    if id_tag_key(reservation.id_tag) == id_tag_key(id_tag):
        return True
    wanted = reservation.parent_id_tag
    return wanted is not None and parent_id_tag is not None and id_tag_key(wanted) == id_tag_key(parent_id_tag)


def lets_through(status: ReservationCheckStatus) -> bool:
    """Is a remote start to go on to the station? Whether the parent id is the right one it finds out by asking."""
    return status is not ReservationCheckStatus.RESERVED_FOR_OTHER_TOKEN


def connector_refusal(
    connectors: ByNumber[Connector], connector_id: int, has_transaction: HasTransaction
) -> ReservationStatus | None:
    """What speaks against any reservation of this connector, whoever keeps it; None: nothing.

    A fault of the charge point is one of each connector (OCPP 1.6 ed. 2 §5.13). Whether it is out of service is asked
    later (`is_unavailable`): where reservations are not kept at all, that comes first.
    """
    connector = connectors.get(connector_id)
    if connector is None:
        return ReservationStatus.REJECTED
    if connector.is_faulted or connectors[0].is_faulted:
        return ReservationStatus.FAULTED
    if connector_id and (has_transaction(connector_id) or connector.base not in _IDLE | _OUT_OF_SERVICE):
        return ReservationStatus.OCCUPIED
    return None


def is_out_of_service(connector: Connector) -> bool:
    """Is it Unavailable, or about to be?"""
    return connector.base is ChargePointStatus.UNAVAILABLE or connector.commanded is AvailabilityType.INOPERATIVE


def is_unavailable(connectors: ByNumber[Connector], connector_id: int) -> bool:
    """Is the connector out of service, or the charge point as a whole (OCPP 1.6 ed. 2 §5.13)?"""
    return is_out_of_service(connectors[connector_id]) or is_out_of_service(connectors[0])


class Reservations:
    """Of one charge point. `connectors` has all of them, 0 included."""

    __slots__ = ("_by_connector", "_by_id", "_connectors", "_has_transaction")

    def __init__(self, connectors: ByNumber[Connector], has_transaction: HasTransaction) -> None:
        self._connectors = connectors
        self._has_transaction = has_transaction
        self._by_id: dict[int, Reservation] = {}
        self._by_connector: dict[int, Reservation] = {}
        """Those of connectors from 1 on."""

    def __iter__(self) -> Iterator[Reservation]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, reservation_id: int) -> Reservation | None:
        return self._by_id.get(reservation_id)

    def of_connector(self, connector_id: int) -> Reservation | None:
        """The one of this very connector."""
        return self._by_connector.get(connector_id)

    def of_any(self) -> list[Reservation]:
        """Those of connector 0."""
        if len(self._by_id) == len(self._by_connector):
            return []
        return [reservation for reservation in self._by_id.values() if reservation.connector_id == 0]

    def put(self, reservation: Reservation) -> Reservation | None:
        """Keep one. Returns the one of the same id that it replaces."""
        replaced = self.pop(reservation.reservation_id)
        self._by_id[reservation.reservation_id] = reservation
        if reservation.connector_id:
            self._by_connector[reservation.connector_id] = reservation
        return replaced

    def pop(self, reservation_id: int) -> Reservation | None:
        """It has ended, if there is one."""
        reservation = self._by_id.pop(reservation_id, None)
        if reservation is not None and reservation.connector_id:
            del self._by_connector[reservation.connector_id]
        return reservation

    # Whether one may be made

    def answer(self, wanted: Reservation, *, is_zero_supported: bool, has_expired: bool) -> ReservationStatus:
        """Can it be kept? `is_zero_supported`: ReserveConnectorZeroSupported."""
        refusal = connector_refusal(self._connectors, wanted.connector_id, self._has_transaction)
        if refusal is not None:
            return refusal
        if has_expired or not wanted.id_tag or not (wanted.connector_id or is_zero_supported):
            return ReservationStatus.REJECTED
        if is_unavailable(self._connectors, wanted.connector_id):
            return ReservationStatus.UNAVAILABLE
        if self._is_taken(wanted) or not self._can_be_kept(wanted):
            return ReservationStatus.OCCUPIED if wanted.connector_id else self._why_none_is_free()
        return ReservationStatus.ACCEPTED

    def _is_taken(self, wanted: Reservation) -> bool:
        connector = self._connectors[wanted.connector_id]
        own = self._by_connector.get(wanted.connector_id)
        if own is not None:
            return own.reservation_id != wanted.reservation_id
        return connector.base is ChargePointStatus.RESERVED and not connector.is_reserved

    def _can_be_kept(self, wanted: Reservation) -> bool:
        """Would there be a free connector for each of connector 0?"""
        trial = Reservations(self._connectors, self._has_transaction)
        trial._by_id = self._by_id.copy()
        trial._by_connector = self._by_connector.copy()
        trial.put(wanted)
        of_any = len(trial.of_any())
        return not of_any or of_any <= len(trial.free())

    def _why_none_is_free(self) -> ReservationStatus:
        connectors = [connector for number, connector in self._connectors.items() if number]
        if all(connector.is_faulted for connector in connectors):
            return ReservationStatus.FAULTED
        if all(connector.is_faulted or is_out_of_service(connector) for connector in connectors):
            return ReservationStatus.UNAVAILABLE
        return ReservationStatus.OCCUPIED

    # What is kept, and for whom

    def free(self) -> list[int]:
        """The connectors that one of connector 0 could be used at."""
        return [number for number in self._connectors if number and self._is_free(number)]

    def _is_free(self, connector_id: int) -> bool:
        connector = self._connectors[connector_id]
        return (
            connector_id not in self._by_connector
            and (
                connector.base is ChargePointStatus.AVAILABLE
                or (connector.base is ChargePointStatus.RESERVED and connector.is_reserved)
            )
            and not connector.is_faulted
            and not is_out_of_service(connector)
            and not self._has_transaction(connector_id)
        )

    def kept(self) -> set[int]:
        """The connectors that are kept for somebody now."""
        of_any = len(self.of_any())
        kept = set(self._by_connector)
        if of_any:
            free = self.free()
            if len(free) <= of_any:
                kept.update(free)
        return kept

    def holders(self, connector_id: int) -> list[Reservation]:
        """The reservations by which the connector is kept; empty where anybody may have it."""
        own = self._by_connector.get(connector_id)
        if own is not None:
            return [own]
        of_any = self.of_any()
        if of_any:
            free = self.free()
            if connector_id in free and len(free) <= len(of_any):
                return of_any
        return []

    def usable(self, connector_id: int, id_tag: str, parent_id_tag: str | None) -> Reservation | None:
        """The reservation that this id tag uses up by having this connector: its own, else one of connector 0."""
        own = self._by_connector.get(connector_id)
        for reservation in self.of_any() if own is None else (own,):
            if is_for(reservation, id_tag, parent_id_tag):
                return reservation
        return None

    def check(self, connector_id: int, id_tag: str, parent_id_tag: str | None) -> ReservationCheckStatus:
        """May this id tag have this connector?"""
        if self.usable(connector_id, id_tag, parent_id_tag) is not None:
            return ReservationCheckStatus.RESERVED_FOR_TOKEN
        holders = self.holders(connector_id)
        if not holders:
            return ReservationCheckStatus.NOT_RESERVED
        if parent_id_tag is None and any(holder.parent_id_tag is not None for holder in holders):
            return ReservationCheckStatus.RESERVED_FOR_OTHER_TOKEN_AND_HAS_PARENT_TOKEN
        return ReservationCheckStatus.RESERVED_FOR_OTHER_TOKEN
