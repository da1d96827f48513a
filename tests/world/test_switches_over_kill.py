"""Key, profile and certificate are changed over OCPP while the power fails at any moment: the station comes back with
what the Central System takes, and is never locked out.

A few kills by default; OCPP16_ROUNDS says how many under the marker `soak`, OCPP16_RUN_SEED which.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from csms_gate import basic
from secure_site import Pki, SecureSite, serial

pytestmark = [pytest.mark.world, pytest.mark.kills]

ROUNDS = int(os.environ.get("OCPP16_ROUNDS", "20"))
SEED = int(os.environ.get("OCPP16_RUN_SEED", "1"))
FIRST = bytes(range(16))
KILLS = 6
STATION = 20
"""Kills that one station goes through."""
LONGEST = 0.25
"""Seconds after a change was asked for in which the power fails: on a machine with nothing else to do, all of it."""
SPEED = 20
INTERNAL = {"RetryBackoffWaitMinimum": 1, "RetryBackoffRandomRange": 0, "RetryBackoffRepeatTimes": 0}


class Campaign:
    """A station whose security profile rises from 0 to 3, while its key and certificate change, and the power fails in
    each step.

    After a change the Central System takes what was before, or what is new, or both; never what the station cannot
    know, for what is not on its disk was not answered either.
    """

    def __init__(self, csms: Any, folder: Path, seed: int) -> None:
        self.random = Random(seed)
        self.kills = 0
        self.outcomes: Counter[str] = Counter()
        self.profile, self.key = 0, FIRST
        self.station = SecureSite(
            csms,
            folder / "charge point",
            Pki(folder / "pki"),
            security={"SecurityProfile": 0, "AuthorizationKey": f"hex:{FIRST.hex()}"},
            internal=INTERNAL,
            speed=SPEED,
        )
        certs = self.station.folder / "certs"
        self.station.pki.furnish(certs, self.station.identity)
        self.serials = [serial((certs / "client/csms/first.pem").read_text())]

    def run(self, kills: int) -> None:
        self._let_in()
        self._come_back()
        while self.kills < kills:
            if self.profile == 3:
                self._renew_certificate()
            elif self.profile and self.random.random() < 0.5:
                self._change_key()
            else:
                self._raise_profile()
        with self.station as station:
            station.settle()

    def _let_in(self, profile: int | None = None, *keys: bytes, serials: Sequence[str] | None = None) -> None:
        self.station.let_in(self.profile if profile is None else profile, *(keys or (self.key,)), serials=serials)

    def _come_back(self) -> None:
        """It comes by itself, without a command; now and then the power fails before it is there."""
        while self.random.random() < 0.2:
            self.station.power_up()
            time.sleep(self.random.uniform(0.2, 1.2))
            self.station.power_cut()
            self.kills += 1
        self.station.power_up()
        self.station.told("boot", status="Accepted")

    def _ask_and_die(self, action: str, **payload: Any) -> None:
        """The power fails some time after the question: before, at, or after the answer, or in what follows from it."""
        station = self.station
        station.central_system.send("call", identity=station.identity, action=action, payload=payload)
        self._die()

    def _die(self) -> None:
        time.sleep(self.random.choice((0.0, self.random.uniform(0, 0.03), self.random.uniform(0, LONGEST))))
        self.station.power_cut()
        self.kills += 1

    def _change_key(self) -> None:
        new = self.random.randbytes(self.random.randint(16, 20))
        takes = self.random.choice(("both", "new", "old"))
        keys = {"both": (self.key, new), "new": (new,), "old": (self.key,)}[takes]
        self._let_in(None, *keys)
        self._ask_and_die("ChangeConfiguration", key="AuthorizationKey", value=new.hex())
        if takes == "new" and new.hex() not in str(self.station.stored()):
            self._let_in()
        self._come_back()
        came_with = self.station.opened()[-1]["authorization"]
        is_new = came_with == basic(self.station.identity, new)
        assert is_new or came_with == basic(self.station.identity, self.key)
        self.key = new if is_new else self.key
        self._let_in()
        self._note("key", is_new)

    def _raise_profile(self) -> None:
        new = self.profile + 1
        takes_new = self.random.random() < 0.75
        self._let_in(new if takes_new else self.profile)
        self._ask_and_die("ChangeConfiguration", key="SecurityProfile", value=str(new))
        is_new = takes_new and self.station.stored().get("SecurityProfile") == new
        self._let_in(new if is_new else self.profile)
        self._come_back()
        if new == 1:  # who takes anybody takes those with a password as well
            is_new = self.station.opened()[-1]["authorization"] is not None
        self.profile = new if is_new else self.profile
        self._note("profile", is_new)

    def _renew_certificate(self) -> None:
        station = self.station
        if self.random.random() < 0.3:  # the power fails while the key is made, or asked for
            self._ask_and_die("ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate")
            self._come_back()
        assert station.ask("ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate") == "Accepted"
        chain = station.pki.sign(station.expect("SignCertificate")["csr"], days=100 + self.kills)
        new = serial(chain)
        takes = self.random.choice(("both", "new", "old"))
        serials = {"both": [*self.serials, new], "new": [new], "old": self.serials}[takes]
        self._let_in(serials=serials)
        self._ask_and_die("CertificateSigned", certificateChain=chain)
        is_stored = any(
            new == serial(path.read_text()) for path in (station.folder / "certs/client/csms").glob("*.pem")
        )
        if takes == "new" and not is_stored:
            self._let_in(serials=self.serials)
        self._come_back()
        is_new = station.serials()[-1] == new
        self.serials = [station.serials()[-1]]
        self._note("certificate", is_new)

    def _note(self, what: str, is_new: bool) -> None:
        self.outcomes[f"{what}: {'new' if is_new else 'old'}"] += 1


@pytest.fixture
def campaign(csms: Any, tmp_path: Path) -> Callable[[int], Campaign]:
    return lambda seed: Campaign(csms, tmp_path / str(seed), seed)


def test_a_few_kills(campaign: Callable[[int], Campaign]) -> None:
    storm = campaign(SEED)
    storm.run(KILLS)
    assert storm.kills >= KILLS
    assert storm.outcomes


@pytest.mark.soak
@pytest.mark.timeout(900 + 60 * ROUNDS)
def test_many_kills(campaign: Callable[[int], Campaign]) -> None:
    outcomes: Counter[str] = Counter()
    for number in range(0, ROUNDS, STATION):
        storm = campaign(SEED + number)
        storm.run(STATION)
        outcomes += storm.outcomes
    print(outcomes)
    assert len(outcomes) == 6, outcomes
