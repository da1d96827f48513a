"""The power goes at every single commit, before and after it: the Central System sees every transaction once.

In one process, on the virtual clock; the store outlives the charge point, whose clock begins in 1970 each time.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from types import ModuleType
from typing import Any

import pytest
import trio

from ocpp16.charge_point.open import open_charge_point
from ocpp16.errors import CallFailed, StoreError
from ocpp16.observer import ObserverEvent, TransactionStarted, TransactionStopped
from ocpp16.simulation import CarPlan, Operation, SimulatedStation
from ocpp16.store.base import ChargePointChanges, Row, Table
from ocpp16.store.memory import MemoryStore
from ocpp16.testing import CentralSystem
from ocpp16.testing.contracts import LossyStore

Load = Callable[[str], ModuleType]

CAR = CarPlan(plug_after=0, draw_after=0, draw_for=10_000)


class PowerCut(BaseException):
    """Nothing catches it."""


class Disk:
    """What outlives a power cut, and when the next one comes: at commit number `at`, before or after it is made."""

    is_volatile = False

    def __init__(self) -> None:
        self.commits = 0
        self.at: int | None = None
        self.is_written = False
        self._rows = MemoryStore()

    def load(self, charge_point_id: str, table: Table, key: Row = ()) -> list[Row]:
        return self._rows.load(charge_point_id, table, key)

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        self.commits += 1
        if self.at is not None and self.commits >= self.at:
            if self.commits == self.at and self.is_written:
                self._rows.apply(batches)
            raise PowerCut
        return self._rows.apply(batches)

    def close(self) -> None:
        pass


class Story:
    """A car that charges before there is a Central System, and on after it came; a second one; power cuts."""

    def __init__(self, csms: CentralSystem, store: Any, policy: str) -> None:
        self.csms = csms
        self.told: list[ObserverEvent] = []
        self._store = store
        self._policy = policy

    async def notify(self, event: ObserverEvent) -> None:
        self.told.append(event)

    async def live(self, act: Callable[[SimulatedStation], Any]) -> None:
        """From power on to the end of `act`, when the power goes, or to the power cut of the disk."""
        station = SimulatedStation(meter_interval=5, meter_noise=0, power_loss_policy=self._policy)
        with suppress(PowerCut), trio.CancelScope() as power:
            try:
                async with open_charge_point(
                    configuration(),
                    station,
                    store=self._store,
                    connector=self.csms.connector,
                    observer=self,
                    anchor=0,
                    seed=1,
                ) as charge_point:
                    station.attach(charge_point)
                    charge_point.for_station.spawn(Operation(station, charge_point).run)
                    await act(station)
                    power.cancel()
                    await trio.lowlevel.checkpoint_if_cancelled()
            except BaseExceptionGroup as group:
                found, rest = group.split(PowerCut)
                if found is None or (rest is not None and rest.split(StoreError)[1] is not None):
                    raise
                raise PowerCut from None

    async def first(self, station: SimulatedStation) -> None:
        await trio.sleep(1)
        station.plug_in(1, CAR)
        station.present_id_tag("A", [1])
        await trio.sleep(50)
        self.csms.is_reachable = True
        await trio.sleep(50)
        self.csms.start_soon(self._sample_less)
        station.plug_in(2, CAR)
        station.present_id_tag("B", [2])
        await trio.sleep(20)
        station.present_id_tag("B", [2])
        await trio.sleep(1)
        station.unplug(1)
        await trio.sleep(5)

    async def _sample_less(self) -> None:
        with suppress(CallFailed):
            change = {"key": "MeterValueSampleInterval", "value": "15"}
            await self.csms.call("cp001", "ChangeConfiguration", change)

    async def last(self, station: SimulatedStation) -> None:
        self.csms.is_reachable = True
        await trio.sleep(40)
        for connector_id in (1, 2):
            station.unplug(connector_id)
        await trio.sleep(40)
        assert station.charge_point.connection.queue_depth == 0
        assert len(station.charge_point._runtime.ctx.transactions) == 0

    def problems(self, check: ModuleType) -> list[str]:
        ids = {content[1:]: number for content, number in self.csms.standard_answers.transactions.items()}
        requests = []
        for call in self.csms.calls():
            content = tuple(call.payload.get(member) for member in ("connectorId", "idTag", "timestamp", "meterStart"))
            requests.append(check.Request(call.action, call.payload, ids.get(content)))
        ended = {event.session_id for event in self.told if isinstance(event, TransactionStopped)}
        facts = [
            check.Fact(event.connector_id, event.id_tag, event.session_id in ended)
            for event in self.told
            if isinstance(event, TransactionStarted)
        ]
        found: list[str] = check.check(requests, facts)
        return found + [violation.rule for violation in self.csms.violations]


def configuration() -> dict[str, Any]:
    return {
        "Internal": {
            "ChargePointId": "cp001",
            "CentralSystemURI": "ws://csms.example/ocpp",
            "ChargePointModel": "Model",
            "ChargePointVendor": "Vendor",
            "RetryBackoffWaitMinimum": 1,
            "RetryBackoffRandomRange": 0,
            "RetryBackoffRepeatTimes": 0,
        },
        "Core": {
            "NumberOfConnectors": 2,
            "AllowOfflineTxForUnknownId": True,
            "MeterValueSampleInterval": 10,
            "StopTxnSampledData": "Energy.Active.Import.Register",
        },
        "Security": {"SecurityProfile": 0},
    }


@pytest.mark.parametrize("policy", ["stop", "resume"])
@pytest.mark.parametrize("is_written", [False, True], ids=["before", "after"])
async def test_the_power_goes_at_every_commit(world: Load, autojump_clock: Any, policy: str, is_written: bool) -> None:
    at, commits = 0, 1
    found = {}
    while at <= commits:
        disk = Disk()
        disk.at, disk.is_written = at or None, is_written
        async with CentralSystem() as csms:
            csms.is_reachable = False
            story = Story(csms, disk, policy)
            await story.live(story.first)
            commits = commits if at else disk.commits
            disk.at = None
            await trio.sleep(500)
            await story.live(story.last)
        if problems := story.problems(world("transaction_check")):
            found[at] = problems
        at += 1
    assert found == {}
    assert commits > 25, "too little was stored to prove anything"


async def test_a_lost_commit_is_noticed(world: Load, autojump_clock: Any) -> None:
    """Not every lost commit matters: a deletion leads to a repeat, and some things are on the wire before the end."""
    lost_at, noticed = 0, []
    while True:
        disk = Disk()

        def lose(batches: Sequence[ChargePointChanges], counted: list[int] = [0], wanted: int = lost_at) -> bool:  # noqa: B006
            matters = any(change.table.name == "message_queue" for _, changes in batches for change in changes)
            counted[0] += matters
            return matters and counted[0] == wanted

        store = LossyStore(disk, lose)
        async with CentralSystem() as csms:
            csms.is_reachable = False
            story = Story(csms, store, "stop")
            await story.live(story.first)
            await trio.sleep(500)
            await story.live(story.last)
        if lost_at and not store.lost:
            break
        noticed.append(bool(story.problems(world("transaction_check"))))
        lost_at += 1
    assert not noticed[0], "nothing was lost"
    assert sum(noticed) >= 5
