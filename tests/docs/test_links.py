"""Links that a build of the book does not follow: those of README and changelog into the tree, and those to others.

Nothing is fetched here. Where the network is, `sphinx-build -b linkcheck docs build/links` follows the latter.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
TEXTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md")), *sorted(DOCS.rglob("*.rst"))]
OUTSIDE_OF_THE_BOOK = [*TEXTS[:2], *sorted((DOCS / "examples").rglob("*.md"))]
HOSTS = {"everest.github.io", "github.com", "locust.io", "ocpp16.readthedocs.io", "trio.readthedocs.io"}
"""Of whom pages speak. Another one is looked at, and named here."""

_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"^ *```.*?^ *```$|`[^`\n]+`(?!\])", re.MULTILINE | re.DOTALL)


def links(path: Path) -> Iterator[str]:
    yield from _LINK.findall(_CODE.sub("code", path.read_text(encoding="utf-8")))


def slugs(page: Path) -> set[str]:
    """Of the headings of a page, as GitHub and MyST make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.replace("`", "").lower()).replace(" ", "-") for heading in headings}


OURS = [(path, link) for path in OUTSIDE_OF_THE_BOOK for link in links(path) if "://" not in link]
OTHERS = sorted({link for path in TEXTS for link in links(path) if "://" in link})


@pytest.mark.parametrize(("path", "link"), OURS, ids=lambda value: value.name if isinstance(value, Path) else value)
def test_a_link_into_the_tree_leads_somewhere(path: Path, link: str) -> None:
    target, _, anchor = link.partition("#")
    page = (path.parent / target).resolve() if target else path
    assert page.exists()
    assert not anchor or anchor in slugs(page)


@pytest.mark.parametrize("link", OTHERS)
def test_a_link_to_others_is_well_formed_and_to_a_known_host(link: str) -> None:
    parts = urlsplit(link)
    assert parts.scheme == "https"
    assert parts.hostname in HOSTS
    assert (parts.username, parts.password, parts.port) == (None, None, None)
    assert not re.search(r"[.,;…\s]$", link)


def test_no_host_is_known_for_nothing() -> None:
    told = "\n".join(path.read_text(encoding="utf-8") for path in [*TEXTS, ROOT / "pyproject.toml"])
    assert [host for host in HOSTS if host not in told] == []


def test_links_are_found() -> None:
    assert len(OURS) > 20
    assert len(OTHERS) >= 4


@pytest.mark.parametrize("name", sorted(set(re.findall(r"docs/[\w/-]+\.md", (ROOT / "CHANGELOG.md").read_text()))))
def test_the_changelog_names_pages_that_are_there(name: str) -> None:
    assert (ROOT / name).exists()
