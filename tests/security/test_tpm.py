"""Keys in a TPM, made by the command `openssl`: by one that has no provider, and with swtpm where that is installed."""

import os
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from cryptography import x509
from cryptography.x509.oid import NameOID
from forged import NOW

from ocpp16.der import fields_of
from ocpp16.security import tpm
from ocpp16.security.certificate import certificates_in
from ocpp16.security.evse_security import CaCertificateType, CsrStatus, InstallCertificateResult, LeafCertificateType
from ocpp16.security.file_evse_security import FileEvseSecurity
from ocpp16.security.lab_pki import Authority, Use
from ocpp16.security.tls import server_context

CSMS = LeafCertificateType.CSMS
BEGIN, END = "-----BEGIN CERTIFICATE REQUEST-----", "-----END CERTIFICATE REQUEST-----"
CLIENT = Path(__file__).parents[1] / "world" / "tpm_client.py"

WITHOUT_PROVIDER = """#!/bin/sh
echo "$@" >> {log}
for argument; do
    shift
    case "$argument" in
        -provider|-propquery) skip=1 ;;
        *) if [ -z "$skip" ]; then set -- "$@" "$argument"; fi; skip= ;;
    esac
done
exec {openssl} "$@"
"""


def command(place: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command `openssl` from now on."""
    place.mkdir()
    script = place / "openssl"
    script.write_text(text)
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def without_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Makes keys as it would in a TPM; returns the file in which it writes what it was given."""
    log = tmp_path / "arguments"
    text = WITHOUT_PROVIDER.format(log=log, openssl=shutil.which("openssl"))
    command(tmp_path / "bin", text, monkeypatch)
    return log


@pytest.fixture
def security(tmp_path: Path) -> FileEvseSecurity:
    return FileEvseSecurity(tmp_path / "certs", private_key_password="Secret", now=lambda: NOW)


async def asked(security: FileEvseSecurity, common_name: str = "cp001", organization: str = "Operator") -> Any:
    return await security.generate_certificate_signing_request(CSMS, "NL", organization, common_name, True)


async def test_a_key_and_its_certificate(security: FileEvseSecurity, without_provider: Path, tmp_path: Path) -> None:
    request = await asked(security)
    assert request.status is CsrStatus.ACCEPTED
    authority = Authority("Root", NOW)
    await security.install_ca_certificate(authority.certificate, CaCertificateType.CSMS)
    issued = authority.sign_request(request.csr)
    assert await security.update_leaf_certificate(issued.chain, CSMS) is InstallCertificateResult.ACCEPTED
    info = await security.get_leaf_certificate_info(CSMS)
    assert info.key is not None
    assert info.key.suffix == ".tkey"
    assert info.key_password is None, "the TPM keeps it"
    assert stat.S_IMODE(info.key.stat().st_mode) == 0o600
    arguments = await trio.Path(without_provider).read_text()
    assert "-provider tpm2" in arguments
    assert "Secret" not in arguments
    assert certificates_in(issued.certificate)[0].name == "DC=CPO,CN=cp001,O=Operator,C=NL"


async def test_names_that_the_command_would_take_apart(security: FileEvseSecurity, without_provider: Path) -> None:
    names = r"a/CN=b+O=c\d", 'Größe, "x"'
    request = await asked(security, *names)
    assert request.status is CsrStatus.ACCEPTED
    subject = x509.load_pem_x509_csr(request.csr.encode()).subject
    found = [subject.get_attributes_for_oid(oid)[0].value for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)]
    assert tuple(found) == names


@pytest.mark.parametrize("name", ["", "x" * 65, "a\0b"])
async def test_names_that_cannot_be(security: FileEvseSecurity, without_provider: Path, name: str) -> None:
    assert (await asked(security, name)).status is CsrStatus.GENERATION_ERROR


@pytest.mark.parametrize(
    "script",
    [
        "#!/bin/sh\necho 'could not load provider tpm2' >&2; exit 1\n",
        "#!/bin/sh\nexit 0\n",
        "#!/bin/sh\nfor last; do :; done; echo nonsense > $last\n",
        "no script",
    ],
)
async def test_a_command_that_fails(
    security: FileEvseSecurity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any, script: str
) -> None:
    command(tmp_path / "bin", script, monkeypatch)
    assert (await asked(security)).status is CsrStatus.KEY_GEN_ERROR
    assert "no key could be made in the TPM" in caplog.text
    assert not (tmp_path / "certs").exists()


@pytest.mark.parametrize("name", ["x", "x" * 60])
async def test_a_request_that_many_could_not_read_is_mended(
    security: FileEvseSecurity, without_provider: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """NULL as parameters of ECDSA, as tpm2-openssl 1.1 writes them."""
    good = ssl.PEM_cert_to_DER_cert(_as_certificate((await asked(security, name)).csr))
    whole, algorithm = good[len(good) - len(fields_of(good)[0].content) :], bytes.fromhex("300a06082a8648ce3d040302")
    assert algorithm in whole
    content = whole.replace(algorithm, bytes.fromhex("300c06082a8648ce3d0403020500"))
    size = len(content).to_bytes(2, "big")
    wrong = b64encode(b"\x30\x82" + size + content).decode()
    (tmp_path / "wrong").write_text(f"{BEGIN}\n{wrong}\n{END}\n")
    (tmp_path / "key").write_text("-----BEGIN TSS2 PRIVATE KEY-----")
    copying = f"[ $1 = req ] && exec cp {tmp_path}/wrong $last\nexec cp {tmp_path}/key $last\n"
    script = f"#!/bin/sh\nfor last; do :; done\n{copying}"
    command(tmp_path / "other", script, monkeypatch)
    request = await asked(security, name)
    assert request.status is CsrStatus.ACCEPTED
    assert ssl.PEM_cert_to_DER_cert(_as_certificate(request.csr)) == good


def _as_certificate(csr: str) -> str:
    return csr.replace("CERTIFICATE REQUEST", "CERTIFICATE")


async def test_a_command_that_hangs(
    security: FileEvseSecurity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    command(tmp_path / "bin", "#!/bin/sh\nexec sleep 10\n", monkeypatch)
    monkeypatch.setattr(tpm, "TIMEOUT", 0.2)
    assert (await asked(security)).status is CsrStatus.KEY_GEN_ERROR
    assert "took more than" in caplog.text


async def test_no_command_at_all(
    security: FileEvseSecurity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (await asked(security)).status is CsrStatus.KEY_GEN_ERROR
    assert "cannot be run" in caplog.text


async def test_a_key_that_the_tpm_does_not_open(
    security: FileEvseSecurity, without_provider: Path, tmp_path: Path, caplog: Any
) -> None:
    """One of another TPM: it is as if it were not there."""
    authority = Authority("Root", NOW)
    folder = tmp_path / "certs" / "client" / "csms"
    folder.mkdir(parents=True)
    (folder / "station.pem").write_text(authority.issue("cp001").certificate)
    (folder / "station.tkey").write_text("-----BEGIN TSS2 PRIVATE KEY-----\nAAAA\n-----END TSS2 PRIVATE KEY-----\n")
    info = await security.get_leaf_certificate_info(CSMS)
    assert info.status == "PrivateKeyNotFound"
    assert "cannot be opened" in caplog.text


def _two_free_ports() -> int:
    """The first of two that follow each other, as the interface of swtpm to the TPM's library wants them."""
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            with suppress(OSError, OverflowError):
                other.bind(("127.0.0.1", port + 1))
                return port


def _is_open(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def software_tpm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A TPM that the command `openssl` has; its port."""
    if shutil.which("swtpm") is None:
        pytest.skip("swtpm is not installed")
    (tmp_path / "tpm").mkdir()
    port = _two_free_ports()
    arguments = ["--tpmstate", f"dir={tmp_path / 'tpm'}", "--flags", "not-need-init,startup-clear"]
    arguments += ["--server", f"type=tcp,port={port}", "--ctrl", f"type=tcp,port={port + 1}"]
    server = subprocess.Popen(["swtpm", "socket", "--tpm2", *arguments])
    try:
        while not _is_open(port + 1):
            assert server.poll() is None
            time.sleep(0.05)
        monkeypatch.setenv("TPM2OPENSSL_TCTI", f"swtpm:host=127.0.0.1,port={port}")
        listed = subprocess.run(["openssl", "list", "-providers", "-provider", "tpm2"], capture_output=True)
        if listed.returncode != 0:
            pytest.skip("OpenSSL has no provider tpm2 (package tpm2-openssl)")
        yield port
    finally:
        server.kill()
        server.wait()


@pytest.mark.world
async def test_a_software_tpm(software_tpm: int, security: FileEvseSecurity) -> None:
    authority = Authority("Root", NOW)
    await security.install_ca_certificate(authority.certificate, CaCertificateType.CSMS)
    request = await asked(security)
    assert request.status is CsrStatus.ACCEPTED
    chain = authority.sign_request(request.csr).chain
    assert await security.update_leaf_certificate(chain, CSMS) is InstallCertificateResult.ACCEPTED
    info = await security.get_leaf_certificate_info(CSMS)
    assert info.key is not None
    assert "TSS2 PRIVATE KEY" in info.key.read_text()


CONFIGURATION = """
openssl_conf = begin
[begin]
providers = providers
alg_section = algorithms
[providers]
default = active
tpm2 = active
[active]
activate = 1
[algorithms]
default_properties = ?tpm2.signature=yes
"""
WITH_RESOURCES = """
tpm2-abrmd --session --allow-root --tcti=swtpm:host=127.0.0.1,port={port} & manager=$!
trap 'kill $manager; wait' EXIT
until dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner \
        string:com.intel.tss2.Tabrmd | grep -q true; do
    kill -0 $manager || exit 1
    sleep 0.1
done
"$@"
"""
PATIENCE = 300


@pytest.fixture
def with_resources(software_tpm: int, tmp_path: Path) -> list[str]:
    """What a command begins with that has a resource manager for the TPM: it alone holds three objects at once."""
    for command_name, package in {"tpm2-abrmd": "tpm2-abrmd", "dbus-run-session": "dbus"}.items():
        if shutil.which(command_name) is None:
            pytest.skip(f"there is no resource manager for the TPM (package {package})")
    script = tmp_path / "with_resources"
    script.write_text(WITH_RESOURCES.format(port=software_tpm))
    return ["dbus-run-session", "--", "sh", str(script)]


@pytest.mark.world
@pytest.mark.real_time
@pytest.mark.parametrize(
    ("configuration", "told"),
    [
        (CONFIGURATION, "'cp001'"),
        (CONFIGURATION.replace("?tpm2", "?other"), "OpenSSL cannot use a key; one that lies in a TPM"),
        ("", "the key lies in a TPM"),
    ],
)
async def test_a_client_certificate_whose_key_is_in_a_tpm(
    with_resources: list[str], tmp_path: Path, configuration: str, told: str
) -> None:
    """Against a server that lets nobody in without one."""
    now = time.time()
    security = FileEvseSecurity(tmp_path / "certs", now=lambda: now)
    authority = Authority("Root", now)
    await security.install_ca_certificate(authority.certificate, CaCertificateType.CSMS)
    chain = authority.sign_request((await asked(security)).csr).chain
    assert await security.update_leaf_certificate(chain, CSMS) is InstallCertificateResult.ACCEPTED
    own = authority.issue("csms", names=["127.0.0.1"], use=Use.SERVER)
    files = {"chain": own.chain, "key": own.key, "root.pem": authority.certificate, "openssl.cnf": configuration}
    for name, content in files.items():
        await trio.Path(tmp_path / name).write_text(content)
    context = server_context(tmp_path / "chain", tmp_path / "key", client_ca=tmp_path / "root.pem")
    environment = {
        **os.environ,
        "TPM2OPENSSL_TCTI": "tabrmd:bus_type=session",
        "OPENSSL_CONF": str(tmp_path / "openssl.cnf"),
    }

    async def serve(tcp: trio.SocketStream) -> None:
        stream = trio.SSLStream(tcp, context, server_side=True, https_compatible=True)
        with suppress(trio.BrokenResourceError):
            await stream.do_handshake()
            await stream.send_all(repr(stream.getpeercert()["subject"]).encode())
            await stream.aclose()

    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        port = listener.socket.getsockname()[1]
        program = [sys.executable, str(CLIENT), str(tmp_path / "certs"), str(port)]
        with trio.fail_after(PATIENCE):
            done = await trio.run_process(
                [*with_resources, *program], env=environment, capture_stdout=True, capture_stderr=True, check=False
            )
        nursery.cancel_scope.cancel()
    output = done.stdout.decode()
    assert told in output, (output, done.stderr.decode())
