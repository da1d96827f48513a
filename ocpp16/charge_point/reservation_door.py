"""`charge_point.for_station.reservations`: the connectors that the library keeps for somebody, and who uses them."""

from datetime import datetime

from ocpp16.charge_point.runtime import Runtime
from ocpp16.ctrl_c import only_at_waits
from ocpp16.enums import ReservationCheckStatus, ReservationStatus
from ocpp16.errors import FeatureNotBuilt
from ocpp16.models import Reservation
from ocpp16.profiles.id_tags import check_id_tag
from ocpp16.profiles.reservation import KeptReservations
from ocpp16.values import text, whole


@only_at_waits
class ReservationDoor:
    """Made anew each time it is asked for. Where the library keeps none, there are none and nothing is reserved."""

    __slots__ = ("_runtime",)

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @property
    def are_kept_here(self) -> bool:
        """Does the library keep them? Not where the station does, or SupportedFeatureProfiles lacks Reservation."""
        return self._runtime.features.reservations is not None

    def all(self) -> tuple[Reservation, ...]:
        """Those that are kept now, the one that ends first first."""
        feature = self._runtime.features.reservations
        kept = () if feature is None or feature.reservations is None else feature.reservations
        return tuple(sorted(kept, key=lambda reservation: reservation.expiry_date))

    def is_token_reserved_for_connector(
        self, connector_id: int, id_tag: str, parent_id_tag: str | None = None
    ) -> ReservationCheckStatus:
        """May this id tag have this connector, as far as reservations go?

        parent_id_tag: None: the one it was authorized with, as far as that is known. Raises ValueError for an unknown
        connector and for what is no id tag.
        """
        number, tag, parent = self._checked(connector_id, id_tag, parent_id_tag)
        feature = self._runtime.features.reservations
        if feature is None:
            return ReservationCheckStatus.NOT_RESERVED
        return feature.check(number, tag, parent)

    def use(self, connector_id: int, id_tag: str, parent_id_tag: str | None = None) -> Reservation | None:
        """This id tag, which is authorized, has this connector now: its reservation, of this connector or any, is over.

        A Reserved connector becomes Preparing. Give the id of what is returned to `on_transaction_started`; without
        this call that finds the reservation itself. None: there is none for it. Raises as
        `is_token_reserved_for_connector`.
        """
        number, tag, parent = self._checked(connector_id, id_tag, parent_id_tag)
        feature = self._runtime.features.reservations
        found = None if feature is None else feature.usable(number, tag, parent)
        if feature is not None and found is not None:
            feature.use(found, number, "Authorized")
        return found

    async def reserve(
        self,
        connector_id: int,
        id_tag: str,
        expiry_date: datetime,
        reservation_id: int,
        parent_id_tag: str | None = None,
    ) -> ReservationStatus:
        """What ReserveNow does, asked for at the station; returns once it is on disk and in force.

        connector_id: 0 is any one, if ReserveConnectorZeroSupported. reservation_id: takes the place of one with the
        same. Raises ValueError for what none can have, FeatureNotBuilt where the library keeps none, StoreError if it,
        or one that was asked for before, could not be stored within StoreTimeout, ChargePointStopped if the charge
        point is stopped before: then nothing has changed.
        """
        feature = self._feature
        number, tag, parent = self._checked(connector_id, id_tag, parent_id_tag, 0)
        if parent is not None:
            check_id_tag(parent, "parent_id_tag")
        return await feature.reserve(Reservation(reservation_id, number, tag, parent, expiry_date))

    async def cancel(self, reservation_id: int) -> bool:
        """What CancelReservation does: False if there is no reservation of this id. Raises as `reserve`."""
        return await self._feature.cancel(whole(reservation_id, "reservation_id"))

    @property
    def _feature(self) -> KeptReservations:
        self._runtime.guard.check()
        feature = self._runtime.features.reservations
        if feature is None:
            raise FeatureNotBuilt(
                "the library keeps no reservations: SupportedFeatureProfiles lacks it, or the station does"
            )
        return feature

    def _checked(
        self, connector_id: int, id_tag: str, parent_id_tag: str | None, lowest: int = 1
    ) -> tuple[int, str, str | None]:
        self._runtime.guard.check()
        return (
            self._runtime.guard.connector(connector_id, lowest),
            check_id_tag(id_tag),
            # As a Central System told it, which may be empty: then there is none.
            None if parent_id_tag is None else text(parent_id_tag, "parent_id_tag") or None,
        )
