"""What meters signed, as a Central System finds it, and verified twice: by us and by the command openssl."""

import json
import subprocess
from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ocpp16.metering import ocmf
from ocpp16.metering.public_key import key_bytes
from ocpp16.metering.signature import verify

Payload = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """A signed value: the action it came in, its context, connector and time, and `value` as it was on the wire."""

    action: str
    context: str
    connector: int
    timestamp: str
    sample: Payload

    @property
    def value(self) -> str:
        value: str = self.sample["value"]
        return value

    @property
    def text(self) -> str:
        """The text of the meter, in whichever of the two forms it came."""
        if self.value.startswith("{"):
            return b64decode(json.loads(self.value)["signedMeterData"]).decode()
        return self.value

    @property
    def read(self) -> ocmf.Ocmf:
        return ocmf.parse(self.text)

    @property
    def kinds(self) -> str:
        """TX of its readings."""
        return "".join(reading.transaction for reading in self.read.readings)


def signed(values: Sequence[Payload], action: str, connector: int = 0) -> Iterator[Told]:
    """The signed ones of `meterValue` or `transactionData`."""
    for value in values:
        for sample in value["sampledValue"]:
            if sample.get("format") == "SignedData":
                yield Told(action, sample["context"], connector, value["timestamp"], sample)


def of_stop(stop: Payload) -> list[Told]:
    return [*signed(stop.get("transactionData", ()), "StopTransaction")]


def of_meter_values(calls: Sequence[Payload]) -> list[Told]:
    return [told for call in calls for told in signed(call["meterValue"], "MeterValues", call["connectorId"])]


def check(text: str, public_key: str, folder: Path) -> None:
    """Raises where one of the two does not find it signed by this key (DER as hexadecimal text).

    openssl is given what was cut out of the text without our reader.
    """
    verify(ocmf.parse(text), key_bytes(public_key))
    assert is_verified_by_openssl(text, public_key, folder), text


def is_verified_by_openssl(text: str, public_key: str, folder: Path) -> bool:
    header, _, rest = text.partition("|")
    payload, _, signature = rest.rpartition("|")
    assert header == "OCMF"
    folder.mkdir(parents=True, exist_ok=True)
    key, signature_file = folder / "key.der", folder / "signature"
    key.write_bytes(bytes.fromhex(public_key))
    signature_file.write_bytes(bytes.fromhex(json.loads(signature)["SD"]))
    command = ["openssl", "dgst", "-sha256", "-keyform", "DER", "-verify", str(key), "-signature", str(signature_file)]
    found = subprocess.run(command, input=payload.encode(), capture_output=True, check=False)
    assert found.stdout.strip() in (b"Verified OK", b"Verification failure", b"Verification Failure"), found.stderr
    return found.returncode == 0
