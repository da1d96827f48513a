"""Charging without a card (FreeVendActive, FreeVendIdTag)."""

from datetime import timedelta
from typing import Any

import pytest
import trio

from ocpp16.enums import ChargePointErrorCode, Reason, SessionStartedReason
from ocpp16.models import ErrorInfo
from ocpp16.testing.central_system import CentralSystem
from ocpp16.testing.stations import RecordingStation

FAULT = ErrorInfo(ChargePointErrorCode.GROUND_FAILURE, is_fault=True)
PLUG, CARD = SessionStartedReason.EV_CONNECTED, SessionStartedReason.AUTHORIZED


def free(make_config: Any, **keys: Any) -> Any:
    return make_config(**{"Internal__FreeVendActive": True, "Internal__FreeVendIdTag": "FREE", **keys})


def provided(bench: Any) -> list[list[Any]]:
    calls: list[tuple[Any, ...]] = bench.station.calls
    return [arguments for name, *arguments in calls if name == "provide_token"]


async def settled() -> None:
    await trio.sleep(0.5)


async def test_a_plug_provides_the_id_tag_and_asks_nobody(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=free(make_config)) as bench:
        bench.charge_point.on_session_started(2, "s1", PLUG)
        await settled()
        assert provided(bench) == [["FREE", (2,), True]]
        bench.begin(2, "s1", "FREE")
        await settled()
        assert [start["idTag"] for start in bench.sent("StartTransaction")] == ["FREE"]
        assert bench.sent("Authorize") == []


async def test_a_card_comes_first_where_it_was_first(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=free(make_config)) as bench:
        bench.charge_point.on_session_started(1, "s1", CARD)
        await settled()
        bench.charge_point.on_session_stopped(1, "s1")
        assert provided(bench) == []


async def test_it_is_off_unless_it_is_switched_on_and_switching_counts_at_once(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.charge_point.on_session_started(1, "s1", PLUG)
        bench.charge_point.on_session_started(2, "s2", CARD)
        await settled()
        assert provided(bench) == []
        assert await bench.call("ChangeConfiguration", {"key": "FreeVendIdTag", "value": "MINE"}) == {
            "status": "Accepted"
        }
        for value in ("true", "true"):
            assert await bench.call("ChangeConfiguration", {"key": "FreeVendActive", "value": value}) == {
                "status": "Accepted"
            }
            await settled()
        assert provided(bench) == [["MINE", (1,), True]], "a car that waits charges; who showed a card has that"
        await bench.call("ChangeConfiguration", {"key": "FreeVendActive", "value": "false"})
        bench.charge_point.on_session_stopped(1, "s1")
        bench.charge_point.on_session_started(1, "s3", PLUG)
        await settled()
        assert len(provided(bench)) == 1


@pytest.mark.parametrize("value", ["", "x" * 21])
async def test_no_other_id_tag_can_be_set(open_bench: Any, value: str) -> None:
    async with open_bench() as bench:
        answer = await bench.call("ChangeConfiguration", {"key": "FreeVendIdTag", "value": value})
        assert answer == {"status": "Rejected"}


async def test_it_works_offline_from_the_first_start_on(open_bench: Any, make_config: Any) -> None:
    away = CentralSystem()
    away.is_reachable = False
    document = free(make_config, Core__AllowOfflineTxForUnknownId=False)
    async with open_bench(csms=away, document=document) as bench:
        bench.charge_point.on_session_started(1, "s1", PLUG)
        await settled()
        assert provided(bench) == [["FREE", (1,), True]]
        info = await bench.charge_point.authorize_id_token("free")
        assert (info.status, info.source, info.key) == ("Accepted", "free charging", "FreeVendActive")
        assert (await bench.charge_point.authorize_id_token("OTHER")).status == "Invalid"


async def test_what_was_in_the_way_is_waited_for(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=free(make_config)) as bench:
        charge_point = bench.charge_point
        charge_point.on_error(1, FAULT)
        charge_point.on_session_started(1, "s1", PLUG)
        await settled()
        assert provided(bench) == []
        charge_point.on_error_cleared(1, FAULT.uuid)
        await settled()
        assert provided(bench) == [["FREE", (1,), True]]


async def test_after_a_transaction_only_the_next_plug_counts(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=free(make_config)) as bench:
        charge_point = bench.charge_point
        charge_point.on_session_started(1, "s1", PLUG)
        await settled()
        bench.begin(1, "s1", "FREE")
        await settled()
        charge_point.on_error(1, FAULT)
        charge_point.on_error_cleared(1, FAULT.uuid)
        bench._stop(1, Reason.REMOTE)
        charge_point.on_error(1, FAULT)
        charge_point.on_error_cleared(1, FAULT.uuid)
        await bench.call("ChangeConfiguration", {"key": "FreeVendActive", "value": "false"})
        await bench.call("ChangeConfiguration", {"key": "FreeVendActive", "value": "true"})
        await settled()
        assert len(provided(bench)) == 1
        charge_point.on_session_stopped(1, "s1")
        charge_point.on_session_started(1, "s2", PLUG)
        await settled()
        assert len(provided(bench)) == 2


@pytest.mark.parametrize("holder", ["FREE", "OTHER"])
async def test_a_reserved_connector_is_for_whom_it_is_reserved(open_bench: Any, make_config: Any, holder: str) -> None:
    document = free(make_config, Core__SupportedFeatureProfiles="Core,Reservation")
    async with open_bench(document=document) as bench:
        until = bench.charge_point.for_station.clock.now_datetime() + timedelta(seconds=60)
        reservation = {"connectorId": 1, "expiryDate": until.isoformat(), "idTag": holder, "reservationId": 7}
        assert await bench.call("ReserveNow", reservation) == {"status": "Accepted"}
        bench.charge_point.on_session_started(1, "s1", PLUG)
        await settled()
        assert len(provided(bench)) == (holder == "FREE")
        await trio.sleep(61)  # the reservation is over, and a car waits
        assert len(provided(bench)) >= 1


class SlowStation(RecordingStation):
    """It takes its time to put a connector into service."""

    async def enable_evse(self, connector_id: int) -> bool:
        await trio.sleep(5)
        return await super().enable_evse(connector_id)


async def test_what_changed_by_its_turn_counts(open_bench: Any, make_config: Any) -> None:
    """The station is busy with these connectors: by the turn of the id tag somebody charges, or the car is gone."""
    async with open_bench(document=free(make_config), station=SlowStation()) as bench:
        charge_point = bench.charge_point
        charge_point.on_session_started(1, "s1", PLUG)
        bench.begin(1, "s1", "CARD")
        charge_point.on_session_started(2, "s2", PLUG)
        charge_point.on_session_stopped(2, "s2")
        await trio.sleep(10)
        assert provided(bench) == []


async def test_a_station_that_fails_loses_one_plug_and_nothing_else(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=free(make_config)) as bench:
        bench.station.answers["provide_token"] = RuntimeError("no reader")
        bench.charge_point.on_session_started(1, "s1", PLUG)
        await settled()
        del bench.station.answers["provide_token"]
        bench.charge_point.on_session_started(2, "s2", PLUG)
        await settled()
        assert provided(bench)[-1] == ["FREE", (2,), True]


async def test_the_central_system_may_refuse_it_as_any_other(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=free(make_config)) as bench:
        bench.csms.answers["StartTransaction"] = {"transactionId": 1, "idTagInfo": {"status": "Blocked"}}
        bench.charge_point.on_session_started(1, "s1", PLUG)
        await settled()
        bench.begin(1, "s1", "FREE")
        await trio.sleep(2)
        assert bench.sent("StopTransaction")[0]["reason"] == "DeAuthorized"


async def test_out_of_service_nobody_charges_for_free(open_bench: Any, make_config: Any) -> None:
    """What is asked for while a car is plugged in comes with the end of its session."""
    async with open_bench(document=free(make_config)) as bench:
        await bench.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
        bench.charge_point.on_disabled(1)
        bench.charge_point.on_session_started(1, "s1", PLUG)
        await settled()
        await bench.call("ChangeAvailability", {"connectorId": 1, "type": "Operative"})
        await settled()
        assert provided(bench) == []
        bench.charge_point.on_session_stopped(1, "s1")
        await settled()
        bench.charge_point.on_enabled(1)
        bench.charge_point.on_session_started(1, "s2", PLUG)
        await settled()
        assert provided(bench) == [["FREE", (1,), True]]


async def test_who_waited_while_connectors_were_withheld_charges_then(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=free(make_config)) as bench:
        availability = bench.charge_point._runtime.features.availability
        availability.withhold()  # as while firmware is installed
        await settled()
        bench.charge_point.on_session_started(1, "s1", PLUG)
        await settled()
        assert provided(bench) == []
        availability.release()
        await settled()
        assert provided(bench) == [["FREE", (1,), True]]
        asked = [name for name, *_ in bench.station.calls]
        assert asked.index("enable_evse") < asked.index("provide_token")
