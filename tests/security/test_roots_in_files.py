"""Roots in files: what is taken, what is kept, and what goes."""

import os
import ssl
import stat
from pathlib import Path
from typing import Any

import pytest
from certificate_steps import (
    CSMS,
    ROOTS,
    Clock,
    Delete,
    Install,
    files_in,
    listed,
    name_of,
    put,
    with_leaf,
)
from forged import DAY, Forged, below, leaf, root, tampered, with_sha1

from ocpp16.security.certificate import certificates_in
from ocpp16.security.evse_security import (
    CaCertificateType,
    CertificateType,
    CertificateValidationResult,
    CsrStatus,
    InstallCertificateResult,
    LeafCertificateStatus,
)
from ocpp16.security.file_evse_security import FileEvseSecurity
from ocpp16.security.tls import client_context


async def test_a_root_lies_in_a_file_that_a_tls_connection_can_use(security: FileEvseSecurity, certs: Path) -> None:
    assert await security.install_ca_certificate(root().pem, ROOTS) is Install.ACCEPTED
    (file,) = (certs / "ca" / "csms").iterdir()
    assert file.name.startswith("CSMS_ROOT_")
    assert file.suffix == ".pem"
    place = await security.get_verify_location(ROOTS)
    assert place == certs / "ca" / "csms"
    assert len(client_context(place).get_ca_certs()) == 1


REFUSED: dict[str, tuple[Any, InstallCertificateResult]] = {
    "leaf": (lambda: leaf(root()).pem, Install.INVALID_CERTIFICATE_CHAIN),
    "intermediate": (lambda: below(root()).pem, Install.INVALID_CERTIFICATE_CHAIN),
    "self-signed leaf": (lambda: Forged("x", ca=False).pem, Install.INVALID_CERTIFICATE_CHAIN),
    "self-signed server": (lambda: Forged("x", uses=("server",)).pem, Install.INVALID_CERTIFICATE_CHAIN),
    "root that may not sign": (lambda: root(usage=("digital_signature",)).pem, Install.INVALID_CERTIFICATE_CHAIN),
    "unknown critical extension": (lambda: root(unknown_critical=True).pem, Install.INVALID_CERTIFICATE_CHAIN),
    "expired": (lambda: root(start=-9, end=-1).pem, Install.EXPIRED),
    "of tomorrow": (lambda: root(start=1).pem, Install.EXPIRED),
    "weak RSA": (lambda: root(key="rsa1024").pem, Install.INVALID_SIGNATURE),
    "weak curve": (lambda: root(key="p192").pem, Install.INVALID_SIGNATURE),
    "wrong signature": (lambda: tampered(root()), Install.INVALID_SIGNATURE),
    "two": (lambda: root().pem + root("Other").pem, Install.INVALID_FORMAT),
    "one and garbage": (
        lambda: root().pem + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        Install.INVALID_FORMAT,
    ),
    "none": (lambda: "", Install.INVALID_FORMAT),
    "far too long": (lambda: root().pem + " " * 70_000, Install.INVALID_FORMAT),
    "surrogates": (lambda: "\ud800", Install.INVALID_FORMAT),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_may_not_be_a_root(security: FileEvseSecurity, certs: Path, case: str) -> None:
    make, expected = REFUSED[case]
    assert await security.install_ca_certificate(make(), ROOTS) is expected
    assert not list((certs / "ca" / "csms").iterdir())


async def test_a_root_signed_with_sha1_is_refused(security: FileEvseSecurity) -> None:
    old = root(key="rsa")
    pem = ssl.DER_cert_to_PEM_cert(with_sha1(old, old))
    assert await security.install_ca_certificate(pem, ROOTS) is Install.INVALID_SIGNATURE


async def test_strict_ca_says_whether_a_root_must_say_that_it_is_one(certs: Path, clock: Clock) -> None:
    old = Forged("Old", end=3650).pem
    strict = FileEvseSecurity(certs, strict_ca=True, now=clock)
    assert await strict.install_ca_certificate(old, ROOTS) is Install.INVALID_CERTIFICATE_CHAIN
    assert await FileEvseSecurity(certs, now=clock).install_ca_certificate(old, ROOTS) is Install.ACCEPTED


async def test_a_wrong_clock_is_tolerated(certs: Path, clock: Clock) -> None:
    tolerant = FileEvseSecurity(certs, clock_tolerance=2 * DAY, now=clock)
    assert await tolerant.install_ca_certificate(root(start=1).pem, ROOTS) is Install.ACCEPTED
    assert await tolerant.is_ca_certificate_installed(ROOTS)


async def test_an_expired_root_is_none(security: FileEvseSecurity, clock: Clock) -> None:
    await security.install_ca_certificate(root(end=10).pem, ROOTS)
    assert await security.is_ca_certificate_installed(ROOTS)
    clock.now += 11 * DAY
    assert not await security.is_ca_certificate_installed(ROOTS)
    assert await security.get_verify_location(ROOTS) is None


async def test_a_root_in_use_is_not_deleted(security: FileEvseSecurity) -> None:
    used, other = root("Used"), root("Other")
    for one in (used, other):
        await security.install_ca_certificate(one.pem, ROOTS)
    security.roots_in_use = {certificates_in(used.pem)[0].fingerprint}
    assert await security.delete_certificate(await name_of(security, used)) is Delete.FAILED
    assert await security.delete_certificate(await name_of(security, other)) is Delete.ACCEPTED
    security.roots_in_use = ()
    assert await security.delete_certificate(await name_of(security, used)) is Delete.FAILED, "the last"


async def test_the_last_root_that_is_valid_is_not_deleted(security: FileEvseSecurity, clock: Clock) -> None:
    short, long = root("Short", end=10), root("Long")
    for one in (short, long):
        await security.install_ca_certificate(one.pem, ROOTS)
    clock.now += 11 * DAY
    assert await security.delete_certificate(await name_of(security, long)) is Delete.FAILED
    assert await security.delete_certificate(await name_of(security, short)) is Delete.ACCEPTED


async def test_the_last_root_of_others_is_deleted(security: FileEvseSecurity) -> None:
    await security.install_ca_certificate(root().pem, CaCertificateType.MF)
    (name,) = await listed(security, CertificateType.MF_ROOT_CERTIFICATE)
    assert await security.delete_certificate(name) is Delete.ACCEPTED
    assert not await security.is_ca_certificate_installed(CaCertificateType.MF)


async def test_a_bundle_file_keeps_what_others_wrote_into_it(certs: Path, clock: Clock) -> None:
    first, second = root("First"), root("Second")
    between = below(second)
    rest = "# mine\r\n-----BEGIN CERTIFICATE-----\r\nAAAA\r\n-----END CERTIFICATE-----"
    bundle = put(certs / "bundle.pem", f"{first.pem}{rest}")
    bundle.chmod(0o640)
    security = FileEvseSecurity(certs, csms_ca_bundle=bundle, v2g_ca_bundle=bundle, now=clock)
    assert await security.install_ca_certificate(second.pem, ROOTS) is Install.ACCEPTED
    assert await security.is_ca_certificate_installed(CaCertificateType.V2G)
    assert bundle.read_bytes() == f"{first.pem}{rest}\n{second.pem}".encode()
    bundle.write_bytes(bundle.read_bytes() + between.pem.encode())
    assert await security.delete_certificate(await name_of(security, second)) is Delete.ACCEPTED
    assert bundle.read_bytes() == f"{first.pem}{rest}\n".encode(), "and what it had signed"
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o640
    assert files_in(certs) == ["bundle.pem"]


async def test_with_a_root_no_list_of_revoked_certificates_goes(security: FileEvseSecurity, certs: Path) -> None:
    """It may be of another root, and what is on it would be believed again."""
    first, second = root("First"), root("Second")
    revoked = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"
    file = put(certs / "ca" / "csms" / "first.pem", f"{first.pem}{revoked}")
    put(certs / "ca" / "csms" / "second.pem", second.pem)
    assert await security.delete_certificate(await name_of(security, first)) is Delete.ACCEPTED
    assert file.read_text() == revoked


async def test_of_a_bundle_of_several_families_a_root_is_deleted_with_successors_of_one(
    certs: Path, clock: Clock
) -> None:
    first, second = root("First"), root("Second")
    between = below(first)
    bundle = put(certs / "bundle.pem", f"{first.pem}{second.pem}{between.pem}")
    security = FileEvseSecurity(
        certs, csms_ca_bundle=bundle, v2g_ca_bundle=bundle, additional_root_certificate_check=True, now=clock
    )
    assert await security.delete_certificate(await name_of(security, first)) is Delete.ACCEPTED
    assert bundle.read_text() == f"{second.pem}{between.pem}", "the one between may be its successor"


async def test_a_bundle_in_der(certs: Path, clock: Clock) -> None:
    first, second = root("First"), root("Second")
    bundle = put(certs / "bundle.der", first.der)
    security = FileEvseSecurity(certs, csms_ca_bundle=bundle, now=clock)
    assert await security.install_ca_certificate(second.pem, ROOTS) is Install.ACCEPTED
    assert bundle.read_bytes() == first.der + second.der
    assert await security.delete_certificate(await name_of(security, first)) is Delete.ACCEPTED
    assert bundle.read_bytes() == second.der


async def test_a_link_to_a_bundle_stays_one(certs: Path, clock: Clock) -> None:
    real = put(certs / "real" / "roots.pem", root("First").pem)
    link = certs / "link.pem"
    link.symlink_to(real)
    security = FileEvseSecurity(certs, csms_ca_bundle=link, now=clock)
    assert await security.install_ca_certificate(root("Second").pem, ROOTS) is Install.ACCEPTED
    assert link.is_symlink()
    assert len(certificates_in(real.read_bytes())) == 2


async def test_files_of_others_spoil_nothing(security: FileEvseSecurity, certs: Path) -> None:
    good = root()
    folder = certs / "ca" / "csms"
    put(folder / "CSMS_ROOT_CA.pem", f"comment\r\n{good.pem}")
    put(folder / "garbage.pem", os.urandom(1000))
    put(folder / "empty.der", b"")
    put(folder / "cut.der", good.der[:100])
    put(folder / "other.txt", root("Other").pem)
    put(folder / "huge.pem", b"\0" * (5 * 1024 * 1024))
    (folder / "folder.pem").mkdir()
    (folder / "nowhere.pem").symlink_to("gone")
    os.mkfifo(folder / "pipe.pem")
    assert [one.serial_number for one in await listed(security)] == [format(good.x509.serial_number, "x")]
    assert await security.verify_certificate(leaf(good).pem, [CSMS]) is CertificateValidationResult.VALID
    assert await security.install_ca_certificate(root("Third").pem, ROOTS) is Install.ACCEPTED


async def test_ten_thousand_files_of_garbage(security: FileEvseSecurity, certs: Path) -> None:
    for number in range(10_000):
        put(certs / "ca" / "csms" / f"{number}.txt", "x")
        if number % 10 == 0:
            put(certs / "client" / "csms" / f"{number}.log", "x")
    authority = await with_leaf(security)
    info = await security.get_leaf_certificate_info(CSMS)
    assert info.status is LeafCertificateStatus.ACCEPTED
    chain = authority.issue("other").chain
    assert await security.verify_certificate(chain, [CSMS]) is CertificateValidationResult.VALID


async def test_a_full_store_takes_nothing(security: FileEvseSecurity, certs: Path) -> None:
    for number in range(2_000):
        put(certs / "client" / "cso" / f"{number}.pem", "x")
    assert await security.install_ca_certificate(root().pem, ROOTS) is Install.CERTIFICATE_STORE_MAX_LENGTH_EXCEEDED
    request = await security.generate_certificate_signing_request(CSMS, "NL", "O", "cp001", False)
    assert request.status is CsrStatus.KEY_GEN_ERROR
    (certs / "client" / "cso" / "0.pem").unlink()
    assert await security.install_ca_certificate(root().pem, ROOTS) is Install.ACCEPTED


async def test_a_store_of_too_many_bytes_takes_nothing(security: FileEvseSecurity, certs: Path) -> None:
    for number in range(13):
        with put(certs / "client" / "cso" / f"{number}.pem", "x").open("wb") as file:
            file.truncate(4 * 1024 * 1024)
    assert await security.install_ca_certificate(root().pem, ROOTS) is Install.CERTIFICATE_STORE_MAX_LENGTH_EXCEEDED


async def test_certificate_store_max_length(certs: Path, clock: Clock) -> None:
    security = FileEvseSecurity(certs, certificate_store_max_length=2, now=clock)
    first = root("First")
    assert await security.install_ca_certificate(first.pem, ROOTS) is Install.ACCEPTED
    assert await security.install_ca_certificate(root("Second").pem, CaCertificateType.MF) is Install.ACCEPTED
    third = root("Third").pem
    assert await security.install_ca_certificate(third, ROOTS) is Install.CERTIFICATE_STORE_MAX_LENGTH_EXCEEDED
    assert await security.install_ca_certificate(first.pem, ROOTS) is Install.ACCEPTED, "it is there already"
    further = CaCertificateType.V2G
    assert await security.install_ca_certificate(first.pem, further) is Install.ACCEPTED, "it is no further one"


async def test_additional_root_certificate_check(certs: Path, clock: Clock) -> None:
    security = FileEvseSecurity(certs, additional_root_certificate_check=True, now=clock)
    first = root("First")
    second = below(first, "Second")
    third = below(second, "Third")
    assert await security.install_ca_certificate(first.pem, ROOTS) is Install.ACCEPTED, "there was none before"
    for stranger in (root("Stranger"), below(root("Stranger")), leaf(first)):
        assert await security.install_ca_certificate(stranger.pem, ROOTS) is Install.INVALID_CERTIFICATE_CHAIN
    assert await security.install_ca_certificate(second.pem, ROOTS) is Install.ACCEPTED
    for end in (leaf(first), leaf(second)):
        assert await security.verify_certificate(end.pem, [CSMS]) is CertificateValidationResult.VALID, "the fallback"
    assert await security.install_ca_certificate(below(first).pem, ROOTS) is Install.INVALID_CERTIFICATE_CHAIN
    assert await security.install_ca_certificate(third.pem, ROOTS) is Install.ACCEPTED
    assert await security.verify_certificate(leaf(first).pem, [CSMS]) is CertificateValidationResult.ISSUER_NOT_FOUND
    for end in (leaf(second), leaf(third)):
        assert await security.verify_certificate(end.pem, [CSMS]) is CertificateValidationResult.VALID
    other = root("Other").pem
    assert await security.install_ca_certificate(other, CaCertificateType.MF) is Install.ACCEPTED, "of CSMS only"


async def test_the_fallback_stays_while_it_is_in_use(certs: Path, clock: Clock) -> None:
    security = FileEvseSecurity(certs, additional_root_certificate_check=True, now=clock)
    first = root("First")
    second = below(first, "Second")
    security.roots_in_use = [certificates_in(first.pem)[0].fingerprint]
    for one in (first, second, below(second, "Third")):
        assert await security.install_ca_certificate(one.pem, ROOTS) is Install.ACCEPTED
    assert await security.verify_certificate(leaf(first).pem, [CSMS]) is CertificateValidationResult.VALID


async def test_what_is_refused_over_and_over_is_told_once(security: FileEvseSecurity, caplog: Any) -> None:
    wrong = leaf(root()).pem
    for _ in range(20):
        await security.install_ca_certificate(wrong, ROOTS)
        await security.update_leaf_certificate(wrong, CSMS)
        await security.verify_certificate(wrong, [CSMS])
    assert len(caplog.records) == 3
