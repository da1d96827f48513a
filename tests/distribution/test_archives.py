"""The sdist: the same bytes wherever and whenever it is built, with all that a build and its tests need, and no more.

That the same holds for wheels, and what a wheel does in other Pythons, takes minutes: `ci/release`.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FILES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md")
BUILT = shutil.ignore_patterns("__pycache__", "*.so", "*.c", "share")


def sdist(folder: Path, umask: int, time: int) -> Path:
    """Of a copy of the tree in this folder, whose files are of that time."""
    folder.mkdir(parents=True)
    before = os.umask(umask)
    try:
        for name in FILES:
            (folder / name).write_bytes((ROOT / name).read_bytes())
        shutil.copytree(ROOT / "ocpp16", folder / "ocpp16", ignore=BUILT, copy_function=_written)
        for name in ("share", "tests", "docs"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored, copy_function=_written)
        for path in folder.rglob("*"):
            os.utime(path, (time, time))
        command = [sys.executable, "setup.py", "-q", "sdist", "--dist-dir", "made"]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": "1600000000"}
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    finally:
        os.umask(before)
    (made,) = (folder / "made").iterdir()
    return made


def _written(source: str, target: str) -> None:
    """With the mode that the umask leaves, as a clone has it."""
    Path(target).write_bytes(Path(source).read_bytes())


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("sdist")
    return sdist(folder / "a", 0o022, 1_650_000_000), sdist(folder / "somewhere else" / "b", 0o077, 1_700_000_000)


def test_it_is_the_same_twice(archives: tuple[Path, Path]) -> None:
    first, second = archives
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()


def test_it_is_of_nobody_and_of_one_time(archives: tuple[Path, Path]) -> None:
    with tarfile.open(archives[1]) as tar:
        for member in tar:
            assert (member.uid, member.gid, member.uname, member.gname) == (0, 0, "", "")
            assert member.mtime == 1_600_000_000
            assert member.mode == (0o755 if member.isdir() else 0o644)


def test_it_has_all_that_is_needed_and_nothing_that_is_made(archives: tuple[Path, Path]) -> None:
    with tarfile.open(archives[0]) as tar:
        found = {name.partition("/")[2] for name in tar.getnames()}
    for folder, suffixes in (("ocpp16", {".py", ".pyx", ".pxd", ".pxi"}), ("share", {".json", ".sql", ".ini", ".py"})):
        for path in (ROOT / folder).rglob("*"):
            is_made = "validators" in path.parts and path.name != "__init__.py"
            is_twice = path.relative_to(ROOT).parts[:2] == ("ocpp16", "share")
            if path.suffix in suffixes and not is_made and not is_twice:
                assert path.relative_to(ROOT).as_posix() in found
    assert {
        *FILES,
        "tests/conftest.py",
        "docs/keys.md",
        "ocpp16/_core/codegen/validators.py",
        "ocpp16/compiled.txt",
    } <= found
    assert {Path(name).suffix for name in found} & {".c", ".so", ".pyc"} == set()
    pages = {name for name in found if name.endswith(".html")}
    assert pages == {"ocpp16/web/page/fleet.html", "ocpp16/web/page/index.html"}, "and no listings of Cython"
    assert not [name for name in found if name.startswith(("benchmarks", "ci", "build"))]


def test_every_package_is_named() -> None:
    """A package that pyproject.toml does not name is in no wheel."""
    named = set(PROJECT["tool"]["setuptools"]["packages"])
    made = {path.parent for path in (ROOT / "ocpp16").rglob("__init__.py") if "share" not in path.parts}
    there = {".".join(path.relative_to(ROOT).parts) for path in made}
    assert there - {"ocpp16._core.codegen"} == named - {"ocpp16.share"}
