import logging
import os
import ssl
from collections.abc import Callable
from typing import Any

import pytest
import trustme
from certificate_steps import shake_hands

from ocpp16.errors import ConfigurationError
from ocpp16.security import tls
from ocpp16.security.certificate import certificates_in
from ocpp16.security.tls import CIPHERS_12, client_context, server_context

CA = trustme.CA()
OTHER_CA = trustme.CA()


@pytest.fixture
def roots(tmp_path: Any) -> Any:
    path = tmp_path / "CSMS_ROOT_CA.pem"
    path.write_bytes(CA.cert_pem.bytes())
    return path


@pytest.fixture
def client_files(tmp_path: Any) -> Any:
    leaf = CA.issue_cert("CP1")
    chain, key = tmp_path / "leaf.pem", tmp_path / "leaf.key"
    chain.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    key.write_bytes(leaf.private_key_pem.bytes())
    return chain, key


def subjects(context: Any) -> Any:
    return len(context.get_ca_certs())


def test_what_a_context_demands(roots: Any) -> None:
    context = client_context(roots)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    names = {cipher["name"] for cipher in context.get_ciphers() if cipher["protocol"] == "TLSv1.2"}
    assert names == set(CIPHERS_12.split(":"))
    assert subjects(context) == 1


def test_the_same_arguments_share_one_context(roots: Any) -> None:
    context = client_context(roots)
    assert client_context(roots) is context
    assert client_context(roots, allow_wildcards=True) is not context


def test_new_roots_make_a_new_context(roots: Any) -> None:
    context = client_context(roots)
    roots.write_bytes(CA.cert_pem.bytes() + OTHER_CA.cert_pem.bytes())
    assert subjects(client_context(roots)) == 2
    assert subjects(context) == 1


def test_a_folder_of_roots(tmp_path: Any) -> None:
    folder = tmp_path / "csms"
    (folder / "deeper").mkdir(parents=True)
    (folder / "a.pem").write_bytes(CA.cert_pem.bytes())
    (folder / "b.der").write_bytes(ssl.PEM_cert_to_DER_cert(OTHER_CA.cert_pem.bytes().decode()))
    (folder / "c.txt").write_bytes(trustme.CA().cert_pem.bytes())
    (folder / "deeper" / "d.pem").write_bytes(trustme.CA().cert_pem.bytes())
    assert subjects(client_context(folder)) == 2


DER = ssl.PEM_cert_to_DER_cert(CA.cert_pem.bytes().decode())
OTHER_DER = ssl.PEM_cert_to_DER_cert(OTHER_CA.cert_pem.bytes().decode())


@pytest.mark.parametrize(
    ("name", "content", "count"),
    [
        ("a.pem", DER + OTHER_DER, 2),
        ("a.der", DER + b"\x30\x82" + OTHER_DER[2:10], 1),
        ("a.der", CA.cert_pem.bytes(), 1),
        ("a.pem", CA.cert_pem.bytes().replace(b"CERTIFICATE", b"X509 CERTIFICATE"), 1),
        ("a.pem", b"0: Certificate\n" + CA.cert_pem.bytes(), 1),
    ],
)
def test_tls_trusts_what_the_store_has_whatever_the_file_is_called(
    tmp_path: Any, name: str, content: bytes, count: int
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert subjects(client_context(path)) == len(certificates_in(content)) == count


def test_one_broken_certificate_does_not_spoil_the_others(roots: Any, caplog: Any) -> None:
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    roots.write_bytes(b"a comment\n" + broken + CA.cert_pem.bytes() + b"-----BEGIN CERTIFICATE-----\n(cut)")
    with caplog.at_level(logging.WARNING):
        assert subjects(client_context(roots)) == 1
    assert "left out" in caplog.text


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_nothing_to_trust_is_a_configuration_error(tmp_path: Any, content: Any) -> None:
    path = tmp_path / "CSMS_ROOT_CA.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="no server could be trusted"):
        client_context(path)
    with pytest.raises(ConfigurationError):
        client_context(None)


def test_the_system_store_only_when_asked_for(roots: Any) -> None:
    assert client_context(None, use_default_verify_paths=True).verify_mode is ssl.CERT_REQUIRED


def test_no_name_check_is_logged_each_time(roots: Any, caplog: Any) -> None:
    for _ in range(2):
        context = client_context(roots, verify_name=False)
        assert not context.check_hostname
        assert context.verify_mode is ssl.CERT_REQUIRED
    assert caplog.text.count("VerifyCsmsCommonName") == 2


def test_weak_keys_are_refused_by_a_lax_build_too() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    tls._set_ciphers(context, tls.CIPHERS_12, tls.CIPHERS_13)
    assert context.security_level == 2
    assert {cipher["name"] for cipher in context.get_ciphers()} >= set(tls.CIPHERS_12.split(":"))


def test_no_list_of_ciphers_turns_verification_off(roots: Any) -> None:
    """With a suite of its kind a server shows no certificate at all, and nobody looks at its name."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    server.set_ciphers("AECDH-AES128-SHA:@SECLEVEL=0")
    with pytest.raises(ConfigurationError, match="SupportedCiphers"):
        client_context(roots, ciphers12="AECDH-AES128-SHA:@SECLEVEL=0", ciphers13="")
    client = client_context(roots, ciphers12=f"AECDH-AES128-SHA:{CIPHERS_12}:@SECLEVEL=0", ciphers13="")
    assert client.security_level == 2
    with pytest.raises(ssl.SSLError):
        shake_hands(client, server)


def test_ciphers(roots: Any) -> None:
    only = client_context(roots, ciphers12="ECDHE-ECDSA-AES128-GCM-SHA256", ciphers13="")
    assert {cipher["name"] for cipher in only.get_ciphers() if cipher["protocol"] == "TLSv1.2"} == {
        "ECDHE-ECDSA-AES128-GCM-SHA256"
    }
    assert only.maximum_version is ssl.TLSVersion.TLSv1_2
    with pytest.raises(ConfigurationError, match="SupportedCiphers"):
        client_context(roots, ciphers12="NO-SUCH-CIPHER")


def test_client_certificate(roots: Any, client_files: Any, tmp_path: Any) -> None:
    chain, key = client_files
    context = client_context(roots, certificate_chain=chain, private_key=key)
    assert client_context(roots, certificate_chain=chain, private_key=key) is context
    renewed = CA.issue_cert("CP1")
    chain.write_bytes(b"".join(blob.bytes() for blob in renewed.cert_chain_pems))
    with pytest.raises(ConfigurationError, match="leaf"):
        client_context(roots, certificate_chain=chain, private_key=key)
    key.write_bytes(renewed.private_key_pem.bytes())
    assert client_context(roots, certificate_chain=chain, private_key=key) is not context
    with pytest.raises(ConfigurationError, match="missing"):
        client_context(roots, certificate_chain=tmp_path / "missing.pem", private_key=key)


def test_a_key_in_a_tpm_without_the_provider_is_told_what_is_missing(roots: Any, client_files: Any) -> None:
    chain, key = client_files
    key.write_text("-----BEGIN TSS2 PRIVATE KEY-----\nAAAA\n-----END TSS2 PRIVATE KEY-----\n")
    with pytest.raises(ConfigurationError, match=r"leaf\.key: the key lies in a TPM.*OPENSSL_CONF.*provider tpm2"):
        client_context(roots, certificate_chain=chain, private_key=key)


def mode(path: Any) -> int:
    return int(path.stat().st_mode & 0o777)


def test_key_log(roots: Any, tmp_path: Any) -> None:
    context = client_context(roots, keylog_file=tmp_path / "keys")
    assert context.keylog_filename == str(tmp_path / "keys")
    assert client_context(roots, keylog_file=tmp_path / "keys") is context


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_the_key_log_is_its_owners_alone(roots: Any, tmp_path: Any, umask: int) -> None:
    before = os.umask(umask)
    try:
        client_context(roots, keylog_file=tmp_path / "keys")
    finally:
        os.umask(before)
    assert mode(tmp_path / "keys") == 0o600


def test_a_key_log_that_is_there_is_restricted_each_time_and_kept(roots: Any, tmp_path: Any) -> None:
    path = tmp_path / "keys"
    path.write_text("# before\n")
    for found in (0o644, 0o666, 0o640):
        path.chmod(found)
        client_context(roots, keylog_file=path)
        assert mode(path) == 0o600
    assert path.read_text().startswith("# before\n")


def test_another_key_log_in_its_place_gets_the_secrets(roots: Any, tmp_path: Any) -> None:
    first = client_context(roots, keylog_file=tmp_path / "keys")
    (tmp_path / "keys").rename(tmp_path / "old")
    assert client_context(roots, keylog_file=tmp_path / "keys") is not first
    assert mode(tmp_path / "keys") == 0o600


def test_key_logs_that_cannot_be_written(roots: Any, tmp_path: Any) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("missing/keys", "", "a\0b", "pipe", "\udc80" * 300, "x" * 300):
        path = tmp_path / name
        with pytest.raises(ConfigurationError, match="TLSKeylogFile: ") as caught:
            client_context(roots, keylog_file=path)
        assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["a\0b.pem", "x" * 300 + ".pem", "\udc80.pem"])
def test_paths_that_are_none(tmp_path: Any, client_files: Any, roots: Any, name: str) -> None:
    path = tmp_path / name
    calls: list[Callable[[], object]] = [
        lambda: client_context(path),
        lambda: client_context(roots, certificate_chain=path, private_key=path),
        lambda: server_context(path, path),
        lambda: server_context(*client_files, client_ca=path),
    ]
    for call in calls:
        with pytest.raises(ConfigurationError) as caught:
            call()
        assert str(caught.value).isprintable()


@pytest.mark.parametrize("ciphers", ["", "a\0b", "\ud800", "é", "!ALL"])
def test_ciphers_that_are_none(roots: Any, ciphers: str) -> None:
    with pytest.raises(ConfigurationError, match="SupportedCiphers"):
        client_context(roots, ciphers12=ciphers)


@pytest.mark.parametrize("is_named", [True, False])
def test_nobody_to_trust_is_told_with_the_place_if_there_is_one(tmp_path: Any, is_named: bool) -> None:
    there = ".* holds none" if is_named else "none is installed that is valid now"
    with pytest.raises(ConfigurationError, match=f"CSMS root certificates: {there}, so no server could be trusted"):
        client_context(tmp_path if is_named else None)


def test_nobody_to_trust_among_clients_is_told(client_files: Any, tmp_path: Any) -> None:
    with pytest.raises(ConfigurationError, match="holds none"):
        server_context(*client_files, client_ca=tmp_path / "none")


def test_server_context(client_files: Any, roots: Any) -> None:
    chain, key = client_files
    assert server_context(chain, key).verify_mode is ssl.CERT_NONE
    demanding = server_context(chain, key, client_ca=roots)
    assert demanding.verify_mode is ssl.CERT_REQUIRED
    assert demanding.minimum_version is ssl.TLSVersion.TLSv1_2
    with pytest.raises(ConfigurationError):
        server_context(chain, chain)
