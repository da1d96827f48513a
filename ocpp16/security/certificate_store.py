"""All that is kept of certificates and keys, and what is asked and wanted of it. It blocks, and knows no clock.

Nothing is remembered between two questions: files are of everybody, and what is in them now is what counts. Whoever
calls a method that changes holds the lock (`changing`); it is told whether the change is still wanted when everything
is prepared, and not before.
"""

import logging
from base64 import b64decode
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ocpp16.security.aged_files import aged
from ocpp16.security.bundle import Bundle, Installed
from ocpp16.security.certificate import Certificate, certificates_in
from ocpp16.security.certificate_files import CertificateFiles, FileChange
from ocpp16.security.certificate_paths import CertificatePaths
from ocpp16.security.chain import Verdict, leaf_first, verify
from ocpp16.security.evse_security import (
    CaCertificateType,
    CertificateHashData,
    CertificateHashDataChain,
    CertificateSigningRequest,
    CertificateType,
    CertificateValidationResult,
    CsrStatus,
    DeleteCertificateResult,
    InstallCertificateResult,
    LeafCertificate,
    LeafCertificateStatus,
    LeafCertificateType,
    OcspRequestData,
)
from ocpp16.security.hash_data import equal, hash_data_of
from ocpp16.security.leaf_folder import PROVIDER_ENDING, Leaf, LeafFolder
from ocpp16.security.ocsp import request_data
from ocpp16.security.ocsp_cache import OcspCache
from ocpp16.security.private_keys import Subject, made_key, public_key_of, request_for
from ocpp16.security.root_store import RootStore
from ocpp16.security.store_rules import DAY, StoreRules
from ocpp16.security.tpm import ProviderFailed, make_provider_key
from ocpp16.texts import shown

__all__ = ["CertificateStore"]

logger = logging.getLogger(__name__)

LONGEST_CHAIN: Final = 256 * 1024
"""Characters of a chain that is looked at; OCPP allows 10,000."""

_ROOTS: Final = {
    CertificateType.V2G_ROOT_CERTIFICATE: CaCertificateType.V2G,
    CertificateType.MO_ROOT_CERTIFICATE: CaCertificateType.MO,
    CertificateType.CSMS_ROOT_CERTIFICATE: CaCertificateType.CSMS,
    CertificateType.MF_ROOT_CERTIFICATE: CaCertificateType.MF,
}
_REFUSALS: Final = {
    CertificateValidationResult.EXPIRED: InstallCertificateResult.EXPIRED,
    CertificateValidationResult.INVALID_SIGNATURE: InstallCertificateResult.INVALID_SIGNATURE,
    CertificateValidationResult.INVALID_LEAF_SIGNATURE: InstallCertificateResult.INVALID_SIGNATURE,
    CertificateValidationResult.ISSUER_NOT_FOUND: InstallCertificateResult.NO_ROOT_CERTIFICATE_INSTALLED,
    CertificateValidationResult.INVALID_CHAIN: InstallCertificateResult.INVALID_CERTIFICATE_CHAIN,
    CertificateValidationResult.UNKNOWN: InstallCertificateResult.INVALID_FORMAT,
}
_Wanted = Callable[[], bool]


class CertificateStore:
    """`now` is in seconds since 1970, UTC, wherever it is asked for. Methods that change raise OSError, and Withdrawn
    where nobody wants the change any more."""

    def __init__(
        self, files: CertificateFiles, paths: CertificatePaths, rules: StoreRules, password: str | None
    ) -> None:
        self._files = files
        self._rules = rules
        self._password = password
        bundles = {kind: Bundle(files, kind, path) for kind, path in paths.bundles.items()}
        self._roots = RootStore(files, bundles, rules)
        self._leaves = {kind: LeafFolder(files, place, password) for kind, place in paths.leaves.items()}
        self._made: list[Path] = []
        self._ocsp = OcspCache(files, paths.leaves[LeafCertificateType.V2G].ocsp)

    # What is there

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

    def verify(self, text: str, kinds: Sequence[LeafCertificateType], now: float) -> CertificateValidationResult:
        chain = certificates_in(text) if len(text) <= LONGEST_CHAIN else []
        verdicts = [self._verdict(chain, kind, now) for kind in kinds]
        # The one that got farthest: another family does not know the issuer at all.
        order = (CertificateValidationResult.VALID, None, CertificateValidationResult.ISSUER_NOT_FOUND)
        verdicts.sort(key=lambda verdict: order.index(verdict.result if verdict.result in order else None))
        if not verdicts:
            return CertificateValidationResult.UNKNOWN
        if verdicts[0].reason:
            logger.warning("a certificate is not valid: %s", shown(verdicts[0].reason))
        return verdicts[0].result

    def leaf_info(self, kind: LeafCertificateType, refused: Collection[str], now: float) -> LeafCertificate:
        folder = self._leaves.get(kind)
        if folder is None:
            return LeafCertificate(LeafCertificateStatus.REJECTED)
        chosen = folder.chosen(now, refused)
        if chosen is None:
            leaves = folder.leaves()
            if not leaves:
                return LeafCertificate(LeafCertificateStatus.NOT_FOUND)
            is_valid = any(leaf.certificate.is_valid_at(now) for leaf in leaves)
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
        chosen = None if folder is None else folder.chosen(now, ())
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
        return None if issuer is None else self._ocsp.answer(hash_data, issuer, now, self._rules.clock_tolerance)

    # What changes

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keep others, also other processes, from changing anything. Raises OSError."""
        folders = [bundle.folder for bundle in self._roots.bundles.values()]
        for leaves in self._leaves.values():
            folders += [leaves.paths.certificates, leaves.paths.keys]
        with self._files.locked(folders):
            yield

    def install_ca(
        self, text: str, kind: CaCertificateType, now: float, in_use: Collection[str], is_wanted: _Wanted
    ) -> InstallCertificateResult:
        certificate = self._roots.checked(text, kind, now)
        if isinstance(certificate, InstallCertificateResult):
            return certificate
        if self._roots.is_installed(certificate, kind):
            return InstallCertificateResult.ACCEPTED
        changes = self._roots.installing(certificate, kind, in_use)
        if isinstance(changes, InstallCertificateResult):
            return changes
        if not self._has_room(changes):
            return InstallCertificateResult.CERTIFICATE_STORE_MAX_LENGTH_EXCEEDED
        self._files.apply(changes, is_wanted)
        return InstallCertificateResult.ACCEPTED

    def delete(
        self, hash_data: CertificateHashData, now: float, in_use: Collection[str], is_wanted: _Wanted
    ) -> DeleteCertificateResult:
        changes = self._roots.deleting(hash_data, now, in_use)
        if changes is DeleteCertificateResult.NOT_FOUND:
            changes = self._deleting_leaf(hash_data)
        if isinstance(changes, DeleteCertificateResult):
            return changes
        self._files.apply(changes, is_wanted)
        return DeleteCertificateResult.ACCEPTED

    def update_leaf(
        self, text: str, kind: LeafCertificateType, now: float, is_wanted: _Wanted
    ) -> InstallCertificateResult:
        folder = self._leaves.get(kind)
        if folder is None:
            return InstallCertificateResult.WRITE_ERROR
        chain = leaf_first(certificates_in(text)) if len(text) <= LONGEST_CHAIN else []
        # One that begins later is installed, and not used until then.
        verdict = self._verdict(chain, kind, now, may_start_later=True)
        if verdict.result is not CertificateValidationResult.VALID:
            logger.warning("a certificate is refused: %s", shown(verdict.reason))
            return _REFUSALS[verdict.result]
        if folder.key_of(chain[0]) is None:
            logger.warning("a certificate is refused: there is no private key for it")
            return InstallCertificateResult.WRITE_ERROR
        if any(leaf.certificate.fingerprint == chain[0].fingerprint for leaf in folder.leaves()):
            return InstallCertificateResult.ACCEPTED
        changes = folder.adding(verdict.path[:-1], now)
        if not self._has_room(changes):
            return InstallCertificateResult.CERTIFICATE_STORE_MAX_LENGTH_EXCEEDED
        self._files.apply(changes, is_wanted)
        return InstallCertificateResult.ACCEPTED

    def import_key(self, pem: bytes, kind: LeafCertificateType, now: float, is_wanted: _Wanted) -> None:
        """Keep a private key that was made elsewhere. Raises ValueError for one that cannot be opened."""
        public = public_key_of(pem, self._password)
        if public is None:
            raise ValueError("no private key that can be opened")
        self._files.apply([self._leaves[kind].adding_key(pem, public, now, of_provider=False)], is_wanted)

    def request(
        self, kind: LeafCertificateType, subject: Subject, now: float, is_wanted: _Wanted, *, use_tpm: bool
    ) -> CertificateSigningRequest:
        folder = self._leaves.get(kind)
        if folder is None:
            return CertificateSigningRequest(CsrStatus.INVALID_REQUESTED_TYPE)
        try:
            if use_tpm:
                made = make_provider_key(subject)
                pem, public, csr = made.pem, made.public, made.csr
            else:
                key = made_key(self._rules.key_type, self._password)
                pem, public, csr = key.pem, key.public, request_for(key, subject)
        except ProviderFailed as error:
            logger.error("no key could be made in the TPM: %s", shown(error))
            return CertificateSigningRequest(CsrStatus.KEY_GEN_ERROR)
        except ValueError as error:
            logger.error("no request for a certificate could be made: %s", shown(error))
            return CertificateSigningRequest(CsrStatus.GENERATION_ERROR)
        changes = [folder.adding_key(pem, public, now, of_provider=use_tpm)]
        if not self._has_room(changes):
            logger.error("no request for a certificate: the store of certificates is full")
            return CertificateSigningRequest(CsrStatus.KEY_GEN_ERROR)
        self._files.apply(changes, is_wanted)
        self._made = [*self._made, changes[0].path][-self._rules.most_waiting_keys :]
        return CertificateSigningRequest(CsrStatus.ACCEPTED, csr)

    def keep_ocsp_answer(self, hash_data: CertificateHashData, text: str, now: float, is_wanted: _Wanted) -> None:
        """Raises ValueError that says why it is not kept."""
        issuer = self._issuer_of(hash_data)
        if issuer is None:
            raise ValueError("it is of no certificate that is installed here")
        try:
            der = b64decode("".join(text.split()), validate=True)
        except ValueError:
            raise ValueError("it is no base64") from None
        changes = self._ocsp.keeping(der, hash_data, issuer, now, self._rules.clock_tolerance)
        if self._has_room(changes):
            self._files.apply(changes, is_wanted)

    def collect(self, now: float, is_wanted: _Wanted) -> int:
        """Delete what is of no use any more; returns how many files that were."""
        changes: list[FileChange] = []
        for folder in self._leaves.values():
            changes += aged(self._files, folder, self._rules, now, self._made)
        changes += self._ocsp.useless(self._issuer_of, now, self._rules.clock_tolerance)
        if changes:
            self._files.apply(changes, is_wanted)
        return len(changes)

    # Behind them

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
        return verify(chain, trust, leaf_type or family, now, may_start_later=may_start_later)

    def _written_anew(self, folder: LeafFolder, leaf: Leaf, now: float) -> Leaf:
        """A certificate that came in a form which OpenSSL does not take, as one that it does. Needs no lock: the files
        are new."""
        chain = [one for one in leaf.chain if not one.is_self_issued]
        try:
            self._files.apply(folder.adding(chain, now), lambda: True)
        except OSError as error:
            logger.warning("a certificate cannot be written in PEM: %s", shown(error.strerror or error))
        fingerprint = leaf.certificate.fingerprint
        return next((one for one in folder.leaves() if one.certificate.fingerprint == fingerprint), leaf)

    def _deleting_leaf(self, hash_data: CertificateHashData) -> list[FileChange] | DeleteCertificateResult:
        known = list(self._roots.all_certificates())

        def is_named(leaf: Leaf) -> bool:
            names = (hash_data_of(one, (*leaf.chain, *known)) for one in leaf.chain)
            return any(name is not None and equal(name, hash_data) for name in names)

        own, secc = self._leaves[LeafCertificateType.CSMS], self._leaves[LeafCertificateType.V2G]
        if any(is_named(leaf) for leaf in own.leaves()):
            return DeleteCertificateResult.FAILED
        leaves = [leaf for leaf in secc.leaves() if is_named(leaf)]
        if not leaves:
            return DeleteCertificateResult.NOT_FOUND
        changes = [FileChange(path, None) for leaf in leaves for path in leaf.paths]
        kept_keys = {leaf.certificate.key for leaf in secc.leaves()} - {leaf.certificate.key for leaf in leaves}
        for leaf in leaves:
            key = secc.key_of(leaf.certificate, leaf.paths)
            if key is not None and leaf.certificate.key not in kept_keys:
                changes.append(FileChange(key, None))
            name = hash_data_of(leaf.certificate, (*leaf.chain, *known))
            changes += [] if name is None else self._ocsp.dropping(name)
        return list(dict.fromkeys(changes))

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

    def _has_room(self, changes: Sequence[FileChange]) -> bool:
        """May they be made, as far as the number and size of files go?"""
        paths = {path for bundle in self._roots.bundles.values() for path in bundle.paths()}
        for folder in self._leaves.values():
            paths |= {*folder.certificate_files(), *folder.key_files()}
        states = {path: self._files.state(path) for path in paths}
        sizes = {path: state.size for path, state in states.items() if state is not None}
        for path, content, _ in changes:
            if content is None:
                sizes.pop(path, None)
            else:
                sizes[path] = len(content)
        return len(sizes) <= self._rules.most_files and sum(sizes.values()) <= self._rules.most_bytes
