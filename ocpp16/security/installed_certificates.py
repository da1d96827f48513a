"""What is installed of certificates and keys, and what is asked of it. It blocks, and knows no clock.

Nothing is remembered between two questions: files are of everybody, and what is in them now is what counts.
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from ocpp16.security.bundle import Bundle, Installed
from ocpp16.security.certificate import Certificate, certificates_in
from ocpp16.security.certificate_files import CertificateFiles
from ocpp16.security.certificate_paths import CertificatePaths
from ocpp16.security.chain import Verdict, verify
from ocpp16.security.evse_security import (
    CaCertificateType,
    CertificateExamination,
    CertificateHashData,
    CertificateHashDataChain,
    CertificateType,
    CertificateValidationResult,
    LeafCertificate,
    LeafCertificateStatus,
    LeafCertificateType,
    OcspRequestData,
)
from ocpp16.security.hash_data import equal, hash_data_of, named
from ocpp16.security.leaf_folder import PROVIDER_ENDING, Leaf, LeafFolder
from ocpp16.security.ocsp import request_data
from ocpp16.security.ocsp_cache import OcspCache
from ocpp16.security.revocation import lists_in, revoked
from ocpp16.security.root_store import RootStore
from ocpp16.security.store_log import StoreLog
from ocpp16.security.store_rules import DAY, StoreRules

__all__ = ["LONGEST_CHAIN", "InstalledCertificates"]

LONGEST_CHAIN: Final = 256 * 1024
"""Characters of a chain that is looked at; OCPP allows 10,000."""

_ROOTS: Final = {
    CertificateType.V2G_ROOT_CERTIFICATE: CaCertificateType.V2G,
    CertificateType.MO_ROOT_CERTIFICATE: CaCertificateType.MO,
    CertificateType.CSMS_ROOT_CERTIFICATE: CaCertificateType.CSMS,
    CertificateType.MF_ROOT_CERTIFICATE: CaCertificateType.MF,
}


class InstalledCertificates:
    """`now` is in seconds since 1970, UTC, wherever it is asked for."""

    def __init__(
        self, files: CertificateFiles, paths: CertificatePaths, rules: StoreRules, password: str | None
    ) -> None:
        self._files = files
        self._log = StoreLog()
        self._rules = rules
        self._password = password
        bundles = {kind: Bundle(files, kind, path) for kind, path in paths.bundles.items()}
        self._roots = RootStore(files, bundles, rules, self._log)
        self._leaves = {kind: LeafFolder(files, place, password, self._log) for kind, place in paths.leaves.items()}
        self._ocsp = OcspCache(files, paths.leaves[LeafCertificateType.V2G].ocsp)

    def installed(self, kinds: Sequence[CertificateType]) -> list[CertificateHashDataChain]:
        known = list(self._roots.all_certificates())
        found: list[CertificateHashDataChain] = []
        for kind in dict.fromkeys(kinds):
            if kind in _ROOTS:
                for one in self._roots.roots(_ROOTS[kind]):
                    hash_data = hash_data_of(one.certificate, known)
                    if hash_data is not None:
                        found.append(CertificateHashDataChain(kind, hash_data))
            elif kind is CertificateType.V2G_CERTIFICATE_CHAIN:
                for leaf in self._leaves[LeafCertificateType.V2G].leaves():
                    hashes = [hash_data_of(one, (*leaf.chain, *known)) for one in leaf.chain]
                    if hashes[0] is not None:
                        found.append(CertificateHashDataChain(kind, hashes[0], tuple(one for one in hashes[1:] if one)))
        return found

    def roots(self) -> Iterator[tuple[CaCertificateType, Installed]]:
        """Every root, with its family; for lists that people read."""
        for kind in self._roots.bundles:
            yield from ((kind, one) for one in self._roots.roots(kind))

    def leaves(self) -> Iterator[tuple[LeafCertificateType, Leaf, Path | None]]:
        """Every certificate of the charge point, and where its key is."""
        for kind, folder in self._leaves.items():
            for leaf in folder.leaves():
                yield kind, leaf, folder.key_of(leaf.certificate, leaf.paths)

    def hash_data(self, certificate: Certificate, chain: Sequence[Certificate] = ()) -> CertificateHashData | None:
        return hash_data_of(certificate, (*chain, *self._roots.all_certificates()))

    def is_ca_installed(self, kind: CaCertificateType, now: float) -> bool:
        return bool(self._roots.valid_roots(kind, now))

    def examine(self, text: str, kinds: Sequence[LeafCertificateType], now: float) -> CertificateExamination:
        """Where a contract may be meant, the roots of cars and stations vouch for contracts, and for nothing else."""
        chain = certificates_in(text) if len(text) <= LONGEST_CHAIN else []
        leaf_type = LeafCertificateType.MO if LeafCertificateType.MO in kinds else None
        verdicts = [self._verdict(chain, kind, now, leaf_type=leaf_type) for kind in kinds]
        # The one that got farthest: another family does not know the issuer at all.
        order = (CertificateValidationResult.VALID, None, CertificateValidationResult.ISSUER_NOT_FOUND)
        verdicts.sort(key=lambda verdict: order.index(verdict.result if verdict.result in order else None))
        if not verdicts:
            return CertificateExamination(CertificateValidationResult.UNKNOWN, "of no use that was named")
        if verdicts[0].reason:
            self._log.warning("a certificate is not valid: %s", verdicts[0].reason)
        return CertificateExamination(verdicts[0].result, verdicts[0].reason)

    def leaf_info(self, kind: LeafCertificateType, refused: Collection[str], now: float) -> LeafCertificate:
        folder = self._leaves.get(kind)
        if folder is None:
            return LeafCertificate(LeafCertificateStatus.REJECTED)
        tolerance = self._rules.clock_tolerance
        chosen = folder.chosen(now, refused, tolerance)
        if chosen is None:
            leaves = folder.leaves()
            if not leaves:
                return LeafCertificate(LeafCertificateStatus.NOT_FOUND)
            is_valid = any(leaf.certificate.is_valid_at(now, tolerance) for leaf in leaves)
            status = LeafCertificateStatus
            return LeafCertificate(status.PRIVATE_KEY_NOT_FOUND if is_valid else status.NOT_FOUND_VALID)
        leaf, key = chosen
        if leaf.chain_path is None and leaf.single_path is None:
            leaf = self._written_anew(folder, leaf, now)
        return LeafCertificate(
            LeafCertificateStatus.ACCEPTED,
            chain=leaf.chain_path or leaf.single_path,
            certificate=leaf.single_path,
            key=key,
            key_password=None if key.suffix == PROVIDER_ENDING else self._password,
            expires_at=leaf.certificate.expires_at,
            fingerprint=leaf.certificate.fingerprint,
        )

    def expiry_days(self, kind: LeafCertificateType, now: float) -> int:
        folder = self._leaves.get(kind)
        chosen = None if folder is None else folder.chosen(now, (), self._rules.clock_tolerance)
        return 0 if chosen is None else max(0, int((chosen[0].certificate.expires_at - now) // DAY))

    def verify_location(self, kind: CaCertificateType, now: float) -> Path | None:
        return self._roots.bundles[kind].path if self._roots.valid_roots(kind, now) else None

    def v2g_ocsp_request_data(self, now: float) -> list[OcspRequestData]:
        found: dict[OcspRequestData, None] = {}
        folder = self._leaves[LeafCertificateType.V2G]
        for leaf in folder.leaves():
            verdict = self._verdict(leaf.chain, LeafCertificateType.V2G, now, may_start_later=True)
            if verdict.path and folder.key_of(leaf.certificate, leaf.paths) is not None:
                found |= dict.fromkeys(request_data(verdict.path))
        return list(found)

    def mo_ocsp_request_data(self, text: str, now: float) -> list[OcspRequestData]:
        chain = certificates_in(text) if len(text) <= LONGEST_CHAIN else []
        for kind in (LeafCertificateType.V2G, LeafCertificateType.MO):
            verdict = self._verdict(chain, kind, now, leaf_type=LeafCertificateType.MO)
            if verdict.path:
                return list(dict.fromkeys(request_data(verdict.path)))
        return []

    def ocsp_answer(self, hash_data: CertificateHashData, now: float) -> bytes | None:
        """What a responder said of a certificate in DER, if that is kept, and still good."""
        issuer = self._issuer_of(hash_data)
        if issuer is None:
            return None
        answer = self._ocsp.answer(hash_data, issuer, now, self._rules.clock_tolerance)
        return None if answer is None else answer.der

    def _verdict(
        self,
        chain: Sequence[Certificate],
        family: LeafCertificateType,
        now: float,
        *,
        leaf_type: LeafCertificateType | None = None,
        may_start_later: bool = False,
    ) -> Verdict:
        trust = self._roots.trust(CaCertificateType(family))
        verdict = verify(chain, trust, leaf_type or family, now, may_start_later=may_start_later)
        if verdict.result is not CertificateValidationResult.VALID or not self._is_taken_back(verdict, family, now):
            return verdict
        return Verdict(CertificateValidationResult.REVOKED, reason="a certificate of the chain is revoked")

    def _is_taken_back(self, verdict: Verdict, family: LeafCertificateType, now: float) -> bool:
        """By a list that lies with the roots, or by what a responder said that is kept."""
        contents = self._roots.bundles[CaCertificateType(family)].contents()
        if revoked(verdict.path, (one for content in contents for one in lists_in(content))) is not None:
            return True
        return any(
            answer is not None and answer.is_revoked
            for certificate, issuer in pairwise(verdict.path)
            if certificate.responder_url
            for answer in (self._ocsp.answer(named(certificate, issuer), issuer, now, self._rules.clock_tolerance),)
        )

    def _written_anew(self, folder: LeafFolder, leaf: Leaf, now: float) -> Leaf:
        """A certificate that came in a form which OpenSSL does not take, as one that it does. Needs no lock: the files
        are new."""
        chain = [one for one in leaf.chain if not one.is_self_issued]
        try:
            self._files.apply(folder.adding(chain, now), lambda: True)
        except OSError as error:
            self._log.warning("a certificate cannot be written in PEM: %s", error.strerror or error)
        fingerprint = leaf.certificate.fingerprint
        return next((one for one in folder.leaves() if one.certificate.fingerprint == fingerprint), leaf)

    def _issuer_of(self, hash_data: CertificateHashData) -> Certificate | None:
        """The issuer of a certificate of the charge point towards cars, or of one in its chain, by name."""
        known = list(self._roots.all_certificates())
        for leaf in self._leaves[LeafCertificateType.V2G].leaves():
            for one in leaf.chain:
                for issuer in (*leaf.chain, *known):
                    if one.is_signed_by(issuer):
                        name = hash_data_of(one, (issuer,))
                        if name is not None and equal(name, hash_data):
                            return issuer
        return None
