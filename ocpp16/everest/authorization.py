"""Who may charge: `validate_token` of EVerest's auth module, and the tokens of remote starts."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Final

from ocpp16.contracts import ContractAuthorization
from ocpp16.everest.border import Part, rfc3339
from ocpp16.everest.texts import contents
from ocpp16.models import IdTagInfo
from ocpp16.security.evse_security import CertificateHashData, OcspRequestData

__all__ = ["UNKNOWN", "provided_token", "validate", "validation_result"]

UNKNOWN: Final[dict[str, Any]] = {"authorization_status": "Unknown", "tariff_messages": []}
"""The refusing answer: whatever could not be found out."""
PLUG_AND_CHARGE: Final = "PlugAndCharge"
LONGEST_TAG: Final = 20
LONGEST_EMAID: Final = 36


class HashAlgorithm(StrEnum):
    SHA256 = "SHA256"
    SHA384 = "SHA384"
    SHA512 = "SHA512"


def validate(charge_point: Any, token: Part, warn: Callable[..., object]) -> dict[str, Any]:
    """May this ProvidedIdToken charge? Waits for the Central System where it has to be asked."""
    id_token = token.part("id_token", is_needed=True)
    value = None if id_token is None else id_token.text("value", LONGEST_EMAID, 1, is_needed=True)
    if value is None:
        return UNKNOWN
    if token.text("authorization_type", is_needed=True) == PLUG_AND_CHARGE:
        return _of_contract(
            charge_point.plug_and_charge.data_transfer_pnc_authorize(value, token.text("certificate"), _hashes(token))
        )
    if len(value) > LONGEST_TAG:
        warn("the token %s has more than the %s characters of OCPP 1.6: it is Unknown", value, LONGEST_TAG)
        return UNKNOWN
    return validation_result(charge_point.authorize_id_token(value))


def validation_result(info: IdTagInfo) -> dict[str, Any]:
    """A ValidationResult."""
    result: dict[str, Any] = {
        "authorization_status": str(info.status),
        "tariff_messages": [] if info.tariff is None else contents(info.tariff.message),
    }
    if info.expiry_date is not None:
        result["expiry_time"] = rfc3339(info.expiry_date)
    if info.parent_id_tag:
        result["parent_id_token"] = {"value": info.parent_id_tag, "type": "Central"}
    return result


def provided_token(id_tag: str, evses: Sequence[int], prevalidated: bool) -> dict[str, Any]:
    """A ProvidedIdToken: somebody started remotely."""
    return {
        "id_token": {"value": id_tag, "type": "Central"},
        "authorization_type": "OCPP",
        "connectors": list(evses),
        "prevalidated": prevalidated,
    }


def _of_contract(found: ContractAuthorization) -> dict[str, Any]:
    result: dict[str, Any] = {"authorization_status": str(found.id_token_info.status), "tariff_messages": []}
    if found.certificate_status is not None:
        result["certificate_status"] = str(found.certificate_status)
    if found.id_token_info.cache_expiry_date_time is not None:
        result["expiry_time"] = rfc3339(found.id_token_info.cache_expiry_date_time)
    return result


def _hashes(token: Part) -> list[OcspRequestData]:
    found = []
    for part in token.parts("iso15118CertificateHashData"):
        algorithm = part.word(HashAlgorithm, "hashAlgorithm", is_needed=True)
        name, key = (part.text(it, 128, is_needed=True) for it in ("issuerNameHash", "issuerKeyHash"))
        serial, responder = (
            part.text("serialNumber", 40, is_needed=True),
            part.text("responderURL", 512, is_needed=True),
        )
        if None not in (algorithm, name, key, serial, responder):
            hash_data = CertificateHashData(str(algorithm), str(name), str(key), str(serial))
            found.append(OcspRequestData(hash_data, str(responder)))
    return found
