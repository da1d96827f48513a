"""A charge point and a Central System that know each other by certificates and keys, on a folder of their own.

The authorities are the test's: a root, and below it one for Central Systems and one for charge points. The charge
point is our command; the Central System is csms_process.py behind a door of the given kind.
"""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from certificate_steps import put
from cryptography import x509
from outside import Outside
from programs import CentralSystemProgram, ChargePointProgram

from ocpp16.security.lab_pki import Authority, Use

CLOCKS_DIFFER = 3600.0
"""Seconds before now from which all certificates are valid."""


class Pki:
    """`door` is what the command `secure` of the Central System takes."""

    def __init__(self, folder: Path) -> None:
        now = time.time() - CLOCKS_DIFFER
        self.root = Authority("Operator", now)
        self.between = Authority("Central Systems", now, above=self.root, path_length=0)
        self.client_between = Authority("Charge points", now, above=self.root, path_length=0)
        self.folder = folder
        server = self.between.issue("csms", names=("127.0.0.1",), use=Use.SERVER)
        self._server = put(folder / "server.pem", server.chain), put(folder / "server.key", server.key)
        self._clients = put(folder / "clients.pem", self.root.certificate)

    def door(self, security_profile: int) -> dict[str, str | None]:
        """Of this security profile."""
        chain, key = map(str, self._server)
        return {
            "chain": chain if security_profile >= 2 else None,
            "key": key,
            "client_ca": str(self._clients) if security_profile == 3 else None,
        }

    def furnish(self, certs: Path, identity: str = "cp", *, has_client: bool = True) -> None:
        """Put the root, and a client certificate with its key, where a charge point looks for them."""
        put(certs / "ca/csms/CSMS_ROOT_CA.pem", self.root.certificate)
        if has_client:
            issued = self.client_between.issue(identity, organization="Operator", use=Use.CLIENT, days=90)
            put(certs / "client/csms/first.pem", issued.chain)
            put(certs / "client/csms/first.key", issued.key).chmod(0o600)

    def sign(self, csr: str, days: float = 365) -> str:
        """The chain for a request of the charge point."""
        return self.client_between.sign_request(csr, days=days).chain


def serial(chain: str) -> str:
    """The number of the first certificate of a chain, as Python's `ssl` says it."""
    found = f"{x509.load_pem_x509_certificate(chain.encode()).serial_number:X}"
    return found.rjust(len(found) + len(found) % 2, "0")


class SecureSite(Outside):
    """As `Outside`, with the certificates and keys of a `Pki`."""

    def __init__(
        self,
        central_system: CentralSystemProgram,
        folder: Path,
        pki: Pki,
        *,
        security: Mapping[str, Any],
        internal: Mapping[str, Any] | None = None,
        station: Mapping[str, Any] | None = None,
        speed: float = 1,
        options: Sequence[str] = (),
    ) -> None:
        keys = {
            "Internal": internal or {},
            "Core": {"SupportedFeatureProfiles": "Core,RemoteTrigger,FirmwareManagement", "NumberOfConnectors": 1},
            "Security": {"CpoName": "Operator", **security},
        }
        super().__init__(central_system, folder, keys, station or {}, speed, options)
        self._lives: list[ChargePointProgram] = []
        self.pki = pki

    def let_in(self, security_profile: int, *keys: bytes, serials: Sequence[str] | None = None) -> None:
        """What the Central System takes, from the next connection on: this security profile, any of these keys, any of
        these client certificates."""
        passwords = [key.hex() for key in keys] if security_profile in {1, 2} else None
        self.script("demand", identity=self.identity, keys=passwords, serials=serials)
        self.script("secure", **self.pki.door(security_profile))

    def power_up(self) -> None:
        super().power_up()
        self._lives.append(self.program)

    @property
    def told_by_all(self) -> list[dict[str, Any]]:
        """All lines on standard output, of all lives."""
        return [line for program in self._lives for line in program.lines]

    def set(self, section: str, **keys: Any) -> None:
        """Change the configuration file, from the next start on."""
        self._configuration[section] |= keys

    @property
    def log(self) -> str:
        return (self.folder / "stderr.log").read_text()

    def serials(self) -> list[str]:
        """Of the client certificates with which it came, one for each connection."""
        return [line["serial"] or "" for line in self.opened()]

    def wait_for_serial(self, number: str) -> None:
        self.central_system.wait_until(lambda: self.serials()[-1:] == [number], f"client certificate {number}")

    def opened(self) -> list[dict[str, Any]]:
        """What is known of each connection that came about."""
        lines = self.central_system.lines[self._begin :]
        return [line for line in lines if line.get("event") == "opened" and line["identity"] == self.identity]

    def stored(self) -> dict[str, Any]:
        """What is on the disk of changed keys and of secrets, by key."""
        found: dict[str, Any] = {}
        for name in ("user_config.json", "user_config.json.secrets"):
            path = self.folder / name
            for keys in (json.loads(path.read_text()) if path.exists() else {}).values():
                found |= keys
        return found
