"""The interpreters of this machine that a wheel is for, and what is installed into a clean environment of each."""

import os
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from running import ROOT, Runner, StepFailed

NAMES = ("python3.11", "python3.12", "python3.13", "python3.14", "python3.13t", "python3.14t", "python3")
OLDEST = (3, 11)
ASKED = """
import importlib.util, os, sys, sysconfig
print(*sys.version_info[:3], int(bool(sysconfig.get_config_var("Py_GIL_DISABLED"))))
print(importlib.util.find_spec("ensurepip") is not None)
print(os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))
"""


@dataclass(frozen=True, slots=True)
class Python:
    path: Path
    version: tuple[int, int, int]
    is_free_threaded: bool

    @property
    def tag(self) -> str:
        """As in the name of a wheel."""
        major, minor, _ = self.version
        return f"cp{major}{minor}-cp{major}{minor}{'t' if self.is_free_threaded else ''}"

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.version))}{' free-threaded' if self.is_free_threaded else ''} ({self.path})"


class Unfit(Exception):
    """Nothing can be built for it, or tested in it, and why."""


class TooOld(Unfit):
    """As there are some on most machines; of no interest unless it was asked for."""


def asked(path: Path) -> Python:
    """`path`: also the name of one on PATH as it is now: for commands the tools of a release come first there.

    Raises `Unfit` for what does not run, is too old, or cannot make environments or compile (no headers).
    """
    there = shutil.which(path)
    if there is None:
        raise Unfit(f"{path} does not run: there is no such program")
    path = Path(there).absolute()
    try:
        done = subprocess.run([str(path), "-c", ASKED], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as reason:
        raise Unfit(f"{path} does not run: {reason}") from None
    if done.returncode != 0:
        raise Unfit(f"{path} is no Python 3: it ended with {done.returncode}")
    try:
        numbers, has_environments, has_headers = done.stdout.splitlines()
        major, minor, micro, free = map(int, numbers.split())
    except ValueError:
        raise Unfit(f"{path} is no Python 3: it said {done.stdout[:60]!r}") from None
    if (major, minor) < OLDEST:
        raise TooOld(f"{path} is Python {major}.{minor}, and {'.'.join(map(str, OLDEST))} is the oldest that will do")
    if has_environments != "True":
        raise Unfit(f"{path} cannot make environments: it has no ensurepip (Debian: python3-venv)")
    if has_headers != "True":
        raise Unfit(f"{path} cannot compile: it has no Python.h (Debian: python3-dev)")
    return Python(path, (major, minor, micro), bool(free))


def found() -> tuple[list[Python], list[Unfit]]:
    """Those on PATH, in /usr/bin, and of pyenv; each once, the oldest first. And what is called like one and unfit."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders = [folder for folder in folders if folder != pyenv / "shims"]
    folders += [Path("/usr/bin"), *sorted(pyenv.glob("versions/*/bin"))]
    pythons: dict[Path, Python] = {}
    unfit: dict[Path, Unfit] = {}
    for folder in folders:
        for name in NAMES:
            path = folder / name
            if shutil.which(path) and path.resolve() not in {*pythons, *unfit}:
                try:
                    pythons[path.resolve()] = asked(path)
                except Unfit as reason:
                    unfit[path.resolve()] = reason
    told = [reason for reason in unfit.values() if not isinstance(reason, TooOld)]
    return sorted(pythons.values(), key=lambda python: (python.version, str(python.path))), told


def environment(runner: Runner, python: Python | Path, folder: Path, *requirements: str | Path) -> Path:
    """A new virtual environment with these; its interpreter."""
    runner.run(python.path if isinstance(python, Python) else python, "-m", "venv", "--clear", folder)
    inside = folder / "bin" / "python"
    runner.run(inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements)
    return inside


def settings() -> dict[str, Any]:
    """Of cibuildwheel in pyproject.toml: which tests a wheel has to pass, and what they need, is said there alone."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    of_wheels: dict[str, Any] = document["tool"]["cibuildwheel"]
    return of_wheels


def oldest_that_will_do() -> list[str]:
    """What a station and the command need, each in the version that is its lower bound."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["cli"]
    found = [re.fullmatch(r"([\w-]+)>=([\d.]+)(?:,<[\d.]+)?", requirement) for requirement in wanted]
    if None in found:
        raise StepFailed(f"pyproject.toml: {wanted[found.index(None)]!r} is not of the form name>=1.2 or name>=1.2,<2")
    return [f"{bound[1]}=={bound[2]}" for bound in found if bound is not None]


def test_in(runner: Runner, python: Python, wheel: Path, project: Path, folder: Path, *, beside: Sequence[str]) -> str:
    """Install the wheel beside nothing else, run its tests from outside the source tree; the closing line of pytest.

    beside: what has to be there in just these versions.
    """
    options = settings()
    ours = f"{wheel}[{','.join(options['test-extras'])}]"
    inside = environment(runner, python, folder, ours, *beside, *options["test-requires"])
    where = runner.run(inside, "-c", "import ocpp16; print(ocpp16.__file__)", cwd=folder).strip()
    if not Path(where).is_relative_to(folder):
        raise StepFailed(f"the tests would run on {where}, which is not what was installed into {folder}")
    words = shlex.split(options["test-command"].replace("{project}", str(project)))
    return runner.run(inside, *words[1:], cwd=folder, env=options["test-environment"]).strip().splitlines()[-1]
