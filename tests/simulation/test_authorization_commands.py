"""The commands about who may charge, with a real charge point."""

from typing import Any

from trio.testing import MockClock


async def test_commands(autojump_clock: MockClock, site: Any) -> None:
    async with site(profiles="Core,LocalAuthListManagement") as here:
        run, csms = here.commands.run, here.csms
        assert await run("why") == []
        assert await run("local_list") == {"version": -1, "count": 0, "entries": []}
        assert await run("cache") == {"count": 0, "entries": []}
        assert await run("clear_cache") == "Rejected"
        assert here.commands.reason("clear_cache", {}, "Rejected") == "AuthorizationCacheEnabled is not on"
        assert await run("change_configuration", {"key": "LocalAuthListEnabled", "value": "true"}) == "Accepted"
        entries = [
            {"idTag": "A", "idTagInfo": {"status": "Accepted", "parentIdTag": "P"}},
            {"idTag": "B", "idTagInfo": {"status": "Blocked", "expiryDate": "2031-01-01T00:00:00Z"}},
        ]
        update = {"listVersion": 5, "updateType": "Full", "localAuthorizationList": entries}
        assert await csms.call("cp001", "SendLocalList", update) == {"status": "Accepted"}
        told = await run("local_list")
        assert (told["version"], told["count"]) == (5, 2)
        assert told["entries"] == [
            {"id_tag": "a", "status": "Accepted", "expiry_date": None, "parent_id_tag": "P"},
            {"id_tag": "b", "status": "Blocked", "expiry_date": "2031-01-01T00:00:00Z", "parent_id_tag": None},
        ]
        assert len((await run("local_list", {"most": 1}))["entries"]) == 1
        await here.charge(1)
        (decision,) = await run("why")
        assert decision.pop("time").startswith("2030-01-01T08:00:0")
        assert decision == {
            "id_tag": "TAG1",
            "status": "Accepted",
            "expiry_date": None,
            "parent_id_tag": None,
            "source": "the Central System",
            "rule": "asked: nothing is decided here while connected",
            "key": "LocalPreAuthorize",
        }


async def test_the_cache(autojump_clock: MockClock, site: Any) -> None:
    async with site(profiles="Core", core={"AuthorizationCacheEnabled": True}) as here:
        await here.charge(1)
        told = await here.commands.run("cache")
        assert (told["count"], told["entries"][0]["id_tag"]) == (1, "tag1")
        assert await here.commands.run("clear_cache") == "Accepted"
        assert (await here.commands.run("cache"))["count"] == 0
