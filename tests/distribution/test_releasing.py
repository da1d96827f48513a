"""What a release does with a machine that is not as it should be: unfit Pythons, a full disk, Ctrl-C."""

import os
import runpy
import signal
import sys
import threading
import time
import tomllib
from pathlib import Path

import building
import papers
import pytest
import pythons
import sizes
from running import ROOT, Runner, undisturbed


def interpreter(folder: Path, said: str, code: int = 0) -> Path:
    """Something called python3 that answers so, whatever it is asked."""
    path = folder / "python3"
    path.write_text(f"#!/bin/sh\nprintf '%s' '{said}'\nexit {code}\n", encoding="ascii")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("said", "code", "why"),
    [
        ("", 2, "it ended with 2"),
        ("Hello", 0, "it said 'Hello'"),
        ("3 10 13 0\nTrue\nTrue\n", 0, "is Python 3.10, and 3.11 is the oldest"),
        ("3 13 0 0\nFalse\nTrue\n", 0, "ensurepip"),
        ("3 13 0 0\nTrue\nFalse\n", 0, "Python.h"),
    ],
)
def test_an_unfit_python_is_named_with_what_it_lacks(tmp_path: Path, said: str, code: int, why: str) -> None:
    path = interpreter(tmp_path, said, code)
    with pytest.raises(pythons.Unfit) as caught:
        pythons.asked(path)
    assert str(caught.value).startswith(str(path))
    assert why in str(caught.value)


def test_a_python_that_is_not_there_is_named() -> None:
    with pytest.raises(pythons.Unfit, match="/nowhere/python3 does not run"):
        pythons.asked(Path("/nowhere/python3"))


def test_a_python_that_is_asked_for_by_its_name_is_the_one_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which commands would look for among the tools of a release first."""
    path = interpreter(tmp_path, "3 13 0 0\nTrue\nTrue\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert pythons.asked(Path("python3")).path == path
    monkeypatch.chdir(tmp_path.parent)
    assert pythons.asked(Path(tmp_path.name, "python3")).path == path


def test_fit_and_unfit_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "free").mkdir()
    (tmp_path / "old").mkdir()
    free = interpreter(tmp_path / "free", "3 14 1 1\nTrue\nTrue\n")
    (tmp_path / "bare").mkdir()
    old = interpreter(tmp_path / "old", "3 9 2 0\nTrue\nTrue\n")
    bare = interpreter(tmp_path / "bare", "3 14 1 0\nTrue\nFalse\n")
    monkeypatch.setenv("PATH", os.pathsep.join([*(str(path.parent) for path in (free, old, bare)), "/bin"]))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "none"))
    found, unfit = pythons.found()
    assert [python.tag for python in found if python.path == free] == ["cp314-cp314t"]
    told = [str(reason) for reason in unfit]
    assert any(line.startswith(str(bare)) for line in told)
    assert not any(line.startswith(str(old)) for line in told), "every machine has some of those"


def test_what_was_released_is_replaced_as_a_whole(tmp_path: Path) -> None:
    place, made, beside = tmp_path / "dist", tmp_path / "made", tmp_path / "build" / "dist"
    for folder, text in ((place, "old"), (made, "new"), (beside, "left by one that was killed")):
        folder.mkdir(parents=True)
        (folder / text).touch()
    (made / "nowhere").symlink_to(made / "gone")  # what cannot be copied, as on a full disk
    with pytest.raises(OSError, match="nowhere"):
        building.replace(place, made, beside)
    assert [path.name for path in place.iterdir()] == ["old"]
    assert not beside.exists()
    (made / "nowhere").unlink()
    building.replace(place, made, beside)
    assert [path.name for path in place.iterdir()] == ["new"]
    assert not beside.exists()


def test_who_interrupts_the_end_is_told_that_it_was_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = runpy.run_path(str(ROOT / "ci" / "releasing" / "__main__.py"), run_name="steps")
    monkeypatch.setattr(building, "replace", lambda *folders: os.kill(os.getpid(), signal.SIGINT))
    release = steps["Release"](tmp_path, [], Runner(), is_rehearsal=True)
    with pytest.raises(KeyboardInterrupt):
        release.finish()
    assert release.is_done


def test_a_signal_waits_until_what_must_not_be_disturbed_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever threads there are, which the kernel may choose to tell."""
    came: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: came.append(number))
    is_over = threading.Event()
    other = threading.Thread(target=is_over.wait)
    other.start()
    try:
        with undisturbed():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.05)  # for the other thread to be told
            assert came == []
        assert came == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)
        is_over.set()
        other.join()


def test_a_command_has_the_folder_for_what_is_temporary(tmp_path: Path) -> None:
    told = Runner(environment={"TMPDIR": str(tmp_path)}).run(
        sys.executable, "-c", "import tempfile; print(tempfile.gettempdir())"
    )
    assert told.strip() == str(tmp_path)


def test_the_bill_of_all_has_every_extra_of_users() -> None:
    """Which the page about installing lists."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = document["project"]["optional-dependencies"]
    assert {*papers.extras(), "test"} == set(extras)
    page = (ROOT / "docs" / "installing.md").read_text(encoding="utf-8")
    assert [name for name in extras if f"| `{name}` | " not in page] == []


def test_lower_bounds_are_read_as_versions() -> None:
    found = pythons.oldest_that_will_do()
    assert [name.split("==")[0] for name in found][:3] == ["trio", "wsproto", "orjson"]
    assert "rich" in {name.split("==")[0] for name in found}
    assert not [name for name in found if "<" in name or ">" in name or "," in name]


def test_sizes_are_told_by_storey(tmp_path: Path) -> None:
    for name, count in (
        ("rpc/a.so", 3000),
        ("rpc/a.py", 40),
        ("page/x.css", 7),
        ("top.pyi", 1),
        ("rpc/__pycache__/a", 9),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * count)
    rows = [line.split() for line in sizes.storeys(tmp_path)]
    assert rows == [
        ["bytes", "of", "units", "sources", "types", "data", "all"],
        ["rpc", "3,000", "40", "0", "0", "3,040"],
        ["page", "0", "0", "0", "7", "7"],
        ["(modules)", "0", "0", "1", "0", "1"],
        ["all", "3,000", "40", "1", "7", "3,048"],
    ]
