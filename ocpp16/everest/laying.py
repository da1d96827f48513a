"""The folder that EVerest's manager wants: `manifest.yaml`, and `module.py`, which calls `ocpp16.everest.main`."""

import os
import re
from pathlib import Path
from typing import Final, NamedTuple

from ocpp16.durable_file import sync_folder, write_synced
from ocpp16.everest.manifest import manifest_text
from ocpp16.regular_file import read_regular

__all__ = ["ForeignFile", "Laid", "WrongFolder", "lay"]

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
_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.-]*")
"""What EVerest's configuration takes as `module:`."""
_LONGEST: Final = 1_000_000
"""Bytes of what lies there and is looked at."""


class ForeignFile(Exception):
    """There is a file that is not of this command, and it was not to be written over."""


class WrongFolder(Exception):
    """The manager would not start a module from there; the text says why."""


class Laid(NamedTuple):
    """A file, and what became of it: "written", "unchanged", or "written over"."""

    path: Path
    outcome: str
    """One of these three words."""


def lay(folder: Path, *, is_forced: bool = False) -> list[Laid]:
    """Write the files into the folder, which is made when needed, and say what became of each.

    Files laid before are written over. Raises WrongFolder for one of which EVerest would start something else, or
    nothing, ForeignFile for files of others unless `is_forced`, OSError where something cannot be written; in each case
    before anything is changed, as far as that can be known.
    """
    folder = Path(os.path.abspath(folder))
    _check(folder)
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


def _check(folder: Path) -> None:
    """The manager looks for an executable that is called as the module, then for index.js, and for module.py last."""
    if not _NAME.fullmatch(folder.name):
        raise WrongFolder(
            f"{folder}: its last part is the name of the module, and EVerest's configuration takes no "
            f"{folder.name!r}: it must begin with a letter, and have letters, digits, ., - and _ only"
        )
    for other in (folder / folder.name, folder / "index.js"):
        if os.path.lexists(other):
            raise WrongFolder(
                f"{other} lies there: EVerest's manager would start it in place of module.py. Choose another name, or "
                "move it away"
            )


def _content(path: Path) -> str | None:
    """None: nothing has this name."""
    try:
        return read_regular(path, _LONGEST).decode(errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:  # that of a folder names its descriptor
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
