"""The station with a real charge point and a scripted Central System: what goes over the wire, in order."""

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
import trio
from charging_site import CONFIG, CP, line, site
from power_cut import contents, put_back
from trio.testing import MockClock

from ocpp16.enums import ChargePointErrorCode
from ocpp16.simulation import ControlInterface
from ocpp16.testing import CentralSystem, Direction

NOTHING = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0}]},
}
REFUSED = {"transactionId": 77, "idTagInfo": {"status": "Blocked"}}


async def test_a_session_by_card(autojump_clock: MockClock) -> None:
    async with CentralSystem() as csms, site(csms) as here:
        await here.charge()
        assert here.news() == ["1 Preparing", "Authorize", "Start 1 TAG", "1 Charging"]
        here.station.pause_drawing(1)
        await trio.sleep(1)
        here.station.resume_drawing(1)
        assert await here.commands.run("set_charging_profile", {"connector": 1, "profile": NOTHING}) == "Accepted"
        await trio.sleep(1)
        assert await here.commands.run("clear_charging_profiles") == 1
        here.station.present_id_tag("tag", [1])
        await trio.sleep(1)
        expected = ["1 SuspendedEV", "1 Charging", "1 SuspendedEVSE", "1 Charging", "Stop 1 Local tag", "1 Finishing"]
        assert here.news() == expected
        here.station.unplug(1)
        await trio.sleep(1)
        assert here.news() == ["1 Available"]


async def test_the_registers_are_those_of_the_car(autojump_clock: MockClock) -> None:
    async with CentralSystem() as csms, site(csms) as here:
        here.station.plug_in(2, current=10, draw_for=3600)
        here.station.present_id_tag("TAG", [2])
        stop = await csms.wait_for_call("StopTransaction", timeout=5000)
        assert stop.payload["meterStop"] == 2300
        await trio.sleep(1)
        assert here.news() == [
            "Authorize",
            "2 Preparing",
            "Start 2 TAG",
            "2 Charging",
            "Stop 1 EVDisconnected -",
            "2 Available",
        ]


async def test_remote_start_and_stop(autojump_clock: MockClock) -> None:
    async with CentralSystem() as csms, site(csms) as here:
        await here.charge()
        here.news()
        assert await csms.call(CP, "RemoteStartTransaction", {"idTag": "TAG"}) == {"status": "Accepted"}
        here.station.plug_in(2)
        await trio.sleep(3)
        assert here.news()[-3:] == ["2 Preparing", "Start 2 TAG", "2 Charging"]
        assert await csms.call(CP, "RemoteStopTransaction", {"transactionId": 2}) == {"status": "Accepted"}
        await trio.sleep(1)
        assert here.news() == ["Stop 2 Remote -", "2 Finishing"]


@pytest.mark.parametrize("stops", [True, False])
async def test_a_tag_that_the_start_refuses(autojump_clock: MockClock, stops: bool) -> None:
    config = {**CONFIG, "Core": {**CONFIG["Core"], "StopTransactionOnInvalidId": stops}}
    async with CentralSystem() as csms, site(csms, config=config) as here:
        csms.answers["StartTransaction"] = REFUSED
        await here.charge()
        stopped = ["Stop 77 DeAuthorized -", "1 Finishing"] if stops else []
        assert here.news() == ["1 Preparing", "Authorize", "Start 1 TAG", "1 SuspendedEVSE", *stopped]
        assert here.station.evse(1).register() == 0


async def test_an_authorization_times_out_as_configured_now(autojump_clock: MockClock) -> None:
    async with CentralSystem() as csms, site(csms) as here:
        await csms.call(CP, "ChangeConfiguration", {"key": "ConnectionTimeOut", "value": "5"})
        here.station.present_id_tag("TAG", [1])
        await trio.sleep(4)
        assert here.news() == ["Authorize", "1 Preparing"]
        await trio.sleep(1.5)
        assert here.news() == ["1 Available"]


async def test_a_car_without_a_card_is_not_waited_for(autojump_clock: MockClock) -> None:
    """OCPP 1.6 ed. 2 §4.9, B6: it has to be plugged in again, and nobody is told that a remote start will do."""
    remote = {"idTag": "TAG", "connectorId": 1}
    async with CentralSystem() as csms, site(csms) as here:
        await csms.call(CP, "ChangeConfiguration", {"key": "ConnectionTimeOut", "value": "5"})
        here.station.plug_in(1)
        await trio.sleep(10)
        assert here.news() == ["1 Preparing", "1 Finishing"]
        assert await csms.call(CP, "RemoteStartTransaction", remote) == {"status": "Rejected"}
        here.station.unplug(1)
        here.station.plug_in(1)
        await trio.sleep(2)
        assert await csms.call(CP, "RemoteStartTransaction", remote) == {"status": "Accepted"}
        await trio.sleep(2)
        assert "Start 1 TAG" in here.news()


async def test_who_has_reserved_may_take_his_time(autojump_clock: MockClock) -> None:
    reserve = {"connectorId": 1, "expiryDate": "2026-01-01T01:00:00Z", "idTag": "TAG", "reservationId": 7}
    async with CentralSystem() as csms, site(csms) as here:
        await csms.call(CP, "ChangeConfiguration", {"key": "ConnectionTimeOut", "value": "5"})
        assert await csms.call(CP, "ReserveNow", reserve) == {"status": "Accepted"}
        here.station.plug_in(1)
        await trio.sleep(10)
        here.station.present_id_tag("TAG", [1])
        await trio.sleep(2)
        assert "Start 1 TAG" in here.news()


async def test_who_was_waited_for_longer_than_he_had_reserved_came_in_vain(autojump_clock: MockClock) -> None:
    reserve = {"connectorId": 1, "expiryDate": "2026-01-01T01:00:00Z", "idTag": "TAG", "reservationId": 7}
    async with CentralSystem() as csms, site(csms) as here:
        await csms.call(CP, "ChangeConfiguration", {"key": "ConnectionTimeOut", "value": "5"})
        assert await csms.call(CP, "ReserveNow", reserve) == {"status": "Accepted"}
        here.station.plug_in(1)
        await trio.sleep(12)
        assert await csms.call(CP, "CancelReservation", {"reservationId": 7}) == {"status": "Accepted"}
        await trio.sleep(10)
        assert here.news() == ["1 Reserved", "1 Preparing", "1 Finishing"]


async def test_a_change_of_the_time_out_holds_for_who_waits(autojump_clock: MockClock) -> None:
    async with CentralSystem() as csms, site(csms) as here:

        async def change(seconds: int) -> None:
            await csms.call(CP, "ChangeConfiguration", {"key": "ConnectionTimeOut", "value": str(seconds)})

        here.station.present_id_tag("TAG", [1])
        await trio.sleep(10)
        await change(100)
        await trio.sleep(80)
        assert here.news() == ["Authorize", "1 Preparing"]
        await change(0)
        await trio.sleep(1000)
        assert here.news() == []
        await change(2000)
        await trio.sleep(900)
        assert here.news() == []
        await change(50)  # it is over by now
        await trio.sleep(0.1)
        assert here.news() == ["1 Available"]


async def test_unlocking_answers_before_the_stop(autojump_clock: MockClock) -> None:
    async with CentralSystem() as csms, site(csms, lock=[True, False]) as here:
        await here.charge()
        here.news()
        assert await csms.call(CP, "UnlockConnector", {"connectorId": 1}) == {"status": "Unlocked"}
        await trio.sleep(1)
        texts = [record.text for record in csms.traffic if record.direction is Direction.RECEIVED]
        places = [
            next(at for at, text in enumerate(texts) if part in text) for part in ('"Unlocked"', '"StopTransaction"')
        ]
        assert places == sorted(places)
        assert here.news() == ["Stop 1 UnlockCommand -", "1 Finishing"]
        assert await csms.call(CP, "UnlockConnector", {"connectorId": 2}) == {"status": "NotSupported"}


async def test_availability_and_faults(autojump_clock: MockClock) -> None:
    async with CentralSystem() as csms, site(csms) as here:
        await here.charge()
        here.news()
        for connector_id, answer in ((1, "Scheduled"), (2, "Accepted")):
            change = {"connectorId": connector_id, "type": "Inoperative"}
            assert await csms.call(CP, "ChangeAvailability", change) == {"status": answer}
        here.station.raise_fault(1, ChargePointErrorCode.GROUND_FAILURE)
        await trio.sleep(1)
        assert here.news() == ["2 Unavailable", "1 Faulted GroundFailure"]
        here.station.clear_fault(1, ChargePointErrorCode.GROUND_FAILURE)
        await trio.sleep(1)
        assert here.news() == ["1 Charging"]
        here.station.unplug(1)
        await trio.sleep(1)
        assert here.news() == ["Stop 1 EVDisconnected -", "1 Unavailable"]


async def test_offline_the_station_works_on(autojump_clock: MockClock) -> None:
    async with CentralSystem() as csms, site(csms) as here:
        await here.charge()
        here.news()
        await here.commands.run("disconnect")
        await csms.wait_disconnected(CP)
        assert (await here.commands.run("status"))["connection"] is False
        here.station.present_id_tag("TAG", [1])
        await trio.sleep(5)
        assert here.news() == []
        assert await here.commands.run("data_transfer", {"vendor_id": "v"}) == {"status": "Offline", "data": None}
        await here.commands.run("connect")
        await csms.wait_for_call("StopTransaction")
        await trio.sleep(1)
        assert "Stop 1 Local TAG" in here.news()
        assert (await here.commands.run("data_transfer", {"vendor_id": "v"}))["status"] != "Offline"


@pytest.mark.parametrize("kind", ["Soft", "Hard"])
async def test_a_reset_finds_the_car_again(autojump_clock: MockClock, kind: str) -> None:
    async with CentralSystem() as csms, site(csms) as here:
        await here.charge()
        here.news()
        assert await csms.call(CP, "Reset", {"type": kind}) == {"status": "Accepted"}
        await csms.wait_for_call("BootNotification", 2)
        await trio.sleep(2)
        news = here.news()
        assert news[:2] == [f"Stop 1 {kind}Reset -", "1 Finishing"]
        assert news[2] == "BootNotification"
        assert set(news[3:]) == {"SecurityEventNotification", "0 Available", "1 Preparing", "2 Available"}
        here.station.present_id_tag("TAG", [1])
        await trio.sleep(1)
        assert here.news() == ["Authorize", "Start 1 TAG", "1 Charging"]


async def test_a_reset_may_be_overruled(autojump_clock: MockClock) -> None:
    async with CentralSystem() as csms, site(csms) as here:
        await here.commands.run("overrule", {"question": "is_reset_allowed", "answer": False})
        assert await csms.call(CP, "Reset", {"type": "Soft"}) == {"status": "Rejected"}


async def test_stop_and_restart_by_command(autojump_clock: MockClock) -> None:
    async with CentralSystem() as csms, site(csms) as here:
        await here.charge()
        here.news()
        assert await here.commands.run("stop") is True
        assert here.news() == ["Stop 1 Other -", "1 Finishing"]
        await here.commands.run("unplug", {"connector": 1})
        await here.commands.run("plug_in", {"connector": 2})
        await trio.sleep(10)
        assert here.news() == []
        assert await here.commands.run("restart") is True
        await trio.sleep(5)
        news = here.news()
        assert news[0] == "BootNotification"
        assert [line for line in news if line[0] != "0"][-1] == "2 Preparing"
        assert "1 Available" in news


@pytest.mark.parametrize("policy", ["resume", "stop"])
async def test_after_a_power_loss(autojump_clock: MockClock, policy: str, tmp_path: Path) -> None:
    async with CentralSystem() as csms:
        async with site(csms, tmp_path) as here:
            await here.charge()
            here.news()
            await trio.sleep(1800)
            await here.charge_point.stored()
            at_the_cut = contents(tmp_path)
            csms.is_reachable = False
            csms.abort("cp001")
        put_back(tmp_path, at_the_cut)
        csms.is_reachable = True
        seen = len(csms.calls())
        async with site(csms, tmp_path, power_loss_policy=policy) as here:
            await trio.sleep(1)
            transaction = here.charge_point.transaction(1)
            if policy == "stop":
                assert transaction is None
                (stop,) = csms.calls("StopTransaction")
                assert stop.payload["reason"] == "PowerLoss"
                return
            assert transaction is not None
            assert here.station.evse(1).register() >= 0
            lines = [line(call.action, call.payload) for call in csms.calls()[seen:]]
            assert "1 Charging" in lines
            here.station.present_id_tag("TAG", [1])
            await trio.sleep(1)
            assert "Stop 1 Local TAG" in here.news()


async def test_the_control_interface_tells_what_happens(autojump_clock: MockClock) -> None:
    out: list[bytes] = []
    control = ControlInterface(out.append)
    async with CentralSystem() as csms, site(csms, control=control) as here:

        async def typed() -> AsyncIterator[bytes]:
            yield b'{"id": 1, "do": "plug_in", "connector": 1, "draw_for": 10}\n{"id": 2, "do": "status"}\n'
            await trio.sleep(2)
            yield b'{"id": 3, "do": "present_id_tag", "id_tag": "TAG", "connectors": [1]}\n'
            await trio.sleep(20)
            yield b'{"id": 4, "do": "data_transfer", "vendor_id": "v"}\n'

        await control.serve(here.commands, typed())
        await trio.sleep(1)
    records = [orjson.loads(line) for line in out]
    answers = [record for record in records if "id" in record]
    assert [(record["id"], record["ok"]) for record in answers] == [(1, True), (2, True), (3, True), (4, True)]
    assert answers[1]["result"]["registration"] == "Accepted"
    told = [(record["event"], record.get("phase") or record.get("status")) for record in records if "event" in record]
    assert told[:2] == [("security_event", None), ("connection", None)]
    assert ("boot", "Accepted") in told
    assert [event for event in told if event[0] in ("status", "transaction")] == [
        ("status", "Preparing"),
        ("transaction", "started"),
        ("transaction", "confirmed"),
        ("status", "Charging"),
        ("transaction", "stopped"),
        ("status", "Available"),
    ]


async def test_back_into_service_is_one_status(autojump_clock: MockClock) -> None:
    async with CentralSystem() as csms, site(csms) as here:
        for has_car, status in ((False, "1 Available"), (True, "1 Preparing")):
            change = {"connectorId": 1, "type": "Inoperative"}
            assert await csms.call(CP, "ChangeAvailability", change) == {"status": "Accepted"}
            if has_car:
                here.station.plug_in(1, plug_after=0)
            await trio.sleep(1)
            assert here.news() == ["1 Unavailable"]
            await csms.call(CP, "ChangeAvailability", {**change, "type": "Operative"})
            await trio.sleep(1)
            assert here.news() == [status]


PATIENT = {
    **CONFIG,
    "Core": {**CONFIG["Core"], "StopTransactionOnEVSideDisconnect": False, "MeterValueSampleInterval": 60},
}


@pytest.mark.parametrize("is_online", [True, False])
async def test_a_transaction_that_an_unplugging_does_not_stop(autojump_clock: MockClock, is_online: bool) -> None:
    """StopTransactionOnEVSideDisconnect false: SuspendedEV without a car, still sampled. Another card has no say, a
    plug goes on, the card of its driver ends it; the connector is free then if nobody is plugged in.
    """
    async with CentralSystem() as csms, site(csms, config=PATIENT) as here:
        await here.charge()
        if not is_online:
            here.charge_point.connection.disconnect()
        here.station.unplug(1)
        await trio.sleep(300)
        assert here.charge_point.connector_status(1).status == "SuspendedEV"
        before = here.station.evse(1).register()
        here.station.present_id_tag("OTHER", [1])
        here.station.plug_in(1, draw_for=100_000)
        await trio.sleep(300)
        assert here.charge_point.connector_status(1).status == "Charging"
        assert here.station.evse(1).register() > before
        here.station.unplug(1)
        await trio.sleep(5)
        here.station.present_id_tag("tag", [1])
        await trio.sleep(5)
        assert here.charge_point.connector_status(1).status == "Available"
        here.charge_point.connection.connect()
        await trio.sleep(100)
        news = here.news()
        assert news.count("MeterValues") == 10
        assert [line for line in news if "Start " in line or "Stop " in line] == ["Start 1 TAG", "Stop 1 Local tag"]
        if is_online:
            statuses = [line for line in news if line.startswith("1 ")]
            assert statuses == [
                "1 Preparing",
                "1 Charging",
                "1 SuspendedEV",
                "1 Charging",
                "1 SuspendedEV",
                "1 Finishing",
                "1 Available",
            ]
