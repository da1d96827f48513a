"""What the tests of scenarios share: the virtual clock, a Central System over memory streams, and who operates it."""

import inspect
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest
import trio
import trio.testing

from ocpp16.fleet import identities
from ocpp16.scenario import Outcome, Scenario, run_scenario
from ocpp16.testing import CentralSystem

URL = "ws://csms.example/ocpp"


def run_at_once(*arguments: Any, clock: trio.abc.Clock | None = None, **options: Any) -> Any:
    """trio.run with the clock of the test, or one that jumps."""
    return trio.run(*arguments, clock=clock or trio.testing.MockClock(autojump_threshold=0), **options)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        is_async = inspect.iscoroutinefunction(getattr(item, "obj", None))
        if is_async and item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.trio(run=run_at_once), append=False)


class Player(Protocol):
    async def __call__(
        self, scenario: Scenario, csms: CentralSystem, count: int | Sequence[str] = 1, **options: Any
    ) -> Outcome: ...


@pytest.fixture
async def csms() -> AsyncIterator[CentralSystem]:
    async with CentralSystem() as made:
        yield made


@pytest.fixture
def play() -> Player:
    async def played(
        scenario: Scenario, csms: CentralSystem, count: int | Sequence[str] = 1, **options: Any
    ) -> Outcome:
        ids = list(identities("CP{number:03}", count)) if isinstance(count, int) else count
        return await run_scenario(scenario, URL, ids=ids, **{"connector": csms.connector, **options})

    return played


@pytest.fixture
def whys() -> Callable[[Outcome], dict[str, list[str]]]:
    """What was not met, and why, without the charge points."""
    return lambda outcome: {
        one.name: sorted({failure.why for failure in one.failures}) for one in outcome.expectations if not one.is_met
    }
