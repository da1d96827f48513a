"""SecurityProfile and AuthorizationKey on trial: what stays, what goes back, over refusals, outages and power cuts."""

from pathlib import Path
from typing import Any

import pytest
import trio

from ocpp16.configuration.keys.security import (
    AUTHORIZATION_KEY,
    PREVIOUS_AUTHORIZATION_KEY,
    PREVIOUS_SECURITY_PROFILE,
    SECURITY_PROFILE,
)
from ocpp16.errors import StoreError
from ocpp16.profiles.configuration_changes import ConfigurationChanges
from ocpp16.security.evse_security import CaCertificateType, LeafCertificate, LeafCertificateStatus
from ocpp16.testing.central_system import CentralSystem
from ocpp16.transport.dial import DialFailed, Endpoint

OLD, NEW = bytes(range(16)), bytes(range(240, 256))
CHANGE_KEY = {"key": "AuthorizationKey", "value": NEW.hex()}


def with_password(make_config: Any, **keys: Any) -> Any:
    return make_config(
        Security__SecurityProfile=1,
        Security__AuthorizationKey=f"hex:{OLD.hex()}",
        Internal__RetryBackoffWaitMinimum=5,
        **keys,
    )


class Certificates:
    """An EvseSecurity that has what a test gives it."""

    def __init__(self, *, root: bool = True, leaf: bool = True) -> None:
        self.root = root
        self.leaf = leaf

    async def is_ca_certificate_installed(self, certificate_type: CaCertificateType) -> bool:
        return self.root and certificate_type is CaCertificateType.CSMS

    async def get_leaf_certificate_info(self, leaf_type: Any, refused: Any = ()) -> LeafCertificate:
        return LeafCertificate(LeafCertificateStatus.ACCEPTED if self.leaf else LeafCertificateStatus.NOT_FOUND)

    def __getattr__(self, name: str) -> Any:
        async def question(*args: Any) -> Any:
            raise NotImplementedError(name)

        return question


class Dialled(CentralSystem):
    """Notes where it is dialled, and whether it speaks TLS there."""

    def __init__(self, *, has_tls: bool = True, is_refused: bool = True) -> None:
        super().__init__()
        self.has_tls = has_tls
        self.is_refused = is_refused
        self.endpoints: list[Endpoint] = []

    async def connector(self, endpoint: Endpoint) -> trio.abc.Stream:
        self.endpoints.append(endpoint)
        if endpoint.is_tls and not self.has_tls:
            if self.is_refused:
                raise DialFailed("TLS", "TLS: the server does not speak TLS on this port")
            raise DialFailed("TCP", "TCP: a firewall lets nothing through to this port")
        return await super().connector(endpoint)


def state(bench: Any) -> tuple[Any, ...]:
    """Profile and key in force, and those before, if they are on trial."""
    configuration = bench.charge_point.configuration
    return tuple(
        configuration[key]
        for key in (SECURITY_PROFILE, AUTHORIZATION_KEY, PREVIOUS_SECURITY_PROFILE, PREVIOUS_AUTHORIZATION_KEY)
    )


async def settled(bench: Any, seconds: float = 600) -> None:
    """Until nothing is on trial any more, and the charge point is connected."""
    for _ in range(round(seconds)):
        if state(bench)[2:] == (None, None) and bench.charge_point.connection.is_connected:
            return
        await trio.sleep(1)
    raise AssertionError(f"still on trial after {seconds} s: {state(bench)}")


async def test_a_new_key_stays_when_it_led_to_an_accepted_boot(open_bench: Any, make_config: Any) -> None:
    csms = CentralSystem(keys={"cp001": OLD})
    async with open_bench(csms=csms, document=with_password(make_config)) as bench:
        csms._keys["cp001"] = NEW  # type: ignore[index]
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
        csms._keys["cp001"] = knows  # type: ignore[index]
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
        csms._keys["cp001"] = NEW  # type: ignore[index]
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
        csms.refuse_boot(status, times=2, interval=30)
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


# The security profile


@pytest.mark.parametrize(
    ("start", "key", "wanted", "certificates", "status"),
    [
        (0, None, "1", None, "Rejected"),
        (0, OLD, "1", None, "Accepted"),
        (1, OLD, "1", None, "Rejected"),
        (1, OLD, "0", None, "Rejected"),
        (1, OLD, "2", None, "Rejected"),
        (1, OLD, "2", Certificates(root=False), "Rejected"),
        (1, OLD, "2", Certificates(leaf=False), "Accepted"),
        (1, OLD, "3", Certificates(leaf=False), "Rejected"),
        (1, OLD, "3", Certificates(root=False), "Rejected"),
        (1, OLD, "3", Certificates(), "Accepted"),
        (0, None, "3", Certificates(), "Accepted"),
        (0, None, "2", Certificates(), "Rejected"),
        (0, OLD, "4", Certificates(), "Rejected"),
        (0, OLD, "two", Certificates(), "Rejected"),
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
    async with open_bench(csms=csms, document=document, evse_security=Certificates()) as bench:
        answer = await bench.call("ChangeConfiguration", {"key": "SecurityProfile", "value": "2"})
        assert answer == {"status": "Accepted"}
        await settled(bench)
        assert state(bench) == (1, OLD, None, None)
        assert [endpoint.is_tls for endpoint in csms.endpoints] == [False, *[True] * 4, False, True, False]


async def test_a_profile_does_not_go_with_the_scheme_of_the_address(open_bench: Any, make_config: Any) -> None:
    document = make_config(Security__AuthorizationKey=f"hex:{OLD.hex()}")
    async with open_bench(document=document, evse_security=Certificates()) as bench:
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
    options = {"document": document, "database_path": tmp_path, "evse_security": Certificates()}
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
    async with open_bench(csms=csms, document=document, evse_security=Certificates()) as bench:
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
