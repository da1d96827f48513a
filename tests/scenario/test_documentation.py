"""The page on scenarios: what it shows can be read and played, and it names all that comes with the package."""

import re
import tomllib
from pathlib import Path
from typing import Any

from ocpp16.scenario import READY_MADE, Outcome, scenario_from
from ocpp16.testing import CentralSystem

PAGE = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text()
_TOML = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


async def test_examples_pass(csms: CentralSystem, play: Any, whys: Any) -> None:
    shown = _TOML.findall(PAGE)
    assert shown
    for text in shown:
        outcome: Outcome = await play(scenario_from(tomllib.loads(text)), csms, 2)
        assert whys(outcome) == {}
        assert outcome.is_passed


def test_all_are_named() -> None:
    loads = [name for name in READY_MADE if not name.startswith("TC_")]
    assert [name for name in loads if f"`{name}`" not in PAGE] == []
    (listed,) = re.findall(r"by their ids:\n(.*?), each with", PAGE, re.DOTALL)
    named: set[str] = set()
    for one in listed.replace("TC_", "").replace("\n", " ").split(", "):
        first, _, last = one.strip().partition(" to ")
        named |= set(spread(first, last))
    assert {f"TC_{number}_CSMS" for number in named} == {name for name in READY_MADE if name.startswith("TC_")}


def spread(first: str, last: str) -> list[str]:
    """`048_1`, `048_4` and all between."""
    if not last:
        return [first]
    if "_" in first:
        case, _, begin = first.partition("_")
        return [f"{case}_{number}" for number in range(int(begin), int(last.partition("_")[2]) + 1)]
    return [f"{number:03}" for number in range(int(first), int(last) + 1)]
