"""Regular sessions: who comes first, how it ends, whose card ends it."""

from collections.abc import Callable

import pytest
from outside import Outside

Begin = Callable[..., Outside]


def test_tc_003_plug_first(begin: Begin) -> None:
    """Plug, then card: Preparing, Authorize, StartTransaction, Charging; the card again ends it with reason Local."""
    one = begin()
    one.plug_in()
    one.status(1, "Preparing", errorCode="NoError")
    one.card("CARD", 1)
    one.expect("Authorize", idTag="CARD")
    start = one.expect("StartTransaction", connectorId=1, idTag="CARD")
    one.status(1, "Charging")
    number = one.told("transaction", phase="confirmed")["transaction_id"]
    one.card("CARD", 1)
    stop = one.expect("StopTransaction", transactionId=number)
    # Local is the default and may be left out (edition 2, 6.49); ours is explicit.
    assert (stop.get("reason", "Local"), stop.get("idTag")) == ("Local", "CARD")
    assert stop["meterStop"] >= start["meterStart"]
    one.status(1, "Finishing")
    one.unplug()
    one.status(1, "Available")
    assert len(one.calls("Authorize")) == 1


def test_tc_004_1_card_first(begin: Begin) -> None:
    """Card, then plug: Preparing comes with the card, StartTransaction with the plug."""
    one = begin()
    one.card("CARD", 1)
    one.expect("Authorize", idTag="CARD")
    one.status(1, "Preparing")
    one.settle()
    assert one.calls("StartTransaction") == []
    one.plug_in()
    one.charges()


def test_tc_004_2_card_first_and_nobody_comes(begin: Begin) -> None:
    """No plug within ConnectionTimeOut: Available again, and a plug alone starts nothing."""
    one = begin(Core={"ConnectionTimeOut": 1})
    one.card("CARD", 1)
    one.status(1, "Preparing")
    one.status(1, "Available")
    one.plug_in()
    one.status(1, "Preparing")
    one.settle()
    assert one.calls("StartTransaction") == []


@pytest.mark.parametrize("unlocks", [True, False])
def test_tc_005_1_unplugged_at_the_car(begin: Begin, unlocks: bool) -> None:
    """StopTransactionOnEVSideDisconnect: a plug pulled at the car ends the transaction, reason EVDisconnected."""
    one = begin(Core={"UnlockConnectorOnEVSideDisconnect": unlocks})
    number = one.charge()
    one.unplug()
    stop = one.expect("StopTransaction", transactionId=number, reason="EVDisconnected")
    assert "idTag" not in stop
    one.status(1, "Available")


def test_tc_005_2_unplugged_at_the_car_and_it_goes_on(begin: Begin) -> None:
    """StopTransactionOnEVSideDisconnect false: SuspendedEV without the car, and it charges on when it is back."""
    one = begin(Core={"StopTransactionOnEVSideDisconnect": False, "UnlockConnectorOnEVSideDisconnect": False})
    number = one.charge()
    one.unplug()
    one.status(1, "SuspendedEV")
    one.plug_in()
    one.status(1, "Charging")
    assert one.calls("StopTransaction") == []
    one.card("CARD", 1)
    one.expect("StopTransaction", transactionId=number)


def test_tc_005_3_unplugged_at_the_car_and_stopped_then(begin: Begin) -> None:
    """The same; stopped by the Central System while the car is away, the connector is free."""
    one = begin(Core={"StopTransactionOnEVSideDisconnect": False, "UnlockConnectorOnEVSideDisconnect": False})
    number = one.charge()
    one.unplug()
    one.status(1, "SuspendedEV")
    assert one.ask("RemoteStopTransaction", transactionId=number) == "Accepted"
    one.expect("StopTransaction", transactionId=number, reason="Remote")
    one.status(1, "Available")


@pytest.mark.parametrize("written", ["CARD", "card"])
def test_tc_068_the_card_that_began_ends_it(begin: Begin, written: str) -> None:
    """It stops without another Authorize; id tags compare without regard to case."""
    one = begin()
    number = one.charge()
    one.card(written, 1)
    stop = one.expect("StopTransaction", transactionId=number)
    assert stop["idTag"].upper() == "CARD"
    assert len(one.calls("Authorize")) == 1


def test_tc_069_a_card_of_the_same_group_ends_it(begin: Begin) -> None:
    """Another card with the parent id of the one that began: authorized, then it stops, and its tag is in the stop."""
    one = begin(Core={"NumberOfConnectors": 1})
    one.id_tag_info("Authorize", "Accepted", parentIdTag="GROUP")
    number = one.charge()
    one.card("OTHER", 1)
    one.expect("Authorize", idTag="OTHER")
    one.expect("StopTransaction", transactionId=number, idTag="OTHER")


def test_a_card_of_another_group_ends_nothing(begin: Begin) -> None:
    """A stranger's card at the reader of a connector that charges: the transaction goes on."""
    one = begin(Core={"NumberOfConnectors": 1})
    one.id_tag_info("Authorize", "Accepted", parentIdTag="GROUP")
    number = one.charge()
    one.id_tag_info("Authorize", "Accepted", parentIdTag="OTHERS")
    one.card("OTHER", 1)
    one.expect("Authorize", idTag="OTHER")
    one.settle()
    assert one.calls("StopTransaction") == []
    one.card("CARD", 1)
    one.expect("StopTransaction", transactionId=number)


def test_two_connectors_charge_at_once(begin: Begin) -> None:
    """Each transaction has its connector, its tag, its id, and ends for itself."""
    one = begin()
    first, second = one.charge(1, "ONE"), one.charge(2, "TWO")
    assert first != second
    one.unplug(1)
    one.expect("StopTransaction", transactionId=first)
    one.status(1, "Available")
    assert one.calls("StopTransaction", transactionId=second) == []
    one.card("TWO", 2)
    one.expect("StopTransaction", transactionId=second)


def test_a_car_that_pauses_and_goes_on(begin: Begin) -> None:
    """SuspendedEV while it does not draw what it is offered, then Charging again, one transaction all the time."""
    one = begin()
    one.charge()
    one.do("pause_drawing", connector=1)
    one.status(1, "SuspendedEV")
    one.do("resume_drawing", connector=1)
    one.status(1, "Charging")
    assert len(one.calls("StartTransaction")) == 1


def test_what_is_measured_grows(begin: Begin) -> None:
    """meterStart and meterStop are whole Wh, start is the register at that time, and the times are in order."""
    one = begin()
    one.charge()
    one.unplug()
    start, stop = one.calls("StartTransaction")[0], one.expect("StopTransaction")
    assert 0 <= start["meterStart"] <= stop["meterStop"]
    assert start["timestamp"] <= stop["timestamp"]


def test_after_a_session_the_next_one(begin: Begin) -> None:
    """The connector is as good as new: another card, another transaction."""
    one = begin()
    first = one.charge(1, "ONE")
    one.unplug()
    one.status(1, "Available")
    assert one.charge(1, "TWO") != first
