"""Cars that charge with a contract: certificates of a laboratory, and everything that is asked about them.

The station gets a certificate towards cars first, signed by the Central System. Then, one connector after the other, a
car comes that has a contract, one whose contract is yet to be installed, one whose contract is blocked and whose driver
shows a card, one that is known by the address of its modem, and so on. The story waits for what the charge point and
the Central System say, and at the end it counts.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time
from typing import Any, Final, Self

import trio

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.cli.stories.story import Story
from ocpp16.codec import validate
from ocpp16.enums import ChargePointStatus
from ocpp16.observer import ContractAuthorized, EvCertificateAnswered, ObserverEvent
from ocpp16.security.lab_pki import Authority
from ocpp16.simulation import CarPlan, SimulatedStation
from ocpp16.simulation.car import Contract
from ocpp16.testing import CentralSystem
from ocpp16.testing.contract_answers import PLUG_AND_CHARGE
from ocpp16.testing.plug_and_charge import RESPONDER, PlugAndChargeAnswers

BETWEEN_CARS: Final = 20.0
"""Seconds of the story, as those below."""
CHARGE: Final = 90.0
UNTIL_CARD: Final = 10.0
EARLIER: Final = 86_400.0
"""Seconds before now from which all certificates are valid."""

_OF_A_CERTIFICATE: Final = ("SignCertificate", "GetCertificateStatus")
"""What the station asks for when it is to have one."""
WAY: Final = (ChargePointStatus.PREPARING, ChargePointStatus.CHARGING, ChargePointStatus.AVAILABLE)
"""The states that each connector goes through."""


@dataclass(frozen=True, slots=True)
class _Visit:
    """One kind of car. `id_tag` charges, or is the card's of a car whose contract is `refused`."""

    sentence: str
    id_tag: str
    plan: dict[str, Any]
    refused: str = ""


class PlugAndCharge(Story):
    """A certificate for the station; then a car for each connector, each of another kind."""

    text = "cars that charge with a contract, or have one installed, or are refused, or known by their modem"

    def __init__(self, central_system: CentralSystem, narrate: Callable[[str], None], patience: float) -> None:
        super().__init__(central_system, narrate, patience)
        now = time() - EARLIER
        self._v2g = Authority("Demo V2G root", now)
        self._mo = Authority("Demo MO root", now)
        self._operator = Authority("Demo mobility operator", now, above=self._mo)
        self._answers = PlugAndChargeAnswers(central_system, self._v2g)
        self._decided: list[str] = []
        """eMAIDs, each with its status."""
        self._folder: Path | None = None

    def __enter__(self) -> Self:
        self._folder = Path(self._in_the_end.enter_context(TemporaryDirectory(prefix="ocpp16-demo-")))
        for family, authority in (("v2g", self._v2g), ("mo", self._mo)):
            path = self._folder / "ca" / family / f"{family.upper()}_ROOT_CA.pem"
            path.parent.mkdir(parents=True)
            path.write_text(authority.certificate)
        return self

    def certificates_path(self) -> Path | None:
        return self._folder

    def keys(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "PnC": {"ISO15118PnCEnabled": True, "ISO15118CertificateManagementEnabled": True},
            "Security": {"CpoName": "Demo"},
        }

    def notice(self, event: ObserverEvent) -> None:
        if isinstance(event, ContractAuthorized):
            self._decided.append(f"{event.emaid} {event.authorization.id_token_info.status}")
        elif isinstance(event, EvCertificateAnswered):
            self._decided.append(f"installed {event.connector_id} {event.response.status}")
        super().notice(event)

    async def run(self, charge_point: ChargePoint, station: SimulatedStation) -> None:
        if not await self._booted():
            return
        await self._certify(charge_point)
        async with trio.open_nursery() as nursery:
            for evse in station.evses:
                nursery.start_soon(self._visit, charge_point, station, evse.connector_id)

    async def _certify(self, charge_point: ChargePoint) -> None:
        """The Central System has the station ask for its certificate, signs it, and is asked whether it is revoked."""
        self._narrate("the Central System has the station ask for a certificate towards cars")
        request = {"vendorId": PLUG_AND_CHARGE, "messageId": "TriggerMessage", "data": "{}"}
        validate("DataTransfer", "request", request)
        await self._accepted(charge_point, 0, "DataTransfer", request)
        with suppress(AssertionError):  # it says what came instead
            await self._central_system.wait_for_call("DataTransfer", len(_OF_A_CERTIFICATE), timeout=self._patience)
        if tuple(self._asked()) == _OF_A_CERTIFICATE:
            self._narrate("the certificate is there, and a responder was asked about it")
        else:
            self._failures.append("the station got no certificate towards cars")

    def _asked(self) -> list[str]:
        """The messages of Plug & Charge that came."""
        return [call.payload.get("messageId", "") for call in self._central_system.calls("DataTransfer")]

    async def _visit(self, charge_point: ChargePoint, station: SimulatedStation, connector_id: int) -> None:
        await self._pass(charge_point, 1.0 + BETWEEN_CARS * (connector_id - 1))
        visit = self._kind(connector_id)
        place = f"connector {connector_id}"
        self._narrate(f"{place}: {visit.sentence}")
        station.plug_in(connector_id, CarPlan(draw_for=86_400.0, phases=3, **visit.plan))
        if visit.refused:
            if not await self._until(lambda: visit.refused in self._decided):
                self._failures.append(f"{place}: the contract was not refused")
                return
            await self._pass(charge_point, UNTIL_CARD)
            self._narrate(f"{place}: the contract is refused, and {visit.id_tag} is presented")
            station.present_id_tag(visit.id_tag, [connector_id])
        if not await self._until(lambda: self._ways.get(connector_id, [])[-1:] == [ChargePointStatus.CHARGING]):
            self._failures.append(f"{place}: nothing charges")
            return
        await self._pass(charge_point, CHARGE)
        self._narrate(f"{place}: the car is unplugged")
        station.unplug(connector_id)
        if not await self._until(lambda: self._ways[connector_id][-1] is ChargePointStatus.AVAILABLE):
            self._failures.append(f"{place}: it is not free again")

    def _kind(self, connector_id: int) -> _Visit:
        """Of the car that comes there."""
        emaid, id_tag = _emaid(connector_id), _id_tag(connector_id)
        chain = self._operator.issue(emaid, responder_url=RESPONDER).chain
        match connector_id % 4:
            case 1:
                return _Visit("a car with a contract is plugged in", id_tag, {"contract": Contract(emaid, chain)})
            case 2:
                sentence = "a car is plugged in that wants its contract installed"
                return _Visit(sentence, id_tag, {"contract": Contract(emaid, chain, installs=True)})
            case 3:
                self._answers.contracts[emaid] = "Blocked"
                sentence = "a car with a contract that is blocked is plugged in"
                return _Visit(sentence, id_tag, {"contract": Contract(emaid, chain)}, f"{emaid} Blocked")
        return _Visit("a car is plugged in that is known by its modem", id_tag, {"mac": _mac(connector_id)})

    def problems(self, connectors: int) -> list[str]:
        problems = [*self._failures]
        for connector_id in range(1, connectors + 1):
            way, id_tag = self._ways.get(connector_id, []), _id_tag(connector_id)
            if tuple(way) != WAY:
                problems.append(f"connector {connector_id} went {' → '.join(way) or 'nowhere'}")
            if len(self._calls("StartTransaction", id_tag)) != 1:
                problems.append(f"connector {connector_id}: {id_tag} did not charge")
        return problems + self._violations()

    def result(self, connectors: int) -> str:
        contracts = sum(said.endswith(" Accepted") and not said.startswith("installed") for said in self._decided)
        return f"{contracts} contracts were accepted, {len(self._asked())} questions asked for them"


def _emaid(connector_id: int) -> str:
    return f"NLDEMC{connector_id:08}"


def _mac(connector_id: int) -> str:
    return f"007DFA{connector_id:06X}"


def _id_tag(connector_id: int) -> str:
    """Of whoever charges there."""
    match connector_id % 4:
        case 0:
            return f"VID:{_mac(connector_id)}"
        case 3:
            return f"CARD-{connector_id}"
    return _emaid(connector_id)
