"""A disk at which the power goes at one commit, and a simulated station that lives until then."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import trio

from ocpp16.charge_point.open import open_charge_point
from ocpp16.errors import StoreError
from ocpp16.simulation import Operation, SimulatedStation
from ocpp16.store.base import ChargePointChanges, Row, Table
from ocpp16.store.memory import MemoryStore
from ocpp16.testing import CentralSystem


class PowerCut(BaseException):
    """Nothing catches it."""


class Disk:
    """What outlives a power cut, and when the next one comes: at commit number `at`, before or after it is made."""

    is_volatile = False

    def __init__(self) -> None:
        self.commits = 0
        self.at: int | None = None
        self.is_written = False
        self._rows = MemoryStore()

    def load(self, charge_point_id: str, table: Table, key: Row = ()) -> list[Row]:
        return self._rows.load(charge_point_id, table, key)

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        self.commits += 1
        if self.at is not None and self.commits >= self.at:
            if self.commits == self.at and self.is_written:
                self._rows.apply(batches)
            raise PowerCut
        return self._rows.apply(batches)

    def close(self) -> None:
        pass


async def live(
    csms: CentralSystem,
    store: Any,
    station: SimulatedStation,
    act: Callable[[], Awaitable[object]],
    configuration: Mapping[str, Any],
    **options: Any,
) -> None:
    """From power on to the end of `act`, when the power goes, or to the power cut of the disk."""
    with suppress(PowerCut), trio.CancelScope() as power:
        try:
            async with open_charge_point(
                configuration, station, store=store, connector=csms.connector, seed=1, **options
            ) as charge_point:
                station.attach(charge_point)
                charge_point.for_station.spawn(Operation(station, charge_point).run)
                await act()
                power.cancel()
                await trio.lowlevel.checkpoint_if_cancelled()
        except BaseExceptionGroup as group:
            found, rest = group.split(PowerCut)
            if found is None or (rest is not None and rest.split(StoreError)[1] is not None):
                raise
            raise PowerCut from None
