"""The commands of required modules: what is taken as an answer, how long it is waited for, and what counts without one.

A module that raises, hangs, answers nonsense, or is not there never ends anything here: the last column holds, and a
warning says so.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from ocpp16.enums import (
    BootReason,
    LogStatusEnumType,
    ReservationCheckStatus,
    ReservationStatus,
    UpdateFirmwareStatusEnumType,
)
from ocpp16.security.evse_security import (
    CertificateValidationResult,
    CsrStatus,
    DeleteCertificateResult,
    InstallCertificateResult,
    LeafCertificateStatus,
)
from ocpp16.values import described, flag, member, text, whole

__all__ = ["QUESTIONS", "Question"]

USUAL: Final = 20.0
"""Seconds: less than StationTimeout, for whose sake most is asked."""
LONG: Final = 50.0
"""Of certificates: keys of RSA take their time. Less than the charge point waits for."""


class DisplayMessageStatus(StrEnum):
    ACCEPTED = "Accepted"
    NOT_SUPPORTED_MESSAGE_FORMAT = "NotSupportedMessageFormat"
    REJECTED = "Rejected"
    NOT_SUPPORTED_PRIORITY = "NotSupportedPriority"
    NOT_SUPPORTED_STATE = "NotSupportedState"
    UNKNOWN_TRANSACTION = "UnknownTransaction"


class Question(NamedTuple):
    """`accept(answer, place)` gives what is worked with, or raises ValueError that names the place.

    `otherwise`: what is worked with where there is no answer. `outcome`: the same in words, for the warning and
    docs/everest.md.
    """

    requirement: str
    command: str
    accept: Callable[[Any, str], Any]
    otherwise: Any
    outcome: str
    seconds: float = USUAL


def _nothing(answer: Any, place: str) -> bool:
    """Commands without a result."""
    return True


def _object(answer: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(answer, Mapping):
        raise ValueError(f"{place} must be an object, not {described(answer)}")
    return answer


def _with(name: str, kind: type[StrEnum]) -> Callable[[Any, str], Mapping[str, Any]]:
    """An object, one member of which must be a word of an enumeration."""

    def accept(answer: Any, place: str) -> Mapping[str, Any]:
        found = _object(answer, place)
        member(kind, found.get(name), f"{place}.{name}")
        return found

    return accept


def _word(kind: type[StrEnum]) -> Callable[[Any, str], Any]:
    return partial(member, kind)


_FACE: Final = "evse_manager"

_ALL: Final = (
    Question(_FACE, "get_evse", _object, None, "it is asked again, and the charge point waits for it"),
    Question(_FACE, "enable_disable", flag, None, "the connector stays what it is"),
    Question(_FACE, "pause_charging", flag, False, "charging goes on"),
    Question(_FACE, "stop_transaction", flag, False, "the transaction goes on"),
    Question(_FACE, "force_unlock", flag, None, "UnlockFailed"),
    Question(_FACE, "external_ready_to_start_charging", flag, None, "the charge point starts all the same"),
    Question(_FACE, "set_plug_and_charge_configuration", _nothing, None, "the EVSE keeps what it had"),
    Question("charger_information", "get_charger_information", _object, None, "the configuration file says it"),
    Question("evse_energy_sink", "set_external_limits", _nothing, None, "the limits are sent again after 30 s"),
    Question("reservation", "reserve_now", _word(ReservationStatus), None, "Rejected, and cancelled"),
    Question("reservation", "cancel_reservation", flag, False, "Rejected"),
    Question(
        "reservation",
        "exists_reservation",
        _word(ReservationCheckStatus),
        ReservationCheckStatus.RESERVED_FOR_OTHER_TOKEN,
        "ReservedForOtherToken: the remote start is rejected",
    ),
    Question("auth", "set_connection_timeout", _nothing, None, "auth keeps what it had"),
    Question(
        "system",
        "update_firmware",
        _word(UpdateFirmwareStatusEnumType),
        UpdateFirmwareStatusEnumType.REJECTED,
        "Rejected; of an unsigned update: DownloadFailed",
    ),
    Question("system", "allow_firmware_installation", _nothing, None, "the update waits for its next start"),
    Question("system", "upload_logs", _with("upload_logs_status", LogStatusEnumType), None, "Rejected"),
    Question("system", "is_reset_allowed", flag, False, "Rejected"),
    Question("system", "reset", _nothing, None, "the charge point is started again"),
    Question("system", "set_system_time", flag, None, "the clock of the system stays what it is"),
    Question("system", "get_boot_reason", _word(BootReason), BootReason.UNKNOWN, "Unknown"),
    Question("data_transfer", "data_transfer", _object, None, "Rejected; not connected: UnknownVendorId"),
    Question("display_message", "set_display_message", _with("status", DisplayMessageStatus), None, "Rejected"),
    Question("extensions_15118", "set_get_certificate_response", _nothing, None, "the car gets no certificate"),
    Question(
        "security",
        "install_ca_certificate",
        _word(InstallCertificateResult),
        InstallCertificateResult.WRITE_ERROR,
        "WriteError",
        LONG,
    ),
    Question(
        "security",
        "delete_certificate",
        _word(DeleteCertificateResult),
        DeleteCertificateResult.FAILED,
        "Failed",
        LONG,
    ),
    Question(
        "security",
        "update_leaf_certificate",
        _word(InstallCertificateResult),
        InstallCertificateResult.WRITE_ERROR,
        "WriteError",
        LONG,
    ),
    Question(
        "security",
        "verify_certificate",
        _word(CertificateValidationResult),
        CertificateValidationResult.UNKNOWN,
        "Unknown: the certificate is refused",
        LONG,
    ),
    Question("security", "get_installed_certificates", _object, None, "none are listed", LONG),
    Question("security", "get_v2g_ocsp_request_data", _object, None, "nothing is asked about", LONG),
    Question("security", "get_mo_ocsp_request_data", _object, None, "nothing is asked about", LONG),
    Question("security", "update_ocsp_cache", _nothing, None, "the answer is asked for again", LONG),
    Question("security", "is_ca_certificate_installed", flag, False, "not installed", LONG),
    Question(
        "security",
        "generate_certificate_signing_request",
        _with("status", CsrStatus),
        None,
        "GenerationError",
        LONG,
    ),
    Question(
        "security",
        "get_leaf_certificate_info",
        _with("status", LeafCertificateStatus),
        None,
        "Rejected: no certificate is used",
        LONG,
    ),
    Question("security", "get_verify_location", text, None, "there are no roots: no connection with TLS", LONG),
    Question("security", "get_leaf_expiry_days_count", whole, 0, "0 days: a certificate is asked for", LONG),
)

QUESTIONS: Final[Mapping[tuple[str, str], Question]] = MappingProxyType(
    {(question.requirement, question.command): question for question in _ALL}
)
