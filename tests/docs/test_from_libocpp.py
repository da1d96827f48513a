"""The table libocpp → ours: every name of ours in it is there, and everything that is there is in it."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from ocpp16 import ChargePoint, observer, open_charge_point
from ocpp16.charge_point.features import protocols
from ocpp16.observer import ObserverEvent
from ocpp16.station import CoreStation

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "from-libocpp.md").read_text()
TABLES = [line.split("|")[1:-1] for line in PAGE.splitlines() if line.startswith("| ")]
OURS = " ".join(cell for row in TABLES for cell in row)
PROTOCOLS = (CoreStation, *protocols())
QUESTIONS = {name for kind in PROTOCOLS for name in vars(kind) if not name.startswith("_")}
EVENTS = {name for name, kind in vars(observer).items() if isinstance(kind, type) and issubclass(kind, ObserverEvent)}
EVENTS.discard("ObserverEvent")


def mentioned(pattern: str) -> set[str]:
    return set(re.findall(pattern, OURS))


def attribute(path: str) -> Any:
    """What `charge_point.a.b` is, followed by what its properties say they return."""
    found: Any = ChargePoint
    for name in path.split("."):
        if isinstance(found, property):
            assert found.fget is not None
            found = get_type_hints(found.fget)["return"]
        found = inspect.getattr_static(found, name, None)
        if found is None:
            return None
    return found


def public() -> Iterator[str]:
    for kind in ChargePoint.__mro__[:-1]:
        yield from (name for name in vars(kind) if not name.startswith("_"))


@pytest.mark.parametrize("path", sorted(mentioned(r"`charge_point\.([\w.]+)`")))
def test_what_it_names_of_the_charge_point_is_there(path: str) -> None:
    assert attribute(path) is not None


def test_what_it_names_of_station_observer_and_opening_is_there() -> None:
    assert mentioned(r"`station\.(\w+)`") == QUESTIONS
    assert mentioned(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`") >= EVENTS
    for events in re.findall(r"observer ((?:`\w+`(?:, )?)+)", OURS):
        assert set(re.findall(r"\w+", events)) <= EVENTS
    assert mentioned(r"`open_charge_point\((\w+)=…\)`") <= set(inspect.signature(open_charge_point).parameters)


def test_every_public_name_of_the_charge_point_is_in_it() -> None:
    doors = {"configuration", "connection", "for_station", "smart_charging"}
    named = {path.split(".")[0] for path in mentioned(r"`charge_point\.([\w.]+)`")}
    assert set(public()) == named
    assert doors <= named


def test_every_row_says_where_it_is_or_why_it_is_not() -> None:
    rows = [row for row in TABLES if len(row) == 3]
    assert len(rows) > 80
    for name, ours, difference in rows:
        is_there = "`" in ours or ours.strip() == "here"
        assert is_there or (ours.strip() == "none" and difference.strip()), name
