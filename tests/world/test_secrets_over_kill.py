"""A station moves real files by FTP, its key and certificate change, it is refused, and the power fails at any moment:
at each of these moments no file of it, and nothing it said, has a secret.

A few kills by default; OCPP16_ROUNDS says how many under the marker `soak`, OCPP16_RUN_SEED which.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from ftp_file_server import FtpFileServer
from programs import CentralSystemProgram, ProgramError
from secret_search import UNFINISHED, left_by, private_keys, shown
from secure_site import Pki, SecureSite

pytestmark = [pytest.mark.world, pytest.mark.real_time, pytest.mark.kills]

ROUNDS = int(os.environ.get("OCPP16_ROUNDS", "40"))
SEED = int(os.environ.get("OCPP16_RUN_SEED", "1"))
KILLS = 4
FIRST = b"a key that is text"
KEYS = [FIRST, *(bytes([200 + number]) * 3 + bytes(range(number, number + 17)) for number in range(3))]
RIGHT, WRONG = "s3cret-Pass/word", "another-w0rd"
LONGEST = 0.4
"""Seconds after a request in which the power fails."""
PAST = "2020-01-01T00:00:00Z"
FORMATS = ["log", "jsonl", "html", "security", "session_logging", "console_detailed", "callback"]


class Days:
    """Of a station with security profile 2 that has much to do."""

    def __init__(self, csms: Any, folder: Path, files: FtpFileServer, seed: int) -> None:
        self.random = Random(seed)
        self.files = files
        self.done: Counter[str] = Counter()
        self.requests = 0
        self.station = SecureSite(
            csms,
            folder / "charge point",
            Pki(folder / "pki"),
            security={"SecurityProfile": 2, "AuthorizationKey": f"text:{FIRST.decode()}"},
            internal={
                "LogMessages": True,
                "LogMessagesFormat": FORMATS,
                "LogMessagesRaw": True,
                "RetryBackoffWaitMinimum": 1,
                "RetryBackoffRandomRange": 0,
            },
            station={"transfer_step": 0},
            speed=20,
            options=("--transfer", "url", "--trace", "--log-level", "debug"),
        )
        self.station.pki.furnish(self.station.folder / "certs", self.station.identity)
        self.acts: dict[str, Callable[[], None]] = {
            "diagnostics": lambda: self._call("GetDiagnostics", location=self._url("logs/"), retries=1),
            "log": lambda: self._call(
                "GetLog", logType="DiagnosticsLog", requestId=self._number(), log={"remoteLocation": self._url("logs/")}
            ),
            "firmware": lambda: self._call("UpdateFirmware", location=self._url("firmware.bin"), retrieveDate=PAST),
            "later": lambda: self._call(
                "UpdateFirmware", location=self._url("firmware.bin"), retrieveDate="2199-01-01T00:00:00Z"
            ),
            "key": self._change_key,
            "bad key": self._ask_badly,
            "certificate": self._change_certificate,
            "refused": self._be_refused,
        }

    def _number(self) -> int:
        self.requests += 1
        return self.requests

    def _url(self, path: str) -> str:
        password = self.random.choice((RIGHT, RIGHT, WRONG))
        return self.files.url(path, password=password.replace("/", "%2F"))

    def _call(self, action: str, **payload: Any) -> Any:
        """Once more where the connection is just being replaced, since a key or a certificate is tried."""
        for _ in range(10):
            try:
                return self.station.call(action, **payload)
            except ProgramError:
                self.station.do("connect")
        raise AssertionError(f"{action}: no connection lasts")

    def _ask_badly(self) -> None:
        key = self.random.choice(KEYS).hex()
        with suppress(ProgramError):
            self.station.post(
                json.dumps(
                    [2, f"bad {self._number()}", "ChangeConfiguration", {"key": "AuthorizationKey", "value": [key]}]
                )
            )

    def _change_key(self) -> None:
        self._call("ChangeConfiguration", key="AuthorizationKey", value=self.random.choice(KEYS).hex())

    def _change_certificate(self) -> None:
        before = len(self.station.calls("SignCertificate"))
        self._call("ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate")
        self.station.wait_for_count("SignCertificate", before + 1)
        chain = self.station.pki.sign(self.station.calls("SignCertificate")[-1]["csr"])
        self._call("CertificateSigned", certificateChain=chain)

    def _be_refused(self) -> None:
        self.station.let_in(2, b"what nobody knows")
        self.station.do("drop")
        self.station.central_system.wait_for(event="refused", identity=self.station.identity)
        self.station.let_in(2, *KEYS)

    def run(self, kills: int) -> None:
        self.station.let_in(2, *KEYS)
        self.station.power_up()
        for _ in range(kills):
            self._come_back()
            for act in self.random.sample(list(self.acts), 3):
                self.acts[act]()
                self.done[act] += 1
                self.station.do("connect")
                self.station.wait_for_connection()
            time.sleep(self.random.uniform(0, LONGEST))
            self.station.power_cut()
            assert self.shown() == set()
            self.station.power_up()
        with self.station:
            self._come_back()
            before = len(self.station.calls("DiagnosticsStatusNotification", status="Uploaded"))
            self._call("GetDiagnostics", location=self.files.url("logs/"))
            status = {"status": "Uploaded"}
            self.station.central_system.wait_until(
                lambda: len(self.station.calls("DiagnosticsStatusNotification", **status)) > before, "the last upload"
            )
        assert self.shown() == set()
        assert not (self.station.folder / UNFINISHED).exists()

    def _come_back(self) -> None:
        """It booted, and can be asked."""
        boots = len(self.station.calls("BootNotification"))
        self.station.do("connect")
        self.station.wait_for_connection()
        self.station.wait_for_count("BootNotification", max(boots, 1))

    def secrets(self) -> dict[str, bytes]:
        keys = {f"key {number}": key for number, key in enumerate(KEYS)}
        passwords = {"password": RIGHT.encode(), "wrong password": WRONG.encode()}
        return {**keys, **passwords, **private_keys(self.station.folder / "certs")}

    def shown(self) -> set[tuple[str, str]]:
        found = {"standard output": json.dumps(self.station.told_by_all).encode(), **left_by(self.station.folder)}
        sent = {f"sent: {path.name}": path.read_bytes() for path in (self.files.root / "logs").iterdir()}
        assert any(name.endswith(".db") for name in found)
        return shown(self.secrets(), {**found, **sent}, self.station.identity)


@pytest.fixture
def days(tmp_path: Path) -> Iterator[Callable[[int], Days]]:
    root = tmp_path / "files"
    (root / "logs").mkdir(parents=True)
    (root / "firmware.bin").write_bytes(bytes(range(256)) * 2_000)
    with FtpFileServer(root) as files, CentralSystemProgram() as csms:
        yield lambda seed: Days(csms, tmp_path / f"{seed}", files, seed)


def test_a_few_kills(days: Callable[[int], Days]) -> None:
    made = days(SEED)
    made.run(KILLS)
    assert sum(made.done.values()) == 3 * KILLS


@pytest.mark.soak
@pytest.mark.timeout(900 + 60 * ROUNDS)
def test_many_kills(days: Callable[[int], Days]) -> None:
    made = days(SEED)
    made.run(ROUNDS)
    print(made.done)
    assert len(made.done) == len(made.acts)
