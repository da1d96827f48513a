"""Three faces, one suite."""

from collections.abc import Iterator

import pytest
from host_faces import TIMEOUT, Face, OfAsyncio, OfThreads, OfTrio, Server


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.thread.leave().result(TIMEOUT)


@pytest.fixture(params=[OfTrio, OfThreads, OfAsyncio], ids=lambda kind: kind.name)
def face(request: pytest.FixtureRequest) -> Face:
    made: Face = request.param()
    return made
