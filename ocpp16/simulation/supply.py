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
5. Where the fuse is too small it is shared out anew at once as long as that is little work (`MOST_AT_ONCE`). Beyond, it
   is shared out once for all that comes in one turn, at its end: until then nobody draws more than before.

Amperes are per phase, watts those of all phases.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from ocpp16.schedule.sharing import STRATEGIES, Claims, Demand, Strategy, equal
from ocpp16.simulation.options import Sharing, StationOptions
from ocpp16.simulation.outlet import Outlet
from ocpp16.state.effort import Effort
from ocpp16.state.timers import Timer

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint

_NOTHING: Mapping[int, float] = MappingProxyType({})
_NEXT_TO_NOTHING = 1e-10
"""The part of a limit that is left to cars that draw nothing while others want all: of all of them together, so that it
is no more than the charge point takes for rounding."""


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


MOST_AT_ONCE = 300
"""Offers that are made in one turn before the others of that turn wait for its end."""


class Supply:
    """Shares out the current of one station to its outlets, of which there are several, and has the charge point share
    its limits as the options say.
    """

    __slots__ = (
        "_changed",
        "_charge_point",
        "_claims",
        "_effort",
        "_is_asking",
        "_is_limit_scarce",
        "_is_limit_shared",
        "_later",
        "_options",
        "_outlets",
        "_shared_wishes",
        "_shares",
    )

    def __init__(self, options: StationOptions, charge_point: "ChargePoint", outlets: Sequence[Outlet]) -> None:
        self._options = options
        self._charge_point = charge_point
        self._outlets = outlets
        self._claims = Claims()
        """What the cars that draw would draw now, each alone on the fuse."""
        self._shares = _NOTHING
        """Of the fuse, of those that do not get all they want."""
        self._changed: dict[int, bool] = {}
        """Who waits for its share of the fuse; does it want more than before?"""
        self._later: Timer | None = None
        self._effort = Effort(charge_point.for_station.clock, MOST_AT_ONCE)
        self._is_limit_shared = False
        """Did the charge point have a limit to share when it last calculated limits?"""
        self._is_limit_scarce = False
        """Was it too little for all?"""
        self._shared_wishes = _NOTHING
        """What cars wished then, where they did."""
        self._is_asking = False
        """Is the charge point sharing its limit anew because we asked it to?"""
        if charge_point.smart_charging.is_built and options.sharing is not Sharing.OFF:
            charge_point.smart_charging.share_limits(self.share_limit)

    def power_down(self) -> None:
        """Nobody wants anything any more."""
        self._claims = Claims()
        self._shares = _NOTHING
        self._changed.clear()
        if self._later is not None:
            self._later.cancel()
            self._later = None

    def changed(self, connector_id: int) -> None:
        """What this connector wants, or may have, is something else now: offer it what there is."""
        outlet, wanted = self._outlet(connector_id), self._claims.wanted(connector_id)
        self._claim(outlet)
        if self._is_limit_shared and not self._is_asking and self._matters(outlet):
            self._share_limit_anew()
            self._claim(outlet)
        if not self._shares and not self._claims.exceed(self._options.fuse_limit):
            outlet.offer(outlet.ceiling)
        elif self._effort.is_much(len(self._claims)):
            self._share_fuse_later(outlet, wants_more=self._claims.wanted(connector_id) > wanted)
        else:
            self._changed[connector_id] = True
            self._share_fuse()

    def share_limit(self, total: float, demands: Sequence[Demand]) -> dict[int, float]:
        """The strategy for the charge point: demands of the connectors with a transaction, in the unit of `total`.

        What a connector wants is what its car would draw now, within the limit of its transaction.
        """
        is_power = self._charge_point.smart_charging.explain_limit(demands[0].connector_id).unit == "W"
        wishes: dict[int, float] = {}
        wanted = []
        for demand in demands:
            wish = self._outlet(demand.connector_id).wish
            if wish:
                wishes[demand.connector_id] = wish
            if is_power:
                wish *= self._options.watts_per_ampere(demand.phases)
            own = wish if demand.is_unknown else min(wish, demand.wanted)
            wanted.append(demand._replace(wanted=own))
        self._is_limit_shared, self._shared_wishes = True, wishes
        scarce = scarce_shares(self._strategy, total, wanted)
        self._is_limit_scarce = bool(scarce)
        content = [demand for demand in wanted if demand.connector_id not in scarce]
        rest = total - sum(scarce.values()) - sum(demand.wanted for demand in content)
        # Never nothing: that a car draws nothing would then be the station's doing (SuspendedEVSE).
        spare = max(rest, total * _NEXT_TO_NOTHING) / max(len(content), 1)
        return scarce | {demand.connector_id: demand.wanted + spare for demand in content}

    def _matters(self, outlet: Outlet) -> bool:
        """Is its car's wish a reason to share the limit anew? A smaller one is only where others have too little."""
        wish, before = outlet.wish, self._shared_wishes.get(outlet.connector_id, 0.0)
        return wish != before if self._is_limit_scarce else wish > before

    @property
    def _strategy(self) -> Strategy:
        sharing = self._options.sharing
        return equal if sharing is Sharing.OFF else STRATEGIES[sharing]

    def _outlet(self, connector_id: int) -> Outlet:
        return self._outlets[connector_id - 1]

    def _claim(self, outlet: Outlet) -> None:
        demand = outlet.demand
        if demand > 0:
            self._claims.put(Demand(outlet.connector_id, demand, outlet.transaction_at or 0))
        else:
            self._claims.remove(outlet.connector_id)

    def _share_fuse_later(self, outlet: Outlet, *, wants_more: bool) -> None:
        """At the end of this turn. Till then it may draw what it could, if it wants no more than when that was said."""
        number = outlet.connector_id
        wants_more = self._changed[number] = wants_more or self._changed.get(number, False)
        if not wants_more or number in self._shares or not outlet.demand:
            outlet.offer(min(outlet.share, outlet.ceiling))
        if self._later is None:
            ours = self._charge_point.for_station
            self._later = ours.timers.at(ours.clock.monotonic(), self._share_fuse)

    def _share_fuse(self) -> None:
        """Offer to all those for whom the fuse is, or was, too small, and to those that changed since the last time."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        changed, before, self._changed = self._changed, self._shares, {}
        shares = scarce_shares(self._strategy, self._options.fuse_limit, list(self._claims))
        self._shares = shares or _NOTHING
        numbers = sorted({*before, *shares, *changed})
        self._effort.note(len(numbers))
        for number in numbers:
            outlet = self._outlet(number)
            outlet.offer(min(outlet.ceiling, shares.get(number, outlet.ceiling)))

    def _share_limit_anew(self) -> None:
        self._is_asking, self._is_limit_shared = True, False
        try:
            self._charge_point.smart_charging.share_limits(self.share_limit)
        finally:
            self._is_asking = False
