"""What `ocpp16 lint` says of the trace of a station whose meters sign: of one in the form of the note, of one that was
offline, and of one in which a byte was changed.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from outside import Outside, Payload

from ocpp16.metering.public_key import key_bytes
from ocpp16.metering.signature import verify
from ocpp16.metering.signed_data import recognised

NOTE = {"SignedMeterValueForm": "SignedMeterValueType", "PublicKeyWithSignedMeterValue": "EveryMeterValue"}
LOG = {"LogMessages": True, "LogMessagesFormat": ["jsonl"], "LogRotation": True, "RetryBackoffWaitMinimum": 1}

Signing = Callable[..., Outside]


@pytest.fixture
def signing(without_power: Callable[..., Outside], tmp_path: Path) -> Signing:
    """Makes a charge point whose meters sign and whose traffic is written down; its Central System asks for the key."""

    def make(keys: dict[str, Any] | None = None, core: dict[str, Any] | None = None) -> Outside:
        sections = {} if keys is None else {"SignedMeterValues": keys}
        one = without_power(
            station={"meter_reset_at_plug_in": False, "power_loss_policy": "resume"},
            options=("--signed-meter", "--message-log", str(tmp_path / "trace")),
            Internal=LOG,
            Core=core or {},
            **sections,
        )
        one.power_up()
        one.booted()
        while not (told := one.call("GetConfiguration", key=["MeterPublicKey1"])).get("configurationKey"):
            pass  # it is published once it is on disk
        assert key_bytes(told["configurationKey"][0]["value"])
        return one

    return make


def signed(values: list[Payload]) -> list[Payload]:
    return [it for value in values for it in value["sampledValue"] if it.get("format") == "SignedData"]


def public_key(one: Outside) -> bytes:
    return key_bytes(one.call("GetConfiguration", key=["MeterPublicKey1"])["configurationKey"][0]["value"])


def stop(one: Outside, number: int) -> Payload:
    """Somebody shows the card again: the StopTransaction."""
    one.card("CARD", 1)
    stopped = one.expect("StopTransaction", transactionId=number)
    one.settle()
    return stopped


def lint(one: Outside, tmp_path: Path, change: tuple[bytes, bytes] | None = None) -> list[dict[str, Any]]:
    """What the command says of the transactions of the trace, once the station has ended; and it finds nothing else.
    `change`: of its bytes."""
    (trace,) = (tmp_path / "trace").glob("*.jsonl")
    if change is not None:
        content = trace.read_bytes()
        assert change[0] in content
        trace.write_bytes(content.replace(*change))
    done = subprocess.run(
        [sys.executable, "-m", "ocpp16", "lint", str(trace), "--json"], capture_output=True, text=True, check=False
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[-1]["findings"] == {"error": 0, "warning": 0}, lines
    assert done.returncode == (1 if lines[-1]["summary"]["bad"] else 0), done.stderr
    return lines[:-1]


def test_as_the_note_has_them(signing: Signing, tmp_path: Path) -> None:
    """The begin in a MeterValues of its own right behind StartTransaction, in between by key, and all in the end."""
    keys = {**NOTE, "SampledDataSignStartedReadings": True, "SampledDataSignUpdatedReadings": True}
    one = signing(keys, {"MeterValueSampleInterval": 1})
    number = one.charge()
    first = one.expect("MeterValues", transactionId=number)
    assert [value["context"] for value in signed(first["meterValue"])] == ["Transaction.Begin"]
    second = one.expect("MeterValues", transactionId=number)
    (value,) = signed(second["meterValue"])
    assert (value["context"], value["measurand"]) == ("Sample.Periodic", "Energy.Active.Import.Register")
    read = recognised(value["value"])
    assert (read.encoding_method, read.signing_method) == ("OCMF", "ECDSA-secp256r1-SHA256")
    assert key_bytes(read.public_key) == public_key(one)
    verify(read.ocmf(), public_key(one))
    stop(one, number)
    one.power_cut()
    (told,) = lint(one, tmp_path)
    assert (told["verdict"], told["findings"]) == ("good", [])
    assert told["signed"] >= 3


def test_offline(signing: Signing, tmp_path: Path) -> None:
    one = signing(NOTE)
    number = one.charge()
    one.offline()
    one.card("CARD", 1)
    one.online()
    stopped = one.expect("StopTransaction", transactionId=number)
    assert len(signed(stopped["transactionData"])) == 2
    one.settle()
    one.power_cut()
    assert [told["verdict"] for told in lint(one, tmp_path)] == ["good"]


def test_a_changed_byte_is_found(signing: Signing, tmp_path: Path) -> None:
    one = signing()
    stop(one, one.charge())
    one.power_cut()
    change = (b'\\"MV\\":\\"ocpp16\\"', b'\\"MV\\":\\"ocpp15\\"')
    (told,) = lint(one, tmp_path, change)
    assert {finding["rule"] for finding in told["findings"]} == {"signature"}
