"""The keeper of certificates and keys as the charge point sees it: each question bounded, each answer checked.

An answer that is late, an exception, or something of another type is the safe answer that `EvseSecurity` names. As of
the station, a method of the host's object is looked up when it is asked.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import trio

from ocpp16.faults import obey, obey_exit
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
    LeafCertificateStatus,
    LeafCertificateType,
    OcspRequestData,
)
from ocpp16.values import described, flag, items, member, text, whole

T = TypeVar("T")

SECURITY_TIMEOUT = 60.0
"""Seconds a question may take: to make a key of RSA on a small processor takes the longest."""

LONGEST_CSR = 5500
"""Characters of a request on the wire (security white paper, SignCertificate.req)."""
_THE_ANSWER = "the answer"


class AskedSecurity:
    """`failed(place, error)` is told of exceptions, `overran(name, seconds)` of questions that took too long."""

    __slots__ = ("_failed", "_overran", "host")

    def __init__(
        self,
        host: Any,
        failed: Callable[[str, BaseException], None],
        overran: Callable[[str, float], None],
    ) -> None:
        self.host: Any = host
        self._failed = failed
        self._overran = overran

    @property
    def most_certificates(self) -> int | None:
        """Roots that the keeper has room for by its own count, as `FileEvseSecurity` keeps it; None: it counts none."""
        most: object = None
        try:
            most = self.host.certificate_store_max_length
        except AttributeError:
            pass  # it counts none
        except BaseException as error:
            obey_exit(error)
            self._failed("security, certificate_store_max_length", error)
        return most if type(most) is int else None

    async def install_ca_certificate(self, certificate: str, kind: CaCertificateType) -> InstallCertificateResult:
        accept = partial(member, InstallCertificateResult, name=_THE_ANSWER)
        return await self._ask(
            "install_ca_certificate", certificate, kind, accept=accept, safe=InstallCertificateResult.WRITE_ERROR
        )

    async def delete_certificate(self, hash_data: CertificateHashData) -> DeleteCertificateResult:
        accept = partial(member, DeleteCertificateResult, name=_THE_ANSWER)
        return await self._ask("delete_certificate", hash_data, accept=accept, safe=DeleteCertificateResult.FAILED)

    async def get_installed_certificates(self, kinds: Sequence[CertificateType]) -> list[CertificateHashDataChain]:
        return await self._ask("get_installed_certificates", kinds, accept=_chains, safe=[])

    async def is_ca_certificate_installed(self, kind: CaCertificateType) -> bool:
        accept = partial(flag, name=_THE_ANSWER)
        return await self._ask("is_ca_certificate_installed", kind, accept=accept, safe=False)

    async def verify_certificate(
        self, chain: str, leaf_types: Sequence[LeafCertificateType]
    ) -> CertificateValidationResult:
        accept = partial(member, CertificateValidationResult, name=_THE_ANSWER)
        return await self._ask(
            "verify_certificate", chain, leaf_types, accept=accept, safe=CertificateValidationResult.UNKNOWN
        )

    async def examine_certificate(
        self, chain: str, leaf_types: Sequence[LeafCertificateType]
    ) -> CertificateExamination:
        """`verify_certificate`, with the reason where the keeper tells one."""
        if not callable(getattr(type(self.host), "examine_certificate", None)):  # asking an object may raise
            return CertificateExamination(await self.verify_certificate(chain, leaf_types))
        safe = CertificateExamination(CertificateValidationResult.UNKNOWN)
        return await self._ask("examine_certificate", chain, leaf_types, accept=_examination, safe=safe)

    async def update_leaf_certificate(self, chain: str, kind: LeafCertificateType) -> InstallCertificateResult:
        accept = partial(member, InstallCertificateResult, name=_THE_ANSWER)
        return await self._ask(
            "update_leaf_certificate", chain, kind, accept=accept, safe=InstallCertificateResult.WRITE_ERROR
        )

    async def generate_certificate_signing_request(
        self, kind: LeafCertificateType, country: str, organization: str, common_name: str, use_tpm: bool
    ) -> CertificateSigningRequest:
        safe = CertificateSigningRequest(CsrStatus.GENERATION_ERROR)
        question = "generate_certificate_signing_request"
        return await self._ask(question, kind, country, organization, common_name, use_tpm, accept=_request, safe=safe)

    async def get_leaf_certificate_info(
        self, kind: LeafCertificateType, refused: Sequence[str] = ()
    ) -> LeafCertificate:
        accept = partial(_exact, LeafCertificate)
        safe = LeafCertificate(LeafCertificateStatus.REJECTED)
        return await self._ask("get_leaf_certificate_info", kind, refused, accept=accept, safe=safe)

    async def get_leaf_expiry_days_count(self, kind: LeafCertificateType) -> int:
        accept = partial(whole, name=_THE_ANSWER)
        return await self._ask("get_leaf_expiry_days_count", kind, accept=accept, safe=0)

    async def get_verify_location(self, kind: CaCertificateType) -> Path | None:
        return await self._ask("get_verify_location", kind, accept=_path_or_none, safe=None)

    async def get_v2g_ocsp_request_data(self) -> list[OcspRequestData]:
        return await self._ask("get_v2g_ocsp_request_data", accept=_requests_of_status, safe=[])

    async def get_mo_ocsp_request_data(self, chain: str) -> list[OcspRequestData]:
        return await self._ask("get_mo_ocsp_request_data", chain, accept=_requests_of_status, safe=[])

    async def update_ocsp_cache(self, hash_data: CertificateHashData, ocsp_response: str) -> bool:
        """Was it taken? Not where the keeper raised, as for an answer that is not good."""
        return await self._ask("update_ocsp_cache", hash_data, ocsp_response, accept=_anything, safe=False)

    def believe(self, root: str) -> None:
        """The Central System proved itself by this root (fingerprint): one who keeps files does not delete it."""
        try:
            if root and hasattr(self.host, "roots_in_use"):
                self.host.roots_in_use = (root,)
        except BaseException as error:
            obey_exit(error)
            self._failed("security, roots_in_use", error)

    async def _ask(self, name: str, *arguments: Any, accept: Callable[[Any], T], safe: T) -> T:
        try:
            with trio.move_on_after(SECURITY_TIMEOUT) as limit:
                return accept(await getattr(self.host, name)(*arguments))
        except BaseException as error:
            obey(error)
            self._failed(f"security, {name}", error)
            return safe
        assert limit.cancelled_caught
        self._overran(name, SECURITY_TIMEOUT)
        return safe


def _exactly_all(kind: type[T], answer: Any) -> list[T]:
    return [_exact(kind, one) for one in items(answer, _THE_ANSWER, "values")]


def _exact(kind: type[T], value: Any) -> T:
    if type(value) is not kind:
        raise ValueError(f"{_THE_ANSWER} must be of type {kind.__name__}, not {described(value)}")
    return value


def _examination(answer: Any) -> CertificateExamination:
    found = _exact(CertificateExamination, answer)
    return CertificateExamination(
        member(CertificateValidationResult, found.result, "its result"), text(found.reason, "its reason")
    )


def _request(answer: Any) -> CertificateSigningRequest:
    found = _exact(CertificateSigningRequest, answer)
    return CertificateSigningRequest(
        member(CsrStatus, found.status, "its status"), text(found.csr, "its csr", LONGEST_CSR)
    )


def _hash_data(value: Any) -> CertificateHashData:
    found = _exact(CertificateHashData, value)
    return CertificateHashData(
        text(found.hash_algorithm, "its hash_algorithm", 6),
        text(found.issuer_name_hash, "its issuer_name_hash", 128),
        text(found.issuer_key_hash, "its issuer_key_hash", 128),
        text(found.serial_number, "its serial_number", 40),
    )


def _chains(answer: Any) -> list[CertificateHashDataChain]:
    return [
        CertificateHashDataChain(
            member(CertificateType, one.certificate_type, "its certificate_type"),
            _hash_data(one.hash_data),
            tuple(map(_hash_data, items(one.child_hash_data, "its child_hash_data", "values"))),
        )
        for one in _exactly_all(CertificateHashDataChain, answer)
    ]


def _requests_of_status(answer: Any) -> list[OcspRequestData]:
    return [
        OcspRequestData(_hash_data(one.hash_data), text(one.responder_url, "its responder_url"))
        for one in _exactly_all(OcspRequestData, answer)
    ]


def _path_or_none(answer: Any) -> Path | None:
    return None if answer is None else Path(answer)


def _anything(answer: Any) -> bool:
    """What it answers is of no interest."""
    return True
