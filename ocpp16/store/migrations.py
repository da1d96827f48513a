"""The schema of the database and the way to it from any other version: numbered SQL files, up and down.

`share/migrations/<n>_up[-text].sql` and `<n>_down[-text].sql` are the steps; a new file goes all of them. So a table is
stated once: in the step that makes it.

Rules of this file:
1. All steps and the new version number are one transaction: a database is of the old version or of the new one.
2. The steps are without gaps from 1, each with its way back; a set that is not is refused before anything is touched.
3. A step leaves `charge_point_id` first in every primary key and contains no BEGIN, COMMIT or PRAGMA.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

from ocpp16.errors import SchemaTooNew, StoreError

_FILE_NAME = re.compile(r"([1-9][0-9]*)_(up|down)(-[\w-]*)?\.sql")

_FAULTS_OF_A_STEP = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG)


class Step(NamedTuple):
    version: int
    """The version that `up` leads to and `down` leads away from."""
    up: str
    down: str


class Schema(NamedTuple):
    steps: tuple[Step, ...]

    @property
    def version(self) -> int:
        return len(self.steps)


def load_schema(share_path: Path | None = None) -> Schema:
    """Read the SQL files of a share folder, by default the package's own. StoreError if the set is not complete."""
    folder: Traversable = resources.files("ocpp16.share") if share_path is None else share_path
    texts: dict[tuple[int, str], str] = {}
    try:
        for entry in (folder / "migrations").iterdir():
            if not entry.name.endswith(".sql"):
                continue
            match = _FILE_NAME.fullmatch(entry.name)
            if match is None:
                raise StoreError(f"{entry.name} is no name of a migration: <n>_up[-text].sql or <n>_down[-text].sql")
            place = (int(match[1]), match[2])
            if place in texts:
                raise StoreError(f"there are two migrations {place[0]} {place[1]}")
            texts[place] = entry.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"the SQL of the store cannot be read: {error}") from error
    newest = max((version for version, _ in texts), default=0)
    missing = [
        f"{version}_{way}.sql"
        for version in range(1, newest + 1)
        for way in ("up", "down")
        if (version, way) not in texts
    ]
    if missing or not newest:
        raise StoreError(f"migrations are missing: {', '.join(missing) or 'all of them'}")
    return Schema(tuple(Step(n, texts[n, "up"], texts[n, "down"]) for n in range(1, newest + 1)))


def version_of(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def create(connection: sqlite3.Connection, schema: Schema, application_id: int) -> None:
    """Make the newest schema in an empty database, in one transaction. Raises sqlite3.Error."""
    with _transaction(connection):
        for step in schema.steps:
            for statement in _statements(step.up):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {schema.version:d}")
        connection.execute(f"PRAGMA application_id = {application_id:d}")


def check_version(version: int, schema: Schema) -> None:
    """Raises SchemaTooNew if this library has no step for that version."""
    if version > schema.version:
        raise SchemaTooNew(
            f"the database has schema version {version}, and this library knows {schema.version} at most: "
            "install the newer library again, or go back to the copy made before it was updated"
        )


def migrate(connection: sqlite3.Connection, schema: Schema, target: int) -> None:
    """Bring the database to version `target`, up or down, in one transaction.

    Raises SchemaTooNew if the way from its present version is not known, StoreError if a step failed; the database is
    then as it was. An error that means damage or an outage is raised as the sqlite3.Error it is.
    """
    version = version_of(connection)
    check_version(max(version, target), schema)
    with _transaction(connection):
        for step, text in _path(schema.steps, version, target):
            for statement in _statements(text):
                try:
                    connection.execute(statement)
                except sqlite3.DatabaseError as error:
                    if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF not in _FAULTS_OF_A_STEP:
                        raise
                    raise StoreError(f"migration {step} failed: {error}") from error
        connection.execute(f"PRAGMA user_version = {target:d}")


def _path(steps: Sequence[Step], version: int, target: int) -> Iterator[tuple[str, str]]:
    for step in steps[version:target]:
        yield f"{step.version} up", step.up
    for step in reversed(steps[target:version]):
        yield f"{step.version} down", step.down


def _statements(text: str) -> Iterator[str]:
    """The statements of an SQL text. Python's executescript would commit before it begins."""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip() and not all(line.lstrip().startswith("--") for line in statement.splitlines() if line.strip()):
        raise StoreError(f"an SQL file ends within a statement: {statement.strip()[:80]}")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
