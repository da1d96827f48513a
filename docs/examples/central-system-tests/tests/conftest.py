"""The Central System under test: a new one for each test, in the loop of the test."""

from collections.abc import AsyncIterator

import pytest_asyncio
from central_system import CentralSystem


@pytest_asyncio.fixture
async def csms() -> AsyncIterator[CentralSystem]:
    made = CentralSystem()
    async with await made.serve():
        yield made


@pytest_asyncio.fixture
async def ocpp16_url(csms: CentralSystem) -> str:
    """What the fixtures of ocpp16 connect to."""
    return f"ws://127.0.0.1:{csms.port}/ocpp"
