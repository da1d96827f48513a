"""How long the authorization cache remembers (AuthorizationCacheLifetime)."""

import sqlite3
from typing import Any

import pytest
import trio

from ocpp16.enums import AuthorizationStatus
from ocpp16.testing.central_system import START, CentralSystem

KEYS = {"Core__AuthorizationCacheEnabled": True, "Core__LocalPreAuthorize": True}
HERE, THERE = "authorization cache", "the Central System"


def true_time() -> int:
    """Of a Central System whose clock goes on over the lives of a charge point."""
    return START + round(trio.current_time() * 1e6)


def says(bench: Any, status: str) -> None:
    bench.csms.answers["Authorize"] = {"idTagInfo": {"status": status}}


async def ask(bench: Any, *id_tags: str) -> list[str]:
    """Sources of the decisions."""
    return [(await bench.charge_point.authorize_id_token(id_tag)).source for id_tag in id_tags]


def cached(bench: Any) -> dict[str, str]:
    return {tag: str(info.status) for tag, info in bench.charge_point.for_station.authorization.cache.items()}


async def test_what_was_not_used_for_its_lifetime_is_forgotten(
    open_bench: Any, make_config: Any, tmp_path: Any
) -> None:
    """To the second, though a use is written down once an hour at most; and from the disk, too."""
    document = make_config(**KEYS, Internal__AuthorizationCacheLifetime=7_200)
    path = tmp_path / "cp.db"
    async with open_bench(csms=CentralSystem(now=true_time), document=document, database_path=path) as bench:
        says(bench, "Accepted")
        assert await ask(bench, "OLD", "NEW") == [THERE, THERE]
        for _ in range(3):
            await trio.sleep(3_000)
            assert await ask(bench, "NEW") == [HERE]
        assert set(cached(bench)) == {"new"}, "9,000 s are more than its lifetime"
        await trio.sleep(7_199)
        assert await ask(bench, "NEW") == [HERE], "it counts from the last use"
        await trio.sleep(7_201)
        bench.charge_point.connection.disconnect()
        await trio.sleep(1)
        assert (await bench.charge_point.authorize_id_token("NEW")).status is AuthorizationStatus.INVALID
        await bench.charge_point.stored()
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT id_tag FROM id_tag_cache").fetchall() == [("old",)]
    database.close()
    async with open_bench(csms=CentralSystem(now=true_time), document=document, database_path=path) as bench:
        await trio.sleep(1)
        assert cached(bench) == {}
        await bench.charge_point.stored()
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT id_tag FROM id_tag_cache").fetchall() == []
    database.close()


async def test_a_start_deletes_what_was_not_used_for_its_lifetime(open_bench: Any, make_config: Any, disk: Any) -> None:
    async with open_bench(csms=CentralSystem(now=true_time), document=make_config(**KEYS), store=disk) as bench:
        says(bench, "Accepted")
        await ask(bench, "OLD")
        await trio.sleep(7_200)
        await ask(bench, "NEW")
        assert list(cached(bench)) == ["old", "new"]
    limited = make_config(**KEYS, Internal__AuthorizationCacheLifetime=3_600)
    async with open_bench(csms=CentralSystem(now=true_time), document=limited, store=disk) as bench:
        await trio.sleep(1)
        request = {"key": "AuthorizationCacheLifetime", "value": "0"}
        assert await bench.call("ChangeConfiguration", request) == {"status": "Accepted"}
        assert list(cached(bench)) == ["new"], "no longer lifetime brings it back"


@pytest.mark.parametrize("shift", [365 * 86_400, -20 * 365 * 86_400])
async def test_a_clock_that_nobody_has_set_makes_nobody_forgotten(
    open_bench: Any, make_config: Any, disk: Any, shift: int
) -> None:
    """As that of the machine after a power cut, with the network away: neither now nor by what it writes down."""
    document = make_config(**KEYS, Internal__AuthorizationCacheLifetime=3_600, Core__LocalAuthorizeOffline=True)
    async with open_bench(csms=CentralSystem(now=true_time), document=document, store=disk) as bench:
        says(bench, "Accepted")
        assert await ask(bench, "A", "B") == [THERE, THERE]
    csms = CentralSystem(now=true_time)
    csms.is_reachable = False
    async with open_bench(csms=csms, document=document, store=disk, anchor=true_time() / 1e6 + shift) as bench:
        await trio.sleep(60)
        is_known = (await bench.charge_point.authorize_id_token("A")).status is AuthorizationStatus.ACCEPTED
        assert is_known == (shift < 0)
        csms.is_reachable = True
        await bench.charge_point.wait_registered()
        await trio.sleep(1)
        assert await ask(bench, "A", "B") == [HERE, HERE]


async def test_what_is_past_makes_room_first(open_bench: Any, make_config: Any) -> None:
    document = make_config(
        Core__AuthorizationCacheEnabled=True,
        Internal__AuthorizationCacheLifetime=60,
        Internal__AuthorizationCacheMaxEntries=2,
    )
    async with open_bench(document=document) as bench:
        says(bench, "Accepted")
        await ask(bench, "A", "B")
        await trio.sleep(61)
        says(bench, "Blocked")
        await ask(bench, "C")
        says(bench, "Accepted")
        await ask(bench, "D")
        assert cached(bench) == {"c": "Blocked", "d": "Accepted"}


async def test_a_clock_that_was_ahead_for_a_moment_makes_no_use_younger(open_bench: Any, make_config: Any) -> None:
    document = make_config(
        Core__AuthorizationCacheEnabled=True,
        Internal__AuthorizationCacheLifetime=3600,
        Core__LocalAuthorizeOffline=True,
    )
    async with open_bench(document=document) as bench:
        await bench.put_clock(10 * 365 * 86_400)
        assert (await bench.charge_point.authorize_id_token("CARD")).is_accepted
        await bench.put_clock(0)
        await trio.sleep(3 * 86_400)
        bench.charge_point.connection.disconnect()
        await trio.sleep(1)
        assert not (await bench.charge_point.authorize_id_token("CARD")).is_accepted
