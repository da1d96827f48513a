"""What EVerest's EVSEs tell of sessions, as messages to the Central System."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from everest_double import Nonsense
from everest_site import Site, event, meter, now, token, warnings


def test_a_whole_session(site: Callable[..., Site]) -> None:
    here = site().start()
    everest = here.everest
    assert here.wait_call("BootNotification")["chargePointVendor"] == "V"
    here.status(1, "Available")
    here.plug_in(tag="TAG1", energy=1234.4)
    here.status(1, "Preparing")
    started = here.wait_call("StartTransaction")
    assert (started["connectorId"], started["idTag"], started["meterStart"]) == (1, "TAG1", 1234)
    here.tell(1, event("ChargingStarted", charging_state_changed_event={"meter_value": meter()}))
    here.status(1, "Charging")
    here.tell(1, event("ChargingPausedEV"))
    here.status(1, "SuspendedEV")
    here.tell(1, event("ChargingPausedEVSE", charging_paused_evse={"reasons": ["UserPause"]}))
    here.status(1, "SuspendedEVSE")
    here.tell(1, event("ChargingStarted"))
    here.status(1, "Charging")
    here.tell(1, event("SwitchingPhases"))
    assert here.status(1, "SuspendedEVSE")["info"] == "SwitchingPhases"
    finished = {"meter_value": meter(2000), "reason": "Local", "id_tag": token("A-LONG-TAG-OF-MORE-THAN-20")}
    here.tell(1, event("TransactionFinished", transaction_finished=finished))
    stopped = here.wait_call("StopTransaction")
    assert (stopped["meterStop"], stopped["idTag"]) == (2000, "A-LONG-TAG-OF-MORE-T")
    assert stopped.get("reason", "Local") == "Local"
    here.status(1, "Finishing")
    here.tell(1, event("SessionFinished", session_finished={"meter_value": meter(2000)}))
    here.status(1, "Available")
    everest.wait_published("ocpp_generic", "ocpp_transaction_event", 3)
    kinds = [value["transaction_event"] for value in everest.values("ocpp_generic", "ocpp_transaction_event")]
    assert kinds == ["Started", "Updated", "Ended"]
    last = everest.values("ocpp_generic", "ocpp_transaction_event")[-1]
    assert last == {
        "transaction_event": "Ended",
        "session_id": "s1",
        "evse": {"id": 1, "connector_id": 1},
        "transaction_id": "1",
    }


def test_remote_start_and_stop(site: Callable[..., Site]) -> None:
    here = site(evses=((1, 2), (1,))).start()
    everest = here.everest
    assert here.ask("RemoteStartTransaction", {"idTag": "REMOTE", "connectorId": 3}) == {"status": "Accepted"}
    provided = everest.wait_published("auth_provider", "provided_token")
    assert provided == {
        "id_token": {"value": "REMOTE", "type": "Central"},
        "authorization_type": "OCPP",
        "connectors": [2],
        "prevalidated": True,
    }
    assert here.ask("RemoteStartTransaction", {"idTag": "ANYWHERE"}) == {"status": "Accepted"}
    assert everest.wait_published("auth_provider", "provided_token", 2)["connectors"] == [1, 2], "EVSEs, each once"
    here.plug_in(2, tag="REMOTE")
    transaction = everest.wait(
        lambda: [
            value["transaction_id"]
            for value in everest.values("ocpp_generic", "ocpp_transaction_event")
            if value["transaction_event"] == "Updated"
        ]
    )
    assert here.ask("RemoteStopTransaction", {"transactionId": int(transaction[0])}) == {"status": "Accepted"}
    assert everest.wait_called("connector_2", "stop_transaction") == {"request": {"reason": "Remote"}}
    finished = {"meter_value": meter(1500), "reason": "Remote"}
    here.tell(2, event("TransactionFinished", transaction_finished=finished))
    assert here.wait_call("StopTransaction")["reason"] == "Remote"


def test_a_tag_that_is_refused_is_paused_and_stopped(site: Callable[..., Site]) -> None:
    here = site(document={"Core": {"StopTransactionOnInvalidId": True, "MaxEnergyOnInvalidId": 0}})
    here.server.system.answers["StartTransaction"] = {"transactionId": 7, "idTagInfo": {"status": "Blocked"}}
    here.start()
    here.plug_in()
    assert here.everest.wait_called("connector_1", "stop_transaction") == {"request": {"reason": "DeAuthorized"}}


def test_a_tag_that_is_refused_is_paused(site: Callable[..., Site]) -> None:
    here = site(document={"Core": {"StopTransactionOnInvalidId": False, "MaxEnergyOnInvalidId": 0}})
    here.server.system.answers["StartTransaction"] = {"transactionId": 7, "idTagInfo": {"status": "Blocked"}}
    here.start()
    here.plug_in(2)
    assert here.everest.wait_called("connector_2", "pause_charging") == {}
    here.tell(2, event("ChargingPausedEVSE"))
    here.status(2, "SuspendedEVSE")


@pytest.mark.parametrize(("answer", "status"), [(True, "Unlocked"), (False, "NotSupported")])
def test_unlock(site: Callable[..., Site], answer: bool, status: str) -> None:
    here = site()
    here.everest.answers["connector_1", "force_unlock"] = answer
    here.start()
    assert here.ask("UnlockConnector", {"connectorId": 1}) == {"status": status}


def test_reservations_are_everests(site: Callable[..., Site]) -> None:
    here = site(document={"Reservation": {"ReserveConnectorZeroSupported": True}}).start()
    everest = here.everest
    here.status(2, "Available")
    wanted = {"idTag": "RES", "expiryDate": "2099-01-01T00:00:00Z", "reservationId": 5}
    assert here.ask("ReserveNow", {**wanted, "connectorId": 1, "parentIdTag": "PARENT"}) == {"status": "Accepted"}
    assert everest.called("reservation", "reserve_now")[-1]["request"] == {
        "reservation_id": 5,
        "id_token": "RES",
        "parent_id_token": "PARENT",
        "expiry_time": "2099-01-01T00:00:00.000Z",
        "evse_id": 1,
    }
    assert here.ask("ReserveNow", {**wanted, "connectorId": 0, "reservationId": 6}) == {"status": "Accepted"}
    assert "evse_id" not in everest.called("reservation", "reserve_now")[-1]["request"]
    everest.answers["reservation", "reserve_now"] = "Occupied"
    assert here.ask("ReserveNow", {**wanted, "connectorId": 2}) == {"status": "Occupied"}
    here.tell(1, event("ReservationStart"))
    here.status(1, "Reserved")
    assert here.ask("RemoteStartTransaction", {"idTag": "RES", "connectorId": 1}) == {"status": "Accepted"}
    assert everest.called("reservation", "exists_reservation")[-1] == {"request": {"id_token": "RES", "evse_id": 1}}
    everest.answers["reservation", "exists_reservation"] = "ReservedForOtherToken"
    assert here.ask("RemoteStartTransaction", {"idTag": "NO", "connectorId": 1}) == {"status": "Rejected"}
    assert here.ask("CancelReservation", {"reservationId": 5}) == {"status": "Accepted"}
    assert everest.called("reservation", "cancel_reservation") == [{"reservation_id": 5}]
    everest.answers["reservation", "cancel_reservation"] = False
    assert here.ask("CancelReservation", {"reservationId": 5}) == {"status": "Rejected"}
    here.tell(1, event("ReservationEnd"))
    here.status(1, "Available")
    started = {"reason": "Authorized", "meter_value": meter()}
    here.tell(1, event("SessionStarted", session_started=started))
    begun = {"id_tag": token("RES"), "meter_value": meter(), "reservation_id": 6}
    here.tell(1, event("TransactionStarted", transaction_started=begun))
    assert here.wait_call("StartTransaction")["reservationId"] == 6


def test_plugin_timeout(site: Callable[..., Site]) -> None:
    here = site().start()
    here.tell(1, event("SessionStarted", session_started={"reason": "EVConnected", "meter_value": meter()}))
    here.status(1, "Preparing")
    here.tell(1, event("PluginTimeout"))
    assert here.status(1, "Finishing")["info"] == "ConnectionTimeout"


def test_signed_values_and_what_is_measured(site: Callable[..., Site]) -> None:
    measurands = "Energy.Active.Import.Register,Power.Active.Import,Voltage,Current.Import,SoC,Temperature"
    core = {
        "MeterValueSampleInterval": 0,
        "MeterValuesSampledData": f"{measurands},Power.Offered,Current.Offered",
        "StopTxnSampledData": "Energy.Active.Import.Register",
    }
    here = site(document={"Core": core}).start()
    signed = {"signed_meter_data": "OCMF|{}|{}", "signing_method": "", "encoding_method": "OCMF"}
    here.tell(1, event("SessionStarted", session_started={"reason": "EVConnected", "meter_value": meter()}))
    begun = {"id_tag": token(), "meter_value": meter(), "signed_meter_value": signed}
    here.tell(1, event("TransactionStarted", transaction_started=begun))
    here.wait_call("StartTransaction")
    here.tell(1, {"soc": 55.5}, "ev_info")
    limits = {
        "total_power_W": {"value": 7360.9, "source": "x"},
        "ac_max_current_A": {"value": 16.7, "source": "x"},
    }
    here.tell(1, {"uuid": "u", "valid_for": 10, "schedule": [], "limits_root_side": limits}, "enforced_limits")
    reading = meter(
        1100,
        power_W={"total": 7000},
        voltage_V={"L1": 230, "L2": 231},
        current_A={"L1": 10.5, "N": 0.1},
        VAR={"total": 3},
        frequency_Hz={"L1": 50},
        temperatures=[{"temperature": 40.5, "location": "Outlet"}, {"temperature": 30, "location": "somewhere"}],
        energy_Wh_import_signed={"total": signed},
    )
    here.tell(1, reading, "powermeter")
    answer = {"requestedMessage": "MeterValues", "connectorId": 1}

    def sampled() -> dict[str, float]:
        count = len(here.server.system.calls("MeterValues"))
        if here.ask("TriggerMessage", answer) == {"status": "Rejected"}:
            return {}  # there is no reading yet
        values = here.wait_call("MeterValues", count + 1)["meterValue"][0]["sampledValue"]
        return {f"{it['measurand']} {it.get('phase', '')}".strip(): float(it["value"]) for it in values}

    here.until(lambda: sampled().get("Power.Active.Import") == 7000)
    found = sampled()
    assert found["SoC"] == 55.5
    assert found["Voltage L2"] == 231
    assert found["Current.Import L1"] == 10.5
    assert found["Temperature"] in (40.5, 30)
    assert (found["Power.Offered"], found["Current.Offered"]) == (7360, 16)
    finished = {"meter_value": meter(1200), "signed_meter_value": {**signed, "signed_meter_data": "OCMF|{}|{end}"}}
    here.tell(1, event("TransactionFinished", transaction_finished=finished))
    stopped = here.wait_call("StopTransaction")
    assert "OCMF|{}|{end}" in json.dumps(stopped["transactionData"])
    here.tell(1, event("SessionFinished", session_finished={"meter_value": meter(1200)}))
    here.tell(1, meter(1201, power_W={"total": 1}), "powermeter")
    here.until(lambda: sampled().get("Power.Active.Import") == 1)
    assert "SoC" not in sampled(), "another car has another one"


WRONG: list[tuple[Any, str]] = [
    ("no object", "session_event must be an object"),
    ({"event": "SessionStarted", "timestamp": "x", "uuid": "s"}, "session_event.timestamp must be an RFC 3339 time"),
    ({"event": 5}, "session_event.event must be text"),
    ({**event("SessionStarted"), "uuid": 7}, "session_event.uuid must be text"),
    (event("SessionStarted", connector_id=9, session_started={}), "there is no connector 9 of EVSE 1"),
    (event("TransactionStarted"), "session_event.transaction_started is missing"),
    (event("TransactionStarted", transaction_started={}), "transaction_started.id_tag is missing"),
    (
        event("TransactionStarted", transaction_started={"id_tag": token(""), "meter_value": meter()}),
        "id_tag.id_token.value must be text of 1 to",
    ),
    (event("TransactionFinished", "other", transaction_finished={"meter_value": meter()}), "no running transaction"),
    (event("NoSuchEvent"), ""),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG)
def test_a_wrong_event_is_named_and_the_next_one_counts(
    site: Callable[..., Site], caplog: pytest.LogCaptureFixture, wrong: Any, words: str
) -> None:
    here = site().start()
    here.tell(1, Nonsense(wrong))
    here.tell(1, Nonsense(None), "powermeter")
    here.tell(1, Nonsense({"soc": "full"}), "ev_info")
    here.tell(1, Nonsense({"limits_root_side": {"total_power_W": {"value": True}}}), "enforced_limits")
    here.tell(1, Nonsense(5), "powermeter_public_key_ocmf")
    here.plug_in(session="good")
    here.wait_call("StartTransaction")
    told = warnings(caplog.records)
    assert words in told
    for other in ("powermeter must be an object", "ev_info.soc", "total_power_W.value", "public_key"):
        assert other in told, other


def test_a_transaction_is_never_lost_for_what_is_missing(
    site: Callable[..., Site], caplog: pytest.LogCaptureFixture
) -> None:
    """Reading, time, reason and signed value are all wrong: the transaction is told all the same."""
    here = site().start()
    here.tell(1, Nonsense(event("SessionStarted", session_started={"reason": "Magic", "logging_path": 5})))
    assert here.status(1, "Preparing")["info"] == "EVConnected"
    here.tell(1, meter(777), "powermeter")
    begun = {"id_tag": token("A-CONTRACT-OF-MORE-THAN-20"), "meter_value": {"timestamp": now()}}
    wrong = {**event("TransactionStarted", transaction_started={**begun, "signed_meter_value": 5}), "timestamp": 5}
    here.tell(1, Nonsense(wrong))
    started = here.wait_call("StartTransaction")
    assert (started["meterStart"], started["idTag"]) == (777, "A-CONTRACT-OF-MORE-T")
    finished = {**event("TransactionFinished", connector_id=9, transaction_finished=None), "uuid": None}
    here.tell(1, Nonsense(finished))
    stopped = here.wait_call("StopTransaction")
    assert (stopped["meterStop"], stopped["reason"]) == (777, "Other")
    told = warnings(caplog.records)
    for words in (
        "reason must be one of",
        "logging_path",
        "energy_Wh_import is missing",
        "is cut to 20",
        "session_event.uuid is missing",
        "there is no connector 9 of EVSE 1; it is taken as its first one",
        "signed_meter",
    ):
        assert words in told, words


def test_a_transaction_without_any_reading(site: Callable[..., Site], caplog: pytest.LogCaptureFixture) -> None:
    here = site().start()
    here.tell(2, Nonsense(event("TransactionStarted", transaction_started={"id_tag": token()})))
    assert here.wait_call("StartTransaction")["meterStart"] == 0
    assert "no reading of EVSE 2 is known" in warnings(caplog.records)


def test_a_session_has_its_log_where_everest_wants_it(site: Callable[..., Site], tmp_path: Path) -> None:
    here = site(document={"Internal": {"LogMessages": True, "LogMessagesFormat": ["log", "session_logging"]}}).start()
    folder = tmp_path / "session"
    started = {"reason": "EVConnected", "meter_value": meter(), "logging_path": str(folder)}
    here.tell(1, event("SessionStarted", session_started=started))
    here.until(lambda: (folder / "incomplete-ocpp.html").exists())


TOO_LONG = {"signed_meter_data": "x" * 400_000, "signing_method": "m", "encoding_method": "e"}


@pytest.mark.parametrize(
    ("of_event", "of_data", "warned"),
    [
        ({"timestamp": "1971-01-01T00:00:00Z"}, {}, "cannot be the time of anything here"),
        ({}, {"signed_meter_value": TOO_LONG}, "signed_meter_value must be text of"),
        (
            {"timestamp": "1971-01-01T00:00:00Z"},
            {"signed_meter_value": TOO_LONG},
            "all else of the transaction is told",
        ),
    ],
)
def test_a_detail_that_cannot_be_told_does_not_cost_the_transaction(
    site: Callable[..., Site], caplog: pytest.LogCaptureFixture, of_event: Any, of_data: Any, warned: str
) -> None:
    """Neither its start nor its end: without that it would be the last one of its connector."""
    here = site().start()
    here.tell(1, event("SessionStarted", session_started={"reason": "EVConnected", "meter_value": meter()}))
    begun = {"id_tag": token(), "meter_value": meter(1000), **of_data}
    here.tell(1, {**event("TransactionStarted", transaction_started=begun), **of_event})
    assert here.wait_call("StartTransaction")["meterStart"] == 1000
    ended = {"meter_value": meter(1500), "reason": "Local", **of_data}
    here.tell(1, {**event("TransactionFinished", transaction_finished=ended), **of_event})
    assert here.wait_call("StopTransaction")["meterStop"] == 1500
    assert warnings(caplog.records).count(warned) >= 1


def test_a_meter_may_tell_what_it_signed_at_the_begin_only_at_the_end(site: Callable[..., Site]) -> None:
    here = site().start()
    here.plug_in()
    here.wait_call("StartTransaction")
    signed = {"signing_method": "", "encoding_method": "OCMF"}
    both = {
        "start_signed_meter_value": {**signed, "signed_meter_data": "OCMF begin"},
        "signed_meter_value": {**signed, "signed_meter_data": "OCMF end"},
    }
    here.tell(1, event("TransactionFinished", transaction_finished={"meter_value": meter(1200), **both}))
    data = here.wait_call("StopTransaction")["transactionData"]
    values = [value for it in data for value in it["sampledValue"] if value.get("format") == "SignedData"]
    assert [(it["context"], it["value"]) for it in values] == [
        ("Transaction.Begin", "OCMF begin"),
        ("Transaction.End", "OCMF end"),
    ]


@pytest.mark.parametrize(("name", "status"), [("WaitingForEnergy", "SuspendedEVSE"), ("ChargingResumed", "Charging")])
def test_events_of_older_versions_of_everest(site: Callable[..., Site], name: str, status: str) -> None:
    here = site().start()
    here.plug_in()
    here.wait_call("StartTransaction")
    here.tell(1, event("ChargingPausedEV"))
    here.status(1, "SuspendedEV")
    here.tell(1, Nonsense(event(name)))
    here.status(1, status)
