"""The limits in force: for each connector what it may draw now, until when, told at every change.

Nothing happens between changes. Each connector's present limit says until when it stays; one timer waits for the first
of these. What changes a limit without waiting (a profile, a transaction, the connection, the clock) refreshes the
connectors concerned. A ChargePointMaxProfile is split over the connectors by a strategy, if there is one; without,
every connector sees it in full. A fuse is always held: without a strategy, in equal parts. What a strategy says is
checked: shares that are none, or more than there is, do not reach the station. Before the start and after the end
nobody is told anything; at the start everybody is: what the station was told in an earlier life may be over.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from heapq import heapify, heappop, heappush
from math import inf
from operator import itemgetter
from typing import Literal, TypedDict

from ocpp16.configuration.keys import smart_charging
from ocpp16.enums import ChargingProfilePurposeType
from ocpp16.faults import obey_exit
from ocpp16.models import ChargingLimit
from ocpp16.observer import ChargingLimitChanged
from ocpp16.profiles.asked_station import AskedStation
from ocpp16.profiles.charging_profiles import UNIT_OF, ChargingProfiles
from ocpp16.profiles.context import Context
from ocpp16.schedule import (
    CompositeSchedule,
    Limit,
    RunningTransaction,
    ScheduleSettings,
    charging_limit,
    composite_schedule,
    convert_limit,
)
from ocpp16.schedule.sharing import Demand, Strategy, equal
from ocpp16.state.clock import to_datetime
from ocpp16.state.timers import Timer
from ocpp16.values import finite, pairs

Unit = Literal["A", "W"]


class _Facts(TypedDict):
    number_of_connectors: int
    transactions: dict[int, RunningTransaction]
    settings: ScheduleSettings
    ignored: tuple[str, ...]


_ROUNDING = 1 + 1e-9
"""Shares of a total may be more than it by as much as adding floats makes of them."""
_MAXIMUM = (str(ChargingProfilePurposeType.CHARGE_POINT_MAX_PROFILE),)


class ChargingLimits:
    """Of one charge point. `share` sets the strategy, or None, and the fuse in A per phase for all connectors."""

    __slots__ = (
        "_boundaries",
        "_ctx",
        "_fuse",
        "_in_force",
        "_is_running",
        "_profiles",
        "_sharing",
        "_station",
        "_timer",
        "_until",
    )

    def __init__(self, ctx: Context, profiles: ChargingProfiles, station: AskedStation) -> None:
        self._ctx = ctx
        self._profiles = profiles
        self._station = station
        self._in_force: dict[int, ChargingLimit] = {}
        self._until: dict[int, int] = {}
        self._boundaries: list[tuple[int, int]] = []
        self._timer: Timer | None = None
        self._is_running = False
        self._sharing: Strategy | None = None
        self._fuse: float | None = None

    @property
    def unit(self) -> Unit:
        """The unit limits are told in: the first that ChargingScheduleAllowedChargingRateUnit names."""
        words = self._ctx.configuration[smart_charging.CHARGING_SCHEDULE_ALLOWED_CHARGING_RATE_UNIT]
        return "W" if words and UNIT_OF[words[0]] == "W" else "A"

    def limit(self, connector_id: int) -> ChargingLimit:
        """What a connector may draw now; connector 0 is what all of them together may."""
        if connector_id == 0:
            return _told(self.explained(0))
        return self._in_force.get(connector_id) or ChargingLimit(None, self.unit, None, None)

    def explained(self, connector_id: int) -> Limit:
        """The limit of a connector with what made it: profile, stack level, purpose, conversion. Before sharing."""
        return self._calculated([connector_id])[connector_id]

    def composite(self, connector_id: int, duration: int, unit: Unit, at: int | None = None) -> CompositeSchedule:
        """The composite schedule from `at` (µs UTC; None: now) on, `duration` in seconds (OCPP 1.6 ed. 2 §5.7)."""
        start = self._ctx.clock.now() if at is None else at
        return composite_schedule(
            self._profiles.installed, connector_id, start, duration, unit, **self._facts(connector_id)
        )

    def _facts(self, *connector_ids: int) -> _Facts:
        """What all calculations of one moment share; transactions of these connectors, with 0 among them of all."""
        profiles = self._profiles
        return {
            "number_of_connectors": len(self._ctx.connectors) - 1,
            "transactions": profiles.running(None if 0 in connector_ids else connector_ids),
            "settings": profiles.settings,
            "ignored": profiles.ignored,
        }

    def start(self) -> None:
        self._is_running = True
        self.refresh()

    def stop(self) -> None:
        self._is_running = False
        self._disarm()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def refresh(self, connector_ids: Iterable[int] | None = None) -> None:
        """Something happened: calculate the limits of these connectors anew (None, or with 0 among them: of all)."""
        if not self._is_running:
            return
        everyone = [number for number in self._ctx.connectors if number]
        wanted = everyone if connector_ids is None else list(connector_ids)
        if 0 in wanted or self._sharing is not None:
            wanted = everyone
        self._refresh(wanted)

    def _refresh(self, connector_ids: list[int]) -> None:
        limits = self._calculated(connector_ids)
        until_of = self._changes_at(limits)
        for number, until in until_of.items():
            if until is None:
                self._until.pop(number, None)
            else:
                self._until[number] = until
                heappush(self._boundaries, (until, number))
        if len(self._boundaries) > 64 + 2 * len(self._until):
            self._boundaries = [(until, number) for number, until in self._until.items()]
            heapify(self._boundaries)
        self._arm()
        self._tell(self._shared(limits, until_of))

    def _changes_at(self, limits: dict[int, Limit]) -> dict[int, int | None]:
        """When each limit has to be looked at again, µs.

        Shares follow the maximum and the demands even while these leave the connector's own limit as it is.
        """
        until_of = {number: limit.until_micros for number, limit in limits.items()}
        if self._sharing is not None:
            until_of[0] = self.explained(0).until_micros
            for number, limit in self._calculated(self._active(limits), _MAXIMUM).items():
                until_of[number] = _earliest([until_of[number], limit.until_micros])
        return until_of

    def _active(self, connector_ids: Iterable[int]) -> list[int]:
        return [number for number in connector_ids if self._ctx.transactions.running(number) is not None]

    def _calculated(self, connector_ids: Collection[int], without: tuple[str, ...] = ()) -> dict[int, Limit]:
        now, unit, facts = self._ctx.clock.now(), self.unit, self._facts(*connector_ids)
        facts["ignored"] += without
        installed = self._profiles.installed
        return {
            number: charging_limit(installed, number, now, unit, is_enforced=True, **facts) for number in connector_ids
        }

    def _tell(self, limits: dict[int, ChargingLimit]) -> None:
        """Put limits into force, then tell the new ones, lower ones first: not even for a moment is it too much."""
        news: list[tuple[bool, int, ChargingLimit, bool]] = []
        for number, limit in limits.items():
            known = self._in_force.get(number)
            self._in_force[number] = limit
            if known is None:
                news.append((False, number, limit, limit.limit is not None))
            elif _value(known) != _value(limit):
                news.append((_height(limit) > _height(known), number, limit, True))
        news.sort(key=itemgetter(0))
        for _, number, limit, is_event in news:
            if _value(self._in_force[number]) != _value(limit):
                continue  # the station reacted to another one of these, which changed this one once more
            try:
                self._station.charging_limit_changed(number, limit)
            except BaseException as error:
                obey_exit(error)
                self._ctx.failed("station, charging_limit_changed", error)
            if is_event:
                self._ctx.tell(ChargingLimitChanged(number, limit), 0)

    def _arm(self) -> None:
        while self._boundaries and self._until.get(self._boundaries[0][1]) != self._boundaries[0][0]:
            heappop(self._boundaries)
        self._disarm()
        if self._boundaries:
            due = self._ctx.clock.monotonic_at(self._boundaries[0][0])
            self._timer = self._ctx.timers.at(due, self._boundary)

    def _boundary(self) -> None:
        """The first limit has reached its end; so may have others."""
        self._timer = None
        now = self._ctx.clock.now()
        due: list[int] = []
        while self._boundaries and self._boundaries[0][0] <= now:
            until, number = heappop(self._boundaries)
            if self._until.get(number) == until:
                del self._until[number]
                due.append(number)
        if due:
            self.refresh(due)
        else:
            self._arm()

    # Sharing

    def _shared(self, limits: dict[int, Limit], until_of: dict[int, int | None]) -> dict[int, ChargingLimit]:
        told = {number: _told(limit) for number, limit in limits.items()}
        if self._sharing is None:
            return told
        active = self._active(limits)
        total = min(self._totals([limits[number] for number in active]), default=None)
        if total is None:
            return told
        until = _time(_earliest(until_of[number] for number in (0, *active)))
        for number, share in self._shares(total, [self._demand(number, limits[number]) for number in active]).items():
            own = told[number]
            least = share if own.limit is None else min(share, own.limit)
            told[number] = ChargingLimit(least, own.unit, own.phases, until)
        return told

    def _totals(self, limits: list[Limit]) -> Iterator[float]:
        """What connectors that charge may have together, once for each: the maximum, and the fuse.

        Power is worth more current the fewer phases it is drawn from, so the fuse in W is for the fewest.
        """
        settings = self._profiles.settings
        for limit in limits:
            if limit.maximum is not None:
                yield limit.maximum.converted_limit
            if self._fuse is not None:
                yield convert_limit(self._fuse, "A", self.unit, limit.number_phases, settings)

    def share(self, strategy: Strategy | None, fuse: float | None) -> None:
        """Share from now on so; see the head of this file."""
        self._sharing = equal if strategy is None and fuse is not None else strategy
        self._fuse = fuse
        self.refresh()

    def _shares(self, total: float, demands: list[Demand]) -> dict[int, float]:
        """What the strategy says; equal parts if it fails or says what makes no sense, nothing for whom it forgets."""
        assert self._sharing is not None
        try:
            shares = _checked(self._sharing(total, list(demands)), total, demands)
        except BaseException as error:
            obey_exit(error)
            self._ctx.failed("strategy for sharing", error)
            shares = equal(total, demands)
        return {demand.connector_id: shares.get(demand.connector_id, 0.0) for demand in demands}

    def _demand(self, connector_id: int, limit: Limit) -> Demand:
        """What a connector could use: what its transaction allows, else the default limit."""
        transaction = self._ctx.transactions.running(connector_id)
        own = limit.transaction_limit
        settings = self._profiles.settings
        default = settings.default_limit_amps if self.unit == "A" else settings.default_limit_watts
        wanted = default if own is None else own.converted_limit
        return Demand(connector_id, wanted, 0 if transaction is None else transaction.started_at)


def _checked(shares: Mapping[int, float], total: float, demands: list[Demand]) -> dict[int, float]:
    """Shares as numbers, none negative, together no more than the total. Raises ValueError, or what a lie leads to."""
    known = {demand.connector_id for demand in demands}
    checked: dict[int, float] = {}
    for connector_id, share in pairs(shares, "the shares"):
        if connector_id not in known:
            continue
        checked[connector_id] = number = float(finite(share, f"share of connector {connector_id}"))
        if number < 0:
            raise ValueError(f"the share of connector {connector_id} is negative: {number}")
    if sum(checked.values()) > total * _ROUNDING:
        raise ValueError(f"the shares add up to {sum(checked.values())} of {total}")
    return checked


def _value(limit: ChargingLimit) -> tuple[float | None, str, int | None]:
    """What makes it another limit for the station."""
    return limit.limit, limit.unit, limit.phases


def _height(limit: ChargingLimit) -> float:
    return inf if limit.limit is None else limit.limit


def _earliest(until_of: Iterable[int | None]) -> int | None:
    return min((until for until in until_of if until is not None), default=None)


def _time(micros: int | None) -> datetime | None:
    return None if micros is None else to_datetime(micros)


def _told(limit: Limit) -> ChargingLimit:
    value = None if limit.is_default else limit.limit
    # Ours, and right by construction: not checked once more for each of a thousand connectors.
    return ChargingLimit._make((value, limit.unit, limit.number_phases, _time(limit.until_micros)))
