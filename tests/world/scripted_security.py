"""An EvseSecurity whose answers are a test's, for what needs neither certificates nor keys."""

from typing import Any

import trio

from ocpp16.security.evse_security import (
    CertificateSigningRequest,
    CsrStatus,
    DeleteCertificateResult,
    InstallCertificateResult,
    LeafCertificate,
    LeafCertificateStatus,
)

CSR = "-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----\n"


class ScriptedSecurity:
    """Answers by script, and notes what it was asked.

    answers: name of the question → what it gives, an exception that it raises, a function of what was asked, or `...`:
    then it never answers. Without one of a test's own all is well; a question that is not here fails.
    """

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {
            "install_ca_certificate": InstallCertificateResult.ACCEPTED,
            "delete_certificate": DeleteCertificateResult.ACCEPTED,
            "get_installed_certificates": [],
            "is_ca_certificate_installed": True,
            "update_leaf_certificate": InstallCertificateResult.ACCEPTED,
            "generate_certificate_signing_request": CertificateSigningRequest(CsrStatus.ACCEPTED, CSR),
            "get_leaf_certificate_info": LeafCertificate(LeafCertificateStatus.ACCEPTED),
            "get_leaf_expiry_days_count": 400,
            "get_verify_location": None,
            **answers,
        }
        self.asked: list[tuple[Any, ...]] = []

    def of(self, name: str) -> list[Any]:
        return [list(asked[1:]) for asked in self.asked if asked[0] == name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        async def question(*arguments: Any) -> Any:
            self.asked.append((name, *arguments))
            answer = self.answers[name]
            if isinstance(answer, BaseException):
                raise answer
            if answer is Ellipsis:
                await trio.sleep_forever()
            return answer(*arguments) if callable(answer) else answer

        return question
