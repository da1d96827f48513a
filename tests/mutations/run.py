"""Makes small wrong changes to the library, one at a time, and sees that the tests notice each.

    python tests/mutations/run.py            # all of mutations.toml
    python tests/mutations/run.py M-05 meter # those whose name contains one of these words

Each change is made to a copy of the installed package, in a process of its own; the tests that are named for it must
fail with it, and pass without. A change that goes unseen is a promise that nothing holds to: exit code 1.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("mutations.toml")
AT_ONCE = 2
LIMIT = 600
"""Seconds for the tests of one change: a wrong change may make them hang, which counts as noticed."""


@dataclass(frozen=True, slots=True)
class Mutation:
    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def mutations() -> list[Mutation]:
    """What the list has, in its order."""
    document: dict[str, Any] = tomllib.loads(LIST.read_text())
    return [
        Mutation(row["name"], row["file"], row["old"], row["new"], tuple(row["tests"])) for row in document["mutation"]
    ]


def installed() -> Path:
    """The folder of the package the tests are to run against."""
    spec = find_spec("ocpp16")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def copy_of(package: Path, target: Path) -> Path:
    """The package and its data in `target`, ready to be imported from there."""
    copy = target / "ocpp16"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    if not (copy / "share").exists():
        shutil.copytree(ROOT / "share", copy / "share")
    return copy


def fails(target: Path, tests: tuple[str, ...]) -> bool:
    """Do the tests fail against the package in `target`?"""
    plugins = ["pytest_trio.plugin", "pytest_timeout", "_hypothesis_pytestplugin"]
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "-q", "-x"]
    command += [option for plugin in plugins for option in ("-p", plugin)]
    command += ["-p", "no:cacheprovider", *(str(ROOT / "tests" / test) for test in tests)]
    environment = {**os.environ, "PYTHONPATH": str(target), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    try:
        done = subprocess.run(command, cwd=target, env=environment, capture_output=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return True
    if done.returncode not in (0, 1):
        raise SystemExit(f"the tests {tests} did not run:\n{done.stdout.decode(errors='replace')[-3000:]}")
    return done.returncode == 1


def is_noticed(package: Path, mutation: Mutation) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        file = copy_of(package, Path(folder)) / mutation.file
        text = file.read_text()
        if text.count(mutation.old) != 1:
            raise SystemExit(f"{mutation.name}: its text is not once in {mutation.file}")
        file.write_text(text.replace(mutation.old, mutation.new))
        return fails(Path(folder), mutation.tests)


def main(words: list[str]) -> int:
    package = installed()
    chosen = [one for one in mutations() if not words or any(word in one.name for word in words)]
    with tempfile.TemporaryDirectory() as folder:
        copy_of(package, Path(folder))
        if chosen and fails(Path(folder), tuple(sorted({test for one in chosen for test in one.tests}))):
            print("the tests fail without any change", file=sys.stderr)
            return 1
    unseen = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for mutation, noticed in zip(chosen, pool.map(lambda one: is_noticed(package, one), chosen), strict=True):
            print(f"{'noticed' if noticed else 'UNSEEN '}  {mutation.name}", flush=True)
            if not noticed:
                unseen.append(mutation.name)
    print(f"{len(chosen) - len(unseen)} of {len(chosen)} small wrong changes are noticed")
    return 1 if unseen else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
