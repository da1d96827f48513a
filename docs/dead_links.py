"""Links of the book that lead nowhere in it, also those that Sphinx does not follow: of raw HTML, of the theme."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from html import unescape
from pathlib import Path
from urllib.parse import unquote

_LINK = re.compile(r'\s(?:href|src)="([^"]*)"')
_PLACE = re.compile(r'\s(?:id|name)="([^"]*)"')
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


def dead_links(folder: Path, pages: Iterable[str]) -> Iterator[str]:
    """`PAGE: LINK: WHY` for each link of the pages (paths in the folder, without `.html`) to a file or place in it that
    is not there. Links to others are not looked at: `sphinx-build -b linkcheck` follows those."""
    for page in sorted(pages):
        place = folder / f"{page}.html"
        for link in dict.fromkeys(_LINK.findall(place.read_text(encoding="utf-8"))):
            why = "" if _ELSEWHERE.match(link) else _fault(place, unescape(link))
            if why:
                yield f"{page}: {link}: {why}"


def _fault(page: Path, link: str) -> str:
    path, _, anchor = link.partition("#")
    target = (page.parent / unquote(path.partition("?")[0])).resolve() if path else page
    if not target.is_file():
        return "there is no such file"
    if anchor and target.suffix == ".html" and unquote(anchor) not in _places(target):
        return "there is no such place on the page"
    return ""


@cache
def _places(page: Path) -> frozenset[str]:
    return frozenset(map(unescape, _PLACE.findall(page.read_text(encoding="utf-8"))))
