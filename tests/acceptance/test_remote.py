"""What the Central System starts, stops, resets, unlocks, switches off."""

from collections.abc import Callable
from typing import Any

import pytest
from outside import Outside
from programs import ProgramError

Begin = Callable[..., Outside]


def start(one: Outside, **payload: Any) -> str:
    return one.ask("RemoteStartTransaction", **{"idTag": "REMOTE", "connectorId": 1, **payload})


def test_tc_010_remote_start_plug_first(begin: Begin) -> None:
    """The car waits; RemoteStartTransaction starts it."""
    one = begin()
    one.plug_in()
    one.status(1, "Preparing")
    assert start(one) == "Accepted"
    one.charges(1, "REMOTE")
    assert one.calls("Authorize") == []


def test_tc_011_1_remote_start_first(begin: Begin) -> None:
    """RemoteStartTransaction, Preparing, then the car comes."""
    one = begin()
    assert start(one) == "Accepted"
    one.status(1, "Preparing")
    one.plug_in()
    one.charges(1, "REMOTE")


def test_tc_011_2_remote_start_and_nobody_comes(begin: Begin) -> None:
    """No car within ConnectionTimeOut: Available again, nothing is charged."""
    one = begin(Core={"ConnectionTimeOut": 1})
    assert start(one) == "Accepted"
    one.status(1, "Preparing")
    one.status(1, "Available")
    one.settle()
    assert one.calls("StartTransaction") == []


@pytest.mark.parametrize("status", ["Accepted", "Blocked"])
def test_a_remote_start_is_authorized_where_that_is_wanted(begin: Begin, status: str) -> None:
    """AuthorizeRemoteTxRequests: as if the card had been shown here."""
    one = begin(Core={"AuthorizeRemoteTxRequests": True})
    one.id_tag_info("Authorize", status)
    one.plug_in()
    one.status(1, "Preparing")
    assert start(one) == "Accepted"
    one.expect("Authorize", idTag="REMOTE")
    if status == "Accepted":
        one.charges(1, "REMOTE")
    else:
        one.told("authorization", id_tag="REMOTE", status=status)
        one.settle()
        assert one.calls("StartTransaction") == []


def test_tc_012_remote_stop(begin: Begin) -> None:
    """RemoteStopTransaction of the running one: Accepted, reason Remote, no idTag."""
    one = begin()
    number = one.charge()
    assert one.ask("RemoteStopTransaction", transactionId=number) == "Accepted"
    stop = one.expect("StopTransaction", transactionId=number, reason="Remote")
    assert "idTag" not in stop
    one.status(1, "Finishing")
    one.unplug()
    one.status(1, "Available")


@pytest.mark.parametrize("situation", ["charging", "faulted", "unavailable", "finishing"])
def test_tc_026_remote_start_rejected(begin: Begin, situation: str) -> None:
    """The connector cannot start anything."""
    one = begin()
    if situation in ("charging", "finishing"):
        one.charge()
    if situation == "finishing":
        one.card("CARD", 1)
        one.status(1, "Finishing")
    elif situation == "faulted":
        one.do("raise_fault", connector=1, error="GroundFailure")
        one.status(1, "Faulted")
    elif situation == "unavailable":
        assert one.ask("ChangeAvailability", connectorId=1, type="Inoperative") == "Accepted"
        one.status(1, "Unavailable")
    before = len(one.calls("StartTransaction"))
    assert start(one) == "Rejected"
    one.settle()
    assert len(one.calls("StartTransaction")) == before


@pytest.mark.parametrize("connector", [-1, 0, 3])
def test_remote_start_at_no_connector(idle: Outside, connector: int) -> None:
    """Connector 0, or one that is not there."""
    assert start(idle, connectorId=connector) in ("Rejected", "PropertyConstraintViolation")


def test_remote_start_anywhere(begin: Begin) -> None:
    """Without connectorId: a free connector, and the next one while that charges."""
    one = begin()
    one.plug_in(1)
    one.status(1, "Preparing")
    assert one.ask("RemoteStartTransaction", idTag="FIRST") == "Accepted"
    one.charges(1, "FIRST")
    one.plug_in(2)
    one.status(2, "Preparing")
    assert one.ask("RemoteStartTransaction", idTag="SECOND") == "Accepted"
    one.charges(2, "SECOND")
    assert one.ask("RemoteStartTransaction", idTag="THIRD") == "Rejected"


def test_tc_028_remote_stop_rejected(begin: Begin) -> None:
    """No such transaction; the one that runs goes on."""
    one = begin()
    number = one.charge()
    assert one.ask("RemoteStopTransaction", transactionId=number + 1) == "Rejected"
    one.settle()
    assert one.calls("StopTransaction") == []


def test_remote_stop_of_one_that_has_ended(begin: Begin) -> None:
    """Rejected, and no second StopTransaction."""
    one = begin()
    number = one.charge()
    one.unplug()
    one.expect("StopTransaction")
    assert one.ask("RemoteStopTransaction", transactionId=number) == "Rejected"
    one.settle()
    assert len(one.calls("StopTransaction")) == 1


@pytest.mark.parametrize("kind", ["Hard", "Soft"])
def test_tc_013_014_reset_when_idle(begin: Begin, kind: str) -> None:
    """Accepted, and it boots again; what was plugged in is told."""
    one = begin()
    assert one.ask("Reset", type=kind) == "Accepted"
    one.told("reset", type=kind)
    one.booted()
    assert len(one.calls("BootNotification")) == 2


@pytest.mark.parametrize("kind", ["Hard", "Soft"])
def test_tc_015_016_reset_while_charging(begin: Begin, kind: str) -> None:
    """The transaction is stopped with the reason of the reset, before it boots again."""
    one = begin()
    number = one.charge()
    assert one.ask("Reset", type=kind) == "Accepted"
    one.expect("StopTransaction", transactionId=number, reason=f"{kind}Reset")
    one.booted()
    one.settle()
    assert len(one.calls("StopTransaction")) == 1


def test_reset_refused_by_the_station(begin: Begin) -> None:
    """Rejected, and nothing happens."""
    one = begin()
    one.do("overrule", question="is_reset_allowed", answer=False)
    assert one.ask("Reset", type="Soft") == "Rejected"
    one.settle()
    assert len(one.calls("BootNotification")) == 1


@pytest.mark.parametrize("has_lock", [True, False])
def test_tc_017_unlock_when_idle(begin: Begin, has_lock: bool) -> None:
    """A lock: Unlocked; a fixed cable: NotSupported."""
    one = begin(station={"lock": has_lock})
    assert one.ask("UnlockConnector", connectorId=1) == ("Unlocked" if has_lock else "NotSupported")


def test_tc_018_1_unlock_while_charging(begin: Begin) -> None:
    """Unlocked; the transaction stops, reason UnlockCommand, after the answer."""
    one = begin()
    number = one.charge()
    assert one.ask("UnlockConnector", connectorId=1) == "Unlocked"
    one.expect("StopTransaction", transactionId=number, reason="UnlockCommand")
    frames = [frame for event, frame in one.lines() if event == "received"]
    stop = next(place for place, frame in enumerate(frames) if frame[2] == "StopTransaction")
    answers = [place for place, frame in enumerate(frames) if frame[0] == 3 and frame[2] == {"status": "Unlocked"}]
    assert answers[0] < stop


@pytest.mark.parametrize("stops", [True, False])
def test_tc_018_2_unlock_of_a_fixed_cable_while_charging(begin: Begin, stops: bool) -> None:
    """NotSupported; StopTransactionIfUnlockNotSupported decides about the transaction."""
    one = begin(station={"lock": False}, Internal={"StopTransactionIfUnlockNotSupported": stops})
    number = one.charge()
    assert one.ask("UnlockConnector", connectorId=1) == "NotSupported"
    if stops:
        one.expect("StopTransaction", transactionId=number, reason="UnlockCommand")
    else:
        one.settle()
        assert one.calls("StopTransaction") == []


def test_tc_030_unlock_failure(begin: Begin) -> None:
    """The lock does not open."""
    one = begin()
    one.do("overrule", question="unlock_connector", answer="UnlockFailed")
    assert one.ask("UnlockConnector", connectorId=1) == "UnlockFailed"


@pytest.mark.parametrize("connector", [0, 3, 99])
def test_tc_031_unlock_of_no_connector(idle: Outside, connector: int) -> None:
    """NotSupported: there is none to unlock."""
    assert idle.ask_badly("UnlockConnector", {"connectorId": connector})[2] == {"status": "NotSupported"} or (
        connector == 0 and idle.ask_badly("UnlockConnector", {"connectorId": 0})[0] == 4
    )


def test_unavailable_and_available_again(begin: Begin) -> None:
    """Inoperative: Unavailable, and no session; Operative: Available."""
    one = begin()
    assert one.ask("ChangeAvailability", connectorId=1, type="Inoperative") == "Accepted"
    one.status(1, "Unavailable")
    assert one.ask("ChangeAvailability", connectorId=1, type="Operative") == "Accepted"
    one.status(1, "Available")
    one.charge()


@pytest.mark.parametrize("kind", ["Operative", "Inoperative"])
def test_what_is_already_so_is_accepted_and_not_told(begin: Begin, kind: str) -> None:
    """No second StatusNotification."""
    one = begin()
    if kind == "Inoperative":
        assert one.ask("ChangeAvailability", connectorId=1, type=kind) == "Accepted"
        one.status(1, "Unavailable")
    before = len(one.calls("StatusNotification"))
    assert one.ask("ChangeAvailability", connectorId=1, type=kind) == "Accepted"
    one.settle()
    assert len(one.calls("StatusNotification")) == before


@pytest.mark.parametrize("connector", [0, 1])
def test_unavailable_after_the_transaction(begin: Begin, connector: int) -> None:
    """While it charges: Scheduled; Unavailable after the end. Connector 0: those that are free at once."""
    one = begin()
    number = one.charge()
    assert one.ask("ChangeAvailability", connectorId=connector, type="Inoperative") == "Scheduled"
    if connector == 0:
        one.status(2, "Unavailable")
    assert one.statuses(1)[-1] == "Charging"
    one.card("CARD", 1)
    one.expect("StopTransaction", transactionId=number)
    one.unplug()
    one.status(1, "Unavailable")


@pytest.mark.parametrize("connector", [-1, 3])
def test_availability_of_no_connector(idle: Outside, connector: int) -> None:
    """Rejected, or a CALLERROR for what can be none."""
    answer = idle.ask_badly("ChangeAvailability", {"connectorId": connector, "type": "Inoperative"})
    assert answer[2] in ({"status": "Rejected"}, "PropertyConstraintViolation")


@pytest.mark.parametrize("connector", [0, 2])
def test_tc_034_unavailable_over_a_power_failure(begin: Begin, connector: int) -> None:
    """Availability outlives the power."""
    one = begin()
    assert one.ask("ChangeAvailability", connectorId=connector, type="Inoperative") == "Accepted"
    one.status(connector, "Unavailable")
    one.power_cut()
    one.power_up()
    one.expect("BootNotification")
    one.status(connector, "Unavailable")
    one.settle()
    assert one.statuses(connector)[-1] == "Unavailable"


def test_all_unavailable(begin: Begin) -> None:
    """Connector 0: the charge point and every connector."""
    one = begin()
    assert one.ask("ChangeAvailability", connectorId=0, type="Inoperative") == "Accepted"
    one.settle()
    assert [one.statuses(connector)[-1] for connector in (0, 1, 2)] == ["Unavailable"] * 3
    assert one.ask("ChangeAvailability", connectorId=0, type="Operative") == "Accepted"
    one.settle()
    assert [one.statuses(connector)[-1] for connector in (0, 1, 2)] == ["Available"] * 3


def test_tc_062_data_transfer_to_the_charge_point(idle: Outside) -> None:
    """A vendor that nobody knows: UnknownVendorId (or UnknownMessageId, Rejected by others)."""
    assert idle.ask("DataTransfer", vendorId="nobody", messageId="m", data="d") == "UnknownVendorId"


@pytest.mark.parametrize("status", ["Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"])
def test_tc_064_data_transfer_to_the_central_system(begin: Begin, status: str) -> None:
    """The station asks, and gets what the Central System says."""
    one = begin()
    one.script("set", action="DataTransfer", answer={"status": status, "data": "ü"})
    assert one.do("data_transfer", vendor_id="V", message_id="M", data="D") == {"status": status, "data": "ü"}
    assert one.expect("DataTransfer") == {"vendorId": "V", "messageId": "M", "data": "D"}


def test_data_transfer_without_a_connection(begin: Begin) -> None:
    """Offline, at once, and never sent later."""
    one = begin()
    one.offline()
    assert one.do("data_transfer", vendor_id="V")["status"] == "Offline"
    one.online()
    one.settle()
    assert one.calls("DataTransfer") == []


def test_tc_024_lock_failure(begin: Begin) -> None:
    """A lock that fails is told with its own code, and the connector is Faulted: no transaction there."""
    one = begin()
    one.do("raise_fault", connector=1, error="ConnectorLockFailure")
    one.expect("StatusNotification", connectorId=1, errorCode="ConnectorLockFailure")
    one.settle()
    assert one.statuses(1)[-1] == "Faulted"
    one.plug_in()
    one.card("CARD", 1)
    one.settle()
    assert one.calls("StartTransaction") == []
    one.do("clear_fault", connector=1, error="ConnectorLockFailure")
    one.settle()
    assert one.statuses(1)[-1] != "Faulted"


def test_a_warning_is_no_fault(begin: Begin) -> None:
    """An error that stops nothing: told under the status that is, and cleared by NoError."""
    one = begin()
    one.charge()
    one.do("raise_fault", connector=1, error="HighTemperature", fault=False)
    one.status(1, "Charging", errorCode="HighTemperature")
    one.do("clear_fault", connector=1, error="HighTemperature")
    one.status(1, "Charging", errorCode="NoError")
    assert one.calls("StopTransaction") == []


def test_a_fault_of_the_charge_point(begin: Begin) -> None:
    """Connector 0 has faults of its own; the others keep their status."""
    one = begin()
    one.do("raise_fault", connector=0, error="GroundFailure")
    one.status(0, "Faulted")
    one.do("clear_fault", connector=0, error="GroundFailure")
    one.status(0, "Available", errorCode="NoError")
    assert set(one.statuses(1)) == {"Available"}


def test_the_last_of_two_faults_counts(begin: Begin) -> None:
    """Two faults: Faulted until both are gone; what goes on behind it shows then."""
    one = begin()
    one.do("raise_fault", connector=1, error="GroundFailure")
    one.status(1, "Faulted")
    one.do("raise_fault", connector=1, error="OverVoltage")
    one.expect("StatusNotification", connectorId=1, errorCode="OverVoltage")
    one.do("clear_fault", connector=1, error="GroundFailure")
    one.settle()
    assert one.statuses(1)[-1] == "Faulted"
    one.do("clear_fault", connector=1, error="OverVoltage")
    one.status(1, "Available", errorCode="NoError")


def test_a_bad_command_changes_nothing(idle: Outside) -> None:
    """The control interface refuses it by code and says why."""
    with pytest.raises(ProgramError, match="bad_value"):
        idle.do("plug_in", connector=9)
    with pytest.raises(ProgramError, match="unknown_command"):
        idle.do("fly")
    with pytest.raises(ProgramError, match="unknown_argument"):
        idle.do("unplug", connector=1, colour="red")
