"""Sharing one limit among the connectors that charge: three strategies, and room for others.

The composite schedule shows a ChargePointMaxProfile in full to each connector (OCPP 1.6 ed. 2 §3.13.3); that all of
them together stay below it is load balancing, and this file's business. A strategy is a function of numbers: it knows
no connector but by its demand, keeps nothing, and its shares never add up to more than the total. `Claims` tells
whether there is anything to share, without looking at all demands whenever one of them changes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil
from types import MappingProxyType
from typing import NamedTuple


class Demand(NamedTuple):
    """What a connector could use: `wanted` in the unit of the total, `since` when its transaction began (µs UTC).

    `is_unknown`: nothing limits its transaction, and `wanted` is the default limit. `phases`: how many its limit names.
    """

    connector_id: int
    wanted: float
    since: int
    is_unknown: bool = False
    phases: int | None = None


Strategy = Callable[[float, Sequence[Demand]], Mapping[int, float]]
"""Total and demands → share of each connector, no more than it wants."""


def equal(total: float, demands: Sequence[Demand]) -> dict[int, float]:
    """Equal parts of `total`; what one does not want goes to the others, in equal parts again."""
    shares: dict[int, float] = {}
    left = total
    by_want = sorted(demands, key=lambda demand: demand.wanted)
    for served, demand in enumerate(by_want):
        share = min(demand.wanted, left / (len(by_want) - served))
        shares[demand.connector_id] = share
        left -= share
    return shares


def first_come(total: float, demands: Sequence[Demand]) -> dict[int, float]:
    """Who began earlier gets what it wants, who comes later what is left of `total`."""
    shares: dict[int, float] = {}
    left = total
    for demand in sorted(demands, key=lambda demand: (demand.since, demand.connector_id)):
        share = min(demand.wanted, left)
        shares[demand.connector_id] = share
        left -= share
    return shares


def proportional(total: float, demands: Sequence[Demand]) -> dict[int, float]:
    """Everybody the same part of what it wants, as far as `total` goes."""
    wanted = sum(demand.wanted for demand in demands)
    part = 1.0 if wanted <= total else total / wanted
    return {demand.connector_id: demand.wanted * part for demand in demands}


STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {"equal": equal, "first_come": first_come, "proportional": proportional}
)
"""By the names that configuration files and commands know."""

_GRAIN = 1e9
"""Added up are whole billionths, rounded up: such a sum does not drift, however often one of its parts changes."""


class Claims:
    """Demands on one total, one of each connector; their sum is kept up to date."""

    __slots__ = ("_demands", "_sum")

    def __init__(self) -> None:
        self._demands: dict[int, Demand] = {}
        self._sum = 0

    def __len__(self) -> int:
        return len(self._demands)

    def __iter__(self) -> Iterator[Demand]:
        """In the order of connectors."""
        return iter(sorted(self._demands.values()))

    def __contains__(self, connector_id: int) -> bool:
        return connector_id in self._demands

    def wanted(self, connector_id: int) -> float:
        """By this connector; 0 without a demand."""
        demand = self._demands.get(connector_id)
        return 0.0 if demand is None else demand.wanted

    def put(self, demand: Demand) -> bool:
        """The demand of its connector is this one now. False: it was so before."""
        if self._demands.get(demand.connector_id) == demand:
            return False
        self.remove(demand.connector_id)
        self._demands[demand.connector_id] = demand
        self._sum += ceil(demand.wanted * _GRAIN)
        return True

    def remove(self, connector_id: int) -> None:
        """The connector wants nothing any more."""
        demand = self._demands.pop(connector_id, None)
        if demand is not None:
            self._sum -= ceil(demand.wanted * _GRAIN)

    def exceed(self, total: float) -> bool:
        """Is more wanted than `total`? In doubt, that is within a billionth of it, yes."""
        return self._sum > total * _GRAIN
