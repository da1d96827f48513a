"""Stories of traffic, each of which breaks one rule of the linter, or only looks as if."""

from collections.abc import Callable

from told import Told

Story = Callable[[Told], object]
STORIES: dict[str, list[tuple[Story, int]]] = {}
"""Rule → stories, each with how often it is told in it."""


def tells(rule: str, count: int = 1) -> Callable[[Story], Story]:
    """The story tells this rule, and no other, so often: 0 for one that only looks as if."""

    def add(story: Story) -> Story:
        STORIES.setdefault(rule, []).append((story, count))
        return story

    return add


def later(told: Told, seconds: int) -> None:
    told.asks("Heartbeat", {"currentTime": told.now(seconds)}, after=seconds)


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


@tells("schema")
def an_id_that_is_a_text_and_is_taken_for_the_number(told: Told) -> None:
    told.starts(transaction_id="7")
    told.meters(150)
    told.stops()
    told.starts(8, meterStart=900)


@tells("schema")
def an_id_that_is_a_text_and_is_taken_for_none(told: Told) -> None:
    told.starts(transaction_id="7")
    told.stops(transactionId=0)
    told.starts(7, meterStart=900, after=30)


@tells("schema", 2)
def an_id_that_is_a_text_on_both_sides(told: Told) -> None:
    told.starts(transaction_id="7")
    told.stops(transactionId="7")
    told.starts(8, meterStart=900)


@tells("schema")
def an_id_that_nobody_can_read(told: Told) -> None:
    told.starts(transaction_id="seven")
    told.starts(8, meterStart=900)


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


@tells("central-time", 0)
def a_recorder_that_sets_its_clock_after_a_while(told: Told) -> None:
    told.asks("Heartbeat", {"currentTime": "2026-01-02T00:00:00Z"})
    told.status("Available", after=5)
    told.second = 86_400
    told.status("Preparing", after=60)


@tells("central-time")
def another_time_that_nobody_sets_his_clock_by(told: Told) -> None:
    told.asks("Heartbeat", {"currentTime": "2025-01-02T00:00:00Z"})
    told.status("Available", after=29)
    assert told.found == []
    told.status("Preparing")
    assert told.found[0].text == "currentTime is -31453202 s off the times of the frames"
    assert told.found[0].line == 2


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


@tells("before-boot", 0)
def what_is_triggered_of_all_connectors_while_pending(told: Told) -> None:
    told.boots("Pending", 10)
    told.is_asked("TriggerMessage", {"status": "Accepted"}, requestedMessage="StatusNotification")
    for connector in (0, 1, 2):
        told.status("Available", connector)


@tells("before-boot")
def one_connector_too_many_while_pending(told: Told) -> None:
    told.boots("Pending", 10)
    told.is_asked("TriggerMessage", {"status": "Accepted"}, requestedMessage="StatusNotification", connectorId=1)
    told.status("Available", 1)
    told.status("Available", 2)


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


@tells("silence", 0)
def heartbeats_by_the_interval_of_the_latest_start(told: Told) -> None:
    told.connected()
    told.boots(interval=300)
    told.status("Available", 0)
    told.is_asked("ChangeConfiguration", {"status": "Accepted"}, key="HeartbeatInterval", value="10")
    told.boots(interval=3600)
    told.status("Available", 0)
    told.status("Available", after=3600)


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


@tells("status-after-boot", 0)
@tells("before-boot", 0)
def a_triggered_boot_whose_answer_was_lost(told: Told) -> None:
    told.connected()
    told.boots()
    told.status("Available", 0)
    for is_sent in (True, False):
        told.is_asked("TriggerMessage", {"status": "Accepted"}, requestedMessage="BootNotification")
        if is_sent:
            told.asks("BootNotification", chargePointVendor="V", chargePointModel="M")
        told.connected()
        told.asks("BootNotification", chargePointVendor="V", chargePointModel="M")
        told.asks("StatusNotification", {}, after=40, connectorId=0, errorCode="NoError", status="Available")
        told.connected()
        told.boots()
        later(told, 130)


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
