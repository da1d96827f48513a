"""Cars that say who they are: by a contract, which certificates and the Central System judge, or by their modem."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from charging_site import CONFIG, Site, site
from contract_bench import EMAID, NOW, Pki
from trio.testing import MockClock

from ocpp16.simulation import CommandError, ControlInterface
from ocpp16.simulation.car import mac_tag
from ocpp16.simulation.contract_car import contract_of
from ocpp16.testing import CentralSystem
from ocpp16.testing.plug_and_charge import PlugAndChargeAnswers

PNC = {
    **CONFIG,
    "PnC": {
        "ISO15118PnCEnabled": True,
        "ISO15118CertificateManagementEnabled": True,
        "ContractValidationOffline": True,
        "CentralContractValidationAllowed": False,
    },
    "Security": {"CpoName": "Lab"},
}


class Street:
    """A site with Plug & Charge, and the file of a car's contract."""

    def __init__(self, here: Site, pki: Pki, answers: PlugAndChargeAnswers, folder: Path) -> None:
        self.here, self.pki, self.answers = here, pki, answers
        self.path = str(folder / "contract.pem")
        Path(self.path).write_text(pki.contract())

    async def plug_in(self, connector: int = 1, **plan: Any) -> list[str]:
        """A car comes; what is told to the Central System about it in ten seconds, without the states."""
        await self.here.commands.run("plug_in", {"connector": connector, "draw_for": 100_000, **plan})
        await trio.sleep(10)
        return [line for line in self.here.news() if line[:1] not in "012"]


@asynccontextmanager
async def street(folder: Path, config: Any = PNC, control: ControlInterface | None = None) -> AsyncIterator[Street]:
    pki = await Pki(lambda: NOW + trio.current_time()).trust()
    async with CentralSystem() as csms:
        answers = PlugAndChargeAnswers(csms, pki.v2g)
        async with site(csms, config=config, security=pki.keeper, control=control) as here:
            yield Street(here, pki, answers, folder)


async def test_a_car_with_a_contract_needs_no_card(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with street(tmp_path) as on:
        assert await on.plug_in(contract=on.path) == ["DataTransfer", f"Start 1 {EMAID}"]
        assert on.here.charge_point.connector_status(1).status == "Charging"
        on.here.station.unplug(1)
        await trio.sleep(2)
        assert on.here.charge_point.transaction(1) is None


async def test_a_contract_that_is_refused_waits_for_a_card(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with street(tmp_path) as on:
        on.answers.contracts[EMAID] = "Blocked"
        assert await on.plug_in(contract=on.path) == ["DataTransfer"]
        assert on.here.charge_point.connector_status(1).status == "Preparing"
        on.here.station.present_id_tag("CARD", [1])
        await trio.sleep(3)
        assert "Start 1 CARD" in on.here.news()


async def test_whoever_has_chosen_to_pay_otherwise_shows_no_contract(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with street(tmp_path) as on:
        assert await on.plug_in(contract=on.path, external_payment=True) == []


@pytest.mark.parametrize("is_there", [True, False])
async def test_a_contract_is_installed_first(autojump_clock: MockClock, tmp_path: Path, is_there: bool) -> None:
    async with street(tmp_path) as on:
        if not is_there:
            on.here.csms.answers["DataTransfer"] = None
        told = await on.plug_in(contract=on.path, installs=True)
        messages = [call.payload["messageId"] for call in on.here.csms.calls("DataTransfer")]
        if is_there:
            assert messages == ["Get15118EVCertificate", "Authorize"]
            assert told[-1] == f"Start 1 {EMAID}"
        else:
            assert messages == ["Get15118EVCertificate"]
            assert on.here.charge_point.transaction(1) is None


async def test_autocharge(autojump_clock: MockClock, tmp_path: Path) -> None:
    """Authorized as a card is, also where there is no Plug & Charge."""
    async with street(tmp_path, CONFIG) as on:
        assert await on.plug_in(2, mac="00:7d:fa:07:1e:4b") == ["Authorize", "Start 2 VID:007DFA071E4B"]
        [request] = on.here.csms.calls("Authorize")
        assert request.payload == {"idTag": "VID:007DFA071E4B"}


async def test_a_card_that_came_first_has_the_connector(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with street(tmp_path) as on:
        on.here.station.present_id_tag("CARD", [1])
        await trio.sleep(1)
        assert await on.plug_in(contract=on.path) == ["Authorize", "Start 1 CARD"]


async def test_a_car_that_left_meanwhile_gets_nothing(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with street(tmp_path) as on:
        on.here.csms.answers["DataTransfer"] = None
        await on.plug_in(contract=on.path)
        on.here.station.unplug(1)
        on.here.station.plug_in(1, draw_for=100_000)
        await trio.sleep(100)
        assert on.here.charge_point.connector_status(1).status == "Finishing", "nobody came within ConnectionTimeOut"


async def test_without_plug_and_charge_a_contract_is_no_use(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with street(tmp_path, CONFIG) as on:
        assert await on.plug_in(contract=on.path) == []
        with pytest.raises(CommandError, match="PnC"):
            await on.here.commands.run("authorize_contract", {"contract": on.path})


async def test_the_decision_by_command_and_as_an_event(autojump_clock: MockClock, tmp_path: Path) -> None:
    lines: list[bytes] = []
    async with street(tmp_path, control=ControlInterface(lines.append)) as on:
        found = await on.here.commands.run("authorize_contract", {"contract": on.path})
        assert found["emaid"] == EMAID
        assert (found["status"], found["certificate_status"], found["source"]) == (
            "Accepted",
            "Accepted",
            "the Central System",
        )
        await on.here.commands.run("authorize_contract", {"contract": on.path, "emaid": "DE-8AA-1A2B3C4D5-9"})
        assert [call.payload["messageId"] for call in on.here.csms.calls("DataTransfer")] == ["Authorize"] * 2
        await trio.sleep(0.1)
        assert [json.loads(line)["emaid"] for line in lines if b'"contract"' in line] == [EMAID, "DE-8AA-1A2B3C4D5-9"]


async def test_a_certificate_towards_cars_from_the_lab(autojump_clock: MockClock, tmp_path: Path) -> None:
    """Asked for after a minute, signed, installed, asked about: by the answers of the test kit alone."""
    async with street(tmp_path) as on:
        await trio.sleep(90)
        messages = [call.payload["messageId"] for call in on.here.csms.calls("DataTransfer")]
        assert messages == ["SignCertificate", "GetCertificateStatus"]
        [one] = await on.pki.keeper.get_v2g_ocsp_request_data()
        assert await on.pki.keeper.get_ocsp_response(one.hash_data) is not None


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"contract": "/nowhere/contract.pem"}, "contract"),
        ({"contract": "/dev/zero"}, "contract"),
        ({"emaid": EMAID}, "contract"),
        ({"installs": True}, "contract"),
        ({"mac": "00:7D:FA:07:1E"}, "mac"),
        ({"mac": "zz:7D:FA:07:1E:4B"}, "mac"),
        ({"emaid": "x" * 37}, "emaid"),
    ],
)
async def test_what_no_car_has(autojump_clock: MockClock, tmp_path: Path, arguments: dict[str, Any], what: str) -> None:
    async with street(tmp_path) as on:
        with pytest.raises(CommandError, match=what):
            await on.here.commands.run("plug_in", {"connector": 1, **arguments})
        assert on.here.station.evse(1).car is None


def test_whose_contract_it_is(tmp_path: Path) -> None:
    path = tmp_path / "contract.pem"
    path.write_text(Pki().contract())
    assert contract_of(str(path)).emaid == EMAID
    assert contract_of(str(path), "DE8AA1A2B3C4D59").emaid == "DE8AA1A2B3C4D59"
    path.write_text("no certificate")
    with pytest.raises(ValueError, match="no certificate in it"):
        contract_of(str(path))


@pytest.mark.parametrize("mac", ["007dfa071e4b", "00:7D:FA:07:1E:4B", "00-7d-fa-07-1e-4b"])
def test_the_id_tag_of_a_modem(mac: str) -> None:
    assert mac_tag(mac) == "VID:007DFA071E4B"
