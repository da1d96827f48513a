"""A station whose firmware is updated, for tests: it does what it is asked, and tells nothing by itself."""

from typing import Any

import pytest
import trio

from ocpp16.errors import CallFailed
from ocpp16.models import UNSIGNED, FirmwareUpdate
from ocpp16.state.clock import to_datetime
from ocpp16.testing.central_system import START
from ocpp16.testing.stations import UpdatableStation

LOCATION = "ftp://user:p4ssw0rd@files.example/firmware.bin"
REQUEST = {"location": LOCATION, "retrieveDate": "2025-12-31T23:00:00Z", "retries": 2, "retryInterval": 30}
UPDATE = FirmwareUpdate(UNSIGNED, LOCATION, to_datetime(START - 3_600_000_000), 2, 30)
BACK = [("enable_evse", 1), ("enable_evse", 2)]
OUT = [("disable_evse", 1), ("disable_evse", 2)]
GO_AHEAD = ("all_connectors_unavailable",)


class Workshop(UpdatableStation):
    """A station that puts its connectors in and out of service as it is asked."""

    charge_point: Any = None

    def attach(self, charge_point: Any) -> None:
        self.charge_point = charge_point

    async def enable_evse(self, connector_id: int) -> bool:
        self.charge_point.on_enabled(connector_id)
        return await super().enable_evse(connector_id)

    async def disable_evse(self, connector_id: int) -> bool:
        self.charge_point.on_disabled(connector_id)
        return await super().disable_evse(connector_id)

    def did(self, *names: str) -> list[tuple[Any, ...]]:
        """What it was asked since the last look, but for the order of connectors."""
        wanted = names or ("enable_evse", "disable_evse", "all_connectors_unavailable")
        found = [call for call in self.calls if call[0] in wanted]
        self.calls.clear()
        return sorted(found[:-1]) + found[-1:] if found and found[-1] == GO_AHEAD else sorted(found)


async def ask(bench: Any, **members: Any) -> None:
    assert await bench.call("UpdateFirmware", {**REQUEST, **members}) == {}
    await trio.sleep(0.1)


async def tell(bench: Any, *statuses: str, request_id: int = UNSIGNED) -> None:
    for status in statuses:
        bench.charge_point.on_firmware_update_status_notification(request_id, status)
        await trio.sleep(0.1)


def told(bench: Any) -> list[str]:
    return [payload["status"] for payload in bench.sent("FirmwareStatusNotification")]


def statuses(bench: Any) -> list[str]:
    return [str(bench.charge_point.connector_status(number).status) for number in (1, 2)]


async def refused(bench: Any, **members: Any) -> str:
    with pytest.raises(CallFailed) as caught:
        await bench.call("UpdateFirmware", {**REQUEST, **members})
    return caught.value.code
