"""Certificates and keys in memory, for tests, and the contract of an `EvseSecurity` of one's own.

    async def test_my_security():
        await check_evse_security(MyEvseSecurity(), time.time())

What is in memory decides as the built-in one does, at once and on whatever clock; files that OpenSSL could read it has
none, so it cannot serve a real TLS connection.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ocpp16.security.certificate_files import FileChange, FileState, Withdrawn
from ocpp16.security.certificate_paths import CertificatePaths
from ocpp16.security.certificate_store import CertificateStore
from ocpp16.security.evse_security import (
    CaCertificateType,
    CertificateHashData,
    CertificateSigningRequest,
    CertificateType,
    CertificateValidationResult,
    CsrStatus,
    DeleteCertificateResult,
    EvseSecurity,
    InstallCertificateResult,
    LeafCertificate,
    LeafCertificateStatus,
    LeafCertificateType,
)
from ocpp16.security.file_evse_security import StoredEvseSecurity
from ocpp16.security.lab_pki import Authority, Use
from ocpp16.security.store_rules import StoreRules

__all__ = ["MemoryEvseSecurity", "check_evse_security"]


class MemoryFiles:
    """Files that are a mapping. While there is an `error` nothing can be changed."""

    def __init__(self) -> None:
        self.content: dict[Path, bytes] = {}
        self.error: OSError | None = None

    def is_folder(self, path: Path) -> bool:
        return any(path in file.parents for file in self.content)

    def listed(self, folder: Path) -> list[Path]:
        return sorted(path for path in self.content if path.parent == folder)

    def read(self, path: Path) -> bytes | None:
        return self.content.get(path)

    def state(self, path: Path) -> FileState | None:
        content = self.content.get(path)
        return None if content is None else FileState(0.0, len(content), False)

    @contextmanager
    def _unlocked(self) -> Iterator[None]:
        yield

    def locked(self, folders: Iterable[Path]) -> AbstractContextManager[None]:
        return self._unlocked()

    def apply(self, changes: Sequence[FileChange], is_wanted: Callable[[], bool]) -> None:
        if self.error is not None:
            raise self.error
        if not is_wanted():
            raise Withdrawn
        for path, content, _ in changes:
            if content is None:
                self.content.pop(path, None)
            else:
                self.content[path] = content

    def restrict(self, path: Path) -> None:
        pass


class MemoryEvseSecurity(StoredEvseSecurity):
    """An `EvseSecurity` that keeps everything in memory.

    Parameters: `now` tells seconds since 1970, UTC; `rules` as those of the built-in one.

    `files.error`, an OSError, makes every change fail, as a full disk would.
    """

    def __init__(self, now: Callable[[], float], rules: StoreRules | None = None) -> None:
        self.files: MemoryFiles = MemoryFiles()
        paths = CertificatePaths.of(Path("certs"), {})
        super().__init__(CertificateStore(self.files, paths, rules or StoreRules(), None), now, inline=True)

    async def get_leaf_certificate_info(
        self, leaf_type: LeafCertificateType, refused: Sequence[str] = ()
    ) -> LeafCertificate:
        """The certificate to use, without files."""
        info = await super().get_leaf_certificate_info(leaf_type, refused)
        return replace(info, chain=None, certificate=None, key=None)

    async def get_verify_location(self, certificate_type: CaCertificateType) -> Path | None:
        """None: there is no file."""
        return None


@dataclass(frozen=True)
class _Given:
    """What the checks work with."""

    security: EvseSecurity
    root: Authority
    other: Authority
    now: float


async def check_evse_security(security: EvseSecurity, now: float) -> list[str]:
    """Check an EvseSecurity that holds nothing yet. Returns the names of the rules that were checked.

    Parameter: `now`, seconds since 1970, UTC, is what it takes for the present. Raises AssertionError for a rule that
    does not hold.
    """
    given = _Given(security, Authority("Root", now), Authority("Other root", now), now)
    names = []
    for check in _CHECKS:
        name = check.__name__.strip("_")
        try:
            await check(given)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from None
        names.append(name)
    return names


def _expect(actual: Any, expected: Any, what: str) -> None:
    if actual != expected:
        raise AssertionError(f"{what}: expected {expected!r:.300}, got {actual!r:.300}")


async def _roots(given: _Given) -> list[CertificateHashData]:
    found = await given.security.get_installed_certificates([CertificateType.CSMS_ROOT_CERTIFICATE])
    return [one.hash_data for one in found]


async def _request(given: _Given, common_name: str = "cp001") -> CertificateSigningRequest:
    return await given.security.generate_certificate_signing_request(
        LeafCertificateType.CSMS, "NL", "Operator", common_name, False
    )


async def _nothing_is_there_at_first(given: _Given) -> None:
    security = given.security
    _expect(list(await security.get_installed_certificates(list(CertificateType))), [], "installed")
    for kind in CaCertificateType:
        _expect(await security.is_ca_certificate_installed(kind), False, f"a root of {kind}")
        _expect(await security.get_verify_location(kind), None, f"where roots of {kind} are")
    info = await security.get_leaf_certificate_info(LeafCertificateType.CSMS)
    _expect(info, LeafCertificate(LeafCertificateStatus.NOT_FOUND), "leaf")
    _expect(await security.get_leaf_expiry_days_count(LeafCertificateType.CSMS), 0, "days")
    chain = given.root.issue("leaf").chain
    result = await security.verify_certificate(chain, [LeafCertificateType.CSMS])
    _expect(result, CertificateValidationResult.ISSUER_NOT_FOUND, "a chain without any root")
    hash_data = CertificateHashData("SHA256", "00" * 32, "00" * 32, "1")
    _expect(await security.delete_certificate(hash_data), DeleteCertificateResult.NOT_FOUND, "deleted")


async def _what_is_no_root_is_not_installed(given: _Given) -> None:
    below = Authority("Below", given.now, above=given.root)
    leaf = given.root.issue("leaf").certificate
    expired = Authority("Expired", given.now - 86_400 * 400, days=365).certificate
    later = Authority("Later", given.now + 86_400 * 2).certificate
    refused = InstallCertificateResult
    for text, expected in (
        ("", refused.INVALID_FORMAT),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", refused.INVALID_FORMAT),
        (given.root.certificate + given.other.certificate, refused.INVALID_FORMAT),
        (leaf, refused.INVALID_CERTIFICATE_CHAIN),
        (below.certificate, refused.INVALID_CERTIFICATE_CHAIN),
        (expired, refused.EXPIRED),
        (later, refused.EXPIRED),
    ):
        _expect(await given.security.install_ca_certificate(text, CaCertificateType.CSMS), expected, "installed")
    _expect(await _roots(given), [], "roots")


async def _a_root_is_installed_once(given: _Given) -> None:
    for _ in range(2):
        text = given.root.certificate.replace("\n", "\r\n")
        result = await given.security.install_ca_certificate(text, CaCertificateType.CSMS)
        _expect(result, InstallCertificateResult.ACCEPTED, "installed")
    _expect(len(await _roots(given)), 1, "number of roots")
    _expect(await given.security.is_ca_certificate_installed(CaCertificateType.CSMS), True, "a root of CSMS")
    _expect(await given.security.is_ca_certificate_installed(CaCertificateType.MF), False, "a root of MF")


async def _the_last_root_is_not_deleted(given: _Given) -> None:
    (last,) = await _roots(given)
    _expect(await given.security.delete_certificate(last), DeleteCertificateResult.FAILED, "deleted")
    await given.security.install_ca_certificate(given.other.certificate, CaCertificateType.CSMS)
    (other,) = [one for one in await _roots(given) if one != last]
    upper = CertificateHashData(*(part.upper() for part in other))
    _expect(await given.security.delete_certificate(upper), DeleteCertificateResult.ACCEPTED, "deleted")
    _expect(await _roots(given), [last], "roots")


async def _chains_are_verified(given: _Given) -> None:
    below = Authority("Below", given.now, above=given.root)
    valid = CertificateValidationResult
    for chain, expected in (
        (given.root.issue("leaf").chain, valid.VALID),
        (below.issue("leaf").chain, valid.VALID),
        (below.issue("leaf").certificate, valid.ISSUER_NOT_FOUND),
        (given.other.issue("leaf").chain, valid.ISSUER_NOT_FOUND),
        (given.root.issue("leaf", starts_in=-10, days=5).chain, valid.EXPIRED),
        ("nonsense", valid.UNKNOWN),
    ):
        _expect(await given.security.verify_certificate(chain, [LeafCertificateType.CSMS]), expected, "chain")


async def _a_certificate_needs_its_key(given: _Given) -> None:
    foreign = given.root.issue("cp001", use=Use.CLIENT).chain
    result = await given.security.update_leaf_certificate(foreign, LeafCertificateType.CSMS)
    _expect(result, InstallCertificateResult.WRITE_ERROR, "installed")


async def _a_request_leads_to_a_certificate(given: _Given) -> None:
    request = await _request(given)
    _expect(request.status, CsrStatus.ACCEPTED, "status")
    untrusted = given.other.sign_request(request.csr).chain
    result = await given.security.update_leaf_certificate(untrusted, LeafCertificateType.CSMS)
    _expect(result, InstallCertificateResult.NO_ROOT_CERTIFICATE_INSTALLED, "installed")
    chain = given.root.sign_request(request.csr, days=100).chain
    result = await given.security.update_leaf_certificate(chain, LeafCertificateType.CSMS)
    _expect(result, InstallCertificateResult.ACCEPTED, "installed")
    info = await given.security.get_leaf_certificate_info(LeafCertificateType.CSMS)
    _expect(info.status, LeafCertificateStatus.ACCEPTED, "status")
    _expect(await given.security.get_leaf_expiry_days_count(LeafCertificateType.CSMS) in {99, 100}, True, "days")


async def _the_newest_is_used_unless_it_was_refused(given: _Given) -> None:
    first = await given.security.get_leaf_certificate_info(LeafCertificateType.CSMS)
    request = await _request(given)
    chain = given.root.sign_request(request.csr, days=200).chain
    await given.security.update_leaf_certificate(chain, LeafCertificateType.CSMS)
    second = await given.security.get_leaf_certificate_info(LeafCertificateType.CSMS)
    _expect(second.fingerprint != first.fingerprint, True, "another certificate")
    again = await given.security.get_leaf_certificate_info(LeafCertificateType.CSMS, [second.fingerprint])
    _expect(again.fingerprint, first.fingerprint, "where the newest was refused")
    both = [first.fingerprint, second.fingerprint]
    again = await given.security.get_leaf_certificate_info(LeafCertificateType.CSMS, both)
    _expect(again.fingerprint, second.fingerprint, "where all were refused")


async def _impossible_requests_fail(given: _Given) -> None:
    _expect((await _request(given, "")).status, CsrStatus.GENERATION_ERROR, "without a name")
    found = await given.security.generate_certificate_signing_request(LeafCertificateType.MF, "NL", "O", "c", False)
    _expect(found.status, CsrStatus.INVALID_REQUESTED_TYPE, "of the manufacturer")


_CHECKS: tuple[Callable[[_Given], Awaitable[None]], ...] = (
    _nothing_is_there_at_first,
    _what_is_no_root_is_not_installed,
    _a_root_is_installed_once,
    _the_last_root_is_not_deleted,
    _chains_are_verified,
    _a_certificate_needs_its_key,
    _a_request_leads_to_a_certificate,
    _the_newest_is_used_unless_it_was_refused,
    _impossible_requests_fail,
)
