"""ReserveNow and CancelReservation."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from outside import Outside

Begin = Callable[..., Outside]


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="seconds").replace("+00:00", "Z")


def reserve(one: Outside, connector: int = 1, id_tag: str = "MINE", **members: Any) -> str:
    payload = {"reservationId": 1, "expiryDate": in_seconds(3600), **members}
    return one.ask("ReserveNow", connectorId=connector, idTag=id_tag, **payload)


def test_tc_046_reserve_and_start(begin: Begin) -> None:
    """Reserved; the tag it is for starts, and StartTransaction carries the reservation."""
    one = begin()
    assert reserve(one, reservationId=42) == "Accepted"
    one.status(1, "Reserved")
    one.card("MINE", 1)
    one.status(1, "Preparing")
    one.plug_in()
    start = one.expect("StartTransaction", connectorId=1, idTag="MINE")
    assert start["reservationId"] == 42
    one.told("reservation", state="used", reservation_id=42)
    assert one.do("reservations") == []


def test_tc_046_plug_first_at_a_reserved_connector(begin: Begin) -> None:
    """A plug alone leaves it Reserved; the card then starts."""
    one = begin()
    assert reserve(one) == "Accepted"
    one.status(1, "Reserved")
    one.plug_in()
    one.settle()
    assert one.statuses(1)[-1] == "Reserved"
    one.card("MINE", 1)
    assert one.expect("StartTransaction", idTag="MINE")["reservationId"] == 1


def test_another_tag_at_a_reserved_connector(begin: Begin) -> None:
    """Nothing starts, and it stays Reserved."""
    one = begin()
    assert reserve(one) == "Accepted"
    one.status(1, "Reserved")
    one.plug_in()
    one.card("OTHER", 1)
    one.settle()
    assert one.calls("StartTransaction") == []
    assert one.statuses(1)[-1] == "Reserved"


def test_tc_047_a_reservation_expires(begin: Begin) -> None:
    """Available again at expiryDate; then anybody may charge."""
    one = begin()
    assert reserve(one, expiryDate=in_seconds(6)) == "Accepted"
    one.status(1, "Reserved")
    one.status(1, "Available")
    one.told("reservation", state="expired", reservation_id=1)
    one.charge(1, "OTHER")
    assert "reservationId" not in one.calls("StartTransaction")[0]


def test_tc_048_1_faulted(begin: Begin) -> None:
    """A connector with a fault."""
    one = begin()
    one.do("raise_fault", connector=1, error="GroundFailure")
    one.status(1, "Faulted")
    assert reserve(one) == "Faulted"


@pytest.mark.parametrize("situation", ["Preparing", "Charging", "Finishing", "Reserved"])
def test_tc_048_2_occupied(begin: Begin, situation: str) -> None:
    """A connector that somebody uses, or has reserved."""
    one = begin()
    if situation == "Reserved":
        assert reserve(one, reservationId=9) == "Accepted"
    elif situation == "Preparing":
        one.plug_in()
    else:
        one.charge()
        if situation == "Finishing":
            one.card("CARD", 1)
    one.settle()
    assert one.statuses(1)[-1] == situation
    assert reserve(one) == "Occupied"


@pytest.mark.parametrize("connector", [0, 1])
def test_tc_048_3_unavailable(begin: Begin, connector: int) -> None:
    """A connector that is switched off, alone or with the whole charge point."""
    one = begin()
    assert one.ask("ChangeAvailability", connectorId=connector, type="Inoperative") == "Accepted"
    one.status(1, "Unavailable")
    assert reserve(one) == "Unavailable"


def test_tc_048_4_rejected(begin: Begin) -> None:
    """Connector 0 where ReserveConnectorZeroSupported is false."""
    one = begin(Reservation={"ReserveConnectorZeroSupported": False})
    assert reserve(one, 0) == "Rejected"


def test_reservation_that_has_expired_before_it_begins(idle: Outside) -> None:
    """expiryDate in the past: Rejected."""
    assert reserve(idle, expiryDate="2020-01-01T00:00:00Z") == "Rejected"
    assert idle.do("reservations") == []


@pytest.mark.parametrize("connector", [3, -1])
def test_reservation_of_no_connector(idle: Outside, connector: int) -> None:
    """Rejected, or a CALLERROR for what can be none."""
    payload = {"connectorId": connector, "idTag": "MINE", "reservationId": 1, "expiryDate": in_seconds(3600)}
    assert idle.ask_badly("ReserveNow", payload)[2] in ({"status": "Rejected"}, "PropertyConstraintViolation")


def test_tc_049_reserve_the_charge_point(begin: Begin) -> None:
    """Connector 0: no connector in particular; the tag starts at any, with the reservation."""
    one = begin()
    assert reserve(one, 0, reservationId=5) == "Accepted"
    one.plug_in(2)
    one.status(2, "Preparing")
    one.card("MINE", 2)
    assert one.expect("StartTransaction", connectorId=2, idTag="MINE")["reservationId"] == 5


def test_a_reserved_charge_point_keeps_one_connector(begin: Begin) -> None:
    """Connector 0 reserved, one of two in use by others: the last is kept."""
    one = begin()
    assert reserve(one, 0) == "Accepted"
    one.charge(1, "OTHER")
    one.plug_in(2)
    one.card("THIRD", 2)
    one.settle()
    assert one.calls("StartTransaction", connectorId=2) == []
    one.card("MINE", 2)
    assert one.expect("StartTransaction", connectorId=2)["idTag"] == "MINE"


def test_tc_051_cancel(begin: Begin) -> None:
    """Accepted, and Available."""
    one = begin()
    assert reserve(one, reservationId=7) == "Accepted"
    one.status(1, "Reserved")
    assert one.ask("CancelReservation", reservationId=7) == "Accepted"
    one.status(1, "Available")
    one.charge(1, "OTHER")


def test_tc_052_cancel_what_is_not_there(begin: Begin) -> None:
    """Rejected; what there is stays."""
    one = begin()
    assert reserve(one, reservationId=7) == "Accepted"
    one.status(1, "Reserved")
    assert one.ask("CancelReservation", reservationId=8) == "Rejected"
    assert len(one.do("reservations")) == 1


def test_tc_053_parent_id(begin: Begin) -> None:
    """Reserved for a group: a card whose parent id is that one may have it."""
    one = begin()
    one.id_tag_info("Authorize", "Accepted", parentIdTag="GROUP")
    assert reserve(one, parentIdTag="GROUP") == "Accepted"
    one.status(1, "Reserved")
    one.card("COLLEAGUE", 1)
    one.expect("Authorize", idTag="COLLEAGUE")
    one.plug_in()
    assert one.expect("StartTransaction", idTag="COLLEAGUE")["reservationId"] == 1


def test_a_stranger_of_another_group(begin: Begin) -> None:
    """Another parent id: it stays Reserved."""
    one = begin()
    one.id_tag_info("Authorize", "Accepted", parentIdTag="OTHERS")
    assert reserve(one, parentIdTag="GROUP") == "Accepted"
    one.status(1, "Reserved")
    one.plug_in()
    one.card("STRANGER", 1)
    one.expect("Authorize", idTag="STRANGER")
    one.settle()
    assert one.calls("StartTransaction") == []


@pytest.mark.parametrize("connector", [1, 2])
def test_the_same_id_replaces(begin: Begin, connector: int) -> None:
    """A second ReserveNow with the id of the first takes its place (§5.13)."""
    one = begin()
    assert reserve(one, 1, "FIRST") == "Accepted"
    one.status(1, "Reserved")
    assert reserve(one, connector, "SECOND") == "Accepted"
    if connector == 2:
        one.settle()
        assert (one.statuses(1)[-1], one.statuses(2)[-1]) == ("Available", "Reserved")
    (left,) = one.do("reservations")
    assert (left["id_tag"].upper(), left["connector"]) == ("SECOND", connector)


def test_a_reservation_survives_a_power_cut(begin: Begin) -> None:
    """Accepted means stored: Reserved after kill -9, for the same tag."""
    one = begin()
    assert reserve(one, reservationId=3) == "Accepted"
    one.status(1, "Reserved")
    one.power_cut()
    one.power_up()
    one.expect("BootNotification")
    one.status(1, "Reserved")
    one.plug_in()
    one.card("MINE", 1)
    assert one.expect("StartTransaction")["reservationId"] == 3


def test_a_remote_start_at_a_reserved_connector(begin: Begin) -> None:
    """Rejected for another tag, Accepted for the one it is for."""
    one = begin()
    assert reserve(one) == "Accepted"
    one.status(1, "Reserved")
    assert one.ask("RemoteStartTransaction", connectorId=1, idTag="OTHER") == "Rejected"
    assert one.ask("RemoteStartTransaction", connectorId=1, idTag="MINE") == "Accepted"
    one.plug_in()
    assert one.expect("StartTransaction", idTag="MINE")["reservationId"] == 1


def test_a_fault_does_not_end_a_reservation(begin: Begin) -> None:
    """Faulted while it lasts, then Reserved again."""
    one = begin()
    assert reserve(one) == "Accepted"
    one.status(1, "Reserved")
    one.do("raise_fault", connector=1, error="GroundFailure")
    one.settle()
    assert one.statuses(1)[-1] == "Faulted"
    one.do("clear_fault", connector=1, error="GroundFailure")
    one.settle()
    assert one.statuses(1)[-1] == "Reserved"


def test_reservation_without_the_profile(begin: Begin) -> None:
    """Not in SupportedFeatureProfiles: NotSupported as CALLERROR, or Rejected."""
    one = begin(Core={"SupportedFeatureProfiles": "Core,RemoteTrigger"})
    assert reserve(one) in ("NotSupported", "Rejected")
    assert one.ask("CancelReservation", reservationId=1) in ("NotSupported", "Rejected")
