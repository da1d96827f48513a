"""Does a chain lead to a trusted root? Built and checked here, the same for every use.

Rules of this file:
1. The path goes from the leaf upwards, over intermediate certificates that were sent or are installed, in any order.
   Roots are those that are installed; ones that were sent prove nothing and are left out.
2. Every certificate of a path is checked: signature, time, role, length of the path, key and algorithms (RFC 5280 §6,
   as far as it matters here). The signature of a root is not: it is trusted because it is installed.
3. Of several paths one that is good is enough; if none is, the fault of the one that came farthest is told.
4. Loops end, and so does a search that others make long: by length and by number of signatures that are checked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from ocpp16.security.certificate import Certificate
from ocpp16.security.certificate_rules import ca_fault, key_fault, leaf_fault, signature_fault
from ocpp16.security.evse_security import CertificateValidationResult as Result
from ocpp16.security.evse_security import LeafCertificateType

__all__ = ["Trust", "Verdict", "leaf_first", "verify"]

LONGEST_PATH: Final = 10
"""Certificates from leaf to root."""
MOST_SIGNATURES: Final = 200
"""That are checked for one chain."""
MOST_SENT: Final = 50
"""Certificates of one chain that was sent."""


@dataclass(frozen=True, slots=True)
class Trust:
    """`roots` are trusted, `intermediates` help; `strict_ca`: a root must say that it is one; `tolerance`: seconds that
    the clock may be wrong."""

    roots: Sequence[Certificate]
    intermediates: Sequence[Certificate] = ()
    strict_ca: bool = False
    tolerance: float = 0.0


class Verdict(NamedTuple):
    """`path`: leaf to root where `result` is Valid; `reason`: what is wrong, for a log."""

    result: Result
    path: tuple[Certificate, ...] = ()
    reason: str = ""


class _Came(IntEnum):
    """How far an attempt came."""

    NOWHERE = 0
    TO_A_WRONG_SIGNATURE = 1
    TO_A_ROOT = 2


def leaf_first(certificates: Sequence[Certificate]) -> list[Certificate]:
    """The same certificates with the leaf in front: the first one that is no CA's, whatever order they came in."""
    leaf = next((one for one in certificates if one.is_ca is not True and not one.is_self_issued), None)
    if leaf is None:
        return list(certificates)
    return [leaf, *(one for one in certificates if one is not leaf)]


def verify(
    certificates: Sequence[Certificate],
    trust: Trust,
    leaf_type: LeafCertificateType,
    now: float,
    *,
    may_start_later: bool = False,
) -> Verdict:
    """Check a chain. `now`: seconds since 1970, UTC; `may_start_later`: a leaf that is not valid yet is good."""
    if not certificates:
        return Verdict(Result.UNKNOWN, reason="no certificate that can be read")
    if len(certificates) > MOST_SENT:
        return Verdict(Result.INVALID_CHAIN, reason="far too many certificates")
    leaf, *others = leaf_first(certificates)
    return _Search(leaf, others, trust, leaf_type, now, may_start_later=may_start_later).run()


class _Search:
    """The search for a path from one leaf."""

    def __init__(
        self,
        leaf: Certificate,
        sent: Sequence[Certificate],
        trust: Trust,
        leaf_type: LeafCertificateType,
        now: float,
        *,
        may_start_later: bool,
    ) -> None:
        self._leaf = leaf
        self._trust = trust
        self._leaf_type = leaf_type
        self._now = now
        self._may_start_later = may_start_later
        self._signatures = 0
        self._came = _Came.NOWHERE
        self._fault = Verdict(Result.ISSUER_NOT_FOUND, reason="no installed root that it leads to")
        self._by_subject: dict[bytes, list[tuple[Certificate, bool]]] = {}
        known: set[str] = set()
        for certificate, is_root in (
            *((one, True) for one in trust.roots),
            *((one, False) for one in (*sent, *trust.intermediates) if not one.is_self_issued),
        ):
            if certificate.fingerprint not in known:
                known.add(certificate.fingerprint)
                self._by_subject.setdefault(certificate.subject, []).append((certificate, is_root))

    def run(self) -> Verdict:
        fault = self._fault_of_leaf()
        if fault is not None:
            return fault
        found = self._from((self._leaf,))
        return self._fault if found is None else found

    def _fault_of_leaf(self) -> Verdict | None:
        """What no path could mend."""
        leaf, tolerance = self._leaf, self._trust.tolerance
        if self._now > leaf.expires_at + tolerance:
            return Verdict(Result.EXPIRED, reason="the leaf is expired")
        if self._now < leaf.starts_at - tolerance and not self._may_start_later:
            return Verdict(Result.EXPIRED, reason="the leaf is not valid yet")
        if reason := leaf_fault(leaf, self._leaf_type):
            return Verdict(Result.INVALID_CHAIN, reason=reason)
        if leaf.is_self_issued:
            return Verdict(Result.ISSUER_NOT_FOUND, reason="a leaf that is its own issuer")
        if reason := signature_fault(leaf):
            return Verdict(Result.INVALID_LEAF_SIGNATURE, reason=reason)
        if reason := key_fault(leaf):
            return Verdict(Result.INVALID_CHAIN, reason=reason)
        return None

    def _from(self, path: tuple[Certificate, ...]) -> Verdict | None:
        last = path[-1]
        for issuer, is_root in self._by_subject.get(last.issuer, ()):
            if any(issuer.key == one.key and issuer.subject == one.subject for one in path):
                continue  # a loop
            if not self._proves(issuer, last):
                continue
            further = (*path, issuer)
            if is_root:
                fault = self._fault_of(further)
                if fault is None:
                    return Verdict(Result.VALID, further)
                self._note(_Came.TO_A_ROOT, fault)
            elif len(further) >= LONGEST_PATH:
                self._note(_Came.TO_A_ROOT, Verdict(Result.INVALID_CHAIN, reason="the chain is too long"))
            else:
                found = self._from(further)
                if found is not None:
                    return found
        return None

    def _proves(self, issuer: Certificate, last: Certificate) -> bool:
        if self._signatures >= MOST_SIGNATURES:
            return False
        self._signatures += 1
        if last.is_signed_by(issuer):
            return True
        wanted, found = last.authority_key_identifier, issuer.subject_key_identifier
        if wanted is None or found is None or wanted == found:  # else it is another CA of the same name
            self._note(
                _Came.TO_A_WRONG_SIGNATURE,
                Verdict(Result.INVALID_SIGNATURE, reason="a signature that is not its issuer's"),
            )
        return False

    def _note(self, came: _Came, fault: Verdict) -> None:
        if came > self._came:
            self._came, self._fault = came, fault

    def _fault_of(self, path: tuple[Certificate, ...]) -> Verdict | None:
        """What is wrong with a path from the leaf to a root, but for the leaf alone."""
        for below, certificate in enumerate(path[1:]):
            is_root = certificate is path[-1]
            if not certificate.is_valid_at(self._now, self._trust.tolerance):
                return Verdict(Result.EXPIRED, reason="a certificate of the chain is expired or not valid yet")
            if reason := ca_fault(certificate, strict=self._trust.strict_ca or not is_root):
                return Verdict(Result.INVALID_CHAIN, reason=reason)
            # Those that issued themselves anew do not count (RFC 5280 §4.2.1.9).
            counted = sum(1 for one in path[1 : below + 1] if not one.is_self_issued)
            if certificate.path_length is not None and counted > certificate.path_length:
                return Verdict(Result.INVALID_CHAIN, reason="more intermediate certificates than its root allows")
            if reason := key_fault(certificate):
                return Verdict(Result.INVALID_CHAIN, reason=reason)
            if not is_root and (reason := signature_fault(certificate)):
                return Verdict(Result.INVALID_SIGNATURE, reason=reason)
        return None
