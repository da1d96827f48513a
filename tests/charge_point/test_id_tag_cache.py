"""The authorization cache (OCPP 1.6 ed. 2 §3.5.1, §5.3)."""

import sqlite3
from contextlib import suppress
from typing import Any

import pytest
import trio

from ocpp16.enums import AuthorizationStatus, Reason
from ocpp16.errors import CallFailed, StoreError

S = AuthorizationStatus
LATER = "2026-01-02T00:00:00Z"


@pytest.fixture
def document(make_config: Any) -> Any:
    return make_config(
        Internal__StoreTimeout=5,
        Core__AuthorizationCacheEnabled=True,
        Core__LocalPreAuthorize=True,
        Core__AllowOfflineTxForUnknownId=True,
        LocalAuthListManagement__LocalAuthListEnabled=True,
    )


def says(bench: Any, status: str, **more: Any) -> None:
    """What the Central System answers from now on."""
    info = {"idTagInfo": {"status": status, **more}}
    bench.csms.answers["Authorize"] = info
    bench.csms.answers["StartTransaction"] = {"transactionId": 7, **info}
    bench.csms.answers["StopTransaction"] = info


async def ask(bench: Any, *id_tags: str) -> list[str]:
    """Sources of the decisions."""
    return [(await bench.charge_point.authorize_id_token(id_tag)).source for id_tag in id_tags]


def cached(bench: Any) -> dict[str, str]:
    return {tag: str(info.status) for tag, info in bench.charge_point.for_station.authorization.cache.items()}


async def change(bench: Any, key: str, value: str) -> str:
    return str((await bench.call("ChangeConfiguration", {"key": key, "value": value}))["status"])


async def go_offline(bench: Any) -> None:
    bench.charge_point.connection.disconnect()
    await trio.sleep(1)


HERE, THERE = "authorization cache", "the Central System"


async def test_what_was_answered_once_is_not_asked_again(open_bench: Any, document: Any) -> None:
    async with open_bench(document=document) as bench:
        says(bench, "Accepted", parentIdTag="GROUP", expiryDate=LATER)
        assert await ask(bench, "Tag", "tAG") == [THERE, HERE]
        info = await bench.charge_point.authorize_id_token("TAG")
        assert (info.parent_id_tag, info.key) == ("GROUP", "LocalPreAuthorize")
        await bench.put_clock(2 * 86_400)
        assert await ask(bench, "TAG") == [THERE], "its expiry date is past"
        await change(bench, "LocalPreAuthorize", "false")
        says(bench, "Accepted")
        assert await ask(bench, "OTHER", "OTHER") == [THERE, THERE]


@pytest.mark.parametrize("status", ["Blocked", "Expired", "Invalid", "ConcurrentTx"])
async def test_what_was_refused_is_asked_again_and_refused_offline(open_bench: Any, document: Any, status: str) -> None:
    """ConcurrentTx is of a moment: by now the tag may charge nowhere, and counts as unknown."""
    async with open_bench(document=document) as bench:
        says(bench, status)
        assert await ask(bench, "TAG", "TAG") == [THERE, THERE]
        await go_offline(bench)
        info = await bench.charge_point.authorize_id_token("tag")
        if status == "ConcurrentTx":
            assert (info.status, info.key) == (S.ACCEPTED, "AllowOfflineTxForUnknownId")
        else:
            assert (str(info.status), info.source) == (status, HERE)


async def test_start_and_stop_say_something_of_their_own_tags(open_bench: Any, document: Any) -> None:
    async with open_bench(document=document) as bench:
        says(bench, "Accepted")
        bench.begin(id_tag="START")
        await trio.sleep(1)
        says(bench, "Blocked")
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500, id_tag_end="STOP")
        await trio.sleep(1)
        assert cached(bench) == {"start": "Accepted", "stop": "Blocked"}
        says(bench, "Accepted")
        bench.begin(session_id="s2", id_tag="START")
        await trio.sleep(1)
        says(bench, "Invalid")
        bench.charge_point.on_transaction_stopped(1, "s2", Reason.LOCAL, 1500)
        await trio.sleep(1)
        assert cached(bench) == {"start": "Accepted", "stop": "Blocked"}, "nobody presented a tag"


async def test_tags_of_the_list_are_not_cached(open_bench: Any, document: Any) -> None:
    async with open_bench(document=document) as bench:
        says(bench, "Accepted")
        await ask(bench, "A", "B")
        listing = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": []}
        listing["localAuthorizationList"] = [{"idTag": tag, "idTagInfo": {"status": "Blocked"}} for tag in ("a", "C")]
        assert await bench.call("SendLocalList", listing) == {"status": "Accepted"}
        assert cached(bench) == {"b": "Accepted"}, "what is listed by now goes"
        assert await ask(bench, "A", "C") == [THERE, THERE]
        assert cached(bench) == {"b": "Accepted"}
        await change(bench, "LocalAuthListEnabled", "false")
        await ask(bench, "A")
        assert cached(bench) == {"b": "Accepted", "a": "Accepted"}
        await change(bench, "LocalAuthListEnabled", "true")
        assert cached(bench) == {"b": "Accepted"}


@pytest.mark.parametrize("value", [False, None])
async def test_off_means_off(open_bench: Any, make_config: Any, value: bool | None) -> None:
    keys = {} if value is None else {"Core__AuthorizationCacheEnabled": value}
    async with open_bench(document=make_config(Core__LocalPreAuthorize=True, **keys)) as bench:
        says(bench, "Accepted")
        assert await ask(bench, "TAG", "TAG") == [THERE, THERE]
        assert cached(bench) == {}
        assert await bench.call("ClearCache", {}) == {"status": "Rejected"}
        assert await bench.charge_point.for_station.authorization.clear_cache() is False
        expected = "NotSupported" if value is None else "Accepted"
        assert await change(bench, "AuthorizationCacheEnabled", "true") == expected


async def test_what_is_switched_off_is_deleted(open_bench: Any, document: Any, make_config: Any, disk: Any) -> None:
    """What was learnt before is out of date when it is on again."""
    async with open_bench(document=document, store=disk) as bench:
        says(bench, "Accepted")
        await ask(bench, "TAG")
        assert await change(bench, "AuthorizationCacheEnabled", "false") == "Accepted"
        assert cached(bench) == {}
        assert await change(bench, "AuthorizationCacheEnabled", "true") == "Accepted"
        assert await ask(bench, "TAG") == [THERE]
        await bench.charge_point.stored()
    async with open_bench(document=make_config(Core__AuthorizationCacheEnabled=False), store=disk) as bench:
        await change(bench, "AuthorizationCacheEnabled", "false")  # it was changed in the store
        await bench.charge_point.stored()
    async with open_bench(document=document, store=disk) as bench:
        await change(bench, "AuthorizationCacheEnabled", "true")
        assert cached(bench) == {}


async def test_a_cache_found_by_a_start_without_one_is_deleted(
    open_bench: Any, document: Any, make_config: Any, disk: Any
) -> None:
    async with open_bench(document=document, store=disk) as bench:
        says(bench, "Accepted")
        await ask(bench, "TAG")
        await bench.charge_point.stored()
    async with open_bench(document=make_config(), store=disk) as bench:
        assert cached(bench) == {}
        await bench.charge_point.stored()
    async with open_bench(document=document, store=disk) as bench:
        assert cached(bench) == {}


# Size


def sized(make_config: Any, most: int) -> Any:
    return make_config(
        Core__AuthorizationCacheEnabled=True,
        Core__LocalPreAuthorize=True,
        Internal__AuthorizationCacheMaxEntries=most,
    )


async def test_what_was_not_used_for_longest_goes(open_bench: Any, make_config: Any, disk: Any) -> None:
    async with open_bench(document=sized(make_config, 3), store=disk) as bench:
        says(bench, "Accepted")
        await ask(bench, "A", "B", "C", "A", "D")
        assert list(cached(bench)) == ["c", "a", "d"]
        await bench.charge_point.stored()
    async with open_bench(document=sized(make_config, 2), store=disk) as bench:
        assert len(cached(bench)) == 2
        await bench.charge_point.stored()
    async with open_bench(document=sized(make_config, 3), store=disk) as bench:
        assert len(cached(bench)) == 2, "what went is gone on disk, too"


async def test_what_is_not_accepted_any_more_goes_first(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=sized(make_config, 3)) as bench:
        says(bench, "Accepted")
        await ask(bench, "A", "B")
        says(bench, "Blocked")
        await ask(bench, "C")
        says(bench, "Accepted", expiryDate="2026-01-01T00:10:00Z")
        await ask(bench, "D")
        assert list(cached(bench)) == ["a", "b", "d"]
        await trio.sleep(900)
        says(bench, "Accepted")
        await ask(bench, "E")
        assert list(cached(bench)) == ["a", "b", "e"]
        await ask(bench, "F")
        assert list(cached(bench)) == ["b", "e", "f"]


async def test_the_order_of_uses_outlives_a_restart_and_flash_is_spared(
    open_bench: Any, make_config: Any, disk: Any
) -> None:
    async with open_bench(document=sized(make_config, 2), store=disk) as bench:
        says(bench, "Accepted")
        await ask(bench, "A", "B")
        numbers = [bench.charge_point._runtime.writer.last]
        await ask(bench, "A")
        numbers.append(bench.charge_point._runtime.writer.last)
        assert numbers[0] == numbers[1], "a use within the hour is not written down"
        await trio.sleep(3700)
        await ask(bench, "A")
        assert bench.charge_point._runtime.writer.last > numbers[1]
        await bench.charge_point.stored()
    async with open_bench(document=sized(make_config, 2), store=disk) as bench:
        assert list(cached(bench)) == ["b", "a"]
        says(bench, "Accepted")
        await ask(bench, "C")
        assert list(cached(bench)) == ["a", "c"]


# The disk


async def test_it_outlives_a_power_cut_and_clearing_does_too(
    open_bench: Any, until_power_fails: Any, document: Any, tmp_path: Any
) -> None:
    async with until_power_fails(document=document, database_path=tmp_path) as bench:
        says(bench, "Accepted", parentIdTag="GROUP", expiryDate=LATER)
        await ask(bench, "TAG")
        known = dict(bench.charge_point.for_station.authorization.cache)
    async with until_power_fails(document=document, database_path=tmp_path) as bench:
        assert bench.charge_point.for_station.authorization.cache == known
        assert await ask(bench, "TAG") == [HERE]
        assert await bench.call("ClearCache", {}) == {"status": "Accepted"}
        assert cached(bench) == {}
        with sqlite3.connect(tmp_path / "cp001.db") as database:
            assert database.execute("SELECT count(*) FROM id_tag_cache").fetchone() == (0,), "before the answer"
        database.close()
    async with open_bench(document=document, database_path=tmp_path) as bench:
        assert cached(bench) == {}


async def test_clearing_on_a_full_disk_changes_nothing(open_bench: Any, document: Any, disk: Any) -> None:
    async with open_bench(document=document, store=disk) as bench:
        says(bench, "Accepted")
        await ask(bench, "A")
        await bench.charge_point.stored()
        disk.is_full = True
        with pytest.raises(CallFailed, match="InternalError"):
            await bench.call("ClearCache", {})
        assert cached(bench) == {"a": "Accepted"}
        await ask(bench, "B")
        disk.is_full = False
        await trio.sleep(60)
        await bench.charge_point.stored()
    async with open_bench(document=document, store=disk) as bench:
        assert cached(bench) == {"a": "Accepted", "b": "Accepted"}


async def test_what_is_learnt_while_it_is_cleared_is_one_story(open_bench: Any, document: Any, disk: Any) -> None:
    async with open_bench(document=document, store=disk) as bench:
        says(bench, "Accepted")
        await ask(bench, "A")
        await bench.charge_point.stored()
        disk.is_full = True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.charge_point.for_station.authorization.clear_cache)
            await trio.sleep(0.2)
            await ask(bench, "B")
            disk.is_full = False
        await bench.charge_point.stored()
        told = cached(bench)
    async with open_bench(document=document, store=disk) as bench:
        assert cached(bench) == told
        assert "a" not in told


async def test_what_was_cleared_is_not_brought_back_by_a_use_meanwhile(
    open_bench: Any, document: Any, disk: Any
) -> None:
    """A use that is written down while the disk is slow is of an entry that is to go."""
    async with open_bench(document=document, store=disk) as bench:
        says(bench, "Accepted")
        await ask(bench, "A")
        await bench.charge_point.stored()
        await trio.sleep(7200)
        disk.is_full = True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.charge_point.for_station.authorization.clear_cache)
            await trio.sleep(0.2)
            await ask(bench, "A")
            disk.is_full = False
        await bench.charge_point.stored()
        told = cached(bench)
    async with open_bench(document=document, store=disk) as bench:
        assert cached(bench) == told


@pytest.mark.parametrize("seconds", [1, 20])
async def test_what_is_learnt_after_off_and_on_is_no_matter_of_a_clearing_that_still_waits(
    open_bench: Any, document: Any, disk: Any, tmp_path: Any, seconds: float
) -> None:
    """The keys are in a file, which is written though the database is not; the clearing is stored, or given up."""
    async with open_bench(document=document, store=disk, user_config_path=tmp_path / "user_config.json") as bench:
        says(bench, "Accepted")
        await ask(bench, "A")
        await bench.charge_point.stored()
        disk.is_full = True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(clear, bench)
            await trio.sleep(0.1)
            for value in ("false", "true"):
                assert await change(bench, "AuthorizationCacheEnabled", value) == "Accepted"
            await ask(bench, "B")
            await trio.sleep(seconds)
            disk.is_full = False
        await trio.sleep(60)
        await bench.charge_point.stored()
        told = cached(bench)
        assert "a" not in told
    async with open_bench(document=document, store=disk, user_config_path=tmp_path / "user_config.json") as bench:
        assert cached(bench) == told


async def clear(bench: Any) -> None:
    with suppress(StoreError):
        await bench.charge_point.for_station.authorization.clear_cache()


async def test_a_row_that_cannot_be_read_is_left_out(open_bench: Any, document: Any, tmp_path: Any) -> None:
    async with open_bench(document=document, database_path=tmp_path / "cp.db") as bench:
        says(bench, "Accepted")
        await ask(bench, "A", "B")
        await bench.charge_point.stored()
    with sqlite3.connect(tmp_path / "cp.db") as database:
        database.execute("UPDATE id_tag_cache SET status = 'Perhaps' WHERE id_tag = 'a'")
    database.close()
    async with open_bench(document=document, database_path=tmp_path / "cp.db") as bench:
        assert cached(bench) == {"b": "Accepted"}
        assert bench.charge_point.counters.internal_errors == 1
        assert await bench.call("ClearCache", {}) == {"status": "Accepted"}
    async with open_bench(document=document, database_path=tmp_path / "cp.db") as bench:
        assert bench.charge_point.counters.internal_errors == 0
