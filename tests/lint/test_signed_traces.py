"""`ocpp16 lint` on traces of simulated meters that sign for real: what is right is good, what is wrong is found."""

import gzip
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio
from click.testing import CliRunner, Result

from ocpp16.charge_point.open import open_charge_point
from ocpp16.cli.command_line import root
from ocpp16.cli.log import LogChoice
from ocpp16.lint.signed_transactions import Transaction
from ocpp16.lint.signed_values import Signed, has_begin_and_end
from ocpp16.metering import ocmf
from ocpp16.metering.signature import SigningKey
from ocpp16.simulation import Operation, SimulatedStation
from ocpp16.simulation.signing_meter import SigningMeters
from ocpp16.testing import CentralSystem

IN_BETWEEN = {
    "SampledDataSignStartedReadings": True,
    "SampledDataSignUpdatedReadings": True,
    "AlignedDataSignReadings": True,
    "AlignedDataSignUpdatedReadings": True,
}
NOTE = {"SignedMeterValueForm": "SignedMeterValueType", "PublicKeyWithSignedMeterValue": "OncePerTransaction"}


def configuration(keys: dict[str, Any] | None, interval: int = 60) -> dict[str, dict[str, Any]]:
    document: dict[str, dict[str, Any]] = {
        "Internal": {
            "ChargePointId": "cp001",
            "CentralSystemURI": "ws://127.0.0.1:9000/",
            "ChargePointModel": "Simulated",
            "ChargePointVendor": "ocpp16",
            "LogMessages": True,
            "LogMessagesFormat": ["jsonl"],
            "LogRotation": True,
            "RetryBackoffWaitMinimum": 1,
            "RetryBackoffRandomRange": 0,
        },
        "Core": {
            "NumberOfConnectors": 1,
            "AllowOfflineTxForUnknownId": True,
            "MeterValueSampleInterval": interval,
            "ClockAlignedDataInterval": 900,
            "StopTxnSampledData": "Energy.Active.Import.Register,Voltage",
            "StopTxnAlignedData": "Energy.Active.Import.Register",
        },
    }
    if keys is not None:
        document["SignedMeterValues"] = keys
    return document


async def charge(
    folder: Path,
    keys: dict[str, Any] | None,
    *,
    seconds: float = 1_000,
    is_cut: bool = False,
    is_offline: bool = False,
    is_asked: bool = True,
    is_stopped: bool = True,
    interval: int = 60,
    policy: str = "resume",
) -> Path:
    """The trace of one transaction. `is_cut`: the power fails in the middle of it."""
    async with CentralSystem() as csms:
        for part in range(2 if is_cut else 1):
            is_last = part == 1 or not is_cut
            station = SimulatedStation(
                meter_interval=0,
                signed_meter=True,
                meters=folder,
                power_loss_policy=policy,
                meter_reset_at_plug_in=False,
            )
            async with open_charge_point(
                configuration(keys, interval),
                station,
                connector=csms.connector,
                database_path=folder,
                message_log_path=folder,
            ) as charge_point:
                await Operation(station, charge_point).start()
                await trio.sleep(1)
                if is_asked and part == 0:
                    await csms.call("cp001", "GetConfiguration", {"key": ["MeterPublicKey1"]})
                if part == 0:
                    if is_offline:
                        charge_point.connection.disconnect()
                        await csms.wait_disconnected("cp001")
                    station.plug_in(1, plug_after=0, draw_after=1, draw_for=1e6, current=16, phases=3)
                    station.present_id_tag("TAG1", [1])
                await trio.sleep(seconds)
                if not is_last:
                    await charge_point.stored()
                    charge_point.abandon()
                    continue
                if is_stopped:
                    station.unplug(1)
                await trio.sleep(1)
                if is_offline:
                    charge_point.connection.connect()
                    await csms.wait_connected("cp001")
                    await trio.sleep(30)
    return folder / "cp001.jsonl"


def lint(*arguments: object) -> Result:
    return CliRunner().invoke(root, ["lint", *map(str, arguments)], obj=LogChoice(), standalone_mode=False)


def findings(trace: Path, *arguments: object) -> list[str]:
    """The rules that the only transaction breaks; what is told is bad if any does, and the exit code says so."""
    told = lint(trace, "--json", *arguments)
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    (one,) = [line for line in lines if "verdict" in line]
    assert one["charge_point"] == "cp001"
    assert told.return_value == (1 if one["findings"] else 0)
    assert (one["verdict"] == "bad") == bool(one["findings"])
    assert lines[-1]["summary"][one["verdict"]] == 1
    return sorted({finding["rule"] for finding in one["findings"]})


@pytest.mark.parametrize(
    "keys", [None, IN_BETWEEN, {**IN_BETWEEN, **NOTE}, NOTE], ids=["libocpp", "between", "note", "ends"]
)
@pytest.mark.parametrize("how", ["online", "offline", "cut"])
async def test_what_a_signing_station_tells_is_good(
    autojump_clock: Any, tmp_path: Path, keys: dict[str, Any] | None, how: str
) -> None:
    trace = await charge(tmp_path, keys, is_offline=how == "offline", is_cut=how == "cut")
    told = lint(trace)
    assert told.return_value == 0, told.stdout
    assert told.stdout.splitlines()[-1] == "1 good, 0 bad, 0 nothing signed"
    assert "key published" in told.stdout
    packed = tmp_path / "trace.gz"
    packed.write_bytes(gzip.compress(trace.read_bytes()))
    assert lint(packed).stdout == told.stdout


async def test_five_hundred_samples_leave_begin_and_end_whole(autojump_clock: Any, tmp_path: Path) -> None:
    trace = await charge(tmp_path, {**IN_BETWEEN, **NOTE}, seconds=5_050, interval=10)
    told = json.loads(lint(trace, "--json").stdout.splitlines()[0])
    assert (told["verdict"], told["signed"] > 500) == ("good", True), told["findings"]


async def test_where_the_key_comes_from(autojump_clock: Any, tmp_path: Path) -> None:
    trace = await charge(tmp_path, NOTE, is_asked=False)
    assert findings(trace) == ["signature"], "OncePerTransaction: the end does not bring it"
    key = SigningMeters(tmp_path, 0, print).public_key(1)
    assert findings(trace, "--public-key", key) == []
    (tmp_path / "key.der").write_bytes(bytes.fromhex(key))
    assert findings(trace, "--public-key", tmp_path / "key.der") == []
    assert findings(trace, "--public-key", SigningKey(1).public_der.hex()) == ["signature"]
    wrong = lint(trace, "--public-key", "no key")
    assert "--public-key: no key" in str(wrong.exception)


END_ONLY, BOTH = ["there is no signed end"], ["there is no signed begin", "there is no signed end"]


@pytest.mark.parametrize(
    ("has_start", "is_stopped", "told"),
    [(True, True, BOTH), (True, False, []), (False, True, END_ONLY), (False, False, [])],
)
def test_what_is_missed_is_what_the_trace_should_have(has_start: bool, is_stopped: bool, told: list[str]) -> None:
    """The begin may come with StopTransaction, or have come before the trace."""
    transaction = Transaction("cp001", 1, has_start=has_start, is_stopped=is_stopped)
    assert list(has_begin_and_end(Signed(transaction, []))) == told


async def test_a_trace_that_begins_in_a_transaction(autojump_clock: Any, tmp_path: Path) -> None:
    trace = await charge(tmp_path, IN_BETWEEN | {"SampledDataSignReadings": False})
    lines = trace.read_bytes().splitlines(keepends=True)
    start = max(number for number, line in enumerate(lines) if b'"StartTransaction"' in line)
    trace.write_bytes(b"".join(lines[start + 1 :]))
    told = lint(trace, "--only", "begin-and-end")
    assert "begun before the trace" in told.stdout
    assert "there is no signed begin" not in told.stdout


async def test_a_transaction_that_runs_and_one_that_the_power_ended(autojump_clock: Any, tmp_path: Path) -> None:
    running = await charge(tmp_path / "running", IN_BETWEEN, seconds=600, is_stopped=False)
    # The block's end stops the transaction in order: what runs is a trace that ends before.
    lines = running.read_bytes().splitlines(keepends=True)
    stop = next(number for number, line in enumerate(lines) if b'"StopTransaction"' in line)
    running.write_bytes(b"".join(lines[:stop]) + lines[stop][:50])
    told = lint(running)
    assert told.return_value == 0
    assert "not stopped: good" in told.stdout
    ended = await charge(tmp_path / "ended", None, is_cut=True, policy="stop")
    assert findings(ended) == ["begin-and-end"]
    assert "no signed end (reason PowerLoss)" in lint(ended).stdout


# One thing that is wrong

Change = Callable[[list[dict[str, Any]]], None]


def rewritten(trace: Path, change: Change) -> Path:
    records = [json.loads(line) for line in trace.read_bytes().splitlines()]
    change(records)
    trace.write_text("".join(json.dumps(record) + "\n" for record in records))
    return trace


def of(records: list[dict[str, Any]], action: str) -> dict[str, Any]:
    return next(
        record["payload"] for record in records if record.get("action") == action and record["messageType"] == "CALL"
    )


def signed(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Begin and end in transactionData."""
    values = [it for value in of(records, "StopTransaction")["transactionData"] for it in value["sampledValue"]]
    return [it for it in values if it.get("format") == "SignedData"]


def replace(place: int, old: str, new: str) -> Change:
    def change(records: list[dict[str, Any]]) -> None:
        value = signed(records)[place]
        assert old in value["value"]
        value["value"] = value["value"].replace(old, new)

    return change


def forged(place: int, old: str, new: str, number: int = 77) -> Change:
    """Another text in its place, rightly signed, by a key that is published."""

    def change(records: list[dict[str, Any]]) -> None:
        key = SigningKey(number)
        for value in signed(records):
            payload = ocmf.parse(value["value"]).payload
            if value is signed(records)[place]:
                assert old in payload
                payload = payload.replace(old, new)
            value["value"] = key.ocmf(payload)
        for record in records:
            for row in (record.get("payload") or {}).get("configurationKey", ()):
                row["value"] = key.public_der.hex()

    return change


def set_member(action: str, name: str, value: Any) -> Change:
    def change(records: list[dict[str, Any]]) -> None:
        of(records, action)[name] = value

    return change


def drop(place: int) -> Change:
    def change(records: list[dict[str, Any]]) -> None:
        gone = signed(records)[place]
        for value in of(records, "StopTransaction")["transactionData"]:
            value["sampledValue"] = [it for it in value["sampledValue"] if it is not gone]

    return change


WRONG: list[tuple[str, Change, list[str]]] = [
    ("a byte", replace(1, '"MV":"ocpp16"', '"MV":"ocpp15"'), ["signature"]),
    ("a signature", replace(0, '"SD":"30', '"SD":"31'), ["signature"]),
    ("no OCMF", replace(0, "OCMF|", "OCMG|"), ["readable"]),
    ("no begin but in the end", drop(0), []),
    ("no end", drop(1), ["begin-and-end"]),
    ("another key, which is published", forged(1, "", ""), []),
    ("energy falls", forged(0, '"RV":0.000', '"RV":9999.000'), ["begin-and-end", "rising"]),
    ("meterStart", set_member("StartTransaction", "meterStart", 7), ["energy"]),
    ("meterStop", set_member("StopTransaction", "meterStop", 7), ["energy"]),
    ("id tag", set_member("StartTransaction", "idTag", "OTHER"), ["id-tag"]),
    ("pages", forged(0, '"PG":"T1"', '"PG":"T9000"'), ["pages"]),
    ("status", forged(1, '"ST":"G"}]', '"ST":"M"}]'), ["status"]),
    ("error flags", forged(1, '"EF":"","ST":"G"}]', '"EF":"E","ST":"G"}]'), ["status"]),
    ("meter", forged(1, '"MS":"SIM', '"MS":"SAM'), ["one-meter"]),
    ("time", forged(0, '"TM":"20', '"TM":"29'), ["begin-and-end", "rising"]),
    ("begin", forged(0, '"RV":0.000', '"RV":0.001'), ["begin-and-end"]),
    ("a member nobody knows", forged(1, '"TX":"E"', '"TX":"E","XX":""'), []),
]


@pytest.mark.parametrize(("change", "rules"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
async def test_what_is_wrong_is_found(autojump_clock: Any, tmp_path: Path, change: Change, rules: list[str]) -> None:
    trace = await charge(tmp_path, None)
    assert findings(rewritten(trace, change)) == rules


async def test_what_nobody_looks_at_is_not_called_good(autojump_clock: Any, tmp_path: Path) -> None:
    trace = rewritten(await charge(tmp_path, None), replace(1, '"MV":"ocpp16"', '"MV":"ocpp15"'))
    assert "good" not in lint(trace, "--only", "schema").stdout
    told = lint(trace, "--ignore", "signature").stdout
    assert "good, 2 signed, key published, 1 of them not verified" in told


async def test_a_key_in_the_value_that_is_not_the_published_one(autojump_clock: Any, tmp_path: Path) -> None:
    def change(records: list[dict[str, Any]]) -> None:
        value = signed(records)[0]
        members = json.loads(value["value"])
        members["publicKey"] = b64encode(f"oca:base16:asn1:{SigningKey(3).public_der.hex()}".encode()).decode()
        assert b64decode(members["signedMeterData"]).startswith(b"OCMF|")
        value["value"] = json.dumps(members)

    trace = await charge(tmp_path, NOTE)
    assert findings(trace) == []
    assert findings(rewritten(trace, change)) == ["signature"]


@pytest.mark.parametrize("content", [b"", b"{}\n", b"no trace\n", b"\x1f\x8bno gzip", b"[1]\n" * 30])
def test_what_is_no_trace_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "trace"
    path.write_bytes(content)
    told = lint(path)
    assert type(told.exception).__name__ == "CommandFailed"
    assert str(path) in str(told.exception)
    missing = lint(tmp_path / "missing")
    assert "cannot be read: No such file" in str(missing.exception)


async def test_lines_that_are_no_records_are_told_and_passed_over(autojump_clock: Any, tmp_path: Path) -> None:
    trace = await charge(tmp_path, None)
    lines = trace.read_bytes().splitlines(keepends=True)
    trace.write_bytes(lines[0] + b"\xff\n5\n" + b"".join(lines[1:]) + b'{"direction": "cp')
    told = lint(trace)
    assert told.return_value == 0
    assert "1 good" in told.stdout
    assert [line.rpartition(": ")[2] for line in told.stderr.splitlines()] == ["no JSON", "no record of a trace"]
    trace.write_bytes(b"".join(line for line in lines if b"StartTransaction" not in line))
    assert findings(trace) == [], "one whose begin is not in the trace"
