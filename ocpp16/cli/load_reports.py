"""The files that `ocpp16 load` leaves: results as JSON, as a page, as JUnit XML."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trio

from ocpp16.cli.standard_error import StandardError
from ocpp16.durable_file import replaceable_problem, write_whole
from ocpp16.load.html import page
from ocpp16.load.junit import junit
from ocpp16.load.load_test import LoadTest, View
from ocpp16.load.results import Results
from ocpp16.texts import shown

FIRST_SAVED: Final = 1.0
SAVED_EVERY: Final = 10.0
"""Real seconds."""


@dataclass(frozen=True, slots=True)
class Reports:
    """Where they go; None: nowhere."""

    json: Path | None = None
    html: Path | None = None
    junit: Path | None = None

    def problems(self, trace: Path | None, scenario: Path | None) -> Iterator[str]:
        """Before hours of a test are for nothing, or a file that is needed is gone. Of two that are one file the one
        that is written later would be all that is left. scenario: its file, if it has one."""
        options: dict[str, str] = {} if scenario is None else {os.path.realpath(scenario): "--scenario"}
        for option, path in (("--json", self.json), ("--html", self.html), ("--junit", self.junit), ("--trace", trace)):
            if path is None:
                continue
            if problem := replaceable_problem(path):
                yield f"{option} {shown(path)}: {problem}"
            elif options.setdefault(os.path.realpath(path), option) != option:
                yield f"{option} {shown(path)}: is the file of {options[os.path.realpath(path)]}, too"

    def write(self, results: Results) -> list[str]:
        """All of them; each is whole at any moment. Blocks. Returns why some could not be written."""
        return [
            failure
            for failure in (
                self.write_json(results),
                _written("--html", self.html, lambda path: _save(path, page(results))),
                _written("--junit", self.junit, lambda path: _save(path, junit(results))),
            )
            if failure
        ]

    async def keep_saved(self, test: LoadTest, speed: float, errors: StandardError) -> None:
        """A test that is killed leaves what was known a few seconds before. A disk that is full may have room later.

        speed: how many times faster than in reality trio's clock is."""
        if self.json is None:
            return
        pause, told = FIRST_SAVED, ""
        while True:
            await trio.sleep(pause * speed)
            pause = min(2 * pause, SAVED_EVERY)
            failure = await trio.to_thread.run_sync(self._write_json_of, test.view())
            if failure and failure != told:
                errors.write(f"ocpp16: {failure}; the test goes on\n")
            told = failure

    def _write_json_of(self, view: View) -> str:
        return self.write_json(view.results())

    def write_json(self, results: Results) -> str:
        """The one that is written while the test runs, too. Returns why it could not be, "" if it could."""
        return _written("--json", self.json, results.save)


def _written(option: str, path: Path | None, write: Callable[[Path], None]) -> str:
    if path is None:
        return ""
    try:
        write(path)
    except OSError as error:
        return f"{option} {shown(path)}: {error.strerror or error}"
    return ""


def _save(path: Path, text: str) -> None:
    write_whole(path, text.encode())
