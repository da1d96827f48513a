"""The limits in force: for each connector what it may draw now, until when, told at every change.

Nothing happens between changes. Each connector's present limit says until when it stays; one timer waits for the first
of these. What changes a limit without waiting (a profile, a transaction, the connection, the clock) refreshes the
connectors concerned. A limit shared among connectors (a ChargePointMaxProfile, a fuse) is split by a strategy, if there
is one; without, every connector sees it in full.
"""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from typing import Literal, TypedDict

from ocpp16.models import ChargingLimit
from ocpp16.observer import ChargingLimitChanged
from ocpp16.profiles.charging_profiles import UNIT_OF, ChargingProfiles
from ocpp16.profiles.context import Context, log
from ocpp16.schedule import (
    CompositeSchedule,
    Limit,
    RunningTransaction,
    ScheduleSettings,
    charging_limit,
    composite_schedule,
)
from ocpp16.schedule.sharing import Demand, Strategy
from ocpp16.state.clock import to_datetime
from ocpp16.state.keys import smart_charging
from ocpp16.state.timers import Timer
from ocpp16.station import SmartChargingStation

Unit = Literal["A", "W"]


class _Facts(TypedDict):
    number_of_connectors: int
    transactions: dict[int, RunningTransaction]
    settings: ScheduleSettings
    ignored: tuple[str, ...]


_SECOND = 1_000_000
_NO_LIMIT = ChargingLimit(None, "A", None, None)


class ChargingLimits:
    """Of one charge point. `sharing` is a strategy or None; `fuse` is A per phase for all connectors, or None."""

    __slots__ = ("_boundaries", "_ctx", "_in_force", "_profiles", "_station", "_timer", "_until", "fuse", "sharing")

    def __init__(self, ctx: Context, profiles: ChargingProfiles, station: SmartChargingStation) -> None:
        self._ctx = ctx
        self._profiles = profiles
        self._station = station
        self._in_force: dict[int, ChargingLimit] = {}
        self._until: dict[int, int] = {}
        self._boundaries: list[tuple[int, int]] = []
        self._timer: Timer | None = None
        self.sharing: Strategy | None = None
        self.fuse: float | None = None

    @property
    def unit(self) -> Unit:
        """The unit limits are told in: the first that ChargingScheduleAllowedChargingRateUnit names."""
        words = self._ctx.configuration[smart_charging.CHARGING_SCHEDULE_ALLOWED_CHARGING_RATE_UNIT]
        return "W" if words and UNIT_OF[words[0]] == "W" else "A"

    def limit(self, connector_id: int) -> ChargingLimit:
        """What a connector may draw now; connector 0 is what all of them together may."""
        if connector_id == 0:
            return _told(self.explained(0))
        return self._in_force.get(connector_id, _NO_LIMIT)

    def explained(self, connector_id: int) -> Limit:
        """The limit of a connector with what made it: profile, stack level, purpose, conversion. Before sharing."""
        return self._calculated([connector_id])[connector_id]

    def composite(self, connector_id: int, duration: int, unit: Unit) -> CompositeSchedule:
        """The composite schedule from now on, `duration` in seconds (OCPP 1.6 ed. 2 §5.7)."""
        return composite_schedule(
            self._profiles.installed, connector_id, self._ctx.clock.now(), duration, unit, **self._facts()
        )

    def _facts(self) -> _Facts:
        """What all calculations of one moment share."""
        profiles = self._profiles
        return {
            "number_of_connectors": len(self._ctx.connectors) - 1,
            "transactions": profiles.running(),
            "settings": profiles.settings,
            "ignored": profiles.ignored,
        }

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def refresh(self, connector_ids: Iterable[int] | None = None) -> None:
        """Something happened: calculate the limits of these connectors anew (None, or with 0 among them: of all)."""
        everyone = [number for number in self._ctx.connectors if number]
        wanted = everyone if connector_ids is None else list(connector_ids)
        if 0 in wanted or self.sharing is not None:
            wanted = everyone
        self._refresh(wanted)

    def _refresh(self, connector_ids: list[int]) -> None:
        limits = self._calculated(connector_ids)
        for number, limit in limits.items():
            until = limit.until_micros
            if until is None:
                self._until.pop(number, None)
            else:
                self._until[number] = until
                heappush(self._boundaries, (until, number))
        if len(self._boundaries) > 64 + 2 * len(self._until):
            self._boundaries = [(until, number) for number, until in self._until.items()]
            heapify(self._boundaries)
        for number, told in self._shared(limits).items():
            self._tell(number, told)
        self._arm()

    def _calculated(self, connector_ids: Iterable[int]) -> dict[int, Limit]:
        now, unit, facts = self._ctx.clock.now(), self.unit, self._facts()
        installed = self._profiles.installed
        return {
            number: charging_limit(installed, number, now, unit, is_enforced=True, **facts) for number in connector_ids
        }

    def _tell(self, connector_id: int, limit: ChargingLimit) -> None:
        known = self._in_force.get(connector_id, _NO_LIMIT)
        self._in_force[connector_id] = limit
        if (known.limit, known.unit, known.phases) == (limit.limit, limit.unit, limit.phases):
            return
        try:
            self._station.charging_limit_changed(connector_id, limit)
        except Exception:
            log.exception("%s: station failed at a new limit", self._ctx.charge_point_id)
        self._ctx.tell(ChargingLimitChanged(connector_id, limit), 0)

    def _arm(self) -> None:
        while self._boundaries and self._until.get(self._boundaries[0][1]) != self._boundaries[0][0]:
            heappop(self._boundaries)
        self.stop()
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
                due.append(number)
        if due:
            self.refresh(due)
        else:
            self._arm()

    # Sharing

    def _shared(self, limits: dict[int, Limit]) -> dict[int, ChargingLimit]:
        told = {number: _told(limit) for number, limit in limits.items()}
        if self.sharing is None:
            return told
        active = [number for number in limits if self._ctx.transactions.running(number) is not None]
        totals = [limits[number].maximum for number in active]
        total = min((found.converted_limit for found in totals if found is not None), default=None)
        if self.fuse is not None and self.unit == "A":
            total = self.fuse if total is None else min(total, self.fuse)
        if total is None or not active:
            return told
        shares = self.sharing(total, [self._demand(number, limits[number]) for number in active])
        for number, share in shares.items():
            own = told[number]
            if own.limit is None or share < own.limit:
                told[number] = ChargingLimit(share, own.unit, own.phases, own.until)
        return told

    def _demand(self, connector_id: int, limit: Limit) -> Demand:
        """What a connector could use: what its transaction allows, else the default limit."""
        transaction = self._ctx.transactions.running(connector_id)
        own = limit.transaction_limit
        settings = self._profiles.settings
        default = settings.default_limit_amps if self.unit == "A" else settings.default_limit_watts
        wanted = default if own is None else own.converted_limit
        return Demand(connector_id, wanted, 0 if transaction is None else transaction.started_at)


def _told(limit: Limit) -> ChargingLimit:
    until = limit.until_micros
    return ChargingLimit(
        None if limit.is_default else limit.limit,
        limit.unit,
        limit.number_phases,
        None if until is None else to_datetime(until - until % _SECOND),
    )
