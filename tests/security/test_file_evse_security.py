"""Roots and chains in files: what is taken, what is kept, what is used, and what goes."""

import os
import ssl
import stat
from pathlib import Path
from typing import Any

import pytest
from forged import DAY, NOW, Forged, below, leaf, root, tampered, with_sha1

from ocpp16.errors import ConfigurationError
from ocpp16.security.certificate import certificates_in
from ocpp16.security.evse_security import (
    CaCertificateType,
    CertificateHashData,
    CertificateType,
    CertificateValidationResult,
    CsrStatus,
    DeleteCertificateResult,
    InstallCertificateResult,
    LeafCertificateStatus,
    LeafCertificateType,
)
from ocpp16.security.file_evse_security import FileEvseSecurity
from ocpp16.security.hash_data import named
from ocpp16.security.lab_pki import Authority
from ocpp16.security.private_keys import KeyType
from ocpp16.security.tls import client_context

CSMS, V2G = LeafCertificateType.CSMS, LeafCertificateType.V2G
ROOTS = CaCertificateType.CSMS
Install, Delete = InstallCertificateResult, DeleteCertificateResult


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def certs(tmp_path: Path) -> Path:
    return tmp_path / "certs"


@pytest.fixture
def security(certs: Path, clock: Clock) -> FileEvseSecurity:
    return FileEvseSecurity(certs, now=clock)


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


# Roots


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


# Certificates of the charge point


async def test_what_lies_where_and_who_may_read_it(security: FileEvseSecurity, certs: Path) -> None:
    before = os.umask(0)
    try:
        await with_leaf(security)
    finally:
        os.umask(before)
    info = await security.get_leaf_certificate_info(CSMS)
    assert info.key is not None
    assert info.chain == info.certificate, "there was none between"
    assert {file.suffix for file in (certs / "client" / "csms").iterdir()} == {".pem", ".key"}
    assert stat.S_IMODE(info.key.stat().st_mode) == 0o600
    for folder in (certs, certs / "client", certs / "client" / "csms", certs / "ca", certs / "ca" / "csms"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_a_chain_is_written_leaf_first_with_all_between(security: FileEvseSecurity) -> None:
    top = Authority("Root", NOW)
    first = Authority("First", NOW, above=top)
    second = Authority("Second", NOW, above=first)
    await security.install_ca_certificate(top.certificate, ROOTS)
    own = second.sign_request(await requested(security)).certificate
    sent = top.certificate + first.certificate + own + second.certificate
    assert await security.update_leaf_certificate(sent, CSMS) is Install.ACCEPTED
    info = await security.get_leaf_certificate_info(CSMS)
    assert info.chain is not None
    assert info.certificate is not None
    assert [one.name for one in certificates_in(info.chain.read_bytes())[1:]] == ["CN=Second", "CN=First"]
    assert info.certificate.read_text() == own
    assert "CPO_CERT_CSMS_LEAF_CHAIN_" in info.chain.name
    client_context((await security.get_verify_location(ROOTS)), certificate_chain=info.chain, private_key=info.key)


async def test_no_certificate_without_its_key(security: FileEvseSecurity) -> None:
    authority = await with_leaf(security)
    assert await security.update_leaf_certificate(authority.issue("cp001").chain, CSMS) is Install.WRITE_ERROR
    assert await security.update_leaf_certificate("nonsense", CSMS) is Install.INVALID_FORMAT
    expired = authority.sign_request(await requested(security), starts_in=-3, days=2).chain
    assert await security.update_leaf_certificate(expired, CSMS) is Install.EXPIRED
    for kind in (LeafCertificateType.MF, LeafCertificateType.MO):
        assert await security.update_leaf_certificate(authority.issue("x").chain, kind) is Install.WRITE_ERROR
        assert (await security.get_leaf_certificate_info(kind)).status is LeafCertificateStatus.REJECTED


async def test_one_for_later_is_used_later(security: FileEvseSecurity, clock: Clock) -> None:
    authority = await with_leaf(security)
    first = await security.get_leaf_certificate_info(CSMS)
    later = authority.sign_request(await requested(security), starts_in=5, days=300).chain
    assert await security.update_leaf_certificate(later, CSMS) is Install.ACCEPTED
    assert (await security.get_leaf_certificate_info(CSMS)).fingerprint == first.fingerprint
    clock.now += 6 * DAY
    second = await security.get_leaf_certificate_info(CSMS)
    assert second.fingerprint != first.fingerprint
    assert second.expires_at == pytest.approx(NOW + 305 * DAY, abs=1)
    assert await security.get_leaf_expiry_days_count(CSMS) == 299
    clock.now += 400 * DAY
    assert (await security.get_leaf_certificate_info(CSMS)).status is LeafCertificateStatus.NOT_FOUND_VALID
    assert await security.get_leaf_expiry_days_count(CSMS) == 0


async def test_a_key_that_is_gone(security: FileEvseSecurity) -> None:
    await with_leaf(security)
    info = await security.get_leaf_certificate_info(CSMS)
    assert info.key is not None
    info.key.unlink()
    assert (await security.get_leaf_certificate_info(CSMS)).status is LeafCertificateStatus.PRIVATE_KEY_NOT_FOUND


@pytest.mark.parametrize("kind", [KeyType.EC_P256, KeyType.RSA_2048])
async def test_kinds_of_keys(certs: Path, clock: Clock, kind: KeyType) -> None:
    security = FileEvseSecurity(certs, key_type=kind, private_key_password="Secret ä", now=clock)
    await with_leaf(security)
    info = await security.get_leaf_certificate_info(CSMS)
    assert info.key is not None
    assert b"ENCRYPTED" in info.key.read_bytes()
    assert info.key_password == "Secret ä"
    assert "Secret" not in repr(info) + repr(security)
    client_context(
        await security.get_verify_location(ROOTS),
        certificate_chain=info.chain,
        private_key=info.key,
        key_password=info.key_password,
    )
    without = FileEvseSecurity(certs, now=clock)
    assert (await without.get_leaf_certificate_info(CSMS)).status is LeafCertificateStatus.PRIVATE_KEY_NOT_FOUND


async def test_files_made_by_others_are_used(security: FileEvseSecurity, certs: Path, caplog: Any) -> None:
    above = root()
    own = leaf(above)
    folder = certs / "client" / "csms"
    put(folder / "a.key", leaf(above).key_pem())
    put(folder / "garbage.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    put(folder / "station.pem", f"some text\r\n{own.pem}")
    key = put(folder / "z-other-name.key", own.key_pem())
    key.chmod(0o644)
    info = await security.get_leaf_certificate_info(CSMS)
    assert (info.certificate, info.key) == (folder / "station.pem", key)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600, "closed to others"
    assert "could be read by others" in caplog.text


@pytest.mark.parametrize("form", ["der", "reversed"])
async def test_what_openssl_would_not_take_is_written_anew(security: FileEvseSecurity, certs: Path, form: str) -> None:
    above = root()
    between = below(above)
    own = leaf(between)
    folder = certs / "client" / "csms"
    put(certs / "ca" / "csms" / "roots.pem", above.pem)
    if form == "der":
        put(folder / "station.der", own.der)
    else:
        put(folder / "station.pem", between.pem + own.pem)
    put(folder / "station.key", own.key_pem())
    info = await security.get_leaf_certificate_info(CSMS)
    assert info.status is LeafCertificateStatus.ACCEPTED
    client_context(certs / "ca" / "csms", certificate_chain=info.chain, private_key=info.key)
    count = len(list(folder.iterdir()))
    assert await security.get_leaf_certificate_info(CSMS) == info
    assert len(list(folder.iterdir())) == count, "once"


async def test_folders_of_keys_and_certificates_may_be_two(tmp_path: Path, clock: Clock) -> None:
    security = FileEvseSecurity(
        tmp_path / "certs",
        csms_leaf_cert_directory=tmp_path / "c",
        csms_leaf_key_directory=tmp_path / "k",
        now=clock,
    )
    await with_leaf(security)
    info = await security.get_leaf_certificate_info(CSMS)
    assert info.key is not None
    assert info.chain is not None
    assert (info.chain.parent, info.key.parent) == (tmp_path / "c", tmp_path / "k")


async def test_chains_towards_cars(security: FileEvseSecurity, certs: Path) -> None:
    top = Authority("Root", NOW)
    between = Authority("Below", NOW, above=top)
    await security.install_ca_certificate(top.certificate, CaCertificateType.V2G)
    chain = between.sign_request(await requested(security, V2G), use=None).chain
    assert await security.update_leaf_certificate(chain, V2G) is Install.ACCEPTED
    (found,) = await security.get_installed_certificates([CertificateType.V2G_CERTIFICATE_CHAIN])
    assert len(found.child_hash_data) == 1
    assert await security.delete_certificate(found.child_hash_data[0]) is Delete.ACCEPTED
    assert [path for path in (certs / "client" / "cso").iterdir() if path.is_file()] == [], "with the key"
    assert (await security.get_leaf_certificate_info(V2G)).status is LeafCertificateStatus.NOT_FOUND


async def test_the_certificate_of_the_charge_point_itself_is_not_deleted(security: FileEvseSecurity) -> None:
    authority = await with_leaf(security)
    info = await security.get_leaf_certificate_info(CSMS)
    assert info.certificate is not None
    own, above = certificates_in(info.certificate.read_bytes() + authority.certificate.encode())
    assert await security.delete_certificate(named(own, above)) is Delete.FAILED
    assert (await security.get_leaf_certificate_info(CSMS)).fingerprint == info.fingerprint


async def test_links_lead_to_what_is_in_use(tmp_path: Path, clock: Clock) -> None:
    names = ("secc_leaf_cert_link", "secc_leaf_key_link", "cpo_cert_chain_link")
    links = {name: tmp_path / name for name in names}
    security = FileEvseSecurity(tmp_path / "certs", now=clock, **links)  # type: ignore[arg-type]
    assert not await security.update_certificate_links()
    await with_leaf(security, kind=V2G)
    assert await security.update_certificate_links()
    assert not await security.update_certificate_links()
    info = await security.get_leaf_certificate_info(V2G)
    assert info.key is not None
    assert links["secc_leaf_key_link"].read_bytes() == info.key.read_bytes()
    clock.now += 500 * DAY
    assert await security.update_certificate_links()
    assert not any(link.is_symlink() for link in links.values())


# Garbage


async def test_keys_that_got_no_certificate_go_by_age(certs: Path, clock: Clock) -> None:
    security = FileEvseSecurity(certs, now=clock)
    await with_leaf(security, days=1000)
    await requested(security)
    foreign = put(certs / "client" / "csms" / "mine.key", leaf(root()).key_pem())
    again = FileEvseSecurity(certs, now=clock)
    assert await again.collect_garbage() == 0
    clock.now += 8 * DAY
    assert await security.collect_garbage() == 0, "made in this life: the clock may have been set since"
    assert await again.collect_garbage() == 1
    assert foreign.exists()
    assert (await again.get_leaf_certificate_info(CSMS)).status is LeafCertificateStatus.ACCEPTED


async def test_not_every_request_leaves_a_key(security: FileEvseSecurity, certs: Path, clock: Clock) -> None:
    csr = ""
    for _ in range(30):
        csr = await requested(security)
        clock.now += 1
    assert len(list((certs / "client" / "csms").glob("*.key"))) <= 21
    authority = Authority("Root", NOW)
    await security.install_ca_certificate(authority.certificate, ROOTS)
    assert await security.update_leaf_certificate(authority.sign_request(csr).chain, CSMS) is Install.ACCEPTED


async def test_certificates_go_when_they_are_long_expired(
    security: FileEvseSecurity, certs: Path, clock: Clock
) -> None:
    authority = await with_leaf(security, days=10)
    foreign = put(certs / "client" / "csms" / "mine.pem", leaf(root(), start=-20, end=-10).pem)
    clock.now += 45 * DAY
    assert await security.collect_garbage() == 0, "the newest of all stays"
    chain = authority.sign_request(await requested(security), days=400).chain
    assert await security.update_leaf_certificate(chain, CSMS) is Install.ACCEPTED
    assert len(list((certs / "client" / "csms").glob("CSMS_LEAF_*"))) == 2, "the old one went with its key"
    assert foreign.exists()


# Paths


def test_paths_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        FileEvseSecurity()
    assert len(caught.value.problems) == 8
    put(tmp_path / "file", "")
    with pytest.raises(ConfigurationError, match="is no folder"):
        FileEvseSecurity(tmp_path, csms_leaf_key_directory=tmp_path / "file")
    with pytest.raises(ConfigurationError, match="where roots are"):
        FileEvseSecurity(tmp_path, csms_leaf_cert_directory=tmp_path / "ca/csms")
