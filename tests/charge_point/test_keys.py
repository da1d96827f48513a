"""Configuration keys as the Central System and the host see them: what is reported, what is kept for the next start."""

from typing import Any

import pytest
import trio

from ocpp16.charge_point.open import open_charge_point
from ocpp16.enums import SessionStartedReason
from ocpp16.errors import CallFailed, ConfigurationError
from ocpp16.testing.stations import RecordingStation

PASSWORD = "0001020304050607" + "ff" * 12


async def test_what_is_not_built_is_not_there(open_bench: Any, make_config: Any) -> None:
    document = make_config(
        Internal__TransactionRetentionDays=20,
    )
    names = ["TransactionRetentionDays", "CustomDisplayCostAndPrice", "ISO15118PnCEnabled"]
    async with open_bench(document=document) as bench:
        assert await bench.call("GetConfiguration", {"key": names}) == {"unknownKey": names}
        for name in names:
            change = {"key": name, "value": "false"}
            assert await bench.call("ChangeConfiguration", change) == {"status": "NotSupported"}
        reported = (await bench.call("GetConfiguration", {}))["configurationKey"]
        assert not {row["key"] for row in reported} & set(names)
        assert bench.charge_point.configuration.get(names) == {"configurationKey": [], "unknownKey": names}
        assert bench.charge_point.configuration.get(["ResetRetries"])["unknownKey"] == []


async def test_the_security_profile_is_reported_as_what_it_is(open_bench: Any) -> None:
    async with open_bench() as bench:
        (row,) = (await bench.call("GetConfiguration", {"key": ["SecurityProfile"]}))["configurationKey"]
        assert row == {"key": "SecurityProfile", "readonly": False, "value": "0"}
        assert await bench.call("ChangeConfiguration", {"key": "SecurityProfile", "value": "1"}) == {
            "status": "Rejected"
        }


async def test_what_needs_a_reboot_is_as_it_was_until_then(open_bench: Any, make_config: Any, tmp_path: Any) -> None:
    document = make_config(Internal__KeyAccess={"NumberOfConnectors": "RW"})
    change = {"key": "NumberOfConnectors", "value": "3"}
    async with open_bench(document=document, database_path=tmp_path) as bench:
        for _ in range(2):
            assert await bench.call("ChangeConfiguration", change) == {"status": "RebootRequired"}
            answer = await bench.call("GetConfiguration", {"key": ["NumberOfConnectors"]})
            assert answer["configurationKey"][0]["value"] == "2"
            assert bench.charge_point.for_station.number_of_connectors == 2
        rotation = {"key": "ConnectorPhaseRotation", "value": "3.RST"}
        assert await bench.call("ChangeConfiguration", rotation) == {"status": "Rejected"}
    async with open_bench(document=document, database_path=tmp_path) as bench:
        assert bench.charge_point.for_station.number_of_connectors == 3


async def test_a_password_that_lies_in_the_store_is_enough(open_bench: Any, make_config: Any, tmp_path: Any) -> None:
    document = make_config(Security__SecurityProfile=1, Security__AuthorizationKey="text:0123456789abcdef")
    async with open_bench(document=document, database_path=tmp_path) as bench:
        change = {"key": "AuthorizationKey", "value": PASSWORD}
        assert await bench.call("ChangeConfiguration", change) == {"status": "Accepted"}
    del document["Security"]["AuthorizationKey"]
    async with open_bench(document=document, database_path=tmp_path) as bench:
        assert bench.charge_point.connection.is_connected
    with pytest.raises(ConfigurationError, match="AuthorizationKey"):
        async with open_charge_point(document, RecordingStation()):
            pass


@pytest.mark.parametrize(
    "keys",
    [
        {"Internal__CentralSystemURI": "http://csms/"},
        {"Internal__CentralSystemURI": "wss://csms/"},
        {"Security__SecurityProfile": 3, "Internal__CentralSystemURI": "wss://csms/"},
        {"Core__NumberOfConnectors": 10_000},
    ],
)
async def test_what_never_works_is_told_before_anything_begins(make_config: Any, keys: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        async with open_charge_point(make_config(**keys), RecordingStation()):
            pass


async def test_a_key_log_is_made_for_its_owner_alone_before_the_first_connection(
    make_config: Any, tmp_path: Any
) -> None:
    path = tmp_path / "keys.log"
    document = make_config(
        Security__SecurityProfile=2,
        Security__AuthorizationKey=PASSWORD,
        Internal__CentralSystemURI="wss://csms.example/",
        Internal__UseSslDefaultVerifyPaths=True,
        Internal__EnableTLSKeylog=True,
        Internal__TLSKeylogFile=str(path),
    )
    async with open_charge_point(document, RecordingStation()):
        assert path.stat().st_mode & 0o777 == 0o600
    document["Internal"]["TLSKeylogFile"] = str(tmp_path / "missing" / "keys.log")
    with pytest.raises(ConfigurationError, match="TLSKeylogFile"):
        async with open_charge_point(document, RecordingStation()):
            pass


@pytest.mark.parametrize(("tolerances", "code"), [("default", None), ("strict", "FormationViolation")])
async def test_what_is_mended_is_said_by_a_key(
    open_bench: Any, make_config: Any, tolerances: str, code: str | None
) -> None:
    async with open_bench(document=make_config(Internal__Tolerances=tolerances)) as bench:
        found = None
        try:
            await bench.csms.call("cp001", "UnlockConnector", {"connectorId": 1, "x": 1}, validated=False)
        except CallFailed as error:
            found = error.code
        assert found == code


async def test_a_status_that_does_not_last_is_not_told(open_bench: Any, make_config: Any) -> None:
    """MinimumStatusDuration (OCPP 1.6 ed. 2 §9.1); one that lasts is told with the time of its event."""
    async with open_bench(document=make_config(Core__MinimumStatusDuration=10)) as bench:
        before = len(bench.sent("StatusNotification"))
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        await trio.sleep(9)
        bench.charge_point.on_session_stopped(1, "s1")
        await trio.sleep(60)
        assert len(bench.sent("StatusNotification")) == before
        began = bench.charge_point.for_station.clock.now_datetime()
        bench.charge_point.on_session_started(1, "s2", SessionStartedReason.EV_CONNECTED)
        await trio.sleep(9)
        assert len(bench.sent("StatusNotification")) == before
        await trio.sleep(2)
        (told,) = bench.sent("StatusNotification")[before:]
        assert told["status"] == "Preparing"
        assert told["timestamp"] == f"{began:%Y-%m-%dT%H:%M:%S}.{began.microsecond // 1000:03}Z"


async def test_another_interval_of_pings_holds_at_once(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(Core__WebSocketPingInterval=0)) as bench:
        pings: list[float] = []
        bench.csms.connected["cp001"].websocket.on_ping = lambda payload: pings.append(trio.current_time())
        await trio.sleep(100)
        assert pings == []
        change = {"key": "WebSocketPingInterval", "value": "7"}
        assert await bench.call("ChangeConfiguration", change) == {"status": "Accepted"}
        before = trio.current_time()
        await trio.sleep(15)
        assert pings == [pytest.approx(before + 7), pytest.approx(before + 14)]
