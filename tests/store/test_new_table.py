"""Adding a table takes the four places that docs/storage.md names, and no other."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ocpp16
from ocpp16.store.migrations import load_schema

ROOT = Path(__file__).parents[2]
PACKAGE = Path(str(ocpp16.__file__)).parent
"""As it is tested: a source tree has no compiled units where the package is installed from it."""

MODULE = '''"""Where cars are parked."""

from typing import Any, NamedTuple

from ocpp16.store.rows import Rows


class ParkedCarRow(NamedTuple):
    place: int
    car: str
    papers: dict[str, Any]


ROWS = Rows("parked_cars", ParkedCarRow)
TABLE = ROWS.table
put, delete, read = ROWS.put, ROWS.delete, ROWS.read
'''
UP = """CREATE TABLE parked_cars (
    charge_point_id TEXT NOT NULL,
    place INTEGER NOT NULL,
    car TEXT NOT NULL,
    papers TEXT NOT NULL,
    PRIMARY KEY (charge_point_id, place)
) WITHOUT ROWID;
"""
USED = """
import sys
from pathlib import Path
import ocpp16
from ocpp16.store.fallback import FallbackStore, open_or_fall_back
from ocpp16.store.loading import load_all
from ocpp16.store.memory import MemoryStore
from ocpp16.store.migrations import load_schema
from ocpp16.store.opening import Manner
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import parked_cars

root, old = Path(sys.argv[1]), Path(sys.argv[2])
assert Path(ocpp16.__file__).is_relative_to(root), "the copy is what is tested"
CAR = parked_cars.ParkedCarRow(7, "red", {"insured": True})

def check(store):
    assert parked_cars.read(load_all(store, "cp")["parked_cars"]) == [CAR], type(store)

memory = MemoryStore()
assert memory.apply([("cp", [parked_cars.put(CAR)])]) == {}
check(memory)

store = SqliteStore.open(old)  # made before there was such a table
assert store.detail == ""
assert store.apply([("cp", [parked_cars.put(CAR)])]) == {}
store.close()
store = SqliteStore.open(old)
check(store)
store.close()

content = bytearray(old.read_bytes())
content[:16] = bytes(16)
old.write_bytes(content)
store = SqliteStore.open(old)
assert "was damaged" in store.detail
check(store)
store.close()

file = root / "read-only" / "db"
SqliteStore.open(file).close()
fallback = FallbackStore(file, Manner(load_schema(), "NORMAL", None, 0), "a reason", None, None)
assert fallback.apply([("cp", [parked_cars.put(CAR)])]) == {}
check(fallback)
fallback.close()
store = SqliteStore.open(file)
check(store)
store.close()
"""


def copy_of_the_tree(root: Path) -> None:
    """With a store of its own; of the rest, links."""
    for source in (PACKAGE, ROOT / "tests"):
        (root / source.name).mkdir(parents=True)
        for entry in source.iterdir():
            if entry.name not in ("store", "share", "__pycache__"):
                (root / source.name / entry.name).symlink_to(entry)
        shutil.copytree(
            source / "store", root / source.name / "store", ignore=shutil.ignore_patterns("__pycache__", "*.c")
        )
    shutil.copytree(ROOT / "share", root / "ocpp16" / "share")
    (root / "docs").mkdir()
    for entry in (ROOT / "docs" / "storage.md", ROOT / "pyproject.toml"):
        shutil.copy(entry, root / entry.relative_to(ROOT))
    (root / "benchmarks").symlink_to(ROOT / "benchmarks")


def put_in(file: Path, before: str, text: str) -> None:
    content = file.read_text()
    assert content.count(before) == 1
    file.write_text(content.replace(before, text + before))


@pytest.mark.world
def test_four_places_are_enough(tmp_path: Path) -> None:
    root, old = tmp_path / "tree", tmp_path / "old.db"
    opening = "import sys; from ocpp16.store.sqlite import SqliteStore; SqliteStore.open(sys.argv[1]).close()"
    subprocess.run([sys.executable, "-c", opening, str(old)], check=True)
    copy_of_the_tree(root)
    tables = root / "ocpp16" / "store" / "tables"

    # The module, the list, the step up and down, the docs.
    (tables / "parked_cars.py").write_text(MODULE)
    put_in(tables / "__init__.py", "    reservations,\n", "    parked_cars,\n")
    put_in(tables / "__init__.py", ")\nTABLES", "    parked_cars.ROWS,\n")
    number = load_schema().version + 1
    migrations = root / "ocpp16" / "share" / "migrations"
    (migrations / f"{number}_up-parked-cars.sql").write_text(UP)
    (migrations / f"{number}_down-parked-cars.sql").write_text("DROP TABLE parked_cars;\n")
    put_in(root / "docs" / "storage.md", "| changed configuration |", "| parked cars | `parked_cars` | they leave |\n")

    environment = {**os.environ, "PYTHONPATH": str(root), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run([sys.executable, "-c", USED, str(root), str(old)], check=True, env=environment, cwd=root)
    plugins = ("pytest_trio.plugin", "pytest_timeout", "_hypothesis_pytestplugin")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-c", str(root / "pyproject.toml"), "--rootdir", str(root)),
            *(word for plugin in plugins for word in ("-p", plugin)),
            *(str(root / "tests" / "store" / f"test_{name}.py") for name in ("tables", "migrations", "contract")),
        ],
        env=environment,
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
