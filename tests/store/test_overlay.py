"""The overlay of the configuration and its secrets: durable, private, and never a reason not to start."""

import json
import os
import stat
from collections.abc import Callable
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest

from ocpp16.errors import StoreError
from ocpp16.store.overlay import Overlay, TextFileWrite

CORE = {"Core": {"HeartbeatInterval": 300, "é": [1, "x"]}}
KEY = {"Security": {"AuthorizationKey": "00112233445566778899aabbccddeeff"}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "etc" / "user.json"


def write(overlay: Overlay, overrides: Any, secrets: Any = None) -> list[str]:
    writes = overlay.changes(overrides, secrets or {})
    for change in writes:
        change.write()
    assert overlay.changes(overrides, secrets or {}) == []
    return [change.target.name for change in writes]


def test_missing_files_are_an_empty_overlay(path: Path) -> None:
    overlay = Overlay(path)
    assert (overlay.document, overlay.secrets, overlay.warnings) == ({}, {}, ())
    assert not path.parent.exists()
    assert write(overlay, {}) == []


def test_what_was_written_is_read_again(path: Path) -> None:
    assert write(Overlay(path), CORE, KEY) == ["user.json.secrets", "user.json"]
    overlay = Overlay(path)
    assert (overlay.document, overlay.secrets, overlay.warnings) == (CORE, KEY, ())
    assert overlay.merged() == CORE | KEY
    assert stat.S_IMODE(overlay.secrets_path.stat().st_mode) == 0o600
    assert "AuthorizationKey" not in path.read_text()
    assert {entry.name for entry in path.parent.iterdir()} == {"user.json", "user.json.secrets"}


def test_a_byte_order_mark_of_an_editor_is_no_damage(path: Path) -> None:
    write(Overlay(path), CORE)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    overlay = Overlay(path)
    assert (overlay.document, overlay.warnings) == (CORE, ())
    write(overlay, CORE | {"Internal": {"ICCID": "1"}})
    assert json.loads(path.read_bytes()) == CORE | {"Internal": {"ICCID": "1"}}


def test_merged_sections_are_one(path: Path) -> None:
    write(Overlay(path), {"Security": {"SecurityProfile": 1}}, KEY)
    assert Overlay(path).merged() == {"Security": {"SecurityProfile": 1, **KEY["Security"]}}


def test_unchanged_content_is_not_written(path: Path) -> None:
    overlay = Overlay(path)
    write(overlay, CORE, KEY)
    assert write(overlay, {"Core": dict(reversed(CORE["Core"].items())), "Empty": {}}, KEY) == []
    assert write(Overlay(path), CORE, KEY) == []
    assert write(overlay, CORE, {}) == ["user.json.secrets"]
    before = path.stat()
    TextFileWrite(path, path.read_bytes(), 0o644, keeps_previous=True).write()
    assert path.stat() == before


def test_previous_generation_is_kept_and_comes_back(path: Path) -> None:
    overlay = Overlay(path)
    write(overlay, CORE, KEY)
    write(overlay, {"Core": {"HeartbeatInterval": 60}}, KEY)
    path.write_text('{"Core": {"Heart')
    overlay = Overlay(path)
    assert overlay.document == CORE
    assert overlay.secrets == KEY
    (warning,) = overlay.warnings
    assert (
        "user.json is not readable as JSON, it was kept as user.json.damaged; user.json.bak took its place" in warning
    )
    assert path.with_name("user.json.damaged").read_text() == '{"Core": {"Heart'
    assert Overlay(path).warnings == ()
    assert not path.with_name("user.json.secrets.bak").exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "\0\0\0\0", '{"a": 1', '"\ud800"', '{"a":' * 600 + "1" + "}" * 600]
)
@pytest.mark.parametrize("previous", [None, "{", "[]"])
def test_unreadable_without_a_usable_previous_one(path: Path, text: str, previous: str | None) -> None:
    path.parent.mkdir()
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    if previous is not None:
        path.with_name("user.json.bak").write_text(previous)
    overlay = Overlay(path)
    assert overlay.document == {}
    assert len(overlay.warnings) == 1
    assert "what it had changed is lost" in overlay.warnings[0]
    assert path.with_name("user.json.damaged").exists()
    assert write(overlay, CORE) == ["user.json"]
    assert Overlay(path).document == CORE


def test_unreadable_generation_does_not_become_the_previous_one(path: Path) -> None:
    overlay = Overlay(path)
    write(overlay, CORE)
    write(overlay, {"Core": {"HeartbeatInterval": 1}})
    path.write_text("{")
    write(overlay, {"Core": {"HeartbeatInterval": 2}})
    assert Overlay(path.with_name("user.json.bak")).document == CORE


def test_entry_that_is_no_section_is_ignored(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('{"Core": {"a": null}, "Security": 5, "Other": null}')
    overlay = Overlay(path)
    assert overlay.document == {"Core": {"a": None}}
    assert overlay.warnings == (
        "user.json: Security is no section and was ignored",
        "user.json: Other is no section and was ignored",
    )


def test_unreadable_secrets_do_not_stop_the_start(path: Path) -> None:
    write(Overlay(path), CORE, KEY)
    path.with_name("user.json.secrets").write_text("{")
    overlay = Overlay(path)
    assert (overlay.document, overlay.secrets) == (CORE, {})
    assert "user.json.secrets is not readable" in overlay.warnings[0]


def test_secrets_open_to_others_are_closed(path: Path) -> None:
    write(Overlay(path), CORE, KEY)
    secrets = path.with_name("user.json.secrets")
    secrets.chmod(0o644)
    overlay = Overlay(path)
    assert overlay.secrets == KEY
    assert "could be read by others" in overlay.warnings[0]
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600


def test_mode_somebody_gave_the_overlay_stays(path: Path) -> None:
    overlay = Overlay(path)
    write(overlay, CORE)
    path.chmod(0o640)
    write(overlay, {"Core": {"a": 1}})
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_every_byte_is_synced_before_the_name_is_given(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []
    fsync, replace, link = os.fsync, os.replace, os.link

    def logged_fsync(descriptor: int) -> None:
        log.append("sync folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "sync file")
        fsync(descriptor)

    def logged_replace(source: Path, target: Path) -> None:
        log.append(f"{source.name} -> {target.name}")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", logged_fsync)
    monkeypatch.setattr(os, "replace", logged_replace)
    overlay = Overlay(path)
    write(overlay, CORE)
    assert log == ["sync file", "user.json.tmp -> user.json", "sync folder"]
    log.clear()
    write(overlay, {"Core": {"a": 1}})
    with_link = ["sync file", "user.json.bak.tmp -> user.json.bak", "user.json.tmp -> user.json", "sync folder"]
    assert log == with_link

    def no_link(source: Path, target: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", no_link)
    write(overlay, {"Core": {"a": 2}})
    assert Overlay(path.with_name("user.json.bak")).document == {"Core": {"a": 1}}
    monkeypatch.setattr(os, "link", link)


def test_power_cut_at_any_step_leaves_one_of_the_two(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = {"Core": {"a": 1}}, {"Core": {"a": 2}}
    names = ("fsync", "replace", "link")
    originals = {name: getattr(os, name) for name in names}
    for survived in range(20):
        overlay = Overlay(path)
        write(overlay, {})
        write(overlay, old)
        left = [survived]
        for name in names:

            def cut(*arguments: Any, name: str = name, left: list[int] = left) -> None:
                if not left[0]:
                    raise KeyboardInterrupt
                left[0] -= 1
                originals[name](*arguments)

            monkeypatch.setattr(os, name, cut)
        was_cut = False
        try:
            write(overlay, new)
        except KeyboardInterrupt:
            was_cut = True
        for name in names:
            monkeypatch.setattr(os, name, originals[name])
        again = Overlay(path)
        assert again.warnings == ()
        assert again.document in (old, new)
        if not was_cut:
            assert again.document == new
            assert survived == 5
            return
    pytest.fail("the writing never ended")


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
@pytest.mark.parametrize("name", ["user.json", "user.json.secrets"])
def test_what_is_no_file_is_a_store_error(path: Path, make: Callable[[Path], None], name: str) -> None:
    """A pipe, too, which would be waited for without end."""
    path.parent.mkdir()
    make(path.with_name(name))
    with pytest.raises(StoreError, match=f"{name} cannot be read: (it is no regular file|Is a directory)"):
        Overlay(path)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_previous_one_that_is_no_file_is_of_no_use(path: Path, make: Callable[[Path], None]) -> None:
    path.parent.mkdir()
    path.write_text("{")
    make(path.with_name("user.json.bak"))
    overlay = Overlay(path)
    assert "what it had changed is lost" in overlay.warnings[0]


def test_value_that_is_no_json(path: Path) -> None:
    for value in (object(), nan, [inf], "\ud800"):
        with pytest.raises(ValueError, match="configuration is no JSON"):
            Overlay(path).changes({"Core": {"a": value}}, {})


def test_what_was_not_written_does_not_count_as_written(path: Path) -> None:
    overlay = Overlay(path)
    write(overlay, CORE)
    new = {"Core": {"HeartbeatInterval": 1}}
    assert len(overlay.changes(new, {})) == 1
    assert [change.target for change in overlay.changes(new, {})] == [path]  # the first one may have come to nothing
    write(overlay, CORE)
    assert Overlay(path).document == CORE


def test_write_that_fails_is_asked_for_again(path: Path) -> None:
    overlay = Overlay(path)
    write(overlay, CORE)
    path.with_name("user.json.tmp").mkdir()
    (change,) = overlay.changes({}, {})
    with pytest.raises(OSError):
        change.write()
    path.with_name("user.json.tmp").rmdir()
    assert Overlay(path).document == CORE
    assert write(overlay, {}) == ["user.json"]
    assert Overlay(path).document == {}


def test_dropped_write_leaves_nothing(path: Path) -> None:
    overlay = Overlay(path)
    write(overlay, CORE)
    (change,) = overlay.changes({"Core": {"a": 1}}, {})
    change.prepare()
    change.drop()
    assert [entry.name for entry in path.parent.iterdir()] == ["user.json"]
    assert Overlay(path).document == CORE


@pytest.mark.parametrize("is_there", [True, False])
def test_symbolic_link_is_followed(path: Path, tmp_path: Path, is_there: bool) -> None:
    real, secrets = tmp_path / "data" / "real.json", tmp_path / "data" / "real.secrets"
    for file in (real, secrets):
        file.parent.mkdir(exist_ok=True)
        if is_there:
            file.write_text('{"Core": {"a": 1}}')
    path.parent.mkdir()
    path.symlink_to(Path("..") / "data" / "real.json")
    path.with_name("user.json.secrets").symlink_to(secrets)
    overlay = Overlay(path)
    assert overlay.document == ({"Core": {"a": 1}} if is_there else {})
    write(overlay, CORE, KEY)
    assert path.is_symlink()
    assert path.with_name("user.json.secrets").is_symlink()
    assert Overlay(real, secrets).merged() == CORE | KEY
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert {entry.name for entry in path.parent.iterdir()} == {"user.json", "user.json.secrets"}
    assert (tmp_path / "data" / "real.json.bak").exists() == is_there


def test_unreadable_file_behind_a_link_is_set_aside_there(path: Path, tmp_path: Path) -> None:
    real = tmp_path / "real.json"
    real.write_text("{")
    path.parent.mkdir()
    path.symlink_to(real)
    assert len(Overlay(path).warnings) == 1
    assert path.is_symlink()
    assert (tmp_path / "real.json.damaged").read_text() == "{"


def test_link_that_leads_to_itself_is_a_store_error(path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(path)
    with pytest.raises(StoreError, match="cannot be read"):
        Overlay(path)


def test_secrets_of_somebody_else_are_only_complained_about(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(Overlay(path), CORE, KEY)
    path.with_name("user.json.secrets").chmod(0o644)

    def refused(self: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refused)
    overlay = Overlay(path)
    assert overlay.secrets == KEY
    assert "its mode could not be changed (Operation not permitted)" in overlay.warnings[0]


@pytest.mark.parametrize("suffix", ["", ".secrets"])
@pytest.mark.parametrize("has_previous", [True, False])
def test_file_that_is_far_too_large_does_not_stop_the_start(path: Path, suffix: str, has_previous: bool) -> None:
    name = path.name + suffix
    large = path.with_name(name)
    large.parent.mkdir(parents=True, exist_ok=True)
    with large.open("wb") as file:
        file.truncate(100_000_000)  # takes no room on the disk
    if has_previous:
        path.with_name(f"{name}.bak").write_text('{"Core": {"HeartbeatInterval": 7}}')
    overlay = Overlay(path)
    comes_back = has_previous and large == path  # an old secret does not
    assert overlay.document == ({"Core": {"HeartbeatInterval": 7}} if comes_back else {})
    assert overlay.secrets == {}
    assert len(overlay.warnings) == 1
    assert f"{name}.damaged" in overlay.warnings[0]
    assert path.with_name(f"{name}.damaged").stat().st_size == 100_000_000
    assert Overlay(path).warnings == ()
