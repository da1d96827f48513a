"""The supply of a station: what each connector is offered, so that fuse and limits hold and nothing is left unused.

Rules of this file:
1. Whatever is too small for all cars that draw, a fuse or a ChargePointMaxProfile, is split by one strategy of
   `ocpp16.schedule.sharing`, from what the cars would draw now. The charge point splits its limit when it calculates
   limits and is handed `share_limit` for that; the fuse is split here.
2. Who gets all it wants, or does not draw, is offered the whole: it changes nothing, since a car that begins to draw,
   or wants more, is noticed in that instant and everything is shared anew before a current flows. Firmware, which
   learns of it only later, has to keep something back for such a car instead.
3. A car that draws on one phase counts as if it drew on all, which is on the safe side of fuse and limit.
4. What happens at one connector is a matter of that one as long as fuse and limit are enough for all: their sums are
   kept, and nobody else is looked at.

Amperes are per phase, watts those of all phases.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ocpp16.models import ChargingLimit
from ocpp16.schedule.sharing import STRATEGIES, Claims, Demand, Strategy, equal
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

    __slots__ = ("_claims", "_is_asking", "_is_limit_shared", "_shared_wishes", "_shares", "_station", "_strategy")

    def __init__(self, station: "SimulatedStation") -> None:
        sharing = station.options.sharing
        self._station = station
        self._strategy: Strategy = equal if sharing is Sharing.OFF else STRATEGIES[sharing]
        self._claims = Claims()
        """What the cars that draw would draw now, each alone on the fuse."""
        self._shares: dict[int, float] = {}
        """Of the fuse, of those that do not get all they want."""
        self._is_limit_shared = False
        """Did the charge point have a limit to share when it last calculated limits?"""
        self._shared_wishes: dict[int, float] = {}
        """What cars wished then, where they did."""
        self._is_asking = False
        """Is the charge point sharing its limit anew because we asked it to?"""

    def attach(self) -> None:
        """There is another charge point: have it share its limits as the options say."""
        self.power_down()
        charge_point = self._station.charge_point
        if charge_point.smart_charging.is_built and self._station.options.sharing is not Sharing.OFF:
            charge_point.smart_charging.share_limits(self.share_limit)

    def power_down(self) -> None:
        """Nobody wants anything any more."""
        self._claims = Claims()
        self._shares = {}

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

    def changed(self, connector_id: int) -> None:
        """What this connector wants, or may have, is something else now: offer it what there is."""
        self._claim(connector_id)
        if (
            self._is_limit_shared
            and not self._is_asking
            and self._wish(connector_id) != self._shared_wish(connector_id)
        ):
            self._share_limit_anew()
            self._claim(connector_id)
        if self._shares or self._claims.exceed(self._station.options.fuse_limit):
            self._share_fuse(connector_id)
        else:
            evse = self._station.evse(connector_id)
            evse.offer(evse.ceiling)

    def _claim(self, connector_id: int) -> None:
        evse = self._station.evse(connector_id)
        demand = evse.demand
        if demand > 0:
            self._claims.put(Demand(connector_id, demand, evse.since))
        else:
            self._claims.remove(connector_id)

    def _share_fuse(self, connector_id: int) -> None:
        """Offer to all those for whom the fuse is, or was, too small, and to this connector."""
        station, before = self._station, self._shares
        self._shares = shares = scarce_shares(self._strategy, station.options.fuse_limit, list(self._claims))
        for number in sorted({*before, *shares, connector_id}):
            evse = station.evse(number)
            evse.offer(min(evse.ceiling, shares.get(number, evse.ceiling)))

    def share_limit(self, total: float, demands: Sequence[Demand]) -> dict[int, float]:
        """The strategy for the charge point: demands of the connectors with a transaction, in the unit of `total`.

        What a connector wants is what its car would draw now, within the limit of its transaction.
        """
        station = self._station
        self._is_limit_shared = True
        self._shared_wishes = {}
        wanted = []
        for demand in demands:
            limit = station.charge_point.smart_charging.explain_limit(demand.connector_id)
            wish = self._wish(demand.connector_id)
            if wish:
                self._shared_wishes[demand.connector_id] = wish
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

    def _wish(self, connector_id: int) -> float:
        return self._station.evse(connector_id).wish

    def _shared_wish(self, connector_id: int) -> float:
        return self._shared_wishes.get(connector_id, 0.0)

    def _share_limit_anew(self) -> None:
        self._is_asking, self._is_limit_shared = True, False
        try:
            self._station.charge_point.smart_charging.share_limits(self.share_limit)
        finally:
            self._is_asking = False
