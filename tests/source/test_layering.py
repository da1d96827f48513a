"""One direction of imports, no circle of files, one home for each third-party package; the table is layering.toml.

A circle of files cannot be read, tested or replaced one by one. Every import counts, also those for type checkers and
those inside functions: they hide a circle, they do not open it.
"""

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from generated import expanded, storeys

HERE = Path(__file__).parent
ROOT = HERE.parents[1] / "ocpp16"
TABLE = tomllib.loads((HERE / "layering.toml").read_text())
STOREYS: dict[str, int] = TABLE["storeys"]
HOMES: dict[str, list[str]] = TABLE["homes"]
CIRCLES = [set(entry["files"]) for entry in TABLE.get("circle", ())]
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
    for base, name in imported_names(path):
        yield f"{base}.{name}" if name and base in {"ocpp16", package_of(path)} else base


def package_of(path: Path) -> str:
    return module_of(path) if path.name == "__init__.py" else module_of(path).rpartition(".")[0]


def imported_names(path: Path) -> Iterator[tuple[str, str]]:
    """Module and what is taken of it, for each import; "" where it is imported as a whole."""
    text = path.read_text()
    if path.suffix != ".py":
        for match in CIMPORT.finditer(text):
            yield match[1] or match[2], ""
        for name in re.findall(r"^(?:from|import)\s+([\w.]+)(?=\s+import|\s*$)", text, re.MULTILINE):
            yield name, ""
        return
    package = package_of(path)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, ""
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield base, alias.name


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
        "answer_first",
        "asked",
        "asked_security",
        "asked_station",
        "base",
        "call",
        "certificate_renewal",
        "certificates",
        "charging_limits",
        "charging_profiles",
        "composite_answer",
        "configuration_changes",
        "context",
        "contract_authorization",
        "energy_allowance",
        "ev_certificates",
        "expected_starts",
        "firmware_job",
        "id_tag_cache",
        "id_tags",
        "known_parents",
        "limit_sharing",
        "meter_readings",
        "meter_samples",
        "meter_sampling",
        "ocsp_refresh",
        "peers",
        "periodic_samples",
        "plug_and_charge_messages",
        "pricing_costs",
        "pricing_estimates",
        "pricing_local_time",
        "pricing_payloads",
        "pricing_reports",
        "pricing_sessions",
        "pricing_station",
        "pricing_texts",
        "pricing_user",
        "reservation_request",
        "schedule_keys",
        "sender",
        "signed_readings",
        "station_side",
        "status_report",
        "status_notifications",
        "thinned_samples",
        "transaction_data",
        "transaction_samples",
        "transfer_request",
        "triggering",
        "turn",
        "upload",
        "v2g_certificates",
    }
    for path in sorted((ROOT / "profiles").glob("*.py")):
        for imported in imports(path):
            if imported.startswith("ocpp16.profiles."):
                assert imported.split(".")[2] in shared, f"{path.name} imports {imported}"


def circles(graph: Mapping[str, set[str]]) -> list[set[str]]:
    """Sets of files each of which reaches all others of its set."""
    reached: dict[str, set[str]] = {}
    for start in graph:
        found: set[str] = set()
        ahead = [start]
        while ahead:
            for other in graph[ahead.pop()] - found:
                found.add(other)
                ahead.append(other)
        reached[start] = found
    made: list[set[str]] = []
    for name, found in reached.items():
        if name in found and not any(name in circle for circle in made):
            made.append({other for other in found if name in reached[other]})
    return made


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"a"}, "c": {"a"}}, [{"a", "b"}]),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"e"}, "e": {"d"}}, [{"a", "b", "c"}, {"d", "e"}]),
    ],
)
def test_a_circle_is_found(graph: dict[str, set[str]], expected: list[set[str]]) -> None:
    assert circles(graph) == expected


def test_imports_that_hide_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path / "ocpp16")
    file = tmp_path / "ocpp16" / "room" / "file.py"
    file.parent.mkdir(parents=True)
    file.write_text(
        "import ocpp16.one\nfrom . import two\nfrom .three import x\n"
        "if TYPE_CHECKING:\n    from ocpp16.room.four import y\n"
        "def f():\n    from ocpp16.room import five\n"
    )
    names = {f"{base}.{name}" if base == "ocpp16.room" else base for base, name in imported_names(file)}
    assert names == {"ocpp16.one", *(f"ocpp16.room.{name}" for name in ("two", "three", "four", "five"))}


def test_no_circle_of_files() -> None:
    """That Python reads a package's `__init__` before its modules is no circle; that a file takes from it is one."""
    graph: dict[str, set[str]] = {module_of(path): set() for path in SOURCES}
    assert len(graph) > 200
    for path in SOURCES:  # a compiled unit and its declarations are one
        module = module_of(path)
        for base, name in imported_names(path):
            imported = f"{base}.{name}" if f"{base}.{name}" in graph else base
            if imported in graph and imported != module:
                graph[module].add(imported)
    found = circles(graph)
    assert [sorted(circle) for circle in found if circle not in CIRCLES] == []
    assert [sorted(circle) for circle in CIRCLES if circle not in found] == [], "none any more: take it off the list"


def test_the_design_shows_these_storeys_and_tells_of_files_that_are_there() -> None:
    text = (ROOT.parent / "docs" / "design.md").read_text()
    told = {name: storey for storey, names in storeys().items() for name in names}
    assert told == {name: storey for name, storey in STOREYS.items() if name != "__main__"}
    assert set(re.findall(r"<text [^>]*>(\w+)</text>", expanded(text))) >= set(told)
    files = {name for name in re.findall(r"`([\w/]+\.(?:py|toml|json|md))`", text) if "/" in name}
    assert len(files) > 30
    homes = (ROOT, ROOT.parent)
    tests_of_one_folder = ROOT.parent / "tests" / "charge_point"
    assert [f for f in files if not any((home / f).exists() for home in (*homes, tests_of_one_folder))] == []
