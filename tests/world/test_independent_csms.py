"""A whole session against a Central System that shares no code with us; the `ocpp` package is the judge of messages."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import trio
from patience import PATIENCE

from ocpp16.charge_point.open import open_charge_point
from ocpp16.enums import ConfigurationStatus, DataTransferStatus
from ocpp16.simulation import CarPlan, Operation, SimulatedStation

pytestmark = [pytest.mark.world, pytest.mark.real_time]

CAR = CarPlan(plug_after=0, draw_after=0, draw_for=1000)


def configuration(url: str, **core: Any) -> dict[str, Any]:
    return {
        "Internal": {
            "ChargePointId": "cp001",
            "CentralSystemURI": url,
            "ChargePointModel": "Model",
            "ChargePointVendor": "Vendor",
            "RetryBackoffWaitMinimum": 1,
            "RetryBackoffRandomRange": 0,
            **dict.fromkeys(("StationTimeout", "StopTimeout", "StoreTimeout"), int(PATIENCE)),
        },
        "Core": {"NumberOfConnectors": 2, "MeterValueSampleInterval": 1, **core},
        "Security": {"SecurityProfile": 0},
    }


def story(csms: Any) -> list[str]:
    """The requests it received, in order; repeated samples and heartbeats count once."""
    actions: list[str] = []
    for kind, _, action, *rest in csms.frames("received"):
        if kind == 2:
            payload = rest[0]
            text = action
            if action == "StatusNotification":
                text = f"{payload['connectorId']} {payload['status']}"
            if not actions or actions[-1] != text:
                actions.append(text)
    return actions


FIRST_SESSION = [
    "BootNotification",
    "0 Available",
    "1 Available",
    "2 Available",
    "1 Preparing",
    "Authorize",
    "StartTransaction",
    "1 Charging",
    "MeterValues",
    "StopTransaction",
    "1 Available",
]


def in_order(actions: list[str], wanted: list[str]) -> bool:
    """Is `wanted` what is left of `actions` when others are taken out?"""
    remaining = iter(actions)
    return all(one in remaining for one in wanted)


async def test_a_whole_session(csms: Any) -> None:
    in_thread = trio.to_thread.run_sync
    wait = partial(in_thread, csms.wait_for_request)
    call = partial(in_thread, csms.call)
    station = SimulatedStation(meter_interval=0)
    async with (
        open_charge_point(configuration(csms.url), station) as charge_point,
        trio.open_nursery() as nursery,
    ):
        station.attach(charge_point)
        nursery.start_soon(Operation(station, charge_point).run)
        await wait("StatusNotification", 3)

        # Somebody comes, plugs in, holds a card before the reader, and leaves again.
        station.plug_in(1, CAR)
        await wait("StatusNotification", 4)
        station.present_id_tag("CARD1", [1])
        await wait("StartTransaction")
        await wait("MeterValues", 2)
        station.unplug(1)
        await wait("StopTransaction")
        await wait("StatusNotification", 6)

        # The Central System starts one, and ends it.
        started = await call("RemoteStartTransaction", {"connectorId": 2, "idTag": "REMOTE"})
        assert started == {"status": "Accepted"}
        station.plug_in(2, CAR)
        start = await wait("StartTransaction", 2)
        assert (start["connectorId"], start["idTag"]) == (2, "REMOTE")
        assert await call("RemoteStopTransaction", {"transactionId": 77}) == {"status": "Rejected"}
        assert await call("RemoteStopTransaction", {"transactionId": 1001}) == {"status": "Accepted"}
        stop = await wait("StopTransaction", 2)
        assert (stop["transactionId"], stop["reason"]) == (1001, "Remote")

        # Settings, data, triggers.
        got = await call("GetConfiguration", {"key": ["MeterValueSampleInterval", "NoSuchKey"]})
        assert got["configurationKey"] == [{"key": "MeterValueSampleInterval", "readonly": False, "value": "1"}]
        assert got["unknownKey"] == ["NoSuchKey"]
        assert len((await call("GetConfiguration"))["configurationKey"]) > 40
        change = {"key": "MeterValueSampleInterval", "value": "60"}
        assert await call("ChangeConfiguration", change) == {"status": "Accepted"}
        assert await call("ChangeConfiguration", {"key": "NumberOfConnectors", "value": "9"}) == {"status": "Rejected"}
        assert await call("DataTransfer", {"vendorId": "V", "data": "ü"}) == {"status": "UnknownVendorId"}
        answer = await charge_point.data_transfer("V", "m", "data")
        assert answer is not None
        assert (answer.status, answer.data) == (DataTransferStatus.ACCEPTED, "received")
        assert await charge_point.configuration.set("HeartbeatInterval", "600") is ConfigurationStatus.ACCEPTED
        seen = len(csms.received("StatusNotification"))
        trigger = {"requestedMessage": "StatusNotification", "connectorId": 2}
        assert await call("TriggerMessage", trigger) == {"status": "Accepted"}
        assert (await wait("StatusNotification", seen + 1))["status"] == "Finishing"
        assert await call("TriggerMessage", {"requestedMessage": "Heartbeat"}) == {"status": "Accepted"}
        await wait("Heartbeat")
        assert await call("UnlockConnector", {"connectorId": 2}) == {"status": "Unlocked"}
        changed = await call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
        assert changed == {"status": "Accepted"}
        assert (await wait("StatusNotification", seen + 2))["status"] == "Unavailable"

        # Reset: it comes back by itself.
        assert await call("Reset", {"type": "Soft"}) == {"status": "Accepted"}
        await wait("BootNotification", 2)
        statuses = await wait("StatusNotification", seen + 5)
        assert statuses["connectorId"] == 2
        nursery.cancel_scope.cancel()

    assert csms.objections == []
    assert in_order(story(csms), FIRST_SESSION)
    ids = [values.get("transactionId") for values in csms.received("MeterValues")]
    assert ids == [1000] * ids.count(1000) + [1001] * ids.count(1001)
    starts, stops = csms.received("StartTransaction"), csms.received("StopTransaction")
    assert [start["idTag"] for start in starts] == ["CARD1", "REMOTE"]
    assert [(stop["transactionId"], stop["reason"]) for stop in stops] == [
        (1000, "EVDisconnected"),
        (1001, "Remote"),
    ]
    assert all(stop["meterStop"] >= start["meterStart"] for start, stop in zip(starts, stops, strict=True))


def test_the_command(csms: Any, world: Callable[[str], ModuleType], tmp_path: Path) -> None:
    """The same with our command, driven by its JSON lines."""
    program = world("programs").ChargePointProgram(tmp_path / "cp", configuration(csms.url), {"meter_interval": 0})
    with program:
        csms.wait_for_request("StatusNotification", 3)
        program.do("plug_in", connector=1, plug_after=0, draw_after=0)
        csms.wait_for_request("StatusNotification", 4)
        program.do("present_id_tag", id_tag="CARD1", connectors=[1])
        csms.wait_for_request("MeterValues", 1)
        program.do("unplug", connector=1)
        csms.wait_for_request("StopTransaction")
        assert program.do("data_transfer", vendor_id="V") == {"status": "Accepted", "data": "received"}
        assert csms.call("RemoteStartTransaction", {"connectorId": 2, "idTag": "REMOTE"}) == {"status": "Accepted"}
        program.do("plug_in", connector=2, plug_after=0, draw_after=0)
        program.wait_for(event="transaction", connector=2, phase="confirmed")
        assert csms.call("Reset", {"type": "Hard"}) == {"status": "Accepted"}
        assert csms.wait_for_request("StopTransaction", 2)["reason"] == "HardReset"
        csms.wait_for_request("BootNotification", 2)
        program.do("disconnect")
        program.wait_for(event="connection", connected=False)
        program.do("connect")
        assert program.do("stop") is True
        assert program.do("status")["connection"] is False
    phases = [(event["connector"], event["phase"]) for event in program.events("transaction")]
    assert phases == [(connector, phase) for connector in (1, 2) for phase in ("started", "confirmed", "stopped")]
    assert program.events("exit")
    assert program.process.returncode == 0
    assert csms.objections == []
    assert in_order(story(csms), FIRST_SESSION)
