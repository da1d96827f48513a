"""The reference has a place for every public name; that it can be built without a warning is for `ci/check`."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

API = Path(__file__).resolve().parents[2] / "docs" / "api"
TEXT = "\n".join(page.read_text() for page in sorted(API.glob("*.rst")))
MODULES = set(re.findall(r"automodule:: (\S+)", TEXT))
SINGLE = set(re.findall(r"(?:autoclass|autofunction|py:class):: (\S+)", TEXT))
PUBLIC = (
    "ocpp16",
    "ocpp16.aio",
    "ocpp16.blocking",
    "ocpp16.codec",
    "ocpp16.errors",
    "ocpp16.everest",
    "ocpp16.metrics",
    "ocpp16.proxy",
    "ocpp16.replay",
    "ocpp16.pytest_plugin",
    "ocpp16.schedule",
    "ocpp16.simulation",
    "ocpp16.testing",
    "ocpp16.transfer",
    "ocpp16.wire",
)
NAMES = [f"{module}.{name}" for module in PUBLIC for name in importlib.import_module(module).__all__ if name[0] != "_"]


def exported(module: Any) -> list[Any]:
    names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    return [getattr(module, name) for name in names]


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_in_the_reference(name: str) -> None:
    documented = [value for module in MODULES for value in exported(importlib.import_module(module))]
    documented += [resolved(path) for path in SINGLE]
    assert any(value is resolved(name) for value in documented)


def resolved(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def test_every_page_is_in_the_book() -> None:
    index = (API / "index.md").read_text()
    for page in API.glob("*.rst"):
        assert re.search(rf"^{page.stem}$", index, re.MULTILINE), page.stem


@pytest.mark.parametrize("path", sorted(SINGLE))
def test_what_it_names_is_there(path: str) -> None:
    assert resolved(path).__doc__
