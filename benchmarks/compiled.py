"""Cython units that only benchmarks use: compiled when they are wanted, with the flags of the core."""

import importlib.util
from importlib import import_module
from pathlib import Path
from typing import Any


def compiled(name: str, folder: Path) -> Any:
    """The module of `name`.pyx beside this file, built in `folder`. Raises what compiler and import raise."""
    source = folder / f"{name}.pyx"
    source.write_text(Path(__file__).with_name(f"{name}.pyx").read_text())
    setuptools: Any = import_module("setuptools")  # neither of the two is typed
    extension = setuptools.Extension(name, [str(source)], extra_compile_args=["-O2", "-g0"])
    units = import_module("Cython.Build").cythonize([extension], quiet=True)
    command = setuptools.Distribution({"name": name, "ext_modules": units}).get_command_obj("build_ext")
    command.build_lib = command.build_temp = str(folder)
    command.ensure_finalized()
    command.run()
    return imported(name, folder)


def imported(name: str, folder: Path) -> Any:
    """A unit that is built already."""
    (path,) = folder.glob(f"{name}*.so")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
