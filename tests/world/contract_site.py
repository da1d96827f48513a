"""A charge point with Plug & Charge from outside: certificates of openssl, and what travels in DataTransfer."""

import json
from pathlib import Path
from time import monotonic, sleep, time
from typing import Any

from openssl_lab import OpensslLab
from outside import Outside
from patience import PATIENCE

VENDOR = "org.openchargealliance.iso15118pnc"


class Contracts:
    """A mobility operator and an operator of stations, with an authority below each root; the files of contracts."""

    def __init__(self, folder: Path, certificates: Path) -> None:
        self.folder, self.certificates = folder, certificates
        self.mo = OpensslLab(folder, "MO-Root", time())
        self.mo_sub = OpensslLab(folder, "MO-Sub", time(), self.mo)
        self.v2g = OpensslLab(folder, "V2G-Root", time())
        self.cpo = OpensslLab(folder, "CPO-Sub", time(), self.v2g)
        self.stranger = OpensslLab(folder, "Stranger", time())

    def trust(self) -> None:
        """As from the factory: both roots are there."""
        self.put("ca/mo/MO_ROOT_CA.pem", self.mo.certificate)
        self.put("ca/v2g/V2G_ROOT_CA.pem", self.v2g.certificate)

    def put(self, name: str, text: str) -> None:
        path = self.certificates / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def file(self, chain: str) -> str:
        path = self.folder / "contract-of-the-car.pem"
        path.write_text(chain)
        return str(path)


def answer(one: Outside, *payloads: Any, status: str = "Accepted") -> None:
    """How the next DataTransfers are answered: text, or a payload as JSON; None: not at all."""
    told: list[Any] = []
    for payload in payloads:
        if payload is None:
            told.append(None)
            continue
        data = payload if isinstance(payload, str) else json.dumps(payload)
        told.append({"status": status, "data": data})
    one.answer_next("DataTransfer", *told)


def asked(one: Outside, message: str) -> Any:
    """The next request of this message."""
    return json.loads(one.expect("DataTransfer", vendorId=VENDOR, messageId=message)["data"])


def transfer(one: Outside, message: str, data: Any = None) -> tuple[str, Any]:
    """A DataTransfer of the Central System: status, and what its data says, which is JSON."""
    members = {} if data is None else {"data": data if isinstance(data, str) else json.dumps(data)}
    told = one.call("DataTransfer", vendorId=VENDOR, messageId=message, **members)
    return told.get("error") or told["status"], json.loads(told["data"]) if "data" in told else None


def signed_request(one: Outside) -> str:
    """Triggered, and taken."""
    answer(one, {"status": "Accepted"})
    assert transfer(one, "TriggerMessage", {}) == ("Accepted", {"status": "Accepted"})
    csr: str = asked(one, "SignCertificate")["csr"]
    return csr


def chains(one: Outside) -> list[Any]:
    status, listed = transfer(one, "GetInstalledCertificateIds", {"certificateType": ["V2GCertificateChain"]})
    assert status == "Accepted"
    found: list[Any] = listed.get("certificateHashDataChain", [])
    assert listed["status"] == ("Accepted" if found else "NotFound")
    return found


def wait_for_an_answer_kept(contracts: Contracts) -> None:
    """Of a responder, whole: the file that names the certificate is the last to come."""
    deadline = monotonic() + PATIENCE
    while len(list((contracts.certificates / "client" / "cso" / "ocsp").glob("*.hash"))) != 1:
        assert monotonic() < deadline, "nothing was kept"
        sleep(0.02)
