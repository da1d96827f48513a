"""How much room the library takes, in three forms, and how much it may: what is larger fails.

Bytes of files as `du --apparent-size` counts them, without the byte code that Python makes of its own.
"""

import shutil
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZipFile

from running import ROOT, Runner, StepFailed

MB = 1_000_000
WHEEL = 5 * MB
INSTALLED = 11 * MB
"""All that is ours."""
STATION = 8 * MB
"""Without what nobody needs in a station."""
UNITS_ALONE = 7.5 * MB
"""The same, without sources of what is compiled."""
SMALL_STATION = 5 * MB
"""The same, where the modules of ocpp16/compiled.txt are run as they are."""

TOOLS = (
    "cli",
    "fleet",
    "lint",
    "load",
    "proxy",
    "pytest_plugin",
    "replay",
    "scenario",
    "simulation",
    "testing",
    "web",
    "wire",
    "__main__.py",
    "share/message_schemas",
    "share/scenario.schema.json",
)
"""Of `ocpp16`: storeys above the charge point that no station imports, and documents that no station reads.

docs/installing.md has the same list.
"""
TYPES = ("*.pyi", "*.pxd")
"""Names of files that type checkers and Cython read, and no interpreter."""


def without_tools(package: Path) -> None:
    for name in TOOLS:
        path = package / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    for pattern in TYPES:
        for path in package.rglob(pattern):
            path.unlink()


def _modules(package: Path) -> Iterator[Path]:
    """What compiled.txt names and is there, without suffix."""
    for line in (package / "compiled.txt").read_text(encoding="ascii").splitlines():
        if line.strip() and not line.startswith("#"):
            yield package.parent.joinpath(*line.strip().split("."))


def sources_of_compiled(package: Path) -> Iterator[Path]:
    """What no interpreter reads while its unit is there."""
    for module in _modules(package):
        yield from module.parent.glob(f"{module.name}.py")


@contextmanager
def without_sources(package: Path) -> Iterator[None]:
    kept = {path: path.read_bytes() for path in sources_of_compiled(package)}
    for path in kept:
        path.unlink()
    try:
        yield
    finally:
        for path, content in kept.items():
            path.write_bytes(content)


def compiled(package: Path) -> Iterator[Path]:
    """Of the modules that run as they are, too, what they were compiled to."""
    for module in _modules(package):
        yield from module.parent.glob(f"{module.name}.*.so")


def size(folder: Path) -> int:
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sum(path.stat().st_size for path in files)


KINDS = {".so": "units", ".py": "sources", ".pyi": "types", ".pxd": "types"}
COLUMNS = ("units", "sources", "types", "data")


def storeys(package: Path) -> Iterator[str]:
    """A table of bytes by storey and by kind of file, the largest first; the last line is their sum."""
    found: dict[str, Counter[str]] = {}
    for path in package.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            inside = path.relative_to(package).parts
            where = found.setdefault(inside[0] if len(inside) > 1 else "(modules)", Counter())
            where[KINDS.get(path.suffix, "data")] += path.stat().st_size
    yield f"{'bytes of':14}" + "".join(f"{kind:>11}" for kind in (*COLUMNS, "all"))
    rows = sorted(found.items(), key=lambda row: -row[1].total())
    for name, counts in [*rows, ("all", sum(found.values(), Counter()))]:
        yield f"{name:14}" + "".join(f"{count:11,}" for count in (*(counts[kind] for kind in COLUMNS), counts.total()))


def bounded(what: str, found: int, limit: float) -> str:
    if found > limit:
        raise StepFailed(
            f"{what}: {found / MB:.2f} MB, and at most {limit / MB:g} MB are allowed (ci/releasing/sizes.py)"
        )
    return f"{what}: {found / MB:.2f} MB (at most {limit / MB:g})"


INSTALLERS = {"pip", "setuptools", "pkg_resources", "_distutils_hack", "wheel"}


def with_others(site: Path) -> str:
    """Ours and what it needs, the largest first; what only installs is not counted."""
    found = {path.name: size(path) if path.is_dir() else path.stat().st_size for path in site.iterdir()}
    found = {name: count for name, count in found.items() if name.split("-")[0] not in INSTALLERS}
    largest = sorted(found, key=lambda name: -found[name])[:6]
    listed = ", ".join(f"{name} {found[name] / MB:.1f}" for name in largest)
    return f"with what it needs: {sum(found.values()) / MB:.1f} MB ({listed})"


def weighed(runner: Runner, wheel: Path, station: Path) -> Iterator[str]:
    """Lines about each form. station: an interpreter of an environment with the wheel, whose library is cut down.

    After a line about a station the library is as it says, for `station_works`.
    """
    yield bounded("wheel", wheel.stat().st_size, WHEEL)
    package = Path(runner.run(station, "-c", "import ocpp16; print(ocpp16.__path__[0])", cwd=station.parent).strip())
    yield bounded("ours, installed", size(package), INSTALLED)
    yield from storeys(package)
    yield with_others(package.parent)
    yield from cut_down(package)


def cut_down(package: Path) -> Iterator[str]:
    """Lines about a station, and the package is as each says."""
    without_tools(package)
    yield bounded("ours, in a station", size(package), STATION)
    with without_sources(package):
        yield bounded("ours, in a station without sources of what is compiled", size(package), UNITS_ALONE)
    for path in compiled(package):
        path.unlink()
    yield bounded("ours, in a small station", size(package), SMALL_STATION)


def same_bounds(wheel: Path, folder: Path) -> str:
    """Those of the wheel of another Python, for which units are larger or smaller. folder: to unpack it in."""
    tag = wheel.name.split("-")[2]
    with ZipFile(wheel) as packed:
        packed.extractall(folder)
    package = folder / "ocpp16"
    said = []
    try:
        said.append(bounded("wheel", wheel.stat().st_size, WHEEL))
        said.append(bounded("ours, installed", size(package), INSTALLED))
        said += cut_down(package)
    except StepFailed as reason:
        raise StepFailed(f"{tag}: {reason}") from None
    return f"{tag}: {'; '.join(said)}"


def station_works(runner: Runner, station: Path, central_system: Path) -> None:
    """With tools gone a charge point still charges. central_system: an interpreter with the whole library."""
    runner.run(central_system, ROOT / "ci" / "releasing" / "station_there.py", station, cwd=central_system.parent)


def supported_pythons() -> list[str]:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    words = "Programming Language :: Python :: 3."
    return [line.rpartition(" ")[2] for line in document["project"]["classifiers"] if line.startswith(words)]
