"""Everything that is generated, and whether what is committed is still fresh.

Two sorts: *built* files are read by the compiler only and are written by the build; *committed* files are read by
people and type checkers, are written by hand (`python ocpp16/_core/codegen`) and checked by a test.
"""

import importlib.util
from importlib import import_module
from pathlib import Path

BUILT = ("validators",)
COMMITTED = ("messages", "keys", "faces")


def outputs(root: Path, *, built: bool) -> dict[Path, str]:
    """Path → text. root: the folder of setup.py; built: the files that the build writes, else the committed ones."""
    texts: dict[Path, str] = {}
    for name in BUILT if built else COMMITTED:
        if importlib.util.find_spec(f"{__package__}.{name}") is not None:
            texts |= import_module(f"{__package__}.{name}").outputs(root)
    return texts


def stale(root: Path) -> list[Path]:
    """The committed files that differ from what would be written now."""
    texts = outputs(root, built=False)
    return [path for path, text in texts.items() if not path.exists() or path.read_text(encoding="utf-8") != text]


def write(root: Path, *, built: bool) -> list[Path]:
    """Write what differs, so that an unchanged file keeps its time and is not compiled again."""
    changed = []
    for path, text in outputs(root, built=built).items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed
