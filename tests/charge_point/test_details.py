"""Details that a Central System, a host or a disk would notice, each of which once could be changed unseen."""

from typing import Any

import pytest
import trio

from ocpp16.enums import AuthorizationStatus, ChargePointStatus, Reason, ResetType, SessionStartedReason
from ocpp16.errors import StoreError
from ocpp16.observer import ConfigurationKeyChanged
from ocpp16.store.memory import MemoryStore
from ocpp16.store.tables import samples
from ocpp16.testing import CentralSystem, Fault


async def test_a_scheduled_change_waits_for_the_next_session_in_preparing(open_bench: Any) -> None:
    """StopTransaction.conf comes when the next car is plugged in: the connector is in use again (§5.2)."""
    async with open_bench() as bench:
        bench.begin()
        await trio.sleep(1)
        assert await bench.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}) == {
            "status": "Scheduled"
        }
        bench.csms.misbehave(Fault.DELAY, "StopTransaction", seconds=10)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        bench.charge_point.on_session_started(1, "s2", SessionStartedReason.EV_CONNECTED)
        await trio.sleep(30)
        assert bench.station.asked("disable_evse") == []
        bench.charge_point.on_session_stopped(1, "s2")
        await trio.sleep(1)
        assert bench.station.asked("disable_evse") == [(1,)]


async def test_a_scheduled_change_does_not_wait_for_the_unplug(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.begin()
        await trio.sleep(1)
        await bench.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        await trio.sleep(1)
        assert bench.station.asked("disable_evse") == [(1,)]


@pytest.mark.parametrize("status", [ChargePointStatus.FINISHING, ChargePointStatus.RESERVED])
async def test_no_remote_start_on_a_connector_that_cannot_be_had(open_bench: Any, status: ChargePointStatus) -> None:
    async with open_bench(start=False) as bench:
        await bench.charge_point.start({1: status})
        await trio.sleep(1)
        assert await bench.call("RemoteStartTransaction", {"idTag": "A", "connectorId": 1}) == {"status": "Rejected"}
        assert await bench.call("RemoteStartTransaction", {"idTag": "A", "connectorId": 2}) == {"status": "Accepted"}
        await trio.sleep(1)
        assert bench.station.asked("provide_token") == [("A", (2,), True)]


async def test_a_remote_start_without_an_id_tag_is_rejected(open_bench: Any) -> None:
    async with open_bench() as bench:
        assert await bench.call("RemoteStartTransaction", {"idTag": ""}) == {"status": "Rejected"}


async def test_the_interval_of_the_boot_is_kept_and_told(open_bench: Any) -> None:
    disk = MemoryStore(is_volatile=False)
    async with open_bench(csms=CentralSystem(interval=77), store=disk) as bench:
        await trio.sleep(1)
        assert ConfigurationKeyChanged("HeartbeatInterval", "77") in bench.events.seen
    csms = CentralSystem()
    csms.is_reachable = False
    async with open_bench(csms=csms, store=disk) as bench:
        row = bench.charge_point.configuration.get(["HeartbeatInterval"])["configurationKey"][0]
        assert row["value"] == "77"


async def test_a_stop_is_not_stamped_before_its_start_though_the_clock_went_back(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.begin()
        await trio.sleep(1)
        bench.csms.answers["Heartbeat"] = {"currentTime": "2025-12-31T20:00:00Z"}
        await bench.call("TriggerMessage", {"requestedMessage": "Heartbeat"})
        await trio.sleep(1)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        await trio.sleep(1)
        (start,), (stop,) = bench.sent("StartTransaction"), bench.sent("StopTransaction")
        assert stop["timestamp"] == start["timestamp"]


async def test_samples_leave_the_disk_with_their_transaction(open_bench: Any, make_config: Any) -> None:
    disk = MemoryStore(is_volatile=False)
    document = make_config(
        Core__MeterValueSampleInterval=10,
        Core__StopTxnSampledData="Energy.Active.Import.Register",
        Core__StopTxnSampledDataMaxLength=2,
    )
    async with open_bench(document=document, store=disk) as bench:
        bench.measure(1, 1000)
        bench.begin()
        await trio.sleep(35)
        assert disk.load("cp001", samples.TABLE)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        await trio.sleep(5)
        assert disk.load("cp001", samples.TABLE) == []


async def test_the_expiry_date_of_an_id_tag_is_told(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.csms.answers["Authorize"] = {
            "idTagInfo": {"status": "Accepted", "expiryDate": "2026-06-01T00:00:00Z", "parentIdTag": "P"}
        }
        info = await bench.charge_point.authorize_id_token("TAG")
        assert info.expiry_date is not None
        assert info.expiry_date.isoformat() == "2026-06-01T00:00:00+00:00"
        assert (info.parent_id_tag, info.source) == ("P", "the Central System")


async def test_a_person_waits_for_an_authorization_a_minute_at_most(open_bench: Any, make_config: Any) -> None:
    document = make_config(Core__AllowOfflineTxForUnknownId=True)
    async with open_bench(document=document) as bench:
        bench.csms.answers["Authorize"] = None
        before = trio.current_time()
        info = await bench.charge_point.authorize_id_token("TAG")
        assert trio.current_time() - before == pytest.approx(60)
        assert info.status is AuthorizationStatus.ACCEPTED
        assert "AllowOfflineTxForUnknownId" in info.source


async def test_a_person_waits_no_longer_behind_another_message(open_bench: Any) -> None:
    """The slot for the one open CALL is taken by a Heartbeat that is never answered."""
    async with open_bench() as bench:
        bench.csms.answers["Heartbeat"] = bench.csms.answers["Authorize"] = None
        await bench.call("TriggerMessage", {"requestedMessage": "Heartbeat"})
        await trio.sleep(1)
        before = trio.current_time()
        info = await bench.charge_point.authorize_id_token("TAG")
        assert trio.current_time() - before <= 60
        assert info.status is AuthorizationStatus.INVALID


async def test_a_data_transfer_without_an_answer_is_none_and_not_rejected(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.csms.answers["DataTransfer"] = None
        assert await bench.charge_point.data_transfer("V") is None


async def test_no_heartbeats_pile_up_while_offline(open_bench: Any, make_config: Any) -> None:
    document = make_config(Internal__QueueAllMessages=True)
    csms = CentralSystem(interval=60)
    async with open_bench(csms=csms, document=document) as bench:
        await trio.sleep(1)
        csms.is_reachable = False
        csms.abort("cp001")
        await trio.sleep(3600)
        csms.is_reachable = True
        await trio.sleep(30)
        assert len(bench.sent("Heartbeat")) <= 1


class LateDisk(MemoryStore):
    """Takes nothing while `is_full`."""

    def __init__(self) -> None:
        super().__init__(is_volatile=False)
        self.is_full = False

    def apply(self, batches: Any) -> dict[str, Exception]:
        if self.is_full:
            raise StoreError("full")
        return super().apply(batches)


@pytest.mark.parametrize("is_mended", [True, False])
async def test_reset_waits_for_the_disk_but_not_for_ever(open_bench: Any, is_mended: bool) -> None:
    disk = LateDisk()
    async with open_bench(store=disk) as bench:
        await trio.sleep(1)
        disk.is_full = True
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        bench.begin()
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        bench.charge_point.connection.disconnect()
        feature = next(one for one in bench.charge_point._runtime.features.all if type(one).__name__ == "Reset")
        feature._begin(ResetType.HARD)
        await trio.sleep(2)
        assert bench.station.asked("reset") == [], "not on disk"
        disk.is_full = not is_mended
        await trio.sleep(3 if is_mended else 9)
        assert len(bench.station.asked("reset")) == 1


async def test_a_reset_goes_on_when_the_last_transaction_has_ended_offline(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.begin()
        await trio.sleep(1)
        bench.station.delays["stop_transaction"] = 5
        assert await bench.call("Reset", {"type": "Soft"}) == {"status": "Accepted"}
        await trio.sleep(1)
        bench.csms.is_reachable = False
        bench.csms.abort("cp001")
        await trio.sleep(2)
        assert bench.station.asked("reset") == []
        await trio.sleep(5)
        assert bench.station.asked("reset") == [(ResetType.SOFT,)]


async def test_a_reset_waits_for_no_answer_of_a_connection_that_is_gone(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.begin()
        await trio.sleep(1)
        bench.csms.answers["StopTransaction"] = None
        assert await bench.call("Reset", {"type": "Soft"}) == {"status": "Accepted"}
        await trio.sleep(5)
        assert bench.station.asked("reset") == [], "the end is told, and not answered yet"
        bench.csms.is_reachable = False
        bench.csms.abort("cp001")
        await trio.sleep(1)
        assert bench.station.asked("reset") == [(ResetType.SOFT,)]


async def test_a_reset_that_fails_is_tried_again(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(Core__ResetRetries=2)) as bench:
        bench.station.answers["reset"] = OSError("stuck")
        assert await bench.call("Reset", {"type": "Soft"}) == {"status": "Accepted"}
        await trio.sleep(3600)
        assert len(bench.station.asked("reset")) == 3


@pytest.mark.parametrize("is_wanted", [True, False])
async def test_the_lock_opens_when_the_car_has_left(open_bench: Any, make_config: Any, is_wanted: bool) -> None:
    document = make_config(Core__UnlockConnectorOnEVSideDisconnect=is_wanted)
    async with open_bench(document=document) as bench:
        for connector, reason in ((1, Reason.EV_DISCONNECTED), (2, Reason.LOCAL)):
            bench.begin(connector, f"s{connector}")
            bench.charge_point.on_transaction_stopped(connector, f"s{connector}", reason, 1500)
        await trio.sleep(1)
        assert bench.station.asked("unlock_connector") == ([(1,)] if is_wanted else [])
