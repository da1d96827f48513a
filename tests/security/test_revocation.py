"""Lists of revoked certificates beside the roots, against a real TLS server on memory streams."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from certificate_steps import shake_hands
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ocpp16.security.tls import client_context

NOW = datetime.now(UTC)


class Authority:
    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "root")])
        self.certificate = self._built(self.name, self.key, is_ca=True)

    def _built(self, name: x509.Name, key: Any, *, is_ca: bool) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=1))
            .not_valid_after(NOW + timedelta(days=10))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("csms")]), critical=False)
        )
        return builder.sign(self.key, hashes.SHA256())

    def server(self, folder: Path) -> tuple[ssl.SSLContext, int]:
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = self._built(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "csms")]), key, is_ca=False)
        folder.mkdir(exist_ok=True)
        (folder / "c.pem").write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
        (folder / "k.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "c.pem", folder / "k.pem")
        return context, leaf.serial_number

    def revoking(self, *serials: int, until: timedelta = timedelta(days=1)) -> bytes:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.name)
            .last_update(NOW - timedelta(days=2))
            .next_update(NOW + until)
        )
        for serial in serials:
            revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - timedelta(days=1))
            builder = builder.add_revoked_certificate(revoked.build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def roots(tmp_path: Path, authority: Authority) -> Path:
    folder = tmp_path / "csms"
    folder.mkdir()
    (folder / "root.pem").write_bytes(authority.pem())
    return folder


@pytest.mark.parametrize("is_one_file", [True, False])
def test_a_revoked_certificate_is_refused(tmp_path: Path, authority: Authority, roots: Path, is_one_file: bool) -> None:
    good, _ = authority.server(tmp_path / "good")
    bad, serial = authority.server(tmp_path / "bad")
    source = roots / "root.pem" if is_one_file else roots
    shake_hands(client_context(source), bad)
    place = source if is_one_file else roots / "revoked.pem"
    with place.open("ab") as file:
        file.write(authority.revoking(serial))
    client = client_context(source)
    shake_hands(client, good)
    with pytest.raises(ssl.SSLCertVerificationError, match="revoked"):
        shake_hands(client, bad)


def test_a_list_that_is_too_old_or_of_somebody_else_is_no_proof(
    tmp_path: Path, authority: Authority, roots: Path
) -> None:
    server, _ = authority.server(tmp_path / "good")
    (roots / "revoked.pem").write_bytes(authority.revoking(until=timedelta(hours=-1)))
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        shake_hands(client_context(roots), server)
    (roots / "revoked.pem").write_bytes(Authority().revoking())
    with pytest.raises(ssl.SSLCertVerificationError, match="CRL"):
        shake_hands(client_context(roots), server)


def test_a_list_that_cannot_be_read_is_told_and_left_out(tmp_path: Path, authority: Authority, roots: Path) -> None:
    server, _ = authority.server(tmp_path / "good")
    (roots / "revoked.pem").write_bytes(b"-----BEGIN X509 CRL-----\nnonsense\n-----END X509 CRL-----\n")
    told: list[Any] = []
    shake_hands(client_context(roots, warn=lambda *words: told.append(words)), server)
    assert any("revocation list" in words[0] for words in told)


def test_a_newer_list_makes_a_new_context(tmp_path: Path, authority: Authority, roots: Path) -> None:
    server, serial = authority.server(tmp_path / "good")
    (roots / "revoked.pem").write_bytes(authority.revoking())
    before = client_context(roots)
    shake_hands(before, server)
    assert client_context(roots) is before
    (roots / "revoked.pem").write_bytes(authority.revoking(serial))
    with pytest.raises(ssl.SSLCertVerificationError, match="revoked"):
        shake_hands(client_context(roots), server)
