"""Cars at meters that sign what they say: a driver, or whoever checks a bill, can find out whether somebody changed it.

The Central System reads the public key of each meter; then, one connector after the other, a car charges by card and
leaves. What the meter signed at the begin is told at once, that of the end with the end; both are read, shown and
verified, and one byte is changed, which has to be found. The story waits for what the charge point and the Central
System say, and at the end it counts.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final

import trio

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.cli.stories.story import Story
from ocpp16.configuration.keys.internal import CHARGE_POINT_ID
from ocpp16.enums import ChargePointStatus, ReadingContext, ValueFormat
from ocpp16.errors import CallFailed
from ocpp16.metering.failure import SignedDataError
from ocpp16.metering.ocmf import Ocmf, OcmfReading
from ocpp16.metering.public_key import key_bytes
from ocpp16.metering.signature import verify
from ocpp16.metering.signed_data import recognised
from ocpp16.simulation import CarPlan, SimulatedStation
from ocpp16.testing import CentralSystem
from ocpp16.texts import shown

CAR = CarPlan(plug_after=1.0, draw_after=2.0, current=16.0, phases=3, draw_for=86_400.0)
# Seconds of the story.
BETWEEN_CARS: Final = 20.0
UNTIL_CARD: Final = 6.0
CHARGE: Final = 90.0
UNTIL_LEAVING: Final = 5.0

SHOWN: Final = 90
"""Characters of a text of the meter."""
WAY: Final = (
    ChargePointStatus.PREPARING,
    ChargePointStatus.CHARGING,
    ChargePointStatus.FINISHING,
    ChargePointStatus.AVAILABLE,
)
"""The states that each connector goes through."""


class Eichrecht(Story):
    """A car for each connector, and what its meter signed."""

    text = "cars at meters that sign: begin and end are verified, and a changed byte is found"

    def __init__(self, central_system: CentralSystem, narrate: Callable[[str], None], patience: float) -> None:
        super().__init__(central_system, narrate, patience)
        self._verified: dict[int, Decimal] = {}
        """Connectors whose transaction was verified; Wh, as it was signed."""

    def keys(self) -> Mapping[str, Mapping[str, Any]]:
        return {"SignedMeterValues": {"SampledDataSignStartedReadings": True}}

    def station(self) -> SimulatedStation:
        return SimulatedStation(meter_interval=0, signed_meter=True)

    async def run(self, charge_point: ChargePoint, station: SimulatedStation) -> None:
        if not await self._booted():
            return
        async with trio.open_nursery() as nursery:
            for evse in station.evses:
                nursery.start_soon(self._visit, charge_point, station, evse.connector_id)

    async def _visit(self, charge_point: ChargePoint, station: SimulatedStation, connector_id: int) -> None:
        await self._pass(charge_point, 1.0 + BETWEEN_CARS * (connector_id - 1))
        place, card = f"connector {connector_id}", _card(connector_id)
        public_key = await self._public_key(charge_point, connector_id)
        if not public_key:
            self._failures.append(f"{place}: there is no public key of its meter")
            return
        self._narrate(f"{place}: the Central System reads the public key of its meter, {shown(public_key, 40)}")
        present = partial(station.present_id_tag, card, [connector_id])
        steps: tuple[tuple[float, str, Callable[[], None]], ...] = (
            (0.0, "a car is plugged in", partial(station.plug_in, connector_id, CAR)),
            (UNTIL_CARD, f"{card} is presented", present),
            (CHARGE, f"{card} is presented again", present),
            (UNTIL_LEAVING, "the car is unplugged", partial(station.unplug, connector_id)),
        )
        for number, (seconds, sentence, act) in enumerate(steps, 1):
            await self._pass(charge_point, seconds)
            self._narrate(f"{place}: {sentence}")
            act()
            if not await self._until(lambda: len(self._ways.get(connector_id, ())) >= number):  # noqa: B023 - awaited
                self._failures.append(f"{place}: nothing happened when {sentence}")
                return
        with trio.move_on_after(self._patience):
            await charge_point.wait_all_answered()
        self._check(connector_id, key_bytes(public_key))

    async def _public_key(self, charge_point: ChargePoint, connector_id: int) -> str:
        """As the Central System reads it; "" if it is not there."""
        identity = charge_point.configuration[CHARGE_POINT_ID]
        asked = {"key": [f"MeterPublicKey{connector_id}"]}
        try:
            answer = await self._central_system.call(identity, "GetConfiguration", asked, self._patience)
        except CallFailed:
            return ""
        return "".join(row.get("value", "") for row in answer.get("configurationKey", ()))

    def _check(self, connector_id: int, public_key: bytes) -> None:
        """Read and verify what the meter signed of the transaction there, in words."""
        place = f"connector {connector_id}"
        try:
            self._verify(connector_id, public_key)
        except SignedDataError as error:
            self._failures.append(f"{place}: {error}")

    def _verify(self, connector_id: int, public_key: bytes) -> None:
        """Raises SignedDataError."""
        place, card = f"connector {connector_id}", _card(connector_id)
        began, ended = self._calls("StartTransaction", card), self._calls("StopTransaction", card)
        if len(began) != 1 or len(ended) != 1:
            raise SignedDataError(f"{len(began)} transactions began, {len(ended)} ended with the card")
        values = _signed(ended[0].payload.get("transactionData", ()))
        begin, end = values.get(ReadingContext.TRANSACTION_BEGIN, ""), values.get(ReadingContext.TRANSACTION_END, "")
        if begin not in self._told_at_once(connector_id):
            raise SignedDataError("the begin was not told at once")
        for name, value in (("begin", begin), ("end", end)):
            read = recognised(value).ocmf()
            verify(read, public_key)
            self._narrate(f"{place}: signed at the {name}, and verified: {shown(value, SHOWN)}")
        first, last = read.readings[0], read.readings[-1]
        billed = [began[0].payload["meterStart"], ended[0].payload["meterStop"]]
        if [first.energy, last.energy] != billed or read.identification != card:
            raise SignedDataError(f"signed is {_words(read)}, but told {billed[0]} Wh to {billed[1]} Wh for {card}")
        self._verified[connector_id] = _energy(last) - _energy(first)
        self._narrate(f"{place}: {_words(read)}, page {read.page} of meter {read.serial}")
        self._change(place, end, last, public_key)

    def _change(self, place: str, value: str, last: OcmfReading, public_key: bytes) -> None:
        """Bill one digit more, as somebody might."""
        before = f'"RV":{last.value}'
        head, tail = value.rsplit(before, 1)
        changed = f"{head}{before[:-1]}{(int(before[-1]) + 1) % 10}{tail}"
        try:
            verify(recognised(changed).ocmf(), public_key)
        except SignedDataError as error:
            self._narrate(f"{place}: with one digit of the energy changed: {error}")
        else:
            raise SignedDataError("a changed digit was not found")

    def _told_at_once(self, connector_id: int) -> list[str]:
        """What MeterValues brought of the signed begins there."""
        calls = (call.payload for call in self._central_system.calls("MeterValues"))
        told = (_signed(call["meterValue"]) for call in calls if call["connectorId"] == connector_id)
        return [
            values[ReadingContext.TRANSACTION_BEGIN] for values in told if ReadingContext.TRANSACTION_BEGIN in values
        ]

    def problems(self, connectors: int) -> list[str]:
        problems = [*self._failures]
        for connector_id in range(1, connectors + 1):
            way = self._ways.get(connector_id, [])
            if tuple(way) != WAY:
                problems.append(f"connector {connector_id} went {' → '.join(way) or 'nowhere'}")
            elif self._verified.get(connector_id, 0) <= 0:
                problems.append(f"connector {connector_id}: no energy was verified")
        return problems + self._violations()

    def result(self, connectors: int) -> str:
        energy = " + ".join(f"{self._verified[connector_id]:.0f} Wh" for connector_id in sorted(self._verified))
        return f"verified {energy}"


def _signed(entries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Context → signed value."""
    samples = (sample for entry in entries for sample in entry["sampledValue"])
    signed = (sample for sample in samples if sample.get("format") == ValueFormat.SIGNED_DATA)
    return {sample.get("context", ""): sample["value"] for sample in signed}


def _energy(reading: OcmfReading) -> Decimal:
    return reading.energy or Decimal(0)


def _words(read: Ocmf) -> str:
    """What is under the signature."""
    first, last = read.readings[0], read.readings[-1]
    return f"{_energy(first):.0f} Wh to {_energy(last):.0f} Wh for {shown(read.identification, 40)}"


def _card(connector_id: int) -> str:
    return f"CARD-{connector_id}"
