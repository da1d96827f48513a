"""The order of the start, and what was told before it."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import wait
from pathlib import Path
from typing import Any

import pytest
from everest_double import TIMEOUT, Nonsense
from everest_site import Site, error, event, meter, token, warnings

from ocpp16.everest import side
from ocpp16.everest.questions import QUESTIONS


def test_the_order_of_the_start(site: Callable[..., Site]) -> None:
    here = site(optional=("charger_information",), config={"DelayOcppStart": 10})
    everest = here.everest
    here.begin()
    assert everest.calls == [], "commands may be called after on_ready only"
    everest.all_ready()
    everest.wait_called("connector_2", "get_evse")
    everest.evses_ready("ready")
    here.wait_registered()
    order = [command for _, command, _ in everest.calls if command not in {"set_connection_timeout", "set_system_time"}]
    assert order[:7] == [
        *["get_evse"] * 2,
        "get_charger_information",
        *["external_ready_to_start_charging"] * 2,
        "get_boot_reason",
        "enable_disable",
    ]
    enabled = everest.wait_called("connector_1", "enable_disable")
    everest.wait_called("connector_2", "enable_disable")
    source = {"enable_source": "CSMS", "enable_state": "Enable", "enable_priority": 5000}
    assert enabled == {"connector_id": 0, "cmd_source": source}
    assert here.wait_call("BootNotification")["chargePointVendor"] == "Everest Vendor"


def test_it_waits_for_every_evse(
    site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ocpp16.everest.module.REMINDED", 0.01)
    here = site()
    here.begin()
    here.everest.all_ready()
    here.everest.wait_called("connector_2", "get_evse")
    here.everest.tell("connector_1", "ready", True)
    here.everest.tell("connector_2", "waiting_for_external_ready", False)
    here.until(lambda: "the OCPP module waits for EVSE 2 to be ready" in caplog.text)
    assert here.server.actions() == []
    here.everest.tell("connector_2", "ready", True)
    here.wait_registered()


def test_what_came_before_the_start_is_replayed_in_order(site: Callable[..., Site]) -> None:
    here = site()
    here.begin()
    here.plug_in(energy=500)
    here.everest.raise_error("connector_2", error("evse_board_support/MREC2GroundFailure", evse=2))
    here.tell(1, meter(510), "powermeter")
    finished = {"meter_value": meter(600), "reason": "EVDisconnected"}
    here.tell(1, event("TransactionFinished", transaction_finished=finished))
    here.tell(1, event("SessionFinished", session_finished={"meter_value": meter(600)}))
    here.plug_in(session="s2", tag="TAG2", energy=600)
    here.tell(1, "a public key", "powermeter_public_key_ocmf")
    here.everest.all_ready()
    here.everest.evses_ready()
    assert here.wait_call("StartTransaction", 2)["idTag"] == "TAG2"
    assert [call.action for call in here.server.system.calls() if call.action.endswith("Transaction")] == [
        "StartTransaction",
        "StopTransaction",
        "StartTransaction",
    ]
    assert here.wait_call("StopTransaction")["meterStop"] == 600
    here.until(lambda: "configurationKey" in here.ask("GetConfiguration", {"key": ["MeterPublicKey1"]}), "the key")


def test_a_session_goes_on_over_a_restart(site: Callable[..., Site], caplog: pytest.LogCaptureFixture) -> None:
    first = site(config={"PublishChargingScheduleIntervalS": 0}).start()
    first.plug_in(session="goes-on")
    first.plug_in(2, session="does-not", tag="TAG2")
    first.everest.wait(lambda: len(first.everest.values("ocpp_generic", "ocpp_transaction_event")) >= 4)
    first.module._opened.charge_point.abandon()  # type: ignore[union-attr]
    first.close()
    second = site()
    second.begin()
    second.tell(1, event("SessionResumed", "goes-on"))
    second.tell(2, event("SessionResumed", "nobody knows it"))
    second.everest.all_ready()
    second.everest.evses_ready()
    stopped = second.wait_call("StopTransaction")
    assert (stopped["transactionId"], stopped["reason"]) == (2, "PowerLoss")
    second.tell(2, event("SessionResumed", "does-not"))
    second.tell(1, event("ChargingStarted", "goes-on"))
    second.status(1, "Charging")
    finished = {"meter_value": meter(1700), "reason": "Local"}
    second.tell(1, event("TransactionFinished", "goes-on", transaction_finished=finished))
    assert second.wait_call("StopTransaction", 2)["transactionId"] == 1
    assert "session does-not was resumed after the start" in warnings(caplog.records)


def test_availability_is_restored_before_anybody_can_charge(site: Callable[..., Site]) -> None:
    first = site().start()
    assert first.ask("ChangeAvailability", {"connectorId": 2, "type": "Inoperative"}) == {"status": "Accepted"}
    first.everest.wait_called("connector_2", "enable_disable", 2)
    assert first.everest.called("connector_2", "enable_disable")[-1]["cmd_source"]["enable_state"] == "Disable"
    first.status(2, "Unavailable")
    first.close()
    second = site().start()
    order = [(module, command) for module, command, _ in second.everest.calls]
    disabled = order.index(("connector_2", "enable_disable"))
    assert disabled < order.index(("connector_1", "external_ready_to_start_charging"))
    assert second.everest.called("connector_2", "enable_disable")[0]["cmd_source"]["enable_state"] == "Disable"
    second.status(2, "Unavailable")
    assert second.ask("ChangeAvailability", {"connectorId": 2, "type": "Operative"}) == {"status": "Accepted"}
    second.status(2, "Available")


def test_enabled_and_disabled(site: Callable[..., Site]) -> None:
    here = site(evses=((1, 2), (1,))).start()
    here.status(3, "Available")
    here.tell(1, event("Disabled", ""))
    here.status(1, "Unavailable")
    here.status(2, "Unavailable")
    here.tell(1, event("Enabled", ""))
    here.status(1, "Available")
    here.status(2, "Available")


def test_another_source_may_have_priority(site: Callable[..., Site], caplog: pytest.LogCaptureFixture) -> None:
    here = site()
    here.everest.answers["connector_2", "enable_disable"] = False
    here.start()
    here.status(2, "Unavailable")
    here.status(1, "Available")
    assert "EVSE 2 stays disabled, though it was to be enabled" in warnings(caplog.records)


def test_several_connectors_of_an_evse_are_counted(site: Callable[..., Site]) -> None:
    here = site(evses=((1, 2), (1,))).start()
    here.status(3, "Available")
    begun = {"id_tag": token(), "meter_value": meter()}
    started = {"reason": "EVConnected", "meter_value": meter()}
    here.tell(1, event("SessionStarted", "a", connector_id=2, session_started=started))
    here.tell(1, event("TransactionStarted", "a", connector_id=2, transaction_started=begun))
    here.tell(2, event("SessionStarted", "b", session_started=started))
    here.tell(2, event("TransactionStarted", "b", transaction_started=begun))
    assert {here.wait_call("StartTransaction", count)["connectorId"] for count in (1, 2)} == {2, 3}
    assert here.ask("UnlockConnector", {"connectorId": 2}) == {"status": "Unlocked"}
    assert here.everest.called("connector_1", "force_unlock") == [{"connector_id": 2}]
    told = here.everest.wait(lambda: started_ones(here) if len(started_ones(here)) == 2 else None)
    assert told == [{"id": 1, "connector_id": 2}, {"id": 2, "connector_id": 1}]
    keys = here.ask("GetConfiguration", {"key": ["NumberOfConnectors"]})
    assert keys["configurationKey"][0]["value"] == "3"


def started_ones(here: Site) -> list[Any]:
    """Where transactions began."""
    told = here.everest.values("ocpp_generic", "ocpp_transaction_event")
    return [value["evse"] for value in told if value["transaction_event"] == "Started"]


def test_charger_information_is_cut_and_half_of_it_may_be_wrong(
    site: Callable[..., Site], caplog: pytest.LogCaptureFixture
) -> None:
    here = site(optional=("charger_information",))
    here.everest.answers["charger_information", "get_charger_information"] = Nonsense(
        {
            "vendor": "A vendor with a name of many words",
            "model": 7,
            "chargepoint_serial": "S1",
            "firmware_version": "9",
        }
    )
    here.start()
    boot = here.wait_call("BootNotification")
    assert boot["chargePointVendor"] == "A vendor with a name"
    assert boot["chargePointModel"] == "M"
    assert (boot["chargePointSerialNumber"], boot["firmwareVersion"]) == ("S1", "9")
    assert "charger_information.model must be text" in warnings(caplog.records)


@pytest.mark.parametrize(("number", "code"), [(7, 1), ("1", None)])
def test_an_evse_with_another_id_is_an_error_and_nonsense_is_asked_again(
    site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch, number: Any, code: int | None
) -> None:
    monkeypatch.setattr("ocpp16.everest.module.ASKED_AGAIN", 0.01)
    here = site()
    here.everest.answers["connector_1", "get_evse"] = Nonsense({"id": number, "connectors": [{"id": 1}]})
    here.begin()
    here.everest.all_ready()
    if code is None:
        here.everest.wait_called("connector_1", "get_evse", 3)
        assert here.code is None
        del here.everest.answers["connector_1", "get_evse"]
        here.everest.evses_ready()
        here.wait_registered()
    else:
        here.until(lambda: here.code == code)


def test_a_configuration_that_is_not_there(site: Callable[..., Site], caplog: pytest.LogCaptureFixture) -> None:
    here = site(config={"ChargePointConfigPath": "no-such.json"})
    here.begin()
    here.everest.all_ready()
    here.everest.evses_ready()
    here.until(lambda: here.code == 1)
    assert "there is no no-such.json, neither as it is given nor in" in warnings(caplog.records)


def test_a_configuration_that_is_wrong_is_told_whole(
    site: Callable[..., Site], caplog: pytest.LogCaptureFixture
) -> None:
    here = site(document={"Core": {"HeartbeatInterval": "often", "NoSuchKey": 1}})
    here.begin()
    here.everest.all_ready()
    here.everest.evses_ready()
    here.until(lambda: here.code == 1)
    assert "HeartbeatInterval" in warnings(caplog.records)
    assert "NoSuchKey" in warnings(caplog.records)


def test_wrong_configuration_of_the_module_is_warned_of(
    site: Callable[..., Site], caplog: pytest.LogCaptureFixture
) -> None:
    here = site(
        config={
            "EnableExternalWebsocketControl": True,
            "PublishChargingScheduleIntervalS": -1,
            "PublishChargingScheduleDurationS": 0,
            "MessageQueueResumeDelay": "soon",
            "RequestCompositeScheduleUnit": "kW",
            "DelayOcppStart": 4_000_000,
            "ResetStopDelay": 1.5,
            "UserConfigPath": "",
            "ResetStopDelya": 1,
        }
    ).start()
    told = warnings(caplog.records)
    for name in ("IntervalS", "DurationS", "ResumeDelay", "DelayOcppStart", "ResetStopDelay", "UserConfigPath"):
        assert name in told, name
    assert "offers no MQTT" in told
    assert "RequestCompositeScheduleUnit must be A or W, not 'kW'" in told
    assert "did you mean ResetStopDelay?" in told
    assert here.module._settings.publish_interval == 30
    schedule = here.everest.wait_published("ocpp_generic", "charging_schedules")["schedules"][0]
    assert (schedule["charging_rate_unit"], schedule["duration"]) == ("A", 600)


def test_paths_of_the_configuration(site: Callable[..., Site], tmp_path: Path) -> None:
    here = site(document={"Core": {"HeartbeatInterval": 1000}}).start()
    assert (tmp_path / "db" / "ocpp16" / "CP1.db").exists()
    assert here.ask("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "777"}) == {"status": "Accepted"}
    overlay = json.loads((tmp_path / "share" / "user_config.json").read_text())
    assert overlay == {"Core": {"HeartbeatInterval": 777}}
    here.until(lambda: any((tmp_path / "log").iterdir()))


@pytest.mark.parametrize(
    ("evses", "sinks", "has_mappings", "expected"),
    [
        (2, (1, 2), True, {1: 0, 2: 1}),
        (2, (2, 0), True, {2: 0, 0: 1}),
        (2, (None, 2), True, "no mapping"),
        (2, (1, 1), True, "as another one is"),
        (2, (3,), True, "there are 2"),
        (2, (0, 0), False, {1: 0, 2: 1}),
        (2, (0, 0, 0), False, {0: 0, 1: 1, 2: 2}),
        (2, (0,), False, {0: 0}),
        (1, (0,), False, {1: 0}),
        (3, (0, 0), False, "2 connections for 3 EVSEs"),
        (2, (), False, {}),
    ],
)
def test_which_evse_a_sink_limits(evses: int, sinks: Any, has_mappings: bool, expected: Any) -> None:
    from everest_double import Fulfillment, NoMapping

    from ocpp16.everest.topology import sinks as limiting

    class Unreadable(NoMapping):
        @property
        def mapping(self) -> Any:
            raise TypeError("Unable to convert function return value to a Python type!")

    made: list[Any] = [Fulfillment("a", "b", evse) if has_mappings else Unreadable("a", "b") for evse in sinks]
    if isinstance(expected, dict):
        assert limiting(made, evses) == expected
    else:
        with pytest.raises(ValueError, match=expected):
            limiting(made, evses)


def test_a_sink_without_mapping_refuses_the_start(site: Callable[..., Site], caplog: pytest.LogCaptureFixture) -> None:
    here = site(sinks=(1, None))
    here.begin()
    here.everest.all_ready()
    here.until(lambda: here.code == 1)
    assert "evse_energy_sink of sink_1 has no mapping to an EVSE" in warnings(caplog.records)


@pytest.mark.parametrize("command", ["external_ready_to_start_charging", "enable_disable"])
def test_evses_that_hang_delay_the_start_once(
    site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, command: str
) -> None:
    """Twenty of them take as long as one."""
    if command == "enable_disable":
        first = site(evses=((1,),) * 20).start()
        assert first.ask("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}) == {"status": "Accepted"}
        first.status(20, "Unavailable")
        first.close()
    place = ("evse_manager", command)
    rows = {**QUESTIONS, place: QUESTIONS[place]._replace(seconds=0.5)}
    monkeypatch.setattr(side, "QUESTIONS", rows)
    release = threading.Event()
    waited: list[float] = []

    def counted(futures: Any, seconds: float) -> Any:
        waited.append(seconds)
        return wait(futures, seconds)

    here = site(evses=((1,),) * 20)
    for number in range(1, 21):
        here.everest.answers[f"connector_{number}", place[1]] = lambda given: release.wait(TIMEOUT)
    monkeypatch.setattr(side, "wait", counted)
    here.start()
    assert waited.count(0.5) == 1
    told = warnings(caplog.records)
    assert all(f"{command} of connector_{number}: no answer" in told for number in (1, 20))
    release.set()


def test_a_charge_point_that_ends_by_itself_ends_the_module(
    site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ocpp16.everest.module.REMINDED", 0.01)
    here = site().start()
    opened = here.module._opened
    assert opened is not None
    opened.charge_point._house.thread.leave().result(60)  # as if trio had failed
    here.until(lambda: here.code == 1)
    assert "the OCPP module cannot go on: ChargePointStopped" in warnings(caplog.records)


def test_a_relative_path_is_looked_for_as_it_is_given_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ocpp16.everest.settings import found_file

    monkeypatch.chdir(tmp_path)
    share = tmp_path / "share"
    assert found_file("conf.json", share) == share / "conf.json"
    (tmp_path / "conf.json").write_text("{}")
    assert found_file("conf.json", share) == Path("conf.json")
    assert found_file("/etc/conf.json", share) == Path("/etc/conf.json")


def test_a_charge_point_that_runs_already_is_an_end_with_its_reason(
    site: Callable[..., Site], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocpp16.everest.module.TRIES", 0)
    site().start()
    second = site()
    second.begin()
    second.everest.all_ready()
    second.everest.evses_ready()
    second.until(lambda: second.code == 1)
    assert "the OCPP module cannot go on" in warnings(caplog.records)


def test_an_evse_that_names_no_connectors_has_one(site: Callable[..., Site]) -> None:
    here = site()
    here.everest.answers["connector_2", "get_evse"] = Nonsense({"id": 2, "connectors": []})
    here.start()
    here.status(2, "Available")
    assert here.ask("UnlockConnector", {"connectorId": 2}) == {"status": "Unlocked"}
    assert here.everest.called("connector_2", "force_unlock") == [{"connector_id": 1}]
