"""Certificates out of texts and files of anybody."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from forged import NOW, leaf, root

from ocpp16.der import fields_of
from ocpp16.security import certificate as certificates
from ocpp16.security.certificate import Certificate, blocks_in, certificates_in, pem_of
from ocpp16.security.certificate_files import LARGEST
from ocpp16.security.hash_data import equal, hash_data_of, named
from ocpp16.security.revocation import lists_in

ROOT = root()
LEAF = leaf(ROOT, responder="http://ocsp.example/")


def test_what_is_read_of_one() -> None:
    found = Certificate(LEAF.der)
    assert found.name == "CN=leaf"
    assert found.is_ca is False
    assert found.responder_url == "http://ocsp.example/"
    assert found.is_signed_by(Certificate(ROOT.der))
    assert not found.is_self_issued
    assert Certificate(ROOT.der).is_self_signed
    assert found.starts_at < NOW < found.expires_at
    assert found.subject == LEAF.x509.subject.public_bytes()
    assert found.issuer == ROOT.x509.subject.public_bytes()
    assert "leaf" not in repr(found)


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_line_ends_and_what_stands_between_do_not_matter(ends: str) -> None:
    text = f"# a comment\n{ROOT.pem}\nsubject=whatever\n\n{LEAF.pem}trailing".replace("\n", ends)
    assert [one.name for one in certificates_in(text)] == ["CN=Root", "CN=leaf"]


def test_der_one_or_several() -> None:
    assert [one.name for one in certificates_in(ROOT.der)] == ["CN=Root"]
    assert [one.name for one in certificates_in(ROOT.der + LEAF.der)] == ["CN=Root", "CN=leaf"]
    assert [one.name for one in certificates_in(ROOT.der + LEAF.der[:-9])] == ["CN=Root"]


@pytest.mark.parametrize(
    "garbage",
    [
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "\0\x1b[2J\ud800",
    ],
)
def test_garbage_spoils_nothing(garbage: str) -> None:
    assert [one.name for one in certificates_in(garbage + ROOT.pem + garbage)] == ["CN=Root"]


def test_every_byte_of_a_certificate_may_be_wrong() -> None:
    """Whatever it is then, it is a certificate or it is left out: nothing else is raised."""
    for place in range(len(LEAF.der)):
        for bit in (0x01, 0x80):
            changed = bytearray(LEAF.der)
            changed[place] ^= bit
            for block in blocks_in(bytes(changed)):
                found = block.certificate
                is_other = found is not None and found.x509.tbs_certificate_bytes != LEAF.x509.tbs_certificate_bytes
                assert found is None or not is_other or not found.is_signed_by(Certificate(ROOT.der))


def test_one_cut_off_is_none() -> None:
    for length in range(1, len(LEAF.der), 7):
        assert certificates_in(LEAF.der[:length]) == []


def test_one_that_is_cut_off_takes_nothing_from_the_next() -> None:
    content = (ROOT.pem[:200] + "\n" + LEAF.pem).encode()
    (block,) = blocks_in(content)
    assert block.certificate is not None
    assert block.certificate.name == "CN=leaf"
    assert content[block.start : block.end] == LEAF.pem.strip().encode()


@pytest.mark.parametrize("mark", [b"-----BEGIN CERTIFICATE-----\n", b"-----BEGIN X509 CRL-----\n", b"-----BEGIN "])
def test_beginnings_without_end_are_read_in_one_pass(mark: bytes) -> None:
    """A search for the end from each of them took many minutes, and no other thread came to its turn."""
    text = mark * (LARGEST // 4 // len(mark))
    assert certificates_in(text.decode()) == []
    assert list(lists_in(text)) == []


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="too long"):
        Certificate(b"\x30" * (certificates.LONGEST + 1))
    monkeypatch.setattr(certificates, "MOST_IN_A_TEXT", 3)
    assert len(blocks_in((ROOT.pem * 5).encode())) == 3
    assert len(blocks_in(ROOT.der * 5)) == 3


@pytest.mark.parametrize("der", [b"\x30", b"\x30\x84", b"\x30\x05a", b"\x1f\x01a", b"\x30\x80", b"\x30\x85\0\0\0\0\1a"])
def test_what_is_no_der_is_said(der: bytes) -> None:
    with pytest.raises(ValueError):
        fields_of(der)


def test_written_again_it_is_the_same() -> None:
    both = certificates_in(ROOT.pem + LEAF.pem)
    assert [one.fingerprint for one in certificates_in(pem_of(both))] == [one.fingerprint for one in both]


def openssl(*arguments: str, given: str = "") -> str:
    done = subprocess.run(["openssl", *arguments], input=given.encode(), capture_output=True, check=True)
    return done.stdout.decode()


def test_hash_data_are_those_of_openssl(tmp_path: Path) -> None:
    """`openssl ocsp` computes the same three for a request."""
    one, issuer = tmp_path / "one.pem", tmp_path / "issuer.pem"
    one.write_text(LEAF.pem)
    issuer.write_text(ROOT.pem)
    text = openssl("ocsp", "-sha256", "-issuer", str(issuer), "-cert", str(one), "-req_text")
    wanted = [
        (re.search(rf"{name}: ([0-9A-F]+)", text) or [""] * 2)[1].lower()
        for name in ("Issuer Name Hash", "Issuer Key Hash", "Serial Number")
    ]
    found = named(Certificate(LEAF.der), Certificate(ROOT.der))
    assert found.hash_algorithm == "SHA256"
    assert [*found[1:3], found[3].zfill(len(wanted[2]))] == wanted


def test_without_its_issuer_a_certificate_has_no_name() -> None:
    found = Certificate(LEAF.der)
    assert hash_data_of(found, [Certificate(root("Other").der), Certificate(root().der)]) is None
    assert hash_data_of(found, [Certificate(root().der), Certificate(ROOT.der)]) == named(found, Certificate(ROOT.der))
    alone: Any = hash_data_of(Certificate(ROOT.der), [])
    assert alone == named(Certificate(ROOT.der), Certificate(ROOT.der))


def test_names_compare_without_case_and_zeros() -> None:
    name = named(Certificate(LEAF.der), Certificate(ROOT.der))
    assert equal(name, name._replace(issuer_name_hash=name.issuer_name_hash.upper(), hash_algorithm="sha-256"))
    assert equal(name, name._replace(serial_number="00" + name.serial_number.upper()))
    assert not equal(name, name._replace(serial_number="1"))
    assert not equal(name, name._replace(issuer_key_hash="00" * 32))


def test_a_certificate_of_the_first_version_is_read(tmp_path: Path) -> None:
    """Made by openssl: cryptography makes none."""
    key, csr = tmp_path / "key.pem", tmp_path / "csr.pem"
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "group:P-256", "-out", str(key))
    openssl("req", "-new", "-key", str(key), "-subj", "/CN=Old", "-out", str(csr))
    text = openssl("x509", "-req", "-in", str(csr), "-signkey", str(key), "-days", "30")
    (found,) = certificates_in(text)
    assert found.name == "CN=Old"
    assert found.is_ca is None
    assert found.is_self_signed
