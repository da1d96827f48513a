"""A car that can say who it is: by a contract (ISO 15118, Plug & Charge), or by the address of its modem (Autocharge).

What passes between car and station is played: the car is believed to hold the key of its contract. What the Central
System and the certificates say is asked for real. Who gets the connector is for the access rules, as with a card.
"""

import logging
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from ocpp16.contracts import CertificateAction
from ocpp16.errors import ChargePointStopped, FeatureNotBuilt
from ocpp16.regular_file import read_regular
from ocpp16.simulation.access import LONGEST_ID_TAG, Token
from ocpp16.simulation.car import Car, Contract, mac_tag

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint

__all__ = ["contract_of", "identify"]

log: Final = logging.getLogger("ocpp16.simulation")

SCHEMA: Final = "urn:iso:15118:2:2013:MsgDef"
LONGEST_CHAIN: Final = 64 * 1024
"""Bytes of a file with a contract."""


class Forecourt(Protocol):
    """The station as a car sees it that talks to it."""

    @property
    def charge_point(self) -> "ChargePoint": ...

    @property
    def is_powered(self) -> bool: ...

    def admit(self, token: Token, connector_id: int) -> None:
        """Whom this token belongs to may have the connector, by the access rules."""
        ...

    def car_at(self, connector_id: int) -> Car | None: ...


def contract_of(path: str, emaid: str | None = None, *, installs: bool = False) -> Contract:
    """The contract in a file (PEM, leaf first). `emaid`: without it the common name of the certificate; `installs`: the
    car has none yet, and has this one installed. Raises ValueError that says what is wrong with it."""
    try:
        text = read_regular(Path(path), LONGEST_CHAIN).decode()
    except (OSError, ValueError) as error:
        raise ValueError(f"contract: {path}: {getattr(error, 'strerror', None) or 'no text'}") from None
    from ocpp16.security.certificate_facts import common_name_of  # cryptography only for cars with a contract

    name = common_name_of(text)
    if name is None:
        raise ValueError(f"contract: {path}: there is no certificate in it")
    return Contract(emaid or name, text, installs)


def identify(forecourt: Forecourt, connector_id: int, car: Car) -> None:
    """A car was plugged in: it says who it is, if it can and wants to."""
    plan = car.plan
    if plan.contract is not None and not plan.external_payment:
        forecourt.charge_point.for_station.spawn(_with_contract, forecourt, connector_id, car, plan.contract)
    elif plan.mac:
        log.info("the car of connector %d says who it is: Autocharge", connector_id)
        forecourt.admit(Token(mac_tag(plan.mac), is_remote=True), connector_id)


async def _with_contract(forecourt: Forecourt, connector_id: int, car: Car, contract: Contract) -> None:
    door = forecourt.charge_point.plug_and_charge
    try:
        if contract.installs:
            request = b64encode(f"CertificateInstallationReq {contract.emaid}".encode()).decode()
            answer = await door.data_transfer_pnc_get_15118_ev_certificate(
                connector_id, request, SCHEMA, CertificateAction.INSTALL
            )
            if not answer.is_accepted:
                log.info("the car of connector %d gets no contract, and waits for a card", connector_id)
                return
        found = await door.data_transfer_pnc_authorize(contract.emaid, contract.chain)
    except ChargePointStopped:
        return
    except FeatureNotBuilt:
        log.info("the car of connector %d has a contract, and there is no Plug & Charge here", connector_id)
        return
    if not forecourt.is_powered or forecourt.car_at(connector_id) is not car or not car.is_plugged:
        return
    if not found.is_accepted:
        log.info("the contract of connector %d is not accepted: %s", connector_id, found.id_token_info.status)
    elif len(contract.emaid) > LONGEST_ID_TAG:
        log.info("the contract of connector %d has a longer eMAID than a transaction can name", connector_id)
    else:
        forecourt.admit(Token(contract.emaid, is_remote=True, is_prevalidated=True), connector_id)
