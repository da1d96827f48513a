"""The power goes at every single commit, before and after it: the Central System sees every transaction once.

In one process, on the virtual clock; the store outlives the charge point, whose clock begins in 1970 each time.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from types import ModuleType
from typing import Any

import pytest
import trio
from cut_disk import Disk, live

from ocpp16.errors import CallFailed
from ocpp16.observer import ObserverEvent, TransactionStarted, TransactionStopped
from ocpp16.simulation import CarPlan, SimulatedStation
from ocpp16.store.base import ChargePointChanges
from ocpp16.testing import CentralSystem
from ocpp16.testing.contracts import LossyStore

Load = Callable[[str], ModuleType]

CAR = CarPlan(plug_after=0, draw_after=0, draw_for=10_000)


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
        await live(self.csms, self._store, station, partial(act, station), configuration(), observer=self, anchor=0)

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
