"""One Central System for all scenarios of a worker, and a new charge point for each."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from lab import Lab
from outside import Outside
from programs import CentralSystemProgram
from secured import KEY, secure

pytestmark = pytest.mark.world


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.world)


@pytest.fixture(scope="session")
def central_system() -> Iterator[CentralSystemProgram]:
    with CentralSystemProgram() as running:
        yield running


@pytest.fixture
def without_power(central_system: CentralSystemProgram, tmp_path: Path) -> Iterator[Callable[..., Outside]]:
    """Makes a charge point that is not switched on yet, so that the Central System can be told what to answer first.

    Keyword arguments: sections of its configuration; `station`: options of the station; `speed`: that of its clock;
    `options`: of the command.
    """
    with ExitStack() as stack:

        def make(
            station: dict[str, Any] | None = None, speed: float = 1, options: Sequence[str] = (), **keys: dict[str, Any]
        ) -> Outside:
            return stack.enter_context(Outside(central_system, tmp_path, keys, station or {}, speed, options))

        yield make


@pytest.fixture
def begin(without_power: Callable[..., Outside]) -> Callable[..., Outside]:
    """Makes one, switches it on and waits until it is accepted."""

    def begin(**keys: Any) -> Outside:
        one = without_power(**keys)
        one.power_up()
        one.booted()
        return one

    return begin


@pytest.fixture
def signing(begin: Callable[..., Outside]) -> Callable[..., Outside]:
    """A charge point whose meters sign; keyword arguments: sections of its configuration, `station`, `speed`."""

    def make(station: dict[str, Any] | None = None, **members: Any) -> Outside:
        return begin(station={"signed_meter": True, **(station or {})}, **members)

    return make


@pytest.fixture(scope="module")
def idle_of_this_file(
    central_system: CentralSystemProgram, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Outside]:
    with Outside(central_system, tmp_path_factory.mktemp("idle"), {}, {}) as one:
        one.power_up()
        one.booted()
        yield one


@pytest.fixture
def idle(idle_of_this_file: Outside) -> Outside:
    """One charge point for all scenarios of a file that leave nothing behind."""
    idle_of_this_file.be_connected()
    return idle_of_this_file


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "lab", tmp_path / "certs")


@pytest.fixture
def made(without_power: Callable[..., Outside], lab: Lab) -> Callable[..., Outside]:
    """Makes a charge point of a security profile, by default with the root of the Central System, which demands what
    the profile has. It is not switched on yet; other keyword arguments are keys of the section Security."""

    def make(profile: int, *, is_trusting: bool = True, **security: Any) -> Outside:
        keys = {
            "SecurityProfile": profile,
            "AuthorizationKey": f"hex:{KEY}",
            "CpoName": "Operator",
            "CertificateSignedMaxChainSize": 5_000,
        }
        one = without_power(Security={**keys, **security}, Internal={"RetryBackoffWaitMinimum": 0})
        if is_trusting:
            lab.trust()
        if profile == 3:
            lab.prove(one.identity)
        one.script("demand", identity=one.identity, keys=[KEY] if profile else None)
        if profile >= 2:
            secure(one, lab, profile)
        return one

    return make


@pytest.fixture
def begun(made: Callable[..., Outside]) -> Callable[..., Outside]:
    """The same, switched on and accepted."""

    def begin(profile: int, **members: Any) -> Outside:
        one = made(profile, **members)
        one.power_up()
        one.booted()
        return one

    return begin
