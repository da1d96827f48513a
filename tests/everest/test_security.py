"""Certificates are EVerest's: every function of `EvseSecurity` is a command of evse_security."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trio
from everest_double import Nonsense
from everest_interfaces import interfaces, needs_interfaces
from everest_site import Site, event, meter, token, warnings

from ocpp16.everest.manifest import REQUIRES
from ocpp16.everest.security import EverestSecurity
from ocpp16.everest.side import EverestSide
from ocpp16.log import FoldingLog
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
    LeafCertificateStatus,
    LeafCertificateType,
    OcspRequestData,
)
from ocpp16.security.lab_pki import Authority, Use
from ocpp16.security.tls import server_context

HASHES = CertificateHashData("SHA256", "aa", "bb", "1f")
AS_JSON = {"hash_algorithm": "SHA256", "issuer_name_hash": "aa", "issuer_key_hash": "bb", "serial_number": "1f"}


@dataclass
class Store:
    """A framework whose evse_security answers what it is told to."""

    answer: Any = None
    asked: Any = None

    def call_command(self, fulfillment: Any, command: str, arguments: Any) -> Any:
        interfaces().check_arguments("evse_security", command, arguments)
        self.asked = (command, arguments)
        return self.answer

    @property
    def security(self) -> EverestSecurity:
        connections = {name: [SimpleNamespace(module_id=name, implementation_id="m")] for name in REQUIRES}
        return EverestSecurity(EverestSide(self, connections, FoldingLog("", time.monotonic)))


CHAIN = {"certificate_type": "V2GCertificateChain", "certificate_hash_data": AS_JSON}
CASES: list[tuple[str, tuple[Any, ...], Any, Any]] = [
    (
        "install_ca_certificate",
        ("pem", CaCertificateType.MO),
        "InvalidFormat",
        InstallCertificateResult.INVALID_FORMAT,
    ),
    ("delete_certificate", (HASHES,), "NotFound", DeleteCertificateResult.NOT_FOUND),
    (
        "get_installed_certificates",
        ([CertificateType.V2G_CERTIFICATE_CHAIN],),
        {
            "status": "Accepted",
            "certificate_hash_data_chain": [
                {**CHAIN, "child_certificate_hash_data": [AS_JSON]},
                {"certificate_type": "Nonsense", "certificate_hash_data": AS_JSON},
                {"certificate_type": "MORootCertificate", "certificate_hash_data": {}},
            ],
        },
        [CertificateHashDataChain(CertificateType.V2G_CERTIFICATE_CHAIN, HASHES, (HASHES,))],
    ),
    ("is_ca_certificate_installed", (CaCertificateType.V2G,), True, True),
    (
        "verify_certificate",
        ("chain", [LeafCertificateType.MO, LeafCertificateType.V2G]),
        "IssuerNotFound",
        CertificateValidationResult.ISSUER_NOT_FOUND,
    ),
    ("update_leaf_certificate", ("chain", LeafCertificateType.CSMS), "Expired", InstallCertificateResult.EXPIRED),
    (
        "generate_certificate_signing_request",
        (LeafCertificateType.V2G, "DE", "Org", "CN", True),
        {"status": "Accepted", "csr": "pem"},
        CertificateSigningRequest(CsrStatus.ACCEPTED, "pem"),
    ),
    (
        "generate_certificate_signing_request",
        (LeafCertificateType.V2G, "DE", "Org", "CN", False),
        {"status": "Accepted"},
        CertificateSigningRequest(CsrStatus.GENERATION_ERROR),
    ),
    (
        "generate_certificate_signing_request",
        (LeafCertificateType.V2G, "DE", "Org", "CN", False),
        {"status": "KeyGenError"},
        CertificateSigningRequest(CsrStatus.KEY_GEN_ERROR),
    ),
    ("get_leaf_expiry_days_count", (LeafCertificateType.CSMS,), 17, 17),
    ("get_verify_location", (CaCertificateType.CSMS,), "/etc/ca", Path("/etc/ca")),
    ("get_verify_location", (CaCertificateType.CSMS,), "", None),
    (
        "get_v2g_ocsp_request_data",
        (),
        {"ocsp_request_data_list": [{"certificate_hash_data": AS_JSON, "responder_url": "http://o"}, {}]},
        [OcspRequestData(HASHES, "http://o")],
    ),
    ("get_mo_ocsp_request_data", ("chain",), {"ocsp_request_data_list": 5}, []),
    ("update_ocsp_cache", (HASHES, "b64"), None, None),
]


@needs_interfaces
@pytest.mark.parametrize(("name", "arguments", "answer", "expected"), CASES)
def test_a_function_is_a_command(name: str, arguments: Any, answer: Any, expected: Any) -> None:
    store = Store(answer)
    assert getattr(store.security, name)(*arguments) == expected
    assert store.asked[0] == name


@needs_interfaces
def test_the_certificate_in_use(tmp_path: Path) -> None:
    issued = Authority("Root", time.time() - 60).issue("CP1", use=Use.CLIENT)
    (tmp_path / "chain.pem").write_text(issued.chain)
    info = {"key": "/k", "certificate": str(tmp_path / "chain.pem"), "certificate_count": 1, "password": ""}
    store = Store({"status": "Accepted", "info": info})
    found = store.security.get_leaf_certificate_info(LeafCertificateType.CSMS)
    assert store.asked[1] == {"certificate_type": "CSMS", "encoding": "PEM", "include_ocsp": False}
    assert (found.status, found.chain, found.key) == ("Accepted", tmp_path / "chain.pem", Path("/k"))
    assert found.key_password is None
    assert len(found.fingerprint) == 64
    assert found.expires_at is not None
    assert found.expires_at > time.time()
    for wrong in ({**info, "certificate": "/no/such"}, {**info, "key": None}, {"key": "/k"}, 5, None):
        store.answer = {"status": "Accepted", "info": wrong}
        assert store.security.get_leaf_certificate_info(LeafCertificateType.CSMS).status == "Rejected"
    for status in LeafCertificateStatus:
        if status != "Accepted":
            store.answer = {"status": str(status)}
            assert store.security.get_leaf_certificate_info(LeafCertificateType.CSMS).status == status


def test_a_connection_with_the_certificates_of_everest(site: Callable[..., Site], tmp_path: Path) -> None:
    """TLS, security profile 3: roots, chain and key are files that EVerest names."""
    earlier = time.time() - 3600
    root = Authority("CSMS root", earlier)
    mine = root.issue("127.0.0.1", use=Use.SERVER)
    client = root.issue("CP1", use=Use.CLIENT)
    files = {"ca.pem": root.certificate, "server.pem": mine.chain, "server.key": mine.key}
    for name, content in {**files, "client.pem": client.chain, "client.key": client.key}.items():
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    context = server_context(tmp_path / "server.pem", tmp_path / "server.key", client_ca=tmp_path / "ca.pem")
    here = site(document={"Security": {"SecurityProfile": 3}, "Internal": {"VerifyCsmsCommonName": False}})

    async def listen() -> int:
        port: int = await here.server.system.listen("127.0.0.1", 0, context)
        await trio.lowlevel.checkpoint()
        return port

    port = here.server.do(listen)
    share = tmp_path / "share" / "ocpp-config.json"
    share.write_text(share.read_text().replace(f"ws://127.0.0.1:{here.server.port}/", f"wss://127.0.0.1:{port}/"))
    info = {
        "key": str(tmp_path / "client.key"),
        "certificate": str(tmp_path / "client.pem"),
        "certificate_single": str(tmp_path / "client.pem"),
        "certificate_count": 1,
    }
    here.everest.answers["security", "get_leaf_certificate_info"] = {"status": "Accepted", "info": info}
    here.everest.answers["security", "get_verify_location"] = str(tmp_path / "ca.pem")
    here.start()
    assert here.everest.called("security", "get_verify_location")[0] == {"certificate_type": "CSMS"}
    ids = {"certificateType": "CentralSystemRootCertificate"}
    chain = {"certificate_type": "CSMSRootCertificate", "certificate_hash_data": AS_JSON}
    here.everest.answers["security", "get_installed_certificates"] = {
        "status": "Accepted",
        "certificate_hash_data_chain": [chain],
    }
    found = here.ask("GetInstalledCertificateIds", ids)
    assert found["certificateHashData"][0]["serialNumber"] == "1f"
    install = {"certificateType": "CentralSystemRootCertificate", "certificate": root.certificate}
    assert here.ask("InstallCertificate", install)["status"] == "Accepted"


PNC = {"PnC": {"ISO15118PnCEnabled": True, "CentralContractValidationAllowed": False}}


def test_plug_and_charge(site: Callable[..., Site]) -> None:
    here = site(document=PNC, extensions=2)
    data: list[Any] = []

    def answer(payload: Any, call: Any) -> Any:
        data.append(payload)
        info = '{"idTokenInfo": {"status": "Accepted", "cacheExpiryDateTime": "2099-01-01T00:00:00Z"}'
        return {"status": "Accepted", "data": f'{info}, "certificateStatus": "Accepted"}}'}

    here.server.system.answers["DataTransfer"] = answer
    here.start()
    asked = here.everest.wait_called("connector_2", "set_plug_and_charge_configuration")
    configuration = {"pnc_enabled": True, "central_contract_validation_allowed": False}
    assert asked == {"plug_and_charge_configuration": configuration}
    key = {"key": "CentralContractValidationAllowed", "value": "true"}
    assert here.ask("ChangeConfiguration", key) == {"status": "Accepted"}
    asked = here.everest.wait_called("connector_1", "set_plug_and_charge_configuration", 2)
    assert asked["plug_and_charge_configuration"]["central_contract_validation_allowed"] is True
    hashes = [
        {
            "hashAlgorithm": "SHA256",
            "issuerNameHash": "aa",
            "issuerKeyHash": "bb",
            "serialNumber": "1f",
            "responderURL": "http://o",
        }
    ]
    contract = token("DEABC12345678901234567", "PlugAndCharge", iso15118CertificateHashData=hashes)
    found = here.everest.call("auth_validator", "validate_token", provided_token=contract)
    assert found == {
        "authorization_status": "Accepted",
        "certificate_status": "Accepted",
        "tariff_messages": [],
        "expiry_time": "2099-01-01T00:00:00.000Z",
    }
    assert "iso15118CertificateHashData" in data[-1]["data"]
    here.everest.answers["security", "verify_certificate"] = "Expired"
    chain = token("DEABC12345678901234567", "PlugAndCharge", certificate="a chain")
    here.everest.call("auth_validator", "validate_token", provided_token=chain)
    assert here.everest.called("security", "verify_certificate")[-1]["certificate_chain"] == "a chain"


REQUEST = {"exi_request": "gJgCVE5M", "iso15118_schema_version": "urn:iso", "certificate_action": "Update"}


def test_a_certificate_for_a_car(site: Callable[..., Site], caplog: pytest.LogCaptureFixture) -> None:
    here = site(document=PNC, extensions=2)
    response = '{"status": "Accepted", "exiResponse": "YW5zd2Vy"}'
    here.server.system.answers["DataTransfer"] = {"status": "Accepted", "data": response}
    here.begin()
    here.everest.all_ready()
    here.everest.tell("iso15118_2", "iso15118_certificate_request", REQUEST)
    failed = {"certificate_response": {"status": "Failed", "certificate_action": "Update"}}
    assert here.everest.wait_called("iso15118_2", "set_get_certificate_response") == failed, "a car waits 5 s"
    here.everest.evses_ready()
    here.wait_registered()
    here.until(lambda: here.module._subscriptions.is_started)
    here.everest.tell("iso15118_2", "iso15118_certificate_request", REQUEST)
    assert here.everest.wait_called("iso15118_2", "set_get_certificate_response", 2) == {
        "certificate_response": {
            "status": "Accepted",
            "exi_response": "YW5zd2Vy",
            "certificate_action": "Update",
        }
    }
    here.everest.tell("iso15118_1", "iso15118_certificate_request", Nonsense({"certificate_action": "Delete"}))
    found = here.everest.wait_called("iso15118_1", "set_get_certificate_response")
    assert found == {"certificate_response": {"status": "Failed", "certificate_action": "Install"}}
    told = warnings(caplog.records)
    assert "certificate_action must be one of" in told
    assert "exi_request is missing" in told


def test_without_plug_and_charge_a_car_gets_no_certificate(
    site: Callable[..., Site], caplog: pytest.LogCaptureFixture
) -> None:
    here = site(extensions=1).start()
    here.until(lambda: here.module._subscriptions.is_started)
    here.everest.tell("iso15118_1", "iso15118_certificate_request", REQUEST)
    found = here.everest.wait_called("iso15118_1", "set_get_certificate_response")
    assert found["certificate_response"]["status"] == "Failed"
    assert "the configuration has no section PnC" in warnings(caplog.records)
    here.tell(1, event("SessionStarted", session_started={"reason": "EVConnected", "meter_value": meter()}))
    here.status(1, "Preparing")
