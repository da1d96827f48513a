"""`ocpp16 certificates` and `ocpp16 pki`: what they write, say and refuse, and that the commands they name work."""

import json
import os
import re
import shlex
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio
from forged import NOW, below, leaf, root
from patience import PATIENCE

from ocpp16.cli import main
from ocpp16.security.certificate import certificates_in
from ocpp16.security.tls import client_context, server_context


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("time.time", lambda: NOW)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs the command in this process; gives what it printed, on standard error where it failed."""

    def run(*arguments: str, fails: bool = False) -> str:
        code = main(list(arguments))
        printed = capsys.readouterr()
        assert code == (2 if fails else 0), printed.err
        assert bool(printed.err) is fails
        return printed.err if fails else printed.out

    return run


def put(place: str, content: str | bytes) -> str:
    path = Path(place)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return place


def listed(run: Callable[..., str], folder: str = "certs") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("certificates", "list", folder, "--json"))
    return found


def test_an_empty_folder(run: Callable[..., str]) -> None:
    Path("certs").mkdir()
    assert run("certificates", "list", "certs") == "no certificates\n"
    assert listed(run) == []


def test_a_root_is_installed_listed_shown_and_deleted(run: Callable[..., str]) -> None:
    Path("certs").mkdir()
    first, second = root("First"), root("Second")
    assert run("certificates", "install", "certs", put("a.pem", first.pem), "--as", "csms-root") == "installed\n"
    assert run("certificates", "install", "certs", put("b.der", second.der), "--as", "csms-root") == "installed\n"
    facts = {one["subject"]: one for one in listed(run)}
    assert set(facts) == {"CN=First", "CN=Second"}
    one = facts["CN=First"]
    assert (one["type"], one["valid"], one["days_left"]) == ("CSMSRootCertificate", True, 3650)
    assert one["hash_data"]["serialNumber"] == one["serial"] == format(first.x509.serial_number, "x")
    head, *rows = run("certificates", "list", "certs").splitlines()
    assert head.split() == ["type", "subject", "expires", "days", "serial", "fingerprint"]
    assert len(rows) == 2
    assert any("CN=First" in row and one["fingerprint"][:16] in row for row in rows)
    shown = run("certificates", "show", "certs", one["fingerprint"][:10])
    assert one["fingerprint"] in shown
    assert "CN=Second" not in shown
    assert run("certificates", "show", "certs", one["serial"].upper()) == shown
    assert run("certificates", "delete", "certs", one["fingerprint"][:8]) == "deleted\n"
    assert [one["subject"] for one in listed(run)] == ["CN=Second"]
    line = run("certificates", "delete", "certs", facts["CN=Second"]["serial"], fails=True).splitlines()[-1]
    assert "last root" in line


def test_the_main_directory_of_a_station(run: Callable[..., str]) -> None:
    put("station/certs/ca/csms/a.pem", root().pem)
    assert len(listed(run, "station")) == 1


def test_a_certificate_with_its_key(run: Callable[..., str]) -> None:
    above = root()
    between = below(above)
    own = leaf(between)
    put("certs/ca/csms/a.pem", above.pem)
    chain, key = put("chain.pem", own.pem + between.pem), put("own.key", own.key_pem())
    (line,) = run("certificates", "install", "certs", chain, "--as", "csms-leaf", fails=True).splitlines()[-1:]
    assert "WriteError: there is no private key" in line
    assert run("certificates", "install", "certs", chain, "--as", "csms-leaf", "--key", key) == "installed\n"
    (found,) = [one for one in listed(run) if one["type"] == "ChargePointCertificate"]
    assert stat.S_IMODE(Path(found["key_path"]).stat().st_mode) == 0o600
    (line,) = run("certificates", "delete", "certs", found["serial"], fails=True).splitlines()
    assert "Failed" in line
    Path(found["key_path"]).unlink()
    assert "(no key that opens)" in run("certificates", "list", "certs")


def test_what_is_refused_leaves_no_key_behind(run: Callable[..., str]) -> None:
    """Neither a certificate that leads to no root, nor one of another key."""
    above, foreign = root(), root("Foreign")
    put("certs/ca/csms/a.pem", above.pem)
    own, other, third = leaf(above), leaf(above), leaf(foreign)
    for chain, key, reason in ((third, third, "NoRootCertificateInstalled"), (own, other, "no private key for it")):
        files = (put("chain.pem", chain.pem), "--as", "csms-leaf", "--key", put("own.key", key.key_pem()))
        assert reason in run("certificates", "install", "certs", *files, fails=True)
        assert [path for path in Path("certs").rglob("*") if path.is_file()] == [Path("certs/ca/csms/a.pem")]
    install = ("certificates", "install", "certs", put("chain.pem", own.pem), "--as", "csms-leaf")
    assert run(*install, "--key", put("own.key", own.key_pem())) == "installed\n"
    (found,) = [one for one in listed(run) if one["type"] == "ChargePointCertificate"]
    Path(found["key_path"]).unlink()
    assert run(*install, "--key", "own.key") == "installed\n", "the key alone was missing"
    assert all(one["key_path"] for one in listed(run) if "key_path" in one)


def test_an_encrypted_key(run: Callable[..., str]) -> None:
    above = root()
    own = leaf(above)
    put("certs/ca/csms/a.pem", above.pem)
    chain, key, password = put("chain.pem", own.pem), put("own.key", own.key_pem("Secret ä")), put("p", "Secret ä\n")
    install = ("certificates", "install", "certs", chain, "--as", "csms-leaf", "--key", key)
    assert "no private key that can be opened" in run(*install, fails=True)
    assert run(*install, "--password-file", password) == "installed\n"
    assert "no key" in run("certificates", "list", "certs")
    assert "no key" not in run("certificates", "list", "certs", "--password-file", password)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda: leaf(root()).pem, "InvalidCertificateChain"),
        (lambda: root(end=-0.5, start=-9).pem, "Expired"),
        (lambda: "nonsense", "InvalidFormat"),
        (lambda: b"\x30\x03\x02\x01\x01", "InvalidFormat"),
        (lambda: root(key="rsa1024").pem, "InvalidSignature"),
    ],
)
def test_what_is_refused(run: Callable[..., str], content: Callable[[], Any], reason: str) -> None:
    Path("certs").mkdir()
    line = run("certificates", "install", "certs", put("a.pem", content()), "--as", "csms-root", fails=True)
    assert f"a.pem: {reason}: " in line
    assert listed(run) == []


def test_what_cannot_be(run: Callable[..., str]) -> None:
    put("certs/ca/csms/a.pem", root("One").pem + root("Two").pem)
    put("a.pem", root().pem)
    for arguments, part in (
        (("show", "certs"), "which certificate"),
        (("show", "certs", "zz"), "no certificate here"),
        (("show", "certs", ""), "more than one"),
        (("show", put("garbage", "x")), "no certificate that can be read"),
        (("delete", "certs", "zz"), "no certificate here"),
        (("install", "certs", "a.pem", "--as", "csms-root", "--key", "a.pem"), "--key"),
        (("install", "certs", "a.pem", "--as", "csms-leaf", "--key", "a.pem"), "no private key"),
        (("list", "gone"), "gone"),
    ):
        assert part in run("certificates", *arguments, fails=True)


def test_a_file_is_shown_and_its_texts_are_harmless(run: Callable[..., str]) -> None:
    text = run("certificates", "show", put("a.pem", root("evil\x1b[2J\u202e").pem + leaf(root()).pem))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("fingerprint") == 2
    assert len(json.loads(run("certificates", "show", "a.pem", "--json"))) == 2


def test_a_laboratory(run: Callable[..., str]) -> None:
    told = run("pki", "lab", "--v2g", "--mo", "--id", "cp007", "--name", "csms.example", "--name", "10.0.0.1")
    lab = Path("lab")
    for place in (
        *("ca/csms/CSMS_ROOT_CA.pem", "ca/mf/MF_ROOT_CA.pem", "ca/mo/MO_ROOT_CA.pem", "ca/v2g/V2G_ROOT_CA.pem"),
        *("client/csms/CSMS_LEAF_cp007.pem", "client/cso/SECC_LEAF_cp007.pem", "firmware/signing.pem"),
        *("server/chain.pem", "contract/contract.pem"),
    ):
        assert certificates_in((lab / place).read_bytes()), place
    keys = [*lab.rglob("*.key"), lab / "server" / "key.pem"]
    assert len(keys) == 10
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}
    server = json.loads(run("certificates", "show", "lab/server/chain.pem", "--json"))[0]
    assert server["names"] == ["csms.example", "10.0.0.1"]
    assert {one["type"] for one in listed(run, "lab")} == {
        *(f"{family}RootCertificate" for family in ("CSMS", "MF", "MO", "V2G")),
        *("ChargePointCertificate", "V2GCertificateChain"),
    }
    assert all(one["key_path"] for one in listed(run, "lab") if "key_path" in one)
    assert "wss://csms.example:9000/ocpp/" in told
    context = server_context(
        lab / "server/chain.pem", lab / "server/key.pem", client_ca=lab / "ca/csms/CSMS_ROOT_CA.pem"
    )
    assert context.verify_mode.name == "CERT_REQUIRED"
    own = lab / "client/csms/CSMS_LEAF_cp007"
    client_context(lab / "ca/csms", certificate_chain=own.with_suffix(".pem"), private_key=own.with_suffix(".key"))


def test_a_laboratory_writes_over_nothing_unless_forced(run: Callable[..., str]) -> None:
    run("pki", "lab")
    before = {path: path.read_bytes() for path in Path("lab").rglob("*") if path.is_file()}
    lines = run("pki", "lab", fails=True).splitlines()
    assert len(lines) == len(before)
    assert all("--force" in line for line in lines)
    assert {path: path.read_bytes() for path in before} == before
    run("pki", "lab", "--force")
    assert Path("lab/server/key.pem").read_bytes() != before[Path("lab/server/key.pem")]


@pytest.mark.parametrize(
    "options", [("--id", "a/b"), ("--id", ".."), ("--name", ""), ("--name", "ä.example"), ("--name", "x" * 70)]
)
def test_names_that_cannot_be(run: Callable[..., str], options: tuple[str, ...]) -> None:
    run("pki", "lab", *options, fails=True)
    assert not Path("lab").exists()


def test_a_folder_that_no_json_can_name(run: Callable[..., str]) -> None:
    (line,) = run("pki", os.fsdecode(b"\xff"), fails=True).splitlines()
    assert "is not UTF-8" in line


def test_a_folder_that_cannot_be_written(run: Callable[..., str]) -> None:
    put("file", "")
    (line,) = run("pki", "file/lab", fails=True).splitlines()
    assert "file" in line


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--key", "a"), "--key needs --tls"),
        (("--client-ca", "a"), "--client-ca needs --tls"),
        (("--tls", "a.pem"), "its --key"),
        (("--tls", "a.pem", "--key", "gone"), "gone: there is no such file"),
        (("--tls", "."), "chain.pem: there is no such file"),
    ],
)
def test_a_server_needs_both(run: Callable[..., str], options: tuple[str, ...], part: str) -> None:
    put("a.pem", root().pem)
    assert part in run("central-system", "--port", "0", *options, fails=True)


@pytest.mark.world
@pytest.mark.real_time
async def test_the_commands_of_profile_2_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As they are printed, but for the port."""
    command = [sys.executable, "-m", "ocpp16"]
    told = (await trio.run_process([*command, "pki", "lab"], capture_stdout=True)).stdout.decode()
    serve, station = [shlex.split(line)[1:] for line in told.splitlines() if line.startswith("  ")][:2]
    serve[serve.index("9000")] = "0"
    central = await trio.lowlevel.open_process([*command, *serve], stdout=-1)
    try:
        with trio.fail_after(PATIENCE):
            assert central.stdout is not None
            seen = b""
            while (found := re.search(rb"wss://\S+?:(\d+)/", seen)) is None:
                seen += await central.stdout.receive_some()
            station = [word.replace(":9000/", f":{found[1].decode()}/") for word in station]
            charge_point = await trio.lowlevel.open_process(
                [*command, *station, "--control", "jsonl"], stdin=-1, stdout=-1
            )
            try:
                while b"BootNotification: status=Accepted" not in seen:
                    chunk = await central.stdout.receive_some()
                    assert chunk, seen
                    seen += chunk
            finally:
                charge_point.kill()
                await charge_point.wait()
    finally:
        central.kill()
        await central.wait()
    assert os.listdir(tmp_path) == ["lab"]
