"""What compiled modules show to `help`, to consoles and to editors is what their sources do; and of every public name,
compiled or not, there is something to show."""

import inspect
import json
import os
import pydoc
import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from surface import Named, resolved, surface

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
    from ocpp16 import codec

    thing = getattr(codec, name)
    assert str(inspect.signature(thing)) == expected
    assert not thing.__doc__.startswith(name)


def member(it: Named) -> Any:
    owner, _, name = it.name.rpartition(".")
    found = inspect.getattr_static(resolved(owner), name)
    return found.__func__ if isinstance(found, staticmethod | classmethod) else found


SHOWN = [(it, member(it)) for it in surface().values() if it.kind in {"function", "method", "property"}]


def test_all_that_is_public_has_a_docstring_where_help_looks() -> None:
    assert len(SHOWN) > 700
    assert [it.name for it, value in SHOWN if not inspect.getdoc(value)] == []


def test_all_that_is_public_has_the_signature_of_its_source() -> None:
    different = []
    for it, value in SHOWN:
        if it.kind != "property":
            shown = [one.name for one in inspect.signature(value).parameters.values() if one.kind not in STARRED]
            different += [(it.name, shown)] if it.parameters and shown != [name for name, _ in it.parameters] else []
    assert different == []


STARRED = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}


def test_help_shows_both() -> None:
    """Not the line in which Cython repeats a signature, and never `(...)`."""
    for it, value in SHOWN:
        shown = pydoc.plain(pydoc.render_doc(value, "%s"))
        name = it.name.rpartition(".")[2]
        assert "(...)" not in shown.partition("\n    ")[0], it.name
        assert shown.count(f"{name}(self") + shown.count(f"def {name}(") < 2, it.name
        assert (inspect.getdoc(value) or "").partition("\n")[0] in shown, it.name


def test_classes_that_are_public_can_be_asked_for_their_signatures() -> None:
    """But for payloads and exceptions without a constructor of their own: Python has none to show for these."""
    kinds = [(it.name, resolved(it.name)) for it in surface().values() if it.kind == "class"]
    for name, kind in kinds:
        if not issubclass(kind, BaseException | dict) or "__init__" in vars(kind):
            assert inspect.signature(kind) is not None, name
