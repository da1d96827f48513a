"""Firmware, diagnostics and logs with real files: by HTTP, HTTPS, FTP, FTPS and SFTP, from and to servers of others."""

import io
import ssl
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from ftp_file_server import FtpFileServer
from http_file_server import HttpFileServer
from loopback import CA, content_of
from outside import Outside
from sftp_file_server import SftpFileServer

pytestmark = pytest.mark.world

KEY = bytes(range(1, 17))
FIRMWARE = bytes(range(256)) * 2_000
PASSWORDS = ("s3cret-Pass/word", "s3cret-Pass%2Fword", "s3cret:Pass", "s3cret%3APass", "WrongS3cret")
PAST, FUTURE = "2020-01-01T00:00:00Z", "2199-01-01T00:00:00Z"
CORE = {"SupportedFeatureProfiles": "Core,FirmwareManagement,RemoteTrigger"}
NOW_AND_ONCE_MORE = {"retries": 1, "retryInterval": 0}


@pytest.fixture
def one(begin: Callable[..., Outside], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    """A charge point that moves files for real, trusts the servers here, and lets no password out."""
    roots = tmp_path / "roots.pem"
    CA.cert_pem.write_to_path(str(roots))
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    monkeypatch.setenv("HOME", str(tmp_path))
    logs = tmp_path / "logs"
    made = begin(
        station={"transfer_step": 0},
        options=("--transfer", "url", "--message-log", str(logs), "--log-level", "debug"),
        Core=CORE,
        Security={"SecurityProfile": 1, "AuthorizationKey": f"hex:{KEY.hex()}"},
    )
    yield made
    made.program.close()
    told = str(made.program.lines)
    written = b"".join(content_of(path) for path in (*logs.rglob("*"), *tmp_path.glob("*.log")) if path.is_file())
    assert made.program.events("exit")
    assert made.identity.encode() in written
    for secret in (*PASSWORDS, KEY.hex()):
        assert secret not in told
        assert secret.encode() not in written
    for path in tmp_path.glob("*.db*"):
        assert b"ret-Pass" not in content_of(path)


class Servers:
    """One of each kind, that serve `root` and take files there."""

    def __init__(self, root: Path, certificate: Path, stack: ExitStack) -> None:
        self.root = root
        (root / "firmware.bin").write_bytes(FIRMWARE)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._root, self._stack, self._certificate, self._context = root, stack, certificate, context
        self._made: dict[str, Any] = {}

    def __getitem__(self, scheme: str) -> Any:
        if scheme not in self._made:
            self._made[scheme] = self._stack.enter_context(self._make(scheme))
        return self._made[scheme]

    def _make(self, scheme: str) -> Any:
        if scheme.startswith("http"):
            server = HttpFileServer(self._context if scheme == "https" else None)
            server.files["/firmware.bin"] = FIRMWARE
            server.password = "station:s3cret-Pass/word"
            return server
        if scheme == "sftp":
            return SftpFileServer(self._root)
        return FtpFileServer(self._root, self._certificate if scheme == "ftps" else None, is_implicit=scheme == "ftps")

    def url(self, scheme: str, path: str = "", **credentials: str) -> str:
        server = self[scheme]
        if not scheme.startswith("http"):
            return str(server.url(path, **({"scheme": scheme} if scheme == "ftps" else {}), **credentials))
        password = credentials.get("password", "s3cret-Pass%2Fword")
        return f"{scheme}://station:{password}@127.0.0.1:{server.port}/{path}"

    def content(self, scheme: str, name: str) -> bytes:
        """Of what was uploaded."""
        return self[scheme].bodies[f"/{name}"] if scheme.startswith("http") else content_of(self.root / name)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    certificate = tmp_path / "server.pem"
    CA.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    root = tmp_path / "root"
    root.mkdir()
    with ExitStack() as stack:
        yield Servers(root, certificate, stack)


def know(servers: Servers, tmp_path: Path) -> None:
    """The user's known_hosts has the SFTP server."""
    server = servers["sftp"]
    known = tmp_path / ".ssh" / "known_hosts"
    known.parent.mkdir()
    known.write_text(f"[127.0.0.1]:{server.port} {server.key.get_name()} {server.key.get_base64()}\n")


def statuses(one: Outside, action: str, *expected: str, **members: Any) -> None:
    for status in expected:
        one.expect(action, status=status, **members)
    one.settle()
    assert [payload["status"] for payload in one.calls(action)] == [*expected]


def update(one: Outside, location: str, **members: Any) -> None:
    assert one.call("UpdateFirmware", location=location, retrieveDate=PAST, **members) == {}


@pytest.mark.parametrize("scheme", ["http", "https", "ftp", "ftps", "sftp"])
def test_tc_044_1_download_and_install(one: Outside, servers: Servers, tmp_path: Path, scheme: str) -> None:
    """Downloading, Downloaded, Installing, Installed; what is downloaded is the file, whole and once."""
    if scheme == "sftp":
        know(servers, tmp_path)
    update(one, servers.url(scheme, "firmware.bin"))
    statuses(one, "FirmwareStatusNotification", "Downloading", "Downloaded", "Installing", "Installed")
    assert servers[scheme].served == len(FIRMWARE)
    one.wait_for_count("StatusNotification", 3 + 4)
    assert one.statuses(1) == ["Available", "Unavailable", "Available"]


def test_a_download_that_is_cut_goes_on(one: Outside, servers: Servers) -> None:
    """The server hangs up in the middle: with the retry comes the rest alone, and one Downloading is told."""
    location, server = servers.url("http", "firmware.bin"), servers["http"]

    def cut(handler: Any) -> None:
        del server.scripts["/firmware.bin"]
        server.cut_after = len(FIRMWARE) // 2
        handler.do_GET()
        server.cut_after = None

    server.scripts["/firmware.bin"] = cut
    update(one, location, **NOW_AND_ONCE_MORE)
    statuses(one, "FirmwareStatusNotification", "Downloading", "Downloaded", "Installing", "Installed")
    assert server.served == len(FIRMWARE)
    assert server.requests[-1][2]["range"].startswith("bytes=")


@pytest.mark.parametrize("fault", ["missing", "password", "scheme", "nobody", "certificate"])
def test_tc_044_2_the_download_fails(one: Outside, servers: Servers, fault: str) -> None:
    """DownloadFailed, whatever is wrong, and the connectors stay in service."""
    places: dict[str, Callable[[], str]] = {
        "missing": lambda: servers.url("http", "other.bin"),
        "password": lambda: servers.url("ftp", "firmware.bin", password="WrongS3cret"),
        "scheme": lambda: "gopher://station:s3cret-Pass%2Fword@127.0.0.1/firmware.bin",
        "nobody": lambda: "http://station:s3cret-Pass%2Fword@127.0.0.1:1/firmware.bin",
        "certificate": lambda: servers.url("https", "firmware.bin").replace("127.0.0.1", "localhost"),
    }
    update(one, places[fault](), **NOW_AND_ONCE_MORE)
    statuses(one, "FirmwareStatusNotification", "Downloading", "DownloadFailed")
    assert one.statuses(1) == one.statuses(2) == ["Available"]


def is_diagnostics(content: bytes, identity: str) -> None:
    """An archive of this charge point, without a secret in it."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        members = {member.name: archive.extractfile(member) for member in archive if member.isfile()}
        texts = {name: file.read() for name, file in members.items() if file is not None}
    assert {"configuration.json", "state.json"} < set(texts)
    assert identity.encode() in texts["configuration.json"]
    assert any(name.startswith("logs/") for name in texts)
    for secret in (*(password.encode() for password in PASSWORDS), KEY, KEY.hex().encode()):
        assert secret not in b"".join(texts.values())


@pytest.mark.parametrize("scheme", ["http", "https", "ftp", "ftps", "sftp"])
def test_tc_045_1_get_diagnostics(one: Outside, servers: Servers, tmp_path: Path, scheme: str) -> None:
    """Uploading, Uploaded; the file is there, by the name that was answered."""
    if scheme == "sftp":
        know(servers, tmp_path)
    answer = one.call("GetDiagnostics", location=servers.url(scheme), startTime=PAST, stopTime=FUTURE)
    statuses(one, "DiagnosticsStatusNotification", "Uploading", "Uploaded")
    is_diagnostics(servers.content(scheme, answer["fileName"]), one.identity)


def locations(servers: Servers, fault: str) -> str:
    """Where an upload fails of this."""
    if fault == "full http":
        servers["http"].scripts["/full"] = lambda handler: handler.say("HTTP/1.1 507 Insufficient Storage")
        return servers.url("http", "full")
    if fault == "full ftp":
        servers["ftp"].full_after = 10
        return servers.url("ftp")
    places: dict[str, Callable[[], str]] = {
        "wrong password ftp": lambda: servers.url("ftp", password="WrongS3cret"),
        "wrong password http": lambda: servers.url("http", "x", password="WrongS3cret"),
        "unknown host key": lambda: servers.url("sftp"),
        "wrong name": lambda: servers.url("https", "x").replace("127.0.0.1", "localhost"),
        "unknown scheme": lambda: "gopher://station:s3cret-Pass%2Fword@127.0.0.1/",
        "no URL": lambda: "ftp://station:s3cret-Pass%2Fword@127.0.0.1:x/",
        "nobody": lambda: "ftp://station:s3cret-Pass%2Fword@127.0.0.1:1/",
    }
    return places[fault]()


FAULTS = {
    "full http": "UploadFailure",
    "full ftp": "UploadFailure",
    "wrong password ftp": "PermissionDenied",
    "wrong password http": "PermissionDenied",
    "unknown host key": "UploadFailure",
    "wrong name": "UploadFailure",
    "unknown scheme": "NotSupportedOperation",
    "no URL": "BadMessage",
    "nobody": "UploadFailure",
}
"""What a log is told to have failed of; diagnostics know UploadFailed only."""


@pytest.mark.parametrize("fault", FAULTS)
def test_tc_045_2_an_upload_that_fails(one: Outside, servers: Servers, fault: str) -> None:
    """GetDiagnostics: after the retry UploadFailed. GetLog: with a word for what was wrong, where there is one."""
    location = locations(servers, fault)
    assert "fileName" in one.call("GetDiagnostics", location=location, **NOW_AND_ONCE_MORE)
    statuses(one, "DiagnosticsStatusNotification", "Uploading", "UploadFailed")
    log = {"remoteLocation": location}
    assert one.ask("GetLog", requestId=3, logType="DiagnosticsLog", log=log, **NOW_AND_ONCE_MORE) == "Accepted"
    statuses(one, "LogStatusNotification", "Uploading", FAULTS[fault], requestId=3)


def test_a_server_that_has_room_again(one: Outside, servers: Servers) -> None:
    """The retry succeeds: Uploaded."""
    server = servers["http"]

    def refuse(handler: Any) -> None:
        del server.scripts["/log"]
        handler.say("HTTP/1.1 503 Not Now")

    server.scripts["/log"] = refuse
    one.call("GetDiagnostics", location=servers.url("http", "log"), retries=1, retryInterval=0)
    statuses(one, "DiagnosticsStatusNotification", "Uploading", "Uploaded")
    is_diagnostics(servers.content("http", "log"), one.identity)


@pytest.mark.parametrize("scheme", ["http", "ftp"])
def test_tc_079_get_security_log(one: Outside, servers: Servers, scheme: str) -> None:
    """Accepted with a name; Uploading, Uploaded with the id of the request; the log tells of the start."""
    log = {"remoteLocation": servers.url(scheme), "oldestTimestamp": PAST, "latestTimestamp": FUTURE}
    answer = one.call("GetLog", requestId=7, logType="SecurityLog", log=log)
    assert answer["status"] == "Accepted"
    statuses(one, "LogStatusNotification", "Uploading", "Uploaded", requestId=7)
    content = servers.content(scheme, answer["filename"])
    is_diagnostics(content, one.identity)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        files = [archive.extractfile(name) for name in archive.getnames() if "security" in name]
        assert any(b"StartupOfTheDevice" in file.read() for file in files if file is not None)


def test_a_second_log_takes_the_place(one: Outside, servers: Servers) -> None:
    """The first server does nothing, another log is asked for: AcceptedCanceled; the second is told to its end."""
    server = servers["ftp"]
    server.is_silent_at = "STOR"
    first = {"remoteLocation": servers.url("ftp")}
    assert one.ask("GetLog", requestId=1, logType="DiagnosticsLog", log=first) == "Accepted"
    one.expect("LogStatusNotification", status="Uploading", requestId=1)
    second = {"remoteLocation": servers.url("http", "second")}
    assert one.ask("GetLog", requestId=2, logType="DiagnosticsLog", log=second) == "AcceptedCanceled"
    one.expect("LogStatusNotification", status="Uploaded", requestId=2)
    is_diagnostics(servers.content("http", "second"), one.identity)
    one.settle()
    assert [payload["status"] for payload in one.calls("LogStatusNotification", requestId=1)] == ["Uploading"]


def test_what_it_can_transfer_by(one: Outside) -> None:
    """SupportedFileTransferProtocols is what the transfers can do."""
    found = one.call("GetConfiguration", key=["SupportedFileTransferProtocols"])
    assert found["configurationKey"] == [
        {"key": "SupportedFileTransferProtocols", "readonly": True, "value": "FTP,FTPS,HTTP,HTTPS,SFTP"}
    ]
