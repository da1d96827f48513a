"""What the tests of this folder share: its modules, which are in no package, and an independent Central System."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def load(name: str) -> ModuleType:
    """A module of this folder, once."""
    unique = f"ocpp16_tests_world_{name}"
    if unique not in sys.modules:
        spec = importlib.util.spec_from_file_location(unique, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[unique] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[unique]


@pytest.fixture
def world() -> Callable[[str], ModuleType]:
    """Gives a module of this folder by its name."""
    return load


@pytest.fixture
def csms() -> Iterator[Any]:
    """The Central System of csms_process.py, running."""
    with load("programs").CentralSystemProgram() as running:
        yield running
