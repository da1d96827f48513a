"""What the tests of load tests share: the virtual clock, a Central System over memory streams, a test against it."""

import inspect
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from ocpp16.fleet import identities
from ocpp16.load.job import Job
from ocpp16.load.load_test import LoadTest
from ocpp16.load.thresholds import parsed
from ocpp16.scenario import Scenario, scenario_from
from ocpp16.testing import CentralSystem

STORY: dict[str, Any] = {
    "fleet": {"keys": {"Core": {"MeterValueSampleInterval": 0}}},
    "stage": [{"kind": "ramp", "over": 5, "settle": 60}, {"kind": "hold", "duration": 60}],
}


def run_at_once(*arguments: Any, clock: trio.abc.Clock | None = None, **options: Any) -> Any:
    """trio.run with the clock of the test, or one that jumps."""
    return trio.run(*arguments, clock=clock or trio.testing.MockClock(autojump_threshold=0), **options)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        is_async = inspect.iscoroutinefunction(getattr(item, "obj", None))
        is_here = item.path.parent == Path(__file__).parent
        if is_async and is_here and item.get_closest_marker("real_time") is None:
            item.add_marker(pytest.mark.trio(run=run_at_once), append=False)


@pytest.fixture
async def csms() -> AsyncIterator[CentralSystem]:
    async with CentralSystem(interval=10) as made:
        yield made


@pytest.fixture
def story() -> Scenario:
    return scenario_from(STORY, name="story")


@pytest.fixture
def load_test(csms: CentralSystem, story: Scenario) -> Callable[..., LoadTest]:
    """Makes one against the Central System of the test, on the clock of the test."""

    def made(
        count: int = 3,
        *,
        scenario: Scenario = story,
        thresholds: tuple[str, ...] = (),
        connector: Any = None,
        **members: Any,
    ) -> LoadTest:
        job = Job(csms="ws://csms.example/ocpp", ids=tuple(identities("CP{number:03}", count)), **members)
        return LoadTest(
            job,
            scenario,
            [parsed(one) for one in thresholds],
            wall=lambda: 1_767_225_600.0 + trio.current_time(),
            cpu=lambda: 0.0,
            connector=connector or csms.connector,
        )

    return made
