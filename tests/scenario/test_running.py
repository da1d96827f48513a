"""Playing: stages, scripts in TOML and in Python, faults of the wire, overrides, progress, an end before the end."""

from collections import Counter
from itertools import pairwise
from random import Random
from typing import Any

import pytest
import trio

from ocpp16.errors import ConfigurationError
from ocpp16.fleet import Member
from ocpp16.rpc.calls import CallEnded
from ocpp16.scenario import Outcome, Progress, Scenario, ScenarioError, Stage, scenario_from
from ocpp16.scenario.agenda import Agenda
from ocpp16.scenario.distribution import Distribution, distribution
from ocpp16.scenario.model import StageKind
from ocpp16.scenario.problems import Place
from ocpp16.testing import CentralSystem

RAMP = {"kind": "ramp", "settle": 60}


def of_stages(*stages: dict[str, Any], **others: Any) -> Scenario:
    return scenario_from({"stage": list(stages), **others})


def boots(csms: CentralSystem) -> Counter[str]:
    return Counter(call.identity for call in csms.calls("BootNotification"))


def opened(csms: CentralSystem) -> list[tuple[float, str]]:
    return [(record.time, record.identity) for record in csms.traffic if record.direction == "opened"]


# Stages


async def test_a_ramp_lets_them_come_over_time(csms: CentralSystem, play: Any) -> None:
    outcome: Outcome = await play(of_stages({**RAMP, "over": 100}), csms, 20)
    times = [time for time, _ in opened(csms)]
    assert max(times) - min(times) > 60
    assert len({round(time) for time in times}) > 12
    (stage,) = outcome.stages
    assert stage.name == "ramp"
    assert 60 < stage.end < 105


async def test_a_storm_cuts_all_and_they_come_at_once(csms: CentralSystem, play: Any) -> None:
    hold = {"kind": "hold", "duration": 50}
    outcome: Outcome = await play(of_stages(RAMP, hold, {"kind": "storm", "times": 2, "pause": 30}, hold), csms, 10)
    came = Counter(identity for _, identity in opened(csms))
    assert set(came.values()) == {3}
    assert set(boots(csms).values()) <= {1, 3}
    begin = outcome.stages[2].begin
    assert max(time for time, _ in opened(csms) if time < begin + 20) < begin + 5


async def test_a_part_of_them_and_always_the_same(play: Any) -> None:
    found = []
    for count in (40, 10):
        async with CentralSystem() as csms:
            await play(of_stages(RAMP, {"kind": "storm", "share": 0.3}), csms, count)
            came = Counter(identity for _, identity in opened(csms))
            found.append({identity for identity, times in came.items() if times == 2})
    assert 4 < len(found[0]) < 22
    assert found[1] == {identity for identity in found[0] if identity <= "CP010"}


async def test_a_rolling_restart(csms: CentralSystem, play: Any) -> None:
    outcome: Outcome = await play(of_stages(RAMP, {"kind": "restart", "rate": 0.5, "settle": 60}), csms, 10)
    assert set(boots(csms).values()) == {2}
    again = sorted(call.time for call in csms.calls("BootNotification"))[10:]
    gaps = [later - earlier for earlier, later in pairwise(again)]
    assert all(1.5 < gap < 2.5 for gap in gaps)
    assert outcome.is_passed


async def test_a_rate_of_charge_points_where_nobody_drives(csms: CentralSystem, play: Any) -> None:
    outcome: Outcome = await play(of_stages(RAMP, {"kind": "restart", "rate": 100}), csms, 20, rate=0.5)
    ramp, restart = outcome.stages
    assert 25 < ramp.end - ramp.begin < 42
    assert 38 <= restart.end - restart.begin < 45


async def test_the_network_goes_and_comes(csms: CentralSystem, play: Any) -> None:
    blackout = {"kind": "blackout", "duration": 600, "over": 60, "settle": 60}
    outcome: Outcome = await play(of_stages(RAMP, blackout), csms, 5)
    begin = outcome.stages[1].begin
    late = [time for time, _ in opened(csms) if time > begin + 1]
    assert len(late) == 5
    assert begin + 600 <= min(late) < max(late) < begin + 665


async def test_the_power_goes_and_comes_and_transactions_end_with_it(csms: CentralSystem, play: Any) -> None:
    drivers = {"arrivals": {"kind": "fixed", "moments": [10]}, "parking": 100_000}
    blackout = {"kind": "blackout", "power": True, "duration": 600, "settle": 60}
    hold = {"kind": "hold", "duration": 100}
    outcome: Outcome = await play(of_stages(RAMP, hold, blackout, hold, drivers=[drivers]), csms, 3)
    assert set(boots(csms).values()) == {2}
    stops = csms.calls("StopTransaction")
    assert [call.payload["reason"] for call in stops][:3] == ["PowerLoss"] * 3
    assert all(call.time > outcome.stages[2].begin + 599.9 for call in stops)
    preparing = [call for call in csms.calls("StatusNotification") if call.payload["status"] == "Preparing"]
    assert max(call.time for call in preparing) >= outcome.stages[2].begin + 599, "the cars stayed where they were"


async def test_they_go_in_order(csms: CentralSystem, play: Any) -> None:
    outcome: Outcome = await play(of_stages(RAMP, {"kind": "stop", "over": 50}), csms, 5)
    closed = [record for record in csms.traffic if record.direction == "closed"]
    assert [record.text for record in closed] == ["1000"] * 5
    assert closed[-1].time - closed[0].time > 5
    assert outcome.counts["charge points"] == 5


async def test_keys_of_a_stage(csms: CentralSystem, play: Any) -> None:
    keys = {"HeartbeatInterval": 10, "NoSuchKey": True}
    outcome: Outcome = await play(of_stages(RAMP, {"kind": "hold", "duration": 100, "keys": keys}), csms)
    assert 9 <= len(csms.calls("Heartbeat")) <= 11
    assert outcome.notes == ["hold: the key NoSuchKey = true was NotSupported"]


async def test_faults_of_the_wire_while_a_stage_lasts(csms: CentralSystem, play: Any, whys: Any) -> None:
    hold = {"kind": "hold", "duration": 120, "keys": {"HeartbeatInterval": 20}}
    late = {**hold, "name": "late", "faults": {"latency": {"seconds": 2.0, "direction": "in"}}}
    expected = [
        {"sent": "Heartbeat", "stage": stage, "within": 1.0, "name": stage} for stage in ("before", "late", "after")
    ]
    stages = (RAMP, {**hold, "name": "before"}, late, {**hold, "name": "after"})
    outcome: Outcome = await play(of_stages(*stages, expect=expected), csms, 2)
    assert whys(outcome) == {"late": ["Heartbeat was answered after 2 s, not within 1 s"]}


# Scripts


def of_steps(*steps: dict[str, Any], **others: Any) -> Scenario:
    return scenario_from({"step": list(steps), **others})


async def test_a_script_at_many_and_its_numbers(csms: CentralSystem, play: Any) -> None:
    steps = (
        {"do": "wait_registered"},
        {"do": "plug_in", "connector": 1, "plug_after": 0},
        {"do": "present_id_tag", "id_tag": "TAG{number:03}"},
        {"do": "wait_sent", "action": "StartTransaction", "status": "Accepted"},
    )
    outcome: Outcome = await play(of_steps(*steps), csms, 12)
    assert outcome.is_passed
    found = {(call.identity, call.payload["idTag"]) for call in csms.calls("StartTransaction")}
    assert found == {(f"CP{number:03}", f"TAG{number:03}") for number in range(1, 13)}
    assert [(one.name, one.checked) for one in outcome.expectations] == [
        ("step 1: wait_registered", 12),
        ("step 4: wait_sent StartTransaction", 12),
    ]


FAILING: dict[str, tuple[list[dict[str, Any]], str]] = {
    "a status that does not come": (
        [{"do": "wait_status", "status": "Charging", "within": 5}],
        "connector 1 was Available, not Charging, for 5 s",
    ),
    "what is never to be": (
        [{"do": "heartbeat"}, {"do": "never", "action": "Heartbeat", "seconds": 5}],
        "there was Hear",
    ),
    "a command that is refused": (
        [{"do": "change_configuration", "key": "HeartbeatInterval", "value": "often"}],
        "change_configuration was refused: ",
    ),
    "a connector that there is not": ([{"do": "plug_in", "connector": 9}], "no connector 9: this station has 1..1"),
    "answers that do not come": (
        [{"do": "heartbeat"}, {"do": "wait_answered", "within": 5}],
        "1 messages were not answ",
    ),
}


@pytest.mark.parametrize("case", FAILING)
async def test_steps_that_fail(case: str, csms: CentralSystem, play: Any, whys: Any) -> None:
    """The script ends with it, and says which step it was."""
    steps, why = FAILING[case]
    csms.answers["Heartbeat"] = None
    outcome: Outcome = await play(of_steps({"do": "wait_registered"}, *steps, {"do": "wait_registered"}), csms)
    ((name, reasons),) = whys(outcome).items()
    assert name.startswith(f"step {1 + len(steps)}: ")
    assert reasons[0].startswith(why)
    assert not outcome.is_passed
    assert f"step {2 + len(steps)}: wait_registered" not in [one.name for one in outcome.expectations]


async def test_the_time_for_steps_is_bounded(csms: CentralSystem, play: Any, whys: Any) -> None:
    script = of_steps(
        {"do": "wait_received", "action": "Reset", "within": 1000},
        stage=[RAMP, {"kind": "steps", "within": 50}],
    )
    outcome: Outcome = await play(script, csms)
    ((name, reasons),) = whys(outcome).items()
    assert name == "step 1: wait_received Reset"
    assert reasons[0].startswith("the time for steps (50 s) is over, waiting for Reset of the Central System")


async def test_a_power_cut_and_a_reset(csms: CentralSystem, play: Any) -> None:
    steps = (
        {"do": "wait_registered"},
        {"do": "power_cut", "seconds": 30},
        {"do": "wait_sent", "action": "BootNotification", "status": "Accepted", "within": 90},
        {"do": "reset", "kind": "Hard"},
        {"do": "wait_sent", "action": "BootNotification", "status": "Accepted", "within": 90},
        {"do": "wait_answered", "within": 30},
    )
    assert (await play(of_steps(*steps), csms)).is_passed
    assert boots(csms) == {"CP001": 3}


async def test_a_script_in_python(csms: CentralSystem, play: Any, whys: Any) -> None:
    drawn: list[float] = []

    async def script(member: Member, random: Random) -> None:
        drawn.append(random.random())
        await trio.sleep(1)
        member.station.plug_in(1, plug_after=0.0)
        if member.identity == "CP002":
            raise ValueError("no")

    outcome: Outcome = await play(Scenario(name="mine", play=script), csms, 3)
    assert whys(outcome) == {"the script in Python": ["ValueError: no"]}
    assert (outcome.expectations[0].met, outcome.expectations[0].checked) == (2, 3)
    assert len(set(drawn)) == 3


async def test_a_scenario_in_python(csms: CentralSystem, play: Any) -> None:
    stages = (Stage(kind=StageKind.RAMP, name="up"), Stage(kind=StageKind.HOLD, name="on", duration=10.0))
    outcome: Outcome = await play(Scenario(name="mine", stages=stages), csms)
    assert [stage.name for stage in outcome.stages] == ["up", "on"]


# The run


async def test_an_end_before_the_end_is_true_and_incomplete(csms: CentralSystem, play: Any) -> None:
    is_stopping = trio.Event()
    scenario = of_stages(RAMP, {"kind": "hold", "duration": 1e6}, expect=[{"sent": "Heartbeat"}])

    async def stop() -> None:
        await trio.sleep(50)
        is_stopping.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(stop)
        outcome: Outcome = await play(scenario, csms, 3, is_stopping=is_stopping)
    assert trio.current_time() < 80
    assert not outcome.is_complete
    assert not outcome.is_passed
    assert [stage.name for stage in outcome.stages] == ["ramp", "hold"]
    assert outcome.stages[1].end == pytest.approx(50, abs=1)
    assert (outcome.expectations[0].checked, outcome.expectations[0].unseen) == (0, 3)
    assert outcome.notes == ["the scenario was ended before its end: what is missing may only not have come yet"]
    closed = [record.text for record in csms.traffic if record.direction == "closed"]
    assert closed == ["1000"] * 3


async def test_progress_is_told_each_second_and_may_fail(csms: CentralSystem, play: Any) -> None:
    told: list[Progress] = []

    def progress(one: Progress) -> None:
        told.append(one)
        if len(told) == 5:
            raise RuntimeError("a broken view")

    scenario = of_stages({**RAMP, "over": 20}, {"kind": "hold", "duration": 30})
    outcome: Outcome = await play(scenario, csms, 4, progress=progress)
    assert [round(one.seconds) for one in told] == list(range(len(told)))
    assert len(told) > 40
    assert told[-1][1:6] == ("hold", 4, 4, 4, 0)
    assert outcome.notes == ["the progress could not be told: RuntimeError: a broken view"]
    assert outcome.is_passed


async def test_progress_follows_the_speed(csms: CentralSystem, play: Any) -> None:
    told: list[Progress] = []
    await play(of_stages(RAMP, {"kind": "hold", "duration": 100}), csms, progress=told.append, speed=20.0)
    assert [round(one.seconds) for one in told] == [0, 20, 40, 60, 80, 100][: len(told)]
    assert len(told) >= 5


async def test_overrides(csms: CentralSystem, play: Any) -> None:
    def keys(identity: str) -> dict[str, dict[str, Any]]:
        return {"Internal": {"ChargePointModel": f"of {identity}"}}

    told: list[CallEnded] = []
    scenario = of_stages(
        RAMP,
        {"kind": "hold", "duration": 30},
        {"kind": "hold", "name": "more", "duration": 10},
        fleet={"blueprint": "ac-7kw", "keys": {"Internal": {"ChargePointVendor": "V"}}},
    )
    outcome: Outcome = await play(
        scenario, csms, 2, keys=keys, blueprint="ac-22kw-twin", connectors=3, duration=400.0, calls=told.append
    )
    boot = csms.calls("BootNotification", "CP002")[0].payload
    assert (boot["chargePointVendor"], boot["chargePointModel"]) == ("V", "of CP002")
    assert {call.payload["connectorId"] for call in csms.calls("StatusNotification")} == {0, 1, 2, 3}
    lengths = [round(stage.end - stage.begin) for stage in outcome.stages]
    assert lengths[1:] == [300, 100]
    assert {call.action for call in told} >= {"BootNotification", "StatusNotification", "Heartbeat"}


async def test_a_mix_of_blueprints_by_id(play: Any) -> None:
    mix = [{"blueprint": "ac-22kw", "share": 1}, {"blueprint": "dc-150kw-twin", "share": 1}]
    models = []
    for count in (20, 10):
        async with CentralSystem() as csms:
            assert (await play(of_stages(RAMP, fleet={"mix": mix}), csms, count)).is_passed
            calls = csms.calls("BootNotification")
            models.append({call.identity: call.payload["chargePointModel"] for call in calls})
    assert len(set(models[0].values())) == 2
    assert models[1].items() <= models[0].items()


async def test_what_cannot_be_played(csms: CentralSystem, play: Any) -> None:
    with pytest.raises(ScenarioError, match="at least one charge point"):
        await play(scenario_from({}), csms, [])
    with pytest.raises(ValueError, match="duration must be more than 0"):
        await play(scenario_from({}), csms, duration=0.0)
    with pytest.raises(ValueError, match="duration: no stage of scenario holds"):
        await play(scenario_from({"step": [{"do": "sleep", "seconds": 1}]}), csms, duration=5.0)
    with pytest.raises(ValueError, match="no blueprint"):
        await play(scenario_from({}), csms, blueprint="none")
    with pytest.raises(ConfigurationError, match="HeartbeatIntervall"):
        await play(scenario_from({"fleet": {"keys": {"Core": {"HeartbeatIntervall": 1}}}}), csms)


async def test_who_cannot_start_is_told(csms: CentralSystem, play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(self: Any, *arguments: Any, **named: Any) -> None:
        raise RuntimeError("no hardware")

    monkeypatch.setattr("ocpp16.simulation.operation.Operation.start", fails)
    outcome: Outcome = await play(of_stages({**RAMP, "settle": 5}, expect=[{"sent": "BootNotification"}]), csms)
    assert outcome.counts["failed starts"] >= 1
    assert outcome.notes == ["CP001 could not start: RuntimeError: no hardware"]


# What they are made of


async def test_an_agenda_goes_on_after_a_failure() -> None:
    failed: list[BaseException] = []
    done: list[tuple[str, float]] = []
    agenda = Agenda(failed.append)

    def add(name: str) -> None:
        done.append((name, trio.current_time()))

    def fail() -> None:
        raise ZeroDivisionError

    async with trio.open_nursery() as nursery:
        nursery.start_soon(agenda.run)
        await trio.sleep(1)
        agenda.at(30.0, lambda: add("late"))
        agenda.at(10.0, fail)
        agenda.at(10.0, lambda: add("second"))
        agenda.after(4.0, lambda: agenda.after(1.0, lambda: add("first")))
        for _ in range(250):
            agenda.at(20.0, lambda: add("many"))
        await trio.sleep(40)
        nursery.cancel_scope.cancel()
    assert [name for name, _ in done if name != "many"] == ["first", "second", "late"]
    assert [time for name, time in done if name != "many"] == [6.0, 10.0, 30.0]
    assert len(done) == 253
    assert [type(error) for error in failed] == [ZeroDivisionError]
    assert len(agenda) == 0


DRAWN: dict[str, tuple[Any, float, float, float]] = {
    "constant": ({"kind": "constant", "value": 5}, 5, 5, 5),
    "a number": (5, 5, 5, 5),
    "uniform": ({"kind": "uniform", "low": 10, "high": 20}, 10, 20, 15),
    "normal": ({"kind": "normal", "mean": 100, "deviation": 10, "least": 80, "most": 120}, 80, 120, 100),
    "lognormal": ({"kind": "lognormal", "median": 100, "sigma": 0.1}, 50, 200, 100.5),
    "exponential": ({"kind": "exponential", "mean": 50, "most": 1000}, 0, 1000, 50),
    "choice": ({"kind": "choice", "values": [1, 9], "weights": [3, 1]}, 1, 9, 3),
    "out of reach": ({"kind": "normal", "mean": 0, "deviation": 1, "least": 50, "most": 60}, 50, 50, 50),
}


@pytest.mark.parametrize("case", DRAWN)
def test_distributions(case: str) -> None:
    said, least, most, mean = DRAWN[case]
    found: Distribution = distribution().read(said, Place(""))
    values = [found.draw(Random(number)) for number in range(2_000)]
    assert least <= min(values) <= max(values) <= most
    assert sum(values) / len(values) == pytest.approx(mean, rel=0.06)
    assert found.draw(Random(3)) == found.draw(Random(3))
