"""A charging profile that was accepted is there after kill -9, whichever moment that comes at."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytestmark = [pytest.mark.world, pytest.mark.kills]

ROUNDS = 4


def profile(number: int, limit: float) -> dict[str, Any]:
    return {
        "chargingProfileId": number,
        "stackLevel": number % 3,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {
            "startSchedule": "2025-01-01T00:00:00Z",
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
        },
    }


class Site:
    """A charge point of two connectors that is killed and started again, and its Central System."""

    def __init__(self, world: Callable[[str], ModuleType], csms: Any, folder: Path) -> None:
        self._programs = world("programs")
        self._configuration = world("kill_campaign").configuration(csms.url)
        self._csms = csms
        self._folder = folder

    def start(self) -> Any:
        program = self._programs.ChargePointProgram(self._folder, self._configuration)
        program.wait_for(event="boot")
        return program

    def shown(self, connector_id: int) -> float:
        answer = self._csms.call("GetCompositeSchedule", {"connectorId": connector_id, "duration": 60})
        [period] = answer["chargingSchedule"]["chargingSchedulePeriod"]
        return float(period["limit"])

    def install(self, connector_id: int, made: dict[str, Any]) -> Any:
        return self._csms.call("SetChargingProfile", {"connectorId": connector_id, "csChargingProfiles": made})

    def wait_for_answer(self, number: int) -> None:
        """The raw frame that accepts: earlier than the Central System's own library hands it on."""

        def is_there() -> bool:
            sent = [
                frame[1] for frame in self._csms.frames("sent") if frame[0] == 2 and frame[2] == "SetChargingProfile"
            ]
            answered = {frame[1] for frame in self._csms.frames("received") if frame[0] == 3}
            return len(sent) >= number and sent[number - 1] in answered

        self._csms.wait_until(is_there, f"answer to SetChargingProfile number {number}")


@pytest.fixture
def site(world: Callable[[str], ModuleType], csms: Any, tmp_path: Path) -> Site:
    return Site(world, csms, tmp_path / "charge point")


def test_accepted_and_killed_at_once(site: Site, csms: Any) -> None:
    """Every round replaces a profile by its id, its level, or sets a new one, and dies with the answer."""
    told = 0
    expected: dict[int, float] = {1: 48.0, 2: 48.0}
    for number, (connector_id, profile_id) in enumerate([(1, 3), (2, 6), (2, 9), (1, 6)][:ROUNDS]):
        program = site.start()
        try:
            assert {number: site.shown(number) for number in (1, 2)} == expected
            limit = 10.0 + number
            told += 1
            request = {"connectorId": connector_id, "csChargingProfiles": profile(profile_id, limit)}
            csms.send("call", action="SetChargingProfile", payload=request)
            site.wait_for_answer(told)
        finally:
            program.kill()
        expected[connector_id] = limit
    with site.start():
        assert {number: site.shown(number) for number in (1, 2)} == expected
        assert csms.call("ClearChargingProfile", {"id": 6}) == {"status": "Accepted"}
        assert csms.call("ClearChargingProfile", {"id": 3}) == {"status": "Unknown"}, "its level had another one"
    assert csms.objections == []


def test_killed_before_the_answer(site: Site, csms: Any) -> None:
    """Then it is there or it is not, whole: no half of a replacement is left."""
    with site.start():
        assert site.install(1, profile(3, 20.0)) == {"status": "Accepted"}
        assert site.install(2, profile(6, 21.0)) == {"status": "Accepted"}
    program = site.start()
    try:
        request = {"connectorId": 1, "csChargingProfiles": profile(6, 10.0)}  # replaces both
        csms.send("call", action="SetChargingProfile", payload=request)
        csms.wait_until(lambda: any("10.0" in line.get("text", "") for line in csms.lines), "the request")
    finally:
        program.kill()
    with site.start():
        assert (site.shown(1), site.shown(2)) in {(20.0, 21.0), (10.0, 48.0)}
    assert all(json.loads(line["text"]) for line in csms.lines if "text" in line)
