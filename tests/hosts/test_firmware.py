"""The two programs of docs/firmware.md, run as they are there: against a Central System, over a real WebSocket."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from firmware_programs import PROGRAMS, Driver, Scenario, program, start
from host_faces import Face, OfAsyncio, OfThreads, Server, done

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
    await driver.face.until(lambda: charge_point.transaction(2).transaction_id is not None)
    number = charge_point.transaction(2).transaction_id
    assert await driver.call("RemoteStopTransaction", transactionId=number) == "Accepted"
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
    # It tells the end of the session first, and forgets the card then: another thread may look between.
    await driver.face.until(lambda: driver.firmware.sockets[2].card is None)
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


async def out_of_service(driver: Driver, charge_point: Any) -> None:
    """A car comes to a connector that is Unavailable: it is one when that is in service again; over restarts, too."""
    await start(driver, charge_point)
    assert await driver.call("ChangeAvailability", connectorId=1, type="Inoperative") == "Accepted"
    await driver.is_now(1, "Unavailable")
    await driver.face.until(lambda: not driver.firmware.sockets[1].is_enabled)
    driver.plug(1)
    assert await driver.card(1, "A") == "not free"
    await driver.is_now(1, "Unavailable")
    driver.firmware.sockets[1].is_enabled = True  # of a process that knows nothing of before
    assert await driver.call("Reset", type="Soft") == "Accepted"
    await driver.sent("BootNotification", 2)
    await driver.face.until(lambda: not driver.firmware.sockets[1].is_enabled)
    await driver.is_now(1, "Unavailable")
    assert await driver.call("ChangeAvailability", connectorId=1, type="Operative") == "Accepted"
    await driver.is_now(1, "Preparing")
    assert await driver.card(1, "A") == "welcome"
    await driver.is_now(1, "Charging")
    assert await driver.card(1, "a") == "stopped"
    await driver.is_now(1, "Finishing")
    for kind, status in (("Inoperative", "Unavailable"), ("Operative", "Preparing")):
        assert await driver.call("ChangeAvailability", connectorId=1, type=kind) == "Accepted"
        await driver.is_now(1, status)
    driver.unplug(1)
    await driver.is_now(1, "Available")


async def faults(driver: Driver, charge_point: Any) -> None:
    """While one lasts nothing flows and no card is taken; what goes on, goes on."""
    await start(driver, charge_point)
    driver.plug(1)
    assert await driver.card(1, "A") == "welcome"
    for number in (1, 2):
        driver.trip(number)
        driver.trip(number)
        await driver.is_now(number, "Faulted")
    assert driver.firmware.sockets[1].amperes == 0
    driver.plug(2)
    assert await driver.card(2, "B") == "not free"
    assert await driver.call("Reset", type="Soft") == "Accepted"
    await driver.sent("BootNotification", 2)
    for number in (1, 2):
        await driver.is_now(number, "Faulted")
        driver.mended(number)
        driver.mended(number)
        await driver.is_now(number, "Preparing")
        assert await driver.card(number, "B") == "welcome"
        await driver.is_now(number, "Charging")
    driver.trip(1)
    driver.mended(1)
    await driver.is_now(1, "Charging")
    assert driver.firmware.sockets[1].amperes == 16


async def families(driver: Driver, charge_point: Any) -> None:
    """A card of the same parent stops; another one does not (TC_069)."""
    await start(driver, charge_point)
    parents = {"A": "P", "B": "p", "C": "Q"}

    def info(payload: dict[str, Any], call: Any) -> dict[str, Any]:
        told = {"status": "Accepted"}
        if payload["idTag"] in parents:
            told["parentIdTag"] = parents[payload["idTag"]]
        return {"idTagInfo": told} | ({"transactionId": 9} if "meterStart" in payload else {})

    driver.server.system.answers |= {"Authorize": info, "StartTransaction": info}
    driver.plug(1)
    assert await driver.card(1, "A") == "welcome"
    await driver.face.until(lambda: charge_point.transaction(1).parent_id_tag == "P")
    for other in ("C", "D"):
        assert await driver.card(1, other) == "not free"
    assert await driver.card(1, "B") == "stopped"
    stopped = await driver.sent("StopTransaction", 1)
    assert (stopped["idTag"], stopped["reason"]) == ("B", "Local")


async def limits(driver: Driver, charge_point: Any) -> None:
    """A limit that is there holds from the first moment, and one in W means the one phase that there is."""
    await start(driver, charge_point)
    watts: dict[str, Any] = deepcopy(NOTHING)
    schedule = watts["chargingSchedule"]
    schedule |= {"chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 2300}]}
    assert await driver.call("SetChargingProfile", connectorId=0, csChargingProfiles=watts) == "Accepted"
    driver.firmware.charging_limit_changed = lambda *_: pytest.fail("what is asked needs no telling")
    for number in (1, 2):
        driver.plug(number)
        assert await driver.card(number, "A") == "welcome"
        assert driver.firmware.sockets[number].amperes == 10


async def main_meter(driver: Driver, charge_point: Any) -> None:
    """There is none: 0 may be asked for all the same."""
    await start(driver, charge_point)
    assert driver.firmware.measurement(0) is None
    assert driver.firmware.measurement(1).energy_import.total == 1000
    assert charge_point.sample_now(0) is False


SCENARIOS = [
    charging,
    commands,
    refused,
    waiting,
    beginning_anew,
    out_of_service,
    faults,
    families,
    limits,
    main_meter,
]


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("kind", [OfThreads, OfAsyncio])
def test_a_firmware_of_the_documentation(kind: type[Face], server: Server, scenario: Scenario, tmp_path: Path) -> None:
    face = kind()
    driver = Driver(face, server)

    async def run() -> None:
        async with face.one(driver.config, driver.firmware, database_path=tmp_path) as charge_point:
            await scenario(driver, charge_point)

    face.run(run)
    assert not server.system.violations


@pytest.mark.parametrize("is_refused", [False, True])
@pytest.mark.parametrize("kind", [OfThreads, OfAsyncio])
def test_it_goes_on_after_a_power_cut_where_the_car_has_stayed(
    kind: type[Face], server: Server, tmp_path: Path, is_refused: bool
) -> None:
    face = kind()
    driver = Driver(face, server)
    calls = server.system.calls

    async def before() -> None:
        async with face.one(driver.config, driver.firmware, database_path=tmp_path) as charge_point:
            await start(driver, charge_point)
            if is_refused:
                key = {"key": "StopTransactionOnInvalidId", "value": "false"}
                assert await driver.call("ChangeConfiguration", **key) == "Accepted"
                server.system.answers["StartTransaction"] = {"transactionId": 7, "idTagInfo": {"status": "Blocked"}}
            for number in (1, 2):
                driver.plug(number)
                assert await driver.card(number, "A") == "welcome"
                await driver.is_now(number, "SuspendedEVSE" if is_refused else "Charging")
            await driver.sent("StartTransaction", 2)
            driver.firmware.tick(3600)
            await done(charge_point.wait_all_answered())
            charge_point.on_meter_values(1, driver.firmware.measurement(1))
            charge_point.sample_now(1)
            await done(charge_point.stored())
            charge_point.abandon()

    async def after() -> None:
        async with face.one(again.config, again.firmware, database_path=tmp_path) as charge_point:
            again.firmware.sockets[1].is_plugged = True
            await start(again, charge_point)
            assert again.firmware.sockets[1].energy == (1000 if is_refused else 1000 + 16 * 230)
            if is_refused:
                await again.face.until(lambda: again.firmware.sockets[1].is_refused)
            await again.is_now(1, "SuspendedEVSE" if is_refused else "Charging")
            await again.is_now(2, "Available")
            assert (await again.sent("StopTransaction", 1))["reason"] == "PowerLoss"
            again.unplug(1)
            assert (await again.sent("StopTransaction", 2))["reason"] == "EVDisconnected"
            await again.is_now(1, "Available")

    face.run(before)
    assert not calls("StopTransaction", driver.id)
    again = Driver(face, server)
    face.run(after)
    assert len(calls("StartTransaction", driver.id)) == 2
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


@pytest.mark.parametrize("name", list(PROGRAMS))
def test_a_signal_leaves_its_block(name: str, server: Server, tmp_path: Path) -> None:
    source = PROGRAMS[name].replace("ws://127.0.0.1:9000/", f"ws://127.0.0.1:{server.port}/")
    source = source.replace('"Core": {', '"Core": {"AllowOfflineTxForUnknownId": True, ')
    (tmp_path / "program.py").write_text(source)
    program = subprocess.Popen(
        [sys.executable, "program.py"], cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with program:
        assert program.stdin is not None
        program.stdin.write("plug 1\ncard 1 A\n")
        program.stdin.flush()
        Lines(server, name).readline()
        program.send_signal(signal.SIGTERM)
        assert program.wait(600) == 0
        assert program.stderr is not None
        assert program.stderr.read() == ""
    assert server.payload("StopTransaction", name)["reason"] == "Other"
