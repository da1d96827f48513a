"""The answers of the test kit to Plug & Charge, as a charge point would see them."""

from json import dumps, loads
from typing import Any

import pytest

from ocpp16.security.lab_pki import Authority
from ocpp16.testing import CentralSystem, ReceivedCall
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
