"""EVerest's evse_security as the keeper of roots, certificates and keys.

Names and words are the same on both sides, for both are libocpp's. Plain functions, called in threads; each answers
with the safe answer of `EvseSecurity` where EVerest's side does not.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

from ocpp16.everest.border import Part
from ocpp16.everest.side import EverestSide
from ocpp16.regular_file import read_regular
from ocpp16.security.certificate import Certificate, certificates_in
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
from ocpp16.values import member

__all__ = ["EverestSecurity"]

E = TypeVar("E", bound=StrEnum)

LONGEST_CERTIFICATE: Final = 1_000_000
_HASH_DATA: Final = (
    ("hash_algorithm", 6),
    ("issuer_name_hash", 128),
    ("issuer_key_hash", 128),
    ("serial_number", 40),
)


class EverestSecurity:
    """An `EvseSecurity` of plain functions."""

    def __init__(self, side: EverestSide) -> None:
        self._side = side

    def install_ca_certificate(self, certificate: str, certificate_type: CaCertificateType) -> InstallCertificateResult:
        return self._word(
            InstallCertificateResult,
            "install_ca_certificate",
            {"certificate": certificate, "certificate_type": str(certificate_type)},
        )

    def delete_certificate(self, hash_data: CertificateHashData) -> DeleteCertificateResult:
        return self._word(DeleteCertificateResult, "delete_certificate", {"certificate_hash_data": hash_data._asdict()})

    def get_installed_certificates(
        self, certificate_types: Sequence[CertificateType]
    ) -> list[CertificateHashDataChain]:
        answer = self._answer(
            "get_installed_certificates", {"certificate_types": [str(kind) for kind in certificate_types]}
        )
        found = []
        for part in () if answer is None else answer.parts("certificate_hash_data_chain", is_needed=True):
            kind = part.word(CertificateType, "certificate_type", is_needed=True)
            hash_data = _hash_data(part.part("certificate_hash_data", is_needed=True))
            children = [_hash_data(child) for child in part.parts("child_certificate_hash_data")]
            if kind is not None and hash_data is not None:
                found.append(
                    CertificateHashDataChain(kind, hash_data, tuple(child for child in children if child is not None))
                )
        return found

    def is_ca_certificate_installed(self, certificate_type: CaCertificateType) -> bool:
        found: bool = self._ask("is_ca_certificate_installed", {"certificate_type": str(certificate_type)})
        return found

    def verify_certificate(
        self, certificate_chain: str, leaf_types: Sequence[LeafCertificateType]
    ) -> CertificateValidationResult:
        return self._word(
            CertificateValidationResult,
            "verify_certificate",
            {"certificate_chain": certificate_chain, "certificate_types": [str(kind) for kind in leaf_types]},
        )

    def update_leaf_certificate(
        self, certificate_chain: str, leaf_type: LeafCertificateType
    ) -> InstallCertificateResult:
        return self._word(
            InstallCertificateResult,
            "update_leaf_certificate",
            {"certificate_chain": certificate_chain, "certificate_type": str(leaf_type)},
        )

    def generate_certificate_signing_request(
        self, leaf_type: LeafCertificateType, country: str, organization: str, common_name: str, use_tpm: bool
    ) -> CertificateSigningRequest:
        answer = self._answer(
            "generate_certificate_signing_request",
            {
                "certificate_type": str(leaf_type),
                "country": country,
                "organization": organization,
                "common": common_name,
                "use_tpm": use_tpm,
            },
        )
        status = None if answer is None else answer.word(CsrStatus, "status")
        csr = None if answer is None else answer.text("csr", is_needed=status is CsrStatus.ACCEPTED)
        if status is None or (status is CsrStatus.ACCEPTED and not csr):
            return CertificateSigningRequest(CsrStatus.GENERATION_ERROR)
        return CertificateSigningRequest(status, csr or "")

    def get_leaf_certificate_info(self, leaf_type: LeafCertificateType, refused: Sequence[str] = ()) -> LeafCertificate:
        """Which one it is EVerest decides, whatever was refused."""
        answer = self._answer(
            "get_leaf_certificate_info",
            {"certificate_type": str(leaf_type), "encoding": "PEM", "include_ocsp": False},
        )
        status = None if answer is None else answer.word(LeafCertificateStatus, "status")
        if answer is None or status is not LeafCertificateStatus.ACCEPTED:
            return LeafCertificate(status or LeafCertificateStatus.REJECTED)
        info = answer.part("info", is_needed=True)
        chain = single = key = password = None
        if info is not None:
            chain, single = info.text("certificate", least=1), info.text("certificate_single", least=1)
            key, password = info.text("key", least=1, is_needed=True), info.text("password")
        leaf = self._leaf(chain or single)
        if leaf is None or key is None:
            return LeafCertificate(LeafCertificateStatus.REJECTED)
        return LeafCertificate(
            status,
            chain=None if chain is None else Path(chain),
            certificate=None if single is None else Path(single),
            key=Path(key),
            key_password=password or None,
            expires_at=leaf.expires_at,
            fingerprint=leaf.fingerprint,
        )

    def get_leaf_expiry_days_count(self, leaf_type: LeafCertificateType) -> int:
        found: int = self._ask("get_leaf_expiry_days_count", {"certificate_type": str(leaf_type)})
        return found

    def get_verify_location(self, certificate_type: CaCertificateType) -> Path | None:
        found = self._ask("get_verify_location", {"certificate_type": str(certificate_type)})
        return Path(found) if found else None

    def get_v2g_ocsp_request_data(self) -> list[OcspRequestData]:
        return self._requests("get_v2g_ocsp_request_data", {})

    def get_mo_ocsp_request_data(self, certificate_chain: str) -> list[OcspRequestData]:
        return self._requests("get_mo_ocsp_request_data", {"certificate_chain": certificate_chain})

    def update_ocsp_cache(self, hash_data: CertificateHashData, ocsp_response: str) -> None:
        """Raises RuntimeError where it was not taken."""
        arguments = {"certificate_hash_data": hash_data._asdict(), "ocsp_response": ocsp_response}
        if self._ask("update_ocsp_cache", arguments) is None:
            raise RuntimeError("EVerest did not take it")

    def _ask(self, command: str, arguments: Mapping[str, Any]) -> Any:
        return self._side.ask("security", command, arguments)

    def _word(self, kind: type[E], command: str, arguments: Mapping[str, Any]) -> E:
        return member(kind, self._ask(command, arguments), command)

    def _answer(self, command: str, arguments: Mapping[str, Any]) -> Part | None:
        answer = self._ask(command, arguments)
        return None if answer is None else Part(answer, f"security.{command}", self._side.log)

    def _requests(self, command: str, arguments: Mapping[str, Any]) -> list[OcspRequestData]:
        answer, found = self._answer(command, arguments), []
        for part in () if answer is None else answer.parts("ocsp_request_data_list", is_needed=True):
            if not (part.has("certificate_hash_data") and part.has("responder_url")):
                continue  # one that names no responder
            hash_data, url = _hash_data(part.part("certificate_hash_data")), part.text("responder_url", 512, 1)
            if hash_data is not None and url is not None:
                found.append(OcspRequestData(hash_data, url))
        return found

    def _leaf(self, path: str | None) -> Certificate | None:
        """The first certificate of a file; None, and a warning, where there is none to be read."""
        why = "it names no file"
        if path is not None:
            try:
                found = certificates_in(read_regular(path, LONGEST_CERTIFICATE))
            except OSError as error:
                why = str(error)
            else:
                if found:
                    return found[0]
                why = f"there is no certificate in {path}"
        self._side.log.warning("security.get_leaf_certificate_info: %s; no certificate is used", why)
        return None


def _hash_data(part: Part | None) -> CertificateHashData | None:
    if part is None:
        return None
    found = [part.text(name, most, is_needed=True) for name, most in _HASH_DATA]
    return None if None in found else CertificateHashData(*map(str, found))
