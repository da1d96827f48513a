"""Servers that are not to be trusted: each is refused with its reason, the event, and growing waits; then the Central
System is mended, and the charge point comes online without a restart.
"""

import time
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from bad_doors import INVALID, Door, Face, Faces
from secure_site import Pki, SecureSite

from ocpp16.security.lab_pki import Authority

pytestmark = [pytest.mark.world, pytest.mark.real_time]

KEY = b"a key of 16 byte"
WAITS = (1.0, 2.0)
"""Seconds of the charge point's clock between the attempts, by the keys below."""
SPEED = 20
INTERNAL = {"RetryBackoffWaitMinimum": 1, "RetryBackoffRandomRange": 0, "RetryBackoffRepeatTimes": 1}


class Refusing:
    """A charge point before doors that it must not go through."""

    def __init__(self, station: SecureSite) -> None:
        self.station = station
        self.faces = Faces(station.pki, station.folder / "certs")

    def refuses(self, face: Face, attempts: int) -> None:
        """It tries so many times in vain; what it waits in between grows."""
        station = self.station
        station.do("disconnect")
        station.script("stop")
        with Door(station.central_system.port, face.serve) as door:
            seen = len(station.program.lines)
            station.do("connect")
            door.wait_for(attempts + 1)
            station.do("disconnect")
        log = station.log  # from its beginning: a line that was told in this minute is not told again
        assert face.reason in log, log
        events = [line for line in station.program.lines[seen:] if line.get("event") == "security_event"]
        assert {line["type"] for line in events} == ({face.security_event} if face.security_event else set()), log
        times = [datetime.fromisoformat(line["time"]).timestamp() for line in events]
        waits = [(later - earlier) * SPEED for earlier, later in pairwise(times)]  # stamps are those of the world
        assert all(wait >= least for wait, least in zip(waits, WAITS, strict=False)), waits


@pytest.fixture
def refusing(csms: Any, tmp_path: Path) -> Callable[..., Refusing]:
    def make(security_profile: int) -> Refusing:
        security = {"SecurityProfile": security_profile, "AuthorizationKey": f"hex:{KEY.hex()}"}
        station = SecureSite(
            csms, tmp_path / "cp", Pki(tmp_path / "pki"), security=security, internal=INTERNAL, speed=SPEED
        )
        station.pki.furnish(station.folder / "certs", station.identity)
        station.let_in(security_profile, KEY)
        station.power_up()
        return Refusing(station)

    return make


@pytest.mark.parametrize("group", ["certificates", "handshakes", "cuts"])
def test_each_is_refused_with_its_reason(refusing: Callable[..., Refusing], group: str) -> None:
    case = refusing(2)
    station = case.station
    with station:
        station.booted()
        for name, face in case.faces.groups[group].items():
            if name == "revoked":
                case.faces.revoke()
            case.refuses(face, 1 if name == "silent" else 2)
            station.online()
            if face.security_event == INVALID:
                station.expect("SecurityEventNotification", type=INVALID)
        station.settle()


@pytest.mark.parametrize("is_new", [True, False])
def test_a_client_certificate_is_wanted_and_there_is_none(refusing: Callable[..., Refusing], is_new: bool) -> None:
    case = refusing(2)
    with case.station as station:
        station.booted()
        case.refuses(case.faces.wanting_certificates(station.pki.root, "wants a client certificate", is_new=is_new), 2)
        station.online()


@pytest.mark.parametrize("is_new", [True, False])
def test_the_client_certificate_is_of_somebody_unknown(refusing: Callable[..., Refusing], is_new: bool) -> None:
    case = refusing(3)
    other = Authority("Other", time.time())
    with case.station as station:
        station.booted()
        case.refuses(case.faces.wanting_certificates(other, "does not accept the client certificate", is_new=is_new), 2)
        station.online()
