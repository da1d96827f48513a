"""UpdateFirmware: when the station is asked, what the Central System is told, and what becomes of the connectors."""

from typing import Any

import pytest
import trio
from workshop import BACK, GO_AHEAD, OUT, REQUEST, UPDATE, Workshop, ask, refused, statuses, tell, told

from ocpp16.charge_point.station_check import station_problems
from ocpp16.enums import Reason, SessionStartedReason
from ocpp16.errors import FeatureNotBuilt
from ocpp16.models import UNSIGNED
from ocpp16.testing.stations import RecordingStation, UpdatableStation


async def test_from_request_to_installed(open_bench: Any) -> None:
    async with open_bench(station=Workshop()) as bench:
        await ask(bench)
        assert bench.station.asked("update_firmware") == [(UPDATE,)]
        assert told(bench) == [], "the station has told nothing yet"
        await tell(bench, "Downloading")
        bench.station.did()
        await tell(bench, "Downloaded")
        assert bench.station.did() == [*OUT, GO_AHEAD]
        assert statuses(bench) == ["Unavailable", "Unavailable"]
        await tell(bench, "Installing", "Installed")
        assert told(bench) == ["Downloading", "Downloaded", "Installing", "Installed"]
        assert bench.station.did() == BACK
        assert statuses(bench) == ["Available", "Available"]


async def test_g38_the_go_ahead_is_given_once_and_triggers_repeat_nothing(open_bench: Any) -> None:
    async with open_bench(station=Workshop()) as bench:
        await ask(bench)
        for step in ("Downloading", "Downloaded", "Installing"):
            await tell(bench, step, step)
            trigger = {"requestedMessage": "FirmwareStatusNotification"}
            assert await bench.call("TriggerMessage", trigger) == {"status": "Accepted"}
            await trio.sleep(0.1)
            assert told(bench)[-2:] == [step, step], "as it was told, and as it was triggered"
        assert len(bench.station.asked("all_connectors_unavailable")) == 1
        assert len(bench.station.asked("disable_evse")) == 2
        await tell(bench, "Installed")
        bench.station.did()
        bench.begin()
        await bench.call("TriggerMessage", trigger)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 2000)
        await trio.sleep(1)
        assert told(bench)[-1] == "Idle"
        assert bench.station.did() == [], "Installed is the end of it"


async def test_a_connector_with_a_transaction_follows_when_that_has_ended(open_bench: Any) -> None:
    async with open_bench(station=Workshop()) as bench:
        bench.begin()
        bench.charge_point.on_resume_charging(1)
        await ask(bench)
        bench.station.did()
        await tell(bench, "Downloaded")
        assert bench.station.did() == [("disable_evse", 2)]
        bench.begin(2, "s2")  # one that begins in spite of it is waited for, too
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 2000)
        await trio.sleep(0.1)
        assert bench.station.did() == [("disable_evse", 1)]
        bench.charge_point.on_transaction_stopped(2, "s2", Reason.LOCAL, 2000)
        await trio.sleep(0.1)
        assert bench.station.did() == [GO_AHEAD]
        bench.charge_point.on_session_stopped(1, "s1")
        bench.charge_point.on_session_stopped(2, "s2")
        assert statuses(bench) == ["Unavailable", "Unavailable"]


async def test_g38_one_that_begins_after_the_go_ahead_brings_no_second_one(open_bench: Any) -> None:
    async with open_bench(station=Workshop()) as bench:
        await ask(bench)
        await tell(bench, "Downloaded")
        bench.begin()
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 2000)
        await trio.sleep(1)
        assert len(bench.station.asked("all_connectors_unavailable")) == 1


async def test_one_that_begins_while_connectors_are_put_out_of_service(open_bench: Any) -> None:
    async with open_bench(station=Workshop()) as bench:
        await ask(bench)
        bench.station.delays["disable_evse"] = 5
        await tell(bench, "Downloaded")
        await trio.sleep(2)
        bench.begin()
        await trio.sleep(60)
        assert bench.station.asked("all_connectors_unavailable") == []
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 2000)
        await trio.sleep(1)
        assert len(bench.station.asked("all_connectors_unavailable")) == 1


async def test_no_remote_start_where_the_station_is_yet_to_put_it_out_of_service(open_bench: Any) -> None:
    async with open_bench(station=UpdatableStation()) as bench:
        await ask(bench)
        bench.station.delays["disable_evse"] = 5
        await tell(bench, "Downloaded")
        assert statuses(bench) == ["Available", "Available"]
        start = {"idTag": "TAG1", "connectorId": 1}
        assert await bench.call("RemoteStartTransaction", start) == {"status": "Rejected"}


async def test_one_that_is_yet_to_take_it_gets_no_go_ahead(open_bench: Any) -> None:
    """It tells of the download before it has answered that it takes the update."""
    async with open_bench(station=Workshop()) as bench:
        bench.station.delays["update_firmware"] = 20
        await ask(bench)
        bench.station.did()
        await tell(bench, "Downloading", "Downloaded")
        await trio.sleep(5)
        assert bench.station.did() == OUT
        await trio.sleep(20)
        assert bench.station.did() == [GO_AHEAD]


async def test_offline_the_end_of_a_transaction_is_enough(open_bench: Any) -> None:
    async with open_bench(station=Workshop()) as bench:
        bench.begin()
        await ask(bench)
        bench.charge_point.connection.disconnect()
        await trio.sleep(0.1)
        await tell(bench, "Downloaded")
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 2000)
        await trio.sleep(0.1)
        assert len(bench.station.asked("all_connectors_unavailable")) == 1


async def test_a_car_that_is_plugged_in_leaves_an_unavailable_connector(open_bench: Any) -> None:
    async with open_bench(station=Workshop()) as bench:
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        await ask(bench)
        await tell(bench, "Downloaded")
        assert statuses(bench) == ["Preparing", "Unavailable"]
        bench.charge_point.on_session_stopped(1, "s1")
        assert statuses(bench) == ["Unavailable", "Unavailable"], "and was not Available for a moment"
        await trio.sleep(0.1)
        seen = [payload["status"] for payload in bench.sent("StatusNotification") if payload["connectorId"] == 1]
        assert seen == ["Available", "Preparing", "Unavailable"]
        await tell(bench, "InstallationFailed")
        assert statuses(bench) == ["Available", "Available"]


@pytest.mark.parametrize("end", ["Installed", "InstallationFailed", "DownloadFailed"])
async def test_change_availability_holds_afterwards(open_bench: Any, end: str) -> None:
    async with open_bench(station=Workshop()) as bench:
        await bench.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
        await ask(bench)
        await tell(bench, "Downloaded")
        bench.station.did()
        await bench.call("ChangeAvailability", {"connectorId": 1, "type": "Operative"})
        await bench.call("ChangeAvailability", {"connectorId": 2, "type": "Inoperative"})
        await trio.sleep(0.1)
        assert bench.station.did() == OUT, "none is in service now"
        await tell(bench, end)
        assert bench.station.did() == BACK[:1]
        assert statuses(bench) == ["Available", "Unavailable"]


async def test_many_connectors_are_all_out_before_the_go_ahead(open_bench: Any, make_config: Any) -> None:
    async with open_bench(station=Workshop(), document=make_config(Core__NumberOfConnectors=50)) as bench:
        await trio.sleep(1)
        await ask(bench)
        bench.station.did()
        bench.station.delays["disable_evse"] = 2
        await tell(bench, "Downloaded")
        await trio.sleep(10)
        assert bench.station.calls[-1] == GO_AHEAD
        assert sorted(bench.station.calls[:-1]) == [("disable_evse", number) for number in range(1, 51)]


# When it begins


async def test_a_date_that_is_to_come_is_waited_for(open_bench: Any) -> None:
    async with open_bench(station=Workshop()) as bench:
        await ask(bench, retrieveDate="2026-01-01T01:00:00Z")
        await trio.sleep(3_590)
        assert bench.station.asked("update_firmware") == []
        await trio.sleep(10)
        assert len(bench.station.asked("update_firmware")) == 1


async def test_it_is_the_date_of_the_central_system_that_counts(open_bench: Any) -> None:
    async with open_bench(station=Workshop()) as bench:
        await ask(bench, retrieveDate="2026-01-02T00:00:00Z")
        await bench.put_clock(86_390)
        assert bench.station.asked("update_firmware") == []
        await trio.sleep(10)
        assert len(bench.station.asked("update_firmware")) == 1


async def test_members_that_are_left_out_are_left_to_the_station(open_bench: Any) -> None:
    async with open_bench(station=Workshop()) as bench:
        await bench.call("UpdateFirmware", {"location": "http://x/", "retrieveDate": "0001-01-01T00:00:00Z"})
        await trio.sleep(0.1)
        await bench.call("UpdateFirmware", {**REQUEST, "retries": -5, "retryInterval": 2**40})
        await trio.sleep(0.1)
        first, second = (update for (update,) in bench.station.asked("update_firmware"))
        assert (first.retries, first.retry_interval, first.install_date) == (None, None, None)
        assert (second.retries, second.retry_interval) == (0, 2**31 - 1)


# What is refused


async def test_g88_signed_firmware_may_be_required(open_bench: Any, make_config: Any) -> None:
    document = make_config(FirmwareManagement__SignedFirmwareRequired=True)
    async with open_bench(station=Workshop(), document=document) as bench:
        assert await refused(bench) == "NotSupported"
        assert bench.station.asked("update_firmware") == []
        keys = (await bench.call("GetConfiguration", {"key": ["SignedFirmwareRequired"]}))["configurationKey"]
        assert keys == [{"key": "SignedFirmwareRequired", "readonly": True, "value": "true"}]


async def test_nowhere_is_no_location(open_bench: Any) -> None:
    async with open_bench(station=Workshop()) as bench:
        assert await refused(bench, location="") == "PropertyConstraintViolation"


async def test_a_station_without_the_methods_takes_no_firmware(open_bench: Any) -> None:
    async with open_bench() as bench:
        assert await refused(bench) == "NotSupported"
        assert "FirmwareManagement" not in bench.charge_point.configuration.text("SupportedFeatureProfiles")
        with pytest.raises(FeatureNotBuilt):
            bench.charge_point.on_firmware_update_status_notification(UNSIGNED, "Installed")
    async with open_bench(station=Workshop()) as bench:
        assert "FirmwareManagement" in bench.charge_point.configuration.text("SupportedFeatureProfiles")


async def test_g69_what_is_not_listed_is_not_told(open_bench: Any, make_config: Any) -> None:
    document = make_config(Core__SupportedFeatureProfiles="Core")
    async with open_bench(station=Workshop(), document=document) as bench:
        assert await refused(bench) == "NotSupported"
        with pytest.raises(FeatureNotBuilt):
            bench.charge_point.on_firmware_update_status_notification(UNSIGNED, "Installed")
        await tell(bench, "Installed", request_id=5)
        assert bench.sent("SignedFirmwareStatusNotification") == [{"status": "Installed", "requestId": 5}]


def test_half_of_a_station_is_a_mistake() -> None:
    class Half(RecordingStation):
        async def upload_logs(self, request: Any) -> None: ...

    missing = {problem.split()[0] for problem in station_problems(Half())}
    assert missing == {
        f"Half.{name}"
        for name in (
            "signed_update_firmware",
            "update_firmware",
            "cancel_firmware_update",
            "all_connectors_unavailable",
            "upload_diagnostics",
        )
    }
    assert station_problems(UpdatableStation()) == []


# One takes the place of another


async def test_a_newer_one_takes_the_place_of_one_that_waits_for_its_date(open_bench: Any) -> None:
    async with open_bench(station=Workshop()) as bench:
        await ask(bench, retrieveDate="2026-01-01T01:00:00Z")
        await ask(bench, location="http://files.example/newer")
        assert bench.station.asked("cancel_firmware_update") == [], "the station does not know of the first"
        await trio.sleep(4_000)
        assert [update.location for (update,) in bench.station.asked("update_firmware")] == [
            "http://files.example/newer"
        ]


async def test_a_newer_one_takes_the_place_of_one_that_runs(open_bench: Any) -> None:
    async with open_bench(station=Workshop()) as bench:
        await ask(bench)
        await tell(bench, "Downloaded")
        bench.station.did()
        await ask(bench)
        assert bench.station.did("cancel_firmware_update", "enable_evse") == [
            ("cancel_firmware_update", UNSIGNED),
            *BACK,
        ]
        await tell(bench, "Downloading")
        assert told(bench) == ["Downloaded", "Downloading"]


@pytest.mark.parametrize("answer", [False, None, "yes", RuntimeError("no"), "hangs"])
async def test_what_cannot_be_given_up_goes_on(open_bench: Any, make_config: Any, answer: Any) -> None:
    async with open_bench(station=Workshop(), document=make_config(Internal__StationTimeout=5)) as bench:
        await ask(bench)
        await tell(bench, "Installing")
        if answer == "hangs":
            bench.station.delays["cancel_firmware_update"] = 1000
        else:
            bench.station.answers["cancel_firmware_update"] = answer
        with trio.fail_after(6):
            assert await refused(bench) == "GenericError"
        await tell(bench, "Installed")
        assert told(bench) == ["Installing", "Installed"]
        bench.station.answers["cancel_firmware_update"] = False
        await ask(bench)
        assert len(bench.station.asked("update_firmware")) == 2, "nothing is in its way any more"


async def test_one_that_ends_while_it_is_given_up_makes_way(open_bench: Any) -> None:
    async with open_bench(station=Workshop()) as bench:
        await ask(bench)

        def end(request_id: int) -> bool:
            bench.charge_point.on_firmware_update_status_notification(request_id, "Installed")
            return False

        bench.station.answers["cancel_firmware_update"] = end
        await ask(bench)
        assert len(bench.station.asked("update_firmware")) == 2


async def test_one_given_up_for_what_cannot_be_stored_has_failed(open_bench: Any, make_config: Any, disk: Any) -> None:
    document = make_config(Internal__StoreTimeout=5)
    async with open_bench(station=Workshop(), store=disk, document=document) as bench:
        await ask(bench)
        await tell(bench, "Downloading")
        disk.is_full = True
        assert await refused(bench) == "InternalError"
        disk.is_full = False
        await trio.sleep(60)
        assert told(bench) == ["Downloading", "DownloadFailed"]
        assert len(bench.station.asked("update_firmware")) == 1


async def test_what_cannot_be_stored_is_not_begun(open_bench: Any, make_config: Any, disk: Any) -> None:
    document = make_config(Internal__StoreTimeout=5)
    async with open_bench(station=Workshop(), store=disk, document=document) as bench:
        disk.is_full = True
        assert await refused(bench) == "InternalError"
        disk.is_full = False
        await trio.sleep(60)
        assert bench.station.asked("update_firmware") == []
