"""Reservations that the library keeps (OCPP 1.6 ed. 2 §5.1, §5.13), over everything that happens meanwhile."""

import json
from typing import Any

import pytest
import trio
from reserving import ZERO, cancel, ends, kept, reserve, status, told

from ocpp16.enums import (
    ChargePointErrorCode,
    Reason,
    ReservationCheckStatus,
    ReservationEndReason,
    SessionStartedReason,
)
from ocpp16.models import ErrorInfo
from ocpp16.observer import ReservationMade
from ocpp16.profiles.known_parents import MOST_PARENTS
from ocpp16.testing import Direction
from ocpp16.testing.central_system import CentralSystem


async def test_reserved_then_used_by_its_id_tag(open_bench: Any) -> None:
    async with open_bench() as bench:
        assert await reserve(bench, id_tag="Tag1") == "Accepted"
        assert [event.reservation.reservation_id for event in bench.events.of(ReservationMade)] == [7]
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        assert status(bench) == "Reserved"
        bench.begin(id_tag="TAG1")
        bench.charge_point.on_resume_charging(1)
        assert await told(bench) == ["Available", "Reserved", "Preparing", "Charging"]
        assert bench.sent("StartTransaction")[0]["reservationId"] == 7
        assert kept(bench) == []
        assert ends(bench) == [(7, ReservationEndReason.USED)]
        assert await cancel(bench) == "Rejected"


async def test_the_answer_comes_before_what_follows_from_it(open_bench: Any, tmp_path: Any) -> None:
    def frames(bench: Any) -> list[Any]:
        found = [json.loads(line.text) for line in bench.csms.traffic if line.direction == Direction.RECEIVED]
        return [
            frame[3]["status"] if frame[0] == 2 else frame[2]["status"] for frame in found if "status" in str(frame)
        ]

    async with open_bench(database_path=tmp_path) as bench:
        await trio.sleep(1)
        before = len(frames(bench))
        assert await reserve(bench) == "Accepted"
        await trio.sleep(1)
        assert await cancel(bench) == "Accepted"
        await trio.sleep(1)
        assert frames(bench)[before:] == ["Accepted", "Reserved", "Accepted", "Available"]


async def test_a_reservation_of_another_connector_is_not_used_up(open_bench: Any) -> None:
    async with open_bench() as bench:
        assert await reserve(bench) == "Accepted"
        bench.charge_point.on_transaction_started(2, "s2", "OTHER", 0.0, reservation_id=7)
        await trio.sleep(1)
        assert kept(bench) == [7]
        assert bench.charge_point.connector_status(1).status == "Reserved"


async def test_cancelled(open_bench: Any) -> None:
    async with open_bench() as bench:
        assert await reserve(bench) == "Accepted"
        assert await cancel(bench, 8) == "Rejected"
        assert await cancel(bench) == "Accepted"
        assert await cancel(bench) == "Rejected"
        assert await told(bench) == ["Available", "Reserved", "Available"]
        bench.begin()
        await trio.sleep(1)
        assert "reservationId" not in bench.sent("StartTransaction")[0]
        assert ends(bench) == [(7, ReservationEndReason.CANCELLED)]


async def test_over_at_its_second(open_bench: Any) -> None:
    async with open_bench() as bench:
        assert await reserve(bench, seconds=600) == "Accepted"
        await trio.sleep(599.9)
        assert status(bench) == "Reserved"
        await trio.sleep(0.2)
        assert status(bench) == "Available"
        assert ends(bench) == [(7, ReservationEndReason.EXPIRED)]


async def test_over_while_a_car_waits_it_is_preparing(open_bench: Any) -> None:
    async with open_bench() as bench:
        assert await reserve(bench, seconds=60) == "Accepted"
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        await trio.sleep(60)
        assert await told(bench) == ["Available", "Reserved", "Preparing"]


async def test_over_by_the_corrected_clock(open_bench: Any) -> None:
    async with open_bench() as bench:
        assert await reserve(bench, seconds=600) == "Accepted"
        await bench.put_clock(300)
        await trio.sleep(295)
        assert status(bench) == "Reserved"
        await trio.sleep(10)
        assert status(bench) == "Available"
        assert await reserve(bench, seconds=600) == "Accepted"
        await bench.put_clock(3600)
        assert status(bench) == "Available"
        assert [reason for _, reason in ends(bench)] == [ReservationEndReason.EXPIRED] * 2


async def test_the_same_id_replaces(open_bench: Any) -> None:
    async with open_bench() as bench:
        assert await reserve(bench, 1, seconds=60) == "Accepted"
        assert await reserve(bench, 2, "TAG2", seconds=600) == "Accepted"
        assert (status(bench, 1), status(bench, 2)) == ("Available", "Reserved")
        assert ends(bench) == [(7, ReservationEndReason.REPLACED)]
        await trio.sleep(120)
        assert status(bench, 2) == "Reserved"
        assert await reserve(bench, 1, "TAG2", number=8) == "Accepted"
        assert await reserve(bench, 2, number=9) == "Occupied"
        assert kept(bench) == [7, 8]


async def test_what_is_asked_for_again_just_so_writes_nothing(open_bench: Any, disk: Any) -> None:
    async with open_bench(store=disk) as bench:
        expiry = "2026-01-01T01:00:00Z"
        assert await reserve(bench, expiryDate=expiry) == "Accepted"
        disk.is_full = True
        assert await reserve(bench, expiryDate=expiry) == "Accepted"
        assert len(bench.events.of(ReservationMade)) == 1


@pytest.mark.parametrize(
    ("members", "answer"),
    [
        ({"connectorId": 3}, "Rejected"),
        ({"connectorId": -1}, "Rejected"),
        ({"connectorId": 0}, "Rejected"),
        ({"idTag": ""}, "Rejected"),
        ({"reservationId": 2**31}, "Rejected"),
        ({"expiryDate": "2025-12-31T23:59:59Z"}, "Rejected"),
        ({"expiryDate": "9999-12-31T23:59:59Z"}, "Accepted"),
        ({"parentIdTag": ""}, "Accepted"),
    ],
)
async def test_what_none_can_be(open_bench: Any, members: dict[str, Any], answer: str) -> None:
    async with open_bench() as bench:
        assert await reserve(bench, **members) == answer
        assert kept(bench) == ([7] if answer == "Accepted" else [])


async def test_a_parent_that_is_empty_is_none(open_bench: Any) -> None:
    async with open_bench() as bench:
        assert await reserve(bench, id_tag="OTHER", parentIdTag="") == "Accepted"
        check = bench.charge_point.for_station.reservations.is_token_reserved_for_connector
        assert check(1, "TAG1") is ReservationCheckStatus.RESERVED_FOR_OTHER_TOKEN


@pytest.mark.parametrize("connected", [True, False])
async def test_one_of_the_same_parent_uses_it(open_bench: Any, connected: bool) -> None:
    """What the parent is was learnt when the id tag was authorized; the start may be told offline."""
    csms = CentralSystem()
    csms.answers["Authorize"] = {"idTagInfo": {"status": "Accepted", "parentIdTag": "family"}}
    async with open_bench(csms=csms) as bench:
        assert await reserve(bench, id_tag="OTHER", parentIdTag="FAMILY") == "Accepted"
        await bench.charge_point.authorize_id_token("TAG1")
        if not connected:
            bench.charge_point.connection.disconnect()
            await trio.sleep(1)
        bench.begin()
        await bench.charge_point.stored()
        assert kept(bench) == []
        bench.charge_point.connection.connect()
        await trio.sleep(5)
        assert bench.sent("StartTransaction")[0]["reservationId"] == 7


@pytest.mark.parametrize("answer", [{"status": "Accepted"}, {"status": "Blocked", "parentIdTag": "FAMILY"}])
async def test_a_parent_is_the_one_that_was_answered_last(open_bench: Any, answer: dict[str, Any]) -> None:
    csms = CentralSystem()
    async with open_bench(csms=csms) as bench:
        check = bench.charge_point.for_station.reservations.is_token_reserved_for_connector
        assert await reserve(bench, id_tag="OTHER", parentIdTag="FAMILY") == "Accepted"
        csms.answers["Authorize"] = {"idTagInfo": {"status": "Accepted", "parentIdTag": "family"}}
        await bench.charge_point.authorize_id_token("TAG1")
        assert check(1, "tag1") is ReservationCheckStatus.RESERVED_FOR_TOKEN
        csms.answers["Authorize"] = {"idTagInfo": answer}
        await bench.charge_point.authorize_id_token("TAG1")
        assert check(1, "tag1") is ReservationCheckStatus.RESERVED_FOR_OTHER_TOKEN_AND_HAS_PARENT_TOKEN


async def test_who_is_not_asked_tells_no_other_parent(open_bench: Any, make_config: Any) -> None:
    csms = CentralSystem()
    csms.answers["Authorize"] = {"idTagInfo": {"status": "Accepted", "parentIdTag": "family"}}
    async with open_bench(csms=csms, document=make_config(Core__AllowOfflineTxForUnknownId=True)) as bench:
        assert await reserve(bench, id_tag="OTHER", parentIdTag="FAMILY") == "Accepted"
        await bench.charge_point.authorize_id_token("TAG1")
        bench.charge_point.connection.disconnect()
        await trio.sleep(1)
        assert (await bench.charge_point.authorize_id_token("TAG1")).is_accepted
        check = bench.charge_point.for_station.reservations.is_token_reserved_for_connector
        assert check(1, "tag1") is ReservationCheckStatus.RESERVED_FOR_TOKEN


async def test_a_parent_that_is_known_here_counts_as_well(open_bench: Any, make_config: Any) -> None:
    csms = CentralSystem()
    csms.answers["Authorize"] = {"idTagInfo": {"status": "Accepted", "parentIdTag": "family"}}
    document = make_config(Core__AuthorizationCacheEnabled=True, Core__LocalPreAuthorize=True)
    async with open_bench(csms=csms, document=document) as bench:
        await bench.charge_point.authorize_id_token("TAG1")
        assert await reserve(bench, id_tag="OTHER", parentIdTag="FAMILY") == "Accepted"
        await bench.charge_point.authorize_id_token("TAG1")
        assert len(bench.sent("Authorize")) == 1
        check = bench.charge_point.for_station.reservations.is_token_reserved_for_connector
        assert check(1, "tag1") is ReservationCheckStatus.RESERVED_FOR_TOKEN


async def test_parents_that_are_remembered_are_bounded(open_bench: Any) -> None:
    csms = CentralSystem()
    csms.answers["Authorize"] = lambda payload, call: {
        "idTagInfo": {"status": "Accepted", "parentIdTag": f"P{payload['idTag']}"}
    }
    async with open_bench(csms=csms) as bench:
        assert await reserve(bench, id_tag="OTHER", parentIdTag="P0") == "Accepted"
        for number in range(MOST_PARENTS + 1):
            await bench.charge_point.authorize_id_token(str(number))
        check = bench.charge_point.for_station.reservations.is_token_reserved_for_connector
        assert check(1, "0") is ReservationCheckStatus.RESERVED_FOR_OTHER_TOKEN_AND_HAS_PARENT_TOKEN
        assert check(1, "0", "P0") is ReservationCheckStatus.RESERVED_FOR_TOKEN
        assert check(1, "1") is ReservationCheckStatus.RESERVED_FOR_OTHER_TOKEN


async def test_a_start_by_another_is_told_and_the_reservation_stays(open_bench: Any) -> None:
    """Energy flows, so it is billed; when the car is gone the connector is Reserved again, by way of Available."""
    async with open_bench() as bench:
        assert await reserve(bench, id_tag="OTHER") == "Accepted"
        bench.begin()
        bench.charge_point.on_resume_charging(1)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1200)
        bench.charge_point.on_session_stopped(1, "s1")
        assert kept(bench) == [7]
        assert await told(bench) == [
            "Available", "Reserved", "Preparing", "Charging", "Finishing", "Available", "Reserved",
        ]  # fmt: skip
        assert "reservationId" not in bench.sent("StartTransaction")[0]


async def test_a_session_whose_end_was_not_told_shuts_nobody_out(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.begin()
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1200)
        bench.charge_point.on_disabled(1)
        bench.charge_point.on_enabled(1)
        assert await reserve(bench, seconds=60) == "Accepted"
        assert await reserve(bench, 2, number=8) == "Accepted"
        bench.begin(1, "s2")
        await trio.sleep(60)
        assert kept(bench) == [8]


async def test_a_reservation_named_by_the_host_is_over(open_bench: Any) -> None:
    async with open_bench() as bench:
        assert await reserve(bench, id_tag="OTHER") == "Accepted"
        bench.charge_point.on_transaction_started(1, "s1", "TAG1", 0, reservation_id=7)
        assert kept(bench) == []
        bench.charge_point.on_transaction_started(2, "s2", "TAG2", 0, reservation_id=99)
        await trio.sleep(1)
        assert [one["reservationId"] for one in bench.sent("StartTransaction")] == [7, 99]


async def test_used_when_the_card_is_accepted(open_bench: Any) -> None:
    """`use` is what a station calls that gives the connector to whom it was reserved for, before the start."""
    async with open_bench() as bench:
        assert await reserve(bench) == "Accepted"
        reservations = bench.charge_point.for_station.reservations
        assert reservations.use(1, "OTHER") is None
        used = reservations.use(1, "TAG1")
        assert used.reservation_id == 7
        assert reservations.use(1, "TAG1") is None
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.AUTHORIZED)
        bench.charge_point.on_session_stopped(1, "s1")
        assert await told(bench) == ["Available", "Reserved", "Preparing", "Available"]


async def test_a_fault_covers_it(open_bench: Any) -> None:
    async with open_bench() as bench:
        assert await reserve(bench, seconds=600) == "Accepted"
        assert await reserve(bench, 2, number=8, seconds=60) == "Accepted"
        for number in (1, 2):
            fault = ErrorInfo(ChargePointErrorCode.GROUND_FAILURE, is_fault=True, uuid="f")
            bench.charge_point.on_error(number, fault)
        assert await reserve(bench) == "Faulted"
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        await trio.sleep(120)
        assert kept(bench) == [7]
        for number in (1, 2):
            bench.charge_point.on_error_cleared(number, "f")
        assert await told(bench, 1) == ["Available", "Reserved", "Faulted", "Reserved"]
        assert await told(bench, 2) == ["Available", "Reserved", "Faulted", "Available"]


async def test_a_fault_of_the_charge_point_is_one_of_each_connector(open_bench: Any) -> None:
    async with open_bench() as bench:
        fault = ErrorInfo(ChargePointErrorCode.GROUND_FAILURE, is_fault=True, uuid="f")
        bench.charge_point.on_error(0, fault)
        assert await reserve(bench) == "Faulted"
        bench.charge_point.on_error_cleared(0, "f")
        assert await reserve(bench) == "Accepted"


async def test_out_of_service_under_a_fault_it_stays_so_when_the_car_leaves(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.station.answers["disable_evse"] = lambda number: bench.charge_point.on_disabled(number) or True
        bench.begin()
        bench.charge_point.on_resume_charging(1)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1200)
        change = {"connectorId": 1, "type": "Inoperative"}
        assert await bench.call("ChangeAvailability", change) == {"status": "Accepted"}
        await trio.sleep(1)
        fault = ErrorInfo(ChargePointErrorCode.GROUND_FAILURE, is_fault=True, uuid="f")
        bench.charge_point.on_error(1, fault)
        bench.charge_point.on_session_stopped(1, "s1")
        bench.charge_point.on_error_cleared(1, "f")
        assert (await told(bench))[-3:] == ["Unavailable", "Faulted", "Unavailable"]
        assert await reserve(bench) == "Unavailable"


async def test_out_of_service_and_back(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.station.answers["disable_evse"] = lambda number: bench.charge_point.on_disabled(number) or True
        bench.station.answers["enable_evse"] = lambda number: bench.charge_point.on_enabled(number) or True
        assert await reserve(bench) == "Accepted"
        change = {"connectorId": 1, "type": "Inoperative"}
        assert await bench.call("ChangeAvailability", change) == {"status": "Accepted"}
        await trio.sleep(1)
        assert await reserve(bench) == "Unavailable"
        assert await bench.call("ChangeAvailability", {**change, "type": "Operative"}) == {"status": "Accepted"}
        await trio.sleep(1)
        assert await bench.call("ChangeAvailability", {**change, "type": "Operative"}) == {"status": "Accepted"}
        assert await told(bench) == ["Available", "Reserved", "Unavailable", "Available", "Reserved"]
        assert kept(bench) == [7]


async def test_nobody_frees_by_word_what_is_kept(open_bench: Any) -> None:
    async with open_bench() as bench:
        assert await reserve(bench) == "Accepted"
        bench.charge_point.on_reservation_end(1)
        bench.charge_point.on_enabled(1)
        assert await told(bench) == ["Available", "Reserved"]


async def test_what_the_host_reserved_itself(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.charge_point.on_reservation_start(1)
        assert await reserve(bench, 1) == "Occupied"
        check = bench.charge_point.for_station.reservations.is_token_reserved_for_connector
        assert check(1, "TAG1") is ReservationCheckStatus.RESERVED_FOR_OTHER_TOKEN
        assert check(2, "TAG1") is ReservationCheckStatus.NOT_RESERVED
        assert await reserve(bench, 2) == "Accepted"
        bench.charge_point.on_reservation_end(1)
        assert await told(bench, 1) == ["Available", "Reserved", "Available"]


async def test_one_of_connector_0_opens_nothing_that_the_host_reserved(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(**ZERO)) as bench:
        bench.charge_point.on_reservation_start(1)
        assert await reserve(bench, 0) == "Accepted"
        check = bench.charge_point.for_station.reservations.is_token_reserved_for_connector
        assert check(1, "TAG1") is ReservationCheckStatus.RESERVED_FOR_OTHER_TOKEN
        assert check(2, "TAG1") is ReservationCheckStatus.RESERVED_FOR_TOKEN
        request = {"idTag": "TAG1", "connectorId": 1}
        assert await bench.call("RemoteStartTransaction", request) == {"status": "Rejected"}
