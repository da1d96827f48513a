"""Attempts to connect that come to nothing: because of us, or in the end."""

from itertools import pairwise
from typing import Any

import pytest
import trio

from ocpp16.observer import ConnectionStateChanged
from ocpp16.testing.central_system import CentralSystem
from ocpp16.transport.dial import Endpoint


async def test_disconnect_gives_up_an_attempt_that_hangs(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.csms.connect_hangs = True
        bench.csms.abort("cp001")
        await trio.sleep(50)
        bench.charge_point.connection.disconnect()
        await trio.sleep(1)
        bench.csms.connect_hangs = False
        bench.charge_point.connection.connect()
        await trio.sleep(1)
        assert bench.charge_point.connection.is_connected


@pytest.mark.parametrize("raised", [None, OSError("the stream was closed")])
async def test_an_attempt_that_we_give_up_ourselves_is_no_failure(
    open_bench: Any, make_config: Any, raised: Exception | None
) -> None:
    """Whatever a connector makes of its cancellation."""
    csms = CentralSystem()
    dialled: list[str] = []

    async def hangs(endpoint: Endpoint) -> trio.abc.Stream:
        dialled.append(endpoint.host)
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            if raised is None:
                raise
            raise raised from None
        raise AssertionError

    csms.connector = hangs  # type: ignore[method-assign]
    document = make_config(Internal__FallbackCentralSystems="ws://two/ocpp", Internal__FallbackAttempts=1)
    async with open_bench(csms=csms, document=document) as bench:
        connection = bench.charge_point.connection
        for action in (connection.reconnect, connection.disconnect, connection.connect, connection.reconnect):
            action()
            await trio.sleep(5)
        assert set(dialled) == {"csms.example"}
        assert len(dialled) == 4
        assert bench.charge_point.counters.connection_failures == 0
        assert bench.events.of(ConnectionStateChanged) == []
        await trio.sleep(100)
        assert bench.charge_point.counters.connection_failures == 1
        assert dialled[-1] == "two"


async def test_an_attempt_that_comes_to_nothing_is_given_up(open_bench: Any) -> None:
    csms = CentralSystem()
    tried: list[float] = []

    async def hangs(endpoint: Endpoint) -> trio.abc.Stream:
        tried.append(trio.current_time())
        await trio.sleep_forever()
        raise AssertionError

    csms.connector = hangs  # type: ignore[method-assign]
    async with open_bench(csms=csms) as bench:
        await trio.sleep(100)
        assert [later - earlier for earlier, later in pairwise(tried)] == [pytest.approx(91)]
        (told,) = bench.events.of(ConnectionStateChanged)
        assert told.reason == "no connection within 90 s"
