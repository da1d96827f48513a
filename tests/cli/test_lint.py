"""`ocpp16 lint` as a process: exit codes, both forms of output, keys from files, and what is no trace."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ocpp16.metering.ocmf_text import MeterIdentity, UserAssignment, WrittenReading, payload
from ocpp16.metering.signature import SigningKey

Process = subprocess.CompletedProcess[str]
pytestmark = pytest.mark.world
KEY = SigningKey(4711)


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """One transaction of each judgement would need keys of its own: one that is good, by the key given."""
    from datetime import UTC, datetime
    from decimal import Decimal

    at = datetime(2026, 1, 1, tzinfo=UTC)
    user = UserAssignment("CARD", "ISO14443", "VERIFIED", ("RFID_PLAIN",))
    readings = [WrittenReading(at, "S", "B", Decimal(1)), WrittenReading(at, "S", "E", Decimal(2))]
    text = KEY.ocmf(payload("T1", MeterIdentity("M", "V", "M", "1"), user, readings))
    meter_value = {"timestamp": "x", "sampledValue": [{"value": text, "format": "SignedData"}]}
    common = {"schemaVersion": "1.1", "chargePointId": "cp1", "direction": "cp-to-csms", "messageType": "CALL"}
    start = {"connectorId": 1, "idTag": "CARD", "meterStart": 1000, "timestamp": "t"}
    stop = {"transactionId": 5, "meterStop": 2000, "timestamp": "u", "transactionData": [meter_value]}
    lines = [
        {**common, "messageId": "1", "action": "StartTransaction", "payload": start},
        {
            **common,
            "direction": "csms-to-cp",
            "messageType": "CALLRESULT",
            "messageId": "1",
            "action": "StartTransaction",
            "payload": {"transactionId": 5, "idTagInfo": {"status": "Accepted"}},
        },
        {**common, "messageId": "2", "action": "StopTransaction", "payload": stop},
    ]
    path = tmp_path / "trace.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_good_bad_and_in_json(ocpp16: Callable[..., Process], trace: Path, tmp_path: Path) -> None:
    key = tmp_path / "key.txt"
    key.write_text(KEY.public_der.hex())
    done = ocpp16("lint", "--public-key", str(key), str(trace))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "cp1, transaction 5: good: 1 signed values, by the key given, 1000 Wh",
        "transactions: 1 good, 0 bad, 0 nothing signed",
    ]
    done = ocpp16("lint", "--public-key", SigningKey(1).public_der.hex(), "--json", str(trace))
    (found,) = map(json.loads, done.stdout.splitlines())
    assert (done.returncode, found["judgement"], found["findings"][0]["rule"]) == (1, "bad", "signature")
    trace.write_text(trace.read_text().replace("SignedData", "Raw"))
    assert ocpp16("lint", str(trace)).returncode == 0
    assert ocpp16("lint", "--unsigned", str(trace)).returncode == 1
    trace.write_text(trace.read_text() + "damaged\n")
    done = ocpp16("lint", str(trace))
    assert (done.returncode, "line 4: no JSON" in done.stderr) == (1, True)
    assert "1 lines are no records" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "TRACE"),
        (("none.jsonl",), "none.jsonl: cannot be read: No such file"),
        (("here",), "here: cannot be read: Is a directory"),
        (("text",), "text: is no trace"),
        (("empty",), "empty: is no trace"),
        (("--public-key", "no key!", "text"), "--public-key no key!: a public key must be"),
    ],
)
def test_what_cannot_be(ocpp16: Callable[..., Process], tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "text").write_text("some text\n")
    (tmp_path / "empty").touch()
    done = ocpp16("lint", *arguments)
    assert (done.returncode, done.stdout) == (2, ""), done
    assert said in done.stderr
    assert "Traceback" not in done.stderr
