"""The environment that `ci/test`, `ci/bench` and `ci/demo` make where there is none, or another; what comes in."""

import os
import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest
from running import ROOT

PYTHON = """#!/bin/sh
case "$*" in
*" venv "*)
    mkdir -p .venv/bin
    ln -sf "$0" .venv/bin/python
    echo "VIRTUAL_ENV='$(pwd -P)/.venv'" > .venv/bin/activate
    ;;
*pip*) exit 0 ;;
*base_prefix*) readlink -f "$0" ;;
esac
"""
"""Is new enough for everything, and makes environments in which it is the interpreter."""


def interpreter(folder: Path, text: str = PYTHON) -> Path:
    folder.mkdir(parents=True)
    path = folder / "python3"
    path.write_text(text, encoding="ascii")
    path.chmod(0o755)
    return path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """In a folder as users have them, with a program that does nothing else."""
    folder = tmp_path / "Gerät ladend" / "ocpp16"
    (folder / "ci").mkdir(parents=True)
    (folder / "ci" / "environment").symlink_to(ROOT / "ci" / "environment")
    program = folder / "ci" / "test"
    program.write_text("#!/usr/bin/env bash\nset -euo pipefail\n. ci/environment\n", encoding="ascii")
    program.chmod(0o755)
    return folder


def run(checkout: Path, python: Path | None = None, path: str = os.defpath) -> tuple[int, str]:
    surroundings = {"PATH": path, "LANG": "C"} | ({} if python is None else {"PYTHON": str(python)})
    done = subprocess.run(["ci/test"], cwd=checkout, env=surroundings, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_one_is_made_and_kept(checkout: Path, tmp_path: Path) -> None:
    python = interpreter(tmp_path / "a place" / "bin")
    assert run(checkout, python) == (0, "")
    kept = checkout / ".venv" / "kept"
    kept.touch()
    assert run(checkout, python) == (0, "")
    assert run(checkout) == (0, ""), "whatever Python the machine has"
    assert kept.exists()


ANEW = "making .venv anew: it does not work here, or is of another Python\n"


def test_one_of_another_python_or_another_place_is_made_anew(checkout: Path, tmp_path: Path) -> None:
    python, other = interpreter(tmp_path / "one"), interpreter(tmp_path / "two")
    assert run(checkout, python) == (0, "")
    assert run(checkout, other) == (0, ANEW)
    assert run(checkout, other) == (0, "")
    moved = checkout.rename(checkout.with_name("moved"))
    assert run(moved, other) == (0, ANEW)
    (moved / ".venv" / "bin" / "python").unlink()  # half made
    assert run(moved, other) == (0, ANEW)
    assert run(moved, other) == (0, "")


def test_no_python_that_will_do_is_told(checkout: Path, tmp_path: Path) -> None:
    old = interpreter(tmp_path / "old", "#!/bin/sh\nexit 1\n")
    assert run(checkout, old) == (2, f"ci/test: PYTHON={old} is not Python 3.11 or newer\n")
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("bash", "grep"):
        found = next(path for folder in os.defpath.split(":") if (path := Path(folder, tool)).exists())
        (tools / tool).symlink_to(found)
    said = "ci/test: Python 3.11 or newer is needed and none is on PATH; set PYTHON to one\n"
    assert run(checkout, path=f"{old.parent}:{tools}") == (2, said)


def test_what_earlier_builds_left_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from setuptools import Distribution  # type: ignore[import-untyped]

    given: dict[str, Any] = {}
    monkeypatch.setattr("setuptools.setup", lambda **words: given.update(words))
    runpy.run_path(str(ROOT / "setup.py"))
    distribution = Distribution({"packages": ["ocpp16"], "package_dir": {"": str(ROOT)}, "script_name": "setup.py"})
    monkeypatch.setattr(distribution.get_command_obj("build"), "build_lib", str(tmp_path))
    command = given["cmdclass"]["build_ext"](distribution)
    command.ensure_finalized()
    made = [tmp_path / "ocpp16" / name for name in ("__init__.py", "made.pyi")]
    gone = [tmp_path / "ocpp16" / name for name in ("gone.py", "rpc/not_compiled_now.so")]
    for path in (*made, *gone):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    command.forget_all_but({made[1]})
    assert [path.exists() for path in (*made, *gone)] == [True, True, False, False]
