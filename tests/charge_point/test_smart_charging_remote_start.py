"""A charging profile in RemoteStartTransaction: bound to that start, and part of nothing until then."""

from typing import Any

import pytest
import trio

from ocpp16.enums import Reason
from ocpp16.profiles import expected_starts
from ocpp16.testing.central_system import CentralSystem

TX = {"chargingProfilePurpose": "TxProfile"}
RELATIVE = {"chargingProfileKind": "Relative", "startSchedule": None}


async def remote_start(bench: Any, profile: dict[str, Any] | None, connector_id: int | None = 1, tag: str = "R") -> str:
    request: dict[str, Any] = {"idTag": tag}
    if connector_id is not None:
        request["connectorId"] = connector_id
    if profile is not None:
        request["chargingProfile"] = profile
    return str((await bench.csms.call("cp001", "RemoteStartTransaction", request, validated=False))["status"])


async def test_it_is_installed_when_the_transaction_starts(open_bench: Any, profile: Any, tmp_path: Any) -> None:
    async with open_bench(database_path=tmp_path) as bench:
        assert await remote_start(bench, profile(1, 8, **TX)) == "Accepted"
        await trio.sleep(1)
        assert bench.station.asked("provide_token") == [("R", (1,), True)]
        assert bench.installed() == []
        assert await bench.schedule(1) == [[0, 48]]
        bench.begin(id_tag="r")  # the same id tag: case does not count
        assert bench.installed() == [1]
        assert bench.limits() == [8, None]
        await trio.sleep(1)
        assert bench.station.asked("signal_set_charging_profiles") == [()]
        await bench.charge_point.stored()
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        assert bench.limits() == [None, None]
        assert bench.installed() == []
        bench.begin(session_id="s2", id_tag="R")
        assert bench.limits() == [None, None], "it was for one start only"


async def test_relative_counts_from_the_start(open_bench: Any, profile: Any) -> None:
    steps = [{"startPeriod": 0, "limit": 6}, {"startPeriod": 60, "limit": 10}]
    async with open_bench() as bench:
        await remote_start(bench, profile(1, **TX, **RELATIVE, chargingSchedulePeriod=steps))
        await trio.sleep(20)
        bench.begin(id_tag="R")
        await trio.sleep(59)
        assert bench.limits() == [6, None]
        await trio.sleep(1)
        assert bench.limits() == [10, None]


@pytest.mark.parametrize(
    ("connector_id", "members", "status"),
    [
        (1, TX, "Accepted"),
        (None, TX, "Rejected"),
        (3, TX, "Rejected"),
        (1, {}, "Rejected"),
        (1, {"chargingProfilePurpose": "ChargePointMaxProfile"}, "Rejected"),
        (1, {**TX, "transactionId": 1}, "Rejected"),
        (1, {**TX, "stackLevel": 100}, "Rejected"),
        (1, {**TX, "startSchedule": None}, "Rejected"),
        (1, {**TX, "chargingSchedulePeriod": [{"startPeriod": 5, "limit": 1}]}, "Rejected"),
        (1, {**TX, "validFrom": "2026-01-01T00:00:00Z", "validTo": "2026-01-01T00:00:00Z"}, "Rejected"),
    ],
)
async def test_what_is_not_taken_starts_nothing(
    open_bench: Any, profile: Any, connector_id: int | None, members: dict[str, Any], status: str
) -> None:
    async with open_bench() as bench:
        assert await remote_start(bench, profile(1, 8, **members), connector_id) == status
        await trio.sleep(1)
        assert len(bench.station.asked("provide_token")) == (status == "Accepted")
        bench.begin(id_tag="R")
        assert bench.installed() == ([1] if status == "Accepted" else [])


async def test_a_full_store_refuses_it(open_bench: Any, make_config: Any, profile: Any) -> None:
    async with open_bench(document=make_config(SmartCharging__MaxChargingProfilesInstalled=1)) as bench:
        await bench.install(2, profile(1))
        assert await remote_start(bench, profile(2, **TX)) == "Rejected"
        assert await remote_start(bench, profile(1, 8, **TX)) == "Accepted", "it replaces the one that is there"
        assert await bench.install(2, profile(3, stackLevel=1)) == "Rejected", "until then that one stays"
        await bench.clear()
        assert await bench.install(2, profile(3)) == "Accepted"
        bench.begin(id_tag="R")
        assert bench.installed() == [3], "no room any more"
        assert bench.limits() == [None, None]


async def test_the_time_for_it_is_over(open_bench: Any, make_config: Any, profile: Any) -> None:
    async with open_bench(document=make_config(Core__ConnectionTimeOut=60)) as bench:
        await remote_start(bench, profile(1, 8, **TX))
        await remote_start(bench, profile(2, 9, **TX), 2)
        await trio.sleep(59)
        bench.begin(1, id_tag="R")
        await trio.sleep(2)
        bench.begin(2, "s2", id_tag="R")
        assert bench.limits() == [8, None]
        assert bench.installed() == [1]


async def test_without_a_time_out_it_waits(open_bench: Any, make_config: Any, profile: Any) -> None:
    async with open_bench(document=make_config(Core__ConnectionTimeOut=0)) as bench:
        await remote_start(bench, profile(1, 8, **TX))
        await trio.sleep(3600)
        bench.begin(id_tag="R")
        assert bench.limits() == [8, None]


async def test_another_transaction_comes_first(open_bench: Any, profile: Any) -> None:
    async with open_bench() as bench:
        await remote_start(bench, profile(1, 8, **TX))
        bench.begin(id_tag="OTHER")
        assert bench.limits() == [None, None]
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        bench.begin(session_id="s2", id_tag="R")
        assert bench.installed() == []


async def test_one_on_another_connector_does_not_count(open_bench: Any, profile: Any) -> None:
    async with open_bench() as bench:
        await remote_start(bench, profile(1, 8, **TX))
        bench.begin(2, "s2", id_tag="OTHER")
        bench.begin(1, "s1", id_tag="R")
        assert bench.limits() == [8, None]


async def test_a_newer_one_takes_the_place_of_the_first(open_bench: Any, make_config: Any, profile: Any) -> None:
    async with open_bench(document=make_config(Core__ConnectionTimeOut=60)) as bench:
        await remote_start(bench, profile(1, 8, **TX))
        await trio.sleep(30)
        await remote_start(bench, profile(2, 9, **TX), tag="S")
        await trio.sleep(45)  # the time of the first is over
        bench.begin(id_tag="S")
        assert bench.installed() == [2]


async def test_the_time_of_one_that_has_started_ends_no_other(open_bench: Any, make_config: Any, profile: Any) -> None:
    async with open_bench(document=make_config(Core__ConnectionTimeOut=60)) as bench:
        await remote_start(bench, profile(1, 8, **TX))
        bench.begin(id_tag="R")
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.EV_DISCONNECTED, 1500)
        bench.charge_point.on_session_stopped(1, "s1")
        await trio.sleep(50)
        assert await remote_start(bench, profile(2, 9, **TX)) == "Accepted"
        await trio.sleep(20)
        bench.begin(session_id="s2", id_tag="R")
        assert bench.installed() == [2]


async def test_asked_for_once_more_it_waits_anew(open_bench: Any, make_config: Any, profile: Any) -> None:
    async with open_bench(document=make_config(Core__ConnectionTimeOut=60)) as bench:
        await remote_start(bench, profile(1, 8, **TX))
        await trio.sleep(50)
        await remote_start(bench, profile(2, 9, **TX))
        await trio.sleep(50)
        bench.begin(id_tag="R")
        assert bench.installed() == [2]


@pytest.mark.parametrize("is_started", [True, False])
async def test_nothing_is_left_of_one_that_waits_no_more(
    open_bench: Any, make_config: Any, profile: Any, is_started: bool
) -> None:
    """Neither for what is said of its id tag later, nor in memory."""
    async with open_bench(document=make_config(Core__ConnectionTimeOut=60)) as bench:
        for number in range(3):
            await remote_start(bench, profile(1, 8, **TX), tag=f"R{number}")
        if is_started:
            bench.begin(id_tag="R1")
        await trio.sleep(61)
        for number in range(3):
            assert (await bench.charge_point.authorize_id_token(f"R{number}")).is_accepted
        assert bench.charge_point.counters.internal_errors == 0
        expected = bench.charge_point._runtime.features.smart_charging._expected
        assert (expected._starts, expected._of_connector, expected._of_id_tag) == ({}, {}, {})


@pytest.mark.parametrize(("level", "installed", "limit"), [(0, [2], 20), (1, [1, 2], 20)])
async def test_a_second_profile(open_bench: Any, profile: Any, level: int, installed: list[int], limit: float) -> None:
    """Errata 3.42: of the same level it replaces the first, of another it is stacked upon it."""
    async with open_bench() as bench:
        await remote_start(bench, profile(1, 8, **TX))
        bench.begin(id_tag="R")
        await trio.sleep(1)
        assert await bench.install(1, profile(2, 20, stackLevel=level, transactionId=1, **TX)) == "Accepted"
        await trio.sleep(0.01)
        assert bench.installed() == installed
        assert bench.limits() == [limit, None]
        await bench.clear(id=2)
        await trio.sleep(0.01)
        assert bench.limits() == [8 if level else None, None]


async def test_what_it_replaces_on_another_connector_ends(open_bench: Any, profile: Any) -> None:
    async with open_bench() as bench:
        bench.begin(2, "s2")
        await bench.install(2, profile(1, 6, **TX))
        await remote_start(bench, profile(1, 8, **TX))
        await trio.sleep(0.01)
        assert bench.limits() == [None, 6]
        bench.begin(1, id_tag="R")
        assert bench.limits() == [8, None]


@pytest.mark.parametrize("connector_id", [1, None])
async def test_without_smart_charging_the_profile_is_ignored(
    open_bench: Any, make_config: Any, profile: Any, connector_id: int | None
) -> None:
    async with open_bench(document=make_config(Core__SupportedFeatureProfiles="Core")) as bench:
        assert await remote_start(bench, profile(1, 8, stackLevel=-1), connector_id) == "Accepted"
        await trio.sleep(1)
        assert len(bench.station.asked("provide_token")) == 1
        bench.begin(id_tag="R")
        assert bench.station.limits == {}


async def test_a_restart_forgets_it(open_bench: Any, profile: Any, tmp_path: Any) -> None:
    async with open_bench(database_path=tmp_path) as bench:
        await remote_start(bench, profile(1, 8, **TX))
    async with open_bench(database_path=tmp_path) as bench:
        bench.begin(id_tag="R")
        assert bench.limits() == [None, None]


@pytest.mark.parametrize(
    ("tag", "profile_limit", "limit"),
    [("T2", None, 8), ("T2", 6, 8), ("R", None, 8), ("R", 6, 6)],
)
async def test_another_request_meanwhile(
    open_bench: Any, profile: Any, tag: str, profile_limit: float | None, limit: float
) -> None:
    """Only a profile for the same start takes the place of the first."""
    async with open_bench() as bench:
        await remote_start(bench, profile(1, 8, **TX))
        await remote_start(bench, None if profile_limit is None else profile(2, profile_limit, **TX), tag=tag)
        bench.begin(id_tag="R")
        assert bench.limits() == [limit, None]
        assert len(bench.installed()) == 1


async def test_a_refused_id_tag_ends_it(open_bench: Any, make_config: Any, profile: Any) -> None:
    csms = CentralSystem()
    csms.answers["Authorize"] = {"idTagInfo": {"status": "Blocked"}}
    async with open_bench(csms=csms, document=make_config(Core__AuthorizeRemoteTxRequests=True)) as bench:
        await remote_start(bench, profile(1, 8, **TX))
        assert not (await bench.charge_point.authorize_id_token("R")).is_accepted
        csms.answers["Authorize"] = {"idTagInfo": {"status": "Accepted"}}
        await bench.charge_point.authorize_id_token("R")
        bench.begin(id_tag="R")
        assert bench.limits() == [None, None]


async def test_time_for_the_cable_begins_when_the_id_tag_is_accepted(
    open_bench: Any, make_config: Any, profile: Any
) -> None:
    document = make_config(Core__AuthorizeRemoteTxRequests=True, Core__ConnectionTimeOut=4)
    async with open_bench(document=document) as bench:
        for waited, limit in ((3, 8), (5, None)):
            await remote_start(bench, profile(1, 8, **TX))
            await trio.sleep(10)
            await bench.charge_point.authorize_id_token("R")
            await trio.sleep(waited)
            bench.begin(id_tag="R")
            assert bench.limits() == [limit, None]
            bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)


async def test_of_too_many_that_wait_the_oldest_goes(
    open_bench: Any, profile: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expected_starts, "MOST_EXPECTED", 5)
    async with open_bench() as bench:
        assert await remote_start(bench, profile(1, 8, **TX), 1, "first") == "Accepted"
        assert await remote_start(bench, profile(2, 9, **TX), 2, "second") == "Accepted"
        for number in range(4):
            assert await remote_start(bench, profile(3, 10, **TX), 1, f"later{number}") == "Accepted"
        bench.begin(1, "s1", id_tag="first")
        bench.begin(2, "s2", id_tag="second")
        assert bench.limits() == [None, 9]
