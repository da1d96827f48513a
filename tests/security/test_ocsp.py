"""Answers about revocation: of which certificates to ask, which answers are kept, and which are handed out."""

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from forged import DAY, NOW, Forged, below, leaf, root

from ocpp16.security.certificate import Certificate
from ocpp16.security.evse_security import (
    CertificateHashData,
    CertificateValidationResult,
    CsrStatus,
    LeafCertificateType,
    OcspRequestData,
)
from ocpp16.security.file_evse_security import FileEvseSecurity
from ocpp16.security.hash_data import named
from ocpp16.security.ocsp import checked_answer

URL = "http://ocsp.example/"
ROOT = root()
BELOW = below(ROOT, responder=URL + "below")
LEAF = leaf(BELOW, responder=URL + "leaf")
NAME = named(Certificate(LEAF.der), Certificate(BELOW.der))


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def certs(tmp_path: Path) -> Path:
    for place, text in (
        ("ca/v2g/root.pem", ROOT.pem),
        ("client/cso/station.pem", LEAF.pem + BELOW.pem),
        ("client/cso/station.key", LEAF.key_pem().decode()),
    ):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.fixture
def security(certs: Path, clock: Clock) -> FileEvseSecurity:
    return FileEvseSecurity(certs, now=clock)


def answer(
    of: Forged = LEAF,
    issuer: Forged = BELOW,
    signer: Forged | None = None,
    *,
    starts: float = -1,
    ends: float | None = 1,
    algorithm: Any = None,
    is_revoked: bool = False,
) -> bytes:
    times = [None if days is None else datetime.fromtimestamp(NOW + days * DAY, UTC) for days in (starts, ends)]
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=of.x509,
        issuer=issuer.x509,
        algorithm=algorithm or hashes.SHA256(),
        cert_status=ocsp.OCSPCertStatus.REVOKED if is_revoked else ocsp.OCSPCertStatus.GOOD,
        this_update=times[0],  # type: ignore[arg-type]
        next_update=times[1],
        revocation_time=times[0] if is_revoked else None,
        revocation_reason=None,
    )
    by = signer or issuer
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, by.x509)
    if signer is not None:
        builder = builder.certificates([signer.x509])
    return builder.sign(by.private, hashes.SHA256()).public_bytes(Encoding.DER)


def text(der: bytes) -> str:
    return b64encode(der).decode()


def of_unknown_kind(identifier: str) -> bytes:
    """A good answer, but for one of its algorithms, which nobody knows."""
    known = bytes.fromhex(identifier)
    good = answer()
    assert known in good
    return good.replace(known, known[:-1] + b"\x7f")


async def test_whom_to_ask(security: FileEvseSecurity, certs: Path) -> None:
    above = named(Certificate(BELOW.der), Certificate(ROOT.der))
    wanted = [OcspRequestData(NAME, URL + "leaf"), OcspRequestData(above, URL + "below")]
    assert await security.get_v2g_ocsp_request_data() == wanted
    (certs / "client/cso/again.pem").write_text(LEAF.pem + BELOW.pem)
    assert await security.get_v2g_ocsp_request_data() == wanted, "each once"
    (certs / "client/cso/station.key").unlink()
    assert await security.get_v2g_ocsp_request_data() == [], "no key, no use"


async def test_whom_to_ask_of_a_contract(security: FileEvseSecurity) -> None:
    contract = leaf(BELOW, responder=URL + "contract")
    found = await security.get_mo_ocsp_request_data(contract.pem + BELOW.pem)
    assert [one.responder_url for one in found] == [URL + "contract", URL + "below"]
    assert await security.get_mo_ocsp_request_data(contract.pem) == [], "leads to no root"
    assert await security.get_mo_ocsp_request_data("nonsense") == []


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256(), hashes.SHA384()])
async def test_a_good_answer_is_kept(security: FileEvseSecurity, certs: Path, clock: Clock, algorithm: Any) -> None:
    good = answer(algorithm=algorithm)
    assert await security.get_ocsp_response(NAME) is None
    await security.update_ocsp_cache(NAME, text(good))
    assert await security.get_ocsp_response(NAME) == good
    assert await security.get_ocsp_response(NAME._replace(issuer_name_hash=NAME.issuer_name_hash.upper())) == good
    der, name = sorted((certs / "client/cso/ocsp").iterdir())
    assert der.read_bytes() == good
    assert name.read_text().splitlines() == list(NAME)
    newer = answer(ends=2)
    await security.update_ocsp_cache(NAME, text(newer))
    assert await security.get_ocsp_response(NAME) == newer
    clock.now += 3 * DAY
    assert await security.get_ocsp_response(NAME) is None, "it is not to be believed any more"
    assert await security.collect_garbage() == 2


async def test_what_was_revoked_since_is_not_good_again_by_an_older_answer(
    security: FileEvseSecurity, certs: Path
) -> None:
    """Whoever keeps them hands out the newest, too."""
    newest = answer(starts=-0.5, is_revoked=True)
    await security.update_ocsp_cache(NAME, text(answer()))
    await security.update_ocsp_cache(NAME, text(newest))
    with pytest.raises(ValueError, match="older"):
        await security.update_ocsp_cache(NAME, text(answer()))
    folder = certs / "client/cso/ocsp"
    for name in ("0_ocsp", "z_ocsp"):
        (folder / f"{name}.hash").write_text("".join(f"{part}\n" for part in NAME))
        (folder / f"{name}.der").write_bytes(answer())
    assert await security.get_ocsp_response(NAME) == newest
    chain, kinds = LEAF.pem + BELOW.pem, [LeafCertificateType.V2G]
    assert await security.verify_certificate(chain, kinds) is CertificateValidationResult.REVOKED


DELEGATE = leaf(BELOW, "Responder", uses=("ocsp",))
BAD: dict[str, Callable[[], str]] = {
    "of another certificate": lambda: text(answer(leaf(BELOW))),
    "of another issuer": lambda: text(answer(LEAF, ROOT)),
    "signed by somebody else": lambda: text(answer(LEAF, BELOW, leaf(root("Other"), "Responder", uses=("ocsp",)))),
    "signed by one that may not": lambda: text(answer(LEAF, BELOW, leaf(BELOW, "Responder"))),
    "signed by one that is expired": lambda: text(
        answer(LEAF, BELOW, leaf(BELOW, "Responder", uses=("ocsp",), end=-0.5))
    ),
    "old": lambda: text(answer(starts=-3, ends=-1)),
    "of tomorrow": lambda: text(answer(starts=1, ends=2)),
    "tampered": lambda: text(answer()[:-1] + b"\0"),
    "a refusal": lambda: text(
        ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED).public_bytes(Encoding.DER)
    ),
    "no answer": lambda: text(LEAF.der),
    "no base64": lambda: "no base64!",
    "empty": lambda: "",
    "far too long": lambda: text(b"\x30" * 70_000),
    "by hashes of an unknown kind": lambda: text(of_unknown_kind("608648016503040201")),
    "signed in an unknown way": lambda: text(of_unknown_kind("2a8648ce3d040302")),
}


@pytest.mark.parametrize("case", BAD)
async def test_what_is_not_kept(security: FileEvseSecurity, certs: Path, case: str) -> None:
    with pytest.raises(ValueError):
        await security.update_ocsp_cache(NAME, BAD[case]())
    assert not (certs / "client/cso/ocsp").exists()


async def test_a_full_store_says_that_it_keeps_no_answer(security: FileEvseSecurity, certs: Path) -> None:
    """Taken for kept, it would not be asked for again for a week, and what was revoked would be used on."""
    revoked = text(answer(is_revoked=True))
    (certs / "ca/mf").mkdir(parents=True, exist_ok=True)
    big = certs / "ca/mf/big.pem"
    with big.open("wb") as file:
        file.truncate(50 * 1024 * 1024)
    with pytest.raises(OSError, match="full"):
        await security.update_ocsp_cache(NAME, revoked)
    big.unlink()
    await security.update_ocsp_cache(NAME, revoked)
    assert await security.get_ocsp_response(NAME) is not None


async def test_whom_the_issuer_named_may_sign(security: FileEvseSecurity) -> None:
    by_delegate = answer(LEAF, BELOW, DELEGATE)
    await security.update_ocsp_cache(NAME, text(by_delegate))
    assert await security.get_ocsp_response(NAME) == by_delegate


async def test_of_what_is_not_installed_nothing_is_kept(security: FileEvseSecurity) -> None:
    other = leaf(BELOW)
    name = named(Certificate(other.der), Certificate(BELOW.der))
    with pytest.raises(ValueError, match="installed"):
        await security.update_ocsp_cache(name, text(answer(other)))


async def test_what_others_put_there_is_checked_before_it_is_handed_out(
    security: FileEvseSecurity, certs: Path
) -> None:
    folder = certs / "client/cso/ocsp"
    folder.mkdir()
    lines = "".join(f"{part}\n" for part in NAME)
    (folder / "a_ocsp.hash").write_text(lines)
    (folder / "a_ocsp.der").write_bytes(answer(leaf(BELOW)))
    (folder / "b_ocsp.hash").write_text("nonsense")
    (folder / "c_ocsp.hash").write_bytes(b"\xff\n\n\n\n")
    assert await security.get_ocsp_response(NAME) is None
    (folder / "d_ocsp.hash").write_text(lines)
    (folder / "d_ocsp.der").write_text(text(answer()))  # as libocpp keeps them
    assert await security.get_ocsp_response(NAME) is not None
    await security.collect_garbage()
    assert sorted(path.name for path in folder.glob("*_ocsp.der")) == ["d_ocsp.der"]


@pytest.mark.parametrize("identifier", ["608648016503040201", "2a8648ce3d040302"], ids=["hash", "signature"])
async def test_an_answer_of_an_unknown_kind_that_others_put_there_stops_nothing(
    security: FileEvseSecurity, certs: Path, identifier: str
) -> None:
    folder = certs / "client/cso/ocsp"
    folder.mkdir()
    (folder / "a_ocsp.hash").write_text("".join(f"{part}\n" for part in NAME))
    (folder / "a_ocsp.der").write_text(text(of_unknown_kind(identifier)))
    kind = LeafCertificateType.V2G
    assert await security.verify_certificate(LEAF.pem + BELOW.pem, [kind]) is CertificateValidationResult.VALID
    assert len(await security.get_v2g_ocsp_request_data()) == 2
    made = await security.generate_certificate_signing_request(LeafCertificateType.CSMS, "DE", "O", "CP", False)
    assert made.status is CsrStatus.ACCEPTED
    assert list(folder.iterdir()) == [], "it went as what is of no use"


async def test_an_answer_whose_second_file_a_power_cut_took_is_collected(
    security: FileEvseSecurity, certs: Path
) -> None:
    await security.update_ocsp_cache(NAME, text(answer()))
    assert await security.collect_garbage() == 0
    next((certs / "client/cso/ocsp").glob("*.hash")).unlink()
    assert await security.collect_garbage() == 1
    assert list((certs / "client/cso/ocsp").iterdir()) == []


async def test_with_a_chain_its_answers_go(security: FileEvseSecurity, certs: Path) -> None:
    await security.update_ocsp_cache(NAME, text(answer()))
    await security.delete_certificate(NAME)
    assert list((certs / "client/cso/ocsp").iterdir()) == []
    assert await security.get_ocsp_response(CertificateHashData("SHA256", "", "", "")) is None


def test_kinds_of_keys_that_sign() -> None:
    rsa_issuer = root(key="rsa")
    of = leaf(rsa_issuer)
    name = named(Certificate(of.der), Certificate(rsa_issuer.der))
    good = answer(of, rsa_issuer)
    assert checked_answer(good, name, Certificate(rsa_issuer.der), NOW, 0).der == good
