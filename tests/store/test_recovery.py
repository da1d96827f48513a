"""Damaged databases: the charge point starts, what matters is saved, the evidence is kept. Every failure has a type."""

import os
import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from ocpp16.enums import AuthorizationStatus
from ocpp16.errors import StoreError
from ocpp16.state.transaction import Transaction
from ocpp16.store import recovery
from ocpp16.store.loading import load_all, load_rows
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import (
    id_tag_cache,
    local_list,
    local_list_version,
    message_queue,
    samples,
    transactions,
)

NOW = 1_778_327_625_000_000  # 2026-05-09 11:53:45
AT_NOW = "damaged-20260509T115345Z"
MESSAGES = 400


def fill(path: Path) -> None:
    """Transactions, a long queue, and what need not survive."""
    store = SqliteStore.open(path)
    for key in range(1, 4):
        transaction = Transaction(key, key, f"session {key}", "TAG", started_at=key, meter_start=5)
        store.apply([(f"cp{key}", [transactions.put(transaction)])])
    messages = [
        message_queue.MessageRow(n, 1, "MeterValues", {"n": n, "filling": "x" * 200}, transaction_key=1)
        for n in range(MESSAGES)
    ]
    tag = id_tag_cache.CachedTagRow("TAG", AuthorizationStatus.ACCEPTED)
    listed = local_list.ListedTagRow("TAG", AuthorizationStatus.ACCEPTED)
    store.apply([("cp1", [message_queue.put(message) for message in messages])])
    store.apply([("cp1", [id_tag_cache.put(tag), local_list.put(listed)])])
    store.apply([("cp1", [local_list_version.put(local_list_version.ListVersionRow(7))])])
    store.apply([("cp1", [samples.put(samples.SampleRow(1, 1, 0, {"sampledValue": []}))])])
    store.close()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("filled") / "db"
    fill(path)
    return path


@pytest.fixture
def path(filled: Path, tmp_path: Path) -> Path:
    shutil.copy(filled, tmp_path / "db")
    return tmp_path / "db"


def pages_of(path: Path, table: str) -> list[int]:
    """Numbers of the leaf pages of a table, from 1."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf'", (table,)).fetchall()
    connection.close()
    return [number for (number,) in rows]


def spoil(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xa5" * 4096)


def test_garbage_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "db"
    path.write_bytes(random.Random(1).randbytes(50_000))
    store = SqliteStore.open(path, now=NOW)
    assert store.detail == (
        "the database was damaged (it is no SQLite database); saved from it: 0 open transactions, 0 messages; "
        f"it was kept as db.{AT_NOW}"
    )
    assert (tmp_path / f"db.{AT_NOW}").stat().st_size == 50_000
    assert store.load("cp1", transactions.TABLE) == []
    store.close()
    store = SqliteStore.open(path, now=NOW)
    assert store.detail == ""
    store.close()


def test_one_bad_page_costs_only_what_was_on_it(path: Path) -> None:
    leaves = pages_of(path, "message_queue")
    spoil(path, leaves[len(leaves) // 2])
    store = SqliteStore.open(path, now=NOW)
    assert f"3 open transactions, {len(store.load('cp1', message_queue.TABLE))} messages" in store.detail
    found = message_queue.read(store.load("cp1", message_queue.TABLE))
    assert MESSAGES - 40 < len(found) < MESSAGES
    assert [found[0].sequence, found[-1].sequence] == [0, MESSAGES - 1]
    assert all(message.transaction_key == 1 and message.payload["n"] == message.sequence for message in found)
    for key in range(1, 4):
        (transaction,) = transactions.read(store.load(f"cp{key}", transactions.TABLE))
        assert transaction.session_id == f"session {key}"
    assert len(store.load("cp1", samples.TABLE)) == 1
    store.close()


def test_what_can_be_sent_again_is_not_carried_over(path: Path) -> None:
    spoil(path, pages_of(path, "message_queue")[0])
    store = SqliteStore.open(path, now=NOW)
    for table in (id_tag_cache.TABLE, local_list.TABLE, local_list_version.TABLE):
        assert store.load("cp1", table) == []
    store.close()


def test_bad_cache_page_loses_no_message(path: Path) -> None:
    spoil(path, pages_of(path, "id_tag_cache")[0])
    store = SqliteStore.open(path, now=NOW)
    assert f"3 open transactions, {MESSAGES} messages" in store.detail
    store.close()


def test_rows_that_make_no_sense_are_left_out(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("UPDATE message_queue SET payload = 'no json' WHERE sequence = 5")
    connection.execute("UPDATE message_queue SET action = CAST(x'ff' AS TEXT) WHERE sequence = 6")
    connection.execute("UPDATE message_queue SET attempts = 'many' WHERE sequence = 7")
    connection.commit()
    connection.close()
    saved = recovery.salvage(path)
    sequences = {row[0] for _, row in saved["message_queue"]}
    assert sequences == set(range(MESSAGES)) - {5, 7}


def test_older_schema_is_saved_by_the_defaults_of_the_records(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("ALTER TABLE message_queue DROP COLUMN attempts")
    connection.execute("ALTER TABLE samples DROP COLUMN payload")
    connection.close()
    saved = recovery.salvage(path)
    assert {row[4] for _, row in saved["message_queue"]} == {0}
    assert "samples" not in saved


def test_missing_table_is_damage(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE jobs")
    connection.close()
    store = SqliteStore.open(path, now=NOW)
    assert "the table jobs has other columns" in store.detail
    assert len(store.load("cp1", message_queue.TABLE)) == MESSAGES
    store.close()


@pytest.mark.parametrize("version", [0, -1])
def test_version_that_never_was_is_damage(path: Path, version: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    store = SqliteStore.open(path, now=NOW)
    assert "its schema has no version" in store.detail
    assert len(store.load("cp1", message_queue.TABLE)) == MESSAGES
    store.close()


@pytest.mark.parametrize("size", [1, 99, 100, 512, 4096, 4097, 20_000, -4096])
def test_truncated_file(path: Path, size: int) -> None:
    os.truncate(path, size if size > 0 else path.stat().st_size + size)
    store = SqliteStore.open(path, now=NOW)
    assert "was damaged" in store.detail
    assert (path.parent / f"db.{AT_NOW}").exists()
    store.close()


def test_empty_file_is_a_new_database(path: Path) -> None:
    os.truncate(path, 0)
    store = SqliteStore.open(path)
    assert store.detail == ""
    store.close()


def test_log_that_was_not_yet_taken_in_is_read_too(tmp_path: Path) -> None:
    """After a power cut the last commits are only in the write-ahead log."""
    store = SqliteStore.open(tmp_path / "first")
    store.apply([("cp", [transactions.put(Transaction(1, 1, "s", "TAG", 1, 2))])])
    for suffix in ("", "-wal"):
        shutil.copy(tmp_path / f"first{suffix}", tmp_path / f"db{suffix}")
    store.close()
    assert (tmp_path / "db-wal").stat().st_size > 0
    assert len(recovery.salvage(tmp_path / "db")["transactions"]) == 1
    store = SqliteStore.open(tmp_path / "db")
    assert store.detail == ""
    assert len(store.load("cp", transactions.TABLE)) == 1
    store.close()


def test_large_file_is_checked_after_an_unclean_end_or_a_suspicion(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocpp16.store.opening._ALWAYS_CHECKED", 0)
    spoil(path, pages_of(path, "message_queue")[1])
    store = SqliteStore.open(path, now=NOW)
    assert store.detail == ""
    with pytest.raises(StoreError, match="malformed"):
        store.load("cp1", message_queue.TABLE)
    store.close()
    store = SqliteStore.open(path, now=NOW)
    assert "was damaged" in store.detail
    store.close()
    assert not (path.parent / "db.suspect").exists()


def test_three_newest_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "db"
    for n in range(5):
        path.write_bytes(b"no database %d" % n)
        SqliteStore.open(path, now=NOW).close()
        for entry in tmp_path.glob("db.damaged-*"):  # a file system whose times are coarse
            number = int(entry.read_bytes().split()[-1])
            os.utime(entry, ns=(number, number))
    kept = sorted(entry.read_bytes() for entry in tmp_path.glob("db.damaged-*"))
    assert kept == [b"no database %d" % n for n in (2, 3, 4)]


@pytest.mark.parametrize("now", [0, -1, 2**63 - 1])
def test_time_that_is_not_set_still_gives_a_name(tmp_path: Path, now: int) -> None:
    (tmp_path / "db").write_bytes(b"no database")
    SqliteStore.open(tmp_path / "db", now=now).close()
    assert len(list(tmp_path.glob("db.damaged-*"))) == 1


class PowerCut(BaseException):
    pass


def test_power_cut_at_any_step_of_the_repair_loses_nothing(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends before the n-th renaming, for every n; the next start has all that could be saved."""
    replace = os.replace
    bad_page = pages_of(filled, "id_tag_cache")[0]
    for survived in range(10):
        path = tmp_path / f"{survived}" / "db"
        path.parent.mkdir()
        shutil.copy(filled, path)
        spoil(path, bad_page)
        path.with_name("db-journal").write_bytes(b"")
        left = [survived]

        def cut(source: Path, target: Path, left: list[int] = left) -> None:
            if not left[0]:
                raise PowerCut
            left[0] -= 1
            replace(source, target)

        monkeypatch.setattr(os, "replace", cut)
        was_cut = False
        try:
            SqliteStore.open(path, now=NOW).close()
        except PowerCut:
            was_cut = True
        monkeypatch.setattr(os, "replace", replace)
        store = SqliteStore.open(path, now=NOW)
        assert len(store.load("cp1", message_queue.TABLE)) == MESSAGES, survived
        assert len(store.load("cp3", transactions.TABLE)) == 1
        store.close()
        if not was_cut:
            assert survived >= 3
            return
    pytest.fail("the repair never ended")


def test_repair_on_a_full_disk_leaves_the_damaged_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(path, pages_of(path, "id_tag_cache")[0])
    before = path.read_bytes()

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(recovery, "_fill", full)
    with pytest.raises(StoreError, match="No space left"):
        SqliteStore.open(path, now=NOW)
    assert path.read_bytes() == before


@pytest.mark.parametrize("seed", range(60))
def test_flipped_bytes_never_stop_the_opener_with_another_error(path: Path, seed: int) -> None:
    """R30. A store error is allowed (a header that says "newer" or "of another program"), nothing untyped."""
    rng = random.Random(seed)
    content = bytearray(path.read_bytes())
    end = 100 if seed % 3 == 0 else 4096 if seed % 3 == 1 else len(content)
    for _ in range(rng.choice([1, 4, 30])):
        content[rng.randrange(16 if end == 100 else 0, end)] = rng.randrange(256)
    path.write_bytes(content)
    try:
        store = SqliteStore.open(path, now=NOW)
    except StoreError:
        return
    try:
        for charge_point_id in ("cp1", "cp2", "nobody"):
            transactions.read(store.load(charge_point_id, transactions.TABLE), lambda row, error: None)
            message_queue.read(store.load(charge_point_id, message_queue.TABLE), lambda row, error: None)
        assert store.apply([("new", [transactions.put(Transaction(1, 1, "s", "T", 1, 2))])]) == {}
    except StoreError:
        pass
    finally:
        store.close()


# A log that lost its database


def orphaned(path: Path, tmp_path: Path, how: str) -> None:
    """A killed process's files, the main one of which is empty or gone."""
    first = SqliteStore.open(tmp_path / "first")
    first.apply([("cp", [message_queue.put(message_queue.MessageRow(n, 1, "A", {})) for n in range(50)])])
    first.apply([("cp", [message_queue.delete(7)])])
    for suffix in ("", "-wal", "-shm"):
        shutil.copy(tmp_path / f"first{suffix}", f"{path}{suffix}")
    first.close()
    path.unlink()
    if how == "empty":
        path.touch()


@pytest.mark.parametrize("how", ["empty", "gone"])
def test_log_without_its_database_is_damage(tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture) -> None:
    """SQLite would delete it unread."""
    path = tmp_path / "db"
    orphaned(path, tmp_path, how)
    log = (tmp_path / "db-wal").read_bytes()
    store = SqliteStore.open(path, now=NOW)
    assert store.detail == (
        "the database was damaged (it is empty or gone, and its write-ahead log is not); saved from it: "
        f"0 open transactions, 49 messages; it was kept as db.{AT_NOW}"
    )
    assert store.detail in caplog.text
    rows = store.load("cp", message_queue.TABLE)
    assert [row[0] for row in rows] == [n for n in range(50) if n != 7]
    store.close()
    assert (tmp_path / f"db.{AT_NOW}-wal").read_bytes() == log
    assert (tmp_path / f"db.{AT_NOW}").stat().st_size == 0


@pytest.mark.parametrize("how", ["empty", "gone"])
def test_log_of_another_program_is_not_touched(tmp_path: Path, how: str) -> None:
    path = tmp_path / "db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA application_id = 7")
    connection.execute("CREATE TABLE theirs (x)")
    log = (tmp_path / "db-wal").read_bytes()
    connection.close()
    (tmp_path / "db-wal").write_bytes(log)
    path.unlink()
    if how == "empty":
        path.touch()
    with pytest.raises(StoreError, match="another program"):
        SqliteStore.open(path, now=NOW)
    assert (tmp_path / "db-wal").read_bytes() == log


def test_log_without_anything_in_it(tmp_path: Path) -> None:
    (tmp_path / "db-wal").write_bytes(b"nothing that makes sense")
    store = SqliteStore.open(tmp_path / "db", now=NOW)
    assert "0 messages" in store.detail
    store.close()
    assert SqliteStore.open(tmp_path / "db", now=NOW).detail == ""


def test_large_database_in_which_damage_is_found_by_reading(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not checked when it is opened; a charge point starts all the same."""
    monkeypatch.setattr("ocpp16.store.opening._ALWAYS_CHECKED", 0)
    spoil(path, pages_of(path, "message_queue")[1])
    store = SqliteStore.open(path, now=NOW)
    assert store.detail == ""
    assert len(load_rows(store, "cp2", transactions.TABLE)) == 1
    found = load_all(store, "cp1")
    assert 0 < MESSAGES - len(found["message_queue"]) < 30
    assert len(found["transactions"]) == 1
    assert "was damaged (cannot be read: database disk image is malformed)" in store.detail
    store.apply([("cp1", [message_queue.put(message_queue.MessageRow(9999, 1, "A", {}))])])
    store.close()
    again = SqliteStore.open(path, now=NOW)
    assert again.detail == ""
    assert len(load_rows(again, "cp1", message_queue.TABLE)) == len(found["message_queue"]) + 1
    again.close()


def test_large_database_in_which_damage_is_found_by_writing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocpp16.store.opening._ALWAYS_CHECKED", 0)
    damaged = pages_of(path, "message_queue")[-1]
    spoil(path, damaged)
    store = SqliteStore.open(path, now=NOW)
    change = [("cp1", [message_queue.put(message_queue.MessageRow(9999, 1, "A", {}))])]
    with pytest.raises(StoreError, match="cannot be written"):
        store.apply(change)
    assert store.apply(change) == {}
    assert "was damaged (cannot be written" in store.detail
    assert store.load("cp1", message_queue.TABLE)[-1][0] == 9999
    store.close()
