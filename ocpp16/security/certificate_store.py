"""All that is wanted of certificates and keys, and what is asked of them. It blocks, and knows no clock and no tasks.

Whoever calls a method that changes holds the lock (`changing`); it is told whether the change is still wanted when
everything is prepared, and not before.
"""

import errno
from base64 import b64decode
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from ocpp16.security.aged_files import aged, half_made
from ocpp16.security.certificate import certificates_in
from ocpp16.security.certificate_files import FileChange
from ocpp16.security.chain import leaf_first
from ocpp16.security.evse_security import (
    CaCertificateType,
    CertificateHashData,
    CertificateSigningRequest,
    CertificateValidationResult,
    CsrStatus,
    DeleteCertificateResult,
    InstallCertificateResult,
    LeafCertificateType,
)
from ocpp16.security.hash_data import equal, hash_data_of
from ocpp16.security.installed_certificates import LONGEST_CHAIN, InstalledCertificates
from ocpp16.security.leaf_folder import Leaf
from ocpp16.security.private_keys import Subject, made_key, public_key_of, request_for
from ocpp16.security.tpm import ProviderFailed, make_provider_key

__all__ = ["CertificateStore", "MadeRequest"]

_REFUSALS: Final = {
    CertificateValidationResult.EXPIRED: InstallCertificateResult.EXPIRED,
    CertificateValidationResult.INVALID_SIGNATURE: InstallCertificateResult.INVALID_SIGNATURE,
    CertificateValidationResult.INVALID_LEAF_SIGNATURE: InstallCertificateResult.INVALID_SIGNATURE,
    CertificateValidationResult.ISSUER_NOT_FOUND: InstallCertificateResult.NO_ROOT_CERTIFICATE_INSTALLED,
    CertificateValidationResult.INVALID_CHAIN: InstallCertificateResult.INVALID_CERTIFICATE_CHAIN,
    CertificateValidationResult.REVOKED: InstallCertificateResult.INVALID_CERTIFICATE_CHAIN,
    CertificateValidationResult.UNKNOWN: InstallCertificateResult.INVALID_FORMAT,
}
_Wanted = Callable[[], bool]


class MadeRequest(NamedTuple):
    """A key that is not kept yet, and the request for its certificate."""

    kind: LeafCertificateType
    pem: bytes
    public: bytes
    csr: str
    of_provider: bool

    def __repr__(self) -> str:
        return f"<MadeRequest {self.kind}>"  # without the key


class CertificateStore(InstalledCertificates):
    """Methods that change raise OSError, and Withdrawn where nobody wants the change any more."""

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
        self, text: str, kind: LeafCertificateType, now: float, is_wanted: _Wanted, *, key: bytes | None = None
    ) -> InstallCertificateResult:
        """`key`: its private key, where that was made elsewhere; it is kept if the certificate is. Raises ValueError
        for one that cannot be opened."""
        folder = self._leaves.get(kind)
        if folder is None:
            return InstallCertificateResult.WRITE_ERROR
        public = None if key is None else public_key_of(key, self._password)
        if key is not None and public is None:
            raise ValueError("no private key that can be opened")
        chain = leaf_first(certificates_in(text)) if len(text) <= LONGEST_CHAIN else []
        # One that begins later is installed, and not used until then.
        verdict = self._verdict(chain, kind, now, may_start_later=True)
        if verdict.result is not CertificateValidationResult.VALID:
            self._log.warning("a certificate is refused: %s", verdict.reason)
            return _REFUSALS[verdict.result]
        changes: list[FileChange] = []
        if folder.key_of(chain[0]) is None:
            if key is None or public != chain[0].key:
                self._log.warning("a certificate is refused: there is no private key for it")
                return InstallCertificateResult.WRITE_ERROR
            changes.append(folder.adding_key(key, chain[0].key, now, of_provider=False))
        kept = verdict.path[:-1]
        same = (leaf for leaf in folder.leaves() if leaf.certificate.fingerprint == chain[0].fingerprint)
        if not any(leaf.chain_path is not None or len(kept) == 1 for leaf in same):
            changes += folder.adding(kept, now)
        if not changes:
            return InstallCertificateResult.ACCEPTED
        if not self._has_room(changes):
            return InstallCertificateResult.CERTIFICATE_STORE_MAX_LENGTH_EXCEEDED
        self._files.apply(changes, is_wanted)
        return InstallCertificateResult.ACCEPTED

    def make_request(
        self, kind: LeafCertificateType, subject: Subject, *, use_tpm: bool
    ) -> MadeRequest | CertificateSigningRequest:
        """A new key and a request for its certificate, or why there is none. Changes nothing, and takes its time: who
        calls it holds no lock."""
        if kind not in self._leaves:
            return CertificateSigningRequest(CsrStatus.INVALID_REQUESTED_TYPE)
        try:
            if use_tpm:
                made = make_provider_key(subject)
                return MadeRequest(kind, made.pem, made.public, made.csr, of_provider=True)
            key = made_key(self._rules.key_type, self._password)
            return MadeRequest(kind, key.pem, key.public, request_for(key, subject), of_provider=False)
        except ProviderFailed as error:
            self._log.error("no key could be made in the TPM: %s", error)
            return CertificateSigningRequest(CsrStatus.KEY_GEN_ERROR)
        except ValueError as error:
            self._log.error("no request for a certificate could be made: %s", error)
            return CertificateSigningRequest(CsrStatus.GENERATION_ERROR)

    def keep_request(
        self, made: MadeRequest, waiting: list[Path], now: float, is_wanted: _Wanted
    ) -> CertificateSigningRequest:
        """Keep its key, which is one of those `waiting` then; after that the request may be told."""
        folder = self._leaves[made.kind]
        changes = [folder.adding_key(made.pem, made.public, now, of_provider=made.of_provider)]
        if not self._has_room(changes):
            self._log.error("no request for a certificate: the store of certificates is full")
            return CertificateSigningRequest(CsrStatus.KEY_GEN_ERROR)
        self._files.apply(changes, is_wanted)
        waiting[:] = [*waiting, changes[0].path][-self._rules.most_waiting_keys :]
        return CertificateSigningRequest(CsrStatus.ACCEPTED, made.csr)

    def keep_ocsp_answer(self, hash_data: CertificateHashData, text: str, now: float, is_wanted: _Wanted) -> None:
        """Raises ValueError that says why it is not kept, OSError where there is no room for it."""
        issuer = self._issuer_of(hash_data)
        if issuer is None:
            raise ValueError("it is of no certificate that is installed here")
        try:
            der = b64decode("".join(text.split()), validate=True)
        except ValueError:
            raise ValueError("it is no base64") from None
        changes = self._ocsp.keeping(der, hash_data, issuer, now, self._rules.clock_tolerance)
        if not self._has_room(changes):
            raise OSError(errno.ENOSPC, "the store of certificates is full")
        self._files.apply(changes, is_wanted)

    def collect(self, waiting: Sequence[Path], now: float, is_wanted: _Wanted) -> int:
        """Delete what is of no use any more, but no key that is `waiting`; returns how many files that were."""
        changes: list[FileChange] = []
        for folder in self._leaves.values():
            changes += aged(self._files, folder, self._rules, now, waiting)
        for bundle in self._roots.bundles.values():
            changes += half_made(self._files, bundle.temporary(), now)
        changes += self._ocsp.useless(self._issuer_of, now, self._rules.clock_tolerance)
        if changes:
            self._files.apply(changes, is_wanted)
        return len(changes)

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

    def _has_room(self, changes: Sequence[FileChange]) -> bool:
        """May they be made, as far as the number and size of files go? What cannot be looked at takes nobody's room."""
        paths = {path for bundle in self._roots.bundles.values() for path in bundle.readable_paths()}
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
