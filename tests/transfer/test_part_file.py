"""The part beside a target: what is built upon, and what never takes the target's place."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from ocpp16.transfer import discard_part, part_file
from ocpp16.transfer.part_file import PartFile

FP = "0" * 64


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "fw.bin"


def left(target: Path, data: bytes = b"0123456789", validator: str = 'etag "a"') -> None:
    """An attempt that got so far."""
    part = PartFile(target, FP)
    part.begin(0, None, validator)
    part.write(data)
    part.leave(is_kept=True)


def part_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.part")


def record_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.part.json")


def test_whole_or_not_at_all(target: Path) -> None:
    target.write_bytes(b"old")
    part = PartFile(target, FP)
    part.begin(0, 10, "v 1")
    part.write(b"01234")
    assert target.read_bytes() == b"old"
    part.write(b"56789")
    part.finish()
    assert target.read_bytes() == b"0123456789"
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in target.parent.iterdir()] == ["fw.bin"]


def test_on_disk_before_it_has_the_name(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(number: int) -> None:
        done.append("fsync")
        fsync(number)

    def noted_replace(path: Path, target: Path) -> Path:
        done.append("name")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    part = PartFile(target, FP)
    part.begin(0, None, "")
    part.write(b"new")
    part.finish()
    assert done == ["fsync", "name", "fsync"]  # content, name, and the folder that holds the name


def test_what_was_left_is_built_upon(target: Path) -> None:
    left(target)
    part = PartFile(target, FP)
    assert (part.held, part.validator) == (10, 'etag "a"')
    part.begin(10, 12, 'etag "a"')
    part.write(b"ab")
    part.finish()
    assert target.read_bytes() == b"0123456789ab"


def test_another_version_begins_anew(target: Path) -> None:
    left(target)
    part = PartFile(target, FP)
    part.begin(0, None, 'etag "b"')
    assert not record_of(target).exists()  # it vouches for what is gone
    part.write(b"new")
    part.finish()
    assert target.read_bytes() == b"new"


def test_an_offset_between_is_refused(target: Path) -> None:
    left(target)
    part = PartFile(target, FP)
    with pytest.raises(ValueError, match="cannot go on at 5"):
        part.begin(5, None, 'etag "a"')
    part.close()


def test_what_was_written_after_the_record_is_fetched_again(target: Path) -> None:
    left(target)
    with part_of(target).open("ab") as file:
        file.write(b"\0" * 100)  # as a power cut leaves it
    part = PartFile(target, FP)
    assert part.held == 10
    part.begin(10, None, part.validator)
    part.write(b"ab")
    part.finish()
    assert target.read_bytes() == b"0123456789ab"


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"[" * 50_000,
        b"[]",
        b"{}",
        json.dumps({"location": "1" * 64, "validator": "v", "held": 10}).encode(),
        json.dumps({"location": FP, "validator": "", "held": 10}).encode(),
        json.dumps({"location": FP, "validator": "v\r\nX: y", "held": 10}).encode(),
        json.dumps({"location": FP, "validator": "v", "held": 11}).encode(),
        json.dumps({"location": FP, "validator": "v", "held": -1}).encode(),
        json.dumps({"location": FP, "validator": "v", "held": "10"}).encode(),
        json.dumps({"location": FP, "validator": 1, "held": 10}).encode(),
    ],
)
def test_a_record_that_cannot_be_vouches_for_nothing(target: Path, record: bytes) -> None:
    left(target)
    record_of(target).write_bytes(record)
    part = PartFile(target, FP)
    assert (part.held, part.validator) == (0, "")
    part.close()


def test_without_a_validator_nothing_is_kept(target: Path) -> None:
    for validator in ("", "ä", "a\nb", "v" * 5_000):
        left(target, validator=validator)
        assert list(target.parent.iterdir()) == []


def test_bytes_are_durable_every_now_and_then(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_file, "SYNC_INTERVAL", 4)
    part = PartFile(target, FP)
    part.begin(0, None, "v")
    part.write(b"0123456")
    assert json.loads(record_of(target).read_bytes())["held"] == 7
    part.write(b"789")
    assert json.loads(record_of(target).read_bytes())["held"] == 7
    part.close()  # killed


def test_one_at_a_time(target: Path) -> None:
    part = PartFile(target, FP)
    with pytest.raises(BlockingIOError):
        PartFile(target, FP)
    with pytest.raises(BlockingIOError):
        discard_part(target)
    part.leave(is_kept=False)
    PartFile(target, FP).leave(is_kept=False)


def test_a_part_that_was_finished_while_it_was_waited_for(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = PartFile(target, FP)
    first.begin(0, None, "")
    first.write(b"first")
    opened = os.open

    def others_finish(path: Any, *arguments: Any) -> int:
        number = opened(path, *arguments)
        if Path(path) == part_of(target):
            monkeypatch.setattr(os, "open", opened)
            first.finish()
        return number

    monkeypatch.setattr(os, "open", others_finish)
    second = PartFile(target, FP)
    second.begin(0, None, "")
    second.write(b"second")
    assert target.read_bytes() == b"first"
    second.finish()
    assert target.read_bytes() == b"second"


def test_what_is_no_file_of_ours(target: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    part_of(target).symlink_to(victim)
    with pytest.raises(OSError, match=r"."):
        PartFile(target, FP)
    assert victim.read_bytes() == b"precious"
    part_of(target).unlink()
    os.mkfifo(part_of(target))
    with pytest.raises(OSError, match="no regular file"):
        PartFile(target, FP)
    with pytest.raises(IsADirectoryError):
        PartFile(tmp_path, FP)


def test_a_file_for_which_there_is_no_room_is_not_begun(target: Path) -> None:
    part = PartFile(target, FP)
    with pytest.raises(OSError, match="for 4,611,686,018,427,387,904 bytes") as caught:
        part.begin(0, 2**62, "v")
    assert caught.value.errno == errno.ENOSPC
    part.leave(is_kept=True)
    assert list(target.parent.iterdir()) == []


def test_a_disk_that_fails_at_the_end_leaves_the_target_and_no_part(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target.write_bytes(b"old")
    part = PartFile(target, FP)
    part.begin(0, None, "v")
    part.write(b"new")

    def fails(number: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="Input/output"):
        part.finish()
    part.leave(is_kept=True)
    assert target.read_bytes() == b"old"
    assert [path.name for path in target.parent.iterdir()] == ["fw.bin"]


def test_it_is_discarded(target: Path) -> None:
    discard_part(target)  # nothing is there
    left(target)
    assert part_of(target).exists()
    assert record_of(target).exists()
    discard_part(target)
    assert list(target.parent.iterdir()) == []
