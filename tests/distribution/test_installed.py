"""What is installed: without folders of the machine that built it, without symbols, and not too much of it."""

import os
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree, ignore_patterns
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
import sizes
from papers import PATHS
from running import StepFailed

import ocpp16

PACKAGE = Path(ocpp16.__path__[0])
ROOT = Path(__file__).resolve().parents[2]
UNITS = sorted(PACKAGE.rglob("*.so"))
PAGE = (ROOT / "docs" / "installing.md").read_text(encoding="utf-8")


def section_types(unit: bytes) -> Iterator[int]:
    """Of an ELF file of 64 bits."""
    start, size, count = (*struct.unpack_from("<Q", unit, 0x28), *struct.unpack_from("<HH", unit, 0x3A))
    for number in range(count):
        yield struct.unpack_from("<I", unit, start + number * size + 4)[0]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: str(path.relative_to(PACKAGE).with_suffix("")))
def test_a_unit_has_no_symbols_and_names_no_folder_of_a_machine(path: Path) -> None:
    unit = path.read_bytes()
    assert PATHS.search(unit) is None
    if unit[:5] == b"\x7fELF\x02":
        table_of_symbols = 2
        assert table_of_symbols not in set(section_types(unit))


def test_what_units_share_is_there_once() -> None:
    """Known by a sentence of Cython's functions."""
    having = [path.name.split(".")[0] for path in UNITS if b"__kwdefaults__ must be set" in path.read_bytes()]
    assert having == ["_shared"]


def test_a_size_beyond_its_bound_is_refused() -> None:
    assert sizes.bounded("wheel", 4_000_000, sizes.WHEEL) == "wheel: 4.00 MB (at most 5)"
    with pytest.raises(StepFailed, match=r"wheel: 5\.10 MB, and at most 5 MB"):
        sizes.bounded("wheel", 5_100_000, sizes.WHEEL)


def test_each_form_keeps_its_bound(tmp_path: Path) -> None:
    """As the docs make them; here without the files that only a source tree has."""
    package = tmp_path / "ocpp16"
    sources = ignore_patterns("__pycache__", "*.c", "*.pyx", "*.pxi", "codegen", "*.html")
    copytree(PACKAGE, package, ignore=sources)
    sizes.bounded("whole", sizes.size(package), sizes.INSTALLED)
    sizes.without_tools(package)
    sizes.bounded("station", sizes.size(package), sizes.STATION)
    with sizes.without_sources(package):
        sizes.bounded("station without sources", sizes.size(package), sizes.UNITS_ALONE)
    assert len(list(sizes.sources_of_compiled(package))) > 30, "they are back"
    without_sources, without_units = re.findall(r"<<'END'\n(.*?)^END$", PAGE, re.MULTILINE | re.DOTALL)
    copy = copytree(package, tmp_path / "copy" / "ocpp16")
    _run(without_sources, copy.parent)
    assert not list(sizes.sources_of_compiled(copy))
    _run(without_units, tmp_path)
    sizes.bounded("small station", sizes.size(package), sizes.SMALL_STATION)
    assert not list(sizes.compiled(package))
    assert {path.name.split(".")[0] for path in package.rglob("*.so")} > {"_shared", "framing", "core"}


def test_a_wheel_of_another_python_keeps_the_same_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "tree" / "ocpp16"
    copytree(PACKAGE, package, ignore=ignore_patterns("__pycache__", "*.c", "*.pyx", "*.pxi", "codegen", "*.html"))
    wheel = tmp_path / "ocpp16-1.0-cp399-cp399-linux.whl"
    with ZipFile(wheel, "w", ZIP_DEFLATED, compresslevel=1) as packed:
        for path in package.rglob("*"):
            packed.write(path, path.relative_to(package.parent))
    found = sizes.same_bounds(wheel, tmp_path / "unpacked")
    assert found.startswith("cp399: wheel: ")
    assert found.count("at most") == 5
    monkeypatch.setattr(sizes, "UNITS_ALONE", 1_000_000)
    with pytest.raises(StepFailed, match="cp399: ours, in a station without sources"):
        sizes.same_bounds(wheel, tmp_path / "again")


def _run(program: str, folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    subprocess.run([sys.executable, "-c", program], env=environment, cwd=folder, check=True)


OF_FLEETS = {"hosts/arguments.py", "hosts/fleets.py"}
"""Loaded by type checkers, and by whoever opens a fleet."""


def test_tools_are_storeys_that_no_station_imports() -> None:
    """What is indented is for type checkers, or for a function that a station does not call."""
    imported = re.compile(r"^(?:from|import) ocpp16\.(\w+)", re.MULTILINE)
    tools = {name.removesuffix(".py") for name in sizes.TOOLS}
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).parts[0].removesuffix(".py") not in tools and "codegen" not in path.parts:
            if str(path.relative_to(PACKAGE)) in OF_FLEETS:
                continue
            assert not tools & set(imported.findall(path.read_text(encoding="utf-8"))), path
    assert all((PACKAGE / name).exists() for name in sizes.TOOLS)


def test_the_docs_name_the_same_tools() -> None:
    listed = re.search(r"rm -r ([^\n]*)", PAGE)
    assert listed is not None
    assert listed[1].split() == list(sizes.TOOLS)
