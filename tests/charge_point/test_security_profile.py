"""SecurityProfile and AuthorizationKey on trial: what stays, what goes back, over refusals, outages and power cuts."""

from pathlib import Path
from typing import Any

import pytest
import trio
from trials import CHANGE_KEY, NEW, OLD, settled, state, with_password

from ocpp16.errors import StoreError
from ocpp16.profiles.configuration_changes import ConfigurationChanges
from ocpp16.testing.central_system import CentralSystem


async def test_a_new_key_stays_when_it_led_to_an_accepted_boot(open_bench: Any, make_config: Any) -> None:
    csms = CentralSystem(keys={"cp001": OLD})
    async with open_bench(csms=csms, document=with_password(make_config)) as bench:
        csms._keys = {"cp001": NEW}
        boots, statuses = (len(bench.sent(action)) for action in ("BootNotification", "StatusNotification"))
        assert await bench.call("ChangeConfiguration", CHANGE_KEY) == {"status": "Accepted"}
        assert state(bench) == (1, NEW, None, OLD)
        await settled(bench)
        await trio.sleep(200)  # longer than an answer is waited for: it has come
        assert state(bench) == (1, NEW, None, None)
        assert len(bench.sent("BootNotification")) == boots + 1
        assert len(bench.sent("StatusNotification")) == statuses + 3, "one for each connector, and for the whole"
        assert [event.type for event in bench.events.of_security()] == ["ReconfigurationOfSecurityParameters"]


async def test_a_key_that_is_refused_goes_back(open_bench: Any, make_config: Any, tmp_path: Path) -> None:
    csms = CentralSystem(keys={"cp001": OLD})
    options = {"document": with_password(make_config), "database_path": tmp_path}
    async with open_bench(csms=csms, **options) as bench:
        assert await bench.call("ChangeConfiguration", CHANGE_KEY) == {"status": "Accepted"}
        await settled(bench)
        assert state(bench) == (1, OLD, None, None)
        types = [event.type for event in bench.events.of_security()]
        assert types == ["FailedToAuthenticateAtCentralSystem"] * 2 + ["ReconfigurationOfSecurityParameters"]
    async with open_bench(csms=CentralSystem(keys={"cp001": OLD}), **options) as bench:
        assert state(bench) == (1, OLD, None, None)


@pytest.mark.parametrize("knows", [OLD, NEW], ids=["the old one", "the new one"])
@pytest.mark.parametrize("power_fails_after", [0.0, 0.5, 3.0, 8.0, 30.0])
async def test_power_fails_while_a_key_is_on_trial(
    until_power_fails: Any, open_bench: Any, make_config: Any, tmp_path: Path, knows: bytes, power_fails_after: float
) -> None:
    """Whatever the Central System knows in the end, the charge point comes back with it."""
    options = {"document": with_password(make_config), "database_path": tmp_path}
    csms = CentralSystem(keys={"cp001": OLD})
    async with until_power_fails(csms=csms, **options) as bench:
        await bench.call("ChangeConfiguration", CHANGE_KEY)
        csms._keys = {"cp001": knows}
        await trio.sleep(power_fails_after)
    async with open_bench(csms=CentralSystem(keys={"cp001": knows}), **options) as bench:
        await settled(bench)
        assert state(bench) == (1, knows, None, None)


async def test_the_new_key_is_known_late(open_bench: Any, make_config: Any) -> None:
    """The Central System takes the old one for a while, is gone, and then takes the new one only."""
    csms = CentralSystem(keys={"cp001": OLD})
    async with open_bench(csms=csms, document=with_password(make_config)) as bench:
        assert await bench.call("ChangeConfiguration", CHANGE_KEY) == {"status": "Accepted"}
        csms.is_reachable = False
        await trio.sleep(100)
        assert state(bench) == (1, NEW, None, OLD)
        csms._keys = {"cp001": NEW}
        csms.is_reachable = True
        await settled(bench)
        assert state(bench) == (1, NEW, None, None)


@pytest.mark.parametrize("outage", [10, 40, 70, 100, 130, 160])
async def test_an_outage_is_no_refusal(open_bench: Any, make_config: Any, outage: int) -> None:
    """Both keys are good, the network is not: the new one stays, with whichever it comes back first."""
    csms = CentralSystem()
    async with open_bench(csms=csms, document=with_password(make_config)) as bench:
        csms.is_reachable = False
        bench.charge_point.connection.disconnect()
        bench.charge_point.connection.connect()
        assert await bench.charge_point.configuration.set("AuthorizationKey", NEW.hex()) == "Accepted"
        await trio.sleep(outage)
        csms.is_reachable = True
        await settled(bench)
        assert state(bench) == (1, NEW, None, None)


@pytest.mark.parametrize(("status", "kept"), [("Rejected", OLD), ("Pending", NEW)])
async def test_a_boot_that_is_not_accepted(open_bench: Any, make_config: Any, status: str, kept: bytes) -> None:
    """Rejected counts as a refusal; while Pending the Central System sets things up, and nothing is given up."""
    csms = CentralSystem(keys={"cp001": OLD})
    async with open_bench(csms=csms, document=with_password(make_config)) as bench:
        csms._keys = None
        csms.refuse_boot(status, times=3, interval=30)  # as long as the connection lasts that was Rejected
        await bench.call("ChangeConfiguration", CHANGE_KEY)
        await settled(bench)
        assert state(bench) == (1, kept, None, None)


async def test_a_boot_that_is_never_answered_is_a_refusal(open_bench: Any, make_config: Any) -> None:
    csms = CentralSystem(keys={"cp001": OLD})
    async with open_bench(csms=csms, document=with_password(make_config)) as bench:

        async def answer(payload: Any, call: Any) -> dict[str, Any]:
            if csms._keys == {"cp001": OLD}:
                csms._keys = None
                return {"status": "Accepted", "currentTime": "2026-01-01T00:00:00Z", "interval": 300}
            await trio.sleep_forever()
            raise AssertionError

        csms.answers["BootNotification"] = answer
        await bench.call("ChangeConfiguration", CHANGE_KEY)
        csms._keys = None
        await trio.sleep(400)
        assert state(bench) == (1, NEW, None, OLD)  # neither was accepted, and neither is given up
        del csms.answers["BootNotification"]
        await settled(bench)


async def test_a_connection_that_ends_instead_of_an_answer_is_a_refusal(open_bench: Any, make_config: Any) -> None:
    """Some let everybody in, and close the connection of whom they do not know at the first message."""
    csms = CentralSystem()
    async with open_bench(csms=csms, document=with_password(make_config)) as bench:

        async def answer(payload: Any, call: Any) -> Any:
            if bench.charge_point._runtime.features.security_profile.credentials().key == NEW:
                await csms.close("cp001")
                await trio.sleep_forever()
            return {"status": "Accepted", "currentTime": "2026-01-01T00:00:00Z", "interval": 3600}

        csms.answers["BootNotification"] = answer
        assert await bench.call("ChangeConfiguration", CHANGE_KEY) == {"status": "Accepted"}
        await settled(bench)
        assert state(bench) == (1, OLD, None, None)


async def test_a_key_that_is_changed_twice_goes_back_to_the_one_that_worked(open_bench: Any, make_config: Any) -> None:
    csms = CentralSystem(keys={"cp001": OLD})
    async with open_bench(csms=csms, document=with_password(make_config)) as bench:
        for key in (NEW, bytes(16)):
            await bench.charge_point.configuration.set("AuthorizationKey", key.hex())
            assert state(bench) == (1, key, None, OLD)
        await settled(bench)
        assert state(bench) == (1, OLD, None, None)


async def test_what_was_let_in_while_pending_is_the_way_back(open_bench: Any, make_config: Any) -> None:
    """A Central System that sets things up has forgotten the first key, and does not know the third one yet."""
    csms = CentralSystem(keys={"cp001": OLD})
    async with open_bench(csms=csms, document=with_password(make_config)) as bench:
        csms._keys = {"cp001": NEW}
        csms.refuse_boot("Pending", times=1, interval=1000)
        await bench.call("ChangeConfiguration", CHANGE_KEY)
        await trio.sleep(60)
        assert await bench.call("ChangeConfiguration", CHANGE_KEY | {"value": bytes(16).hex()}) == {
            "status": "Accepted"
        }
        assert state(bench) == (1, bytes(16), None, NEW)
        await settled(bench)
        assert state(bench) == (1, NEW, None, None)


async def test_what_is_accepted_after_it_was_rejected_stays(open_bench: Any, make_config: Any) -> None:
    """On one connection: it is not closed for the sake of the one before, which the Central System has forgotten."""
    csms = CentralSystem(keys={"cp001": OLD})
    async with open_bench(csms=csms, document=with_password(make_config)) as bench:
        csms.refuse_boot("Rejected", times=1, interval=10)
        await bench.call("ChangeConfiguration", CHANGE_KEY)
        await trio.sleep(1)
        csms._keys = {"cp001": NEW}
        await trio.sleep(200)
        assert state(bench) == (1, NEW, None, None)
        assert bench.charge_point.counters.connects == 2


class Unstored:
    """The next outcome of a trial cannot be stored."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.happened = trio.Event()
        original = ConfigurationChanges.set_all

        async def set_all(changes: ConfigurationChanges, values: Any) -> None:
            if not self.happened.is_set():
                self.happened.set()
                raise StoreError("disk is full")
            await original(changes, values)

        monkeypatch.setattr(ConfigurationChanges, "set_all", set_all)


async def on_trial_and_accepted(bench: Any, csms: CentralSystem, unstored: Unstored) -> None:
    csms._keys = {"cp001": NEW}
    await bench.call("ChangeConfiguration", CHANGE_KEY)
    await unstored.happened.wait()
    assert state(bench) == (1, NEW, None, OLD)


async def test_what_was_accepted_is_the_way_back_before_that_is_stored(
    open_bench: Any, make_config: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Central System has forgotten the old key by then, and does not take the third."""
    csms = CentralSystem(keys={"cp001": OLD})
    async with open_bench(csms=csms, document=with_password(make_config)) as bench:
        await on_trial_and_accepted(bench, csms, Unstored(monkeypatch))
        third = bytes(range(100, 116))
        change = {"key": "AuthorizationKey", "value": third.hex()}
        assert await bench.call("ChangeConfiguration", change) == {"status": "Accepted"}
        assert state(bench) == (1, third, None, NEW)
        await settled(bench)
        assert state(bench) == (1, NEW, None, None)


async def test_an_outage_before_it_is_stored_takes_nothing_back(
    open_bench: Any, make_config: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    csms = CentralSystem(keys={"cp001": OLD})
    async with open_bench(csms=csms, document=with_password(make_config)) as bench:
        await on_trial_and_accepted(bench, csms, Unstored(monkeypatch))
        csms.is_reachable = False
        bench.charge_point.connection.drop()
        for _ in range(3):  # attempts enough to give something up
            await trio.sleep(2)
            bench.charge_point.connection.connect()
        await trio.sleep(100)
        assert state(bench) == (1, NEW, None, None)
        csms.is_reachable = True
        await settled(bench)
        assert state(bench) == (1, NEW, None, None)


async def test_a_key_that_no_connection_uses_is_not_on_trial(open_bench: Any) -> None:
    async with open_bench() as bench:
        connections = bench.charge_point.counters.connection_failures
        assert await bench.call("ChangeConfiguration", CHANGE_KEY) == {"status": "Accepted"}
        await trio.sleep(5)
        assert bench.charge_point.connection.is_connected
        assert state(bench) == (0, NEW, None, None)
        assert bench.charge_point.counters.connection_failures == connections
