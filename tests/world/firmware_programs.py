"""The two programs of docs/firmware.md, and who drives them: cars, cards and a Central System."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from host_faces import Face, Server, done

PAGE = Path(__file__).resolve().parents[2] / "docs" / "firmware.md"
PROGRAMS = dict(
    zip(("threads", "asyncio"), re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.M | re.S), strict=True)
)


def program(face: Face, name: str = "firmware") -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": name}
    exec(compile(PROGRAMS[face.name], str(PAGE), "exec"), names)
    return names


class Driver:
    """The hands of cars and drivers, and the eyes of who watches."""

    def __init__(self, face: Face, server: Server) -> None:
        self.face = face
        self.server = server
        names = program(face)
        self.config = names["CONFIG"]
        self.config["Internal"]["CentralSystemURI"] = f"ws://127.0.0.1:{server.port}/"
        self.id = self.config["Internal"]["ChargePointId"]
        self.firmware = names["Firmware"]()
        self.enabled: list[int] = []
        original = self.firmware.enable_evse

        def enabled(connector_id: int) -> None:
            original(connector_id)
            self.enabled.append(connector_id)

        async def enabled_async(connector_id: int) -> None:
            await original(connector_id)
            self.enabled.append(connector_id)

        self.firmware.enable_evse = enabled if face.name == "threads" else enabled_async
        self.limits: list[int] = []
        limit_changed = self.firmware.charging_limit_changed

        def noted(connector_id: int, limit: Any) -> None:
            limit_changed(connector_id, limit)
            self.limits.append(connector_id)

        self.firmware.charging_limit_changed = noted

    def _act(self, what: str, number: int, *arguments: Any) -> Any:
        firmware = self.firmware
        if self.face.name == "threads":
            return getattr(firmware, what)(number, *arguments)
        return getattr(firmware.sockets[number], what)(*arguments)

    def plug(self, number: int) -> None:
        self._act("plug", number)

    def unplug(self, number: int) -> None:
        self._act("unplug", number)

    def trip(self, number: int) -> None:
        self._act("trip", number)

    def mended(self, number: int) -> None:
        self._act("mended", number)

    async def card(self, number: int, card: str) -> str:
        return str(await done(self._act("present", number, card)))

    async def call(self, action: str, **payload: Any) -> Any:
        return (await self.face.elsewhere(self.server.call, action, payload, self.id))["status"]

    async def is_now(self, number: int, status: str) -> None:
        await self.face.until(lambda: self.firmware.charge_point.connector_status(number).status == status)

    async def sent(self, action: str, count: int) -> dict[str, Any]:
        """The payload of the last, once there are so many."""
        calls = self.server.system.calls
        await self.face.until(lambda: len(calls(action, self.id)) >= count)
        assert len(calls(action, self.id)) == count
        return calls(action, self.id)[-1].payload


Scenario = Callable[[Driver, Any], Awaitable[None]]


async def start(driver: Driver, charge_point: Any) -> None:
    await done(driver.firmware.begin())
    await done(charge_point.wait_registered())
    await driver.face.until(lambda: sorted(driver.enabled) == [1, 2])
