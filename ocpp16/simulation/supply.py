"""The supply of a station: one fuse for all connectors, shared out fairly.

Pure arithmetic on amperes per phase. A car that draws on one phase counts as if it drew on all, which is on the safe
side of the fuse.
"""

from collections.abc import Sequence


def fuse_share(fuse: float, demands: Sequence[float]) -> float:
    """The most that one connector may draw, A, so that all together stay below `fuse`.

    Equal shares; what those who want less leave over goes to the others, in equal parts again. If all have room, the
    share is the whole fuse.
    """
    if sum(demands) <= fuse:
        return fuse
    left = fuse
    waiting = sorted(demand for demand in demands if demand > 0)
    for served, demand in enumerate(waiting):
        share = left / (len(waiting) - served)
        if demand > share:
            return share
        left -= demand
    return fuse
