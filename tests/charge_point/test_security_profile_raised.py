"""SecurityProfile changed while the charge point runs: what one needs, and where it leads if it leads nowhere."""

from pathlib import Path
from typing import Any

import pytest
import trio
from trials import CHANGE_KEY, NEW, OLD, Dialled, certificates, settled, state, with_password

from ocpp16.testing.central_system import CentralSystem


@pytest.mark.parametrize(
    ("start", "key", "wanted", "certificates", "status"),
    [
        (0, None, "1", None, "Rejected"),
        (0, OLD, "1", None, "Accepted"),
        (1, OLD, "1", None, "Rejected"),
        (1, OLD, "0", None, "Rejected"),
        (1, OLD, "2", None, "Rejected"),
        (1, OLD, "2", certificates(root=False), "Rejected"),
        (1, OLD, "2", certificates(leaf=False), "Accepted"),
        (1, OLD, "3", certificates(leaf=False), "Rejected"),
        (1, OLD, "3", certificates(root=False), "Rejected"),
        (1, OLD, "3", certificates(), "Accepted"),
        (0, None, "3", certificates(), "Accepted"),
        (0, None, "2", certificates(), "Rejected"),
        (0, OLD, "4", certificates(), "Rejected"),
        (0, OLD, "two", certificates(), "Rejected"),
    ],
)
async def test_what_a_security_profile_needs(
    open_bench: Any, make_config: Any, start: int, key: bytes | None, wanted: str, certificates: Any, status: str
) -> None:
    keys = {} if key is None else {"Security__AuthorizationKey": f"hex:{key.hex()}"}
    document = make_config(
        Security__SecurityProfile=start,
        Internal__CentralSystemURI="csms.example/ocpp",
        Internal__UseSslDefaultVerifyPaths=False,
        **keys,
    )
    csms = Dialled()
    async with open_bench(csms=csms, document=document, evse_security=certificates) as bench:
        answer = await bench.call("ChangeConfiguration", {"key": "SecurityProfile", "value": wanted})
        assert answer == {"status": status}
        if status == "Accepted":
            await settled(bench)
            assert state(bench)[0] == int(wanted)
            assert csms.endpoints[-1].is_tls == (wanted in "23")
            assert csms.endpoints[-1].wants_certificate == (wanted == "3")
        else:
            assert state(bench)[0] == start


async def test_roots_of_the_operating_system_are_roots(open_bench: Any, make_config: Any) -> None:
    keys = {"Internal__CentralSystemURI": "csms.example/ocpp", "Internal__UseSslDefaultVerifyPaths": True}
    async with open_bench(csms=Dialled(), document=with_password(make_config, **keys)) as bench:
        answer = await bench.call("ChangeConfiguration", {"key": "SecurityProfile", "value": "2"})
        assert answer == {"status": "Accepted"}
        await settled(bench)
        assert state(bench)[0] == 2


async def test_one_that_the_network_lets_nobody_reach_is_tried_once_more(open_bench: Any, make_config: Any) -> None:
    """And then given up, though nobody refused it: the one before gets through."""
    csms = Dialled(has_tls=False, is_refused=False)
    document = with_password(make_config, Internal__CentralSystemURI="csms.example/ocpp")
    async with open_bench(csms=csms, document=document, evse_security=certificates()) as bench:
        answer = await bench.call("ChangeConfiguration", {"key": "SecurityProfile", "value": "2"})
        assert answer == {"status": "Accepted"}
        await settled(bench)
        assert state(bench) == (1, OLD, None, None)
        assert [endpoint.is_tls for endpoint in csms.endpoints] == [False, *[True] * 4, False, True, False]


async def test_a_profile_does_not_go_with_the_scheme_of_the_address(open_bench: Any, make_config: Any) -> None:
    document = make_config(Security__AuthorizationKey=f"hex:{OLD.hex()}")
    async with open_bench(document=document, evse_security=certificates()) as bench:
        for profile, status in (("2", "Rejected"), ("3", "Rejected"), ("1", "Accepted")):
            change = {"key": "SecurityProfile", "value": profile}
            assert await bench.call("ChangeConfiguration", change) == {"status": status}


@pytest.mark.parametrize("power_fails_after", [None, 0.0, 3.0, 20.0])
async def test_a_profile_that_leads_nowhere_goes_back(
    until_power_fails: Any,
    open_bench: Any,
    make_config: Any,
    tmp_path: Path,
    power_fails_after: float | None,
) -> None:
    document = make_config(
        Security__AuthorizationKey=f"hex:{OLD.hex()}", Internal__CentralSystemURI="csms.example/ocpp"
    )
    options = {"document": document, "database_path": tmp_path, "evse_security": certificates()}
    csms = Dialled(has_tls=False)
    change = {"key": "SecurityProfile", "value": "2"}
    if power_fails_after is not None:
        async with until_power_fails(csms=csms, **options) as bench:
            assert await bench.call("ChangeConfiguration", change) == {"status": "Accepted"}
            await trio.sleep(power_fails_after)
        csms = Dialled(has_tls=False)
    async with open_bench(csms=csms, **options) as bench:
        if power_fails_after is None:
            assert await bench.call("ChangeConfiguration", change) == {"status": "Accepted"}
        await settled(bench)
        assert state(bench) == (0, OLD, None, None)


async def test_a_profile_raised_while_pending_goes_back_to_the_key_that_was_let_in(
    open_bench: Any, make_config: Any
) -> None:
    csms = Dialled(has_tls=False)
    csms._keys = {"cp001": OLD}
    document = with_password(make_config, Internal__CentralSystemURI="csms.example/ocpp")
    async with open_bench(csms=csms, document=document, evse_security=certificates()) as bench:
        csms._keys = {"cp001": NEW}
        csms.refuse_boot("Pending", times=1, interval=1000)
        await bench.call("ChangeConfiguration", CHANGE_KEY)
        await trio.sleep(60)
        assert await bench.call("ChangeConfiguration", {"key": "SecurityProfile", "value": "2"}) == {
            "status": "Accepted"
        }
        assert state(bench) == (2, NEW, 1, None)
        await settled(bench)
        assert state(bench) == (1, NEW, None, None)


async def test_one_that_rejects_whatever_is_tried_is_not_asked_without_a_pause(
    open_bench: Any, make_config: Any
) -> None:
    csms = CentralSystem()
    async with open_bench(csms=csms, document=with_password(make_config)) as bench:
        csms.answers["BootNotification"] = {
            "status": "Rejected",
            "currentTime": "2026-01-01T00:00:00Z",
            "interval": 3600,
        }
        boots = len(bench.sent("BootNotification"))
        assert await bench.call("ChangeConfiguration", CHANGE_KEY) == {"status": "Accepted"}
        await trio.sleep(1000)
        assert 10 <= len(bench.sent("BootNotification")) - boots <= 20
        del csms.answers["BootNotification"]
        await settled(bench)


async def test_a_key_that_comes_while_a_profile_without_one_is_on_trial(open_bench: Any, make_config: Any) -> None:
    """The profile goes back, and with it the key that it was used with."""
    csms = Dialled()
    document = with_password(make_config, Internal__CentralSystemURI="csms.example/ocpp")
    async with open_bench(csms=csms, document=document, evse_security=certificates()) as bench:
        csms.has_tls = csms.is_reachable = False
        await csms.close("cp001")
        await trio.sleep(1)
        configuration = bench.charge_point.configuration
        assert await configuration.set("SecurityProfile", "3") == "Accepted"
        assert await configuration.set("AuthorizationKey", NEW.hex()) == "Accepted"
        assert state(bench) == (3, NEW, 1, OLD)
        csms.is_reachable = True
        await settled(bench)
        assert state(bench) == (1, OLD, None, None)


async def test_a_key_that_nothing_uses_ends_no_trial_of_a_profile_that_is_pending(
    open_bench: Any, make_config: Any
) -> None:
    csms = Dialled()
    document = with_password(make_config, Internal__CentralSystemURI="csms.example/ocpp")
    async with open_bench(csms=csms, document=document, evse_security=certificates()) as bench:
        csms.refuse_boot("Pending", times=1, interval=1000)
        await bench.call("ChangeConfiguration", {"key": "SecurityProfile", "value": "3"})
        await trio.sleep(60)
        await bench.call("ChangeConfiguration", CHANGE_KEY)
        assert state(bench) == (3, NEW, 1, OLD)


async def test_an_answer_on_the_connection_of_before_proves_nothing(open_bench: Any, make_config: Any) -> None:
    """Whoever asked for the change gave up waiting when it was on disk: the connection is still that of the old key."""
    csms = CentralSystem(keys={"cp001": OLD})
    async with open_bench(csms=csms, document=with_password(make_config)) as bench:
        bench.charge_point._runtime.features.security_profile._reconnect = lambda: None
        assert await bench.charge_point.configuration.set("AuthorizationKey", NEW.hex()) == "Accepted"
        await bench.call("TriggerMessage", {"requestedMessage": "BootNotification"})
        await trio.sleep(5)
        assert state(bench) == (1, NEW, None, OLD)
        await csms.close("cp001")
        await settled(bench)
        assert state(bench) == (1, OLD, None, None)
