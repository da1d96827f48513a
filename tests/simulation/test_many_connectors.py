"""A station of many connectors: what happens at one is no work for the others, and what concerns all is spread."""

import gc
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import reduce
from operator import and_
from types import FrameType
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from ocpp16.charge_point.open import open_charge_point
from ocpp16.schedule.sharing import Demand, equal
from ocpp16.simulation import Operation, SimulatedStation
from ocpp16.testing import CentralSystem

PROFILE = {
    "chargingProfileId": 3,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": {
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10.0}, {"startPeriod": 7, "limit": 12.0}],
    },
}


def configuration(connectors: int) -> dict[str, dict[str, Any]]:
    return {
        "Internal": {
            "ChargePointId": "cp001",
            "CentralSystemURI": "ws://127.0.0.1:9000/",
            "ChargePointModel": "Simulated",
            "ChargePointVendor": "ocpp16",
        },
        "Core": {
            "NumberOfConnectors": connectors,
            "MeterValueSampleInterval": 0,
            "SupportedFeatureProfiles": "Core,SmartCharging,RemoteTrigger",
        },
    }


class Lines:
    """Counts the lines of this library that are executed while it watches; a loop costs one for each round."""

    def __init__(self) -> None:
        self.executed: Counter[str] = Counter()

    def __enter__(self) -> "Lines":
        self._before = sys.gettrace()
        sys.settrace(self._called)
        return self

    def __exit__(self, *error: object) -> None:
        sys.settrace(self._before)

    def _called(self, frame: FrameType, event: str, argument: Any) -> Any:
        file = frame.f_code.co_filename
        return self._in_frame if "/ocpp16/" in file and "/testing/" not in file else None

    def _in_frame(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self.executed[f"{frame.f_code.co_filename.rpartition('/')[2]} {frame.f_code.co_name}"] += 1
        return self._in_frame


Event = Callable[[SimulatedStation, CentralSystem, Any, int], Awaitable[Any] | None]


def ask(action: str, **payload: Any) -> Event:
    """A CALL of the Central System about the connector."""

    def event(station: SimulatedStation, csms: CentralSystem, charge_point: Any, number: int) -> Awaitable[Any]:
        return csms.call("cp001", action, {"connectorId": number, **payload})

    return event


def sample(station: SimulatedStation, csms: CentralSystem, charge_point: Any, number: int) -> None:
    assert charge_point.sample_now(number)


EVENTS: dict[str, Event] = {
    "plug in": lambda station, csms, charge_point, number: station.plug_in(number, plug_after=0, draw_for=1e6),
    "card": lambda station, csms, charge_point, number: station.present_id_tag("LAST", [number]),
    "sample": sample,
    "pause": lambda station, csms, charge_point, number: station.pause_drawing(number),
    "resume": lambda station, csms, charge_point, number: station.resume_drawing(number, 20),
    "fault": lambda station, csms, charge_point, number: station.raise_fault(number, "OtherError"),  # type: ignore[arg-type]
    "no fault": lambda station, csms, charge_point, number: station.clear_fault(number, "OtherError"),  # type: ignore[arg-type]
    "profile": ask("SetChargingProfile", csChargingProfiles=PROFILE),
    "boundary": lambda station, csms, charge_point, number: None,
    "schedule": ask("GetCompositeSchedule", duration=60),
    "meter": ask("TriggerMessage", requestedMessage="MeterValues"),
    "status": ask("TriggerMessage", requestedMessage="StatusNotification"),
    "no profile": ask("ClearChargingProfile"),
    "offered": lambda station, csms, charge_point, number: charge_point.on_max_current_offered(number, 7.0),
    "out of service": ask("ChangeAvailability", type="Inoperative"),
    "unplug": lambda station, csms, charge_point, number: station.unplug(number),
    "in service": ask("ChangeAvailability", type="Operative"),
}
SECONDS_EACH = 4.0
RUNS = 3
ANCHOR = 1_767_261_600.0
"""2026-01-01T10:00:00Z: no run comes past a midnight."""


BENEATH_A_MAXIMUM = ("pause", "resume", "offered", "meter", "schedule")
MAXIMUM = {**PROFILE, "chargingProfileId": 9, "chargingProfilePurpose": "ChargePointMaxProfile"}
MAXIMUM |= {
    "chargingProfileKind": "Recurring",
    "recurrencyKind": "Daily",
    "chargingSchedule": {
        "startSchedule": "2020-01-01T00:00:00Z",
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 9000.0}],
    },
}


async def lines_of_each_event(connectors: int) -> dict[str, Counter[str]]:
    """Of events at the last connector while cars charge at all others; of some also while there is a limit for all
    together, which is enough for all.
    """
    found = {}
    station = SimulatedStation(meter_interval=0, meter_noise=0, fuse_limit=10_000)
    async with (
        CentralSystem() as csms,
        open_charge_point(
            configuration(connectors), station, connector=csms.connector, seed=1, anchor=ANCHOR
        ) as charge_point,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(Operation(station, charge_point).run)
        await csms.wait_for_call("StatusNotification", connectors + 1)
        for number in range(1, connectors):
            station.plug_in(number, plug_after=0, draw_for=1e6)
            station.present_id_tag(f"TAG{number}", [number])
        await trio.sleep(20)
        assert len(charge_point.for_station.running_sessions()) == connectors - 1

        async def happens(name: str, as_name: str) -> None:
            with Lines() as lines:
                waited_for = EVENTS[name](station, csms, charge_point, connectors)
                if waited_for is not None:
                    await waited_for
                await trio.sleep(SECONDS_EACH)
            found[as_name] = lines.executed

        for name in EVENTS:
            await happens(name, name)
        station.plug_in(connectors, plug_after=0, draw_after=0, draw_for=1e6)
        station.present_id_tag("LAST", [connectors])
        await trio.sleep(5)
        await csms.call("cp001", "SetChargingProfile", {"connectorId": 0, "csChargingProfiles": MAXIMUM})
        await trio.sleep(5)
        for name in BENEATH_A_MAXIMUM:
            await happens(name, f"{name}, beneath a maximum")
        nursery.cancel_scope.cancel()
    return found


def always(connectors: int) -> dict[str, Counter[str]]:
    """The lines of each event that are executed in every one of some runs: in which order trio has its tasks go on is
    chance, and with it how many turns of the loop things take, each of which costs dozens of lines.
    """
    runs = [trio.run(lines_of_each_event, connectors, clock=MockClock(autojump_threshold=0)) for _ in range(RUNS)]
    return {name: reduce(and_, [run[name] for run in runs]) for name in runs[0]}


def test_an_event_at_one_connector_looks_at_no_other() -> None:
    gc.collect()
    gc.disable()  # what other tests left is not to be let go, line by line, while these are counted
    try:
        few, many = always(4), always(40)
    finally:
        gc.enable()
    assert sum(few["card"].values()) > 1000
    # Any walk costs a hundred lines, and in every run.
    assert few.keys() == many.keys() > EVENTS.keys()
    for name in few:
        more = {
            place: (count, few[name][place]) for place, count in many[name].items() if count > few[name][place] + 60
        }
        assert more == {}, name


def test_the_count_would_notice_a_walk() -> None:
    demands = [Demand(number, 16.0, 0) for number in range(40)]
    with Lines() as lines:
        equal(10.0, demands)
    assert lines.executed["sharing.py equal"] > 100


async def test_reports_after_a_boot_are_made_as_the_central_system_takes_them(autojump_clock: MockClock) -> None:
    station = SimulatedStation(meter_interval=0)
    async with (
        CentralSystem() as csms,
        open_charge_point(configuration(200), station, connector=csms.connector, seed=1) as charge_point,
        trio.open_nursery() as nursery,
    ):

        async def slowly(payload: dict[str, Any], call: Any) -> dict[str, Any]:
            await trio.sleep(0.02)
            return {}

        csms.answers["StatusNotification"] = slowly
        nursery.start_soon(Operation(station, charge_point).run)
        await trio.sleep(1)
        assert 20 < len(csms.calls("StatusNotification")) < 60
        assert charge_point.connection.queue_depth <= 17
        station.plug_in(150, plug_after=0)
        await trio.sleep(10)
        told = [(call.payload["connectorId"], call.payload["status"]) for call in csms.calls("StatusNotification")]
        assert [one for one in told if one[0] == 150] == [(150, "Preparing")], "it told itself, and once"
        assert sorted(number for number, _ in told) == list(range(201))
        nursery.cancel_scope.cancel()


async def test_all_cars_of_a_large_station_leave_at_once(autojump_clock: MockClock) -> None:
    """What was scheduled for their end is carried out at every connector, and so is what takes it back."""
    count = 300
    station = SimulatedStation(meter_interval=0, fuse_limit=10_000)
    async with (
        CentralSystem() as csms,
        open_charge_point(configuration(count), station, connector=csms.connector, seed=1) as charge_point,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(Operation(station, charge_point).run)
        await trio.sleep(10)
        for number in range(1, count + 1):
            station.plug_in(number, plug_after=0, draw_after=0, draw_for=1e6)
            station.present_id_tag(f"TAG{number}", [number])
        await trio.sleep(10)
        assert len(charge_point.for_station.running_sessions()) == count
        for kind, answer, status in (
            ("Inoperative", "Scheduled", "Unavailable"),
            ("Operative", "Accepted", "Available"),
        ):
            request = {"connectorId": 0, "type": kind}
            assert await csms.call("cp001", "ChangeAvailability", request) == {"status": answer}
            for number in range(1, count + 1):
                station.unplug(number)
            await trio.sleep(60)
            assert {str(charge_point.connector_status(number).status) for number in range(1, count + 1)} == {status}
        assert charge_point.counters.internal_errors == 0
        assert {evse.register() > 0 for evse in station.evses} == {True}
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("count", [1, 3, 200])
def test_the_meters_are_told_one_after_another(make_bench: Any, count: int) -> None:
    bench = make_bench(count, meter_interval=2)
    bench.advance(4.5)
    told = [fact[1] for fact in bench.take(all_of_it=True) if fact[0] == "meter_values"]
    assert told == [*range(1, count + 1)] * 2
    bench.station.power_down()
    bench.advance(10)
    bench.station.power_up()
    bench.advance(2)
    told = [fact[1] for fact in bench.take(all_of_it=True) if fact[0] == "meter_values"]
    assert told == [*range(1, count + 1)], "none for the time without power"
