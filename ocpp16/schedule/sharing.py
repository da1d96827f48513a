"""Sharing one limit among the connectors that charge: three strategies, and room for others.

The composite schedule shows a ChargePointMaxProfile in full to each connector (OCPP 1.6 ed. 2 §3.13.3); that all of
them together stay below it is load balancing, and this file's business. A strategy is a function of numbers: it knows
no connector but by its demand, keeps nothing, and its shares never add up to more than the total.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple


class Demand(NamedTuple):
    """What a connector could use: `wanted` in the unit of the total, `since` when its transaction began (µs UTC)."""

    connector_id: int
    wanted: float
    since: int


Strategy = Callable[[float, Sequence[Demand]], Mapping[int, float]]
"""Total and demands → share of each connector, no more than it wants."""


def equal(total: float, demands: Sequence[Demand]) -> dict[int, float]:
    """Equal parts; what one does not want goes to the others, in equal parts again."""
    shares: dict[int, float] = {}
    left = total
    by_want = sorted(demands, key=lambda demand: demand.wanted)
    for served, demand in enumerate(by_want):
        share = min(demand.wanted, left / (len(by_want) - served))
        shares[demand.connector_id] = share
        left -= share
    return shares


def first_come(total: float, demands: Sequence[Demand]) -> dict[int, float]:
    """Who began earlier gets what it wants, who comes later what is left."""
    shares: dict[int, float] = {}
    left = total
    for demand in sorted(demands, key=lambda demand: (demand.since, demand.connector_id)):
        share = min(demand.wanted, left)
        shares[demand.connector_id] = share
        left -= share
    return shares


def proportional(total: float, demands: Sequence[Demand]) -> dict[int, float]:
    """Everybody the same part of what it wants."""
    wanted = sum(demand.wanted for demand in demands)
    part = 1.0 if wanted <= total else total / wanted
    return {demand.connector_id: demand.wanted * part for demand in demands}


STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {"equal": equal, "first_come": first_come, "proportional": proportional}
)
