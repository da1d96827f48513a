"""Configuration files that are wrong in every way: all of it told, by key, with exit code 2, and nothing started."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ocpp16.cli import main

IDENTITY = {
    "ChargePointId": "c",
    "CentralSystemURI": "ws://csms.example",
    "ChargePointModel": "m",
    "ChargePointVendor": "v",
}


def internal(**keys: Any) -> bytes:
    return document(Internal=keys)


def document(**sections: Any) -> bytes:
    """A file that is right but for what is given."""
    return json.dumps({**sections, "Internal": {**IDENTITY, **sections.get("Internal", {})}}).encode()


def core(**keys: Any) -> bytes:
    return document(Core=keys)


MISSING = [f"Internal.{name}: is required" for name in sorted(IDENTITY)]

WRONG: dict[str, tuple[bytes, list[str]]] = {
    "empty": (b"", [":1:1: not JSON"]),
    "no JSON": (b"{hello", [":1:2: not JSON"]),
    "a comma too many": (b'{\n "Core": {},\n}', [":3:1: not JSON"]),
    "an array": (b"[]", ["must hold a JSON object"]),
    "no UTF-8": (b'{"Core": "\xff"}', ["not UTF-8 at byte 10"]),
    "UTF-16": ("{}".encode("utf-16"), ["not UTF-8 at byte 0"]),
    "a key twice, another too, and no numbers": (
        b'{"Core": {"ResetRetries": 1, "ResetRetries": 2, "LightIntensity": NaN},'
        b' "Core": {"BlinkRepeat": 1e999, "HeartbeatInterval": ' + b"9" * 5000 + b"}}",
        ["LightIntensity = NaN", "ResetRetries is there twice", "BlinkRepeat = 1e999", "5000 digits", "Core is there"],
    ),
    "no number in an array": (b'{"Custom": {"a": [1, -Infinity]}}', ["-Infinity is no JSON"]),
    "nested beyond reading": (b"[" * 100_000, ["nested deeper than 64 levels"]),
    "nested deep": (b'{"Custom":' + b"[" * 70 + b"]" * 70 + b"}", ["nested deeper than 64 levels"]),
    "nothing in it": (b"{}", MISSING),
    "sections of other types": (document(Core=3, Security=[]), ["Core: must be an object", "Security: must be an"]),
    "sections nobody knows": (document(Coer={}, Zzz={}), ["Coer: is not a section; did you mean Core?", "Zzz: is not"]),
    "a key as section": (document(HeartbeatInterval={}), ["a key of section Core"]),
    "keys nobody knows": (
        core(HeartbeatIntervall=1, heartbeatinterval=1, ICCID="x"),
        ["did you mean HeartbeatInterval?", "it is spelt HeartbeatInterval", "ICCID belongs into section Internal"],
    ),
    "types": (
        core(
            HeartbeatInterval="5",
            LocalPreAuthorize=1,
            ConnectorPhaseRotation=5,
            NumberOfConnectors=True,
            BlinkRepeat=1.5,
        ),
        ['Interval = "5": ', "LocalPreAuthorize = 1: ", "Rotation = 5: ", "Connectors = true: ", "BlinkRepeat = 1.5: "],
    ),
    "null": (core(HeartbeatInterval=None), ["Core.HeartbeatInterval = null: "]),
    "ranges": (
        core(HeartbeatInterval=-1, NumberOfConnectors=1001, LightIntensity=101),
        ["HeartbeatInterval = -1: must be at least 0", "must be at most 1000", "must be at most 100"],
    ),
    "a number beyond all": (core(HeartbeatInterval=10**300), ["Core.HeartbeatInterval = 1000"]),
    "choices": (document(Security={"AuthorizationKeyForm": "hex"}), ["must be one of Hex, Text"]),
    "items": (
        core(MeterValuesSampledData="Volt", StopTxnAlignedData="Energy"),
        ["Core.MeterValuesSampledData", "Core.StopTxnAlignedData"],
    ),
    "a password is missing": (document(Security={"SecurityProfile": 1}), ["needs an AuthorizationKey"]),
    "a password too short": (document(Security={"AuthorizationKey": "text:x"}), ["AuthorizationKey = (secret): "]),
    "profile and scheme": (internal(CentralSystemURI="wss://x"), ["must be ws:// with SecurityProfile 0"]),
    "a profile that does not exist": (
        document(Security={"SecurityProfile": 4}),
        ["Security.SecurityProfile = 4: "],
    ),
    "an address to fall back to": (
        internal(FallbackCentralSystems="ws://a,http://b"),
        ["Internal.FallbackCentralSystems = "],
    ),
    "another scheme": (internal(CentralSystemURI="http://x"), ["Internal.CentralSystemURI"]),
    "a port out of range": (internal(CentralSystemURI="ws://x:70000"), ["Internal.CentralSystemURI"]),
    "a connector twice": (core(ConnectorPhaseRotation="1.RST,1.RTS"), ["names connector 1 twice"]),
    "control characters": (internal(ChargePointId="a\x1b[0m\n"), ["Internal.ChargePointId = "]),
    "texts too long or empty": (
        internal(ChargePointModel="m" * 21, ICCID="1" * 21, ChargePointVendor=""),
        ["ChargePointModel = ", "ChargePointVendor = ", "ICCID = "],
    ),
    "half a character": (internal(ChargePointModel="\ud800"), ["Internal.ChargePointModel = "]),
    "a key log without file": (internal(EnableTLSKeylog=True), ["needs TLSKeylogFile"]),
    "access to nothing, and no access": (
        internal(KeyAccess={"Nope": "RW", "AuthorizationKey": "RO"}),
        ["KeyAccess.Nope = RW", "a secret cannot be made readable"],
    ),
    "repairs nobody makes": (internal(Tolerances="strict,+nope"), ["Internal.Tolerances = "]),
    "names of own keys": (
        document(Custom={" x": 1, "a" * 51: 2, "Ab": 1, "aB": 2}),
        ["is no name", "has 51 characters", "upper and lower case"],
    ),
}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def check(capsys: pytest.CaptureFixture[str], told: list[str], *more: str) -> None:
    """As many lines as there are problems; each problem is in one."""
    assert main(("charge-point", "--conf", "cp.json", *more)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert len(lines) == len(told), lines
    assert all(line.startswith("ocpp16: ") and line.isprintable() and len(line) < 1000 for line in lines)
    for text in told:
        assert any(text in line for line in lines), (text, lines)


@pytest.mark.parametrize(("content", "told"), WRONG.values(), ids=WRONG)
def test_all_that_is_wrong_is_told(content: bytes, told: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path("cp.json").write_bytes(content)
    check(capsys, told)
    if "needs an AuthorizationKey" not in told:  # one of an earlier life may lie in the folder
        check(capsys, told, "--maindir", "d")
        assert not Path("d").exists()


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_no_file(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    if kind == "folder":
        Path("cp.json").mkdir()
    else:
        os.mkfifo("cp.json")
    check(
        capsys,
        [f"cp.json: is {'a folder' if kind == 'folder' else 'no file that holds anything'}, and no configuration"],
    )


def test_wrong_in_every_section_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    sections: dict[str, dict[str, Any]] = {
        "Internal": {"ICCID": 5, "TLSKeylog": "x"},
        "Core": {"ResetRetries": -1, "StopTxnSampledData": "Volt"},
        "LocalAuthListManagement": {"LocalAuthListEnabled": "yes"},
        "Reservation": {"ReserveConnectorZeroSupported": 0},
        "SmartCharging": {"ChargeProfileMaxStackLevel": "9"},
        "Security": {"SecurityProfile": 4},
    }
    Path("cp.json").write_bytes(document(**sections))
    check(capsys, [f"{section}.{key}" for section, keys in sections.items() for key in keys])


@pytest.mark.parametrize(
    ("schema", "told"), [("{", ":1:2: not JSON"), ('{"properties": {"a": {"type": "nothing"}}}', "Custom.json: ")]
)
def test_a_broken_schema_of_own_keys(schema: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("share/profile_schemas").mkdir(parents=True)
    Path("share/profile_schemas/Custom.json").write_text(schema)
    Path("cp.json").write_bytes(document())
    check(capsys, [told], "--share", "share")
