"""Schema versions: up and down on filled databases, refusals, and the copy made before."""

import sqlite3
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from ocpp16.errors import SchemaTooNew, StoreError
from ocpp16.store import connection as connections
from ocpp16.store import migrations
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import ALL_ROWS, TABLES, meters

NEWEST = migrations.load_schema().version
PAIRS = [(a, b) for a in range(NEWEST + 1) for b in range(NEWEST + 1)]


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def structure(connection: sqlite3.Connection) -> set[str]:
    return {" ".join(sql.split()) for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL")}


def fill(connection: sqlite3.Connection) -> int:
    """Two rows in each table that is there."""
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for name in names:
        for n in range(2):
            columns = connection.execute(f"PRAGMA table_info({name})").fetchall()
            values = [n if column[2] == "INTEGER" else f"text {n}" for column in columns]
            connection.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(values))})", values)
    return 2 * len(names)


def count(connection: sqlite3.Connection) -> int:
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return sum(connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names)


def test_a_new_database_is_as_one_that_was_migrated(connection: sqlite3.Connection) -> None:
    schema = migrations.load_schema()
    migrations.migrate(connection, schema, schema.version)
    other = sqlite3.connect(":memory:", isolation_level=None)
    migrations.create(other, schema, 1)
    assert structure(connection) == structure(other)
    assert migrations.version_of(connection) == migrations.version_of(other) == schema.version
    other.close()


@pytest.mark.parametrize(("start", "target"), PAIRS)
def test_every_pair_on_a_filled_database(connection: sqlite3.Connection, start: int, target: int) -> None:
    schema = migrations.load_schema()
    migrations.migrate(connection, schema, start)
    expected = structure(connection)
    fill(connection)
    migrations.migrate(connection, schema, target)
    assert migrations.version_of(connection) == target
    migrations.migrate(connection, schema, start)
    assert structure(connection) == expected


# A share folder with a history, to test the machinery itself.
STEPS = {
    "1_up.sql": "CREATE TABLE cars (name TEXT);\n-- a comment; with a semicolon\nINSERT INTO cars VALUES ('a;b');",
    "1_down.sql": "DROP TABLE cars;",
    "2_up-colour.sql": "ALTER TABLE cars ADD COLUMN colour TEXT NOT NULL DEFAULT 'red';\n",
    "2_down-colour.sql": "ALTER TABLE cars DROP COLUMN colour;\n",
    "3_up-only_red.sql": "CREATE UNIQUE INDEX one_colour ON cars (colour);\n",
    "3_down-only_red.sql": "DROP INDEX one_colour;\n",
}


def share_folder(tmp_path: Path, steps: dict[str, str]) -> Path:
    (tmp_path / "share" / "migrations").mkdir(parents=True)
    for name, text in steps.items():
        (tmp_path / "share" / "migrations" / name).write_text(text)
    return tmp_path / "share"


def test_steps_run_in_order_and_keep_rows(tmp_path: Path, connection: sqlite3.Connection) -> None:
    schema = migrations.load_schema(share_folder(tmp_path, STEPS))
    assert schema.version == 3
    migrations.migrate(connection, schema, 3)
    assert connection.execute("SELECT * FROM cars").fetchall() == [("a;b", "red")]
    migrations.migrate(connection, schema, 1)
    assert connection.execute("SELECT * FROM cars").fetchall() == [("a;b",)]
    migrations.migrate(connection, schema, 0)
    assert structure(connection) == set()


def test_a_failing_step_leaves_everything_as_it_was(tmp_path: Path, connection: sqlite3.Connection) -> None:
    schema = migrations.load_schema(share_folder(tmp_path, STEPS))
    migrations.migrate(connection, schema, 1)
    connection.execute("INSERT INTO cars VALUES ('second')")
    before = structure(connection)
    with pytest.raises(StoreError, match="migration 3 up failed: UNIQUE"):
        migrations.migrate(connection, schema, 3)
    assert structure(connection) == before
    assert migrations.version_of(connection) == 1
    assert count(connection) == 2
    assert not connection.in_transaction


BAD_SETS: dict[str, tuple[dict[str, str | None], str]] = {
    "gap": ({"2_up-colour.sql": None, "2_down-colour.sql": None}, "missing: 2_up.sql, 2_down.sql"),
    "no way back": ({"3_down-only_red.sql": None}, "missing: 3_down.sql"),
    "twice": ({"2_up-again.sql": ""}, "two migrations 2 up"),
    "odd name": ({"two_up.sql": ""}, "two_up.sql is no name"),
    "zero": ({"0_up.sql": ""}, "0_up.sql is no name"),
    "none": (dict.fromkeys(STEPS), "missing: all"),
}


@pytest.mark.parametrize("case", BAD_SETS)
def test_incomplete_set_is_refused(tmp_path: Path, case: str) -> None:
    difference, reason = BAD_SETS[case]
    steps = {name: text for name, text in (STEPS | difference).items() if text is not None}
    with pytest.raises(StoreError, match=reason):
        migrations.load_schema(share_folder(tmp_path, steps))


def test_missing_share_folder_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        migrations.load_schema(tmp_path / "nowhere")


def test_step_that_ends_within_a_statement(tmp_path: Path, connection: sqlite3.Connection) -> None:
    steps = STEPS | {"1_up.sql": "CREATE TABLE cars (name TEXT);\nDROP TABLE"}
    with pytest.raises(StoreError, match="ends within a statement: DROP TABLE"):
        migrations.migrate(connection, migrations.load_schema(share_folder(tmp_path, steps)), 1)
    assert structure(connection) == set()


def next_version(tmp_path: Path, up: str, down: str = "SELECT 1;") -> Path:
    """The package's share folder, and one more step."""
    package = resources.files("ocpp16.share") / "migrations"
    steps = {entry.name: entry.read_text() for entry in package.iterdir() if entry.is_file()}
    steps |= {f"{NEWEST + 1}_up-next.sql": up, f"{NEWEST + 1}_down-next.sql": down}
    return share_folder(tmp_path, steps)


HARMLESS = "CREATE TABLE added (charge_point_id TEXT NOT NULL PRIMARY KEY);"


def with_a_row(path: Path) -> None:
    store = SqliteStore.open(path)
    store.apply([("cp", [meters.put(meters.MeterRow(1, 5, 6))])])
    store.close()


def test_opening_migrates_and_keeps_a_copy_until_the_next_opening(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with_a_row(path)
    newer = next_version(tmp_path, HARMLESS)
    store = SqliteStore.open(path, share_path=newer)
    assert store.load("cp", meters.TABLE) == [(1, 5, 6, 0)]
    assert store.detail == ""
    store.close()
    copy = tmp_path / f"db.backup-v{NEWEST}"
    assert copy.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(copy) as old:
        assert migrations.version_of(old) == NEWEST
        assert old.execute("SELECT energy FROM meters").fetchall() == [(5,)]
    old.close()
    SqliteStore.open(path, share_path=newer).close()
    assert not copy.exists()


def test_newer_database_is_refused_in_one_sentence_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with_a_row(path)
    newer = next_version(tmp_path, HARMLESS)
    SqliteStore.open(path, share_path=newer).close()
    before = path.read_bytes()
    with pytest.raises(SchemaTooNew, match=f"has schema version {NEWEST + 1}, .*knows {NEWEST} at most") as caught:
        SqliteStore.open(path)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == before
    SqliteStore.open(path, share_path=newer).close()


def test_failing_migration_does_not_stop_the_charge_point(tmp_path: Path) -> None:
    """R15: it starts with a fresh database, and what could be saved."""
    path = tmp_path / "db"
    with_a_row(path)
    broken = next_version(tmp_path, "INSERT INTO meters SELECT * FROM meters;")  # of no harm where there is none
    store = SqliteStore.open(path, share_path=broken)
    assert f"migration {NEWEST + 1} up failed" in store.detail
    assert store.load("cp", meters.TABLE) == [(1, 5, 6, 0)]
    store.close()


def test_copy_of_the_copy_is_a_usable_database(tmp_path: Path) -> None:
    """Going back to the older library means going back to the copy."""
    path = tmp_path / "db"
    with_a_row(path)
    SqliteStore.open(path, share_path=next_version(tmp_path, HARMLESS)).close()
    (tmp_path / f"db.backup-v{NEWEST}").rename(path)
    store = SqliteStore.open(path)
    assert store.load("cp", meters.TABLE) == [(1, 5, 6, 0)]
    store.close()


def test_every_table_has_rows_of_its_own() -> None:
    assert len({rows.table.name for rows in ALL_ROWS}) == len(TABLES)
    assert int.from_bytes(b"OC16", "big") == connections.APPLICATION_ID
