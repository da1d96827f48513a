"""Reservations that the station keeps itself: what it is asked, and what becomes of a station that cannot answer."""

from typing import Any

import pytest
import trio

from ocpp16.charge_point.features import possible
from ocpp16.charge_point.station_check import station_problems
from ocpp16.enums import ChargePointErrorCode, ReservationCheckStatus, ReservationStatus, SessionStartedReason
from ocpp16.errors import CallFailed, FeatureNotBuilt
from ocpp16.models import ErrorInfo
from ocpp16.profiles.reservation import KeptReservations
from ocpp16.profiles.station_reservation import StationReservations
from ocpp16.state.clock import to_datetime
from ocpp16.testing.central_system import START
from ocpp16.testing.stations import RecordingStation, ReservingStation

REQUEST = {"connectorId": 1, "expiryDate": "2026-01-01T00:10:00Z", "idTag": "TAG1", "reservationId": 7}


async def reserve(bench: Any, **members: Any) -> str:
    return str((await bench.call("ReserveNow", {**REQUEST, **members}))["status"])


async def cancel(bench: Any) -> str:
    return str((await bench.call("CancelReservation", {"reservationId": 7}))["status"])


async def remote_start(bench: Any, **members: Any) -> str:
    return str((await bench.call("RemoteStartTransaction", {"idTag": "TAG1", **members}))["status"])


def test_who_keeps_them_is_the_stations_choice() -> None:
    assert KeptReservations in possible(RecordingStation())
    assert StationReservations not in possible(RecordingStation())
    assert StationReservations in possible(ReservingStation())
    assert KeptReservations not in possible(ReservingStation())


def test_one_method_of_them_is_a_mistake() -> None:
    class Half(RecordingStation):
        async def reserve_now(self) -> None: ...

    problems = station_problems(Half())
    assert [problem.split()[0] for problem in problems] == [
        "Half.reserve_now",
        "Half.cancel_reservation",
        "Half.is_token_reserved_for_connector",
    ]


@pytest.mark.parametrize("answer", [*ReservationStatus])
async def test_its_answer_is_the_answer(open_bench: Any, answer: ReservationStatus) -> None:
    async with open_bench(station=ReservingStation()) as bench:
        bench.station.answers["reserve_now"] = answer
        assert await reserve(bench, parentIdTag="P") == answer
        expiry = to_datetime(START + 600_000_000)
        assert bench.station.asked("reserve_now") == [(7, 1, expiry, "TAG1", "P")]
        assert await cancel(bench) == "Accepted"
        bench.station.answers["cancel_reservation"] = False
        assert await cancel(bench) == "Rejected"
        assert bench.station.asked("cancel_reservation") == [(7,), (7,)]


async def test_what_cannot_be_is_not_asked(open_bench: Any, make_config: Any) -> None:
    async with open_bench(station=ReservingStation()) as bench:
        assert await reserve(bench, connectorId=3) == "Rejected"
        assert await reserve(bench, connectorId=0) == "Rejected"
        assert await reserve(bench, idTag="") == "Rejected"
        assert await reserve(bench, reservationId=2**40) == "Rejected"
        assert await reserve(bench, expiryDate="2025-12-31T23:59:59Z") == "Rejected"
        bench.charge_point.on_disabled(2)
        assert await reserve(bench, connectorId=2) == "Unavailable"
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        assert await reserve(bench) == "Occupied"
        bench.begin()
        bench.charge_point.on_resume_charging(1)
        assert await reserve(bench) == "Occupied"
        bench.charge_point.on_error(1, ErrorInfo(ChargePointErrorCode.GROUND_FAILURE, is_fault=True))
        assert await reserve(bench) == "Faulted"
        assert bench.station.asked("reserve_now") == []
    document = make_config(Reservation__ReserveConnectorZeroSupported=True)
    async with open_bench(station=ReservingStation(), document=document) as bench:
        assert await reserve(bench, connectorId=0) == "Accepted"


@pytest.mark.parametrize("answer", [True, "Perhaps", None, 1, RuntimeError("no"), "hangs"])
async def test_what_is_no_answer_reserves_nothing(open_bench: Any, make_config: Any, answer: Any) -> None:
    async with open_bench(station=ReservingStation(), document=make_config(Internal__StationTimeout=5)) as bench:
        for name in ("reserve_now", "cancel_reservation", "is_token_reserved_for_connector"):
            if answer == "hangs":
                bench.station.delays[name] = 1000
            else:
                bench.station.answers[name] = "Accepted" if (name, answer) == ("cancel_reservation", True) else answer
        began = trio.current_time()
        assert await reserve(bench) == "Rejected"
        assert await cancel(bench) == "Rejected"
        bench.charge_point.on_reservation_start(1)
        assert await remote_start(bench, connectorId=1) == "Rejected"
        assert trio.current_time() - began <= 16
        assert await bench.call("Reset", {"type": "Soft"}) == {"status": "Accepted"}, "the rest goes on"


async def test_all_questions_of_one_start_have_the_time_of_one(open_bench: Any, make_config: Any) -> None:
    document = make_config(Core__NumberOfConnectors=50, Internal__StationTimeout=5)
    async with open_bench(station=ReservingStation(), document=document) as bench:
        bench.station.delays["is_token_reserved_for_connector"] = 4
        bench.station.answers["is_token_reserved_for_connector"] = "ReservedForOtherToken"
        for number in range(1, 51):
            bench.charge_point.on_reservation_start(number)
        began = trio.current_time()
        assert await remote_start(bench) == "Rejected"
        assert trio.current_time() - began <= 6


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (ReservationCheckStatus.NOT_RESERVED, "Accepted"),
        (ReservationCheckStatus.RESERVED_FOR_TOKEN, "Accepted"),
        (ReservationCheckStatus.RESERVED_FOR_OTHER_TOKEN, "Rejected"),
        (ReservationCheckStatus.RESERVED_FOR_OTHER_TOKEN_AND_HAS_PARENT_TOKEN, "Accepted"),
    ],
)
async def test_a_remote_start_where_it_is_reserved(open_bench: Any, check: ReservationCheckStatus, answer: str) -> None:
    async with open_bench(station=ReservingStation()) as bench:
        bench.station.answers["is_token_reserved_for_connector"] = check
        bench.charge_point.on_reservation_start(1)
        assert await remote_start(bench, connectorId=1) == answer
        assert bench.station.asked("is_token_reserved_for_connector") == [(1, "TAG1")]
        assert await remote_start(bench) == "Accepted"
        assert len(bench.station.asked("is_token_reserved_for_connector")) == 1, "another one is free"
        await trio.sleep(1)
        assert len(bench.station.asked("provide_token")) == (2 if answer == "Accepted" else 1)


async def test_it_is_asked_only_of_what_is_reserved_and_meant(open_bench: Any) -> None:
    async with open_bench(station=ReservingStation()) as bench:
        bench.station.answers["is_token_reserved_for_connector"] = "ReservedForToken"
        bench.charge_point.on_reservation_start(1)
        bench.charge_point.on_reservation_start(2)
        assert await remote_start(bench, connectorId=2) == "Accepted"
        assert bench.station.asked("is_token_reserved_for_connector") == [(2, "TAG1")]
        bench.station.calls.clear()
        bench.charge_point.on_disabled(1)
        assert await remote_start(bench) == "Accepted"
        assert bench.station.asked("is_token_reserved_for_connector") == [(2, "TAG1")]


async def test_the_library_keeps_none_of_its_own(open_bench: Any) -> None:
    async with open_bench(station=ReservingStation()) as bench:
        assert await reserve(bench) == "Accepted"
        assert bench.charge_point.connector_status(1).status == "Available"
        bench.charge_point.on_reservation_start(1)
        assert bench.charge_point.connector_status(1).status == "Reserved"
        reservations = bench.charge_point.for_station.reservations
        assert not reservations.are_kept_here
        with pytest.raises(FeatureNotBuilt):
            await reservations.cancel(7)
        bench.charge_point.on_transaction_started(1, "s1", "TAG1", 0, reservation_id=7)
        bench.charge_point.on_reservation_end(1)
        await trio.sleep(1)
        assert bench.sent("StartTransaction")[0]["reservationId"] == 7
        told = [one["status"] for one in bench.sent("StatusNotification") if one["connectorId"] == 1]
        assert told == ["Available", "Reserved", "Preparing"]


async def test_where_the_profile_is_off_it_is_not_asked(open_bench: Any, make_config: Any) -> None:
    document = make_config(Core__SupportedFeatureProfiles="Core")
    async with open_bench(station=ReservingStation(), document=document) as bench:
        assert await reserve(bench) == "Rejected"
        with pytest.raises(CallFailed, match="NotSupported"):
            await cancel(bench)
        assert bench.station.asked("reserve_now") == []
