"""The story of the demonstration, and the check that it happened.

One car for each connector, each a little after the one before: it plugs in, a card is presented, it charges, pauses,
goes on; the card stops it, it leaves. The story waits for what the charge point and the Central System say, never just
for time to pass, and at the end it counts.
"""

from collections.abc import Callable
from functools import partial

import trio

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.enums import ChargePointStatus
from ocpp16.observer import BootNotificationResponse, ObserverEvent, StatusChanged
from ocpp16.simulation import CarPlan, SimulatedStation
from ocpp16.testing import CentralSystem, ReceivedCall

CAR = CarPlan(plug_after=1.0, draw_after=2.0, current=32.0, phases=3, draw_for=86_400.0)
# Seconds of the story.
BETWEEN_CARS = 20.0
UNTIL_CARD = 6.0
FIRST_CHARGE = 90.0
PAUSE = 20.0
SECOND_CHARGE = 75.0
UNTIL_LEAVING = 10.0

WAY = (
    ChargePointStatus.PREPARING,
    ChargePointStatus.CHARGING,
    ChargePointStatus.SUSPENDED_EV,
    ChargePointStatus.CHARGING,
    ChargePointStatus.FINISHING,
    ChargePointStatus.AVAILABLE,
)
"""The states that each connector goes through."""


class Story:
    """Tell it with `run`, check it with `problems` once the charge point has stopped.

    It has to `notice` every event of the charge point. `narrate` is called with a sentence for each thing that a person
    or car does; `patience` is how long something may take, in seconds of the clock in use.
    """

    def __init__(self, central_system: CentralSystem, narrate: Callable[[str], None], patience: float) -> None:
        self._central_system = central_system
        self._narrate = narrate
        self._patience = patience
        self._ways: dict[int, list[ChargePointStatus]] = {}
        self._is_booted = False
        self._noticed = trio.Event()
        self._failures: list[str] = []

    def notice(self, event: ObserverEvent) -> None:
        """Something happened."""
        if isinstance(event, StatusChanged):
            self._ways.setdefault(event.connector_id, []).append(event.status)
        elif isinstance(event, BootNotificationResponse):
            self._is_booted = self._is_booted or event.status == "Accepted"
        self._noticed.set()
        self._noticed = trio.Event()

    async def run(self, charge_point: ChargePoint, station: SimulatedStation) -> None:
        """Tell it to the end; a car that does not get on is given up."""
        if not await self._until(lambda: self._is_booted):
            self._failures.append("the Central System did not accept the charge point")
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

    async def _pass(self, charge_point: ChargePoint, seconds: float) -> None:
        passed = trio.Event()
        charge_point.timers.at(charge_point.clock.monotonic() + seconds, passed.set)
        await passed.wait()

    async def _until(self, is_so: Callable[[], bool]) -> bool:
        with trio.move_on_after(self._patience):
            while not is_so():
                await self._noticed.wait()
        return is_so()

    def problems(self, connectors: int) -> list[str]:
        """What did not happen as it should, in sentences; empty if all is well."""
        problems = [*self._failures]
        for connector_id in range(1, connectors + 1):
            way = self._ways.get(connector_id, [])
            if tuple(way) != WAY:
                problems.append(f"connector {connector_id} went {' → '.join(way) or 'nowhere'}")
            problems += self._transaction_problems(connector_id)
        problems += [f"against the rules: {violation.rule}" for violation in self._central_system.violations]
        return problems

    def _transaction_problems(self, connector_id: int) -> list[str]:
        began, ended = self._calls("StartTransaction", connector_id), self._calls("StopTransaction", connector_id)
        if len(began) != 1 or len(ended) != 1:
            return [f"connector {connector_id}: {len(began)} transactions began, {len(ended)} ended with the card"]
        return [] if self.energy(connector_id) > 0 else [f"connector {connector_id}: no energy flowed"]

    def _calls(self, action: str, connector_id: int) -> list[ReceivedCall]:
        return [call for call in self._central_system.calls(action) if call.payload.get("idTag") == _card(connector_id)]

    def energy(self, connector_id: int) -> int:
        """Wh, as the Central System would bill them."""
        began, ended = self._calls("StartTransaction", connector_id), self._calls("StopTransaction", connector_id)
        return int(ended[0].payload["meterStop"] - began[0].payload["meterStart"]) if began and ended else 0


def _card(connector_id: int) -> str:
    return f"CARD-{connector_id}"
