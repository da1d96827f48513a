"""The simulated station with real files over real servers: firmware with its signature, diagnostics, no secrets."""

import io
import tarfile
from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time
from typing import Any

import pytest
import trio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
from ftp_file_server import FtpFileServer
from http_file_server import HttpFileServer
from loopback import content_of

from ocpp16 import open_charge_point
from ocpp16.simulation import SimulatedStation, StationOptions
from ocpp16.simulation.transfer import UrlTransfer
from ocpp16.testing.central_system import CentralSystem

pytestmark = pytest.mark.world

KEY = bytes(range(16)).hex()
FIRMWARE = bytes(range(256)) * 1000
ENDS = {"Installed", "DownloadFailed", "InvalidSignature", "InstallationFailed", "Uploaded", "UploadFailed"}
PATIENCE = 60.0


def document() -> dict[str, Any]:
    return {
        "Internal": {
            "ChargePointId": "cp1",
            "CentralSystemURI": "ws://csms/",
            "ChargePointVendor": "V",
            "ChargePointModel": "M",
        },
        "Core": {"NumberOfConnectors": 1, "SupportedFeatureProfiles": "Core,FirmwareManagement,RemoteTrigger"},
        "Security": {"AuthorizationKey": f"hex:{KEY}"},
    }


def signed(private_key: Any, issuer: Any = None, issuer_key: Any = None, *, is_ca: bool = False) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "root" if is_ca else "firmware")])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.subject if issuer else name)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    )
    return builder.sign(issuer_key or private_key, hashes.SHA256())


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def in_real_time(
    scenario: Callable[[Any, CentralSystem], Awaitable[None]],
    certificates_path: Path | None = None,
    *,
    is_expected: bool = True,
) -> list[str]:
    """Run it with a charge point whose station is simulated, and its files real. Returns the statuses told, up to the
    end that `is_expected`."""
    statuses: list[str] = []

    async def main() -> None:
        async with CentralSystem(now=lambda: round(time() * 1e6)) as csms:
            station = SimulatedStation(StationOptions(transfer_step=0.0), transfer=UrlTransfer())
            async with open_charge_point(
                document(), station, connector=csms.connector, certificates_path=certificates_path
            ) as charge_point:
                await charge_point.start()
                station.power_up()
                await charge_point.wait_registered()
                await scenario(charge_point, csms)
                with trio.fail_after(PATIENCE):
                    while is_expected and not (statuses and statuses[-1] in ENDS):
                        await trio.sleep(0.02)
                        statuses[:] = [
                            call.payload["status"]
                            for call in csms.calls()
                            if call.action.endswith("StatusNotification") and call.action != "StatusNotification"
                        ]

    trio.run(main)
    return statuses


@pytest.mark.parametrize(
    ("kind", "tampered", "trusted", "expected"),
    [
        ("ecdsa", False, True, ["Downloading", "Downloaded", "SignatureVerified", "Installing", "Installed"]),
        ("pss", False, True, ["Downloading", "Downloaded", "SignatureVerified", "Installing", "Installed"]),
        ("ecdsa", True, True, ["Downloading", "Downloaded", "InvalidSignature"]),
        ("ecdsa", False, False, []),
    ],
)
def test_signed_firmware(tmp_path: Path, kind: str, tampered: bool, trusted: bool, expected: Any) -> None:
    """Trusted by a root of the manufacturer, fetched by HTTP, and its signature verified over what came."""
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = signed(root_key, is_ca=True)
    key: Any = ec.generate_private_key(ec.SECP256R1()) if kind == "ecdsa" else rsa.generate_private_key(65537, 2048)
    certificate = signed(key, root, root_key)
    if kind == "ecdsa":
        signature = key.sign(FIRMWARE, ec.ECDSA(hashes.SHA256()))
    else:
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)
        signature = key.sign(FIRMWARE, pss, hashes.SHA256())
    answers = []
    with HttpFileServer() as server:
        server.files["/fw.bin"] = FIRMWARE + b"!" * tampered

        async def scenario(charge_point: Any, csms: CentralSystem) -> None:
            if trusted:
                install = {"certificateType": "ManufacturerRootCertificate", "certificate": pem(root)}
                assert await csms.call("cp1", "InstallCertificate", install) == {"status": "Accepted"}
            firmware = {
                "location": f"{server.base}/fw.bin",
                "retrieveDateTime": "2020-01-01T00:00:00Z",
                "signingCertificate": pem(certificate),
                "signature": b64encode(signature).decode(),
            }
            request = {"requestId": 7, "firmware": firmware}
            answers.append(await csms.call("cp1", "SignedUpdateFirmware", request))

        statuses = in_real_time(scenario, tmp_path / "certs", is_expected=trusted)
    assert answers == [{"status": "Accepted" if trusted else "InvalidCertificate"}]
    assert statuses == expected


def test_diagnostics_by_ftp_have_no_secrets(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    names = []
    with FtpFileServer(root) as server:

        async def scenario(charge_point: Any, csms: CentralSystem) -> None:
            answer = await csms.call("cp1", "GetDiagnostics", {"location": server.url("")})
            names.append(answer["fileName"])

        assert in_real_time(scenario) == ["Uploading", "Uploaded"]
    content = content_of(root / names[0])
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        members = {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}  # type: ignore[union-attr]
    assert members
    text = b"".join(members.values())
    assert b"cp1" in text
    for secret in (KEY.encode(), bytes.fromhex(KEY), b"s3cret"):
        assert secret not in text


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    async def scenario(charge_point: Any, csms: CentralSystem) -> None:
        await csms.call("cp1", "GetDiagnostics", {"location": "ftp://user:s3cret@127.0.0.1:1/", "retries": 0})

    assert in_real_time(scenario) == ["Uploading", "UploadFailed"]
