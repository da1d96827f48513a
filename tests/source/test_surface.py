"""What is public is told, and changes only where somebody sees it."""

import difflib
import re
from pathlib import Path

import pytest
from surface import Named, surface

LISTED = Path(__file__).with_name("public_surface.txt")
SURFACE = surface()
WORDS = frozenset(
    {
        *("connector_id", "session_id", "transaction_id", "reservation_id", "request_id", "profile_id", "stack_level"),
        *(
            "amperes",
            "watts",
            "percent",
            "soc",
            "phases",
            "volts",
            "energy_wh",
            "seconds",
            "duration_s",
            "timeout",
            "days",
        ),
        *("count", "times", "line", "decimals", "sequence", "sequences", "code", "port", "seed", "task_status"),
    }
)
"""Names that say all: those of the specification, and units. `timeout`, as all durations, in seconds."""
_NUMBER = re.compile(r"(int|float|Decimal|timedelta)( \| None)?")


def test_it_is_as_listed() -> None:
    """After a change that is meant: python tests/source/surface.py > tests/source/public_surface.txt"""
    listed, there = LISTED.read_text().splitlines(), sorted(map(str, SURFACE.values()))
    changes = [it for it in difflib.unified_diff(listed, there, "listed", "there", lineterm="", n=0) if it[:2] != "@@"]
    assert not changes, "\n".join([*changes, str(test_it_is_as_listed.__doc__)])


@pytest.mark.parametrize("kind", ["module", "class", "function", "method", "property"])
def test_each_has_a_docstring(kind: str) -> None:
    assert [it.name for it in SURFACE.values() if it.kind == kind and not it.told.strip()] == []


def test_each_attribute_is_told() -> None:
    """By words below it, or by its class; a number by its name, for it has a unit. Members of payloads are the
    specification's, and have theirs beside them."""
    assert [it.name for it in SURFACE.values() if it.kind in {"attribute", "data"} and not is_told(it)] == []


def is_told(it: Named) -> bool:
    last = it.name.rpartition(".")[2]
    is_clear = (
        it.name.startswith("ocpp16.messages.")
        or last in WORDS
        or not _NUMBER.fullmatch(it.form)
        or speaks_of(it.around, last)
    )
    return bool(it.told.strip() or (it.around.strip() and is_clear))


def speaks_of(text: str, name: str) -> bool:
    return re.search(rf"\b({name})\b", text) is not None


def test_each_number_among_the_parameters_is_told() -> None:
    untold = [
        f"{it.name}: {name}"
        for it in SURFACE.values()
        for name, annotation in it.parameters
        if _NUMBER.fullmatch(annotation) and name not in WORDS and not speaks_of(it.told, f"{name}|as of|as for")
    ]
    assert untold == []
