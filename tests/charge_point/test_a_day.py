"""A day in the life of a charge point, twice: with the same seed and clock, the same frames at the same times.

What tasks do at the very same instant comes in trio's order, which is random on purpose; so people here take a second
between two acts.
"""

from collections import Counter
from contextlib import suppress
from typing import Any

import trio

from ocpp16.charge_point.open import open_charge_point
from ocpp16.errors import CallFailed, Offline
from ocpp16.simulation import CarPlan, Operation, SimulatedStation
from ocpp16.testing import CentralSystem, Direction, Fault
from ocpp16.testing.central_system import START

HOUR = 3600.0


class Day:
    """One run: a Central System with bad moments, a station with two cars."""

    def __init__(self, document: dict[str, Any], seed: int) -> None:
        self.csms = CentralSystem(interval=600)
        self.station = SimulatedStation(meter_interval=30, seed=seed)
        self._document = document
        self._seed = seed

    async def run(self) -> list[tuple[float, str, str]]:
        """Live through it; returns every text frame with its time and direction."""
        csms, began = self.csms, trio.current_time()
        csms.refuse_boot("Pending", times=2, interval=120)
        csms.misbehave(Fault.DROP, "BootNotification")
        async with csms:
            async with open_charge_point(
                self._document, self.station, connector=csms.connector, anchor=START / 1e6, seed=self._seed
            ) as charge_point:
                self.station.attach(charge_point)
                charge_point.for_station.spawn(Operation(self.station, charge_point).run)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._people)
                    nursery.start_soon(self._network)
                    nursery.start_soon(self._operator)
                assert charge_point.connection.queue_depth == 0
            assert list(csms.violations) == []
        return [
            (round(line.time - began, 6), str(line.direction), line.text)
            for line in csms.traffic
            if line.direction in (Direction.RECEIVED, Direction.SENT)
        ]

    async def _people(self) -> None:
        """A long charge over most of the trouble, and shorter ones."""
        station = self.station
        await trio.sleep(0.5 * HOUR)
        station.plug_in(1, CarPlan(draw_for=6 * HOUR))
        station.present_id_tag("LONG", [1])
        for visit in range(20):
            await trio.sleep(HOUR + 17 * visit)
            station.unplug(2)
            await trio.sleep(1)
            station.plug_in(2, CarPlan(draw_for=0.5 * HOUR, current=6 + visit))
            station.present_id_tag(f"SHORT{visit}", [2])

    async def _network(self) -> None:
        """Answers that do not come, connections that end, hours without any."""
        csms = self.csms
        for hour in range(22):
            await trio.sleep(0.8 * HOUR)
            csms.misbehave(list(Fault)[hour % len(Fault)], seconds=40)
            await trio.sleep(0.1 * HOUR)
            with suppress(Offline):
                if hour % 3 == 0:
                    csms.abort("cp001")
                elif hour % 3 == 1:
                    await csms.close("cp001", 1001 + hour)
            csms.is_reachable = hour % 7 != 6
            await trio.sleep(0.1 * HOUR)
        csms.is_reachable = True
        await trio.sleep(2 * HOUR + 100)

    async def _operator(self) -> None:
        """Somebody looks after it."""
        calls: list[tuple[str, dict[str, Any]]] = [
            ("GetConfiguration", {}),
            ("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1}),
            ("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "450"}),
            ("ChangeAvailability", {"connectorId": 2, "type": "Inoperative"}),
            ("ChangeAvailability", {"connectorId": 2, "type": "Operative"}),
            ("RemoteStopTransaction", {"transactionId": 3}),
            ("DataTransfer", {"vendorId": "V"}),
        ]
        for number in range(40):
            await trio.sleep(0.57 * HOUR)
            with suppress(Offline, CallFailed):
                await self.csms.call("cp001", *calls[number % len(calls)])


async def test_the_same_day_twice(make_config: Any) -> None:
    document = make_config(
        Core__MeterValueSampleInterval=300,
        Core__ClockAlignedDataInterval=900,
        Core__WebSocketPingInterval=60,
        Core__StopTxnSampledData="Energy.Active.Import.Register",
        Internal__RetryBackoffRandomRange=10,
    )
    first, second = [await Day(document, seed=7).run() for _ in range(2)]
    other = await Day(document, seed=8).run()
    assert first == second
    assert first != other, "another seed gives other ids and waits"
    assert first[-1][0] > 23 * HOUR
    told = Counter(text.split('"')[3] for _, direction, text in first if direction == "received" and text[1] == "2")
    assert told["BootNotification"] == 3, "one without an answer, one pending"
    assert told["Heartbeat"] > 50
    assert told["MeterValues"] > 200
    assert told["StartTransaction"] > 15
    assert told["StopTransaction"] > 15
