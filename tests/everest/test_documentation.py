"""docs/everest.md says what the tables do."""

import re
from pathlib import Path

import yaml

from ocpp16.everest.commands import ASKING, QUICK, STOPPING
from ocpp16.everest.manifest import CONFIG, REQUIRES
from ocpp16.everest.module import TRIED_AGAIN, TRIES
from ocpp16.everest.questions import LONG, QUESTIONS, USUAL

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "everest.md").read_text()
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if line.startswith("| ")]


def test_it_has_every_outcome() -> None:
    told = {(row[0], row[1]): row[2] for row in ROWS if row[0] in REQUIRES}
    assert told == {place: question.outcome for place, question in QUESTIONS.items()}


def test_it_has_every_key_with_its_default() -> None:
    told = {row[0]: row[1].strip("`") for row in ROWS if row[0] in CONFIG}
    assert told == {name: str(it.default) if it.kind is not bool else "false" for name, it in CONFIG.items()}
    for name, setting in CONFIG.items():
        if setting.kind is int:
            row = next(row[2] for row in ROWS if row[0] == name)
            assert f"{setting.high:,}" in row, name


def test_its_bounds() -> None:
    flat = " ".join(PAGE.split())
    assert f"waits {USUAL:g} s at most ({LONG:g} s for certificates)" in flat
    assert f"{QUICK:g} s, {ASKING:g} s where the Central System is asked" in flat
    assert f"{STOPPING:g} s for `stop`" in flat
    assert f"waits up to {TRIES * TRIED_AGAIN:g} s for the database" in flat


def test_its_configuration_is_one_for_this_module() -> None:
    example = re.search(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert example is not None
    module = yaml.safe_load(example[1])["active_modules"]["ocpp"]
    assert set(module["config_module"]) <= set(CONFIG)
    assert set(module["connections"]) == {name for name, requirement in REQUIRES.items() if requirement.fewest}
    assert f"modules/{module['module']}\n" in PAGE, "the folder that was laid"
