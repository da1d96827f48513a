"""What all tests share: time that does not pass by itself, and hypothesis without a clock and without chance.

No time-out of the library is then missed because a machine is slow. A test that needs time to pass names `still_clock`
and moves it, or `autojump_clock`; one that works with another program, which has the real time, is marked `real_time`.
"""

import importlib.util
import inspect
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from math import inf
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import pytest
import trio
import trio.testing


class Sources:
    """Finds the source of the modules that setup.py compiles, past what was compiled."""

    def __init__(self, package: Path) -> None:
        lines = (package / "compiled.txt").read_text(encoding="ascii").splitlines()
        self._root = package.parent
        self._names = {line.strip() for line in lines if line.strip() and not line.startswith("#")}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in self._names:
            return None
        source = str(self._root.joinpath(*name.split(".")).with_suffix(".py"))
        return importlib.util.spec_from_file_location(name, source, loader=SourceFileLoader(name, source))


if os.environ.get("OCPP16_UNCOMPILED") == "1":
    found = importlib.util.find_spec("ocpp16")
    assert found is not None
    assert found.origin is not None
    sys.meta_path.insert(0, Sources(Path(found.origin).parent))

hypothesis.settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("suite")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As a shell's background jobs have it; tests of Ctrl-C, and the programs they start, would not hear of theirs.
    signal.signal(signal.SIGINT, signal.default_int_handler)


class StillClock(trio.abc.Clock):
    """Stands still until it is moved. Unlike a MockClock it leaves the store its threads."""

    def __init__(self) -> None:
        self._now = 0.0

    def start_clock(self) -> None:
        pass

    def current_time(self) -> float:
        return self._now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        return 0.0 if deadline <= self._now else inf

    def advance(self, seconds: float) -> None:
        self._now += seconds

    async def advance_when_all_wait(self, seconds: float) -> None:
        await trio.testing.wait_all_tasks_blocked()
        self.advance(seconds)


@pytest.fixture(autouse=True)
def _same_log_as_before() -> Iterator[None]:
    """The command sets logging up for its process, which here is ours."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.raiseExceptions
    yield
    root.handlers[:], level, logging.raiseExceptions = before
    root.setLevel(level)


@pytest.fixture
def still_clock() -> StillClock:
    return StillClock()


def run_without_time(*arguments: Any, clock: trio.abc.Clock | None = None, **options: Any) -> Any:
    """trio.run with time standing still, unless the test has a clock."""
    return trio.run(*arguments, clock=clock or StillClock(), **options)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        is_async = inspect.iscoroutinefunction(getattr(item, "obj", None))
        if is_async and item.get_closest_marker("real_time") is None:
            item.add_marker(pytest.mark.trio(run=run_without_time))
