"""Contract chains that openssl made: one good kind, and every kind of wrong one is refused with its reason."""

from collections.abc import Callable
from pathlib import Path

import pytest
from openssl_lab import DAY, OpensslLab, with_a_broken_signature

from ocpp16.security.evse_security import CaCertificateType, CertificateExamination, LeafCertificateType
from ocpp16.security.file_evse_security import FileEvseSecurity

NOW = 1_790_000_000.0
ROOTS = (LeafCertificateType.MO, LeafCertificateType.V2G)


class Contracts:
    """A mobility operator with two authorities below its root, and a keeper that trusts it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "lab"
        self.certs = folder / "certs"
        self.root = self.authority("MO-Root")
        self.sub1 = self.authority("MO-Sub1", self.root)
        self.sub2 = self.authority("MO-Sub2", self.sub1)
        self.now = NOW
        self.keeper = FileEvseSecurity(self.certs, now=lambda: self.now)

    def authority(self, name: str, above: OpensslLab | None = None, **options: float) -> OpensslLab:
        return OpensslLab(self.folder, name, NOW, above, **options)  # type: ignore[arg-type]

    async def trust(self, kind: CaCertificateType = CaCertificateType.MO) -> None:
        assert await self.keeper.install_ca_certificate(self.root.certificate, kind) == "Accepted"

    def put_list(self, text: str, kind: str = "mo") -> None:
        (self.certs / "ca" / kind / "revoked.pem").write_text(text)

    async def examined(self, chain: str) -> CertificateExamination:
        return await self.keeper.examine_certificate(chain, ROOTS)


@pytest.fixture
def contracts(tmp_path: Path) -> Contracts:
    return Contracts(tmp_path)


@pytest.mark.parametrize("kind", [CaCertificateType.MO, CaCertificateType.V2G])
async def test_a_good_contract(contracts: Contracts, kind: CaCertificateType) -> None:
    """Under a root of mobility operators, or one of cars and stations; who names a responder can be asked about."""
    await contracts.trust(kind)
    chain = contracts.sub2.contract()
    assert await contracts.examined(chain) == ("Valid", "")
    [named] = await contracts.keeper.get_mo_ocsp_request_data(chain)
    assert named.responder_url == "http://ocsp.example/"


def _long(contracts: Contracts) -> str:
    lowest = contracts.sub2
    for number in range(9):
        lowest = contracts.authority(f"Deep{number}", lowest)
    return lowest.contract()


def _limited(contracts: Contracts) -> str:
    narrow = contracts.authority("Narrow", contracts.root, path_length=0)
    return contracts.authority("TooDeep", narrow).contract()


WRONG: dict[str, tuple[Callable[[Contracts], str], str, str]] = {
    "expired": (lambda c: c.sub2.contract(start=-20, end=-1), "Expired", "the leaf is expired"),
    "not yet valid": (lambda c: c.sub2.contract(start=2), "Expired", "the leaf is not valid yet"),
    "an expired authority": (
        lambda c: c.authority("Old", c.root, start=-20, end=-1).contract(),
        "Expired",
        "a certificate of the chain is expired or not valid yet",
    ),
    "foreign": (lambda c: c.authority("Other").contract(), "IssuerNotFound", "no installed root that it leads to"),
    "without its authorities": (
        lambda c: c.sub2.contract().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n",
        "IssuerNotFound",
        "no installed root that it leads to",
    ),
    "no signature": (
        lambda c: c.sub2.contract(usage="critical,keyAgreement"),
        "InvalidChain",
        "not for digital signatures",
    ),
    "of a server": (
        lambda c: c.sub2.contract(uses="serverAuth"),
        "InvalidChain",
        "not for this use (extended key usage)",
    ),
    "an authority": (lambda c: c.sub2.chain, "IssuerNotFound", ""),
    "too long": (_long, "InvalidChain", "the chain is too long"),
    "longer than its root allows": (
        _limited,
        "InvalidChain",
        "more intermediate certificates than its root allows",
    ),
    "broken signature": (
        lambda c: with_a_broken_signature(c.sub2.contract()),
        "InvalidSignature",
        "a signature that is not its issuer's",
    ),
    "no certificate": (lambda c: "contract", "Unknown", "no certificate that can be read"),
}


@pytest.mark.parametrize("kind", list(WRONG))
async def test_a_wrong_contract_is_refused_with_its_reason(contracts: Contracts, kind: str) -> None:
    make, result, reason = WRONG[kind]
    await contracts.trust()
    chain = make(contracts)
    found = await contracts.examined(chain)
    if kind == "an authority":
        assert found.result == "InvalidChain"
    else:
        assert found == (result, reason)
    assert await contracts.keeper.verify_certificate(chain, ROOTS) == found.result
    assert await contracts.keeper.get_mo_ocsp_request_data(chain) == []


@pytest.mark.parametrize("who", ["leaf", "authority"])
@pytest.mark.parametrize("kind", [CaCertificateType.MO, CaCertificateType.V2G])
async def test_a_revoked_contract(contracts: Contracts, who: str, kind: CaCertificateType) -> None:
    """By the list of its issuer, which lies with the roots; another contract of the same issuer stays good."""
    await contracts.trust(kind)
    chain, other = contracts.sub2.contract(), contracts.sub2.contract("NLABCC00000002")
    if who == "leaf":
        contracts.sub2.revoke(chain)
        text = contracts.sub2.list_of_revoked()
    else:
        contracts.sub1.revoke(contracts.sub2.certificate)
        text = contracts.sub1.list_of_revoked()
    contracts.put_list(text, str(kind).lower())
    revoked = ("Revoked", "a certificate of the chain is revoked")
    assert await contracts.examined(chain) == revoked
    assert await contracts.examined(other) == (("Valid", "") if who == "leaf" else revoked)


async def test_what_was_revoked_stays_revoked_when_the_list_is_old(contracts: Contracts) -> None:
    await contracts.trust()
    chain = contracts.sub2.contract()
    contracts.sub2.revoke(chain)
    contracts.put_list(contracts.sub2.list_of_revoked())
    contracts.now = NOW + 100 * DAY
    assert (await contracts.examined(chain)).result == "Revoked"


@pytest.mark.parametrize("fault", ["of another issuer", "not signed by it", "garbage"])
async def test_a_list_that_proves_nothing(contracts: Contracts, fault: str) -> None:
    await contracts.trust()
    chain = contracts.sub2.contract()
    text = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"
    if fault == "of another issuer":
        other = contracts.authority("Somebody")
        other.revoke(chain)
        text = other.list_of_revoked()
    elif fault == "not signed by it":
        forger = OpensslLab(contracts.folder / "forged", "MO-Sub2", NOW)
        forger.revoke(chain)
        text = forger.list_of_revoked()
    contracts.put_list(text)
    assert (await contracts.examined(chain)).result == "Valid"
