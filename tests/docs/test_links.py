"""Links that a build of the book does not follow: those of README and changelog into the tree, and those to others;
and that a build says which links of its own are dead.

Nothing is fetched here. Where the network is, `sphinx-build -b linkcheck docs build/links` follows the latter.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from dead_links import dead_links

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


def test_dead_links_of_a_book_are_found(tmp_path: Path) -> None:
    (tmp_path / "how to").mkdir()
    (tmp_path / "index.html").write_text(
        '<h1 id="a-b">x</h1> <a href="#a-b">y</a> <a href="#">top</a> <a href="how%20to/page.html?x=1#it&#39;s">z</a>'
        '<a href="https://trio.readthedocs.io/#nowhere">t</a> <a href="mailto:a@example.com">m</a> <img src="no.svg">'
    )
    (tmp_path / "how to" / "page.html").write_text(
        '<p id="it&#39;s"> <a href="../index.html#a-c"> <a href="index.html">'
    )
    assert list(dead_links(tmp_path, ["index", "how to/page"])) == [
        "how to/page: ../index.html#a-c: there is no such place on the page",
        "how to/page: index.html: there is no such file",
        "index: no.svg: there is no such file",
    ]


@pytest.mark.parametrize("name", sorted(set(re.findall(r"docs/[\w/-]+\.md", (ROOT / "CHANGELOG.md").read_text()))))
def test_the_changelog_names_pages_that_are_there(name: str) -> None:
    assert (ROOT / name).exists()
