"""The built-in EvseSecurity: certificates and keys as files, in the folder layout of libocpp.

All work on files and keys is done by threads: questions beside each other, changes one after another. Who is cancelled
waits no longer; a change that was not prepared until then is not made, and one that was is made whole.
"""

import errno
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

import trio

from ocpp16.security.certificate_files import LOCK_TIMEOUT, DiskFiles, Withdrawn
from ocpp16.security.certificate_links import point
from ocpp16.security.certificate_paths import CertificatePaths
from ocpp16.security.certificate_store import CertificateStore
from ocpp16.security.evse_security import (
    CaCertificateType,
    CertificateExamination,
    CertificateHashData,
    CertificateHashDataChain,
    CertificateSigningRequest,
    CertificateType,
    CertificateValidationResult,
    CsrStatus,
    DeleteCertificateResult,
    InstallCertificateResult,
    LeafCertificate,
    LeafCertificateType,
    OcspRequestData,
)
from ocpp16.security.private_keys import KeyType, Subject
from ocpp16.security.store_log import StoreLog
from ocpp16.security.store_rules import StoreRules

__all__ = ["FileEvseSecurity", "StoredEvseSecurity"]

READERS: Final = 4
"""Threads that answer questions of one store at once; one that hangs in a disk is one of them until that answers."""
WRITERS: Final = 2
_T = TypeVar("_T")
_Wanted = Callable[[], bool]


class _Threads:
    """Of one store in one run of trio: a fleet on one folder that connects anew would else have one each."""

    def __init__(self) -> None:
        self.readers = trio.CapacityLimiter(READERS)
        self.writers = trio.CapacityLimiter(WRITERS)


_threads: "trio.lowlevel.RunVar[WeakKeyDictionary[CertificateStore, _Threads]]" = trio.lowlevel.RunVar("threads")


def _threads_of(store: CertificateStore) -> _Threads:
    try:
        known = _threads.get()
    except LookupError:
        known = WeakKeyDictionary()
        _threads.set(known)
    threads = known.get(store)
    if threads is None:
        threads = known[store] = _Threads()
    return threads


class StoredEvseSecurity:
    """An EvseSecurity over a `CertificateStore`, wherever that has its files.

    Parameters: `now` tells seconds since 1970, UTC; `inline` works in the trio thread itself, for a virtual clock.

    `roots_in_use`: fingerprints (SHA-256 of the DER, hexadecimal) of roots that are not deleted, as the one that the
    Central System is believed by now.
    """

    def __init__(self, store: CertificateStore, now: Callable[[], float], *, inline: bool = False) -> None:
        self.roots_in_use: Collection[str] = ()
        self._store = store
        self._now = now
        self._is_inline = inline
        self._waiting_keys: list[Path] = []
        """Made here, in this life, for a certificate that has not come yet; the newest last."""
        self._log = StoreLog()
        self._changing = threading.Lock()

    async def install_ca_certificate(
        self, certificate: str, certificate_type: CaCertificateType
    ) -> InstallCertificateResult:
        """Trust one more root, once it is durable. It must be one certificate, of a CA, self-signed, with a key and a
        signature that are not weak, and valid now; WriteError where it cannot be written."""

        def change(is_wanted: _Wanted) -> InstallCertificateResult:
            return self._store.install_ca(certificate, certificate_type, self._now(), self.roots_in_use, is_wanted)

        try:
            return await self._change(change)
        except OSError as error:
            return self._failed("a root certificate cannot be installed", error, InstallCertificateResult.WRITE_ERROR)

    async def delete_certificate(self, hash_data: CertificateHashData) -> DeleteCertificateResult:
        """Delete a root, or a chain towards cars with its key. Failed for the last root of the Central System, one of
        `roots_in_use`, the certificate of the charge point itself, and where the disk refuses."""

        def change(is_wanted: _Wanted) -> DeleteCertificateResult:
            return self._store.delete(hash_data, self._now(), self.roots_in_use, is_wanted)

        try:
            return await self._change(change)
        except OSError as error:
            return self._failed("a certificate cannot be deleted", error, DeleteCertificateResult.FAILED)

    async def get_installed_certificates(
        self, certificate_types: Sequence[CertificateType]
    ) -> list[CertificateHashDataChain]:
        """What is there of these types."""
        return await self._read(partial(self._store.installed, tuple(certificate_types)))

    async def is_ca_certificate_installed(self, certificate_type: CaCertificateType) -> bool:
        """Is there a root that is valid now?"""
        return await self._read(lambda: self._store.is_ca_installed(certificate_type, self._now()))

    async def verify_certificate(
        self, certificate_chain: str, leaf_types: Sequence[LeafCertificateType]
    ) -> CertificateValidationResult:
        """Does a chain lead to an installed root of one of these uses, and is all of it valid now?"""
        return (await self.examine_certificate(certificate_chain, leaf_types)).result

    async def examine_certificate(
        self, certificate_chain: str, leaf_types: Sequence[LeafCertificateType]
    ) -> CertificateExamination:
        """`verify_certificate` with the reason for its answer. Where MO is among the uses, a contract is meant."""
        kinds = tuple(leaf_types)
        return await self._read(lambda: self._store.examine(certificate_chain, kinds, self._now()))

    async def update_leaf_certificate(
        self, certificate_chain: str, leaf_type: LeafCertificateType
    ) -> InstallCertificateResult:
        """Install a certificate that is verified, and whose key is here (else WriteError). One that is valid later is
        taken, and used from then on."""

        def change(is_wanted: _Wanted) -> InstallCertificateResult:
            result = self._store.update_leaf(certificate_chain, leaf_type, self._now(), is_wanted)
            self._collect(is_wanted)
            return result

        try:
            return await self._change(change)
        except OSError as error:
            return self._failed("a certificate cannot be installed", error, InstallCertificateResult.WRITE_ERROR)

    async def generate_certificate_signing_request(
        self, leaf_type: LeafCertificateType, country: str, organization: str, common_name: str, use_tpm: bool
    ) -> CertificateSigningRequest:
        """Make a key, durable before this answers, and a request for its certificate. KeyGenError where the TPM, or
        the command `openssl` with its provider, or the disk fails; the log says why."""
        subject = Subject(country, organization, common_name)
        made = await self._work(lambda: self._store.make_request(leaf_type, subject, use_tpm=use_tpm), is_long=True)
        if isinstance(made, CertificateSigningRequest):
            return made

        def change(is_wanted: _Wanted) -> CertificateSigningRequest:
            self._collect(is_wanted)
            return self._store.keep_request(made, self._waiting_keys, self._now(), is_wanted)

        try:
            return await self._change(change)
        except OSError as error:
            return self._failed("no key can be written", error, CertificateSigningRequest(CsrStatus.KEY_GEN_ERROR))

    async def get_leaf_certificate_info(
        self, leaf_type: LeafCertificateType, refused: Sequence[str] = ()
    ) -> LeafCertificate:
        """The certificate to use now. A key that others may read is closed to them, with a warning."""
        given_up = frozenset(refused)
        return await self._read(lambda: self._store.leaf_info(leaf_type, given_up, self._now()))

    async def get_leaf_expiry_days_count(self, leaf_type: LeafCertificateType) -> int:
        """Whole days until the certificate in use expires, 0 without one."""
        return await self._read(lambda: self._store.expiry_days(leaf_type, self._now()))

    async def get_verify_location(self, certificate_type: CaCertificateType) -> Path | None:
        """The file or folder of the roots of a family; None where none is valid now."""
        return await self._read(lambda: self._store.verify_location(certificate_type, self._now()))

    async def get_v2g_ocsp_request_data(self) -> list[OcspRequestData]:
        """Of the installed V2G chains that lead to a root and have a key, those that name a responder."""
        return await self._read(lambda: self._store.v2g_ocsp_request_data(self._now()))

    async def get_mo_ocsp_request_data(self, certificate_chain: str) -> list[OcspRequestData]:
        """Of a contract chain that leads to an installed root; none if it does not."""
        return await self._read(lambda: self._store.mo_ocsp_request_data(certificate_chain, self._now()))

    async def update_ocsp_cache(self, hash_data: CertificateHashData, ocsp_response: str) -> None:
        """Keep what a responder said. Raises ValueError that says why it is not kept: it is of another certificate, not
        of now, or not signed by whom it should be; OSError where it cannot be written."""
        await self._change(
            lambda is_wanted: self._store.keep_ocsp_answer(hash_data, ocsp_response, self._now(), is_wanted)
        )

    async def get_ocsp_response(self, hash_data: CertificateHashData) -> bytes | None:
        """What was kept of a responder about a certificate, in DER, while it is good."""
        return await self._read(lambda: self._store.ocsp_answer(hash_data, self._now()))

    async def collect_garbage(self) -> int:
        """Delete keys that got no certificate, certificates long expired, and answers of responders that are of no use.
        It is done with each request and each new certificate, too. Returns how many files went. Raises OSError."""
        return await self._change(lambda is_wanted: self._store.collect(self._waiting_keys, self._now(), is_wanted))

    def _failed(self, what: str, error: OSError, answer: _T) -> _T:
        self._log.error("%s: %s", what, error.strerror or error)
        return answer

    def _collect(self, is_wanted: _Wanted) -> None:
        try:
            self._store.collect(self._waiting_keys, self._now(), is_wanted)
        except OSError as error:  # what it is done besides shall not fail for that
            self._log.warning("old certificates and keys cannot be deleted: %s", error.strerror or error)

    async def _read(self, answer: Callable[[], _T]) -> _T:
        return await self._work(answer)

    async def _work(self, work: Callable[[], _T], *, is_long: bool = False) -> _T:
        """In a thread: of those that write, and make keys, if `is_long`."""
        if self._is_inline:
            await trio.lowlevel.checkpoint()
            return work()
        threads = _threads_of(self._store)
        limiter = threads.writers if is_long else threads.readers
        return await trio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=limiter)

    async def _change(self, change: Callable[[_Wanted], _T]) -> _T:
        is_given_up = threading.Event()

        def work() -> _T:
            if not self._changing.acquire(timeout=LOCK_TIMEOUT):
                raise OSError(errno.EAGAIN, "the change before hangs in the file system")
            try:
                with self._store.changing():
                    if is_given_up.is_set():
                        raise Withdrawn
                    return change(lambda: not is_given_up.is_set())
            finally:
                self._changing.release()

        try:
            return await self._work(work, is_long=True)
        except trio.Cancelled:
            is_given_up.set()
            raise


_stores: "WeakValueDictionary[object, CertificateStore]" = WeakValueDictionary()


def _store(paths: CertificatePaths, rules: StoreRules, password: str | None) -> CertificateStore:
    """Those of the same files have one: a fleet on one folder would keep thousands of the same."""
    key = (*paths.bundles.values(), *paths.leaves.values(), rules, password)
    store = _stores.get(key)
    if store is None:
        store = _stores[key] = CertificateStore(DiskFiles(), paths, rules, password)
    return store


class FileEvseSecurity(StoredEvseSecurity):
    """Certificates and keys in files. Making one touches no file: folders are made when something is written.

    Parameters: `certificates_path` the folder `certs` with the layout of libocpp; single paths by libocpp's names lie
    over it, and without it all are needed. `csms_ca_bundle`, `mf_ca_bundle`, `mo_ca_bundle`, `v2g_ca_bundle` a PEM or
    DER file, or a folder of them; the `…_directory` paths folders. The links, if given, are made to lead to what is in
    use towards cars by `update_certificate_links`. `private_key_password` opens encrypted keys, and encrypts new ones.

    `strict_ca` refuses a root that does not say that it is one (basicConstraints). `additional_root_certificate_check`
    is AdditionalRootCertificateCheck, `certificate_store_max_length` CertificateStoreMaxLength (roots of all families).
    `clock_tolerance`: seconds by which the clock of the station may be wrong. `key_type` of new keys. `now` tells
    seconds since 1970, UTC. `inline` works in the trio thread itself, for a virtual clock.

    Raises ConfigurationError for paths that cannot be.
    """

    def __init__(
        self,
        certificates_path: str | Path | None = None,
        *,
        csms_ca_bundle: str | Path | None = None,
        mf_ca_bundle: str | Path | None = None,
        mo_ca_bundle: str | Path | None = None,
        v2g_ca_bundle: str | Path | None = None,
        csms_leaf_cert_directory: str | Path | None = None,
        csms_leaf_key_directory: str | Path | None = None,
        secc_leaf_cert_directory: str | Path | None = None,
        secc_leaf_key_directory: str | Path | None = None,
        secc_leaf_cert_link: str | Path | None = None,
        secc_leaf_key_link: str | Path | None = None,
        cpo_cert_chain_link: str | Path | None = None,
        private_key_password: str | None = None,
        strict_ca: bool = False,
        additional_root_certificate_check: bool = False,
        certificate_store_max_length: int | None = None,
        clock_tolerance: float = 0.0,
        key_type: KeyType = KeyType.EC_P256,
        now: Callable[[], float] = time.time,
        inline: bool = False,
    ) -> None:
        single = {
            "csms_ca_bundle": csms_ca_bundle,
            "mf_ca_bundle": mf_ca_bundle,
            "mo_ca_bundle": mo_ca_bundle,
            "v2g_ca_bundle": v2g_ca_bundle,
            "csms_leaf_cert_directory": csms_leaf_cert_directory,
            "csms_leaf_key_directory": csms_leaf_key_directory,
            "secc_leaf_cert_directory": secc_leaf_cert_directory,
            "secc_leaf_key_directory": secc_leaf_key_directory,
        }
        paths = CertificatePaths.of(None if certificates_path is None else Path(certificates_path), single)
        rules = StoreRules(
            strict_ca=strict_ca,
            additional_root_check=additional_root_certificate_check,
            most_certificates=certificate_store_max_length,
            clock_tolerance=clock_tolerance,
            key_type=key_type,
        )
        super().__init__(_store(paths, rules, private_key_password or None), now, inline=inline)
        self._links = (secc_leaf_cert_link, secc_leaf_key_link, cpo_cert_chain_link)
        self.certificate_store_max_length: int | None = certificate_store_max_length
        """Roots of all families that are kept at most; one that is there already, or takes the place of another, is no
        further one."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    async def update_certificate_links(self) -> bool:
        """Make the links lead to certificate, key and chain in use towards cars, or remove them where there are none.
        Returns whether one changed. Raises OSError."""
        return await self._change(self._point_links)

    def _point_links(self, is_wanted: _Wanted) -> bool:
        info = self._store.leaf_info(LeafCertificateType.V2G, (), self._now())
        targets = (info.certificate or info.chain, info.key, info.chain)
        pairs: Mapping[Path, Path | None] = {
            Path(link): target for link, target in zip(self._links, targets, strict=True) if link is not None
        }
        if not is_wanted():
            raise Withdrawn
        changed = [point(link, target) for link, target in pairs.items()]
        return any(changed)
