"""Makes small wrong changes to the library, one at a time, and sees that the tests notice each.

    python tests/mutations/run.py            # all of mutations.toml
    python tests/mutations/run.py M-05 meter # those whose kind or name contains one of these words
    python tests/mutations/run.py growth:    # those of a kind

Each change is made to a copy of the installed package, in a process of its own; the tests that are named for it must
fail with it, and pass without. A change that goes unseen is a promise that nothing holds to: exit code 1. Exit code 2:
a word that is in none of the names, or a list that does not fit the package any more.
"""

import argparse
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
LIMIT = 600
"""Seconds for the tests of one change: a wrong change may make them hang, which counts as noticed."""


class Unusable(Exception):
    """What was asked for, or the list, cannot be used: nothing is known of the tests."""


@dataclass(frozen=True, slots=True)
class Mutation:
    name: str
    """Kind and name, as they are shown."""
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def mutations() -> list[Mutation]:
    """What the list has, in its order."""
    document: dict[str, Any] = tomllib.loads(LIST.read_text())
    return [
        Mutation(f"{row['kind']}: {row['name']}", row["file"], row["old"], row["new"], tuple(row["tests"]))
        for row in document["mutation"]
    ]


def chosen_by(words: list[str]) -> list[Mutation]:
    """Those that one of the words is in; all, if there are none. Raises Unusable for a word that is in none."""
    known = mutations()
    for word in words:
        if not any(word in one.name for one in known):
            kinds = ", ".join(dict.fromkeys(one.name.partition(":")[0] for one in known))
            raise Unusable(f"no small wrong change has {word!r} in its name; the kinds are {kinds}")
    return [one for one in known if not words or any(word in one.name for word in words)]


def installed() -> Path:
    """The folder of the package the tests are to run against."""
    spec = find_spec("ocpp16")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def copy_of(package: Path, target: Path) -> Path:
    """The package and its data in `target`, ready to be imported from there."""
    copy = target / "ocpp16"
    shutil.copytree(package, copy)  # what was compiled before counts there, too: times of files are copied
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
    environment["OCPP16_UNCOMPILED"] = "1"  # a change of a source counts though that is compiled as well
    try:
        done = subprocess.run(command, cwd=target, env=environment, capture_output=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return True
    if done.returncode not in (0, 1):
        raise Unusable(f"the tests {', '.join(tests)} did not run:\n{done.stdout.decode(errors='replace')[-3000:]}")
    return done.returncode == 1


def is_noticed(package: Path, mutation: Mutation) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        file = copy_of(package, Path(folder)) / mutation.file
        text = file.read_text()
        if text.count(mutation.old) != 1:
            raise Unusable(f"{mutation.name}: its text is not once in {mutation.file}")
        file.write_text(text.replace(mutation.old, mutation.new))
        return fails(Path(folder), mutation.tests)


def run(chosen: list[Mutation], at_once: int) -> list[str]:
    """Try each. Returns the names of those that no test notices; raises Unusable if the tests fail by themselves."""
    package = installed()
    unseen = []
    pool = ThreadPoolExecutor(at_once)
    try:
        tests = sorted({test for one in chosen for test in one.tests})
        with tempfile.TemporaryDirectory() as folder:
            copy_of(package, Path(folder))
            parts = [tuple(tests[first::at_once]) for first in range(min(at_once, len(tests)))]
            if any(list(pool.map(lambda part: fails(Path(folder), part), parts))):
                raise Unusable("the tests fail without any change")
        for mutation, noticed in zip(chosen, pool.map(lambda one: is_noticed(package, one), chosen), strict=True):
            print(f"{'noticed' if noticed else 'UNSEEN '}  {mutation.name}", flush=True)
            if not noticed:
                unseen.append(mutation.name)
    finally:
        pool.shutdown(cancel_futures=True)
    return unseen


def main() -> int:
    usage, _, _ = (__doc__ or "").partition("Each change")
    parser = argparse.ArgumentParser(description=usage, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="WORD", help="a part of a kind or name in mutations.toml")
    parser.add_argument("--at-once", type=int, default=2, metavar="N", help="how many are tried at a time (default: 2)")
    options = parser.parse_args()
    if options.at_once < 1:
        parser.error("--at-once must be at least 1")
    try:
        chosen = chosen_by(options.words)
        unseen = run(chosen, options.at_once)
    except Unusable as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 2
    print(f"{len(chosen) - len(unseen)} of {len(chosen)} small wrong changes are noticed")
    return 1 if unseen else 0


if __name__ == "__main__":
    raise SystemExit(main())
