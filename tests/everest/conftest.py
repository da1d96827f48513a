"""Sites that end in order, and without a value that is not what EVerest's files say."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from everest_interfaces import folder
from everest_site import Site
from host_faces import TIMEOUT, Server


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.thread.leave().result(TIMEOUT)


@pytest.fixture
def site(server: Server, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Makes sites: `site(…)` is one that has not begun."""
    made: list[Site] = []

    def make(**arguments: Any) -> Site:
        made.append(Site(server, tmp_path, **arguments))
        return made[-1]

    if folder() is None:
        pytest.skip("EVerest's interfaces/ and types/ are not here: OCPP16_EVEREST names their folder")
    yield make
    for one in made:
        one.end()
