"""The commands that EVerest's modules call: answered by the charge point, or refused."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from everest_double import TIMEOUT, Nonsense
from everest_interfaces import interfaces, needs_interfaces
from everest_site import NEWER, Site, by_key, event, meter, token, variable, warnings

from ocpp16.everest import commands
from ocpp16.everest.commands import COMMANDS
from ocpp16.everest.manifest import PROVIDES

EARLY: list[tuple[str, str, dict[str, Any], Any]] = [
    ("main", "stop", {}, False),
    ("main", "restart", {}, False),
    ("main", "get_configuration_key", {"keys": ["A"]}, {"configuration_keys": [], "unknown_keys": ["A"]}),
    ("main", "set_configuration_key", {"key": "A", "value": "1"}, "Rejected"),
    ("main", "monitor_configuration_keys", {"keys": ["A"]}, None),
    ("main", "security_event", {"type": "A", "info": "b"}, None),
    ("ocpp_generic", "stop", {}, False),
    ("ocpp_generic", "restart", {}, False),
    ("ocpp_generic", "security_event", {"event": {"type": "A"}}, None),
    (
        "ocpp_generic",
        "get_variables",
        {"requests": [{"component_variable": variable("A"), "attribute_type": "Actual"}]},
        [{"status": "Rejected", "component_variable": variable("A"), "attribute_type": "Actual"}],
    ),
    (
        "ocpp_generic",
        "set_variables",
        {"requests": [{"component_variable": variable("A"), "value": "1"}], "source": "x"},
        [{"status": "Rejected", "component_variable": variable("A")}],
    ),
    (
        "ocpp_generic",
        "change_availability",
        {"request": {"operational_status": "Inoperative"}},
        {"status": "Rejected"},
    ),
    ("ocpp_generic", "monitor_variables", {"component_variables": [variable("A")]}, None),
    (
        "auth_validator",
        "validate_token",
        {"provided_token": token()},
        {"authorization_status": "Unknown", "tariff_messages": []},
    ),
    ("data_transfer", "data_transfer", {"request": {"vendor_id": "v"}}, {"status": "Offline"}),
]


@needs_interfaces
def test_every_command_of_every_interface_is_in_the_table() -> None:
    wanted = {
        (implementation, command)
        for implementation, (interface, _) in PROVIDES.items()
        for command in interfaces().commands(interface)
    }
    known = [(it.implementation, it.name) for it in COMMANDS if not it.is_newer]
    assert sorted(known) == sorted(wanted) == sorted(row[:2] for row in EARLY)
    assert [(it.implementation, it.name) for it in COMMANDS if it.is_newer] == [NEWER]
    assert all(0 < it.seconds <= 120 for it in COMMANDS)


def test_before_the_charge_point_is_there(site: Callable[..., Site], caplog: pytest.LogCaptureFixture) -> None:
    here = site()
    here.begin()
    here.everest.all_ready()
    for implementation, command, arguments, answer in EARLY:
        assert here.everest.call(implementation, command, **arguments) == answer
        assert f"{implementation}.{command} came before the charge point was there" in warnings(caplog.records)
    here.everest.evses_ready()
    here.wait_registered()
    here.close()
    for implementation, command, arguments, answer in EARLY:
        assert here.everest.handlers[implementation, command](arguments) == answer, "and after it"


def test_a_charge_point_that_does_not_answer_is_not_waited_for_longer_than_the_bound(
    site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    here = site()
    here.server.system.answers["Authorize"] = None
    rows = {(it.implementation, it.name): it._replace(seconds=0.05) for it in COMMANDS}
    module = here.module
    monkeypatch.setattr(
        module, "_answer", lambda it, given: type(module)._answer(module, rows[it.implementation, it.name], given)
    )
    here.start()
    found = here.everest.call("auth_validator", "validate_token", provided_token=token("SOMEBODY"))
    assert found == {"authorization_status": "Unknown", "tariff_messages": []}
    assert "auth_validator.validate_token is refused: TimeoutError" in warnings(caplog.records)


@pytest.mark.parametrize(("implementation", "command"), [row[:2] for row in EARLY])
def test_arguments_that_are_nonsense_are_refused(
    site: Callable[..., Site], caplog: pytest.LogCaptureFixture, implementation: str, command: str
) -> None:
    here = site().start()
    names = next(row[2] for row in EARLY if row[:2] == (implementation, command))
    for wrong in (5, [5], {"no": 5}, None, "x" * 300):
        here.everest.call(implementation, command, **dict.fromkeys(names, Nonsense(wrong)))
        if command == "stop":
            here.everest.call(implementation, "restart")
    here.everest.judge(lambda: None)
    if names:
        assert "from EVerest:" in warnings(caplog.records) or "is refused" in warnings(caplog.records)


def test_stop_and_restart(site: Callable[..., Site]) -> None:
    here = site(document={"Internal": {"StopTimeout": 60}}).start()
    here.obey_stops()
    everest = here.everest
    here.plug_in()
    here.wait_call("StartTransaction")
    assert everest.call("main", "stop") is True
    stopped = here.wait_call("StopTransaction")
    assert (stopped["transactionId"], stopped["reason"], stopped["meterStop"]) == (1, "Other", 1999)
    assert everest.call("ocpp_generic", "stop") is False
    here.server.do(here.server.system.wait_disconnected, "CP1")
    everest.wait(lambda: everest.values("main", "is_connected") == [True, False])
    here.tell(1, event("SessionFinished", session_finished={"meter_value": meter(1100)}))
    here.plug_in(2, session="ignored", tag="IGNORED")
    assert everest.call("ocpp_generic", "restart") is True
    assert everest.call("main", "restart") is False
    here.wait_call("BootNotification", 2)
    here.plug_in(2, session="counts", tag="COUNTS")
    assert here.wait_call("StartTransaction", 2)["idTag"] == "COUNTS"
    everest.wait_published("ocpp_generic", "is_connected", 3)
    assert everest.values("ocpp_generic", "is_connected") == [True, False, True]


def test_a_framework_with_one_thread_for_everything_is_not_blocked_for_good(site: Callable[..., Site]) -> None:
    """The end of the transaction can only be told when `stop` has come back."""
    here = site(has_one_thread=True).start()
    everest = here.everest
    here.plug_in()
    here.wait_call("StartTransaction")
    everest.answers["connector_1", "stop_transaction"] = lambda given: bool(everest.begin_telling(here.finished()))
    assert everest.call("main", "stop") is True
    assert everest.call("main", "restart") is True
    assert here.wait_call("StopTransaction")["reason"] == "PowerLoss", "it was not told before the stop"
    assert everest.call("auth_validator", "validate_token", provided_token=token())["authorization_status"]


def test_configuration_keys(site: Callable[..., Site]) -> None:
    here = site(document={"Core": {"HeartbeatInterval": 300}}).start()
    everest = here.everest
    assert everest.call("main", "get_configuration_key", keys=["heartbeatinterval", "NoSuch"]) == {
        "configuration_keys": [{"key": "HeartbeatInterval", "read_only": False, "value": "300"}],
        "unknown_keys": ["NoSuch"],
    }
    whole = everest.call("main", "get_configuration_key", keys=[])
    assert len(whole["configuration_keys"]) > 40
    for key, value, status in (
        ("HeartbeatInterval", "500", "Accepted"),
        ("HeartbeatInterval", "often", "Rejected"),
        ("NumberOfConnectors", "5", "Rejected"),
        ("NoSuch", "5", "NotSupported"),
    ):
        assert everest.call("main", "set_configuration_key", key=key, value=value) == status
    everest.call("main", "monitor_configuration_keys", keys=["HeartbeatInterval", "NoSuch"])
    everest.call("main", "monitor_configuration_keys", keys=["HEARTBEATINTERVAL", "AuthorizationKey"])
    assert here.ask("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "600"}) == {"status": "Accepted"}
    found = everest.wait_published("main", "configuration_key")
    assert found == {"key": "HeartbeatInterval", "read_only": False, "value": "600"}
    assert here.ask("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "601"}) == {"status": "Accepted"}
    assert everest.wait_published("main", "configuration_key", 2)["value"] == "601"
    secret = {"key": "AuthorizationKey", "value": "aabbccddeeff00112233445566778899"}
    assert here.ask("ChangeConfiguration", secret) == {"status": "Accepted"}
    assert here.ask("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "602"}) == {"status": "Accepted"}
    assert everest.wait_published("main", "configuration_key", 3)["value"] == "602", "no secret was published"
    assert len(everest.values("main", "configuration_key")) == 3, "monitored twice, told once"


def test_variables(site: Callable[..., Site]) -> None:
    internal = {"KeyAccess": {"ConnectorPhaseRotation": "RW"}}
    here = site(document={"Core": {"HeartbeatInterval": 300}, "Internal": internal}).start()
    everest = here.everest
    requests = [
        {"component_variable": variable("HeartbeatInterval"), "attribute_type": "Target"},
        {"component_variable": variable("NoSuch", instance="1")},
        {"component_variable": variable("NumberOfConnectors")},
    ]
    assert everest.call("ocpp_generic", "get_variables", requests=requests) == [
        {"status": "Accepted", "value": "300", "attribute_type": "Actual", **by_key("HeartbeatInterval")},
        {"status": "UnknownVariable", **by_key("NoSuch")},
        {"status": "Accepted", "value": "2", "attribute_type": "Actual", **by_key("NumberOfConnectors")},
    ]
    sets = [("HeartbeatInterval", "7"), ("NoSuch", "1"), ("NumberOfConnectors", "9"), ("SupportedFeatureProfiles", "x")]
    wanted = [
        {"component_variable": variable(name, instance="1"), "value": value, "attribute_type": "Target"}
        for name, value in sets
    ]
    found = everest.call("ocpp_generic", "set_variables", requests=wanted, source="tests")
    statuses = ["Accepted", "UnknownVariable", "Rejected", "Rejected"]
    assert found == [
        {"status": status, "component_variable": variable(name, instance="1")}
        for status, (name, _) in zip(statuses, sets, strict=True)
    ]
    everest.call("ocpp_generic", "monitor_variables", component_variables=[variable("HeartbeatInterval")])
    assert here.ask("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "8"}) == {"status": "Accepted"}
    told = everest.wait_published("ocpp_generic", "event_data")
    assert told.pop("timestamp").startswith("20")
    assert told == {
        "component_variable": variable("HeartbeatInterval"),
        "event_id": 0,
        "trigger": "Alerting",
        "actual_value": "8",
        "event_notification_type": "CustomMonitor",
    }


def test_a_change_that_needs_a_reboot(site: Callable[..., Site]) -> None:
    here = site(document={"Internal": {"KeyAccess": {"RetryBackoffRandomRange": "RW", "StopTimeout": "RW"}}}).start()
    wanted = [{"component_variable": variable("StopTimeout"), "value": "2"}]
    found = here.everest.call("ocpp_generic", "set_variables", requests=wanted, source="tests")
    assert found[0]["status"] == "RebootRequired"
    assert here.everest.call("main", "set_configuration_key", key="StopTimeout", value="2") == "RebootRequired"


def test_change_availability(site: Callable[..., Site]) -> None:
    here = site(evses=((1, 2), (1,))).start()
    here.status(3, "Available")

    def change(status: str, evse: Any = None) -> Any:
        request = {"operational_status": status, **({} if evse is None else {"evse": evse})}
        return here.everest.call("ocpp_generic", "change_availability", request=request)

    assert change("Inoperative", {"id": 1, "connector_id": 2}) == {"status": "Accepted"}
    here.status(2, "Unavailable")
    for wrong, why in (
        ({"id": 1}, "an evse needs its id and a connector_id; without evse the whole station is meant"),
        ({"id": 7, "connector_id": 1}, "there is no connector 1 of EVSE 7"),
    ):
        info = {"reason_code": "InvalidInput", "additional_info": why}
        assert change("Inoperative", wrong) == {"status": "Rejected", "status_info": info}
    assert change("Inoperative") == {"status": "Accepted"}
    here.status(3, "Unavailable")
    assert change("Operative") == {"status": "Accepted"}
    here.status(3, "Available")
    here.plug_in(2)
    here.wait_call("StartTransaction")
    assert change("Inoperative", {"id": 2, "connector_id": 1}) == {"status": "Scheduled"}


def test_validate_token(site: Callable[..., Site], caplog: pytest.LogCaptureFixture) -> None:
    here = site()
    info = {"status": "Accepted", "parentIdTag": "PARENT", "expiryDate": "2099-01-01T00:00:00Z"}
    here.server.system.answers["Authorize"] = lambda payload, call: {
        "idTagInfo": info if payload["idTag"] == "GOOD" else {"status": "Blocked"}
    }
    here.start()

    def validate(*arguments: Any, **named: Any) -> Any:
        return here.everest.call("auth_validator", "validate_token", provided_token=token(*arguments, **named))

    assert validate("GOOD") == {
        "authorization_status": "Accepted",
        "tariff_messages": [],
        "expiry_time": "2099-01-01T00:00:00.000Z",
        "parent_id_token": {"value": "PARENT", "type": "Central"},
    }
    assert validate("BAD")["authorization_status"] == "Blocked"
    assert validate("A-TOKEN-OF-21-LETTERS")["authorization_status"] == "Unknown"
    assert "more than the 20 characters of OCPP 1.6" in warnings(caplog.records)
    assert validate("DECONTRACT1", "PlugAndCharge")["authorization_status"] == "Unknown", "there is no section PnC"
    assert here.everest.call("main", "stop") is True
    assert validate("NOBODY")["authorization_status"] in {"Invalid", "Unknown"}


def test_a_parent_that_is_learned_by_the_start_is_told(site: Callable[..., Site]) -> None:
    here = site(evses=((1, 2), (1,)))
    info = {"status": "Accepted", "parentIdTag": "PARENT"}
    here.server.system.answers["StartTransaction"] = {"transactionId": 5, "idTagInfo": info}
    here.start()
    here.plug_in(2)
    assert here.everest.wait_published("auth_validator", "validate_result_update") == {
        "validation_result": {
            "authorization_status": "Accepted",
            "tariff_messages": [],
            "parent_id_token": {"value": "PARENT", "type": "Central"},
        },
        "connector_id": 2,
    }


def test_data_transfer_both_ways(site: Callable[..., Site]) -> None:
    here = site(optional=("data_transfer",))
    here.server.system.answers["DataTransfer"] = lambda payload, call: {
        "status": "Accepted",
        "data": f"got {payload.get('data')} of {payload.get('messageId')}",
    }
    here.start()
    request = {"vendor_id": "v", "message_id": "m", "data": "d"}
    found = here.everest.call("data_transfer", "data_transfer", request=request)
    assert found == {"status": "Accepted", "data": "got d of m"}
    answer = here.ask("DataTransfer", {"vendorId": "them", "messageId": "m"})
    assert answer == {"status": "Accepted", "data": "from EVerest"}
    assert here.everest.called("data_transfer", "data_transfer") == [
        {"request": {"vendor_id": "them", "message_id": "m"}}
    ]
    for answer, status in (
        ({"status": "UnknownMessageId"}, "UnknownMessageId"),
        (Nonsense({"status": "Offline"}), "Rejected"),
        (Nonsense({"data": 5}), "Rejected"),
    ):
        here.everest.answers["data_transfer", "data_transfer"] = answer
        assert here.ask("DataTransfer", {"vendorId": "them"})["status"] == status
    for wrong in ({"vendor_id": ""}, {"vendor_id": "v" * 256}, {"vendor_id": "v", "message_id": "m" * 51}):
        assert here.everest.call("data_transfer", "data_transfer", request=wrong) == {"status": "Rejected"}
    assert here.everest.call("main", "stop") is True
    assert here.everest.call("data_transfer", "data_transfer", request=request) == {"status": "Offline"}


def test_data_transfer_that_nobody_is_connected_for(site: Callable[..., Site]) -> None:
    here = site().start()
    assert here.ask("DataTransfer", {"vendorId": "them"}) == {"status": "UnknownVendorId"}


def test_security_events_both_ways(site: Callable[..., Site]) -> None:
    here = site().start()
    here.everest.call("main", "security_event", type="TamperDetectionActivated", info="x" * 400)
    told = here.wait_call("SecurityEventNotification", 2)  # the first is that of the start
    assert (told["type"], len(told["techInfo"])) == ("TamperDetectionActivated", 255)
    generic = {"type": "MyEvent", "critical": True, "timestamp": "2025-12-31T23:00:00Z"}
    here.everest.call("ocpp_generic", "security_event", event=generic)
    here.until(lambda: any(call.payload["type"] == "MyEvent" for call in security(here)))
    mine = next(call.payload for call in security(here) if call.payload["type"] == "MyEvent")
    assert mine["timestamp"].startswith("2025-12-31T23:00:00")
    assert here.everest.wait_published("main", "security_event")["type"] == "StartupOfTheDevice"
    assert here.everest.wait_published("ocpp_generic", "security_event")["type"] == "StartupOfTheDevice"
    here.server.do(here.server.system.send_text, "CP1", "no message at all")
    assert here.everest.wait_published("main", "security_event", 2)["type"] == "InvalidMessages"
    kinds = {value["type"] for value in here.everest.values("main", "security_event")}
    assert "TamperDetectionActivated" not in kinds, "what EVerest told is not told back"


def test_a_security_event_is_cut_to_what_ocpp_can_carry(site: Callable[..., Site]) -> None:
    here = site()
    here.everest.answers["security", "update_leaf_certificate"] = "InvalidSignature"
    here.start()
    here.everest.call(
        "ocpp_generic", "security_event", event={"type": "LONG" * 20, "info": "x" * 300, "critical": True}
    )
    told = here.wait_call("SecurityEventNotification", 2)
    assert (told["type"], told["techInfo"]) == (("LONG" * 20)[:50], "x" * 255)
    assert here.ask("CertificateSigned", {"certificateChain": "a chain"}) == {"status": "Rejected"}
    wanted = {"type": "InvalidChargePointCertificate", "info": "InvalidSignature"}
    here.everest.wait(lambda: wanted in here.everest.values("ocpp_generic", "security_event"), "the reason alone")
    assert not any(it["type"].startswith("LONG") for it in here.everest.values("main", "security_event"))


def security(here: Site) -> Any:
    return here.server.system.calls("SecurityEventNotification")


def test_messages_are_published_where_they_are_to_be_logged_by_callback(site: Callable[..., Site]) -> None:
    here = site(document={"Internal": {"LogMessages": True, "LogMessagesFormat": ["callback"]}}).start()
    sent = here.everest.wait_published("ocpp_generic", "ocpp_message")
    assert sent["direction"] == "ChargingStationToCSMS"
    assert "BootNotification" in sent["message"]
    assert sent["version"] == "1.6"
    here.everest.wait(
        lambda: any(
            it["direction"] == "CSMSToChargingStation" for it in here.everest.values("ocpp_generic", "ocpp_message")
        )
    )
    boot = here.everest.values("ocpp_generic", "boot_notification_response")[0]
    assert (boot["status"], boot["interval"]) == ("Accepted", 300)


def test_many_commands_at_once(site: Callable[..., Site]) -> None:
    here = site().start()
    keys = [here.everest.begin("main", "get_configuration_key", keys=["HeartbeatInterval"]) for _ in range(50)]
    tokens = [here.everest.begin("auth_validator", "validate_token", provided_token=token(f"T{n}")) for n in range(50)]
    assert {len(found.result(TIMEOUT)["configuration_keys"]) for found in keys} == {1}
    assert {found.result(TIMEOUT)["authorization_status"] for found in tokens} == {"Accepted"}
    assert threading.active_count() < 200
    assert commands.ASKING == 70.0
