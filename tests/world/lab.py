"""Authorities, certificates and signatures of one scenario, and their files."""

from base64 import b64encode
from pathlib import Path
from time import time
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ocpp16.security.lab_pki import Authority, Issued, Use

DAY = 86_400.0


class Lab:
    """Its authorities began yesterday. `folder` is for the Central System, `certificates` the charge point's."""

    def __init__(self, folder: Path, certificates: Path) -> None:
        self._folder = folder
        self._certificates = certificates
        self.csms = Authority("CSMS root", time() - DAY)
        self.maker = Authority("Manufacturer root", time() - DAY)
        self.stranger = Authority("Somebody else", time() - DAY)
        folder.mkdir()

    def server(self, issued: Issued | None = None) -> dict[str, str]:
        """Members of the command `secure`; by default a certificate for 127.0.0.1 of the root of the Central System."""
        issued = issued or self.csms.issue("csms", names=["127.0.0.1"], use=Use.SERVER)
        return {"chain": self._write("chain.pem", issued.chain), "key": self._write("key.pem", issued.key)}

    def server_that_demands(self) -> dict[str, str]:
        """The same of one that wants a client certificate of its own root."""
        return {**self.server(), "client_ca": self._write("clients.pem", self.csms.certificate)}

    def _write(self, name: str, text: str) -> str:
        path = self._folder / name
        path.write_text(text)
        return str(path)

    def trust(self) -> None:
        """As from the factory: the charge point has the root of the Central System."""
        self._put("ca/csms/CSMS_ROOT_CA.pem", self.csms.certificate)

    def prove(self, identity: str) -> None:
        """As from the factory: it has a client certificate."""
        issued = self.csms.issue(identity, organization="Operator", use=Use.CLIENT)
        self._put("client/csms/CSMS_LEAF.pem", issued.chain)
        self._put("client/csms/CSMS_LEAF.key", issued.key)

    def _put(self, name: str, text: str) -> None:
        path = self._certificates / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)


def serial_of(certificate: str) -> int:
    """The serial number of the first certificate in PEM."""
    return x509.load_pem_x509_certificates(certificate.encode())[0].serial_number


def signed_by(issued: Issued, content: bytes) -> dict[str, str]:
    """Members of SignedUpdateFirmware: who signed these bytes, and the signature."""
    key: Any = serialization.load_pem_private_key(issued.key.encode(), None)
    signature = key.sign(content, ec.ECDSA(hashes.SHA256()))
    return {"signingCertificate": issued.chain, "signature": b64encode(signature).decode()}
