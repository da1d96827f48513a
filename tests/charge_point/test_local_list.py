"""The local authorization list (OCPP 1.6 ed. 2 §3.5.2, §5.10, §5.15)."""

import sqlite3
from collections.abc import Sequence
from typing import Any

import pytest
import trio

from ocpp16.enums import AuthorizationStatus
from ocpp16.errors import CallFailed
from ocpp16.models import IdTagInfo
from ocpp16.state.clock import to_datetime
from ocpp16.testing.central_system import START, CentralSystem

S = AuthorizationStatus
LATER, BEFORE = ("2026-01-02T00:00:00Z", "2025-12-31T00:00:00Z")


def entry(id_tag: str, status: str | None = "Accepted", **more: Any) -> dict[str, Any]:
    return {"idTag": id_tag, **({} if status is None else {"idTagInfo": {"status": status, **more}})}


@pytest.fixture
def document(make_config: Any) -> Any:
    return make_config(
        Internal__StoreTimeout=5,
        Core__LocalPreAuthorize=True,
        Core__AllowOfflineTxForUnknownId=True,
        LocalAuthListManagement__LocalAuthListEnabled=True,
        LocalAuthListManagement__LocalAuthListMaxLength=6,
        LocalAuthListManagement__SendLocalListMaxLength=4,
    )


async def send(bench: Any, kind: str, version: int, entries: Sequence[dict[str, Any]] | None = ()) -> str:
    request: dict[str, Any] = {"listVersion": version, "updateType": kind}
    if entries is not None:
        request["localAuthorizationList"] = list(entries)
    return str((await bench.call("SendLocalList", request))["status"])


async def version(bench: Any) -> int:
    return int((await bench.call("GetLocalListVersion", {}))["listVersion"])


def listed(bench: Any) -> dict[str, str]:
    return {tag: str(info.status) for tag, info in bench.charge_point.for_station.authorization.local_list.items()}


async def test_a_full_list_replaces_and_a_differential_one_amends(open_bench: Any, document: Any) -> None:
    async with open_bench(document=document) as bench:
        assert await version(bench) == 0
        assert await send(bench, "Full", 5, [entry("A"), entry("B", "Blocked"), entry("C")]) == "Accepted"
        assert await version(bench) == 5
        assert await send(bench, "Differential", 6, [entry("b"), entry("C", None), entry("D"), entry("X", None)]) == (
            "Accepted"
        )
        assert listed(bench) == {"a": "Accepted", "b": "Accepted", "d": "Accepted"}
        assert await send(bench, "Full", 2, [entry("E")]) == "Accepted"  # also with a lower version
        assert listed(bench) == {"e": "Accepted"}
        assert await version(bench) == 2


@pytest.mark.parametrize("entries", [None, ()])
async def test_a_full_list_without_entries_empties_it(open_bench: Any, document: Any, entries: Any) -> None:
    async with open_bench(document=document) as bench:
        await send(bench, "Full", 5, [entry("A")])
        assert await send(bench, "Full", 9, entries) == "Accepted"
        assert await version(bench) == 0, "an empty list, whatever its version"
        assert await send(bench, "Differential", 9, [entry("A")]) == "VersionMismatch"
        assert await send(bench, "Differential", 10, [entry("A")]) == "Accepted"
        assert await version(bench) == 10


@pytest.mark.parametrize("entries", [None, ()])
async def test_a_differential_one_without_entries_has_a_version(open_bench: Any, document: Any, entries: Any) -> None:
    async with open_bench(document=document) as bench:
        await send(bench, "Full", 5, [entry("A")])
        assert await send(bench, "Differential", 6, entries) == "Accepted"
        assert (await version(bench), listed(bench)) == (6, {"a": "Accepted"})


REFUSED = [
    ("Differential", 5, [entry("X")], "VersionMismatch"),
    ("Differential", 4, [entry("X")], "VersionMismatch"),
    ("Differential", 0, [entry("X")], "Failed"),
    ("Full", 0, [entry("X")], "Failed"),
    ("Full", -1, [entry("X")], "Failed"),
    ("Full", 6, [entry("X"), entry("Y"), entry("x", "Blocked")], "Failed"),  # one tag, in two cases
    ("Differential", 6, [entry("X"), entry("X", None)], "Failed"),
    ("Full", 6, [entry("X"), entry("Y", None)], "Failed"),
    ("Full", 6, [entry(f"X{n}") for n in range(5)], "Failed"),  # SendLocalListMaxLength
    ("Differential", 6, [entry(f"X{n}") for n in range(4)], "Failed"),  # LocalAuthListMaxLength
]


@pytest.mark.parametrize(("kind", "number", "entries", "status"), REFUSED)
async def test_what_is_refused_changes_nothing(
    open_bench: Any, document: Any, disk: Any, kind: str, number: int, entries: Any, status: str
) -> None:
    async with open_bench(document=document, store=disk) as bench:
        await send(bench, "Full", 5, [entry("A"), entry("B"), entry("C", "Blocked")])
        assert await send(bench, kind, number, entries) == status
        assert (await version(bench), set(listed(bench))) == (5, {"a", "b", "c"})
    async with open_bench(document=document, store=disk) as bench:
        assert (await version(bench), set(listed(bench))) == (5, {"a", "b", "c"})


async def test_as_many_as_may_be(open_bench: Any, document: Any) -> None:
    async with open_bench(document=document) as bench:
        assert await send(bench, "Full", 1, [entry(f"X{n}") for n in range(4)]) == "Accepted"
        changes = [entry("X0", None), entry("Y1"), entry("Y2"), entry("Y3")]
        assert await send(bench, "Differential", 2, changes) == "Accepted"
        assert len(listed(bench)) == 6


async def test_a_list_that_is_off_is_none_and_stays(open_bench: Any, document: Any) -> None:
    async with open_bench(document=document) as bench:
        await send(bench, "Full", 5, [entry("A")])
        change = {"key": "LocalAuthListEnabled", "value": "false"}
        assert await bench.call("ChangeConfiguration", change) == {"status": "Accepted"}
        assert await version(bench) == -1
        assert bench.charge_point.for_station.authorization.local_list_version == -1
        assert await send(bench, "Full", 6, []) == "NotSupported"
        await bench.charge_point.authorize_id_token("A")
        assert bench.sent("Authorize") == [{"idTag": "A"}]
        await bench.call("ChangeConfiguration", {**change, "value": "true"})
        assert await version(bench) == 5


async def test_without_the_feature_profile(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(Core__SupportedFeatureProfiles="Core")) as bench:
        assert await version(bench) == -1
        assert (
            bench.charge_point.for_station.authorization.local_list,
            bench.charge_point.for_station.authorization.local_list_version,
        ) == (
            {},
            -1,
        )
        with pytest.raises(CallFailed, match="NotSupported"):
            await send(bench, "Full", 1)


async def test_the_keys_are_reported(open_bench: Any, document: Any) -> None:
    names = ["LocalAuthListEnabled", "LocalAuthListMaxLength", "SendLocalListMaxLength", "SupportedFeatureProfiles"]
    async with open_bench(document=document) as bench:
        rows = (await bench.call("GetConfiguration", {"key": names}))["configurationKey"]
        assert [row["value"] for row in rows[:3]] == ["true", "6", "4"]
        assert [row["readonly"] for row in rows[:3]] == [False, True, True]
        assert "LocalAuthListManagement" in rows[3]["value"].split(",")


# Who may charge


async def test_whom_the_list_lets_charge(open_bench: Any, document: Any) -> None:
    """Comparisons without case; an entry that is over, or not accepted, is asked about while connected."""
    async with open_bench(document=document) as bench:
        entries = [
            entry("Good", parentIdTag="GROUP", expiryDate=LATER),
            entry("OVER", expiryDate=BEFORE),
            entry("BAD", "Blocked"),
            entry("UNSET", expiryDate="0001-01-01T00:00:00Z"),
        ]
        assert await send(bench, "Full", 5, entries) == "Accepted"
        info = await bench.charge_point.authorize_id_token("gOOD")
        assert info == IdTagInfo(S.ACCEPTED, to_datetime(START + 86_400_000_000), "GROUP")
        assert (info.source, info.key) == ("local authorization list", "LocalPreAuthorize")
        assert (await bench.charge_point.authorize_id_token("unset")).is_accepted
        assert bench.sent("Authorize") == []
        for id_tag in ("OVER", "BAD"):
            info = await bench.charge_point.authorize_id_token(id_tag)
            assert (info.source, info.rule) == ("the Central System", "asked: known here, but not as accepted")
        assert [payload["idTag"] for payload in bench.sent("Authorize")] == ["OVER", "BAD"]


async def test_whom_the_list_refuses_offline(open_bench: Any, document: Any) -> None:
    csms = CentralSystem()
    async with open_bench(document=document, csms=csms) as bench:
        statuses = ("Blocked", "Expired", "Invalid", "ConcurrentTx")
        await send(bench, "Full", 5, [entry(status, status) for status in statuses])
        await send(bench, "Differential", 6, [entry("GOOD"), entry("OVER", expiryDate=BEFORE)])
        bench.charge_point.connection.disconnect()
        await trio.sleep(1)
        for status in statuses:
            info = await bench.charge_point.authorize_id_token(status.upper())
            assert (str(info.status), info.rule) == (status, "offline, known here as not accepted")
        assert (await bench.charge_point.authorize_id_token("OVER")).status is S.EXPIRED
        assert (await bench.charge_point.authorize_id_token("GOOD")).key == "LocalAuthorizeOffline"
        assert (await bench.charge_point.authorize_id_token("NEW")).key == "AllowOfflineTxForUnknownId"


async def test_an_entry_expires_by_the_corrected_clock(open_bench: Any, document: Any) -> None:
    async with open_bench(document=document) as bench:
        await send(bench, "Full", 5, [entry("A", expiryDate=LATER)])
        assert (await bench.charge_point.authorize_id_token("A")).source == "local authorization list"
        await bench.put_clock(2 * 86_400)
        assert (await bench.charge_point.authorize_id_token("A")).source == "the Central System"
        bench.charge_point.connection.disconnect()
        await trio.sleep(1)
        assert (await bench.charge_point.authorize_id_token("A")).status is S.EXPIRED


# The disk


async def test_a_list_outlives_restart_and_power_cut(
    open_bench: Any, until_power_fails: Any, document: Any, tmp_path: Any
) -> None:
    async with until_power_fails(document=document, database_path=tmp_path) as bench:
        entries = [entry("A", parentIdTag="P", expiryDate=LATER), entry("B", "Blocked"), entry("C")]
        await send(bench, "Full", 5, entries)
        await send(bench, "Differential", 6, [entry("C", None), entry("D")])
        found = dict(bench.charge_point.for_station.authorization.local_list)
        await bench.charge_point.stop()
        await bench.charge_point.restart()
        assert bench.charge_point.for_station.authorization.local_list == found
    async with open_bench(document=document, database_path=tmp_path) as bench:
        assert (await version(bench), bench.charge_point.for_station.authorization.local_list) == (6, found)
        assert found["a"] == IdTagInfo(S.ACCEPTED, to_datetime(START + 86_400_000_000), "P")
        assert (await bench.charge_point.authorize_id_token("A")).source == "local authorization list"


async def test_a_disk_that_is_full_refuses_the_whole_update(open_bench: Any, document: Any, disk: Any) -> None:
    async with open_bench(document=document, store=disk) as bench:
        await send(bench, "Full", 5, [entry("A")])
        disk.is_full = True
        assert await send(bench, "Full", 6, [entry("B")]) == "Failed"
        assert await send(bench, "Differential", 7, [entry("A", None), entry("B")]) == "Failed"
        assert (await version(bench), listed(bench)) == (5, {"a": "Accepted"})
        disk.is_full = False
        await trio.sleep(60)
        assert await send(bench, "Differential", 7, [entry("C")]) == "Accepted"
        await bench.charge_point.stored()
    async with open_bench(document=document, store=disk) as bench:
        assert (await version(bench), set(listed(bench))) == (7, {"a", "c"})


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE local_list SET status = 'Perhaps' WHERE id_tag = 'a'",
        "DELETE FROM local_list_version",
        "UPDATE local_list_version SET version = -7",
        "UPDATE local_list_version SET version = 0",
    ],
)
async def test_half_a_list_is_none(open_bench: Any, document: Any, tmp_path: Any, spoil: str) -> None:
    """The tag that cannot be read might be a blocked one: nothing counts until a full list is sent."""
    async with open_bench(document=document, database_path=tmp_path / "cp.db") as bench:
        await send(bench, "Full", 5, [entry("A", "Blocked"), entry("B")])
        await bench.charge_point.stored()
    with sqlite3.connect(tmp_path / "cp.db") as database:
        assert database.execute(spoil).rowcount == 1
    database.close()
    async with open_bench(document=document, database_path=tmp_path / "cp.db") as bench:
        assert (await version(bench), listed(bench)) == (0, {})
        assert await send(bench, "Differential", 6, [entry("C")]) == "Failed"
        assert await send(bench, "Full", 6, [entry("C")]) == "Accepted"
        assert await send(bench, "Differential", 7, [entry("D")]) == "Accepted"
    async with open_bench(document=document, database_path=tmp_path / "cp.db") as bench:
        assert (await version(bench), set(listed(bench))) == (7, {"c", "d"})


async def test_a_long_list_goes_on_in_steps_and_costs_little(open_bench: Any, make_config: Any, disk: Any) -> None:
    document = make_config(
        LocalAuthListManagement__LocalAuthListEnabled=True,
        LocalAuthListManagement__LocalAuthListMaxLength=3000,
        LocalAuthListManagement__SendLocalListMaxLength=3000,
    )
    async with open_bench(document=document, store=disk) as bench:
        assert await send(bench, "Full", 5, [entry(f"TAG{n:04}") for n in range(3000)]) == "Accepted"
        entries = bench.charge_point.for_station.authorization.local_list
        assert len({id(info) for info in entries.values()}) == 1, "what is the same is one object"
    async with open_bench(document=document, store=disk) as bench:
        entries = bench.charge_point.for_station.authorization.local_list
        assert len(entries) == 3000
        assert len({id(info) for info in entries.values()}) == 1


async def test_of_a_first_list_that_is_taken_back_nothing_is_left(open_bench: Any, document: Any, disk: Any) -> None:
    async with open_bench(document=document, store=disk) as bench:
        disk.is_full = True
        assert await send(bench, "Full", 5, [entry("A")]) == "Failed"
        disk.is_full = False
        await trio.sleep(60)
        assert (await version(bench), listed(bench)) == (0, {})
    async with open_bench(document=document, store=disk) as bench:
        assert bench.charge_point.counters.internal_errors == 0
        assert await send(bench, "Differential", 1, [entry("A")]) == "Accepted", "there is nothing that is damaged"
