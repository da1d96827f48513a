"""Who keeps certificates for a host with threads: plain functions, called in its threads; async ones are of trio."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from host_faces import Server, Threaded

from ocpp16 import ConfigurationError, aio, blocking
from ocpp16.hosts.station import World, asked_security
from ocpp16.security.evse_security import (
    CaCertificateType,
    CertificateHashDataChain,
    CertificateSigningRequest,
    CertificateValidationResult,
    CsrStatus,
    DeleteCertificateResult,
    InstallCertificateResult,
    LeafCertificate,
    LeafCertificateStatus,
)


class PlainSecurity:
    """Has nothing, and notes who asked in which thread."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, threading.Thread]] = []

    def _note(self, name: str) -> None:
        self.asked.append((name, threading.current_thread()))

    def install_ca_certificate(self, certificate: str, certificate_type: Any) -> InstallCertificateResult:
        self._note("install_ca_certificate")
        return InstallCertificateResult.ACCEPTED

    def delete_certificate(self, hash_data: Any) -> DeleteCertificateResult:
        return DeleteCertificateResult.NOT_FOUND

    def get_installed_certificates(self, certificate_types: Sequence[Any]) -> list[CertificateHashDataChain]:
        self._note("get_installed_certificates")
        return []

    async def is_ca_certificate_installed(self, certificate_type: Any) -> bool:
        self._note("is_ca_certificate_installed")
        return True

    def verify_certificate(self, certificate_chain: str, leaf_types: Sequence[Any]) -> CertificateValidationResult:
        return CertificateValidationResult.UNKNOWN

    def update_leaf_certificate(self, certificate_chain: str, leaf_type: Any) -> InstallCertificateResult:
        return InstallCertificateResult.WRITE_ERROR

    def generate_certificate_signing_request(
        self, leaf_type: Any, country: str, organization: str, common_name: str, use_tpm: bool
    ) -> CertificateSigningRequest:
        return CertificateSigningRequest(CsrStatus.GENERATION_ERROR)

    def get_leaf_certificate_info(self, leaf_type: Any, refused: Sequence[str] = ()) -> LeafCertificate:
        return LeafCertificate(LeafCertificateStatus.NOT_FOUND)

    def get_leaf_expiry_days_count(self, leaf_type: Any) -> int:
        return 0

    def get_verify_location(self, certificate_type: CaCertificateType) -> Path | None:
        return None

    def get_v2g_ocsp_request_data(self) -> list[Any]:
        return []

    def get_mo_ocsp_request_data(self, certificate_chain: str) -> list[Any]:
        return []

    def update_ocsp_cache(self, hash_data: Any, ocsp_response: str) -> None: ...


def test_plain_functions_are_called_in_threads_of_the_host(server: Server) -> None:
    security = PlainSecurity()
    with blocking.open_charge_point(server.config(), Threaded(), evse_security=security) as charge_point:
        charge_point.start()
        charge_point.wait_registered()
        answer = server.call("GetInstalledCertificateIds", {"certificateType": "CentralSystemRootCertificate"})
        assert answer == {"status": "NotFound"}
        trio_thread = next(thread for thread in threading.enumerate() if thread.name == "ocpp16" and thread.ident)
        asked = [thread for name, thread in security.asked if name == "get_installed_certificates"]
        assert asked
        assert trio_thread not in asked


def test_what_is_async_of_it_is_found_too() -> None:
    """`examine_certificate` is looked for at the class: asking an object may raise."""

    class Mixed(PlainSecurity):
        roots_in_use: tuple[str, ...] = ()

        async def examine_certificate(self, certificate_chain: str, leaf_types: Sequence[Any]) -> Any: ...

    mixed = Mixed()
    asked: Any = asked_security(mixed, cast(World, _World()))
    assert type(asked).examine_certificate == mixed.examine_certificate
    assert asked.is_ca_certificate_installed == mixed.is_ca_certificate_installed
    asked.roots_in_use = ("a",)
    assert mixed.roots_in_use == ("a",), "what the library tells it reaches it"


class _World:
    takes_coroutines = False


def test_one_that_lacks_a_method_is_refused_with_its_name(server: Server) -> None:
    class Half:
        def delete_certificate(self, hash_data: Any) -> Any: ...

    block = blocking.open_charge_point(server.config(), Threaded(), evse_security=Half())  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="update_ocsp_cache is missing"), block:
        raise AssertionError("it was taken")


def test_asyncio_has_plain_ones_in_its_loop(server: Server) -> None:
    import asyncio

    security = PlainSecurity()

    async def scenario() -> None:
        async with aio.open_charge_point(server.config(), Threaded(), evse_security=security) as charge_point:
            await charge_point.start()
            await charge_point.wait_registered()
            call = asyncio.to_thread(
                server.call, "GetInstalledCertificateIds", {"certificateType": "CentralSystemRootCertificate"}
            )
            assert await call == {"status": "NotFound"}

    asyncio.run(scenario())
    assert {thread for name, thread in security.asked if name == "get_installed_certificates"} == {
        threading.current_thread()
    }
