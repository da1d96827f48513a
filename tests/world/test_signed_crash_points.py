"""The power goes at every single commit while meters sign: each end brings what was signed at begin and end, whole."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import trio
from cut_disk import Disk, live

from ocpp16.metering.public_key import key_bytes
from ocpp16.metering.signature import verify
from ocpp16.metering.signed_data import recognised
from ocpp16.simulation import SimulatedStation
from ocpp16.simulation.signing_meter import SigningMeters
from ocpp16.testing import CentralSystem

Load = Callable[[str], ModuleType]


@pytest.mark.parametrize("form", ["Text", "SignedMeterValueType"])
@pytest.mark.parametrize("is_written", [False, True], ids=["before", "after"])
async def test_what_was_signed_is_whole(
    world: Load, autojump_clock: Any, tmp_path: Path, is_written: bool, form: str
) -> None:
    stories = world("test_crash_points")
    configuration = {
        **stories.configuration(),
        "SignedMeterValues": {
            "SignedMeterValueForm": form,
            "SampledDataSignStartedReadings": True,
            "SampledDataSignUpdatedReadings": True,
        },
    }

    class Story(stories.Story):  # type: ignore[name-defined, misc]
        async def live(self, act: Callable[[SimulatedStation], Any]) -> None:
            station = SimulatedStation(
                meter_interval=5, meter_noise=0, power_loss_policy="resume", signed_meter=True, meters=tmp_path
            )
            await live(self.csms, self._store, station, partial(act, station), configuration, observer=self, anchor=0)

    at, commits, ends = 0, 1, 0
    while at <= commits:
        disk = Disk()
        disk.at, disk.is_written = at or None, is_written
        async with CentralSystem() as csms:
            csms.is_reachable = False
            story = Story(csms, disk, "resume")
            await story.live(story.first)
            commits = commits if at else disk.commits
            disk.at = None
            await trio.sleep(500)
            await story.live(story.last)
        meters = SigningMeters(tmp_path, 0, print)
        keys = [key_bytes(meters.public_key(number)) for number in (1, 2)]
        serials = [meters.serial_number(number) for number in (1, 2)]
        starts = {call.payload["timestamp"]: call.payload for call in csms.calls("StartTransaction")}
        for stop in csms.calls("StopTransaction"):
            ends += 1
            values = [it for value in stop.payload["transactionData"] for it in value["sampledValue"]]
            signed = [it for it in values if it.get("format") == "SignedData"]
            assert [it["context"] for it in signed] == ["Transaction.Begin", "Transaction.End"], at
            begin, end = [recognised(it["value"]).ocmf() for it in signed]
            for text in (begin, end):
                verify(text, keys[serials.index(text.serial)])
            assert begin.serial == end.serial
            assert begin.page_number < end.page_number
            assert end.readings[-1].energy == stop.payload["meterStop"]
            assert begin.readings[0].energy in [start["meterStart"] for start in starts.values()]
        at += 1
    assert ends >= 2 * commits > 40
