"""What the tests of fleets share: a Central System over memory streams, and the clock of the test."""

import inspect
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
import trio
import trio.testing

from ocpp16.fleet import Fleet, open_fleet
from ocpp16.testing import CentralSystem


def run_at_once(*arguments: Any, clock: trio.abc.Clock | None = None, **options: Any) -> Any:
    """trio.run with the clock of the test, or one that jumps."""
    return trio.run(*arguments, clock=clock or trio.testing.MockClock(autojump_threshold=0), **options)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        is_async = inspect.iscoroutinefunction(getattr(item, "obj", None))
        if is_async and item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.trio(run=run_at_once), append=False)


class FleetFactory(Protocol):
    def __call__(self, csms: CentralSystem, **options: Any) -> AbstractAsyncContextManager[Fleet]: ...


@pytest.fixture
async def csms() -> AsyncIterator[CentralSystem]:
    async with CentralSystem() as made:
        yield made


@pytest.fixture
def fleet_of() -> FleetFactory:
    @asynccontextmanager
    async def made(csms: CentralSystem, **options: Any) -> AsyncIterator[Fleet]:
        async with open_fleet("ws://csms.example/ocpp", connector=csms.connector, **options) as fleet:
            yield fleet

    return made
