"""What the tests of Plug & Charge share: a keeper with roots, a charge point with the section PnC, messages as JSON."""

from collections.abc import Callable
from typing import Any

from ocpp16._core import json_text, json_value
from ocpp16.errors import CallFailed
from ocpp16.security.evse_security import CaCertificateType
from ocpp16.security.lab_pki import Authority
from ocpp16.testing.central_system import START, CentralSystem
from ocpp16.testing.evse_security import MemoryEvseSecurity

VENDOR = "org.openchargealliance.iso15118pnc"
NOW = START / 1e6
EMAID = "NLABCC00000001"
URL = "http://ocsp.example/"
Answers = dict[str, Any]


class Pki:
    """Roots of contracts and of cars, and a keeper in memory that trusts them; its time is the one of the tests."""

    def __init__(self, now: Callable[[], float] = lambda: NOW) -> None:
        self.mo = Authority("MO root", NOW - 86_400)
        self.mo_sub = Authority("MO sub", NOW - 86_400, above=self.mo)
        self.v2g = Authority("V2G root", NOW - 86_400)
        self.cpo = Authority("CPO sub", NOW - 86_400, above=self.v2g)
        self.stranger = Authority("Stranger", NOW - 86_400)
        self.keeper = MemoryEvseSecurity(now)

    async def trust(self) -> "Pki":
        for root, kind in ((self.mo, CaCertificateType.MO), (self.v2g, CaCertificateType.V2G)):
            assert await self.keeper.install_ca_certificate(root.certificate, kind) == "Accepted"
        return self

    def contract(self, authority: Authority | None = None, **options: Any) -> str:
        return (authority or self.mo_sub).issue(EMAID, **{"responder_url": URL, **options}).chain


class PncCentralSystem(CentralSystem):
    """Answers what travels in DataTransfer by `pnc`: message → payload, text, None for no data, a function of the
    request, an Exception for a CALLERROR, or Ellipsis for silence. `outer`: the status of DataTransfer."""

    def __init__(self, **pnc: Any) -> None:
        super().__init__()
        self.pnc: Answers = pnc
        self.outer = "Accepted"
        self.asked: list[tuple[str, Any]] = []
        self.answers["DataTransfer"] = self._data_transfer

    def of(self, message: str) -> list[Any]:
        """The requests that came of this message."""
        return [request for name, request in self.asked if name == message]

    def _data_transfer(self, payload: dict[str, Any], call: Any) -> Any:
        assert payload["vendorId"] == VENDOR
        message, request = payload["messageId"], json_value(payload["data"])
        self.asked.append((message, request))
        answer = self.pnc.get(message)
        if callable(answer):
            answer = answer(request)
        if answer is Ellipsis:
            return None
        if isinstance(answer, CallFailed):
            from ocpp16.testing.answers import CallErrorAnswer

            return CallErrorAnswer(answer.code)
        told: dict[str, Any] = {"status": self.outer}
        if answer is not None:
            told["data"] = answer if isinstance(answer, str) else json_text(answer)
        return told


def on_wire(**pnc: Any) -> dict[str, Any]:
    """Keys for `make_config`: the section PnC, all on, and what a request for a certificate needs."""
    keys = {
        "ISO15118PnCEnabled": True,
        "ISO15118CertificateManagementEnabled": True,
        "ContractValidationOffline": True,
        "CentralContractValidationAllowed": False,
        **pnc,
    }
    return {f"PnC__{name}": value for name, value in keys.items()}


async def transfer(bench: Any, message: str, data: Any) -> tuple[str, Any]:
    """A DataTransfer of the Central System: status, and what its data says."""
    request: dict[str, Any] = {"vendorId": VENDOR, "messageId": message}
    if data is not None:
        request["data"] = data if isinstance(data, str) else json_text(data)
    answer = await bench.csms.call("cp001", "DataTransfer", request, timeout=100)
    told = answer.get("data")
    return answer["status"], None if told is None else json_value(told)
