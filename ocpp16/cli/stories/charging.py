"""A charging session of several cars, a limit and a reservation.

One car for each connector, each a little after the one before: it plugs in, a card is presented, it charges, the
Central System allows less for a while, it pauses, goes on; the card stops it, it leaves. Then the first connector is
reserved for that card, and another one is refused there. The story waits for what the charge point and the Central
System say, never just for time to pass, and at the end it counts.
"""

from collections.abc import Callable
from functools import partial
from math import floor
from typing import Any

import trio

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.cli.stories.story import Story
from ocpp16.codec import format_datetime
from ocpp16.enums import ChargePointStatus
from ocpp16.simulation import CarPlan, SimulatedStation
from ocpp16.testing import CentralSystem

CAR = CarPlan(plug_after=1.0, draw_after=2.0, current=32.0, phases=3, draw_for=86_400.0)
# Seconds of the story.
BETWEEN_CARS = 20.0
UNTIL_CARD = 6.0
UNTIL_LIMIT = 40.0
UNTIL_FOLLOWED = 1.0
LIMITED = 24.0
FIRST_CHARGE = 24.0
"""What is left of it when the limit has been lifted."""
PAUSE = 20.0
SECOND_CHARGE = 75.0
UNTIL_LEAVING = 10.0
UNTIL_RESERVED = 5.0
RESERVED_FOR = 3600
UNTIL_CANCELLED = 5.0

LIMIT = 10.0
"""Amperes; with many cars on one fuse each has less, and then half of that."""
NOISE = 1.02
"""How much more than what flows the meter may show."""

WAY = (
    ChargePointStatus.PREPARING,
    ChargePointStatus.CHARGING,
    ChargePointStatus.SUSPENDED_EV,
    ChargePointStatus.CHARGING,
    ChargePointStatus.FINISHING,
    ChargePointStatus.AVAILABLE,
)
"""The states that each connector goes through."""
RESERVED = (ChargePointStatus.RESERVED, ChargePointStatus.AVAILABLE)
"""Those that the first one goes through after them."""
GUEST = "GUEST"
"""A card that the connector is not reserved for."""


class Charging(Story):
    """A car for each connector; then a reservation."""

    text = "plug in, card, charge, a limit, pause, go on, stop, unplug, a reservation"

    def __init__(self, central_system: CentralSystem, narrate: Callable[[str], None], patience: float) -> None:
        super().__init__(central_system, narrate, patience)
        self._limited: set[int] = set()
        """Connectors whose current followed a limit."""

    async def run(self, charge_point: ChargePoint, station: SimulatedStation) -> None:
        if not await self._booted():
            return
        async with trio.open_nursery() as nursery:
            for evse in station.evses:
                nursery.start_soon(self._visit, charge_point, station, evse.connector_id)

    async def _visit(self, charge_point: ChargePoint, station: SimulatedStation, connector_id: int) -> None:
        card = _card(connector_id)
        steps: tuple[tuple[float, str, Callable[[], None]], ...] = (
            (
                1.0 + BETWEEN_CARS * (connector_id - 1),
                "a car is plugged in",
                partial(station.plug_in, connector_id, CAR),
            ),
            (UNTIL_CARD, f"{card} is presented", partial(station.present_id_tag, card, [connector_id])),
            (FIRST_CHARGE, "the car pauses", partial(station.pause_drawing, connector_id)),
            (PAUSE, "the car goes on", partial(station.resume_drawing, connector_id)),
            (SECOND_CHARGE, f"{card} is presented again", partial(station.present_id_tag, card, [connector_id])),
            (UNTIL_LEAVING, "the car is unplugged", partial(station.unplug, connector_id)),
        )
        for number, (seconds, sentence, act) in enumerate(steps, 1):
            await self._pass(charge_point, seconds)
            self._narrate(f"connector {connector_id}: {sentence}")
            act()
            if not await self._until(lambda: len(self._ways.get(connector_id, ())) >= number):  # noqa: B023 - awaited
                self._failures.append(f"connector {connector_id}: nothing happened when {sentence}")
                return
            if self._ways[connector_id][-1] is ChargePointStatus.CHARGING and connector_id not in self._limited:
                await self._limit(charge_point, station, connector_id)
        if connector_id == 1:
            await self._reserve(charge_point, station, connector_id)

    async def _reserve(self, charge_point: ChargePoint, station: SimulatedStation, connector_id: int) -> None:
        """The Central System reserves the connector, somebody else comes, and the reservation is cancelled."""
        await self._pass(charge_point, UNTIL_RESERVED)
        self._narrate(f"connector {connector_id}: the Central System reserves it for {_card(connector_id)}")
        reservation = {
            "connectorId": connector_id,
            "expiryDate": format_datetime(charge_point.for_station.clock.now() + RESERVED_FOR * 1_000_000, 0),
            "idTag": _card(connector_id),
            "reservationId": connector_id,
        }
        await self._accepted(charge_point, connector_id, "ReserveNow", reservation)
        reservations = charge_point.for_station.reservations
        why = reservations.is_token_reserved_for_connector(connector_id, GUEST)
        station.present_id_tag(GUEST, [connector_id])
        self._narrate(f"connector {connector_id}: {GUEST} is presented and refused: {why}")
        await self._pass(charge_point, UNTIL_CANCELLED)
        self._narrate(f"connector {connector_id}: the Central System cancels the reservation")
        await self._accepted(charge_point, connector_id, "CancelReservation", {"reservationId": connector_id})
        way = len(WAY) + len(RESERVED)
        if not await self._until(lambda: len(self._ways[connector_id]) >= way):
            self._failures.append(f"connector {connector_id}: the reservation was not to be seen")
        asked = [call.payload["idTag"] for call in self._central_system.calls("Authorize")]
        if GUEST in asked:
            self._failures.append(f"connector {connector_id}: {GUEST} was not refused")

    async def _limit(self, charge_point: ChargePoint, station: SimulatedStation, connector_id: int) -> None:
        """The Central System limits the current for a while; it has to follow within `UNTIL_FOLLOWED` seconds."""
        self._limited.add(connector_id)
        await self._pass(charge_point, UNTIL_LIMIT)
        before = _current(station, connector_id)
        limit = float(min(LIMIT, max(1, floor(before / 2))))
        self._narrate(f"connector {connector_id}: {before:.1f} A flow; the Central System allows {limit:g} A")
        transaction = charge_point.transaction(connector_id)
        profile = _profile(connector_id, limit, None if transaction is None else transaction.transaction_id)
        payload = {"connectorId": connector_id, "csChargingProfiles": profile}
        limited = await self._current_after(charge_point, station, connector_id, "SetChargingProfile", payload)
        self._narrate(f"connector {connector_id}: {limited:.1f} A flow")
        if not limit / NOISE <= limited <= limit * NOISE:
            self._failures.append(f"connector {connector_id}: {limited:.1f} A flow under a limit of {limit:g} A")
        await self._pass(charge_point, LIMITED)
        self._narrate(f"connector {connector_id}: the Central System lifts the limit")
        payload = {"id": connector_id}
        after = await self._current_after(charge_point, station, connector_id, "ClearChargingProfile", payload)
        self._narrate(f"connector {connector_id}: {after:.1f} A flow")
        if after <= limit * NOISE:
            self._failures.append(f"connector {connector_id}: {after:.1f} A flow without a limit")

    async def _current_after(
        self,
        charge_point: ChargePoint,
        station: SimulatedStation,
        connector_id: int,
        action: str,
        payload: dict[str, Any],
    ) -> float:
        """What flows soon after the Central System made this call."""
        await self._accepted(charge_point, connector_id, action, payload)
        await self._pass(charge_point, UNTIL_FOLLOWED)
        return _current(station, connector_id)

    def problems(self, connectors: int) -> list[str]:
        problems = [*self._failures]
        for connector_id in range(1, connectors + 1):
            way = self._ways.get(connector_id, [])
            if tuple(way) != WAY + (RESERVED if connector_id == 1 else ()):
                problems.append(f"connector {connector_id} went {' → '.join(way) or 'nowhere'}")
            problems += self._transaction_problems(connector_id)
        return problems + self._violations()

    def _transaction_problems(self, connector_id: int) -> list[str]:
        card = _card(connector_id)
        began, ended = self._calls("StartTransaction", card), self._calls("StopTransaction", card)
        if len(began) != 1 or len(ended) != 1:
            return [f"connector {connector_id}: {len(began)} transactions began, {len(ended)} ended with the card"]
        return [] if self.energy(connector_id) > 0 else [f"connector {connector_id}: no energy flowed"]

    def result(self, connectors: int) -> str:
        energy = " + ".join(f"{self.energy(connector_id)} Wh" for connector_id in range(1, connectors + 1))
        return f"charged {energy}"

    def energy(self, connector_id: int) -> int:
        """Wh, as the Central System would bill them."""
        return self._energy(_card(connector_id))


def _current(station: SimulatedStation, connector_id: int) -> float:
    """A on the first phase, as the meter shows it."""
    measurement = station.measurement(connector_id)
    current = None if measurement is None else measurement.current
    return 0.0 if current is None or current.l1 is None else current.l1


def _profile(connector_id: int, limit: float, transaction_id: int | None) -> dict[str, Any]:
    """A limit for this transaction."""
    profile = {
        "chargingProfileId": connector_id,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
        },
    }
    return profile if transaction_id is None else {**profile, "transactionId": transaction_id}


def _card(connector_id: int) -> str:
    return f"CARD-{connector_id}"
