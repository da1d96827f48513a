"""The files that `ocpp16 load` leaves: results as JSON, as a page, as JUnit XML."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ocpp16.cli.failure import CommandFailed
from ocpp16.durable_file import sync_folder, write_synced
from ocpp16.load.html import page
from ocpp16.load.junit import junit
from ocpp16.load.results import Results


@dataclass(frozen=True, slots=True)
class Reports:
    """Where they go; None: nowhere."""

    json: Path | None = None
    html: Path | None = None
    junit: Path | None = None

    def problems(self) -> Iterator[str]:
        """Before hours of a test are for nothing."""
        for option, path in (("--json", self.json), ("--html", self.html), ("--junit", self.junit)):
            yield from folder_problems(option, path)

    def problems_with(self, trace: Path | None) -> Iterator[str]:
        """Two that are one file: the one that is written later would be all that is left."""
        options: dict[Path, str] = {}
        for option, path in (("--json", self.json), ("--html", self.html), ("--junit", self.junit), ("--trace", trace)):
            if path is not None and options.setdefault(path.resolve(), option) != option:
                yield f"{option} {path}: is the file of {options[path.resolve()]}, too"

    def write(self, results: Results) -> None:
        """All of them; each is whole at any moment. Blocks. Raises CommandFailed, after those that can be written."""
        failures = [
            failure
            for failure in (
                self.write_json(results),
                _written("--html", self.html, lambda path: _save(path, page(results))),
                _written("--junit", self.junit, lambda path: _save(path, junit(results))),
            )
            if failure
        ]
        if failures:
            raise CommandFailed(*failures)

    def write_json(self, results: Results) -> str:
        """The one that is written while the test runs, too. Returns why it could not be, "" if it could."""
        return _written("--json", self.json, results.save)


def folder_problems(option: str, path: Path | None) -> Iterator[str]:
    """Why a file of this option could not be made."""
    if path is not None and not os.access(path.parent, os.W_OK | os.X_OK):
        yield f"{option} {path}: there is no folder {path.parent} that can be written"


def _written(option: str, path: Path | None, write: Callable[[Path], None]) -> str:
    if path is None:
        return ""
    try:
        write(path)
    except OSError as error:
        return f"{option} {path}: {error.strerror or error}"
    return ""


def _save(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.new")
    write_synced(beside, text.encode(), 0o644, like=path)
    beside.replace(path)
    sync_folder(path.parent)
