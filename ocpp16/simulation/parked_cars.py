"""The cars that are plugged in, on disk: a new process that resumes their transactions finds them as they were.

Rules of this file:
1. It is written when a car is plugged in or goes, which is seldom. What a battery took since then the meter says.
2. What cannot be written or read costs the cars, not the station: that is told, and the cars are simple ones.
3. A file is whole, though not synced: it is for processes that end, in whatever way, and not for the disk of whoever
   simulates. Contracts are not kept.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from ocpp16.simulation.car import CarPlan
from ocpp16.simulation.car_models import car_plan, words_of
from ocpp16.texts import shown
from ocpp16.values import finite

LARGEST: Final = 16_000_000
"""Bytes."""


class Parked(NamedTuple):
    """A car at a connector. energy: Wh that the meter showed when it was plugged in."""

    plan: CarPlan
    energy: float


class ParkedCars:
    """Parameters: `path` of the file, or None, where nothing is kept; `warn` is told what fails."""

    def __init__(self, path: Path | None, warn: Callable[[str], object]) -> None:
        self._path = path
        self._warn = warn
        self._cars: dict[str, Any] | None = None
        """As the file has them; None: it was not read yet."""

    def park(self, connector_id: int, plan: CarPlan, energy: float) -> None:
        """This car is plugged in now."""
        if self._path is not None:
            self._known()[str(connector_id)] = {"car": words_of(plan), "energy": energy}
            self._write()

    def leave(self, connector_id: int) -> None:
        """None is, any more."""
        if self._path is not None and self._known().pop(str(connector_id), None) is not None:
            self._write()

    def found(self, connector_id: int) -> Parked | None:
        """The one that was there when this was written."""
        said = None if self._path is None else self._known().get(str(connector_id))
        if said is None:
            return None
        try:
            if not isinstance(said, Mapping):
                raise ValueError(f"it must be an object, not {shown(said, 64)}")
            return Parked(car_plan(said.get("car", {})), finite(said.get("energy"), "energy"))
        except ValueError as error:
            self._warn(f"the car at connector {connector_id} in {self._path} is none: {shown(error)}")
            return None

    def _known(self) -> dict[str, Any]:
        if self._cars is None:
            self._cars = self._read()
        return self._cars

    def _read(self) -> dict[str, Any]:
        assert self._path is not None
        try:
            with self._path.open("rb") as file:
                cars = json.loads(file.read(LARGEST))
            if not isinstance(cars, dict):
                raise ValueError(f"it must be an object, not {shown(cars, 64)}")
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            self._warn(f"the cars in {self._path} cannot be read: {shown(error)}")
            return {}
        return cars

    def _write(self) -> None:
        assert self._path is not None
        beside = self._path.with_name(f".{self._path.name}.new")
        try:
            beside.write_text(json.dumps(self._known()), encoding="utf-8")
            beside.replace(self._path)
        except OSError as error:
            self._warn(f"the cars cannot be written to {self._path}: {shown(error)}")
