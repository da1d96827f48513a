"""The end of an upload or update is told, whatever the station tells before it and whatever is asked for meanwhile."""

from typing import Any

import trio
from workshop import Workshop, ask, tell

from ocpp16.enums import LogStatusEnumType
from ocpp16.models import GetLogResponse
from ocpp16.store.memory import MemoryStore
from ocpp16.testing.stations import UpdatableStation


def log(number: int) -> dict[str, Any]:
    return {"requestId": number, "logType": "SecurityLog", "log": {"remoteLocation": "ftp://files.example/"}}


class Chatty(UpdatableStation):
    """Tells its progress, and the end, before it answers."""

    charge_point: Any = None

    def attach(self, charge_point: Any) -> None:
        self.charge_point = charge_point

    async def upload_logs(self, request: Any) -> Any:
        for status in ["Uploading"] * 8 + ["Uploaded"]:
            self.charge_point.on_log_status_notification(request.request_id, status)
        return GetLogResponse(LogStatusEnumType.ACCEPTED)


async def test_the_end_is_told_however_often_the_station_tells_that_it_goes_on(open_bench: Any) -> None:
    """`on_log_status_notification`: the same status again is ignored."""
    async with open_bench(station=Chatty()) as bench:
        await bench.call("GetLog", log(5))
        await trio.sleep(1)
        assert [payload["status"] for payload in bench.sent("LogStatusNotification")] == ["Uploading", "Uploaded"]


async def test_the_end_of_one_upload_is_told_though_another_was_asked_for_meanwhile(open_bench: Any) -> None:
    async with open_bench(station=UpdatableStation(), start=False) as bench:
        bench.csms.refuse_boot("Pending", interval=60)
        await bench.charge_point.start()
        await trio.sleep(1)
        assert (await bench.call("GetLog", log(5)))["status"] == "Accepted"
        bench.charge_point.on_log_status_notification(5, "Uploaded")
        assert (await bench.call("GetLog", log(6)))["status"] == "Accepted", "not cancelled: it had ended"
        bench.charge_point.on_log_status_notification(6, "Uploaded")
        await trio.sleep(120)
        told = [(payload["requestId"], payload["status"]) for payload in bench.sent("LogStatusNotification")]
        assert told == [(5, "Uploaded"), (6, "Uploaded")]


async def test_the_end_of_one_upload_is_kept_over_a_power_cut_though_another_was_asked_for(open_bench: Any) -> None:
    store = MemoryStore(is_volatile=False)
    async with open_bench(station=UpdatableStation(), store=store, start=False) as bench:
        bench.csms.refuse_boot("Pending", interval=60)
        await bench.charge_point.start()
        await trio.sleep(1)
        assert (await bench.call("GetLog", log(5)))["status"] == "Accepted"
        bench.charge_point.on_log_status_notification(5, "UploadFailure")
        assert (await bench.call("GetLog", log(6)))["status"] == "Accepted"
    async with open_bench(station=UpdatableStation(), store=store) as bench:
        await trio.sleep(5)
        told = [(payload["requestId"], payload["status"]) for payload in bench.sent("LogStatusNotification")]
        assert told[0] == (5, "UploadFailure")


async def test_the_end_of_one_update_is_told_though_another_was_asked_for_meanwhile(open_bench: Any) -> None:
    async with open_bench(station=Workshop(), start=False) as bench:
        bench.csms.refuse_boot("Pending", interval=60)
        await bench.charge_point.start()
        await trio.sleep(1)
        await ask(bench)
        await tell(bench, "Downloading", "DownloadFailed")
        await ask(bench)
        await tell(bench, "Downloading")
        await trio.sleep(120)
        assert [payload["status"] for payload in bench.sent("FirmwareStatusNotification")] == [
            "DownloadFailed",
            "Downloading",
        ]
