"""What compiled modules show to `help`, to consoles and to editors is what their sources do."""

import json
import os
import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

import ocpp16

HERE = Path(__file__).parent
assert ocpp16.__file__ is not None

IN_C = {
    match[1]
    for path in (HERE.parents[1] / "ocpp16").rglob("*.pxd")  # of the sources: not all are installed
    for match in re.finditer(r"^\s*cpdef .*?(\w+)\(", path.read_text(), re.MULTILINE)
}
"""Functions with a twin in C: Cython drops what they return."""


@lru_cache(maxsize=2)
def described(*, from_source: bool) -> dict[str, Any]:
    ran = subprocess.run(
        [sys.executable, str(HERE / "described.py")],
        env={**os.environ, "OCPP16_UNCOMPILED": "1" if from_source else ""},
        capture_output=True,
        check=True,
        timeout=600,
    )
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_the_same_names_are_there() -> None:
    compiled, source = described(from_source=False), described(from_source=True)
    assert sorted(compiled) == sorted(source)
    assert len(compiled) > 400


def test_docstrings_are_the_same() -> None:
    compiled, source = described(from_source=False), described(from_source=True)
    assert {name: told["doc"] for name, told in compiled.items()} == {
        name: told["doc"] for name, told in source.items()
    }


def test_signatures_are_the_same() -> None:
    """But for what C cannot say: annotations of the parameters of a class, and defaults of these that are objects."""
    compiled, source = described(from_source=False), described(from_source=True)
    assert {name: parameters(told, source[name]) for name, told in compiled.items()} == {
        name: told.get("parameters") for name, told in source.items()
    }


def parameters(told: dict[str, Any], source: dict[str, Any]) -> Any:
    """Those of a compiled thing, completed by the source where it is a class."""
    if "parameters" not in told or not told["is_class"]:
        return told.get("parameters")
    return [
        [name, kind, there[2] if default == "Ellipsis" else default, annotation or there[3]]
        for (name, kind, default, annotation), there in zip(told["parameters"], source["parameters"], strict=True)
    ]


def test_what_is_returned_is_the_same() -> None:
    compiled, source = described(from_source=False), described(from_source=True)

    def returned(name: str, told: dict[str, Any]) -> str:
        is_lost = told["is_class"] or name.rpartition(".")[2] in IN_C
        return str(told["returns"] or (source[name]["returns"] if is_lost else ""))

    functions = {name: told for name, told in compiled.items() if "returns" in told}
    assert {name: returned(name, told) for name, told in functions.items()} == {
        name: source[name]["returns"] for name in functions
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Call", "(unique_id, action, payload)"),
        ("CallError", "(unique_id, code, description='', details=None)"),
        ("parse", "(text)"),
        ("validate_sending", "(action, kind, payload)"),
    ],
)
def test_units_in_c_have_signatures(name: str, expected: str) -> None:
    import inspect

    from ocpp16 import codec

    thing = getattr(codec, name)
    assert str(inspect.signature(thing)) == expected
    assert not thing.__doc__.startswith(name)
