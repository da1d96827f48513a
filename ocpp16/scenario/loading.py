"""Scenarios out of files: those that are ready made, by name, and those of others, by path."""

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from ocpp16.regular_file import read_regular
from ocpp16.scenario.kinds import table_of, unknown
from ocpp16.scenario.model import Scenario, Stage, story_fault
from ocpp16.scenario.problems import Place, ScenarioError
from ocpp16.scenario.vocabulary import FAULTS, FLEET, LISTS, TEXT, VALUES
from ocpp16.spelling import did_you_mean
from ocpp16.texts import shown

ENDING: Final = ".toml"
LARGEST_FILE: Final = 4 * 1024 * 1024
"""Bytes."""
MOST_TABLES: Final = 10_000
_VALUE: Final = re.compile(r"\$\{([^{}]*)\}")
_FOLDERS: Final = ("", "octt")


def _found() -> dict[str, Traversable]:
    home = files("ocpp16.scenario.ready_made")
    return {
        file.name.removesuffix(ENDING): file
        for folder in _FOLDERS
        for file in sorted((home / folder if folder else home).iterdir(), key=lambda one: one.name)
        if file.name.endswith(ENDING)
    }


_FILES: Final = _found()
READY_MADE: Final = tuple(_FILES)
"""Names of the scenarios that come with the package: those of load first, then those of the compliance tool."""


def text_of(name: str) -> str:
    """The file of a ready-made scenario. Raises ScenarioError if there is none of the name."""
    if name not in _FILES:
        raise ScenarioError(
            "", "", "", f"no scenario {shown(name, 100)}{did_you_mean(name, READY_MADE)}; there are {len(READY_MADE)}"
        )
    return _FILES[name].read_text(encoding="utf-8")


def load_scenario(named: str | Path, values: Mapping[str, str] | None = None) -> Scenario:
    """The ready-made scenario of a name, or that of a file (a path that ends in .toml, or has a separator).

    values: what `${name}` stands for in it, instead of what its table `values` says. Raises ScenarioError that names
    file, table and key.
    """
    path = Path(named)
    is_file = isinstance(named, Path) or path.suffix == ENDING or "/" in named or "\\" in named
    if not is_file:
        name = str(named)
        return scenario_from(_parsed(text_of(name), name), name=name, values=values)
    try:
        text = read_regular(path, LARGEST_FILE).decode("utf-8")
    except OSError as error:
        raise ScenarioError(str(path), "", "", f"it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ScenarioError(str(path), "", "", f"it is no UTF-8: {error.reason} at byte {error.start}") from None
    return scenario_from(_parsed(text, str(path)), name=path.stem, file=str(path), values=values)


def _parsed(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(file, "", "", f"it is no TOML: {shown(error)}") from None
    except RecursionError:
        raise ScenarioError(file, "", "", "it is no TOML: it is nested too deep") from None


def scenario_from(
    document: Mapping[str, Any], *, name: str = "scenario", file: str = "", values: Mapping[str, str] | None = None
) -> Scenario:
    """The scenario that a document is, as TOML or JSON give it. Raises ScenarioError."""
    place = Place(file or name)
    table_of(document, place)
    known = [TEXT.name, "values", "fleet", "faults", *LISTS]
    for key in document:
        if key not in known:
            raise place.wrong(unknown(key, known))
    meant = _values(document.get("values", {}), values or {}, place.within("[values]"))
    filled = _filled({key: held for key, held in document.items() if key != "values"}, meant, place)
    found: dict[str, Any] = {}
    for key, kind in LISTS.items():
        tables = filled.get(key, [])
        if not isinstance(tables, list) or len(tables) > MOST_TABLES:
            raise place.at(key).wrong(f"write [[{key}]], {MOST_TABLES:,} times at most")
        found[key] = tuple(kind.read(one, place.within(f"[[{key}]] {number}")) for number, one in enumerate(tables, 1))
    scenario = Scenario(
        name=name,
        text=TEXT.kind.read(filled[TEXT.name], place.at(TEXT.name)) if TEXT.name in filled else "",
        fleet=FLEET.read(filled.get("fleet", {}), place.within("[fleet]")),
        drivers=found["drivers"],
        stages=found["stage"],
        steps=found["step"],
        expectations=found["expect"],
        faults=FAULTS.read(filled["faults"], place.within("[faults]")) if "faults" in filled else None,
        source=document,
    )
    _check_together(scenario, place)
    return scenario


def _values(own: Any, given: Mapping[str, str], place: Place) -> dict[str, str]:
    defaults: dict[str, str] = VALUES.read(own, place)
    for name in given:
        if name not in defaults:
            raise place.wrong(unknown(name, [*defaults]) if defaults else f"it has no values, and so no {shown(name)}")
    return {**defaults, **VALUES.read(dict(given), place)}


def _filled(value: Any, meant: Mapping[str, str], place: Place) -> Any:
    """`value` with what `${name}` stands for."""
    if isinstance(value, Mapping):
        return {key: _filled(one, meant, place) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, meant, place) for one in value]
    if not isinstance(value, str):
        return value

    def put(found: re.Match[str]) -> str:
        name = found[1]
        if name not in meant:
            raise place.within("[values]").wrong(f"no value {shown(name, 64)}{did_you_mean(name, meant)}")
        return meant[name]

    return _VALUE.sub(put, value)


def _check_together(scenario: Scenario, place: Place) -> None:
    """What one table says of another."""
    stages: tuple[Stage, ...] = scenario.acts
    names = [stage.name for stage in stages]
    for number, expectation in enumerate(scenario.expectations, 1):
        if expectation.stage and expectation.stage not in names:
            raise (
                place.within(f"[[expect]] {number}")
                .at("stage")
                .wrong(
                    f"there is no stage {shown(expectation.stage)}{did_you_mean(expectation.stage, names)};"
                    f" there are {', '.join(names)}"
                )
            )
    fault = story_fault(scenario)
    if fault is not None:
        raise place.within(fault.table).at(fault.key).wrong(fault.why)
    for number, stage in enumerate(scenario.stages, 1):
        if names.count(stage.name) > 1 and any(one.stage == stage.name for one in scenario.expectations):
            raise place.within(f"[[stage]] {number}").at("name").wrong("expectations name it, and there are two of it")
