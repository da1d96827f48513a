"""Keys that say who may charge, and as whom one talks to the Central System."""

import trio
from key_effect import Changing, effect

from ocpp16.configuration.keys import core, internal, security
from ocpp16.configuration.keys.local_auth_list_management import LOCAL_AUTH_LIST_ENABLED
from ocpp16.enums import SessionStartedReason
from ocpp16.testing.central_system import CentralSystem

OLD_PASSWORD, NEW_PASSWORD = bytes(range(16)), bytes(range(240, 256))
REFUSED = {"transactionId": 7, "idTagInfo": {"status": "Blocked"}}


@effect(core.ALLOW_OFFLINE_TX_FOR_UNKNOWN_ID, Core__AllowOfflineTxForUnknownId=False)
async def who_is_unknown_offline(on: Changing) -> None:
    async with on.offline():
        assert await on.authorize("NOBODY") == "Invalid"
    for value, status in (("true", "Accepted"), ("false", "Invalid")):
        on.csms.answers["Authorize"] = None
        async with trio.open_nursery() as nursery:  # also for a question that was put before
            nursery.start_soon(expect_status, on, "ASKED", status)
            await trio.sleep(1)
            await on.change(value)
        del on.csms.answers["Authorize"]
        async with on.offline():
            assert await on.authorize("NOBODY") == status


async def expect_status(on: Changing, id_tag: str, status: str) -> None:
    assert await on.authorize(id_tag) == status


@effect(core.AUTHORIZATION_CACHE_ENABLED, Core__AuthorizationCacheEnabled=True, Core__LocalPreAuthorize=True)
async def the_cache_is_switched(on: Changing) -> None:
    await on.authorize("TAG")
    await on.authorize("TAG")
    assert on.count("Authorize") == 1
    assert list(on.charge_point.for_station.authorization.cache) == ["tag"]
    await on.change("false")
    assert not on.charge_point.for_station.authorization.cache
    assert await on.bench.call("ClearCache", {}) == {"status": "Rejected"}
    await on.authorize("TAG")
    assert on.count("Authorize") == 2
    await on.change("true")
    assert await on.bench.call("ClearCache", {}) == {"status": "Accepted"}
    await on.authorize("TAG")
    await on.authorize("TAG")
    assert on.count("Authorize") == 3


@effect(internal.AUTHORIZATION_CACHE_LIFETIME, Core__AuthorizationCacheEnabled=True, Core__LocalPreAuthorize=True)
async def who_was_not_seen_for_long_is_forgotten(on: Changing) -> None:
    await on.authorize("TAG")
    await trio.sleep(900)
    await on.authorize("TAG")
    assert on.count("Authorize") == 1
    await trio.sleep(900)
    await on.change("600")
    await trio.sleep(0.1)
    assert not on.charge_point.for_station.authorization.cache
    await on.authorize("TAG")
    await trio.sleep(500)
    await on.authorize("TAG")
    await trio.sleep(500)
    await on.authorize("TAG")
    assert on.count("Authorize") == 2, "it counts from the last use"
    await trio.sleep(601)
    await on.authorize("TAG")
    assert on.count("Authorize") == 3
    await on.change("0")
    await trio.sleep(7_200)
    await on.authorize("TAG")
    assert on.count("Authorize") == 3


@effect(core.AUTHORIZE_REMOTE_TX_REQUESTS, Core__AuthorizeRemoteTxRequests=False)
async def remote_starts_are_authorized(on: Changing) -> None:
    request = {"connectorId": 1, "idTag": "R"}
    await on.bench.call("RemoteStartTransaction", request)
    for value in ("true", "false"):
        await on.change(value)
        await on.bench.call("RemoteStartTransaction", request)
    await trio.sleep(0.1)
    assert [arguments[2] for arguments in on.station.asked("provide_token")] == [True, False, True]


@effect(core.LOCAL_AUTHORIZE_OFFLINE, Core__LocalAuthorizeOffline=True, Core__AuthorizationCacheEnabled=True)
async def who_is_known_offline(on: Changing) -> None:
    assert await on.authorize("KNOWN") == "Accepted"
    async with on.offline():
        assert await on.authorize("KNOWN") == "Accepted"
    for value, status in (("false", "Invalid"), ("true", "Accepted")):
        await on.change(value)
        async with on.offline():
            assert await on.authorize("KNOWN") == status


@effect(core.LOCAL_PRE_AUTHORIZE, Core__LocalPreAuthorize=False, Core__AuthorizationCacheEnabled=True)
async def who_is_known_needs_no_question(on: Changing) -> None:
    for value, asked in (("", 1), ("", 2), ("true", 2), ("false", 3)):
        if value:
            await on.change(value)
        assert await on.authorize("KNOWN") == "Accepted"
        assert on.count("Authorize") == asked


@effect(
    LOCAL_AUTH_LIST_ENABLED, LocalAuthListManagement__LocalAuthListEnabled=False, Core__AllowOfflineTxForUnknownId=True
)
async def the_list_is_switched(on: Changing) -> None:
    blocked = {"idTag": "A", "idTagInfo": {"status": "Blocked"}}
    full = {"listVersion": 4, "updateType": "Full", "localAuthorizationList": [blocked]}
    assert await on.bench.call("SendLocalList", full) == {"status": "NotSupported"}
    await on.change("true")
    assert await on.bench.call("SendLocalList", full) == {"status": "Accepted"}
    for value, version, status in (("", 4, "Blocked"), ("false", -1, "Accepted"), ("true", 4, "Blocked")):
        if value:
            await on.change(value)
        assert await on.bench.call("GetLocalListVersion", {}) == {"listVersion": version}
        async with on.offline():
            assert await on.authorize("A") == status


@effect(core.MAX_ENERGY_ON_INVALID_ID, Core__MaxEnergyOnInvalidId=1000, Core__StopTransactionOnInvalidId=False)
async def what_a_refused_driver_still_gets(on: Changing) -> None:
    on.csms.answers["StartTransaction"] = REFUSED
    on.bench.measure(1, 1000)
    on.bench.begin()
    await trio.sleep(10)
    await on.change("5000")  # it is counted already
    on.bench.measure(1, 4000)
    await trio.sleep(10)
    assert on.station.asked("pause_charging") == []
    await on.change("2000")
    await trio.sleep(10)
    assert on.station.asked("pause_charging") == [(1,)]
    await on.change("0")
    on.bench.begin(2, "s2")
    await trio.sleep(0.5)
    assert on.station.asked("pause_charging") == [(1,), (2,)]


@effect(core.STOP_TRANSACTION_ON_INVALID_ID, Core__StopTransactionOnInvalidId=True, Core__MaxEnergyOnInvalidId=1000)
async def what_becomes_of_a_refused_driver(on: Changing) -> None:
    on.csms.answers["StartTransaction"] = REFUSED
    for connector_id, value, stopped in ((1, "false", 0), (2, "true", 1)):
        on.bench.measure(connector_id, 1000)
        on.bench.begin(connector_id, f"s{connector_id}")
        await trio.sleep(10)
        await on.change(value)  # refused already, and not out of energy yet
        on.bench.measure(connector_id, 2000)
        await trio.sleep(10)
        assert len(on.station.asked("pause_charging")) == connector_id
        assert on.count("StopTransaction") == stopped


@effect(internal.FREE_VEND_ACTIVE, Internal__FreeVendActive=False, Internal__FreeVendIdTag="FREE")
async def nobody_needs_a_card(on: Changing) -> None:
    on.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
    await trio.sleep(1)
    assert on.station.asked("provide_token") == []
    await on.change("true")
    await trio.sleep(0.1)
    assert on.station.asked("provide_token") == [("FREE", (1,), True)], "for the car that waits"
    await on.change("false")
    on.charge_point.on_session_started(2, "s2", SessionStartedReason.EV_CONNECTED)
    await trio.sleep(1)
    assert len(on.station.asked("provide_token")) == 1


@effect(internal.FREE_VEND_ID_TAG, Internal__FreeVendActive=True, Internal__FreeVendIdTag="FREE")
async def as_whom_one_charges_without_a_card(on: Changing) -> None:
    on.csms.answers["Authorize"] = {"idTagInfo": {"status": "Blocked"}}
    on.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
    await trio.sleep(0.1)
    await on.change("OTHER")
    on.charge_point.on_session_started(2, "s2", SessionStartedReason.EV_CONNECTED)
    await trio.sleep(0.1)
    assert [arguments[0] for arguments in on.station.asked("provide_token")] == ["FREE", "OTHER"]
    assert [await on.authorize("OTHER"), await on.authorize("FREE")] == ["Accepted", "Blocked"]


class Guarded(CentralSystem):
    """Knows a password that may be changed."""

    def __init__(self) -> None:
        self.passwords = {"cp001": OLD_PASSWORD}
        super().__init__(keys=self.passwords)


@effect(
    security.AUTHORIZATION_KEY,
    csms=Guarded,
    Security__SecurityProfile=1,
    Security__AuthorizationKey="hex:" + OLD_PASSWORD.hex(),
)
async def another_password(on: Changing) -> None:
    for connects, password in ((2, NEW_PASSWORD), (3, OLD_PASSWORD)):
        on.csms.passwords["cp001"] = password
        await on.change(password.hex())
        assert on.charge_point.counters.connects == connects
        assert on.charge_point.connection.is_connected
