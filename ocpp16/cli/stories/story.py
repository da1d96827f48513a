"""What every story of the demonstration can do: narrate, wait for what is to happen, and count at the end."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import trio

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.configuration.keys.internal import CHARGE_POINT_ID
from ocpp16.enums import ChargePointStatus
from ocpp16.errors import CallFailed
from ocpp16.observer import BootNotificationResponse, ObserverEvent, StatusChanged
from ocpp16.simulation import SimulatedStation
from ocpp16.testing import CentralSystem, ReceivedCall


class Story(ABC):
    """Enter it, tell it with `run`, and check it with `problems` once the charge point has stopped.

    It has to `notice` every event of the charge point. `narrate` is called with a sentence for each thing that a person
    or car does; `patience` is how long something may take, in seconds of the clock in use.
    """

    text: ClassVar[str]
    """What happens, in a line."""

    def __init__(self, central_system: CentralSystem, narrate: Callable[[str], None], patience: float) -> None:
        self._central_system = central_system
        self._narrate = narrate
        self._patience = patience
        self._ways: dict[int, list[ChargePointStatus]] = {}
        """The states that each connector went through."""
        self._is_booted = False
        self._noticed = trio.Event()
        self._failures: list[str] = []
        self._in_the_end = ExitStack()
        """Removes what a story made for itself."""

    def __enter__(self) -> Self:
        """Make what the story needs before the charge point is opened: files, answers of the Central System."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._in_the_end.close()

    def keys(self) -> Mapping[str, Mapping[str, Any]]:
        """Of the configuration file, by section, over those that the demonstration has."""
        return {}

    def certificates_path(self) -> Path | None:
        """The folder of the station's certificates; None: it has none."""
        return None

    def station(self) -> SimulatedStation:
        return SimulatedStation(meter_interval=0)

    @abstractmethod
    async def run(self, charge_point: ChargePoint, station: SimulatedStation) -> None:
        """Tell it to the end; a car that does not get on is given up."""

    @abstractmethod
    def problems(self, connectors: int) -> list[str]:
        """What did not happen as it should, in sentences; empty if all is well."""

    @abstractmethod
    def result(self, connectors: int) -> str:
        """What came of it, in a few words."""

    def notice(self, event: ObserverEvent) -> None:
        """Something happened."""
        if isinstance(event, StatusChanged):
            self._ways.setdefault(event.connector_id, []).append(event.status)
        elif isinstance(event, BootNotificationResponse):
            self._is_booted = self._is_booted or event.status == "Accepted"
        self._noticed.set()
        self._noticed = trio.Event()

    # For the tellers

    async def _booted(self) -> bool:
        if await self._until(lambda: self._is_booted):
            return True
        self._failures.append("the Central System did not accept the charge point")
        return False

    async def _pass(self, charge_point: ChargePoint, seconds: float) -> None:
        """Seconds of the charge point's clock."""
        passed = trio.Event()
        charge_point.for_station.timers.at(charge_point.for_station.clock.monotonic() + seconds, passed.set)
        await passed.wait()

    async def _until(self, is_so: Callable[[], bool]) -> bool:
        """Look again after each event."""
        with trio.move_on_after(self._patience):
            while not is_so():
                await self._noticed.wait()
        return is_so()

    async def _accepted(
        self, charge_point: ChargePoint, connector_id: int, action: str, payload: dict[str, Any]
    ) -> None:
        """The Central System makes this call, which is to be Accepted."""
        identity = charge_point.configuration[CHARGE_POINT_ID]
        try:
            answer = await self._central_system.call(identity, action, payload, self._patience)
        except CallFailed as error:
            answer = {"status": str(error)}
        if answer["status"] != "Accepted":
            self._failures.append(f"connector {connector_id}: {action}: {answer['status']}")

    def _violations(self) -> list[str]:
        return [f"against the rules: {violation.rule}" for violation in self._central_system.violations]

    def _calls(self, action: str, id_tag: str) -> list[ReceivedCall]:
        """Those with this id tag."""
        return [call for call in self._central_system.calls(action) if call.payload.get("idTag") == id_tag]

    def _energy(self, id_tag: str) -> int:
        """Wh of the transaction of this id tag, as the Central System would bill them."""
        began, ended = self._calls("StartTransaction", id_tag), self._calls("StopTransaction", id_tag)
        return int(ended[0].payload["meterStop"] - began[0].payload["meterStart"]) if began and ended else 0
