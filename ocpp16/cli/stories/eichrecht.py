"""A charging session that can be proved: the meter signs its begin and its end, and who is billed can verify both.

At each connector a car charges once. The Central System asks for the public key of the meter, reads what was signed out
of StopTransaction, and verifies it; then a single digit is changed, and that is found.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

import trio

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.cli.stories.story import Story
from ocpp16.configuration.keys.internal import CHARGE_POINT_ID
from ocpp16.errors import CallFailed
from ocpp16.metering.failure import SignedDataError
from ocpp16.metering.ocmf import Ocmf
from ocpp16.metering.public_key import key_bytes
from ocpp16.metering.signature import verify
from ocpp16.metering.signed_data import recognised
from ocpp16.simulation import CarPlan, SimulatedStation
from ocpp16.testing import CentralSystem
from ocpp16.texts import shown

BETWEEN_CARS: Final = 20.0
"""Seconds of the story, as those below."""
UNTIL_CARD: Final = 6.0
CHARGE: Final = 90.0
CAR: Final = CarPlan(plug_after=1.0, draw_after=2.0, current=32.0, phases=3, draw_for=86_400.0)
SHOWN: Final = 110
"""Characters of a signed text."""


class Eichrecht(Story):
    """A car for each connector."""

    text = "begin and end signed by the meter, verified with its public key"

    def __init__(self, central_system: CentralSystem, narrate: Callable[[str], None], patience: float) -> None:
        super().__init__(central_system, narrate, patience)
        self._proved: dict[int, Decimal] = {}
        """By connector, Wh that were signed."""

    def keys(self) -> Mapping[str, Mapping[str, Any]]:
        return {"SignedMeterValues": {"SampledDataSignReadings": True}}

    def station(self) -> SimulatedStation:
        return SimulatedStation(meter_interval=0, signed_meter=True)

    async def run(self, charge_point: ChargePoint, station: SimulatedStation) -> None:
        if not await self._booted():
            return
        async with trio.open_nursery() as nursery:
            for evse in station.evses:
                nursery.start_soon(self._visit, charge_point, station, evse.connector_id)

    async def _visit(self, charge_point: ChargePoint, station: SimulatedStation, connector_id: int) -> None:
        card, place = f"CARD-{connector_id}", f"connector {connector_id}"
        await self._pass(charge_point, 1.0 + BETWEEN_CARS * (connector_id - 1))
        self._narrate(f"{place}: a car is plugged in")
        station.plug_in(connector_id, CAR)
        await self._pass(charge_point, UNTIL_CARD)
        self._narrate(f"{place}: {card} is presented, and the meter signs the begin")
        station.present_id_tag(card, [connector_id])
        if not await self._until(lambda: bool(self._calls("StartTransaction", card))):
            self._failures.append(f"{place}: no transaction began")
            return
        await self._pass(charge_point, CHARGE)
        self._narrate(f"{place}: the car is unplugged, and the meter signs the end")
        station.unplug(connector_id)
        stopped: list[dict[str, Any]] = []

        def is_stopped() -> bool:
            number = self._transaction_of(card)
            stopped[:] = [
                call.payload
                for call in self._central_system.calls("StopTransaction")
                if call.payload.get("transactionId") == number
            ]
            return bool(stopped)

        if not await self._until(is_stopped):
            self._failures.append(f"{place}: its transaction did not end")
            return
        await self._prove(charge_point, connector_id, stopped[0])

    def _transaction_of(self, card: str) -> int | None:
        """The number that the Central System gave; it counts."""
        started = [call.payload["idTag"] for call in self._central_system.calls("StartTransaction")]
        return list(dict.fromkeys(started)).index(card) + 1 if card in started else None

    async def _prove(self, charge_point: ChargePoint, connector_id: int, stopped: dict[str, Any]) -> None:
        place = f"connector {connector_id}"
        key = await self._public_key(charge_point, connector_id)
        if key is None:
            self._failures.append(f"{place}: its meter has no public key")
            return
        self._narrate(f"{place}: the public key of its meter is {shown(key, 40)}")
        texts = [
            sampled["value"]
            for entry in stopped.get("transactionData", ())
            for sampled in entry["sampledValue"]
            if sampled.get("format") == "SignedData"
        ]
        if len(texts) != 2:
            self._failures.append(f"{place}: {len(texts)} signed values, and not that of the begin and that of the end")
            return
        self._narrate(f"{place}: signed was {shown(texts[1], SHOWN)}")
        try:
            begin, end = (_verified(text, key) for text in texts)
        except SignedDataError as error:
            self._failures.append(f"{place}: {error}")
            return
        first, last = begin.readings[0].energy, end.readings[-1].energy
        assert first is not None
        assert last is not None
        if (last - first) != stopped["meterStop"] - self._meter_start(f"CARD-{connector_id}"):
            self._failures.append(f"{place}: {last - first} Wh were signed, and others billed")
            return
        self._proved[connector_id] = last - first
        self._narrate(
            f"{place}: both signatures are the meter's; {(last - first).normalize():f} Wh for {end.identification}"
        )
        try:
            _verified(texts[1].replace('"RV":', '"RV":1', 1), key)
        except SignedDataError as error:
            self._narrate(f"{place}: with one more digit in it: {error}")
        else:
            self._failures.append(f"{place}: a digit was changed, and nobody saw it")

    def _meter_start(self, card: str) -> int:
        return int(self._calls("StartTransaction", card)[0].payload["meterStart"])

    async def _public_key(self, charge_point: ChargePoint, connector_id: int) -> str | None:
        name = f"MeterPublicKey{connector_id}"
        identity = charge_point.configuration[CHARGE_POINT_ID]
        try:
            answer = await self._central_system.call(identity, "GetConfiguration", {"key": [name]}, self._patience)
        except CallFailed:
            return None
        rows = answer.get("configurationKey", ())
        return next((row.get("value") for row in rows if row["key"] == name), None)

    def problems(self, connectors: int) -> list[str]:
        found = [*self._failures]
        missing = set(range(1, connectors + 1)) - self._proved.keys()
        if missing and not found:
            found.append(f"not proved: connector {', '.join(map(str, sorted(missing)))}")
        return found + self._violations()

    def result(self, connectors: int) -> str:
        energy = " + ".join(f"{self._proved[number].normalize():f} Wh" for number in sorted(self._proved))
        return f"proved {energy}"


def _verified(text: str, key: str) -> Ocmf:
    """Raises SignedDataError."""
    read = recognised(text).ocmf()
    verify(read, key_bytes(key))
    return read
