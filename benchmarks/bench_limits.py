"""How quickly a station follows: from a SetChargingProfile to the new limit, and all limits of a large station anew.

The first goes the whole way: TCP on this machine, SQLite with synchronous=FULL, both ends in one process.
"""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import trio
import trio.testing
from figures import note

from ocpp16.charge_point.open import open_charge_point
from ocpp16.models import ChargingLimit
from ocpp16.schedule import CompiledProfile
from ocpp16.testing.central_system import CentralSystem
from ocpp16.testing.stations import RecordingStation
from ocpp16.transport.dial import Endpoint

ROUNDS, CALLS = 7, 300
TOLD_P99, REFRESH, COMPOSITES = 50.0, 20.0, 8.0
"""Targets, ms."""


def configuration(connectors: int, **keys: Any) -> dict[str, Any]:
    return {
        "Internal": {
            "ChargePointId": "cp001",
            "CentralSystemURI": "ws://127.0.0.1/ocpp/",
            "ChargePointModel": "M1",
            "ChargePointVendor": "V1",
            "StopTimeout": 0,
        },
        "Core": {"NumberOfConnectors": connectors, "MeterValueSampleInterval": 0},
        "SmartCharging": {"MaxChargingProfilesInstalled": 20000, "ChargeProfileMaxStackLevel": 400},
        "Security": {"SecurityProfile": 0, "DisableSecurityEventNotifications": True},
        **keys,
    }


def profile(
    number: int, limit: float, purpose: str = "TxDefaultProfile", level: int = 0, **plan: Any
) -> dict[str, Any]:
    """Daily, 24 periods of an hour, and what `plan` says of its schedule."""
    periods = [{"startPeriod": 3600 * hour, "limit": limit + hour % 2} for hour in range(24)]
    return {
        "chargingProfileId": number,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Recurring",
        "recurrencyKind": "Daily",
        "chargingSchedule": {
            "startSchedule": "2024-01-01T00:00:00Z",
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": periods,
            **plan,
        },
    }


class TimedStation(RecordingStation):
    """Knows when it was told a limit last."""

    def __init__(self) -> None:
        super().__init__()
        self.told_at = 0.0

    def charging_limit_changed(self, connector_id: int, limit: ChargingLimit) -> None:
        self.told_at = perf_counter()
        self.limits[connector_id] = limit


async def told_after(folder: Path) -> list[float]:
    """Seconds from the call in the Central System until the station is told, sorted."""
    station, found = TimedStation(), []
    async with CentralSystem(record_limit=0) as csms:
        port = await csms.listen("127.0.0.1")

        async def connect(endpoint: Endpoint) -> trio.abc.Stream:
            return await trio.open_tcp_stream("127.0.0.1", port)

        config = configuration(1)
        async with open_charge_point(config, station, connector=connect, database_path=folder) as charge_point:
            await charge_point.start()
            charge_point.on_transaction_started(1, "s1", "TAG1", 1000)
            await trio.sleep(0.3)
            for number in range(CALLS + 20):
                limit = 10 + number % 7 * 3
                request = {"connectorId": 1, "csChargingProfiles": profile(1, limit, "TxProfile")}
                began = perf_counter()
                answer = await csms.call("cp001", "SetChargingProfile", request)
                while station.told_at < began:
                    await trio.lowlevel.checkpoint()
                assert answer == {"status": "Accepted"}
                assert station.limits[1].limit in (limit, limit + 1)
                if number >= 20:
                    found.append(station.told_at - began)
    return sorted(found)


def test_set_charging_profile_to_the_station(benchmark: Any, tmp_path: Path) -> None:
    seconds = trio.run(told_after, tmp_path)
    p50, p99 = (round(seconds[round(share * (len(seconds) - 1))] * 1e3, 2) for share in (0.5, 0.99))
    show(benchmark, p50_ms=p50, p99_ms=p99)
    assert p99 < TOLD_P99


def show(benchmark: Any, **figures: float) -> None:
    """Put figures into the table of pytest-benchmark, and into the report."""
    benchmark.extra_info.update(figures)
    benchmark.pedantic(lambda: None, rounds=1)
    print()
    of = benchmark.name.removeprefix("test_").replace("_", " ")
    for name, value in figures.items():
        what, is_time, _ = name.rpartition("_ms")
        text = f"{of}: {(what or name).replace('_', ' ')}"
        note(f"limits.{benchmark.name}.{name}", text, value, "ms" if is_time else "")


@contextmanager
def without_collections() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def in_charge_point(
    connectors: int, profiles: Mapping[int, list[dict[str, Any]]], measure: Callable[[Any], dict[str, float]]
) -> dict[str, float]:
    """`measure` of a charge point in which every connector charges, with these profiles by connector."""
    async with (
        CentralSystem(record_limit=0) as csms,
        open_charge_point(configuration(connectors), TimedStation(), connector=csms.connector) as charge_point,
    ):
        await charge_point.start()
        for connector_id in range(1, connectors + 1):
            charge_point.on_transaction_started(connector_id, f"s{connector_id}", "TAG1", 1000)
        await trio.testing.wait_all_tasks_blocked()
        feature = charge_point._runtime.features.smart_charging
        assert feature is not None
        for connector_id, found in profiles.items():
            for made in found:
                await feature.profiles.install(CompiledProfile(connector_id, made), None, lambda connectors: None)
        return measure(charge_point)


def best(work: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    """ms."""
    found = []
    with without_collections():
        for _ in range(ROUNDS):
            before()
            began = perf_counter()
            work()
            found.append(perf_counter() - began)
    return round(min(found) * 1e3, 2)


def refresh_figures(charge_point: Any) -> dict[str, float]:
    """All limits, and the composite schedule of connector 0 over a day."""
    feature = charge_point._runtime.features.smart_charging
    limits = feature.limits
    installed = feature.profiles.installed

    def everything() -> None:
        limits.refresh()
        limits.composite(0, 86400, "A")

    def forget() -> None:
        installed._forget(0)

    return {
        "all_ms": best(everything),
        "limits_ms": best(limits.refresh),
        "connector_0_ms": best(lambda: limits.composite(0, 86400, "A")),
        "after_a_default_for_all_ms": best(everything, forget),
    }


def test_refresh_of_a_thousand_connectors(benchmark: Any) -> None:
    profiles = {0: [profile(1, 16)]}
    profiles |= {number: [profile(number + 1, 10, "TxProfile")] for number in range(1, 1001)}
    figures = trio.run(in_charge_point, 1000, profiles, refresh_figures)
    show(benchmark, **figures)
    assert figures["after_a_default_for_all_ms"] <= REFRESH


def test_composite_schedules_of_many_profiles(benchmark: Any) -> None:
    """50 connectors with 300 profiles each, all connectors and connector 0, over a day.

    Each profile is active for an hour a day and begins five minutes after the one below: no level covers the others.
    """
    numbers = iter(range(1, 20000))
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    profiles = {
        connector_id: [
            profile(
                next(numbers),
                6 + level % 26,
                level=level,
                startSchedule=(begin + timedelta(minutes=5 * level)).isoformat(),
                duration=3600,
            )
            for level in range(300)
        ]
        for connector_id in range(1, 51)
    }

    def figures_of(charge_point: Any) -> dict[str, float]:
        schedules = charge_point.smart_charging.get_all_composite_charging_schedules(86400)
        return {
            "all_ms": best(lambda: charge_point.smart_charging.get_all_composite_charging_schedules(86400)),
            "periods": sum(len(schedule.periods) for schedule in schedules.values()),
        }

    figures = trio.run(in_charge_point, 50, profiles, figures_of)
    show(benchmark, **figures)
    assert figures["all_ms"] <= COMPOSITES
