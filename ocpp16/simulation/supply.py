"""The supply of a station: what each connector is offered, so that fuse and limits hold and nothing is left unused.

Rules of this file:
1. Whatever is too small for all cars that draw, a fuse or a ChargePointMaxProfile, is split by one strategy of
   `ocpp16.schedule.sharing`, from what the cars would draw now. The charge point splits its limit when it calculates
   limits and is handed `share_limit` for that; the fuse is split here.
2. Who gets all it wants, or does not draw, is offered the whole: it changes nothing, since a car that begins to draw,
   or wants more, is noticed in that instant and everything is shared anew before a current flows. Firmware, which
   learns of it only later, has to keep something back for such a car instead.
3. A car that draws on one phase counts as if it drew on all, which is on the safe side of fuse and limit.

Amperes are per phase, watts those of all phases.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ocpp16.models import ChargingLimit
from ocpp16.schedule.sharing import STRATEGIES, Demand, Strategy, equal
from ocpp16.simulation.car import CABLE_RATING
from ocpp16.simulation.options import Sharing

if TYPE_CHECKING:
    from ocpp16.simulation.station import SimulatedStation


_NEXT_TO_NOTHING = 1e-9
"""The part of a limit that is left to a car that draws nothing while others want all."""


def scarce_shares(strategy: Strategy, total: float, demands: Sequence[Demand]) -> dict[int, float]:
    """The shares of those connectors that do not get all they want; empty if `total` suffices for all."""
    drawing = [demand for demand in demands if demand.wanted > 0]
    if sum(demand.wanted for demand in drawing) <= total:
        return {}
    shares = strategy(total, drawing)
    return {
        demand.connector_id: shares[demand.connector_id]
        for demand in drawing
        if shares[demand.connector_id] < demand.wanted
    }


class Supply:
    """Shares out the current of one station."""

    __slots__ = ("_is_limit_shared", "_shared_wishes", "_station", "_strategy", "is_asking")

    def __init__(self, station: "SimulatedStation") -> None:
        sharing = station.options.sharing
        self._station = station
        self._strategy: Strategy = equal if sharing is Sharing.OFF else STRATEGIES[sharing]
        self._is_limit_shared = False
        """Did the charge point have a limit to share when it last calculated limits?"""
        self._shared_wishes: list[float] = []
        """What cars wished then."""
        self.is_asking = False
        """Is the charge point sharing its limit anew because we asked it to? `balance` then follows by itself."""

    def attach(self) -> None:
        """Have the charge point share its limits as the options say."""
        charge_point = self._station.charge_point
        if charge_point.smart_charging.is_built and self._station.options.sharing is not Sharing.OFF:
            charge_point.smart_charging.share_limits(self.share_limit)

    @property
    def capacity(self) -> float:
        """The most that fuse and cable carry, A."""
        return min(self._station.options.fuse_limit, CABLE_RATING)

    def amperes(self, limit: ChargingLimit) -> float | None:
        """A limit of either unit as amperes; None: no limit."""
        if limit.limit is None or limit.unit == "A":
            return limit.limit
        return limit.limit / self.watts_per_ampere(limit.phases)

    def watts_per_ampere(self, phases: int | None) -> float:
        """What an ampere on each phase comes to: on as many as a limit names; None: on all of the station."""
        options = self._station.options
        return options.voltage * (phases or options.phases)

    def balance(self) -> None:
        """Share everything out anew: something about demand or limits changed."""
        self._share_limit_anew()
        evses = self._station.evses
        demands = [Demand(evse.connector_id, evse.demand, evse.since) for evse in evses]
        shares = scarce_shares(self._strategy, self._station.options.fuse_limit, demands)
        for evse in evses:
            evse.offer(min(evse.ceiling, shares.get(evse.connector_id, evse.ceiling)))

    def share_limit(self, total: float, demands: Sequence[Demand]) -> dict[int, float]:
        """The strategy for the charge point: demands of the connectors with a transaction, in the unit of `total`.

        What a connector wants is what its car would draw now, within the limit of its transaction.
        """
        station = self._station
        self._is_limit_shared = True
        self._shared_wishes = [evse.wish for evse in station.evses]
        wanted = []
        for demand in demands:
            limit = station.charge_point.smart_charging.explain_limit(demand.connector_id)
            wish = station.evse(demand.connector_id).wish
            if limit.unit == "W":
                wish *= self.watts_per_ampere(limit.number_phases)
            # Without a limit of the transaction, `demand.wanted` is a default that stands for "unknown".
            own = wish if limit.transaction_limit is None else min(wish, demand.wanted)
            wanted.append(demand._replace(wanted=own))
        scarce = scarce_shares(self._strategy, total, wanted)
        content = [demand for demand in wanted if demand.connector_id not in scarce]
        rest = total - sum(scarce.values()) - sum(demand.wanted for demand in content)
        # Never nothing: that a car draws nothing would then be the station's doing (SuspendedEVSE).
        spare = max(rest / max(len(content), 1), total * _NEXT_TO_NOTHING)
        return scarce | {demand.connector_id: demand.wanted + spare for demand in content}

    def _share_limit_anew(self) -> None:
        station = self._station
        if not self._is_limit_shared or self.is_asking:
            return
        if self._shared_wishes == [evse.wish for evse in station.evses]:
            return
        self.is_asking, self._is_limit_shared = True, False
        try:
            station.charge_point.smart_charging.share_limits(self.share_limit)
        finally:
            self.is_asking = False
