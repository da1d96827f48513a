"""The two programs of docs/firmware.md, run as they are there: against a Central System, over a real WebSocket."""

import re
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from host_faces import Face, OfAsyncio, OfThreads, Server, done

PAGE = Path(__file__).resolve().parents[2] / "docs" / "firmware.md"
PROGRAMS = dict(
    zip(("threads", "asyncio"), re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.M | re.S), strict=True)
)
FREE_UNTIL = "2098-01-01T00:00:00Z"
NOTHING = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "ChargePointMaxProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": {
        "startSchedule": "2026-01-01T00:00:00Z",
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0}],
    },
}


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
    await done(charge_point.start())
    await done(charge_point.wait_registered())
    await driver.face.until(lambda: sorted(driver.enabled) == [1, 2])


async def charging(driver: Driver, charge_point: Any) -> None:
    """Card and plug in both orders, limits, a stop by the card, the meter."""
    driver.plug(2)  # before the start: a car that is there when the power comes
    await start(driver, charge_point)
    await driver.is_now(2, "Preparing")
    assert await driver.card(1, "A") == "welcome"
    await driver.is_now(1, "Preparing")
    driver.plug(1)
    await driver.is_now(1, "Charging")
    assert (await driver.sent("StartTransaction", 1))["idTag"] == "A"
    assert await driver.card(2, "B") == "welcome"
    assert await driver.card(2, "C") == "not free"
    await driver.is_now(2, "Charging")
    assert await driver.call("SetChargingProfile", connectorId=0, csChargingProfiles=NOTHING) == "Accepted"
    for number in (1, 2):
        await driver.is_now(number, "SuspendedEVSE")
    driver.firmware.tick(3600)
    assert await driver.call("ClearChargingProfile") == "Accepted"
    for number in (1, 2):
        await driver.is_now(number, "Charging")
    driver.firmware.tick(3600)
    assert await driver.card(1, "A") == "stopped"
    await driver.is_now(1, "Finishing")
    stopped = await driver.sent("StopTransaction", 1)
    assert (stopped["meterStop"], stopped["idTag"], stopped["reason"]) == (1000 + 16 * 230, "A", "Local")
    assert await driver.card(1, "D") == "welcome"
    await driver.is_now(1, "Charging")
    driver.unplug(1)
    await driver.is_now(1, "Available")
    driver.unplug(2)
    assert (await driver.sent("StopTransaction", 3))["reason"] == "EVDisconnected"
    await driver.is_now(2, "Available")


async def commands(driver: Driver, charge_point: Any) -> None:
    """What the Central System asks for, one after the other."""
    await start(driver, charge_point)
    reservation = {"connectorId": 1, "expiryDate": FREE_UNTIL, "idTag": "A", "reservationId": 5}
    assert await driver.call("ReserveNow", **reservation) == "Accepted"
    await driver.is_now(1, "Reserved")
    driver.plug(1)
    assert await driver.card(1, "B") == "reserved"
    assert await driver.card(1, "A") == "welcome"
    assert (await driver.sent("StartTransaction", 1))["reservationId"] == 5
    assert await driver.call("UnlockConnector", connectorId=1) == "Unlocked"
    assert (await driver.sent("StopTransaction", 1))["reason"] == "UnlockCommand"
    driver.unplug(1)
    for kind, status in (("Inoperative", "Unavailable"), ("Operative", "Available")):
        assert await driver.call("ChangeAvailability", connectorId=1, type=kind) == "Accepted"
        await driver.is_now(1, status)
        expected = "not free" if kind == "Inoperative" else "welcome"
        assert await driver.card(1, "A") == expected
    driver.unplug(1)
    driver.plug(2)
    assert await driver.call("RemoteStartTransaction", idTag="R") == "Accepted"
    started = await driver.sent("StartTransaction", 2)
    assert (started["idTag"], started["connectorId"]) == ("R", 2), "where the car is"
    assert (
        await driver.call("RemoteStopTransaction", transactionId=charge_point.transaction(2).transaction_id)
        == "Accepted"
    )
    assert (await driver.sent("StopTransaction", 2))["reason"] == "Remote"
    driver.unplug(2)


async def refused(driver: Driver, charge_point: Any) -> None:
    """A card that the Central System takes back: a limit that changes lets nothing flow."""
    await start(driver, charge_point)
    assert await driver.call("ChangeConfiguration", key="StopTransactionOnInvalidId", value="false") == "Accepted"
    info = {"idTagInfo": {"status": "Blocked"}}
    driver.server.system.answers["StartTransaction"] = {"transactionId": 7, **info}
    driver.plug(1)
    assert await driver.card(1, "A") == "welcome"
    await driver.is_now(1, "SuspendedEVSE")
    for payload in ({"connectorId": 0, "csChargingProfiles": NOTHING}, {}):
        action = "SetChargingProfile" if payload else "ClearChargingProfile"
        driver.limits.clear()
        assert await driver.call(action, **payload) == "Accepted"
        await driver.face.until(lambda: 1 in driver.limits)
    assert charge_point.connector_status(1).status == "SuspendedEVSE"
    assert driver.firmware.sockets[1].amperes == 0
    driver.unplug(1)
    driver.server.system.answers["Authorize"] = info
    assert (await driver.card(1, "A")).startswith("refused: Blocked")
    await driver.is_now(1, "Available")


async def waiting(driver: Driver, charge_point: Any) -> None:
    """Of car and card only one comes."""
    await start(driver, charge_point)
    assert await driver.call("ChangeConfiguration", key="ConnectionTimeOut", value="1") == "Accepted"
    await driver.face.until(lambda: bool(driver.firmware.timeout == 1))
    driver.plug(1)
    assert await driver.card(2, "A") == "welcome"
    await driver.is_now(1, "Finishing")
    await driver.is_now(2, "Available")
    assert driver.firmware.sockets[2].card is None
    assert await driver.card(1, "A") == "welcome"
    await driver.is_now(1, "Charging")
    driver.unplug(1)
    await driver.is_now(1, "Available")


async def beginning_anew(driver: Driver, charge_point: Any) -> None:
    """A Reset with cars at the station."""
    await start(driver, charge_point)
    driver.plug(1)
    driver.plug(2)
    assert await driver.card(1, "A") == "welcome"
    await driver.sent("StartTransaction", 1)
    driver.enabled.clear()
    assert await driver.call("Reset", type="Soft") == "Accepted"
    assert (await driver.sent("StopTransaction", 1))["reason"] == "SoftReset"
    await driver.sent("BootNotification", 2)
    await driver.face.until(lambda: sorted(driver.enabled) == [1, 2])
    for number in (1, 2):
        await driver.is_now(number, "Preparing")
    await done(charge_point.wait_registered())
    assert await driver.card(1, "A") == "welcome"
    await driver.is_now(1, "Charging")
    await driver.sent("StartTransaction", 2)


@pytest.mark.parametrize("scenario", [charging, commands, refused, waiting, beginning_anew])
@pytest.mark.parametrize("kind", [OfThreads, OfAsyncio])
def test_a_firmware_of_the_documentation(kind: type[Face], server: Server, scenario: Scenario, tmp_path: Path) -> None:
    face = kind()
    driver = Driver(face, server)

    async def run() -> None:
        async with face.one(driver.config, driver.firmware, database_path=tmp_path) as charge_point:
            await scenario(driver, charge_point)

    face.run(run)
    assert not server.system.violations


class Lines:
    """Standard input: it ends when the Central System knows of a transaction."""

    def __init__(self, server: Server, identity: str, *lines: str) -> None:
        self._server = server
        self._identity = identity
        self._lines = list(lines)

    def readline(self) -> str:
        if self._lines:
            return self._lines.pop(0)
        for _ in range(12000):
            if "StartTransaction" in self._server.actions(self._identity):
                return ""
            threading.Event().wait(0.01)
        raise TimeoutError("no transaction began")

    def __iter__(self) -> Iterator[str]:
        return iter(self.readline, "")


@pytest.mark.parametrize("kind", [OfThreads, OfAsyncio])
def test_its_program_runs_to_the_end_of_its_input(
    kind: type[Face],
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    names = program(kind())
    internal = names["CONFIG"]["Internal"]
    internal["CentralSystemURI"] = f"ws://127.0.0.1:{server.port}/"
    names["CONFIG"]["Core"]["AllowOfflineTxForUnknownId"] = True  # the card may be faster than the connection
    identity = internal["ChargePointId"]
    names["sys"] = SimpleNamespace(stdin=Lines(server, identity, "plug 1\n", "nonsense\n", "card 1 A\n"))
    outcome = names["main"]()
    if kind is OfAsyncio:
        names["asyncio"].run(outcome)
    assert capsys.readouterr().out == "welcome\n"
    assert server.payload("StartTransaction", identity)["idTag"] == "A"
    assert server.payload("StopTransaction", identity)["reason"] == "Other", "leaving the block ends it, and tells"
    assert (tmp_path / "data").is_dir()
