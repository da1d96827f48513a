"""Changes of files on a real disk: all of them or none, and durable before they are in force."""

import errno
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from ocpp16.security.certificate_files import DiskFiles, FileChange, Withdrawn


def test_every_byte_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)

        def noted(*arguments: Any, name: str = name, real: Any = real) -> None:
            done.append(name)
            real(*arguments)

        monkeypatch.setattr(os, name, noted)
    changes = [FileChange(tmp_path / "a.pem", b"a"), FileChange(tmp_path / "b.key", b"b", is_secret=True)]
    DiskFiles().apply(changes, lambda: True)
    assert done == ["fsync", "fsync", "replace", "fsync", "replace", "fsync"]


@pytest.mark.parametrize("has_links", [True, False])
def test_what_a_refused_change_took_away_is_there_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    """One file deleted, one replaced, one that is new, a key of another mode; the last one fails."""
    if not has_links:
        monkeypatch.setattr(os, "link", refused)
    before = {"a.pem": "old a", "b.pem": "old b", "k.key": "old key"}
    for name, text in before.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "k.key").chmod(0o600)
    (tmp_path / "link.pem").symlink_to("a.pem")
    names = sorted(path.name for path in tmp_path.iterdir())
    replace = os.replace

    def fails(source: Path, target: Path) -> None:
        if target.name == "last.pem":
            raise OSError(errno.EIO, "Input/output error")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fails)
    changes = [("a.pem", None), ("link.pem", None), ("b.pem", b"new b"), ("n.pem", b"n"), ("k.key", None)]
    with pytest.raises(OSError, match="Input/output"):
        DiskFiles().apply([FileChange(tmp_path / name, to) for name, to in [*changes, ("last.pem", b"l")]], wanted)
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert {name: (tmp_path / name).read_text() for name in before} == before
    assert (tmp_path / "link.pem").is_symlink()
    assert (tmp_path / "k.key").stat().st_mode & 0o777 == 0o600


def refused(*arguments: Any, **named: Any) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


def wanted() -> bool:
    return True


def test_two_that_write_the_same_at_once_do_not_take_away_each_others(tmp_path: Path) -> None:
    """As readers do, without a lock, with a certificate in DER: each of them prepared before one of them is done."""
    both = threading.Barrier(2, timeout=60)

    def is_wanted() -> bool:
        both.wait()
        return True

    def write() -> None:
        try:
            DiskFiles().apply([FileChange(tmp_path / "a.pem", b"a")], is_wanted)
        except OSError as error:
            failed.append(error)

    failed: list[OSError] = []
    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.pem", b"a")]


def test_what_is_not_wanted_any_more_leaves_nothing(tmp_path: Path) -> None:
    put = tmp_path / "old.pem"
    put.write_text("old")
    with pytest.raises(Withdrawn):
        DiskFiles().apply([FileChange(tmp_path / "a.pem", b"a"), FileChange(put, None)], lambda: False)
    assert [path.name for path in tmp_path.iterdir()] == ["old.pem"]
