"""The folder that EVerest's manager wants: `manifest.yaml`, and `module.py`, which calls `ocpp16.everest.main`."""

from pathlib import Path
from typing import Final, NamedTuple

from ocpp16.durable_file import sync_folder, write_synced
from ocpp16.everest.manifest import manifest_text
from ocpp16.regular_file import read_regular

__all__ = ["ForeignFile", "Laid", "lay"]

MARK: Final = "# Laid by `ocpp16 everest-module`; it is written over when that is called again.\n"
"""The first line of each file, by which it is known again."""

MODULE: Final = '''\
"""EVerest's manager starts this file. All else is in the Python package ocpp16."""

import sys

try:
    from ocpp16.everest import main
except ImportError as error:
    sys.exit(f"{sys.executable} has no package ocpp16, or an older one: {error}. Install it there: pip install ocpp16")

if __name__ == "__main__":
    sys.exit(main())
'''
_LONGEST: Final = 1_000_000
"""Bytes of what lies there and is looked at."""


class ForeignFile(Exception):
    """There is a file that is not of this command, and it was not to be written over."""


class Laid(NamedTuple):
    """A file, and what became of it: "written", "unchanged", or "written over"."""

    path: Path
    outcome: str
    """One of these three words."""


def lay(folder: Path, *, is_forced: bool = False) -> list[Laid]:
    """Write the files into the folder, which is made when needed, and say what became of each.

    Files laid before are written over. Raises ForeignFile for others unless `is_forced`, OSError where something cannot
    be written; in either case before anything is changed, as far as that can be known.
    """
    wanted = {folder / "manifest.yaml": MARK + manifest_text(), folder / "module.py": MARK + MODULE}
    there = {path: _content(path) for path in wanted}
    foreign = [str(path) for path, content in there.items() if content is not None and not content.startswith(MARK)]
    if foreign and not is_forced:
        raise ForeignFile(f"{' and '.join(foreign)} lie there, and are not of this command: --force writes over them")
    folder.mkdir(parents=True, exist_ok=True)
    laid = []
    for path, text in wanted.items():
        if there[path] == text:
            laid.append(Laid(path, "unchanged"))
            continue
        beside = path.with_name(f".{path.name}.new")
        write_synced(beside, text.encode(), 0o644)
        beside.replace(path)
        laid.append(Laid(path, "written" if there[path] is None else "written over"))
    sync_folder(folder)
    return laid


def _content(path: Path) -> str | None:
    """None: nothing has this name."""
    try:
        return read_regular(path, _LONGEST).decode(errors="replace")
    except FileNotFoundError:
        return None
