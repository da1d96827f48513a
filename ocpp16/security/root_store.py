"""The roots of all families: whom they make us believe, what may join them, and what may go.

Rules of this file:
1. A root is a self-signed certificate in a bundle. Other certificates there only help to build paths.
2. Where AdditionalRootCertificateCheck is true (security white paper, on that key) the Central System has one root,
   and the one before as a fallback. A new one must be signed by the one before, so it need not be self-signed.
3. The last root by which a Central System can be believed is not deleted, nor is one that is in use.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from ocpp16.security.bundle import Bundle, Installed
from ocpp16.security.certificate import Certificate, blocks_in
from ocpp16.security.certificate_files import CertificateFiles, FileChange
from ocpp16.security.certificate_rules import ca_fault, is_root, key_fault, root_fault, signature_fault
from ocpp16.security.chain import Trust
from ocpp16.security.evse_security import (
    CaCertificateType,
    CertificateHashData,
    DeleteCertificateResult,
    InstallCertificateResult,
)
from ocpp16.security.hash_data import equal, hash_data_of
from ocpp16.security.store_log import StoreLog
from ocpp16.security.store_rules import StoreRules

__all__ = ["RootStore"]

LONGEST_TEXT: Final = 64 * 1024
"""Characters; OCPP allows 5,500."""


class RootStore:
    """All bundles."""

    def __init__(
        self, files: CertificateFiles, bundles: Mapping[CaCertificateType, "Bundle"], rules: StoreRules, log: StoreLog
    ) -> None:
        self.bundles = bundles
        self._files = files
        self._rules = rules
        self._log = log

    def roots(self, kind: CaCertificateType) -> list[Installed]:
        """Whom chains of a family may lead to, valid or not."""
        return [one for one in self.bundles[kind].installed() if self._is_root(kind, one.certificate)]

    def valid_roots(self, kind: CaCertificateType, now: float) -> list[Installed]:
        return [one for one in self.roots(kind) if one.certificate.is_valid_at(now, self._rules.clock_tolerance)]

    def trust(self, kind: CaCertificateType, further: Sequence[Certificate] = ()) -> Trust:
        """`further`: intermediate certificates that are known from elsewhere."""
        installed = [one.certificate for one in self.bundles[kind].installed()]
        roots = [one for one in installed if self._is_root(kind, one)]
        others = [one for one in installed if not self._is_root(kind, one)]
        return Trust(roots, (*others, *further), self._rules.strict_ca, self._rules.clock_tolerance)

    def all_certificates(self) -> Iterator[Certificate]:
        """In whatever bundle, each at least once."""
        for bundle in self.bundles.values():
            yield from (one.certificate for one in bundle.installed())

    def checked(self, text: str, kind: CaCertificateType, now: float) -> Certificate | InstallCertificateResult:
        """The one certificate of a text, if it may become a root, or why not."""
        blocks = blocks_in(text.encode("utf-8", "replace")) if len(text) <= LONGEST_TEXT else []
        if len(blocks) != 1 or blocks[0].certificate is None:
            return InstallCertificateResult.INVALID_FORMAT
        certificate = blocks[0].certificate
        if not certificate.is_valid_at(now, self._rules.clock_tolerance):
            return InstallCertificateResult.EXPIRED
        predecessors = self._predecessors(kind)
        if any(certificate.fingerprint == one.fingerprint for one in predecessors):
            return certificate
        if predecessors:
            reason = ca_fault(certificate, strict=True)
            if not reason and not any(certificate.is_signed_by(one) for one in predecessors):
                reason = "not signed by the root before (AdditionalRootCertificateCheck)"
        else:
            reason = root_fault(certificate, strict=self._rules.strict_ca)
        if reason:
            return self._refused(InstallCertificateResult.INVALID_CERTIFICATE_CHAIN, reason)
        reason = signature_fault(certificate) or key_fault(certificate)
        if not reason and not predecessors and not certificate.is_self_signed:
            reason = "its own signature is wrong"
        return self._refused(InstallCertificateResult.INVALID_SIGNATURE, reason) if reason else certificate

    def is_installed(self, certificate: Certificate, kind: CaCertificateType) -> bool:
        return any(one.certificate.fingerprint == certificate.fingerprint for one in self.bundles[kind].installed())

    def installing(
        self, certificate: Certificate, kind: CaCertificateType, in_use: Collection[str]
    ) -> list[FileChange] | InstallCertificateResult:
        """What to change to trust it. Raises OSError."""
        removed: set[str] = set()
        predecessors = self._predecessors(kind)
        if predecessors:
            signers = {one.fingerprint for one in predecessors if certificate.is_signed_by(one)}
            every = {one.certificate.fingerprint for one in self.roots(kind)}
            removed = every - signers - set(in_use)
        most = self._rules.most_certificates
        after = {one.fingerprint for one in self.all_certificates()} - removed | {certificate.fingerprint}
        if most is not None and len(after) > most:
            return InstallCertificateResult.CERTIFICATE_STORE_MAX_LENGTH_EXCEEDED
        return self.bundles[kind].changes(certificate, removed)

    def deleting(
        self, hash_data: CertificateHashData, now: float, in_use: Collection[str]
    ) -> list[FileChange] | DeleteCertificateResult:
        """What to change to trust it no more. Raises OSError."""
        known = list(self.all_certificates())
        removed = {one.fingerprint for one in known if _is_named(one, hash_data, known)}
        if not removed:
            return DeleteCertificateResult.NOT_FOUND
        if removed & set(in_use):
            self._log.warning("a root certificate that is in use is not deleted")
            return DeleteCertificateResult.FAILED
        of_central_system = {one.certificate.fingerprint for one in self.roots(CaCertificateType.CSMS)}
        left = {one.certificate.fingerprint for one in self.valid_roots(CaCertificateType.CSMS, now)} - removed
        if removed & of_central_system and not left:
            self._log.warning("the last root certificate of the Central System is not deleted")
            return DeleteCertificateResult.FAILED
        changes: dict[FileChange, None] = {}
        for bundle in self.bundles.values():
            changes |= dict.fromkeys(bundle.changes(None, removed | self._orphans(bundle, removed)))
        return list(changes)

    def _orphans(self, bundle: Bundle, removed: set[str]) -> set[str]:
        """Of those that are no roots, of whatever family (a file may be of several), the ones that nobody in the bundle
        has signed any more."""
        certificates = [one.certificate for one in bundle.installed()]
        if not removed & {one.fingerprint for one in certificates}:
            return set()
        gone = set(removed)
        while True:
            left = [one for one in certificates if one.fingerprint not in gone]
            lost = {
                one.fingerprint
                for one in left
                if not is_root(one, successors_are_roots=self._rules.additional_root_check)
                and any(one.is_signed_by(other) for other in certificates if other.fingerprint in gone)
                and not any(one.is_signed_by(other) for other in left if other is not one)
            }
            if not lost:
                return gone
            gone |= lost

    def _is_root(self, kind: CaCertificateType, certificate: Certificate) -> bool:
        are_roots = kind is CaCertificateType.CSMS and self._rules.additional_root_check
        return is_root(certificate, successors_are_roots=are_roots)

    def _refused(self, result: InstallCertificateResult, reason: str) -> InstallCertificateResult:
        self._log.warning("a root certificate is refused: %s", reason)
        return result

    def _predecessors(self, kind: CaCertificateType) -> list[Certificate]:
        """By one of which a new root must be signed; none: it may be any."""
        if kind is not CaCertificateType.CSMS or not self._rules.additional_root_check:
            return []
        roots = [one.certificate for one in self.roots(kind)]
        # Who signed another one is the fallback, and its time is over.
        return [one for one in roots if not any(other is not one and other.is_signed_by(one) for other in roots)]


def _is_named(certificate: Certificate, hash_data: CertificateHashData, known: Sequence[Certificate]) -> bool:
    found = hash_data_of(certificate, known)
    return found is not None and equal(found, hash_data)
