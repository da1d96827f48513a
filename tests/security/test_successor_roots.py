"""AdditionalRootCertificateCheck and TLS: a root that only its predecessor signed is believed when that one is gone.

OpenSSL asks the clock of the machine, so these certificates are of today.
"""

import ssl
import time
from pathlib import Path
from typing import Any

import pytest
from certificate_steps import CSMS, ROOTS, Install, put, shake_hands
from forged import DAY, NOW, Forged, below, leaf, root

from ocpp16.security.evse_security import CertificateValidationResult
from ocpp16.security.file_evse_security import FileEvseSecurity
from ocpp16.security.tls import client_context

TODAY = (time.time() - NOW) / DAY
VALID = {"start": TODAY - 1, "end": TODAY + 100}


def context_of(place: Path, *, successors_are_roots: bool) -> ssl.SSLContext:
    def warn(*_: object) -> None: ...

    return client_context(place, successors_are_roots=successors_are_roots, verify_name=False, warn=warn)


def server_of(folder: Path, *chain: Forged) -> ssl.SSLContext:
    """A server that shows this chain, leaf first."""
    certificates = put(folder / "chain", "".join(one.pem for one in chain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates, put(folder / "key", chain[0].key_pem()))
    return context


@pytest.fixture
def chain() -> tuple[Forged, Forged, Forged]:
    first = root("First", **VALID)
    second = below(first, "Second", **VALID)
    return first, second, below(second, "Third", **VALID)


async def test_what_the_store_trusts_is_what_tls_trusts(tmp_path: Path, chain: tuple[Forged, ...]) -> None:
    security = FileEvseSecurity(tmp_path / "certs", additional_root_certificate_check=True, now=time.time)
    for one in chain:
        assert await security.install_ca_certificate(one.pem, ROOTS) is Install.ACCEPTED
    place = await security.get_verify_location(ROOTS)
    assert place is not None
    client = context_of(place, successors_are_roots=True)
    for number, authority in enumerate(chain):
        end = leaf(authority, "csms", **VALID)
        verdict = await security.verify_certificate(end.pem, [CSMS])
        server = server_of(tmp_path / str(number), end)
        if authority is chain[0]:  # its place was taken by the second, and that is the fallback now
            assert verdict is CertificateValidationResult.ISSUER_NOT_FOUND
            with pytest.raises(ssl.SSLCertVerificationError, match="issuer"):
                shake_hands(client, server)
        else:
            assert verdict is CertificateValidationResult.VALID
            shake_hands(client, server)


async def test_a_bundle_in_der_holds_a_root_and_its_successor(tmp_path: Path, chain: tuple[Forged, ...]) -> None:
    bundle = tmp_path / "roots.der"
    security = FileEvseSecurity(
        tmp_path / "certs", csms_ca_bundle=bundle, additional_root_certificate_check=True, now=time.time
    )
    for one in chain[:2]:
        assert await security.install_ca_certificate(one.pem, ROOTS) is Install.ACCEPTED
    server = server_of(tmp_path, leaf(chain[1], "csms", **VALID))
    shake_hands(context_of(bundle, successors_are_roots=True), server)


def test_without_the_key_a_ca_that_others_signed_is_no_root(tmp_path: Path, chain: tuple[Forged, ...]) -> None:
    """It only helps to build the chain to one."""
    first, second, _ = chain
    folder = tmp_path / "csms"
    put(folder / "second.pem", second.pem)
    server = server_of(tmp_path / "server", leaf(second, "csms", **VALID))
    with pytest.raises(ssl.SSLCertVerificationError, match="issuer"):
        shake_hands(context_of(folder, successors_are_roots=False), server)
    shake_hands(context_of(folder, successors_are_roots=True), server)
    put(folder / "first.pem", first.pem)
    shake_hands(context_of(folder, successors_are_roots=False), server)


@pytest.mark.parametrize("options", [{}, {"ca": None, "usage": None}])
def test_with_the_key_what_signs_nobody_is_no_root(
    tmp_path: Path, chain: tuple[Forged, ...], options: dict[str, Any]
) -> None:
    first, second, third = chain
    end = leaf(second, "csms", **VALID, **options)
    folder = tmp_path / "csms"
    put(folder / "other.pem", root("Other", **VALID).pem)
    put(folder / "leaf.pem", end.pem)
    with pytest.raises(ssl.SSLCertVerificationError, match="issuer"):
        shake_hands(context_of(folder, successors_are_roots=True), server_of(tmp_path / "a", end))
    # Nor is what a server sends along.
    sent = server_of(tmp_path / "b", leaf(third, "csms", **VALID), third, second, first)
    with pytest.raises(ssl.SSLCertVerificationError, match="self-signed"):
        shake_hands(context_of(folder, successors_are_roots=True), sent)
