"""Folders of readers, and an independent Central System."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from programs import CentralSystemProgram

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


@pytest.fixture
def csms() -> Iterator[CentralSystemProgram]:
    with CentralSystemProgram() as program:
        yield program
        assert program.objections == []


@pytest.fixture
def folder_of(tmp_path: Path) -> Callable[[str], Path]:
    """An empty folder of a reader who has saved what lies in one of docs/examples."""
    return lambda example: shutil.copytree(EXAMPLES / example, tmp_path / example)
