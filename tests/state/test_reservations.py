"""Who may have a reserved connector: rows of connectors and reservations, and what must come of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ocpp16._core.by_number import ByNumber
from ocpp16.enums import AvailabilityType, ChargePointErrorCode, ReservationCheckStatus, ReservationStatus
from ocpp16.enums import ChargePointStatus as S
from ocpp16.models import ErrorInfo, Reservation
from ocpp16.state.connector import Connector
from ocpp16.state.connector_table import ConnectorEvent
from ocpp16.state.reservations import Reservations, is_for

END = datetime(2030, 1, 1, tzinfo=UTC)
CHECK = ReservationCheckStatus


def reservation(number: int, connector_id: int, id_tag: str = "TAG", parent: str | None = None) -> Reservation:
    return Reservation(number, connector_id, id_tag, parent, END + timedelta(seconds=number))


class Site:
    """Connector 0 and those of the given statuses."""

    def __init__(self, *statuses: S, running: tuple[int, ...] = ()) -> None:
        self.connectors = ByNumber({0: Connector(0)})
        self.connectors.update({number: Connector(number, status) for number, status in enumerate(statuses, 1)})
        self.kept = Reservations(self.connectors, running.__contains__)

    def having(self, *reservations: Reservation) -> "Site":
        for one in reservations:
            self.kept.put(one)
        for number in self.kept.kept():
            self.connectors[number].is_reserved = True
            self.connectors[number].submit(ConnectorEvent.RESERVE_CONNECTOR, 0)
        return self

    def answer(self, wanted: Reservation, *, zero: bool = True, over: bool = False) -> ReservationStatus:
        return self.kept.answer(wanted, is_zero_supported=zero, has_expired=over)


def faulted(site: Site, connector_id: int) -> Site:
    fault = ErrorInfo(ChargePointErrorCode.GROUND_FAILURE, is_fault=True)
    site.connectors[connector_id].raise_error(fault, 0)
    return site


def going_out(site: Site, connector_id: int) -> Site:
    site.connectors[connector_id].availability = AvailabilityType.INOPERATIVE
    return site


ANSWERS: list[tuple[str, Site, Reservation, dict[str, Any], ReservationStatus]] = [
    ("free", Site(S.AVAILABLE), reservation(1, 1), {}, ReservationStatus.ACCEPTED),
    ("no such connector", Site(S.AVAILABLE), reservation(1, 2), {}, ReservationStatus.REJECTED),
    ("a fault", faulted(Site(S.AVAILABLE), 1), reservation(1, 1), {}, ReservationStatus.FAULTED),
    (
        "a fault before all else",
        faulted(Site(S.CHARGING), 1),
        reservation(1, 1),
        {"over": True},
        ReservationStatus.FAULTED,
    ),
    ("a fault of the charge point", faulted(Site(S.AVAILABLE), 0), reservation(1, 1), {}, ReservationStatus.FAULTED),
    (
        "the charge point out of service",
        going_out(Site(S.AVAILABLE), 0),
        reservation(1, 1),
        {},
        ReservationStatus.UNAVAILABLE,
    ),
    ("Preparing", Site(S.PREPARING), reservation(1, 1), {}, ReservationStatus.OCCUPIED),
    ("Preparing before the time", Site(S.PREPARING), reservation(1, 1), {"over": True}, ReservationStatus.OCCUPIED),
    ("Charging", Site(S.CHARGING), reservation(1, 1), {}, ReservationStatus.OCCUPIED),
    ("SuspendedEV", Site(S.SUSPENDED_EV), reservation(1, 1), {}, ReservationStatus.OCCUPIED),
    ("SuspendedEVSE", Site(S.SUSPENDED_EVSE), reservation(1, 1), {}, ReservationStatus.OCCUPIED),
    ("Finishing", Site(S.FINISHING), reservation(1, 1), {}, ReservationStatus.OCCUPIED),
    ("a transaction", Site(S.AVAILABLE, running=(1,)), reservation(1, 1), {}, ReservationStatus.OCCUPIED),
    ("Unavailable", Site(S.UNAVAILABLE), reservation(1, 1), {}, ReservationStatus.UNAVAILABLE),
    (
        "a transaction out of service",
        Site(S.UNAVAILABLE, running=(1,)),
        reservation(1, 1),
        {},
        ReservationStatus.OCCUPIED,
    ),
    (
        "about to go out of service",
        going_out(Site(S.AVAILABLE), 1),
        reservation(1, 1),
        {},
        ReservationStatus.UNAVAILABLE,
    ),
    ("over already", Site(S.AVAILABLE), reservation(1, 1), {"over": True}, ReservationStatus.REJECTED),
    ("over, and Unavailable", Site(S.UNAVAILABLE), reservation(1, 1), {"over": True}, ReservationStatus.REJECTED),
    ("for nobody", Site(S.AVAILABLE), reservation(1, 1, ""), {}, ReservationStatus.REJECTED),
    ("taken", Site(S.AVAILABLE).having(reservation(1, 1)), reservation(2, 1), {}, ReservationStatus.OCCUPIED),
    (
        "the same id",
        Site(S.AVAILABLE).having(reservation(1, 1)),
        reservation(1, 1, "X"),
        {},
        ReservationStatus.ACCEPTED,
    ),
    ("the host's own", Site(S.RESERVED), reservation(1, 1), {}, ReservationStatus.OCCUPIED),
    # Connector 0
    ("0 not supported", Site(S.AVAILABLE), reservation(1, 0), {"zero": False}, ReservationStatus.REJECTED),
    ("0", Site(S.AVAILABLE), reservation(1, 0), {}, ReservationStatus.ACCEPTED),
    ("0 faulted", faulted(Site(S.AVAILABLE), 0), reservation(1, 0), {"zero": False}, ReservationStatus.FAULTED),
    ("0 out of service", going_out(Site(S.AVAILABLE), 0), reservation(1, 0), {}, ReservationStatus.UNAVAILABLE),
    ("0, all faulted", faulted(Site(S.AVAILABLE), 1), reservation(1, 0), {}, ReservationStatus.FAULTED),
    ("0, all out", faulted(Site(S.AVAILABLE, S.UNAVAILABLE), 1), reservation(1, 0), {}, ReservationStatus.UNAVAILABLE),
    ("0, all used", Site(S.CHARGING, S.UNAVAILABLE), reservation(1, 0), {}, ReservationStatus.OCCUPIED),
    ("0 once more", Site(S.AVAILABLE).having(reservation(1, 0)), reservation(2, 0), {}, ReservationStatus.OCCUPIED),
    (
        "0 the same id",
        Site(S.AVAILABLE).having(reservation(1, 0)),
        reservation(1, 0, "X"),
        {},
        ReservationStatus.ACCEPTED,
    ),
    (
        "0 twice, two free",
        Site(S.AVAILABLE, S.AVAILABLE).having(reservation(1, 0)),
        reservation(2, 0),
        {},
        ReservationStatus.ACCEPTED,
    ),
    (
        "the last free one",
        Site(S.AVAILABLE).having(reservation(1, 0)),
        reservation(2, 1),
        {},
        ReservationStatus.OCCUPIED,
    ),
    (
        "one of two free",
        Site(S.AVAILABLE, S.AVAILABLE).having(reservation(1, 0)),
        reservation(2, 1),
        {},
        ReservationStatus.ACCEPTED,
    ),
    (
        "0 becomes one of a connector",
        Site(S.AVAILABLE).having(reservation(1, 0)),
        reservation(1, 1),
        {},
        ReservationStatus.ACCEPTED,
    ),
    (
        "a connector's becomes one of 0",
        Site(S.AVAILABLE, S.CHARGING).having(reservation(1, 1)),
        reservation(1, 0),
        {},
        ReservationStatus.ACCEPTED,
    ),
]


@pytest.mark.parametrize(
    ("site", "wanted", "how", "status"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS]
)
def test_the_answer(site: Site, wanted: Reservation, how: dict[str, Any], status: ReservationStatus) -> None:
    before = list(site.kept)
    assert site.answer(wanted, **how) is status
    assert list(site.kept) == before, "to ask is not to reserve"


def test_tags_and_parents_compare_without_case() -> None:
    assert is_for(reservation(1, 1, "Tag"), "tAG", None)
    assert is_for(reservation(1, 1, "x", "Family"), "y", "fAMILY")
    assert not is_for(reservation(1, 1, "x", "Family"), "y", None)
    assert not is_for(reservation(1, 1, "x"), "y", "Family")
    assert not is_for(reservation(1, 1, "x", "Family"), "Family", None), "a parent is no id tag"


def test_whom_a_connector_is_for() -> None:
    kept = Site(S.AVAILABLE, S.AVAILABLE).having(reservation(1, 1, "A"), reservation(2, 2, "B", "P")).kept
    assert kept.check(1, "a", None) is CHECK.RESERVED_FOR_TOKEN
    assert kept.check(1, "x", None) is CHECK.RESERVED_FOR_OTHER_TOKEN
    assert kept.check(2, "x", None) is CHECK.RESERVED_FOR_OTHER_TOKEN_AND_HAS_PARENT_TOKEN
    assert kept.check(2, "x", "p") is CHECK.RESERVED_FOR_TOKEN
    assert kept.check(2, "x", "q") is CHECK.RESERVED_FOR_OTHER_TOKEN


def test_one_of_connector_0_keeps_as_many_free_as_it_takes() -> None:
    site = Site(S.AVAILABLE, S.AVAILABLE, S.CHARGING).having(reservation(1, 0, "A"))
    assert site.kept.kept() == set()
    assert site.kept.check(1, "x", None) is CHECK.NOT_RESERVED
    assert site.kept.check(1, "A", None) is CHECK.RESERVED_FOR_TOKEN
    site.connectors[1].submit(ConnectorEvent.USAGE_INITIATED, 0)
    assert site.kept.kept() == {2}
    assert site.kept.check(1, "x", None) is CHECK.NOT_RESERVED
    assert site.kept.check(2, "x", None) is CHECK.RESERVED_FOR_OTHER_TOKEN
    assert site.kept.check(2, "A", None) is CHECK.RESERVED_FOR_TOKEN


def test_that_of_the_connector_goes_before_one_of_connector_0() -> None:
    kept = Site(S.AVAILABLE, S.AVAILABLE).having(reservation(1, 0, "A"), reservation(2, 1, "A")).kept
    first, second = kept.usable(1, "A", None), kept.usable(2, "A", None)
    assert first is not None
    assert second is not None
    assert (first.reservation_id, second.reservation_id) == (2, 1)


def test_what_replaces_another_takes_it_off_its_connector() -> None:
    kept = Site(S.AVAILABLE, S.AVAILABLE).having(reservation(1, 1)).kept
    assert kept.put(reservation(1, 2)) == reservation(1, 1)
    assert kept.of_connector(1) is None
    assert len(kept) == 1
    assert kept.pop(1) == reservation(1, 2)
    assert kept.pop(1) is None
    assert kept.kept() == set()
