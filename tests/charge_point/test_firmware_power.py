"""An update of the firmware at whose every commit the power goes; and steps in any order, of a station that lies."""

from contextlib import suppress
from functools import partial
from random import Random
from typing import Any

import pytest
import trio
from cut_disk import Disk, live
from workshop import REQUEST, Workshop

from ocpp16.enums import FirmwareStatusEnumType as Status
from ocpp16.enums import Reason
from ocpp16.errors import CallFailed, Offline
from ocpp16.models import UNSIGNED
from ocpp16.simulation import SimulatedStation
from ocpp16.testing.central_system import START, CentralSystem

STEPS = ["Downloading", "Downloaded", "Installing", "Installed"]
UPLOAD = {"location": "ftp://user:p4ssw0rd@files.example/"}


class Story:
    """An update and an upload are asked for until they are answered; the power goes once."""

    def __init__(self, csms: CentralSystem, disk: Disk, document: dict[str, Any]) -> None:
        self.csms = csms
        self.disk = disk
        self.document = document
        self.statuses: set[str] = set()
        self.left: dict[str, Any] = {}
        self.wanted: dict[str, dict[str, Any]] = {"UpdateFirmware": REQUEST, "GetDiagnostics": UPLOAD}

    async def live(self) -> None:
        station = SimulatedStation(meter_interval=0, transfer_step=1)
        options: dict[str, Any] = {"anchor": START / 1e6}
        await live(self.csms, self.disk, station, partial(self.day, station), self.document, **options)

    async def day(self, station: SimulatedStation) -> None:
        await trio.sleep(1)
        for action, payload in list(self.wanted.items()):
            with suppress(CallFailed, Offline):
                await self.csms.call("cp001", action, payload)
                del self.wanted[action]
        await trio.sleep(60)
        point = station.charge_point
        self.statuses = {str(point.connector_status(number).status) for number in (1, 2)}
        self.left = point.for_station.maintenance()

    def told(self, action: str) -> list[str]:
        return [call.payload["status"] for call in self.csms.calls(action)]

    def problems(self) -> list[str]:
        found = [violation.rule for violation in self.csms.violations]
        steps = self.told("FirmwareStatusNotification")
        if steps[-1:] != ["Installed"] or [step for step in STEPS if step in steps] != list(dict.fromkeys(steps)):
            found.append(f"the update was told as {steps}")
        if self.told("DiagnosticsStatusNotification")[-1:] != ["Uploaded"]:
            found.append("the upload has no end")
        if self.statuses != {"Available"}:
            found.append(f"the connectors are {self.statuses}")
        if self.left != {"firmware": None, "diagnostics": None, "log": None}:
            found.append("something is still under way")
        return found


@pytest.mark.parametrize("is_written", [False, True], ids=["before", "after"])
async def test_the_power_goes_at_every_commit(make_config: Any, is_written: bool) -> None:
    at, commits, found = 0, 1, {}
    while at <= commits:
        disk = Disk()
        disk.at, disk.is_written = at or None, is_written
        async with CentralSystem() as csms:
            story = Story(csms, disk, make_config())
            await story.live()
            commits = commits if at else disk.commits
            disk.at = None
            await trio.sleep(100)
            await story.live()
            if problems := story.problems():
                found[at] = problems
        at += 1
    assert found == {}
    assert commits > 8, "too little was stored to prove anything"


class Lies:
    """What may happen to an update, by chance."""

    def __init__(self, bench: Any, seed: int) -> None:
        self.bench = bench
        self.random = Random(seed)
        self.sessions = 0

    async def step(self) -> None:
        bench, random = self.bench, self.random
        acts = [*[self.tell] * 3, self.tell_in_order, self.ask, self.charge, self.connection]
        with suppress(ValueError, CallFailed, Offline):
            await random.choice(acts)()
        await trio.sleep(random.choice([0, 0.1, 1, 40]))
        await bench.charge_point.stored()

    async def tell(self) -> None:
        number = self.random.choice([UNSIGNED, UNSIGNED, 5])
        self.bench.charge_point.on_firmware_update_status_notification(number, self.random.choice([*Status]))

    async def tell_in_order(self) -> None:
        for status in STEPS:
            self.bench.charge_point.on_firmware_update_status_notification(UNSIGNED, status)

    async def ask(self) -> None:
        self.bench.station.answers["cancel_firmware_update"] = self.random.choice([True, False])
        date = self.random.choice(["2020-01-01T00:00:00Z", "2026-01-01T00:05:00Z", "2099-01-01T00:00:00Z"])
        await self.bench.call("UpdateFirmware", {**REQUEST, "retrieveDate": date})

    async def charge(self) -> None:
        point, number = self.bench.charge_point, self.random.choice([1, 2])
        transaction = point.transaction(number)
        if transaction is not None:
            point.on_transaction_stopped(number, transaction.session_id, Reason.LOCAL, 2000)
            point.on_session_stopped(number, transaction.session_id)
        elif point.connector_status(number).status == "Available":
            self.sessions += 1
            self.bench.begin(number, f"s{self.sessions}")

    async def connection(self) -> None:
        connection = self.bench.charge_point.connection
        if connection.is_connected:
            connection.disconnect()
        else:
            connection.connect()


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_is_told_in_whatever_order(open_bench: Any, make_config: Any, seed: int) -> None:
    document = make_config(Internal__StationTimeout=5)
    async with open_bench(station=Workshop(), document=document) as bench:
        lies = Lies(bench, seed)
        for _ in range(60):
            await lies.step()
            updates = bench.charge_point._runtime.features.firmware_updates
            out = {number for number in (1, 2) if bench.charge_point._runtime.ctx.connectors[number].is_withheld}
            busy = {number for number in (1, 2) if bench.charge_point.transaction(number) is not None}
            assert out == set() or updates._is_held
            assert not updates._is_held or out | busy == {1, 2}
        bench.charge_point.connection.connect()
        await trio.sleep(400)
        for number in (1, 2):
            if (transaction := bench.charge_point.transaction(number)) is not None:
                bench.charge_point.on_transaction_stopped(number, transaction.session_id, Reason.LOCAL, 2000)
                bench.charge_point.on_session_stopped(number, transaction.session_id)
        with suppress(ValueError):
            bench.charge_point.on_firmware_update_status_notification(updates.request_id or UNSIGNED, "Installed")
        await trio.sleep(10)
        assert {str(bench.charge_point.connector_status(number).status) for number in (1, 2)} == {"Available"}
        assert updates.request_id is None
        assert bench.charge_point.counters.internal_errors == 0
