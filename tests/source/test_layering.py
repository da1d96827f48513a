"""One direction of imports, and one home for each third-party package; the table is layering.toml."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1] / "ocpp16"
TABLE = tomllib.loads((HERE / "layering.toml").read_text())
STOREYS: dict[str, int] = TABLE["storeys"]
HOMES: dict[str, list[str]] = TABLE["homes"]
EXCEPTIONS = {(entry["from"], entry["to"]) for entry in TABLE["exception"]}
CIMPORT = re.compile(r"^\s*(?:from\s+(ocpp16[\w.]*)\s+cimport|cimport\s+(ocpp16[\w.]*))", re.MULTILINE)

SOURCES = sorted(
    path for path in ROOT.rglob("*.py*") if path.suffix in {".py", ".pyx", ".pxd"} and "validators" not in path.parts
)


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[str]:
    """Absolute names of everything a file imports; type checking imports count too."""
    text = path.read_text()
    if path.suffix != ".py":
        for match in CIMPORT.finditer(text):
            yield match[1] or match[2]
        yield from re.findall(r"^(?:from|import)\s+([\w.]+)(?=\s+import|\s*$)", text, re.MULTILINE)
        return
    package = module_of(path) if path.name == "__init__.py" else module_of(path).rpartition(".")[0]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([node.module] if node.module else [])])
            if base in {"ocpp16", package}:
                yield from (f"{base}.{alias.name}" for alias in node.names)
            else:
                yield base


def storey_of(module: str) -> int | None:
    return STOREYS.get(module.split(".")[1]) if module.count(".") else None


def test_every_package_has_a_storey() -> None:
    found = {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in SOURCES}
    assert found - {"__init__", "_version"} == set(STOREYS) & found
    assert not found - {"__init__", "_version"} - set(STOREYS)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down(path: Path) -> None:
    module = module_of(path)
    mine = storey_of(module)
    if mine is None:  # the package itself and _version: names are resolved on first use
        return
    for imported in imports(path):
        if not imported.startswith("ocpp16."):
            continue
        theirs = storey_of(imported)
        if theirs is None or theirs < mine:
            continue
        package, other = module.split(".")[1], imported.split(".")[1]
        same = package == other or theirs == mine == TABLE["family"]["storey"]
        listed = any(module == start or module.startswith(start + ".") for start, to in EXCEPTIONS if to == other)
        assert same or listed, f"{module} (storey {mine}) imports {imported} (storey {theirs})"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_packages_stay_at_home(path: Path) -> None:
    module = module_of(path).removeprefix("ocpp16").removeprefix(".")
    for imported in imports(path):
        top = imported.split(".")[0]
        if top in HOMES:
            homes = HOMES[top]
            assert any(module == home or module.startswith(home + ".") for home in homes), f"{module} imports {top}"


def test_one_profile_does_not_import_another() -> None:
    shared = {
        "aligned_samples",
        "asked",
        "asked_station",
        "base",
        "charging_limits",
        "charging_profiles",
        "composite_answer",
        "configuration_changes",
        "context",
        "energy_allowance",
        "expected_starts",
        "id_tags",
        "limit_sharing",
        "meter_readings",
        "meter_samples",
        "meter_sampling",
        "periodic_samples",
        "station_side",
        "status_notifications",
        "transaction_data",
        "transaction_samples",
        "turn",
    }
    for path in sorted((ROOT / "profiles").glob("*.py")):
        for imported in imports(path):
            if imported.startswith("ocpp16.profiles."):
                assert imported.split(".")[2] in shared, f"{path.name} imports {imported}"
