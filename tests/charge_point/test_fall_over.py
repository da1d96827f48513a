"""Several addresses of the Central System: the next one after failures, back to the first, nothing lost on the way."""

from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio.testing

from ocpp16.charge_point.addresses import Addresses
from ocpp16.charge_point.open import open_charge_point
from ocpp16.enums import Reason, SessionStartedReason
from ocpp16.errors import ConfigurationError
from ocpp16.observer import CentralSystemChanged
from ocpp16.testing.central_system import CentralSystem
from ocpp16.testing.stations import RecordingStation
from ocpp16.transport.dial import DialFailed, Endpoint
from ocpp16.transport.websocket import Accept, Reject, UpgradeRequest


class Several(CentralSystem):
    """Reachable at the hosts that are up."""

    def __init__(self, *up: str) -> None:
        super().__init__()
        self.up = set(up)
        self.dead: set[str] = set()
        """They take streams and do nothing with them."""
        self.dialled: list[str] = []
        self.at: list[float] = []
        """When each of them was."""
        self.before: Callable[[], None] = lambda: None
        """Called at each connection."""

    async def connector(self, endpoint: Endpoint) -> trio.abc.Stream:
        self.dialled.append(endpoint.host)
        self.at.append(trio.current_time())
        if endpoint.host in self.dead:
            ours, theirs = trio.testing.memory_stream_pair()
            await theirs.aclose()
            return ours
        if endpoint.host not in self.up:
            raise DialFailed("TCP", "TCP: nobody is there")
        self.before()
        return await super().connector(endpoint)


@pytest.fixture
def three(make_config: Any) -> Any:
    return make_config(
        Internal__CentralSystemURI="ws://one/ocpp",
        Internal__FallbackCentralSystems="ws://two/ocpp, ws://three/ocpp",
        Internal__FallbackAttempts=2,
        Internal__FallbackReturnInterval=100,
    )


async def test_the_next_has_its_turn_after_so_many_failures(open_bench: Any, three: Any) -> None:
    csms = Several("three")
    async with open_bench(csms=csms, document=three) as bench:
        await csms.wait_connected("cp001")
        assert csms.dialled == ["one", "one", "two", "two", "three"]
        assert [event.uri for event in bench.events.of(CentralSystemChanged)] == ["ws://two/ocpp", "ws://three/ocpp"]


async def test_round_and_round_while_nobody_is_there(open_bench: Any, three: Any) -> None:
    csms = Several()
    async with open_bench(csms=csms, document=three):
        await trio.sleep(300)
        assert csms.dialled[:8] == ["one", "one", "two", "two", "three", "three", "one", "one"]
        csms.up.add("two")
        await csms.wait_connected("cp001")


async def test_back_to_the_first_with_all_that_was_told(open_bench: Any, three: Any) -> None:
    csms = Several("one", "two")
    three["Core"]["MeterValueSampleInterval"] = 7
    async with open_bench(csms=csms, document=three) as bench:
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        bench.measure(1, 1000)
        bench.begin()
        await trio.sleep(10)
        csms.up.discard("one")
        await csms.close("cp001")
        await trio.sleep(60)
        assert csms.dialled[-1] == "two"
        csms.up.add("one")
        await trio.sleep(300)
        assert csms.dialled[-1] == "one"
        assert [event.uri for event in bench.events.of(CentralSystemChanged)] == ["ws://two/ocpp", "ws://one/ocpp"]
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        await trio.sleep(30)
        assert len(bench.sent("StartTransaction")) == len(bench.sent("StopTransaction")) == 1
        assert len(bench.sent("MeterValues")) == 370 // 7


async def test_a_first_one_that_only_seems_to_be_there_is_asked_ever_more_rarely(open_bench: Any, three: Any) -> None:
    csms = Several("one", "two")
    async with open_bench(csms=csms, document=three):
        csms.up.discard("one")
        await csms.close("cp001")
        await trio.sleep(30)
        csms.dead.add("one")
        before = len(csms.dialled)
        await trio.sleep(20_000)
        assert len(csms.dialled) - before < 80
        await csms.wait_connected("cp001")


class Busy(Several):
    """Whoever comes to these hosts is asked to leave them alone for so many seconds."""

    def __init__(self, *up: str, **retry_after: int) -> None:
        super().__init__(*up)
        self.retry_after = retry_after

    def _decide(self, request: UpgradeRequest) -> Accept | Reject:
        seconds = self.retry_after.get(request.host)
        return super()._decide(request) if seconds is None else Reject(503, "busy", (("Retry-After", str(seconds)),))


async def test_one_that_asks_to_be_left_alone_keeps_nobody_from_the_next(open_bench: Any, three: Any) -> None:
    csms = Busy("one", "two", one=7200)
    async with open_bench(csms=csms, document=three) as bench:
        await csms.wait_connected("cp001")
        assert trio.current_time() < 10
        assert csms.dialled == ["one", "two"]
        await trio.sleep(7100 - trio.current_time())
        assert csms.dialled == ["one", "two"], "nor is it looked whether it is there"
        csms.retry_after.clear()
        await trio.sleep(1000)
        assert csms.dialled[2:] == ["one", "one"], "looked, then connected"
        assert [event.uri for event in bench.events.of(CentralSystemChanged)] == ["ws://two/ocpp", "ws://one/ocpp"]


async def test_where_all_ask_to_be_left_alone_the_least_is_waited_for(open_bench: Any, three: Any) -> None:
    csms = Busy("one", "two", "three", one=7200, two=600, three=3600)
    async with open_bench(csms=csms, document=three) as bench:
        await trio.sleep(300)
        assert csms.dialled == ["one", "two", "three"]
        csms.retry_after["two"] = 30
        await trio.sleep(400)
        assert set(csms.dialled[3:]) == {"two"}, "half a minute is no reason to go on"
        told = [event.uri for event in bench.events.of(CentralSystemChanged)]
        assert told == ["ws://two/ocpp", "ws://three/ocpp", "ws://two/ocpp"]
        assert 600 <= csms.at[3] <= 610
        csms.retry_after.clear()
        bench.charge_point.connection.connect()
        await csms.wait_connected("cp001")


async def test_with_one_address_there_is_nothing_to_decide(open_bench: Any, make_config: Any) -> None:
    csms = Several()
    async with open_bench(csms=csms, document=make_config()) as bench:
        await trio.sleep(300)
        assert set(csms.dialled) == {"csms.example"}
        assert bench.events.of(CentralSystemChanged) == []


@pytest.mark.parametrize(
    ("uris", "word"),
    [
        ("ws://two,wss://three", "must be ws:// with SecurityProfile 0"),
        ("http://two", "item 1 must begin with ws://"),
        ("ws://two,ws://user:secret@three", "credentials"),
        ("ws://two,ws://:0", "item 2 has no usable host"),
    ],
)
async def test_addresses_that_never_work(make_config: Any, uris: str, word: str) -> None:
    with pytest.raises(ConfigurationError, match=word) as caught:
        async with open_charge_point(make_config(Internal__FallbackCentralSystems=uris), RecordingStation()):
            pass
    assert "secret" not in str(caught.value)


def test_a_good_connection_forgets_the_failures() -> None:
    addresses = Addresses(["a", "b"], 2)
    assert not addresses.failed()
    addresses.proved("a")
    assert not addresses.failed()
    addresses.proved("b")
    assert addresses.failed()
    assert (addresses.present, addresses.is_first) == ("b", False)
    waits = []
    for _ in range(7):
        waits.append(addresses.wait_for_first(10))
        addresses.back_to_first()
        assert addresses.failed()
    assert waits == [20, 40, 80, 160, 160, 160, 160]
    addresses.back_to_first()
    addresses.proved("a")
    assert addresses.wait_for_first(10) == 10


@pytest.mark.parametrize("attempts", [1, 2, 3, 4])
@pytest.mark.parametrize("count", [2, 3, 4])
async def test_what_is_on_trial_comes_to_all_addresses(
    open_bench: Any, make_config: Any, attempts: int, count: int
) -> None:
    """All but the last refuse whoever comes, and that one takes the new key only."""
    hosts = [f"host{number}" for number in range(count)]
    document = make_config(
        Internal__CentralSystemURI=f"ws://{hosts[0]}/ocpp",
        Internal__FallbackCentralSystems=",".join(f"ws://{host}/ocpp" for host in hosts[1:]),
        Internal__FallbackAttempts=attempts,
        Security__SecurityProfile=1,
        Security__AuthorizationKey="hex:" + "01" * 16,
    )
    csms = Several(*hosts)
    csms._keys = {"cp001": bytes([1]) * 16}
    async with open_bench(csms=csms, document=document) as bench:
        await csms.wait_connected("cp001")

        def only_the_last() -> None:
            known = bytes([2]) * 16 if csms.dialled[-1] == hosts[-1] else bytes(16)
            csms._keys = {"cp001": known}

        csms.before = only_the_last
        assert await bench.charge_point.configuration.set("AuthorizationKey", "02" * 16) == "Accepted"
        await trio.sleep(0.5)
        await csms.wait_connected("cp001", timeout=20_000)
