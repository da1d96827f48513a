"""What the Central System asks: remote control, reset, unlock, availability, keys, triggers, bad calls."""

import json
from typing import Any

import pytest
import trio

from ocpp16.enums import ConfigurationStatus, DataTransferStatus, Reason, ResetType, SessionStartedReason, UnlockStatus
from ocpp16.errors import CallFailed
from ocpp16.models import DataTransferResponse
from ocpp16.observer import ConfigurationKeyChanged, ConnectionStateChanged, ResetRequested
from ocpp16.rpc.policy import MAX_WAITING_CALLS
from ocpp16.testing.central_system import CentralSystem


async def test_remote_start_hands_the_token_to_the_station(open_bench: Any, make_config: Any) -> None:
    document = make_config(Core__AuthorizeRemoteTxRequests=False)
    async with open_bench(document=document) as bench:
        accepted, rejected = {"status": "Accepted"}, {"status": "Rejected"}
        assert await bench.call("RemoteStartTransaction", {"idTag": "A", "connectorId": 2}) == accepted
        assert await bench.call("RemoteStartTransaction", {"idTag": "B"}) == accepted
        assert await bench.call("RemoteStartTransaction", {"idTag": "C" * 20, "connectorId": 1}) == accepted
        assert await bench.call("RemoteStartTransaction", {"idTag": "C", "connectorId": 0}) == rejected
        assert await bench.call("RemoteStartTransaction", {"idTag": "D", "connectorId": 3}) == rejected
        await trio.sleep(1)
        assert bench.station.asked("provide_token") == [("A", (2,), True), ("B", (1, 2), True), ("C" * 20, (1,), True)]
        bench.begin(2)
        assert await bench.call("RemoteStartTransaction", {"idTag": "E", "connectorId": 2}) == rejected
        assert await bench.call("RemoteStartTransaction", {"idTag": "F"}) == accepted
        bench.charge_point.on_disabled(1)
        assert await bench.call("RemoteStartTransaction", {"idTag": "G"}) == rejected


async def test_remote_stop_needs_a_running_transaction_of_that_id(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.begin()
        await trio.sleep(1)
        assert await bench.call("RemoteStopTransaction", {"transactionId": 99}) == {"status": "Rejected"}
        assert await bench.call("RemoteStopTransaction", {"transactionId": 1}) == {"status": "Accepted"}
        await trio.sleep(1)
        assert bench.sent("StopTransaction")[0]["reason"] == "Remote"


@pytest.mark.parametrize(("kind", "reason"), [("Soft", "SoftReset"), ("Hard", "HardReset")])
async def test_reset_ends_transactions_first(open_bench: Any, kind: str, reason: str) -> None:
    async with open_bench() as bench:
        bench.begin()
        await trio.sleep(1)
        assert await bench.call("Reset", {"type": kind}) == {"status": "Accepted"}
        assert await bench.call("Reset", {"type": kind}) == {"status": "Accepted"}
        await trio.sleep(1)
        assert [stop["reason"] for stop in bench.sent("StopTransaction")] == [reason]
        assert bench.station.asked("reset") == [(ResetType(kind),)]
        assert len(bench.events.of(ResetRequested)) == 1


async def test_no_remote_start_where_the_station_is_yet_to_disable(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.station.delays["disable_evse"] = 20
        change = {"connectorId": 1, "type": "Inoperative"}
        assert await bench.call("ChangeAvailability", change) == {"status": "Accepted"}
        start = {"idTag": "A", "connectorId": 1}
        assert await bench.call("RemoteStartTransaction", start) == {"status": "Rejected"}
        assert await bench.call("RemoteStartTransaction", {"idTag": "A"}) == {"status": "Accepted"}, "another is free"
        assert await bench.call("ChangeAvailability", {**change, "type": "Operative"}) == {"status": "Accepted"}
        assert await bench.call("RemoteStartTransaction", start) == {"status": "Accepted"}


async def test_a_transaction_that_begins_during_a_reset_is_ended_too(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.begin()
        await trio.sleep(1)
        bench.station.delays["stop_transaction"] = 5
        assert await bench.call("Reset", {"type": "Hard"}) == {"status": "Accepted"}
        await trio.sleep(1)
        bench.begin(connector_id=2, session_id="s2")
        await trio.sleep(15)
        assert [stop["reason"] for stop in bench.sent("StopTransaction")] == ["HardReset"] * 2
        assert bench.station.asked("reset") == [(ResetType.HARD,)]


@pytest.mark.parametrize("steps", range(12))
async def test_a_second_reset_at_whatever_step_of_the_first_begins_no_other(open_bench: Any, steps: int) -> None:
    async with open_bench() as bench:
        bench.begin()
        await trio.sleep(1)
        bench.station.delays["reset"] = 5
        await bench.csms.send_text("cp001", '[2,"first","Reset",{"type":"Soft"}]')
        for _ in range(steps):
            await trio.lowlevel.checkpoint()
        await bench.csms.send_text("cp001", '[2,"second","Reset",{"type":"Hard"}]')
        await trio.sleep(1)
        assert await bench.call("Reset", {"type": "Soft"}) == {"status": "Accepted"}, "the station is at it"
        await trio.sleep(1)
        assert bench.station.asked("reset") == [(ResetType.SOFT,)]
        await trio.sleep(5)
        assert await bench.call("Reset", {"type": "Hard"}) == {"status": "Accepted"}
        await trio.sleep(1)
        assert bench.station.asked("reset") == [(ResetType.SOFT,), (ResetType.HARD,)], "that one was over"
        bench.csms.violations.clear()  # answers to texts that are no CALLs of its own


async def test_a_reset_that_is_tried_again_is_one(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(Core__ResetRetries=2)) as bench:
        bench.station.answers["reset"] = OSError("stuck")
        for _ in range(2):
            assert await bench.call("Reset", {"type": "Soft"}) == {"status": "Accepted"}
            await trio.sleep(30)
        await trio.sleep(200)
        assert len(bench.station.asked("reset")) == 3


async def test_reset_does_not_wait_for_ever(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(Internal__WaitForStopTransactionsOnResetTimeout=20)) as bench:
        bench.station.answers["stop_transaction"] = False
        bench.begin()
        await bench.call("Reset", {"type": "Soft"})
        await trio.sleep(19)
        assert bench.station.asked("reset") == []
        await trio.sleep(2)
        assert bench.station.asked("reset") == [(ResetType.SOFT,)]


async def test_reset_the_station_forbids(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.station.answers["is_reset_allowed"] = False
        assert await bench.call("Reset", {"type": "Soft"}) == {"status": "Rejected"}
        bench.station.answers["is_reset_allowed"] = RuntimeError("broken")
        assert await bench.call("Reset", {"type": "Soft"}) == {"status": "Rejected"}
        bench.station.delays["is_reset_allowed"] = 31
        with pytest.raises(CallFailed, match="timeout"):
            await bench.csms.call("cp001", "Reset", {"type": "Soft"}, timeout=29)
        await trio.sleep(5)
        assert bench.station.asked("reset") == []


async def test_unlock(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(Internal__StopTransactionIfUnlockNotSupported=True)) as bench:
        assert await bench.call("UnlockConnector", {"connectorId": 1}) == {"status": "Unlocked"}
        assert await bench.call("UnlockConnector", {"connectorId": 3}) == {"status": "NotSupported"}
        assert await bench.call("UnlockConnector", {"connectorId": 0}) == {"status": "NotSupported"}
        bench.begin()
        for answer in (UnlockStatus.UNLOCKED, UnlockStatus.UNLOCK_FAILED):
            bench.station.answers["unlock_connector"] = answer
            assert await bench.call("UnlockConnector", {"connectorId": 1}) == {"status": answer}
        bench.station.answers["unlock_connector"] = UnlockStatus.NOT_SUPPORTED
        assert await bench.call("UnlockConnector", {"connectorId": 2}) == {"status": "NotSupported"}
        await trio.sleep(1)
        assert bench.sent("StopTransaction") == []
        assert bench.charge_point.counters.internal_errors == 0
        assert await bench.call("UnlockConnector", {"connectorId": 1}) == {"status": "NotSupported"}
        await trio.sleep(1)
        assert bench.sent("StopTransaction")[0]["reason"] == "UnlockCommand"


async def test_availability_is_scheduled_during_a_transaction_and_survives_a_restart(
    open_bench: Any, tmp_path: Any
) -> None:
    async with open_bench(database_path=tmp_path) as bench:
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.AUTHORIZED)
        bench.begin()
        inoperative = {"connectorId": 1, "type": "Inoperative"}
        assert await bench.call("ChangeAvailability", inoperative) == {"status": "Scheduled"}
        assert await bench.call("ChangeAvailability", {**inoperative, "connectorId": 9}) == {"status": "Rejected"}
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1100)
        bench.charge_point.on_session_stopped(1, "s1")
        await trio.sleep(1)
        statuses = [status["status"] for status in bench.sent("StatusNotification") if status["connectorId"] == 1]
        assert statuses == ["Available", "Preparing", "Finishing", "Unavailable"]
        assert (1,) in bench.station.asked("disable_evse")
    async with open_bench(database_path=tmp_path) as bench:
        statuses = [status["status"] for status in bench.sent("StatusNotification")]
        assert statuses == ["Available", "Unavailable", "Available"]
        assert await bench.call("ChangeAvailability", {"connectorId": 0, "type": "Operative"}) == {"status": "Accepted"}
        await trio.sleep(1)
        assert (1,) in bench.station.asked("enable_evse")


async def test_keys_are_changed_kept_and_told(open_bench: Any, make_config: Any, tmp_path: Any) -> None:
    overlay = tmp_path / "user_config.json"
    async with open_bench(user_config_path=overlay) as bench:
        change = {"key": "connectiontimeout", "value": "77"}
        assert await bench.call("ChangeConfiguration", change) == {"status": "Accepted"}
        assert '"ConnectionTimeOut":77' in overlay.read_text().replace(" ", "")
        assert await bench.call("ChangeConfiguration", {"key": "NoSuchKey", "value": "1"}) == {"status": "NotSupported"}
        assert await bench.call("ChangeConfiguration", {"key": "NumberOfConnectors", "value": "1"}) == {
            "status": "Rejected"
        }
        assert await bench.call("ChangeConfiguration", {"key": "ConnectionTimeOut", "value": "x"}) == {
            "status": "Rejected"
        }
        await trio.sleep(1)
        assert bench.station.asked("set_connection_timeout")[-1] == (77,)
        assert bench.events.of(ConfigurationKeyChanged)[-1] == ConfigurationKeyChanged("ConnectionTimeOut", "77")
        answer = await bench.call("GetConfiguration", {"key": ["CONNECTIONTIMEOUT", "NoSuchKey", "AuthorizationKey"]})
        assert answer == {
            "configurationKey": [{"key": "ConnectionTimeOut", "readonly": False, "value": "77"}],
            "unknownKey": ["NoSuchKey", "AuthorizationKey"],
        }
        assert len((await bench.call("GetConfiguration", {}))["configurationKey"]) > 50
        assert await bench.charge_point.configuration.set("HeartbeatInterval", "5") is ConfigurationStatus.ACCEPTED
    async with open_bench(user_config_path=overlay) as bench:
        assert bench.charge_point.configuration.get(["ConnectionTimeOut"])["configurationKey"][0]["value"] == "77"


async def test_keys_without_a_file_are_kept_in_the_store(open_bench: Any, tmp_path: Any) -> None:
    async with open_bench(database_path=tmp_path) as bench:
        await bench.call("ChangeConfiguration", {"key": "ConnectionTimeOut", "value": "78"})
    async with open_bench(database_path=tmp_path) as bench:
        assert bench.charge_point.configuration.get(["ConnectionTimeOut"])["configurationKey"][0]["value"] == "78"


async def test_data_transfer_both_ways(open_bench: Any) -> None:
    async with open_bench() as bench:
        charge_point = bench.charge_point

        async def double(data: str | None) -> DataTransferResponse:
            return DataTransferResponse(DataTransferStatus.ACCEPTED, (data or "") * 2)

        charge_point.on_data_transfer("com.example", "double", double)
        transfer = {"vendorId": "com.example", "messageId": "double", "data": "ab"}
        assert await bench.call("DataTransfer", transfer) == {"status": "Accepted", "data": "abab"}
        assert await bench.call("DataTransfer", {"vendorId": "com.example"}) == {"status": "UnknownMessageId"}
        assert await bench.call("DataTransfer", {"vendorId": "other"}) == {"status": "UnknownVendorId"}
        answer = await charge_point.data_transfer("v", "m", "d")
        assert answer == DataTransferResponse(DataTransferStatus.ACCEPTED)
        bench.csms.is_reachable = False
        bench.csms.abort("cp001")
        await trio.sleep(0.5)
        assert await charge_point.data_transfer("v") is None
        with pytest.raises(ValueError, match="vendor_id"):
            await charge_point.data_transfer("")


async def test_trigger_answers_first_and_then_sends(open_bench: Any) -> None:
    async with open_bench() as bench:
        seen = len(bench.csms.traffic)
        assert await bench.call("TriggerMessage", {"requestedMessage": "Heartbeat"}) == {"status": "Accepted"}
        await trio.sleep(1)
        texts = [record.text for record in list(bench.csms.traffic)[seen:] if record.direction == "received"]
        assert texts[0].startswith("[3,")
        assert '"Heartbeat"' in texts[1]
        trigger = {"requestedMessage": "FirmwareStatusNotification"}
        assert await bench.call("TriggerMessage", trigger) == {"status": "NotImplemented"}
        wrong = {"requestedMessage": "StatusNotification", "connectorId": 7}
        assert await bench.call("TriggerMessage", wrong) == {"status": "Rejected"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[2,"x","NoSuchAction",{}]', "NotImplemented"),
        ('[2,"x","UpdateFirmware",{}]', "NotSupported"),
        ('[2,"x","SetChargingProfile",{}]', "OccurenceConstraintViolation"),
        ('[2,"x","Heartbeat",{}]', "NotSupported"),
        ('[2,"x","Reset",{}]', "OccurenceConstraintViolation"),
        ('[2,"x","Reset",{"type":5}]', "TypeConstraintViolation"),
        ('[2,"x","Reset",{"type":"Warm"}]', "PropertyConstraintViolation"),
        ('[2,"x","Reset",[]]', "FormationViolation"),
        ('[2,"x","Reset"]', "FormationViolation"),
    ],
)
async def test_bad_calls_get_the_code_of_the_table(open_bench: Any, text: str, code: str) -> None:
    async with open_bench() as bench:
        await bench.csms.send_text("cp001", text)
        await trio.sleep(1)
        answer = [record for record in bench.csms.traffic if record.direction == "received"][-1]
        assert answer.text.startswith(f'[4,"x","{code}","')
        assert bench.charge_point.connection.is_connected
        bench.csms.violations.clear()  # the Central System did not expect an answer to what it did not mean


async def test_one_code_for_all_if_configured(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(Internal__SchemaViolationErrors="FormationViolation")) as bench:
        with pytest.raises(CallFailed, match="FormationViolation"):
            await bench.csms.call("cp001", "Reset", {"type": "Warm"}, validated=False)
        assert bench.events.of_security()[0].type == "InvalidMessages"


@pytest.mark.parametrize(
    "text", ["", "hello", "[", "{}", "[]", "[5,1]", "[2]", '[3,"unknown",{}]', '[4,"unknown","X","",{}]']
)
async def test_garbage_is_survived(open_bench: Any, text: str) -> None:
    async with open_bench() as bench:
        await bench.csms.send_text("cp001", text)
        await trio.sleep(1)
        assert await bench.call("ClearCache", {}) == {"status": "Rejected"}
        assert await bench.call("GetLocalListVersion", {}) == {"listVersion": -1}
        assert bench.charge_point.counters.connects == 1


async def test_what_a_repair_takes_out_of_a_frame_still_says_that_it_names_a_secret(open_bench: Any) -> None:
    async with open_bench() as bench:
        payload = {"keyy": "AuthorizationKey", "value": "aabbccdd"}
        with pytest.raises(CallFailed, match="OccurenceConstraintViolation"):
            await bench.csms.call("cp001", "ChangeConfiguration", payload, validated=False)
        (event,) = bench.events.of_security()
        assert event.type == "InvalidMessages"
        assert "aabbccdd" not in str(event)


async def test_a_secret_in_a_frame_that_cannot_be_read_is_told_nobody(
    open_bench: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_bench() as bench:
        await bench.csms.send_text("cp001", '[2,"u","ChangeConfiguration",{"key":"AuthorizationKey","value":"aabbccdd"')
        await trio.sleep(1)
        (event,) = bench.events.of_security()
        assert event.type == "InvalidMessages"
        assert "aabbccdd" not in str(event)
        assert "aabbccdd" not in caplog.text
        bench.csms.violations.clear()


async def test_an_action_that_nobody_knows_is_answered_and_logged_without_its_escapes(open_bench: Any) -> None:
    async with open_bench() as bench:
        await bench.csms.send_text("cp001", '[2,"u1","\\u001b[2J\\r\\n' + "x" * 1000 + '",{}]')
        await trio.sleep(1)
        (answer,) = [json.loads(one.text) for one in bench.csms.traffic if one.text.startswith('[4,"u1"')]
        assert answer[2] == "NotImplemented"
        assert answer[3].startswith(r"\x1b[2J\r\nxxx")
        assert len(answer[3]) < 100
        bench.csms.violations.clear()


async def test_a_flood_of_calls_is_answered_and_bounded(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.station.delays["unlock_connector"] = 1
        for number in range(MAX_WAITING_CALLS + 8):
            await bench.csms.send_text("cp001", f'[2,"u{number}","UnlockConnector",{{"connectorId":1}}]')
        await trio.sleep(2000)
        received = [record.text for record in bench.csms.traffic if record.direction == "received"]
        assert sum("Unlocked" in text for text in received) == MAX_WAITING_CALLS
        assert sum("GenericError" in text for text in received) == 8
        assert bench.charge_point.counters.connects == 1
        bench.csms.violations.clear()


async def test_a_broken_station_is_an_internal_error_only_where_there_is_no_safe_answer(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.station.answers["unlock_connector"] = ValueError("boom")
        assert await bench.call("UnlockConnector", {"connectorId": 1}) == {"status": "UnlockFailed"}


@pytest.mark.parametrize(("profile", "scheme"), [(1, "ws"), (2, "wss")])
async def test_a_new_authorization_key_is_used_on_a_new_connection(
    open_bench: Any, make_config: Any, profile: int, scheme: str
) -> None:
    old, new = bytes(range(16)), bytes(range(240, 256))
    keys = {"cp001": old}
    document = make_config(
        Internal__CentralSystemURI=f"{scheme}://csms.example/ocpp/",
        Security__SecurityProfile=profile,
        Security__AuthorizationKey="hex:" + old.hex(),
    )
    async with open_bench(csms=CentralSystem(keys=keys), document=document, trace_messages=True) as bench:
        keys["cp001"] = new
        change = {"key": "AuthorizationKey", "value": new.hex()}
        assert await bench.call("ChangeConfiguration", change) == {"status": "Accepted"}
        await trio.sleep(1)
        assert bench.charge_point.counters.connects == 2
        assert bench.charge_point.connection.is_connected
        assert any("***" in str(event) for event in bench.events.seen)
        assert all(new.hex() not in str(event) for event in bench.events.seen)
        assert await bench.call("ChangeConfiguration", {"key": "AuthorizationKey", "value": "short"}) == {
            "status": "Rejected"
        }
        assert await bench.call("ChangeConfiguration", {"key": "SecurityProfile", "value": "3"}) == {
            "status": "Rejected"
        }


async def test_a_refused_handshake_is_told_with_status_and_body(open_bench: Any) -> None:
    csms = CentralSystem()
    csms.refuse_handshake(401, "who are you", times=2)
    async with open_bench(csms=csms) as bench:
        await trio.sleep(10)
        assert bench.charge_point.connection.is_connected
        told = bench.events.of(ConnectionStateChanged)
        assert "401" in told[0].reason
        assert "who are you" in told[0].reason
        assert bench.events.of_security()[0].type == "FailedToAuthenticateAtCentralSystem"
