"""Whatever happens to disk, connection and connectors, in any order: the status told last is the present one."""

import random
from typing import Any

import pytest
import trio

from ocpp16.enums import ChargePointErrorCode, SessionStartedReason
from ocpp16.models import ErrorInfo
from ocpp16.testing.misbehaviour import Fault

ACTS = ("plug", "charge", "pause", "error", "fault", "clear", "full", "full", "free", "cut", "trigger", "slow")


@pytest.mark.parametrize("seed", range(40))
async def test_a_story(open_bench: Any, make_config: Any, disk: Any, seed: int) -> None:
    chance = random.Random(seed)
    document = make_config(Core__MinimumStatusDuration=chance.choice((0, 0, 5)))
    async with open_bench(document=document, store=disk) as bench:
        charge_point, errors = bench.charge_point, 0
        for _ in range(20):
            connector_id, act = chance.choice((1, 2)), chance.choice(ACTS)
            if act == "plug" and charge_point.transaction(connector_id) is None:
                session = f"s{connector_id}"
                charge_point.on_session_started(connector_id, session, SessionStartedReason.EV_CONNECTED)
                charge_point.on_transaction_started(connector_id, session, "TAG1", 1000)
            elif act == "charge":
                charge_point.on_resume_charging(connector_id)
            elif act == "pause":
                charge_point.on_suspend_charging_ev(connector_id)
            elif act in {"error", "fault"}:
                errors += 1
                code = chance.choice((ChargePointErrorCode.GROUND_FAILURE, ChargePointErrorCode.OVER_VOLTAGE))
                charge_point.on_error(connector_id, ErrorInfo(code, is_fault=act == "fault", uuid=f"{errors}"))
            elif act == "clear":
                charge_point.on_all_errors_cleared(connector_id)
            elif act in {"full", "free"}:
                disk.is_full = act == "full"
            elif act == "cut" and charge_point.connection.is_connected:
                bench.csms.abort("cp001")
            elif act == "trigger" and charge_point.connection.is_connected:
                trigger = {"requestedMessage": "StatusNotification", "connectorId": connector_id}
                await bench.call("TriggerMessage", trigger)
            elif act == "slow":
                bench.csms.misbehave(Fault.DELAY, "StatusNotification", seconds=chance.choice((0.5, 2, 20)))
            await trio.sleep(chance.choice((0, 0, 0.01, 1, 10)))
        disk.is_full = False
        await trio.sleep(600)
        for connector_id in (1, 2):
            now = charge_point.connector_status(connector_id)
            told = [status for status in bench.sent("StatusNotification") if status["connectorId"] == connector_id]
            assert (told[-1]["status"], told[-1]["errorCode"]) == (now.status, now.error_code)
            times = [status["timestamp"] for status in told]
            assert times == sorted(times)
