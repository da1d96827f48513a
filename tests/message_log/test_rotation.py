"""Which files are kept: the newest, by what their suffixes mean."""

from pathlib import Path

import pytest

from ocpp16.message_log.rotation import Rotation

SECOND = 1_000_000
NOON = 1_769_860_800 * SECOND


def rotate(folder: Path, rotation: Rotation, content: str, at: int = NOON) -> int:
    live = folder / "cp.log"
    live.write_text(content)
    return rotation.rotate(live, at)


def contents(folder: Path) -> dict[str, str]:
    return {path.name.removeprefix("cp.log."): path.read_text() for path in folder.iterdir()}


def test_numbers_go_up_with_age_beyond_nine(tmp_path: Path) -> None:
    for number in range(13):
        rotate(tmp_path, Rotation(1, 0, False), str(number))
    assert contents(tmp_path) == {str(12 - number): str(number) for number in range(13)}


@pytest.mark.parametrize("is_dated", [False, True])
@pytest.mark.parametrize("count", [2, 3, 12])
def test_the_oldest_goes(tmp_path: Path, count: int, is_dated: bool) -> None:
    """With the live file there are never more than `count`."""
    deleted = sum(
        rotate(tmp_path, Rotation(1, count, is_dated), f"{number:02}", NOON + number * SECOND) for number in range(15)
    )
    assert sorted(contents(tmp_path).values()) == [f"{number:02}" for number in range(15)][-(count - 1) :]
    assert deleted == 15 - (count - 1)


def test_one_file_is_only_the_live_one(tmp_path: Path) -> None:
    assert rotate(tmp_path, Rotation(1, 1, False), "x") == 1
    assert contents(tmp_path) == {}


def test_two_of_one_second_are_two(tmp_path: Path) -> None:
    for number in range(12):
        rotate(tmp_path, Rotation(1, 0, True), str(number))
    assert contents(tmp_path)["20260131120000"] == "0"
    assert contents(tmp_path)["20260131120000-11"] == "11"
    rotate(tmp_path, Rotation(1, 3, True), "12")
    assert sorted(contents(tmp_path).values()) == ["11", "12"]


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    for name in ("cp.log.txt", "cp.log.1.gz", "cp.log.", "cp.log.20260131", "other.log.1", "cp.log.²"):
        (tmp_path / name).write_text("mine")
    for number in range(4):
        rotate(tmp_path, Rotation(1, 2, False), str(number))
    kept = {path.name for path in tmp_path.iterdir() if path.read_text() == "mine"}
    assert kept >= {"cp.log.txt", "cp.log.1.gz", "cp.log.", "other.log.1", "cp.log.²"}


def test_files_of_the_other_manner_are_older(tmp_path: Path) -> None:
    rotate(tmp_path, Rotation(1, 0, False), "numbered")
    rotate(tmp_path, Rotation(1, 0, True), "dated")
    rotate(tmp_path, Rotation(1, 3, True), "last")
    assert sorted(contents(tmp_path).values()) == ["dated", "last"]


def test_a_gap_among_the_numbers_is_used(tmp_path: Path) -> None:
    (tmp_path / "cp.log.0").write_text("b")
    (tmp_path / "cp.log.2").write_text("a")
    rotate(tmp_path, Rotation(1, 0, False), "c")
    assert contents(tmp_path) == {"0": "c", "1": "b", "2": "a"}


@pytest.mark.parametrize("name", ["01", "00", "\N{ARABIC-INDIC DIGIT ONE}", "20260131101530-00", "1x"])
def test_a_name_that_rotation_does_not_give_is_nobodys_business(tmp_path: Path, name: str) -> None:
    (tmp_path / f"cp.log.{name}").write_text("theirs")
    for number in range(4):
        rotate(tmp_path, Rotation(1, 3, False), str(number))
    assert contents(tmp_path) == {name: "theirs", "0": "3", "1": "2"}


@pytest.mark.parametrize("rotation", [Rotation(1, 1, False), Rotation(1, 3, False), Rotation(1, 3, True)])
def test_files_that_somebody_else_takes_away_meanwhile_are_no_fault(
    tmp_path: Path, rotation: Rotation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        rotate(tmp_path, rotation, str(number))
    seen = [path.name for path in tmp_path.iterdir()]
    monkeypatch.setattr("os.listdir", lambda folder: seen)
    for path in tmp_path.iterdir():
        path.unlink()
    assert rotation.rotate(tmp_path / "cp.log", NOON) == 0
    monkeypatch.undo()
    assert contents(tmp_path) == {}
