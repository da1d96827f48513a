"""One total for all connectors that charge, and who has how much of it, kept up to date one connector at a time.

A total is a ChargePointMaxProfile, for each connector converted with its own phases, or the fuse. It is split by a
strategy (`ocpp16.schedule.sharing`, or the host's) from what connectors could use.

Rules of this file:
1. What a connector has is the lower one of its share and its own limit. The least of all totals is the one that counts.
2. While the total is enough for all, each has what it wants, and a change at one is no matter of the others. That is
   known only of the strategies of ours: one of the host's is asked whenever something changes.
3. What a strategy says is checked: shares that are none, or more than there is, do not reach the station.
4. All is shared out anew at once as long as that is little work (`MOST_AT_ONCE`). Beyond, it is shared out once for all
   that comes in one turn, at its end: until then nobody has more than before, and a new one what the others leave.

It tells nobody and has no timer: see `is_behind`.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import Enum
from math import isfinite
from typing import Any, Literal, NamedTuple

from ocpp16._core.by_number import ByNumber
from ocpp16.faults import obey_exit
from ocpp16.models import ChargingLimit
from ocpp16.profiles.charging_profiles import ChargingProfiles
from ocpp16.profiles.context import Context
from ocpp16.schedule import Limit, ScheduleSettings, convert_limit
from ocpp16.schedule.sharing import STRATEGIES, Claims, Demand, Strategy, equal
from ocpp16.state.clock import to_datetime
from ocpp16.state.effort import Effort
from ocpp16.values import finite, pairs

MOST_AT_ONCE = 1000
"""Shares that are worked out in one turn before the others of that turn wait for its end."""

_ROUNDING = 1 + 1e-9
"""Shares of a total may be more than it by as much as adding floats makes of them."""


class _State(Enum):
    NOTHING = 0
    """There is no total, or nobody charges."""
    ENOUGH = 1
    SPLIT = 2


def own_limit(limit: Limit) -> ChargingLimit:
    """A limit as the station is told it, before sharing; nothing limits where only the default does."""
    value = None if limit.is_default else limit.limit
    until = None if limit.until_micros is None else to_datetime(limit.until_micros)
    # Ours, and right by construction: not checked once more for each of a thousand connectors.
    return ChargingLimit._make((value, limit.unit, limit.number_phases, until))


class _OwnLimit(NamedTuple):
    """What one that charges may draw by itself, and the total as it is for this one."""

    told: ChargingLimit
    total: float | None


class LimitSharing:
    """Of one charge point. `strategy`, `fuse`: how to share, and A per phase of all together, or None.

    `until_of` has for each connector, and 0 for the maximum, until when its limit stays (µs).
    """

    __slots__ = (
        "_claims",
        "_ctx",
        "_effort",
        "_given",
        "_is_ours",
        "_is_split_for",
        "_limits",
        "_profiles",
        "_shares",
        "_state",
        "_totals",
        "_until_of",
        "fuse",
        "is_behind",
        "strategy",
    )

    def __init__(
        self,
        ctx: Context,
        profiles: ChargingProfiles,
        until_of: ByNumber[int],
        strategy: Strategy,
        fuse: float | None,
    ) -> None:
        self._ctx = ctx
        self._profiles = profiles
        self._until_of = until_of
        self.strategy: Strategy = strategy
        self._is_ours = any(strategy is ours for ours in STRATEGIES.values())
        self.fuse: float | None = fuse
        self._limits: dict[int, _OwnLimit] = {}
        """Of those that charge."""
        self._claims = Claims()
        self._totals: dict[float, int] = {}
        """Total → for how many it is that."""
        self._shares: dict[int, float] = {}
        """As the strategy split the total last; they count while the state is SPLIT."""
        self._given = 0.0
        """The total that was split then."""
        self._state = _State.NOTHING
        self._is_split_for = False
        """Is that so for the claims and the total as they are now?"""
        self._effort = Effort(ctx.clock, MOST_AT_ONCE)
        self.is_behind: bool = False
        """Is `settled` to be called at the end of this turn?"""

    def __contains__(self, connector_id: int) -> bool:
        """Does it charge, as far as is known here?"""
        return connector_id in self._limits

    def take(self, connector_id: int, limit: Limit, settings: ScheduleSettings) -> None:
        """The limit of its own of this connector is this one now. It takes part while it has a transaction."""
        known = self._limits.pop(connector_id, None)
        if known is not None:
            self._count(known.total, -1)
        transaction = self._ctx.transactions.running(connector_id)
        if transaction is None:
            if known is not None:
                self._claims.remove(connector_id)
                self._shares.pop(connector_id, None)
                self._is_split_for = False
            return
        total = min(self._totals_of(limit, settings), default=None)
        self._limits[connector_id] = _OwnLimit(own_limit(limit), total)
        self._count(total, 1)
        # What it could use: what its transaction allows, else the default limit.
        own = limit.transaction_limit
        default = settings.default_limit_amps if limit.unit == "A" else settings.default_limit_watts
        wanted = default if own is None else own.converted_limit
        since = self._ctx.clock.corrected(transaction.started_at, transaction.clock_boot)
        if (
            self._claims.put(Demand(connector_id, wanted, since, own is None, limit.number_phases))
            or known is None
            or known.total != total
        ):
            self._is_split_for = False

    def _count(self, total: float | None, step: int) -> None:
        if total is not None:
            count = self._totals.get(total, 0) + step
            if count:
                self._totals[total] = count
            else:
                del self._totals[total]

    def _totals_of(self, limit: Limit, settings: ScheduleSettings) -> Iterator[float]:
        """Power is worth more current the fewer phases it is drawn from, so the fuse in W is for the fewest."""
        if limit.maximum is not None:
            yield limit.maximum.converted_limit
        if self.fuse is not None:
            yield convert_limit(self.fuse, "A", limit.unit, limit.number_phases, settings)

    def of_all(self, limit: ChargingLimit, unit: Literal["A", "W"]) -> ChargingLimit:
        """What all connectors together may, by their charging profiles and in this unit, held by the fuse."""
        if self.fuse is None:
            return limit
        fuse = convert_limit(self.fuse, "A", unit, limit.phases, self._profiles.settings)
        least = fuse if limit.limit is None else min(fuse, limit.limit)
        return ChargingLimit._make((least, unit, limit.phases, limit.until))

    def as_known(self, connector_id: int, limit: ChargingLimit) -> ChargingLimit:
        """A limit that was told, with the time when it is known now to change next: the share of one depends on all."""
        if self._state is _State.NOTHING or connector_id not in self:
            return limit
        return ChargingLimit._make((limit.limit, limit.unit, limit.phases, self._earliest((0, *self._limits))))

    def anew(self) -> dict[int, ChargingLimit]:
        """As `told`: no limit changed, but the strategy may say something else now."""
        self._is_split_for = False
        return self.told(())

    def told(self, changed: Iterable[int], *, is_all: bool = True) -> dict[int, ChargingLimit]:
        """What those have that may have something else now, since the limits of `changed` were taken in.

        `is_all`: False if others are going to be taken in, one turn after the other.
        """
        total, before = min(self._totals, default=None), self._state
        if total is None:
            self._state = _State.NOTHING
        elif self._is_ours and not self._claims.exceed(total):
            self._state = _State.ENOUGH
        elif before is _State.SPLIT and (
            self._is_split_for or (total >= self._given and (not is_all or self._effort.is_much(len(self._claims))))
        ):
            self.is_behind = not self._is_split_for
            return {number: self._alone(number, self._left(number, total)) for number in changed if number in self}
        else:
            return self.settled()
        self.is_behind = False
        concerned = [number for number in changed if number in self] if self._state is before else list(self._limits)
        if total is None:
            return {number: self._limits[number].told for number in concerned}
        return {number: self._alone(number, self._claims.wanted(number)) for number in concerned}

    def settled(self) -> dict[int, ChargingLimit]:
        """Split the total among all that charge; what each has."""
        total = min(self._totals)
        self._state, self._is_split_for, self.is_behind = _State.SPLIT, True, False
        self._effort.note(len(self._claims))
        self._shares = self._split(total, list(self._claims))
        self._given = total
        until = self._earliest((0, *self._limits))
        return {number: self._lower(number, share, until) for number, share in self._shares.items()}

    def _left(self, connector_id: int, total: float) -> float:
        """What a connector may have until all is split again; a new one has what the others leave."""
        share = self._shares.get(connector_id)
        if share is None:
            share = self._shares[connector_id] = max(0.0, total - sum(self._shares.values()))
        return share

    def _alone(self, connector_id: int, share: float) -> ChargingLimit:
        """What a connector has by a share that is no matter of the others."""
        return self._lower(connector_id, share, self._earliest((0, connector_id)))

    def _lower(self, connector_id: int, share: float, until: datetime | None) -> ChargingLimit:
        own = self._limits[connector_id].told
        least = share if own.limit is None else min(share, own.limit)
        return ChargingLimit._make((least, own.unit, own.phases, until))

    def _earliest(self, numbers: Iterable[int]) -> datetime | None:
        until_of = self._until_of
        until = min((until_of[number] for number in numbers if number in until_of), default=None)
        return None if until is None else to_datetime(until)

    def _split(self, total: float, demands: list[Demand]) -> dict[int, float]:
        """What the strategy says; equal parts if it fails or says what makes no sense, nothing for whom it forgets."""
        try:
            shares = _checked(self.strategy(total, list(demands)), total, demands)
        except BaseException as error:
            obey_exit(error)
            self._ctx.failed("strategy for sharing", error)
            shares = equal(total, demands)
        return {demand.connector_id: shares.get(demand.connector_id, 0.0) for demand in demands}


def _checked(shares: Mapping[int, float], total: float, demands: list[Demand]) -> dict[int, float]:
    """Shares as numbers, none negative, together no more than the total. Raises ValueError, or what a lie leads to."""
    known = {demand.connector_id for demand in demands}
    checked: dict[int, float] = {}
    for connector_id, share in pairs(shares, "the shares"):
        if connector_id not in known:
            continue
        number = share if type(share) is float and isfinite(share) else _number(share, connector_id)
        checked[connector_id] = number
        if number < 0:
            raise ValueError(f"the share of connector {connector_id} is negative: {number}")
    if sum(checked.values()) > total * _ROUNDING:
        raise ValueError(f"the shares add up to {sum(checked.values())} of {total}")
    return checked


def _number(share: Any, connector_id: int) -> float:
    return float(finite(share, f"share of connector {connector_id}"))
