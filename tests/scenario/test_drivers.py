"""Drivers: when they come, how they authenticate, how they leave, and what is counted."""

from typing import Any

import pytest
import trio

from ocpp16.fleet import Fleet, Member
from ocpp16.scenario import Outcome, Scenario, ScenarioError, scenario_from
from ocpp16.simulation import SimulatedStation
from ocpp16.testing import CentralSystem
from ocpp16.testing.recording import ReceivedCall

HOUR = 3600.0


def story(*drivers: dict[str, Any], hold: float = 4 * HOUR, fleet: dict[str, Any] | None = None) -> Scenario:
    return scenario_from(
        {
            "fleet": fleet or {},
            "drivers": list(drivers),
            "stage": [{"kind": "ramp", "settle": 60}, {"kind": "hold", "duration": hold}],
        }
    )


def at(*moments: float, **others: Any) -> dict[str, Any]:
    return {"arrivals": {"kind": "fixed", "moments": list(moments)}, "parking": 1800, **others}


def actions(csms: CentralSystem, *but: str) -> list[str]:
    usual = ("BootNotification", "Heartbeat", "MeterValues", "SecurityEventNotification", "StatusNotification", *but)
    return [call.action for call in csms.calls() if call.action not in usual]


async def test_periods_without_anybody_hold_up_nothing(csms: CentralSystem, play: Any) -> None:
    """At a rate of nothing there are more of them than can be gone through at once."""
    arrivals = {"kind": "drawn", "count": 1, "moment": 0, "period": 10}
    outcome: Outcome = await play(story({"arrivals": arrivals}, hold=100), csms, 1, rate=1e-12)
    assert outcome.is_passed
    assert "arrivals" not in outcome.counts


async def test_one_driver_with_a_card(csms: CentralSystem, play: Any) -> None:
    outcome: Outcome = await play(story(at(600, hesitation=10)), csms)
    assert actions(csms) == ["Authorize", "StartTransaction", "StopTransaction"]
    start, stop = csms.calls("StartTransaction")[0], csms.calls("StopTransaction")[0]
    assert start.time == pytest.approx(610, abs=0.1)
    assert stop.time - start.time == pytest.approx(1790, abs=1)
    assert stop.payload["idTag"] == start.payload["idTag"]
    assert outcome.counts == {"charge points": 1, "arrivals": 1, "sessions": 1, "sessions ended": 1}
    assert outcome.is_passed


async def test_a_stop_that_is_shorter_than_the_patience(csms: CentralSystem, play: Any) -> None:
    outcome: Outcome = await play(story(at(600, hesitation=5, parking=40, patience=120), hold=700), csms)
    assert csms.calls("StopTransaction")[0].time == pytest.approx(640, abs=1)
    assert outcome.counts["sessions ended"] == 1


async def test_a_stop_that_is_shorter_than_the_hesitation(csms: CentralSystem, play: Any) -> None:
    outcome: Outcome = await play(story(at(600, hesitation=20, parking=10), hold=700), csms)
    start, stop = csms.calls("StartTransaction")[0], csms.calls("StopTransaction")[0]
    assert start.time == pytest.approx(620, abs=1)
    assert stop.time == pytest.approx(625, abs=1)
    assert outcome.counts["sessions ended"] == 1


async def test_charge_points_that_come_late_lose_no_drivers(
    csms: CentralSystem, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Fleet.add

    async def slowly(fleet: Fleet, *arguments: Any) -> Any:
        await trio.sleep(40)
        return await add(fleet, *arguments)

    monkeypatch.setattr(Fleet, "add", slowly)
    outcome: Outcome = await play(story(at(30, parking=60), hold=200), csms, 3)
    starts = {call.identity: call.time for call in csms.calls("StartTransaction")}
    assert starts == pytest.approx({"CP001": 75, "CP002": 115, "CP003": 155}, abs=1)
    assert outcome.counts["sessions ended"] == 3
    assert outcome.notes == ["charge points came up to 120 s later than they were due, and their drivers with them"]


async def test_card_first(csms: CentralSystem, play: Any) -> None:
    await play(story(at(600, plugs_first=0, hesitation=20)), csms)
    authorize, start = csms.calls("Authorize")[0], csms.calls("StartTransaction")[0]
    assert start.time - authorize.time == pytest.approx(20, abs=0.1)


async def test_a_card_that_nobody_knows(csms: CentralSystem, play: Any) -> None:
    def answer(payload: dict[str, Any], call: ReceivedCall) -> dict[str, Any]:
        return {"idTagInfo": {"status": "Accepted" if payload["idTag"].startswith("CARD") else "Invalid"}}

    csms.answers["Authorize"] = answer
    outcome: Outcome = await play(story(at(60, authentication={"unknown_card": 1})), csms)
    assert actions(csms) == ["Authorize"]
    assert csms.calls("Authorize")[0].payload["idTag"].startswith("UNKNOWN")
    assert outcome.counts["sessions refused"] == 1
    assert "sessions" not in outcome.counts


async def test_a_remote_start_and_a_remote_stop(csms: CentralSystem, play: Any) -> None:
    told: list[str] = []

    def status(payload: dict[str, Any], call: ReceivedCall) -> dict[str, Any]:
        if payload["status"] == "Preparing":
            csms.spawn(csms.call, "CP001", "RemoteStartTransaction", {"idTag": "APP", "connectorId": 1})
        told.append(payload["status"])
        return {}

    csms.answers["StatusNotification"] = status
    driver = at(60, authentication={"remote_start": 1}, leaving={"awaits_stop": 1}, patience=60)
    outcome: Outcome = await play(story(driver), csms)
    assert csms.calls("StartTransaction")[0].payload["idTag"] == "APP"
    assert outcome.counts["stops awaited in vain"] == 1
    assert csms.calls("StopTransaction")[0].payload["reason"] == "EVDisconnected"
    assert csms.calls("StopTransaction")[0].time == pytest.approx(60 + 1800 + 60, abs=6)


async def test_who_unplugs_while_it_charges(csms: CentralSystem, play: Any) -> None:
    await play(story(at(60, leaving={"unplugs": 1})), csms)
    assert csms.calls("StopTransaction")[0].payload["reason"] == "EVDisconnected"


async def test_a_car_that_is_full_stays(csms: CentralSystem, play: Any) -> None:
    await play(story(at(60, drawing=600)), csms)
    seen = [(round(call.time, -1), call.payload["status"]) for call in csms.calls("StatusNotification")]
    assert (660, "SuspendedEV") in seen
    assert csms.calls("StopTransaction")[0].time == pytest.approx(1860, abs=10)


async def test_cars_with_batteries_arrive_with_what_is_drawn(csms: CentralSystem, play: Any) -> None:
    car = {"model": "compact", "target": 80}
    await play(story(at(60, cars=[car], soc=79, parking=7200)), csms)
    start, stop = csms.calls("StartTransaction")[0], csms.calls("StopTransaction")[0]
    used = stop.payload["meterStop"] - start.payload["meterStart"]
    assert 500 < used < 900  # one percent of 58 kWh, and losses


async def test_nobody_is_at_two_places_and_who_finds_none_free_goes(csms: CentralSystem, play: Any) -> None:
    outcome: Outcome = await play(story(at(60, 70, 80), fleet={"connectors": 2}), csms)
    assert outcome.counts["arrivals"] == 3
    assert outcome.counts["turned away"] == 1
    assert len({call.payload["connectorId"] for call in csms.calls("StartTransaction")}) == 2
    assert len({call.payload["idTag"] for call in csms.calls("StartTransaction")}) == 2


async def test_cards_come_back(csms: CentralSystem, play: Any) -> None:
    outcome: Outcome = await play(story(at(60, 4000, card_count=1)), csms)
    assert outcome.counts["sessions"] == 2
    assert {call.payload["idTag"] for call in csms.calls("StartTransaction")} == {"CARD000001"}


ARRIVALS: dict[str, tuple[dict[str, Any], range]] = {
    "poisson": ({"kind": "poisson", "rate": 6}, range(20, 80)),
    "poisson, a part of the time": ({"kind": "poisson", "rate": 6, "begin": 3600, "end": 7200}, range(1, 16)),
    "every": ({"kind": "every", "seconds": 600, "first": 60}, range(48, 49)),
    "fixed, again and again": ({"kind": "fixed", "moments": [10, 20], "period": 3600}, range(16, 17)),
    "uniform": ({"kind": "uniform", "count": 7, "end": 20000}, range(7, 8)),
    "drawn": (
        {"kind": "drawn", "count": 3, "moment": {"kind": "normal", "mean": 1800, "deviation": 60}, "period": 7200},
        range(12, 13),
    ),
}


@pytest.mark.parametrize("kind", ARRIVALS)
async def test_arrivals(kind: str, csms: CentralSystem, play: Any) -> None:
    arrivals, expected = ARRIVALS[kind]
    found = []
    for seed in (1, 1, 2):
        one = story(
            {"arrivals": arrivals, "parking": 200, "authentication": {"nothing": 1}, "patience": 10}, hold=28_790
        )
        outcome: Outcome = await play(one, csms, seed=seed)
        found.append(outcome.counts["arrivals"])
        assert outcome.counts["arrivals"] in expected
    assert found[0] == found[1]


async def test_arrivals_of_a_fleet_are_spread_over_it(csms: CentralSystem, play: Any) -> None:
    arrivals = {"kind": "poisson", "rate": 20, "per": "fleet"}
    outcome: Outcome = await play(story({"arrivals": arrivals, "parking": 60, "patience": 10}), csms, 4)
    assert 40 < outcome.counts["arrivals"] < 130
    assert {call.identity for call in csms.calls("StartTransaction")} == {f"CP00{number}" for number in range(1, 5)}


async def test_a_rate_makes_more_of_them_come(csms: CentralSystem, play: Any) -> None:
    drivers = {"arrivals": {"kind": "poisson", "rate": 1}, "parking": 60, "patience": 10}
    outcome: Outcome = await play(story(drivers), csms, 2, rate=20 / HOUR)  # written are 2 an hour
    assert 50 < outcome.counts["arrivals"] < 120


async def test_who_finds_no_power_tries_again(csms: CentralSystem, play: Any) -> None:
    scenario = scenario_from(
        {
            "drivers": [at(100)],
            "stage": [
                {"kind": "ramp", "settle": 30},
                {"kind": "blackout", "power": True, "duration": 300, "settle": 60},
                {"kind": "hold", "duration": HOUR},
            ],
        }
    )
    outcome: Outcome = await play(scenario, csms)
    assert outcome.counts["sessions"] == 1
    assert csms.calls("StartTransaction")[0].time > 300
    assert "failed steps" not in outcome.counts


async def test_a_rate_that_no_memory_holds_is_refused(csms: CentralSystem, play: Any) -> None:
    arrivals = {"kind": "uniform", "count": 4, "end": 48 * HOUR, "period": 24 * HOUR}
    drivers = {"name": "staff", "arrivals": arrivals}
    with pytest.raises(ValueError, match="rate: 20 drivers a second would be 1,728,000 staff at a time, which are"):
        await play(story(drivers, hold=1), csms, rate=20.0)
    assert csms.calls() == []


async def test_a_car_goes_to_a_connector_that_takes_it(csms: CentralSystem, play: Any) -> None:
    """At one of DC and one of AC; who finds only the other one free is turned away."""
    hybrids = at(600, 700, cars=[{"model": "plug-in-hybrid"}])
    outcome: Outcome = await play(story(hybrids, fleet={"blueprint": "dc-50kw-ac"}), csms)
    assert [call.payload["connectorId"] for call in csms.calls("StartTransaction")] == [2]
    assert outcome.counts["turned away"] == 1
    assert not outcome.notes


async def test_a_car_that_no_connector_takes_is_refused_before_anything_begins(csms: CentralSystem, play: Any) -> None:
    cars = [{"model": "compact", "share": 4}, {"model": "plug-in-hybrid"}]
    impossible = story(at(600, cars=cars), fleet={"blueprint": "dc-50kw"})
    why = r"\[\[drivers\]\] 1 cars: nobody can plug in number 2: dc-50kw: dc_current: the car has no inlet for DC"
    with pytest.raises(ScenarioError, match=why):
        await play(impossible, csms)
    assert not csms.calls()
    outcome: Outcome = await play(impossible, csms, blueprint="ac-22kw")
    assert outcome.counts["sessions ended"] == 1


async def test_a_driver_whose_step_fails_leaves_connector_and_card(
    csms: CentralSystem, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    present = SimulatedStation.present_id_tag
    shown: list[str] = []

    def fails_at_first(station: SimulatedStation, id_tag: str, *arguments: Any) -> None:
        shown.append(id_tag)
        if len(shown) == 1:
            raise ValueError("the reader is broken")
        present(station, id_tag, *arguments)

    monkeypatch.setattr(SimulatedStation, "present_id_tag", fails_at_first)
    outcome: Outcome = await play(story(at(600, 700, card_count=1)), csms)
    assert outcome.counts["sessions ended"] == 1
    assert outcome.counts["failed steps"] == 1
    assert not outcome.is_passed
    (undone,) = outcome.expectations
    assert undone[:4] == ("all that drivers were to do was done", False, 1, 0)
    assert [(one.charge_point, one.why) for one in undone.failures] == [
        ("CP001", "drivers, a driver shows a card: ValueError: the reader is broken")
    ]


async def test_nobody_does_anything_at_a_charge_point_that_goes(
    csms: CentralSystem, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is closed already, and the fleet has it still."""
    end = Member.end

    async def slow(member: Member) -> None:
        await end(member)
        await trio.sleep(300)

    monkeypatch.setattr(Member, "end", slow)
    story = {
        "drivers": [at(5, parking=100)],
        "stage": [{"kind": "ramp"}, {"kind": "hold", "duration": 60}, {"kind": "stop"}],
    }
    outcome: Outcome = await play(scenario_from(story), csms, 1)
    assert outcome.is_passed
    assert "failed steps" not in outcome.counts
