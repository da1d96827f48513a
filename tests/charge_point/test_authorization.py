"""Why an id tag may charge or not, and what follows when the Central System has another opinion (§3.5, §4.8, §9.1)."""

import logging
from typing import Any

import pytest
import trio

from ocpp16.enums import AuthorizationStatus, Reason
from ocpp16.observer import IdTagAuthorized
from ocpp16.profiles.authorization import DECISIONS_KEPT
from ocpp16.testing import CallErrorAnswer

S = AuthorizationStatus
REFUSALS = ["Blocked", "Expired", "Invalid", "ConcurrentTx"]
OFFLINE = "offline, known here as accepted, which does not count"


async def test_every_decision_says_why(open_bench: Any, make_config: Any, caplog: Any) -> None:
    caplog.set_level(logging.INFO, "ocpp16")
    document = make_config(Core__AuthorizationCacheEnabled=True, Core__LocalAuthorizeOffline=False)
    async with open_bench(document=document) as bench:
        charge_point = bench.charge_point
        assert charge_point.for_station.authorization.decisions == ()
        await charge_point.authorize_id_token("TAG")
        bench.csms.answers["Authorize"] = CallErrorAnswer("InternalError")
        await charge_point.authorize_id_token("TAG")
        charge_point.connection.disconnect()
        await trio.sleep(1)
        await charge_point.authorize_id_token("TAG")
        await charge_point.authorize_id_token("NEW")
        await trio.sleep(1)
        asked = ("the Central System", "asked: nothing is decided here while connected", "LocalPreAuthorize")
        expected = [
            ("TAG", "Accepted", *asked),
            ("TAG", "Invalid", "the Central System gave no usable answer", "asked: an error, or unreadable", ""),
            ("TAG", "Invalid", "offline, nothing allows this tag", OFFLINE, "LocalAuthorizeOffline"),
            (
                "NEW",
                "Invalid",
                "offline, nothing allows this tag",
                "offline, not known here",
                "AllowOfflineTxForUnknownId",
            ),
        ]

        def told(id_tag: str, info: Any) -> Any:
            return (id_tag, str(info.status), info.source, info.rule, info.key)

        decisions = charge_point.for_station.authorization.decisions
        assert [told(each.id_tag, each.id_tag_info) for each in decisions] == expected
        assert [told(each.id_tag, each.id_tag_info) for each in bench.events.of(IdTagAuthorized)] == expected
        assert [each.at for each in decisions] == sorted(each.at for each in decisions)
        lines = [record.getMessage() for record in caplog.records if "id tag is" in record.getMessage()]
        assert "cp001: id tag is Accepted: {} ({}; {})".format(*asked) in lines
        assert not any("TAG" in line for line in lines), "id tags are personal data"


async def test_the_latest_decisions_are_kept_and_no_others(open_bench: Any) -> None:
    async with open_bench() as bench:
        for number in range(DECISIONS_KEPT + 3):
            await bench.charge_point.authorize_id_token(f"TAG{number}")
        tags = [decision.id_tag for decision in bench.charge_point.for_station.authorization.decisions]
        assert tags == [f"TAG{number}" for number in range(3, DECISIONS_KEPT + 3)]


@pytest.mark.parametrize("status", REFUSALS)
@pytest.mark.parametrize("stops", [True, False])
async def test_a_refusal_after_the_start(open_bench: Any, make_config: Any, status: str, stops: bool) -> None:
    """Whatever the status, energy ends, and with StopTransactionOnInvalidId so does the transaction."""
    async with open_bench(document=make_config(Core__StopTransactionOnInvalidId=stops)) as bench:
        bench.csms.answers["StartTransaction"] = {"transactionId": 7, "idTagInfo": {"status": status}}
        bench.begin()
        await trio.sleep(1)
        assert bench.station.asked("pause_charging") == [(1,)]
        assert bench.station.asked("stop_transaction") == ([(1, Reason.DE_AUTHORIZED)] if stops else [])
        assert [stop["reason"] for stop in bench.sent("StopTransaction")] == (["DeAuthorized"] if stops else [])
        (decision,) = bench.charge_point.for_station.authorization.decisions
        assert (decision.id_tag, str(decision.id_tag_info.status)) == ("TAG1", status)
        assert decision.id_tag_info.rule == "refused in StartTransaction.conf"
        assert decision.id_tag_info.key == "StopTransactionOnInvalidId"


@pytest.mark.parametrize("status", REFUSALS)
@pytest.mark.parametrize("stops", [True, False])
async def test_energy_that_a_refusal_leaves(open_bench: Any, make_config: Any, status: str, stops: bool) -> None:
    """MaxEnergyOnInvalidId is for whom the car would be stranded: who charges elsewhere gets nothing."""
    document = make_config(Core__MaxEnergyOnInvalidId=500, Core__StopTransactionOnInvalidId=stops)
    async with open_bench(document=document) as bench:
        bench.csms.answers["StartTransaction"] = {"transactionId": 7, "idTagInfo": {"status": status}}
        bench.measure(1, 1000)
        bench.begin(meter_start=1000)
        await trio.sleep(10)
        ends_at_once = status == "ConcurrentTx"
        assert bool(bench.station.asked("pause_charging")) is ends_at_once
        assert bool(bench.sent("StopTransaction")) is (ends_at_once and stops)
        bench.measure(1, 1500)
        await trio.sleep(10)
        assert bench.station.asked("pause_charging") == [(1,)]
        assert len(bench.sent("StopTransaction")) == stops


@pytest.mark.parametrize("status", REFUSALS)
async def test_a_late_refusal_of_what_is_over_touches_nothing(open_bench: Any, make_config: Any, status: str) -> None:
    document = make_config(Core__AuthorizationCacheEnabled=True)
    async with open_bench(document=document) as bench:
        bench.charge_point.connection.disconnect()
        await trio.sleep(1)
        bench.begin()
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        bench.begin(session_id="s2", id_tag="OTHER")
        answers = iter([status, "Accepted"])
        bench.csms.answers["StartTransaction"] = lambda payload, call: {
            "transactionId": 7 if payload["idTag"] == "TAG1" else 8,
            "idTagInfo": {"status": next(answers)},
        }
        bench.charge_point.connection.connect()
        await trio.sleep(30)
        assert bench.charge_point.transaction(1).transaction_id == 8
        assert bench.station.asked("pause_charging") == bench.station.asked("stop_transaction") == []
        known = {tag: str(info.status) for tag, info in bench.charge_point.for_station.authorization.cache.items()}
        assert known == {"tag1": status, "other": "Accepted"}, "what was learnt is of its own tag"


@pytest.mark.parametrize("asks", [True, False])
async def test_a_remote_start_is_decided_like_a_card_if_that_is_wanted(
    open_bench: Any, make_config: Any, asks: bool
) -> None:
    async with open_bench(document=make_config(Core__AuthorizeRemoteTxRequests=asks)) as bench:
        assert await bench.call("RemoteStartTransaction", {"idTag": "R", "connectorId": 1}) == {"status": "Accepted"}
        await trio.sleep(1)
        assert bench.station.asked("provide_token") == [("R", (1,), not asks)]
        bench.begin(id_tag="R")
        await trio.sleep(1)
        number = bench.charge_point.transaction(1).transaction_id
        assert await bench.call("RemoteStopTransaction", {"transactionId": number}) == {"status": "Accepted"}
        await trio.sleep(1)
        assert bench.sent("StopTransaction")[0]["reason"] == "Remote"


async def test_one_that_the_queue_had_no_room_for_is_decided_as_offline(open_bench: Any, make_config: Any) -> None:
    document = make_config(Internal__MessageQueueSizeThreshold=10, Core__AllowOfflineTxForUnknownId=True)
    async with open_bench(document=document) as bench, trio.open_nursery() as nursery:
        bench.csms.answers["DataTransfer"] = None  # holds the line
        nursery.start_soon(bench.charge_point.data_transfer, "Vendor")
        await trio.sleep(0.1)
        said = []

        async def ask() -> None:
            said.append(await bench.charge_point.authorize_id_token("CARD"))

        nursery.start_soon(ask)
        await trio.sleep(0.1)
        bench.begin(1)
        for number in range(40):
            bench.measure(1, 1000 + number)
            bench.charge_point.sample_now(1)
        await trio.sleep(0.1)
        assert [it.status for it in said] == [S.ACCEPTED]
        assert bench.sent("Authorize") == []
        nursery.cancel_scope.cancel()
