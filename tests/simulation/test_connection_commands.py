"""The commands about the connection, what waits for it and what runs, with a real charge point."""

from typing import Any

import pytest
import trio

from ocpp16.simulation import CommandError


async def test_a_connection_that_is_dropped_comes_back(autojump_clock: Any, site: Any) -> None:
    async with site(internal={"RetryBackoffWaitMinimum": 7, "RetryBackoffRandomRange": 0}) as here:
        run, csms = here.commands.run, here.csms
        here.statuses()
        (before,) = csms.connected.values()
        assert await run("drop") is True
        await trio.sleep(0.1)
        assert not here.charge_point.connection.is_connected
        (closed,) = [row.text for row in csms.traffic if row.direction == "closed"]
        assert closed.startswith("1006")  # no close frame came
        assert await run("drop") is False
        await trio.sleep(6.5)
        assert not here.charge_point.connection.is_connected
        await trio.sleep(1)
        assert here.charge_point.connection.is_connected
        (after,) = csms.connected.values()
        assert after is not before
        assert [event["connected"] for event in here.events("connection")] == [True, False, True]


async def test_what_waits(autojump_clock: Any, site: Any) -> None:
    async with site(core={"AllowOfflineTxForUnknownId": True}) as here:
        run = here.commands.run
        assert await run("queue") == {"count": 0, "messages": []}
        await run("disconnect")
        await trio.sleep(0.1)
        await here.charge()
        await run("unplug", {"connector": 1})
        await trio.sleep(1)
        told = await run("queue")
        assert told["count"] == 2
        assert [(one["action"], one["state"], one["attempts"]) for one in told["messages"]] == [
            ("StartTransaction", "waiting", 0),
            ("StopTransaction", "waiting", 0),
        ]
        assert told["messages"][0]["payload"]["idTag"] == "TAG1"
        assert [one["action"] for one in (await run("queue", {"most": 1}))["messages"]] == ["StartTransaction"]
        await run("connect")
        await trio.sleep(1)
        assert await run("queue") == {"count": 0, "messages": []}


async def test_what_is_not_answered(autojump_clock: Any, site: Any) -> None:
    """The one that was sent is open; after many a silence those of its transaction wait apart."""
    async with site() as here:
        here.csms.answers["StartTransaction"] = None
        await here.charge()
        messages = (await here.commands.run("queue"))["messages"]
        assert [(one["action"], one["state"]) for one in messages][:1] == [("StartTransaction", "open")]
        await here.commands.run("unplug", {"connector": 1})
        await trio.sleep(3000)
        messages = (await here.commands.run("queue"))["messages"]
        assert {one["action"]: one["state"] for one in messages}["StopTransaction"] == "apart"
        with pytest.raises(CommandError, match="from 1 to 1000"):
            await here.commands.run("queue", {"most": 0})
        for most in (0, 10_001, True, "1"):
            with pytest.raises(ValueError, match="most"):
                here.charge_point.connection.waiting(most)


async def test_what_runs(autojump_clock: Any, site: Any) -> None:
    async with site(profiles="Core,Reservation", core={"AllowOfflineTxForUnknownId": True}) as here:
        run = here.commands.run
        assert await run("transactions") == []
        await run("reserve", {"connector": 1, "id_tag": "TAG1", "reservation_id": 9})
        here.csms.answers["StartTransaction"] = {
            "transactionId": 77,
            "idTagInfo": {"status": "Blocked", "parentIdTag": "P"},
        }
        await run("change_configuration", {"key": "StopTransactionOnInvalidId", "value": "false"})
        await here.charge()
        del here.csms.answers["StartTransaction"]
        await run("disconnect")
        await trio.sleep(0.1)
        await here.charge(2, current=32, phases=3)
        await trio.sleep(3600)
        first, second = await run("transactions")
        assert first.pop("session_id").startswith("1-")
        assert first == {
            "connector": 1,
            "transaction_id": 77,
            "id_tag": "TAG1",
            "parent_id_tag": "P",
            "reservation_id": 9,
            "started_at": "2030-01-01T08:00:00Z",
            "meter_start": 0,
            "energy": 0,
            "is_refused": True,
        }
        assert (second["transaction_id"], second["is_refused"]) == (None, False)
        assert second["energy"] == pytest.approx(22080, abs=10)


async def test_out_of_turn(autojump_clock: Any, site: Any) -> None:
    async with site() as here:
        run, csms = here.commands.run, here.csms
        before = len(csms.calls("Heartbeat"))
        assert await run("heartbeat") is True
        assert await run("sample", {"connector": 1}) is True
        await trio.sleep(0.1)
        assert len(csms.calls("Heartbeat")) == before + 1
        assert [call.payload["connectorId"] for call in csms.calls("MeterValues")] == [1]
        await run("disconnect")
        await trio.sleep(0.1)
        assert await run("heartbeat") is False
        assert await run("sample", {"connector": 1}) is False
        assert await run("stop") is True
        assert (await run("heartbeat"), await run("drop"), await run("transactions")) == (False, False, [])
        with pytest.raises(CommandError, match="stopped"):
            await run("sample", {"connector": 1})


async def test_an_id_tag_is_asked_about(autojump_clock: Any, site: Any) -> None:
    async with site() as here:
        run = here.commands.run
        here.csms.answers["Authorize"] = {"idTagInfo": {"status": "Blocked", "parentIdTag": "P"}}
        answer = await run("authorize", {"id_tag": "TAG"})
        assert answer == {
            "status": "Blocked",
            "expiry_date": None,
            "parent_id_tag": "P",
            "source": "the Central System",
            "rule": "asked: nothing is decided here while connected",
            "key": "LocalPreAuthorize",
        }
        assert [{key: one[key] for key in answer} for one in await run("why")] == [answer]
        await trio.sleep(120)
        assert here.statuses() == []
        await run("stop")
        with pytest.raises(CommandError, match="stopped"):
            await run("authorize", {"id_tag": "TAG"})


async def test_what_the_station_does_not_do(autojump_clock: Any, site: Any) -> None:
    """Overruled: a remote start that nobody takes up, a reset that fails at first, a timeout that it does not take."""
    async with site(core={"ConnectionTimeOut": 60}) as here:
        run, csms = here.commands.run, here.csms
        for question, answer in (("provide_token", None), ("reset", False), ("set_connection_timeout", None)):
            assert await run("overrule", {"question": question, "answer": answer}) is None
        start = {"idTag": "TAG", "connectorId": 1}
        for preparing in (0, 1):
            assert await csms.call("cp001", "RemoteStartTransaction", start) == {"status": "Accepted"}
            await trio.sleep(1)
            assert len(here.statuses()) == preparing
        await csms.call("cp001", "ChangeConfiguration", {"key": "ConnectionTimeOut", "value": "5"})
        await trio.sleep(30)
        assert here.statuses() == []  # it still has a minute
        await trio.sleep(40)
        assert here.statuses() == ["1 Available"]
        boots = len(csms.calls("BootNotification"))
        assert await csms.call("cp001", "Reset", {"type": "Soft"}) == {"status": "Accepted"}
        await trio.sleep(600)
        assert len(csms.calls("BootNotification")) == boots + 1
        assert len(here.events("reset")) == 1
