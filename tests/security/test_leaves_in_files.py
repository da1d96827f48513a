"""Certificates of the charge point in files: what is taken, what is used, and what goes."""

import logging
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from certificate_steps import (
    CSMS,
    ROOTS,
    V2G,
    Clock,
    Delete,
    Install,
    put,
    requested,
    with_leaf,
)
from forged import DAY, NOW, below, leaf, root

from ocpp16.errors import ConfigurationError
from ocpp16.security import certificate_store
from ocpp16.security.certificate import certificates_in
from ocpp16.security.evse_security import (
    CaCertificateType,
    CertificateType,
    LeafCertificateStatus,
    LeafCertificateType,
)
from ocpp16.security.file_evse_security import FileEvseSecurity
from ocpp16.security.hash_data import named
from ocpp16.security.lab_pki import Authority
from ocpp16.security.private_keys import KeyType, made_key
from ocpp16.security.tls import client_context


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


@pytest.mark.parametrize("starts_in", [[-3, -2], [-2, -2], [-1, -1, -1]])
async def test_of_those_that_expire_together_the_renewed_one_is_used(
    security: FileEvseSecurity, clock: Clock, starts_in: list[int]
) -> None:
    """The one that began last, or else came last."""
    authority = await with_leaf(security, days=1)
    for days in starts_in:
        own = authority.sign_request(await requested(security), starts_in=days, days=100 - days).certificate
        assert await security.update_leaf_certificate(own, CSMS) is Install.ACCEPTED
        clock.now += 2
    info = await security.get_leaf_certificate_info(CSMS)
    assert info.certificate is not None
    assert info.certificate.read_text() == own


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


async def test_not_every_certificate_is_kept(security: FileEvseSecurity, certs: Path) -> None:
    """However many the Central System sends for one request."""
    authority = Authority("Root", NOW)
    await security.install_ca_certificate(authority.certificate, ROOTS)
    csr = await requested(security)
    for days in range(100, 130):
        chain = authority.sign_request(csr, days=days, starts_in=0 if days < 105 else 1).chain
        assert await security.update_leaf_certificate(chain, CSMS) is Install.ACCEPTED
    assert len(list((certs / "client" / "csms").glob("*.pem"))) == 20
    info = await security.get_leaf_certificate_info(CSMS)
    assert info.expires_at == pytest.approx(NOW + 104 * DAY, abs=1), "the one in use stays, with its key"


def test_paths_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        FileEvseSecurity()
    assert len(caught.value.problems) == 8
    put(tmp_path / "file", "")
    with pytest.raises(ConfigurationError, match="is no folder"):
        FileEvseSecurity(tmp_path, csms_leaf_key_directory=tmp_path / "file")
    with pytest.raises(ConfigurationError, match="where roots are"):
        FileEvseSecurity(tmp_path, csms_leaf_cert_directory=tmp_path / "ca/csms")


async def test_a_wrong_clock_leaves_a_certificate_to_use(certs: Path, clock: Clock) -> None:
    """One that is really valid comes first, whatever expires last."""
    security = FileEvseSecurity(certs, clock_tolerance=5 * DAY, now=clock)
    authority = await with_leaf(security, days=100)
    first = await security.get_leaf_certificate_info(CSMS)
    later = authority.sign_request(await requested(security), starts_in=2, days=300).chain
    assert await security.update_leaf_certificate(later, CSMS) is Install.ACCEPTED
    assert (await security.get_leaf_certificate_info(CSMS)).fingerprint == first.fingerprint
    clock.now -= 4 * DAY
    assert (await security.get_leaf_certificate_info(CSMS)).fingerprint == first.fingerprint, "the other is too far"
    clock.now -= 2 * DAY
    assert (await security.get_leaf_certificate_info(CSMS)).status is LeafCertificateStatus.NOT_FOUND_VALID


async def test_the_same_certificate_again_brings_its_chain(security: FileEvseSecurity, certs: Path) -> None:
    top = Authority("Root", NOW)
    between = Authority("Below", NOW, above=top)
    await security.install_ca_certificate(top.certificate, ROOTS)
    own = between.sign_request(await requested(security))
    assert await security.update_leaf_certificate(own.certificate, CSMS) is Install.NO_ROOT_CERTIFICATE_INSTALLED
    put(certs / "client" / "csms" / "alone.pem", own.certificate)
    assert (await security.get_leaf_certificate_info(CSMS)).status is LeafCertificateStatus.ACCEPTED
    for _ in range(2):
        assert await security.update_leaf_certificate(own.chain, CSMS) is Install.ACCEPTED
    info = await security.get_leaf_certificate_info(CSMS)
    assert info.chain is not None
    assert len(certificates_in(info.chain.read_bytes())) == 2
    assert len(list((certs / "client" / "csms").glob("CPO_CERT_*"))) == 1, "once"


async def test_nothing_confidential_is_told(certs: Path, clock: Clock, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    security = FileEvseSecurity(certs, private_key_password="Top secret", now=clock)
    await with_leaf(security)
    info = await security.get_leaf_certificate_info(CSMS)
    assert info.key is not None
    other = FileEvseSecurity(certs, private_key_password="Wrong secret", now=clock)
    status = (await other.get_leaf_certificate_info(CSMS)).status
    assert status is LeafCertificateStatus.PRIVATE_KEY_NOT_FOUND
    await security.update_leaf_certificate("nonsense", CSMS)
    await security.generate_certificate_signing_request(CSMS, "too long", "O", "cp001", False)
    for told in (caplog.text, repr(info), repr(security), str(vars(security))):
        assert "secret" not in told
        assert "PRIVATE KEY" not in told
    key = made_key(KeyType.EC_P256, None)
    made = certificate_store.MadeRequest(CSMS, key.pem, key.public, "", of_provider=False)
    assert "PRIVATE" not in repr(made) + repr(key)
