"""Limits for EVerest's energy management, and the published charging schedules."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from everest_site import Site, event, meter

PROFILE: dict[str, Any] = {
    "chargingProfileId": 1,
    "stackLevel": 3,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": {
        "startSchedule": "2020-01-01T00:00:00Z",
        "chargingRateUnit": "A",
        "minChargingRate": 6.0,
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10.0, "numberPhases": 1}],
    },
}


def limits(here: Site, sink: int, count: int) -> list[dict[str, Any]]:
    value = here.everest.wait_called(f"sink_{sink}", "set_external_limits", count)["value"]
    assert value["schedule_export"] == value["schedule_setpoints"] == []
    return [entry["limits_to_leaves"] for entry in value["schedule_import"]]


def test_limits_at_the_start_and_on_change(site: Callable[..., Site]) -> None:
    here = site(sinks=(1, 2, 0), config={"PublishChargingScheduleIntervalS": 0}).start()
    source = "ocpp/OCPP_set_external_limits"
    assert limits(here, 0, 1) == [{"ac_max_current_A": {"value": 48.0, "source": source}}]
    assert limits(here, 2, 1) == [{"ac_max_current_A": {"value": 96.0, "source": source}}]
    assert here.ask("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": PROFILE}) == {"status": "Accepted"}
    wanted = [
        {
            "ac_max_current_A": {"value": 10.0, "source": source},
            "ac_min_current_A": {"value": 6.0, "source": source},
            "ac_max_phase_count": {"value": 1, "source": source},
        }
    ]
    here.everest.wait(lambda: limits_now(here, "sink_0") == wanted)
    assert limits_now(here, "sink_1") == [{"ac_max_current_A": {"value": 48.0, "source": source}}]
    schedules = here.everest.values("ocpp_generic", "charging_schedules")
    here.everest.wait(lambda: here.everest.values("ocpp_generic", "charging_schedules")[len(schedules) - 1])
    here.until(lambda: published(here, 1)["charging_schedule_period"][0]["limit"] == 10.0)
    found = published(here, 1)
    assert found["charging_schedule_period"] == [
        {"start_period": 0, "limit": 10.0, "stack_level": 3, "number_phases": 1}
    ]
    assert (found["charging_rate_unit"], found["duration"], found["min_charging_rate"]) == ("A", 600, 6.0)
    assert [schedule["evse"] for schedule in latest(here)] == [0, 1, 2]
    assert here.ask("ClearChargingProfile", {}) == {"status": "Accepted"}
    here.everest.wait(lambda: limits_now(here, "sink_0") != wanted)


def latest(here: Site) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = here.everest.values("ocpp_generic", "charging_schedules")[-1]["schedules"]
    return found


def published(here: Site, evse: int) -> dict[str, Any]:
    return next(schedule for schedule in latest(here) if schedule["evse"] == evse)


def limits_now(here: Site, sink: str) -> list[dict[str, Any]]:
    value = (here.everest.called(sink, "set_external_limits") or [{"value": {"schedule_import": []}}])[-1]["value"]
    return [entry["limits_to_leaves"] for entry in value["schedule_import"]]


def test_limits_in_watts_each_interval(site: Callable[..., Site]) -> None:
    config = {
        "PublishChargingScheduleIntervalS": 1,
        "PublishChargingScheduleDurationS": 100,
        "RequestCompositeScheduleUnit": "W",
    }
    here = site(sinks=(0,), has_mappings=False, config=config).start()
    assert limits(here, 0, 3)[0]["total_power_W"]["value"] == 66240.0
    assert len(here.everest.values("ocpp_generic", "charging_schedules")) >= 2
    assert published(here, 0)["charging_rate_unit"] == "W"
    assert published(here, 0)["duration"] == 100


def test_of_an_evse_with_several_connectors_the_one_that_charges_counts(site: Callable[..., Site]) -> None:
    here = site(sinks=(1,), evses=((1, 2),), config={"PublishChargingScheduleIntervalS": 0}).start()
    assert here.ask("SetChargingProfile", {"connectorId": 2, "csChargingProfiles": PROFILE}) == {"status": "Accepted"}
    here.plug_in(connector=2)
    here.everest.wait(
        lambda: [it["ac_max_current_A"]["value"] for it in limits_now(here, "sink_0")][:1] == [10.0], "its limit"
    )


def test_what_is_not_taken_is_sent_again(
    site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ocpp16.everest.schedules.RETRY", 0.01)
    here = site(sinks=(1, 2), config={"PublishChargingScheduleIntervalS": 0})
    fails = threading.Event()

    def refuse(arguments: Any) -> None:
        if not fails.is_set():
            raise RuntimeError("time-out")

    here.everest.answers["sink_0", "set_external_limits"] = refuse
    here.start()
    here.everest.wait_called("sink_0", "set_external_limits", 3)
    here.everest.wait_called("sink_1", "set_external_limits", 3)
    fails.set()
    here.until(lambda: "RuntimeError: time-out; the limits are sent again" in caplog.text)


def test_nothing_is_published_while_stopped(site: Callable[..., Site]) -> None:
    here = site(sinks=(1,), config={"PublishChargingScheduleIntervalS": 1}).start()
    everest = here.everest
    everest.wait_published("ocpp_generic", "charging_schedules")
    assert everest.call("ocpp_generic", "stop") is True
    threading.Event().wait(0.1)  # for what was under way
    count = len(everest.values("ocpp_generic", "charging_schedules"))
    threading.Event().wait(1.5)
    assert len(everest.values("ocpp_generic", "charging_schedules")) == count
    assert everest.call("ocpp_generic", "restart") is True
    everest.wait_published("ocpp_generic", "charging_schedules", count + 1)


def test_a_station_without_smart_charging_publishes_nothing(site: Callable[..., Site]) -> None:
    core = {"SupportedFeatureProfiles": "Core,RemoteTrigger"}
    here = site(sinks=(1,), document={"Core": core}).start()
    here.plug_in()
    here.wait_call("StartTransaction")
    here.tell(1, event("SessionFinished", session_finished={"meter_value": meter()}))
    assert here.everest.called("sink_0", "set_external_limits") == []
