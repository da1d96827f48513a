"""The list of small wrong changes is up to date: each is a change of something that is there."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_each_text_is_there_once_and_its_tests_exist() -> None:
    rows = tomllib.loads((ROOT / "tests" / "mutations" / "mutations.toml").read_text())["mutation"]
    assert len({row["name"] for row in rows}) == len(rows) > 20
    for row in rows:
        text = (ROOT / "ocpp16" / row["file"]).read_text()
        assert text.count(row["old"]) == 1, f"{row['name']}: its text is not once in {row['file']}"
        assert row["new"] != row["old"]
        for test in row["tests"]:
            assert (ROOT / "tests" / test).exists(), f"{row['name']}: there is no {test}"
