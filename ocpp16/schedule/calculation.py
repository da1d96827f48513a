"""What installed charging profiles come to, on any connector: a thin layer that asks the core the right question.

It knows no charge point and no clock: transactions, settings and the instant are arguments. A connector is told from
connector 0 here, and nothing else is decided.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Literal

from ocpp16._core.composition import connector_limit, connector_schedule
from ocpp16._core.periods import CompiledProfile
from ocpp16._core.precedence import ProfileStack, RunningTransaction
from ocpp16._core.schedule import CompositeSchedule, Limit, ScheduleSettings
from ocpp16._core.totals import station_limit, station_schedule
from ocpp16.enums import ChargingProfilePurposeType
from ocpp16.schedule.installed import InstalledProfiles, Instant

_NONE: Mapping[int, RunningTransaction] = MappingProxyType({})
Unit = Literal["A", "W"]


def _members(
    profiles: InstalledProfiles, number_of_connectors: int, transactions: Mapping[int, RunningTransaction]
) -> Iterator[tuple[ProfileStack, RunningTransaction | None, int]]:
    """The connectors, those that have nothing of their own together."""
    alike = number_of_connectors
    for connector_id in range(1, number_of_connectors + 1):
        transaction = transactions.get(connector_id)
        if transaction is not None or profiles.has_own(connector_id):
            alike -= 1
            yield profiles.stack(connector_id), transaction, 1
    yield profiles.stack(0), None, alike


def _installed(profiles: InstalledProfiles | Iterable[CompiledProfile]) -> InstalledProfiles:
    return profiles if isinstance(profiles, InstalledProfiles) else InstalledProfiles(profiles)


def _stack(profiles: Iterable[CompiledProfile], connector_id: int) -> ProfileStack:
    """What matters to a connector. Profiles of which none replaces another need no installing, which is slow."""
    profiles = list(profiles)
    ids = {profile.profile_id for profile in profiles}
    stations = [profile.purpose for profile in profiles if profile.connector_id == 0]
    if len(ids) == len(profiles) and ChargingProfilePurposeType.TX_DEFAULT_PROFILE not in stations:
        try:
            return ProfileStack(profiles, connector_id)
        except ValueError:
            pass  # two of one purpose, connector and level: the later one replaces the earlier
    return InstalledProfiles(profiles).stack(connector_id)


def composite_schedule(
    profiles: InstalledProfiles | Iterable[CompiledProfile],
    connector_id: int,
    start: Instant,
    duration: int,
    unit: Unit,
    *,
    number_of_connectors: int = 1,
    transactions: Mapping[int, RunningTransaction] = _NONE,
    settings: ScheduleSettings | None = None,
    ignored: Collection[str] = (),
) -> CompositeSchedule:
    """The composite schedule of a connector, or of the charge point (OCPP 1.6 ed. 2 §3.13.3 and §5.7).

    profiles: installed, or in the order in which they were; connector_id: 0 for the charge point, which adds up its
    `number_of_connectors` (used there only); start: of the window; duration: s, cut to the settings' maximum, 0 gives
    the value at `start`; unit: "A" per phase or "W" of all phases; transactions: what runs, by connector; ignored:
    purposes that are left out, as IgnoredProfilePurposesOffline while offline. Raises ValueError naming the argument.
    """
    if connector_id == 0:
        profiles = _installed(profiles)
        members = _members(profiles, number_of_connectors, transactions)
        return station_schedule(profiles.stack(0), members, start, duration, unit, settings=settings, ignored=ignored)
    stack = profiles.stack(connector_id) if isinstance(profiles, InstalledProfiles) else _stack(profiles, connector_id)
    return connector_schedule(stack, start, duration, unit, settings, transactions.get(connector_id), ignored)


def charging_limit(
    profiles: InstalledProfiles | Iterable[CompiledProfile],
    connector_id: int,
    at: Instant,
    unit: Unit,
    *,
    number_of_connectors: int = 1,
    transactions: Mapping[int, RunningTransaction] = _NONE,
    settings: ScheduleSettings | None = None,
    ignored: Collection[str] = (),
    is_enforced: bool = False,
    horizon: int = 86400,
) -> Limit:
    """The limit at an instant, until when it stays, and which profile made it.

    is_enforced: what the station must obey, instead of what a composite schedule shows: without a transaction a
    TxDefaultProfile binds nobody, and connector 0 is held by the ChargePointMaxProfiles only. horizon: s, how far to
    look for the next change: `until` may be its end, ask again then; None: certainly none ahead. An idle connector's
    Relative profiles count from `at`. The others as for `composite_schedule`. Where `Limit.is_default`, nothing limits
    the connector: a station may take its own maximum instead of the default limit (OCPP 1.6 ed. 2 §3.13.6).
    """
    if connector_id == 0 and not is_enforced:
        profiles = _installed(profiles)
        members = _members(profiles, number_of_connectors, transactions)
        return station_limit(profiles.stack(0), members, at, unit, settings=settings, ignored=ignored, horizon=horizon)
    stack = profiles.stack(connector_id) if isinstance(profiles, InstalledProfiles) else _stack(profiles, connector_id)
    transaction = None if connector_id == 0 else transactions.get(connector_id)
    return connector_limit(stack, at, unit, settings, transaction, ignored, is_enforced, horizon)
