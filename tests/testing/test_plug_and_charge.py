"""The answers of the test kit to Plug & Charge, as a charge point would see them."""

from base64 import encodebytes
from json import dumps, loads
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from ocpp16.security.lab_pki import Authority
from ocpp16.testing import CallErrorAnswer, CentralSystem, ReceivedCall
from ocpp16.testing.contract_answers import PLUG_AND_CHARGE, plug_and_charge_answer
from ocpp16.testing.plug_and_charge import PlugAndChargeAnswers

NAMED = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "ab" * 32,
    "issuerKeyHash": "cd" * 32,
    "serialNumber": "1f",
    "responderURL": "http://ocsp.example/",
}
CONTRACT = {"idToken": {"idToken": "NLABCC00000001"}}


def call(message: str, request: Any, vendor: str = PLUG_AND_CHARGE) -> ReceivedCall:
    data = request if isinstance(request, str) else dumps(request)
    payload = {"vendorId": vendor, "messageId": message, "data": data}
    return ReceivedCall(0.0, "cp001", "1", "DataTransfer", payload)


@pytest.mark.parametrize(
    ("message", "request_", "expected"),
    [
        ("Authorize", CONTRACT, {"idTokenInfo": {"status": "Accepted"}}),
        (
            "Authorize",
            {**CONTRACT, "iso15118CertificateHashData": [NAMED]},
            {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": "Accepted"},
        ),
        ("GetCertificateStatus", {"ocspRequestData": NAMED}, {"status": "Failed"}),
        ("SignCertificate", {"csr": "PEM"}, {"status": "Rejected"}),
    ],
)
def test_without_an_authority(message: str, request_: Any, expected: Any) -> None:
    answer = plug_and_charge_answer(call(message, request_))
    assert answer is not None
    assert (answer["status"], loads(answer["data"])) == ("Accepted", expected)


@pytest.mark.parametrize("request_", ["{", "[]", {}, {"idToken": "x"}, {**CONTRACT, "more": 1}, "[" * 100_000])
def test_what_is_no_such_message(request_: Any) -> None:
    assert plug_and_charge_answer(call("Authorize", request_)) == {"status": "Rejected"}


def test_others() -> None:
    assert plug_and_charge_answer(call("Authorize", CONTRACT, "somebody")) is None
    assert plug_and_charge_answer(call("Invented", CONTRACT)) == {"status": "UnknownMessageId"}


async def test_by_an_authority() -> None:
    async with CentralSystem() as csms:
        root = Authority("V2G", 0)
        answers = PlugAndChargeAnswers(csms, root)
        answers.contracts["NLABCC00000001"] = "Expired"
        answer: Any = csms.answers["DataTransfer"]

        def told(message: str, request: Any) -> Any:
            made = call(message, request)
            return loads(answer(made.payload, made)["data"])

        assert told("Authorize", CONTRACT)["idTokenInfo"] == {"status": "Expired"}
        issued = root.issue("station")
        assert told("GetCertificateStatus", {"ocspRequestData": NAMED}) == {"status": "Failed"}
        answers.know(issued.serial, issued.certificate)
        found = told("GetCertificateStatus", {"ocspRequestData": {**NAMED, "serialNumber": issued.serial.upper()}})
        assert found["status"] == "Accepted"
        assert told("SignCertificate", {"csr": "no request"}) == {"status": "Rejected"}
        other = call("x", {}, "somebody")
        assert answer(other.payload, other) == {"status": "Accepted"}


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        ({"messageId": []}, None),
        ({"vendorId": None}, None),
        ({"messageId": "Authorize", "data": {}}, {"status": "Rejected"}),
        ({"messageId": "Authorize"}, {"status": "Rejected"}),
    ],
)
async def test_what_is_no_request_is_answered(payload: dict[str, Any], answer: Any) -> None:
    """Nothing that a charge point sends ends a Central System."""
    async with CentralSystem() as csms:
        PlugAndChargeAnswers(csms, Authority("V2G", 0))
        made = ReceivedCall(0.0, "cp001", "1", "DataTransfer", {"vendorId": PLUG_AND_CHARGE, **payload})
        found = csms.answer(made, None)
        assert isinstance(found, CallErrorAnswer) if answer is None else found == answer


async def test_a_key_that_cannot_be_used_is_not_signed() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "station")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    of_another_curve = request.public_bytes(Encoding.DER).replace(b"\xce=\x03\x01\x07", b"\xce=\x03\x01w")
    begin, end = (f"-----{word} CERTIFICATE REQUEST-----\n" for word in ("BEGIN", "END"))
    csr = f"{begin}{encodebytes(of_another_curve).decode()}{end}"
    with pytest.raises(ValueError, match=r"the key of the request: Curve .* is not supported"):
        Authority("V2G", 0).sign_request(csr)
