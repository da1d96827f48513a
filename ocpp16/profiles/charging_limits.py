"""The limits in force: for each connector what it may draw now, until when, told at every change.

Nothing happens between changes. Each connector's present limit says until when it stays; one timer waits for the first
of these. What changes a limit without waiting (a profile, a transaction, the connection, the clock) refreshes the
connectors concerned, and no others: a total that all of them share is kept up to date beside (limit_sharing.py). A
ChargePointMaxProfile is split over the connectors by a strategy, if there is one; without, every connector sees it in
full. A fuse is always held: without a strategy, in equal parts. Before the start and after the end nobody is told
anything; at the start everybody is: what the station was told in an earlier life may be over.

What concerns all connectors of a large station is worked off `AT_ONCE` at a time, those that charge first.
"""

from collections.abc import Collection, Iterable
from heapq import heapify, heappop, heappush
from itertools import islice
from math import inf
from typing import Any, Literal, TypedDict

from ocpp16._core.by_number import ByNumber
from ocpp16.configuration.keys import smart_charging
from ocpp16.enums import ChargingProfilePurposeType
from ocpp16.faults import obey_exit
from ocpp16.models import ChargingLimit
from ocpp16.observer import ChargingLimitChanged
from ocpp16.profiles.charging_profiles import UNIT_OF, ChargingProfiles
from ocpp16.profiles.context import Context
from ocpp16.profiles.limit_sharing import LimitSharing, own_limit
from ocpp16.schedule import (
    CompositeSchedule,
    Limit,
    RunningTransaction,
    ScheduleSettings,
    charging_limit,
    composite_schedule,
)
from ocpp16.schedule.sharing import Strategy, equal
from ocpp16.state.timers import Timer

Unit = Literal["A", "W"]


class _Facts(TypedDict):
    number_of_connectors: int
    transactions: dict[int, RunningTransaction]
    settings: ScheduleSettings
    ignored: tuple[str, ...]


AT_ONCE = 64
"""Connectors whose limits are calculated and told in one turn."""
_MAXIMUM = (str(ChargingProfilePurposeType.CHARGE_POINT_MAX_PROFILE),)


class AskedChargingStation:
    """A SmartChargingStation as `AskedStation` is a CoreStation."""

    __slots__ = ("_host",)

    def __init__(self, host: Any) -> None:
        self._host = host

    def charging_limit_changed(self, connector_id: int, limit: ChargingLimit) -> object:
        return self._host.charging_limit_changed(connector_id, limit)

    async def signal_set_charging_profiles(self) -> object:
        return await self._host.signal_set_charging_profiles()


class ChargingLimits:
    """Of one charge point. `share` sets the strategy, or None, and the fuse in A per phase for all connectors."""

    __slots__ = (
        "_boundaries",
        "_ctx",
        "_in_force",
        "_is_running",
        "_profiles",
        "_rest",
        "_sharing",
        "_stale",
        "_station",
        "_timer",
        "_until",
        "_untold",
    )

    def __init__(self, ctx: Context, profiles: ChargingProfiles, station: AskedChargingStation) -> None:
        self._ctx = ctx
        self._profiles = profiles
        self._station = station
        self._in_force: ByNumber[ChargingLimit] = ByNumber()
        self._untold: dict[int, ChargingLimit | None] | None = None
        """Connectors whose limit the station is yet to be told, with what it was told before; None: there are none."""
        self._until: ByNumber[int] = ByNumber()
        """Until when the limits stay, µs; with 0, where limits are shared, for the maximum."""
        self._boundaries: list[tuple[int, int]] = []
        self._timer: Timer | None = None
        self._stale: dict[int, None] | None = None
        """Connectors whose limits are yet to be calculated; None: there are none."""
        self._rest: Timer | None = None
        self._is_running = False
        self._sharing: LimitSharing | None = None

    @property
    def unit(self) -> Unit:
        """The unit limits are told in: the first that ChargingScheduleAllowedChargingRateUnit names."""
        words = self._ctx.configuration[smart_charging.CHARGING_SCHEDULE_ALLOWED_CHARGING_RATE_UNIT]
        return "W" if words and UNIT_OF[words[0]] == "W" else "A"

    def limit(self, connector_id: int) -> ChargingLimit:
        """What a connector may draw now; connector 0 is what all of them together may."""
        sharing = self._sharing
        if connector_id == 0:
            total = own_limit(self.explained(0))
            return total if sharing is None else sharing.of_all(total, self.unit)
        limit = self._in_force.get(connector_id) or ChargingLimit(None, self.unit, None, None)
        return limit if sharing is None else sharing.as_known(connector_id, limit)

    def explained(self, connector_id: int) -> Limit:
        """The limit of a connector with what made it: profile, stack level, purpose, conversion. Before sharing."""
        return self._calculated([connector_id])[connector_id]

    def composite(self, connector_id: int, duration: int, unit: Unit, at: int | None = None) -> CompositeSchedule:
        """The composite schedule from `at` (µs UTC; None: now) on, `duration` in seconds (OCPP 1.6 ed. 2 §5.7)."""
        start = self._ctx.clock.now() if at is None else at
        return composite_schedule(
            self._profiles.installed,
            connector_id,
            start,
            duration,
            unit,
            **self._facts(None if connector_id == 0 else (connector_id,)),
        )

    def _facts(self, connector_ids: Iterable[int] | None) -> _Facts:
        """What all calculations of one moment share; transactions of these connectors (None: of all)."""
        profiles = self._profiles
        return {
            "number_of_connectors": len(self._ctx.connectors) - 1,
            "transactions": profiles.running(connector_ids),
            "settings": profiles.settings,
            "ignored": profiles.ignored,
        }

    def start(self) -> None:
        self._is_running = True
        everyone = self._everyone()
        self._refresh([0, *everyone], len(everyone))

    def stop(self) -> None:
        self._is_running = False
        self._stale = self._untold = None
        for timer in (self._timer, self._rest):
            if timer is not None:
                timer.cancel()
        self._timer = self._rest = None

    def refresh(self, connector_ids: Collection[int] | None = None) -> None:
        """Something happened: calculate the limits of these connectors anew (None, or with 0 among them: of all).

        The limits of many are calculated in several turns; see the head of this file.
        """
        if not self._is_running:
            return
        if connector_ids is None or 0 in connector_ids:
            connector_ids = [0, *self._everyone()]
        if len(connector_ids) <= AT_ONCE:
            self._refresh(connector_ids)
        else:
            self._stale = {**(self._stale or {}), **dict.fromkeys(connector_ids)}
            self._work_off()

    def transaction_changed(self, connector_id: int) -> None:
        """A transaction there began, got its id or is over: that concerns profiles and who shares, and nobody else."""
        if self._sharing is not None or len(self._profiles.installed):
            self.refresh((connector_id,))

    def clock_set(self) -> None:
        """It is another time: that concerns who has profiles, and who shares."""
        if self._sharing is not None or len(self._profiles.installed):
            self.refresh()

    def _everyone(self) -> list[int]:
        """All connectors, those that charge first."""
        active = [transaction.connector_id for transaction in self._ctx.transactions.all_running()]
        return list(dict.fromkeys(number for number in (*active, *self._ctx.connectors) if number))

    def _work_off(self) -> None:
        """Some of what waits: first the limits, then what is to be shared, then what the station is to be told."""
        self._rest = None
        if self._stale:
            self._refresh(list(islice(self._stale, AT_ONCE)))
        elif self._sharing is not None and self._sharing.is_behind:
            self._tell(self._sharing.settled())
        else:
            self._tell({})
        self._go_on()

    def _go_on(self) -> None:
        is_behind = self._sharing is not None and self._sharing.is_behind
        if (self._stale or is_behind or self._untold) and self._rest is None and self._is_running:
            self._rest = self._ctx.timers.at(self._ctx.clock.monotonic(), self._work_off)

    def _refresh(self, connector_ids: Collection[int], told_at_once: int = AT_ONCE) -> None:
        """Calculate these limits now, and tell them; 0 among them: look when the maximum changes."""
        if self._stale is not None:
            for number in connector_ids:
                self._stale.pop(number, None)
            self._stale = self._stale or None
        if self._sharing is not None and 0 in connector_ids:
            self._note_until(0, self._calculated([0])[0].until_micros)
        limits = self._calculated([number for number in connector_ids if number])
        told = {number: own_limit(limit) for number, limit in limits.items()}
        if self._sharing is None:
            self._note_untils(limits)
        else:
            settings = self._profiles.settings
            for number, limit in limits.items():
                self._sharing.take(number, limit, settings)
            self._note_untils(limits)
            told |= self._sharing.told(limits, is_all=not self._stale)
        self._arm()
        self._tell(told, told_at_once)
        self._go_on()

    def _note_untils(self, limits: dict[int, Limit]) -> None:
        """When each limit has to be looked at again.

        Shares follow the demands even while these leave the connector's own limit as it is: beneath a maximum.
        """
        sharing = self._sharing
        covered = (
            [] if sharing is None else [n for n, limit in limits.items() if limit.maximum is not None and n in sharing]
        )
        beneath = self._calculated(covered, _MAXIMUM) if covered else {}
        for number, limit in limits.items():
            until = limit.until_micros
            if number in beneath:
                until = _earlier(until, beneath[number].until_micros)
            self._note_until(number, until)
        if len(self._boundaries) > 64 + 2 * len(self._until):
            self._boundaries = [(until, number) for number, until in self._until.items()]
            heapify(self._boundaries)

    def _note_until(self, number: int, until: int | None) -> None:
        if until is None:
            self._until.pop(number)
        elif self._until.get(number) != until:
            self._until[number] = until
            heappush(self._boundaries, (until, number))

    def _calculated(self, connector_ids: Collection[int], without: tuple[str, ...] = ()) -> dict[int, Limit]:
        now, unit, facts = self._ctx.clock.now(), self.unit, self._facts(connector_ids)
        facts["ignored"] += without
        installed = self._profiles.installed
        return {
            number: charging_limit(installed, number, now, unit, is_enforced=True, **facts) for number in connector_ids
        }

    def _tell(self, limits: dict[int, ChargingLimit], at_once: int = AT_ONCE) -> None:
        """Put limits into force, then tell the new ones, lower ones first: not even for a moment is it too much."""
        untold = self._untold or {}
        for number, limit in limits.items():
            known = untold[number] if number in untold else self._in_force.get(number)
            self._in_force[number] = limit
            if known is None or _value(known) != _value(limit):
                untold[number] = known
            else:
                untold.pop(number, None)
        if untold:
            self._untold = untold
            self._tell_some(untold, at_once)
            if self._untold is untold and not untold:
                self._untold = None

    def _tell_some(self, untold: dict[int, ChargingLimit | None], at_once: int) -> None:
        in_force = self._in_force

        def rank(number: int) -> tuple[bool, int]:
            known = untold[number]
            return known is not None and _height(in_force[number]) > _height(known), number

        for number in sorted(untold, key=rank)[:at_once]:
            if number not in untold:
                continue  # the station reacted to another one of these, and was told this one, too
            known, limit = untold.pop(number), in_force[number]
            try:
                self._station.charging_limit_changed(number, limit)
            except BaseException as error:
                obey_exit(error)
                self._ctx.failed("station, charging_limit_changed", error)
            if known is not None or limit.limit is not None:
                self._ctx.tell(ChargingLimitChanged(number, limit), 0)

    def _arm(self) -> None:
        while self._boundaries and self._until.get(self._boundaries[0][1]) != self._boundaries[0][0]:
            heappop(self._boundaries)
        due = self._ctx.clock.monotonic_at(self._boundaries[0][0]) if self._boundaries else None
        if self._timer is not None:
            if self._timer.when == due:
                return
            self._timer.cancel()
            self._timer = None
        if due is not None:
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

    def share(self, strategy: Strategy | None, fuse: float | None) -> None:
        """Share from now on so; see the head of this file. As before: share anew, what is wanted is something else."""
        strategy = equal if strategy is None and fuse is not None else strategy
        sharing = self._sharing
        if strategy is None:
            self._sharing = None
            self._until.pop(0)
        elif sharing is None or sharing.strategy != strategy or sharing.fuse != fuse:
            self._sharing = LimitSharing(self._ctx, self._profiles, self._until, strategy, fuse)
        elif self._is_running:
            self._tell(sharing.anew())
            self._go_on()
            return
        if self._is_running:
            active = [transaction.connector_id for transaction in self._ctx.transactions.all_running()]
            self._refresh([0, *active])


def _value(limit: ChargingLimit) -> tuple[float | None, str, int | None]:
    """What makes it another limit for the station."""
    return limit.limit, limit.unit, limit.phases


def _height(limit: ChargingLimit) -> float:
    return inf if limit.limit is None else limit.limit


def _earlier(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)
