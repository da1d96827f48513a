"""The public surface: every name that a user can reach without an underscore from what docs/api names.

    python tests/source/surface.py > tests/source/public_surface.txt

Writes one name a line, with its signature or type, sorted. Which names there are is asked of the package as it is
installed; signatures and types are read in its sources and stubs, so that no version of Python writes them otherwise.
"""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import ocpp16
from ocpp16 import observer, station
from ocpp16.configuration import keys
from ocpp16.store import base

assert ocpp16.__file__ is not None
PACKAGE = Path(ocpp16.__file__).parent
KEYS = PACKAGE / "configuration" / "keys"
API = Path(__file__).resolve().parents[2] / "docs" / "api"
_DIRECTIVE = re.compile(
    r"^\.\. (automodule|autoclass|autoexception|autofunction|autodata|py:class):: (\S+)\n((?:   .*\n?)*)", re.MULTILINE
)
_QUESTIONS = [
    *(it for it in vars(station).values() if inspect.isclass(it) and it.__module__ == station.__name__),
    base.Store,
    observer.Observer,
]
"""Whose methods others have, which need not say again what they are for."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Named:
    """One name. form: its signature or type, of a member of an enumeration its value; told: its docstring; around: that
    of its class; parameters: names and annotations."""

    name: str
    kind: str
    form: str
    told: str
    parameters: tuple[tuple[str, str], ...] = ()
    around: str = ""

    def __str__(self) -> str:
        return f"{self.name}{self.form if self.form.startswith('(') else f': {self.form}' if self.form else ''}"


def surface() -> dict[str, Named]:
    """All of it, by name."""
    found: dict[str, Named] = {}
    for path, shown in documented().items():
        value = resolved(path)
        if not isinstance(value, ModuleType):
            take(value, path, found)
            if shown is not None:
                for name in [it for it in found if it.startswith(f"{path}.") and it[len(path) + 1 :] not in shown]:
                    del found[name]
            continue
        found[path] = Named(path, "module", "", value.__doc__ or "")
        for name in exported(value) if shown is None else []:
            take(getattr(value, name), f"{path}.{name}", found)
    return found


def documented() -> dict[str, frozenset[str] | None]:
    """What docs/api names → those of its members that it is about; None: all that are public."""
    found: dict[str, frozenset[str] | None] = {}
    for page in sorted(API.glob("*.rst")):
        for kind, path, options in _DIRECTIVE.findall(page.read_text() + "\n"):
            given = re.search(r":members:(.*)", options)
            listed = given[1].strip() if given else ""
            is_head = kind == "py:class" or (kind == "automodule" and (given is None or ":no-members:" in options))
            found[path] = frozenset(re.split(r",\s*", listed)) if listed else frozenset() if is_head else None
    # One constant for each key, which docs/keys.md describes.
    return found | {f"{keys.__name__}.{it.stem}": None for it in KEYS.glob("*.py") if it.stem != "__init__"}


def exported(module: ModuleType) -> list[str]:
    """`__all__`, else what is its own."""
    names = getattr(module, "__all__", None)
    if names is not None:
        return [name for name in names if not name.startswith("_")]
    own = {name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__}
    constants = {name for name, _, _ in assigned(tree_of(module.__name__))}
    return sorted(name for name in own | constants if not name.startswith("_"))


def resolved(path: str) -> Any:
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        module, _, name = path.rpartition(".")
        return getattr(resolved(module), name)


def take(value: Any, name: str, found: dict[str, Named]) -> None:
    if name in found:
        return
    if inspect.isclass(value):
        if value.__module__.startswith("ocpp16"):
            found[name] = Named(name, "class", "", value.__doc__ or "")
            take_members(value, name, found)
    elif inspect.isroutine(value):
        found[name] = function(name, "function", value, value.__doc__ or "")
    else:
        module, _, last = name.rpartition(".")
        for constant, annotation, told in assigned(tree_of(module)):
            if constant == last:
                told = getattr(value, "description", told)
                found[name] = Named(name, "data", annotation or type(value).__name__, told)


def take_members(kind: type, name: str, found: dict[str, Named]) -> None:
    """Of the class and of its bases, as far as these are ours."""
    ours = [it for it in kind.__mro__ if it.__module__.startswith("ocpp16")]
    around = "\n".join(it.__doc__ or "" for it in ours)
    for owner in ours:
        body = node_of(owner.__module__, owner.__qualname__)
        if issubclass(owner, Enum) and isinstance(body, ast.ClassDef):
            for member, _, told in assigned(body):
                if member in owner.__members__:
                    value = owner.__members__[member].value
                    found[f"{name}.{member}"] = Named(f"{name}.{member}", "member", repr(value), told, around=around)
        for member, annotation, told in attributes(body) if isinstance(body, ast.ClassDef) else ():
            full = f"{name}.{member}"
            if not member.startswith("_") and full not in found:
                found[full] = Named(full, "attribute", annotation, told, around=around)
        for member, value in vars(owner).items():
            full = f"{name}.{member}"
            if member.startswith("_") or full in found:
                continue
            inner = value.__func__ if isinstance(value, staticmethod | classmethod) else value
            if isinstance(inner, property) or (inspect.isgetsetdescriptor(inner) and inner.__doc__):
                node = node_of(owner.__module__, f"{owner.__qualname__}.{member}")
                returns = plain(node.returns) if isinstance(node, Function) else ""
                found[full] = Named(full, "property", returns, inner.__doc__ or told_elsewhere(kind, member))
            elif inspect.isclass(inner):
                found[full] = Named(full, "class", "", inner.__doc__ or "")
            elif inspect.isroutine(inner) and not inspect.isdatadescriptor(inner):
                found[full] = function(full, "method", inner, inner.__doc__ or told_elsewhere(kind, member))


def told_elsewhere(kind: type, member: str) -> str:
    """By a base, or by the protocol that it answers to."""
    owners = [*kind.__mro__, *_QUESTIONS]
    return next((str(vars(it)[member].__doc__) for it in owners if getattr(vars(it).get(member), "__doc__", None)), "")


def function(name: str, kind: str, value: Any, told: str) -> Named:
    node = node_of(value.__module__ or "", value.__qualname__)
    if not isinstance(node, Function):
        return Named(name, kind, str(inspect.signature(value)), told)
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    form = f"({ast.unparse(node.args)}) -> {plain(node.returns)}"
    if isinstance(node, ast.AsyncFunctionDef):
        form = f"{form} (async)"
    return Named(name, kind, without_quotes(form), told, tuple((it.arg, plain(it.annotation)) for it in arguments))


# Sources


@lru_cache
def tree_of(module: str) -> ast.Module:
    place = PACKAGE.parent.joinpath(*module.split("."))
    # A unit in C has its types in a stub; beside a module in Python there may be one for others.
    for path in (place.with_suffix(".py"), place / "__init__.py", place.with_suffix(".pyi")):
        if path.exists():
            return ast.parse(path.read_text(encoding="utf-8"))
    raise FileNotFoundError(module)


def node_of(module: str, qualname: str) -> ast.AST | None:
    if not module.startswith("ocpp16"):
        return None
    node: Any = tree_of(module)
    for part in qualname.split("."):
        node = next((it for it in getattr(node, "body", ()) if getattr(it, "name", None) == part), None)
    return node if isinstance(node, ast.AST) else None


def assigned(node: ast.Module | ast.ClassDef | ast.FunctionDef, of: str = "") -> Iterator[tuple[str, str, str]]:
    """Name, annotation and the docstring below, of each name (`of`: attribute of that) that is assigned here."""
    for it, below in zip(node.body, [*node.body[1:], None], strict=True):
        targets = it.targets if isinstance(it, ast.Assign) else [it.target] if isinstance(it, ast.AnnAssign) else []
        told = str(below.value.value) if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else ""
        for target in targets:
            annotation = plain(it.annotation) if isinstance(it, ast.AnnAssign) else ""
            if not of and isinstance(target, ast.Name):
                yield target.id, annotation, told
            elif isinstance(target, ast.Attribute) and ast.unparse(target.value) == of:
                yield target.attr, annotation, told


def attributes(node: ast.ClassDef) -> Iterator[tuple[str, str, str]]:
    """Those with a type: in the body, and in `__init__`."""
    begin = [it for it in node.body if isinstance(it, ast.FunctionDef) and it.name == "__init__"]
    for found in (assigned(node), *(assigned(it, "self") for it in begin)):
        yield from (it for it in found if it[1])


def plain(annotation: ast.expr | None) -> str:
    return without_quotes(ast.unparse(annotation)) if annotation is not None else ""


def without_quotes(text: str) -> str:
    """As they are where a name is not known yet."""
    return text.replace("'", "").replace('"', "")


if __name__ == "__main__":
    print(*sorted(map(str, surface().values())), sep="\n")
