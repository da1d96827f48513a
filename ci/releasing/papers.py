"""What is said about a release: version, changelog, metadata, bills of material, documentation, checksums."""

import hashlib
import json
import re
import tomllib
import zipfile
from pathlib import Path

from running import ROOT, TOOLS, Runner, StepFailed

FRAGMENTS = ROOT / "ci" / "newsfragments"
HEADING = re.compile(r"^## (\S+) \(([^)]+)\)$", re.MULTILINE)


def version() -> str:
    found = re.search(r'^__version__ = "([^"]+)"$', (ROOT / "ocpp16" / "_version.py").read_text(), re.MULTILINE)
    if found is None:
        raise StepFailed('ocpp16/_version.py has no line __version__ = "…"')
    return found[1]


def extras() -> list[str]:
    """All but those of people who work on the library."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return sorted(name for name in document["project"]["optional-dependencies"] if name != "test")


def version_is_new(runner: Runner) -> str:
    """A release has a tag of its own."""
    ours = version()
    if not re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", ours):
        raise StepFailed(f"ocpp16/_version.py: {ours!r} is no version of a release, as 1.2.3 or 1.2.3rc1 is")
    if runner.run("git", "tag", "--list", f"v{ours}", cwd=ROOT).strip():
        raise StepFailed(f"v{ours} is tagged already: raise __version__ in ocpp16/_version.py")
    return ours


def fragments() -> list[Path]:
    return sorted(path for path in FRAGMENTS.glob("*.md") if path.name != "README.md")


def changelog_is_built() -> str:
    """Its top section is this version, with a date, and no fragment waits."""
    top = HEADING.search((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    if top is None or top[1] != version() or not re.fullmatch(r"\d{4}-\d\d-\d\d", top[2]):
        said = "nothing" if top is None else f"{top[1]} ({top[2]})"
        raise StepFailed(
            f"CHANGELOG.md has {said} on top, not {version()} with its date: ci/release --changelog writes it"
        )
    if waiting := fragments():
        raise StepFailed(f"not yet in CHANGELOG.md: {waiting[0].name} and others: ci/release --changelog")
    return f"{top[1]} ({top[2]})"


def build_changelog(runner: Runner, today: str, *, is_draft: bool) -> str:
    """The fragments as the top section of CHANGELOG.md, which then has today's date; what was written there stays.

    is_draft: only say what it would be; else the fragments are gone afterwards.
    """
    ours, changelog = version() if is_draft else version_is_new(runner), ROOT / "CHANGELOG.md"
    said = runner.run(TOOLS / "towncrier", "build", "--draft", "--version", ours, "--date", today, cwd=ROOT)
    entries = "\n".join(line for line in said.splitlines() if line and not line.startswith("#"))
    if is_draft:
        return entries + "\n" if fragments() else "nothing: no newsfragment waits\n"
    text = changelog.read_text(encoding="utf-8")
    top, dated = HEADING.search(text), f"## {ours} ({today})"
    if top is None:
        raise StepFailed("CHANGELOG.md has no section `## version (date)`")
    if top[1] != ours and top[2] == "unreleased":
        raise StepFailed(
            f"CHANGELOG.md has {top[1]} (unreleased) on top, and ocpp16/_version.py {ours}: what is written "
            "there is of one version; name that in both"
        )
    if top[1] == ours and top[2] == "unreleased":
        text = text.replace(f"{top[0]}\n\n", f"{dated}\n\n{entries}\n" if fragments() else f"{dated}\n\n", 1)
    elif top[1] != ours and fragments():
        text = text.replace(top[0], f"{dated}\n\n{entries}\n\n{top[0]}", 1)
    else:
        raise StepFailed(f"CHANGELOG.md has {top[1]} ({top[2]}) on top, and that leaves nothing to write for {ours}")
    changelog.write_text(text, encoding="utf-8")
    for fragment in fragments():
        fragment.unlink()
    return f"CHANGELOG.md: {dated[3:]}; look at it, then commit it with what is gone from ci/newsfragments\n"


def metadata(runner: Runner, files: list[Path]) -> str:
    runner.run(TOOLS / "twine", "check", "--strict", *files)
    wheels = [path for path in files if path.suffix == ".whl"]
    runner.run(TOOLS / "check-wheel-contents", *wheels, cwd=ROOT)
    return f"{len(files)} files"


PATHS = re.compile(rb"/(?:root|home|tmp|build|work|usr|opt|project)/[\w./-]+")


def no_paths(wheel: Path) -> str:
    """No unit names a folder of the machine that built it."""
    count = 0
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith(".so"):
                count += 1
                if found := PATHS.search(archive.read(name)):
                    raise StepFailed(f"{wheel.name}: {name} names {found[0].decode()}")
    return f"{count} units"


def bill(runner: Runner, python: Path, file: Path) -> str:
    """CycloneDX of all that is installed there but pip; validated as it is written, and read once more."""
    runner.run(python, "-m", "pip", "uninstall", "--quiet", "--yes", "pip", "setuptools")
    runner.run(
        *(TOOLS / "cyclonedx-py", "environment", "--validate", "--output-reproducible", "--spec-version", "1.6"),
        *("--output-format", "JSON", "--output-file", file, "--pyproject", ROOT / "pyproject.toml", python),
    )
    document = json.loads(file.read_text(encoding="utf-8"))
    names = sorted(component["name"] for component in document["components"])
    if "trio" not in names or document["bomFormat"] != "CycloneDX":
        raise StepFailed(f"{file.name} does not list what is installed: {names}")
    return f"{file.name}: {len(names)} packages"


def checksums(folder: Path) -> str:
    """In the form of sha256sum."""
    files = sorted(path for path in folder.iterdir() if path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="ascii")
    return f"{len(lines)} files"
