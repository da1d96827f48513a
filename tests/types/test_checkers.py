"""What a type checker says of the installed package to its users: every type is known, programs of theirs pass strictly
without ignoring anything, and their mistakes are refused.

Two checkers, since each infers in its own way what is not said. basedpyright is pyright as a wheel that has node in it,
so that nothing is fetched when it runs.
"""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PROGRAMS = sorted(path for path in HERE.glob("*.py") if not path.name.startswith("test_"))
LONGEST = 800
"""Seconds that a checker may take, on a machine twenty times slower than ours."""
STRICT = {
    "typeCheckingMode": "strict",
    "enableTypeIgnoreComments": False,  # those are for mypy
    "reportUnnecessaryTypeIgnoreComment": "error",
}

with_pyright = pytest.mark.skipif(find_spec("basedpyright") is None, reason="basedpyright is not installed")


def run(module: str, *arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """The checker of this environment, from a folder without sources of ours: it sees what is installed."""
    # pyright asks the first `python` of PATH where packages are.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A user's project with the programs."""
    for program in PROGRAMS:
        shutil.copy(program, tmp_path)
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(STRICT))
    return tmp_path


@with_pyright
def test_every_type_is_known(tmp_path: Path) -> None:
    """`--ignoreexternal`: those of trio, wsproto, click and the standard library itself (`Decimal`) are not all."""
    ran = run("basedpyright", "--verifytypes", "ocpp16", "--ignoreexternal", "--outputjson", folder=tmp_path)
    found: dict[str, Any] = json.loads(ran.stdout)["typeCompleteness"]
    unknown = [
        f"{symbol['name']}: " + "; ".join(" ".join(told["message"].split()) for told in symbol["diagnostics"])
        for symbol in found["symbols"]
        if not symbol["isTypeKnown"] or symbol["isTypeAmbiguous"]
    ]
    assert unknown == []
    assert found["completenessScore"] == 1
    assert found["pyTypedPath"]
    modules = {module["name"] for module in found["modules"]}
    assert {"ocpp16.codec", "ocpp16.blocking", "ocpp16.rpc.session"} - modules == set()
    assert found["exportedSymbolCounts"]["withKnownType"] > 10_000


@with_pyright
def test_pyright_takes_programs_and_refuses_mistakes(project: Path) -> None:
    ran = run("basedpyright", "--outputjson", ".", folder=project)
    told = json.loads(ran.stdout)
    assert [
        f"{Path(one['file']).name}:{one['range']['start']['line'] + 1}: {one['message']}"
        for one in told["generalDiagnostics"]
    ] == []
    assert told["summary"]["filesAnalyzed"] == len(PROGRAMS)


def test_mypy_takes_programs_and_refuses_mistakes(project: Path) -> None:
    names = [program.name for program in PROGRAMS]
    ran = run("mypy", "--strict", "--config-file=", "--cache-dir", "cache", *names, folder=project)
    assert (ran.returncode, ran.stdout) == (0, f"Success: no issues found in {len(names)} source files\n")


@pytest.mark.parametrize("program", [path for path in PROGRAMS if path.name != "mistakes.py"], ids=lambda it: it.stem)
def test_a_program_ignores_nothing(program: Path) -> None:
    text = program.read_text()
    assert "ignore" not in text.replace("ignored", "")
    assert "cast(" not in text
