"""Wrong configuration files of many kinds: each problem told by its key, all of a file at once, and exit code 2."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ocpp16.cli import main

RIGHT = {
    "Internal": {
        "ChargePointId": "cp1",
        "CentralSystemURI": "ws://127.0.0.1:9/ocpp",
        "ChargePointModel": "M",
        "ChargePointVendor": "V",
    }
}


def file(**sections: Any) -> bytes:
    """The right one with other keys; a section that is no object takes its place."""
    document: dict[str, Any] = {name: dict(keys) for name, keys in RIGHT.items()}
    for name, keys in sections.items():
        document[name] = {**document.get(name, {}), **keys} if isinstance(keys, dict) else keys
    return json.dumps(document).encode()


def core(**keys: Any) -> bytes:
    return file(Core=keys)


def internal(**keys: Any) -> bytes:
    return file(Internal=keys)


def security(**keys: Any) -> bytes:
    return file(Security=keys)


LACKING = [f"Internal.{key}: is required and missing" for key in sorted(RIGHT["Internal"])]

WRONG: dict[str, tuple[bytes, list[str]]] = {
    "empty": (b"", ["1:1: not JSON: Expecting value"]),
    "text": (b"hello", ["1:1: not JSON: Expecting value"]),
    "a comma too many": (b'{\n"Internal": {},}', ["2:16: not JSON: Expecting property name enclosed in double quotes"]),
    "an array": (b"[]", ["must hold a JSON object"]),
    "null": (b"null", ["must hold a JSON object"]),
    "another encoding": (b'{"Internal": {"ChargePointModel": "\xfc"}}', ["not UTF-8 at byte 35"]),
    "NaN": (b'{"Core": {"HeartbeatInterval": NaN}}', ["NaN is no JSON"]),
    "a key twice": (
        b'{"Core": {"HeartbeatInterval": 1, "HeartbeatInterval": 2}}',
        ["HeartbeatInterval is there twice"],
    ),
    "nested without end": (b'{"Custom": {"a": ' + b"[" * 99 + b"]" * 99 + b"}}", ["is nested deeper than 64 levels"]),
    "nothing": (b"{}", LACKING),
    "a section that is none": (core()[:-3] + b"[]}", ["Core: must be an object of keys"]),
    "an unknown section": (file(Cor={}), ["Cor: is not a section; did you mean Core?"]),
    "an unknown key": (
        core(HeartbeatIntervall=5),
        ["Core.HeartbeatIntervall: is not a key of this section; did you mean HeartbeatInterval?"],
    ),
    "a key in another section": (
        core(ChargePointVendor="V"),
        ["Core.ChargePointVendor: is not a key of this section; ChargePointVendor belongs into section Internal"],
    ),
    "a text for a truth value": (
        core(LocalPreAuthorize="true"),
        ['Core.LocalPreAuthorize = "true": must be true or false'],
    ),
    "a text for a number": (core(HeartbeatInterval="5"), ['Core.HeartbeatInterval = "5": must be an integer']),
    "a fraction": (core(HeartbeatInterval=5.5), ["Core.HeartbeatInterval = 5.5: must be an integer"]),
    "too large": (core(LightIntensity=101), ["Core.LightIntensity = 101: must be at most 100"]),
    "too small": (core(NumberOfConnectors=-1), ["Core.NumberOfConnectors = -1: must be at least 0"]),
    "beyond all integers": (
        core(HeartbeatInterval=10**400),
        [f"Core.HeartbeatInterval = 1{'0' * 79}…(+321): must be at most 2147483647"],
    ),
    "no such word": (
        security(AuthorizationKeyForm="Base64"),
        ['Security.AuthorizationKeyForm = "Base64": must be one of Hex, Text'],
    ),
    "no measurand": (
        core(MeterValuesSampledData="Energy,Voltage"),
        ['Core.MeterValuesSampledData = "Energy,Voltage": item 1 is not a measurand'],
    ),
    "too long": (
        internal(ChargePointModel="M" * 21),
        [f'Internal.ChargePointModel = "{"M" * 21}": has 21 characters, at most 20 are allowed'],
    ),
    "a control character": (
        internal(ChargePointId="a\nb"),
        ['Internal.ChargePointId = "a\\nb": has a control character or a character that is no Unicode character'],
    ),
    "half a character": (
        internal(ChargePointVendor="\ud800"),
        ["Internal.ChargePointVendor = \\ud800: holds a character that is no Unicode character"],
    ),
    "another scheme": (
        internal(CentralSystemURI="http://x"),
        ['Internal.CentralSystemURI = "http://x": must begin with ws:// or wss:// or with the host'],
    ),
    "an impossible port": (
        internal(CentralSystemURI="ws://x:99999/"),
        ['Internal.CentralSystemURI = "ws://x:99999/": has no usable host and port'],
    ),
    "a password in the address": (
        internal(CentralSystemURI="ws://u:p@x/"),
        [
            'Internal.CentralSystemURI = "ws://…@x/": must not hold credentials, the password is AuthorizationKey',
        ],
    ),
    "a scheme against the profile": (
        security(SecurityProfile=2, AuthorizationKey="text:0123456789abcdef"),
        ['Internal.CentralSystemURI = "ws://127.0.0.1:9/ocpp": must be wss:// with SecurityProfile 2'],
    ),
    "a profile without its password": (
        security(SecurityProfile=1),
        ["Security.SecurityProfile = 1: needs an AuthorizationKey"],
    ),
    "a short password": (
        security(AuthorizationKey="ab"),
        ["Security.AuthorizationKey = (secret): must have 8 to 100 bytes"],
    ),
    "a password of wrong digits": (
        security(AuthorizationKey="hex:zz"),
        ["Security.AuthorizationKey = (secret): must be an even number of hexadecimal digits"],
    ),
    "two rotations of a connector": (
        core(ConnectorPhaseRotation="1.RST,1.RTS"),
        ['Core.ConnectorPhaseRotation = "1.RST,1.RTS": names connector 1 twice'],
    ),
    "access to a key that is none": (
        internal(KeyAccess={"HeartbeatIntervall": "RO"}),
        ["Internal.KeyAccess.HeartbeatIntervall = RO: there is no such key; did you mean HeartbeatInterval?"],
    ),
    "a key log without a file": (
        internal(EnableTLSKeylog=True),
        ["Internal.EnableTLSKeylog = true: needs TLSKeylogFile"],
    ),
    "a name of one's own that is too long": (
        file(Custom={"n" * 51: "1"}),
        [f"Custom.{'n' * 51}: has 51 characters, a key name may have 50"],
    ),
    "all at once": (
        file(
            Core={"LightIntensity": 101, "HeartbeatIntervall": 1, "LocalPreAuthorize": 5},
            Internal={"ChargePointVendor": ""},
            Security={"AuthorizationKey": "ab"},
            Nothing={},
        ),
        [
            'Internal.ChargePointVendor = "": must not be empty',
            "Core.LightIntensity = 101: must be at most 100",
            "Core.HeartbeatIntervall: is not a key of this section; did you mean HeartbeatInterval?",
            "Core.LocalPreAuthorize = 5: must be true or false",
            "Security.AuthorizationKey = (secret): must have 8 to 100 bytes",
            "Nothing: is not a section",
        ],
    ),
}


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    def run(*arguments: str) -> list[str]:
        assert main(["charge-point", *arguments]) == 2
        output = capsys.readouterr()
        assert output.out == ""
        return output.err.splitlines()

    return run


@pytest.mark.parametrize("kind", WRONG)
def test_every_problem_of_a_file_is_told_by_its_key(kind: str, tmp_path: Path, told: Any) -> None:
    content, problems = WRONG[kind]
    path = tmp_path / "cp.json"
    path.write_bytes(content)
    lines = told("--conf", str(path))
    assert all(line.startswith(f"ocpp16: {path}:") for line in lines)
    assert sorted(line.removeprefix(f"ocpp16: {path}:").strip() for line in lines) == sorted(problems)


def test_what_is_no_file(tmp_path: Path, told: Any) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert told("--conf", str(tmp_path)) == [f"ocpp16: {tmp_path}: is a folder, and no configuration"]
    for path in (str(tmp_path / "pipe"), os.devnull):
        assert told("--conf", path) == [f"ocpp16: {path}: is no file that holds anything, and no configuration"]
    (line,) = told("--conf", str(tmp_path / "cp.json"))
    assert line.startswith(f"ocpp16: {tmp_path / 'cp.json'}: there is no such file")
