"""Charging without a card: FreeVendActive, FreeVendIdTag (keys of ours).

Rules of this file:
1. While FreeVendActive, FreeVendIdTag is provided to the station, as after a remote start that needs no authorization,
   for each connector at which a car waits: when it is plugged in there, when what kept it from charging is over (a
   fault, a reservation, being out of service), and when the key is switched on.
2. Nobody is asked, so it works offline from the first start on. The Central System hears of it by StartTransaction, and
   may refuse the id tag there as any other.
3. One plug is one transaction: after its end nothing begins there until the next one.
4. What was in the way by its turn (another transaction, a switched key, a car that left) is looked at again.
"""

from ocpp16._core.by_number import ByNumber
from ocpp16._core.unseen import unseen
from ocpp16.configuration.keys import internal
from ocpp16.enums import AvailabilityType, ChargePointStatus, SessionStartedReason
from ocpp16.profiles.base import Context, FeatureProfile, ReservationCheck, hears
from ocpp16.state.reservations import lets_through
from ocpp16.state.signals import ConfigurationChanged, ConnectorStatusChanged, PutInService, SessionStarted

_WAITING = ChargePointStatus.PREPARING


class FreeCharging(FeatureProfile):
    """`reservations` knows for whom a Reserved connector is; None, where the library keeps none: it is for nobody."""

    __slots__ = ("_plugged", "_reservations")

    def __init__(self, ctx: Context, *, reservations: ReservationCheck | None) -> None:
        super().__init__(ctx)
        self._reservations = reservations
        self._plugged: ByNumber[bool] | None = None
        """Connectors whose session began with a car, as long as that has not charged. Made with the first."""

    @property
    def _is_active(self) -> bool:
        return self.ctx.configuration[internal.FREE_VEND_ACTIVE]

    @hears(SessionStarted)
    def _session_started(self, signal: SessionStarted) -> None:
        """An Available connector is Preparing next; a Reserved one stays so."""
        if self._plugged is None:
            self._plugged = unseen(ByNumber())
        if signal.reason is SessionStartedReason.EV_CONNECTED:
            self._plugged[signal.connector_id] = True
            if self._is_active:
                self._provide(signal.connector_id)
        else:
            self._plugged.pop(signal.connector_id)

    @hears(ConnectorStatusChanged)
    def _status_changed(self, signal: ConnectorStatusChanged) -> None:
        if signal.status is _WAITING and self._plugged is not None and self._is_active:
            self._provide(signal.connector_id)

    @hears(PutInService)
    def _put_in_service(self, signal: PutInService) -> None:
        """Where a car waits that was plugged in meanwhile, no status changes by it."""
        if self._plugged is not None and self._is_active:
            self._provide(signal.connector_id)

    @hears(ConfigurationChanged)
    def _switched(self, signal: ConfigurationChanged) -> None:
        if signal.key == internal.FREE_VEND_ACTIVE.name and self._is_active:
            for connector_id in sorted(self._plugged or ()):
                self._provide(connector_id)

    def _provide(self, connector_id: int) -> None:
        if self._is_waited_for(connector_id):
            self.ctx.station_side.command(
                self._provide_token, connector_id, connectors=(connector_id,), topic="free_charging"
            )

    async def _provide_token(self, connector_id: int) -> None:
        if self._is_active and self._is_waited_for(connector_id):
            id_tag = self.ctx.configuration[internal.FREE_VEND_ID_TAG]
            self.ctx.log.info("connector %d: free charging", connector_id)
            await self.ctx.station.provide_token(id_tag, (connector_id,), True)

    def _is_waited_for(self, connector_id: int) -> bool:
        """Does a car wait there, for whoever comes?"""
        ctx = self.ctx
        if self._plugged is None or connector_id not in self._plugged or ctx.transactions.is_running_at(connector_id):
            return False
        connector = ctx.connectors[connector_id]
        if connector.availability is not AvailabilityType.OPERATIVE or connector.is_withheld:
            return False
        status = connector.status
        if status is ChargePointStatus.RESERVED and self._reservations is not None:
            return lets_through(self._reservations.check(connector_id, ctx.configuration[internal.FREE_VEND_ID_TAG]))
        return status is _WAITING
