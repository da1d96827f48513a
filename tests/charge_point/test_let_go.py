"""What a connection was leaves nothing to the garbage collector, which in a process of thousands comes seldom."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest
import trio

from ocpp16.charge_point.link import Link
from ocpp16.testing.central_system import CentralSystem
from ocpp16.transport.websocket import WebSocket


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def alive() -> tuple[int, int]:
    """Links, and WebSockets of a client, that exist."""
    objects = gc.get_objects()
    links = sum(isinstance(it, Link) for it in objects)
    return links, sum(isinstance(it, WebSocket) and it.request is None for it in objects)


@pytest.mark.parametrize("ends", ["by us", "by the Central System", "cut"])
async def test_a_connection_that_is_over_is_gone(open_bench: Any, ends: str) -> None:
    csms = CentralSystem()
    before = alive()
    async with open_bench(csms=csms) as bench:
        bench.begin()
        await trio.sleep(1)
        for _ in range(3):
            if ends == "by us":
                bench.charge_point.connection.reconnect()
            elif ends == "cut":
                csms.abort("cp001")
            else:
                await csms.close("cp001", 1001)
            await trio.sleep(30)
        assert bench.charge_point.counters.connects == 4
        assert alive() == (before[0] + 1, before[1] + 1), "the one in use, and no other"
