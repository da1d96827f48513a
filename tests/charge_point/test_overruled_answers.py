"""Answers to the Central System that a station puts in the place of ours."""

from typing import Any

import pytest
import trio

from ocpp16.charge_point.dispatcher import MOST_OVERRULED
from ocpp16.errors import CallFailed, ChargePointStopped

OPERATIVE = {"connectorId": 1, "type": "Operative"}
REJECTED, ACCEPTED = {"status": "Rejected"}, {"status": "Accepted"}


async def test_the_next_answers_are_those_and_nothing_is_done(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.begin()
        await trio.sleep(1)
        bench.charge_point.for_station.overrule_answer("RemoteStopTransaction", REJECTED, 2)
        for _ in range(2):
            assert await bench.call("RemoteStopTransaction", {"transactionId": 1}) == REJECTED
        await trio.sleep(1)
        assert not bench.sent("StopTransaction")
        assert await bench.call("RemoteStopTransaction", {"transactionId": 1}) == ACCEPTED
        await trio.sleep(1)
        assert len(bench.sent("StopTransaction")) == 1


async def test_each_action_has_its_own_in_their_order(open_bench: Any) -> None:
    async with open_bench() as bench:
        door = bench.charge_point.for_station
        door.overrule_answer("Reset", REJECTED)
        door.overrule_answer("ClearCache", REJECTED)
        door.overrule_answer("ClearCache", ACCEPTED)
        assert await bench.call("ClearCache", {}) == REJECTED
        assert await bench.call("Reset", {"type": "Hard"}) == REJECTED
        assert await bench.call("ClearCache", {}) == ACCEPTED
        assert not bench.station.asked("reset")


async def test_what_is_not_supported_can_be_answered_once(open_bench: Any) -> None:
    """Without a keeper of certificates."""
    certificate = {"certificateType": "CentralSystemRootCertificate", "certificate": "no certificate"}
    async with open_bench() as bench:
        bench.charge_point.for_station.overrule_answer("InstallCertificate", REJECTED)
        with pytest.raises(CallFailed) as failed:
            await bench.csms.call("cp001", "InstallCertificate", {"certificate": 7}, validated=False)
        assert failed.value.code in ("FormationViolation", "OccurenceConstraintViolation", "TypeConstraintViolation")
        assert await bench.call("InstallCertificate", certificate) == REJECTED
        with pytest.raises(CallFailed, match="NotSupported"):
            await bench.call("InstallCertificate", certificate)


async def test_who_is_not_registered_answers_as_ever(open_bench: Any) -> None:
    async with open_bench(start=False) as bench:
        bench.csms.refuse_boot("Pending", interval=600)
        await bench.charge_point.start()
        await trio.sleep(1)
        bench.charge_point.for_station.overrule_answer("RemoteStartTransaction", ACCEPTED)
        assert await bench.call("RemoteStartTransaction", {"idTag": "TAG"}) == REJECTED


async def test_it_ends_when_the_charge_point_stops(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.charge_point.for_station.overrule_answer("ChangeAvailability", REJECTED)
        await bench.charge_point.stop()
        await bench.charge_point.start()
        await trio.sleep(1)
        assert await bench.call("ChangeAvailability", OPERATIVE) == ACCEPTED


async def test_what_cannot_be_an_answer_is_refused(open_bench: Any) -> None:
    async with open_bench() as bench:
        door = bench.charge_point.for_station
        for action, answer, times, why in (
            ("Heartbeat", {}, 1, "the Central System does not ask Heartbeat"),
            ("Fly", {}, 1, "the Central System does not ask Fly"),
            ("ClearCache", {"status": "Perhaps"}, 1, "answer: "),
            ("ClearCache", {}, 1, "answer: "),
            ("ClearCache", "Rejected", 1, "answer must be a mapping"),
            ("ClearCache", REJECTED, 0, "times must be"),
            ("ClearCache", REJECTED, MOST_OVERRULED + 1, "times must be"),
            (7, REJECTED, 1, "action must be"),
        ):
            with pytest.raises(ValueError, match=why):
                door.overrule_answer(action, answer, times)
        door.overrule_answer("ClearCache", REJECTED, MOST_OVERRULED)
        with pytest.raises(ValueError, match="no more than 1,000 answers may wait"):
            door.overrule_answer("ClearCache", REJECTED)
        given = {"status": "Accepted"}
        door.overrule_answer("Reset", given)
        given["status"] = "Perhaps"
        assert await bench.call("Reset", {"type": "Soft"}) == ACCEPTED
    with pytest.raises(ChargePointStopped):
        door.overrule_answer("Reset", REJECTED)
