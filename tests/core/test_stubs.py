"""Each compiled unit has a stub, and the stub says what is there: no name more, no name less."""

import ast
import importlib
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ocpp16 import _core

FOLDER = Path(_core.__file__).resolve().parent


def units() -> list[str]:
    found = [path.relative_to(FOLDER) for path in [*FOLDER.glob("*.so"), *FOLDER.glob("validators/*.so")]]
    return sorted(".".join([*path.parts[:-1], path.name.split(".")[0]]) for path in found)


def stub(unit: str) -> ast.Module:
    path = FOLDER.joinpath(*unit.split(".")).with_suffix(".pyi")
    return ast.parse(path.read_text(encoding="utf-8"))


def names(body: list[ast.stmt]) -> set[str]:
    """What a stub defines, without what it only imports or needs for its types."""
    found = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            is_protocol = isinstance(node, ast.ClassDef) and any(ast.unparse(b) == "Protocol" for b in node.bases)
            if not is_protocol:
                found.add(node.name)
        elif isinstance(node, ast.AnnAssign):
            found.add(ast.unparse(node.target))
        elif isinstance(node, ast.Assign):
            found.update(ast.unparse(target) for target in node.targets)
    return {name for name in found if not name.startswith("_")}


def public(module: ModuleType) -> set[str]:
    """What a unit defines: not what it imports, and nothing private."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not isinstance(value, ModuleType)
        and getattr(value, "__module__", module.__name__) in (module.__name__, "typing")
        and name not in ("Literal", "MappingProxyType")
    }


def parameters(node: ast.FunctionDef) -> list[tuple[str, bool]]:
    """Name and whether it has a default."""
    plain = node.args.posonlyargs + node.args.args
    defaults = [False] * (len(plain) - len(node.args.defaults)) + [True] * len(node.args.defaults)
    return [(argument.arg, default) for argument, default in zip(plain, defaults, strict=True)]


def signature(function: Any) -> list[tuple[str, bool]]:
    found = inspect.signature(function).parameters.values()
    return [(parameter.name, parameter.default is not parameter.empty) for parameter in found]


def test_there_are_units() -> None:
    assert {"framing", "datetimes", "validation", "violation", "validators.core"} <= set(units())


@pytest.mark.parametrize("unit", units())
def test_names(unit: str) -> None:
    module = importlib.import_module(f"ocpp16._core.{unit}")
    assert names(stub(unit).body) == public(module)


@pytest.mark.parametrize("unit", units())
def test_signatures(unit: str) -> None:
    module = importlib.import_module(f"ocpp16._core.{unit}")
    for node in stub(unit).body:
        if isinstance(node, ast.FunctionDef):
            assert parameters(node) == signature(getattr(module, node.name)), node.name
            assert getattr(module, node.name).__doc__, node.name
        elif isinstance(node, ast.ClassDef) and hasattr(module, node.name):
            cls = getattr(module, node.name)
            assert cls.__doc__, node.name
            for member in node.body:
                if isinstance(member, ast.FunctionDef):
                    assert hasattr(cls, member.name), f"{node.name}.{member.name}"


def test_the_door_exports_what_the_units_have() -> None:
    for name in _core.__all__:
        assert hasattr(_core, name)
