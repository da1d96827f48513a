"""Reservations that the library keeps: of connector 0, at remote starts, over restarts, and for a host."""

from collections.abc import Awaitable
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import trio
from reserving import ZERO, cancel, ends, kept, reserve, status, told

from ocpp16.enums import (
    Reason,
    ReservationCheckStatus,
    ReservationEndReason,
    SessionStartedReason,
)
from ocpp16.errors import CallFailed, FeatureNotBuilt, StoreError
from ocpp16.models import Reservation
from ocpp16.observer import ReservationMade
from ocpp16.state.clock import IN_DOUBT, to_datetime
from ocpp16.testing.central_system import START, CentralSystem


def true_time() -> int:
    """µs, by which a power cut takes no time away."""
    return START + round(trio.current_time() * 1e6)


# Connector 0


async def test_one_connector_stays_free(open_bench: Any, make_config: Any) -> None:
    """The Open Charge Alliance's TC_049 wants Reserved where one connector is free."""
    async with open_bench(document=make_config(**ZERO)) as bench:
        assert await reserve(bench, 0) == "Accepted"
        assert (status(bench, 1), status(bench, 2)) == ("Available", "Available")
        bench.charge_point.on_session_started(1, "x", SessionStartedReason.EV_CONNECTED)
        assert status(bench, 2) == "Reserved"
        assert await reserve(bench, 2, number=8) == "Occupied"
        bench.charge_point.on_session_stopped(1, "x")
        assert (status(bench, 1), status(bench, 2)) == ("Available", "Available")
        bench.charge_point.on_disabled(1)
        assert status(bench, 2) == "Reserved"
        bench.begin(2)
        assert status(bench, 2) == "Preparing"
        await trio.sleep(1)
        assert bench.sent("StartTransaction")[0]["reservationId"] == 7
        assert kept(bench) == []


async def test_as_many_as_are_free(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(**ZERO)) as bench:
        assert await reserve(bench, 0, "A", number=1) == "Accepted"
        assert await reserve(bench, 0, "B", number=2) == "Accepted"
        assert await reserve(bench, 0, "C", number=3) == "Occupied"
        assert (status(bench, 1), status(bench, 2)) == ("Reserved", "Reserved")
        bench.begin(1, id_tag="B")
        assert kept(bench) == [1]
        assert (await told(bench, 1), await told(bench, 2)) == (
            ["Available", "Reserved", "Preparing"],
            ["Available", "Reserved"],
        )
        assert await cancel(bench, 1) == "Accepted"
        assert status(bench, 2) == "Available"


async def test_a_transaction_without_a_status_takes_a_connector_too(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(**ZERO)) as bench:
        assert await reserve(bench, 0, "A") == "Accepted"
        bench.begin(1, id_tag="X")
        assert status(bench, 2) == "Reserved"
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1100)
        assert status(bench, 2) == "Available"


# Remote start


@pytest.mark.parametrize(
    ("reservation", "answer"),
    [
        ({"id_tag": "tag1"}, "Accepted"),
        ({"id_tag": "OTHER"}, "Rejected"),
        ({"id_tag": "OTHER", "parentIdTag": "P"}, "Accepted"),
    ],
)
async def test_a_remote_start_where_it_is_reserved(open_bench: Any, reservation: dict[str, Any], answer: str) -> None:
    """One that a parent id may allow goes on to the station, which asks for it."""
    async with open_bench() as bench:
        assert await reserve(bench, **reservation) == "Accepted"
        request = {"idTag": "TAG1", "connectorId": 1}
        assert await bench.call("RemoteStartTransaction", request) == {"status": answer}
        assert await bench.call("RemoteStartTransaction", {"idTag": "TAG1"}) == {"status": "Accepted"}
        await trio.sleep(1)
        expected = [("TAG1", (1,), True)] * (answer == "Accepted") + [("TAG1", (1, 2), True)]
        assert bench.station.asked("provide_token") == expected


# Disk and restart


async def test_over_restarts(open_bench: Any, disk: Any, make_config: Any) -> None:
    document = make_config(**ZERO)
    async with open_bench(store=disk, document=document) as bench:
        assert await reserve(bench, 1, "A", 100, 1) == "Accepted"
        assert await reserve(bench, 2, "B", 1000, 2, parentIdTag="P") == "Accepted"
        before = bench.charge_point.for_station.reservations.all()
        assert await bench.charge_point.stop()
        assert await bench.charge_point.restart()
        assert bench.charge_point.for_station.reservations.all() == before
        await trio.sleep(1)
        assert (status(bench, 1), status(bench, 2)) == ("Reserved", "Reserved")
        assert await told(bench, 2) == ["Available", "Reserved", "Reserved"]
    await trio.sleep(200)
    csms = CentralSystem(now=true_time)
    async with open_bench(store=disk, document=document, csms=csms, anchor=true_time() / 1e6) as bench:
        assert kept(bench) == [2]
        assert (status(bench, 1), status(bench, 2)) == ("Available", "Reserved")
        assert ends(bench) == [(1, ReservationEndReason.EXPIRED)]
        assert await told(bench, 1) == ["Available"]
        assert await cancel(bench, 2) == "Accepted"
    async with open_bench(store=disk, document=document) as bench:
        assert kept(bench) == []


async def test_over_a_restart_without_a_connection(open_bench: Any, disk: Any) -> None:
    async with open_bench(store=disk) as bench:
        assert await reserve(bench, seconds=100) == "Accepted"
    csms = CentralSystem()
    csms.is_reachable = False
    async with open_bench(store=disk, csms=csms, anchor=START / 1e6 + trio.current_time()) as bench:
        assert status(bench) == "Reserved"
        await trio.sleep(100)
        assert status(bench) == "Available"


@pytest.mark.parametrize("is_told", [True, False])
async def test_a_clock_that_is_ahead_when_the_power_comes_back_ends_none(
    open_bench: Any, disk: Any, is_told: bool
) -> None:
    """As that of the machine is by eleven months: by the time that the Central System tells it has not expired."""
    ahead = 11 * 30 * 86400
    async with open_bench(store=disk, anchor=START / 1e6 + ahead) as bench:
        assert await reserve(bench, seconds=1000) == "Accepted"
    csms = CentralSystem(now=true_time)
    csms.is_reachable = False
    async with open_bench(store=disk, csms=csms, anchor=true_time() / 1e6 + ahead) as bench:
        await trio.sleep(IN_DOUBT - 10)
        assert (kept(bench), status(bench)) == ([7], "Reserved")
        assert bench.charge_point.for_station.reservations.use(1, "OTHER") is None
        csms.is_reachable = is_told
        await trio.sleep(300)
        assert (kept(bench), status(bench)) == (([7], "Reserved") if is_told else ([], "Available"))
        await trio.sleep(200)
        assert (kept(bench), status(bench)) == ([], "Available")
        assert ends(bench) == [(7, ReservationEndReason.EXPIRED)]


async def test_one_made_in_place_of_a_doubted_one_ends_in_time(open_bench: Any, disk: Any) -> None:
    async with open_bench(store=disk) as bench:
        assert await reserve(bench, seconds=1000) == "Accepted"
    csms = CentralSystem(now=true_time)
    csms.is_reachable = False
    async with open_bench(store=disk, csms=csms, anchor=START / 1e6 + 1e6) as bench:
        assert kept(bench) == [7]
        soon = to_datetime(bench.charge_point.for_station.clock.now() + 30_000_000)
        assert await bench.charge_point.for_station.reservations.reserve(1, "TAG2", soon, 7) == "Accepted"
        await trio.sleep(29)
        assert kept(bench) == [7]
        await trio.sleep(2)
        assert kept(bench) == []


async def test_used_before_the_power_went(open_bench: Any, until_power_fails: Any, tmp_path: Path) -> None:
    async with until_power_fails(database_path=tmp_path) as bench:
        assert await reserve(bench) == "Accepted"
        bench.begin()
    async with open_bench(database_path=tmp_path) as bench:
        assert kept(bench) == []
        await trio.sleep(5)
        assert bench.sent("StartTransaction")[0]["reservationId"] == 7


async def test_a_row_that_a_stored_transaction_used(open_bench: Any, disk: Any) -> None:
    """It can be left where a damaged file was saved row by row."""
    async with open_bench(store=disk) as bench:
        assert await reserve(bench) == "Accepted"
        left = deepcopy(disk._rows["cp001"]["reservations"])
        bench.charge_point.connection.disconnect()
        bench.begin()
    disk._rows["cp001"]["reservations"] = left
    async with open_bench(store=disk) as bench:
        assert kept(bench) == []
        assert ends(bench) == [(7, ReservationEndReason.USED)]


@pytest.mark.parametrize("at", [1, 2])
async def test_a_number_that_is_given_again_is_not_taken_for_used(
    open_bench: Any, disk: Any, make_config: Any, at: int
) -> None:
    """By a transaction that used one of that number before, or was only told so of another connector."""
    document = make_config(**ZERO)
    async with open_bench(store=disk, document=document) as bench:
        if at == 1:
            assert await reserve(bench) == "Accepted"
            bench.begin()
            assert await reserve(bench, 0, "OTHER") == "Accepted"
        else:
            assert await reserve(bench, 1, "OTHER") == "Accepted"
            bench.charge_point.on_transaction_started(2, "s2", "TAG1", 0, reservation_id=7)
        await bench.charge_point.stored()
        bench.charge_point.abandon()
    async with open_bench(store=disk, document=document) as bench:
        assert kept(bench) == [7]
        assert ends(bench) == []
        assert [one["reservationId"] for one in bench.sent("StartTransaction")] in ([], [7])


async def test_a_disk_that_is_full(open_bench: Any, disk: Any, make_config: Any) -> None:
    """Not stored: not answered as made, not in force, not told; and the same of a cancellation."""
    async with open_bench(store=disk, document=make_config(Internal__StoreTimeout=5)) as bench:
        assert await reserve(bench, 2, number=1) == "Accepted"
        disk.is_full = True
        with pytest.raises(CallFailed, match="InternalError"):
            await reserve(bench)
        with pytest.raises(CallFailed, match="InternalError"):
            await cancel(bench, 1)
        with pytest.raises(StoreError):
            await bench.charge_point.for_station.reservations.cancel(1)
        assert kept(bench) == [1]
        assert (status(bench, 1), status(bench, 2)) == ("Available", "Reserved")
        disk.is_full = False
        await trio.sleep(60)
    async with open_bench(store=disk) as bench:
        assert kept(bench) == [1]


async def test_who_waits_for_one_that_is_not_stored_waits_as_long_as_for_the_disk(
    open_bench: Any, disk: Any, make_config: Any
) -> None:
    ends_at: list[float] = []

    async def ask(bench: Any, number: int) -> None:
        expiry = bench.charge_point.for_station.clock.now_datetime() + timedelta(hours=1)
        with pytest.raises(StoreError):
            await bench.charge_point.for_station.reservations.reserve(number, "TAG1", expiry, number)
        ends_at.append(trio.current_time() - begun)

    async with open_bench(store=disk, document=make_config(Internal__StoreTimeout=5)) as bench:
        disk.is_full, begun = True, trio.current_time()
        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(ask, bench, 1)
        assert len(ends_at) == 4
        assert max(ends_at) <= 10
        assert kept(bench) == []


async def test_somebody_came_while_the_disk_took_its_time(open_bench: Any, disk: Any) -> None:
    answers: list[str] = []

    async def ask(question: Awaitable[str]) -> None:
        answers.append(await question)

    async with open_bench(store=disk) as bench:
        assert await reserve(bench, 2, number=2) == "Accepted"
        disk.is_full = True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, reserve(bench))
            await trio.sleep(1)
            bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
            disk.is_full = False
        disk.is_full = True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, cancel(bench, 2))
            await trio.sleep(1)
            bench.begin(2)
            disk.is_full = False
        assert answers == ["Occupied", "Rejected"]
        assert kept(bench) == []
        assert len(bench.events.of(ReservationMade)) == 1
        assert ends(bench) == [(2, ReservationEndReason.USED)]
    async with open_bench(store=disk) as bench:
        assert kept(bench) == []


async def test_fewer_connectors_than_before(open_bench: Any, disk: Any, make_config: Any) -> None:
    """That is nobody's fault: what was kept of those that are gone is dropped, and does not come back with them."""
    three = make_config(Core__NumberOfConnectors=3)
    async with open_bench(store=disk, document=three) as bench:
        assert await reserve(bench, 3) == "Accepted"
        assert await reserve(bench, 1, number=8) == "Accepted"
    for document in (make_config(), three):
        async with open_bench(store=disk, document=document) as bench:
            assert kept(bench) == [8]
            assert bench.charge_point.counters.internal_errors == 0


# What a host may do


async def test_the_door(open_bench: Any) -> None:
    async with open_bench() as bench:
        reservations = bench.charge_point.for_station.reservations
        expiry = to_datetime(bench.charge_point.for_station.clock.now() + 60_000_000)
        assert reservations.are_kept_here
        assert await reservations.reserve(1, "TAG1", expiry, 5, "P") == "Accepted"
        assert reservations.all() == (Reservation(5, 1, "TAG1", "P", expiry),)
        assert await reservations.reserve(1, "TAG1", expiry, 6) == "Occupied"
        assert await reservations.reserve(0, "TAG1", expiry, 6) == "Rejected"
        for wrong in ((3, "TAG1", expiry, 6), (1, "", expiry, 6), (1, "TAG1", "now", 6), (1, "TAG1", expiry, 2**31)):
            with pytest.raises(ValueError, match=r"connector|id_tag|expiry_date|reservation_id"):
                await reservations.reserve(*wrong)
        assert await reservations.cancel(5)
        assert not await reservations.cancel(5)


async def test_where_the_profile_is_off(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(Core__SupportedFeatureProfiles="Core")) as bench:
        assert await reserve(bench) == "Rejected"
        assert await reserve(bench, 3) == "Rejected"
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        assert await reserve(bench) == "Occupied"
        with pytest.raises(CallFailed, match="NotSupported"):
            await cancel(bench)
        reservations = bench.charge_point.for_station.reservations
        assert not reservations.are_kept_here
        assert reservations.all() == ()
        assert reservations.use(1, "TAG1") is None
        assert reservations.is_token_reserved_for_connector(1, "TAG1") is ReservationCheckStatus.NOT_RESERVED
        with pytest.raises(FeatureNotBuilt):
            await reservations.cancel(1)
