"""The story of contracts: it is told to the end, and it notices what goes wrong."""

from time import time
from typing import Any

import trio
import trio.testing
from story_told import tell

from ocpp16.cli.stories.plug_and_charge import PlugAndCharge
from ocpp16.testing import CentralSystem


async def told(connectors: int, **answers: Any) -> tuple[list[str], list[str], str]:
    """Sentences, problems and the result. `answers`: of the Central System, in place of its own."""
    sentences: list[str] = []
    now = time()
    async with CentralSystem(now=lambda: round((now + trio.current_time()) * 1e6)) as csms:
        with PlugAndCharge(csms, sentences.append, patience=300.0) as story:
            csms.answers.update(answers)
            await tell(story, csms, connectors, anchor=now)
            return sentences, story.problems(connectors), story.result(connectors)


async def test_all_goes_well(autojump_clock: trio.testing.MockClock) -> None:
    sentences, problems, result = await told(5)
    assert problems == []
    assert "the certificate is there, and a responder was asked about it" in sentences
    assert "connector 3: the contract is refused, and CARD-3 is presented" in sentences
    assert result == "3 contracts were accepted, 7 questions asked for them"


async def test_a_central_system_that_takes_no_part_is_noticed(autojump_clock: trio.testing.MockClock) -> None:
    _, problems, _ = await told(2, DataTransfer={"status": "UnknownVendorId"})
    assert "the station got no certificate towards cars" in problems
    assert "connector 1: nothing charges" in problems
    assert "connector 2: NLDEMC00000002 did not charge" in problems


async def test_nothing_is_left_of_it(autojump_clock: trio.testing.MockClock) -> None:
    async with CentralSystem() as csms:
        with PlugAndCharge(csms, print, patience=1.0) as story:
            folder = story.certificates_path()
            assert folder is not None
            assert folder.is_dir()
        assert not folder.exists()
