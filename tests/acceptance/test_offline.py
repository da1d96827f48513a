"""Power and connection that fail, and what is delivered afterwards."""

from collections.abc import Callable

import pytest
from outside import Outside

Begin = Callable[..., Outside]


def transaction_story(one: Outside) -> list[str]:
    """The calls about transactions, in order."""
    about = ("StartTransaction", "MeterValues", "StopTransaction")
    return [frame[2] for event, frame in one.lines() if event == "received" and frame[0] == 2 and frame[2] in about]


def test_tc_032_1_power_failure_stops(begin: Begin) -> None:
    """Found open at the start: StopTransaction, reason PowerLoss, after the boot was accepted."""
    one = begin()
    number = one.charge()
    one.power_cut()
    one.power_up()
    one.expect("BootNotification")
    one.expect("StopTransaction", transactionId=number, reason="PowerLoss")
    one.settle()
    assert len(one.calls("StopTransaction")) == 1


def test_tc_032_2_power_failure_resumes(begin: Begin) -> None:
    """Configured to resume: the transaction goes on, and ends once."""
    one = begin(station={"power_loss_policy": "resume"})
    number = one.charge()
    one.power_cut()
    one.power_up()
    one.expect("BootNotification")
    one.status(1, "Charging")
    assert one.calls("StopTransaction") == []
    assert one.ask("RemoteStopTransaction", transactionId=number) == "Accepted"
    one.expect("StopTransaction", transactionId=number, reason="Remote")
    assert len(one.calls("StartTransaction")) == 1


def test_power_failure_before_the_transaction_id_is_known(begin: Begin) -> None:
    """StartTransaction was never answered: it is sent again, then the stop with the id it got."""
    one = begin()
    one.is_answered = False
    one.answer_next("StartTransaction", None)
    one.plug_in()
    one.card("CARD", 1)
    first = one.expect("StartTransaction")
    one.power_cut()
    one.power_up()
    assert one.expect("StartTransaction") == first
    number = one.told("transaction", phase="confirmed")["transaction_id"]
    one.expect("StopTransaction", transactionId=number, reason="PowerLoss")


def test_tc_036_connection_loss_during_a_transaction(begin: Begin) -> None:
    """It goes on while nobody listens, and stops with its id afterwards."""
    one = begin(Core={"MeterValueSampleInterval": 1})
    number = one.charge()
    one.offline()
    one.online()
    one.expect("MeterValues", transactionId=number)
    one.unplug()
    one.expect("StopTransaction", transactionId=number)
    assert len(one.calls("StartTransaction")) == 1


def test_tc_037_1_offline_start_of_a_valid_tag(begin: Begin) -> None:
    """Started offline: StartTransaction with its own time once there is a connection; it goes on."""
    one = begin(Core={"AllowOfflineTxForUnknownId": True})
    one.offline()
    one.plug_in()
    one.card("CARD", 1)
    one.told("transaction", phase="started")
    one.online()
    start = one.expect("StartTransaction", connectorId=1, idTag="CARD")
    status = one.calls("StatusNotification", connectorId=1, status="Charging")[-1]
    assert start["timestamp"] <= status["timestamp"]
    number = one.told("transaction", phase="confirmed")["transaction_id"]
    one.unplug()
    one.expect("StopTransaction", transactionId=number)


@pytest.mark.parametrize("stops", [True, False])
def test_tc_037_2_offline_start_of_a_tag_that_is_invalid(begin: Begin, stops: bool) -> None:
    """StartTransaction.conf Invalid, afterwards: DeAuthorized, or no more energy (StopTransactionOnInvalidId)."""
    one = begin(
        Core={"AllowOfflineTxForUnknownId": True, "StopTransactionOnInvalidId": stops, "MaxEnergyOnInvalidId": 0}
    )
    one.id_tag_info("StartTransaction", "Invalid")
    one.offline()
    one.plug_in()
    one.card("CARD", 1)
    one.told("transaction", phase="started")
    one.online()
    one.expect("StartTransaction")
    if stops:
        one.expect("StopTransaction", reason="DeAuthorized")
    else:
        one.status(1, "SuspendedEVSE")


@pytest.mark.parametrize("how", ["card", "unplugged"])
def test_tc_038_offline_stop(begin: Begin, how: str) -> None:
    """Stopped offline: StopTransaction is delivered, with the reason and the time it had."""
    one = begin()
    number = one.charge()
    one.offline()
    if how == "card":
        one.card("CARD", 1)
    else:
        one.unplug()
    one.told("transaction", phase="stopped")
    one.online()
    stop = one.expect("StopTransaction", transactionId=number)
    assert stop.get("reason", "Local") == ("Local" if how == "card" else "EVDisconnected")


def test_tc_039_offline_transaction(begin: Begin) -> None:
    """Start and stop offline: both are delivered in order, the stop with the id that the start got."""
    one = begin(Core={"AllowOfflineTxForUnknownId": True, "MeterValueSampleInterval": 1})
    one.offline()
    one.plug_in()
    one.card("CARD", 1)
    one.told("transaction", phase="started")
    one.do("pause_drawing", connector=1)
    one.unplug()
    one.told("transaction", phase="stopped")
    one.online()
    one.expect("StartTransaction", idTag="CARD")
    number = one.told("transaction", phase="confirmed")["transaction_id"]
    one.expect("StopTransaction", transactionId=number, reason="EVDisconnected")
    story = transaction_story(one)
    assert (story[0], story[-1]) == ("StartTransaction", "StopTransaction")


def test_an_offline_transaction_over_a_power_cut(begin: Begin) -> None:
    """What was to be told lies on disk."""
    one = begin(Core={"AllowOfflineTxForUnknownId": True})
    one.offline()
    one.plug_in()
    one.card("CARD", 1)
    one.told("transaction", phase="started")
    one.unplug()
    one.told("transaction", phase="stopped")
    assert one.do("status")["queue_depth"] >= 2
    one.power_cut()
    one.script("listen")
    one.power_up()
    one.expect("BootNotification")
    one.expect("StartTransaction", idTag="CARD")
    number = one.told("transaction", phase="confirmed")["transaction_id"]
    one.expect("StopTransaction", transactionId=number)
    one.settle()
    assert transaction_story(one) == ["StartTransaction", "StopTransaction"]


def test_several_offline_transactions_in_their_order(begin: Begin) -> None:
    """Three, one after another: each stop has the id of its own start."""
    one = begin(Core={"AllowOfflineTxForUnknownId": True})
    one.offline()
    for tag in ("A1", "B2", "C3"):
        one.plug_in()
        one.card(tag, 1)
        one.told("transaction", phase="started", id_tag=tag)
        one.unplug()
        one.told("transaction", phase="stopped")
        one.told("status", connector=1, status="Available")
    one.online()
    one.wait_for_count("StopTransaction", 3)
    assert [start["idTag"] for start in one.calls("StartTransaction")] == ["A1", "B2", "C3"]
    assert transaction_story(one) == ["StartTransaction", "StopTransaction"] * 3
    ids = [stop["transactionId"] for stop in one.calls("StopTransaction")]
    assert ids == sorted(set(ids))


def test_late_refusal_of_an_ended_transaction_touches_nothing(begin: Begin) -> None:
    """The tag of an offline transaction turns out Invalid when another one charges there: that goes on."""
    one = begin(Core={"AllowOfflineTxForUnknownId": True})
    one.offline()
    one.plug_in()
    one.card("BAD", 1)
    one.told("transaction", phase="started", id_tag="BAD")
    one.unplug()
    one.told("transaction", phase="stopped")
    one.told("status", connector=1, status="Available")
    one.plug_in()
    one.card("GOOD", 1)
    one.told("transaction", phase="started", id_tag="GOOD")
    one.answer_next("StartTransaction", {"transactionId": 9001, "idTagInfo": {"status": "Invalid"}})
    one.online()
    one.expect("StopTransaction", transactionId=9001)
    one.expect("StartTransaction", idTag="GOOD")
    one.settle()
    assert len(one.calls("StopTransaction")) == 1
    assert one.statuses(1)[-1] == "Charging"


@pytest.mark.parametrize("attempts", [1, 3])
def test_a_start_answered_by_errors_is_given_up(begin: Begin, attempts: int) -> None:
    """TransactionMessageAttempts sends in all, each with an id of its own; then the stop is sent all the same."""
    one = begin(Core={"TransactionMessageAttempts": attempts, "TransactionMessageRetryInterval": 1})
    one.answer_next("StartTransaction", *["InternalError"] * attempts)
    one.plug_in()
    one.card("CARD", 1)
    one.told("message_given_up", action="StartTransaction")
    one.unplug()
    one.expect("StopTransaction")
    one.settle()
    assert len(one.calls("StartTransaction")) == attempts
    (letter,) = one.do("dead_letters")
    assert letter["action"] == "StartTransaction"


def test_a_dead_letter_is_sent_again_when_told_to(begin: Begin) -> None:
    """A StopTransaction that was given up is kept, and delivered on demand."""
    one = begin(Core={"TransactionMessageAttempts": 1})
    number = one.charge()
    one.answer_next("StopTransaction", "InternalError")
    one.unplug()
    one.told("message_given_up", action="StopTransaction")
    assert one.do("resend_dead_letters") == 1
    one.wait_for_count("StopTransaction", 2)
    first, second = one.calls("StopTransaction", transactionId=number)
    assert first == second
    assert one.do("dead_letters") == []


def test_a_lost_connection_uses_up_no_attempt(begin: Begin) -> None:
    """TransactionMessageAttempts 1, and the connection breaks before the answer: it is sent again."""
    one = begin(Core={"TransactionMessageAttempts": 1})
    number = one.charge()
    one.is_answered = False
    one.answer_next("StopTransaction", None)
    one.unplug()
    one.expect("StopTransaction", transactionId=number)
    one.script("abort", identity=one.identity)
    one.expect("StopTransaction", transactionId=number)
    one.settle()
    assert one.do("dead_letters") == []


def test_status_of_offline_is_told_once(begin: Begin) -> None:
    """What changed and changed back while nobody listened is no story: the present is told."""
    one = begin()
    one.offline()
    one.plug_in()
    one.told("status", connector=1, status="Preparing")
    one.unplug()
    one.told("status", connector=1, status="Available")
    one.online()
    one.settle()
    assert "Preparing" not in one.statuses(1)
    assert one.statuses(1)[-1] == "Available"


def test_meter_values_wait_for_the_id_of_their_transaction(begin: Begin) -> None:
    """Taken before StartTransaction was answered: they go out behind it, with its id."""
    one = begin(Core={"AllowOfflineTxForUnknownId": True, "MeterValueSampleInterval": 1})
    one.offline()
    one.plug_in()
    one.card("CARD", 1)
    one.told("transaction", phase="started")
    one.wait_for_queue(3, 1000)
    one.online()
    one.expect("StartTransaction")
    number = one.told("transaction", phase="confirmed")["transaction_id"]
    one.wait_for_count("MeterValues", 2)
    assert {values.get("transactionId") for values in one.calls("MeterValues")} == {number}
    assert transaction_story(one)[0] == "StartTransaction"


def test_the_same_message_after_a_power_cut(begin: Begin) -> None:
    """A StopTransaction that was sent and not answered comes again, the same, after the power came back."""
    one = begin()
    number = one.charge()
    one.is_answered = False
    one.answer_next("StopTransaction", None)
    one.unplug()
    first = one.expect("StopTransaction", transactionId=number)
    one.power_cut()
    one.power_up()
    assert one.expect("StopTransaction", transactionId=number) == first
