"""`ocpp16 charge-point` from options alone, over a file, and everything that is wrong with them at once."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import fields
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from ocpp16.cli.charge_point_options import Chosen, Given, choose
from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.keys import core, internal, security
from ocpp16.errors import ConfigurationError

KEY = "0123456789abcdef"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def chosen(**given: Any) -> Chosen:
    names = [field.name for field in fields(Given)]
    return choose(Given(**{**dict.fromkeys(names), **given}))


def problems(**given: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        chosen(**given)
    return tuple(caught.value.problems)


@pytest.mark.parametrize(
    ("csms", "password", "profile", "key"),
    [
        ("ws://csms.example/ocpp", None, 0, None),
        ("ws://csms.example/ocpp", KEY, 1, KEY.encode()),
        ("wss://csms.example/ocpp", KEY, 2, KEY.encode()),
        ("WSS://csms.example/ocpp", "hex:00112233445566778899aabbccddeeff", 2, bytes(range(0, 256, 17))),
        ("ws://csms.example/ocpp", "00112233445566778899aabbccddeeff", 1, b"00112233445566778899aabbccddeeff"),
    ],
)
def test_the_security_profile_follows(csms: str, password: str | None, profile: int, key: bytes | None) -> None:
    Path("config.json").write_text("a file that lies about is not taken")
    found = Configuration.load(chosen(csms=csms, identity="cp7", password=password).configuration)
    assert found[security.SECURITY_PROFILE] == profile
    assert found[security.AUTHORIZATION_KEY] == key
    assert found[internal.CHARGE_POINT_ID] == "cp7"
    assert found[internal.CENTRAL_SYSTEM_URI] == csms


@pytest.mark.parametrize("content", [KEY, f"{KEY}\n", f"{KEY}\r\n", "hex:30313233343536373839616263646566\n"])
def test_a_password_in_a_file(content: str) -> None:
    Path("key").write_bytes(content.encode())
    found = chosen(csms="wss://x", identity="cp7", password_file=Path("key")).configuration
    assert Configuration.load(found)[security.AUTHORIZATION_KEY] == KEY.encode()
    assert found["Security"]["SecurityProfile"] == 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "key: cannot be read: No such"),
        (b"", "8 to 100 bytes"),
        (b"short", "8 to 100 bytes"),
        (b"first line\nsecond line\n", "more than one line"),
        (b"\xff" * 16, "not UTF-8"),
        (b"x" * 2000, "more than 1,000 bytes"),
    ],
)
def test_a_file_without_a_password(content: bytes | None, told: str) -> None:
    if content is not None:
        Path("key").write_bytes(content)
    for csms in ("ws://x", "wss://x"):
        (problem,) = problems(csms=csms, identity="a", password_file=Path("key"))
        assert problem.startswith("--password-file: ")
        assert told in problem


def test_two_passwords() -> None:
    Path("key").write_text(KEY)
    (problem,) = problems(csms="ws://x", identity="a", password_file=Path("key"), password=KEY)
    assert problem == "--password and --password-file: give one of them"


@pytest.mark.parametrize("wish", [True, False, None])
def test_a_message_log_that_the_file_asks_for(write_configuration: Callable[..., Path], wish: bool | None) -> None:
    conf = write_configuration(9)
    document = json.loads(conf.read_text())
    if wish is not None:
        document["Internal"]["LogMessages"] = wish
        conf.write_text(json.dumps(document))
    assert chosen(conf=str(conf)).logs is None
    assert chosen(conf=str(conf), maindir=Path("d")).logs == (Path("d/logs") if wish else None)


@pytest.mark.parametrize("connectors", ["1", "5"])
def test_connectors_and_speed(connectors: str) -> None:
    found = chosen(csms="ws://x", identity="cp7", connectors=connectors, speed="20")
    assert found.speed == 20.0
    assert Configuration.load(found.configuration)[core.NUMBER_OF_CONNECTORS] == int(connectors)


def test_options_lie_over_a_file(write_configuration: Callable[..., Path]) -> None:
    conf = write_configuration(9, HeartbeatInterval=7)
    found = Configuration.load(chosen(conf=str(conf), identity="other", password=KEY).configuration)
    assert (found[internal.CHARGE_POINT_ID], found[security.SECURITY_PROFILE]) == ("other", 1)
    assert found[core.HEARTBEAT_INTERVAL] == 7
    found = Configuration.load(chosen(conf=str(conf), csms="ws://there/").configuration)
    assert (found[internal.CHARGE_POINT_ID], found[internal.CENTRAL_SYSTEM_URI]) == ("cp001", "ws://there/")


def test_charging_without_a_card() -> None:
    found = Configuration.load(chosen(csms="ws://x", identity="a", free_vend="ME").configuration)
    assert (found[internal.FREE_VEND_ACTIVE], found[internal.FREE_VEND_ID_TAG]) == (True, "ME")
    found = Configuration.load(chosen(csms="ws://x", identity="a").configuration)
    assert found[internal.FREE_VEND_ACTIVE] is False


def test_a_password_of_an_earlier_life_counts() -> None:
    Path("d").mkdir()
    Path("d/user_config.json.secrets").write_text(json.dumps({"Security": {"AuthorizationKey": f"text:{KEY}"}}))
    Path("d/user_config.json.secrets").chmod(0o600)
    found = chosen(csms="wss://x", identity="cp7", maindir=Path("d"))
    assert found.configuration["Security"]["SecurityProfile"] == 2


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, ["--csms URL and --id NAME"]),
        ({"identity": "a"}, ["--csms URL and --id NAME"]),
        ({"csms": "ws://x"}, ["--id NAME"]),
        ({"csms": "wss://x", "identity": "a"}, ["--password"]),
        ({"csms": "http://x", "identity": "a"}, ["ws:// or wss://"]),
        ({"csms": "x:9000", "identity": "a"}, ["ws:// or wss://"]),
        ({"csms": "ws://[", "identity": "a"}, ["--csms: "]),
        ({"csms": "ws://x", "identity": ""}, ["--id: "]),
        ({"csms": "ws://x", "identity": "a", "password": "short"}, ["--password: "]),
        ({"csms": "ws://x", "identity": "a", "password": "hex:xyz"}, ["--password: "]),
        ({"csms": "ws://x", "identity": "a:b", "password": KEY}, ["--id: "]),
        ({"csms": "ws://x", "identity": "a", "speed": "nan"}, ["--speed: "]),
        ({"csms": "ws://x", "identity": "a", "speed": "201"}, ["--speed: "]),
        ({"csms": "ws://x", "identity": "a", "connectors": "²"}, ["--connectors: "]),
        ({"csms": "ws://x", "identity": "a", "free_vend": ""}, ["--free-vend: "]),
        ({"csms": "ws://x", "identity": "a", "free_vend": "x" * 21}, ["--free-vend: "]),
        ({"csms": "http://x", "identity": "a", "conf": "nope.json"}, ["nope.json", "--csms: "]),
        (
            {"csms": "http://x", "identity": "\x1b", "speed": "x", "connectors": "0", "password": "y"},
            ["--speed: ", "--connectors: ", "--csms: ", "--id: ", "--password: "],
        ),
    ],
)
def test_every_problem_is_told_at_once(given: dict[str, Any], told: list[str]) -> None:
    found = problems(**given)
    assert len(found) == len(told), found
    assert all(any(text in problem for problem in found) for text in told), found


def test_a_password_is_not_told() -> None:
    assert "pass" not in "".join(problems(csms="ws://x", identity="a", password="pass")).replace("--password", "")


@pytest.mark.world
def test_the_log_that_the_file_asks_for_is_written(
    ocpp16: Callable[..., subprocess.CompletedProcess[str]], closed_port: int, tmp_path: Path
) -> None:
    names = {"ChargePointId": "cp1", "CentralSystemURI": f"ws://127.0.0.1:{closed_port}/"}
    document = {
        "Internal": {**names, "ChargePointVendor": "V", "ChargePointModel": "M", "LogMessages": True},
    }
    Path("c.json").write_text(json.dumps(document))
    for options, folder in ((), tmp_path / "main/logs"), (("--message-log", "here"), tmp_path / "here"):
        typed = b"wait 0.2\nget_configuration LogMessages\n"
        done = ocpp16("charge-point", "--conf", "c.json", "--maindir", "main", *options, typed=typed)
        assert done.returncode == 0
        assert "LogMessages  true" in done.stdout
        assert sorted({path.suffix for path in folder.iterdir()}) == [".html", ".log"]
    assert len(os.listdir(tmp_path / "main/logs")) == 3, "text, page, and security log"


@pytest.mark.world
def test_without_a_file_as_a_process(
    ocpp16: Callable[..., subprocess.CompletedProcess[str]], closed_port: int, tmp_path: Path
) -> None:
    before = set(tmp_path.rglob("*"))
    options = ("--csms", f"ws://127.0.0.1:{closed_port}/", "--id", "cp7", "--connectors", "3", "--speed", "200")
    began = time.monotonic()
    done = ocpp16("charge-point", *options, typed=b"status\nwait 900\n")
    assert time.monotonic() - began < 900
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines() if "Available" in line] == ["1", "2", "3"]
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(("in_the_file", "expected"), [(None, "FTP,HTTP"), ("SFTP", "SFTP")])
def test_protocols_of_transfers_are_reported_unless_the_file_says_others(
    in_the_file: str | None, expected: str
) -> None:
    document: dict[str, Any] = json.loads((resources.files("ocpp16.share") / "config.json").read_text())
    if in_the_file is not None:
        document["FirmwareManagement"] = {"SupportedFileTransferProtocols": in_the_file}
    Path("own.json").write_text(json.dumps(document))
    found = chosen(conf="own.json", protocols=["FTP", "HTTP"]).configuration
    assert found["FirmwareManagement"]["SupportedFileTransferProtocols"] == expected
    if in_the_file is None:
        assert "FirmwareManagement" not in chosen(conf="own.json").configuration
