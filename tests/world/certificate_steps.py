"""What tests of certificates in files do again and again."""

import ssl
from pathlib import Path
from typing import Any

from forged import NOW, Forged

from ocpp16.security.evse_security import (
    CaCertificateType,
    CertificateHashData,
    CertificateType,
    CsrStatus,
    DeleteCertificateResult,
    InstallCertificateResult,
    LeafCertificateType,
)
from ocpp16.security.file_evse_security import FileEvseSecurity
from ocpp16.security.lab_pki import Authority

CSMS, V2G = LeafCertificateType.CSMS, LeafCertificateType.V2G
ROOTS = CaCertificateType.CSMS
Install, Delete = InstallCertificateResult, DeleteCertificateResult


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def put(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def files_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.is_file()]


async def listed(security: FileEvseSecurity, kind: CertificateType = CertificateType.CSMS_ROOT_CERTIFICATE) -> Any:
    return [one.hash_data for one in await security.get_installed_certificates([kind])]


async def name_of(security: FileEvseSecurity, certificate: Forged) -> CertificateHashData:
    serial = format(certificate.x509.serial_number, "x")
    (found,) = [one for one in await listed(security) if one.serial_number == serial]
    return found  # type: ignore[no-any-return]


async def requested(security: FileEvseSecurity, kind: LeafCertificateType = CSMS) -> str:
    request = await security.generate_certificate_signing_request(kind, "NL", "Operator", "cp001", False)
    assert request.status is CsrStatus.ACCEPTED
    return request.csr


async def with_leaf(security: FileEvseSecurity, days: float = 100, kind: LeafCertificateType = CSMS) -> Authority:
    authority = Authority("Root", NOW)
    assert await security.install_ca_certificate(authority.certificate, CaCertificateType(kind)) is Install.ACCEPTED
    chain = authority.sign_request(await requested(security, kind), days=days, use=None).chain
    assert await security.update_leaf_certificate(chain, kind) is Install.ACCEPTED
    return authority


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    """Raises what the client finds wrong."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname="csms")
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                if side is ours:
                    raise
