"""Which chains lead to a root, and what is said of those that do not."""

from collections.abc import Callable
from typing import Any

import pytest
from forged import DAY, NOW, Forged, below, leaf, new_key, root, tampered, with_sha1

from ocpp16.security import chain as chains
from ocpp16.security.certificate import Certificate, certificates_in
from ocpp16.security.chain import Trust, Verdict, leaf_first, verify
from ocpp16.security.evse_security import CertificateValidationResult as Result
from ocpp16.security.evse_security import LeafCertificateType

CSMS = LeafCertificateType.CSMS
ROOT = root()
RSA_ROOT = root("RSA root", key="rsa")


def read(*forged: Forged) -> list[Certificate]:
    return [Certificate(one.der) for one in forged]


def check(
    sent: list[Certificate],
    roots: tuple[Forged, ...] = (ROOT,),
    installed: tuple[Forged, ...] = (),
    kind: LeafCertificateType = CSMS,
    now: float = NOW,
    **options: Any,
) -> Verdict:
    return verify(sent, Trust(read(*roots), read(*installed), **options), kind, now)


def test_a_path_goes_from_leaf_to_root() -> None:
    first = below(ROOT, "First")
    second = below(first, "Second")
    end = leaf(second)
    verdict = check(read(end, second, first))
    assert verdict.result is Result.VALID
    assert [one.name for one in verdict.path] == ["CN=leaf", "CN=Second", "CN=First", "CN=Root"]


def test_order_roots_and_strangers_in_what_was_sent_do_not_matter() -> None:
    first = below(ROOT, "First")
    second = below(first, "Second")
    sent = read(first, ROOT, below(root("Stranger"), "Strange"), leaf(second), second)
    assert leaf_first(sent)[0].name == "CN=leaf"
    assert check(sent).result is Result.VALID


def test_intermediates_may_be_installed() -> None:
    first = below(ROOT, "First")
    assert check(read(leaf(first))).result is Result.ISSUER_NOT_FOUND
    assert check(read(leaf(first)), installed=(first,)).result is Result.VALID


def test_a_root_that_was_sent_proves_nothing() -> None:
    other = root("Other")
    assert check(read(leaf(other), other)).result is Result.ISSUER_NOT_FOUND


def test_another_ca_of_the_same_name_is_not_the_issuer() -> None:
    twin = root(identifiers=True)
    real = root(identifiers=True)
    end = leaf(real, identifiers=True)
    assert check(read(end), roots=(twin, real)).result is Result.VALID
    assert check(read(end), roots=(twin,)).result is Result.ISSUER_NOT_FOUND


WRONG: dict[str, tuple[Callable[[], list[Certificate]], Result]] = {
    "tampered leaf": (lambda: certificates_in(tampered(leaf(ROOT))), Result.INVALID_SIGNATURE),
    "expired leaf": (lambda: read(leaf(ROOT, start=-9, end=-1)), Result.EXPIRED),
    "leaf of tomorrow": (lambda: read(leaf(ROOT, start=1)), Result.EXPIRED),
    "expired intermediate": (lambda: through(end=-0.5), Result.EXPIRED),
    "intermediate of tomorrow": (lambda: through(start=0.5), Result.EXPIRED),
    "self-signed leaf": (lambda: read(Forged("alone")), Result.ISSUER_NOT_FOUND),
    "CA as a leaf": (lambda: read(below(ROOT)), Result.INVALID_CHAIN),
    "root as a leaf": (lambda: read(ROOT), Result.INVALID_CHAIN),
    "leaf that signs nothing": (lambda: read(leaf(ROOT, usage=("key_agreement",))), Result.INVALID_CHAIN),
    "server as a client": (lambda: read(leaf(ROOT, uses=("server",))), Result.INVALID_CHAIN),
    "unknown critical extension": (lambda: read(leaf(ROOT, unknown_critical=True)), Result.INVALID_CHAIN),
    "weak RSA leaf": (lambda: read(leaf(ROOT, key="rsa1024")), Result.INVALID_CHAIN),
    "weak curve": (lambda: read(leaf(ROOT, key="p192")), Result.INVALID_CHAIN),
    "DSA leaf": (lambda: read(leaf(ROOT, key="dsa")), Result.INVALID_CHAIN),
    "SHA-1 on the leaf": (lambda: [Certificate(with_sha1(leaf(RSA_ROOT), RSA_ROOT))], Result.INVALID_LEAF_SIGNATURE),
    "SHA-1 on an intermediate": (lambda: through_sha1(), Result.INVALID_SIGNATURE),
    "weak intermediate": (lambda: through(key="rsa1024"), Result.INVALID_CHAIN),
    "leaf as an intermediate": (lambda: through(ca=False), Result.INVALID_CHAIN),
    "intermediate that does not say so": (lambda: through(ca=None), Result.INVALID_CHAIN),
    "intermediate that may not sign": (lambda: through(usage=("digital_signature",)), Result.INVALID_CHAIN),
    "nothing": (list, Result.UNKNOWN),
    "far too many": (lambda: read(leaf(ROOT)) * 51, Result.INVALID_CHAIN),
}


def through(**options: Any) -> list[Certificate]:
    between = below(ROOT, **options)
    return read(leaf(between), between)


def through_sha1() -> list[Certificate]:
    between = below(RSA_ROOT)
    return [*read(leaf(between)), Certificate(with_sha1(between, RSA_ROOT))]


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said(case: str) -> None:
    make, expected = WRONG[case]
    verdict = check(make(), (ROOT, RSA_ROOT))
    assert verdict.result is expected
    assert verdict.reason
    assert not verdict.path


@pytest.mark.parametrize(
    "options", [{"ca": False}, {"usage": ("digital_signature",)}, {"end": -0.5}, {"key": "rsa1024"}]
)
def test_a_root_must_be_one_when_it_is_used(options: Any) -> None:
    wrong = root("Wrong", **options)
    assert check(read(leaf(wrong)), roots=(wrong,)).result in {Result.INVALID_CHAIN, Result.EXPIRED}


def test_a_root_without_basic_constraints_is_taken_unless_strict() -> None:
    old = Forged("Old", end=3650)
    assert check(read(leaf(old)), roots=(old,)).result is Result.VALID
    assert check(read(leaf(old)), roots=(old,), strict_ca=True).result is Result.INVALID_CHAIN


@pytest.mark.parametrize(
    ("kind", "uses", "good"),
    [
        (CSMS, ("client",), True),
        (CSMS, ("any",), True),
        (CSMS, (), True),
        (LeafCertificateType.MF, ("code",), True),
        (LeafCertificateType.MF, ("client", "server"), False),
        (LeafCertificateType.V2G, ("server",), True),
        (LeafCertificateType.V2G, ("client",), False),
        (LeafCertificateType.MO, ("client",), True),
    ],
)
def test_what_a_leaf_is_for(kind: LeafCertificateType, uses: tuple[str, ...], good: bool) -> None:
    assert (check(read(leaf(ROOT, uses=uses)), kind=kind).result is Result.VALID) is good


def test_how_many_may_be_between() -> None:
    narrow = root("Narrow", path_length=0)
    first = below(narrow, "First")
    assert check(read(leaf(narrow)), roots=(narrow,)).result is Result.VALID
    assert check(read(leaf(first), first), roots=(narrow,)).result is Result.INVALID_CHAIN
    wider = root("Wider", path_length=1)
    first = below(wider, "First")
    second = below(first, "Second")
    assert check(read(leaf(first), first), roots=(wider,)).result is Result.VALID
    assert check(read(leaf(second), second, first), roots=(wider,)).result is Result.INVALID_CHAIN


def test_a_wrong_clock_is_tolerated_as_far_as_it_is_said() -> None:
    end = read(leaf(ROOT, start=-9, end=-1))
    assert check(end, tolerance=2 * DAY).result is Result.VALID
    assert check(end, tolerance=0.5 * DAY).result is Result.EXPIRED
    assert check(read(leaf(ROOT, start=1)), tolerance=2 * DAY).result is Result.VALID


def test_a_leaf_may_start_later_where_it_is_to_be_installed() -> None:
    end = read(leaf(ROOT, start=1))
    trust = Trust(read(ROOT))
    assert verify(end, trust, CSMS, NOW, may_start_later=True).result is Result.VALID
    assert verify(end, trust, CSMS, NOW + 400 * DAY, may_start_later=True).result is Result.EXPIRED


def test_loops_end() -> None:
    one_key, other_key = new_key(), new_key()
    one = Forged("One", ca=True, key=one_key)
    other = Forged("Other", one, ca=True, key=other_key)
    one = Forged("One", other, ca=True, key=one_key)
    assert check(read(leaf(one), one, other)).result is Result.ISSUER_NOT_FOUND


def test_a_chain_that_is_too_long_ends() -> None:
    links = [ROOT]
    for number in range(12):
        links.append(below(links[-1], f"Link {number}"))
    verdict = check(read(leaf(links[-1]), *links[1:]))
    assert verdict.result is Result.INVALID_CHAIN
    assert check(read(leaf(links[5]), *links[1:6])).result is Result.VALID


def test_a_search_that_others_make_long_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight authorities above each other, each with four certificates of the same key: thousands of paths."""
    count = 0
    is_signed_by = Certificate.is_signed_by

    def counted(self: Certificate, issuer: Certificate) -> bool:
        nonlocal count
        count += 1
        return is_signed_by(self, issuer)

    monkeypatch.setattr(Certificate, "is_signed_by", counted)
    above = root("Nobody knows")
    sent: list[Forged] = []
    for number in range(8):
        key = new_key()
        sent += [below(above, f"Layer {number}", key=key, end=end) for end in range(300, 304)]
        above = sent[-1]
    assert check(read(leaf(above), *sent)).result is Result.ISSUER_NOT_FOUND
    assert count <= chains.MOST_SIGNATURES


def test_a_path_that_is_good_outweighs_those_that_are_not() -> None:
    """The same authority, once expired and once renewed."""
    key = new_key()
    old, renewed = below(ROOT, key=key, end=-0.5), below(ROOT, key=key)
    assert check(read(leaf(old), old, renewed)).result is Result.VALID
    assert check(read(leaf(old), renewed, old)).result is Result.VALID
