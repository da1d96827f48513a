"""Stories of what was accepted and is to be done, each of which breaks one rule of the linter, or only looks as if."""

from linted_stories import later, tells
from linted_transactions import STORIES as STORIES
from told import Told


@tells("remote-start", 2)
def starts_that_do_not_come(told: Told) -> None:
    told.is_asked("RemoteStartTransaction", {"status": "Accepted"}, idTag="TAG", connectorId=1)
    told.is_asked("RemoteStartTransaction", {"status": "Accepted"}, idTag="OTHER")
    later(told, 220)
    assert told.found[0].side == "charge point"


@tells("remote-start", 0)
def starts_that_come_or_are_given_up(told: Told) -> None:
    told.is_asked("RemoteStartTransaction", {"status": "Accepted"}, idTag="TAG", connectorId=1)
    told.is_asked("RemoteStartTransaction", {"status": "Accepted"}, idTag="tag2")
    told.is_asked("RemoteStartTransaction", {"status": "Accepted"}, idTag="TAG", connectorId=3)
    told.is_asked("RemoteStartTransaction", {"status": "Rejected"}, idTag="TAG", connectorId=4)
    told.starts(7)
    told.starts(8, connectorId=2, idTag="TAG2")
    told.status("Finishing", 3)
    later(told, 300)


@tells("remote-start")
def a_start_that_is_not_authorized(told: Told) -> None:
    for connector, tag in ((1, "TAG"), (2, "OTHER")):
        told.is_asked("RemoteStartTransaction", {"status": "Accepted"}, idTag=tag, connectorId=connector)
    told.asks("Authorize", {"idTagInfo": {"status": "Invalid"}}, idTag="tag")
    told.asks("Authorize", {"idTagInfo": {"status": "Accepted"}}, idTag="OTHER")
    later(told, 300)
    assert "connector 2" in told.found[0].text


@tells("remote-start", 0)
def a_start_that_is_waited_for_while_the_clock_is_set(told: Told) -> None:
    told.is_asked("RemoteStartTransaction", {"status": "Accepted"}, idTag="TAG", connectorId=1)
    told.asks("Heartbeat", {"currentTime": told.now(86_400)})
    told.second += 86_400
    told.asks("Heartbeat", {"currentTime": told.now()})


@tells("remote-stop")
def a_stop_that_does_not_come(told: Told) -> None:
    told.starts(7)
    told.starts(8, connectorId=2)
    for number in (7, 8):
        told.is_asked("RemoteStopTransaction", {"status": "Accepted"}, transactionId=number)
    told.stops()
    later(told, 130)
    assert "transaction 8" in told.found[0].text


@tells("reset")
def a_reset_without_a_boot(told: Told) -> None:
    told.is_asked("Reset", {"status": "Accepted"}, type="Hard")
    told.boots()
    told.status("Available", 0)
    told.is_asked("Reset", {"status": "Accepted"}, type="Hard")
    later(told, 310)


@tells("availability")
def a_change_that_does_not_show(told: Told) -> None:
    for connector, status in ((1, "Available"), (2, "Available"), (3, "Unavailable")):
        told.status(status, connector)
        told.is_asked("ChangeAvailability", {"status": "Accepted"}, connectorId=connector, type="Inoperative")
    told.status("Unavailable", 2)
    later(told, 70)
    assert "connector 1" in told.found[0].text


@tells("availability", 0)
def a_connector_of_a_charge_point_out_of_service(told: Told) -> None:
    for connector in (0, 1):
        told.status("Unavailable", connector)
    told.is_asked("ChangeAvailability", {"status": "Accepted"}, connectorId=1, type="Operative")
    later(told, 70)


@tells("availability")
def connectors_that_an_update_holds(told: Told) -> None:
    for status in ("Downloading", "Downloaded"):
        told.asks("FirmwareStatusNotification", {}, status=status)
    told.status("Unavailable")
    told.is_asked("ChangeAvailability", {"status": "Accepted"}, connectorId=1, type="Operative")
    told.connected(after=90)
    told.status("Unavailable")
    told.is_asked("ChangeAvailability", {"status": "Accepted"}, connectorId=1, type="Operative")
    later(told, 90)
    assert told.found == []
    told.asks("FirmwareStatusNotification", {}, status="InstallationFailed")
    told.is_asked("ChangeAvailability", {"status": "Accepted"}, connectorId=1, type="Operative")
    later(told, 90)


@tells("trigger")
def a_triggered_message_that_does_not_come(told: Told) -> None:
    for message in ("Heartbeat", "StatusNotification", "FirmwareStatusNotification"):
        told.is_asked("TriggerMessage", {"status": "Accepted"}, requestedMessage=message)
    told.asks("SignedFirmwareStatusNotification", {}, status="Idle")
    later(told, 70)
    assert "StatusNotification" in told.found[0].text
