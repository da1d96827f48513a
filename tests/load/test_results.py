"""Results as a file: whole, and never in the place of what is none."""

import os
from pathlib import Path

import load_results
import pytest

from ocpp16.load.results import Results


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    link = tmp_path / "link.json"
    link.symlink_to("folder/results.json")
    load_results.results().save(link)
    load_results.results(seed=8).save(link)
    assert link.is_symlink()
    assert Results.load(tmp_path / "folder" / "results.json").seed == 8
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["results.json"]


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to("pipe")
    for path in (pipe, tmp_path / "link", tmp_path):
        with pytest.raises(OSError, match="is no regular file"):
            load_results.results().save(path)
    assert pipe.is_fifo()


def test_one_that_fails_half_way_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "results.json"
    load_results.results().save(path)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        load_results.results(seed=8).save(path)
    assert Results.load(path).seed == 7
    assert [one.name for one in tmp_path.iterdir()] == ["results.json"]
