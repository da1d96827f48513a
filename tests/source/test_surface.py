"""What is public is told, and changes only where somebody sees it."""

import difflib
import json
import re
from pathlib import Path

import pytest
from surface import Named, surface

LISTED = Path(__file__).with_name("public_surface.txt")
SURFACE = surface()
NUMBERS = frozenset(
    {
        *("connector_id", "session_id", "transaction_id", "reservation_id", "request_id", "profile_id", "stack_level"),
        *("amperes", "watts", "percent", "soc", "phases", "volts", "energy_wh", "seconds", "duration_s", "timeout"),
        *("days", "count", "times", "line", "decimals", "sequence", "sequences", "code", "port", "seed", "task_status"),
    }
)
"""Names of numbers that say all: those of the specification, and units. `timeout`, as all durations, in seconds."""
WORDS = NUMBERS | {
    *("id_tag", "parent_id_tag", "id_tag_info", "expiry_date", "timestamp", "error_code", "vendor_id"),
    *("vendor_error_code", "action", "payload", "message_id", "unique_id", "hash_algorithm", "charge_point", "status"),
}
"""Names of all kinds that say all: those of the specification. A timestamp is a datetime, aware, or a text."""
_NUMBER = re.compile(r"(int|float|Decimal|timedelta)( \| None)?")
SPECIFIED = {
    frozenset(schema["enum"])
    for path in (Path(__file__).parents[2] / "share" / "message_schemas").glob("*.json")
    for schema in json.loads(path.read_text(encoding="utf-8"))["definitions"].values()
    if "enum" in schema
}
"""The values of each enumeration of the specification, which the reference of all messages lists."""


def test_it_is_as_listed() -> None:
    """After a change that is meant: python tests/source/surface.py > tests/source/public_surface.txt"""
    listed, there = LISTED.read_text().splitlines(), sorted(map(str, SURFACE.values()))
    changes = [it for it in difflib.unified_diff(listed, there, "listed", "there", lineterm="", n=0) if it[:2] != "@@"]
    assert not changes, "\n".join([*changes, str(test_it_is_as_listed.__doc__)])


@pytest.mark.parametrize("kind", ["module", "class", "function", "method", "property"])
def test_each_has_a_docstring(kind: str) -> None:
    assert [it.name for it in SURFACE.values() if it.kind == kind and not it.told.strip()] == []


def test_each_attribute_is_told() -> None:
    """By words below it, by its class, by its type, or by its name, if that is the specification's. Members of payloads
    are the specification's, and have theirs beside them."""
    assert [str(it) for it in SURFACE.values() if it.kind in {"attribute", "data"} and not is_told(it)] == []


def is_told(it: Named) -> bool:
    last = it.name.rpartition(".")[2]
    return bool(
        it.told.strip()
        or it.name.startswith("ocpp16.messages.")
        or (it.around.strip() and (last in WORDS or speaks_of(it.around, last) or is_told_by_type(it.form, last)))
    )


def is_told_by_type(form: str, name: str) -> bool:
    """Has it the name of its class, as `limit: ChargingLimit`, or of those in it?"""
    camel = "".join(map(str.capitalize, name.split("_")))
    return any(camel in word or camel.removesuffix("s") in word for word in re.findall(r"[A-Z]\w+", form))


def test_each_member_of_an_enumeration_of_our_own_is_told() -> None:
    """By words below it, or by its class."""
    values: dict[str, set[str]] = {}
    for it in (it for it in SURFACE.values() if it.kind == "member"):
        values.setdefault(it.name.rpartition(".")[0], set()).add(it.form.strip("'"))
    assert len([kind for kind in values.values() if kind in SPECIFIED]) > 20
    assert [
        it.name
        for it in SURFACE.values()
        if it.kind == "member"
        and values[it.name.rpartition(".")[0]] not in SPECIFIED
        and not it.told.strip()
        and not speaks_of(it.around, f"{it.name.rpartition('.')[2]}|{re.escape(it.form.strip(chr(39)))}")
    ] == []


def speaks_of(text: str, name: str) -> bool:
    return re.search(rf"\b({name})\b", text) is not None


def test_each_number_among_the_parameters_is_told() -> None:
    untold = [
        f"{it.name}: {name}"
        for it in SURFACE.values()
        for name, annotation in it.parameters
        if _NUMBER.fullmatch(annotation) and name not in NUMBERS and not speaks_of(it.told, f"{name}|as of|as for")
    ]
    assert untold == []
