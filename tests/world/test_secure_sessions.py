"""Security profiles 2 and 3 end to end, and a new client certificate by the Central System; then no secret anywhere."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bad_doors import Door, proxy
from secret_search import left_by, private_keys, shown
from secure_site import Pki, SecureSite, serial

pytestmark = [pytest.mark.world, pytest.mark.real_time]

KEY = b"a key of 16 byte"


@pytest.fixture
def site(csms: Any, tmp_path: Path) -> Callable[..., SecureSite]:
    def make(**options: Any) -> SecureSite:
        made = SecureSite(csms, tmp_path / "charge point", Pki(tmp_path / "pki"), **options)
        made.pki.furnish(made.folder / "certs", made.identity)
        return made

    return make


def a_transaction(site: SecureSite) -> None:
    number = site.charge()
    site.unplug()
    site.expect("StopTransaction", transactionId=number)


def test_profile_2(site: Any) -> None:
    station = site(security={"SecurityProfile": 2, "AuthorizationKey": f"hex:{KEY.hex()}"})
    station.let_in(2, KEY)
    station.power_up()
    with station:
        station.booted()
        a_transaction(station)
        station.settle()
    assert station.calls("SecurityEventNotification", type="StartupOfTheDevice")


def test_profile_3_and_a_new_certificate(site: Any) -> None:
    station = site(security={"SecurityProfile": 3})
    station.let_in(3)
    first = serial((station.folder / "certs/client/csms/first.pem").read_text())
    station.power_up()
    with station:
        station.booted()
        assert station.serials() == [first]
        a_transaction(station)
        assert station.ask("ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate") == "Accepted"
        chain = station.pki.sign(station.expect("SignCertificate")["csr"])
        assert chain.count("BEGIN") == 2
        assert station.ask("CertificateSigned", certificateChain=chain) == "Accepted"
        station.wait_for_serial(serial(chain))
        station.told("connection", connected=True)
        a_transaction(station)
        station.settle()


URL_PASSWORD = "word-of-the-url"
PROXY_PASSWORD = "word-of-the-proxy"
FORMATS = ["log", "jsonl", "html", "security", "session_logging", "console_detailed", "callback"]
TEXT_KEY = b"a key that is text"
NEW_KEY = bytes.fromhex("fe00ff10e2828d5c220a0d7fb0c1d2e3f4051627")


def test_no_secret_is_anywhere(site: Any) -> None:
    """After a run with kills in which each secret was used, changed, asked for, refused, and met errors."""
    with Door(0, proxy) as proxy_door:
        station = site(
            security={"SecurityProfile": 2, "AuthorizationKey": f"text:{TEXT_KEY.decode()}"},
            internal={
                "HttpProxy": f"http://name:{PROXY_PASSWORD}@127.0.0.1:{proxy_door.port}",
                "LogMessages": True,
                "LogMessagesFormat": FORMATS,
                "LogMessagesRaw": True,
            },
            options=("--trace", "--log-level", "debug"),
        )
        station.let_in(2, TEXT_KEY, NEW_KEY)
        station.power_up()
        with station:
            station.booted()
            url = f"ftp://name:{URL_PASSWORD}@127.0.0.1:1/files/"
            assert "fileName" in station.call("GetDiagnostics", location=url)
            station.expect("DiagnosticsStatusNotification", status="Uploaded")
            assert station.ask("ChangeConfiguration", key="AuthorizationKey", value=NEW_KEY.hex()) == "Accepted"
            station.told("connection", connected=True)
            station.expect("BootNotification")
            a_transaction(station)
            station.ask_badly("ChangeConfiguration", {"key": "AuthorizationKey", "value": [NEW_KEY.hex()]})
            assert station.call("GetConfiguration", key=["AuthorizationKey"])["unknownKey"] == ["AuthorizationKey"]
            assert station.ask("ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate") == "Accepted"
            chain = station.pki.sign(station.expect("SignCertificate")["csr"])
            assert station.ask("CertificateSigned", certificateChain=chain) == "Accepted"
            station.let_in(2, b"what nobody knows")
            station.do("drop")
            station.central_system.wait_for(event="refused", identity=station.identity)
            station.power_cut()
            station.let_in(3)
            station.set("Security", SecurityProfile=3)
            station.power_up()
            station.expect("BootNotification")
            assert (
                station.ask("GetLog", logType="DiagnosticsLog", requestId=1, log={"remoteLocation": url}) == "Accepted"
            )
            station.expect("LogStatusNotification", status="Uploaded")
            station.settle()
    found = {"standard output": json.dumps(station.told_by_all).encode(), **left_by(station.folder)}
    assert any(".tar.gz/" in name for name in found), found.keys()
    assert any(name.endswith(".db") for name in found), found.keys()
    assert any("logs/" in name for name in found), found.keys()
    secrets = {
        "text key": TEXT_KEY,
        "new key": NEW_KEY,
        "URL": URL_PASSWORD.encode(),
        "proxy": PROXY_PASSWORD.encode(),
        **private_keys(station.folder / "certs"),
    }
    assert len(secrets) == 6
    assert shown(secrets, found, station.identity) == set()
    stored = station.folder / "user_config.json.secrets"
    assert NEW_KEY.hex().encode() in stored.read_bytes()
    assert stored.stat().st_mode & 0o777 == 0o600
