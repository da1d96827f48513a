"""Fixtures of pytest for teams that test a Central System: the charge points are ours, the Central System is theirs.

    def test_a_known_card_charges(charge_point):
        charge_point.wait_registered()
        charge_point.plug_in(1)
        charge_point.present_id_tag("CARD1")
        call = charge_point.wait_sent("StartTransaction")
        assert call.answer["idTagInfo"]["status"] == "Accepted"

pytest loads this in every run of an environment where the library is installed, so nothing of the library is imported
before a test asks for a fixture.
"""

import inspect
from collections.abc import Callable, Generator, Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ocpp16.pytest_plugin import settings

if TYPE_CHECKING:
    from ocpp16.pytest_plugin.bench import Bench
    from ocpp16.pytest_plugin.charge_points import ChargePoint
    from ocpp16.pytest_plugin.fleets import Fleet
    from ocpp16.pytest_plugin.seen import Call, CallError, Frame
    from ocpp16.pytest_plugin.watch import NotSeen, WasSeen

__all__ = ["Call", "CallError", "ChargePoint", "Fleet", "Frame", "NotSeen", "WasSeen"]

_HOMES = {
    "Call": "seen",
    "CallError": "seen",
    "ChargePoint": "charge_points",
    "Fleet": "fleets",
    "Frame": "seen",
    "NotSeen": "watch",
    "WasSeen": "watch",
}
_IS_USED = pytest.StashKey[bool]()
"""Has a test asked for a fixture?"""
_ASYNCHRONOUS = pytest.StashKey[dict[str, None]]()
"""Names of the asynchronous fixtures that are there."""
_HAS_FAILED = pytest.StashKey[bool]()
"""Of a test: did it fail already?"""


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# Fixtures


@pytest.fixture(scope="session")
def ocpp16_url(pytestconfig: pytest.Config) -> str:
    """URL of the Central System under test, to which the id of a charge point is appended; to be overridden by a
    fixture of the same name that starts one."""
    return settings.url_of(pytestconfig)


@pytest.fixture
def fleet(_ocpp16_fleet: "Fleet") -> "Fleet":
    """The charge points of this test: `count` of its marker, and those that are added."""
    _ocpp16_fleet.add_all(_ocpp16_fleet.settings.count or 0)
    return _ocpp16_fleet


@pytest.fixture
def charge_point(_ocpp16_fleet: "Fleet") -> "ChargePoint":
    """One charge point, which connects at once, for this test."""
    return _ocpp16_fleet.add()


@pytest.fixture
def charge_point_factory(_ocpp16_fleet: "Fleet") -> "Callable[..., ChargePoint]":
    """Makes charge points for this test: a function with the arguments of `Fleet.add`."""
    return _ocpp16_fleet.add


@pytest.fixture(scope="module")
def module_fleet(request: pytest.FixtureRequest, ocpp16_url: str) -> "Iterator[Fleet]":
    """As `fleet`, empty at first, for all tests of a module."""
    yield from _opened(request, ocpp16_url)


@pytest.fixture(scope="session")
def session_fleet(request: pytest.FixtureRequest, ocpp16_url: str) -> "Iterator[Fleet]":
    """As `fleet`, empty at first, for all tests of the process."""
    yield from _opened(request, ocpp16_url)


@pytest.fixture
def _ocpp16_fleet(request: pytest.FixtureRequest, ocpp16_url: str) -> "Iterator[Fleet]":
    yield from _opened(request, ocpp16_url)


def _opened(request: pytest.FixtureRequest, url: str) -> "Iterator[Fleet]":
    own = settings.of_item(request.node, request.config)
    with _bench(request.config).opened(
        settings.checked_url(url), own, in_order=own.ends_in_order(is_async=_is_async(request))
    ) as fleet:
        yield fleet
    item = request.node
    if not item.stash.get(_HAS_FAILED, False):
        _bench(request.config).judge(own)


def _is_async(request: pytest.FixtureRequest) -> bool:
    """Does the test run in a loop, in which the Central System may live as well? When the test is over, it answers
    nothing any more."""
    function = getattr(request.node, "obj", None)
    return request.scope == "function" and inspect.iscoroutinefunction(inspect.unwrap(function) if function else None)


def _bench(config: pytest.Config) -> "Bench":
    from ocpp16.pytest_plugin.bench import bench_of

    config.stash[_IS_USED] = True
    asynchronous = config.stash.setdefault(_ASYNCHRONOUS, {})
    return bench_of(config, asynchronous)


# Hooks


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the command line and of the ini file."""
    settings.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """The marker, and options that cannot be."""
    config.addinivalue_line(
        "markers",
        "ocpp16(id, count, blueprint, connectors, keys, password, certificates, timeout, lint, lint_ignore, end):"
        " what charge points of a test are, see docs/pytest.md of ocpp16",
    )
    settings.of_config(config)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: "pytest.FixtureDef[Any]", request: pytest.FixtureRequest) -> None:
    """A fixture begins; before others make a plain function of it."""
    function = inspect.unwrap(fixturedef.func)
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        request.config.stash.setdefault(_ASYNCHRONOUS, {})[fixturedef.argname] = None


def pytest_fixture_post_finalizer(fixturedef: "pytest.FixtureDef[Any]", request: pytest.FixtureRequest) -> None:
    """A fixture has ended."""
    request.config.stash.setdefault(_ASYNCHRONOUS, {}).pop(fixturedef.argname, None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """A test begins."""
    if item.config.stash.get(_IS_USED, False):
        _bench(item.config).begin()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """A test that has passed so far fails for what is wrong in the traffic."""
    yield
    if item.config.stash.get(_IS_USED, False):
        _bench(item.config).judge(settings.of_item(item, item.config))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The report of a failure has the traffic."""
    report = yield
    if report.failed and item.config.stash.get(_IS_USED, False):
        item.stash[_HAS_FAILED] = True
        bench = _bench(item.config)
        report.sections += _sections(bench, item)
        folder = item.config.getoption("ocpp16_trace_dir", default=None)
        if folder:
            report.sections.append(("ocpp16 traces", _written(bench, Path(folder), item.nodeid)))
    return report


def _sections(bench: "Bench", item: pytest.Item) -> list[tuple[str, str]]:
    try:
        return bench.sections(settings.of_item(item, item.config))
    except pytest.UsageError as error:  # a marker that cannot be: raised here it would end the whole run
        return [*bench.sections(settings.Settings()), ("ocpp16 settings", str(error))]


def _written(bench: "Bench", folder: Path, test: str) -> str:
    try:
        return "\n".join(str(path) for path in bench.write_traces(folder, test))
    except OSError as error:
        return f"could not be written: {error}"
