"""One thing that connectors of a kind share: the fuse, amperes, or the power for DC, watts.

Their claims are kept, so that nobody else is looked at while there is enough for all. A car that needs some least
amount is of no use with less: who came last goes without then, and the others have enough.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from ocpp16.schedule.sharing import Claims, Demand, Strategy
from ocpp16.simulation.outlet import Outlet
from ocpp16.state.clock import Clock
from ocpp16.state.effort import Effort
from ocpp16.state.timers import Timer, Timers

_NOTHING: Mapping[int, float] = MappingProxyType({})


def scarce_shares(
    strategy: Strategy, total: float, demands: Sequence[Demand], least: Mapping[int, float] = _NOTHING
) -> dict[int, float]:
    """The shares of those connectors that do not get all they want; empty if `total` suffices for all. `least`: below
    which a share is of no use, by connector; it is 0 then.
    """
    drawing = [demand for demand in demands if demand.wanted > 0]
    if sum(demand.wanted for demand in drawing) <= total:
        return {}
    shares = _shares(strategy, total, drawing, least)
    return {
        demand.connector_id: shares[demand.connector_id]
        for demand in drawing
        if shares[demand.connector_id] < demand.wanted
    }


def _shares(
    strategy: Strategy, total: float, drawing: Sequence[Demand], least: Mapping[int, float]
) -> Mapping[int, float]:
    shares = strategy(total, drawing)
    choosy = sorted(
        (demand for demand in drawing if demand.connector_id in least),
        key=lambda demand: (demand.since, demand.connector_id),
    )
    if all(shares[demand.connector_id] >= least[demand.connector_id] for demand in choosy):
        return shares
    others = [demand for demand in drawing if demand.connector_id not in least]
    few, many = 0, len(choosy)  # so many of those that came first have enough; so many have not
    found = strategy(total, others)
    while many - few > 1:
        count = (few + many) // 2
        tried = strategy(total, [*others, *choosy[:count]])
        if all(tried[demand.connector_id] >= least[demand.connector_id] for demand in choosy[:count]):
            few, found = count, tried
        else:
            many = count
    return {**{demand.connector_id: 0.0 for demand in choosy}, **found}


class Budget:
    """`total` of what is shared by those of `outlets` that claim some of it. `effort` says what is much work."""

    __slots__ = (
        "_changed",
        "_claims",
        "_clock",
        "_effort",
        "_later",
        "_outlets",
        "_shares",
        "_strategy",
        "_timers",
        "_total",
    )

    def __init__(
        self,
        total: float,
        strategy: Strategy,
        outlets: Sequence[Outlet],
        timers: Timers,
        clock: Clock,
        effort: Effort,
    ) -> None:
        self._total = total
        self._strategy = strategy
        self._outlets = outlets
        self._timers = timers
        self._clock = clock
        self._effort = effort
        self._claims = Claims()
        """What would have to be there now for the cars that draw, each alone."""
        self._shares = _NOTHING
        """Of those that do not get all they want."""
        self._changed: dict[int, bool] = {}
        """Who waits for its share; does it want more than before?"""
        self._later: Timer | None = None

    def power_down(self) -> None:
        """Nobody wants anything any more."""
        self._claims = Claims()
        self._shares = _NOTHING
        self._changed.clear()
        if self._later is not None:
            self._later.cancel()
            self._later = None

    def claim(self, outlet: Outlet) -> float:
        """What this connector wants is noted; returns what it wanted before."""
        before = self._claims.wanted(outlet.connector_id)
        demand = outlet.demand
        if demand > 0:
            self._claims.put(Demand(outlet.connector_id, demand, outlet.transaction_at or 0))
        else:
            self._claims.remove(outlet.connector_id)
        return before

    def settle(self, outlet: Outlet, wanted: float) -> None:
        """Offer this connector, which `wanted` something else before, what there is, and the others, if need be."""
        number = outlet.connector_id
        if not self._shares and not self._claims.exceed(self._total):
            outlet.offer(outlet.ceiling)
        elif self._effort.is_much(len(self._claims)):
            self._share_later(outlet, wants_more=self._claims.wanted(number) > wanted)
        else:
            self._changed[number] = True
            self._share()

    def _share_later(self, outlet: Outlet, *, wants_more: bool) -> None:
        """At the end of this turn. Till then it may draw what it could, if it wants no more than when that was said."""
        number = outlet.connector_id
        wants_more = self._changed[number] = wants_more or self._changed.get(number, False)
        if not wants_more or number in self._shares or not outlet.demand:
            outlet.offer(min(outlet.share, outlet.ceiling))
        if self._later is None:
            self._later = self._timers.at(self._clock.monotonic(), self._share)

    def _share(self) -> None:
        """Offer to all those for whom it is, or was, too little, and to those that changed since the last time."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        changed, before, self._changed = self._changed, self._shares, {}
        demands = list(self._claims)
        least = {one.connector_id: least for one in demands if (least := self._outlet(one.connector_id).least)}
        shares = scarce_shares(self._strategy, self._total, demands, least)
        self._shares = shares or _NOTHING
        numbers = sorted({*before, *shares, *changed})
        self._effort.note(len(numbers))
        for number in numbers:
            outlet = self._outlet(number)
            outlet.offer(min(outlet.ceiling, shares.get(number, outlet.ceiling)))

    def _outlet(self, connector_id: int) -> Outlet:
        return self._outlets[connector_id - 1]
