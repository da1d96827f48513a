"""SendLocalList with as many entries as one frame can have: one answer, a step at a time, all of it or nothing.

Steps of the event loop are counted, not seconds: whoever else has something to do gets so many turns meanwhile.
"""

from collections.abc import Callable
from typing import Any

import pytest
import trio

from ocpp16.enums import AuthorizationStatus
from ocpp16.errors import CallFailed
from ocpp16.models import IdTagInfo
from ocpp16.state.signals import IdTagInfoLearned

MANY = 10_000
PAST, LATER = "2025-12-31T00:00:00Z", "2026-01-02T00:00:00Z"

Entry = dict[str, Any]


def entry(number: int, **info: Any) -> Entry:
    return {"idTag": f"TAG{number:05}", "idTagInfo": {"status": "Accepted", **info}}


@pytest.fixture
def document(make_config: Any) -> Any:
    return make_config(
        Core__AuthorizationCacheEnabled=True,
        Core__LocalPreAuthorize=True,
        Core__MeterValueSampleInterval=0,
        LocalAuthListManagement__LocalAuthListEnabled=True,
        LocalAuthListManagement__LocalAuthListMaxLength=MANY,
        LocalAuthListManagement__SendLocalListMaxLength=MANY,
    )


async def turns_until(is_done: Callable[[], object]) -> int:
    """How many turns another task has until it is done; it asks at each of them."""
    turns = 0
    while not is_done():
        await trio.lowlevel.checkpoint()
        turns += 1
        assert turns < 10 * MANY, "it is never done"
    return turns


async def send(bench: Any, kind: str, version: int, entries: list[Any]) -> str:
    """The status, or the code of the CALLERROR."""
    request = {"listVersion": version, "updateType": kind, "localAuthorizationList": entries}
    try:
        answer = await bench.csms.call("cp001", "SendLocalList", request, validated=False)
    except CallFailed as error:
        return str(error.code)
    return str(answer["status"])


def learn(bench: Any, count: int, prefix: str = "TAG") -> None:
    """As the Central System's answers do, without asking for each."""
    signals = bench.charge_point._runtime.ctx.signals
    for number in range(count):
        signals.emit(IdTagInfoLearned(f"{prefix}{number:05}", IdTagInfo(AuthorizationStatus.ACCEPTED)))


def cache_of(bench: Any) -> Any:
    return bench.charge_point.for_station.authorization.cache


def rows(disk: Any, table: str) -> list[Any]:
    return sorted(disk._rows["cp001"].get(table, {}).values())


def one_bad(position: int, bad: Any) -> list[Any]:
    entries: list[Any] = [entry(number) for number in range(MANY)]
    entries[position] = bad
    return entries


HOSTILE: dict[str, tuple[list[Any], str]] = {
    "twice, in another case, at the end": (one_bad(MANY - 1, {**entry(0), "idTag": "tag00000"}), "Failed"),
    "all the same": ([entry(0)] * MANY, "Failed"),
    "one too many": ([entry(number) for number in range(MANY + 1)], "Failed"),
    "no idTagInfo at the end": (one_bad(MANY - 1, {"idTag": "TAG09999"}), "Failed"),
    "too long at the end": (one_bad(MANY - 1, {**entry(1), "idTag": "X" * 21}), "PropertyConstraintViolation"),
    "no text at the end": (one_bad(MANY - 1, {**entry(1), "idTag": 7}), "TypeConstraintViolation"),
    "no object at the end": (one_bad(MANY - 1, "TAG"), "TypeConstraintViolation"),
    "no status at the end": (one_bad(MANY - 1, {"idTag": "X", "idTagInfo": {}}), "OccurenceConstraintViolation"),
    "an unknown status at the end": (one_bad(MANY - 1, entry(1, status="Perhaps")), "PropertyConstraintViolation"),
    "no time at the end": (one_bad(MANY - 1, entry(1, expiryDate="tomorrow")), "TypeConstraintViolation"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_one_changes_nothing(open_bench: Any, document: Any, disk: Any, name: str) -> None:
    entries, expected = HOSTILE[name]
    async with open_bench(document=document, store=disk) as bench:
        assert await send(bench, "Full", 5, [entry(1, status="Blocked"), entry(2)]) == "Accepted"
        await bench.charge_point.stored()
        before = rows(disk, "local_list"), rows(disk, "local_list_version")
        learn(bench, 10, "KNOWN")
        assert await send(bench, "Full", 6, entries) == expected
        assert await send(bench, "Full", 6, []) == "Accepted", "the next request is answered as such"
        assert await send(bench, "Full", 5, [entry(1, status="Blocked"), entry(2)]) == "Accepted"
        await bench.charge_point.stored()
        assert (rows(disk, "local_list"), rows(disk, "local_list_version")) == before
        assert len(cache_of(bench)) == 10
        assert bench.charge_point.counters.internal_errors == 0


async def test_expired_ones_are_kept_as_such(open_bench: Any, document: Any) -> None:
    entries = [entry(number, expiryDate=PAST) for number in range(MANY)]
    async with open_bench(document=document) as bench:
        assert await send(bench, "Full", 5, entries) == "Accepted"
        bench.charge_point.connection.disconnect()
        await trio.sleep(1)
        info = await bench.charge_point.authorize_id_token("tag09999")
        assert (info.status, info.source) == (AuthorizationStatus.EXPIRED, "local authorization list")


@pytest.mark.parametrize("kind", ["Full", "Differential"])
async def test_others_have_their_turn_meanwhile(open_bench: Any, document: Any, disk: Any, kind: str) -> None:
    """To read the entries and to make rows of them takes a step for some 256 of them each."""
    answers: list[str] = []

    async def ask(version: int, entries: list[Any]) -> None:
        answers.append(await send(bench, kind, version, entries))

    async with open_bench(document=document, store=disk) as bench, trio.open_nursery() as nursery:
        nursery.start_soon(ask, 4, [entry(number) for number in range(10)])
        for_few = await turns_until(lambda: answers)
        nursery.start_soon(ask, 5, [entry(number, expiryDate=LATER) for number in range(MANY)])
        for_many = await turns_until(lambda: len(answers) == 2)
        assert answers == ["Accepted"] * 2
        assert for_many - for_few >= 2 * (MANY // 256)
        assert len(bench.charge_point.for_station.authorization.local_list) == MANY
    async with open_bench(document=document, store=disk) as bench:
        assert len(bench.charge_point.for_station.authorization.local_list) == MANY


async def test_what_the_cache_held_of_them_goes_a_few_at_a_time(open_bench: Any, document: Any, disk: Any) -> None:
    """At once nobody sees it any more; memory and disk follow."""
    async with open_bench(document=document, store=disk) as bench:
        learn(bench, MANY)
        learn(bench, 3, "OTHER")  # over the bound: others go
        await bench.charge_point.stored()
        assert len(cache_of(bench)) == MANY
        kept = bench.charge_point._runtime.features.authorization._cache
        entries = [entry(number, status="Blocked") for number in range(MANY)]
        assert await send(bench, "Full", 5, entries) == "Accepted"
        assert list(cache_of(bench)) == ["other00000", "other00001", "other00002"]
        assert await turns_until(lambda: len(kept.entries) == 3) >= MANY // 64 - 8
        await bench.charge_point.stored()
        assert [row[0] for row in rows(disk, "id_tag_cache")] == list(cache_of(bench))
        assert bench.charge_point.counters.internal_errors == 0


async def test_a_list_that_changes_while_the_cache_follows_is_followed_too(
    open_bench: Any, document: Any, disk: Any
) -> None:
    async with open_bench(document=document, store=disk) as bench:
        learn(bench, MANY)
        await bench.charge_point.stored()
        half = [entry(number) for number in range(0, MANY, 2)]
        assert await send(bench, "Full", 5, half) == "Accepted"
        cache = bench.charge_point._runtime.features.authorization._cache
        assert len(cache.entries) > MANY / 2, "it has only begun"
        assert await send(bench, "Differential", 6, [entry(1)]) == "Accepted"
        await trio.sleep(1)
        await bench.charge_point.stored()
        assert len(cache_of(bench)) == len(rows(disk, "id_tag_cache")) == MANY / 2 - 1


async def test_a_start_finds_more_than_may_be_kept(open_bench: Any, document: Any, disk: Any) -> None:
    async with open_bench(document=document, store=disk) as bench:
        learn(bench, MANY)
        await bench.charge_point.stored()
    document["Internal"]["AuthorizationCacheMaxEntries"] = 10
    async with open_bench(document=document, store=disk, start=False) as bench:
        await bench.charge_point.start()
        assert await turns_until(lambda: len(cache_of(bench)) == 10) >= 2 * (MANY // 64) - 8
        await bench.charge_point.stored()
        assert len(cache_of(bench)) == len(rows(disk, "id_tag_cache")) == 10


async def test_a_full_disk_leaves_the_old_list(open_bench: Any, document: Any, disk: Any) -> None:
    document["Internal"]["StoreTimeout"] = 5
    async with open_bench(document=document, store=disk) as bench:
        assert await send(bench, "Full", 5, [entry(number) for number in range(MANY)]) == "Accepted"
        await bench.charge_point.stored()
        before = rows(disk, "local_list")
        disk.is_full = True
        assert await send(bench, "Full", 6, [entry(number, status="Blocked") for number in range(MANY)]) == "Failed"
        changes = [{"idTag": f"TAG{number:05}"} for number in range(MANY)]
        assert await send(bench, "Differential", 7, changes) == "Failed"
        assert len(bench.charge_point.for_station.authorization.local_list) == MANY
        disk.is_full = False
        await trio.sleep(60)
        await bench.charge_point.stored()
        assert rows(disk, "local_list") == before
        assert await send(bench, "Differential", 6, changes) == "Accepted"
        assert bench.charge_point.for_station.authorization.local_list == {}
        assert bench.charge_point.for_station.authorization.local_list_version == 0
