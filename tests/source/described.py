"""Prints what the compiled modules show to whoever asks for help: signatures and docstrings, by name, as JSON.

With OCPP16_UNCOMPILED=1 of their sources, whose annotations are texts then, as those of compiled functions are.
"""

import __future__

import importlib
import importlib.util
import inspect
import json
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

LITERALS = (bool, int, float, str, bytes, tuple, frozenset, type(None))


class Source(SourceFileLoader):
    """A module from its source, never from a cache of those with other annotations."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        flags = __future__.annotations.compiler_flag
        code: CodeType = compile(self.get_data(path), path, "exec", flags=flags, dont_inherit=True)
        return code


class Sources:
    """Finds them past what was compiled."""

    def __init__(self, root: Path, names: Sequence[str]) -> None:
        self._root = root
        self._names = frozenset(names)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in self._names:
            return None
        source = str(self._root.joinpath(*name.split(".")).with_suffix(".py"))
        return importlib.util.spec_from_file_location(name, source, loader=Source(name, source))


def described(thing: Any) -> dict[str, Any]:
    """Parameters as name, kind, default and annotation; the docstring without its indentation."""
    told: dict[str, Any] = {"doc": inspect.cleandoc(thing.__doc__ or "")}
    if callable(thing):
        signature = inspect.signature(thing)
        told["is_class"] = inspect.isclass(thing)
        told["parameters"] = [
            [it.name, it.kind.name, shown(it.default), text(it.annotation)] for it in signature.parameters.values()
        ]
        told["returns"] = text(signature.return_annotation)
    return told


def shown(default: Any) -> str:
    """A default; what is no literal by its type alone, for its text may have an address."""
    return repr(default) if type(default) in LITERALS or default is ... else f"<{type(default).__name__}>"


def text(annotation: Any) -> str:
    """An annotation without quotes inside."""
    return "" if annotation is inspect.Parameter.empty else str(annotation).replace("'", "").replace('"', "")


def members(owner: Any, module: str) -> Iterator[tuple[str, Any]]:
    """What is public of a module or class and is its own."""
    for name, value in vars(owner).items():
        if name.startswith("_"):
            continue
        if isinstance(value, staticmethod | classmethod):
            yield name, value.__func__
        elif inspect.isclass(value) or inspect.isroutine(value):
            if getattr(value, "__module__", None) == module:
                yield name, value
        elif (isinstance(value, property) or inspect.isgetsetdescriptor(value)) and value.__doc__:
            yield name, value


def main() -> None:
    """All names of the modules that `compiled.txt` lists."""
    package = Path(importlib.util.find_spec("ocpp16").origin).parent  # type: ignore[union-attr, arg-type]
    lines = (package / "compiled.txt").read_text(encoding="ascii").splitlines()
    modules = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if os.environ.get("OCPP16_UNCOMPILED") == "1":
        sys.meta_path.insert(0, Sources(package.parent, modules))
    found: dict[str, Any] = {}
    for module in modules:
        for name, value in members(importlib.import_module(module), module):
            found[f"{module}.{name}"] = described(value)
            if inspect.isclass(value):
                for inner, member in members(value, module):
                    found[f"{module}.{name}.{inner}"] = described(member)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
