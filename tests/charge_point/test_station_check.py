"""A station that cannot be one is refused when the charge point is opened, with every fault in one message."""

import inspect
import weakref
from functools import partial
from typing import Any

import pytest

from ocpp16.charge_point import station_check
from ocpp16.charge_point.open import open_charge_point
from ocpp16.charge_point.station_check import station_problems as problems
from ocpp16.errors import ConfigurationError
from ocpp16.simulation import SimulatedStation
from ocpp16.simulation.options import StationOptions
from ocpp16.testing.stations import RecordingStation


def test_ours_are_stations() -> None:
    assert problems(RecordingStation()) == []
    assert problems(SimulatedStation(StationOptions())) == []


def test_all_that_is_missing_is_named() -> None:
    found = problems(object())
    assert len(found) == 12
    assert "object.reset is missing; CoreStation asks for it" in found


def test_synchronous_where_it_must_wait_and_the_other_way_round() -> None:
    class Station(RecordingStation):
        def reset(self, kind: Any) -> None: ...  # type: ignore[override]

        async def measurement(self, connector_id: int) -> None: ...  # type: ignore[override]

    assert problems(Station()) == [
        "Station.measurement must not be async: it has to answer at once",
        "Station.reset must be async: `async def reset(…)`",
    ]


def test_other_parameters() -> None:
    class Station(RecordingStation):
        async def stop_transaction(self, connector_id: int) -> bool:  # type: ignore[override]
            return True

    assert problems(Station()) == ["Station.stop_transaction must take (connector_id, reason)"]


def test_half_a_feature_and_a_misspelt_name() -> None:
    class Half(RecordingStation):
        charging_limit_changed = None  # type: ignore[assignment]

        def charging_limit_change(self, connector_id: int, limit: Any) -> None: ...

    assert problems(Half()) == [
        "Half.charging_limit_changed is missing (charging_limit_change looks like it); SmartChargingStation asks for it"
    ]


@pytest.mark.parametrize("name", ["signal_set_charging_profiles", "signal_set_charging_profile"])
def test_one_method_of_a_feature_asks_for_all_of_it(name: str) -> None:
    """Right or misspelt: whoever wrote it wants the feature."""
    feature = {"signal_set_charging_profiles", "charging_limit_changed"}
    methods = {
        known: method
        for known, method in vars(RecordingStation).items()
        if inspect.isfunction(method) and known not in feature
    }
    station = type("Station", (), {**methods, name: RecordingStation.signal_set_charging_profiles})
    found = problems(station())
    assert any(problem.startswith("Station.charging_limit_changed is missing") for problem in found)
    assert len(found) == (1 if name in feature else 2)


class Odd(type):
    """A class that is no key, and tells nothing of its objects."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(cls, other: object) -> bool:
        return cls is other

    def __dir__(cls) -> list[str]:
        return []


@pytest.mark.parametrize("how", ["of the object", "told by the class", "behind a proxy", "of an odd class"])
def test_a_misspelt_name_is_found_wherever_it_is(how: str) -> None:
    """A second station of the class is looked at as the first: it may have more."""
    feature = {"signal_set_charging_profiles", "charging_limit_changed"}
    methods = {
        known: method
        for known, method in vars(RecordingStation).items()
        if inspect.isfunction(method) and known not in feature
    }
    station = type("Station", (), methods)
    other: Any = station()
    assert problems(other) == []
    method = RecordingStation.signal_set_charging_profiles
    if how == "of the object":
        other.signal_set_charging_profile = method.__get__(other)
    elif how == "behind a proxy":
        behind = type("Station", (station,), {"signal_set_charging_profile": method})()
        other = weakref.proxy(behind)
    elif how == "of an odd class":
        other = Odd("Station", (station,), {"signal_set_charging_profile": method})()
    else:
        reads = {"__getattr__": lambda self, name: method.__get__(self) if name.endswith("_profile") else None}
        told = {"__dir__": lambda self: [*object.__dir__(self), "signal_set_charging_profile"]}
        other = type("Station", (station,), {**reads, **told})()
    found = problems(other)
    assert any("signal_set_charging_profile looks like it" in problem for problem in found)


def changed_in_its_class(station: Any) -> str:
    type(station).reset = None
    return "reset is missing"


def replaced_in_its_class(station: Any) -> str:
    type(station).reset = lambda self, kind: None
    return "reset must be async"


def with_a_method_of_its_own(station: Any) -> str:
    station.reset = lambda kind: None
    return "reset must be async"


def with_a_name_of_its_own(station: Any) -> str:
    type(station).signal_set_charging_profiles = None
    station.signal_set_charging_profile = lambda profiles: None
    return "signal_set_charging_profiles is missing (signal_set_charging_profile looks like it)"


def read_by_itself(station: Any) -> str:
    def read(self: Any, name: str) -> Any:
        return None if name == "reset" else object.__getattribute__(self, name)

    kind: Any = type(station)
    kind.__getattribute__ = read
    return "reset is missing"


def of_another_class(station: Any) -> str:
    other = type("Station", (RecordingStation,), {"reset": property(lambda self: None)})
    station.__class__ = other
    return "reset is missing"


@pytest.mark.parametrize(
    "change",
    [
        changed_in_its_class,
        replaced_in_its_class,
        with_a_method_of_its_own,
        with_a_name_of_its_own,
        read_by_itself,
        of_another_class,
    ],
)
def test_a_second_of_a_class_is_looked_at_as_far_as_it_is_another(change: Any) -> None:
    kind = type("Station", (RecordingStation,), {})
    assert problems(kind()) == problems(kind()) == []
    other = kind()
    expected = change(other)
    assert any(expected in problem for problem in problems(other))
    if change is with_a_method_of_its_own:
        assert problems(kind()) == []


def test_methods_of_objects_are_looked_at_each_time() -> None:
    kind: Any = type("Station", (RecordingStation,), {})
    good, bad = kind(), kind()
    good.reset = kind.reset.__get__(good)
    bad.reset = lambda kind: None
    assert problems(good) == []
    assert problems(bad) == ["Station.reset must be async: `async def reset(…)`"]
    assert problems(good) == []


def test_what_is_known_of_classes_is_bounded() -> None:
    for number in range(2 * station_check._MOST_KNOWN):
        assert problems(type(f"Station{number}", (RecordingStation,), {})()) == []
        assert len(station_check._KNOWN) <= station_check._MOST_KNOWN


def test_attach_is_called_at_once_or_the_station_has_none() -> None:
    class Late(RecordingStation):
        async def attach(self, charge_point: Any) -> None: ...

    class Other(RecordingStation):
        def attach(self) -> None: ...

    class Without(RecordingStation):
        attach = None

    assert problems(Late()) == ["Late.attach must not be async: it has to answer at once"]
    assert problems(Other()) == ["Other.attach must take (charge_point)"]
    assert problems(Without()) == []


@pytest.mark.parametrize("name", ["charging_limit_changed", "signal_set_charging_profiles", "attach"])
def test_what_may_be_there_and_cannot_be_read(name: str) -> None:
    def unreadable(self: Any) -> Any:
        raise SystemError("no board")

    station = type("Station", (RecordingStation,), {name: property(unreadable)})()
    assert problems(station) == [f"Station.{name} cannot be read: SystemError"]


def test_a_method_that_cannot_be_read() -> None:
    class Broken(RecordingStation):
        @property
        def reset(self) -> Any:
            raise OSError

    assert problems(Broken()) == ["Broken.reset cannot be read: OSError"]


def test_functions_put_together_are_methods_too() -> None:
    station = RecordingStation()
    station.reset = partial(station.reset)  # type: ignore[method-assign]
    assert problems(station) == []


async def test_the_charge_point_asks(make_config: Any) -> None:
    with pytest.raises(ConfigurationError, match="unlock_connector is missing"):
        async with open_charge_point(make_config(), object()):  # type: ignore[arg-type]
            pass
