"""Options: defaults, and every way in which they can be wrong."""

from typing import Any

import pytest

from ocpp16.errors import ConfigurationError
from ocpp16.simulation import SimulatedStation, StationOptions
from ocpp16.simulation.options import AfterReset, PowerLossPolicy, Selection, Sharing


def test_defaults() -> None:
    options = StationOptions.load({})
    assert options == StationOptions()
    assert (options.connectors, options.lock, options.phases, options.voltage) == (None, True, 3, 230.0)
    assert (options.fuse_limit, options.meter_interval, options.meter_noise) == (63.0, 0.5, 0.01)
    assert options.meter_reset_at_plug_in is True
    assert options.sharing is Sharing.EQUAL
    assert options.selection is Selection.FIND_FIRST
    assert options.authorization_before_stopping is True
    assert options.after_reset is AfterReset.RESTART
    assert options.power_loss_policy is PowerLossPolicy.STOP
    assert (options.transfer_step, options.seed) == (2.0, 0)


def test_everything_given() -> None:
    options = StationOptions.load(
        {
            "connectors": 2,
            "lock": [True, False],
            "meter_interval": "external",
            "selection": "UserInput",
            "after_reset": "exit",
            "power_loss_policy": "resume",
            "security": {"csms_ca_bundle": "/certs/ca.pem", "private_key_password": "secret"},
        }
    )
    assert options.meter_is_external
    assert [options.has_lock(connector_id) for connector_id in (1, 2)] == [True, False]
    assert options.security["csms_ca_bundle"] == "/certs/ca.pem"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("connectors", 0, "from 1 to"),
        ("connectors", True, "from 1 to"),
        ("connectors", 1.5, "from 1 to"),
        ("lock", "yes", "true, false or a list"),
        ("lock", [], "true, false or a list"),
        ("lock", [1], "true, false or a list"),
        ("phases", 4, "from 1 to 3"),
        ("voltage", "230", "must be a number"),
        ("voltage", float("nan"), "must be a number"),
        ("fuse_limit", -1, "must be a number"),
        ("fuse_limit", float("inf"), "must be a number"),
        ("sharing", "fair", "equal, first_come, proportional, off"),
        ("meter_interval", "never", "or external"),
        ("meter_interval", 0.001, "at least"),
        ("meter_noise", 0.6, "from 0 to 0.5"),
        ("meter_reset_at_plug_in", 1, "true or false"),
        ("selection", "findfirst", "FindFirst, UserInput"),
        ("after_reset", ["exit"], "restart, exit"),
        ("power_loss_policy", None, "stop, resume"),
        ("transfer_step", {}, "must be a number"),
        ("seed", 2**63, "whole number"),
        ("security", [], "object of texts"),
        ("security", {"csms_ca_bundle": 1}, "object of texts"),
        ("security", {"ca": "x"}, "no member ca"),
    ],
)
def test_a_bad_value_is_named(name: str, value: Any, reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        StationOptions.load({name: value})
    (problem,) = caught.value.problems
    assert problem.startswith(f"station option {name}: ")
    assert reason in problem


def test_no_password_is_shown_with_what_is_wrong() -> None:
    security = {"private_key_password": "p4ssw0rd", "csms_ca": "ca.pem"}
    with pytest.raises(ConfigurationError, match="has no member csms_ca") as caught:
        StationOptions.load({"security": security, "voltage": 10**5_000, "\x1b[2J": 1})
    assert "p4ssw0rd" not in str(caught.value)
    assert str(caught.value).isprintable()
    assert "voltage: must be a number from 1 to 1000, not a number of 16610 bits" in str(caught.value)


def test_an_unknown_option_is_named_with_its_neighbour() -> None:
    with pytest.raises(ConfigurationError, match="unknown station option meter_intervall; did you mean meter_interval"):
        StationOptions.load({"meter_intervall": 1})
    with pytest.raises(ConfigurationError) as caught:
        StationOptions.load({"xyzzy": 1, "phases": 0})
    assert len(caught.value.problems) == 2
    assert caught.value.problems[0] == "unknown station option xyzzy"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"connectors": 3}, "connectors: 3, but NumberOfConnectors is 2"),
        ({"lock": [True]}, "lock: 1 values for 2 connectors"),
    ],
)
def test_another_number_of_connectors(new_bench: Any, options: dict[str, Any], problem: str) -> None:
    bench = new_bench(2, **options)
    with pytest.raises(ConfigurationError, match=problem):
        bench.attach()


def test_options_come_as_mapping_or_by_name() -> None:
    assert SimulatedStation({"seed": 5}, phases=1).options == StationOptions(seed=5, phases=1)
    whole = StationOptions(seed=5)
    assert SimulatedStation(whole).options is whole, "no copy for each of many stations"
    assert SimulatedStation(StationOptions(seed=5), phases=1).options == StationOptions(seed=5, phases=1)
    with pytest.raises(ConfigurationError):
        SimulatedStation(color="red")


def test_what_gives_dc() -> None:
    options = StationOptions.load({"dc": [True, False], "dc_power": 150_000, "dc_voltage": [200, 500]})
    assert [options.is_dc(connector_id) for connector_id in (1, 2)] == [True, False]
    assert (options.dc_capacity, options.dc_voltage) == (150_000.0, (200.0, 500.0))
    assert StationOptions.load({"dc": True, "dc_outlet_power": 30_000}).dc_capacity == 30_000.0
    assert StationOptions.load({"dc": True, "dc_outlet_power": 90_000}).dc_capacity == 50_000.0
    assert not StationOptions().is_dc(1)
    with pytest.raises(ConfigurationError, match="dc: 2 values for 3 connectors"):
        options.for_connectors(3)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("dc", "yes", "true, false or a list"),
        ("dc", [True, 1], "true, false or a list"),
        ("dc_power", 0, "must be a number from 1"),
        ("dc_outlet_power", 600_000, "must be a number from 1 to 500000"),
        ("dc_current", 501, "must be a number from 1 to 500"),
        ("dc_voltage", 400, "must be two voltages, from and to"),
        ("dc_voltage", [500, 400], "lower voltage first"),
        ("dc_voltage", [0, 400], "50 to 1000 V"),
        ("dc_voltage", [400, 500, 600], "two voltages"),
    ],
)
def test_what_gives_no_dc(name: str, value: Any, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=f"station option {name}: .*{reason}"):
        StationOptions.load({name: value})
