"""The usual first mistakes, and what is said to whoever makes them: what is wrong, and what to do."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from ocpp16 import ConfigurationError, open_charge_point, open_store
from ocpp16.testing.stations import RecordingStation


async def test_a_block_that_is_not_entered(make_config: Any) -> None:
    block: Any
    for block in (open_charge_point(make_config(), RecordingStation()), open_store("cp.db")):
        entered = r"is entered by `async with open_\w+\(…\) as …:`"
        with pytest.raises(TypeError, match=entered), block:
            pass
        with pytest.raises(TypeError, match=entered):
            await block
        with pytest.raises(AttributeError, match="no start yet: .* " + entered):
            await block.start()


def test_a_program_of_asyncio(make_config: Any) -> None:
    async def main() -> None:
        async with open_charge_point(make_config(), RecordingStation()):
            pass

    with pytest.raises(RuntimeError, match=r"open_charge_point\(…\) needs trio: begin the program by trio.run\(main\)"):
        asyncio.run(main())


@pytest.mark.parametrize(
    ("station", "sentence"),
    [
        (None, "station must be an object with the methods of CoreStation, not None"),
        (RecordingStation, "station must be an object, not the class RecordingStation itself: make one of it"),
    ],
)
async def test_no_station_is_one_problem(make_config: Any, station: Any, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        async with open_charge_point(make_config(), station):
            pass
    assert list(raised.value.problems) == [sentence]


async def test_what_is_wrong_with_a_file_is_said_with_the_file(make_config: Any, tmp_path: Path) -> None:
    document = make_config(Core__LightIntensity=101, Core__HeartbeatIntervall=5)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(document))
    problems = {}
    for config in (document, path):
        with pytest.raises(ConfigurationError) as raised:
            async with open_charge_point(config, RecordingStation()):
                pass
        problems[type(config)] = raised.value.problems
    assert "Core.LightIntensity = 101: must be at most 100" in problems[dict]
    assert problems[type(path)] == tuple(f"{path}: {problem}" for problem in problems[dict])


async def test_a_key_that_there_is_not_is_named_in_the_log(open_bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with open_bench() as bench:
        with caplog.at_level(logging.INFO, "ocpp16"):
            await bench.call("ChangeConfiguration", {"key": "HeartbeatIntervall\n", "value": "5"})
        assert any("unknown key HeartbeatIntervall" in line and "\n" not in line for line in caplog.messages)
