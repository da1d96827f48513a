"""What contributors are told is so: files and commands are there, fragments are well formed, hooks call what exists."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from papers import FRAGMENTS, HEADING, fragments

from ocpp16 import __version__

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/releasing.md",
    "docs/installing.md",
    "docs/debian.md",
    "ci/newsfragments/README.md",
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
KINDS = {kind["directory"] for kind in PROJECT["tool"]["towncrier"]["type"]}
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "wheels.yml").read_text(encoding="utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
MADE = {"build", "dist"}
"""Folders that programs of `ci/` make."""
TOPS = {path.name for path in ROOT.iterdir()}


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_files_that_a_page_names_are_there(page: str) -> None:
    text = re.sub(r"^```.*?^```$", "", read(page), flags=re.MULTILINE | re.DOTALL)
    named = {words.split()[0] for words in re.findall(r"`([^`\n]+)`", text)}
    paths = {
        word
        for word in named
        if re.fullmatch(r"[\w./-]+", word) and word.split("/")[0] in TOPS - {"ocpp16"} | {"ocpp16/"}
    }
    paths |= {word for word in named if word.startswith("ocpp16/")}
    assert [path for path in sorted(paths) if not (ROOT / path).exists() and path.split("/")[0] not in MADE] == []
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []


def test_each_recipe_names_its_files() -> None:
    recipes = re.split(r"^## ", read("CONTRIBUTING.md"), flags=re.MULTILINE)[1:]
    about = {
        recipe.split("\n")[0]: len(re.findall(r"`(?:ocpp16|share|tests|docs)/[^`]+`", recipe)) for recipe in recipes
    }
    for subject in ("storeys", "key", "message", "feature", "table", "command"):
        (title,) = (name for name in about if subject in name)
        assert about[title] >= 3, title


@pytest.mark.parametrize("command", ["test", "check", "demo", "bench", "release"])
def test_contributors_are_told_of_the_commands(command: str) -> None:
    assert f"`ci/{command}" in read("CONTRIBUTING.md")
    assert (ROOT / "ci" / command).stat().st_mode & 0o111


def test_the_changelog_begins_with_this_version() -> None:
    """Released, or not yet; what is written into it by hand stays allowed."""
    text = read("CHANGELOG.md")
    assert text.startswith("# Changelog\n")
    top = HEADING.search(text)
    assert top is not None
    assert top[1] == __version__
    assert re.fullmatch(r"unreleased|\d{4}-\d\d-\d\d", top[2])
    versions = [found[1] for found in HEADING.finditer(text)]
    assert len(set(versions)) == len(versions)


def wrong_with(name: str, text: str) -> list[str]:
    """What keeps a fragment from becoming an entry."""
    said = []
    stem, _, kind = name.removesuffix(".md").rpartition(".")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", stem) or kind not in KINDS:
        said.append(f"is not called words-about-it.KIND.md, KIND one of {', '.join(sorted(KINDS))}")
    if not text.strip() or text != text.strip() + "\n":
        said.append("is not a text that ends with one line end")
    if re.search(r"^\s*(#|- |\* |$)", text.removesuffix("\n"), re.MULTILINE):
        said.append("has a heading, a bullet or an empty line, and will be one bullet itself")
    if any(len(line) > 140 for line in text.splitlines()):
        said.append("has a line of more than 140 characters")
    if text.strip() and text.strip()[-1] not in ".;:":
        said.append("does not end as a sentence does")
    return said


def test_fragments_are_well_formed() -> None:
    assert {path.name: wrong_with(path.name, read(f"ci/newsfragments/{path.name}")) for path in fragments()} == {
        path.name: [] for path in fragments()
    }
    known = {"README.md", "template.md.jinja", *(path.name for path in fragments())}
    assert {path.name for path in FRAGMENTS.iterdir()} == known


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("new-thing.feature.md", "There is a new thing.\n", ""),
        ("new-thing.news.md", "There is a new thing.\n", "breaking, feature, fix, security"),
        ("New thing.fix.md", "There is a new thing.\n", "words-about-it.KIND.md"),
        ("fix.md", "There is a new thing.\n", "words-about-it.KIND.md"),
        ("a.fix.md", "", "ends with one line end"),
        ("a.fix.md", "No line end.", "ends with one line end"),
        ("a.fix.md", "- Its own bullet.\n", "a bullet"),
        ("a.fix.md", "Two.\n\nParagraphs.\n", "empty line"),
        ("a.fix.md", "x" * 141 + ".\n", "140"),
        ("a.fix.md", "no end\n", "sentence"),
    ],
)
def test_what_is_wrong_with_a_fragment_is_said(name: str, text: str, said: str) -> None:
    found = wrong_with(name, text)
    assert bool(found) is bool(said)
    assert said in " ".join(found)


def test_hooks_are_tools_of_ours() -> None:
    """Of the environment, so of the versions that ci/check has; and nothing that is downloaded."""
    assert {repo["repo"] for repo in HOOKS} == {"local"}
    required = " ".join(PROJECT["project"]["optional-dependencies"]["test"])
    for hook in HOOKS[0]["hooks"]:
        program, *rest = shlex.split(hook["entry"])
        assert hook["language"] == "system"
        assert program.startswith(".venv/bin/")
        tool = rest[1] if rest[:1] == ["-m"] else Path(program).name
        assert tool in required or (program.endswith("python") and (ROOT / rest[0]).exists())
        for pattern in (hook.get("files"), hook.get("exclude")):
            re.compile(pattern or "")
    entries = " ".join(hook["entry"] for hook in HOOKS[0]["hooks"])
    checked = (ROOT / "ci" / "check").read_text(encoding="utf-8")
    for words in ("ruff format", "ruff check", "codespell", "codegen --check", "mypy"):
        assert words in entries
        assert words.split()[-1] in checked


def test_the_workflow_builds_what_is_promised() -> None:
    matrix = WORKFLOW["jobs"]["wheels"]["strategy"]["matrix"]
    assert set(matrix["libc"]) == {"manylinux", "musllinux"}
    assert set(matrix["arch"]) == {"x86_64", "aarch64", "armv7l"} == {row["arch"] for row in matrix["include"]}
    steps = WORKFLOW["jobs"]["wheels"]["steps"]
    (build,) = (step["env"]["CIBW_BUILD"] for step in steps if "env" in step)
    versions = re.search(r"cp3\{([\d,]+)\}", build)
    assert versions is not None
    classifiers = [line for line in PROJECT["project"]["classifiers"] if ":: 3." in line]
    assert versions[1].split(",") == [line.rpartition(".")[2] for line in classifiers]
    wheels: dict[str, Any] = PROJECT["tool"]["cibuildwheel"]
    assert wheels["build"] == [f"cp3{minor}-*" for minor in versions[1].split(",")]
    for word in shlex.split(wheels["test-command"]):
        if word.startswith("{project}/"):
            assert (ROOT / word.removeprefix("{project}/")).exists()
    assert "UNTRIED" in read(".github/workflows/wheels.yml")


def test_the_steps_of_a_release_are_told() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "ci" / "releasing"), "--help"], capture_output=True, text=True, check=True
    )
    told = re.findall(r"^  ([a-z]+) {2,}", done.stdout.split("steps:")[1], re.MULTILINE)
    source = read("ci/releasing/__main__.py")
    taken = list(dict.fromkeys(re.findall(r'self\.step\("(\w+)"', source)))
    assert told == taken
    assert all(f"`{step}`" in read("docs/releasing.md") for step in taken)
