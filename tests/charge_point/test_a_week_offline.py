"""A week without the Central System: 140 transactions, a power cut each night, and then all of it is delivered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
import trio
from power_cut import contents, put_back

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.charge_point.open import open_charge_point
from ocpp16.enums import Reason
from ocpp16.models import Measurement, PhaseValues
from ocpp16.testing import CentralSystem
from ocpp16.testing.central_system import START
from ocpp16.testing.stations import RecordingStation

DAYS, A_DAY = 7, 10
"""Each connector has so many transactions a day; power fails during the last of them."""
SAMPLES = 900
STEPS = (890, 900, 900, 900, 900)
"""Seconds after which the meter has moved on: shortly before each sample. The last one is not taken any more."""
PAUSE = 4150
PER_SECOND = 20
"""Messages that are delivered in a second, so that power can fail meanwhile."""
CONNECTORS = (1, 2)
IN_ALL = DAYS * A_DAY * len(CONNECTORS)


class Week:
    """One run over `folder`; `cuts` of the power while all is delivered."""

    def __init__(self, document: dict[str, Any], folder: Path) -> None:
        self._document = document
        self._folder = folder
        self._began = trio.current_time()
        self.csms = CentralSystem(now=self._now)
        self.registers = dict.fromkeys(CONNECTORS, 0.0)

    def _now(self) -> int:
        return START + round((trio.current_time() - self._began) * 1e6)

    @asynccontextmanager
    async def until_power_fails(self) -> AsyncIterator[tuple[ChargePoint, RecordingStation]]:
        station = RecordingStation()
        for connector in CONNECTORS:
            self.read(station, connector)
        async with open_charge_point(
            self._document,
            station,
            database_path=self._folder,
            connector=self.csms.connector,
            anchor=self._now() / 1e6,
            seed=1,
        ) as charge_point:
            await charge_point.start()
            yield charge_point, station
            assert charge_point.counters.dropped == charge_point.counters.dead_letters == 0
            await charge_point.stored()
            at_the_cut = contents(self._folder)
        put_back(self._folder, at_the_cut)

    def read(self, station: RecordingStation, connector: int) -> None:
        station.measurements[connector] = Measurement(None, PhaseValues(self.registers[connector]))

    async def day(self) -> None:
        async with self.until_power_fails() as (charge_point, station):
            for number in range(A_DAY):
                for connector in CONNECTORS:
                    register = self.registers[connector]
                    charge_point.on_transaction_started(connector, f"{number}.{connector}", f"TAG{connector}", register)
                for seconds in STEPS:
                    await trio.sleep(seconds)
                    for connector in CONNECTORS:
                        self.registers[connector] += 1500.0
                        self.read(station, connector)
                if number + 1 < A_DAY:
                    for connector in CONNECTORS:
                        register = self.registers[connector]
                        charge_point.on_transaction_stopped(connector, f"{number}.{connector}", Reason.LOCAL, register)
                    await trio.sleep(PAUSE)

    async def delivery(self, cuts: int, chance: Random) -> None:
        self.csms.is_reachable = True
        for _ in range(cuts):
            async with self.until_power_fails():
                await trio.sleep(chance.uniform(1, 8))
        async with self.until_power_fails() as (charge_point, _):
            with trio.fail_after(3600):
                await charge_point.wait_all_answered()


async def run(document: dict[str, Any], folder: Path, cuts: int, seed: int = 0) -> list[tuple[str, dict[str, Any]]]:
    """What the Central System has seen of transactions, each message once, in the order of its first coming."""
    week = Week(document, folder)
    async with week.csms:
        week.csms.is_reachable = False
        for _ in range(DAYS):
            await week.day()
        assert week.csms.calls() == []
        await week.delivery(cuts, Random(seed))
        assert week.csms.violations == []
    messages = {(call.action, orjson.dumps(call.payload)): None for call in week.csms.calls()}
    told = ("StartTransaction", "MeterValues", "StopTransaction")
    return [(action, orjson.loads(payload)) for action, payload in messages if action in told]


@pytest.fixture
def document(make_config: Any) -> dict[str, Any]:
    return dict(
        make_config(
            Core__MeterValueSampleInterval=SAMPLES,
            Core__MeterValuesSampledData="Energy.Active.Import.Register",
            Core__AllowOfflineTxForUnknownId=True,
            Internal__MessageReplayRate=PER_SECOND,
            Internal__RetryBackoffWaitMinimum=3600,
        )
    )


def check(seen: list[tuple[str, dict[str, Any]]]) -> None:
    """Every transaction is told whole, in order, by the id that the Central System gave it."""
    running: dict[int, tuple[int, dict[str, Any]]] = {}
    ended, number, last = 0, 0, {}
    for action, payload in seen:
        if action == "StartTransaction":
            number += 1
            assert payload["connectorId"] not in running
            running[payload["connectorId"]] = (number, payload)
            last[number] = (payload["timestamp"], payload["meterStart"])
            continue
        (connector, start) = next((c, s) for c, (n, s) in running.items() if n == payload["transactionId"])
        if action == "MeterValues":
            (value,) = payload["meterValue"]
            energy = int(float(value["sampledValue"][0]["value"]))
            now = (value["timestamp"], energy)
        else:
            now = (payload["timestamp"], payload["meterStop"])
            ended += 1
            del running[connector]
            reason = payload.get("reason", "Local")
            assert reason == ("PowerLoss" if number > 0 and ended % (A_DAY * 2) in (0, A_DAY * 2 - 1) else "Local")
            assert payload["meterStop"] - start["meterStart"] <= 7500
        assert now[0] >= last[payload["transactionId"]][0]
        assert now[1] >= last[payload["transactionId"]][1]
        last[payload["transactionId"]] = now
    assert (number, ended, running) == (IN_ALL, IN_ALL, {})
    assert sum(action == "MeterValues" for action, _ in seen) >= 4 * IN_ALL


async def test_all_of_a_week_is_delivered_also_when_power_fails_meanwhile(
    document: dict[str, Any], tmp_path: Path
) -> None:
    undisturbed = await run(document, tmp_path / "without", cuts=0)
    check(undisturbed)
    for seed in (1, 2):
        assert await run(document, tmp_path / f"with {seed}", cuts=12, seed=seed) == undisturbed
