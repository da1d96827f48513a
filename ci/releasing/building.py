"""The sdist from what is committed, a wheel from the sdist, each twice, and the same both times."""

import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pythons import Python
from running import ROOT, TOOLS, Runner, StepFailed, undisturbed


def committed(runner: Runner, folder: Path) -> Path:
    """The tree as it is committed, in this folder."""
    folder.mkdir(parents=True)
    archive = folder.with_suffix(".tar")
    runner.run("git", "archive", "--output", archive, "HEAD", cwd=ROOT)
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="tar")  # without what the umask takes: as a checkout has it
    archive.unlink()
    return folder


def only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise StepFailed(f"{folder} should have one {pattern} and has {[path.name for path in found]}")
    return found[0]


def sdist(runner: Runner, tree: Path, into: Path) -> Path:
    runner.run(TOOLS / "python", "-m", "build", "--sdist", "--outdir", into, tree)
    return only(into, "*.tar.gz")


def unpacked(archive: Path, folder: Path) -> Path:
    folder.mkdir(parents=True)
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return only(folder, "*")


def wheel(runner: Runner, python: Python, source: Path, work: Path, into: Path) -> Path:
    """Built by this interpreter, in an environment with nothing but `build`, which makes another of its own."""
    runner.run(python.path, "-m", "venv", "--clear", work)
    inside = work / "bin" / "python"
    runner.run(inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "build")
    runner.run(inside, "-m", "build", "--wheel", "--outdir", into, source)
    return only(into, f"*-{python.tag}-*.whl")


@contextmanager
def another_umask() -> Iterator[None]:
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def same(first: Path, second: Path) -> str:
    """Says so. Raises `StepFailed` where one byte differs; both are kept for `diffoscope`."""
    if first.name != second.name or digest(first) != digest(second):
        raise StepFailed(f"not the same: {first} and {second}; `diffoscope` says where")
    return f"{first.name}: the same twice ({digest(first)[:16]}…)"


def repaired(runner: Runner, wheel: Path, into: Path) -> Path:
    """Tagged for the oldest C library that will do."""
    runner.run(TOOLS / "auditwheel", "repair", "--strip", "--wheel-dir", into, wheel)
    python = "-".join(wheel.stem.split("-")[2:4])
    return only(into, f"*-{python}-*.whl")


def replace(place: Path, made: Path, beside: Path) -> None:
    """The folder made becomes `place`, which is the old one or the new one at any time, never a part.

    beside: a folder of the same disk as `place`, to copy to, for what was made may be on another.
    """
    try:
        shutil.copytree(made, fresh(beside), dirs_exist_ok=True)
        with undisturbed():
            shutil.rmtree(place, ignore_errors=True)
            beside.rename(place)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
