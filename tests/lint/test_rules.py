"""Every rule of the table is told where it is broken, and not where it is kept: a story for each."""

from collections.abc import Callable
from typing import Any

import pytest
from told import Told

from ocpp16.lint import RULES
from ocpp16.lint.verdict import SIGNED_RULES

Story = Callable[[Told], object]
STORIES: dict[str, list[tuple[Story, int]]] = {}
"""Rule → stories, each with how often it is told in it."""


def tells(rule: str, count: int = 1) -> Callable[[Story], Story]:
    """The story tells this rule, and no other, so often: 0 for one that only looks as if."""

    def add(story: Story) -> Story:
        STORIES.setdefault(rule, []).append((story, count))
        return story

    return add


def all_stories() -> list[object]:
    return [
        pytest.param(rule, story, count, id=f"{rule}-{story.__name__}")
        for rule, stories in STORIES.items()
        for story, count in stories
    ]


# What they say


@tells("action")
def an_action_of_a_vendor(told: Told) -> None:
    told.asks("SetVendorThing", {}, a=1)
    assert told.found[0].side == "charge point"


@tells("direction")
def a_reset_by_the_charge_point(told: Told) -> None:
    told.asks("Reset", {"status": "Accepted"}, type="Soft")


@tells("schema", 2)
def payloads_that_do_not_fit(told: Told) -> None:
    told.asks("Authorize", {"idTagInfo": {"status": "Fine"}}, idTag="TAG" * 7)
    assert [finding.side for finding in told.found] == ["charge point", "central system"]
    assert told.found[0].text == "Authorize.req: idTag is longer than 20 characters"


@tells("time-form")
def a_time_without_a_zone(told: Told) -> None:
    told.status("Available", timestamp="2026-01-01T00:00:00")


@tells("refused")
def a_refusal_without_a_reason(told: Told) -> None:
    told.asks("Authorize", "FormationViolation", idTag="TAG")
    told.asks("Authorize", "InternalError", idTag="TAG")


# Times


@tells("future")
def a_clock_that_runs_ahead(told: Told) -> None:
    told.boots()
    told.status("Available", timestamp=told.now(50))
    told.status("Available", timestamp=told.now(70))


@tells("central-time", 3)
def a_central_system_with_another_time(told: Told) -> None:
    for _ in range(3):
        told.asks("Heartbeat", {"currentTime": "2026-01-01T05:00:00Z"}, after=200)
    told.asks("Heartbeat", {"currentTime": told.now(3000)}, after=3000)
    told.asks("Heartbeat", {"currentTime": told.now(-20)})


@tells("central-time", 0)
def a_recorder_that_sets_its_clock(told: Told) -> None:
    told.asks("Heartbeat", {"currentTime": "2026-01-02T00:00:00Z"})
    told.second = 86_400
    told.asks("Heartbeat", {"currentTime": told.now()})


# Start


@tells("before-boot", 2)
def calls_before_it_is_accepted(told: Told) -> None:
    told.boots("Pending", 10)
    told.status("Available")
    told.second += 10
    told.boots("Rejected", 10)
    told.asks("Heartbeat", {"currentTime": told.now()})
    told.second += 10
    told.boots()
    told.status("Available")


@tells("before-boot", 0)
def what_is_triggered_while_pending(told: Told) -> None:
    told.boots("Pending", 10)
    told.is_asked("TriggerMessage", {"status": "Accepted"}, requestedMessage="StatusNotification")
    told.status("Available")


@tells("asked-rejected")
def a_question_to_a_rejected_one(told: Told) -> None:
    told.boots("Rejected", 10)
    told.is_asked("ClearCache", {"status": "Accepted"})


@tells("boot-interval")
def a_boot_too_early(told: Told) -> None:
    told.boots("Rejected", 100)
    told.boots("Rejected", 100)
    told.second += 99
    told.boots("Rejected", 100)


@tells("interval")
def a_negative_interval(told: Told) -> None:
    told.boots(interval=-1)


@tells("heartbeat-often")
def heartbeats_all_the_time(told: Told) -> None:
    told.boots()
    for zero in (0, 1):
        told.status("Available", zero)
    for _ in range(8):
        told.asks("Heartbeat", {"currentTime": told.now()}, after=20)


@tells("heartbeat-often", 0)
def heartbeats_by_a_new_interval(told: Told) -> None:
    told.boots()
    told.status("Available", 0)
    told.is_asked("ChangeConfiguration", {"status": "Accepted"}, key="HeartbeatInterval", value="20")
    for _ in range(8):
        told.asks("Heartbeat", {"currentTime": told.now()}, after=20)


@tells("silence")
def nothing_for_a_long_time(told: Told) -> None:
    told.connected()
    told.boots(interval=60)
    told.status("Available", 0)
    told.status("Available", after=179)
    told.status("Available", after=182)


# Connectors


@tells("connector", 2)
def connectors_that_are_none(told: Told) -> None:
    told.is_asked(
        "GetConfiguration",
        {"configurationKey": [{"key": "NumberOfConnectors", "readonly": True, "value": "2"}]},
    )
    told.status("Available", 2)
    told.status("Available", 3)
    told.starts(connectorId=0)


@tells("status-after-boot")
def no_status_of_a_connector(told: Told) -> None:
    told.is_asked(
        "GetConfiguration",
        {"configurationKey": [{"key": "NumberOfConnectors", "readonly": True, "value": "2"}]},
    )
    told.boots()
    told.status("Available", 0)
    told.status("Available", 2)
    told.asks("Heartbeat", {"currentTime": told.now()}, after=130)
    assert told.found[0].text == "no StatusNotification of connector 1 after the start"


@tells("status-of-zero")
def connector_zero_charges(told: Told) -> None:
    told.status("Charging", 0)


@tells("status-order", 2)
def steps_that_are_none(told: Told) -> None:
    for status in ("Available", "Preparing", "Charging", "Finishing", "Charging", "Reserved"):
        told.status(status)


@tells("status-order", 0)
def steps_over_a_fault_a_new_connection_or_kept_back(told: Told) -> None:
    told.connected()
    for status in ("Available", "Faulted", "Finishing", "Unavailable", "Available"):
        told.status(status)
    told.connected()
    told.status("Finishing")
    told.is_asked("ChangeConfiguration", {"status": "Accepted"}, key="MinimumStatusDuration", value="5")
    told.status("Charging")


# Transactions


@tells("start-while-running")
def a_second_transaction_on_a_connector(told: Told) -> None:
    told.starts(7)
    told.starts(8, connectorId=2)
    told.starts(9)


@tells("retry-changed")
def a_repeat_with_another_time(told: Told) -> None:
    told.connected()
    told.starts(None)
    told.connected()
    told.starts(8)
    assert "differs in timestamp" in told.found[0].text


@tells("retry-changed", 0)
def a_repeat_and_a_new_one(told: Told) -> None:
    told.connected()
    begin = told.now()
    told.starts(None, timestamp=begin)
    told.connected()
    told.starts(7, timestamp=begin)
    told.stops()
    told.starts(None)
    told.connected()
    told.status("Available")
    told.starts(8)


@tells("attempts")
def more_attempts_than_it_may(told: Told) -> None:
    told.is_asked("ChangeConfiguration", {"status": "Accepted"}, key="TransactionMessageAttempts", value="2")
    begin = told.now()
    for _ in range(2):
        told.asks("StartTransaction", "InternalError", connectorId=1, idTag="TAG", meterStart=1, timestamp=begin)
    told.starts(7, meterStart=1, timestamp=begin)


@tells("retry-interval")
def a_repeat_that_does_not_wait(told: Told) -> None:
    told.is_asked("ChangeConfiguration", {"status": "Accepted"}, key="TransactionMessageRetryInterval", value="60")
    begin = told.now()
    told.starts(7, timestamp=begin)
    end = told.now()
    told.stops("InternalError", timestamp=end)
    told.stops("InternalError", timestamp=end, after=60)
    told.stops(timestamp=end, after=60)


@tells("transaction-id")
def an_accepted_transaction_without_an_id(told: Told) -> None:
    told.starts(0)


@tells("transaction-id-reused")
def two_transactions_with_one_id(told: Told) -> None:
    told.starts(7)
    told.stops()
    told.starts(7)


@tells("retry-other-id")
def a_repeat_that_is_given_another_id(told: Told) -> None:
    begin = told.now()
    told.starts(7, timestamp=begin)
    told.starts(8, timestamp=begin)


@tells("unknown-transaction", 2)
def a_transaction_that_nobody_began(told: Told) -> None:
    told.status("Available")
    told.starts(7)
    told.meters(200, transactionId=3)
    told.stops(transactionId=4)


@tells("unknown-transaction", 0)
def one_that_began_before(told: Told) -> None:
    told.status("Charging")
    told.meters(200)
    told.stops()
    told.stops(transactionId=-1)


@tells("transaction-connector")
def values_of_another_connector(told: Told) -> None:
    told.starts(7)
    told.meters(200, connectorId=2)


@tells("values-after-stop")
def values_behind_the_end(told: Told) -> None:
    told.starts(7)
    told.stops()
    told.meters(200)


@tells("values-after-stop", 0)
def values_repeated_on_a_new_connection(told: Told) -> None:
    told.connected()
    told.starts(7)
    told.stops()
    told.connected()
    told.meters(200)


@tells("stopped-twice")
def two_ends(told: Told) -> None:
    told.starts(7)
    end = told.now()
    told.stops(timestamp=end)
    told.stops(timestamp=end)
    told.stops()


@tells("stop-before-start")
def an_end_before_the_begin(told: Told) -> None:
    told.starts(7)
    told.stops(timestamp=told.now(-10))


@tells("energy-falls", 4)
def energy_that_falls(told: Told) -> None:
    told.starts(7)
    told.second += 10
    told.meters(90, 150)
    told.meters(150.5, 120, 150)
    told.stops(meterStop=140)
    told.starts(8)
    told.stops(transactionId=8, meterStop=99)


@tells("energy-falls", 0)
def energy_that_is_rounded_late_or_of_something_else(told: Told) -> None:
    told.starts(7)
    told.second += 100
    told.meters(150.6)
    told.meters(120, at=(-10,))
    others = [
        {"value": "0.15", "unit": "kWh"},
        {"value": "1", "phase": "L1"},
        {"value": "2", "measurand": "Power.Active.Import", "unit": "W"},
        {"value": "3", "location": "Inlet"},
    ]
    told.meters(meterValue=[{"timestamp": told.now(), "sampledValue": others}])
    told.stops(meterStop=150)


@tells("time-falls")
def values_in_another_order(told: Told) -> None:
    told.starts(7)
    told.second += 100
    told.meters(200, 150, at=(0, -20))


@tells("sample-outside", 2)
def values_of_another_time(told: Told) -> None:
    told.starts(7)
    told.meters(100, at=(-20,))
    data = [{"timestamp": told.now(30), "sampledValue": [{"value": "300"}]}]
    told.stops(transactionData=data)


# Id tags


@tells("id-tag-case")
def another_spelling(told: Told) -> None:
    told.asks("Authorize", {"idTagInfo": {"status": "Accepted"}}, idTag="tag")
    told.starts(7)


@tells("expired")
def one_that_has_expired(told: Told) -> None:
    told.second += 100
    info = {"status": "Accepted", "expiryDate": told.now(-50)}
    told.asks("Authorize", {"idTagInfo": info}, idTag="TAG")
    told.asks("Authorize", {"idTagInfo": info | {"status": "Expired"}}, idTag="TAG")
    told.asks("Authorize", {"idTagInfo": info | {"expiryDate": told.now(50)}}, idTag="TAG")


@tells("reservation")
def a_reservation_that_was_cancelled(told: Told) -> None:
    reserve: dict[str, Any] = {"connectorId": 1, "expiryDate": told.now(3600), "idTag": "TAG", "reservationId": 5}
    told.is_asked("ReserveNow", {"status": "Accepted"}, **reserve)
    told.is_asked("CancelReservation", {"status": "Accepted"}, reservationId=5)
    told.is_asked("ReserveNow", {"status": "Accepted"}, **(reserve | {"reservationId": 6}))
    told.starts(7, reservationId=6)
    told.stops()
    told.starts(8, reservationId=5)


# Charging profiles


def profile(**members: Any) -> dict[str, Any]:
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}]}
    return {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": schedule,
    } | members


@tells("profile-connector", 3)
def profiles_where_they_may_not_be(told: Told) -> None:
    accepted = {"status": "Accepted"}
    for connector, purpose in ((1, "ChargePointMaxProfile"), (0, "TxProfile"), (0, "ChargePointMaxProfile")):
        one = profile(chargingProfilePurpose=purpose)
        told.is_asked("SetChargingProfile", accepted, connectorId=connector, csChargingProfiles=one)
    told.is_asked("RemoteStartTransaction", {"status": "Rejected"}, idTag="TAG", chargingProfile=profile())


@tells("periods", 3)
def schedules_that_are_none(told: Told) -> None:
    for starts in ([5], [0, 10, 10], [0, 10, 20]):
        periods = [{"startPeriod": start, "limit": 10} for start in starts]
        schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": periods}
        one = profile(chargingSchedule=schedule)
        told.is_asked("SetChargingProfile", {"status": "Accepted"}, connectorId=1, csChargingProfiles=one)
    one = profile(chargingProfileKind="Recurring")
    told.is_asked("SetChargingProfile", {"status": "Accepted"}, connectorId=1, csChargingProfiles=one)


@tells("schedule-missing")
def a_composite_schedule_without_one(told: Told) -> None:
    for status in ("Accepted", "Rejected"):
        told.is_asked("GetCompositeSchedule", {"status": status}, connectorId=1, duration=60)


# What was accepted


def later(told: Told, seconds: int) -> None:
    told.asks("Heartbeat", {"currentTime": told.now(seconds)}, after=seconds)


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


@tells("trigger")
def a_triggered_message_that_does_not_come(told: Told) -> None:
    for message in ("Heartbeat", "StatusNotification", "FirmwareStatusNotification"):
        told.is_asked("TriggerMessage", {"status": "Accepted"}, requestedMessage=message)
    told.asks("SignedFirmwareStatusNotification", {}, status="Idle")
    later(told, 70)
    assert "StatusNotification" in told.found[0].text


# Firmware and diagnostics


@tells("upload-order")
def an_upload_that_goes_back(told: Told) -> None:
    for status in ("Idle", "Uploading", "Uploaded", "UploadFailed"):
        told.asks("DiagnosticsStatusNotification", {}, status=status)


@tells("update-order", 2)
def an_update_that_goes_back(told: Told) -> None:
    for status in ("Downloading", "Downloaded", "Installing", "Downloading", "Installed", "Downloading"):
        told.asks("FirmwareStatusNotification", {}, status=status)
    for status in ("Installing", "SignatureVerified"):
        told.asks("SignedFirmwareStatusNotification", {}, status=status, requestId=1)


@pytest.mark.parametrize(("rule", "story", "count"), all_stories())
def test_it_is_told(rule: str, story: Story, count: int) -> None:
    told = Told()
    story(told)
    told.end()
    assert [finding.rule for finding in told.found] == [rule] * count
    assert {finding.severity for finding in told.found} <= {RULES[rule].severity}


def test_rules_are_left_out() -> None:
    told = Told(*(RULES.keys() - {"action"}))
    told.asks("SetVendorThing", {}, a=1)
    assert told.found == []


EXCHANGE = {
    *("frame", "id-reused", "one-call", "answers-nothing", "answered-twice", "error-to-answer"),
    *("late-answer", "unanswered", "error-code"),
}
"""They are in test_exchange.py."""


def test_each_rule_has_a_story() -> None:
    assert {rule for rule, stories in STORIES.items() if any(count for _, count in stories)} == (
        RULES.keys() - SIGNED_RULES.keys() - EXCHANGE
    )
