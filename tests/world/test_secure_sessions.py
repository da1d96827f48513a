"""Security profiles 2 and 3 end to end, and a new client certificate by the Central System; then no secret anywhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
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
