"""The supply of a station: what each connector is offered, so that fuse and limits hold and nothing is left unused.

Rules of this file:
1. Whatever is too small for all cars that draw, a fuse, the power for DC, or a ChargePointMaxProfile, is split by one
   strategy of `ocpp16.schedule.sharing`, from what the cars would draw now. The charge point splits its limit when it
   calculates limits and is handed `share_limit` for that; fuse and power are split here (budget.py).
2. Who gets all it wants, or does not draw, is offered the whole: it changes nothing, since a car that begins to draw,
   or wants more, is noticed in that instant and everything is shared anew before a current flows. Firmware, which
   learns of it only later, has to keep something back for such a car instead.
3. A car that draws on one phase counts as if it drew on all, which is on the safe side of fuse and limit.
4. What happens at one connector is a matter of that one as long as fuse and limit are enough for all: their sums are
   kept, and nobody else is looked at.
5. Where the fuse is too small it is shared out anew at once as long as that is little work (`MOST_AT_ONCE`). Beyond, it
   is shared out once for all that comes in one turn, at its end: until then nobody draws more than before.

Amperes are per phase, watts those of all phases. The fuse is of the connectors of AC; those of DC share their power.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from ocpp16.schedule.sharing import STRATEGIES, Demand, Strategy, equal
from ocpp16.simulation.budget import Budget, scarce_shares
from ocpp16.simulation.options import Sharing, StationOptions
from ocpp16.simulation.outlet import Outlet
from ocpp16.state.effort import Effort

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint

__all__ = ["MOST_AT_ONCE", "Supply", "scarce_shares"]

_NOTHING: Mapping[int, float] = MappingProxyType({})
_NEXT_TO_NOTHING = 1e-10
"""The part of a limit that is left to cars that draw nothing while others want all: of all of them together, so that it
is no more than the charge point takes for rounding."""


MOST_AT_ONCE = 300
"""Offers that are made in one turn before the others of that turn wait for its end."""


class Supply:
    """Shares out the current of one station to its outlets, of which there are several, and has the charge point share
    its limits as the options say.
    """

    __slots__ = (
        "_charge_point",
        "_fuse",
        "_is_asking",
        "_is_limit_scarce",
        "_is_limit_shared",
        "_options",
        "_outlets",
        "_power",
        "_shared_wishes",
    )

    def __init__(self, options: StationOptions, charge_point: "ChargePoint", outlets: Sequence[Outlet]) -> None:
        self._options = options
        self._charge_point = charge_point
        self._outlets = outlets
        self._fuse: Budget | None = None
        """Of the connectors of AC; None: no car has been there yet."""
        self._power: Budget | None = None
        """Of those of DC."""
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
        for budget in (self._fuse, self._power):
            if budget is not None:
                budget.power_down()

    def changed(self, connector_id: int) -> None:
        """What this connector wants, or may have, is something else now: offer it what there is."""
        outlet = self._outlet(connector_id)
        budget = self._budget(outlet)
        wanted = 0.0 if budget is None else budget.claim(outlet)
        if self._is_limit_shared and not self._is_asking and self._matters(outlet):
            self._share_limit_anew()
            if budget is not None:
                budget.claim(outlet)
        if budget is None:
            outlet.offer(outlet.ceiling)
        else:
            budget.settle(outlet, wanted)

    def share_limit(self, total: float, demands: Sequence[Demand]) -> dict[int, float]:
        """The strategy for the charge point: demands of the connectors with a transaction, in the unit of `total`.

        What a connector wants is what its car would draw now, within the limit of its transaction.
        """
        is_power = self._charge_point.smart_charging.explain_limit(demands[0].connector_id).unit == "W"
        wishes: dict[int, float] = {}
        least: dict[int, float] = {}
        wanted = []
        for demand in demands:
            outlet = self._outlet(demand.connector_id)
            wish = outlet.wish
            if wish:
                wishes[demand.connector_id] = wish
            wish = outlet.converted(wish, is_power=is_power, phases=demand.phases)
            own = wish if demand.is_unknown else min(wish, demand.wanted)
            if outlet.least:
                least[demand.connector_id] = outlet.converted(outlet.least, is_power=is_power, phases=demand.phases)
                own = own if own >= least[demand.connector_id] else 0.0
            wanted.append(demand._replace(wanted=own))
        self._is_limit_shared, self._shared_wishes = True, wishes
        scarce = scarce_shares(self._strategy, total, wanted, least)
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

    def _budget(self, outlet: Outlet) -> Budget | None:
        """What it shares with others of its kind. None: nothing yet, for none of them had a car that draws."""
        budget = self._power if outlet.is_dc else self._fuse
        if budget is not None or not outlet.demand:
            return budget
        total = self._options.dc_power if outlet.is_dc else self._options.fuse_limit
        timing = self._charge_point.for_station
        effort = Effort(timing.clock, MOST_AT_ONCE)
        budget = Budget(total, self._strategy, self._outlets, timing.timers, timing.clock, effort)
        if outlet.is_dc:
            self._power = budget
        else:
            self._fuse = budget
        return budget

    def _share_limit_anew(self) -> None:
        self._is_asking, self._is_limit_shared = True, False
        try:
            self._charge_point.smart_charging.share_limits(self.share_limit)
        finally:
            self._is_asking = False
