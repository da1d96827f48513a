"""Symbolic links to what is in use, for programs that look in one place (the server of ISO 15118, say)."""

import os
from contextlib import suppress
from pathlib import Path

from ocpp16.durable_file import sync_folder

__all__ = ["point"]


def point(link: Path, target: Path | None) -> bool:
    """Make `link` lead to `target`, or nowhere; returns whether that is another place than before. Blocks.

    Raises OSError, also where something lies that is no link: it is somebody's.
    """
    try:
        before: str | None = os.readlink(link)
    except FileNotFoundError:
        before = None
    if target is None:
        if before is None:
            return False
        link.unlink()
    else:
        wanted = os.path.abspath(target)
        if before == wanted:
            return False
        fresh = link.with_name(f".{link.name}.tmp")
        with suppress(FileNotFoundError):
            fresh.unlink()
        os.symlink(wanted, fresh)
        os.replace(fresh, link)
    sync_folder(link.parent)
    return True
