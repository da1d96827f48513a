"""The list of small wrong changes is up to date: each is a change of something that is there."""

import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MUTATIONS = ROOT / "tests" / "mutations"


def test_each_text_is_there_once_and_its_tests_exist() -> None:
    rows = tomllib.loads((MUTATIONS / "mutations.toml").read_text())["mutation"]
    assert len({row["name"] for row in rows}) == len(rows) > 20
    for row in rows:
        text = (ROOT / "ocpp16" / row["file"]).read_text()
        assert text.count(row["old"]) == 1, f"{row['name']}: its text is not once in {row['file']}"
        assert row["new"] != row["old"]
        for test in row["tests"]:
            file, _, function = test.partition("::")
            assert f"def {function}" in (ROOT / "tests" / file).read_text(), f"{row['name']}: there is no {test}"


def test_each_gap_of_others_has_changes_or_a_test() -> None:
    gaps = tomllib.loads((MUTATIONS / "gaps.toml").read_text())["gap"]
    known = {row["name"] for row in tomllib.loads((MUTATIONS / "mutations.toml").read_text())["mutation"]}
    assert len({gap["id"] for gap in gaps}) == len(gaps) > 70
    for gap in gaps:
        if "changes" in gap:
            assert gap["changes"], gap["id"]
            assert set(gap["changes"]) <= known, gap["id"]
        else:
            file, _, function = gap["test"].partition("::")
            assert f"def {function}" in (ROOT / "tests" / file).read_text(), gap["id"]


def test_there_are_three_of_each_kind_and_they_are_well_spread() -> None:
    document = (MUTATIONS / "mutations.toml").read_text()
    rows = tomllib.loads(document)["mutation"]
    kinds = Counter(row["kind"] for row in rows)
    for kind, count in kinds.items():
        assert count >= 3, kind
        assert len({row["file"] for row in rows if row["kind"] == kind}) >= 3, kind
        assert f"\n#   {kind} " in document, f"nothing says what {kind} means"
    assert len(kinds) == 13


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--help"], 0, "those of a kind"),
        (["nothing is called so"], 2, "no small wrong change has 'nothing is called so' in its name; the kinds are"),
        (["growth:", "grwoth:"], 2, "'grwoth:'"),
        (["--at-once", "0"], 2, "--at-once must be at least 1"),
    ],
)
def test_what_cannot_be_meant_is_said(words: list[str], code: int, said: str) -> None:
    command = [sys.executable, str(MUTATIONS / "run.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert said in (done.stderr if code else done.stdout)
