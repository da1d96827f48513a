"""Modules in Python that are compiled as they are: which they are, and that neither way is left untested."""

import ast
import os
from importlib import import_module
from pathlib import Path

import pytest

import ocpp16

PACKAGE = Path(__file__).parents[2] / "ocpp16"
LINES = (PACKAGE / "compiled.txt").read_text(encoding="ascii").splitlines()
COMPILED = [line.strip() for line in LINES if line.strip() and not line.startswith("#")]


def source(module: str) -> Path:
    return PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py")


@pytest.mark.parametrize("module", COMPILED)
def test_what_is_tested_is_what_was_asked_for(module: str) -> None:
    origin = import_module(module).__file__
    assert origin is not None
    assert origin.endswith(".py") is (os.environ.get("OCPP16_UNCOMPILED") == "1")


@pytest.mark.parametrize("module", COMPILED)
def test_a_compiled_module_does_not_wait(module: str) -> None:
    waiting = [
        node.name for node in ast.walk(ast.parse(source(module).read_text())) if isinstance(node, ast.AsyncFunctionDef)
    ]
    assert waiting == []


def test_types_in_c_are_those_of_compiled_modules() -> None:
    beside = {path.with_suffix(".py") for path in PACKAGE.rglob("*.pxd") if path.with_suffix(".py").exists()}
    assert beside <= {source(module) for module in COMPILED}


def test_the_list_comes_with_the_package() -> None:
    assert ocpp16.__file__ is not None
    assert (Path(ocpp16.__file__).parent / "compiled.txt").read_text(encoding="ascii").splitlines() == LINES
