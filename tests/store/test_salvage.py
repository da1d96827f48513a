"""What is saved from a damaged file: every row that is still there, and none that was deleted."""

import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from ocpp16.enums import AuthorizationStatus, AvailabilityType
from ocpp16.state.transaction import Transaction
from ocpp16.store import connection as connections
from ocpp16.store import recovery
from ocpp16.store.base import Row
from ocpp16.store.migrations import load_schema
from ocpp16.store.pages import Pages
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.statements import select_all
from ocpp16.store.tables import (
    ALL_ROWS,
    availability,
    charging_profiles,
    clock_corrections,
    dead_letters,
    id_tag_cache,
    jobs,
    local_list,
    message_queue,
    meters,
    reservations,
    samples,
    settings,
    transactions,
)
from ocpp16.store.trees import read_trees

PAGE = 4096
SAVED = tuple(rows for rows in ALL_ROWS if rows in recovery._SAVED)


def fill(store: SqliteStore) -> None:
    """Something in every table: trees of three levels, chains of pages, and pages that are free again."""
    for n in range(1, 26):
        who = f"cp{n % 3}"
        transaction = Transaction(n, n, f"session {n}", "TÄG", started_at=n, meter_start=5, transaction_id=-n)
        letter = dead_letters.DeadLetterRow(n, 1, "MeterValues", {"n": n, "long": "y" * (n * 700)}, 3, n, 0, "no", n)
        store.apply(
            [
                (
                    who,
                    [
                        transactions.put(transaction),
                        dead_letters.put(letter),
                        settings.put(settings.SettingRow(f"key {n}", {"n": [n, None, 2**40]})),
                        availability.put(availability.AvailabilityRow(n, AvailabilityType.INOPERATIVE)),
                        samples.put(samples.SampleRow(n, 1, 0, {"sampledValue": [{"value": "x" * 400}]})),
                        meters.put(meters.MeterRow(n, 10**n if n < 18 else n, -n, 1)),
                        clock_corrections.put(clock_corrections.ClockCorrectionRow(n, -n * 10**9)),
                        reservations.put(reservations.ReservationRow(n, 1, "TAG", None, n)),
                        charging_profiles.put(charging_profiles.ChargingProfileRow(n, 1, {"stackLevel": n}, None)),
                        jobs.put(jobs.JobRow(f"job {n}", {"n": n})),
                        id_tag_cache.put(id_tag_cache.CachedTagRow(f"TAG{n}", AuthorizationStatus.ACCEPTED)),
                        local_list.put(local_list.ListedTagRow(f"TAG{n}", AuthorizationStatus.ACCEPTED)),
                    ],
                )
            ]
        )
    queue = [message_queue.MessageRow(n, 1, "MeterValues", {"n": n, "filling": "x" * 250}) for n in range(600)]
    store.apply([("cp1", [message_queue.put(message) for message in queue])])
    store.apply([("cp1", [message_queue.delete(n) for n in range(200, 400)])])


class Whole(NamedTuple):
    path: Path
    rows: dict[str, dict[tuple[str, Row], Row]]
    """Name of the table → charge point and key → row."""
    lost: dict[int, tuple[str, int]]
    """Page → name of the table, and how many rows it takes with it."""

    @property
    def pages(self) -> int:
        return self.path.stat().st_size // PAGE


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    path = tmp_path_factory.mktemp("whole") / "db"
    store = SqliteStore.open(path)
    fill(store)
    store.close()
    connection = sqlite3.connect(path)
    rows: dict[str, dict[tuple[str, Row], Row]] = {  # as they lie there: of what is sealed no key is asked
        table.table.name: {
            (who, table.table.key_of(tuple(row))): tuple(row)
            for who, *row in connection.execute(select_all(table.table, table.table.columns, "ASC"))
        }
        for table in SAVED
    }
    lost: dict[int, tuple[str, int]] = {}
    for name, page, kind, cells in connection.execute("SELECT name, pageno, pagetype, ncell FROM dbstat"):
        if name in rows:
            lost[page] = (name, 1 if kind == "overflow" else cells)
    depth = connection.execute("SELECT max(length(path)) FROM dbstat WHERE name = 'message_queue'").fetchone()[0]
    assert depth > len("/000/")  # three levels
    assert connection.execute("PRAGMA freelist_count").fetchone()[0] > 3
    assert connection.execute("SELECT count(*) FROM dbstat WHERE pagetype = 'overflow'").fetchone()[0] > 20
    connection.close()
    return Whole(path, rows, lost)


def saved_from(path: Path) -> dict[str, dict[tuple[str, Row], Row]]:
    tables = {rows.table.name: rows.table for rows in SAVED}
    found = recovery.salvage(path)
    return {name: {(who, table.key_of(row)): row for who, row in found.get(name, ())} for name, table in tables.items()}


def zeros(path: Path, page: int) -> None:
    overwrite(path, page, bytes(PAGE))


def pattern(path: Path, page: int) -> None:
    overwrite(path, page, b"\xa5" * PAGE)


def noise(path: Path, page: int) -> None:
    overwrite(path, page, random.Random(page).randbytes(PAGE))


def overwrite(path: Path, page: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(content)


def test_walking_finds_what_sqlite_finds(whole: Whole) -> None:
    with Pages(whole.path) as pages:
        found = read_trees(pages, ALL_ROWS).rows
    for rows in SAVED:
        assert {(who, rows.table.key_of(row)): row for who, row in found[rows.table.name]} == whole.rows[
            rows.table.name
        ]


@pytest.mark.parametrize("damages", [(zeros,), (pattern, noise)])
def test_each_page_in_turn_costs_only_what_was_on_it(
    whole: Whole, tmp_path: Path, damages: Sequence[Callable[[Path, int], None]]
) -> None:
    path = tmp_path / "db"
    for page in range(1, whole.pages + 1):
        shutil.copy(whole.path, path)
        damages[page % len(damages)](path, page)
        found = saved_from(path)
        table, number = whole.lost.get(page, ("", 0))
        for name, rows in whole.rows.items():
            assert found[name].items() <= rows.items(), f"page {page}: {name} has rows that never were"
            missing = len(rows) - len(found[name])
            assert missing == (number if name == table else 0), f"page {page} of {table or 'no table'}: {name}"


def test_every_length_of_the_file(whole: Whole, tmp_path: Path) -> None:
    path = tmp_path / "db"
    content = whole.path.read_bytes()
    for there in range(0, whole.pages, 2):
        path.write_bytes(content[: there * PAGE + (there * 37) % PAGE])
        found = saved_from(path)
        for name, rows in whole.rows.items():
            lost = sum(number for page, (table, number) in whole.lost.items() if page > there and table == name)
            assert found[name].items() <= rows.items()
            # A row whose chain lacks several pages is lost once.
            assert len(rows) - len(found[name]) <= lost, f"{there} pages: {name}"


def test_the_beginning_of_the_file_is_lost(whole: Whole, tmp_path: Path) -> None:
    """Schema and map of pages: the tables are still where a new database has them."""
    path = tmp_path / "db"
    shutil.copy(whole.path, path)
    for page in (1, 2):
        zeros(path, page)
    found = saved_from(path)
    assert found == whole.rows


@pytest.mark.parametrize("seed", range(30))
def test_several_pages_and_bytes(whole: Whole, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    path = tmp_path / "db"
    shutil.copy(whole.path, path)
    for _ in range(rng.choice([2, 5, 40])):
        rng.choice([zeros, pattern, noise])(path, rng.randrange(1, whole.pages + 1))
    found = saved_from(path)
    for name, rows in whole.rows.items():
        assert found[name].items() <= rows.items()
    with path.open("r+b") as file:
        for _ in range(300):
            file.seek(rng.randrange(whole.pages * PAGE))
            file.write(bytes([rng.randrange(256)]))
    saved = recovery.salvage(path)
    fresh = tmp_path / "fresh"
    recovery._fill(fresh, load_schema(), saved)
    assert connections.header_problem(fresh) is None


@pytest.mark.parametrize("cut", [1, 33, 4000, 4153, 60_000, -1, None])
def test_log_of_a_damaged_database_counts_up_to_its_last_whole_commit(tmp_path: Path, cut: int | None) -> None:
    store = SqliteStore.open(tmp_path / "first")
    queued = [message_queue.put(message_queue.MessageRow(n, 1, "A", {"x": "y" * 300})) for n in range(60)]
    store.apply([("cp", queued[:30])])
    for put in queued[30:]:
        store.apply([("cp", [put])])
    for suffix in ("", "-wal"):
        shutil.copy(tmp_path / f"first{suffix}", tmp_path / f"db{suffix}")
    store.close()
    log = tmp_path / "db-wal"
    log.write_bytes(log.read_bytes()[:cut])
    shutil.copy(log, tmp_path / "copy-wal")
    shutil.copy(tmp_path / "db", tmp_path / "copy")
    reader = sqlite3.connect(tmp_path / "copy")
    try:
        expected = [number for (number,) in reader.execute("SELECT sequence FROM message_queue ORDER BY 1")]
    except sqlite3.Error:
        expected = []
    reader.close()
    with Pages(tmp_path / "db") as pages:
        found = read_trees(pages, ALL_ROWS).rows.get("message_queue", [])
    assert sorted(message_queue.ROWS.record(row).sequence for _, row in found) == expected
    assert cut is not None or len(expected) == 60


def test_tree_that_leads_back_into_itself_ends(whole: Whole, tmp_path: Path) -> None:
    path = tmp_path / "db"
    shutil.copy(whole.path, path)
    connection = sqlite3.connect(path)
    inner = [
        page
        for (page,) in connection.execute(
            "SELECT pageno FROM dbstat WHERE name = 'message_queue' AND pagetype = 'internal' ORDER BY path"
        )
    ]
    connection.close()
    content = bytearray(path.read_bytes())
    for page in inner:  # every way down leads back to the root
        start = (page - 1) * PAGE
        content[start + 8 : start + 12] = inner[0].to_bytes(4, "big")
        for place in range(start + 12, start + 12 + 2 * int.from_bytes(content[start + 3 : start + 5], "big"), 2):
            cell = start + int.from_bytes(content[place : place + 2], "big")
            content[cell : cell + 4] = inner[0].to_bytes(4, "big")
    path.write_bytes(content)
    found = saved_from(path)
    assert found["message_queue"] == whole.rows["message_queue"]  # the map of pages names the leaves
    assert found["transactions"] == whole.rows["transactions"]
    store = SqliteStore.open(path)
    assert f"{len(whole.rows['message_queue'])} messages" in store.detail
    store.close()


def test_file_that_cannot_be_read_at_all(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe", "nothing"):
        with Pages(tmp_path / name) as pages:
            assert pages.page(1) is None
            assert not any(read_trees(pages, ALL_ROWS).rows.values())


@pytest.mark.parametrize("seed", range(20))
def test_salvage_never_raises(whole: Whole, tmp_path: Path, seed: int) -> None:
    path = tmp_path / "db"
    shutil.copy(whole.path, path)
    rng = random.Random(seed)
    content = bytearray(path.read_bytes())
    for _ in range(200):
        content[rng.randrange(100, len(content))] = rng.randrange(256)
    path.write_bytes(content)
    fresh = path.with_name("fresh")
    recovery._fill(fresh, load_schema(), recovery.salvage(path))
    assert connections.header_problem(fresh) is None
