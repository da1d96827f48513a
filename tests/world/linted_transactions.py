"""Stories of transactions, id tags and charging profiles, each of which breaks one rule of the linter."""

from typing import Any

from linted_stories import STORIES as STORIES
from linted_stories import tells
from told import Told

# Transactions


@tells("start-while-running")
def a_second_transaction_on_a_connector(told: Told) -> None:
    told.starts(7)
    told.starts(8, connectorId=2)
    told.starts(9)


@tells("start-while-running", 0)
def a_delivery_that_begins_anew_after_a_power_cut(told: Told) -> None:
    begin, later = told.now(), told.now(100)
    told.starts(7, timestamp=begin)
    end = told.now()
    told.stops(timestamp=end)
    told.starts(8, timestamp=later)
    told.starts(7, timestamp=begin)
    told.stops(timestamp=end)


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
    told.connected()
    told.starts(None, connectorId=2)
    told.connected()
    told.starts(9, connectorId=2, timestamp=told.now(700))
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


@tells("values-after-stop", 0)
def values_without_an_answer(told: Told) -> None:
    told.starts(7)
    told.second += 5
    values = [{"timestamp": told.now(), "sampledValue": [{"value": "200"}]}]
    told.meters(meterValue=values)
    told.stops()
    told.meters(meterValue=values)


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


@tells("central-time")
def a_clock_that_the_central_system_sets_back(told: Told) -> None:
    told.second += 7200
    told.asks("Heartbeat", {"currentTime": told.now()})
    told.starts(7)
    told.second += 600
    told.meters(200)
    told.asks("Heartbeat", {"currentTime": told.now(-7200)}, after=1)
    told.meters(250, 300, at=(-10, -7190))
    told.second += 40
    data = [
        {"timestamp": told.now(shift), "sampledValue": [{"value": str(energy)}]}
        for shift, energy in ((-200, 150), (-7190, 300))
    ]
    told.stops(timestamp=told.now(-7199), transactionData=data)
    told.status("Available")
    assert told.found[0].side == "central system"


@tells("time-falls")
def values_that_fall_further_than_the_clock(told: Told) -> None:
    told.asks("Heartbeat", {"currentTime": told.now()})
    told.starts(7)
    told.second += 3600
    told.asks("Heartbeat", {"currentTime": told.now(-60)})
    told.meters(250, 300, at=(-10, -80))


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
