"""Remote trigger."""

from collections.abc import Callable

import pytest
from outside import Outside

Begin = Callable[..., Outside]


def trigger(one: Outside, message: str, **connector: int) -> str:
    return one.ask("TriggerMessage", requestedMessage=message, **connector)


@pytest.mark.parametrize("message", ["BootNotification", "Heartbeat"])
def test_tc_054_trigger_a_message(begin: Begin, message: str) -> None:
    """Accepted, then the message."""
    one = begin()
    assert trigger(one, message) == "Accepted"
    one.expect(message)


@pytest.mark.parametrize("connector", [1, 2])
def test_tc_054_trigger_the_status_of_a_connector(begin: Begin, connector: int) -> None:
    """Its present status, of that connector alone."""
    one = begin()
    one.plug_in(2)
    one.status(2, "Preparing")
    before = len(one.calls("StatusNotification"))
    assert trigger(one, "StatusNotification", connectorId=connector) == "Accepted"
    one.status(connector, "Preparing" if connector == 2 else "Available")
    one.settle()
    assert len(one.calls("StatusNotification")) == before + 1


def test_tc_054_trigger_the_status_of_all(begin: Begin) -> None:
    """Without connectorId: connector 0 and every other."""
    one = begin()
    assert trigger(one, "StatusNotification") == "Accepted"
    for connector in (0, 1, 2):
        one.status(connector, "Available")


def test_tc_054_trigger_meter_values(begin: Begin) -> None:
    """The measurands of MeterValuesSampledData, context Trigger, with the transaction that runs there."""
    one = begin(Core={"MeterValuesSampledData": "Energy.Active.Import.Register,Voltage"})
    number = one.charge()
    assert trigger(one, "MeterValues", connectorId=1) == "Accepted"
    values = one.expect("MeterValues", connectorId=1, transactionId=number)
    samples = [sample for value in values["meterValue"] for sample in value["sampledValue"]]
    assert {sample["context"] for sample in samples} == {"Trigger"}
    assert {sample.get("measurand", "Energy.Active.Import.Register") for sample in samples} == {
        "Energy.Active.Import.Register",
        "Voltage",
    }


def test_trigger_meter_values_of_an_idle_connector(begin: Begin) -> None:
    """Without a transaction: no transactionId."""
    one = begin()
    assert trigger(one, "MeterValues", connectorId=2) == "Accepted"
    assert "transactionId" not in one.expect("MeterValues", connectorId=2)


@pytest.mark.parametrize("message", ["MeterValues", "StatusNotification"])
@pytest.mark.parametrize("connector", [3, -1])
def test_tc_055_trigger_rejected(idle: Outside, message: str, connector: int) -> None:
    """No such connector."""
    answer = idle.ask_badly("TriggerMessage", {"requestedMessage": message, "connectorId": connector})
    assert answer[2] in ({"status": "Rejected"}, "PropertyConstraintViolation")


@pytest.mark.parametrize("message", ["DiagnosticsStatusNotification", "FirmwareStatusNotification"])
def test_trigger_what_is_not_built(idle: Outside, message: str) -> None:
    """A message of a profile that is not there: NotImplemented (§5.17)."""
    assert trigger(idle, message) == "NotImplemented"


def test_trigger_what_there_is_not(idle: Outside) -> None:
    """A name of no message is one that is not implemented (§7.49: "not implemented or unknown")."""
    assert idle.ask_badly("TriggerMessage", {"requestedMessage": "Joke"})[2] == {"status": "NotImplemented"}


def test_a_triggered_boot_does_not_forget_the_registration(begin: Begin) -> None:
    """Triggered while accepted: BootNotification goes out, and what is done meanwhile is done."""
    one = begin()
    assert trigger(one, "BootNotification") == "Accepted"
    one.expect("BootNotification")
    one.charge()


def test_the_answer_comes_before_what_was_triggered(begin: Begin) -> None:
    """First TriggerMessage.conf, then the message (§5.17)."""
    one = begin()
    assert trigger(one, "Heartbeat") == "Accepted"
    one.expect("Heartbeat")
    received = [frame for event, frame in one.lines() if event == "received"]
    answer = next(place for place, frame in enumerate(received) if frame[0] == 3)
    heartbeat = next(place for place, frame in enumerate(received) if frame[0] == 2 and frame[2] == "Heartbeat")
    assert answer < heartbeat
